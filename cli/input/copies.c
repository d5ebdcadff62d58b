/* SPDX-License-Identifier: MIT */
#include "copies.h"

#include "../temporary.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <unistd.h>

static int begin_copy(struct input_copies *copies, const char *name, struct muster_error *error)
{
        struct input_copy *list = mem_realloc(copies->list, (copies->n + 1) * sizeof(*list));
        FILE *file;
        int fd;

        if (!list)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        copies->list = list;
        fd = temporary_file(error);
        if (fd < 0)
                return fd;
        file = fdopen(fd, "w");
        if (!file) {
                close(fd);
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        list[copies->n++] = (struct input_copy){ file, name };
        return 0;
}

int input_copies_add(struct input_copies *copies, const struct input *input,
        const struct input_item *item, struct muster_error *error)
{
        FILE *file;

        if (!item->text.at)
                return 0;
        if (!copies->n || copies->list[copies->n - 1].name != input->file) {
                int r = begin_copy(copies, input->file, error);

                if (r < 0)
                        return r;
        }
        file = copies->list[copies->n - 1].file;
        fwrite(item->text.at, 1, item->text.len, file);
        fputc('\n', file);
        return 0;
}

int input_copies_end(struct input_copies *copies, struct muster_error *error)
{
        for (size_t i = 0; i < copies->n; i++)
                if (fflush(copies->list[i].file) != 0 || ferror(copies->list[i].file))
                        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                                "cannot keep a copy of the input: %s", error_sys_text(errno));
        return 0;
}

void input_copies_deinit(struct input_copies *copies)
{
        for (size_t i = 0; i < copies->n; i++)
                fclose(copies->list[i].file);
        mem_free(copies->list);
        *copies = (struct input_copies){ 0 };
}
