/* SPDX-License-Identifier: MIT */
/*
 * What to change, in the words of the library that a watched program uses
 *
 * Rules say what there is to do; what that is called is here, in one table by library. Where a
 * library has no name for it, or is not known, the words are those for any program.
 */
#ifndef EXPLAIN_LIBRARY_WORDS_H
#define EXPLAIN_LIBRARY_WORDS_H

#include <explain/facts/facts.h>

enum library {
        LIBRARY_UNKNOWN,
        LIBRARY_AIOHTTP,
        LIBRARY_HTTPX,      /* httpx.AsyncClient */
        LIBRARY_HTTPX_SYNC, /* httpx.Client */
        LIBRARY_REQUESTS,
        LIBRARY_URLLIB3,
        LIBRARY_HTTP_CLIENT, /* Python's own: http.client, urllib.request */
        LIBRARY_NODE,        /* fetch() and undici */
        LIBRARY_CURL,
        LIBRARY_GO, /* net/http */
        LIBRARY_N,
};

/* The rest of a sentence, or one of its own; '#' stands for a number. */
enum library_phrase {
        LIBRARY_NAME,     /* what people call it; empty: not known */
        LIBRARY_TOGETHER, /* "Make requests at the same time, ...": how */
        LIBRARY_SLIDING, /* "Begin the next request as soon as one is done, ...": how, # at a time */
        LIBRARY_ONE_CLIENT,  /* a sentence without its end: one client for all requests */
        LIBRARY_POOL,        /* the option for # connections */
        LIBRARY_POOL_HOST,   /* ... to each host */
        LIBRARY_KEPT,        /* the option that keeps # idle connections */
        LIBRARY_SEMAPHORE,   /* what lets # through at a time */
        LIBRARY_TIMEOUT,     /* the option for # of time */
        LIBRARY_CONNECTING,  /* the time-out for connecting */
        LIBRARY_READ_BODY,   /* a sentence without its end: read bodies to their end */
        LIBRARY_ONE_CONTEXT, /* ... one TLS context for all */
        LIBRARY_KEEP_ALIVE,  /* ... do not ask for "Connection: close" */
        LIBRARY_NO_PROXY,    /* ... without the proxy */
        LIBRARY_NAMES,       /* ... look names up once */
        LIBRARY_NODELAY,     /* ... send without Nagle's algorithm */
        LIBRARY_PROCESSES,   /* ... computing elsewhere */
        LIBRARY_FASTER,      /* ... less processor time for each request */
        LIBRARY_RATE,        /* what begins # requests a second */
        LIBRARY_N_PHRASES,
};

#define LIBRARY_TEXT 300

struct library_text {
        char text[LIBRARY_TEXT];
};

/* The library of most requests. */
enum library library_of(const struct facts *facts);

/* The words, with a number in the place of '#'. They live until the end of the statement. */
struct library_text library_words(enum library library, enum library_phrase phrase,
        uint64_t number);

/* How many connections it may have at a time unless it is told; 0: no limit. */
uint64_t library_default_limit(enum library library);

/*
 * What to do instead of a call that blocks the loop: "await asyncio.sleep()". NULL: it is none that
 * is known.
 */
const char *library_instead_of(enum library library, struct muster_str call);

/* The same advice for our own client, and for a program that was watched. */
static inline const char *library_or_own(const struct facts *facts, const char *own,
        const char *watched)
{
        return facts->program ? watched : own;
}

#endif
