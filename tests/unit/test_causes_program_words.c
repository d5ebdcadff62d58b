/* SPDX-License-Identifier: MIT */
/*
 * The words of findings about watched programs: those of each library, and of findings that are about
 * any run, which must not give a program the options of our own client
 */
#include "connecting.h"
#include "watched.h"

#include <explain/causes/library_words.h>
#include <explain/causes/program_told.h>

/* --- the table ------------------------------------------------------------------------------- */

/* Every phrase has words for any library, which fit. */
static void test_all_phrases(void **state)
{
        (void)state;
        for (int library = 0; library < LIBRARY_N; library++)
                for (int phrase = 0; phrase < LIBRARY_N_PHRASES; phrase++) {
                        struct library_text text = library_words((enum library)library,
                                (enum library_phrase)phrase, UINT64_MAX);

                        assert_true(strlen(text.text) < LIBRARY_TEXT - 1);
                        assert_null(strchr(text.text, '#'));
                        if (phrase != LIBRARY_NAME || library != LIBRARY_UNKNOWN)
                                assert_true(text.text[0] != '\0');
                }
}

static void test_numbers(void **state)
{
        (void)state;
        assert_string_equal(library_words(LIBRARY_AIOHTTP, LIBRARY_POOL, 64).text,
                "aiohttp.TCPConnector(limit=64)");
        assert_string_equal(library_words(LIBRARY_HTTPX, LIBRARY_POOL, 7).text,
                "httpx.Limits(max_connections=7, max_keepalive_connections=7)");
        assert_string_equal(library_words(LIBRARY_CURL, LIBRARY_SEMAPHORE, 12).text,
                "--parallel-max 12");
        /* None of its own. */
        assert_string_equal(library_words(LIBRARY_CURL, LIBRARY_POOL_HOST, 12).text,
                library_words(LIBRARY_UNKNOWN, LIBRARY_POOL_HOST, 12).text);
}

static void test_instead_of(void **state)
{
        (void)state;
        assert_string_equal(library_instead_of(LIBRARY_AIOHTTP, str_of("time.sleep")),
                "await asyncio.sleep()");
        assert_string_equal(library_instead_of(LIBRARY_NODE, str_of("fs.readFileSync")),
                "the functions of node:fs/promises");
        assert_string_equal(library_instead_of(LIBRARY_NODE, str_of("child_process.execFileSync")),
                "execFile() of node:child_process");
        assert_null(library_instead_of(LIBRARY_AIOHTTP, str_of("")));
        assert_null(library_instead_of(LIBRARY_NODE, str_of("compress")));
}

/* --- which library --------------------------------------------------------------------------- */

static void assert_library(struct record *record, enum library library)
{
        struct facts facts;

        assert_int_equal(facts_measure(&facts, record), 0);
        assert_int_equal(library_of(&facts), library);
        facts_deinit(&facts);
}

static void test_which_library(void **state)
{
        static const struct {
                const char *libraries, *loop, *language, *exe;
                enum library library;
        } cases[] = {
                { "aiohttp 3.9.1, uvloop 0.19", "uvloop", "Python 3.11", "python3",
                        LIBRARY_AIOHTTP },
                { "uvloop 0.19, httpx 0.27", "uvloop", "Python 3.11", "python3", LIBRARY_HTTPX },
                { "httpx 0.27", "", "Python 3.11", "python3", LIBRARY_HTTPX_SYNC },
                { "certifi, requests 2.31", "", "Python 3.11", "python3", LIBRARY_REQUESTS },
                { "http.client", "", "Python 3.11", "python3", LIBRARY_HTTP_CLIENT },
                { "", "", "Python 3.11", "python3", LIBRARY_UNKNOWN },
                { "", "libuv", "Node 20.1", "node", LIBRARY_NODE },
                { "", "", "", "/usr/bin/curl", LIBRARY_CURL },
                { "", "", "", "/home/me/prices", LIBRARY_UNKNOWN },
                { ",, ,", "", "", "", LIBRARY_UNKNOWN },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct record record;
                struct program_process *process;

                make(&record, &closing);
                assert_library(&record, LIBRARY_UNKNOWN); /* nobody was watched */
                watch(&record, cases[i].libraries, cases[i].loop);
                process = &record.programs.processes[0];
                process->language = str_of(cases[i].language);
                process->exe = str_of(cases[i].exe);
                assert_library(&record, cases[i].library);
                record_deinit(&record);
        }
}

/* The client of most requests says it, and not what else was imported. */
static void test_library_of_most(void **state)
{
        struct record record;

        (void)state;
        make(&record, &closing);
        watch(&record, "requests 2.31, aiohttp 3.9", "asyncio");
        watched_client(&record, 100);
        record.programs.clients[0].library = str_of("aiohttp");
        assert_library(&record, LIBRARY_AIOHTTP);
        record_deinit(&record);
}

