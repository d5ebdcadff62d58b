/* SPDX-License-Identifier: MIT */
#include "place.h"

#include <base/error.h>
#include <base/fd.h>
#include <base/mem.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <time.h>
#include <watch/door.h>

#define NAME         "muster-watch-"
#define IN_MEMORY    "/dev/shm"
#define ROOM_BYTES   (UINT64_C(256) << 20) /* less in memory, and a disk is the safer place */
#define NEW_S        10                    /* a folder so young may still be without its lock */
#define SURROUNDINGS (256 * 1024)          /* of a process, as much is looked through */
/* Only we see what is in it. A program that goes on as another user finds the parts by their names. */
#define PASSABLE 0711

/* --- processes ------------------------------------------------------------------------------- */

static bool starts_with(const char *name, const char *prefix)
{
        return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Does it have our folder in its environment? One that ended has none any more. */
static bool is_watched_from(const char *folder, const char *pid, char *text)
{
        char path[40], wanted[TEMPORARY_PATH_MAX + 16];
        int n = snprintf(wanted, sizeof(wanted), "MUSTER_WATCH=%s", folder);
        ssize_t len;
        int fd;

        snprintf(path, sizeof(path), "/proc/%.16s/environ", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        len = fd >= 0 ? read(fd, text, SURROUNDINGS) : -1;
        fd_close(&fd);
        /* With the NUL that ends it: one folder's name may begin another's. */
        return len > 0 && memmem(text, (size_t)len, wanted, (size_t)n + 1);
}

/* Not all of them have a log: one that did nothing yet has none. */
static size_t each_process_of(const char *folder, void (*visit)(pid_t pid, void *data), void *data)
{
        char *text = mem_array(SURROUNDINGS, 1);
        DIR *directory = text ? opendir("/proc") : NULL;
        struct dirent *entry;
        size_t n = 0;

        while (directory && (entry = readdir(directory))) {
                if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
                        !is_watched_from(folder, entry->d_name, text))
                        continue;
                n++;
                if (visit)
                        visit((pid_t)strtol(entry->d_name, NULL, 10), data);
        }
        if (directory)
                closedir(directory);
        mem_free(text);
        return n;
}

size_t place_each_process(const struct place *place, void (*visit)(pid_t pid, void *data),
        void *data)
{
        return place->folder[0] ? each_process_of(place->folder, visit, data) : 0;
}

/* --- removing -------------------------------------------------------------------------------- */

/* All files in it; or those that nobody but us needs. */
static void remove_files(const char *folder, bool keeps_links)
{
        DIR *directory = opendir(folder);
        struct dirent *entry;

        while (directory && (entry = readdir(directory)))
                if (!keeps_links || entry->d_type != DT_LNK)
                        unlinkat(dirfd(directory), entry->d_name, 0);
        if (directory)
                closedir(directory);
}

static void remove_folder(const char *folder)
{
        chmod(folder, 0700);
        remove_files(folder, false);
        rmdir(folder);
}

void place_deinit(struct place *place)
{
        if (place->folder[0] && each_process_of(place->folder, NULL, NULL)) {
                remove_files(place->folder, true);
                chmod(place->folder, PASSABLE & ~0200);
        } else if (place->folder[0]) {
                remove_folder(place->folder);
        }
        place->folder[0] = '\0';
        fd_close(&place->lock_fd);
}

/* --- what others have left ------------------------------------------------------------------- */

static bool is_left_behind(int parent_fd, const char *name)
{
        int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status;
        bool is_free;

        if (fd < 0)
                return false;
        is_free = fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
                  status.st_mtime + NEW_S < time(NULL) && flock(fd, LOCK_EX | LOCK_NB) == 0;
        close(fd);
        return is_free;
}

static void sweep(const char *parent)
{
        DIR *directory = opendir(parent);
        char folder[TEMPORARY_PATH_MAX + 256];
        struct dirent *entry;

        while (directory && (entry = readdir(directory))) {
                if (!starts_with(entry->d_name, NAME) ||
                        !is_left_behind(dirfd(directory), entry->d_name))
                        continue;
                snprintf(folder, sizeof(folder), "%s/%s", parent, entry->d_name);
                if (!each_process_of(folder, NULL, NULL))
                        remove_folder(folder);
        }
        if (directory)
                closedir(directory);
}

/* --- making ---------------------------------------------------------------------------------- */

/* Neither LD_PRELOAD nor NODE_OPTIONS know of quotes, and a socket's address is short. */
static bool is_plain(const char *folder)
{
        static const char longest[] = "/" NAME "XXXXXX/" DOOR_NAME;
        static const struct sockaddr_un address;

        return *folder == '/' && !strpbrk(folder, " \t\r\n:;\"'\\") &&
               strlen(folder) + sizeof(longest) <= sizeof(address.sun_path);
}

static bool has_room_in_memory(void)
{
        struct statvfs status;

        return statvfs(IN_MEMORY, &status) == 0 &&
               (uint64_t)status.f_bavail * status.f_frsize >= ROOM_BYTES;
}

static bool make_in(struct place *place, const char *parent)
{
        snprintf(place->folder, sizeof(place->folder), "%s/" NAME "XXXXXX", parent);
        if (mkdtemp(place->folder)) {
                chmod(place->folder, PASSABLE);
                sweep(parent);
                return true;
        }
        place->folder[0] = '\0';
        return false;
}

static int make(struct place *place, struct muster_error *error)
{
        const char *parent = getenv("TMPDIR");

        if (has_room_in_memory() && make_in(place, IN_MEMORY))
                return 0;
        if (!parent || !is_plain(parent))
                parent = "/tmp";
        if (make_in(place, parent))
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "cannot create a directory in %s: %s; set TMPDIR to another", parent,
                error_sys_text(errno));
}

static bool make_link(const struct place *place, const char *name, const char *target)
{
        char path[TEMPORARY_PATH_MAX + 32];

        snprintf(path, sizeof(path), "%s/%s", place->folder, name);
        return *target && symlink(target, path) == 0;
}

int place_init(struct place *place, const struct parts *parts, bool no_hooks,
        struct muster_error *error)
{
        int r;

        *place = (struct place){ .lock_fd = -1 };
        r = make(place, error);
        if (r < 0)
                return r;
        place->lock_fd = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (place->lock_fd < 0 || flock(place->lock_fd, LOCK_EX | LOCK_NB) < 0 ||
                !make_link(place, "shim.so", parts->shim)) {
                r = error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                        "cannot use %s: %s", place->folder, error_sys_text(errno));
                place_deinit(place);
                return r;
        }
        place->has_python = !no_hooks && make_link(place, "python", parts->python);
        place->has_node = !no_hooks && make_link(place, "node", parts->node);
        return 0;
}
