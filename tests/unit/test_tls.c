/* SPDX-License-Identifier: MIT */
/*
 * TLS: handshakes, data, whom to trust, files, and peers that do not speak it
 */
#include "tls_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <tls/tls_server.h>
#include <unistd.h>

static char received[300000];
static size_t n_received;

static int read_all(struct link *link, struct muster_error *error)
{
        for (;;) {
                size_t n = 0;
                int r = tls_read(link->client, received + n_received, sizeof(received) - n_received,
                        &n, error);

                if (r != 0)
                        return r;
                n_received += n;
        }
}

static void check_data(struct link *link)
{
        static char large[200000], back[200000];
        struct muster_error error = { 0 };
        size_t got = 0;
        int n;

        for (size_t i = 0; i < sizeof(large); i++)
                large[i] = (char)(i * 31);
        assert_int_equal(tls_write(link->client, large, sizeof(large), &error), 0);
        to_server(link);
        while ((n = SSL_read(link->server, back + got, (int)(sizeof(back) - got))) > 0)
                got += (size_t)n;
        assert_int_equal(got, sizeof(large));
        assert_memory_equal(back, large, sizeof(large));
        for (size_t at = 0; at < sizeof(large); at += 10000)
                assert_int_equal(SSL_write(link->server, large + at, 10000), 10000);
        n_received = 0;
        assert_int_equal(to_client(link, read_all, &error), TLS_MORE);
        assert_int_equal(n_received, sizeof(large));
        assert_memory_equal(received, large, sizeof(large));
        SSL_shutdown(link->server);
        assert_int_equal(to_client(link, read_all, &error), TLS_EOF);
        tls_close(link->client);
        assert_true(tls_has_out(link->client));
}

static void test_handshake_and_data(void **state)
{
        /*
         * [9112 9.7 application-data] [9112 9.8 closure-alert] [9113 9.2 server-name]
         * [9113 9.2.1 no-compression]
         */
        static const struct {
                int version;
                const char *name;
                size_t piece;
        } cases[] = { { TLS1_2_VERSION, "TLSv1.2", 100000 }, { TLS1_2_VERSION, "TLSv1.2", 1 },
                { TLS1_3_VERSION, "TLSv1.3", 100000 }, { TLS1_3_VERSION, "TLSv1.3", 1 } };
        struct tls_context *context = context_new(&trusting);

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                SSL_CTX *server = server_new(&good, cases[i].version);
                struct tls_sessions *sessions = sessions_of(context, "good.test");
                struct muster_error error = { 0 };
                struct link link;

                assert_int_equal(open_link(&link, server, context, "good.test", sessions), 0);
                link.piece = cases[i].piece;
                if (shake_hands(&link, &error) < 0)
                        fail_msg("%s", error.text);
                assert_string_equal(tls_version_name(link.client), cases[i].name);
                assert_string_not_equal(tls_cipher_name(link.client), "");
                assert_null(SSL_get_current_compression(link.server));
                assert_false(tls_was_resumed(link.client));
                assert_string_equal(SSL_get_servername(link.server, TLSEXT_NAMETYPE_host_name),
                        "good.test");
                link.piece = 100000;
                check_data(&link);
                close_link(&link);
                assert_true(sessions->n_tickets > 0);
                tls_sessions_free(sessions);
                SSL_CTX_free(server);
        }
        tls_context_free(context);
}

