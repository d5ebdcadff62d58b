/* SPDX-License-Identifier: MIT */
/*
 * How it works: a chain of stages, the first undoing the coding that was applied last. What a stage puts out goes into the next
 * one piece by piece, so that no stage ever holds more than a piece, and caps are looked at before a piece is kept.
 */
#include "decode.h"

#include "decode_coding.h"
#include <base/error.h>
#include <base/mem.h>

#define PIECE_BYTES (16 * 1024)

static const struct decode_coding *const codings[] = { &decode_gzip, &decode_deflate,
                                                       &decode_brotli, &decode_zstd };

struct stage {
        const struct decode_coding *coding;
        void *state;
        uint64_t n_in, n_out;
        bool has_ended;
};

struct decoder {
        struct decode_limits limits;
        struct stage stages[DECODE_CHAIN_MAX];
        unsigned n_stages;
        char pieces[]; /* PIECE_BYTES for each stage */
};

/* --- making ------------------------------------------------------------------------------------------------------- */

static const struct decode_coding *find_coding(struct muster_str name)
{
        for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
                if (str_is_nocase(name, codings[i]->name) ||
                    (codings[i]->alias && str_is_nocase(name, codings[i]->alias)))
                        return codings[i];
        return NULL;
}

/* The codings in the order in which they were applied; identity counts for nothing. */
static int list_codings(const struct fields *fields,
                        const struct decode_coding *list[DECODE_CHAIN_MAX], unsigned *ret_n,
                        struct muster_error *error)
{
        struct field_members iter = { 0 };
        struct muster_str name;
        unsigned n = 0;

        while (fields_next_member(fields, "Content-Encoding", &iter, &name)) {
                if (str_is_nocase(name, "identity"))
                        continue;
                if (n == DECODE_CHAIN_MAX)
                        return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                                         "decode: more than %d codings one on another",
                                         DECODE_CHAIN_MAX);
                list[n] = find_coding(name);
                if (!list[n])
                        return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                                         "decode: unknown Content-Encoding \"%.*s\"; ask for none "
                                         "with no_decoding "
                                         "(--no-compressed)",
                                         name.len < 40 ? (int)name.len : 40, name.at);
                n++;
        }
        *ret_n = n;
        return 0;
}

int decoder_new(struct decoder **ret_decoder, const struct fields *fields,
                const struct decode_limits *limits, struct muster_error *error)
{
        const struct decode_coding *list[DECODE_CHAIN_MAX];
        struct decoder *decoder;
        unsigned n = 0;
        int r = list_codings(fields, list, &n, error);

        if (r < 0)
                return r;
        if (n == 0)
                return DECODE_IDENTITY;
        decoder = mem_zalloc(sizeof(*decoder) + (size_t)n * PIECE_BYTES);
        if (!decoder)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        decoder->limits = *limits;
        if (!decoder->limits.max_ratio)
                decoder->limits.max_ratio = DECODE_RATIO_MAX;
        for (; decoder->n_stages < n; decoder->n_stages++) {
                struct stage *stage = &decoder->stages[decoder->n_stages];

                stage->coding = list[n - 1 - decoder->n_stages];
                stage->state = stage->coding->new ();
                if (!stage->state) {
                        decoder_free(decoder);
                        return error_set_memory(error, MUSTER_PHASE_DECODE);
                }
        }
        *ret_decoder = decoder;
        return 0;
}

struct decoder *decoder_free(struct decoder *decoder)
{
        if (!decoder)
                return NULL;
        for (unsigned i = 0; i < decoder->n_stages; i++)
                decoder->stages[i].coding->free(decoder->stages[i].state);
        return mem_free(decoder);
}

uint64_t decoder_n_out(const struct decoder *decoder)
{
        return decoder->stages[decoder->n_stages - 1].n_out;
}

/* --- feeding ------------------------------------------------------------------------------------------------------ */

static int corrupt(const struct stage *stage, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                         "decode: the %s body is not valid at byte %llu: %s", stage->coding->name,
                         (unsigned long long)stage->n_in, why);
}

