/* SPDX-License-Identifier: MIT */
/*
 * How it works: a chain of stages, of which the first undoes the coding that was applied last. The
 * output of a stage goes to the next one piece by piece. So no stage ever holds more than a piece,
 * and caps are checked before a piece is kept.
 */
#include "decode.h"

#include "decode_coding.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>

#define PIECE_BYTES (16 * 1024)

static const struct decode_coding *const codings[] = { &decode_gzip, &decode_deflate,
        &decode_brotli, &decode_zstd };

enum stage_state {
        STAGE_DOUBTED, /* named twice, perhaps applied once: its first bytes will tell */
        STAGE_RUNS,
        STAGE_ENDED,  /* complete; another stream may follow */
        STAGE_DROPS,  /* complete; what follows is no stream and is dropped */
        STAGE_PASSES, /* not applied: input passes unchanged */
};

struct stage {
        const struct decode_coding *coding;
        void *state;
        enum stage_state stage_state;
        uint64_t n_in, n_out;
        uint64_t n_dropped;
        char mark[CODING_MARK_MAX]; /* the part received so far of a mark that is looked for */
        size_t n_mark;
};

struct decoder {
        struct decode_limits limits;
        struct stage stages[DECODE_CHAIN_MAX];
        unsigned n_stages;
        char pieces[]; /* PIECE_BYTES for each stage */
};

/* --- making ---------------------------------------------------------------------------------- */

static const struct decode_coding *find_coding(struct muster_str name)
{
        for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
                if (str_is_nocase(name, codings[i]->name) ||
                        (codings[i]->alias && str_is_nocase(name, codings[i]->alias)))
                        return codings[i];
        return NULL;
}

/* Step through the codings, except identity. */
static bool next_coding(const struct fields *fields, struct field_members *iter,
        struct muster_str *ret_name)
{
        while (fields_next_member(fields, "Content-Encoding", iter, ret_name))
                if (!str_is_nocase(*ret_name, "identity"))
                        return true;
        return false;
}

/*
 * List the codings to undo, in the order in which they were applied. A coding that was applied
 * before an unknown one cannot be undone.
 */
static int list_codings(const struct fields *fields,
        const struct decode_coding *list[DECODE_CHAIN_MAX], unsigned *ret_n,
        struct muster_error *error)
{
        struct field_members iter = { 0 };
        struct muster_str name;
        unsigned n = 0;

        while (next_coding(fields, &iter, &name)) {
                const struct decode_coding *coding = find_coding(name);

                if (coding && n < DECODE_CHAIN_MAX)
                        list[n] = coding;
                n = coding ? n + 1 : 0;
        }
        if (n > DECODE_CHAIN_MAX)
                return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                        "decode: more than %d content codings on one body", DECODE_CHAIN_MAX);
        *ret_n = n;
        return 0;
}

/* How many codings stay in place: all up to the last unknown one. */
static unsigned count_undecoded(const struct fields *fields)
{
        struct field_members iter = { 0 };
        struct muster_str name;
        unsigned n = 0;

        for (unsigned i = 1; next_coding(fields, &iter, &name); i++)
                if (!find_coding(name))
                        n = i;
        return n;
}

int decode_list_undecoded(const struct fields *fields, struct buf *to)
{
        unsigned n = count_undecoded(fields);
        struct field_members iter = { 0 };
        struct muster_str name;
        int r = 0;

        for (unsigned i = 0; i < n && r == 0 && next_coding(fields, &iter, &name); i++) {
                if (i)
                        r = buf_add_text(to, ", ");
                if (r == 0)
                        r = buf_add_str(to, name);
        }
        return r;
}

/* Several servers in a row may each name a coding that only one of them applied. */
static bool is_doubtful(const struct stage *stage, unsigned i)
{
        return i > 0 && stage->coding == stage[-1].coding && stage->coding->may_begin;
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
                stage->stage_state =
                        is_doubtful(stage, decoder->n_stages) ? STAGE_DOUBTED : STAGE_RUNS;
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

/* --- feeding --------------------------------------------------------------------------------- */

static int corrupt(const struct stage *stage, const char *why, struct muster_error *error)
{
        return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                "decode: the %s body is not valid at byte %llu: %s", stage->coding->name,
                (unsigned long long)stage->n_in, why);
}

/*
 * Input is capped as well, because it need not become output: behind the end of a stream it is
 * dropped. The cap leaves room for noise, which encoding makes a little longer.
 */
static bool is_too_much(uint64_t wire, uint64_t max_bytes)
{
        return wire > 2 * DECODE_RATIO_GRACE && wire - wire / 64 - DECODE_RATIO_GRACE > max_bytes;
}

/*
 * Check the caps. Each stage must keep the ratio, so that a bomb within a bomb does not pass the
 * first stage.
 */
