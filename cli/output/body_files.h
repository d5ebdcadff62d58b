/* SPDX-License-Identifier: MIT */
/*
 * Bodies as files: --body DIR, or --body TEMPLATE
 *
 * DIR is short for DIR/{n}.body, with the number in six digits. In a template {n} is the input item's number, {id} its id, {host} the host that
 * answered and {sha256} the hash of the body; characters of these that are not fit for a file's name become "_".
 *
 * The library writes a body to disk as it comes, under a name of its own; when the result is there it gets its final name. So memory stays
 * flat, and a file of the final name is always whole.
 */
#ifndef CLI_OUTPUT_BODY_FILES_H
#define CLI_OUTPUT_BODY_FILES_H

#include <base/buf.h>
#include <muster/muster.h>

struct item;

/* Zeroed is none. */
struct body_files {
        char *pattern;
        char *directory; /* the part of it that is the same for all; where bodies are until they are whole */
        bool is_there;
        bool in_memory; /* bodies come by the result */
        bool is_short;  /* --body DIR: names are told without the directory */
};

/*
 * `in_memory`: something else needs the bodies, so they are written when the result is there. MUSTER_E_INVALID for a word that does not exist,
 * MUSTER_E_RESOURCE where the directory cannot be made, with *error.
 */
int body_files_open(struct body_files *files, const char *spec, bool in_memory,
                    struct muster_error *error);
void body_files_close(struct body_files *files);

/* Does every request have to be told where its body goes? */
bool body_files_wants_requests(const struct body_files *files);

/* Tell it. MUSTER_E_RESOURCE with *error. */
int body_files_attach(const struct body_files *files, struct muster_request *request, uint64_t n,
                      struct muster_error *error);

/*
 * The result is there: its body gets its name, which is put, terminated, into the empty `name`. MUSTER_E_RESOURCE with *error naming
 * the file.
 */
int body_files_name(const struct body_files *files, const struct item *item, struct buf *name,
                    struct muster_error *error);

#endif
