/* SPDX-License-Identifier: MIT */
/*
 * Challenges, the choice among them, and Basic
 */
#include "unit.h"

#include <http/auth.h>
#include <stdio.h>

/* --- a world: some fields, all of them WWW-Authenticate -------------------------------------- */

#define NAME    "WWW-Authenticate"
#define N_LINES 4

struct lines {
        struct buf head;
        struct field list[N_LINES];
        struct fields fields;
};

static void setup_lines(struct lines *lines, const char *const *values, size_t n)
{
        *lines = (struct lines){ 0 };
        assert_true(n <= N_LINES);
        for (size_t i = 0; i < n; i++) {
                struct field *field = &lines->list[i];

                field->name_at = (uint32_t)lines->head.len;
                field->name_len = sizeof(NAME) - 1;
                assert_int_equal(buf_add_text(&lines->head, NAME ": "), 0);
                field->value_at = (uint32_t)lines->head.len;
                field->value_len = (uint32_t)strlen(values[i]);
                assert_int_equal(buf_add_text(&lines->head, values[i]), 0);
        }
        lines->fields = (struct fields){ lines->head.at, lines->list, n };
}

/* All challenges as text: "scheme token68 name=value;name=value; | ..." */
static void show(const struct fields *fields, struct buf *to)
{
        struct auth_challenges iter = { 0 };
        struct auth_challenge challenge;
        struct auth_param param;

        while (auth_next_challenge(fields, NAME, &iter, &challenge)) {
                if (to->len)
                        buf_add_text(to, " | ");
                buf_add_str(to, challenge.scheme);
                buf_add_char(to, ' ');
                buf_add_str(to, challenge.token68);
                while (auth_next_param(&challenge.params, &param)) {
                        buf_add_str(to, param.name);
                        buf_add_char(to, '=');
                        assert_int_equal(auth_add_value(&param, to), 0);
                        buf_add_char(to, ';');
                }
        }
        assert_int_equal(buf_terminate(to), 0);
}

static void check(const char *const *values, size_t n, const char *expected)
{
        struct buf shown = { 0 };
        struct lines lines;

        setup_lines(&lines, values, n);
        show(&lines.fields, &shown);
        assert_string_equal(shown.at, expected);
        buf_deinit(&shown);
        buf_deinit(&lines.head);
}

static void check_one(const char *value, const char *expected)
{
        check(&value, 1, expected);
}

/* --- challenges ------------------------------------------------------------------------------ */

static void test_well_formed(void **state)
{
        /* [9110 5.6.3 bad-whitespace] [9110 5.6.4 quoted-pair] */
        static const char *const both[] = { "Basic realm=\"a\"", "Digest nonce=n , qop=\"auth\"" };

        (void)state;
        check_one("Basic realm=\"simple\"", "Basic realm=simple;");
        check_one("Basic", "Basic ");
        check_one("Negotiate, NTLM", "Negotiate  | NTLM ");
        check_one("Negotiate YWJj==, Basic realm=x", "Negotiate YWJj== | Basic realm=x;");
        /* RFC 9110 section 11.6.1 */
        check_one(
                "Basic realm=\"simple\", Newauth realm=\"apps\", type=1, title=\"Login to \\\"apps\\\"\"",
                "Basic realm=simple; | Newauth realm=apps;type=1;title=Login to \"apps\";");
        check_one("Digest realm=\"a, Basic realm=b\", nonce = \"x=,\" ,stale=TRUE",
                "Digest realm=a, Basic realm=b;nonce=x=,;stale=TRUE;");
        check(both, 2, "Basic realm=a; | Digest nonce=n;qop=auth;");
}

static void test_careless(void **state)
{
        /* [9110 5.6.1 empty-elements] */
        (void)state;
        check_one("", "");
        check_one(" , ,, ", "");
        check_one(",, Basic ,, realm=a ,, Digest nonce=b,", "Basic realm=a; | Digest nonce=b;");
        check_one("Digest realm=\"a\" nonce=\"b\" qop=auth", "Digest realm=a;nonce=b;qop=auth;");
        check_one("Digest nonce=ab/c==, opaque=", "Digest nonce=ab/c==;opaque=;");
        check_one("Digest nonce=\"never ends, Basic realm=x",
                "Digest nonce=never ends, Basic realm=x;");
        check_one("Digest nonce=\"ends in a backslash\\", "Digest nonce=ends in a backslash\\;");
        check_one("realm=\"x\", Basic realm=y", "Basic realm=y;");
        check_one("\"Basic\" realm=x, Digest nonce=n", "Digest nonce=n;");
        check_one("Digest ;;\"a,b\", nonce=n", "Digest nonce=n;");
        check_one("Basic Digest nonce=n", "Basic  | Digest nonce=n;");
        check_one("=", "");
}

