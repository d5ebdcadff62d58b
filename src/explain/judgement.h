/* SPDX-License-Identifier: MIT */
/*
 * Judgement: every threshold of src/explain, once
 *
 * A rule compares facts with numbers; the numbers are here. The macro is the unit, the comment says
 * where the number comes from:
 *
 *      JUDGE_SHARE     a part of a whole, from 0 to 1
 *      JUDGE_TIMES     one thing beside another of its kind
 *      JUDGE_COUNT     so many of them
 *      JUDGE_NS        a duration
 *      KNOWN_...       what a kernel, an RFC or our own code does: known, not judged
 *
 * They are constants. In a build with tests they are variables, so that script/calibrate --sway can
 * move one at a time (judgement.c) and tell which verdicts hang on a hair. What is known is not
 * moved: no other value of it would be true anywhere.
 *
 * Bounds of memory and loops (how many windows, steps, rows) judge nothing; they stand where they
 * are used.
 */
#ifndef EXPLAIN_JUDGEMENT_H
#define EXPLAIN_JUDGEMENT_H

#include <base/clock.h>
#include <stdint.h>

#ifndef JUDGE_REAL
#ifdef JUDGEMENT_SWAYS
#define JUDGE_REAL(name, value)  extern double name
#define JUDGE_WHOLE(name, value) extern uint64_t name
#else
#define JUDGE_REAL(name, value)  static const double name = value
#define JUDGE_WHOLE(name, value) static const uint64_t name = value
#endif
#endif

#ifndef JUDGE_SHARE
#define JUDGE_SHARE(name, value) JUDGE_REAL(name, value)
#define JUDGE_TIMES(name, value) JUDGE_REAL(name, value)
#define JUDGE_COUNT(name, value) JUDGE_WHOLE(name, value)
#define JUDGE_NS(name, value)    JUDGE_WHOLE(name, value)
#define KNOWN_NS(name, value)    static const uint64_t name = value
#define KNOWN_COUNT(name, value) static const uint64_t name = value
#endif

/* --- what matters ---------------------------------------------------------------------------- */

/* Of the wall time, or of another time: more often than not. */
JUDGE_SHARE(MOST_OF_TIME, 0.5);
/* Nearly half, of what stands apart from everything else anyway. */
JUDGE_SHARE(MUCH_OF_TIME, 0.4);
/* Of requests, attempts or connections: more of them than not. */
JUDGE_SHARE(MOST_OF_THEM, 0.5);
/* Of requests, answers or connections: the others change nothing. */
JUDGE_SHARE(NEARLY_ALL, 0.9);

/* Of the wall time: a smaller gain, and a smaller cost, is not worth a line. */
JUDGE_SHARE(LINE_SHARE, 0.03);
/* Two runs of the same differ by as much: clocks and the scheduler. */
JUDGE_NS(LINE_NS, NS_PER_MS);
/*
 * Nobody notices a smaller gain of a run; a run that is over so soon is told as it was. Half of what
 * two events may be apart and still be one to us.
 */
JUDGE_NS(GAIN_FELT_NS, 20 * NS_PER_MS);
/* Of the wall time: nobody would notice a smaller gain, or change a limit for it. */
JUDGE_SHARE(GAIN_NOTICED, 0.1);
/* Of the wall time: what is ours comes first, as the run says little of servers then. */
JUDGE_SHARE(OWN_LIMIT_FIRST, 0.2);
/* Of the requests: what so many failed by comes before what would make the others faster. */
JUDGE_SHARE(FAILURES_FIRST, 0.1);
/* Of the attempts: more that are missing look like times in which nothing went on. */
JUDGE_SHARE(HOLES_MOST, 0.01);

/* Of the wall time: what ended in the last of it was one of the last (chain.h). */
JUDGE_SHARE(LAST_OF_RUN, 0.01);
/* Of the wall time: a part is worth a word in the verdict. */
JUDGE_SHARE(MENTIONED, 0.1);
/* Of the wall time: a resource that was needed for as long may be what held the run up. */
JUDGE_SHARE(BINDING, 0.6);

/* --- how much of a time a family of causes needs --------------------------------------------- */

