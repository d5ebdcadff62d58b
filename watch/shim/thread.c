/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include "raw.h"

_Thread_local struct thread this_thread;

void thread_know(void)
{
        bool is_new = this_thread.generation == 0; /* not what fork() went on with */

        this_thread = (struct thread){ .generation = process->generation,
                .is_making = this_thread.is_making };
        if (shim.is_sealed)
                return;
        this_thread.tid = (int32_t)raw1(SYS_gettid, 0);
        if (is_new && this_thread.tid != process->pid)
                log_event(WATCH_THREAD, -1, shim_now(), 0, 0, 0);
}
