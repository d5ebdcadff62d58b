/* SPDX-License-Identifier: MIT */
/*
 * Who gets the secrets of a request when a redirect leads elsewhere
 */
#include "fixture.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct {
        const char *to; /* where "/go" leads */
        char heads[2][2000];
        char warning[500];
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
        "X-Named: k4", "Authorization: Basic YWRhOnB3", "X-Plain: p", "Accept: a/b",
        "User-Agent: me" };

static void travel(bool is_elsewhere, bool is_trusted)
{
        static const char *const names[] = { "x-named", NULL };
        const struct muster_client_options options = { .size = sizeof(options),
                .credentials_to_any_origin = is_trusted,
                .secret_headers = names };
        struct muster_client_stats stats;
        struct muster_request *request;
        struct muster_result *result;
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
        muster_request_add_header(request, "Accept", "a/b");
        muster_request_add_header(request, "User-Agent", "me");
        muster_request_add_header(request, "Accept-Encoding", NULL);
        muster_request_add_header(request, "Range", "bytes=0-2");
        muster_submit(f.client, request, NULL);
        result = muster_next(f.client);
        assert_int_equal(muster_result_error(result), MUSTER_OK);
        snprintf(trip.warning, sizeof(trip.warning), "%s", muster_result_warning(result));
        muster_result_free(result);
        muster_client_stats(f.client, &stats, sizeof(stats));
        assert_int_equal(stats.n_left_behind, is_elsewhere && !is_trusted);
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
                        assert_true(has(trip.heads[1], "Range: bytes=0-2"));
                        assert_false(has(trip.heads[1], "Accept-Encoding"));
                        assert_int_equal(has(trip.heads[1], "User-Agent: muster"),
                                elsewhere && !trusted);
                        assert_string_equal(trip.warning,
                                !elsewhere || trusted
                                        ? ""
                                        : "a redirect led to another origin, which did not get: X-Api-Key, private-token, X-Mine, X-Named, X-Plain, Accept, User-Agent, user name and password; credentials_to_any_origin (--location-trusted) sends them");
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
                cmocka_unit_test(test_secrets_stay),
                cmocka_unit_test(test_login_of_a_url),
                cmocka_unit_test(test_bearer),
        };

        return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
