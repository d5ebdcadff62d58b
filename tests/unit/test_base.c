/* SPDX-License-Identifier: MIT */
/*
 * The base layer: errors, text, buffers, lists, heap, map, random numbers, histogram, figures in
 * words
 */
#include "unit.h"

#include <base/arena.h>
#include <base/error.h>
#include <base/heap.h>
#include <base/hist.h>
#include <base/list.h>
#include <base/map.h>
#include <base/rand.h>
#include <base/words.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- errors ---------------------------------------------------------------------------------- */

static void test_first_error_is_kept(void **state)
{
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(error_set(&error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 7, "one %d", 1),
                MUSTER_E_URL);
        assert_int_equal(error_set(&error, MUSTER_E_TLS, MUSTER_PHASE_TLS, 0, "two"), MUSTER_E_TLS);
        assert_int_equal(error.code, MUSTER_E_URL);
        assert_int_equal(error.sys, 7);
        assert_string_equal(error.text, "one 1");
        error_clear(&error);
        assert_int_equal(error_set_memory(&error, MUSTER_PHASE_DNS), MUSTER_E_RESOURCE);
        assert_int_equal(error.sys, ENOMEM);
        assert_int_equal(error_set(NULL, MUSTER_E_TLS, MUSTER_PHASE_TLS, 0, "nobody listens"),
                MUSTER_E_TLS);
}

static void test_error_text_is_one_clean_line(void **state)
{
        struct muster_error error = { 0 };
        char cut[400];

        (void)state;
        error_set(&error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0, "%s", "a\r\nb\033c\x7f");
        assert_string_equal(error.text, "a??b?c?");
        /* Two-byte characters at both alignments: the cut leaves no half of one. */
        for (int shift = 0; shift < 2; shift++) {
                memset(cut, 'x', sizeof(cut));
                for (int i = shift; i + 2 < 400; i += 2)
                        memcpy(cut + i, "\xc3\xbc", 2);
                cut[399] = '\0';
                error_clear(&error);
                error_set(&error, MUSTER_E_URL, MUSTER_PHASE_QUEUE, 0, "%s", cut);
                assert_true(strlen(error.text) < sizeof(error.text));
                assert_string_equal(error.text + strlen(error.text) - 3, "...");
                assert_int_equal((unsigned char)error.text[strlen(error.text) - 4], 0xbc);
        }
}

static void test_every_name_is_there(void **state)
{
        unsigned seen = 0;

        (void)state;
        for (int code = 0; code >= MUSTER_E_LOWEST; code--)
                assert_string_not_equal(muster_code_name((enum muster_code)code), "unknown");
        assert_string_equal(muster_code_name((enum muster_code) - 99), "unknown");
        for (int phase = 0; phase < MUSTER_N_PHASES; phase++)
                assert_string_not_equal(muster_phase_name((enum muster_phase)phase), "unknown");
        assert_string_equal(muster_phase_name(MUSTER_N_PHASES), "unknown");
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                seen |= 1u << phase_in_order(i);
        assert_int_equal(seen, (1u << MUSTER_N_PHASES) - 1);
        assert_string_equal(muster_version(), "0.1.0");
}

/* --- text ------------------------------------------------------------------------------------ */

static void test_numbers(void **state)
{
        static const struct {
                const char *text;
                bool is_valid;
                uint64_t value;
        } cases[] = {
                { "0", true, 0 },
                { "18446744073709551615", true, UINT64_MAX },
                { "007", true, 7 },
                { "18446744073709551616", false, 0 },
                { "", false, 0 },
                { "99999999999999999999999", false, 0 },
                { "-1", false, 0 },
                { "+1", false, 0 },
                { " 1", false, 0 },
                { "1x", false, 0 },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                uint64_t value = 5;

                assert_int_equal(str_to_u64(str_of(cases[i].text), &value), cases[i].is_valid);
                assert_int_equal(value, cases[i].is_valid ? cases[i].value : 5);
        }
}

static void test_split_and_trim(void **state)
{
        struct muster_str rest = str_of("a,,b,"), part;
        const char *const expected[] = { "a", "", "b", "" };

        (void)state;
        for (size_t i = 0; i < LENGTH(expected); i++) {
                assert_true(str_split(&rest, ',', &part));
                assert_true(str_is(part, expected[i]));
        }
        assert_false(str_split(&rest, ',', &part));
        assert_true(str_is(str_trim(str_of(" \ta b\t ")), "a b"));
        assert_true(str_is(str_trim(str_of(" \t ")), ""));
        assert_true(str_is_nocase(str_of("aBc"), "AbC"));
        assert_false(str_is_nocase(str_of("abc"), "abcd"));
        assert_true(str_starts(str_of("abc"), "ab"));
        assert_false(str_starts(str_of("a"), "ab"));
        assert_int_equal(char_hex('F'), 15);
        assert_int_equal(char_hex('g'), -1);
}

