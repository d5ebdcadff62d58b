/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the output that an earlier run left: torn, damaged, somebody else's
 *
 * However it is cut into pieces it reads the same, and what is kept of it reads the same again.
 */
#include "fuzz.h"

#include <resume/old_output.h>
#include <string.h>

/* Some bodies are there. */
static bool is_there(void *argument, const struct old_line *line, const char *path)
{
        (void)argument;
        return strlen(path) % 2 == line->body_bytes % 2;
}

static int read_old(struct old_output *old, struct muster_str text, size_t piece, bool has_bodies)
{
        struct muster_error error = { 0 };
        int r = 0;

        old_output_init(old, "out", has_bodies ? is_there : NULL, NULL);
        while (r == 0 && text.len) {
                size_t n = text.len < piece ? text.len : piece;

                r = old_output_feed(old, (struct muster_str){ text.at, n }, &error);
                text.at += n;
                text.len -= n;
        }
        if (r == 0)
                r = old_output_end(old, &error);
        FUZZ_CHECK((r == 0) == (error.code == MUSTER_OK));
        return r;
}

static void check_same(const struct old_output *one, const struct old_output *other)
{
        FUZZ_CHECK(one->n_lines == other->n_lines && one->whole_at == other->whole_at);
        FUZZ_CHECK(one->n_finished == other->n_finished && one->n_failed == other->n_failed);
        FUZZ_CHECK(one->n_highest == other->n_highest && one->is_sorted == other->is_sorted);
        FUZZ_CHECK(one->has_replaced == other->has_replaced);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct muster_str text = { (const char *)data + 1, size ? size - 1 : 0 };
        bool has_bodies = size && data[0] & 1;
        struct old_output whole, pieces, kept;
        int r;

        if (!size)
                return 0;
        r = read_old(&whole, text, text.len, has_bodies);
        FUZZ_CHECK(read_old(&pieces, text, data[0] / 2 + 1, has_bodies) == r);
        check_same(&whole, &pieces);
        FUZZ_CHECK(whole.n_failed <= whole.n_finished && whole.n_finished <= whole.n_lines);
        FUZZ_CHECK(whole.whole_at <= text.len);
        if (r == 0) {
                FUZZ_CHECK(!whole.whole_at || text.at[whole.whole_at - 1] == '\n');
                text.len = whole.whole_at;
                FUZZ_CHECK(read_old(&kept, text, text.len, has_bodies) == 0);
                check_same(&whole, &kept);
                old_output_deinit(&kept);
        }
        old_output_deinit(&pieces);
        old_output_deinit(&whole);
        return 0;
}
