/* SPDX-License-Identifier: MIT */
/*
 * Logging in: what is asked and answered, how often, and to whom
 *
 * The server's side of Digest is a script here: it looks at the nonce and its count. That the
 * response itself is right is for the unit test and for real servers to say.
 */
#include "fixture.h"

#include <base/str.h>
#include <stdlib.h>

#define OK           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define UNAUTHORIZED "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n"

/* --- a scripted server ----------------------------------------------------------------------- */

enum script {
        SCRIPT_DIGEST,  /* wants Digest, and believes every answer to its nonce */
        SCRIPT_STALE,   /* the same, but a nonce is good for two requests */
        SCRIPT_SILENT,  /* the same, but it does not say "stale" */
        SCRIPT_REFUSES, /* wants Digest, and believes nothing */
        SCRIPT_ALWAYS_STALE,
        SCRIPT_NEXT,   /* names another nonce with each answer */
        SCRIPT_REALMS, /* another realm for each path */
        SCRIPT_BASIC,  /* wants Basic */
        SCRIPT_OPEN,   /* wants nothing */
        SCRIPT_BUSY,   /* wants nothing, and is busy at first */
};

static struct {
        enum script script;
        unsigned n_challenges, n_uses; /* of the last nonce */
        uint64_t uses;                 /* a bit for each count that it was used with */
        unsigned n_401, n_empty;       /* requests that said Content-Length: 0 */
        char last_body_length[24];
} world;

static bool has(const char *head, const char *words)
{
        return strstr(head, words) != NULL;
}

static struct script_answer challenge(const char *realm, const char *more)
{
        static char texts[8][300];
        static unsigned next;
        char *text = texts[next++ % 8];

        world.n_401++;
        world.n_uses = 0;
        world.uses = 0;
        snprintf(text, sizeof(texts[0]),
                UNAUTHORIZED
                "WWW-Authenticate: Basic realm=\"b\"\r\nWWW-Authenticate: Digest realm=\"%s\", qop=\"auth\", algorithm=SHA-256, nonce=\"n%u\"%s\r\n\r\nno",
                realm, ++world.n_challenges, more);
        return (struct script_answer){ .bytes = text };
}

/* Is the last nonce used, with a count that is new and not far ahead? They may come out of order. */
static bool is_good(const char *head)
{
        const char *at = strstr(head, "nc=");
        unsigned long count = at ? strtoul(at + 3, NULL, 16) : 0;
        char nonce[40];

        snprintf(nonce, sizeof(nonce), "nonce=\"n%u\"", world.n_challenges);
        if (!has(head, nonce) || !count || count > world.n_uses + 8 || world.uses >> count & 1)
                return false;
        world.uses |= UINT64_C(1) << count;
        world.n_uses++;
        return true;
}

static struct script_answer answer_digest(const char *head)
{
        static char next[200];
        const char *realm = path_is(head, "/b") ? "other" : "r";
        char asked[40];

        snprintf(asked, sizeof(asked), "realm=\"%s\"", realm);
        switch (world.script) {
        case SCRIPT_ALWAYS_STALE:
                return challenge("r", ", stale=true");
        case SCRIPT_REFUSES:
                return challenge("r", "");
        case SCRIPT_REALMS:
                if (!has(head, asked))
                        return challenge(realm, "");
                break;
        case SCRIPT_STALE:
        case SCRIPT_SILENT:
                if (has(head, "Digest ") && world.n_uses == 2)
                        return challenge("r", world.script == SCRIPT_STALE ? ", stale=true" : "");
                break;
        case SCRIPT_NEXT:
                if (!is_good(head))
                        return challenge("r", "");
                world.n_uses = 0;
                world.uses = 0;
                snprintf(next, sizeof(next),
                        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAuthentication-Info: nextnonce=\"n%u\"\r\n\r\nok",
                        ++world.n_challenges);
                return (struct script_answer){ .bytes = next };
        case SCRIPT_DIGEST:
        case SCRIPT_BASIC:
        case SCRIPT_OPEN:
        case SCRIPT_BUSY:
                break;
        }
        return is_good(head) ? (struct script_answer){ .bytes = OK } : challenge(realm, "");
}

