/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES   16 /* others may remove the folder while it has no lock yet */
#define RUN_LEN 6  /* of mkdtemp()'s XXXXXX */

#define NOT_OURS (-1) /* beside an errno: who else may write there is not known */

static int fail_to_make(const char *path, int sys, struct muster_error *error)
{
        if (sys == NOT_OURS)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                        "resource: %s is there and others may change it, or it is no directory; remove it, or have bodies in another directory",
                        path);
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys,
                "resource: cannot create the directory %s: %s", path, strerrordesc_np(sys));
}

/* --- removing -------------------------------------------------------------------------------- */

/* "17", which is whole, or "17.0a1b2c3d.part", which the library was writing. */
static bool is_ours(const char *name)
{
        size_t n_digits = strspn(name, "0123456789");
        const char *rest = name + n_digits;

        if (!n_digits)
                return false;
        return !*rest || (rest[0] == '.' && strspn(rest + 1, "0123456789abcdef") == 8 &&
                                 strcmp(rest + 9, ".part") == 0);
}

/* All files of ours in the folder. What else is there stays, and with it the folder. */
static void remove_files(int fd)
{
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
        const struct dirent *entry;

        if (!folder) {
                if (copy >= 0)
                        close(copy);
                return;
        }
        rewinddir(folder);
        while ((entry = readdir(folder)))
                if (is_ours(entry->d_name))
                        unlinkat(fd, entry->d_name, 0);
        closedir(folder);
}

/* Is it a folder of this user's that no living run holds? Then its lock is ours. */
static bool is_abandoned(int fd)
{
        struct stat status;

        return fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
               flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void remove_abandoned(int folder, const char *name)
{
        int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return;
        if (is_abandoned(fd)) {
                remove_files(fd);
                unlinkat(folder, name, AT_REMOVEDIR);
        }
        close(fd);
}

static bool is_run(const char *name)
{
        return strlen(name) == RUN_LEN &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") ==
                       RUN_LEN;
}

/* What runs left that were killed. */
static void sweep(const char *path)
{
        DIR *folder = opendir(path);
        const struct dirent *entry;

        while (folder && (entry = readdir(folder)))
                if (is_run(entry->d_name))
                        remove_abandoned(dirfd(folder), entry->d_name);
        if (folder)
                closedir(folder);
}

/* --- opening --------------------------------------------------------------------------------- */

/* Nobody has removed it between its making and its lock? */
static bool is_still_there(const struct scratch *scratch)
{
        struct stat named, open;

        return stat(scratch->path, &named) == 0 && fstat(scratch->fd, &open) == 0 &&
               named.st_ino == open.st_ino && named.st_dev == open.st_dev;
}

/*
 * Make the user's folder, or use the one that is there. Where others may write as well, one of them
 * could have put it there, to change what is written: NOT_OURS.
 */
static int make_folder(char *folder)
{
        char *slash = folder + strlen(folder) - 1;
        struct stat status;
        int sys = 0;

        if (mkdir(folder, 0700) == 0)
                return 0;
        if (errno != EEXIST)
                return errno;
        *slash = '\0'; /* else a link would be followed */
        if (lstat(folder, &status) < 0)
                sys = errno;
        else if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() ||
                 (status.st_mode & (S_IWGRP | S_IWOTH)))
                sys = NOT_OURS;
        *slash = '/';
        return sys;
}

/* 0: made and locked. EAGAIN: somebody removed it. Else an errno. */
static int try_make(struct scratch *scratch)
{
        char *slash = scratch->path + strlen(scratch->path) - 1;
        int sys = make_folder(scratch->folder);

        memcpy(slash - RUN_LEN, "XXXXXX", RUN_LEN);
        *slash = '\0';
        if (!sys && !mkdtemp(scratch->path))
                sys = errno;
        *slash = '/';
        if (sys)
                return sys == ENOENT ? EAGAIN : sys;
        scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (scratch->fd < 0)
                return errno == ENOENT ? EAGAIN : errno;
        /*
         * Where a file system has no such locks nobody can take one either, and what is left behind
         * stays.
         */
        if ((flock(scratch->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
                is_still_there(scratch))
                return 0;
        close(scratch->fd);
        scratch->fd = -1;
        return EAGAIN;
}

static int make(struct scratch *scratch, struct muster_error *error)
{
        int sys = EAGAIN;

        if (make_folder(scratch->folder) == 0)
                sweep(scratch->folder);
        for (int i = 0; i < TRIES && sys == EAGAIN; i++)
                sys = try_make(scratch);
        if (sys == 0)
                return 0;
        rmdir(scratch->folder); /* where it is empty */
        fail_to_make(scratch->folder, sys, error);
        scratch->path = mem_free(scratch->path);
        scratch->folder = mem_free(scratch->folder);
        return MUSTER_E_RESOURCE;
}

int scratch_open(struct scratch *scratch, const char *directory, struct muster_error *error)
{
        size_t size = strlen(directory) + 64;

        *scratch = (struct scratch){ .folder = mem_alloc(size), .path = mem_alloc(size), .fd = -1 };
        if (!scratch->folder || !scratch->path) {
                scratch->folder = mem_free(scratch->folder);
                scratch->path = mem_free(scratch->path);
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        snprintf(scratch->folder, size, "%s.muster-%u/", directory, (unsigned)geteuid());
        snprintf(scratch->path, size, "%sXXXXXX/", scratch->folder);
        return make(scratch, error);
}

void scratch_close(struct scratch *scratch)
{
        if (!scratch->path)
                return;
        remove_files(scratch->fd);
        rmdir(scratch->path);
        rmdir(scratch->folder); /* stays while another run has a folder in it */
        close(scratch->fd);
        scratch->path = mem_free(scratch->path);
        scratch->folder = mem_free(scratch->folder);
}

void scratch_file(const struct scratch *scratch, uint64_t n, char *path, size_t size)
{
        snprintf(path, size, "%s%" PRIu64, scratch->path, n);
}