static int check_caps(const struct decoder *decoder, const struct stage *stage,
        struct muster_error *error)
{
        const struct decode_limits *limits = &decoder->limits;
        bool is_last = stage == &decoder->stages[decoder->n_stages - 1];
        uint64_t wire = decoder->stages[0].n_in;

        if (is_last && stage->n_out > limits->max_bytes)
                return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_DECODE, 0,
                        "too_large: the decoded body has more than %llu bytes; raise the cap with max_body_bytes (--max-filesize)",
                        (unsigned long long)limits->max_bytes);
        if (is_too_much(wire, limits->max_bytes))
                return error_set(error, MUSTER_E_TOO_LARGE, MUSTER_PHASE_DECODE, 0,
                        "too_large: read %llu bytes of %s, the cap for the body is %llu; raise the cap with max_body_bytes (--max-filesize)",
                        (unsigned long long)wire, decoder->stages[0].coding->name,
                        (unsigned long long)limits->max_bytes);
        if (stage->n_out > DECODE_RATIO_GRACE && stage->n_out / limits->max_ratio > wire)
                return error_set(error, MUSTER_E_DECODE, MUSTER_PHASE_DECODE, 0,
                        "decode: %llu bytes of %s decode to more than %u times as many, which looks like a decompression bomb (max_decode_ratio)",
                        (unsigned long long)wire, stage->coding->name, limits->max_ratio);
        return 0;
}

static int feed_stage(struct decoder *decoder, unsigned i, struct muster_str in, struct buf *out,
        struct muster_error *error);

/* Pass a stage's output to the next stage, or to the body. */
static int pass_piece_on(struct decoder *decoder, unsigned i, struct muster_str piece,
        struct buf *out, struct muster_error *error)
{
        if (i + 1 < decoder->n_stages)
                return feed_stage(decoder, i + 1, piece, out, error);
        if (out && buf_add_str(out, piece) < 0)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        return 0;
}

static int run_stage(struct decoder *decoder, unsigned i, struct muster_str *in, struct buf *out,
        bool *ret_is_full, struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        char *piece = decoder->pieces + (size_t)i * PIECE_BYTES;
        const char *why = "corrupt data";
        size_t before = in->len, n = 0;
        int r = stage->coding->run(stage->state, in, piece, PIECE_BYTES, &n, &why);

        assert(i < decoder->n_stages && stage->stage_state == STAGE_RUNS);
        stage->n_in += before - in->len;
        stage->n_out += n;
        *ret_is_full = n == PIECE_BYTES;
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        if (r < 0)
                return corrupt(stage, why, error);
        if (r == 0 && n == 0 && in->len && in->len == before)
                return corrupt(stage, "the decoder makes no progress", error);
        stage->stage_state = r == CODING_ENDED ? STAGE_ENDED : STAGE_RUNS;
        r = check_caps(decoder, stage, error);
        if (r == 0 && n)
                r = pass_piece_on(decoder, i, (struct muster_str){ piece, n }, out, error);
        return r;
}

/* Run a stage on all of `in`, or to the end of a stream. */
static int run_on(struct decoder *decoder, unsigned i, struct muster_str *in, struct buf *out,
        struct muster_error *error)
{
        const struct stage *stage = &decoder->stages[i];
        bool is_full = false;
        int r = 0;

        while (r == 0 && (in->len || is_full)) {
                r = run_stage(decoder, i, in, out, &is_full, error);
                if (stage->stage_state == STAGE_ENDED)
                        return r < 0 ? r : 0;
        }
        return r;
}

/* Gather a mark from the input. True: the mark is complete, or the input is no mark. */
static bool gather_mark(struct stage *stage, struct muster_str *in, bool *ret_is_mark)
{
        const struct decode_coding *coding = stage->coding;
        bool is_mark = coding->may_begin;

        assert(coding->mark_bytes <= CODING_MARK_MAX);
        assert(stage->n_mark <= coding->mark_bytes);
        while (is_mark && in->len && stage->n_mark < coding->mark_bytes) {
                stage->mark[stage->n_mark++] = *in->at++;
                in->len--;
                is_mark = coding->may_begin((struct muster_str){ stage->mark, stage->n_mark });
        }
        *ret_is_mark = is_mark;
        return !is_mark || stage->n_mark == coding->mark_bytes;
}

/* Begin a stream with the mark that was gathered. */
static int begin_stream(struct decoder *decoder, unsigned i, struct buf *out,
        struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        struct muster_str mark = { stage->mark, stage->n_mark };

        assert(stage->n_mark > 0);
        stage->n_mark = 0;
        stage->stage_state = STAGE_RUNS;
        return run_on(decoder, i, &mark, out, error);
}

