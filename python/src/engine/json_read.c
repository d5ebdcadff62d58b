/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "json_scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is open: where its word is, and how many values or members it has so far. */
struct open {
        size_t at;
        uint64_t n;
        bool is_object;
};

struct reader {
        struct json_tape *tape;
        const char *start, *at, *end; /* a zero byte is at the end */
        const char *trouble;
        unsigned n_open;
        struct open open[JSON_DEPTH_MAX];
};

static int fail(struct reader *reader, const char *at, const char *trouble)
{
        reader->at = at;
        reader->trouble = trouble;
        return -1;
}

/* --- the tape -------------------------------------------------------------------------------- */

static void *grown(void *array, size_t *room, size_t least, size_t size)
{
        size_t wanted = *room + *room / 2 > least ? *room + *room / 2 : least;
        void *moved = realloc(array, wanted * size);

        if (moved)
                *room = wanted;
        return moved;
}

static int put_raw(struct reader *reader, uint64_t word)
{
        struct json_tape *tape = reader->tape;
        uint64_t *words;

        if (tape->n == tape->room) {
                words = grown(tape->words, &tape->room, tape->n + 64, sizeof(*words));
                if (!words)
                        return fail(reader, reader->at, "memory is out");
                tape->words = words;
        }
        tape->words[tape->n++] = word;
        return 0;
}

static int put(struct reader *reader, enum json_kind kind, uint64_t payload)
{
        return put_raw(reader, (uint64_t)kind << JSON_PAYLOAD_BITS |
                                       (payload & ((1ull << JSON_PAYLOAD_BITS) - 1)));
}

static int put_two(struct reader *reader, enum json_kind kind, uint64_t payload, uint64_t next)
{
        int r = put(reader, kind, payload);

        return r < 0 ? r : put_raw(reader, next);
}

static int need_text(struct reader *reader, size_t more)
{
        struct json_tape *tape = reader->tape;
        char *text;

        if (tape->text_room - tape->text_len >= more)
                return 0;
        text = grown(tape->text, &tape->text_room, tape->text_len + more, 1);
        if (!text)
                return fail(reader, reader->at, "memory is out");
        tape->text = text;
        return 0;
}

/* --- strings --------------------------------------------------------------------------------- */

static int put_string(struct reader *reader, const char *at, size_t len, bool is_key)
{
        size_t offset = (size_t)(at - reader->start);

        if (is_key && len <= JSON_KEY_MAX)
                return put(reader, JSON_KEY,
                        (((uint64_t)len << 14 | scan_slot(at, len)) << JSON_OFFSET_BITS) | offset);
        if (len <= JSON_STRING_MAX)
                return put(reader, JSON_STRING, (uint64_t)len << JSON_OFFSET_BITS | offset);
        return put_two(reader, JSON_LONG_STRING, offset, len);
}

static int bad_byte(struct reader *reader, const char *at)
{
        if (at == reader->end)
                return fail(reader, at, "it ends within a string");
        if ((unsigned char)*at < 0x20)
                return fail(reader, at, "a control character in a string");
        return fail(reader, at, "not UTF-8");
}

/* One escape, of which *at is the backslash, to *to. */
static int read_escape(struct reader *reader, const char **at, char **to, bool *ret_is_half)
{
        static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        const char *found = (*at)[1] ? strchr(plain, (*at)[1]) : NULL;
        uint32_t first, second;

        if (found) {
                *(*to)++ = meant[found - plain];
                *at += 2;
                return 0;
        }
        if (!scan_unit(*at, &first))
                return fail(reader, *at, "no such escape");
        *at += 6;
        if (first >= 0xd800 && first < 0xdc00 && scan_unit(*at, &second) && second >= 0xdc00 &&
                second < 0xe000) {
                first = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                *at += 6;
        }
        if (first >= 0xd800 && first < 0xe000)
                *ret_is_half = true;
        *to = scan_put_utf8(*to, first);
        return 0;
}

