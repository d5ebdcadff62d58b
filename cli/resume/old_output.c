/* SPDX-License-Identifier: MIT */
#include "old_output.h"

#include "../output/json.h"
#include "../output/utf8.h"
#include <base/error.h>

#define KIND_BITS 2 /* of an entry; the others are the hash */

void old_output_init(struct old_output *old, const char *borrow_name,
        old_body_is_there body_is_there, void *body_argument)
{
        *old = (struct old_output){ .name = borrow_name,
                .body_is_there = body_is_there,
                .body_argument = body_argument,
                .entries.size = sizeof(uint32_t),
                .is_sorted = true };
        map_init(&old->hash);
}

void old_output_deinit(struct old_output *old)
{
        by_number_deinit(&old->entries);
        buf_deinit(&old->rest);
        buf_deinit(&old->scratch);
}

/* --- which request --------------------------------------------------------------------------- */

/* What is in `scratch` is method and URL. */
static int hash_scratch(struct old_output *old, uint64_t digest, uint32_t *ret_print)
{
        if (buf_add(&old->scratch, &digest, sizeof(digest)) < 0)
                return MUSTER_E_RESOURCE;
        *ret_print = (uint32_t)map_hash(&old->hash, buf_str(&old->scratch)) >> KIND_BITS;
        return 0;
}

/* A byte that is not UTF-8 stands as another character in a line. */
static int add_as_in_a_line(struct old_output *old, struct muster_str url)
{
        struct buf string = { 0 };
        int r;

        if (utf8_is_valid(url))
                return buf_add_str(&old->scratch, url);
        r = json_add_string(&string, url);
        if (r == 0 && !old_text_add(&old->scratch, buf_str(&string)))
                r = MUSTER_E_RESOURCE;
        buf_deinit(&string);
        return r;
}

int old_output_print(struct old_output *old, const char *method, struct muster_str url,
        uint64_t digest, uint32_t *ret_print)
{
        old->scratch.len = 0;
        if (url.at &&
                (buf_add_text(&old->scratch, method) < 0 || buf_add_char(&old->scratch, '\n') < 0 ||
                        add_as_in_a_line(old, url) < 0))
                return MUSTER_E_RESOURCE;
        return hash_scratch(old, digest, ret_print);
}

/* False: its texts are none, or memory is out. */
static bool print_line(struct old_output *old, const struct old_line *line, uint32_t *ret_print)
{
        old->scratch.len = 0;
        if (line->url.at && line->method.at &&
                (!old_text_add(&old->scratch, line->method) ||
                        buf_add_char(&old->scratch, '\n') < 0 ||
                        !old_text_add(&old->scratch, line->url)))
                return false;
        return hash_scratch(old, line->digest, ret_print) == 0;
}

/* --- lines ----------------------------------------------------------------------------------- */

static int refuse_line(const struct old_output *old, struct muster_error *error)
{
        if (old->n_lines == 1)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s is not an output of muster fetch: its first line is no result; nothing was changed",
                        old->name);
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: line %llu of %s is damaged, or no result; delete it (sed -i %llud %s), and resume again",
                (unsigned long long)old->n_lines, old->name, (unsigned long long)old->n_lines,
                old->name);
}

static bool has_result(enum old_line_kind kind)
{
        return kind == OLD_SUCCEEDED || kind == OLD_FAILED;
}

/* A result whose body is not there any more is none. */
static bool has_lost_body(struct old_output *old, const struct old_line *line)
{
        if (!old->body_is_there || !line->body_file.at)
                return false;
        old->scratch.len = 0;
        return !old_text_add(&old->scratch, line->body_file) || buf_terminate(&old->scratch) < 0 ||
               !old->body_is_there(old->body_argument, line, old->scratch.at);
}

static void count(struct old_output *old, enum old_line_kind kind, int by)
{
        old->n_finished += has_result(kind) ? (uint64_t)by : 0;
        old->n_failed += kind == OLD_FAILED ? (uint64_t)by : 0;
}

static void set_entry(struct old_output *old, uint32_t *entry, enum old_line_kind kind,
        uint32_t print)
{
        enum old_line_kind before = *entry & ((1 << KIND_BITS) - 1);

        if (before != OLD_NONE)
                old->has_replaced = true;
        if (has_result(before) && !has_result(kind))
                return;
        count(old, before, -1);
        count(old, kind, 1);
        *entry = print << KIND_BITS | (uint32_t)kind;
}

static int add_line(struct old_output *old, struct muster_str text, struct muster_error *error)
{
        struct old_line line;
        uint32_t *entry, print;

        old->n_lines++;
        if (text.len && text.at[text.len - 1] == '\r')
                text.len--;
        if (!old_line_read(&line, text, old->body_is_there) || line.n > BY_NUMBER_MAX)
                return refuse_line(old, error);
        if (old->fails_on_status && line.kind == OLD_SUCCEEDED && line.status >= 400)
                line.kind = OLD_FAILED;
        if (has_lost_body(old, &line))
                line.kind = OLD_CANCELLED;
        entry = by_number_get(&old->entries, line.n);
        if (!entry)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (!print_line(old, &line, &print))
                return refuse_line(old, error);
        set_entry(old, entry, line.kind, print);
        old->is_sorted &= line.n > old->n_last;
        old->n_last = line.n;
        if (line.n > old->n_highest)
                old->n_highest = line.n;
        return 0;
}

int old_output_feed(struct old_output *old, struct muster_str bytes, struct muster_error *error)
{
        int r = 0;

        old->n_bytes += bytes.len;
        while (r == 0 && bytes.len) {
                const char *end = memchr(bytes.at, '\n', bytes.len);
                struct muster_str part = { bytes.at, end ? (size_t)(end - bytes.at) : bytes.len };
                size_t taken = part.len + (end ? 1 : 0);

                if ((old->rest.len || !end) && buf_add_str(&old->rest, part) < 0)
                        return error_set_memory(error, MUSTER_PHASE_QUEUE);
                bytes.at += taken;
                bytes.len -= taken;
                if (!end)
                        break;
                r = add_line(old, old->rest.len ? buf_str(&old->rest) : part, error);
                old->rest.len = 0;
                old->whole_at = old->n_bytes - bytes.len;
        }
        return r;
}

int old_output_end(struct old_output *old, struct muster_error *error)
{
        if (!old->rest.len || old_line_is_torn(buf_str(&old->rest)))
                return 0;
        old->n_lines++;
        return refuse_line(old, error);
}

enum old_line_kind old_output_find(const struct old_output *old, uint64_t n, uint32_t *ret_print)
{
        const uint32_t *entry = by_number_find(&old->entries, n);

        *ret_print = entry ? *entry >> KIND_BITS : 0;
        return entry ? *entry & ((1 << KIND_BITS) - 1) : OLD_NONE;
}
