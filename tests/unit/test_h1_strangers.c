/* SPDX-License-Identifier: MIT */
/*
 * What other servers say first, and what the response reader says of it
 */
#include "h1_outcome.h"
#include "unit.h"

#include <http/h1_read.h>

/*
 * What other servers say first: told at once, no line's end waited for, whole or from the first
 * byte that differs.
 */
static void test_strangers(void **state)
{
        static const struct {
                struct muster_str in;
                const char *text;
        } cases[] = {
                { BYTES("SSH-2.0-OpenSSH_9.2"),
                        "protocol: not an HTTP response, but \"SSH-2.0-OpenSSH_9.2\": this is an SSH "
                        "server; check the host and the port" },
                { BYTES("220 ftp ready\r\n"),
                        "protocol: not an HTTP response, but \"220 ftp ready\\r\\n\": this is an FTP or "
                        "mail (SMTP) server; check the host and the port" },
                { BYTES("220-mail ESMTP\r\n220 \r\n"),
                        "protocol: not an HTTP response, but \"220-mail ESMTP\\r\\n220 \\r\\n\": this is "
                        "an "
                        "FTP or mail (SMTP) server; check the host and the port" },
                { BYTES("\x15\x03\x01\0\x02\x02\x46"),
                        "protocol: not an HTTP response, but \"\\x15\\x03\\x01\\x00\\x02\\x02F\": this "
                        "port "
                        "speaks TLS; write https:// instead of http://" },
                { BYTES("\x16\x03"),
                        "protocol: not an HTTP response, but \"\\x16\\x03\": this port "
                        "speaks TLS; write https:// instead of http://" },
                { BYTES("\0\0\x12\x04\0\0\0\0\0"),
                        "protocol: not an HTTP response, but "
                        "\"\\x00\\x00\\x12\\x04\\x00\\x00\\x00\\x00\\x00\": these are HTTP/2 frames: the "
                        "port speaks HTTP/2 without TLS; use --http2-prior-knowledge" },
                { BYTES("J\0\0\0\n8.0.33"), "protocol: not an HTTP response, but "
                                            "\"J\\x00\\x00\\x00\\n8.0.33\": this is a MySQL "
                                            "server; check the host and the port" },
                { BYTES("* OK IMAP4rev1"),
                        "protocol: not an HTTP response, but \"* OK IMAP4rev1\": this is a mail (IMAP) "
                        "server; check the host and the port" },
                { BYTES("+OK ready"), "protocol: not an HTTP response, but \"+OK ready\": this is "
                                      "a mail (POP3) server; "
                                      "check the host and the port" },
                { BYTES("-ERR unknown command 'GET'"),
                        "protocol: not an HTTP response, but \"-ERR unknown command 'GET'\": this is a "
                        "Redis or mail (POP3) server; check the host and the port" },
                { BYTES("ICY 200 OK\r\n\r\n"), "protocol: not an HTTP response, but \"ICY 200 "
                                               "OK\\r\\n\\r\\n\": this is a SHOUTcast "
                                               "stream, which muster cannot read" },
                { BYTES("<a href=\"x\\\">"),
                        "protocol: not an HTTP response, but \"<a href=\\\"x\\\\\\\">\": this is a body "
                        "without a head (HTTP/0.9), which is not accepted" },
                { BYTES("\r\nHTTP/1.1 200 OK\r\n"),
                        "protocol: not an HTTP response, but \"\\r\\nHTTP/1.1 200 OK\\r\\n\": an empty "
                        "line "
                        "comes before the status line" },
                { BYTES("HTTX"), "protocol: not an HTTP response, but \"HTTX\": this port does not "
                                 "speak HTTP; check the host and the port" },
                /* What is shown is bounded, in bytes and when escaped. */
                { BYTES("0123456789012345678901234567890123456789012345678901234567890"),
                        "protocol: not an HTTP response, but "
                        "\"012345678901234567890123456789012345678901234567890123456789...\": this port "
                        "does not speak HTTP; check the host and the port" },
                { BYTES("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"),
                        "protocol: not an HTTP response, but "
                        "\"\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01"
                        "\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01...\": this port does "
                        "not speak HTTP; check the host and the port" },
        };
        static const char start[] = "protocol: not an HTTP response, but \"";
        struct h1_outcome outcome;

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                h1_outcome_of(cases[i].in.at, cases[i].in.len, 100000, 0, false, &outcome);
                assert_string_equal(outcome.text, cases[i].text);
                h1_outcome_of(cases[i].in.at, cases[i].in.len, 1, 0, false, &outcome);
                assert_int_equal(strncmp(outcome.text, start, sizeof(start) - 1), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_strangers),
        };

        return cmocka_run_group_tests_name("h1_strangers", tests, NULL, NULL);
}
