/* SPDX-License-Identifier: MIT */
/*
 * The floor for new TLS connections: a bare OpenSSL program on epoll
 *
 * N at a time, each connects, shakes hands, sends one GET, reads until the server closes, and
 * frees everything. Certificate and host are verified, as any client must. Tickets are kept in a
 * ring and used once, the oldest first. Nothing is parsed, stamped or limited.
 *
 *      floor_tls PORT PATH CONCURRENCY REQUESTS CA_FILE
 *
 * Prints how many were answered, and how many of their handshakes were resumed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICKETS (64 * 1024)

struct conn {
        SSL *ssl;
        int fd;
        bool has_asked;
        size_t got;
};

static SSL_SESSION *tickets[TICKETS];
static size_t n_put, n_taken;
static SSL_CTX *ssl_ctx;
static struct sockaddr_in address = { .sin_family = AF_INET };
static char request[512], buffer[64 * 1024];
static int request_len, epoll_fd;
static unsigned long n_begun, n_done, n_resumed, n_wanted;

static void die(const char *what)
{
        perror(what);
        ERR_print_errors_fp(stderr);
        exit(1);
}

static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
        (void)ssl;
        if (n_put - n_taken == TICKETS)
                return 0;
        tickets[n_put++ % TICKETS] = session;
        return 1;
}

static void begin(struct conn *conn)
{
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = conn };
        int yes = 1;

        *conn = (struct conn){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
                .ssl = SSL_new(ssl_ctx) };
        if (conn->fd < 0 || !conn->ssl)
                die("socket");
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        if (connect(conn->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
                errno != EINPROGRESS)
                die("connect");
        SSL_set_fd(conn->ssl, conn->fd);
        SSL_set_connect_state(conn->ssl);
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(conn->ssl), "127.0.0.1");
        if (n_taken < n_put) {
                SSL_SESSION *session = tickets[n_taken++ % TICKETS];

                SSL_set_session(conn->ssl, session);
                SSL_SESSION_free(session);
        }
        if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, conn->fd, &event) < 0)
                die("epoll_ctl");
        n_begun++;
}

static void end(struct conn *conn)
{
        if (!conn->got)
                die("no answer");
        n_done++;
        n_resumed += (unsigned long)SSL_session_reused(conn->ssl);
        SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_free(conn->ssl);
        close(conn->fd);
        conn->ssl = NULL;
        if (n_begun < n_wanted)
                begin(conn);
}

static void go_on(struct conn *conn)
{
        int r;

        if (!conn->has_asked) {
                r = SSL_do_handshake(conn->ssl);
                if (r != 1 && SSL_get_error(conn->ssl, r) == SSL_ERROR_WANT_READ)
                        return;
                if (r != 1 || SSL_write(conn->ssl, request, request_len) != request_len)
                        die("handshake");
                conn->has_asked = true;
        }
        while ((r = SSL_read(conn->ssl, buffer, sizeof(buffer))) > 0)
                conn->got += (size_t)r;
        switch (SSL_get_error(conn->ssl, r)) {
        case SSL_ERROR_WANT_READ:
                return;
        case SSL_ERROR_ZERO_RETURN:
                end(conn);
                return;
        default:
                die("read");
        }
}

static void set_up(char **argv)
{
        address.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        request_len = snprintf(request, sizeof(request),
                "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", argv[2]);
        ssl_ctx = SSL_CTX_new(TLS_client_method());
        epoll_fd = epoll_create1(0);
        if (!ssl_ctx || epoll_fd < 0 || SSL_CTX_load_verify_file(ssl_ctx, argv[5]) != 1)
                die("setup");
        SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl_ctx, keep_ticket);
}

int main(int argc, char **argv)
{
        struct epoll_event events[512];
        unsigned concurrency;
        struct conn *conns;

        if (argc != 6)
                return 2;
        concurrency = (unsigned)strtoul(argv[3], NULL, 10);
        n_wanted = strtoul(argv[4], NULL, 10);
        conns = calloc(concurrency, sizeof(*conns));
        if (!conns)
                die("calloc");
        set_up(argv);
        for (unsigned i = 0; i < concurrency && n_begun < n_wanted; i++)
                begin(&conns[i]);
        while (n_done < n_wanted) {
                int n = epoll_wait(epoll_fd, events, 512, -1);

                for (int i = 0; i < n; i++)
                        if (((struct conn *)events[i].data.ptr)->ssl)
                                go_on(events[i].data.ptr);
        }
        printf("%lu %lu\n", n_done, n_resumed);
        return 0;
}
