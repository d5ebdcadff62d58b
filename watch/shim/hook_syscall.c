/* SPDX-License-Identifier: MIT */
/*
 * System calls by number, and what restricts them
 *
 * libuv closes its descriptors that way. A program that asks for a filter of system calls gets
 * none of ours from then on: they might end it.
 */
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "next.h"
#include "slot.h"
#include "thread.h"

static void restricted(unsigned long option, unsigned long mode)
{
        if (option == PR_SET_SECCOMP)
                log_seal(mode == SECCOMP_MODE_STRICT);
        else if (option == PR_SET_TSC && mode == PR_TSC_SIGSEGV)
                log_seal(true);
}

static void before(long number, const long *a)
{
        switch (number) {
        case SYS_close:
                if (slot_get((int)a[0]) != 0)
                        slot_close((int)a[0]);
                return;
        case SYS_io_uring_setup:
                log_unseen(WATCH_UNSEEN_URING);
                return;
        case SYS_seccomp:
                if (a[0] == SECCOMP_SET_MODE_STRICT || a[0] == SECCOMP_SET_MODE_FILTER)
                        log_seal(a[0] == SECCOMP_SET_MODE_STRICT);
                return;
        case SYS_prctl:
                restricted((unsigned long)a[0], (unsigned long)a[1]);
                return;
        default:
                return;
        }
}

HOOK long syscall(long number, ...)
{
        va_list arguments;
        long a[6];

        va_start(arguments, number);
        for (int i = 0; i < 6; i++)
                a[i] = va_arg(arguments, long);
        va_end(arguments);
        if (shim_watches())
                before(number, a);
        return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

HOOK int prctl(int option, ...)
{
        va_list arguments;
        unsigned long a[4];

        va_start(arguments, option);
        for (int i = 0; i < 4; i++)
                a[i] = va_arg(arguments, unsigned long);
        va_end(arguments);
        if (shim_watches())
                restricted((unsigned long)option, a[0]);
        return NEXT(prctl)(option, a[0], a[1], a[2], a[3]);
}
