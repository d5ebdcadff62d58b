/* SPDX-License-Identifier: MIT */
/*
 * Why there is no link
 */
#ifndef LAB_LINK_ERROR_H
#define LAB_LINK_ERROR_H

#include <base/error.h>

/* "link: WHAT: (words of the errno); ADVICE", which may be NULL. Returns MUSTER_E_RESOURCE. */
static inline int link_fail(struct muster_error *error, int sys, const char *what,
        const char *advice)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, sys, "link: %s: %s%s%s",
                what, error_sys_text(sys), advice ? "; " : "", advice ? advice : "");
}

#endif
