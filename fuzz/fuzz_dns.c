/* SPDX-License-Identifier: MIT */
/*
 * DNS: any bytes as the answer to a client's questions, and as a question to the lab
 *
 * An answer has the number of its question. By the first byte it also repeats the question, so that
 * the records behind it are read; and the second question gets what the first one got. What the lab
 * answers is read by c-ares.
 */
#include "fuzz.h"

#include <ares.h>
#include <arpa/inet.h>
#include <lab/dns_message.h>
#include <net/resolve.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#define QUESTIONS_MAX 12 /* a failure is asked again */

/* --- the client ------------------------------------------------------------------------------ */

static struct clock real_clock;
static struct loop loop;
static char server_address[ADDRESS_TEXT_MAX];
static int server_fd = -1;

struct asker {
        struct resolve_waiter waiter;
        unsigned n_calls;
        bool is_over;
};

static void open_server(void)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(address);
        int sys;

        FUZZ_CHECK(loop_init(&loop, &real_clock, &sys) == 0);
        server_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        FUZZ_CHECK(server_fd >= 0 && bind(server_fd, (struct sockaddr *)&address, len) == 0);
        FUZZ_CHECK(getsockname(server_fd, (struct sockaddr *)&address, &len) == 0);
        address_text((struct sockaddr *)&address, server_address, sizeof(server_address));
}

static void note(struct resolve_waiter *waiter, const struct resolve_answer *answer)
{
        struct asker *asker = LIST_OWNER(waiter, struct asker, waiter);

        FUZZ_CHECK(!asker->is_over && ++asker->n_calls <= 2);
        asker->is_over = answer->is_final;
        FUZZ_CHECK(answer->n <= RESOLVE_ADDRESSES_MAX);
        FUZZ_CHECK(answer->n ||
                   (answer->is_final && answer->error->code && answer->error->text[0]));
        for (size_t i = 0; i < answer->n; i++)
                FUZZ_CHECK(answer->addresses[i].family == AF_INET ||
                           answer->addresses[i].family == AF_INET6);
}

/* What is sent for a question; its length. */
static size_t answer_to(const unsigned char *question, size_t len, bool repeats,
        struct muster_str text, unsigned char out[1024])
{
        size_t n = 0, head = text.len < 10 ? text.len : 10;

        memset(out, 0, DNS_HEADER_BYTES);
        memcpy(out, question, 2);
        memcpy(out + 2, text.at, head);
        text = str_after(text, head);
        if (repeats) {
                out[2] |= 0x80; /* a response, */
                out[4] = 0;     /* and to one question */
                out[5] = 1;
                n = len - DNS_HEADER_BYTES;
                memcpy(out + DNS_HEADER_BYTES, question + DNS_HEADER_BYTES, n);
        }
        n += DNS_HEADER_BYTES;
        if (text.len > 1024 - n)
                text.len = 1024 - n;
        memcpy(out + n, text.at, text.len);
        return n + text.len;
}

/* Where it ends, without the record of EDNS that may stand behind it. */
static size_t end_of_question(const unsigned char *question, size_t len)
{
        size_t at = DNS_HEADER_BYTES;

        while (at < len && question[at])
                at += question[at] + 1u;
        at += 5;
        FUZZ_CHECK(at <= len);
        return at;
}

/* Answer what was asked. False: nothing was. */
static bool answer(bool repeats, struct muster_str text)
{
        unsigned char question[512], out[1024];
        struct sockaddr_storage from;
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(server_fd, question, sizeof(question), 0, (struct sockaddr *)&from,
                &from_len);
        size_t len;

        if (n < DNS_HEADER_BYTES)
                return false;
        len = answer_to(question, end_of_question(question, (size_t)n), repeats, text, out);
        (void)sendto(server_fd, out, len, 0, (struct sockaddr *)&from, from_len);
        return true;
}

