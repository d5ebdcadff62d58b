/* SPDX-License-Identifier: MIT */
/*
 * Tunnels by SOCKS 4, 4a and 5
 *
 * SOCKS 4a is SOCKS 4 with an address that says: a name follows. Whether a name or an address is
 * asked for depends only on what the plan has.
 */
#include "tunnel_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#define VERSION_5        5
#define METHOD_NONE      0
#define METHOD_LOGIN     2
#define METHOD_REFUSED   0xff
#define LOGIN_VERSION    1
#define ADDRESS_V4       1
#define ADDRESS_NAME     3
#define ADDRESS_V6       4
#define NAME_BYTES_MAX   255
#define VERSION_4        4
#define COMMAND_CONNECT  1
#define GRANTED_4        90
#define REPLY_4_BYTES    8
#define ANSWER_BYTES_MAX (4 + 1 + NAME_BYTES_MAX + 2) /* the longest of all answers */

/* --- writing --------------------------------------------------------------------------------- */

static int add_byte(struct tunnel *tunnel, unsigned byte)
{
        assert(byte <= 0xff);
        return buf_add_char(&tunnel->out, (char)byte);
}

static int add_port(struct tunnel *tunnel)
{
        unsigned port = tunnel->plan.port;
        int r = add_byte(tunnel, port >> 8);

        return r < 0 ? r : add_byte(tunnel, port & 0xff);
}

