/* SPDX-License-Identifier: MIT */
/*
 * Header fields (RFC 9110 section 5)
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <base/buf.h>
#include <muster/error.h>

/*
 * A field's place in its head: smaller than two pointers with lengths, and still valid after the
 * head is copied.
 */
struct field {
        uint32_t name_at, name_len;
        uint32_t value_at, value_len;
};

/* A head and the places of its fields; borrowed. */
struct fields {
        const char *head;
        const struct field *list;
        size_t n;
};

static inline struct muster_str field_name(const struct fields *fields, size_t i)
{
        return (struct muster_str){ fields->head + fields->list[i].name_at,
                fields->list[i].name_len };
}

static inline struct muster_str field_value(const struct fields *fields, size_t i)
{
        return (struct muster_str){ fields->head + fields->list[i].value_at,
                fields->list[i].value_len };
}

/* The value of the first field of that name; `at` is NULL if there is none. */
struct muster_str fields_find(const struct fields *fields, const char *name);

/*
 * Step through the members of all fields of that name, taken as one comma-separated list (RFC 9110
 * section 5.6.1). Empty members are left out and quoted strings stay whole. Start with a zeroed
 * iterator; false at the end.
 */
struct field_members {
        size_t field;
        size_t at;
};
bool fields_next_member(const struct fields *fields, const char *name, struct field_members *iter,
        struct muster_str *ret_member);

/* Is `token` (any case) a member of that list? Parameters (";...") are ignored. */
bool fields_has_token(const struct fields *fields, const char *name, const char *token);

/* How many characters of a token the text begins with. */
size_t field_token_length(struct muster_str text);

/* Is the text a token: tchar only, at least one (RFC 9110 section 5.6.2)? */
bool field_is_token(struct muster_str text);

/*
 * May the text be sent as a field's value? It has no CR, LF or NUL, nor any other control character
 * but tab.
 */
bool field_is_value(struct muster_str text);

/*
 * Parse a date in the preferred form or one of the two obsolete ones (RFC 9110 section 5.6.7), such
 * as Last-Modified has. False if it is none. *ret_s is Unix time.
 */
bool field_date(struct muster_str value, int64_t *ret_s);

/*
 * Parse Retry-After (RFC 9110 section 10.2.3): seconds, or a date, which is made relative to `now_s` (Unix time). False if it is neither. A date in
 * the past is 0. Never more than 10 years.
 */
bool field_retry_after(struct muster_str value, int64_t now_s, uint64_t *ret_seconds);

#endif
