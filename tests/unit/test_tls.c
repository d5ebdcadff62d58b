/* SPDX-License-Identifier: MIT */
/*
 * TLS against a server made of OpenSSL in this process, with certificates made when the test starts
 */
#include "unit.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <tls/tls_server.h>
#include <tls/tls_sessions.h>
#include <unistd.h>

/* --- certificates ---------------------------------------------------------------------------- */

struct identity {
        EVP_PKEY *key;
        X509 *certificate;
};

static struct identity ca, other_ca, intermediate, good, expired, future, self_signed, unknown,
        named_by_cn, behind_intermediate;
static char directory[] = "/tmp/muster-tls-XXXXXX";
static char ca_file[64], client_file[64], keylog_file[64], garbage_file[64];

static void add_extension(X509 *certificate, int nid, const char *value)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        assert_non_null(extension);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
}

static const struct muster_str alpn = { "\x02h2\x08http/1.1", 12 };

/* `from` and `to` in days from now; issuer NULL: self-signed. */
static struct identity make(const char *name, const char *alt_names, const struct identity *issuer,
        bool is_ca, int from, int to)
{
        static long serial;
        struct identity made = { EVP_EC_gen("P-256"), X509_new() };
        const struct identity *signer = issuer ? issuer : &made;

        X509_set_version(made.certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(made.certificate), from * 86400L);
        X509_gmtime_adj(X509_getm_notAfter(made.certificate), to * 86400L);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                (const unsigned char *)name, -1, -1, 0);
        X509_set_issuer_name(made.certificate, X509_get_subject_name(signer->certificate));
        X509_set_pubkey(made.certificate, made.key);
        if (is_ca)
                add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
        if (alt_names)
                add_extension(made.certificate, NID_subject_alt_name, alt_names);
        assert_true(X509_sign(made.certificate, signer->key, EVP_sha256()) > 0);
        return made;
}

static void write_pem(char path[64], const char *name, const struct identity *identity)
{
        FILE *file;

        snprintf(path, 64, "%s/%s", directory, name);
        file = fopen(path, "w");
        assert_non_null(file);
        if (!identity) {
                fputs("this is no certificate\n", file);
        } else {
                PEM_write_X509(file, identity->certificate);
                PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL);
        }
        fclose(file);
}

static int set_up(void **state)
{
        (void)state;
        assert_non_null(mkdtemp(directory));
        ca = make("Test CA", NULL, NULL, true, -1, 10);
        other_ca = make("Other CA", NULL, NULL, true, -1, 10);
        intermediate = make("Intermediate", NULL, &ca, true, -1, 10);
        good = make("good", "DNS:good.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1", &ca, false, -1,
                10);
        expired = make("expired", "DNS:good.test", &ca, false, -10, -1);
        future = make("future", "DNS:good.test", &ca, false, 5, 10);
        self_signed = make("self", "DNS:good.test", NULL, false, -1, 10);
        unknown = make("unknown", "DNS:good.test", &other_ca, false, -1, 10);
        named_by_cn = make("good.test", NULL, &ca, false, -1, 10);
        behind_intermediate = make("leaf", "DNS:good.test", &intermediate, false, -1, 10);
        write_pem(ca_file, "ca.pem", &ca);
        write_pem(client_file, "client.pem", &good);
        write_pem(garbage_file, "garbage.pem", NULL);
        snprintf(keylog_file, sizeof(keylog_file), "%s/keys", directory);
        return 0;
}

static void identity_free(struct identity *identity)
{
        X509_free(identity->certificate);
        EVP_PKEY_free(identity->key);
}

static int tear_down(void **state)
{
        struct identity *all[] = { &ca, &other_ca, &intermediate, &good, &expired, &future,
                &self_signed, &unknown, &named_by_cn, &behind_intermediate };

        (void)state;
        for (size_t i = 0; i < LENGTH(all); i++)
                identity_free(all[i]);
        unlink(ca_file);
        unlink(client_file);
        unlink(garbage_file);
        unlink(keylog_file);
        rmdir(directory);
        return 0;
}

/* --- the server ------------------------------------------------------------------------------ */

static SSL_CTX *server_new(const struct identity *identity, int version)
{
        SSL_CTX *server = SSL_CTX_new(TLS_server_method());

        SSL_CTX_use_certificate(server, identity->certificate);
        SSL_CTX_use_PrivateKey(server, identity->key);
        SSL_CTX_set_session_id_context(server, (const unsigned char *)"t", 1);
        if (version) {
                SSL_CTX_set_min_proto_version(server, version);
                SSL_CTX_set_max_proto_version(server, version);
        }
        return server;
}

