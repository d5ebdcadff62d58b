/* SPDX-License-Identifier: MIT */
#include "outside.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "raw.h"
#include "shim.h"
#include "watch/door.h"
#include "watch/image.h"

struct outside {
        enum image_kind kind;
        char path[PATH_MAX];
        char head[IMAGE_HEAD_BYTES];
        char line[IMAGE_LINE_MAX];
};

/* --- finding --------------------------------------------------------------------------------- */

static bool may_run(const char *path)
{
        return raw3(SYS_faccessat, AT_FDCWD, raw_address(path), X_OK) == 0;
}

static bool put(char path[PATH_MAX], const char *folder, size_t n_folder, const char *name)
{
        size_t n = strlen(name);

        if (n_folder + n + 2 > PATH_MAX)
                return false;
        memcpy(path, folder, n_folder);
        if (n_folder)
                path[n_folder++] = '/';
        memcpy(path + n_folder, name, n + 1);
        return true;
}

/* As execvp() does: an empty folder is the current one. */
static bool find(char path[PATH_MAX], const char *name, bool in_path)
{
        const char *at = getenv("PATH");

        if (!in_path || strchr(name, '/'))
                return put(path, "", 0, name) && may_run(path);
        for (at = at ? at : "/bin:/usr/bin"; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL)
                if (put(path, at, strcspn(at, ":"), name) && may_run(path))
                        return true;
        return false;
}

/* --- looking --------------------------------------------------------------------------------- */

/* With more rights than we have, it would lose them by the filter. */
static bool has_more_rights(long fd)
{
        struct stat status;
        char capabilities[64];

        return raw3(SYS_fstat, fd, raw_address(&status), 0) < 0 ||
               status.st_mode & (S_ISUID | S_ISGID) ||
               raw4(SYS_fgetxattr, fd, raw_address("security.capability"),
                       raw_address(capabilities), sizeof capabilities) > 0;
}

static bool is_outside(enum image_kind kind)
{
        return kind == IMAGE_STATIC || kind == IMAGE_GO || kind == IMAGE_FOREIGN;
}

/* Returns how much was read. One that would have us wait, as a pipe, is no program. */
static long read_head(struct outside *outside)
{
        long fd = raw4(SYS_openat, AT_FDCWD, raw_address(outside->path),
                O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        long n;

        if (fd < 0)
                return -1;
        n = raw4(SYS_pread64, fd, raw_address(outside->head), sizeof outside->head, 0);
        outside->kind = n > 0 ? image_kind(outside->head, (size_t)n) : IMAGE_OTHER;
        if (is_outside(outside->kind) && has_more_rights(fd))
                outside->kind = IMAGE_DYNAMIC;
        raw1(SYS_close, fd);
        return n;
}

/* Through its #! lines. */
static bool look(struct outside *outside, const char *name, bool in_path)
{
        char *rest;

        if (!find(outside->path, name, in_path))
                return false;
        for (int i = 0; i <= IMAGE_SCRIPTS; i++) {
                long n = read_head(outside);
                const char *interpreter;

                if (n <= 0 || outside->kind != IMAGE_OTHER)
                        return n > 0 && is_outside(outside->kind);
                interpreter = image_interpreter(outside->head, (size_t)n, outside->line, &rest);
                if (!interpreter || !put(outside->path, "", 0, interpreter))
                        return false;
        }
        return false;
}

struct outside *outside_look(const char *name, bool in_path)
{
        struct outside *outside;
        long room;

        if (!shim.is_on || shim.is_sealed || !name)
                return NULL;
        room = raw6(SYS_mmap, 0, sizeof *outside, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room < 0 && room > -4096)
                return NULL;
        outside = (struct outside *)(uintptr_t)room;
        if (look(outside, name, in_path))
                return outside;
        outside_free(outside);
        return NULL;
}

void outside_free(struct outside *outside)
{
        if (outside)
                raw3(SYS_munmap, raw_address(outside), sizeof *outside, 0);
}

/* --- becoming -------------------------------------------------------------------------------- */

void outside_become(const struct outside *outside)
{
        door_knock(shim.folder, outside->kind, outside->path, raw6);
}

void outside_exec(const char *name, bool in_path)
{
        struct outside *outside = outside_look(name, in_path);

        if (outside)
                outside_become(outside);
        outside_free(outside);
}