/* Of slots' time: opening connections. Least of all, as every request may be spared it. */
JUDGE_SHARE(OPENING_MATTERS, 0.02);
/* Of slots' time: connecting slowly, handshakes, redirects, stops for an acknowledgement, 100s. */
JUDGE_SHARE(SLOT_TIME_MATTERS, 0.05);
/* Of slots' time: what losses held up. Less does not explain a slow run. */
JUDGE_SHARE(LOSSES_MATTER, 0.05);
/* Of slots' time: what losses held up, so that answers come late by them and by no server. */
JUDGE_SHARE(LOSSES_COME_FIRST, 0.15);
/* Of slots' time: pauses of the server within responses. */
JUDGE_SHARE(PAUSES_OF_SLOTS_MATTER, 0.2);
/* Of slots' time: bodies on a cold connection. */
JUDGE_SHARE(COLD_BODIES_MATTER, 0.1);
/* Of slots' time: receiving, where the link may be full. */
JUDGE_SHARE(RECEIVING_MATTERS, 0.3);
/* Of the wall time: waiting for names. */
JUDGE_SHARE(NAMES_MATTER, 0.05);
/* Of the wall time: waiting before another try, or at the pace that refusals taught. */
JUDGE_SHARE(BACKOFF_MATTERS, 0.1);
/* Of the wall time: our own work, or the caller's. */
JUDGE_SHARE(OWN_WORK_MATTERS, 0.2);
/* Of the wall time: what the last of a herd waited. */
JUDGE_SHARE(HERD_MATTERS, 0.2);
/* Of the wall time: pauses in which nothing was to be requested. */
JUDGE_SHARE(PAUSES_MATTER, 0.3);
/* Of the wall time: all slots in use, so that a plan of starts could not be kept. */
JUDGE_SHARE(FULL_SLOTS_MATTER, 0.3);
/* Of the wall time: the end, during which most slots were empty. */
JUDGE_SHARE(TAIL_MATTERS, 0.3);

/* --- how many say something ------------------------------------------------------------------ */

/* A median of fewer is one of them. */
JUDGE_COUNT(SAMPLE_LEAST, 3);
/* It happened so often: once is an accident, twice may be one. */
JUDGE_COUNT(HABIT_LEAST, 3);
/* Connections: fewer are no row that wait for each other. */
JUDGE_COUNT(ROW_LEAST, 8);
/* In a row, to tell a pace by: so many are even by no accident. */
JUDGE_COUNT(PACE_LEAST, 10);
/* Requests at a time that are as good as one, so that no single one decides. */
JUDGE_COUNT(ALONE_LEAST, 4);
/* Answers whose average, or pace, says something. */
JUDGE_COUNT(AVERAGE_LEAST, 4);
/* Attempts on either side, to hold one host or path against the others. */
JUDGE_COUNT(UNEVEN_LEAST, 5);
/* Requests that came one by one, to a program, and are a list all the same. */
JUDGE_COUNT(LIST_LEAST, 20);
/* Of all answers or attempts: fewer are exceptions. */
JUDGE_SHARE(EXCEPTIONS_MOST, 0.05);
/* Of the attempts: fewer refusals are an accident, and no throttling. */
JUDGE_SHARE(REFUSALS_NOT_FEW, 0.02);
/* Of the attempts: redirects and retries, beside which answers are still what took long. */
JUDGE_SHARE(AGAIN_MOST, 0.1);

/* The wall time of a few requests: nobody waits for it, and a few say little of a server. */
JUDGE_NS(BRIEF_RUN_NS, NS_PER_S);

/* --- what stands out ------------------------------------------------------------------------- */

/* The middle one: no ordinary scatter reaches that. */
JUDGE_TIMES(FAR_LONGER, 5);
/* The middle one: worth a word. */
JUDGE_TIMES(MUCH_LONGER, 1.5);
/* The middle of other hosts or paths: no accident of a few. */
JUDGE_TIMES(SLOWER_THAN_OTHERS, 3);
/* The same, where nearly all of one are slower than nearly all of the others. */
JUDGE_TIMES(SLOWER_APART, 2);
/* What was before: not by the scatter of runs, or of paces. */
JUDGE_TIMES(BEYOND_SCATTER, 1.1);
/* The wall time: so much a simulation of the same run is off (scenarios, unchanged). */
JUDGE_TIMES(REPLAY_SCATTER, 1.05);
/* The simulation, in the measured time: it left something out. */
JUDGE_TIMES(REPLAY_OFF, 2);
/* What is expected may come as well: nothing is promised then. */
JUDGE_TIMES(PREDICTION_VAGUE, 1.5);

