/* SPDX-License-Identifier: MIT */
/*
 * Fetch and process: 20 ms of work on each response, in the loop's thread and on worker threads
 *
 *      process URL COUNT       prints for how long the loop was kept from reading at most
 */
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A stand-in for parsing or hashing; it may use the result, but not the client. */
static int work(struct muster_result *result, void *argument)
{
        struct timespec then, now;

        (void)argument;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &then);
        do
                clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        while ((now.tv_sec - then.tv_sec) * 1000000000 + now.tv_nsec - then.tv_nsec < 20000000);
        return muster_result_body_size(result) ? 0 : muster_result_fail(result, "an empty body");
}

static void run(const char *name, const char *url, int n, bool is_inline)
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
        printf("%s: %d of %d good, the loop's longest stall %.1f ms\n", name, n_good, n,
                (double)stats.longest_turn_ns / 1e6);
        muster_client_free(client);
}

int main(int argc, char **argv)
{
        if (argc != 3)
                return fprintf(stderr, "usage: process URL COUNT\n"), 2;
        run("inline", argv[1], atoi(argv[2]), true);
        run("on workers", argv[1], atoi(argv[2]), false);
        return 0;
}
