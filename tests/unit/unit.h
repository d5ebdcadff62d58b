/* SPDX-License-Identifier: MIT */
/*
 * cmocka with what it wants to be included before
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <base/buf.h>
#include <base/mem.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Initialises a struct muster_str from a literal, which may hold zeros. */
#define BYTES(literal)                                                                             \
        {                                                                                          \
                literal, sizeof(literal) - 1                                                       \
        }

/* Call `run` with every allocation failing in turn, until none is reached any more. */
static inline void for_each_failing_allocation(void (*run)(void))
{
        int has_failed = 1;

        for (long n = 0; has_failed; n++) {
                mem_fail_after(n);
                run();
                has_failed = mem_has_failed();
                mem_fail_after(-1);
                assert_true(n < 10000);
        }
}

#endif
