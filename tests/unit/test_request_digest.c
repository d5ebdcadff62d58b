/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <muster/muster.h>

static uint64_t digest_of(struct muster_request *request, const struct muster_client *client)
{
        uint64_t digest = 0;

        assert_non_null(request);
        assert_int_equal(muster_request_digest(request, client, &digest), 0);
        return digest;
}

/* A request of its own, set up by `set`. */
static uint64_t digest_with(void (*set)(struct muster_request *request),
        const struct muster_client *client)
{
        struct muster_request *request = muster_request_new("POST", "http://h/");
        uint64_t digest;

        set(request);
        digest = digest_of(request, client);
        muster_request_free(request);
        return digest;
}

static void set_nothing(struct muster_request *request)
{
        muster_request_set_options(request, &(struct muster_request_options){ .max_retries = 2 });
}

static void set_field(struct muster_request *request)
{
        muster_request_add_header(request, "Accept-Language", "de");
}

static void set_other_field(struct muster_request *request)
{
        muster_request_add_header(request, "Accept-Language", "fr");
}

/* The same bytes, cut elsewhere. */
static void set_longer_name(struct muster_request *request)
{
        muster_request_add_header(request, "Accept-Languaged", "e");
}

static void set_empty_field(struct muster_request *request)
{
        muster_request_add_header(request, "Accept", "");
}

static void set_removed_field(struct muster_request *request)
{
        muster_request_add_header(request, "Accept", NULL);
}

static void set_body(struct muster_request *request)
{
        muster_request_set_body(request, "a=1", 3);
}

static void set_empty_body(struct muster_request *request)
{
        muster_request_set_body(request, "", 0);
}

static void set_pair(struct muster_request *request)
{
        muster_request_add_urlencoded(request, "a", "1", 1);
}

static void set_json(struct muster_request *request)
{
        muster_request_set_json(request, "a=1", 3);
}

static void set_file(struct muster_request *request)
{
        muster_request_set_body_file(request, "a=1");
}

static int pull(void *argument, void *buffer, size_t size, size_t *ret_n)
{
        (void)argument;
        (void)buffer;
        (void)size;
        *ret_n = 0;
        return 0;
}

static void set_pull(struct muster_request *request)
{
        muster_request_set_body_pull(request, 3, pull, NULL, NULL);
}

static void set_longer_pull(struct muster_request *request)
{
        muster_request_set_body_pull(request, 4, pull, NULL, NULL);
}

static void add_form(struct muster_request *request, const char *data, const char *file)
{
        struct muster_form *form = muster_form_new(NULL);

        muster_form_add(form, &(struct muster_form_part){ .size = sizeof(struct muster_form_part),
                                      .name = "title",
                                      .data = data,
                                      .data_bytes = strlen(data) });
        if (file)
                muster_form_add(form,
                        &(struct muster_form_part){ .size = sizeof(struct muster_form_part),
                                .name = "photo",
                                .file = file });
        assert_int_equal(muster_request_set_form(request, form), 0);
        muster_form_free(form);
}

static void set_form(struct muster_request *request)
{
        add_form(request, "A cat", NULL);
}

static void set_form_of_dashes(struct muster_request *request)
{
        add_form(request, "----------------------------------------", NULL);
}

static void set_form_with_file(struct muster_request *request)
{
        add_form(request, "A cat", "cat.jpg");
}

static void set_form_with_other_file(struct muster_request *request)
{
        add_form(request, "A cat", "dog.jpg");
}

static void set_nested_form(struct muster_request *request)
{
        struct muster_form *form = muster_form_new(NULL);
        struct muster_form_part group = { .size = sizeof(group), .name = "all" };
        struct muster_form_part inner = {
                .size = sizeof(inner), .name = "one", .data = "x", .data_bytes = 1
        };

        assert_int_equal(muster_form_begin(form, &group), 0);
        assert_int_equal(muster_form_add(form, &inner), 0);
        assert_int_equal(muster_form_end(form), 0);
        assert_int_equal(muster_request_set_form(request, form), 0);
        muster_form_free(form);
}

static void (*const differing[])(struct muster_request *request) = { set_nothing, set_field,
        set_other_field, set_longer_name, set_empty_field, set_removed_field, set_body,
        set_empty_body, set_pair, set_json, set_file, set_pull, set_longer_pull, set_form,
        set_form_of_dashes, set_form_with_file, set_form_with_other_file, set_nested_form };

#define N_DIFFERING (sizeof(differing) / sizeof(differing[0]))

/* What differs has digests that differ; what is asked the same way twice has one. */
static void test_tells_apart(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_DIFFERING; i++) {
                uint64_t digest = digest_with(differing[i], NULL);

                assert_int_equal(digest == 0, differing[i] == set_nothing);
                for (int again = 0; again < 20; again++)
                        if (digest_with(differing[i], NULL) != digest)
                                fail_msg("%zu has another digest each time", i);
                for (size_t k = 0; k < i; k++)
                        if (digest_with(differing[k], NULL) == digest)
                                fail_msg("%zu and %zu have one digest", k, i);
        }
}

/* It is written into files that later versions read. */
static void test_stays_as_it_was(void **state)
{
        (void)state;
        assert_true(digest_with(set_field, NULL) == UINT64_C(0xcaeef02455cdc3ee));
        assert_true(digest_with(set_body, NULL) == UINT64_C(0x4da14b4137fbdd38));
}

static void set_secrets(struct muster_request *request)
{
        muster_request_add_header(request, "X-Api-Key", "1234");
        muster_request_add_header(request, "cookie", "a=b");
        muster_request_add_secret_header(request, "X-Mine", "1234");
        muster_request_set_bearer(request, "abc");
        muster_request_set_basic_auth(request, "ada", "secret");
}

static void set_named_secret(struct muster_request *request)
{
        muster_request_add_header(request, "X-Token-Of-Ours", "1234");
}

static void test_leaves_out_secrets(void **state)
{
        static const char *const names[] = { "x-token-of-ours", NULL };
        struct muster_client_options options = { .size = sizeof(options), .secret_headers = names };
        struct muster_client *client;

        (void)state;
        assert_int_equal(muster_client_new(&client, &options), 0);
        assert_int_equal(digest_with(set_secrets, NULL), 0);
        assert_int_not_equal(digest_with(set_named_secret, NULL), 0);
        assert_int_equal(digest_with(set_named_secret, client), 0);
        muster_client_free(client);
}

static void test_is_of_new_requests(void **state)
{
        uint64_t digest = 7;

        (void)state;
        assert_int_equal(muster_request_digest(NULL, NULL, &digest), MUSTER_E_INVALID);
        assert_int_equal(digest, 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_tells_apart),
                cmocka_unit_test(test_stays_as_it_was),
                cmocka_unit_test(test_leaves_out_secrets),
                cmocka_unit_test(test_is_of_new_requests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