/* --- buffers --------------------------------------------------------------------------------- */

static void test_has(void **state)
{
        (void)state;
        assert_true(str_has(str_of("a://b"), "://"));
        assert_true(str_has(str_of("a"), ""));
        assert_false(str_has(str_of("a:/"), "://"));
        assert_false(str_has((struct muster_str){ NULL, 0 }, "a"));
}

static void test_distance(void **state)
{
        char longer[65] = { 0 };

        (void)state;
        memset(longer, 'a', 64);
        assert_int_equal(str_distance(str_of(""), str_of("")), 0);
        assert_int_equal(str_distance(str_of("header"), str_of("headers")), 1);
        assert_int_equal(str_distance(str_of("htpt"), str_of("http")), 2);
        assert_int_equal(str_distance(str_of("kitten"), str_of("sitting")), 3);
        assert_int_equal(str_distance(str_of(longer), str_of(longer)), 64);
}

static void test_buf(void **state)
{
        struct buf buf = { 0 };

        (void)state;
        assert_int_equal(buf_add_text(&buf, "ab"), 0);
        assert_int_equal(buf_add_char(&buf, 'c'), 0);
        assert_int_equal(buf_add_u64(&buf, UINT64_MAX), 0);
        assert_int_equal(buf_add_u64(&buf, 0), 0);
        assert_int_equal(buf_add(&buf, NULL, 0), 0);
        assert_int_equal(buf_terminate(&buf), 0);
        assert_string_equal(buf.at, "abc184467440737095516150");
        buf_drop_front(&buf, 3);
        assert_int_equal(buf.len, 21);
        assert_int_equal(buf_reserve(&buf, SIZE_MAX), MUSTER_E_RESOURCE);
        assert_int_equal(buf.len, 21);
        buf_recycle(&buf, 1000);
        assert_int_equal(buf.len, 0);
        assert_non_null(buf.at);
        buf_recycle(&buf, 10);
        assert_null(buf.at);
        mem_fail_after(0);
        assert_int_equal(buf_add_char(&buf, 'x'), MUSTER_E_RESOURCE);
        mem_fail_after(-1);
        buf_deinit(&buf);
        buf_deinit(&buf);
}

/* --- arena ----------------------------------------------------------------------------------- */

/* Texts of all lengths, around the places where a new block begins. */
static void fill_arena(void)
{
        struct arena *arena = arena_new();
        struct muster_str copies[200];
        char text[9000];
        size_t n = 0;

        memset(text, 'a', sizeof(text));
        while (arena && n < LENGTH(copies) &&
                arena_add(arena, (struct muster_str){ text, n * 45 }, &copies[n]) == 0)
                n++;
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(copies[i].len, i * 45);
                assert_int_equal(strlen(copies[i].at), i * 45);
                assert_memory_equal(copies[i].at, text, i * 45);
        }
        assert_true(n == LENGTH(copies) || mem_has_failed());
        arena_free(arena);
}

static void test_arena(void **state)
{
        (void)state;
        fill_arena();
        for_each_failing_allocation(fill_arena);
        assert_null(arena_free(NULL));
}

/* --- lists ----------------------------------------------------------------------------------- */

struct member {
        int n;
        struct list link;
};

static struct member *member_of(struct list *link)
{
        return LIST_OWNER(link, struct member, link);
}

static void test_list(void **state)
{
        struct member members[5] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 }, { .n = 4 } };
        struct list a, b;

        (void)state;
        list_init(&a);
        list_init(&b);
        assert_null(list_pop(&a));
        list_push_back(&a, &members[1].link);
        list_push_front(&a, &members[0].link);
        list_push_back(&b, &members[2].link);
        list_push_back(&b, &members[3].link);
        list_push_back(&b, &members[4].link);
        list_remove(&members[3].link);
        list_remove(&members[3].link); /* once more does no harm */
        assert_false(list_is_linked(&members[3].link));
        list_splice(&a, &b);
        assert_true(list_is_empty(&b));
        list_splice(&a, &b);
        assert_int_equal(member_of(list_last(&a))->n, 4);
        for (int expected = 0; expected < 5; expected += expected == 2 ? 2 : 1)
                assert_int_equal(member_of(list_pop(&a))->n, expected);
        assert_true(list_is_empty(&a));
}

/* --- heap ------------------------------------------------------------------------------------ */

#define N_NODES 300

