/* SPDX-License-Identifier: MIT */
/*
 * What a file is, before SQLite is asked to open it
 *
 * From the first bytes (https://www.sqlite.org/fileformat2.html#the_database_header), so that
 * whoever gives the wrong file is told what it is rather than that it "is not a database".
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
        FILE_OTHER,  /* not SQLite's at all */
        FILE_SQLITE, /* a database, but no record */
        FILE_RECORD, /* of this version, as far as its head goes */
        FILE_NEWER,  /* a record of a later version */
        /* a record that is shorter than its head says, and nothing is there to repair it from */
        FILE_CUT,
};

struct file_look {
        enum file_kind kind;
        int sys;          /* errno */
        uint32_t version; /* of a record */
        uint64_t bytes, full_bytes;
};

/*
 * Where a path leads to, links followed as far as there is something, and such that SQLite takes it
 * for a path, whatever it begins with: it knows ":memory:" and "file:". NULL when memory is out.
 */
char *file_path(const char *path);

/* `path` is one of file_path(). */
void file_look(const char *path, struct file_look *look);

#endif
