/* SPDX-License-Identifier: MIT */
/*
 * Bodies as files: --body DIR, or --body TEMPLATE
 *
 * DIR is short for DIR/{n}.body, with the number in six digits; body_name.h has what becomes of the
 * words of a template.
 *
 * The library writes a body to disk as it comes, in a folder of this run (scratch.h); when the
 * result is there it gets its final name. So memory stays flat, and a file of the final name is
 * always whole. A name is given once in a run: what comes second is an error, before it is asked
 * for where its name is known by then. What was there before the run is replaced, unless the server
 * chose the name (-J), or it is a file that the run itself reads or writes.
 */
#ifndef CLI_OUTPUT_BODY_FILES_H
#define CLI_OUTPUT_BODY_FILES_H

#include "body_place.h"
#include "file_place.h"
#include "name_set.h"
#include "scratch.h"
#include <base/buf.h>
#include <muster/muster.h>

struct item;

/* What else there is to be done with a file. */
struct body_file_ways {
        bool asks_response; /* {remote_name} is that of Content-Disposition, where there is one */
        bool keeps_time;    /* the file has the time of Last-Modified */
};

/* Zeroed is none. */
struct body_files {
        char *pattern;
        unsigned words;  /* that are in it: body_name.h */
        char *directory; /* the part of it that is the same for all */
        size_t made_at;  /* where in it the first folder ends that had to be made; 0: none */
        struct scratch scratch;
        struct name_set names;
        struct buf guarded; /* of struct guarded_file */
        bool is_there;
        bool in_memory; /* bodies come by the result */
        bool is_short;  /* --body DIR */
        struct body_file_ways ways;
        bool is_begun; /* from here on the folders that were made are the run's result */
};

/*
 * `in_memory`: something else needs the bodies, so they are written when the result is there.
 * MUSTER_E_INVALID for a word that does not exist, MUSTER_E_RESOURCE where the directory cannot be
 * made, with *error.
 */
int body_files_open(struct body_files *files, const char *spec, struct body_file_ways ways,
        bool in_memory, struct muster_error *error);

/* The run begins. Without that, closing removes the folders that opening made. */
void body_files_begin(struct body_files *files);
/*
 * No body may take the place of this file; `what` says what it is, and is not copied.
 * MUSTER_E_RESOURCE.
 */
int body_files_guard(struct body_files *files, struct file_place place, const char *what);
void body_files_close(struct body_files *files);

/*
 * An item will be asked for, by this URL: take its name, where that is known already.
 * MUSTER_E_INPUT with *error: another one has it, it is too long, or there is none in the URL;
 * MUSTER_E_RESOURCE.
 */
int body_files_reserve(struct body_files *files, const struct item *item, const char *url,
        struct muster_error *error);

/*
 * A file of this name is the body of a result that an earlier run left: nobody else gets the name.
 * MUSTER_E_RESOURCE.
 */
int body_files_take_old(struct body_files *files, const char *name);

/* Does every request have to be told where its body goes? */
bool body_files_wants_requests(const struct body_files *files);

/* Tell it. MUSTER_E_RESOURCE with *error. */
int body_files_attach(const struct body_files *files, struct muster_request *request, uint64_t n,
        struct muster_error *error);

/*
 * The result is there: its body gets its name, which is put, terminated, into the empty `name`.
 * Negative with *error naming the file: MUSTER_E_INPUT where another item has it,
 * MUSTER_E_RESOURCE.
 */
int body_files_name(struct body_files *files, const struct item *item, struct buf *name,
        struct muster_error *error);

#endif
