/* SPDX-License-Identifier: MIT */
/*
 * Reading goes by a cursor that never passes its end; writing by one function that asks for room
 * first.
 */
#include "dns_message.h"

#include <assert.h>

/* Bits of the second word of the header. */
#define FLAG_RESPONSE            0x8000
#define FLAG_AUTHORITATIVE       0x0400
#define FLAG_TRUNCATED           0x0200
#define FLAG_RECURSION_AVAILABLE 0x0080
#define FLAGS_OPCODE             0x7800
#define FLAGS_ECHOED             0x7910 /* opcode, RD, CD */

#define POINTER         0xc000 /* RFC 1035 section 4.1.4; the rest is an offset */
#define OPT_BYTES       11     /* RFC 6891 section 6.1.2, without options */
#define OUR_UDP_BYTES   4096   /* the size that we announce; we take any */
#define RECORD_HEAD_MAX 12     /* a pointer, type, class, TTL, length */

/* --- reading --------------------------------------------------------------------------------- */

struct cursor {
        const unsigned char *at;
        size_t left;
};

static bool take(struct cursor *in, size_t n, const unsigned char **ret_at)
{
        if (in->left < n)
                return false;
        *ret_at = in->at;
        in->at += n;
        in->left -= n;
        return true;
}

static uint16_t u16_at(const unsigned char *at)
{
        return (uint16_t)(at[0] << 8 | at[1]);
}

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || char_is_digit(c) || c == '-' || c == '_';
}

static void add_label(struct dns_query *query, const unsigned char *label, size_t len)
{
        if (query->name_len)
                query->name[query->name_len++] = '.';
        for (size_t i = 0; i < len; i++) {
                char c = char_lower((char)label[i]);

                query->name[query->name_len++] = is_name_char(c) ? c : '?';
        }
}

/* A length above 63 is a pointer or reserved: in a question there is nothing to point to. */
static bool take_question_name(struct cursor *in, struct dns_query *query)
{
        const unsigned char *len, *label;
        size_t n_wire = 0;

        for (;;) {
                if (!take(in, 1, &len) || *len > DNS_LABEL_BYTES_MAX)
                        return false;
                n_wire += 1u + *len;
                if (n_wire > DNS_NAME_BYTES_MAX)
                        return false;
                if (!*len)
                        return true;
                if (!take(in, *len, &label))
                        return false;
                add_label(query, label, *len);
        }
}

static bool take_question(struct cursor *in, struct dns_query *query)
{
        const unsigned char *start = in->at, *tail;

        if (!take_question_name(in, query) || !take(in, 4, &tail))
                return false;
        query->type = u16_at(tail);
        query->class = u16_at(tail + 2);
        query->question_len = (uint16_t)(in->at - start);
        memcpy(query->question, start, query->question_len);
        return true;
}

/* The owner of a record that is skipped: where it points to does not matter. */
static bool skip_name(struct cursor *in, bool *ret_is_root)
{
        const unsigned char *len, *rest;

        for (*ret_is_root = true;; *ret_is_root = false) {
                if (!take(in, 1, &len))
                        return false;
                if (!*len)
                        return true;
                if (*len >= POINTER >> 8) {
                        *ret_is_root = false;
                        return take(in, 1, &rest);
                }
                if (*len > DNS_LABEL_BYTES_MAX || !take(in, *len, &rest))
                        return false;
        }
}

/* RFC 6891 section 6.1.1: one at most, and its owner is the root. */
static bool take_opt(struct dns_query *query, uint16_t udp_bytes, bool is_root)
{
        if (query->has_edns || !is_root)
                return false;
        query->has_edns = true;
        if (udp_bytes > query->udp_bytes)
                query->udp_bytes = udp_bytes;
        return true;
}

static bool take_record(struct cursor *in, struct dns_query *query, bool is_additional)
{
        const unsigned char *head, *data;
        bool is_root;

        if (!skip_name(in, &is_root) || !take(in, 10, &head) || !take(in, u16_at(head + 8), &data))
                return false;
        if (u16_at(head) != DNS_TYPE_OPT)
                return true;
        return is_additional && take_opt(query, u16_at(head + 2), is_root);
}

bool dns_query_parse(struct muster_str bytes, struct dns_query *ret_query)
{
        struct cursor in = { (const unsigned char *)bytes.at, bytes.len };
        struct dns_query query = { .udp_bytes = DNS_UDP_BYTES };
        const unsigned char *head;
        unsigned n_before, n_additional;

        if (!take(&in, DNS_HEADER_BYTES, &head))
                return false;
        query.id = u16_at(head);
        query.flags = u16_at(head + 2);
        if (query.flags & (FLAG_RESPONSE | FLAGS_OPCODE) || u16_at(head + 4) != 1)
                return false;
        if (!take_question(&in, &query))
                return false;
        n_before = u16_at(head + 6) + (unsigned)u16_at(head + 8);
        n_additional = u16_at(head + 10);
        for (unsigned i = 0; i < n_before + n_additional; i++)
                if (!take_record(&in, &query, i >= n_before))
                        return false;
        if (in.left)
                return false;
        *ret_query = query;
        return true;
}

/* --- writing --------------------------------------------------------------------------------- */