static void test_verification(void **state)
{
        /*
         * [9110 4.3.4 verify] [9110 4.3.4 reference-identity] [9110 4.3.4 no-common-name]
         * [9110 4.3.4 bad-certificate]
         */
        const struct {
                const struct identity *identity;
                const char *host;
                const char *word; /* NULL: it is good */
        } cases[] = {
                { &good, "good.test", NULL },
                { &good, "good.test.", NULL },
                { &good, "a.wild.test", NULL },
                { &good, "127.0.0.1", NULL },
                { &good, "::1", NULL },
                { &good, "a.b.wild.test", "does not match" },
                { &good, "wild.test", "does not match" },
                { &good, "bad.test",
                        "is for \"good.test\", \"*.wild.test\", \"127.0.0.1\" and others and does not "
                        "match" },
                { &good, "127.0.0.2", "does not match" },
                { &named_by_cn, "good.test", "is for no host name" },
                { &expired, "good.test",
                        "\"expired\" of good.test, issued by \"Test CA\", expired on 2" },
                { &future, "good.test", "is not valid before 2" },
                { &self_signed, "good.test", "\"self\" of good.test is self-signed" },
                { &unknown, "good.test",
                        "issuer \"Other CA\" of certificate \"unknown\" of good.test is unknown" },
                { &behind_intermediate, "good.test",
                        "issuer \"Intermediate\" of certificate \"leaf\"" },
        };
        struct tls_context *strict = context_new(&trusting);
        struct tls_context *lax = context_new(&(struct tls_options){ .insecure_no_verify = true });

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                SSL_CTX *server = server_new(cases[i].identity, 0);
                struct muster_error error = { 0 };
                struct link link;
                int r;

                open_link(&link, server, strict, cases[i].host, NULL);
                r = shake_hands(&link, &error);
                if (cases[i].word) {
                        assert_int_equal(r, MUSTER_E_TLS_VERIFY);
                        assert_int_equal(strncmp(error.text, "tls_verify: ", 12), 0);
                        if (!strstr(error.text, cases[i].word))
                                fail_msg("\"%s\" does not say \"%s\"", error.text, cases[i].word);
                } else if (r < 0) {
                        fail_msg("%s: %s", cases[i].host, error.text);
                }
                close_link(&link);
                open_link(&link, server, lax, cases[i].host, NULL);
                assert_int_equal(shake_hands(&link, &error), 0);
                close_link(&link);
                SSL_CTX_free(server);
        }
        tls_context_free(strict);
        tls_context_free(lax);
}

/* TLS 1.1 and what is older. */
static void test_old_versions(void **state)
{
        /* [9113 9.2 tls-version] */
        static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION };
        struct tls_context *context = context_new(&trusting);

        (void)state;
        for (size_t i = 0; i < LENGTH(versions); i++) {
                SSL_CTX *server = server_new(&good, versions[i]);
                struct muster_error error = { 0 };
                struct link link;

                SSL_CTX_set_security_level(server, 0); /* else it would not speak them either */
                open_link(&link, server, context, "good.test", NULL);
                assert_int_equal(shake_hands(&link, &error), MUSTER_E_TLS);
                close_link(&link);
                SSL_CTX_free(server);
        }
        tls_context_free(context);
}

/* A server that wants to shake hands again is told no, and goes on as before or not at all. */
static void test_no_renegotiation(void **state)
{
        /* [9113 9.2.1 no-renegotiation] */
        struct tls_context *context = context_new(&trusting);
        SSL_CTX *server = server_new(&good, TLS1_2_VERSION);
        struct muster_error error = { 0 };
        struct link link;
        char byte;

        (void)state;
        open_link(&link, server, context, "good.test", NULL);
        assert_int_equal(shake_hands(&link, &error), 0);
        assert_int_equal(SSL_renegotiate(link.server), 1);
        SSL_do_handshake(link.server);
        to_client(&link, read_all, &error);
        assert_true(SSL_read(link.server, &byte, 1) <= 0);
        assert_int_equal(SSL_num_renegotiations(link.server), 1); /* asked for, and not made */
        assert_true(SSL_renegotiate_pending(link.server));
        close_link(&link);
        SSL_CTX_free(server);
        tls_context_free(context);
}

static void test_client_certificate(void **state)
{
        struct tls_context *context =
                context_new(&(struct tls_options){ .ca_file = ca_file, .cert_file = client_file });
        SSL_CTX *server = server_new(&good, 0);
        struct muster_error error = { 0 };
        struct link link;

        (void)state;
        X509_STORE_add_cert(SSL_CTX_get_cert_store(server), ca.certificate);
        SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        open_link(&link, server, context, "good.test", NULL);
        assert_int_equal(shake_hands(&link, &error), 0);
        assert_non_null(SSL_get0_peer_certificate(link.server));
        close_link(&link);
        SSL_CTX_free(server);
        tls_context_free(context);
}

