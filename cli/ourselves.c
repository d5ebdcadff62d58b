/* SPDX-License-Identifier: MIT */
#include "ourselves.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

bool ourselves_path(char path[PATH_MAX])
{
        ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

        if (n <= 0)
                return realpath((const char *)(uintptr_t)getauxval(AT_EXECFN), path);
        path[n] = '\0';
        return true;
}

bool ourselves_folder(char path[PATH_MAX])
{
        char *slash;

        if (!ourselves_path(path))
                return false;
        slash = strrchr(path, '/');
        if (!slash)
                return false;
        *slash = '\0';
        return true;
}
