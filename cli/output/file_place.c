/* SPDX-License-Identifier: MIT */
#include "file_place.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 8 /* to a file that is not there: more are a mistake, or a circle */

/* The path that a link has, seen from the link's folder, into `path`. False: it is none. */
static bool follow(char path[PATH_MAX])
{
        char target[PATH_MAX];
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        char *slash = strrchr(path, '/');
        size_t folder = slash && len > 0 && target[0] != '/' ? (size_t)(slash - path) + 1 : 0;

        if (len <= 0 || folder + (size_t)len >= PATH_MAX)
                return false;
        memcpy(path + folder, target, (size_t)len);
        path[folder + (size_t)len] = '\0';
        return true;
}

/* The folder, and the name there. */
static void find_folder(struct file_place *place, char path[PATH_MAX])
{
        char *slash = strrchr(path, '/');
        const char *folder = ".", *name = path;
        struct stat status;

        if (slash) {
                *slash = '\0';
                name = slash + 1;
                folder = slash == path ? "/" : path;
        }
        if (!*name || strlen(name) > NAME_MAX || stat(folder, &status) < 0)
                return;
        place->has_folder = true;
        place->folder_device = status.st_dev;
        place->folder_inode = status.st_ino;
        memcpy(place->name, name, strlen(name) + 1);
}

static struct file_place place_of_status(const struct stat *status)
{
        return (struct file_place){ .is_there = S_ISREG(status->st_mode),
                .device = status->st_dev,
                .inode = status->st_ino };
}

struct file_place file_place_of_path(const char *named)
{
        struct file_place place = { 0 };
        char path[PATH_MAX];
        struct stat status;
        bool is_missing;

        if (strlen(named) >= sizeof(path))
                return place;
        memcpy(path, named, strlen(named) + 1);
        is_missing = stat(path, &status) < 0;
        if (is_missing && errno != ENOENT)
                return place;
        if (!is_missing)
                place = place_of_status(&status);
        for (int i = 0; is_missing && i < LINKS_MAX && follow(path); i++)
                ;
        if (is_missing || place.is_there)
                find_folder(&place, path);
        return place;
}

struct file_place file_place_of_descriptor(int fd)
{
        struct stat status;

        return fstat(fd, &status) == 0 ? place_of_status(&status) : (struct file_place){ 0 };
}

bool file_place_is_same(const struct file_place *a, const struct file_place *b)
{
        if (a->is_there && b->is_there && a->device == b->device && a->inode == b->inode)
                return true;
        return a->has_folder && b->has_folder && a->folder_device == b->folder_device &&
               a->folder_inode == b->folder_inode && strcmp(a->name, b->name) == 0;
}
