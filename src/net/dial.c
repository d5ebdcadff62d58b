/* SPDX-License-Identifier: MIT */
#include "dial.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <sys/un.h>

static struct dial_racer *racer_of(struct loop_socket *socket)
{
        return LIST_OWNER(socket, struct dial_racer, socket);
}

/* --- what became of each address ------------------------------------------------------------- */

static struct dial_try *begin_try(struct dial *dial, const struct net_address *address)
{
        assert(dial->n_tries < RESOLVE_ADDRESSES_MAX + DIAL_DENIED_MAX);
        dial->tries[dial->n_tries] = (struct dial_try){
                .address = *address,
                .begin_ns = clock_now(dial->loop->clock),
        };
        return &dial->tries[dial->n_tries++];
}

static void end_try(struct dial *dial, struct dial_try *try, enum dial_fate fate, int sys)
{
        assert(try->fate == DIAL_GOES_ON && fate != DIAL_GOES_ON);
        try->end_ns = clock_now(dial->loop->clock);
        try->fate = fate;
        try->sys = sys;
}

static void end_racer(struct dial_racer *racer, enum dial_fate fate, int sys)
{
        if (racer->try)
                end_try(racer->dial, racer->try, fate, sys);
        racer->try = NULL;
}

/* --- the end --------------------------------------------------------------------------------- */

static void close_racers(struct dial *dial)
{
        for (int i = 0; i < DIAL_RACERS_MAX; i++) {
                struct dial_racer *racer = &dial->racers[i];

                if (racer == dial->winner)
                        continue;
                if (loop_socket_is_open(&racer->socket))
                        end_racer(racer, dial->winner ? DIAL_OVERTAKEN : DIAL_STOPPED, 0);
                loop_socket_close(&racer->socket);
        }
}

static void stop_all(struct dial *dial)
{
        assert(dial->loop);
        close_racers(dial);
        loop_timer_stop(dial->loop, &dial->timer);
        resolve_waiter_cancel(&dial->waiter);
}

void dial_stop(struct dial *dial)
{
        if (!dial->loop)
                return;
        dial->winner = NULL;
        stop_all(dial);
        dial->loop = NULL;
}

void dial_take_socket(struct dial *dial, struct loop_socket *to, loop_handler handle)
{
        assert(dial->winner);
        loop_socket_move(to, &dial->winner->socket, handle);
        dial->winner = NULL;
}

/* Report the failure from the timer, so never within dial_start(). */
static void fail_soon(struct dial *dial)
{
        assert(dial->is_final && !dial->winner);
        dial->has_failed = true;
        /*
         * The heap has room for a timer that runs or has run before. Without room the owner's
         * timeout ends the dial.
         */
        (void)loop_timer_set(dial->loop, &dial->timer, dial->loop->now_ns);
}

static const char *remedy(int sys)
{
        if (sys == EMFILE || sys == ENFILE)
                return "; raise the limit (ulimit -n) or lower the concurrency";
        if (sys == EADDRNOTAVAIL)
                return "; keep connections alive, or lower the concurrency";
        return "";
}

static void note_refusal(struct dial *dial, const struct net_address *address, int sys)
{
        struct muster_error *error = &dial->error;
        char text[ADDRESS_TEXT_MAX];

        error_clear(&dial->error);
        if (dial->path) {
                error_set(&dial->error,
                        error_sys_is_shortage(sys) ? MUSTER_E_RESOURCE : MUSTER_E_CONNECT,
                        MUSTER_PHASE_TCP, sys, "%s: %s: %s",
                        error_sys_is_shortage(sys) ? "resource" : "connect", dial->path,
                        error_sys_text(sys));
                return;
        }
        dial->address_len = address_to_sockaddr(address, dial->target.port, &dial->address);
        address_text((const struct sockaddr *)&dial->address, text, sizeof(text));
        error_clear(error);
        if (error_sys_is_shortage(sys))
                error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_TCP, sys, "resource: %s: %s%s",
                        text, error_sys_text(sys), remedy(sys));
        else if (dial->n_tried == 1)
                error_set(error, MUSTER_E_CONNECT, MUSTER_PHASE_TCP, sys,
                        "connect: %s: %s (1 address tried)", text, error_sys_text(sys));
        else
                error_set(error, MUSTER_E_CONNECT, MUSTER_PHASE_TCP, sys,
                        "connect: %.*s:%u: %u addresses tried, the last, %s: %s",
                        STR_ARGS(str_first(dial->target.host, 80)), dial->target.port,
                        dial->n_tried, text, error_sys_text(sys));
}