static unsigned char *put_u16(unsigned char *at, unsigned value)
{
        at[0] = (unsigned char)(value >> 8);
        at[1] = (unsigned char)value;
        return at + 2;
}

static void put_header(unsigned char *at, uint16_t id, unsigned flags, unsigned n_questions,
        unsigned n_answers, unsigned n_additional)
{
        at = put_u16(at, id);
        at = put_u16(at, flags);
        at = put_u16(at, n_questions);
        at = put_u16(at, n_answers);
        at = put_u16(at, 0);
        put_u16(at, n_additional);
}

size_t dns_refusal_write(struct muster_str bytes, unsigned char out[DNS_HEADER_BYTES])
{
        const unsigned char *head = (const unsigned char *)bytes.at;
        unsigned flags, rcode;

        if (bytes.len < DNS_HEADER_BYTES)
                return 0;
        flags = u16_at(head + 2);
        /* An answer is not answered: two servers would answer each other for ever. */
        if (flags & FLAG_RESPONSE)
                return 0;
        rcode = flags & FLAGS_OPCODE ? DNS_NOTIMP : DNS_FORMERR;
        put_header(out, u16_at(head),
                FLAG_RESPONSE | (flags & FLAGS_ECHOED) | FLAG_RECURSION_AVAILABLE | rcode, 0, 0, 0);
        return DNS_HEADER_BYTES;
}

void dns_answer_begin(struct dns_answer *answer, const struct dns_query *query, void *out,
        size_t size)
{
        assert(size >= DNS_UDP_BYTES && size <= DNS_MESSAGE_BYTES_MAX);
        *answer = (struct dns_answer){
                .at = out,
                .size = size - (query->has_edns ? OPT_BYTES : 0),
                .len = DNS_HEADER_BYTES + (size_t)query->question_len,
                .owner_at = DNS_HEADER_BYTES,
                .id = query->id,
                .flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE |
                         (query->flags & FLAGS_ECHOED),
                .has_edns = query->has_edns,
        };
        memcpy(answer->at + DNS_HEADER_BYTES, query->question, query->question_len);
        answer->question_end = answer->len;
}

/* Write the head of a record and return where its `len` bytes of data go. NULL: no room. */
static unsigned char *add_record(struct dns_answer *answer, enum dns_type type, uint32_t ttl_s,
        size_t len)
{
        unsigned char *at = answer->at + answer->len;

        if (answer->is_truncated || answer->size - answer->len < RECORD_HEAD_MAX + len) {
                answer->is_truncated = true;
                return NULL;
        }
        at = put_u16(at, POINTER | (unsigned)answer->owner_at);
        at = put_u16(at, type);
        at = put_u16(at, DNS_CLASS_IN);
        at = put_u16(at, ttl_s >> 16);
        at = put_u16(at, ttl_s & 0xffff);
        at = put_u16(at, (unsigned)len);
        answer->len += RECORD_HEAD_MAX + len;
        answer->n_records++;
        return at;
}

void dns_answer_add_address(struct dns_answer *answer, const struct net_address *address,
        uint32_t ttl_s)
{
        bool is_v4 = address->family == AF_INET;
        size_t len = is_v4 ? sizeof(address->u.v4) : sizeof(address->u.v6);
        unsigned char *at = add_record(answer, is_v4 ? DNS_TYPE_A : DNS_TYPE_AAAA, ttl_s, len);

        if (at)
                memcpy(at, &address->u, len);
}

void dns_answer_add_cname(struct dns_answer *answer, struct muster_str target, uint32_t ttl_s)
{
        unsigned char *at = add_record(answer, DNS_TYPE_CNAME, ttl_s, target.len + 2);
        struct muster_str label;

        assert(target.len && target.len + 2 <= DNS_NAME_BYTES_MAX);
        if (!at)
                return;
        answer->owner_at = (size_t)(at - answer->at);
        assert(answer->owner_at < POINTER >> 2); /* a pointer reaches no further */
        while (str_split(&target, '.', &label)) {
                assert(label.len && label.len <= DNS_LABEL_BYTES_MAX);
                *at++ = (unsigned char)label.len;
                memcpy(at, label.at, label.len);
                at += label.len;
        }
        *at = 0;
}

void dns_answer_truncate(struct dns_answer *answer)
{
        answer->is_truncated = true;
}

/* RFC 6891 section 6.1.1: who sends one gets one. dns_answer_begin() kept the room. */
static void add_opt(struct dns_answer *answer)
{
        unsigned char *at = answer->at + answer->len;

        memset(at, 0, OPT_BYTES);
        put_u16(at + 1, DNS_TYPE_OPT);
        put_u16(at + 3, OUR_UDP_BYTES);
        answer->len += OPT_BYTES;
}

size_t dns_answer_end(struct dns_answer *answer, enum dns_rcode rcode)
{
        unsigned flags = answer->flags | (unsigned)rcode;

        if (answer->is_truncated) {
                flags |= FLAG_TRUNCATED;
                answer->len = answer->question_end;
                answer->n_records = 0;
        }
        put_header(answer->at, answer->id, flags, 1, answer->n_records, answer->has_edns);
        if (answer->has_edns)
                add_opt(answer);
        return answer->len;
}
