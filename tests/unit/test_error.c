/* SPDX-License-Identifier: MIT */
/*
 * Errors: the first is kept, as one clean line, and every code and phase has a name
 */
#include "unit.h"

#include <base/error.h>
#include <errno.h>

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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_error_is_kept),
                cmocka_unit_test(test_error_text_is_one_clean_line),
                cmocka_unit_test(test_every_name_is_there),
        };

        return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