/* --- predictions ----------------------------------------------------------------------------- */

/* Of the gain: what may not come, as connections that are spared spare nothing else. */
JUDGE_SHARE(GAIN_MISSED, 0.1);
/* The same of handshakes, whose computing others may take up. */
JUDGE_SHARE(HANDSHAKE_GAIN_MISSED, 0.25);
/*
 * Of the round trips that a body takes on a cold connection, on one that was used before: as many as
 * without that, where its window was left as it was; none, where it has grown enough.
 */
JUDGE_SHARE(WINDOW_NOT_GROWN, 0.5);
/* The same of a larger first window, which a router's queue may not take. */
JUDGE_SHARE(WINDOW_GAIN_MISSED, 0.5);
/* Of the wall time expected: it may take so much longer where a remedy is known well. */
JUDGE_SHARE(LONGER_AT_WORST, 0.1);
/* The same of handshakes that are resumed. */
JUDGE_SHARE(RESUMED_AT_WORST, 0.05);
/* Of the wall time expected, at best, where it is a guess. */
JUDGE_TIMES(GUESS_AT_BEST, 0.5);
/* ... and at worst. */
JUDGE_TIMES(GUESS_AT_WORST, 2);
/* The same of a herd, of which each one's time is known. */
JUDGE_TIMES(HERD_AT_WORST, 1.5);
/* Of the connections that waited when there was no room for another: so many have room. */
JUDGE_SHARE(CROWD_THAT_FITS, 0.5);
/*
 * Of the wall time, either way: two runs of the same differ by as much, whatever they are (the lab's
 * scenarios repeated, on a machine that does nothing else).
 */
JUDGE_SHARE(RUNS_DIFFER, 0.05);
/*
 * The same of what a watched program does before its first request, which is short, and mostly loading:
 * nine in ten pairs of programs of the ground and their remedied twins.
 */
JUDGE_SHARE(LOADING_DIFFERS, 0.1);
/* Of what a replay of the run as it was is off: what of that a replay with a change may be off. */
JUDGE_SHARE(FIT_COUNTS, 0.5);
/* Of the wall time, either way: more scatter than that tells only that nobody can tell. */
JUDGE_SHARE(SCATTER_MOST, 0.5);
/* Processors, where a record does not say. */
JUDGE_COUNT(PROCESSORS_LIKELY, 2);

/* --- the loop's thread, and the processor ---------------------------------------------------- */

/* Of all processors: what waits on this machine waits for one of them. */
JUDGE_SHARE(PROCESSORS_FULL, 0.8);
/* ... hardly anybody else uses them: what they did was done for the requests. */
JUDGE_SHARE(PROCESSORS_OURS, 0.5);

/*
 * Of the wall time that the loop is busy: from here on it could not do more. Raising a limit gains
 * nothing then, and what looks like a slow link or server may be this program. Queueing: a server
 * that is busy for 0.7 of the time makes others wait for more than twice what their own work takes.
 */
JUDGE_SHARE(LOOP_BUSY, 0.7);
/*
 * ... answers wait for it, and nothing is said of the server. Between the two the server may be
 * called slow, but no limit of ours too low.
 */
JUDGE_SHARE(LOOP_IN_THE_WAY, 0.8);
/* ... there is nothing else. */
JUDGE_SHARE(LOOP_SATURATED, 0.95);
/*
 * Of what more event loops could spare at best: so much is likely. The rest goes to handing over
 * between threads, and to servers on the same machine (measured with two against nginx).
 */
