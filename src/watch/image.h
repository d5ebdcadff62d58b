/* SPDX-License-Identifier: MIT */
/*
 * What kind of program a file is, from its beginning
 *
 * The loader puts the shim into a program. A file that has no loader, or another one, or whose code
 * asks the kernel past the C library as Go's does, is to be told beforehand: by the command for
 * what it runs, and by the shim for what a watched program runs. So this sees bytes alone, allocates
 * nothing, and calls nothing that a child of vfork() may not. The bytes may be anything.
 */
#ifndef WATCH_IMAGE_H
#define WATCH_IMAGE_H

#include <stddef.h>

#define IMAGE_HEAD_BYTES 4096 /* program headers, and the notes of Go, are in the first page */
#define IMAGE_LINE_MAX   256  /* of a #! line, as the kernel reads it */
#define IMAGE_SCRIPTS    4    /* the kernel follows as many #! lines */

enum image_kind {
        IMAGE_OTHER,   /* no ELF file: a script, or nothing that is known */
        IMAGE_DYNAMIC, /* the loader takes the shim */
        IMAGE_STATIC,  /* there is no loader */
        IMAGE_GO,      /* it asks the kernel itself, without libc */
        IMAGE_FOREIGN, /* of another machine, or another C library: the shim would not fit */
};

enum image_kind image_kind(const void *head, size_t n);

/*
 * Who runs a script: the first word of its #! line, which is kept in `line`. *ret_rest is what
 * stands behind it. NULL: it is no script, or names nobody.
 */
char *image_interpreter(const void *head, size_t n, char line[IMAGE_LINE_MAX], char **ret_rest);

/* The first word of a text, which is ended there; *rest goes behind it. "" at the end. */
char *image_word(char **rest);

#endif
