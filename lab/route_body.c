/* SPDX-License-Identifier: MIT */
/* Behaviours of the body: sizes, codings, framing, documents */
#include "coding.h"
#include "document.h"
#include "lab.h"
#include "listener.h"
#include "quantity.h"
#include "route.h"

#include <base/minmax.h>
#include <stdio.h>

#define ENCODED_BYTES     (10 * 1024) /* before coding, unless it is said */
#define ENCODED_BYTES_MAX (UINT64_C(64) << 20)
#define BOMB_BYTES        (UINT64_C(2) << 30) /* above what clients commonly allow */
#define BOMB_BYTES_MAX    (UINT64_C(16) << 30)
/* of codings whose streams cannot follow each other */
#define ONE_STREAM_MAX (UINT64_C(1) << 30)
#define CHAIN_MAX      4

static void plan_plain(struct call *call)
{
        plan_say(call->plan, 200, "hello\n");
}

static void set_filling(struct plan *plan, uint64_t n_bytes)
{
        plan->has_filling = true;
        plan->filling_bytes = n_bytes;
        plan->type = "text/plain";
}

static void plan_bytes(struct call *call)
{
        uint64_t n_bytes;

        if (call_take_size(call, 1024, &n_bytes))
                set_filling(call->plan, n_bytes);
}

static void plan_chunked(struct call *call)
{
        struct plan *plan = call->plan;
        uint64_t n_bytes, chunk_bytes;

        if (!call_take_size(call, 10240, &n_bytes) || !call_take_size(call, 1024, &chunk_bytes))
                return;
        set_filling(plan, n_bytes);
        plan->framing = PLAN_CHUNKED;
        plan->piece_bytes = chunk_bytes && chunk_bytes <= 1024 * 1024 ? chunk_bytes : 1024 * 1024;
}

static void plan_trickle(struct call *call)
{
        struct plan *plan = call->plan;
        uint64_t n_bytes, piece_bytes;

        if (!call_take_size(call, 1024, &n_bytes) || !call_take_size(call, 1, &piece_bytes) ||
                !call_take_spread(call, "100ms", &plan->gap))
                return;
        set_filling(plan, n_bytes);
        plan->piece_bytes = piece_bytes ? piece_bytes : 1;
}

static void plan_json(struct call *call)
{
        struct blobs *blobs = &call->listener->lab->blobs;
        struct buf bytes = { 0 };
        uint64_t n_bytes, depth;
        char key[64];

        if (!call_take_size(call, 1024, &n_bytes) ||
                !call_take_count(call, 1, DOCUMENT_DEPTH_MAX, &depth))
                return;
        depth += !depth;
        snprintf(key, sizeof(key), "json %llu %llu", (unsigned long long)n_bytes,
                (unsigned long long)depth);
        call->plan->blob = blobs_find(blobs, key);
        if (!call->plan->blob && n_bytes <= ENCODED_BYTES_MAX) {
                int r = document_make(n_bytes, (unsigned)depth, &bytes);

                if (r == MUSTER_E_INVALID) {
                        buf_deinit(&bytes);
                        plan_say(call->plan, 400, "a document of depth %llu needs more bytes\n",
                                (unsigned long long)depth);
                        return;
                }
                if (r == 0)
                        call->plan->blob = blobs_add(blobs, key, &bytes);
                buf_deinit(&bytes);
        }
        if (!call->plan->blob)
                plan_say(call->plan, 507, "no room for a document of %llu bytes\n",
                        (unsigned long long)n_bytes);
        else
                call->plan->type = "application/json";
}

/* --- codings --------------------------------------------------------------------------------- */

struct chain {
        enum coding codings[CHAIN_MAX];
        size_t n;
};

/* "gzip" or "gzip,br": in the order in which they are applied. */
static bool take_chain(struct call *call, struct chain *chain)
{
        struct muster_str arg, rest, name;

        if (!call_take(call, &arg))
                arg = str_of("gzip");
        rest = arg;
        chain->n = 0;
        while (rest.len && str_split(&rest, ',', &name)) {
                if (chain->n < CHAIN_MAX && coding_parse(name, &chain->codings[chain->n++]))
                        continue;
                call_refuse(call, "coding", arg,
                        "one of these, or up to 4 of them with commas between: " CODING_NAMES);
                return false;
        }
        return true;
}

static void add_coding_field(struct plan *plan, const struct chain *chain)
{
        char value[64] = "";
        size_t at = 0;

        for (size_t i = 0; i < chain->n; i++)
                at += (size_t)snprintf(value + at, sizeof(value) - at, "%s%s", i ? ", " : "",
                        coding_token(chain->codings[i]));
        plan_add_field(plan, "Content-Encoding", str_of(value));
}

static int encode_chain(const struct chain *chain, struct muster_str block, uint64_t n_bytes,
        struct buf *out)
{
        int r = coding_encode(chain->codings[0], block, n_bytes, out);

        for (size_t i = 1; i < chain->n && r == 0; i++) {
                struct buf next = { 0 };

                r = coding_encode(chain->codings[i], buf_str(out), out->len, &next);
                buf_deinit(out);
                *out = next;
        }
        return r;
}

