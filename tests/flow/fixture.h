/* SPDX-License-Identifier: MIT */
/*
 * What every flow test needs: a client on a manual clock with a scripted server in its loop, and a
 * check that holds for all results
 */
#ifndef TESTS_FLOW_FIXTURE_H
#define TESTS_FLOW_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "script_server.h"
#include <core/client.h>
#include <muster/muster.h>
#include <stdio.h>

#define START_NS (1000 * NS_PER_S)

struct fixture {
        struct muster_client *client;
        struct script_server server;
};

static inline void fixture_start(struct fixture *f, const struct muster_client_options *options,
        script_function answer)
{
        assert_int_equal(client_new_manual(&f->client, options, START_NS), 0);
        script_server_start(&f->server, &f->client->engine.loop, answer);
}

static inline void fixture_stop(struct fixture *f)
{
        script_server_stop(&f->server);
        muster_client_free(f->client);
}

static inline uint64_t fixture_now_ns(const struct fixture *f)
{
        return f->client->engine.clock.manual_ns;
}

/* The phases of each attempt add up to its life, the attempts and back-offs to the request's. */
static inline void check_sums(const struct muster_result *result)
{
        uint64_t sum = 0, lives = 0;

        for (int i = 0; i < MUSTER_N_PHASES; i++)
                sum += muster_result_phase_ns(result, (enum muster_phase)i);
        assert_int_equal(sum, muster_result_total_ns(result));
        for (unsigned i = 0; i < muster_result_n_attempts(result); i++) {
                struct muster_attempt attempt;
                uint64_t phases = 0;

                assert_int_equal(muster_result_attempt(result, i, &attempt, sizeof(attempt)), 0);
                for (int p = 0; p < MUSTER_N_PHASES; p++)
                        phases += attempt.phase_ns[p];
                assert_int_equal(phases, attempt.end_ns - attempt.start_ns);
                lives += phases + attempt.backoff_ns;
        }
        if (muster_result_n_attempts(result))
                assert_true(lives + muster_result_phase_ns(result, MUSTER_PHASE_DELIVER) <=
                            muster_result_total_ns(result));
}

/* The next result, checked; the caller frees it. */
static inline struct muster_result *next_result(struct fixture *f)
{
        struct muster_result *result = muster_next(f->client);

        assert_non_null(result);
        check_sums(result);
        return result;
}

static inline enum muster_code code_of(const struct muster_result *result)
{
        const struct muster_error *error = muster_result_error(result);

        return error ? error->code : MUSTER_OK;
}

static inline uint64_t phase_ms(const struct muster_result *result, enum muster_phase phase)
{
        return muster_result_phase_ns(result, phase) / NS_PER_MS;
}

/* The next result has this code and status; free it. */
static inline void expect_result(struct fixture *f, enum muster_code code, int status)
{
        struct muster_result *result = next_result(f);

        if (code_of(result) != code)
                print_error("%s: %s\n", muster_result_url(result),
                        muster_result_error_text(result));
        assert_int_equal(code_of(result), code);
        assert_int_equal(muster_result_status(result), status);
        muster_result_free(result);
}

/* Are these words in the request's head? */
static inline bool has(const char *head, const char *words)
{
        return strstr(head, words) != NULL;
}

/* Does the path of the request that `head` begins start so? */
static inline bool path_is(const char *head, const char *path)
{
        const char *at = strchr(head, ' ');

        return at && strncmp(at + 1, path, strlen(path)) == 0;
}

#endif
