/* SPDX-License-Identifier: MIT */
#include "h1_framing.h"

#include "h1_error.h"

/* What the fields of a head say about its body. */
struct said {
        bool has_length;
        uint64_t length;
        struct muster_str coding; /* the last Transfer-Encoding; `at` is NULL if there is none */
        unsigned n_coding_fields, n_chunked, n_identity;
};

/*
 * Parse Content-Length: digits, or the same length several times (RFC 9110 section 8.6). An empty
 * member of the list is an error.
 */
static int read_length(struct muster_str value, struct said *said, struct muster_error *error)
{
        struct muster_str rest = value, member;

        if (!value.len)
                return h1_protocol_error(error, "an empty Content-Length", value);
        while (str_split(&rest, ',', &member)) {
                uint64_t length;

                member = str_trim(member);
                if (!str_to_u64(member, &length) || length > INT64_MAX)
                        return h1_protocol_error(error, "Content-Length is not a number", member);
                if (said->has_length && length != said->length)
                        return h1_protocol_error(error, "several Content-Length values that differ",
                                member);
                said->has_length = true;
                said->length = length;
        }
        return 0;
}

static int read_coding(struct muster_str value, struct said *said, struct muster_error *error)
{
        struct muster_str rest = value, member;

        said->coding = value;
        said->n_coding_fields++;
        if (!value.len)
                return h1_protocol_error(error, "an empty Transfer-Encoding", value);
        while (str_split(&rest, ',', &member)) {
                member = str_trim(member);
                if (str_is_nocase(member, "chunked"))
                        said->n_chunked++;
                else if (str_is_nocase(member, "identity"))
                        said->n_identity++;
                else
                        return h1_protocol_error(error, "a Transfer-Encoding other than chunked",
                                member);
        }
        return 0;
}

static int read_fields(const struct fields *fields, struct said *said, struct muster_error *error)
{
        int r = 0;

        for (size_t i = 0; i < fields->n && r == 0; i++) {
                struct muster_str name = field_name(fields, i);

                if (str_is_nocase(name, "Content-Length"))
                        r = read_length(field_value(fields, i), said, error);
                else if (str_is_nocase(name, "Transfer-Encoding"))
                        r = read_coding(field_value(fields, i), said, error);
        }
        return r;
}

/*
 * Refuse codings that readers take in different ways. All agree only on `chunked` alone; several
 * fields may each say that, as proxies repeat it. `identity` was removed from HTTP (RFC 7230) and
 * means nothing.
 */
static int check_coding(const struct http_head *head, const struct said *said,
        struct muster_error *error)
{
        if (!said->n_chunked)
                return 0;
        if (said->n_identity || said->n_chunked != said->n_coding_fields)
                return h1_protocol_error(error, "a Transfer-Encoding other than chunked",
                        said->coding);
        if (head->version == 10)
                return h1_protocol_error(error,
                        "Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)", said->coding);
        if (said->has_length)
                return h1_protocol_error(error,
                        "both Transfer-Encoding and Content-Length (RFC 9112 section 6.3)",
                        said->coding);
        return 0;
}

/*
 * Is a response without a body in doubt? It is if its fields announce a body or cannot be
 * understood: the server may send that body, and we would not find the next response. Fields of a
 * HEAD's response and of a 304 may describe the body that a GET would get.
 */
static bool is_bodiless_in_doubt(const struct http_head *head, const struct said *said, int r)
{
        bool may_say = head->status >= 200 && head->status != 204;

        return r < 0 || said->n_chunked != said->n_coding_fields ||
               (!may_say && (said->coding.at || said->length > 0));
}

bool h1_has_body(int status, bool is_head)
{
        return !is_head && status >= 200 && status != 204 && status != 304;
}

static bool keeps_alive(const struct http_head *head)
{
        if (head->is_in_doubt || fields_has_token(&head->fields, "Connection", "close"))
                return false;
        return head->version == 11 || fields_has_token(&head->fields, "Connection", "keep-alive");
}

int h1_framing_read(struct http_head *head, bool is_head, enum h1_framing *ret_framing,
        struct muster_error *error)
{
        struct said said = { 0 };
        int r;

        head->has_body = h1_has_body(head->status, is_head);
        r = read_fields(&head->fields, &said, head->has_body ? error : NULL);
        if (r == 0)
                r = check_coding(head, &said, head->has_body ? error : NULL);
        if (!head->has_body)
                head->is_in_doubt |= is_bodiless_in_doubt(head, &said, r);
        else if (r < 0)
                return r;
        else
                head->is_in_doubt |= said.n_identity > 0 || said.n_chunked > 1;
        head->has_length = r == 0 && said.has_length;
        head->length = head->has_length ? said.length : 0;
        if (!head->has_body)
                *ret_framing = H1_NO_BODY;
        else if (said.n_chunked)
                *ret_framing = H1_CHUNKED;
        else if (head->has_length)
                *ret_framing = H1_LENGTH;
        else
                *ret_framing = H1_CLOSE;
        head->keeps_alive = *ret_framing != H1_CLOSE && keeps_alive(head);
        return 0;
}

/* --- names that are not well-formed ---------------------------------------------------------- */

static const char *const framing_letters[] = { "contentlength", "transferencoding" };

/*
 * Do the text's letters contain `word`, or equal it if `is_all`? The first letter of each word
 * occurs only once in it, so a failed match can only begin anew at the present letter.
 */
static bool has_letters(struct muster_str text, const char *word, bool is_all)
{
        size_t n = 0;

        for (size_t i = 0; i < text.len; i++) {
                char c = char_lower(text.at[i]);

                if (c < 'a' || c > 'z')
                        continue;
                if (is_all && c != word[n])
                        return false;
                n = c == word[n] ? n + 1 : c == word[0];
                if (!word[n] && !is_all)
                        return true;
        }
        return !word[n];
}

bool h1_is_like_framing(struct muster_str name)
{
        return has_letters(name, framing_letters[0], true) ||
               has_letters(name, framing_letters[1], true);
}

bool h1_names_framing(struct muster_str text)
{
        return has_letters(text, framing_letters[0], false) ||
               has_letters(text, framing_letters[1], false);
}
