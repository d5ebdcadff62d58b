/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <http/h1_write.h>

static const struct http_request_field own[] = {
        { BYTES("Accept"), BYTES("text/html") },
        { BYTES("User-Agent"), { NULL, 0 } },
        { BYTES("Cookie"), BYTES("a=b") },
        { BYTES("Content-Type"), BYTES("text/plain") },
        { BYTES("X-Empty"), BYTES("") },
        { BYTES("AUTHORIZATION"), BYTES("Bearer x") },
};

static void expect(const struct http_request *request, const char *url_text, const char *expected)
{
        struct http_request with_url = *request;
        struct muster_error error = { 0 };
        struct url url = { 0 };
        struct buf out = { 0 };

        assert_int_equal(url_parse(&url, str_of(url_text), NULL, NULL), 0);
        with_url.url = &url;
        assert_int_equal(h1_write_head(&with_url, &out, &error), 0);
        buf_terminate(&out);
        assert_string_equal(out.at, expected);
        url_deinit(&url);
        buf_deinit(&out);
}

static void test_defaults(void **state)
{
        /*
         * [9110 4.2.4 no-userinfo] [9110 6.2 version] [9110 7.2 host] [9110 12.5.4 no-languages]
         * [9112 2.2 no-space-sent] [9112 3.2 host] [9112 3.2.1 origin-form]
         */
        (void)state;
        expect(&(struct http_request){ .method = BYTES("GET"),
                       .user_agent = BYTES("m/1"),
                       .accept_encoding = BYTES("gzip") },
                "http://u:p@h:8080/a?b#c",
                "GET /a?b HTTP/1.1\r\nHost: h:8080\r\nUser-Agent: m/1\r\nAccept: "
                "*/*\r\nAccept-Encoding: gzip\r\n\r\n");
        expect(&(struct http_request){ .method = BYTES("GET"), .http_1_0 = true, .closes = true },
                "http://[::1]/",
                "GET / HTTP/1.0\r\nHost: [::1]\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

static void test_own_fields_replace_defaults(void **state)
{
        /* [9110 5.3 no-repeated-fields] */
        (void)state;
        expect(&(struct http_request){ .method = BYTES("GET"),
                       .user_agent = BYTES("m/1"),
                       .authorization = BYTES("Basic y"),
                       .fields = own,
                       .n_fields = LENGTH(own) },
                "http://h/",
                "GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nCookie: a=b\r\nContent-Type: "
                "text/plain\r\nX-Empty: \r\n"
                "AUTHORIZATION: Bearer x\r\n\r\n");
}

static void test_fields_of_the_client(void **state)
{
        static const struct http_request_field cookie[] = { { BYTES("cookie"), BYTES("own=1") },
                { BYTES("Expect"), { NULL, 0 } } };
        struct http_request request = { .method = BYTES("PUT"),
                .proxy_authorization = BYTES("Basic p"),
                .authorization = BYTES("Basic a"),
                .cookie = BYTES("jar=1"),
                .expect = BYTES("100-continue"),
                .has_body = true,
                .body_bytes = 1 };

        (void)state;
        expect(&request, "http://h/",
                "PUT / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nProxy-Authorization: Basic p\r\n"
                "Authorization: Basic a\r\nCookie: jar=1\r\nExpect: 100-continue\r\n"
                "Content-Length: 1\r\n\r\n");
        request.fields = cookie;
        request.n_fields = LENGTH(cookie);
        expect(&request, "http://h/",
                "PUT / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nProxy-Authorization: Basic p\r\n"
                "Authorization: Basic a\r\ncookie: own=1\r\nContent-Length: 1\r\n\r\n");
}

static void test_what_is_dropped(void **state)
{
        static const struct http_request_field host[] = { { BYTES("Host"), BYTES("other") } };

        (void)state;
        expect(&(struct http_request){ .method = BYTES("GET"),
                       .fields = own,
                       .n_fields = LENGTH(own),
                       .drops_host = true,
                       .drops_body_fields = true },
                "http://h/",
                "GET / HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\nCookie: a=b\r\nX-Empty: \r\n"
                "AUTHORIZATION: Bearer x\r\n\r\n");
        expect(&(struct http_request){ .method = BYTES("GET"), .fields = host, .n_fields = 1 },
                "http://h/", "GET / HTTP/1.1\r\nAccept: */*\r\nHost: other\r\n\r\n");
        expect(&(struct http_request){ .method = BYTES("GET"),
                       .fields = host,
                       .n_fields = 1,
                       .drops_host = true },
                "http://h/", "GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n");
}

static void test_lengths(void **state)
{
        /* [9112 6.3 length-of-request] [9112 6.2 one-length] [9112 6.1 chunked] */
        (void)state;
        expect(&(struct http_request){ .method = BYTES("POST"),
                       .has_body = true,
                       .body_bytes = 12345678901 },
                "http://h/",
                "POST / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nContent-Length: 12345678901\r\n\r\n");
        expect(&(struct http_request){ .method = BYTES("PUT"),
                       .has_body = true,
                       .is_chunked = true },
                "http://h/",
                "PUT / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n\r\n");
        expect(&(struct http_request){ .method = BYTES("PUT") }, "http://h/",
                "PUT / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n");
        expect(&(struct http_request){ .method = BYTES("DELETE") }, "http://h/",
                "DELETE / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n");
}

static void test_injection_is_refused(void **state)
{
        /*
         * [9110 2.2 own-role] [9110 5.5 control-characters] [9112 2.2 no-bare-cr-sent]
         * [9112 5.2 no-folding]
         */
        const struct http_request_field bad_fields[] = {
                { BYTES("A\r\nB"), BYTES("x") },
                { BYTES("A"), BYTES("x\r\nB: y") },
                { BYTES("A"), BYTES("x\ny") },
                { BYTES("A"), BYTES("x\0y") },
                { BYTES("A b"), BYTES("x") },
                { BYTES(""), BYTES("x") },
        };
        const struct muster_str bad_methods[] = { BYTES("GET / HTTP/1.1\r\nX: y"), BYTES(""),
                BYTES("G T") };
        struct muster_error error = { 0 };
        struct url url = { 0 };
        struct buf out = { 0 };

        (void)state;
        url_parse(&url, str_of("http://h/"), NULL, NULL);
        for (size_t i = 0; i < LENGTH(bad_fields); i++) {
                struct http_request request = {
                        .method = BYTES("GET"), .url = &url, .fields = &bad_fields[i], .n_fields = 1
                };

                assert_int_equal(h1_write_head(&request, &out, &error), MUSTER_E_INVALID);
                assert_int_equal(out.len, 0);
        }
        for (size_t i = 0; i < LENGTH(bad_methods); i++) {
                struct http_request request = { .method = bad_methods[i], .url = &url };

                assert_int_equal(h1_write_head(&request, &out, &error), MUSTER_E_INVALID);
        }
        url_deinit(&url);
        buf_deinit(&out);
}

static void test_idempotent(void **state)
{
        static const char *const yes[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE" };
        static const char *const no[] = { "POST", "PATCH", "get", "", "GETX" };

        (void)state;
        for (size_t i = 0; i < LENGTH(yes); i++)
                assert_true(request_method_is_idempotent(str_of(yes[i])));
        for (size_t i = 0; i < LENGTH(no); i++)
                assert_false(request_method_is_idempotent(str_of(no[i])));
}

static void write_with_little_memory(void)
{
        struct http_request request = {
                .method = BYTES("POST"), .fields = own, .n_fields = LENGTH(own), .has_body = true
        };
        struct url url = { 0 };
        struct buf out = { 0 };

        if (url_parse(&url,
                    str_of("http://h/"
                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                    NULL, NULL) == 0) {
                int r;

                request.url = &url;
                r = h1_write_head(&request, &out, NULL);
                assert_true(r == 0 || (r == MUSTER_E_RESOURCE && out.len == 0));
        }
        url_deinit(&url);
        buf_deinit(&out);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(write_with_little_memory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_own_fields_replace_defaults),
                cmocka_unit_test(test_fields_of_the_client),
                cmocka_unit_test(test_what_is_dropped),
                cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_injection_is_refused),
                cmocka_unit_test(test_idempotent),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("h1_write", tests, NULL, NULL);
}