JUDGE_SHARE(THREADS_SPARE, 0.6);
/* Of the wall time, our own work in the chain: whatever else there is matters little. */
JUDGE_SHARE(OWN_WORK_IS_ALL, 0.8);
/* The same of both, where the processor may have been shared and enough was under way. */
JUDGE_SHARE(OWN_WORK_SHARED, 0.4);
/* Requests under way, so that the loop should always have had work. */
JUDGE_COUNT(PLENTY_UNDER_WAY, 8);
/* Of the time that the loop is busy: the caller's part, and then it is the caller. */
JUDGE_SHARE(CALLER_IS_MOST, 0.67);
/* Of the time that a busy thread should have had a processor: one that is blocked has none. */
JUDGE_SHARE(ON_PROCESSOR, 0.3);
/* Neither on a processor nor ready for one: a shorter time is a page, a lock, an interrupt. */
JUDGE_NS(BLOCKED_LEAST_NS, 20 * NS_PER_MS);
/* The same of work that never blocks; disks and hypervisors hold it up for less. */
JUDGE_NS(STOPPED_LEAST_NS, 50 * NS_PER_MS);
/* Bytes: a body that is most of its result line. */
JUDGE_COUNT(LARGE_IN_LINE_BYTES, 4096);
/* Of workers' time, of such as others wait for: first and last there is no work for all. */
JUDGE_SHARE(WORKERS_BUSY, 0.6);
/* Of the wall time, that the program's own workers had all the bodies that they may have. */
JUDGE_SHARE(OWN_WORKERS_FULL, 0.5);
/* Of the processor time that work should have used: less, and the work waits itself. */
JUDGE_SHARE(WORK_WAITS, 0.1);

/* --- slots, and raising a limit -------------------------------------------------------------- */

/* How far a limit is raised: how servers take more than that no run has shown. */
JUDGE_COUNT(RAISE_MOST, 16);
/* Requests for each slot: a slot that takes so many waits for the limit, not for an answer. */
JUDGE_TIMES(TURNS_MANY, 16);
/* Of the wall time, after which a straggler began: it could have been over as much sooner. */
JUDGE_SHARE(BEGAN_LATE, 0.1);
/* FAR_LONGER, and give up only beyond that. */
JUDGE_TIMES(GIVE_UP_BEYOND, 1.5);
/* The longest of a run: the next time one may take so much more. */
JUDGE_TIMES(LONGEST_AGAIN, 1.25);
/* What nine of ten of the others took: nobody who answers takes longer. */
JUDGE_TIMES(PATIENCE, 5);
/* The time after which one gives up: less is not worth giving up for. */
JUDGE_TIMES(GIVE_UP_GAINS, 2);

/* --- input ----------------------------------------------------------------------------------- */

/* Requests in a round on average, and more: a batch. */
JUDGE_TIMES(BATCH_LEAST, 2);
/* Of the wall time, from the first submission of each round to its last: a batch comes at once. */
JUDGE_SHARE(SUBMITTED_TOGETHER, 0.25);
/* Of all pauses, the longest: beyond it there was one pause, and no list that came slowly. */
JUDGE_SHARE(ONE_PAUSE, 0.75);
/* At once, of a server that was never asked for two. */
JUDGE_COUNT(CAREFUL_AT_ONCE, 16);
/*
 * Different URLs: whoever repeats fewer makes load of them by hand, and a list of more that repeats
 * itself was put together from several.
 */
JUDGE_COUNT(URLS_OF_A_LIST, 8);
/* Of the wall time, behind the plan: it was not kept. */
JUDGE_SHARE(BEHIND_PLAN, 0.1);
/* What a program does with a result before it goes on; of time between two submissions, too. */
JUDGE_NS(RIGHT_AFTER_NS, 10 * NS_PER_MS);
JUDGE_SHARE(RIGHT_AFTER, 0.1);
/* Scatter of the pauses: where there is a clock, moments scatter less. */
JUDGE_SHARE(BY_CLOCK, 0.7);

/* --- the server under load ------------------------------------------------------------------- */

