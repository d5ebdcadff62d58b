/* SPDX-License-Identifier: MIT */
/*
 * Work on bodies: JSON text, and talks with commands
 */
#include "unit.h"

#include "process/child.h"
#include "process/json_text.h"
#include <base/clock.h>
#include <base/error.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- JSON text ------------------------------------------------------------------------------- */

static void test_json_text(void **state)
{
        static const char *const pairs[][2] = {
                { "{}", "{}" },
                { " [ 1 ,\n\t2.50 ,1e5\r\n] ", "[1,2.50,1e5]" },
                { "\"a b\\\" c\\\\\" ", "\"a b\\\" c\\\\\"" },
                { "{ \"a b\" : \"\\\\\\\" , : \" }", "{\"a b\":\"\\\\\\\" , : \"}" },
                { "-12345678901234567890123", "-12345678901234567890123" },
        };
        static const char *const bad[] = { "", " ", "{", "[1,]", "1 2", "'a'", "nul", "\"\n\"",
                "\"\xff\"" };
        struct buf out = { 0 };
        struct json_flaw flaw;

        (void)state;
        for (size_t i = 0; i < LENGTH(pairs); i++) {
                out.len = 0;
                assert_true(json_text_is_valid(str_of(pairs[i][0]), &flaw));
                assert_int_equal(json_text_add_dense(&out, str_of(pairs[i][0])), 0);
                assert_true(str_is(buf_str(&out), pairs[i][1]));
        }
        for (size_t i = 0; i < LENGTH(bad); i++) {
                flaw = (struct json_flaw){ 0 };
                assert_false(json_text_is_valid(str_of(bad[i]), &flaw));
                assert_true(flaw.line >= 1 && flaw.column >= 1 && flaw.text[0]);
        }
        buf_deinit(&out);
}

/* --- talks ----------------------------------------------------------------------------------- */

struct case_of_talk {
        const char *command;
        const char *in;
        bool wants_line;
        enum child_outcome outcome;
        const char *out;   /* NULL: whatever */
        const char *words; /* NULL: not looked at */
};

static const struct case_of_talk cases[] = {
        { "cat", "abc", false, CHILD_ENDED, "abc", "the command exited with status 0" },
        { "cat >&2; exit 7", "why\nmore\n", false, CHILD_ENDED, "",
                "the command exited with status 7: why" },
        { "kill -TERM $$", "abc", false, CHILD_ENDED, "",
                "the command was killed by signal 15 (SIGTERM)" },
        { "exec <&- >&- 2>&-; sleep 0.1", "abc", false, CHILD_ENDED, "", NULL },
        { "sleep 1000 & echo a", "", false, CHILD_ENDED, "a\n", NULL },
        { "sleep 1000", "abc", false, CHILD_TIMED_OUT, "",
                "the command took longer than 0.5 s and was killed" },
        { "yes", "", false, CHILD_TOO_MUCH, NULL,
                "the command wrote more than 1000 bytes to standard output and was killed" },
        { "cat", "abc\n", true, CHILD_ANSWERED, "abc\n", NULL },
        { "read x; printf a; sleep 0.1; printf 'b\\n'; sleep 1000", "abc\n", true, CHILD_ANSWERED,
                "ab\n", NULL },
        { "read x; exit 3", "abc\n", true, CHILD_ENDED, "", "the command exited with status 3" },
        { "sleep 1000", "abc\n", true, CHILD_TIMED_OUT, "", NULL },
        { "exec >&-; sleep 1000", "abc\n", true, CHILD_CLOSED, "",
                "the command closed its standard output" },
};

static unsigned n_descriptors(void)
{
        DIR *all = opendir("/proc/self/fd");
        unsigned n = 0;

        while (readdir(all))
                n++;
        closedir(all);
        return n;
}

