/* SPDX-License-Identifier: MIT */
#include "url_path.h"

#include "url_encode.h"

/* How many dots the segment is, 1 or 2, in any spelling; 0 for any other segment. */
static int dots_of(struct muster_str segment)
{
        int n = 0;

        while (segment.len) {
                size_t len = segment.at[0] == '.' ? 1
                             : segment.len >= 3 && segment.at[0] == '%' && segment.at[1] == '2' &&
                                             char_lower(segment.at[2]) == 'e'
                                     ? 3
                                     : 0;

                if (!len || ++n > 2)
                        return 0;
                segment = str_after(segment, len);
        }
        return n;
}

void url_path_shorten(struct buf *text, size_t path_at)
{
        while (text->len > path_at && text->at[text->len - 1] != '/')
                text->len--;
        if (text->len > path_at)
                text->len--;
}

static struct muster_str take_segment(struct muster_str *path)
{
        struct muster_str segment = { path->at, 0 };

        while (path->len && !url_is_slash(path->at[0])) {
                path->at++;
                path->len--;
                segment.len++;
        }
        return segment;
}

int url_path_add(struct buf *text, size_t path_at, struct muster_str path)
{
        int r = 0;

        if (path.len && url_is_slash(path.at[0])) {
                path.at++;
                path.len--;
        }
        while (r == 0) {
                struct muster_str segment = take_segment(&path);
                bool is_last = path.len == 0;
                int dots = dots_of(segment);

                if (dots == 2)
                        url_path_shorten(text, path_at);
                if (dots == 0 || is_last)
                        r = buf_add_char(text, '/');
                if (r == 0 && dots == 0)
                        r = url_add_encoded(segment, ENCODE_PATH, text);
                if (is_last)
                        break;
                path.at++;
                path.len--;
        }
        return r;
}

bool url_path_is_plain(struct muster_str path)
{
        for (size_t i = 0; i < path.len; i++) {
                if (url_encode_sets[(unsigned char)path.at[i]] & ENCODE_PATH || path.at[i] == '\\')
                        return false;
                if (path.at[i] == '/' && i + 1 < path.len &&
                        (path.at[i + 1] == '.' || path.at[i + 1] == '%'))
                        return false;
        }
        return path.len && path.at[0] == '/';
}
