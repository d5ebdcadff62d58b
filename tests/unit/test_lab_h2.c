/* SPDX-License-Identifier: MIT */
/*
 * The lab speaks HTTP/2: every behaviour and condition on a stream, and what only HTTP/2 has
 */
#include "h2_client.h"

static struct h2c client;

static void open_h2(const char *settings)
{
        open_world(settings);
        h2c_open(&client);
        h2c_settle(&client);
}

static void close_h2(void)
{
        h2c_close(&client);
        settle();
        assert_int_equal(stats()->n_open, 0);
        assert_int_equal(stats()->n_busy, 0);
        close_world();
}

static void pass_time(uint64_t ns)
{
        pass(ns);
        h2c_settle(&client);
}

/* --- behaviours ------------------------------------------------------------------------------ */

static void test_bodies(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2");
        answer = h2c_get(&client, "/plain");
        h2c_answered(answer, 200, "hello\n");
        assert_true(h2c_has_field(answer, "\ndate: "));
        assert_true(h2c_has_field(answer, "\ncontent-length: 6\n"));
        answer = h2c_get(&client, "/bytes/300k");
        h2c_answered(answer, 200, NULL);
        assert_int_equal(answer->body.len, 300 * 1024);
        assert_memory_equal(answer->body.at + 299 * 1024,
                lab_filling(&world.lab, UINT64_C(299) * 1024).at, 1024);
        h2c_answered(h2c_get(&client, "/bytes/0"), 200, "");
        h2c_answered(h2c_get(&client, "/status/204"), 204, "");
        h2c_answered(h2c_get(&client, "/nothing"), 404, NULL);
        answer = h2c_ask(&client, "HEAD", "/bytes/10k", -1);
        h2c_settle(&client);
        h2c_answered(answer, 200, "");
        assert_true(h2c_has_field(answer, "\ncontent-length: 10240\n"));
        answer = h2c_get(&client, "/json/2k/3");
        assert_int_equal(answer->body.len, 2048);
        assert_int_equal(stats()->n_responses[2], 6);
        assert_int_equal(stats()->n_streams, 7);
        assert_int_equal(stats()->n_h2, 1);
        close_h2();
}

/* What has no meaning in HTTP/2 is left out; the rest of the response is the same. */
static void test_what_only_http_1_has(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2");
        answer = h2c_get(&client, "/chunked/10/4");
        h2c_answered(answer, 200, "The quick ");
        assert_int_equal(answer->n_pieces, 3);
        assert_false(h2c_has_field(answer, "content-length"));
        assert_false(h2c_has_field(answer, "transfer-encoding"));
        answer = h2c_get(&client, "/plain?until-close=1&header=Upgrade:h2c&header=A-B:%20c%20");
        h2c_answered(answer, 200, "hello\n");
        assert_false(h2c_has_field(answer, "upgrade"));
        assert_true(h2c_has_field(answer, "\na-b: c\n"));
        assert_true(client.has_goaway); /* what until-close implies */
        close_h2();
        open_h2("h2");
        h2c_answered(h2c_get(&client, "/plain?http1.0=1"), 200, "hello\n");
        close_h2();
}

static void test_what_the_client_sent(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2");
        answer = h2c_ask(&client, "POST", "/echo?n=1", 5);
        h2c_settle(&client);
        h2c_answered(answer, 200,
                "{\"method\":\"POST\",\"target\":\"/echo?n=1\",\"headers\":[[\"authorization\",\"Bearer me\"],[\"host\",\"lab\"],[\"cookie\",\"a=b; c=d\"]],\"body_bytes\":5,\"body_crc32\":\"42d1e778\",\"body\":\"xxxxx\"}\n");
        answer = h2c_ask(&client, "PUT", "/upload", 200 * 1000);
        h2c_settle(&client);
        h2c_answered(answer, 200, NULL);
        assert_non_null(memmem(answer->body.at, answer->body.len, "\"body_bytes\":200000,", 20));
        h2c_answered(h2c_get(&client, "/cookies"), 200, "{\"a\":\"b\",\"c\":\"d\"}\n");
        h2c_answered(h2c_get(&client, "/bearer/me"), 200, "welcome\n");
        close_h2();
}

