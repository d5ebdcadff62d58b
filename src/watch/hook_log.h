/* SPDX-License-Identifier: MIT */
/*
 * The log of a hook: what is known inside of an interpreter only
 *
 * Beside the shim's log (event.h), a hook in the interpreter (watch/python/, watch/node/) writes
 * `FOLDER/hook.PID.START`: text, a row a line, fields parted by tabs, in the order below. In texts
 * %, tab, line feed and carriage return are written %25, %09, %0A and %0D; where a text is not
 * known it is empty. Moments are ns of CLOCK_MONOTONIC, durations ns. A last line without line feed
 * was torn and is passed over; so is a row of an unknown kind, and fields behind those that are
 * known here.
 *
 *   muster-hook    VERSION(1) LANGUAGE(python, node) LANGUAGE_VERSION PID
 *   library        NAME VERSION
 *   loop           NAME(asyncio, uvloop, libuv)
 *   site           ID FILE LINE FUNCTION           before its first use; ID from 1, 0: not known.
 *                  The innermost frame that belongs neither to the language nor to a library
 *   client         T ID LIBRARY SITE LIMIT PER_HOST KEPT   a session, client, agent or pool was made;
 *                  how many connections it may have and keep idle, 0: no limit
 *   client-end     T ID                            it was closed
 *   request        START END QUEUED CONNECTING STATUS FLAGS CLIENT SITE THREAD METHOD URL ERROR CALLER
 *                  QUEUED: waited for a connection of its pool's limit. CONNECTING: made a
 *                  connection for so long, 0: reused. STATUS 0: none. FLAGS: 1 reused, 2 its body
 *                  was not read to its end, 4 the end of the row is when its head was there, 8 it follows
 *                  another try of the same request, which its library makes by itself.
 *                  THREAD: the kernel's id. ERROR: the exception's type. CALLER: the site that
 *                  called the function of SITE, where that made no request before since it was
 *                  called; may be missing
 *   word           NUMBER TEXT                     what requests refer to below; NUMBER from 1, one by one
 *   requests       SIZE                            SIZE bytes follow, which are no rows: requests, one behind the other.
 *                  Each is 13 numbers (double, in the machine's order): START to THREAD as of a request;
 *                  METHOD, ORIGIN and ERROR, as numbers of words, 0: empty;
 *                  the last is the length of the path, which follows, and then bytes up to a multiple of 8.
 *                  The URL is ORIGIN and path. A last one that is not whole was torn
 *   held           START END CPU SITE LINE_SHARE NAME      a callback held the loop. CPU: of the thread in that,
 *                  -1: not known. SITE: where it was found most often; LINE_SHARE: in how many % of
 *                  the looks; NAME: of the innermost function, "time.sleep", "json.loads"
 *   held-at        START SITE LINE_SHARE NAME      of the one with that START, which had no place when its row was written
 *   semaphore      FIRST LAST VALUE N_ACQUIRED N_WAITED WAITED MOST_WAITING SITE    a semaphore whose holders made requests;
 *                  SITE: where it was made
 *   gather         START END N SITE                gather, wait, as_completed, TaskGroup, Executor.map, Promise.all of N
 *   executor       FIRST LAST THREADS N WAITED MOST_WAITING KIND(getaddrinfo, other) SITE   work for a pool
 *                  of threads; SITE: where the pool was made, 0: it is the loop's. Pools and semaphores have a row for each few seconds.
 *                  N 0: a pool of processes or a limiter of so many was made there, and who waits for it is not seen
 *   pause          FIRST LAST N TOOK SITE          the program slept there, between requests or beside them; N: how often it did, or was
 *                  seen to, for TOOK in all
 *   context        T TOOK SITE                     certificates were loaded into a TLS context
 *   timeout        T CLIENT SITE HELD              a timeout of a request fired; for HELD of its time the loop was held
 *   runtime        NAME HAS_LOCK SWITCH            the interpreter, "cpython"; whether its threads share a lock (0, 1); after how many ns
 *                  one that has it gives it to another
 *   interpreter    FIRST LAST WAITED N_ASKED N_TAKEN SITE SHARE NAME   for so long at least one thread waited for the interpreter's lock (GIL), as
 *                  another had it; a thread of the hook asked for it N_ASKED times, at random moments, and N_TAKEN times it had
 *                  to wait for one of the program. SITE: where they computed, for SHARE % of that time; NAME: as of a hold. Without what is
 *                  behind WAITED: not known. There is one for each few seconds
 *   lost           N                               rows that were too many
 */
#ifndef WATCH_HOOK_LOG_H
#define WATCH_HOOK_LOG_H

#define WATCH_HOOK_VERSION 1

#define WATCH_HOOK_PACKED_BYTES 104 /* of a request in "requests", without its path */

enum watch_hook_request_flags {
        WATCH_HOOK_REUSED = 1,
        WATCH_HOOK_UNREAD = 2,
        WATCH_HOOK_HEAD_ONLY = 4,
        WATCH_HOOK_AGAIN = 8,
};

#endif
