/* SPDX-License-Identifier: MIT */
/*
 * Where an attempt's time went
 *
 * A running attempt only stores stamps. At its end the stamps become phases: in the order of the
 * steps they cut its life into pieces. So the pieces add up to its life exactly, whatever the
 * stamps are.
 *
 *      start ─QUEUE─ slot ─DNS─ dns_end ─TCP─ tcp_end ─TUNNEL─ tunnel_end ─TLS─ tls_end ─SEND─ send_end ─WAIT─ first_kernel ─LAG─ first_read ─RECEIVE─ end
 *
 * A body that waits for 100 (Continue) has its wait between two pieces of SEND; it counts as WAIT.
 *
 * A step that did not happen has no stamp, and its piece is empty. The last piece belongs to the
 * stage that the attempt had reached. Decoding time is counted apart and taken out of RECEIVE.
 */
#ifndef CORE_ATTEMPT_H
#define CORE_ATTEMPT_H

#include <muster/result.h>

/* Stamps in ns of the monotonic clock; 0: did not happen. */
struct attempt {
        uint64_t start_ns; /* entered the queue */
        uint64_t slot_ns;
        uint64_t dns_end_ns;
        uint64_t tcp_end_ns;
        uint64_t tunnel_end_ns;
        uint64_t tls_end_ns;
        uint64_t send_start_ns;
        /* the body waited for 100 (Continue) from here to there, within the sending */
        uint64_t expect_start_ns, expect_end_ns;
        uint64_t send_end_ns;
        /* when the peer's kernel had all of the request; known for some attempts while recording */
        uint64_t acked_ns;
        uint64_t first_byte_kernel_ns;
        uint64_t first_byte_read_ns;
        uint64_t last_byte_kernel_ns;
        uint64_t last_byte_read_ns;
        uint64_t end_ns;
        uint64_t decode_ns; /* a duration, within first_byte_read to end */
        enum muster_phase stage;
};

/* Add the phases of a finished attempt to `phase_ns`. Their sum is end_ns - start_ns. */
void attempt_add_phases(const struct attempt *attempt, uint64_t phase_ns[MUSTER_N_PHASES]);

#endif