/* Of the most that were out at once: this is few. */
JUDGE_SHARE(FEW_OUT, 0.25);
/* ... and this is many. */
JUDGE_SHARE(MANY_OUT, 0.75);
/* Quantiles: fast ones of many, which are held against slow ones of few. */
JUDGE_SHARE(FAST_OF_MANY, 0.1);
JUDGE_SHARE(SLOW_OF_FEW, 0.75);
/* Within the scatter of medians of a few dozen answers. */
JUDGE_TIMES(FLAT_GROWTH, 1.3);
/* A third of the time of an answer is a queue: no scatter any more. */
JUDGE_TIMES(FULL_GROWTH, 1.5);
/* The pace that was seen: at worst a server that was not full can give so much, and no more. */
JUDGE_TIMES(SERVER_ROOM, 3);
/* Growth that the scatter could have hidden. */
JUDGE_SHARE(HIDDEN_GROWTH, 0.1);
/* The pace of all: fewer at once have to gain so much. */
JUDGE_TIMES(BETTER_PACE, 1.25);
/* The middle gap: nine of ten gaps are within, both ways. */
JUDGE_TIMES(EVEN_GAPS, 1.5);
/* Between answers: less may be the turns of this program. */
JUDGE_NS(GAP_LEAST_NS, NS_PER_MS);
/* Of the time in which they were answered, the first ones were asked for. */
JUDGE_SHARE(ASKED_AT_ONCE, 0.25);
/* Of the wall time at least, if all answers took what the middle one did. */
JUDGE_SHARE(TYPICAL_FILLS, 0.4);
/* What a host needs: so that it never waits for us, and for how well this is known. */
JUDGE_TIMES(HEADROOM, 1.25);
/* Of the limit: less of a change would not be noticed. */
JUDGE_SHARE(LOWER_LIMIT_MOST, 0.75);
/* At a time, where one is taken up after the other. */
JUDGE_COUNT(ONE_BY_ONE_LEAST, 4);
/* Of answers: more may have been overtaken by accident, on the way. */
JUDGE_SHARE(OVERTAKEN, 0.95);

/* --- refusals -------------------------------------------------------------------------------- */

/* Of those let in, that had as much company as those refused: they came when one had just left. */
JUDGE_SHARE(LET_IN_ALL_THE_SAME, 0.25);
/* Of the attempts that were let in, to tell what a server takes. */
JUDGE_SHARE(LET_IN_TO_TELL, 0.1);
/* Of what was let in: the server counts what is on its way, too. */
JUDGE_SHARE(LET_IN_MARGIN, 0.8);
/* Of as many as a server lets in at once: with fewer on average it had room for more. */
JUDGE_SHARE(NEARLY_FULL, 0.75);
/* What was let in for so long was no burst: limits count by the second. */
JUDGE_NS(PACE_LASTS_NS, NS_PER_S);
/* A shorter time tells of no pace. */
JUDGE_NS(PACE_LEAST_NS, 100 * NS_PER_MS);

/* --- connections ----------------------------------------------------------------------------- */

/* Closing that belongs to an answer comes so soon after it; or within a part of a round trip. */
JUDGE_NS(CLOSED_AT_ONCE_NS, 10 * NS_PER_MS);
JUDGE_SHARE(CLOSED_AT_ONCE, 0.25);
/* Connections for each that was in use at once: the others could have been kept. */
JUDGE_TIMES(CONNS_KEPT, 1.25);
/* Of what answers took, connecting: less is no matter. */
JUDGE_SHARE(OPENING_IS_NO_MATTER, 0.25);
/* The work of a small request on a kept connection: measured, 50 us to 10 (with TLS 85 to 14). */
JUDGE_TIMES(OPENING_WORK, 5);
/*
 * The same of a watched program, whose library has far more to do for a request, and no more for a
 * connection: measured, 1 (aiohttp, httpx, urllib3, Node; without the handshake, which is counted).
 */
JUDGE_TIMES(PROGRAM_OPENING_WORK, 1);
/* Round trips that connecting takes on a network that is jittery. */
JUDGE_TIMES(CONNECT_JITTER, 3);
/* What connecting takes longer because this machine is busy. */
JUDGE_NS(CONNECT_BUSY_NS, 5 * NS_PER_MS);
/* A server that takes so long for each alike is far away, or slow to accept. */
JUDGE_NS(SYN_TO_TELL_NS, 500 * NS_PER_MS);

/* --- connections that wait for each other ---------------------------------------------------- */

/* Of the longest: those that began within it began together. */
JUDGE_SHARE(BEGAN_TOGETHER, 0.1);
/* Of all connections: the others do not matter. */
JUDGE_SHARE(ROW_OF_ALL, 0.8);
/* Of a ramp's highest tenth, its lowest; a straight line from nothing has 0.11. */
JUDGE_SHARE(RAMP_LOW_MOST, 0.35);
/* Of the way between these, how far the middle is from halfway; in the lab up to 0.08. */
JUDGE_SHARE(RAMP_BENT, 0.25);
/*
 * What a handshake takes alone, the quickest tenth of those together: in four herds at nginx 5 and
 * more. A long way there makes both longer.
 */
