/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a response, whole and in two pieces that the first byte chooses: both must come to
 * the same
 */
#include "fuzz.h"

#include <base/mem.h>
#include <http/h1_read.h>

struct outcome {
        int last; /* what the reader said last */
        int status;
        uint64_t body_bytes, body_sum;
};

static int feed(struct h1_reader *reader, struct muster_str in, struct outcome *outcome)
{
        static struct h1_scratch scratch;
        struct muster_error error = { 0 };
        struct http_event event = { .kind = HTTP_HEAD };
        int r = 0;

        while (r == 0 && event.kind != HTTP_DONE) {
                r = h1_read_next(reader, &scratch, &in, &event, &error);
                if (r == 0 && event.kind == HTTP_HEAD)
                        outcome->status = event.head.status;
                if (r != 0 || event.kind != HTTP_BODY)
                        continue;
                outcome->body_bytes += event.body.len;
                for (size_t i = 0; i < event.body.len; i++)
                        outcome->body_sum =
                                outcome->body_sum * 31 + (unsigned char)event.body.at[i];
        }
        FUZZ_CHECK(r >= 0 || error.code == (enum muster_code)r);
        return r;
}

static struct outcome run(const uint8_t *data, size_t size, size_t cut)
{
        struct h1_reader reader = { 0 };
        struct outcome outcome = { 0 };
        char *first = mem_strndup((const char *)data, cut),
             *second = mem_strndup((const char *)data + cut, size - cut);

        h1_read_begin(&reader, false, 4096);
        outcome.last = feed(&reader, (struct muster_str){ first, cut }, &outcome);
        if (outcome.last == H1_MORE)
                outcome.last = feed(&reader, (struct muster_str){ second, size - cut }, &outcome);
        if (outcome.last == H1_MORE)
                outcome.last = h1_read_eof(&reader, NULL);
        h1_read_deinit(&reader);
        mem_free(first);
        mem_free(second);
        return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct outcome whole, pieces;

        if (size < 2)
                return 0;
        whole = run(data + 1, size - 1, size - 1);
        pieces = run(data + 1, size - 1, data[0] % size);
        FUZZ_CHECK(whole.last == pieces.last && whole.status == pieces.status);
        FUZZ_CHECK(whole.last < 0 ||
                   (whole.body_bytes == pieces.body_bytes && whole.body_sum == pieces.body_sum));
        return 0;
}