static struct script_answer answer(struct script_server *server, const char *head, unsigned n)
{
        const char *length = strstr(head, "Content-Length: ");

        (void)server;
        world.n_empty += length && strncmp(length, "Content-Length: 0\r\n", 19) == 0;
        if (length)
                snprintf(world.last_body_length, sizeof(world.last_body_length), "%.*s",
                        (int)strcspn(length + 16, "\r"), length + 16);
        if (world.script == SCRIPT_OPEN)
                return (struct script_answer){ .bytes = OK };
        if (world.script == SCRIPT_BUSY)
                return (struct script_answer){
                        .bytes = n == 1 ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" : OK
                };
        if (world.script == SCRIPT_BASIC) {
                if (has(head, "Authorization: Basic YWRhOnB3"))
                        return (struct script_answer){ .bytes = OK };
                world.n_401++;
                return (struct script_answer){ .bytes = UNAUTHORIZED
                                               "WWW-Authenticate: Basic realm=\"b\"\r\n\r\nno" };
        }
        return answer_digest(head);
}

static void start(struct fixture *f, enum script script, unsigned auth)
{
        const struct muster_client_options options = {
                .size = sizeof(options), .auth = auth, .concurrency = 8, .max_retries = 1
        };

        memset(&world, 0, sizeof(world));
        world.script = script;
        fixture_start(f, &options, answer);
}

static void submit(struct fixture *f, const char *path, const char *method, const char *body)
{
        struct muster_request *request = muster_request_new(method, script_url(&f->server, path));

        assert_int_equal(muster_request_set_credentials(request, "ada", "pw", 0), 0);
        if (body)
                assert_int_equal(muster_request_set_body(request, body, strlen(body)), 0);
        assert_int_equal(muster_submit(f->client, request, NULL), 0);
}

static void expect(struct fixture *f, int status, unsigned n_attempts)
{
        struct muster_result *result = next_result(f);

        if (code_of(result) != MUSTER_OK)
                fail_msg("%s", muster_result_error_text(result));
        assert_int_equal(muster_result_status(result), status);
        assert_int_equal(muster_result_n_attempts(result), n_attempts);
        muster_result_free(result);
}

static void get(struct fixture *f, const char *path, int status, unsigned n_attempts)
{
        submit(f, path, "GET", NULL);
        expect(f, status, n_attempts);
}

/* --- how often it is asked ------------------------------------------------------------------- */

static void test_one_challenge_for_all(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_DIGEST, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        for (int i = 0; i < 5; i++)
                get(&f, "/", 200, 1);
        assert_int_equal(world.n_401, 1);
        assert_int_equal(f.server.n_conns, 1);
        fixture_stop(&f);
}

/* Many at once: the first one asks, and the others wait for what it is told. */
static void test_the_first_goes_ahead(void **state)
{
        struct fixture f;
        unsigned n_twice = 0;

        (void)state;
        start(&f, SCRIPT_DIGEST, MUSTER_AUTH_ANY);
        for (int i = 0; i < 20; i++)
                submit(&f, "/", "GET", NULL);
        for (int i = 0; i < 20; i++) {
                struct muster_result *result = next_result(&f);

                assert_int_equal(muster_result_status(result), 200);
                n_twice += muster_result_n_attempts(result) == 2;
                muster_result_free(result);
        }
        assert_int_equal(world.n_401, 1);
        assert_int_equal(n_twice, 1);
        assert_true(f.server.n_open_max > 1);
        fixture_stop(&f);
}