struct link {
        SSL *server;
        BIO *to_server, *to_client;
        struct tls *client;
        struct buf wire;
        size_t piece; /* how much is fed at a time */
};

static int open_link(struct link *link, SSL_CTX *server, struct tls_context *context,
        const char *host, struct tls_sessions *sessions)
{
        struct muster_error error = { 0 };

        *link = (struct link){ .server = SSL_new(server),
                .to_server = BIO_new(BIO_s_mem()),
                .to_client = BIO_new(BIO_s_mem()),
                .piece = 100000 };
        SSL_set_bio(link->server, link->to_server, link->to_client);
        SSL_set_accept_state(link->server);
        return tls_new(&link->client, context, str_of(host), alpn, sessions, &error);
}

static void close_link(struct link *link)
{
        tls_free(link->client);
        SSL_free(link->server);
        buf_deinit(&link->wire);
}

static void to_server(struct link *link)
{
        link->wire.len = 0;
        if (!tls_has_out(link->client))
                return;
        assert_int_equal(tls_out_take(link->client, &link->wire), 0);
        BIO_write(link->to_server, link->wire.at, (int)link->wire.len);
}

/*
 * Feed what the server has sent to `step`, until it answers something else than TLS_MORE or nothing
 * is left.
 */
static int to_client(struct link *link, int (*step)(struct link *link, struct muster_error *error),
        struct muster_error *error)
{
        char *bytes;
        long len = BIO_get_mem_data(link->to_client, &bytes);
        char *copy = mem_strndup(bytes, (size_t)len);
        int r = TLS_MORE;

        (void)BIO_reset(link->to_client);
        for (long at = 0; at < len && r == TLS_MORE; at += (long)link->piece) {
                size_t n = (size_t)(len - at) < link->piece ? (size_t)(len - at) : link->piece;

                tls_feed(link->client, (struct muster_str){ copy + at, n });
                r = step(link, error);
                /* After the handshake there may be tickets behind it. */
                if (r == 0 && at + (long)n < len)
                        r = TLS_MORE;
        }
        mem_free(copy);
        return r;
}

static bool is_shaken;

static int shake(struct link *link, struct muster_error *error)
{
        char none[64];
        size_t n;
        int r;

        if (!is_shaken) {
                r = tls_handshake(link->client, error);
                if (r != 0)
                        return r;
                is_shaken = true;
        }
        r = tls_read(link->client, none, sizeof(none), &n, error); /* takes tickets */
        return r == TLS_MORE ? TLS_MORE : r;
}

static int shake_hands(struct link *link, struct muster_error *error)
{
        int r = tls_handshake(link->client, error);

        is_shaken = false;
        for (int i = 0; i < 10 && (r == TLS_MORE || r == 0); i++) {
                to_server(link);
                SSL_do_handshake(link->server);
                r = to_client(link, shake, error);
                if (is_shaken && SSL_is_init_finished(link->server) && !tls_has_out(link->client) &&
                        BIO_ctrl_pending(link->to_client) == 0)
                        return 0;
        }
        return r < 0 ? r : MUSTER_E_INTERNAL;
}

static struct tls_context *context_new(const struct tls_options *options)
{
        struct tls_context *context = NULL;
        struct muster_error error = { 0 };

        if (tls_context_new(&context, options, &error) < 0)
                fail_msg("%s", error.text);
        return context;
}

static struct tls_sessions *sessions_of(struct tls_context *context, const char *host)
{
        struct tls_sessions *sessions = tls_context_sessions(context, str_of(host), 443);

        assert_non_null(sessions);
        return sessions;
}

static const struct tls_options trusting = { .ca_file = ca_file };

/* --- tests ----------------------------------------------------------------------------------- */

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

/* One connection that ends in order. Was it resumed? */
static bool connect_once(SSL_CTX *server, struct tls_context *context,
        struct tls_sessions *sessions)
{
        struct muster_error error = { 0 };
        struct link link;
        bool is_resumed;

        assert_int_equal(open_link(&link, server, context, "good.test", sessions), 0);
        if (shake_hands(&link, &error) < 0)
                fail_msg("%s", error.text);
        is_resumed = tls_was_resumed(link.client);
        assert_true(tls_has_offered(link.client) || !is_resumed);
        close_link(&link);
        return is_resumed;
}