/* A string with escapes: `at` is the first, what is before it was looked at. */
static int read_escaped(struct reader *reader, const char *start, const char *at)
{
        size_t offset = reader->tape->text_len;
        bool is_half = false;

        for (const char *from = start;;) {
                size_t n = (size_t)(at - from);
                char *to;

                if (need_text(reader, n + 4) < 0)
                        return -1;
                to = reader->tape->text + reader->tape->text_len;
                memcpy(to, from, n);
                to += n;
                if (*at == '\\' && read_escape(reader, &at, &to, &is_half) < 0)
                        return -1;
                reader->tape->text_len = (size_t)(to - reader->tape->text);
                from = at;
                at = scan_string(at, reader->end);
                if (*at == '"' && at == from)
                        break;
                if (*at != '"' && *at != '\\')
                        return bad_byte(reader, at);
        }
        reader->at = at + 1;
        return put_two(reader, is_half ? JSON_SURROGATES : JSON_TEXT, offset,
                reader->tape->text_len - offset);
}

/* The reader is behind the quotation mark. */
static int read_string(struct reader *reader, bool is_key)
{
        const char *start = reader->at, *at = scan_string(start, reader->end);

        if (*at == '\\')
                return read_escaped(reader, start, at);
        if (*at != '"')
                return bad_byte(reader, at);
        reader->at = at + 1;
        return put_string(reader, start, (size_t)(at - start), is_key);
}

/* --- numbers --------------------------------------------------------------------------------- */

static int put_real(struct reader *reader, double value)
{
        uint64_t bits;

        memcpy(&bits, &value, sizeof(bits));
        return put_two(reader, JSON_REAL, 0, bits);
}

static int put_whole(struct reader *reader, int64_t value)
{
        if (value >= -(1ll << (JSON_PAYLOAD_BITS - 1)) && value < 1ll << (JSON_PAYLOAD_BITS - 1))
                return put(reader, JSON_SMALL, (uint64_t)value);
        return put_two(reader, JSON_WHOLE, 0, (uint64_t)value);
}

static int read_number(struct reader *reader)
{
        const char *start = reader->at;
        struct scan_number number;

        reader->at = scan_number(start, &number);
        if (number.is_bad)
                return fail(reader, reader->at,
                        *start == '-' && reader->at == start + 1 ? "no digit behind the sign"
                                                                 : "a number that breaks off");
        if (!number.is_whole)
                return put_real(reader, scan_real(start, &number));
        if (number.n_digits <= 18)
                return put_whole(reader,
                        number.is_negative ? -(int64_t)number.digits : (int64_t)number.digits);
        if (number.n_digits > JSON_DIGITS_MAX)
                return fail(reader, start, "a whole number of more than 4300 digits");
        return put(reader, JSON_BIG,
                (uint64_t)(reader->at - start) << JSON_OFFSET_BITS |
                        (uint64_t)(start - reader->start));
}

/* --- values ---------------------------------------------------------------------------------- */

static int read_word(struct reader *reader, const char *word, enum json_kind kind)
{
        size_t len = strlen(word);

        if (strncmp(reader->at, word, len) != 0)
                return fail(reader, reader->at, "a value is expected");
        reader->at += len;
        return put(reader, kind, 0);
}

static int open_one(struct reader *reader, bool is_object)
{
        if (reader->n_open == JSON_DEPTH_MAX)
                return fail(reader, reader->at, "nested more than 1024 deep");
        reader->open[reader->n_open++] =
                (struct open){ .at = reader->tape->n, .is_object = is_object };
        if (reader->n_open > reader->tape->depth)
                reader->tape->depth = reader->n_open;
        reader->at = scan_blanks(reader->at + 1);
        return put(reader, is_object ? JSON_OBJECT : JSON_ARRAY, 0);
}

static void close_one(struct reader *reader)
{
        const struct open *open = &reader->open[--reader->n_open];

        reader->tape->words[open->at] |= open->n;
        reader->at++;
}

enum next { NEXT_VALUE, NEXT_KEY, NEXT_END };

/* Begins a value. *next says what comes then. */
static int read_value(struct reader *reader, enum next *next)
{
        *next = NEXT_END;
        switch (*reader->at) {
        case '{':
        case '[': {
                bool is_object = *reader->at == '{';

                if (open_one(reader, is_object) < 0)
                        return -1;
                if (*reader->at == (is_object ? '}' : ']'))
                        close_one(reader);
                else
                        *next = is_object ? NEXT_KEY : NEXT_VALUE;
                return 0;
        }
        case '"':
                reader->at++;
                return read_string(reader, false);
        case 't':
                return read_word(reader, "true", JSON_TRUE);
        case 'f':
                return read_word(reader, "false", JSON_FALSE);
        case 'n':
                return read_word(reader, "null", JSON_NULL);
        default:
                if (*reader->at == '-' || scan_is_digit(*reader->at))
                        return read_number(reader);
                return fail(reader, reader->at,
                        reader->at == reader->end ? "it ends where a value is expected"
                                                  : "a value is expected");
        }
}

