/* SPDX-License-Identifier: MIT */
#include "attempt.h"

#include <base/minmax.h>

void attempt_add_phases(const struct attempt *attempt, uint64_t phase_ns[MUSTER_N_PHASES])
{
        const struct {
                uint64_t stamp;
                enum muster_phase ends;
        } cuts[] = {
                { attempt->slot_ns, MUSTER_PHASE_QUEUE },
                { attempt->dns_end_ns, MUSTER_PHASE_DNS },
                { attempt->tcp_end_ns, MUSTER_PHASE_TCP },
                { attempt->tunnel_end_ns, MUSTER_PHASE_TUNNEL },
                { attempt->tls_end_ns, MUSTER_PHASE_TLS },
                { attempt->expect_start_ns, MUSTER_PHASE_SEND },
                { attempt->expect_end_ns, MUSTER_PHASE_WAIT },
                { attempt->send_end_ns, MUSTER_PHASE_SEND },
                { attempt->first_byte_kernel_ns, MUSTER_PHASE_WAIT },
                { attempt->first_byte_read_ns, MUSTER_PHASE_LAG },
        };
        uint64_t at = attempt->start_ns;
        uint64_t rest, decode;

        for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
                uint64_t cut;

                if (!cuts[i].stamp)
                        continue;
                /*
                 * A stamp may be earlier than the one before it, as the kernel's clock is converted
                 * and a response may begin before the request is sent: its piece is empty then. It
                 * may also be later than the end: its piece ends with the attempt.
                 */
                cut = clamp_u64(cuts[i].stamp, at, attempt->end_ns);
                phase_ns[cuts[i].ends] += cut - at;
                at = cut;
        }
        rest = attempt->end_ns - at;
        decode = attempt->decode_ns < rest ? attempt->decode_ns : rest;
        phase_ns[MUSTER_PHASE_DECODE] += decode;
        phase_ns[attempt->stage] += rest - decode;
}