static void test_resumption(void **state)
{
        static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
        struct tls_context *context = context_new(&trusting);

        (void)state;
        for (size_t i = 0; i < LENGTH(versions); i++) {
                SSL_CTX *server = server_new(&good, versions[i]);
                struct tls_sessions *sessions = sessions_of(context, "good.test");

                assert_int_equal(sessions->n_tickets, 0);
                assert_false(connect_once(server, context, sessions));
                /* A session of TLS 1.2 serves many times, a ticket of TLS 1.3 once. */
                assert_int_equal(sessions->n_tickets, versions[i] == TLS1_2_VERSION ? 1 : 2);
                for (int round = 0; round < 5; round++)
                        assert_true(connect_once(server, context, sessions));
                assert_int_equal(sessions->n_tickets, versions[i] == TLS1_2_VERSION ? 1 : 2);
                /* A server that changes its version: what it issued before is of no use. */
                SSL_CTX_free(server);
                server = server_new(&good, versions[1 - i]);
                connect_once(server, context, sessions);
                assert_true(connect_once(server, context, sessions));
                SSL_CTX_free(server);
                tls_sessions_free(sessions);
                tls_context_free(context);
                context = context_new(&trusting);
        }
        tls_context_free(context);
}

/* Many connections at once, and then as many again: each of the second lot is resumed. */
static void test_resumption_at_once(void **state)
{
        enum { N = 64 };
        static struct link links[N];
        struct tls_context *context = context_new(&trusting);
        SSL_CTX *server = server_new(&good, TLS1_3_VERSION);
        struct tls_sessions *sessions = sessions_of(context, "good.test");
        struct muster_error error = { 0 };

        (void)state;
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < N; i++)
                        open_link(&links[i], server, context, "good.test", sessions);
                assert_int_equal(sessions->n_tickets, round ? N : 0);
                for (int i = 0; i < N; i++) {
                        assert_int_equal(shake_hands(&links[i], &error), 0);
                        assert_int_equal(tls_was_resumed(links[i].client), round > 0);
                }
                for (int i = 0; i < N; i++)
                        close_link(&links[i]);
                assert_int_equal(sessions->n_tickets, 2 * N);
        }
        tls_sessions_free(sessions);
        SSL_CTX_free(server);
        tls_context_free(context);
}

/* --- the store of sessions ------------------------------------------------------------------- */

/* A session as a server issues it, `age_s` ago. Its ticket is `name`. */
static SSL_SESSION *session_made(int version, const char *name, long age_s)
{
        SSL_SESSION *session = SSL_SESSION_new();

        SSL_SESSION_set_protocol_version(session, version);
        SSL_SESSION_set_time(session, (long)time(NULL) - age_s);
        SSL_SESSION_set_timeout(session, 300);
        SSL_SESSION_set1_id(session, (const unsigned char *)name, (unsigned)strlen(name));
        return session;
}

static void put(struct tls_sessions *sessions, SSL_SESSION *session)
{
        if (!tls_sessions_put(sessions, session))
                SSL_SESSION_free(session);
}

/* The name of the session that is offered next; "" if there is none. */
static const char *take(struct tls_sessions *sessions)
{
        static char name[SSL_MAX_SSL_SESSION_ID_LENGTH + 1];
        SSL_SESSION *session = tls_sessions_take(sessions);
        unsigned len = 0;

        if (session)
                memcpy(name, SSL_SESSION_get_id(session, &len), sizeof(name) - 1);
        name[len] = '\0';
        SSL_SESSION_free(session);
        return name;
}

static void test_old_session_of_tls_1_2(void **state)
{
        struct tls_store store;
        struct tls_sessions *sessions;

        (void)state;
        tls_store_init(&store, NULL);
        sessions = tls_store_get(&store, str_of("a:443"));
        put(sessions, session_made(TLS1_2_VERSION, "first", 10));
        put(sessions, session_made(TLS1_2_VERSION, "second", 5));
        assert_string_equal(take(sessions), "second");
        assert_string_equal(take(sessions), "second");
        put(sessions, session_made(TLS1_2_VERSION, "expired", 301));
        assert_string_equal(take(sessions), "second");
        assert_int_equal(sessions->n_tickets, 1);
        tls_sessions_free(sessions);
        tls_store_deinit(&store);
}

/* A ticket of TLS 1.3, as a server has just issued it. */
static SSL_SESSION *ticket_issued(void)
{
        struct tls_context *context = context_new(&trusting);
        struct tls_sessions *sessions = sessions_of(context, "good.test");
        SSL_CTX *server = server_new(&good, TLS1_3_VERSION);
        SSL_SESSION *ticket;

        connect_once(server, context, sessions);
        ticket = tls_sessions_take(sessions);
        assert_non_null(ticket);
        SSL_CTX_free(server);
        tls_sessions_free(sessions);
        tls_context_free(context);
        return ticket;
}