/* If it is never answered, the others wait for its end, and then go on by themselves. */
static void test_the_first_fails(void **state)
{
        const struct muster_client_options options = { .size = sizeof(options),
                .auth = MUSTER_AUTH_DIGEST,
                .concurrency = 8,
                .total_timeout_ms = 1000 };
        struct fixture f;

        (void)state;
        fixture_start(&f, &options, script_hangs);
        for (int i = 0; i < 8; i++)
                submit(&f, "/", "GET", NULL);
        for (int i = 0; i < 8; i++)
                expect_result(&f, MUSTER_E_TIMEOUT, 0);
        assert_int_equal(fixture_now_ns(&f) - START_NS, 2000 * NS_PER_MS);
        assert_int_equal(f.server.n_busy_max, 7);
        fixture_stop(&f);
}

/* --- what ends a nonce ----------------------------------------------------------------------- */

static void test_stale(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_STALE, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        assert_int_equal(world.n_401, 2);
        fixture_stop(&f);
}

/* A server that forgot the nonce and does not call it stale: what was right before may be again. */
static void test_forgotten(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_SILENT, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        get(&f, "/", 200, 2);
        assert_int_equal(world.n_401, 2);
        fixture_stop(&f);
}

static void test_next_nonce(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_NEXT, MUSTER_AUTH_DIGEST);
        get(&f, "/", 200, 2);
        for (int i = 0; i < 3; i++)
                get(&f, "/", 200, 1);
        assert_int_equal(world.n_401, 1);
        fixture_stop(&f);
}

static void test_realms(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_REALMS, MUSTER_AUTH_DIGEST);
        get(&f, "/a", 200, 2);
        get(&f, "/b", 200, 2);
        get(&f, "/b", 200, 1);
        get(&f, "/a", 200, 2);
        fixture_stop(&f);
}

/* --- a wrong password ------------------------------------------------------------------------ */

static void test_wrong_password(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_REFUSES, MUSTER_AUTH_DIGEST);
        get(&f, "/", 401, 2);
        get(&f, "/", 401, 1); /* no second try with a password that was refused */
        fixture_stop(&f);
}

static void test_always_stale(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_ALWAYS_STALE, MUSTER_AUTH_DIGEST);
        get(&f, "/", 401, 4);
        fixture_stop(&f);
}

static void test_basic(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_BASIC, 0);
        get(&f, "/", 200, 1);
        fixture_stop(&f);
        start(&f, SCRIPT_BASIC, MUSTER_AUTH_ANY);
        get(&f, "/", 200, 2);
        get(&f, "/", 200, 1);
        fixture_stop(&f);
}

/* A scheme that may not be used: the result says what could be done. */
static void test_not_allowed(void **state)
{
        static const struct {
                enum script script;
                unsigned auth;
                const char *words;
        } cases[] = {
                { SCRIPT_BASIC, MUSTER_AUTH_DIGEST, "the server asks for Basic" },
                { SCRIPT_REFUSES, 0, NULL }, /* it offers Basic, too: the password is wrong */
        };
        struct fixture f;

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct muster_result *result;
                const char *warning;

                start(&f, cases[i].script, cases[i].auth);
                submit(&f, "/", "GET", NULL);
                result = next_result(&f);
                assert_int_equal(muster_result_status(result), 401);
                assert_int_equal(muster_result_n_attempts(result), 1);
                assert_string_equal(muster_result_body(result), "no");
                warning = muster_result_warning(result);
                assert_true(cases[i].words ? strstr(warning, cases[i].words) != NULL : !*warning);
                muster_result_free(result);
                fixture_stop(&f);
        }
}

/* --- bodies ---------------------------------------------------------------------------------- */

static void test_body_is_withheld(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_DIGEST, MUSTER_AUTH_DIGEST);
        submit(&f, "/", "POST", "12345");
        expect(&f, 200, 2);
        assert_int_equal(world.n_empty, 1);
        assert_string_equal(world.last_body_length, "5");
        submit(&f, "/", "POST", "1234567");
        expect(&f, 200, 1);
        assert_string_equal(world.last_body_length, "7");
        fixture_stop(&f);
}

