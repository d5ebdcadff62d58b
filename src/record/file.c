/* SPDX-License-Identifier: MIT */
/*
 * Nothing here opens a record; only SQLite does. A process that closes any descriptor of a file
 * loses all its locks on it, and this process may be writing the record. SQLite knows its own
 * locks, and closes a file when the last of them is gone (https://www.sqlite.org/howtocorrupt.html,
 * 2.2).
 */
#include "file.h"

#include "schema.h"
#include <base/mem.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD_BYTES 100
/* Offsets in the head. */
#define PAGE_SIZE_AT      16
#define CHANGES_AT        24
#define PAGES_AT          28
#define USER_VERSION_AT   60
#define APPLICATION_ID_AT 68
#define VALID_FOR_AT      92

static uint32_t number_at(const unsigned char *head, size_t at)
{
        return (uint32_t)head[at] << 24 | (uint32_t)head[at + 1] << 16 |
               (uint32_t)head[at + 2] << 8 | head[at + 3];
}

static uint64_t page_bytes(const unsigned char *head)
{
        uint32_t bytes = (uint32_t)head[PAGE_SIZE_AT] << 8 | head[PAGE_SIZE_AT + 1];

        return bytes == 1 ? 65536 : bytes;
}

/* Is there a journal? A killed program leaves one, and SQLite repairs the file from it. */
static bool has_journal(const char *path)
{
        char journal[4096 + 16];
        struct stat status;
        int n = snprintf(journal, sizeof(journal), "%s-journal", path);

        return n > 0 && (size_t)n < sizeof(journal) && stat(journal, &status) == 0 &&
               status.st_size > 0;
}

/*
 * Is the file cut off? Looks for the journal first: while a writer adds something, it is there
 * until the file is complete.
 */
static bool is_cut(const char *path, struct file_look *look)
{
        struct stat status;

        if (has_journal(path) || stat(path, &status) < 0)
                return false;
        look->bytes = (uint64_t)status.st_size;
        return look->bytes < look->full_bytes;
}

static enum file_kind kind_of_head(const char *path, const unsigned char *head,
        struct file_look *look)
{
        if (memcmp(head, "SQLite format 3", 16) != 0)
                return FILE_OTHER;
        look->version = number_at(head, USER_VERSION_AT);
        if (number_at(head, APPLICATION_ID_AT) != SCHEMA_APPLICATION_ID)
                return FILE_SQLITE;
        if (look->version > SCHEMA_VERSION)
                return FILE_NEWER;
        /* The number of pages is valid only if it was written with the last change. */
        if (number_at(head, CHANGES_AT) == number_at(head, VALID_FOR_AT))
                look->full_bytes = page_bytes(head) * number_at(head, PAGES_AT);
        return is_cut(path, look) ? FILE_CUT : FILE_RECORD;
}

/* Read the head. Returns SQLite's code; *ret_sys is an errno or 0. */
static int read_head(const char *path, unsigned char *head, int *ret_sys)
{
        sqlite3_file *file;
        sqlite3 *db = NULL;
        int r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

        *ret_sys = r == SQLITE_OK ? 0 : sqlite3_system_errno(db);
        if (r == SQLITE_OK)
                r = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
        if (r == SQLITE_OK) {
                r = file->pMethods->xRead(file, head, HEAD_BYTES, 0);
                sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, ret_sys);
        }
        sqlite3_close(db);
        return r;
}

static enum file_kind look_into(const char *path, struct file_look *look)
{
        unsigned char head[HEAD_BYTES];
        int r = read_head(path, head, &look->sys);

        if (r == SQLITE_OK)
                return kind_of_head(path, head, look);
        return r == SQLITE_IOERR_SHORT_READ ? FILE_OTHER : FILE_UNREADABLE;
}

static enum file_kind kind_of(const char *path, struct file_look *look)
{
        struct stat status;

        if (stat(path, &status) < 0) {
                look->sys = errno;
                return errno == ENOENT ? FILE_MISSING : FILE_UNREADABLE;
        }
        if (S_ISDIR(status.st_mode)) {
                look->sys = EISDIR;
                return FILE_UNREADABLE;
        }
        if (!S_ISREG(status.st_mode))
                return FILE_OTHER;
        return status.st_size ? look_into(path, look) : FILE_EMPTY;
}

void file_look(const char *path, struct file_look *look)
{
        *look = (struct file_look){ 0 };
        look->kind = kind_of(path, look);
        if (look->kind == FILE_UNREADABLE && !look->sys)
                look->sys = EIO;
}

char *file_path(const char *path)
{
        char full[PATH_MAX];
        size_t bytes = strlen(path) + sizeof("./");
        char *safe;

        if (realpath(path, full))
                return mem_strdup(full);
        safe = mem_alloc(bytes);
        if (safe)
                snprintf(safe, bytes, "%s%s", path[0] == '/' ? "" : "./", path);
        return safe;
}
