/* SPDX-License-Identifier: MIT */
#include "h2_cut.h"

#include <base/minmax.h>

#define HEAD_BYTES 9

void h2_cut_deinit(struct h2_cut *cut)
{
        buf_deinit(&cut->kept);
}

static uint32_t number_at(const unsigned char *at, size_t n)
{
        uint32_t number = 0;

        for (size_t i = 0; i < n; i++)
                number = number << 8 | at[i];
        return number;
}

static uint32_t length_of(const char *head)
{
        return number_at((const unsigned char *)head, 3);
}

static uint32_t stream_of(const char *head)
{
        return number_at((const unsigned char *)head + 5, 4) & 0x7fffffff;
}

static void lose(struct h2_cut *cut)
{
        cut->kept.len = 0;
        cut->left = 0;
        cut->is_lost = cut->was_lost = true;
}

/* Could a frame begin so? What is no frame hardly ever looks like one. */
static bool is_plausible(struct muster_str data)
{
        return data.len >= HEAD_BYTES && length_of(data.at) <= H2_CUT_FRAME_MAX &&
               (unsigned char)data.at[3] <= H2_FRAME_CONTINUATION && !(data.at[5] & 0x80);
}

void h2_cut_begin(struct h2_cut *cut, struct muster_str data)
{
        if (cut->is_lost && is_plausible(data))
                cut->is_lost = false;
}

static void skip(struct muster_str *data, uint64_t *n, uint64_t skipped)
{
        *data = str_after(*data, (size_t)min_u64(skipped, data->len));
        *n -= skipped;
}

static int take_data(struct h2_cut *cut, struct muster_str *data, uint64_t *n, struct h2_frame *ret)
{
        uint64_t taken = min_u64(cut->left, *n);

        cut->left -= taken;
        skip(data, n, taken);
        *ret = (struct h2_frame){ .kind = H2_CUT_DATA,
                .type = H2_FRAME_DATA,
                .stream = cut->stream,
                .n = taken,
                .is_end = !cut->left && cut->ends_stream };
        return 0;
}

/* Gather up to `want` bytes of a frame. False: the piece has no more of it. */
static int gather(struct h2_cut *cut, struct muster_str *data, uint64_t *n, size_t want,
        bool *ret_has)
{
        size_t more = want - min_size(cut->kept.len, want);
        size_t taken = (size_t)min_u64(min_u64(more, *n), data->len);

        if (buf_add(&cut->kept, data->at, taken) < 0)
                return MUSTER_E_RESOURCE;
        skip(data, n, taken);
        *ret_has = taken == more;
        if (!*ret_has && *n) /* there was more, and it was not kept */
                lose(cut);
        return 0;
}

static int begin_data(struct h2_cut *cut, struct h2_frame *ret)
{
        cut->left = length_of(cut->kept.at);
        cut->stream = stream_of(cut->kept.at);
        cut->ends_stream = cut->kept.at[4] & H2_FLAG_END_STREAM;
        cut->kept.len = 0;
        *ret = (struct h2_frame){ .kind = H2_CUT_DATA,
                .type = H2_FRAME_DATA,
                .stream = cut->stream,
                .is_end = !cut->left && cut->ends_stream };
        return 0;
}

static int end_frame(struct h2_cut *cut, struct h2_frame *ret)
{
        const char *head = cut->kept.at;

        *ret = (struct h2_frame){ .kind = H2_CUT_FRAME,
                .type = (uint8_t)head[3],
                .flags = (uint8_t)head[4],
                .stream = stream_of(head),
                .payload = str_after(buf_str(&cut->kept), HEAD_BYTES) };
        cut->is_stale = true;
        return 0;
}

int h2_cut_next(struct h2_cut *cut, struct muster_str *data, uint64_t *n, struct h2_frame *ret)
{
        bool has;

        if (cut->is_stale)
                cut->kept.len = 0;
        cut->is_stale = false;
        if (cut->is_lost || !*n)
                return H2_CUT_MORE;
        if (cut->left)
                return take_data(cut, data, n, ret);
        if (gather(cut, data, n, HEAD_BYTES, &has) < 0)
                return MUSTER_E_RESOURCE;
        if (!has)
                return H2_CUT_MORE;
        if (cut->kept.at[3] == H2_FRAME_DATA)
                return begin_data(cut, ret);
        if (length_of(cut->kept.at) > H2_CUT_FRAME_MAX) {
                lose(cut);
                return H2_CUT_MORE;
        }
        if (gather(cut, data, n, HEAD_BYTES + length_of(cut->kept.at), &has) < 0)
                return MUSTER_E_RESOURCE;
        return has ? end_frame(cut, ret) : H2_CUT_MORE;
}