/* --- the race -------------------------------------------------------------------------------- */

static void start_another(struct dial *dial);

static void racer_handle(struct loop_socket *socket, const struct loop_event *event)
{
        struct dial_racer *racer = racer_of(socket);
        struct dial *dial = racer->dial;

        assert(!dial->winner);
        switch (event->kind) {
        case LOOP_CONNECTED:
                dial->winner = racer;
                end_racer(racer, DIAL_CONNECTED, 0);
                if (!dial->path)
                        dial->address_len = address_to_sockaddr(&racer->address, dial->target.port,
                                &dial->address);
                stop_all(dial);
                dial->done(dial, 0);
                return;
        case LOOP_FAILED:
                note_refusal(dial, &racer->address, event->sys);
                end_racer(racer, DIAL_FAILED, event->sys);
                loop_socket_close(socket);
                start_another(dial);
                return;
        case LOOP_RECEIVED:
        case LOOP_ACKED:
        case LOOP_SENT:
        case LOOP_EOF:
                return; /* nothing was asked for */
        }
}

static struct dial_racer *free_racer(struct dial *dial)
{
        for (int i = 0; i < DIAL_RACERS_MAX; i++)
                if (!loop_socket_is_open(&dial->racers[i].socket))
                        return &dial->racers[i];
        return NULL;
}

static bool is_racing(const struct dial *dial)
{
        for (int i = 0; i < DIAL_RACERS_MAX; i++)
                if (loop_socket_is_open(&dial->racers[i].socket))
                        return true;
        return false;
}

/* Try the next address. False if it failed at once. */
static bool start_racer(struct dial *dial, struct dial_racer *racer)
{
        struct sockaddr_storage address;
        socklen_t len;
        int sys = 0;

        assert(dial->n_started < dial->n_addresses);
        assert(!loop_socket_is_open(&racer->socket));
        racer->dial = dial;
        racer->address = dial->addresses[dial->n_started];
        racer->try = begin_try(dial, &racer->address);
        dial->n_started++;
        dial->n_tried++;
        len = address_to_sockaddr(&racer->address, dial->target.port, &address);
        if (loop_socket_connect(dial->loop, &racer->socket, racer_handle,
                    (struct sockaddr *)&address, len, &sys) == 0)
                return true;
        note_refusal(dial, &racer->address, sys);
        end_racer(racer, DIAL_FAILED, sys);
        return false;
}

/*
 * Try addresses until one does not fail at once. False if none is left, or there is no free racer.
 */
static bool start_next(struct dial *dial)
{
        struct dial_racer *racer;

        while (dial->n_started < dial->n_addresses && (racer = free_racer(dial)))
                if (start_racer(dial, racer))
                        return true;
        return false;
}

/*
 * Try the next address and set the timer for the one after it, which may not be known yet. Without
 * any hope left, fail.
 */
static void start_another(struct dial *dial)
{
        bool has_started = start_next(dial);

        if (dial->n_started < dial->n_addresses || (has_started && !dial->is_final))
                (void)loop_timer_set(dial->loop, &dial->timer,
                        clock_now(dial->loop->clock) + DIAL_ATTEMPT_DELAY_NS);
        else if (dial->is_final && !is_racing(dial))
                fail_soon(dial);
}

/* A full backlog is no failure: it becomes empty (connect(2), EAGAIN). */
static void try_path(struct dial *dial)
{
        struct dial_racer *racer = &dial->racers[0];
        int sys = 0;

        assert(dial->path && !loop_socket_is_open(&racer->socket));
        racer->dial = dial;
        dial->n_tried = 1;
        if (loop_socket_connect(dial->loop, &racer->socket, racer_handle,
                    (struct sockaddr *)&dial->address, dial->address_len, &sys) == 0)
                return;
        if (sys == EAGAIN && loop_timer_set(dial->loop, &dial->timer,
                                     clock_now(dial->loop->clock) + DIAL_PATH_RETRY_NS) == 0)
                return;
        note_refusal(dial, NULL, sys);
        fail_soon(dial);
}

