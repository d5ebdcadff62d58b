/* SPDX-License-Identifier: MIT */
/*
 * The parts of the wall time, in words: "83 % of the time went into ..."
 */
#include "facts.h"

#include <assert.h>

static const struct {
        const char *name, *meaning;
} parts[PART_N] = {
        [PART_MISSING] = { "missing", "not known, as this record lacks what was done then" },
        [PART_INPUT] = { "input", "waiting for something to request" },
        [PART_RATE] = { "rate", "keeping to the rate that was asked for" },
        [PART_REFUSED] = { "refused", "keeping to the pace that the server lets in" },
        [PART_QUEUE] = { "queue", "waiting for a turn" },
        [PART_BACKOFF] = { "backoff", "waiting before another try" },
        [PART_DNS] = { "dns", "looking up host names" },
        [PART_TCP] = { "tcp", "opening connections" },
        [PART_TLS] = { "tls", "waiting for the server in TLS handshakes" },
        [PART_SEND] = { "send", "handing requests to the system" },
        [PART_NETWORK] = { "network", "the way to the server and back" },
        [PART_SERVER] = { "server", "waiting for the server's answer" },
        [PART_RECEIVE] = { "receive", "receiving responses, first byte to last" },
        [PART_LOOP_IO] = { "io", "this program's reading, writing and parsing" },
        [PART_LOOP_TLS] = { "handshakes", "this program's own work on TLS handshakes" },
        [PART_LOOP_DECODE] = { "decode", "decompressing responses while all else waited" },
        [PART_LOOP_PROCESS] = { "process", "work on responses while all else waited" },
        [PART_LOOP_CALLER] = { "caller", "the program around it, or whoever reads its output" },
        [PART_PROCESS] = { "workers", "work on responses in other threads, or waiting for these" },
        [PART_DELIVER] = { "deliver", "finished results that were not taken yet" },
};

const char *part_name(enum part part)
{
        assert(part < PART_N);
        return parts[part].name;
}

const char *part_meaning(enum part part)
{
        assert(part < PART_N);
        return parts[part].meaning;
}