/* Nothing was wanted of the one that asked: the body follows, once for each origin. */
static void test_body_follows(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_OPEN, MUSTER_AUTH_DIGEST);
        submit(&f, "/", "POST", "12345");
        expect(&f, 200, 2);
        assert_string_equal(world.last_body_length, "5");
        submit(&f, "/", "PUT", "123");
        expect(&f, 200, 1);
        assert_string_equal(world.last_body_length, "3");
        get(&f, "/", 200, 1);
        assert_int_equal(world.n_empty, 1);
        fixture_stop(&f);
}

/* A retry of the one that asked asks again. */
static void test_retry_of_asking(void **state)
{
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_BUSY, MUSTER_AUTH_DIGEST);
        submit(&f, "/", "PUT", "12345");
        expect(&f, 200, 3);
        assert_int_equal(world.n_empty, 2);
        assert_string_equal(world.last_body_length, "5");
        fixture_stop(&f);
}

struct source {
        unsigned n_pulled;
};

static int pull(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        struct source *source = argument;

        (void)size;
        *ret_n = source->n_pulled++ ? 0 : 5;
        memcpy(buffer, "12345", *ret_n);
        return 0;
}

static void submit_pulled(struct fixture *f, struct source *source)
{
        struct muster_request *request = muster_request_new("PUT", script_url(&f->server, "/"));

        source->n_pulled = 0;
        muster_request_set_credentials(request, "ada", "pw", 0);
        muster_request_set_body_pull(request, 5, pull, NULL, source);
        muster_submit(f->client, request, NULL);
}

/* What can be read only once is read when it was asked; a stale nonce is the end of it then. */
static void test_body_that_cannot_repeat(void **state)
{
        struct muster_result *result;
        struct source source;
        struct fixture f;

        (void)state;
        start(&f, SCRIPT_STALE, MUSTER_AUTH_DIGEST);
        submit_pulled(&f, &source);
        expect(&f, 200, 2);
        assert_int_equal(world.n_empty, 1);
        get(&f, "/", 200, 1);
        submit_pulled(&f, &source);
        result = next_result(&f);
        assert_int_equal(muster_result_status(result), 401);
        assert_non_null(strstr(muster_result_warning(result), "cannot be read a second time"));
        muster_result_free(result);
        fixture_stop(&f);
}

/* --- many users ------------------------------------------------------------------------------ */

/* More users than an origin remembers, all at once: each is asked once and answered. */
static void test_many_users(void **state)
{
        struct fixture f;
        char user[20];

        (void)state;
        start(&f, SCRIPT_REALMS, MUSTER_AUTH_DIGEST);
        for (int i = 0; i < 200; i++) {
                struct muster_request *request =
                        muster_request_new("GET", script_url(&f.server, "/a"));

                snprintf(user, sizeof(user), "user%d", i);
                muster_request_set_credentials(request, user, "pw", MUSTER_AUTH_DIGEST);
                muster_submit(f.client, request, NULL);
        }
        for (int i = 0; i < 200; i++) {
                struct muster_result *result = next_result(&f);

                assert_true(muster_result_n_attempts(result) <= 4);
                muster_result_free(result);
        }
        fixture_stop(&f);
}

/* --- who gets the secrets -------------------------------------------------------------------- */

static struct {
        const char *to; /* where "/go" leads */
        char heads[2][2000];
} trip;

static struct script_answer lead(struct script_server *server, const char *head, unsigned n)
{
        static char text[300];

        (void)server;
        (void)n;
        if (!path_is(head, "/go")) {
                snprintf(trip.heads[1], sizeof(trip.heads[1]), "%s", head);
                return (struct script_answer){ .bytes = OK };
        }
        snprintf(trip.heads[0], sizeof(trip.heads[0]), "%s", head);
        snprintf(text, sizeof(text),
                "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", trip.to);
        return (struct script_answer){ .bytes = text };
}

static const char *const secrets[] = { "X-Api-Key: k1", "private-token: k2", "X-Mine: k3",
        "X-Named: k4", "Authorization: Basic YWRhOnB3" };

