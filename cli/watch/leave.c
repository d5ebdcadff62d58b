/* SPDX-License-Identifier: MIT */
#include "leave.h"

#include "subject.h"
#include <unistd.h>

static void *leave_on_signal(void *data)
{
        sigset_t set = subject_signals();
        siginfo_t info;

        for (;;) {
                if (sigwaitinfo(&set, &info) < 0)
                        continue;
                switch (info.si_signo) {
                case SIGHUP:
                case SIGINT:
                case SIGQUIT:
                case SIGTERM:
                        place_deinit(data);
                        _exit(128 + info.si_signo);
                default:
                        continue; /* they would not have ended us before either */
                }
        }
        return NULL;
}

void leave_begin(struct leave *leave, struct place *place)
{
        leave->is_begun = pthread_create(&leave->thread, NULL, leave_on_signal, place) == 0;
}

void leave_end(struct leave *leave)
{
        if (!leave->is_begun)
                return;
        leave->is_begun = false;
        pthread_cancel(leave->thread); /* it is in sigwaitinfo(), or leaves */
        pthread_join(leave->thread, NULL);
}
