/* SPDX-License-Identifier: MIT */
/*
 * The log of a watched process: what the shim writes and the reader reads
 *
 * `muster watch` gives the programs that it runs a preloaded library, the shim (watch/shim/). In
 * each process it writes what the process does with sockets, names, waiting and TLS into a file of
 * its own, `FOLDER/shim.PID.START`, which it has mapped: struct watch_log, then events one behind
 * the other. The file is sparse and as large as its log may become. src/watch/ reads it when the
 * process is over, however it ended.
 *
 * An event is room that a thread has taken by adding to `used`. It stores `size` at once and `kind`
 * last (release), so an event of kind 0 was never finished: it is passed over. Room of which not
 * even the size was stored ends the log. What no longer fits is counted in `n_dropped`.
 *
 * All moments are ns of CLOCK_MONOTONIC. The processes are of the same machine and the same build,
 * so integers are in its own order.
 */
#ifndef WATCH_EVENT_H
#define WATCH_EVENT_H

#include <stdint.h>

#define WATCH_MAGIC    "MUSTERWL"
#define WATCH_VERSION  1
#define WATCH_TEXT_MAX 2048 /* of what begins a message, so much is kept */

/* What this shim, in this process, could not do: bits of watch_log.unseen. */
enum watch_unseen {
        WATCH_UNSEEN_TLS = 1,    /* it has TLS, but not by a libssl whose functions are found */
        WATCH_UNSEEN_URING = 2,  /* it asks the kernel by io_uring */
        WATCH_UNSEEN_STAMPS = 4, /* the kernel gives no receive stamps */
        WATCH_UNSEEN_CALLS = 8,  /* it is not in the process: the log is of its connections alone */
};

/* Of a program whose file tells. */
enum watch_language { WATCH_LANGUAGE_UNKNOWN, WATCH_LANGUAGE_GO };

struct watch_log {
        char magic[8];
        uint32_t version, header_size; /* events begin at header_size */
        int32_t pid, ppid;
        uint64_t start_ns,
                start_wall_ns; /* of the process image: fork and exec begin another log */
        uint64_t end_ns;       /* it ended by exit(); 0: by a signal, _exit() or exec */
        uint64_t end_cpu_ns;   /* its processor time at end_ns */
        uint64_t capacity;     /* bytes of events that fit */
        uint64_t used;         /* atomic; more than capacity: some were dropped */
        uint64_t n_dropped;    /* atomic */
        uint32_t unseen;       /* atomic; enum watch_unseen */
        uint32_t n_args_bytes; /* of args */
        char exe[512];         /* a path; ends with a NUL */
        char args[2048];       /* its words, each ended by a NUL; cut off */
        uint32_t language;     /* enum watch_language */
        uint8_t spare[1444];
};

enum watch_kind {
        WATCH_NONE,
        /* A stream socket of the internet or of the file system. data: the address, a sockaddr. */
        WATCH_CONNECT,   /* value: 0 or the errno, EINPROGRESS with a socket that does not block */
        WATCH_CONNECTED, /* a socket that did not block is seen to be connected; value: SO_ERROR */
        WATCH_CLOSE,     /* data: struct watch_tcp; before the descriptor is given back */
        WATCH_SHUTDOWN,  /* value: how */
        WATCH_DUP,       /* value: the other descriptor of the same socket */
        WATCH_ACCEPT,    /* the process is a server as well; fd: the new socket */
        WATCH_NODELAY,   /* value: TCP_NODELAY as it was set */
        /*
         * value: bytes, or -errno; a receive of 0 is the end of the stream. data: of what begins a
         * message of HTTP in plain text, the first WATCH_TEXT_MAX bytes. Kept is what begins with a
         * method and a blank, with "HTTP/", or with HTTP/2's preface; and on a connection that
         * began with the preface each piece. Seen from outside, a send is all that was sent until
         * somebody looked; extra: in so many segments.
         */
        WATCH_SEND,
        WATCH_RECEIVE, /* extra: the kernel's receive stamp, where it was asked for; 0: not known */
        /* epoll_wait, poll, select, ...; value: how many are ready, or -errno; extra: timeout + 1 ms,
           0: none. Those that took nothing and found nothing are left out. */
        WATCH_WAIT,
        /*
         * A thread that waits (as above) was away from it for more than a millisecond: from
         * at_ns, for took_ns. value: its processor time in that; extra: how long it was ready and
         * had no processor. Comes before the WATCH_WAIT that ends it.
         */
        WATCH_AWAY,
        WATCH_LOOKUP, /* getaddrinfo; value: its result, an EAI_; data: the name */
        /* TLS. extra: the SSL's or the SSL_CTX's address. fd: its socket's; with a BIO in memory
           that from which the thread received last, -1: not known. */
        WATCH_TLS_HANDSHAKE, /* value: 1 done, 0 more is to come, -1 failed */
        WATCH_TLS_SEND,      /* as WATCH_SEND, what is told to it */
        WATCH_TLS_RECEIVE,   /* as WATCH_RECEIVE, without a stamp */
        WATCH_TLS_SHUTDOWN,  /* the program says that it is done; took_ns, value: as it returned */
        WATCH_TLS_FREE,
        WATCH_TLS_CONTEXT, /* an SSL_CTX was made */
        WATCH_TLS_TRUST,   /* certificates were loaded into it; took_ns: how long that was */
        WATCH_FORK,        /* value: the child */
        WATCH_EXEC,        /* it is about to be another program; data: path */
        WATCH_THREAD,      /* the thread that begins now */
        WATCH_SLEEP,       /* sleep, usleep, nanosleep, clock_nanosleep */
        WATCH_N_KINDS,
};

enum watch_event_flags {
        WATCH_FLAG_TEXT = 1,   /* data begins a message of HTTP */
        WATCH_FLAG_H2 = 2,     /* data is of an HTTP/2 connection */
        WATCH_FLAG_BLOCKS = 4, /* the socket blocks: took_ns is time that the thread waited */
};

struct watch_event {
        uint32_t size; /* with data, a multiple of 8; atomic */
        uint16_t kind; /* enum watch_kind; atomic */
        uint16_t flags;
        int32_t tid, fd;
        uint64_t at_ns, took_ns; /* when the call began, how long it was */
        int64_t value;
        uint64_t extra;
        uint32_t n_data; /* bytes that follow */
        uint32_t spare;
        uint8_t data[];
};

/* What the kernel knew of a connection when it was closed (TCP_INFO); 0: not known. */
struct watch_tcp {
        uint32_t rtt_us, min_rtt_us, n_retransmits, cwnd;
        uint64_t bytes_received, delivery_rate;
        uint64_t busy_us, rwnd_limited_us, sndbuf_limited_us;
        uint32_t n_unread; /* bytes that had come and were never read */
        uint32_t state;    /* of TCP: TCP_CLOSE_WAIT says that the server closed first */
};

_Static_assert(sizeof(struct watch_log) == 4096, "see spare");
_Static_assert(sizeof(struct watch_event) == 56, "data is aligned");

#endif
