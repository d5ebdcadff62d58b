/* SPDX-License-Identifier: MIT */
/*
 * What a file is, before SQLite opens it
 *
 * It is told from the first bytes (https://www.sqlite.org/fileformat2.html#the_database_header). So
 * the error about a wrong file can say what it is, rather than that it "is not a database".
 */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

#include <muster/error.h>
#include <stdbool.h>
#include <stdint.h>

enum file_kind {
        FILE_MISSING,
        FILE_UNREADABLE, /* see `sys` */
        FILE_EMPTY,
        FILE_OTHER,  /* not a database of SQLite */
        FILE_SQLITE, /* a database, but no record */
        FILE_RECORD, /* a record of this version, by its head */
        FILE_NEWER,  /* a record of a later version */
        /* a record shorter than its head says, without a journal to repair it */
        FILE_CUT,
};

struct file_look {
        enum file_kind kind;
        int sys;          /* errno */
        uint32_t version; /* of a record */
        uint64_t bytes, full_bytes;
};

/*
 * The path with links followed as far as they lead to something, in a form that SQLite takes for a
 * path: it gives ":memory:" and "file:" a meaning of their own. NULL if memory is out.
 */
char *file_path(const char *path);

/* Find out what a file is. `path` is from file_path(). */
void file_look(const char *path, struct file_look *look);

#endif
