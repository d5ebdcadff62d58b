/* SPDX-License-Identifier: MIT */
/*
 * POST a JSON document and check the answer
 *
 *      upload URL '{"name":"muster"}'
 */
#include <muster/muster.h>
#include <stdio.h>
#include <string.h>

/* 0, or the code of the setter that failed; muster_request_error() has the reason. */
static int fill(struct muster_request *request, const char *json)
{
        int r = muster_request_add_header(request, "Content-Type", "application/json");

        if (r == 0)
                r = muster_request_set_body(request, json, strlen(json));
        if (r == 0) /* 400 and above is an error then; the response can still be read */
                r = muster_request_set_options(request,
                        &(struct muster_request_options){
                                .total_timeout_ms = 10000, .fail_on_status = true });
        return r;
}

int main(int argc, char **argv)
{
        struct muster_client *client = NULL;
        struct muster_request *request = NULL;
        struct muster_result *result = NULL;
        int status = 1;

        if (argc != 3 || !(request = muster_request_new("POST", argv[1])))
                goto out;
        if (fill(request, argv[2]) < 0) {
                fprintf(stderr, "%s\n", muster_request_error(request)->text);
                goto out;
        }
        if (muster_client_new(&client, NULL) < 0 || muster_submit(client, request, NULL) != 0)
                goto out;
        request = NULL; /* the client has it */
        result = muster_next(client);
        if (muster_result_error(result))
                fprintf(stderr, "%s\n", muster_result_error_text(result));
        else
                status = 0;
        printf("%d %.*s\n", muster_result_status(result), (int)muster_result_body_size(result),
                (const char *)muster_result_body(result));
out:
        muster_result_free(result);
        muster_request_free(request);
        muster_client_free(client);
        return status;
}
