/* SPDX-License-Identifier: MIT */
#include "url_host.h"

#include "url_encode.h"
#include <arpa/inet.h>
#include <base/error.h>
#include <idn2.h>
#include <stdio.h>

#define NAME_BYTES_MAX 253 /* RFC 1035 section 2.3.4, written with dots */

static int refuse_host(struct muster_error *error, struct muster_str text, const char *why)
{
        int shown = text.len < 80 ? (int)text.len : 80;

        return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0, "url: host \"%.*s\" %s", shown,
                text.at, why);
}

/* --- IPv6 ------------------------------------------------------------------------------------ */

static int parse_ipv6(struct muster_str text, struct buf *to, struct muster_error *error)
{
        char in[INET6_ADDRSTRLEN + 1], out[INET6_ADDRSTRLEN];
        struct in6_addr address;

        if (text.len < sizeof(in)) {
                memcpy(in, text.at, text.len);
                in[text.len] = '\0';
                if (strlen(in) == text.len && inet_pton(AF_INET6, in, &address) == 1) {
                        inet_ntop(AF_INET6, &address, out, sizeof(out));
                        return buf_add_text(to, out);
                }
        }
        if (str_has_char(text, '%'))
                return refuse_host(error, text, "has a zone id, which a URL cannot have");
        return refuse_host(error, text, "is not an IPv6 address");
}

/* --- IPv4 ------------------------------------------------------------------------------------ */

/*
 * Parse a part of an IPv4 address: decimal, octal with a leading 0, hexadecimal with 0x. False if
 * it is no number.
 */
static bool parse_ipv4_number(struct muster_str part, uint64_t *ret_value)
{
        unsigned base = 10;
        uint64_t value = 0;

        if (!part.len)
                return false;
        if (part.len >= 2 && part.at[0] == '0') {
                bool is_hex = part.at[1] == 'x' || part.at[1] == 'X';

                base = is_hex ? 16 : 8;
                part.at += is_hex ? 2 : 1;
                part.len -= is_hex ? 2 : 1;
        }
        for (size_t i = 0; i < part.len; i++) {
                int digit = char_hex(part.at[i]);

                if (digit < 0 || (unsigned)digit >= base)
                        return false;
                if (value < UINT64_C(1) << 40)
                        value = value * base + (unsigned)digit;
        }
        *ret_value = value;
        return true;
}

static struct muster_str last_label(struct muster_str name)
{
        size_t at;

        if (name.len && name.at[name.len - 1] == '.')
                name.len--;
        at = name.len;
        while (at && name.at[at - 1] != '.')
                at--;
        return str_after(name, at);
}

/* A host whose last label is a number must be an IPv4 address. */
static bool ends_in_number(struct muster_str name)
{
        struct muster_str label = last_label(name);
        bool all_digits = label.len > 0;
        uint64_t value;

        for (size_t i = 0; i < label.len; i++)
                all_digits &= char_is_digit(label.at[i]);
        return all_digits || parse_ipv4_number(label, &value);
}

static int parse_ipv4(struct muster_str name, struct buf *to, struct muster_error *error)
{
        struct muster_str rest = name, part;
        uint64_t numbers[4], address = 0;
        size_t n = 0;
        int r = 0;

        if (rest.at[rest.len - 1] == '.')
                rest.len--;
        while (str_split(&rest, '.', &part)) {
                if (n == 4 || !parse_ipv4_number(part, &numbers[n]))
                        return refuse_host(error, name,
                                "ends in a number but is not an IPv4 address");
                n++;
        }
        for (size_t i = 0; i + 1 < n; i++) {
                if (numbers[i] > 255)
                        return refuse_host(error, name, "is an IPv4 address with a part above 255");
                address |= numbers[i] << (8 * (3 - i));
        }
        /* The last number fills all remaining places: 127.1 is 127.0.0.1. */
        if (numbers[n - 1] >= UINT64_C(1) << (8 * (5 - n)))
                return refuse_host(error, name, "is an IPv4 address with a part that is too large");
        address |= numbers[n - 1];
        for (int shift = 24; shift >= 0 && r == 0; shift -= 8) {
                r = buf_add_u64(to, address >> shift & 255);
                if (r == 0 && shift)
                        r = buf_add_char(to, '.');
        }
        return r;
}

/* --- names ----------------------------------------------------------------------------------- */

/*
 * Forbidden domain code points (WHATWG URL section 3.1): some readers would end the host at them,
 * or they are never part of one. We add quotes and commas: no name has any, and they show that the
 * text was not meant as a URL.
 */
static bool is_forbidden(unsigned char c)
{
        /* 0x00 to 0x20 and "#%,/:<>? ; @[\]^`{|} and 0x7f */
        static const uint64_t forbidden[2] = { 0xd400902dffffffffu, 0xb800000178000001u };

        return c < 128 && (forbidden[c >> 6] >> (c & 63) & 1);
}