/* --- findings about any run ------------------------------------------------------------------ */

static void assert_no_option(const struct finding *finding)
{
        const struct muster_finding *shown = &finding->shown;

        assert_null(shown->option);
        assert_null(strstr(shown->remedy, "--"));
        assert_null(strstr(shown->title, "--"));
        for (size_t i = 0; i < shown->n_evidence; i++)
                assert_null(strstr(shown->evidence[i], "--"));
}

static void full(struct record_maker_request *request, size_t i, const struct record_maker *maker)
{
        request->submit_after_ns = i;
        request->server_ns = (i < maker->slots ? i + 1 : maker->slots) * 10 * MS;
}

static void one_slow(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        request->server_ns = i == 50 ? 3000 * MS : 20 * MS;
}

static void refuse(struct record_maker_request *request, size_t i, const struct record_maker *maker)
{
        (void)maker;
        request->n_retries = i % 2;
        request->backoff_ns = 500 * MS;
}

static void time_out(struct record_maker_request *request, size_t i,
        const struct record_maker *maker)
{
        (void)maker;
        if (i % 2)
                request->code = MUSTER_E_TIMEOUT;
}

/* Runs that the other families have something to say about, all but nothing of it about options. */
static void test_other_families(void **state)
{
        const struct record_maker makers[] = {
                closing,
                dropped,
                { .n = 200, .slots = 20, .vary = full },
                { .n = 200, .slots = 20, .vary = one_slow },
                { .n = 100, .slots = 20, .vary = refuse, .each.server_ns = 20 * MS },
                { .n = 100, .slots = 20, .vary = time_out, .each.server_ns = 500 * MS },
                { .n = 20, .slots = 20, .each.server_ns = 2000 * MS },
                { .n = 100,
                        .slots = 20,
                        .no_reuse = true,
                        .each = { .dns_ns = 60 * MS, .tcp_ns = MS, .server_ns = 5 * MS } },
                { .n = 100,
                        .slots = 10,
                        .each = { .server_ns = MS, .receive_ns = 400 * MS, .wire_bytes = 100000 } },
        };
        size_t n_told = 0;

        (void)state;
        for (size_t i = 0; i < LENGTH(makers); i++) {
                struct ranking ranking;
                struct record record;
                struct facts facts;

                make(&record, &makers[i]);
                watch(&record, "aiohttp 3.9", "asyncio");
                assert_int_equal(facts_measure(&facts, &record), 0);
                assert_int_equal(ranking_make(&ranking, &facts), 0);
                for (size_t k = 0; k < ranking.n; k++)
                        assert_no_option(ranking.findings[k]);
                if (ranking.failures)
                        assert_null(strstr(ranking.failures->shown.remedy, "--"));
                n_told += ranking.n + (ranking.failures != NULL);
                ranking_deinit(&ranking);
                facts_deinit(&facts);
                record_deinit(&record);
        }
        assert_true(n_told >= LENGTH(makers) - 2);
}

/* A limit that is proposed is one of the library's. */
static void test_options_in_words(void **state)
{
        static const struct {
                const char *option, *words;
        } cases[] = {
                { "--concurrency 8", "Wait. In its code: aiohttp.TCPConnector(limit=8)." },
                { "--per-host 8", "Wait. In its code: aiohttp.TCPConnector(limit_per_host=8)." },
                { "--max-time 500ms", "Wait. In its code: aiohttp.ClientTimeout(total=...)." },
                { "--rate 30/s", "Wait. In its code: aiolimiter.AsyncLimiter(30, 1)." },
                { "--http1.1", "Wait." },
                { "--resolve a.test:80:192.0.2.1", "Wait." },
        };
        struct record record;
        struct facts facts;

        (void)state;
        make(&record, &closing);
        watch(&record, "aiohttp 3.9", "asyncio");
        assert_int_equal(facts_measure(&facts, &record), 0);
        for (size_t i = 0; i < LENGTH(cases); i++) {
                struct finding finding = { 0 };

                finding_title(&finding, "This program is slow");
                finding_remedy(&finding, "Wait.");
                finding_option(&finding, "%s", cases[i].option);
                program_reword(&finding, &facts);
                assert_null(finding.shown.option);
                assert_string_equal(finding.title, "The program is slow");
                assert_string_equal(finding.remedy, cases[i].words);
        }
        facts_deinit(&facts);
        record_deinit(&record);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_phrases),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_instead_of),
                cmocka_unit_test(test_which_library),
                cmocka_unit_test(test_library_of_most),
                cmocka_unit_test(test_other_families),
                cmocka_unit_test(test_options_in_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