JUDGE_TIMES(IN_COMPANY_LONGER, 3);
/* Later answers: less may be what a first request costs a server. */
JUDGE_TIMES(FIRST_FAR_LONGER, 5);
/* Of the longest: a first answer that waited less may be late for another reason. */
JUDGE_SHARE(WAITED_LEAST, 0.1);
/* Whatever the others took: the scatter of a busy machine. */
JUDGE_NS(WAITED_LEAST_NS, 50 * NS_PER_MS);
/* The wall time expected without that wait: what the server's other workers take is not known. */
JUDGE_TIMES(SERVED_AT_WORST, 1.5);

/* --- packets that are sent again ------------------------------------------------------------- */

/* A packet is sent again three times, after 200, 400 and 800 ms: what took longer is no loss. */
JUDGE_NS(SENT_AGAIN_NS, 1500 * NS_PER_MS);
/* Around a whole number of seconds: the kernel's timer for a SYN is up to 8 % late. */
JUDGE_NS(SYN_EARLY_NS, 10 * NS_PER_MS);
JUDGE_SHARE(SYN_LATE, 0.08);
/* After another address' turn to be tried: a loop that was busy. */
JUDGE_NS(RACE_LATE_NS, 50 * NS_PER_MS);
/* What is usual: a connection that lost something was held up. */
JUDGE_TIMES(LOSS_STANDS_OUT, 1.5);
/* Of a round trip: packets that are sent again come later by one. */
JUDGE_SHARE(LOSS_ROUND_TRIP, 0.5);

/* --- streams of HTTP/2 ----------------------------------------------------------------------- */

/* Of the wall time: waiting for the connection that tells which HTTP its server speaks. */
JUDGE_SHARE(PROTOCOL_WAIT_MATTERS, 0.1);
/* Round trips that an upload takes: of fewer nobody can tell a window by. */
JUDGE_TIMES(WINDOW_TRIPS_LEAST, 4);
/* Of STREAM_WINDOW, what went out in a round trip: in the lab 0.8; WINDOW_UPDATEs take a while. */
JUDGE_SHARE(WINDOW_USED_LEAST, 0.6);
/* ... and more than all of it: a larger window, or none. */
JUDGE_TIMES(WINDOW_USED_MOST, 1.1);

/* --- names ----------------------------------------------------------------------------------- */

/* Of the lookups: so many were lost that it is loss, whatever else they are. */
JUDGE_SHARE(LOOKUPS_LOST, 0.25);
/* Beyond the resolver's own time: what an answer takes, and a loop that was busy. */
JUDGE_NS(LOOKUP_LATE_NS, 100 * NS_PER_MS);
JUDGE_NS(FAMILY_LATE_NS, 10 * NS_PER_MS);
/* Before it: our stamps. */
JUDGE_NS(FAMILY_EARLY_NS, NS_PER_MS);

/* --- TLS ------------------------------------------------------------------------------------- */

/* Round trips: twice the two that TLS 1.2 needs are no network. */
JUDGE_TIMES(HANDSHAKE_IS_WORK, 4);
/* Round trips: between one (resumed, TLS 1.3) and two. */
JUDGE_TIMES(HANDSHAKE_IS_FULL, 1.7);

/* --- bodies, and the link -------------------------------------------------------------------- */

/* Of what a cold connection takes: a careful congestion control stops doubling early. */
JUDGE_TIMES(COLD_LEAST, 0.6);
/* Of what a cold connection takes: beyond it something holds the body up. */
JUDGE_TIMES(BODY_HELD_UP, 2.5);
/* ... on a warm one, which should take next to nothing. */
JUDGE_TIMES(WARM_BODY_HELD_UP, 0.5);
/* Packets, of a larger window to begin with, as operators set it. */
JUDGE_COUNT(LARGE_WINDOW, 32);
/* Round trips: less may be by chance. */
JUDGE_TIMES(GROWTH_TO_TELL, 1.2);
/* Round trips: packets wait in a queue, which jitter does not do to the median. */
JUDGE_TIMES(QUEUE_GROWTH, 1.3);
/*
 * Of the rate in the best tenth of the time, the middle one. In the lab, with losses at random 0.4
 * to 0.67; at full links 0.7 to 0.96, over 0.8 where the queue is too short to be seen.
 */
