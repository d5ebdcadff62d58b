/* SPDX-License-Identifier: MIT */
#include "remote_name.h"

#include <string.h>

static struct muster_str behind_last(struct muster_str text, const char *separators)
{
        for (size_t i = text.len; i > 0; i--)
                if (strchr(separators, text.at[i - 1]) && text.at[i - 1])
                        return str_after(text, i);
        return text;
}

static struct muster_str unless_dots(struct muster_str name)
{
        bool is_none = str_is(name, ".") || str_is(name, "..");

        return is_none ? (struct muster_str){ 0 } : name;
}

/* --- of a URL -------------------------------------------------------------------------------- */

struct muster_str remote_name_of_url(const char *url)
{
        const char *authority = strstr(url, "://"), *path;

        authority = authority ? authority + 3 : url;
        path = authority + strcspn(authority, "/?#");
        if (*path != '/')
                return (struct muster_str){ 0 };
        return unless_dots(behind_last((struct muster_str){ path, strcspn(path, "?#") }, "/"));
}

/* --- of a Content-Disposition ---------------------------------------------------------------- */

/* How long the value of a parameter is that begins the text: up to a ";" outside of quotes. */
static size_t value_len(struct muster_str text)
{
        bool is_quoted = false;
        size_t i = 0;

        for (; i < text.len && (is_quoted || text.at[i] != ';'); i++) {
                if (text.at[i] == '"')
                        is_quoted = !is_quoted;
                else if (is_quoted && text.at[i] == '\\' && i + 1 < text.len)
                        i++;
        }
        return i;
}

/* Step to the next parameter behind a ";". False at the end. */
static bool next_parameter(struct muster_str *rest, struct muster_str *ret_name,
        struct muster_str *ret_value)
{
        size_t name_len = 0, len;

        *rest = str_trim(*rest);
        if (!rest->len)
                return false;
        while (name_len < rest->len && rest->at[name_len] != '=' && rest->at[name_len] != ';')
                name_len++;
        *ret_name = str_trim((struct muster_str){ rest->at, name_len });
        if (name_len < rest->len && rest->at[name_len] == '=')
                name_len++;
        *ret_value = str_after(*rest, name_len);
        len = value_len(*ret_value);
        *rest = str_after(*ret_value, len);
        ret_value->len = len;
        *ret_value = str_trim(*ret_value);
        if (rest->len)
                *rest = str_after(*rest, 1);
        return true;
}

/*
 * What a quoted string stands for. Only a quote and a backslash are taken for escaped: servers that
 * send a path of Windows mean the others as they stand.
 */
static int add_unquoted(struct buf *to, struct muster_str quoted)
{
        int r = 0;

        for (size_t i = 1; i < quoted.len && quoted.at[i] != '"' && r == 0; i++) {
                if (quoted.at[i] == '\\' && i + 1 < quoted.len &&
                        (quoted.at[i + 1] == '"' || quoted.at[i + 1] == '\\'))
                        i++;
                r = buf_add(to, quoted.at + i, 1);
        }
        return r;
}

/* Put in place of what was added since what remains of it. */
static void keep_name(struct buf *to, size_t before)
{
        struct muster_str all, name;

        if (to->len == before)
                return;
        all = (struct muster_str){ to->at + before, to->len - before };
        name = unless_dots(behind_last(all, "/\\"));
        if (name.len)
                memmove(to->at + before, name.at, name.len);
        to->len = before + name.len;
}

int remote_name_of_disposition(struct buf *to, struct muster_str value)
{
        struct muster_str rest = value, name, text;
        size_t before = to->len;
        int r = 0;

        while (next_parameter(&rest, &name, &text)) {
                if (!str_is_nocase(name, "filename") || !text.len)
                        continue;
                r = text.at[0] == '"' ? add_unquoted(to, text) : buf_add_str(to, text);
                break;
        }
        if (r == 0)
                keep_name(to, before);
        return r;
}