/* The bytes of an address: 4 or 16. 0: it is a name. */
static size_t address_of(struct muster_str host, unsigned char bytes[16])
{
        char text[INET6_ADDRSTRLEN];

        if (host.len >= sizeof(text))
                return 0;
        memcpy(text, host.at, host.len);
        text[host.len] = '\0';
        if (inet_pton(AF_INET, text, bytes) == 1)
                return 4;
        return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

/* --- SOCKS 4 --------------------------------------------------------------------------------- */

static int ask_4(struct tunnel *tunnel, struct muster_error *error)
{
        const struct tunnel_plan *plan = &tunnel->plan;
        unsigned char address[16] = { 0, 0, 0, 1 }; /* 0.0.0.x: a name follows */
        unsigned char given[16];
        size_t len = address_of(plan->host, given);

        if (len == 16)
                return tunnel_refused(tunnel, true, "SOCKS 4 knows no IPv6 addresses; socks5 does",
                        error);
        if (len)
                memcpy(address, given, 4);
        tunnel->state = TUNNEL_AT_REPLY_4;
        if (add_byte(tunnel, VERSION_4) < 0 || add_byte(tunnel, COMMAND_CONNECT) < 0 ||
                add_port(tunnel) < 0 || buf_add(&tunnel->out, address, 4) < 0 ||
                buf_add_str(&tunnel->out, buf_str(&plan->proxy->user)) < 0 ||
                add_byte(tunnel, 0) < 0)
                return MUSTER_E_RESOURCE;
        if (len)
                return 0;
        return buf_add_str(&tunnel->out, plan->host) < 0 ? MUSTER_E_RESOURCE : add_byte(tunnel, 0);
}

static int read_reply_4(struct tunnel *tunnel, struct muster_error *error)
{
        const unsigned char *reply = (const unsigned char *)tunnel->kept.at;
        char why[80];

        if (reply[0] != 0)
                return tunnel_broken(tunnel,
                        "its answer is none of SOCKS 4; is it another kind of proxy?", error);
        if (reply[1] == GRANTED_4) {
                tunnel->state = TUNNEL_IS_OPEN;
                return 0;
        }
        if (reply[1] == 92 || reply[1] == 93)
                return tunnel_refused(tunnel, true, "it does not accept this user name", error);
        tunnel->is_of_address = true;
        snprintf(why, sizeof(why), "rejected or failed (%u)", reply[1]);
        return tunnel_refused(tunnel, false, why, error);
}

/* --- SOCKS 5 --------------------------------------------------------------------------------- */

static int greet(struct tunnel *tunnel)
{
        bool has_user = tunnel->plan.proxy->has_user;
        const unsigned char greeting[] = { VERSION_5, has_user ? 2 : 1, METHOD_NONE, METHOD_LOGIN };

        tunnel->state = TUNNEL_AT_METHOD;
        return buf_add(&tunnel->out, greeting, has_user ? 4 : 3);
}

static int log_in(struct tunnel *tunnel)
{
        const struct proxy *proxy = tunnel->plan.proxy;
        struct muster_str user = buf_str(&proxy->user), password = buf_str(&proxy->password);

        assert(user.len <= 255 && password.len <= 255);
        tunnel->state = TUNNEL_AT_LOGIN;
        if (add_byte(tunnel, LOGIN_VERSION) < 0 || add_byte(tunnel, (unsigned)user.len) < 0 ||
                buf_add_str(&tunnel->out, user) < 0 || add_byte(tunnel, (unsigned)password.len) < 0)
                return MUSTER_E_RESOURCE;
        return buf_add_str(&tunnel->out, password);
}

static int ask_5(struct tunnel *tunnel, struct muster_error *error)
{
        struct muster_str host = tunnel->plan.host;
        unsigned char address[16];
        size_t len = address_of(host, address);
        int r;

        if (!len && host.len > NAME_BYTES_MAX)
                return tunnel_refused(tunnel, true, "the name is too long for SOCKS 5", error);
        tunnel->state = TUNNEL_AT_REPLY_5;
        if (add_byte(tunnel, VERSION_5) < 0 || add_byte(tunnel, COMMAND_CONNECT) < 0 ||
                add_byte(tunnel, 0) < 0 ||
                add_byte(tunnel, len == 4 ? ADDRESS_V4
                                 : len    ? ADDRESS_V6
                                          : ADDRESS_NAME) < 0)
                return MUSTER_E_RESOURCE;
        r = len ? buf_add(&tunnel->out, address, len) : add_byte(tunnel, (unsigned)host.len);
        if (r == 0 && !len)
                r = buf_add_str(&tunnel->out, host);
        return r < 0 ? r : add_port(tunnel);
}

static int read_method(struct tunnel *tunnel, struct muster_error *error)
{
        const unsigned char *answer = (const unsigned char *)tunnel->kept.at;
        bool has_user = tunnel->plan.proxy->has_user;

        if (answer[0] != VERSION_5)
                return tunnel_broken(tunnel,
                        "its answer is none of SOCKS 5; is it another kind of proxy?", error);
        if (answer[1] == METHOD_NONE)
                return ask_5(tunnel, error);
        if (answer[1] == METHOD_LOGIN && has_user)
                return log_in(tunnel);
        if (answer[1] == METHOD_REFUSED)
                return tunnel_refused(tunnel, true,
                        has_user
                                ? "it takes neither a user name with password nor none"
                                : "it asks for authentication; give user name and password with --proxy-user",
                        error);
        return tunnel_broken(tunnel, "it chose a method that was not offered", error);
}

static int read_login(struct tunnel *tunnel, struct muster_error *error)
{
        if (tunnel->kept.at[1] != 0)
                return tunnel_refused(tunnel, true,
                        "it does not accept this user name and password", error);
        return ask_5(tunnel, error);
}

static int refuse_5(struct tunnel *tunnel, unsigned reply, struct muster_error *error)
{
        static const char *const words[] = { "", "general failure", "its rules do not allow it",
                "network unreachable", "host unreachable", "connection refused", "TTL expired",
                "it does not know the command", "it does not know this kind of address" };
        bool is_final = reply == 2 || reply == 7 || reply == 8;
        char why[80];

        assert(reply);
        tunnel->is_of_address = true;
        snprintf(why, sizeof(why), "%s (%u)",
                reply < sizeof(words) / sizeof(words[0]) ? words[reply] : "for a reason of its own",
                reply);
        return tunnel_refused(tunnel, is_final, why, error);
}

static int read_reply_5(struct tunnel *tunnel, struct muster_error *error)
{
        const unsigned char *reply = (const unsigned char *)tunnel->kept.at;

        if (reply[0] != VERSION_5)
                return tunnel_broken(tunnel, "its answer is none of SOCKS 5", error);
        if (reply[1])
                return refuse_5(tunnel, reply[1], error);
        tunnel->state = TUNNEL_IS_OPEN;
        return 0;
}

/* --- answers --------------------------------------------------------------------------------- */

/* The length of a reply; what is known of it is in `kept`. A refusal may be cut short. */
static size_t reply_5_bytes(const struct tunnel *tunnel)
{
        const unsigned char *reply = (const unsigned char *)tunnel->kept.at;
        size_t n = tunnel->kept.len;

        if (n < 2 || reply[1] || reply[0] != VERSION_5)
                return 2;
        if (n < 5)
                return 5;
        if (reply[3] == ADDRESS_NAME)
                return 4 + 1 + reply[4] + 2u;
        return reply[3] == ADDRESS_V6 ? 4 + 16 + 2 : 4 + 4 + 2;
}

static size_t answer_bytes(const struct tunnel *tunnel)
{
        if (tunnel->state == TUNNEL_AT_REPLY_4)
                return REPLY_4_BYTES;
        return tunnel->state == TUNNEL_AT_REPLY_5 ? reply_5_bytes(tunnel) : 2;
}

/* Gather an answer. TUNNEL_MORE: it is not whole yet. */
static int gather(struct tunnel *tunnel, struct muster_str *in)
{
        size_t want;

        while (tunnel->kept.len < (want = answer_bytes(tunnel))) {
                size_t n = want - tunnel->kept.len;

                assert(want <= ANSWER_BYTES_MAX);
                if (!in->len)
                        return TUNNEL_MORE;
                if (n > in->len)
                        n = in->len;
                if (buf_add(&tunnel->kept, in->at, n) < 0)
                        return MUSTER_E_RESOURCE;
                *in = str_after(*in, n);
        }
        return 0;
}

static int read_answer(struct tunnel *tunnel, struct muster_error *error)
{
        switch (tunnel->state) {
        case TUNNEL_AT_METHOD:
                return read_method(tunnel, error);
        case TUNNEL_AT_LOGIN:
                return read_login(tunnel, error);
        case TUNNEL_AT_REPLY_5:
                return read_reply_5(tunnel, error);
        case TUNNEL_AT_REPLY_4:
                return read_reply_4(tunnel, error);
        case TUNNEL_AT_HEAD:
        case TUNNEL_AT_BODY:
        case TUNNEL_IS_OPEN:
        case TUNNEL_IS_REFUSED:
                break;
        }
        return MUSTER_E_INTERNAL;
}

int tunnel_socks_begin(struct tunnel *tunnel, struct muster_error *error)
{
        enum proxy_kind kind = tunnel->plan.proxy->kind;

        return kind == PROXY_SOCKS4 || kind == PROXY_SOCKS4A ? ask_4(tunnel, error) : greet(tunnel);
}

int tunnel_socks_read(struct tunnel *tunnel, struct muster_str *in, struct muster_error *error)
{
        int r;

        do {
                r = gather(tunnel, in);
                if (r != 0)
                        return r;
                r = read_answer(tunnel, error);
                tunnel->kept.len = 0;
        } while (r == 0 && tunnel->state != TUNNEL_IS_OPEN);
        return r;
}