static void test_interim_responses(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2");
        answer = h2c_get(&client, "/interim/103/3");
        h2c_answered(answer, 200, NULL);
        assert_int_equal(answer->n_interim, 3);
        close_h2();
}

/* --- conditions ------------------------------------------------------------------------------ */

static void test_time(void **state)
{
        struct h2c_answer *late, *soon, *slow;

        (void)state;
        open_h2("h2\ndelay 10ms");
        late = h2c_get(&client, "/delay/50ms");
        soon = h2c_get(&client, "/plain");
        slow = h2c_get(&client, "/trickle/3/1/20ms");
        assert_int_equal(soon->status, 0);
        pass_time(10 * MS);
        h2c_answered(soon, 200, "hello\n");
        assert_true(slow->status == 200 && slow->body.len == 1);
        pass_time(20 * MS);
        assert_int_equal(slow->body.len, 2);
        pass_time(20 * MS);
        h2c_answered(slow, 200, "The");
        assert_int_equal(late->status, 0);
        pass_time(10 * MS);
        h2c_answered(late, 200, NULL);
        assert_int_equal(stats()->n_streams_at_once_max, 3);
        assert_int_equal(stats()->n_busy_max, 3);
        close_h2();
}

static void test_workers(void **state)
{
        struct h2c_answer *answers[5];

        (void)state;
        open_h2("h2\nworkers 2\nservice-time 10ms\nqueue 2");
        for (size_t i = 0; i < 5; i++)
                answers[i] = h2c_get(&client, "/plain");
        h2c_answered(answers[4], 503, NULL);
        assert_true(h2c_has_field(answers[4], "\nretry-after: 1\n"));
        pass_time(10 * MS);
        assert_true(answers[1]->is_closed && !answers[2]->is_closed);
        pass_time(10 * MS);
        h2c_answered(answers[3], 200, "hello\n");
        close_h2();
        open_h2("h2\nworkers 1\nservice-time 10ms\nqueue 0\nrefuse close");
        answers[0] = h2c_get(&client, "/plain");
        answers[1] = h2c_get(&client, "/plain");
        assert_true(answers[1]->is_closed && answers[1]->code == NGHTTP2_REFUSED_STREAM);
        pass_time(10 * MS);
        h2c_answered(answers[0], 200, "hello\n"); /* the stream is refused, not the connection */
        close_h2();
}

static void test_rate(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2\nrate-limit 1/s\nlimit-answer 503");
        h2c_answered(h2c_get(&client, "/plain"), 200, NULL);
        answer = h2c_get(&client, "/plain");
        h2c_answered(answer, 503, NULL);
        assert_true(h2c_has_field(answer, "\nretry-after: 1\n"));
        close_h2();
}

/* --- responses that stop --------------------------------------------------------------------- */

static void test_stops(void **state)
{
        struct h2c_answer *answer, *other;

        (void)state;
        open_h2("h2");
        other = h2c_get(&client, "/delay/1s");
        answer = h2c_get(&client, "/reset/0?code=REFUSED_STREAM");
        assert_true(answer->is_closed && answer->code == NGHTTP2_REFUSED_STREAM);
        assert_int_equal(answer->status, 0);
        answer = h2c_get(&client, "/reset/100?code=cancel");
        assert_true(answer->is_closed && answer->code == NGHTTP2_CANCEL);
        assert_true(answer->status == 200 && answer->body.len == 100);
        answer = h2c_get(&client, "/reset/7");
        assert_int_equal(answer->code, NGHTTP2_INTERNAL_ERROR);
        answer = h2c_get(&client, "/hang/start");
        assert_true(!answer->is_closed && !answer->status);
        answer = h2c_get(&client, "/hang/head");
        assert_true(!answer->is_closed && !answer->status);
        answer = h2c_get(&client, "/hang/body");
        assert_true(!answer->is_closed && answer->status == 200 && answer->body.len == 500);
        pass_time(NS_PER_S);
        h2c_answered(other, 200, NULL);
        assert_int_equal(stats()->n_busy, 3);
        answer = h2c_get(&client, "/cut/100");
        assert_true(client.socket.is_ended && !answer->is_closed && answer->body.len == 100);
        assert_int_equal(stats()->n_streams_reset, 3);
        assert_int_equal(stats()->n_gone, 7);
        close_h2();
}