/* Decide whether a coding that is named twice was applied twice. */
static int settle_doubt(struct decoder *decoder, unsigned i, struct muster_str *in, struct buf *out,
        struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        bool is_mark;

        assert(stage->stage_state == STAGE_DOUBTED);
        if (!gather_mark(stage, in, &is_mark))
                return 0;
        if (is_mark)
                return begin_stream(decoder, i, out, error);
        stage->stage_state = STAGE_PASSES;
        stage->n_out += stage->n_mark;
        return pass_piece_on(decoder, i, (struct muster_str){ stage->mark, stage->n_mark }, out,
                error);
}

/*
 * Handle input behind a complete stream: begin another stream if the coding has that, or drop the
 * input. Zeros behind gzip are padding, as on tapes.
 */
static int go_on_behind(struct decoder *decoder, unsigned i, struct muster_str *in, struct buf *out,
        struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        bool is_mark;

        assert(stage->stage_state == STAGE_ENDED);
        while (stage->coding == &decode_gzip && !stage->n_mark && in->len && in->at[0] == '\0') {
                in->at++;
                in->len--;
                stage->n_in++;
        }
        if (!in->len || !gather_mark(stage, in, &is_mark))
                return check_caps(decoder, stage, error);
        if (!is_mark) {
                stage->stage_state = STAGE_DROPS;
                return 0;
        }
        if (stage->coding->restart(stage->state) < 0)
                return error_set_memory(error, MUSTER_PHASE_DECODE);
        return begin_stream(decoder, i, out, error);
}

static int drop_input(const struct decoder *decoder, struct stage *stage, struct muster_str *in,
        struct muster_error *error)
{
        assert(stage->stage_state == STAGE_DROPS);
        stage->n_dropped += in->len;
        stage->n_in += in->len;
        *in = (struct muster_str){ 0 };
        return check_caps(decoder, stage, error);
}

static int feed_stage(struct decoder *decoder, unsigned i, struct muster_str in, struct buf *out,
        struct muster_error *error)
{
        struct stage *stage = &decoder->stages[i];
        int r = 0;

        assert(i < decoder->n_stages);
        while (r == 0 && in.len) {
                switch (stage->stage_state) {
                case STAGE_DOUBTED:
                        r = settle_doubt(decoder, i, &in, out, error);
                        continue;
                case STAGE_RUNS:
                        r = run_on(decoder, i, &in, out, error);
                        continue;
                case STAGE_ENDED:
                        r = go_on_behind(decoder, i, &in, out, error);
                        continue;
                case STAGE_DROPS:
                        r = drop_input(decoder, stage, &in, error);
                        continue;
                case STAGE_PASSES:
                        stage->n_in += in.len;
                        stage->n_out += in.len;
                        r = check_caps(decoder, stage, error);
                        return r < 0 ? r : pass_piece_on(decoder, i, in, out, error);
                }
        }
        return r;
}

int decoder_feed(struct decoder *decoder, struct muster_str in, struct buf *out,
        struct muster_error *error)
{
        assert(decoder->n_stages > 0);
        return feed_stage(decoder, 0, in, out, error);
}

int decoder_end(struct decoder *decoder, struct muster_error *error)
{
        if (decoder->stages[0].n_in == 0)
                return 0;
        for (unsigned i = 0; i < decoder->n_stages; i++) {
                struct stage *stage = &decoder->stages[i];

                if (stage->stage_state == STAGE_RUNS ||
                        (stage->stage_state == STAGE_DOUBTED && stage->n_mark))
                        return corrupt(stage, "it ends too early", error);
                stage->n_dropped += stage->n_mark; /* they might have begun a stream */
        }
        return 0;
}

/* --- what was odd ---------------------------------------------------------------------------- */

static int add_stage_warning(const struct stage *stage, struct buf *to)
{
        char text[160];

        if (stage->stage_state == STAGE_PASSES || stage->stage_state == STAGE_DOUBTED)
                snprintf(text, sizeof(text),
                        "Content-Encoding names %s once more than it was applied to the body",
                        stage->coding->name);
        else if (stage->n_dropped)
                snprintf(text, sizeof(text), "%llu byte%s after the end of the %s body %s dropped",
                        (unsigned long long)stage->n_dropped, stage->n_dropped == 1 ? "" : "s",
                        stage->coding->name, stage->n_dropped == 1 ? "was" : "were");
        else
                return 0;
        if (to->len && buf_add_text(to, "; ") < 0)
                return MUSTER_E_RESOURCE;
        return buf_add_text(to, text);
}

int decoder_add_warning(const struct decoder *decoder, struct buf *to)
{
        int r = 0;

        if (decoder->stages[0].n_in == 0)
                return 0;
        for (unsigned i = 0; i < decoder->n_stages && r == 0; i++)
                r = add_stage_warning(&decoder->stages[i], to);
        return r;
}
