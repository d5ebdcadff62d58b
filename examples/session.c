/* SPDX-License-Identifier: MIT */
/*
 * Log in, then fetch the rest with the cookies of that, and go on with them next time
 *
 *      session FILE LOGIN-URL [URL...]
 *
 * FILE is a cookie file as curl has it. The first URL is fetched alone: requests that run at the
 * same time do not wait for each other's cookies.
 */
#include <errno.h>
#include <muster/muster.h>
#include <stdio.h>
#include <string.h>

static void take_all(struct muster_client *client)
{
        struct muster_result *result;

        while ((result = muster_next(client))) {
                const char *body = muster_result_body(result);

                if (muster_result_error(result))
                        fprintf(stderr, "%s\n", muster_result_error_text(result));
                else
                        printf("%.*s\n", (int)strcspn(body, "\n"), body);
                muster_result_free(result);
        }
}

int main(int argc, char **argv)
{
        struct muster_jar *jar = muster_jar_new();
        struct muster_error error;
        struct muster_client_options options = {
                .size = sizeof(options), .cookies = jar, .error = &error
        };
        struct muster_client *client;
        int r;

        if (argc < 3 || !jar || muster_client_new(&client, &options) < 0) {
                fprintf(stderr, "%s\n", argc < 3 ? "usage: session FILE URL..." : "no client");
                return 2;
        }
        r = muster_jar_load(jar, argv[1], &error);
        if (r != 0 && error.sys != ENOENT) /* the first time there is none */
                fprintf(stderr, "%s\n", error.text);
        muster_get(client, argv[2], NULL);
        take_all(client);
        for (int i = 3; i < argc; i++)
                muster_get(client, argv[i], NULL);
        take_all(client);
        muster_client_free(client);
        r = muster_jar_save(jar, argv[1], &error);
        if (r < 0)
                fprintf(stderr, "%s\n", error.text);
        muster_jar_free(jar);
        return r < 0;
}