/* --- choosing -------------------------------------------------------------------------------- */

static struct auth_choice choose(const char *value, unsigned allowed)
{
        static struct lines lines;
        struct auth_choice choice;

        buf_deinit(&lines.head);
        setup_lines(&lines, &value, 1);
        choice = auth_choose(&lines.fields, NAME, allowed);
        if (!value[0])
                buf_deinit(&lines.head);
        return choice;
}

static void test_choice(void **state)
{
        static const char all[] =
                "Basic realm=x, Digest nonce=a, Digest nonce=b, algorithm=SHA-256, Digest nonce=c, algorithm=SHA-256, Bearer realm=x";
        struct auth_choice choice;

        (void)state;
        choice = choose(all, AUTH_BASIC | AUTH_DIGEST | AUTH_BEARER);
        assert_int_equal(choice.scheme, AUTH_DIGEST);
        assert_int_equal(choice.offered, AUTH_BASIC | AUTH_DIGEST | AUTH_BEARER);
        assert_int_equal(choice.digest.algorithm, DIGEST_SHA_256);
        assert_true(str_is(choice.digest.nonce.value, "b"));
        assert_int_equal(choose(all, AUTH_BASIC).scheme, AUTH_BASIC);
        assert_int_equal(choose(all, AUTH_BASIC | AUTH_BEARER).scheme, AUTH_BEARER);
        assert_int_equal(choose("Negotiate", AUTH_BASIC).scheme, AUTH_NONE);
        assert_int_equal(choose("Negotiate", AUTH_BASIC).offered, 0);
        assert_int_equal(choose("digest nonce=n", AUTH_BASIC).scheme, AUTH_NONE);
        assert_int_equal(choose("digest nonce=n", AUTH_BASIC).offered, AUTH_DIGEST);
        choose("", 0);
}

/* What cannot be answered leaves the choice to the others, and says why. */
static void test_unusable(void **state)
{
        static const char *const unusable[] = { "Digest realm=x", "Digest nonce=n, algorithm=SHA-1",
                "Digest nonce=n, qop=\"auth-int\"", "Digest nonce=n, algorithm=-sess" };

        (void)state;
        for (size_t i = 0; i < LENGTH(unusable); i++) {
                struct auth_choice choice = choose(unusable[i], AUTH_DIGEST);

                assert_int_equal(choice.scheme, AUTH_NONE);
                assert_non_null(choice.why);
        }
        assert_int_equal(choose("Digest realm=x, Basic realm=y", AUTH_DIGEST | AUTH_BASIC).scheme,
                AUTH_BASIC);
        assert_null(choose("Digest realm=x, Digest nonce=n", AUTH_DIGEST).why);
        choose("", 0);
}

/* --- Basic ----------------------------------------------------------------------------------- */

static void check_basic(struct muster_str user, struct muster_str password, const char *expected)
{
        struct buf to = { 0 };

        assert_int_equal(auth_add_basic(user, password, &to), 0);
        assert_int_equal(buf_terminate(&to), 0);
        assert_string_equal(to.at, expected);
        buf_deinit(&to);
}

static void test_basic(void **state)
{
        (void)state;
        /* RFC 7617 sections 2 and 2.1 */
        check_basic(str_of("Aladdin"), str_of("open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        check_basic(str_of("test"), str_of("123\xc2\xa3"), "Basic dGVzdDoxMjPCow==");
        check_basic((struct muster_str){ NULL, 0 }, (struct muster_str){ NULL, 0 }, "Basic Og==");
}

static void encode(void)
{
        struct buf to = { 0 };

        assert_int_equal(buf_add_text(&to, ""), 0);
        if (auth_add_basic(str_of("u"), str_of("p"), &to) < 0)
                assert_int_equal(to.len, 0);
        buf_deinit(&to);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(encode);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_well_formed),
                cmocka_unit_test(test_careless),
                cmocka_unit_test(test_choice),
                cmocka_unit_test(test_unusable),
                cmocka_unit_test(test_basic),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
