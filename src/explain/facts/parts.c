/* SPDX-License-Identifier: MIT */
/*
 * The parts of the wall time, in words: "83 % of the time went into ..."
 */
#include "facts.h"

#include <assert.h>

static const struct {
        const char *name, *meaning;
        const char *of_watched; /* of somebody's program; NULL: the same */
} parts[PART_N] = {
        [PART_MISSING] = { "missing", "unknown: missing from this record" },
        [PART_STARTUP] = { "startup", "the program before its first request" },
        [PART_ENDING] = { "ending", "the program after its last response" },
        [PART_INPUT] = { "input", "waiting for the input", "the program between its requests" },
        [PART_RATE] = { "rate", "waiting for the requested rate" },
        [PART_REFUSED] = { "refused", "keeping to the rate that the server accepts" },
        [PART_MEMORY] = { "memory", "waiting for memory for bodies (--body-memory)" },
        [PART_QUEUE] = { "queue", "waiting for a free slot" },
        [PART_BACKOFF] = { "backoff", "waiting before retries" },
        [PART_DNS] = { "dns", "resolving host names" },
        [PART_TCP] = { "tcp", "opening connections" },
        [PART_TUNNEL] = { "tunnel", "asking the proxy for a tunnel" },
        [PART_TLS] = { "tls", "TLS handshakes, waiting for the server" },
        [PART_SEND] = { "send", "sending requests" },
        [PART_EXPECT] = { "expect", "bodies waiting for 100 (Continue)" },
        [PART_NETWORK] = { "network", "network round trips" },
        [PART_SERVER] = { "server", "waiting for the server's response" },
        [PART_RECEIVE] = { "receive", "receiving responses, first byte to last" },
        [PART_LOOP_IO] = { "io", "this program reading, writing and parsing" },
        [PART_LOOP_TLS] = { "handshakes", "TLS handshakes, this program's part" },
        [PART_LOOP_DECODE] = { "decode", "decompressing bodies in the event loop" },
        [PART_LOOP_PROCESS] = { "process", "processing bodies in the event loop" },
        [PART_LOOP_CALLER] = { "caller", "event loop blocked by the caller or its output",
                "the program's own code, while its requests waited" },
        [PART_PROCESSOR] = { "processor", "this program waiting for a processor that others used" },
        [PART_STOPPED] = { "stopped", "this program stopped" },
        [PART_PROCESS] = { "workers", "processing bodies in other threads" },
        [PART_DELIVER] = { "deliver", "finished results waiting to be taken",
                "answers waiting for the program to take them" },
};

const char *part_name(enum part part)
{
        assert(part < PART_N);
        return parts[part].name;
}

const char *part_meaning(enum part part, bool is_watched)
{
        assert(part < PART_N);
        return is_watched && parts[part].of_watched ? parts[part].of_watched : parts[part].meaning;
}