static void test_client_resets(void **state)
{
        (void)state;
        open_h2("h2\nworkers 1\nservice-time 10ms");
        h2c_get(&client, "/plain");
        h2c_get(&client, "/plain");
        assert_int_equal(listener()->capacity.n_waiting, 1);
        for (int32_t id = 1; id < 4; id += 2)
                nghttp2_submit_rst_stream(client.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        h2c_settle(&client);
        assert_true(!listener()->capacity.n_waiting && !listener()->capacity.n_busy);
        assert_int_equal(stats()->n_gone, 2);
        assert_int_equal(stats()->n_streams_reset, 2);
        close_h2();
}

/* --- what only HTTP/2 has -------------------------------------------------------------------- */

static uint32_t setting(nghttp2_settings_id id)
{
        return nghttp2_session_get_remote_settings(client.session, id);
}

static void test_settings(void **state)
{
        (void)state;
        open_h2("h2");
        assert_int_equal(setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 100);
        assert_int_equal(setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE), 65535);
        close_h2();
        open_h2("h2\nh2-streams 2\nh2-window 1k\nh2-connection-window 1M\nh2-frame-size 32k\nh2-header-list 1k");
        assert_int_equal(setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 2);
        assert_int_equal(setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE), 1024);
        assert_int_equal(setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE), 32 * 1024);
        assert_int_equal(setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE), 1024);
        assert_int_equal(nghttp2_session_get_remote_window_size(client.session), 1024 * 1024);
        for (int i = 0; i < 4; i++)
                h2c_get(&client, "/delay/10ms");
        assert_int_equal(stats()->n_streams, 2);
        pass_time(30 * MS);
        assert_int_equal(stats()->n_streams, 4);
        assert_int_equal(stats()->n_streams_at_once_max, 2);
        close_h2();
}

static void test_settings_wait(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2\nh2-settings-delay 50ms");
        answer = h2c_get(&client, "/plain");
        pass_time(49 * MS);
        assert_true(!client.n_settings && !answer->status);
        pass_time(1 * MS);
        assert_int_equal(client.n_settings, 1);
        h2c_answered(answer, 200, "hello\n");
        close_h2();
}

static void test_long_head(void **state)
{
        struct h2c_answer *answer;
        char path[2000];

        (void)state;
        open_h2("h2\nh2-header-list 1k");
        memset(path, 'a', sizeof(path));
        memcpy(path, "/plain?n=", 9);
        path[sizeof(path) - 1] = '\0';
        answer = h2c_get(&client, path);
        h2c_answered(answer, 431, NULL);
        assert_int_equal(stats()->n_bad_requests, 1);
        h2c_answered(h2c_get(&client, "/plain"), 200, "hello\n");
        close_h2();
}

/* A client whose head is refused need not send its body. */
static void test_early_answer(void **state)
{
        struct h2c_answer *answer;
        char path[2000];

        (void)state;
        open_h2("h2\nh2-header-list 1k");
        memset(path, 'a', sizeof(path));
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        answer = h2c_ask(&client, "POST", path, 1000000);
        h2c_settle(&client);
        h2c_answered(answer, 431, NULL);
        assert_true(answer->n_upload > 0);
        close_h2();
}

static void test_windows_starve(void **state)
{
        struct h2c_answer *answer;

        (void)state;
        open_h2("h2\nh2-window 1000\nh2-window-updates never");
        h2c_settle(&client);
        answer = h2c_ask(&client, "POST", "/upload", 5000);
        h2c_settle(&client);
        pass_time(60 * NS_PER_S);
        assert_int_equal(answer->n_upload, 4000);
        assert_false(answer->is_closed);
        close_h2();
        open_h2("h2\nh2-window 1000\nh2-window-updates 10ms");
        h2c_settle(&client);
        answer = h2c_ask(&client, "POST", "/upload", 5000);
        h2c_settle(&client);
        for (int i = 4; i > 0; i--) {
                assert_int_equal(answer->n_upload, i * 1000);
                pass_time(9 * MS);
                assert_int_equal(answer->n_upload, i * 1000);
                pass_time(1 * MS);
        }
        h2c_answered(answer, 200, NULL);
        close_h2();
}