static void test_files_that_cannot_be_used(void **state)
{
        const struct tls_options cases[] = {
                { .ca_file = "/no/such/file" },
                { .ca_file = garbage_file },
                { .ca_file = ca_file, .cert_file = "/no/such/file" },
                { .ca_file = ca_file, .cert_file = garbage_file },
                { .ca_file = ca_file, .cert_file = client_file, .key_file = "/no/such/file" },
                { .ca_file = ca_file, .cert_file = client_file, .key_file = ca_file },
                { .ca_file = ca_file, .keylog_file = "/no/such/directory/file" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct tls_context *context = NULL;
                struct muster_error error = { 0 };
                const char *named = cases[i].keylog_file ? cases[i].keylog_file
                                    : cases[i].key_file  ? cases[i].key_file
                                    : cases[i].cert_file ? cases[i].cert_file
                                                         : cases[i].ca_file;

                assert_int_equal(tls_context_new(&context, &cases[i], &error), MUSTER_E_TLS);
                if (!strstr(error.text, named))
                        fail_msg("\"%s\" does not name %s", error.text, named);
        }
}

static void test_keylog(void **state)
{
        struct tls_context *context = context_new(&(struct tls_options){
                .ca_file = ca_file, .keylog_file = keylog_file });
        SSL_CTX *server = server_new(&good, TLS1_3_VERSION);
        struct muster_error error = { 0 };
        char line[512] = "";
        struct link link;
        FILE *file;
        int n = 0;

        (void)state;
        open_link(&link, server, context, "good.test", NULL);
        assert_int_equal(shake_hands(&link, &error), 0);
        close_link(&link);
        file = fopen(keylog_file, "r");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                assert_true(strstr(line, "_TRAFFIC_SECRET") || strstr(line, "EXPORTER_SECRET"));
                assert_int_equal(line[strlen(line) - 1], '\n');
                n++;
        }
        assert_true(n >= 4);
        fclose(file);
        SSL_CTX_free(server);
        tls_context_free(context);
}

static void expect_garbage(struct tls_context *context, const char *bytes, size_t len,
        const char *word)
{
        struct muster_error error = { 0 };
        struct tls *tls;

        assert_int_equal(tls_new(&tls, context, str_of("good.test"), alpn, NULL, &error), 0);
        assert_int_equal(tls_handshake(tls, &error), TLS_MORE);
        tls_feed(tls, (struct muster_str){ bytes, len });
        assert_int_equal(tls_handshake(tls, &error), MUSTER_E_TLS);
        if (!strstr(error.text, word))
                fail_msg("\"%s\" does not say \"%s\"", error.text, word);
        tls_free(tls);
}

static void test_peers_that_do_not_speak_tls(void **state)
{
        /* [9110 4.2.2 secured] */
        static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        static const char ftp[] = "220 ftp ready\r\n";
        static const char alert[] = "\x15\x03\x03\x00\x02\x02\x28"; /* fatal, handshake_failure */
        struct tls_context *context = context_new(&trusting);

        (void)state;
        expect_garbage(context, http, strlen(http),
                "does not speak TLS on this port, it sent \"HTTP/1.1 400 Bad\"; write http:// "
                "instead of https://");
        expect_garbage(context, ftp, strlen(ftp),
                "does not speak TLS on this port, it sent \"220 ftp ready..\"; check the host "
                "and the port");
        expect_garbage(context, alert, 7, "refused with the alert \"handshake failure\"");
        tls_context_free(context);
}

static void connect_with_little_memory(void)
{
        struct tls_context *context = NULL;
        struct muster_error error = { 0 };
        int r = tls_context_new(&context, &trusting, &error);

        if (r == 0) {
                SSL_CTX *server = server_new(&good, 0);
                struct link link;

                r = open_link(&link, server, context, "good.test", NULL);
                if (r == 0) {
                        r = tls_handshake(link.client, &error);
                        assert_true(r == TLS_MORE || r == MUSTER_E_TLS || r == MUSTER_E_RESOURCE);
                } else {
                        assert_int_equal(r, MUSTER_E_RESOURCE);
                }
                close_link(&link);
                SSL_CTX_free(server);
        } else {
                assert_int_equal(r, MUSTER_E_RESOURCE);
        }
        tls_context_free(context);
}

static char *read_file(const char *path)
{
        FILE *file = fopen(path, "r");
        char *text = calloc(1, 10000);

        assert_non_null(file);
        assert_true(fread(text, 1, 9999, file) > 0);
        fclose(file);
        return text;
}

