/* SPDX-License-Identifier: MIT */
/*
 * Descriptors: what is told of one is of another, or of none, from now on
 */
#undef _FILE_OFFSET_BITS /* fcntl64() is a function of its own */

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"
#include "next.h"
#include "raw.h"
#include "slot.h"
#include "thread.h"

HOOK int close(int fd)
{
        if (slot_get(fd) != 0 && shim_watches())
                slot_close(fd);
        return NEXT(close)(fd);
}

/* It closes by itself. */
HOOK int fclose(FILE *file)
{
        int sys = errno;

        if (shim_watches()) {
                int fd = fileno_unlocked(file);

                if (fd >= 0 && slot_get(fd) != 0)
                        slot_close(fd);
                errno = sys;
        }
        return NEXT(fclose)(file);
}

HOOK int close_range(unsigned first, unsigned last, int flags)
{
        if (shim_watches() && !(flags & CLOSE_RANGE_CLOEXEC))
                slot_close_range(first, last);
        if (LIKELY(NEXT(close_range) != NULL))
                return NEXT(close_range)(first, last, flags);
        errno = ENOSYS;
        return -1;
}

HOOK void closefrom(int first)
{
        if (shim_watches())
                slot_close_range(first > 0 ? (unsigned)first : 0, UINT32_MAX);
        if (LIKELY(NEXT(closefrom) != NULL))
                NEXT(closefrom)(first);
}

HOOK int dup(int fd)
{
        int copy = NEXT(dup)(fd);

        if (copy >= 0 && shim_watches() && slot_get(fd) != 0 && process_is_itself())
                slot_dup(fd, copy);
        return copy;
}

/* `copy` is closed in passing, but not if the call fails. */
static void before_dup2(int fd, int copy)
{
        if (fd != copy && slot_get(copy) != 0 && !shim.is_sealed &&
                raw3(SYS_fcntl, fd, F_GETFD, 0) >= 0)
                slot_close(copy);
}

static void after_dup2(int fd, int copy)
{
        if (fd != copy && slot_get(fd) != 0 && process_is_itself())
                slot_dup(fd, copy);
}

HOOK int dup2(int fd, int copy)
{
        int r;

        if (!shim_watches())
                return NEXT(dup2)(fd, copy);
        before_dup2(fd, copy);
        r = NEXT(dup2)(fd, copy);
        if (r >= 0)
                after_dup2(fd, copy);
        return r;
}

HOOK int dup3(int fd, int copy, int flags)
{
        int r;

        if (!shim_watches())
                return NEXT(dup3)(fd, copy, flags);
        before_dup2(fd, copy);
        r = NEXT(dup3)(fd, copy, flags);
        if (r >= 0)
                after_dup2(fd, copy);
        return r;
}

/* --- settings of a descriptor ---------------------------------------------------------------- */

static void set_nonblock(int fd, bool on)
{
        uint32_t bits = slot_get(fd);

        if (bits == 0)
                return;
        slot_put(fd, on ? bits | SLOT_NONBLOCK : bits & ~(uint32_t)SLOT_NONBLOCK);
}

static void after_fcntl(int fd, int command, const void *argument, int r)
{
        if (r < 0 || !shim_watches())
                return;
        if (command == F_SETFL)
                set_nonblock(fd, (uintptr_t)argument & O_NONBLOCK);
        else if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && slot_get(fd) != 0 &&
                 process_is_itself())
                slot_dup(fd, r);
}

HOOK int fcntl(int fd, int command, ...)
{
        va_list arguments;
        void *argument;
        int r;

        va_start(arguments, command);
        argument = va_arg(arguments, void *);
        va_end(arguments);
        r = NEXT(fcntl)(fd, command, argument);
        after_fcntl(fd, command, argument, r);
        return r;
}

HOOK int fcntl64(int fd, int command, ...)
{
        va_list arguments;
        void *argument;
        int r;

        va_start(arguments, command);
        argument = va_arg(arguments, void *);
        va_end(arguments);
        r = NEXT(fcntl64)(fd, command, argument);
        after_fcntl(fd, command, argument, r);
        return r;
}

HOOK int ioctl(int fd, unsigned long request, ...)
{
        va_list arguments;
        void *argument;
        int r;

        va_start(arguments, request);
        argument = va_arg(arguments, void *);
        va_end(arguments);
        r = NEXT(ioctl)(fd, request, argument);
        if (r == 0 && request == FIONBIO && shim_watches())
                set_nonblock(fd, *(const int *)argument != 0);
        return r;
}