/* The fault of the body, for /broken. */
static const char *const breakages[] = { "truncated", "corrupt", "trailing", "empty",
        "mislabelled" };

#define BREAKAGES "truncated, corrupt, trailing, empty or mislabelled"

static int break_it(struct buf *bytes, struct muster_str how)
{
        if (str_is(how, "truncated"))
                bytes->len = bytes->len * 2 / 3;
        else if (str_is(how, "empty"))
                bytes->len = 0;
        else if (str_is(how, "trailing"))
                return buf_add_text(bytes, "this does not belong here");
        else if (str_is(how, "corrupt"))
                for (size_t i = bytes->len / 2; i < bytes->len / 2 + 8 && i < bytes->len; i++)
                        bytes->at[i] = (char)~bytes->at[i];
        return 0;
}

/* An encoded body of `n_bytes`, broken as `how` says, which is kept. */
static void plan_coding(struct call *call, const struct chain *chain, struct muster_str block,
        uint64_t n_bytes, struct muster_str how)
{
        struct blobs *blobs = &call->listener->lab->blobs;
        struct plan *plan = call->plan;
        struct buf bytes = { 0 };
        char key[128];
        int at = snprintf(key, sizeof(key), "coded %llu %.*s %d", (unsigned long long)n_bytes,
                STR_ARGS(how), block.at[0]);

        for (size_t i = 0; i < chain->n; i++)
                at += snprintf(key + at, sizeof(key) - (size_t)at, " %d", chain->codings[i]);
        plan->blob = blobs_find(blobs, key);
        if (!plan->blob) {
                int r = str_is(how, "mislabelled")
                                ? buf_add_text(&bytes, "this was never encoded\n")
                                : encode_chain(chain, block, n_bytes, &bytes);

                if (r == 0)
                        r = break_it(&bytes, how);
                if (r == 0)
                        plan->blob = blobs_add(blobs, key, &bytes);
                buf_deinit(&bytes);
        }
        if (!plan->blob) {
                plan_say(plan, 507, "no room to encode %llu bytes\n", (unsigned long long)n_bytes);
                return;
        }
        plan->type = "text/plain";
        add_coding_field(plan, chain);
}

static bool take_limited(struct call *call, uint64_t fallback, uint64_t max, uint64_t *ret_bytes)
{
        if (!call_take_size(call, fallback, ret_bytes))
                return false;
        if (*ret_bytes && *ret_bytes <= max)
                return true;
        plan_say(call->plan, 400, "size: from 1 to %llu bytes are possible here\n",
                (unsigned long long)max);
        return false;
}

static void plan_encoded(struct call *call)
{
        struct chain chain;
        uint64_t n_bytes;

        if (take_chain(call, &chain) &&
                take_limited(call, ENCODED_BYTES, ENCODED_BYTES_MAX, &n_bytes))
                plan_coding(call, &chain, lab_filling(call->listener->lab, 0), n_bytes, str_of(""));
}

static void plan_broken(struct call *call)
{
        struct muster_str how;
        struct chain chain;

        if (!take_chain(call, &chain))
                return;
        if (!call_take(call, &how))
                how = str_of("truncated");
        for (size_t i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++) {
                if (!str_is(how, breakages[i]))
                        continue;
                plan_coding(call, &chain, lab_filling(call->listener->lab, 0), ENCODED_BYTES, how);
                return;
        }
        call_refuse(call, "breakage", how, "one of these: " BREAKAGES);
}

static void plan_bomb(struct call *call)
{
        static const char zeros[64 * 1024];
        struct chain chain;
        uint64_t n_bytes, max;

        if (!take_chain(call, &chain))
                return;
        max = chain.codings[0] == CODING_GZIP || chain.codings[0] == CODING_ZSTD ? BOMB_BYTES_MAX
                                                                                 : ONE_STREAM_MAX;
        if (take_limited(call, min_u64(max, BOMB_BYTES), max, &n_bytes))
                plan_coding(call, &chain, (struct muster_str){ zeros, sizeof(zeros) }, n_bytes,
                        str_of(""));
}

const struct route routes_body[] = {
        { "plain", "", "a short text", plan_plain, NULL },
        { "bytes", "SIZE", "a body of exactly this size (1k)", plan_bytes, NULL },
        { "chunked", "SIZE/CHUNK", "a body in chunks (10k/1k); see gap", plan_chunked, NULL },
        { "trickle", "SIZE/PIECE/GAP", "a body in pieces, with a wait between them (1k/1/100ms)",
                plan_trickle, NULL },
        { "json", "SIZE/DEPTH", "a JSON document of exactly this size (1k/1)", plan_json, NULL },
        { "encoded", "CODING,.../SIZE",
                "a body with these content codings (gzip/10k): " CODING_NAMES, plan_encoded, NULL },
        { "broken", "CODING,.../HOW", "a broken coding: " BREAKAGES, plan_broken, NULL },
        { "bomb", "CODING,.../SIZE", "a decompression bomb of zeros (gzip/2G)", plan_bomb, NULL },
        { 0 },
};
