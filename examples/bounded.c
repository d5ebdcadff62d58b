/* SPDX-License-Identifier: MIT */
/*
 * A list of any length from standard input: 32 at once, five seconds each, and never more than 64
 * in memory
 *
 *      bounded < urls.txt
 *
 * Nothing is done while getline() waits for a line; where lines come slowly, wait for both
 * (poll_loop.c).
 */
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void show(struct muster_result *result)
{
        double ms = (double)muster_result_total_ns(result) / 1e6;

        printf("%3d %8.1f ms  %s %s\n", muster_result_status(result), ms, muster_result_url(result),
                muster_result_error_text(result));
        muster_result_free(result);
}

int main(void)
{
        struct muster_error error;
        struct muster_client_options options = {
                .concurrency = 32, .total_timeout_ms = 5000, .queue_size = 64, .error = &error
        };
        struct muster_client *client;
        struct muster_result *result;
        char *line = NULL;
        size_t size = 0;
        int r;

        if (muster_client_new(&client, &options) < 0) {
                fprintf(stderr, "%s\n", error.text);
                return 1;
        }
        while (getline(&line, &size, stdin) >= 0) {
                line[strcspn(line, "\r\n")] = '\0';
                /* A full queue is no error: take one result, which makes room for one request. */
                while ((r = muster_get(client, line, NULL)) == MUSTER_FULL &&
                        (result = muster_next(client)))
                        show(result);
                if (r != 0)
                        fprintf(stderr, "%s: not submitted: %s\n", line, muster_code_name(r));
        }
        while ((result = muster_next(client)))
                show(result);
        free(line);
        muster_client_free(client);
        return 0;
}