/* Random operations beside a naive model: an array that is searched for its least key. */
static void test_heap(void **state)
{
        struct heap_node nodes[N_NODES] = { 0 };
        uint64_t keys[N_NODES];
        struct heap heap = { 0 };
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                size_t n = rand_up_to(&rand, N_NODES - 1);
                uint64_t least = UINT64_MAX;

                if (rand_up_to(&rand, 2)) {
                        keys[n] = rand_up_to(&rand, 1000);
                        assert_int_equal(heap_set(&heap, &nodes[n], keys[n]), 0);
                        assert_int_equal(heap_key(&heap, &nodes[n]), keys[n]);
                } else {
                        heap_remove(&heap, &nodes[n]);
                }
                for (size_t j = 0; j < N_NODES; j++)
                        if (heap_has(&nodes[j]) && keys[j] < least)
                                least = keys[j];
                assert_int_equal(heap_top_key(&heap), least);
                if (heap_top(&heap))
                        assert_int_equal(keys[heap_top(&heap) - nodes], least);
        }
        heap_deinit(&heap);
        assert_false(heap_has(&nodes[0]));
        mem_fail_after(0);
        assert_int_equal(heap_set(&heap, &nodes[0], 1), MUSTER_E_RESOURCE);
        mem_fail_after(-1);
        assert_false(heap_has(&nodes[0]));
        heap_deinit(&heap);
}

/* --- map ------------------------------------------------------------------------------------- */

#define N_KEYS 2000

static void test_map(void **state)
{
        static struct map_node nodes[N_KEYS];
        static char keys[N_KEYS][32];
        static bool is_in[N_KEYS];
        struct map map;
        struct rand rand;
        size_t n_in = 0, n_met = 0;

        (void)state;
        rand_init(&rand, 2);
        map_init(&map);
        for (int i = 0; i < N_KEYS; i++)
                snprintf(keys[i], sizeof(keys[i]), "%.*skey%d", i % 9, "aaaaaaaaa", i);
        for (int i = 0; i < 30000; i++) {
                size_t n = rand_up_to(&rand, N_KEYS - 1);
                struct map_node *found = map_find(&map, str_of(keys[n]));

                assert_ptr_equal(found, is_in[n] ? &nodes[n] : NULL);
                if (is_in[n])
                        map_remove(&map, &nodes[n]);
                else
                        assert_int_equal(map_add(&map, &nodes[n], str_of(keys[n])), 0);
                is_in[n] = !is_in[n];
                n_in = is_in[n] ? n_in + 1 : n_in - 1;
                assert_int_equal(map.n, n_in);
        }
        for (struct map_node *node = map_any(&map); node; node = map_next(&map, node))
                n_met++;
        assert_int_equal(n_met, map.n);
        while (map_any(&map))
                map_remove(&map, map_any(&map));
        assert_int_equal(map.n, 0);
        map_deinit(&map);
        map_init(&map);
        mem_fail_after(0);
        assert_int_equal(map_add(&map, &nodes[0], str_of("x")), MUSTER_E_RESOURCE);
        mem_fail_after(-1);
        assert_null(map_find(&map, str_of("x")));
        map_deinit(&map);
}

/* --- random numbers -------------------------------------------------------------------------- */

static void test_rand(void **state)
{
        struct rand a, b;
        unsigned counts[10] = { 0 };

        (void)state;
        rand_init(&a, 42);
        rand_init(&b, 42);
        for (int i = 0; i < 100; i++)
                assert_int_equal(rand_next(&a), rand_next(&b));
        for (int i = 0; i < 100000; i++)
                counts[rand_up_to(&a, 9)]++;
        for (int i = 0; i < 10; i++)
                assert_in_range(counts[i], 9500, 10500); /* five standard deviations */
        assert_int_equal(rand_up_to(&a, 0), 0);
        (void)rand_up_to(&a, UINT64_MAX);
}

/* --- histogram ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

#define N_VALUES 5000

/* Three shapes: even, bunched at the low end, and over all magnitudes. */
static void test_hist_quantiles(void **state)
{
        static const double shares[] = { 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0 };
        static uint64_t values[N_VALUES];
        static struct hist hist;
        struct rand rand;

        (void)state;
        rand_init(&rand, 9);
        for (int shape = 0; shape < 3; shape++) {
                hist_init(&hist);
                for (int i = 0; i < N_VALUES; i++) {
                        values[i] = rand_up_to(&rand, 1000000);
                        if (shape == 1)
                                values[i] = values[i] * values[i] / 1000000000;
                        if (shape == 2)
                                values[i] = rand_next(&rand) >> rand_up_to(&rand, 63);
                        hist_add(&hist, values[i]);
                }
                qsort(values, N_VALUES, sizeof(values[0]), compare);
                assert_int_equal(hist.min, values[0]);
                assert_int_equal(hist.max, values[N_VALUES - 1]);
                for (size_t i = 0; i < LENGTH(shares); i++) {
                        size_t rank = (size_t)(shares[i] * N_VALUES + 0.999999);
                        uint64_t exact = values[rank ? rank - 1 : 0],
                                 got = hist_quantile(&hist, shares[i]);

                        assert_true(got >= exact);
                        assert_true(got - exact <= exact / 64);
                }
        }
}

