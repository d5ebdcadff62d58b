/* SPDX-License-Identifier: MIT */
#include "multipart.h"

#include <assert.h>

/* Boundaries may hold more characters, but these need no quotes (RFC 2045 section 5.1). */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct multipart_boundary multipart_boundary(const unsigned char random[MULTIPART_RANDOM_BYTES])
{
        struct multipart_boundary boundary;
        unsigned bits = 0, n_bits = 0;
        size_t n = MULTIPART_BOUNDARY_DASHES;

        memset(boundary.text, '-', MULTIPART_BOUNDARY_DASHES);
        for (size_t i = 0; i < MULTIPART_RANDOM_BYTES; i++) {
                bits = bits << 8 | random[i];
                for (n_bits += 8; n_bits >= 6; n_bits -= 6)
                        boundary.text[n++] = alphabet[bits >> (n_bits - 6) & 63];
        }
        boundary.text[n++] = alphabet[bits << (6 - n_bits) & 63];
        assert(n == MULTIPART_BOUNDARY_LEN);
        boundary.text[n] = '\0';
        return boundary;
}

/* Are the characters there that stand behind the dashes? */
static bool is_boundary(struct muster_str text, size_t at)
{
        if (text.len - at < MULTIPART_BOUNDARY_LEN)
                return false;
        for (size_t i = at + MULTIPART_BOUNDARY_DASHES; i < at + MULTIPART_BOUNDARY_LEN; i++)
                if (!memchr(alphabet, text.at[i], sizeof(alphabet) - 1))
                        return false;
        return true;
}

/* Between parts two dashes stand before it, and where a type names it, "=". */
size_t multipart_find_boundary(struct muster_str text)
{
        size_t n = 0;

        for (size_t i = 0; i < text.len; i++) {
                size_t begin;

                n = text.at[i] == '-' ? n + 1 : 0;
                begin = i + 1 - n;
                if (n == MULTIPART_BOUNDARY_DASHES + 2)
                        begin += 2;
                else if (n != MULTIPART_BOUNDARY_DASHES || !begin || text.at[begin - 1] != '=')
                        continue;
                if (is_boundary(text, begin))
                        return begin;
        }
        return text.len;
}

/* --- names ----------------------------------------------------------------------------------- */

bool multipart_is_name(struct muster_str name, bool escapes_with_backslash)
{
        if (str_has_char(name, '\0'))
                return false;
        return !escapes_with_backslash || (!str_has_char(name, '\r') && !str_has_char(name, '\n'));
}

/* What stands for a character between quotes; NULL: itself (WHATWG HTML, 4.10.22.8). */
static const char *escape_of(char c, bool with_backslash)
{
        if (c == '"')
                return with_backslash ? "\\\"" : "%22";
        if (c == '\\')
                return with_backslash ? "\\\\" : NULL;
        return c == '\r' ? "%0D" : c == '\n' ? "%0A" : NULL;
}

static int add_quoted(struct buf *to, const char *what, struct muster_str text, bool with_backslash)
{
        int r = buf_add_text(to, what);

        for (size_t i = 0; r == 0 && i < text.len; i++) {
                const char *escape = escape_of(text.at[i], with_backslash);

                r = escape ? buf_add_text(to, escape) : buf_add_char(to, text.at[i]);
        }
        return r < 0 ? r : buf_add_char(to, '"');
}

/* --- fields ---------------------------------------------------------------------------------- */

/* Take a line off `rest`, without its CRLF. */
static bool next_line(struct muster_str *rest, struct muster_str *ret_line,
        struct muster_str *ret_name)
{
        struct muster_str of_line;

        if (!str_split(rest, '\n', ret_line) || !ret_line->len)
                return false;
        if (ret_line->at[ret_line->len - 1] == '\r')
                ret_line->len--;
        of_line = *ret_line;
        str_split(&of_line, ':', ret_name);
        *ret_name = str_trim(*ret_name);
        return true;
}

