/* SPDX-License-Identifier: MIT */
/*
 * Any lines as challenges: what is read lies within them, and what is answered can be sent and read
 * again. The last line is Authentication-Info.
 */
#include "fuzz.h"

#include <http/auth.h>

#define N_LINES 8

/* Each line a field. */
static size_t read_lines(struct field *list, const char *text, size_t size)
{
        size_t n = 0, at = 0;

        while (n < N_LINES && at < size) {
                const char *end = memchr(text + at, '\n', size - at);
                size_t len = end ? (size_t)(end - text) - at : size - at;

                list[n++] = (struct field){ .value_at = (uint32_t)at, .value_len = (uint32_t)len };
                at += len + 1;
        }
        return n;
}

static void check_within(struct muster_str part, const char *text, size_t size)
{
        FUZZ_CHECK(!part.len || (part.at >= text && part.at + part.len <= text + size));
}

static void read_all(const struct fields *fields, size_t size)
{
        struct auth_challenges iter = { 0 };
        struct auth_challenge challenge;
        struct auth_param param;

        while (auth_next_challenge(fields, "", &iter, &challenge)) {
                FUZZ_CHECK(field_is_token(challenge.scheme));
                check_within(challenge.token68, fields->head, size);
                check_within(challenge.params, fields->head, size);
                while (auth_next_param(&challenge.params, &param)) {
                        FUZZ_CHECK(field_is_token(param.name));
                        check_within(param.value, fields->head, size);
                }
        }
}

/* Does the answer name the realm of the session? */
static void check_answer(const struct digest *digest, struct muster_str answer)
{
        struct muster_str rest = { answer.at + 7, answer.len - 7 };
        struct buf realm = { 0 };
        struct auth_param param;
        bool is_found = false;

        FUZZ_CHECK(answer.len > 7 && memcmp(answer.at, "Digest ", 7) == 0);
        while (!is_found && auth_next_param(&rest, &param))
                is_found = str_is(param.name, "realm");
        FUZZ_CHECK(is_found && auth_add_value(&param, &realm) == 0 &&
                   str_eq(buf_str(&realm), buf_str(&digest->realm)));
        buf_deinit(&realm);
}

static void answer_all(const struct digest_challenge *challenge, struct muster_str info)
{
        struct digest digest = { 0 };
        struct buf to = { 0 };

        FUZZ_CHECK(digest_begin(&digest, challenge, str_of("a\"b\xc3\xa4"), str_of("p"),
                           str_of("c")) == 0);
        FUZZ_CHECK(digest_add(&digest, str_of("GET"), str_of("/"), &to) == 0);
        check_answer(&digest, buf_str(&to));
        FUZZ_CHECK(digest_is_for_realm(&digest, challenge));
        FUZZ_CHECK(digest_renew(&digest, info) == 0 && digest.nonce.len <= info.len + to.len);
        buf_deinit(&to);
        digest_deinit(&digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct field list[N_LINES];
        struct fields fields = { .head = (const char *)data, .list = list };
        struct auth_choice choice;

        fields.n = read_lines(list, fields.head, size);
        read_all(&fields, size);
        choice = auth_choose(&fields, "", AUTH_BASIC | AUTH_DIGEST);
        FUZZ_CHECK(!(choice.scheme & ~choice.offered));
        if (choice.scheme == AUTH_DIGEST)
                answer_all(&choice.digest, field_value(&fields, fields.n - 1));
        return 0;
}
