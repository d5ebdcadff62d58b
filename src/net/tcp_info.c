/* SPDX-License-Identifier: MIT */
#include "tcp_info.h"

#include <linux/tcp.h>
#include <muster/error.h>
#include <netinet/in.h>
#include <sys/socket.h>

int tcp_sample_read(int fd, struct tcp_sample *ret_sample)
{
        struct tcp_info info = { 0 };
        socklen_t len = sizeof(info);

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
                return MUSTER_E_INTERNAL;
        *ret_sample = (struct tcp_sample){ .rtt_us = info.tcpi_rtt,
                .min_rtt_us = info.tcpi_min_rtt,
                .n_retransmits = info.tcpi_total_retrans,
                .cwnd = info.tcpi_snd_cwnd,
                .delivery_rate = info.tcpi_delivery_rate,
                .rwnd_limited_us = info.tcpi_rwnd_limited,
                .sndbuf_limited_us = info.tcpi_sndbuf_limited,
                .busy_us = info.tcpi_busy_time,
                .bytes_received = info.tcpi_bytes_received,
                .n_out_of_order = info.tcpi_rcv_ooopack };
        /* The kernel's minimum has its highest value until a round trip was measured. */
        if (ret_sample->min_rtt_us == UINT32_MAX)
                ret_sample->min_rtt_us = ret_sample->rtt_us;
        return 0;
}
