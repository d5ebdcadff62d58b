/* SPDX-License-Identifier: MIT */
/*
 * Which file a path leads to, whatever it is called
 *
 * A file that is there is told by device and inode; every file, also one that is still to be made,
 * by its folder and its name there. Devices, pipes and terminals have nothing to lose: they are the
 * same as nothing.
 */
#ifndef CLI_OUTPUT_FILE_PLACE_H
#define CLI_OUTPUT_FILE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

struct file_place {
        bool is_there; /* these two are known */
        dev_t device;
        ino_t inode;
        bool has_folder; /* these three are known */
        dev_t folder_device;
        ino_t folder_inode;
        char name[NAME_MAX + 1];
};

/* The links of a path are followed, also one to a file that is not there. */
struct file_place file_place_of_path(const char *path);
struct file_place file_place_of_descriptor(int fd);

bool file_place_is_same(const struct file_place *a, const struct file_place *b);

#endif
