/* SPDX-License-Identifier: MIT */
/*
 * Fetch these, ten at a time, ten seconds each, and let no failure spoil the rest
 *
 *      cc gather.c $(pkg-config --cflags --libs muster) -o gather && ./gather https://example.com/
 *      ...
 */
#include <muster/muster.h>
#include <stdio.h>

int main(int argc, char **argv)
{
        struct muster_error error;
        struct muster_client_options options = { .concurrency = 10,
                .total_timeout_ms = 10000,
                .queue_size = (size_t)argc,
                .error = &error };
        struct muster_client *client;
        struct muster_result *result;
        int n_failed = 0;

        if (muster_client_new(&client, &options) < 0) {
                fprintf(stderr, "%s\n", error.text);
                return 1;
        }
        for (int i = 1; i < argc; i++)
                if (muster_get(client, argv[i], NULL) < 0)
                        /* only if memory is out: a bad URL becomes a result */
                        n_failed++;
        while ((result = muster_next(client))) {
                if (muster_result_error(result)) {
                        printf("%s: %s\n", muster_result_url(result),
                                muster_result_error_text(result));
                        n_failed++;
                } else {
                        printf("%s: %d, %zu bytes in %.1f ms\n", muster_result_url(result),
                                muster_result_status(result), muster_result_body_size(result),
                                (double)muster_result_total_ns(result) / 1e6);
                }
                muster_result_free(result);
        }
        muster_client_free(client);
        return n_failed ? 1 : 0;
}
