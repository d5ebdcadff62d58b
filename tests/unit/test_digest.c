/* SPDX-License-Identifier: MIT */
/*
 * Digest: the examples of RFC 7616, and what a session does beyond one request
 */
#include "unit.h"

#include <http/digest.h>
#include <stdio.h>

#define REALM  "http-auth@example.org"
#define NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define OPAQUE "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"

static int read(const char *params, struct digest_challenge *challenge)
{
        const struct auth_challenge from = { .scheme = BYTES("Digest"), .params = str_of(params) };
        const char *why = NULL;
        int r = digest_read(&from, challenge, &why);

        assert_true((r == 0) == (why == NULL));
        return r;
}

static void begin(struct digest *digest, const char *params, const char *user, const char *password,
        const char *cnonce)
{
        struct digest_challenge challenge;

        assert_int_equal(read(params, &challenge), 0);
        assert_int_equal(digest_begin(digest, &challenge, str_of(user), str_of(password),
                                 str_of(cnonce)),
                0);
}

static void check(struct digest *digest, const char *target, const char *expected)
{
        struct buf to = { 0 };

        assert_int_equal(digest_add(digest, str_of("GET"), str_of(target), &to), 0);
        assert_int_equal(buf_terminate(&to), 0);
        assert_string_equal(to.at, expected);
        buf_deinit(&to);
}

static void check_has(struct digest *digest, const char *target, const char *expected)
{
        struct buf to = { 0 };

        assert_int_equal(digest_add(digest, str_of("GET"), str_of(target), &to), 0);
        assert_int_equal(buf_terminate(&to), 0);
        if (!strstr(to.at, expected))
                assert_string_equal(to.at, expected);
        buf_deinit(&to);
}

/* --- the examples ---------------------------------------------------------------------------- */

static void begin_mufasa(struct digest *digest, const char *algorithm)
{
        char params[300];

        snprintf(params, sizeof(params),
                "realm=\"" REALM "\", qop=\"auth, auth-int\", algorithm=%s, nonce=\"" NONCE
                "\", opaque=\"" OPAQUE "\"",
                algorithm);
        begin(digest, params, "Mufasa", "Circle of Life", CNONCE);
}

#define MUFASA(algorithm, response)                                                                \
        "Digest username=\"Mufasa\", realm=\"" REALM "\", nonce=\"" NONCE                          \
        "\", uri=\"/dir/index.html\", cnonce=\"" CNONCE                                            \
        "\", nc=00000001, qop=auth, response=\"" response "\", opaque=\"" OPAQUE                   \
        "\", algorithm=" algorithm

/* RFC 7616 section 3.9.1; the values of the other algorithms were calculated with Python. */
static void test_rfc_7616(void **state)
{
        static const struct {
                const char *algorithm, *expected;
        } cases[] = {
                { "MD5", MUFASA("MD5", "8ca523f5e9506fed4657c9700eebdbec") },
                { "SHA-256", MUFASA("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697"
                                               "cf8db5856cb6c1") },
                { "MD5-sess", MUFASA("MD5-sess", "e783283f46242139c486a698fec7211d") },
                { "sha-256-SESS", MUFASA("sha-256-SESS", "2fd51b3a77ad75bad6afad6003e818d767133c46"
                                                         "d9e2749e7f5232ae1ea3efd7") },
                { "SHA-512-256", MUFASA("SHA-512-256", "430d05014cecc49cab6fbe03176d41a1da86cbfe24"
                                                       "a16580e22aaad928d960d0") },
                { "SHA-512-256-sess",
                        MUFASA("SHA-512-256-sess", "3f2a34f923c38b0fb26dce2fdfc2ce326"
                                                   "c23cecf86fbb1444f3e51fbbc2cb92e") },
        };
        struct digest digest = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                begin_mufasa(&digest, cases[i].algorithm);
                check(&digest, "/dir/index.html", cases[i].expected);
        }
        digest_deinit(&digest);
        assert_false(digest_has_begun(&digest));
}

