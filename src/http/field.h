/* SPDX-License-Identifier: MIT */
/*
 * Header fields (RFC 9110 section 5)
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <base/buf.h>
#include <muster/error.h>

/*
 * A field's place in the head it was read from: 8 bytes less than two pointers with lengths, and it
 * survives copying the head.
 */
struct field {
        uint32_t name_at, name_len;
        uint32_t value_at, value_len;
};

/* A head and where its fields are; borrowed. */
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

/* The value of the first field of that name, at NULL when there is none. */
struct muster_str fields_find(const struct fields *fields, const char *name);

/*
 * Step through the members of all fields of that name as one comma-separated list (RFC 9110 section
 * 5.6.1), empty members left out and quoted strings kept whole. Start with a zeroed iterator; false
 * at the end.
 */
struct field_members {
        size_t field;
        size_t at;
};
bool fields_next_member(const struct fields *fields, const char *name, struct field_members *iter,
        struct muster_str *ret_member);

/* Is `token` (any case) a member of that list? Parameters (";...") are not looked at. */
bool fields_has_token(const struct fields *fields, const char *name, const char *token);

/* tchar only, at least one (RFC 9110 section 5.6.2). */
bool field_is_token(struct muster_str text);

/* No CR, LF or NUL, nor any other control character but tab: may be sent as a field's value. */
bool field_is_value(struct muster_str text);

/*
 * Retry-After (RFC 9110 section 10.2.3): seconds, or a date in any of the three forms (section
 * 5.6.7), relative to `now_s` (Unix time). False when it is neither. A date in the past is 0. Never
 * more than 10 years.
 */
bool field_retry_after(struct muster_str value, int64_t now_s, uint64_t *ret_seconds);

#endif