static void test_oldest_ticket_first(void **state)
{
        SSL_SESSION *tickets[TLS_TICKETS_MIN + 1], *taken;
        struct tls_store store;
        struct tls_sessions *sessions;

        (void)state;
        tls_store_init(&store, NULL);
        sessions = tls_store_get(&store, str_of("a:443"));
        tickets[0] = ticket_issued();
        for (size_t i = 1; i < LENGTH(tickets); i++)
                tickets[i] = SSL_SESSION_dup(tickets[0]);
        for (size_t i = 0; i < LENGTH(tickets); i++)
                put(sessions, tickets[i]);
        /* There was room for all but one; the oldest had to go. */
        for (size_t i = 1; i < LENGTH(tickets); i++) {
                taken = tls_sessions_take(sessions);
                assert_ptr_equal(taken, tickets[i]);
                if (i < LENGTH(tickets) - 1)
                        SSL_SESSION_free(taken);
        }
        assert_null(tls_sessions_take(sessions));
        /* The server's hint counts, and a week at most. */
        SSL_SESSION_set_time(taken, (long)time(NULL) - 7200);
        put(sessions, taken);
        assert_int_equal(sessions->n_tickets, 0);
        tls_sessions_free(sessions);
        tls_store_deinit(&store);
}

/* More connections at once leave room for more tickets. */
static void test_room_for_tickets(void **state)
{
        struct tls_store store;
        struct tls_sessions *sessions;
        SSL_SESSION *ticket = ticket_issued();

        (void)state;
        tls_store_init(&store, NULL);
        sessions = tls_store_get(&store, str_of("a:443"));
        for (int i = 0; i < 20; i++)
                tls_sessions_opened(sessions);
        for (int i = 0; i < 20; i++)
                tls_sessions_closed(sessions);
        for (int i = 0; i < 100; i++)
                put(sessions, SSL_SESSION_dup(ticket));
        assert_int_equal(sessions->n_tickets, 40);
        SSL_SESSION_free(ticket);
        tls_sessions_free(sessions);
        tls_store_deinit(&store);
}

static struct tls_sessions *peer(struct tls_store *store, int number)
{
        char name[16];

        snprintf(name, sizeof(name), "h%d:443", number);
        return tls_store_get(store, str_of(name));
}

static void test_unused_peers(void **state)
{
        struct tls_store store;
        struct tls_sessions *sessions, *used = NULL;

        (void)state;
        tls_store_init(&store, NULL);
        for (int i = 0; i <= TLS_TICKETS_MAX + 1; i++) {
                sessions = peer(&store, i);
                put(sessions, session_made(TLS1_2_VERSION, "s", 0));
                if (i == 0)
                        used = sessions;
                else
                        tls_sessions_free(sessions);
        }
        assert_int_equal(atomic_load(&store.n_tickets), TLS_TICKETS_MAX);
        assert_string_equal(take(used), "s");
        for (int i = 1; i < 4; i++) {
                sessions = peer(&store, i);
                assert_string_equal(take(sessions), i < 3 ? "" : "s");
                tls_sessions_free(sessions);
        }
        tls_sessions_free(used);
        tls_store_deinit(&store);
}

/* Three tickets of one peer, and one of another, as text. */
static void save_some(const char *trust, struct buf *text)
{
        SSL_SESSION *ticket = ticket_issued();
        struct tls_store store;

        tls_store_init(&store, trust);
        for (int i = 0; i < 4; i++) {
                struct tls_sessions *sessions = peer(&store, i / 3);

                put(sessions, SSL_SESSION_dup(ticket));
                tls_sessions_free(sessions);
        }
        assert_int_equal(tls_store_save(&store, text), 0);
        SSL_SESSION_free(ticket);
        tls_store_deinit(&store);
}