struct muster_str multipart_field(struct muster_str fields, const char *name)
{
        struct muster_str line, its_name, value = { NULL, 0 };

        while (next_line(&fields, &line, &its_name))
                if (str_is_nocase(its_name, name)) {
                        size_t colon = (size_t)(its_name.at - line.at) + its_name.len;

                        while (colon < line.len && line.at[colon] != ':')
                                colon++;
                        colon += colon < line.len;
                        value = str_trim(str_after(line, colon));
                }
        return value;
}

static int add_field(struct buf *to, const char *name, struct muster_str value)
{
        int r = buf_add_text(to, name);

        if (r == 0)
                r = buf_add_str(to, value);
        return r < 0 ? r : buf_add(to, "\r\n", 2);
}

static int add_disposition(struct buf *to, const struct multipart_head *head)
{
        bool with_backslash = head->escapes_with_backslash;
        int r;

        if (!head->disposition || multipart_field(head->fields, "Content-Disposition").at)
                return 0;
        r = buf_add_text(to, "Content-Disposition: ");
        if (r == 0)
                r = buf_add_text(to, head->disposition);
        if (r == 0 && head->name.at)
                r = add_quoted(to, "; name=\"", head->name, with_backslash);
        if (r == 0 && head->filename.at)
                r = add_quoted(to, "; filename=\"", head->filename, with_backslash);
        return r < 0 ? r : buf_add(to, "\r\n", 2);
}

static int add_part_type(struct buf *to, const struct multipart_head *head)
{
        int r;

        if (!head->type.at)
                return 0;
        if (!head->boundary)
                return add_field(to, "Content-Type: ", head->type);
        r = buf_add_text(to, "Content-Type: ");
        if (r == 0)
                r = multipart_add_type(to, head->type, head->boundary);
        return r < 0 ? r : buf_add(to, "\r\n", 2);
}

static int add_own_fields(struct buf *to, struct muster_str fields)
{
        struct muster_str line, name;
        int r = 0;

        while (r == 0 && next_line(&fields, &line, &name))
                if (!str_is_nocase(name, "Content-Type"))
                        r = add_field(to, "", line);
        return r;
}

/* --- delimiters ------------------------------------------------------------------------------ */

static int add_delimiter(struct buf *to, const struct multipart_boundary *boundary, bool is_first,
        const char *end)
{
        int r = buf_add_text(to, is_first ? "--" : "\r\n--");

        if (r == 0)
                r = buf_add(to, boundary->text, MULTIPART_BOUNDARY_LEN);
        return r < 0 ? r : buf_add_text(to, end);
}

int multipart_add_head(struct buf *to, const struct multipart_boundary *boundary, bool is_first,
        const struct multipart_head *head)
{
        int r = add_delimiter(to, boundary, is_first, "\r\n");

        assert(multipart_is_name(head->name, head->escapes_with_backslash));
        if (r == 0)
                r = add_disposition(to, head);
        if (r == 0)
                r = add_part_type(to, head);
        if (r == 0 && head->encoding &&
                !multipart_field(head->fields, "Content-Transfer-Encoding").at)
                r = add_field(to, "Content-Transfer-Encoding: ", str_of(head->encoding));
        if (r == 0)
                r = add_own_fields(to, head->fields);
        return r < 0 ? r : buf_add(to, "\r\n", 2);
}

int multipart_add_end(struct buf *to, const struct multipart_boundary *boundary, bool is_first)
{
        return add_delimiter(to, boundary, is_first, "--\r\n");
}

int multipart_add_type(struct buf *to, struct muster_str type,
        const struct multipart_boundary *boundary)
{
        int r = buf_add_str(to, type);

        if (r == 0)
                r = buf_add_text(to, "; boundary=");
        return r < 0 ? r : buf_add(to, boundary->text, MULTIPART_BOUNDARY_LEN);
}