JUDGE_SHARE(LINK_EVEN, 0.6);
JUDGE_SHARE(LINK_VERY_EVEN, 0.8);
/* Variation of the rate of each: the numbers of transfers differed enough to tell by. */
JUDGE_SHARE(EACH_UNEVEN, 0.2);
/* Of that, the variation of all together: they shared. */
JUDGE_SHARE(TOGETHER_EVEN, 0.5);
/* Of the most that came at once: enough to fill a link. */
JUDGE_SHARE(MANY_COMING, 0.5);

/* --- what is not steady ---------------------------------------------------------------------- */

/*
 * A pause of a server is at least as long: a scheduler that shares processors among many makes
 * shorter ones.
 */
JUDGE_NS(PAUSE_LEAST_NS, 50 * NS_PER_MS);
/* Beside others that use this machine's processors, a server here is kept from them for less. */
JUDGE_NS(PAUSE_BY_SCHEDULER_NS, 250 * NS_PER_MS);
/* Of a pause: what was sent as soon after its begin is under way, as the last answers freed slots. */
JUDGE_SHARE(PAUSE_EDGE, 0.1);
/* That nothing came for so long by chance, in any of the gaps of a run: nobody need think of it. */
JUDGE_SHARE(CHANCE_MOST, 0.01);
/* Times between pauses that tell of a period: fewer are even by accident. */
JUDGE_COUNT(PERIOD_LEAST, 3);
/* Of the middle one of these times: a clock, and not the load. */
JUDGE_TIMES(PERIOD_EVEN, 1.2);
/* Of the answers before the change, slow ones: a few come in between while the server warms up. */
JUDGE_SHARE(COLD_NEARLY_ALL, 0.8);

/*
 * Transfers at a time, of those with much company to those with little: enough that a rate which
 * all share differs by more than rates scatter.
 */
JUDGE_TIMES(COMPANY_DIFFERS, 1.4);
/* Of the loss that sharing would be, by logarithms: less, and the rate is each one's own. */
JUDGE_SHARE(RATE_IS_EACHS, 0.35);
/* Of the rate of the fastest tenth, that of the slowest: connections that share scatter more. */
JUDGE_SHARE(RATES_SAME, 0.9);

/* --- acknowledgements ------------------------------------------------------------------------ */

/* Around DELAYED_ACK_NS: timers, stamps, a loop; with 250 ticks a second it is up to 44 ms. */
JUDGE_NS(HELD_BACK_EARLY_NS, 2 * NS_PER_MS);
JUDGE_NS(HELD_BACK_LATE_NS, 10 * NS_PER_MS);
/* More pieces than these, of more than is sent at once: it came bit by bit. */
JUDGE_COUNT(PIECES_FEW, 8);
/* A shorter one may be anything. */
JUDGE_NS(ROUND_TRIP_TO_TELL_NS, 5 * NS_PER_MS);
/* Round trips that a stop for an acknowledgement takes which comes without delay. */
JUDGE_TIMES(STOP_LEAST, 0.9);
JUDGE_TIMES(STOP_MOST, 1.3);

/* Between two pieces of a response: less may be the scheduler's, or the server's writing. */
JUDGE_NS(STOP_TO_TELL_NS, 2 * NS_PER_MS);
/* Round trips: what was sent together comes less than that apart, whatever the network does. */
JUDGE_TIMES(STOP_BEYOND_JITTER, 0.25);

/* --- programs that were watched -------------------------------------------------------------- */

