/* SPDX-License-Identifier: MIT */
/*
 * What -F says, taken apart as curl does it
 *
 *      NAME=CONTENT   NAME=@FILE[,FILE...]   NAME=<FILE   NAME=(   =)
 *
 * Each content or file may be followed by ";type=", ";filename=", ";headers=" and ";encoder=". Any
 * of these may be quoted: then ";" and "," are text, and a backslash goes before a quote or another
 * backslash.
 */
#ifndef CLI_OPTION_FORM_SPEC_H
#define CLI_OPTION_FORM_SPEC_H

#include <base/buf.h>

enum form_spec_kind {
        FORM_SPEC_TEXT,    /* a content that is given */
        FORM_SPEC_FILES,   /* "@": files, with their names */
        FORM_SPEC_CONTENT, /* "<": what is in a file */
        FORM_SPEC_BEGIN,   /* "(": a part of parts */
        FORM_SPEC_END,     /* ")" */
};

struct form_spec_part {
        const char *content; /* the text, or the path */
        const char *filename, *type, *encoder;
        struct buf headers; /* of const char *: lines */
};

/* Zeroed is empty. All text belongs to it. */
struct form_spec {
        enum form_spec_kind kind;
        const char *name; /* NULL: none */
        struct buf parts; /* of struct form_spec_part: several for FILES, none for END */
        char *text;       /* what was given, cut into pieces */
        struct buf files; /* of char *: what was read for "headers=@FILE" */
};

static inline size_t form_spec_n_parts(const struct form_spec *spec)
{
        return spec->parts.len / sizeof(struct form_spec_part);
}

static inline struct form_spec_part *form_spec_part(const struct form_spec *spec, size_t i)
{
        return &((struct form_spec_part *)(void *)spec->parts.at)[i];
}

/*
 * Take an argument apart. `is_literal`: after "NAME=" all is content, as --form-string has it.
 * MUSTER_E_INVALID, MUSTER_E_INPUT (a file of headers), MUSTER_E_RESOURCE with *error; deinit is
 * needed in any case.
 */
int form_spec_parse(struct form_spec *spec, const char *argument, bool is_literal,
        struct muster_error *error);
void form_spec_deinit(struct form_spec *spec);

#endif
