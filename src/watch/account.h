/* SPDX-License-Identifier: MIT */
/*
 * Account: from what was watched to a record
 *
 * Gives numbers to threads, connections, origins and attempts, each in the order of its beginning,
 * finds out who waited for whom, and makes all moments relative to the run's start.
 */
#ifndef WATCH_ACCOUNT_H
#define WATCH_ACCOUNT_H

#include "watched.h"
#include <record/record.h>

/*
 * Fill a zeroed record; what was watched is used up, its texts with it. MUSTER_E_RESOURCE: the
 * caller calls record_deinit() in any case.
 */
int account_make(struct watched *all, struct record *record);

/* --- its parts, in their order ---------------------------------------------------------------- */

struct account {
        struct watched *all;
        struct record *record;
        uint32_t *conns;                 /* ids by link */
        uint32_t *attempts;              /* numbers by call */
        uint32_t engines[UINT8_MAX + 1]; /* processes by engine; 0: of several */
        uint64_t start_ns, end_ns;
};

/* trace_conn and trace_lookup rows; conns[] is filled. */
int account_conns(struct account *account);
/* Look-ups by what they gave an address to. NULL: memory is out; free takes NULL and returns it. */
struct account_lookups;
struct account_lookups *account_lookups_new(const struct account *account);
struct account_lookups *account_lookups_free(struct account_lookups *lookups);
/* The one that gave this connection to the host its address, and gives none to another; NULL: none. */
const struct trace_lookup *account_lookups_take(const struct account *account,
        struct account_lookups *lookups, const struct link *link, struct muster_str host);

/* trace_attempt rows, in order and numbered, with origins and paths; attempts[] is filled. */
int account_attempts(struct account *account);
/*
 * Attempts that are in order, and numbered by their calls, are joined with the redirects that led to
 * them. ret_before[] is zeroed and has room for all: for each the index of the redirect, from 1.
 */
int account_redirects(const struct account *account, uint32_t *ret_before);
/* The same with the tries before them, where a library made one again by itself. */
void account_retries(const struct account *account, uint32_t *before);
/* in_flight, host_in_flight, slot_from, wait. */
int account_waiting(struct account *account);
/* trace_turn and trace_sample rows. */
int account_loops(struct account *account);
/* How many requests came to each process. */
int account_served(struct account *account);
/* struct programs. */
int account_programs(struct account *account);

/* program_hold rows, once there are turns. */
int account_put_holds(struct account *account);

/* How long loops were held, from the rows of holds. NULL: memory is out; free takes NULL. */
struct account_holds;
struct account_holds *account_holds_new(const struct account *account);
struct account_holds *account_holds_free(struct account_holds *holds);
/* In sum, those of a process between two moments of the record. */
uint64_t account_held_ns(const struct account_holds *holds, uint32_t process, uint64_t from_ns,
        uint64_t to_ns);

/* A moment since the run's start, which is none of it: 0 stays 0. */
uint64_t account_since(const struct account *account, uint64_t moment_ns);
/* Both ends of a time, in order. */
void account_rebase(const struct account *account, uint64_t *from_ns, uint64_t *to_ns);

#endif
