/* SPDX-License-Identifier: MIT */
/* Names that a program looked up */
#ifndef WATCH_LOOKUPS_H
#define WATCH_LOOKUPS_H

#include "log.h"
#include "watched.h"

/* One more, unless what was looked up is an address, or nothing that could be a name. MUSTER_E_RESOURCE. */
int lookups_add(struct watched *all, const struct watch_event *event, uint32_t process,
        uint32_t thread);

#endif
