/* SPDX-License-Identifier: MIT */
/*
 * DNS messages as a server sees them: a question in, an answer out (RFC 1035 section 4.1)
 *
 * Bytes only, no socket and no memory of its own. A query is read whole or refused. An answer is
 * written piece by piece into the caller's buffer; what does not fit makes it a truncated one,
 * which has its question and no records:
 *
 *      dns_query_parse() ─▶ dns_answer_begin() ─▶ add_cname()*, add_address()* ─▶ dns_answer_end()
 */
#ifndef LAB_DNS_MESSAGE_H
#define LAB_DNS_MESSAGE_H

#include <base/str.h>
#include <net/address.h>

#define DNS_HEADER_BYTES      12
#define DNS_NAME_BYTES_MAX    255 /* RFC 1035 section 2.3.4, as on the wire */
#define DNS_LABEL_BYTES_MAX   63
#define DNS_UDP_BYTES         512 /* what every asker takes; more only when it said so (RFC 6891) */
#define DNS_MESSAGE_BYTES_MAX 65535

enum dns_type { DNS_TYPE_A = 1, DNS_TYPE_CNAME = 5, DNS_TYPE_AAAA = 28, DNS_TYPE_OPT = 41 };

#define DNS_CLASS_IN 1

enum dns_rcode {
        DNS_NOERROR = 0,
        DNS_FORMERR = 1,
        DNS_SERVFAIL = 2,
        DNS_NXDOMAIN = 3,
        DNS_NOTIMP = 4,
        DNS_REFUSED = 5,
};

/* A query. Owns its bytes, so that it can be answered later. */
struct dns_query {
        uint16_t id;
        uint16_t flags;
        uint16_t type;
        uint16_t class;
        uint16_t udp_bytes; /* how large an answer over UDP may be; at least DNS_UDP_BYTES */
        bool has_edns;
        uint16_t name_len;
        uint16_t question_len;
        char name[DNS_NAME_BYTES_MAX]; /* lower case with dots, no dot at the end; see below */
        /* name, type and class as they were asked */
        unsigned char question[DNS_NAME_BYTES_MAX + 4];
};

/*
 * Read a query with one question; records behind it are skipped, but for EDNS. False when it is
 * malformed, of another kind (a response, an UPDATE), or has a compressed name in its question. In
 * query->name every byte but a letter, a digit, "-" and "_" is "?", a dot within a label too: it
 * stands for no other name then.
 */
bool dns_query_parse(struct muster_str bytes, struct dns_query *ret_query);

static inline struct muster_str dns_query_name(const struct dns_query *query)
{
        return (struct muster_str){ query->name, query->name_len };
}

/*
 * The answer to bytes that dns_query_parse() refused: a header with FORMERR, or NOTIMP for an
 * operation other than QUERY. Returns its length; 0: no answer, because the header is not complete
 * or it is a response.
 */
size_t dns_refusal_write(struct muster_str bytes, unsigned char out[DNS_HEADER_BYTES]);

/* An answer being written. */
struct dns_answer {
        unsigned char *at; /* borrowed until dns_answer_end() */
        size_t size, len;
        size_t question_end;
        size_t owner_at; /* where the name is written of which the next record tells */
        unsigned n_records;
        uint16_t id, flags;
        bool has_edns;
        bool is_truncated;
};

/* Echo the question. `size` is what the answer may be long, at least DNS_UDP_BYTES. */
void dns_answer_begin(struct dns_answer *answer, const struct dns_query *query, void *out,
        size_t size);

/* Add an address of the name asked, or of the last CNAME's target. */
void dns_answer_add_address(struct dns_answer *answer, const struct net_address *address,
        uint32_t ttl_s);

/*
 * Add a CNAME: the name is an alias of `target`, to which all following records belong. `target`
 * has labels of 1 to 63 bytes and no last dot.
 */
void dns_answer_add_cname(struct dns_answer *answer, struct muster_str target, uint32_t ttl_s);

/* Make it a truncated answer, with the question only; the client then asks over TCP. */
void dns_answer_truncate(struct dns_answer *answer);

/* Finish the answer. Returns its length. */
size_t dns_answer_end(struct dns_answer *answer, enum dns_rcode rcode);

#endif