/* Requests for each place at a time that their program allows: with fewer nearly all are let in. */
JUDGE_TIMES(PROGRAM_TURNS, 1.5);
/* The same where nobody has said that there is a limit: so many turns are taken on purpose. */
JUDGE_TIMES(PROGRAM_TURNS_UNSAID, 8);
/* What waits for less, on average, goes through a limit and does not wait for it. */
JUDGE_NS(LIMIT_WAIT_LEAST_NS, NS_PER_MS);
/* Of what a limit allows, in flight on average: those that wait for it take over at once. */
JUDGE_SHARE(PROGRAM_FULL, 0.6);
/* Requests at once, whose number nobody has thought of; aiohttp and httpx let half of that through. */
JUDGE_COUNT(UNBOUNDED_LEAST, 200);
/*
 * Of what a loop does for a request that is made alone, what it does for one of many: it wakes up
 * once for several. Measured with aiohttp on one server: 1.3 ms, and 0.45 ms of a hundred at once.
 */
JUDGE_SHARE(WORK_TOGETHER, 0.35);
/* Threads of asyncio.to_thread(): so many more than there are processors, and so many at most. */
KNOWN_COUNT(TO_THREAD_MORE, 4);
KNOWN_COUNT(TO_THREAD_MOST, 32);
/* Of one processor: an interpreter whose threads take turns does not use more, but for the kernel. */
JUDGE_TIMES(ONE_PROCESSOR_MOST, 1.3);
/* Looks at who has the interpreter's lock: each waits for it, so that they are some 15 a second. */
JUDGE_COUNT(LOCK_ASKED_LEAST, 10);
/* Requests for each client or process: another one for each, but for a retry or a redirect. */
JUDGE_TIMES(CLIENT_SERVES, 1.5);
/* Of the wall time: a loop that was held for less is at its work. */
JUDGE_SHARE(HELD_MATTERS, 0.1);
/* At a time, on average: what is shorter is work for each answer, and no fault of one line. */
JUDGE_NS(HELD_LEAST_NS, 5 * NS_PER_MS);

/* --- known ----------------------------------------------------------------------------------- */

/* The kernel sends again after this at the earliest, without the round trip: TCP_RTO_MIN. */
KNOWN_NS(RTO_MIN_NS, 200 * NS_PER_MS);
/* The kernel holds an acknowledgement back for so long: TCP_DELACK_MIN. */
KNOWN_NS(DELAYED_ACK_NS, 40 * NS_PER_MS);
/* The kernel sends a SYN again after so long: TCP_TIMEOUT_INIT, RFC 6298 section 2. */
KNOWN_NS(SYN_AGAIN_NS, NS_PER_S);
/* Seconds that it goes on with that: tcp_syn_retries. */
KNOWN_COUNT(SYN_AGAIN_MOST, 60);
/* Seconds for which a closed connection keeps its local port: TCP_TIMEWAIT_LEN of Linux. */
KNOWN_COUNT(TIME_WAIT_S, 60);
/* Connection Attempt Delay, until the next address is tried: RFC 8305 section 5. */
KNOWN_NS(RACE_NS, 250 * NS_PER_MS);
/* The resolver asks again, net/dns_channel.c; explain does not see that layer. */
KNOWN_NS(LOOKUP_AGAIN_NS, 2 * NS_PER_S);
/* Resolution Delay, RFC 8305 section 3. */
KNOWN_NS(FAMILY_NS, 50 * NS_PER_MS);
/* Bytes of a stream's window, unless the server allows more: RFC 9113 section 6.9.2. */
KNOWN_COUNT(STREAM_WINDOW, 65535);
/* Bytes of a packet's payload that every network takes: RFC 8200 section 5, less the headers. */
KNOWN_COUNT(LEAST_SEGMENT, 1280 - 60);
/* Bytes that a cold connection sends at once: ten segments, RFC 6928. */
KNOWN_COUNT(FIRST_WINDOW_SEGMENTS, 10);
KNOWN_COUNT(FIRST_WINDOW, 10 * 1448);
/* Bytes of a body that the loop decodes all the same, and the step: core/exchange.c. */
KNOWN_COUNT(DECODED_BEGIN_BYTES, 64 * 1024);
KNOWN_COUNT(DECODED_STEP_BYTES, 2048);
/*
 * Processor time of a small request on a kept connection, the kernel's part as well: muster fetch,
 * 20,000 requests of 1 KiB, 64 at a time, took 0.24 s.
 */
KNOWN_NS(ENGINE_WORK_NS, 12 * NS_PER_US);
/* A turn of the loop that is not recorded took less: core/turns.c. */
KNOWN_NS(SHORT_TURN_NS, NS_PER_MS);

#endif