static void dial_timer_fire(struct loop_timer *timer, uint64_t late_ns)
{
        struct dial *dial = LIST_OWNER(timer, struct dial, timer);

        assert(!dial->winner);
        (void)late_ns;
        if (!dial->has_failed) {
                if (dial->path)
                        try_path(dial);
                else
                        start_another(dial);
                return;
        }
        stop_all(dial);
        error_set(&dial->error, MUSTER_E_RESOLVE, MUSTER_PHASE_DNS, 0,
                "resolve: %.*s: no address was found", STR_ARGS(str_first(dial->target.host, 80)));
        dial->done(dial, (int)dial->error.code);
}

/* --- the addresses --------------------------------------------------------------------------- */

static bool is_known(const struct dial *dial, const struct net_address *address)
{
        for (size_t i = 0; i < dial->n_addresses; i++)
                if (address_eq(&dial->addresses[i], address))
                        return true;
        return false;
}

/* Later answers of the resolver have it again. */
static bool was_denied(const struct dial *dial, const struct net_address *address)
{
        for (size_t i = 0; i < dial->n_tries; i++)
                if (dial->tries[i].fate == DIAL_DENIED &&
                        address_eq(&dial->tries[i].address, address))
                        return true;
        return false;
}

static void note_denial(struct dial *dial, const struct net_address *address)
{
        if (dial->n_denied == DIAL_DENIED_MAX || was_denied(dial, address))
                return;
        dial->n_denied++;
        end_try(dial, begin_try(dial, address), DIAL_DENIED, 0);
}

/* May it be connected? The first refusal is kept: it tells why, if there is no other address. */
static bool is_allowed(struct dial *dial, const struct net_address *address)
{
        const struct dial_filter *filter = dial->target.filter;

        if (!filter || filter->check(filter, dial->target.host, address, &dial->error) == 0)
                return true;
        note_denial(dial, address);
        return false;
}

static void add_addresses(struct dial *dial, const struct resolve_answer *answer)
{
        assert(!dial->is_final);
        for (size_t i = 0; i < answer->n && dial->n_addresses < RESOLVE_ADDRESSES_MAX; i++)
                if (!is_known(dial, &answer->addresses[i]) &&
                        is_allowed(dial, &answer->addresses[i]))
                        dial->addresses[dial->n_addresses++] = answer->addresses[i];
        dial->is_final = answer->is_final;
        if (dial->n_addresses && !dial->dns_end_ns)
                dial->dns_end_ns = clock_now(dial->loop->clock);
        if (answer->error && !dial->n_addresses)
                dial->error = *answer->error;
}

/*
 * A first answer starts the race. Later addresses join it once the others have failed or are slow.
 */
static void take_addresses(struct resolve_waiter *waiter, const struct resolve_answer *answer)
{
        struct dial *dial = LIST_OWNER(waiter, struct dial, waiter);

        add_addresses(dial, answer);
        if (!is_racing(dial) || !heap_has(&dial->timer.node))
                start_another(dial);
}

void dial_start_path(struct dial *dial, struct loop *loop, dial_done done, const char *borrow_path,
        bool is_abstract)
{
        struct sockaddr_un *address = (void *)&dial->address;
        size_t len = strlen(borrow_path);

        assert(done && loop && len && len < sizeof(address->sun_path));
        *dial = (struct dial){ .loop = loop,
                .done = done,
                .path = borrow_path,
                .is_final = true,
                .dns_end_ns = clock_now(loop->clock),
                .timer.fire = dial_timer_fire };
        address->sun_family = AF_UNIX;
        memcpy(address->sun_path + is_abstract, borrow_path, len);
        dial->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
        try_path(dial);
}

int dial_start(struct dial *dial, struct loop *loop, struct resolver *resolver, dial_done done,
        const struct dial_target *target)
{
        struct resolve_answer answer;
        int r;

        assert(done && loop && resolver);
        *dial = (struct dial){ .loop = loop,
                .done = done,
                .target = *target,
                .waiter.answered = take_addresses,
                .timer.fire = dial_timer_fire };
        r = resolver_ask(resolver, &dial->waiter, target->host, target->port, &answer);
        if (r < 0)
                return error_set_memory(&dial->error, MUSTER_PHASE_DNS);
        if (r == RESOLVE_WAIT)
                return 0;
        add_addresses(dial, &answer);
        start_another(dial);
        return 0;
}
