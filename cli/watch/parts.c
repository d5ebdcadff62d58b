/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "../ourselves.h"
#include <base/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHIM "libmuster-watch.so"

/* Where they are installed: from the command's folder, and from the root. Set by the build. */
#ifndef WATCH_PARTS_FROM_BIN
#error "the build says where the parts are installed"
#endif

/* A path to what is there, without links: the program sees it under one name. */
static bool resolve(char to[PATH_MAX], const char *folder, const char *name)
{
        char path[PATH_MAX];
        int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

        if (n > 0 && n < (int)sizeof(path) && realpath(path, to))
                return true;
        to[0] = '\0';
        return false;
}

static bool find_in(struct parts *parts, const char *folder, const char *shim)
{
        if (!resolve(parts->shim, folder, shim))
                return false;
        resolve(parts->python, folder, "watch/python");
        resolve(parts->node, folder, "watch/node");
        return true;
}

int parts_find(struct parts *parts, struct muster_error *error)
{
        char ours[PATH_MAX] = "", installed[PATH_MAX + sizeof(WATCH_PARTS_FROM_BIN)];

        ourselves_folder(ours);
        snprintf(installed, sizeof(installed), "%s/" WATCH_PARTS_FROM_BIN, ours);
        if (find_in(parts, ours, "watch/shim/" SHIM) || find_in(parts, installed, SHIM) ||
                find_in(parts, WATCH_PARTS_INSTALLED, SHIM))
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                "cannot watch: there is no " SHIM " in %s/" WATCH_PARTS_FROM_BIN
                " or " WATCH_PARTS_INSTALLED "; install muster with meson install",
                ours);
}
