/* SPDX-License-Identifier: MIT */
/*
 * TLS seen by a whole client: a server in its loop that cuts its ciphertext where a test wants it
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* A ticket follows the first answer of each connection. */
struct tls_script {
        bool cuts_ticket; /* its second half comes a second later */
        struct loop *loop;
        SSL_CTX *ssl_ctx;
        SSL *ssl;
        BIO *in, *out;
        int fd;
        unsigned short port;
        struct loop_watch watch;
        struct loop_socket socket;
        struct loop_timer timer;
        unsigned n_conns, n_requests; /* ever */
        unsigned n_answers;           /* on this connection */
        char *later;
        size_t n_later;
};

static struct tls_script script;

static int make_ticket_large(SSL *ssl, void *argument)
{
        static char data[2000];

        (void)argument;
        return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data, sizeof(data));
}

static int use_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
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

static SSL_CTX *make_context(void)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *certificate = X509_new();
        SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_server_method());

        X509_gmtime_adj(X509_getm_notBefore(certificate), -86400);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
        X509_set_pubkey(certificate, key);
        assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
        SSL_CTX_use_certificate(ssl_ctx, certificate);
        SSL_CTX_use_PrivateKey(ssl_ctx, key);
        SSL_CTX_set_min_proto_version(ssl_ctx, TLS1_3_VERSION);
        SSL_CTX_set_num_tickets(ssl_ctx, 0);
        SSL_CTX_set_max_send_fragment(ssl_ctx, 512); /* the ticket takes several records */
        SSL_CTX_set_session_ticket_cb(ssl_ctx, make_ticket_large, use_ticket, NULL);
        X509_free(certificate);
        EVP_PKEY_free(key);
        return ssl_ctx;
}

static void send_out(size_t at_most)
{
        char *bytes;
        size_t len = (size_t)BIO_get_mem_data(script.out, &bytes);
        size_t n = len < at_most ? len : at_most;

        if (n)
                assert_int_equal(send(script.socket.fd, bytes, n, MSG_NOSIGNAL), n);
        if (n < len) {
                script.n_later = len - n;
                script.later = malloc(script.n_later);
                memcpy(script.later, bytes + n, script.n_later);
                loop_timer_set(script.loop, &script.timer, script.loop->now_ns + NS_PER_S);
        }
        (void)BIO_reset(script.out);
}

static void send_rest(struct loop_timer *timer, uint64_t late_ns)
{
        (void)timer;
        (void)late_ns;
        assert_int_equal(send(script.socket.fd, script.later, script.n_later, MSG_NOSIGNAL),
                script.n_later);
        free(script.later);
        script.later = NULL;
}

static void answer(void)
{
        bool is_first = !script.n_answers++;
        char *bytes;

        script.n_requests++;
        assert_int_equal(SSL_write(script.ssl, ANSWER, (int)strlen(ANSWER)), (int)strlen(ANSWER));
        if (is_first) {
                assert_int_equal(SSL_new_session_ticket(script.ssl), 1);
                assert_int_equal(SSL_do_handshake(script.ssl), 1);
        }
        if (is_first && script.cuts_ticket)
                send_out((size_t)BIO_get_mem_data(script.out, &bytes) - 700);
        else
                send_out(SIZE_MAX);
}

static void handle(struct loop_socket *socket, const struct loop_event *event)
{
        char request[4096];

        if (event->kind == LOOP_EOF || event->kind == LOOP_FAILED)
                loop_socket_close(socket);
        if (event->kind != LOOP_RECEIVED)
                return;
        BIO_write(script.in, event->bytes.at, (int)event->bytes.len);
        if (SSL_read(script.ssl, request, sizeof(request)) > 0)
                answer();
        else
                send_out(SIZE_MAX);
}

