/* SPDX-License-Identifier: MIT */
/*
 * libmuster doing the same: submit, take, check, free; with the timing record that every result has
 *
 *      muster_many URL CONCURRENCY REQUESTS [RECORD]
 *
 * With RECORD all is recorded, to this file; "-": in memory.
 */
#include <muster/muster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int record(struct muster_client *client, const char *file)
{
        struct muster_error error = { 0 };
        int r = muster_record(client,
                &(struct muster_record_options){
                        .file = strcmp(file, "-") == 0 ? NULL : file, .overwrite = true },
                &error);

        if (r < 0)
                fprintf(stderr, "%s\n", error.text);
        return r;
}

/* The error of the first request that failed. */
static void tell_failure(const struct muster_result *result)
{
        static bool was_told;

        if (!was_told)
                fprintf(stderr, "status %d: %s\n", muster_result_status(result),
                        muster_result_error(result) ? muster_result_error_text(result) : "not 200");
        was_told = true;
}

int main(int argc, char **argv)
{
        struct muster_client *client;
        struct muster_result *result;
        unsigned long n_wanted, n_submitted = 0, n_good = 0;
        unsigned long long n_bytes = 0;

        if (argc != 4 && argc != 5)
                return 2;
        n_wanted = strtoul(argv[3], NULL, 10);
        if (muster_client_new(&client,
                    &(struct muster_client_options){
                            .concurrency = (unsigned)strtoul(argv[2], NULL, 10) }) < 0)
                return 1;
        if (argc == 5 && record(client, argv[4]) < 0)
                return 1;
        do {
                while (n_submitted < n_wanted && muster_get(client, argv[1], NULL) == 0)
                        n_submitted++;
                result = muster_next(client);
                if (result && muster_result_status(result) == 200)
                        n_good++;
                else if (result)
                        tell_failure(result);
                n_bytes += result ? muster_result_body_size(result) : 0;
                muster_result_free(result);
        } while (result);
        muster_client_free(client);
        printf("%lu %llu\n", n_good, n_bytes);
        return n_good == n_wanted ? 0 : 1;
}
