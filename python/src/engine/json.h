/* SPDX-License-Identifier: MIT */
/*
 * JSON without Python: what process="json" does on the engine's workers
 *
 * A worker may not make Python's objects, as that needs Python's lock. It does all else: checks the
 * body (RFC 8259), reads numbers, undoes escapes, and leaves a tape: words of 64 bits, one for most
 * values, in the order of the body. json_value.c makes objects of it in the thread that asks.
 *
 *      {"a": [1, 2.5]}   ▶   OBJECT 1 · KEY "a" · ARRAY 2 · SMALL 1 · REAL, its bits
 *
 * Strings stay where they lie in the body, those with escapes in the tape's text.
 */
#ifndef MUSTER_PYTHON_JSON_H
#define MUSTER_PYTHON_JSON_H

#include <muster/muster.h>
#include <stdbool.h>

#define JSON_DEPTH_MAX  1024 /* Python can make it, and print and free what it made */
#define JSON_DIGITS_MAX 4300 /* of a whole number: Python's own limit */

enum json_kind {
        JSON_NULL,
        JSON_FALSE,
        JSON_TRUE,
        JSON_SMALL,       /* a whole number that fits in the word */
        JSON_WHOLE,       /* the next word is an int64_t */
        JSON_BIG,         /* digits in the body, as with a string */
        JSON_REAL,        /* the next word is a double */
        JSON_STRING,      /* a short one, UTF-8, in the body */
        JSON_LONG_STRING, /* in the body; the next word is its length */
        JSON_TEXT,        /* in the text; the next word is its length */
        JSON_SURROGATES,  /* the same; half of a pair is in it */
        JSON_KEY,         /* a string that may be a name, with its slot among those of all bodies */
        JSON_ARRAY,       /* of so many values, which follow */
        JSON_OBJECT,      /* of so many strings, each with a value behind it */
};

/* A word: the kind in 8 bits, and 56 bits. Of a short string these are 20 and 36. */
#define JSON_PAYLOAD_BITS 56
#define JSON_OFFSET_BITS  36
#define JSON_STRING_MAX   ((1u << 20) - 1)
#define JSON_KEY_MAX      63 /* 6 bits; 14 are the slot's */
#define JSON_SLOTS        1024

struct json_tape {
        uint64_t *words;
        size_t n, room;
        char *text; /* strings that had escapes, one behind the other */
        size_t text_len, text_room;
        unsigned depth; /* the most that was open at a time */
        uint64_t took_ns;
};

static inline enum json_kind json_kind(uint64_t word)
{
        return (enum json_kind)(word >> JSON_PAYLOAD_BITS);
}

static inline uint64_t json_payload(uint64_t word)
{
        return word & ((1ull << JSON_PAYLOAD_BITS) - 1);
}

static inline size_t json_offset(uint64_t word)
{
        return word & ((1ull << JSON_OFFSET_BITS) - 1);
}

static inline size_t json_len(uint64_t word)
{
        return json_payload(word) >> JSON_OFFSET_BITS;
}

/*
 * The process function: leaves a tape with the result, or fails with the place and the reason. It
 * does not call Python.
 */
int json_process(struct muster_result *result, void *unused);

#endif