static void accept_one(struct loop_watch *watch, bool readable, bool writable)
{
        int sys, fd = accept(script.fd, NULL, NULL);

        (void)watch;
        (void)readable;
        (void)writable;
        if (fd < 0)
                return;
        script.n_conns++;
        script.n_answers = 0;
        if (loop_socket_is_open(&script.socket))
                loop_socket_close(&script.socket);
        SSL_free(script.ssl);
        script.ssl = SSL_new(script.ssl_ctx);
        script.in = BIO_new(BIO_s_mem());
        script.out = BIO_new(BIO_s_mem());
        SSL_set_bio(script.ssl, script.in, script.out);
        SSL_set_accept_state(script.ssl);
        assert_int_equal(loop_socket_adopt(script.loop, &script.socket, handle, fd, &sys), 0);
        loop_recv_start(&script.socket);
}

static void script_start(struct loop *loop, bool cuts_ticket)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof(address);

        script = (struct tls_script){
                .loop = loop, .ssl_ctx = make_context(), .cuts_ticket = cuts_ticket
        };
        script.timer.fire = send_rest;
        script.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(script.fd, (struct sockaddr *)&address, len), 0);
        assert_int_equal(listen(script.fd, 8), 0);
        assert_int_equal(getsockname(script.fd, (struct sockaddr *)&address, &len), 0);
        script.port = ntohs(address.sin_port);
        script.watch.ready = accept_one;
        assert_int_equal(loop_watch_set(loop, &script.watch, script.fd, true, false), 0);
}

static void script_stop(void)
{
        loop_timer_stop(script.loop, &script.timer);
        if (loop_socket_is_open(&script.socket))
                loop_socket_close(&script.socket);
        loop_watch_set(script.loop, &script.watch, script.fd, false, false);
        close(script.fd);
        SSL_free(script.ssl);
        SSL_CTX_free(script.ssl_ctx);
        free(script.later);
}

static struct muster_result *fetch(struct muster_client *client)
{
        struct muster_result *result;
        char url[64];

        snprintf(url, sizeof(url), "https://127.0.0.1:%u/", script.port);
        assert_int_equal(muster_get(client, url, NULL), 0);
        result = muster_next(client);
        assert_non_null(result);
        check_sums(result);
        if (muster_result_error(result))
                fail_msg("%s", muster_result_error_text(result));
        return result;
}

/*
 * The first half of a ticket is there when the next request is to be sent. OpenSSL sends nothing
 * before it has the rest: the request waits, and goes out on the same connection.
 */
static void test_request_within_a_ticket(void **state)
{
        const struct muster_client_options options = { .size = sizeof(options),
                .insecure_no_verify = true };
        struct muster_client *client;
        struct muster_result *result;
        struct muster_client_stats stats;

        (void)state;
        assert_int_equal(client_new_manual(&client, &options, START_NS), 0);
        script_start(&client->engine.loop, true);
        muster_result_free(fetch(client));
        result = fetch(client);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_SEND), 1000);
        assert_int_equal(phase_ms(result, MUSTER_PHASE_WAIT), 0);
        muster_result_free(result);
        muster_result_free(fetch(client));
        muster_client_stats(client, &stats, sizeof(stats));
        assert_int_equal(stats.n_conns_opened, 1);
        assert_int_equal(script.n_requests, 3);
        script_stop();
        muster_client_free(client);
}

/*
 * The ticket comes behind the response, after which the connection is closed: it is kept all the
 * same, and the next connection is resumed.
 */
static void test_ticket_behind_the_response(void **state)
{
        const struct muster_client_options options = {
                .size = sizeof(options), .insecure_no_verify = true, .no_reuse = true
        };
        struct muster_client *client;
        struct muster_result *result;
        struct muster_conn_info info;

        (void)state;
        assert_int_equal(client_new_manual(&client, &options, START_NS), 0);
        script_start(&client->engine.loop, false);
        for (int i = 0; i < 3; i++) {
                result = fetch(client);
                muster_result_conn(result, &info, sizeof(info));
                assert_int_equal(info.tls_resumed, i > 0);
                muster_result_free(result);
        }
        assert_int_equal(script.n_conns, 3);
        script_stop();
        muster_client_free(client);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_request_within_a_ticket),
                cmocka_unit_test(test_ticket_behind_the_response),
        };

        return cmocka_run_group_tests_name("flow_tls", tests, NULL, NULL);
}
