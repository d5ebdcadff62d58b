/* SPDX-License-Identifier: MIT */
/*
 * Try again, with pauses that grow and are drawn by lot, and say what each attempt was
 *
 *      retry URL
 *
 * Tried again are failures to connect or to get a whole response, and the statuses 408, 425, 429,
 * 500, 502, 503 and 504; of methods that are not idempotent (POST, PATCH) only what was never sent,
 * unless retry_unsafe is set. A Retry-After is obeyed.
 */
#include <muster/muster.h>
#include <stdio.h>

static void show_attempts(const struct muster_result *result)
{
        struct muster_attempt attempt;

        for (unsigned i = 0; i < muster_result_n_attempts(result); i++) {
                if (muster_result_attempt(result, i, &attempt, sizeof(attempt)) < 0)
                        continue; /* only the last MUSTER_ATTEMPTS_KEPT are kept */
                printf("attempt %u: %d %s in %.1f ms", i + 1, attempt.status,
                        muster_code_name(attempt.code),
                        (double)(attempt.end_ns - attempt.start_ns) / 1e6);
                if (attempt.backoff_ns)
                        printf(", then a pause of %.1f ms", (double)attempt.backoff_ns / 1e6);
                printf("\n");
        }
}

int main(int argc, char **argv)
{
        struct muster_error error;
        struct muster_client_options options = {
                .max_retries = 4,           /* so at most five attempts */
                .retry_delay_ms = 100,      /* a pause of 0 to 100 ms, then 0 to 200, 0 to 400, */
                .retry_delay_max_ms = 2000, /* and never above this */
                .total_timeout_ms = 20000,  /* over all of it, pauses included */
                .fail_on_status = true,
                .error = &error,
        };
        struct muster_client *client;
        struct muster_result *result;

        if (argc != 2 || muster_client_new(&client, &options) < 0) {
                fprintf(stderr, "%s\n", argc != 2 ? "usage: retry URL" : error.text);
                return 2;
        }
        muster_get(client, argv[1], NULL);
        while ((result = muster_next(client))) {
                show_attempts(result);
                printf("%s\n", muster_result_error(result) ? muster_result_error_text(result)
                                                           : "succeeded");
                muster_result_free(result);
        }
        muster_client_free(client);
        return 0;
}
