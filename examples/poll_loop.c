/* SPDX-License-Identifier: MIT */
/*
 * In a loop of your own: poll(2) on muster and on a timer that ticks ten times a second
 *
 *      poll_loop URL ...
 */
#include <muster/muster.h>
#include <poll.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void show(struct muster_result *result)
{
        printf("%s: %d %s\n", muster_result_url(result), muster_result_status(result),
                muster_result_error_text(result));
        muster_result_free(result);
}

static void tick(int timer)
{
        uint64_t n;

        if (read(timer, &n, sizeof(n)) == sizeof(n))
                printf("tick\n");
}

int main(int argc, char **argv)
{
        struct itimerspec often = { { 0, 100000000 }, { 0, 100000000 } };
        int r, timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
        struct muster_client *client;
        struct muster_result *result;

        if (timer < 0 || timerfd_settime(timer, 0, &often, NULL) < 0 ||
                muster_client_new(&client, NULL) < 0)
                return 1;
        for (int i = 1; i < argc; i++)
                muster_get(client, argv[i], NULL);
        for (;;) {
                struct pollfd polled[] = { { .fd = muster_client_fd(client), .events = POLLIN },
                        { .fd = timer, .events = POLLIN } };

                while ((r = muster_turn(client)) == 0) /* until there are no more results */
                        while ((result = muster_take(client)))
                                show(result);
                if (r != MUSTER_LATER)
                        break; /* MUSTER_IDLE: all are done */
                if (poll(polled, 2, -1) > 0 && polled[1].revents)
                        tick(timer);
        }
        muster_client_free(client);
        close(timer);
        return r == MUSTER_IDLE ? 0 : 1;
}