static bool is_plain(struct muster_str name)
{
        for (size_t i = 0; i < name.len; i++) {
                unsigned char c = (unsigned char)name.at[i];

                if (c >= 0x80 || is_forbidden(c))
                        return false;
        }
        return true;
}

static bool has_punycode(struct muster_str name)
{
        if (!str_has_char(name, '-'))
                return false;
        for (size_t i = 0; i + 4 <= name.len; i++)
                if (str_is_nocase((struct muster_str){ name.at + i, 4 }, "xn--"))
                        return true;
        return false;
}

static int add_lower(struct buf *to, struct muster_str name)
{
        int r = buf_reserve(to, name.len);

        for (size_t i = 0; r == 0 && i < name.len; i++)
                to->at[to->len++] = char_lower(name.at[i]);
        return r;
}

/* Add a name in ASCII by UTS 46, non-transitional, as browsers do. */
static int add_idn(struct buf *to, struct muster_str name, struct muster_error *error)
{
        struct buf in = { 0 };
        char *out = NULL;
        int r = buf_add_str(&in, name);

        if (r == 0)
                r = buf_terminate(&in);
        if (r == 0 && strlen(in.at) != in.len)
                r = refuse_host(error, name, "has a NUL");
        if (r == 0) {
                int idn = idn2_to_ascii_8z(in.at, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

                if (idn == IDN2_MALLOC)
                        r = MUSTER_E_RESOURCE;
                else if (idn != IDN2_OK)
                        r = refuse_host(error, name, idn2_strerror(idn));
        }
        if (r == 0)
                r = buf_add_text(to, out);
        idn2_free(out);
        buf_deinit(&in);
        return r;
}

static int check_name(struct muster_str name, struct muster_error *error)
{
        size_t len = name.len;

        if (len && name.at[len - 1] == '.')
                len--;
        if (!len)
                return error_set(error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0,
                        "url: the host is missing");
        if (len > NAME_BYTES_MAX)
                return refuse_host(error, name, "is longer than 253 characters");
        for (size_t i = 0, label = 0; i <= len; i++) {
                if (i < len && name.at[i] != '.')
                        continue;
                if (i == label)
                        return refuse_host(error, name, "has an empty label");
                if (i - label > 63)
                        return refuse_host(error, name, "has a label longer than 63 characters");
                label = i + 1;
        }
        return 0;
}

static int bad_character(struct muster_str text, struct muster_str name, struct muster_error *error)
{
        char why[60];
        size_t at = 0;

        while (!is_forbidden((unsigned char)name.at[at]))
                at++;
        if (name.at[at] == ' ')
                return refuse_host(error, text, "has a space, which is not allowed in a host name");
        if ((unsigned char)name.at[at] < 0x20 || name.at[at] == 0x7f)
                return refuse_host(error, text,
                        "has a control character, which is not allowed in a host name");
        snprintf(why, sizeof(why), "has %c, which is not allowed in a host name", name.at[at]);
        return refuse_host(error, text, why);
}

static int parse_name(struct muster_str text, struct buf *to, struct muster_error *error)
{
        struct buf decoded = { 0 };
        struct muster_str name = text;
        size_t before = to->len;
        int r = 0;

        if (is_plain(name) && !has_punycode(name))
                return add_lower(to, name);
        if (str_has_char(name, '%')) {
                r = url_add_decoded(name, &decoded);
                name = buf_str(&decoded);
        }
        if (r == 0 && is_plain(name) && !has_punycode(name))
                r = add_lower(to, name);
        else if (r == 0)
                r = add_idn(to, name, error);
        if (r == 0 && !is_plain((struct muster_str){ to->at + before, to->len - before }))
                r = bad_character(text, (struct muster_str){ to->at + before, to->len - before },
                        error);
        buf_deinit(&decoded);
        return r;
}

int url_host_parse(struct muster_str text, struct buf *to, enum url_host_kind *ret_kind,
        struct muster_error *error)
{
        size_t before = to->len;
        struct muster_str name;
        struct buf address = { 0 };
        int r;

        if (text.len && text.at[0] == '[') {
                if (text.at[text.len - 1] != ']')
                        return refuse_host(error, text, "has no closing bracket");
                *ret_kind = URL_HOST_IPV6;
                return parse_ipv6((struct muster_str){ text.at + 1, text.len - 2 }, to, error);
        }
        r = parse_name(text, to, error);
        if (r < 0)
                return r;
        name = (struct muster_str){ to->at + before, to->len - before };
        *ret_kind = URL_HOST_NAME;
        if (!name.len || !ends_in_number(name))
                return check_name(name, error);
        *ret_kind = URL_HOST_IPV4;
        r = parse_ipv4(name, &address, error);
        if (r == 0) {
                to->len = before;
                r = buf_add_str(to, buf_str(&address));
        }
        buf_deinit(&address);
        return r;
}