static void test_saved_sessions(void **state)
{
        struct muster_error error = { 0 };
        struct buf text = { 0 }, again = { 0 };
        struct tls_sessions *sessions;
        struct tls_store store;
        SSL_SESSION *taken;

        (void)state;
        save_some(":CA-a", &text);
        assert_int_equal(buf_terminate(&text), 0);
        assert_null(strstr(text.at, "h0:443"));
        tls_store_init(&store, ":CA-a");
        assert_int_equal(tls_store_load(&store, buf_str(&text), "file", &error), 0);
        sessions = peer(&store, 0);
        assert_int_equal(sessions->n_tickets, 3);
        taken = tls_sessions_take(sessions);
        assert_int_equal(SSL_SESSION_get_protocol_version(taken), TLS1_3_VERSION);
        assert_true(SSL_SESSION_get_ticket_lifetime_hint(taken) > 0);
        SSL_SESSION_free(taken);
        tls_sessions_free(sessions);
        /* What is saved now: two of the one, and the other, which nobody has asked for. */
        assert_int_equal(tls_store_save(&store, &again), 0);
        tls_store_deinit(&store);

        tls_store_init(&store, ":CA-b"); /* verified against something else */
        assert_int_equal(tls_store_load(&store, buf_str(&again), "file", &error), 0);
        sessions = peer(&store, 0);
        assert_int_equal(sessions->n_tickets, 0);
        tls_sessions_free(sessions);
        tls_store_deinit(&store);

        tls_store_init(&store, ":CA-a");
        assert_int_equal(tls_store_load(&store, buf_str(&again), "file", &error), 0);
        for (int i = 0; i < 2; i++) {
                sessions = peer(&store, i);
                assert_int_equal(sessions->n_tickets, i ? 1 : 2);
                tls_sessions_free(sessions);
        }
        tls_store_deinit(&store);
        buf_deinit(&text);
        buf_deinit(&again);
}

/* A text cut anywhere is read up to its last whole line, or refused as a whole. */
static void test_saved_sessions_cut(void **state)
{
        struct buf text = { 0 };

        (void)state;
        save_some(":CA-a", &text);
        for (size_t len = 0; len < text.len; len += 7) {
                struct muster_error error = { 0 };
                char *copy = mem_strndup(text.at, len); /* for the sanitizer */
                struct tls_store store;
                int r;

                tls_store_init(&store, ":CA-a");
                r = tls_store_load(&store, (struct muster_str){ copy, len }, "a/file", &error);
                if (r != 0) {
                        assert_int_equal(r, MUSTER_E_INPUT);
                        assert_non_null(strstr(error.text, "a/file, line "));
                        assert_int_equal(store.saved.peers.n, 0);
                }
                tls_store_deinit(&store);
                mem_free(copy);
        }
        buf_deinit(&text);
}

/* Threads take and put at the same time: no ticket is handed out twice, none is lost. */
static void *churn(void *argument)
{
        struct tls_store *store = argument;

        for (int i = 0; i < 2000; i++) {
                struct tls_sessions *sessions = peer(store, 1);
                SSL_SESSION *ticket;

                tls_sessions_opened(sessions);
                ticket = tls_sessions_take(sessions);
                if (ticket)
                        put(sessions, ticket);
                tls_sessions_closed(sessions);
                tls_sessions_free(sessions);
        }
        return NULL;
}

static void test_threads(void **state)
{
        SSL_SESSION *ticket = ticket_issued();
        struct tls_sessions *sessions;
        struct tls_store store;
        pthread_t threads[4];

        (void)state;
        tls_store_init(&store, NULL);
        sessions = peer(&store, 1);
        for (int i = 0; i < TLS_TICKETS_MIN; i++)
                put(sessions, SSL_SESSION_dup(ticket));
        tls_sessions_free(sessions);
        for (size_t i = 0; i < LENGTH(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, churn, &store), 0);
        for (size_t i = 0; i < LENGTH(threads); i++)
                pthread_join(threads[i], NULL);
        sessions = peer(&store, 1);
        assert_int_equal(sessions->n_tickets, TLS_TICKETS_MIN);
        assert_int_equal(sessions->n_open, 0);
        tls_sessions_free(sessions);
        SSL_SESSION_free(ticket);
        tls_store_deinit(&store);
}

static void test_verification(void **state)
{
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
                "and the port of the URL");
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
                cmocka_unit_test(test_resumption),
                cmocka_unit_test(test_resumption_at_once),
                cmocka_unit_test(test_old_session_of_tls_1_2),
                cmocka_unit_test(test_oldest_ticket_first),
                cmocka_unit_test(test_room_for_tickets),
                cmocka_unit_test(test_unused_peers),
                cmocka_unit_test(test_saved_sessions),
                cmocka_unit_test(test_saved_sessions_cut),
                cmocka_unit_test(test_threads),
                cmocka_unit_test(test_verification),
                cmocka_unit_test(test_client_certificate),
                cmocka_unit_test(test_files_that_cannot_be_used),
                cmocka_unit_test(test_keylog),
                cmocka_unit_test(test_peers_that_do_not_speak_tls),
                cmocka_unit_test(test_writing_within_a_ticket),
                cmocka_unit_test(test_memory),
        };

        return cmocka_run_group_tests_name("tls", tests, set_up, tear_down);
}
