/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what the lab is sent: a request with its body, whole and in two pieces that the
 * first byte chooses, which must come to the same; a DNS query; and a line of a zone
 */
#include "fuzz.h"

#include <base/mem.h>
#include <http/h1_head.h>
#include <lab/request.h>
#include <lab/zone.h>

struct outcome {
        int last; /* what the body said last */
        enum request_body_state state;
        uint64_t n_bytes, sum, n_left;
};

static void take(struct request_body *body, struct muster_str in, struct outcome *outcome)
{
        char *copy = mem_strndup(in.at, in.len);
        struct muster_str rest = { copy, in.len }, data;

        while ((outcome->last = request_body_next(body, &rest, &data)) == 0) {
                FUZZ_CHECK(data.len && data.at >= copy && data.at + data.len <= copy + in.len);
                outcome->n_bytes += data.len;
                for (size_t i = 0; i < data.len; i++)
                        outcome->sum = outcome->sum * 31 + (unsigned char)data.at[i];
        }
        FUZZ_CHECK(outcome->last < 0 || body->state == BODY_IS_OVER || !rest.len);
        outcome->state = body->state;
        outcome->n_left += rest.len;
        mem_free(copy);
}

static struct outcome take_split(const struct request *request, struct muster_str in, size_t cut)
{
        struct request_body body;
        struct outcome outcome = { 0 };

        request_body_begin(&body, request);
        take(&body, (struct muster_str){ in.at, cut }, &outcome);
        if (outcome.last > 0)
                take(&body, (struct muster_str){ in.at + cut, in.len - cut }, &outcome);
        return outcome;
}

static void check_request(struct muster_str text, unsigned cut)
{
        static struct h1_scratch scratch;
        struct muster_error error = { 0 };
        struct request request;
        size_t scanned = 0, end = h1_head_end(text, &scanned);
        struct muster_str body = { text.at + end, text.len - end };
        struct outcome whole, pieces;
        int r;

        if (!end)
                return;
        r = request_parse(&request, (struct muster_str){ text.at, end }, &scratch, &error);
        FUZZ_CHECK(r == (int)error.code);
        if (r < 0)
                return;
        FUZZ_CHECK(request.path.len && request.method.len && request.target.len);
        whole = take_split(&request, body, body.len);
        pieces = take_split(&request, body, cut % (body.len + 1));
        FUZZ_CHECK(whole.last == pieces.last && whole.state == pieces.state);
        FUZZ_CHECK(whole.n_bytes == pieces.n_bytes && whole.sum == pieces.sum);
        FUZZ_CHECK(whole.last < 0 || whole.n_left == pieces.n_left);
}

static void check_query(struct muster_str bytes)
{
        struct dns_query query;
        unsigned char refusal[DNS_HEADER_BYTES];

        FUZZ_CHECK(dns_refusal_write(bytes, refusal) <= sizeof(refusal));
        if (!dns_query_parse(bytes, &query))
                return;
        FUZZ_CHECK(query.name_len <= DNS_NAME_BYTES_MAX && query.udp_bytes >= DNS_UDP_BYTES);
        FUZZ_CHECK(query.question_len <= sizeof(query.question));
}

static void check_zone(struct muster_str spec)
{
        struct muster_error error = { 0 };
        struct zone zone = { 0 };
        int r = zone_add(&zone, spec, &error);

        FUZZ_CHECK(r == (int)error.code);
        (void)zone_find(&zone, str_of("a.test"));
        zone_deinit(&zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct muster_str text;

        if (!size)
                return 0;
        text = (struct muster_str){ (const char *)data + 1, size - 1 };
        check_request(text, data[0]);
        check_query(text);
        check_zone(text);
        return 0;
}
