/* SPDX-License-Identifier: MIT */
/*
 * Fetch and process: 20 ms of work on each response, once in the event loop's thread and once on worker threads
 *
 *      process URL COUNT
 *
 * Prints how long the loop was away at most. In its own thread all the work of those that arrive together is done before anything
 * else is read; with workers it hardly notices.
 */
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Stands for parsing, hashing, a picture to scale. */
static int work(struct muster_result *result, void *argument)
{
        struct timespec now;
        long end_ms;

        (void)argument;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        end_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 + 20;
        while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < end_ms)
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return muster_result_body_size(result) > 0
                       ? 0
                       : muster_result_fail(result, "the body is empty");
}

static void run(const char *url, int n, bool is_inline)
{
        struct muster_request_options options = { .process_inline = is_inline };
        struct muster_client_stats stats;
        struct muster_client *client;
        struct muster_result *result;
        int n_good = 0;

        if (muster_client_new(&client, &(struct muster_client_options){ .concurrency = 100 }) < 0)
                exit(1);
        for (int i = 0; i < n; i++) {
                struct muster_request *request = muster_request_new("GET", url);

                muster_request_set_process(request, work, NULL);
                muster_request_set_options(request, &options);
                muster_submit(client, request, NULL);
        }
        while ((result = muster_next(client))) {
                n_good += !muster_result_error(result);
                muster_result_free(result);
        }
        muster_client_stats(client, &stats, sizeof(stats));
        printf("%-12s %d good, longest stall of the loop %.1f ms\n",
               is_inline ? "inline" : "on workers", n_good, (double)stats.longest_turn_ns / 1e6);
        muster_client_free(client);
}

int main(int argc, char **argv)
{
        if (argc != 3) {
                fprintf(stderr, "usage: process URL COUNT\n");
                return 2;
        }
        run(argv[1], atoi(argv[2]), true);
        run(argv[1], atoi(argv[2]), false);
        return 0;
}