static void test_hist_extremes(void **state)
{
        static struct hist a, b;

        (void)state;
        hist_init(&a);
        hist_init(&b);
        assert_int_equal(hist_quantile(&a, 0.5), 0);
        hist_add(&a, 0);
        hist_add(&b, UINT64_MAX);
        hist_merge(&a, &b);
        assert_int_equal(a.n, 2);
        assert_int_equal(hist_quantile(&a, 0.5), 0);
        assert_int_equal(hist_quantile(&a, 1), UINT64_MAX);
        for (unsigned bit = 0; bit < 64; bit++) {
                hist_init(&a);
                hist_add(&a, UINT64_C(1) << bit);
                assert_int_equal(hist_quantile(&a, 0.5), UINT64_C(1) << bit);
        }
}

/* --- words ----------------------------------------------------------------------------------- */

static void test_words_for_durations(void **state)
{
        static const struct {
                uint64_t ns;
                const char *text;
        } cases[] = {
                { 0, "0 ns" },
                { 1, "1 ns" },
                { 999, "999 ns" },
                { 1000, "1 us" },
                { 1234, "1.23 us" },
                { 12345, "12.3 us" },
                { 999499, "999 us" },
                { 999500, "1 ms" },
                { 12300000, "12.3 ms" },
                { 100000000, "100 ms" },
                { 190400000, "190 ms" },
                { 2500000000, "2.5 s" },
                { 2504000000, "2.5 s" },
                { 59400000000, "59.4 s" },
                { 59500000000, "1 min" },
                { 74000000000, "1 min 14 s" },
                { 3599600000000, "1 h" },
                { 7500000000000, "2 h 5 min" },
                { 360000000000000, "100 h" },
        };

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++)
                assert_string_equal(words_ns(cases[i].ns).text, cases[i].text);
        assert_true(strlen(words_ns(UINT64_MAX).text) < sizeof(struct words));
}

static void test_words_for_other_figures(void **state)
{
        (void)state;
        assert_string_equal(words_bytes(0).text, "0 bytes");
        assert_string_equal(words_bytes(1).text, "1 byte");
        assert_string_equal(words_bytes(999).text, "999 bytes");
        assert_string_equal(words_bytes(1024).text, "1 KiB");
        assert_string_equal(words_bytes(1258291).text, "1.2 MiB");
        assert_string_equal(words_bytes(UINT64_C(5) << 40).text, "5 TiB");
        assert_string_equal(words_share(0, 0).text, "0 %");
        assert_string_equal(words_share(0, 10).text, "0 %");
        assert_string_equal(words_share(1, 100000).text, "under 0.1 %");
        assert_string_equal(words_share(1, 80).text, "1.2 %");
        assert_string_equal(words_share(37.2, 100).text, "37 %");
        assert_string_equal(words_share(999, 1000).text, "over 99 %");
        assert_string_equal(words_share(7, 7).text, "100 %");
        assert_string_equal(words_count(0).text, "0");
        assert_string_equal(words_count(999).text, "999");
        assert_string_equal(words_count(12345).text, "12,345");
        assert_string_equal(words_rate(12345.6).text, "12,345");
        assert_string_equal(words_rate(49).text, "49");
        assert_string_equal(words_rate(0.25).text, "0.25");
        assert_string_equal(words_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
        assert_string_equal(words_counted(0, "retry", "retries").text, "0 retries");
        assert_string_equal(words_counted(1, "retry", "retries").text, "1 retry");
        assert_string_equal(words_counted(1200, "retry", "retries").text, "1,200 retries");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_error_is_kept),
                cmocka_unit_test(test_error_text_is_one_clean_line),
                cmocka_unit_test(test_every_name_is_there),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_split_and_trim),
                cmocka_unit_test(test_has),
                cmocka_unit_test(test_distance),
                cmocka_unit_test(test_buf),
                cmocka_unit_test(test_arena),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_heap),
                cmocka_unit_test(test_map),
                cmocka_unit_test(test_rand),
                cmocka_unit_test(test_hist_quantiles),
                cmocka_unit_test(test_hist_extremes),
                cmocka_unit_test(test_words_for_durations),
                cmocka_unit_test(test_words_for_other_figures),
        };

        return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
