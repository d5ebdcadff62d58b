/* SPDX-License-Identifier: MIT */
#include "temporary.h"

#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *parent(void)
{
        const char *folder = getenv("TMPDIR");

        return folder && *folder && strlen(folder) < TEMPORARY_PATH_MAX - 20 ? folder : "/tmp";
}

/* Where the file system cannot make one without a name: with one, for a moment. */
static int open_named(void)
{
        char path[TEMPORARY_PATH_MAX];
        int fd;

        snprintf(path, sizeof(path), "%s/muster-XXXXXX", parent());
        fd = mkstemp(path);
        if (fd >= 0)
                unlink(path);
        return fd;
}

int temporary_file(struct muster_error *error)
{
        int fd = open(parent(), O_TMPFILE | O_RDWR, 0600);

        if (fd < 0)
                fd = open_named();
        return fd >= 0 ? fd
                       : error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                                 "cannot create a file in %s: %s", parent(), error_sys_text(errno));
}

const char *temporary_file_path(int fd, char path[32])
{
        snprintf(path, 32, "/proc/self/fd/%d", fd);
        return path;
}

int temporary_folder(char path[TEMPORARY_PATH_MAX], struct muster_error *error)
{
        snprintf(path, TEMPORARY_PATH_MAX, "%s/muster-XXXXXX", parent());
        if (mkdtemp(path))
                return 0;
        path[0] = '\0';
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "cannot create a directory in %s: %s", parent(), error_sys_text(errno));
}