/* Every stage is held to the ratio, so that a bomb within a bomb does not get through the first one. */
static int check_caps(const struct decoder *decoder, const struct stage *stage,
                      struct muster_error *error)
{
        const struct decode_limits *limits = &decoder->limits;
        bool is_last = stage == &decoder->stages[decoder->n_stages - 1];
        uint64_t wire = decoder->stages[0].n_in;

        if (is_last && stage->n_out > limits->max_bytes)
                return error_set(
                        error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_DECODE, 0,
                        "too_large: the decoded body has more than %llu bytes; raise the cap with "
                        "max_body_bytes (--max-filesize)",
                        (unsigned long long)limits->max_bytes);
        if (stage->n_out > DECODE_RATIO_GRACE && stage->n_out / limits->max_ratio > wire)
                return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                                 "decode: %llu bytes of %s became more than %u times as many, as a "
                                 "decompression bomb "
                                 "does (max_decode_ratio)",
                                 (unsigned long long)wire, stage->coding->name, limits->max_ratio);
        return 0;
}

static int feed(struct decoder *decoder, unsigned i, struct muster_str in, struct buf *out,
                struct muster_error *error);

/* What a stage put out goes on to the next, or to the body. */
static int pass_on(struct decoder *decoder, unsigned i, struct muster_str piece, struct buf *out,
                   struct muster_error *error)
{
        if (i + 1 < decoder->n_stages)
                return feed(decoder, i + 1, piece, out, error);
        if (out && buf_add_str(out, piece) < 0)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        return 0;
}

/* Behind a complete stream: nothing, or another one where the coding has that. Zeros behind gzip are padding, as on tapes. */
static int go_on_behind(struct stage *stage, struct muster_str *in, struct muster_error *error)
{
        while (stage->coding == &decode_gzip && in->len && in->at[0] == '\0') {
                in->at++;
                in->len--;
                stage->n_in++;
        }
        if (!in->len)
                return 0;
        if (!stage->coding->may_repeat)
                return corrupt(stage, "something follows its end", error);
        if (stage->coding->restart(stage->state) < 0)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        stage->has_ended = false;
        return 0;
}

static int run(struct decoder *decoder, unsigned i, struct muster_str *in, struct buf *out,
               bool *ret_is_full, struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        char *piece = decoder->pieces + (size_t)i * PIECE_BYTES;
        const char *why = "corrupt data";
        size_t before = in->len, n = 0;
        int r = stage->coding->run(stage->state, in, piece, PIECE_BYTES, &n, &why);

        stage->n_in += before - in->len;
        stage->n_out += n;
        *ret_is_full = n == PIECE_BYTES;
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        if (r < 0)
                return corrupt(stage, why, error);
        if (r == 0 && n == 0 && in->len && in->len == before)
                return corrupt(stage, "it makes no progress", error);
        stage->has_ended = r == CODING_ENDED;
        r = check_caps(decoder, stage, error);
        if (r == 0 && n)
                r = pass_on(decoder, i, (struct muster_str){ piece, n }, out, error);
        return r;
}

static int feed(struct decoder *decoder, unsigned i, struct muster_str in, struct buf *out,
                struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        bool is_full = false;
        int r = 0;

        while (r == 0 && (in.len || (is_full && !stage->has_ended))) {
                if (stage->has_ended) {
                        r = go_on_behind(stage, &in, error);
                        if (r < 0 || stage->has_ended)
                                return r;
                }
                r = run(decoder, i, &in, out, &is_full, error);
        }
        return r;
}

int decoder_feed(struct decoder *decoder, struct muster_str in, struct buf *out,
                 struct muster_error *error)
{
        return feed(decoder, 0, in, out, error);
}

int decoder_end(struct decoder *decoder, struct muster_error *error)
{
        if (decoder->stages[0].n_in == 0)
                return 0;
        for (unsigned i = 0; i < decoder->n_stages; i++)
                if (!decoder->stages[i].has_ended)
                        return corrupt(&decoder->stages[i], "it ends too early", error);
        return 0;
}
