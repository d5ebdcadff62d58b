/* SPDX-License-Identifier: MIT */
#include "interrupt.h"

#include "process/child.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A signal handler has no argument of ours: these two are the only globals of the command. */
static struct muster_client *volatile client_to_wake;
static volatile sig_atomic_t first_signal; /* 0: none has come */

static void handle_signal(int signal)
{
        static const char words[] = "\nmuster: stopped at once; results not written yet are lost\n";

        if (first_signal) {
                child_kill_all();
                (void)!write(STDERR_FILENO, words, strlen(words));
                _exit(128 + signal);
        }
        first_signal = signal;
        if (client_to_wake)
                muster_wake(client_to_wake);
}

void interrupt_begin(struct muster_client *client)
{
        struct sigaction action = { .sa_handler = handle_signal }, hangup_before;

        client_to_wake = client;
        first_signal = 0;
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGQUIT, &action, NULL);
        sigaction(SIGHUP, NULL, &hangup_before);
        if (hangup_before.sa_handler != SIG_IGN) /* it is with nohup */
                sigaction(SIGHUP, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
}

void interrupt_end(void)
{
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        signal(SIGQUIT, SIG_DFL);
        if (signal(SIGHUP, SIG_DFL) == SIG_IGN)
                signal(SIGHUP, SIG_IGN);
        client_to_wake = NULL;
}

bool interrupt_has_come(void)
{
        return first_signal;
}

const char *interrupt_name(void)
{
        switch (first_signal) {
        case SIGTERM:
                return "SIGTERM";
        case SIGHUP:
                return "SIGHUP";
        case SIGQUIT:
                return "SIGQUIT";
        default:
                return "Ctrl-C";
        }
}