static void travel(bool is_elsewhere, bool is_trusted)
{
        static const char *const names[] = { "x-named", NULL };
        const struct muster_client_options options = { .size = sizeof(options),
                .credentials_to_any_origin = is_trusted,
                .secret_headers = names };
        struct muster_request *request;
        struct fixture f;
        char to[100];

        fixture_start(&f, &options, lead);
        snprintf(to, sizeof(to), "http://%s:%u/end", is_elsewhere ? "localhost" : "127.0.0.1",
                f.server.port);
        trip.to = to;
        request = muster_request_new("GET", script_url(&f.server, "/go"));
        muster_request_set_credentials(request, "ada", "pw", 0);
        muster_request_add_header(request, "X-Api-Key", "k1");
        muster_request_add_header(request, "private-token", "k2");
        muster_request_add_secret_header(request, "X-Mine", "k3");
        muster_request_add_header(request, "X-Named", "k4");
        muster_request_add_header(request, "X-Plain", "p");
        muster_submit(f.client, request, NULL);
        expect_result(&f, MUSTER_OK, 200);
        fixture_stop(&f);
}

static void test_secrets_stay(void **state)
{
        (void)state;
        for (int elsewhere = 0; elsewhere < 2; elsewhere++)
                for (int trusted = 0; trusted < 2; trusted++) {
                        travel(elsewhere, trusted);
                        for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
                                assert_true(has(trip.heads[0], secrets[i]));
                                assert_int_equal(has(trip.heads[1], secrets[i]),
                                        !elsewhere || trusted);
                        }
                        assert_true(has(trip.heads[1], "X-Plain: p"));
                }
}

/* User name and password of a URL stay with its origin, although the Location does not name them. */
static void test_login_of_a_url(void **state)
{
        struct fixture f;
        char url[100];

        (void)state;
        for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
                char to[100];

                fixture_start(&f, NULL, lead);
                snprintf(url, sizeof(url), "http://ada:p%%77@127.0.0.1:%u/go", f.server.port);
                snprintf(to, sizeof(to), "http://%s:%u/end", elsewhere ? "localhost" : "127.0.0.1",
                        f.server.port);
                trip.to = to;
                muster_get(f.client, url, NULL);
                expect_result(&f, MUSTER_OK, 200);
                assert_true(has(trip.heads[0], secrets[4]));
                assert_int_equal(has(trip.heads[1], secrets[4]), !elsewhere);
                fixture_stop(&f);
        }
}

static void test_bearer(void **state)
{
        struct muster_request *request;
        struct fixture f;

        (void)state;
        fixture_start(&f, NULL, lead);
        request = muster_request_new("GET", script_url(&f.server, "/"));
        assert_int_equal(muster_request_set_bearer(request, ""), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_bearer(request, "a b"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_bearer(request, "a\r\nb"), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_credentials(request, "a:b", "", 0), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_credentials(request, "a", "", 8), MUSTER_E_INVALID);
        assert_int_equal(muster_request_set_bearer(request, "a.b-c=="), 0);
        muster_submit(f.client, request, NULL);
        expect_result(&f, MUSTER_OK, 200);
        assert_true(has(trip.heads[1], "Authorization: Bearer a.b-c==\r\n"));
        fixture_stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_challenge_for_all),
                cmocka_unit_test(test_the_first_goes_ahead),
                cmocka_unit_test(test_the_first_fails),
                cmocka_unit_test(test_stale),
                cmocka_unit_test(test_forgotten),
                cmocka_unit_test(test_next_nonce),
                cmocka_unit_test(test_realms),
                cmocka_unit_test(test_wrong_password),
                cmocka_unit_test(test_always_stale),
                cmocka_unit_test(test_basic),
                cmocka_unit_test(test_not_allowed),
                cmocka_unit_test(test_body_is_withheld),
                cmocka_unit_test(test_body_follows),
                cmocka_unit_test(test_retry_of_asking),
                cmocka_unit_test(test_body_that_cannot_repeat),
                cmocka_unit_test(test_many_users),
                cmocka_unit_test(test_secrets_stay),
                cmocka_unit_test(test_login_of_a_url),
                cmocka_unit_test(test_bearer),
        };

        return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