/* RFC 7616 section 3.9.2, with the values of erratum 4897. */
static void test_user_hash(void **state)
{
        struct digest digest = { 0 };

        (void)state;
        begin(&digest,
                "realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", charset=UTF-8, userhash=true",
                "J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?",
                "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v");
        check(&digest, "/doe.json",
                "Digest username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\", realm=\"api@example.org\", nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", uri=\"/doe.json\", cnonce=\"NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v\", nc=00000001, qop=auth, response=\"3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5\", opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", algorithm=SHA-512-256, userhash=true");
        digest_deinit(&digest);
}

/* RFC 7616 section 3.4: the extended notation, where a server that knows it reads it. */
static void test_user_outside_ascii(void **state)
{
        struct digest digest = { 0 };

        (void)state;
        begin(&digest, "realm=r, nonce=n, qop=auth, charset=UTF-8", "J\xc3\xa4s\xc3\xb8n Doe", "p",
                "c");
        check_has(&digest, "/", "Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, realm=\"r\"");
        begin(&digest, "realm=r, nonce=n, qop=auth", "J\xc3\xa4s", "p", "c");
        check_has(&digest, "/", "Digest username=\"J\xc3\xa4s\", realm=\"r\"");
        digest_deinit(&digest);
}

/* The example of RFC 2069 with the nonce of RFC 2617: no quality of protection. */
static void test_rfc_2069(void **state)
{
        struct digest digest = { 0 };

        (void)state;
        begin(&digest, "realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
                "Mufasa", "CircleOfLife", "unused");
        check(&digest, "/dir/index.html",
                "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", response=\"1949323746fe6a43ef61f9606e7febea\"");
        digest_deinit(&digest);
}

static void test_escapes(void **state)
{
        /* [9110 11.5 quoted-realm] */
        struct digest digest = { 0 };

        (void)state;
        begin(&digest, "realm=\"r\\\"x\\\\\", nonce=n, qop=auth", "a\"b\\", "p", "c");
        check(&digest, "/",
                "Digest username=\"a\\\"b\\\\\", realm=\"r\\\"x\\\\\", nonce=\"n\", uri=\"/\", cnonce=\"c\", nc=00000001, qop=auth, response=\"07595a6037f3c965437ce38f9be1da85\"");
        digest_deinit(&digest);
}

/* --- a session ------------------------------------------------------------------------------- */

static void test_count(void **state)
{
        struct digest digest = { 0 };
        struct buf to = { 0 };

        (void)state;
        begin_mufasa(&digest, "MD5");
        check_has(&digest, "/dir/index.html", "nc=00000001");
        check_has(&digest, "/dir/index.html",
                "nc=00000002, qop=auth, response=\"4b5d595ecf2db9df612ea5b45cd97101\"");
        digest.count = UINT32_MAX - 1;
        check_has(&digest, "/", "nc=ffffffff");
        assert_int_equal(digest_add(&digest, str_of("GET"), str_of("/"), &to), DIGEST_USED_UP);
        assert_int_equal(to.len, 0);
        digest_deinit(&digest);
}

static void test_next_nonce(void **state)
{
        struct digest digest = { 0 };

        (void)state;
        begin_mufasa(&digest, "MD5");
        check_has(&digest, "/", "nc=00000001");
        assert_int_equal(digest_renew(&digest, str_of("qop=auth, rspauth=\"x\", nc=00000001")), 0);
        assert_int_equal(digest_renew(&digest, str_of("nextnonce=\"\"")), 0);
        check_has(&digest, "/", "nc=00000002");
        assert_int_equal(digest_renew(&digest, str_of("rspauth=\"x\", nextnonce=\"n\\\"2\"")), 0);
        check_has(&digest, "/dir/index.html",
                "nonce=\"n\\\"2\", uri=\"/dir/index.html\", cnonce=\"" CNONCE
                "\", nc=00000001, qop=auth, response=\"22e9253b67f55b9c80b84972ff839ff5\"");
        digest_deinit(&digest);
}

static void test_realm(void **state)
{
        struct digest_challenge challenge;
        struct digest digest = { 0 };

        (void)state;
        begin_mufasa(&digest, "MD5");
        assert_int_equal(read("realm=\"http\\-auth@example.org\", nonce=other", &challenge), 0);
        assert_true(digest_is_for_realm(&digest, &challenge));
        assert_int_equal(read("realm=other, nonce=\"" NONCE "\"", &challenge), 0);
        assert_false(digest_is_for_realm(&digest, &challenge));
        digest_deinit(&digest);
}

static void test_challenge(void **state)
{
        struct digest_challenge challenge;

        (void)state;
        assert_int_equal(read("nonce=n, STALE=True, nonce=second, domain=\"/a /b\"", &challenge),
                0);
        assert_true(challenge.is_stale && str_is(challenge.nonce.value, "n"));
        assert_false(challenge.has_qop || challenge.is_session || challenge.has_opaque);
        assert_int_equal(read("realm=r", &challenge), DIGEST_UNUSABLE);
        assert_int_equal(read("nonce=n, qop=\"auth-int\"", &challenge), DIGEST_UNUSABLE);
        assert_int_equal(read("nonce=n, qop=\"auth-int , AUTH\"", &challenge), 0);
        assert_int_equal(read("nonce=n, algorithm=MD4", &challenge), DIGEST_UNUSABLE);
        assert_int_equal(read("nonce=n, algorithm=\"SHA-256\"", &challenge), 0);
}

static void live(void)
{
        const struct auth_challenge from = { .scheme = BYTES("Digest"),
                .params =
                        BYTES("realm=\"a\\b\", nonce=n, opaque=o, qop=auth, algorithm=MD5-sess") };
        struct digest_challenge challenge;
        struct digest digest = { 0 };
        struct buf to = { 0 };
        const char *why;

        assert_int_equal(digest_read(&from, &challenge, &why), 0);
        if (digest_begin(&digest, &challenge, str_of("u"), str_of("p"), str_of("c")) == 0) {
                if (digest_add(&digest, str_of("GET"), str_of("/"), &to) < 0)
                        assert_int_equal(to.len, 0);
                if (digest_renew(&digest, str_of("nextnonce=m")) < 0)
                        assert_true(str_is(buf_str(&digest.nonce), "n"));
        } else {
                assert_false(digest_has_begun(&digest));
        }
        buf_deinit(&to);
        digest_deinit(&digest);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(live);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rfc_7616),
                cmocka_unit_test(test_user_hash),
                cmocka_unit_test(test_user_outside_ascii),
                cmocka_unit_test(test_rfc_2069),
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_count),
                cmocka_unit_test(test_next_nonce),
                cmocka_unit_test(test_realm),
                cmocka_unit_test(test_challenge),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