static void check_client(bool repeats, struct muster_str text)
{
        struct asker asker = { .waiter.answered = note };
        struct muster_error error = { 0 };
        struct resolve_answer known;
        struct resolver *resolver;
        int n_answered = 0;

        if (server_fd < 0)
                open_server();
        FUZZ_CHECK(resolver_new(&resolver, &loop,
                           &(struct resolver_options){ .servers = server_address }, &error) == 0);
        FUZZ_CHECK(resolver_ask(resolver, &asker.waiter, str_of("h.test"), 80, &known) ==
                   RESOLVE_WAIT);
        for (int n_idle = 0; n_idle < 2 && n_answered < QUESTIONS_MAX && !asker.is_over; n_idle++) {
                while (n_answered < QUESTIONS_MAX && answer(repeats, text)) {
                        n_answered++;
                        n_idle = 0;
                }
                FUZZ_CHECK(loop_turn(&loop, 0) == 0);
        }
        /* Who was not answered is waiting for another answer. */
        resolve_waiter_cancel(&asker.waiter);
        resolver_free(resolver);
        while (answer(false, (struct muster_str){ "", 0 }))
                ; /* what nobody waits for any more */
}

/* --- the lab --------------------------------------------------------------------------------- */

static void check_refusal(struct muster_str text)
{
        unsigned char out[DNS_HEADER_BYTES];
        size_t len = dns_refusal_write(text, out);

        FUZZ_CHECK(len == 0 || (len == DNS_HEADER_BYTES && memcmp(out, text.at, 2) == 0));
}

/* c-ares 1.34 calls it deprecated; older ones have nothing else. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static int read_answer(const unsigned char *at, size_t len, struct hostent **ret_host)
{
        return ares_parse_a_reply(at, (int)len, ret_host, NULL, NULL);
}
#pragma GCC diagnostic pop

/* What c-ares makes of an answer of `n` addresses. */
static void check_answer(const struct dns_query *query, const unsigned char *at, size_t len,
        unsigned n)
{
        bool is_plain = query->type == DNS_TYPE_A && query->class == DNS_CLASS_IN &&
                        query->name_len && !memchr(query->name, '?', query->name_len);
        struct hostent *host = NULL;
        int status = read_answer(at, len, &host);

        FUZZ_CHECK(!is_plain || status == (n ? ARES_SUCCESS : ARES_ENODATA));
        for (unsigned i = 0; is_plain && i < n; i++)
                FUZZ_CHECK(memcmp(host->h_addr_list[i], "\x7f\0\0\x01", 4) == 0);
        FUZZ_CHECK(!is_plain || !n || !host->h_addr_list[n]);
        if (host)
                ares_free_hostent(host);
}

static void check_query(const struct dns_query *query)
{
        struct net_address address;
        unsigned char out[DNS_UDP_BYTES];
        unsigned n = 1 + query->id % 64; /* more than 31 do not fit */
        struct dns_answer one;
        size_t len;

        FUZZ_CHECK(query->name_len <= DNS_NAME_BYTES_MAX && query->udp_bytes >= DNS_UDP_BYTES);
        FUZZ_CHECK(query->question_len >= 5 && query->question_len <= sizeof(query->question));
        FUZZ_CHECK(address_parse(str_of("127.0.0.1"), &address));
        dns_answer_begin(&one, query, out, sizeof(out));
        if (query->type == DNS_TYPE_A)
                dns_answer_add_cname(&one, str_of("other.test"), 60);
        for (unsigned i = 0; i < n; i++)
                dns_answer_add_address(&one, &address, 60);
        len = dns_answer_end(&one, DNS_NOERROR);
        FUZZ_CHECK(len >= DNS_HEADER_BYTES && len <= sizeof(out));
        FUZZ_CHECK(one.is_truncated || n < 32);
        check_answer(query, out, len, one.is_truncated ? 0 : n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct dns_query query;
        struct muster_str text = { (const char *)data + 1, size - 1 };

        if (!size)
                return 0;
        if (data[0] & 2) {
                check_client(data[0] & 1, text);
                return 0;
        }
        check_refusal(text);
        if (dns_query_parse(text, &query))
                check_query(&query);
        return 0;
}