static void test_talks(void **state)
{
        int stop_fd = eventfd(0, EFD_CLOEXEC);
        unsigned n_before = n_descriptors();

        (void)state;
        for (size_t i = 0; i < LENGTH(cases); i++) {
                const struct case_of_talk *c = &cases[i];
                const struct child_talk talk = { .in = str_of(c->in),
                        .wants_line = c->wants_line,
                        .timeout_ns =
                                c->outcome == CHILD_TIMED_OUT ? 500 * NS_PER_MS : 30 * NS_PER_S,
                        .max_output_bytes = 1000,
                        .stop_fd = stop_fd };
                struct child child = { 0 };
                struct muster_error error = { 0 };
                enum child_outcome outcome;
                char words[300];
                int status;

                assert_int_equal(child_start(&child, c->command, environ, &error), 0);
                outcome = child_talk(&child, &talk);
                status = child_end(&child);
                if (outcome != c->outcome || (c->out && !str_is(buf_str(&child.out), c->out)))
                        fail_msg("%s: outcome %d, \"%.*s\"", c->command, outcome,
                                STR_ARGS(buf_str(&child.out)));
                child_explain(&child, &talk, outcome, status, words, sizeof(words));
                if (c->words)
                        assert_string_equal(words, c->words);
                child_deinit(&child);
        }
        assert_int_equal(n_descriptors(), n_before);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
        assert_int_equal(errno, ECHILD);
        close(stop_fd);
}

/* One that answers twice, is looked at in between, and is told to stop. */
static void test_second_talk(void **state)
{
        struct child child = { 0 };
        struct child_talk talk = { .wants_line = true,
                .timeout_ns = UINT64_MAX,
                .max_output_bytes = 1000,
                .stop_fd = eventfd(0, EFD_CLOEXEC) };
        struct muster_error error = { 0 };
        uint64_t one = 1;

        (void)state;
        assert_int_equal(child_look(&child), CHILD_IS_GONE);
        assert_int_equal(child_end(&child), 0);
        assert_int_equal(child_start(&child, "cat", environ, &error), 0);
        for (int i = 0; i < 3; i++) {
                talk.in = str_of(i == 1 ? "second\n" : "other\n");
                assert_int_equal(child_look(&child), CHILD_IS_READY);
                assert_int_equal(child_talk(&child, &talk), CHILD_ANSWERED);
                assert_true(str_eq(buf_str(&child.out), talk.in));
        }
        assert_false(child_is_over(&child));
        child_say_end(&child);
        while (!child_is_over(&child))
                usleep(1000);
        assert_int_equal(child_look(&child), CHILD_IS_GONE);
        assert_int_equal(child_end(&child), 0);

        assert_int_equal(child_start(&child, "echo unasked; sleep 1000", environ, &error), 0);
        while (child_look(&child) == CHILD_IS_READY)
                usleep(1000);
        assert_int_equal(child_look(&child), CHILD_HAS_SPOKEN);
        child_terminate(&child);
        while (!child_is_over(&child))
                usleep(1000);
        assert_true(WIFSIGNALED(child_end(&child)));

        assert_int_equal(child_start(&child, "sleep 1000", environ, &error), 0);
        assert_int_equal(write(talk.stop_fd, &one, sizeof(one)), sizeof(one));
        assert_int_equal(child_talk(&child, &talk), CHILD_STOPPED);
        child_deinit(&child);
        close(talk.stop_fd);
}

static void test_long_err_line(void **state)
{
        const struct child_talk talk = {
                .timeout_ns = 10 * NS_PER_S, .max_output_bytes = 10, .stop_fd = -1
        };
        struct child child = { 0 };
        struct muster_error error = { 0 };
        char words[80];
        int status;

        (void)state;
        assert_int_equal(child_start(&child, "yes x | tr -d '\\n' | head -c 100000 >&2; exit 1",
                                 environ, &error),
                0);
        assert_int_equal(child_talk(&child, &talk), CHILD_ENDED);
        assert_int_equal(child.err_len, CHILD_ERR_LINE_MAX);
        status = child_end(&child);
        child_explain(&child, &talk, CHILD_ENDED, status, words, sizeof(words));
        assert_int_equal(strlen(words), sizeof(words) - 1);
        child_deinit(&child);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_json_text),
                cmocka_unit_test(test_talks),
                cmocka_unit_test(test_second_talk),
                cmocka_unit_test(test_long_err_line),
        };

        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