static void test_goaway(void **state)
{
        struct h2c_answer *answers[4];

        (void)state;
        open_h2("h2\nh2-goaway 3");
        for (size_t i = 0; i < 4; i++)
                answers[i] = h2c_ask(&client, "GET", "/delay/10ms", -1);
        h2c_settle(&client);
        assert_true(client.has_goaway && client.last_id == 5);
        assert_int_equal(client.goaway_code, NGHTTP2_NO_ERROR);
        assert_int_equal(answers[3]->code, NGHTTP2_REFUSED_STREAM); /* nghttp2's word for it */
        pass_time(10 * MS);
        for (size_t i = 0; i < 3; i++)
                h2c_answered(answers[i], 200, NULL);
        assert_true(client.socket.is_ended);
        close_h2();
        open_h2("h2\nh2-goaway 1,ENHANCE_YOUR_CALM");
        answers[0] = h2c_get(&client, "/delay/10ms");
        answers[1] = h2c_get(&client, "/plain");
        assert_int_equal(client.goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
        assert_true(client.last_id == 1 && client.socket.is_ended);
        assert_true(!answers[0]->status && !answers[1]->status);
        assert_true(stats()->n_gone == 1 && stats()->n_requests == 1);
        close_h2();
}

/* What closes a connection of HTTP/1 is a GOAWAY. */
static void test_connections_end(void **state)
{
        static const char *const settings[] = { "h2\nmax-requests 1", "h2\nno-keep-alive" };

        (void)state;
        for (size_t i = 0; i < LENGTH(settings); i++) {
                open_h2(settings[i]);
                h2c_answered(h2c_get(&client, "/plain"), 200, "hello\n");
                assert_true(client.has_goaway && client.last_id == 1 && client.socket.is_ended);
                assert_int_equal(stats()->n_goaways, 1);
                close_h2();
        }
        open_h2("h2");
        h2c_answered(h2c_get(&client, "/close"), 200, NULL);
        assert_true(client.has_goaway && client.socket.is_ended);
        close_h2();
}

static void test_idle_timeout(void **state)
{
        (void)state;
        open_h2("h2\nidle-timeout 1s");
        h2c_get(&client, "/delay/3s");
        pass_time(2900 * MS);
        assert_false(client.has_goaway);
        pass_time(1000 * MS);
        assert_false(client.has_goaway);
        pass_time(100 * MS);
        assert_true(client.has_goaway && client.last_id == 1 && client.socket.is_ended);
        close_h2();
}

static void test_refused_streams(void **state)
{
        int n_refused = 0;

        (void)state;
        open_h2("h2\nh2-refuse 50%");
        for (int i = 0; i < 30; i++) {
                struct h2c_answer *answer = h2c_get(&client, "/plain");

                n_refused += answer->code == NGHTTP2_REFUSED_STREAM;
                if (!answer->code)
                        h2c_answered(answer, 200, "hello\n");
        }
        assert_in_range(n_refused, 5, 25);
        assert_int_equal(stats()->n_streams_refused, n_refused);
        assert_int_equal(stats()->n_requests, 30 - n_refused);
        close_h2();
        open_h2("h2\nh2-refuse 100%,INADEQUATE_SECURITY");
        assert_int_equal(h2c_get(&client, "/plain")->code, NGHTTP2_INADEQUATE_SECURITY);
        close_h2();
}

static void test_pings(void **state)
{
        (void)state;
        for (int is_silent = 0; is_silent < 2; is_silent++) {
                open_h2(is_silent ? "h2\nh2-no-pong" : "h2");
                nghttp2_submit_ping(client.session, NGHTTP2_FLAG_NONE, NULL);
                h2c_settle(&client);
                assert_int_equal(client.n_pongs, !is_silent);
                assert_int_equal(stats()->n_pings, 1);
                close_h2();
        }
}

/* --- which protocol -------------------------------------------------------------------------- */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static void test_which_protocol(void **state)
{
        struct client *plain;

        (void)state;
        open_world("h2");
        plain = open_client(0);
        get(plain, "/plain");
        answered(plain, 200); /* HTTP/1, on the same listener */
        ask(plain, PREFACE);  /* too late for that */
        answered(plain, 400);
        plain = open_client(1);
        for (size_t i = 0; i < strlen(PREFACE); i++)
                ask(plain, (char[]){ PREFACE[i], '\0' });
        ask(plain, "\r\n\r\nnonsense that is no frame");
        assert_int_equal(stats()->n_h2, 1);
        pull(plain);
        assert_true(plain->got.len > 9 && plain->got.at[3] == 4 /* SETTINGS */);
        assert_true(plain->is_ended || plain->is_reset);
        close_client(plain);
        plain = open_client(2);
        ask(plain, "PRI * HTTP/2.0\r\n\r\nSM\r\n\rx");
        assert_true(plain->is_ended || plain->is_reset);
        assert_int_equal(stats()->n_bad_requests, 2);
        close_client(plain);
        close_client(&clients[0]);
        close_world();
        open_world("");
        plain = open_client(0);
        ask(plain, PREFACE);
        answered(plain, 400);
        close_client(plain);
        close_world();
}

/* --- trouble --------------------------------------------------------------------------------- */

static const char *const paths[] = { "/plain", "/bytes/100k", "/echo", "/delay/2ms", "/json/2k/3",
        "/interim/103/2", "/trickle/9/1/1ms", "/hang/body", "/reset/30", "/close" };

static void ask_for_everything(void)
{
        h2c_open(&client);
        for (size_t i = 0; i < LENGTH(paths); i++) {
                h2c_ask(&client, i % 2 ? "GET" : "POST", paths[i], i % 2 ? -1 : 3000);
                h2c_settle(&client);
                pass_time(3 * MS);
        }
        pass_time(20 * MS);
        h2c_close(&client);
}

static void test_without_memory(void **state)
{
        static const char *const settings[] = {
                "h2",
                "h2\nworkers 1\nservice-time 2ms\nidle-timeout 1s\nh2-window-updates 1ms\nh2-settings-delay 1ms"
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(settings); i++) {
                int has_failed = 1;

                for (long n = 0; has_failed; n++) {
                        open_world(settings[i]);
                        mem_fail_after(n);
                        ask_for_everything();
                        has_failed = mem_has_failed();
                        mem_fail_after(-1);
                        pass(3 * NS_PER_S);
                        h2c_open(&client);
                        h2c_get(&client, "/plain");
                        pass_time(10 * MS);
                        h2c_answered(&client.answers[0], 200, "hello\n");
                        close_h2();
                        assert_true(n < 20000);
                }
        }
}

static void test_stop_in_the_midst(void **state)
{
        (void)state;
        open_h2("h2\nworkers 1\nservice-time 5ms");
        for (size_t i = 0; i < LENGTH(paths); i++)
                h2c_ask(&client, "GET", paths[i], -1);
        h2c_settle(&client);
        pass_time(12 * MS);
        close_world();
        open_world("");
        h2c_close(&client);
        close_world();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_what_only_http_1_has),
                cmocka_unit_test(test_what_the_client_sent),
                cmocka_unit_test(test_interim_responses),
                cmocka_unit_test(test_time),
                cmocka_unit_test(test_workers),
                cmocka_unit_test(test_rate),
                cmocka_unit_test(test_stops),
                cmocka_unit_test(test_client_resets),
                cmocka_unit_test(test_settings),
                cmocka_unit_test(test_settings_wait),
                cmocka_unit_test(test_long_head),
                cmocka_unit_test(test_early_answer),
                cmocka_unit_test(test_windows_starve),
                cmocka_unit_test(test_goaway),
                cmocka_unit_test(test_connections_end),
                cmocka_unit_test(test_idle_timeout),
                cmocka_unit_test(test_refused_streams),
                cmocka_unit_test(test_pings),
                cmocka_unit_test(test_which_protocol),
                cmocka_unit_test(test_without_memory),
                cmocka_unit_test(test_stop_in_the_midst),
        };

        return cmocka_run_group_tests_name("lab_h2", tests, NULL, NULL);
}
