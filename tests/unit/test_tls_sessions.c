/* SPDX-License-Identifier: MIT */
/*
 * TLS sessions: resumption, and the store that keeps them
 */
#include "tls_world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

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
        set_issued(session, time(NULL) - age_s);
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
        set_issued(taken, time(NULL) - 7200);
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
        assert_int_equal(tls_store_save(&store, NULL, text), 0);
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
        assert_int_equal(tls_store_save(&store, NULL, &again), 0);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_resumption),
                cmocka_unit_test(test_resumption_at_once),
                cmocka_unit_test(test_old_session_of_tls_1_2),
                cmocka_unit_test(test_oldest_ticket_first),
                cmocka_unit_test(test_room_for_tickets),
                cmocka_unit_test(test_unused_peers),
                cmocka_unit_test(test_saved_sessions),
                cmocka_unit_test(test_saved_sessions_cut),
                cmocka_unit_test(test_threads),
        };

        return cmocka_run_group_tests_name("tls_sessions", tests, set_up, tear_down);
}
