/* SPDX-License-Identifier: MIT */
#include "next.h"

#include <dlfcn.h>
#include <stdint.h>

struct next next;

#define ENTRY(name)                                                                                \
        {                                                                                          \
#name, offsetof(struct next, name)                                                 \
        }

static const struct {
        const char *name;
        size_t at;
} entries[] = {
        /* clang-format off */
        ENTRY(socket), ENTRY(socketpair), ENTRY(connect), ENTRY(accept), ENTRY(accept4),
        ENTRY(shutdown), ENTRY(getsockopt), ENTRY(setsockopt), ENTRY(close), ENTRY(fclose), ENTRY(close_range),
        ENTRY(closefrom), ENTRY(dup), ENTRY(dup2), ENTRY(dup3), ENTRY(fcntl), ENTRY(fcntl64),
        ENTRY(ioctl), ENTRY(send), ENTRY(sendto), ENTRY(sendmsg), ENTRY(sendmmsg), ENTRY(write),
        ENTRY(writev), ENTRY(sendfile), ENTRY(sendfile64), ENTRY(recv), ENTRY(recvfrom),
        ENTRY(recvmsg), ENTRY(recvmmsg), ENTRY(read), ENTRY(readv), ENTRY(__recv_chk), ENTRY(__recvfrom_chk),
        ENTRY(__read_chk), ENTRY(epoll_wait), ENTRY(epoll_pwait), ENTRY(epoll_pwait2),
        ENTRY(poll), ENTRY(ppoll), ENTRY(__poll_chk), ENTRY(__ppoll_chk), ENTRY(select),
        ENTRY(pselect), ENTRY(sleep), ENTRY(usleep), ENTRY(nanosleep), ENTRY(clock_nanosleep),
        ENTRY(getaddrinfo), ENTRY(fork), ENTRY(_Fork), ENTRY(posix_spawn), ENTRY(posix_spawnp),
        ENTRY(execve), ENTRY(execv), ENTRY(execvp), ENTRY(execvpe), ENTRY(fexecve),
        ENTRY(execveat), ENTRY(pthread_create), ENTRY(prctl), ENTRY(syscall),
        /* clang-format on */
};

void next_find(void)
{
        for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
                *(void **)((uintptr_t)&next + entries[i].at) = dlsym(RTLD_NEXT, entries[i].name);
        next.is_found = true;
}
