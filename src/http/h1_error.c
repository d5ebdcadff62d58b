/* SPDX-License-Identifier: MIT */
#include "h1_error.h"

#include <base/error.h>
#include <base/str.h>
#include <stdio.h>

#define SHOWN_MAX 60 /* bytes from the server that an error quotes */
#define QUOTE_MAX 80 /* characters that they may become; the rest of the text says what to do */

struct quote {
        char text[QUOTE_MAX + sizeof("...")];
};

/* Write one byte as in a C string; `text` has room for "\xff" and a zero. */
static int escape_byte(unsigned char c, char *text, size_t size)
{
        switch (c) {
        case '\r':
                return snprintf(text, size, "\\r");
        case '\n':
                return snprintf(text, size, "\\n");
        case '\t':
                return snprintf(text, size, "\\t");
        case '"':
        case '\\':
                return snprintf(text, size, "\\%c", c);
        }
        return snprintf(text, size, c < 0x20 || c >= 0x7f ? "\\x%02x" : "%c", c);
}

static struct quote quote(struct muster_str bytes)
{
        struct quote quote = { "" };
        size_t len = 0;

        for (size_t i = 0; i < bytes.len; i++) {
                char one[8];
                size_t n = (size_t)escape_byte((unsigned char)bytes.at[i], one, sizeof(one));

                if (i == SHOWN_MAX || len + n > QUOTE_MAX) {
                        memcpy(quote.text + len, "...", sizeof("..."));
                        break;
                }
                memcpy(quote.text + len, one, n + 1);
                len += n;
        }
        return quote;
}

int h1_protocol_error(struct muster_error *error, const char *what, struct muster_str bytes)
{
        return error_set(error, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0, "protocol: %s: \"%s\"",
                what, quote(bytes).text);
}

/* --- what it is instead ---------------------------------------------------------------------- */

bool h1_may_begin(struct muster_str bytes)
{
        return bytes.len == 0 || memcmp(bytes.at, "HTTP/", bytes.len < 5 ? bytes.len : 5) == 0;
}

#define ELSEWHERE "; check the host and the port"

/*
 * What servers of other protocols send first, or answer to a request that they do not understand.
 */
static const struct {
        const char *start, *words;
} strangers[] = {
        { "SSH-", "this is an SSH server" ELSEWHERE },
        { "220", "this is an FTP or mail (SMTP) server" ELSEWHERE },
        { "421", "this is an FTP or mail (SMTP) server" ELSEWHERE },
        { "554", "this is a mail (SMTP) server" ELSEWHERE },
        { "* OK", "this is a mail (IMAP) server" ELSEWHERE },
        { "+OK", "this is a mail (POP3) server" ELSEWHERE },
        { "-ERR", "this is a Redis or mail (POP3) server" ELSEWHERE },
        { "-DENIED", "this is a Redis server" ELSEWHERE },
        { "-NOAUTH", "this is a Redis server" ELSEWHERE },
        { "ERROR\r\n", "this is a memcached server" ELSEWHERE },
        { "AMQP", "this is a message broker (AMQP)" ELSEWHERE },
        { "RFB ", "this is a VNC server" ELSEWHERE },
        { "RTSP/", "this is an RTSP server" ELSEWHERE },
        { "SIP/", "this is a SIP server" ELSEWHERE },
        { "@RSYNCD:", "this is an rsync server" ELSEWHERE },
        { "\xff\xfb", "this is a telnet server" ELSEWHERE },
        { "\xff\xfd", "this is a telnet server" ELSEWHERE },
        { "ICY ", "this is a SHOUTcast stream, which muster cannot read" },
        { "<", "this is a body without a head (HTTP/0.9), which is not accepted" },
        { "{", "this is a body without a head (HTTP/0.9), which is not accepted" },
        { "\r", "an empty line comes before the status line" },
        { "\n", "an empty line comes before the status line" },
};

/*
 * A TLS record: its type is 20 to 23, and its version is 3.x in all versions in use (RFC 8446
 * section 5.1).
 */
static bool is_tls(const unsigned char *at, size_t len)
{
        return len >= 2 && at[0] >= 20 && at[0] <= 23 && at[1] == 3;
}

/*
 * An HTTP/2 server's preface, which is a SETTINGS frame of stream 0 (RFC 9113 sections 3.4, 4.1 and
 * 6.5): 24 bits of length, a multiple of 6, then type 4.
 */
static bool is_http2(const unsigned char *at, size_t len)
{
        return len >= 4 && at[0] == 0 && at[1] == 0 && at[2] % 6 == 0 && at[3] == 4;
}

/*
 * The first MySQL packet of a connection: 24 bits of length, least significant byte first, packet
 * number 0, then protocol version 10 or an error.
 */
static bool is_mysql(const unsigned char *at, size_t len)
{
        return len >= 5 && at[0] && at[2] == 0 && at[3] == 0 && (at[4] == 10 || at[4] == 0xff);
}

static const char *words_of(struct muster_str bytes)
{
        const unsigned char *at = (const unsigned char *)bytes.at;

        if (is_tls(at, bytes.len))
                return "this port speaks TLS; write https:// instead of http://";
        if (is_http2(at, bytes.len))
                return "these are HTTP/2 frames: the port speaks HTTP/2 without TLS; use --http2-prior-knowledge";
        if (is_mysql(at, bytes.len))
                return "this is a MySQL server" ELSEWHERE;
        for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
                if (str_starts(bytes, strangers[i].start))
                        return strangers[i].words;
        return "this port does not speak HTTP" ELSEWHERE;
}

int h1_not_http(struct muster_error *error, struct muster_str bytes)
{
        return error_set(error, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                "protocol: not an HTTP response, but \"%s\": %s", quote(bytes).text,
                words_of(bytes));
}
