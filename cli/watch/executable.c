/* SPDX-License-Identifier: MIT */
#include "executable.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The beginning of a file. */
struct head {
        char at[IMAGE_HEAD_BYTES];
        size_t len;
};

/* --- finding --------------------------------------------------------------------------------- */

static bool is_executable_file(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool find_in_path(char found[PATH_MAX], const char *name)
{
        const char *at = getenv("PATH");

        for (at = at ? at : "/bin:/usr/bin"; at;
                at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
                int len = (int)strcspn(at, ":");
                int n = snprintf(found, PATH_MAX, "%.*s%s%s", len, at, len ? "/" : "./", name);

                if (n > 0 && n < PATH_MAX && is_executable_file(found))
                        return true;
        }
        return false;
}

static bool find(char found[PATH_MAX], const char *name)
{
        if (!strchr(name, '/'))
                return *name && find_in_path(found, name);
        if (strlen(name) >= PATH_MAX || !is_executable_file(name))
                return false;
        strcpy(found, name);
        return true;
}

static bool read_head(struct head *head, const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? pread(fd, head->at, sizeof(head->at), 0) : -1;

        if (fd >= 0)
                close(fd);
        head->len = n > 0 ? (size_t)n : 0;
        return n > 0;
}

/* --- scripts --------------------------------------------------------------------------------- */

/* "#!/usr/bin/env -S VARIABLE=1 python3 -u": the program is the first word that is none of env's. */
static const char *skip_env(const char *interpreter, char *rest)
{
        const char *name = strrchr(interpreter, '/');
        const char *word;

        if (strcmp(name ? name + 1 : interpreter, "env") != 0)
                return interpreter;
        do
                word = image_word(&rest);
        while (*word == '-' || strchr(word, '='));
        return *word ? word : interpreter;
}

/* Who runs a script; false: it is none, or nobody is found. */
static bool find_interpreter(char found[PATH_MAX], const struct head *head)
{
        char line[IMAGE_LINE_MAX], *rest;
        const char *interpreter = image_interpreter(head->at, head->len, line, &rest);

        return interpreter && find(found, skip_env(interpreter, rest));
}

/* --- rights ---------------------------------------------------------------------------------- */

/* Then the loader trusts none of the environment. */
static bool has_more_rights(const char *path)
{
        struct stat status;
        char capabilities[64];

        if (stat(path, &status) < 0)
                return false;
        if ((status.st_mode & S_ISUID) && status.st_uid != getuid())
                return true;
        if ((status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getgid())
                return true;
        return getuid() != 0 &&
               getxattr(path, "security.capability", capabilities, sizeof(capabilities)) > 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

enum executable_kind executable_kind_of(enum image_kind kind)
{
        switch (kind) {
        case IMAGE_OTHER:
                return EXECUTABLE_UNKNOWN;
        case IMAGE_DYNAMIC:
                return EXECUTABLE_DYNAMIC;
        case IMAGE_STATIC:
                return EXECUTABLE_STATIC;
        case IMAGE_GO:
                return EXECUTABLE_GO;
        case IMAGE_FOREIGN:
                return EXECUTABLE_FOREIGN;
        }
        return EXECUTABLE_UNKNOWN; /* it came from another process */
}

enum image_kind executable_image(enum executable_kind kind)
{
        switch (kind) {
        case EXECUTABLE_UNKNOWN:
                return IMAGE_OTHER;
        case EXECUTABLE_DYNAMIC:
        case EXECUTABLE_SETUID:
                return IMAGE_DYNAMIC;
        case EXECUTABLE_STATIC:
                return IMAGE_STATIC;
        case EXECUTABLE_GO:
                return IMAGE_GO;
        case EXECUTABLE_FOREIGN:
                return IMAGE_FOREIGN;
        }
        return IMAGE_OTHER;
}

struct executable executable_look(const char *name)
{
        struct executable executable = { .kind = EXECUTABLE_UNKNOWN };
        struct head head;
        bool is_read = find(executable.path, name) && read_head(&head, executable.path);

        for (int i = 0; is_read && i < IMAGE_SCRIPTS && find_interpreter(executable.path, &head);
                i++)
                is_read = read_head(&head, executable.path);
        if (!is_read)
                return executable;
        executable.kind = executable_kind_of(image_kind(head.at, head.len));
        if (executable.kind == EXECUTABLE_DYNAMIC && has_more_rights(executable.path))
                executable.kind = EXECUTABLE_SETUID;
        return executable;
}

bool executable_takes_shim(const struct executable *executable)
{
        return executable->kind != EXECUTABLE_FOREIGN;
}

bool executable_is_seen_outside(enum executable_kind kind)
{
        return kind == EXECUTABLE_STATIC || kind == EXECUTABLE_GO || kind == EXECUTABLE_FOREIGN;
}

const char *executable_unseen_words(enum executable_kind kind)
{
        switch (kind) {
        case EXECUTABLE_UNKNOWN:
        case EXECUTABLE_DYNAMIC:
                return NULL;
        case EXECUTABLE_STATIC:
                return "is linked statically, so no library of ours can look at what it does";
        case EXECUTABLE_GO:
                return "is a program in Go, which asks the kernel itself instead of the C library";
        case EXECUTABLE_SETUID:
                return "runs with more rights than you have, so nothing can be loaded into it";
        case EXECUTABLE_FOREIGN:
                return "is made for another machine or another C library, so ours cannot be loaded into it";
        }
        return NULL;
}
