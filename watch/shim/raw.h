/* SPDX-License-Identifier: MIT */
/*
 * System calls of our own, past the C library
 *
 * They set no errno and are nobody's cancellation points, and no other preloaded library sees them.
 */
#ifndef SHIM_RAW_H
#define SHIM_RAW_H

#include <stdint.h>
#include <sys/syscall.h>

/* The result, or -errno. */
static inline long raw6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        register long r9 __asm__("r9") = f;
        long result;

        __asm__ volatile("syscall"
                         : "=a"(result)
                         : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return result;
#elif defined(__aarch64__)
        register long x8 __asm__("x8") = number;
        register long x0 __asm__("x0") = a;
        register long x1 __asm__("x1") = b;
        register long x2 __asm__("x2") = c;
        register long x3 __asm__("x3") = d;
        register long x4 __asm__("x4") = e;
        register long x5 __asm__("x5") = f;

        __asm__ volatile("svc 0"
                         : "+r"(x0)
                         : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                         : "memory");
        return x0;
#else
#error "meson.build builds this for x86_64 and aarch64 only"
#endif
}

static inline long raw4(long number, long a, long b, long c, long d)
{
        return raw6(number, a, b, c, d, 0, 0);
}

static inline long raw3(long number, long a, long b, long c)
{
        return raw6(number, a, b, c, 0, 0, 0);
}

static inline long raw1(long number, long a)
{
        return raw6(number, a, 0, 0, 0, 0, 0);
}

/* A pointer as an argument. */
static inline long raw_address(const void *p)
{
        return (long)(uintptr_t)p;
}

#endif
