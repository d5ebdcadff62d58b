/* SPDX-License-Identifier: MIT */
#include "file.h"

#include "schema.h"
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 100
/* Places in the head. */
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

/* A program that was killed leaves the journal of what it had begun: what is missing then, SQLite repairs. */
static bool has_journal(const char *path)
{
        char journal[4096 + 16];
        struct stat status;
        int n = snprintf(journal, sizeof(journal), "%s-journal", path);

        return n > 0 && (size_t)n < sizeof(journal) && stat(journal, &status) == 0 &&
               status.st_size > 0;
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
        /* The number of pages is to be trusted only when it was written with the last change. */
        if (number_at(head, CHANGES_AT) == number_at(head, VALID_FOR_AT))
                look->full_bytes = page_bytes(head) * number_at(head, PAGES_AT);
        return look->bytes < look->full_bytes && !has_journal(path) ? FILE_CUT : FILE_RECORD;
}

static enum file_kind look_into(const char *path, int fd, struct file_look *look)
{
        unsigned char head[HEAD_BYTES];
        struct stat status;
        ssize_t n;

        if (fstat(fd, &status) < 0 || (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)))
                return FILE_OTHER;
        look->bytes = (uint64_t)status.st_size;
        n = pread(fd, head, sizeof(head), 0);
        if (n < 0) {
                look->sys = errno;
                return FILE_UNREADABLE;
        }
        if (n == 0)
                return FILE_EMPTY;
        return (size_t)n < sizeof(head) ? FILE_OTHER : kind_of_head(path, head, look);
}

void file_look(const char *path, struct file_look *look)
{
        /* What has no reader or writer on its other end is not waited for. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        *look = (struct file_look){ 0 };
        if (fd < 0) {
                look->sys = errno;
                look->kind = errno == ENOENT ? FILE_MISSING : FILE_UNREADABLE;
                return;
        }
        look->kind = look_into(path, fd, look);
        close(fd);
}

char *file_path(const char *path)
{
        size_t bytes = strlen(path) + sizeof("./");
        char *safe = mem_alloc(bytes);

        if (safe)
                snprintf(safe, bytes, "%s%s", path[0] == '/' ? "" : "./", path);
        return safe;
}
