/* SPDX-License-Identifier: MIT */
#include "callback.h"

#include <assert.h>

static _Thread_local unsigned depth;

void callback_enter(void)
{
        depth++;
}

void callback_leave(void)
{
        assert(depth > 0);
        depth--;
}

bool callback_is_running(void)
{
        return depth > 0;
}
