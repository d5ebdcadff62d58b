/* SPDX-License-Identifier: MIT */
#include "auth_challenge.h"

#include <assert.h>

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static size_t after_blanks(struct muster_str text, size_t at)
{
        while (at < text.len && is_blank(text.at[at]))
                at++;
        return at;
}

static size_t after_separators(struct muster_str text, size_t at)
{
        while (at < text.len && (is_blank(text.at[at]) || text.at[at] == ','))
                at++;
        return at;
}

static bool is_token_char(char c)
{
        return field_is_token((struct muster_str){ &c, 1 });
}

static size_t after_token(struct muster_str text, size_t at)
{
        while (at < text.len && is_token_char(text.at[at]))
                at++;
        return at;
}

/* The closing quote of the string that begins at `at`; the end of the text if there is none. */
static size_t closing_quote(struct muster_str text, size_t at)
{
        for (at++; at < text.len && text.at[at] != '"'; at++)
                if (text.at[at] == '\\')
                        at++;
        return at < text.len ? at : text.len;
}

/* Behind what makes no sense: the next comma outside quotes. */
static size_t after_nonsense(struct muster_str text, size_t at)
{
        while (at < text.len && text.at[at] != ',')
                at = text.at[at] == '"' ? closing_quote(text, at) + 1 : at + 1;
        return at < text.len ? at : text.len;
}

/* --- parameters ------------------------------------------------------------------------------ */

/* Read the value at *at, and go behind it. */
static void read_value(struct muster_str text, size_t *at, struct auth_param *param)
{
        size_t begin = *at, end = begin;

        param->is_quoted = begin < text.len && text.at[begin] == '"';
        if (param->is_quoted) {
                end = closing_quote(text, begin++);
                *at = end < text.len ? end + 1 : end;
        } else {
                while (end < text.len && !is_blank(text.at[end]) && text.at[end] != ',')
                        end++;
                *at = end;
        }
        param->value = (struct muster_str){ text.at + begin, end - begin };
}

/* Is there a parameter at *at? Then read it, and go behind it. */
static bool read_param(struct muster_str text, size_t *at, struct auth_param *param)
{
        size_t end = after_token(text, *at);
        size_t next = after_blanks(text, end);

        if (end == *at || next == text.len || text.at[next] != '=')
                return false;
        param->name = (struct muster_str){ text.at + *at, end - *at };
        *at = after_blanks(text, next + 1);
        read_value(text, at, param);
        assert(*at <= text.len);
        return true;
}

bool auth_next_param(struct muster_str *rest, struct auth_param *ret_param)
{
        size_t at = after_separators(*rest, 0);
        bool is_param = false;

        while (at < rest->len && !(is_param = read_param(*rest, &at, ret_param)))
                at = after_separators(*rest, after_nonsense(*rest, at));
        *rest = str_after(*rest, at);
        return is_param;
}

int auth_add_value(const struct auth_param *param, struct buf *to)
{
        size_t before = to->len;
        int r = 0;

        if (!param->is_quoted)
                return buf_add_str(to, param->value);
        for (size_t i = 0; r == 0 && i < param->value.len; i++) {
                if (param->value.at[i] == '\\' && i + 1 < param->value.len)
                        i++;
                r = buf_add_char(to, param->value.at[i]);
        }
        if (r < 0)
                to->len = before;
        return r;
}

/* --- challenges ------------------------------------------------------------------------------ */

/* Behind the parameters that begin at `at`: where the next challenge begins, or the text ends. */
static size_t after_params(struct muster_str text, size_t at)
{
        struct auth_param param;

        for (;;) {
                size_t next = after_separators(text, at);

                if (next == text.len)
                        return next;
                if (read_param(text, &next, &param))
                        at = next;
                else if (is_token_char(text.at[next]))
                        return next;
                else
                        at = after_nonsense(text, next);
        }
}

/* The length of the token68 at `at`, up to a comma or the end; 0: there is none. */
static size_t token68_len(struct muster_str text, size_t at)
{
        size_t end = at;

        while (end < text.len && (is_token_char(text.at[end]) || text.at[end] == '/'))
                end++;
        if (end == at)
                return 0;
        while (end < text.len && text.at[end] == '=')
                end++;
        at = end - at;
        end = after_blanks(text, end);
        return end == text.len || text.at[end] == ',' ? at : 0;
}

/* Read the challenge at *at, and go behind it. False: there is none. */
static bool read_challenge(struct muster_str text, size_t *at, struct auth_challenge *challenge)
{
        size_t end = after_token(text, *at), next = after_blanks(text, end), n;

        if (end == *at || (next < text.len && text.at[next] == '='))
                return false;
        *challenge = (struct auth_challenge){ .scheme = { text.at + *at, end - *at } };
        n = token68_len(text, next);
        if (n && next > end) {
                challenge->token68 = (struct muster_str){ text.at + next, n };
                *at = next + n;
        } else {
                *at = after_params(text, next);
                challenge->params = (struct muster_str){ text.at + next, *at - next };
        }
        return true;
}

bool auth_next_challenge(const struct fields *fields, const char *name,
        struct auth_challenges *iter, struct auth_challenge *ret_challenge)
{
        struct muster_str wanted = str_of(name);

        for (; iter->field < fields->n; iter->field++, iter->at = 0) {
                struct muster_str value = field_value(fields, iter->field);

                if (!str_eq_nocase(field_name(fields, iter->field), wanted))
                        continue;
                iter->at = after_separators(value, iter->at);
                while (iter->at < value.len) {
                        if (read_challenge(value, &iter->at, ret_challenge))
                                return true;
                        iter->at = after_separators(value, after_nonsense(value, iter->at));
                }
        }
        return false;
}