static int read_key(struct reader *reader)
{
        if (*reader->at != '"')
                return fail(reader, reader->at, "a name in quotation marks is expected");
        reader->at++;
        if (read_string(reader, true) < 0)
                return -1;
        reader->at = scan_blanks(reader->at);
        if (*reader->at != ':')
                return fail(reader, reader->at, "a colon is expected");
        reader->at++;
        return 0;
}

/* Behind a value that is not the outermost. */
static int read_end(struct reader *reader, enum next *next)
{
        struct open *open = &reader->open[reader->n_open - 1];

        open->n++;
        if (*reader->at == ',') {
                reader->at++;
                *next = open->is_object ? NEXT_KEY : NEXT_VALUE;
                return 0;
        }
        if (*reader->at != (open->is_object ? '}' : ']'))
                return fail(reader, reader->at,
                        open->is_object ? "a comma or } is expected" : "a comma or ] is expected");
        close_one(reader);
        *next = NEXT_END;
        return 0;
}

static int read_all(struct reader *reader)
{
        enum next next = NEXT_VALUE;
        int r = 0;

        while (r == 0) {
                reader->at = scan_blanks(reader->at);
                switch (next) {
                case NEXT_VALUE:
                        r = read_value(reader, &next);
                        continue;
                case NEXT_KEY:
                        r = read_key(reader);
                        next = NEXT_VALUE;
                        continue;
                case NEXT_END:
                        if (reader->n_open) {
                                r = read_end(reader, &next);
                                continue;
                        }
                        if (reader->at != reader->end)
                                r = fail(reader, reader->at, "something stands behind the value");
                        return r;
                }
        }
        return r;
}

/* --- the process function -------------------------------------------------------------------- */

static void free_tape(void *processed)
{
        struct json_tape *tape = processed;

        if (!tape)
                return;
        free(tape->words);
        free(tape->text);
        free(tape);
}

/* It may lie around until somebody asks for it. */
static void fit(struct json_tape *tape)
{
        uint64_t *words = realloc(tape->words, tape->n * sizeof(*words));

        if (words)
                tape->words = words;
}

/* Lines and columns count from 1, columns in bytes. */
static int tell(struct muster_result *result, const struct reader *reader)
{
        struct muster_str type = muster_result_header(result, "content-type");
        size_t n_lines = 1, column = 1;
        char text[120];

        for (const char *at = reader->start; at < reader->at; at++, column++)
                if (*at == '\n') {
                        n_lines++;
                        column = 0;
                }
        snprintf(text, sizeof(text), "not JSON, line %zu, column %zu: %s (%d, %.*s)", n_lines,
                column, reader->trouble, muster_result_status(result),
                type.len < 30 ? (int)type.len : 30, type.at ? type.at : "without a type");
        return muster_result_fail(result, text);
}

static uint64_t now_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int json_process(struct muster_result *result, void *unused)
{
        uint64_t start_ns = now_ns();
        struct json_tape *tape = calloc(1, sizeof(*tape));
        struct reader *reader = malloc(sizeof(*reader));
        size_t len = muster_result_body_size(result);
        int r;

        (void)unused;
        if (!tape || !reader) {
                free(reader);
                free_tape(tape);
                return muster_result_fail(result, "memory is out");
        }
        reader->tape = tape;
        reader->start = reader->at = muster_result_body(result);
        reader->end = reader->start + len;
        reader->n_open = 0;
        if (len >= 3 && memcmp(reader->at, "\xef\xbb\xbf", 3) == 0)
                reader->at += 3; /* section 8.1: it may be ignored */
        r = len >> JSON_OFFSET_BITS ? fail(reader, reader->at, "it has more than 64 GiB")
                                    : read_all(reader);
        if (r < 0) {
                r = tell(result, reader);
                free_tape(tape);
        } else {
                fit(tape);
                tape->took_ns = now_ns() - start_ns;
                muster_result_set_processed(result, tape, free_tape);
        }
        free(reader);
        return r;
}
