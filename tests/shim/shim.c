/* SPDX-License-Identifier: MIT */
#include "shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNTERS_MAX 64

static struct {
        struct counter {
                char name[16];
                atomic_ulong n;
        } counters[COUNTERS_MAX];
        size_t n_counters;
        const char *report;
        unsigned long at;
        int sys;
        bool is_lasting, is_ready;
        const char *text_begin, *text_end; /* the program's code */
        int first_fd;                      /* what was open before is not ours */
        pid_t pid;
        atomic_ulong n_failed;
} shim;

/* The first object is the program itself. */
static int find_text(struct dl_phdr_info *info, size_t size, void *argument)
{
        (void)size;
        (void)argument;
        for (int i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *part = &info->dlpi_phdr[i];

                if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
                        continue;
                shim.text_begin = (const char *)(info->dlpi_addr + part->p_vaddr);
                shim.text_end = shim.text_begin + part->p_memsz;
        }
        return 1;
}

/* Of the names in a text, with commas between them. */
static void add_counters(const char *names)
{
        while (names && *names && shim.n_counters < COUNTERS_MAX) {
                size_t len = strcspn(names, ",");

                snprintf(shim.counters[shim.n_counters++].name, sizeof(shim.counters[0].name),
                        "%.*s", (int)len, names);
                names += len + (names[len] == ',');
        }
}

__attribute__((constructor)) static void begin(void)
{
        const char *at = getenv("SHIM_AT"), *sys = getenv("SHIM_ERRNO");

        add_counters(getenv("SHIM_CALLS"));
        shim.report = getenv("SHIM_REPORT");
        shim.at = at ? strtoul(at, NULL, 10) : 0;
        shim.sys = sys ? atoi(sys) : 0;
        shim.is_lasting = getenv("SHIM_LASTING");
        shim.pid = getpid();
        while (shim.first_fd < 64 && syscall(SYS_fcntl, shim.first_fd, F_GETFD) >= 0)
                shim.first_fd++;
        dl_iterate_phdr(find_text, NULL);
        shim.is_ready = shim.n_counters;
}

bool shim_is_own(const void *caller)
{
        const char *at = caller;

        return shim.is_ready && at >= shim.text_begin && at < shim.text_end;
}

/* The counter of these calls. NULL: they are not counted. */
static struct counter *counter_of(const char *name)
{
        for (size_t i = 0; i < shim.n_counters; i++)
                if (strcmp(shim.counters[i].name, name) == 0)
                        return &shim.counters[i];
        return NULL;
}

enum shim_way shim_decide(const char *name, const void *caller)
{
        struct counter *counter;
        unsigned long n;

        if (!shim_is_own(caller) || getpid() != shim.pid || !(counter = counter_of(name)))
                return SHIM_CALL;
        n = atomic_fetch_add(&counter->n, 1) + 1;
        if (!shim.at || (shim.is_lasting ? n < shim.at : n != shim.at))
                return SHIM_CALL;
        atomic_fetch_add(&shim.n_failed, 1);
        if (!shim.sys)
                return SHIM_SHORT;
        errno = shim.sys;
        return SHIM_FAIL;
}

/* Of a program that ends: those that are open but were not when it began. */
static unsigned n_descriptors(void)
{
        unsigned n = 0;

        for (int fd = shim.first_fd; fd < 1024; fd++)
                n += syscall(SYS_fcntl, fd, F_GETFD) >= 0;
        return n;
}

__attribute__((destructor)) static void end(void)
{
        char text[COUNTERS_MAX * 40];
        int fd, len;

        if (!shim.report || getpid() != shim.pid)
                return;
        len = snprintf(text, sizeof(text), "failed %lu blocks %u descriptors %u\n",
                atomic_load(&shim.n_failed), shim_n_blocks(), n_descriptors());
        for (size_t i = 0; i < shim.n_counters; i++)
                len += snprintf(text + len, sizeof(text) - (size_t)len, "%s %lu\n",
                        shim.counters[i].name, atomic_load(&shim.counters[i].n));
        fd = (int)syscall(SYS_openat, AT_FDCWD, shim.report, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)!syscall(SYS_write, fd, text, len);
        syscall(SYS_close, fd);
}