static void serve_with_little_memory(void)
{
        char *pem = read_file(client_file);
        struct tls_context *context = NULL;
        struct muster_error error = { 0 };
        struct tls *tls = NULL;
        int r = tls_server_context_new(&context,
                &(struct tls_server_options){ .chain_pem = pem, .key_pem = pem }, &error);

        if (r == 0)
                r = tls_server_new(&tls, context, &error);
        assert_true(r == 0 || r == MUSTER_E_RESOURCE);
        tls_free(tls);
        tls_context_free(context);
        free(pem);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(connect_with_little_memory);
        for_each_failing_allocation(serve_with_little_memory);
}

static int make_ticket_large(SSL *ssl, void *argument)
{
        static char data[2000];

        (void)argument;
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, sizeof(data));
}

static int keep_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
        SSL_TICKET_STATUS status, void *argument)
{
        (void)ssl;
        (void)session;
        (void)name;
        (void)len;
        (void)status;
        (void)argument;
        return SSL_TICKET_RETURN_USE;
}

/*
 * A ticket in several records, of which the first is there when a request is to be sent: OpenSSL
 * writes nothing then. The request is held until the rest of the ticket has come.
 */
static void test_writing_within_a_ticket(void **state)
{
        struct tls_context *context = context_new(&trusting);
        SSL_CTX *server = server_new(&good, TLS1_3_VERSION);
        struct muster_error error = { 0 };
        struct link link;
        char got[64], *bytes, *copy;
        size_t n;
        long len;

        (void)state;
        SSL_CTX_set_num_tickets(server, 0);
        SSL_CTX_set_max_send_fragment(server, 512);
        SSL_CTX_set_session_ticket_cb(server, make_ticket_large, keep_ticket, NULL);
        assert_int_equal(open_link(&link, server, context, "good.test", NULL), 0);
        assert_int_equal(shake_hands(&link, &error), 0);
        assert_int_equal(SSL_new_session_ticket(link.server), 1);
        SSL_do_handshake(link.server);
        len = BIO_get_mem_data(link.to_client, &bytes);
        assert_true(len > 1500);
        copy = mem_strndup(bytes, (size_t)len);
        (void)BIO_reset(link.to_client);
        tls_feed(link.client, (struct muster_str){ copy, 700 });
        assert_int_equal(tls_read(link.client, got, sizeof(got), &n, &error), TLS_MORE);
        assert_false(tls_holds(link.client));
        assert_int_equal(tls_write(link.client, "GET", 3, &error), 0);
        assert_true(tls_holds(link.client) && !tls_has_out(link.client));
        tls_feed(link.client, (struct muster_str){ copy + 700, 300 });
        assert_int_equal(tls_read(link.client, got, sizeof(got), &n, &error), TLS_MORE);
        assert_int_equal(tls_write(link.client, " / HTTP", 7, &error), 0);
        assert_true(tls_holds(link.client) && !tls_has_out(link.client));
        tls_feed(link.client, (struct muster_str){ copy + 1000, (size_t)len - 1000 });
        assert_int_equal(tls_read(link.client, got, sizeof(got), &n, &error), TLS_MORE);
        assert_true(!tls_holds(link.client) && tls_has_out(link.client));
        assert_int_equal(tls_write(link.client, "/1.1", 4, &error), 0);
        to_server(&link);
        for (n = 0; SSL_pending(link.server) || BIO_ctrl_pending(link.to_server);)
                n += (size_t)SSL_read(link.server, got + n, (int)(sizeof(got) - n));
        assert_int_equal(n, 14);
        assert_memory_equal(got, "GET / HTTP/1.1", n);
        mem_free(copy);
        close_link(&link);
        SSL_CTX_free(server);
        tls_context_free(context);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_handshake_and_data),
                cmocka_unit_test(test_verification),
                cmocka_unit_test(test_old_versions),
                cmocka_unit_test(test_no_renegotiation),
                cmocka_unit_test(test_client_certificate),
                cmocka_unit_test(test_files_that_cannot_be_used),
                cmocka_unit_test(test_keylog),
                cmocka_unit_test(test_peers_that_do_not_speak_tls),
                cmocka_unit_test(test_writing_within_a_ticket),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("tls", tests, set_up, tear_down);
}
