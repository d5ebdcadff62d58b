/* SPDX-License-Identifier: MIT */
/* Files in Netscape format: what is read, what is written, and that nothing is lost between. */
#include "cookie_case.h"

#include <errno.h>
#include <fcntl.h>
#include <http/cookie_file.h>
#include <muster/cookie.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A line, and the cookie that it is, as it would be written; NULL: it is skipped, "": no cookie. */
static const struct {
        const char *line, *written;
} lines[] = {
        { "h.example\tFALSE\t/\tFALSE\t0\tn\tv", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "h.example\tFALSE\t/\tFALSE\t0\tn\tv\r", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { ".h.example\tTRUE\t/\tFALSE\t0\tn\tv", ".h.example\tTRUE\t/\tFALSE\t0\tn\tv\n" },
        { "h.example\tTRUE\t/\tFALSE\t0\tn\tv", ".h.example\tTRUE\t/\tFALSE\t0\tn\tv\n" },
        { ".h.example\tFALSE\t/\tFALSE\t0\tn\tv", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "H.Example\tfalse\t/\ttrue\t0\tn\tv", "h.example\tFALSE\t/\tTRUE\t0\tn\tv\n" },
        { "#HttpOnly_.h.example\tTRUE\t/p\tTRUE\t1999999999\tn\tv",
                "#HttpOnly_.h.example\tTRUE\t/p\tTRUE\t1999999999\tn\tv\n" },
        { "h.example\tFALSE\t/\tFALSE\t99999999999999999999\tn\tv",
                "h.example\tFALSE\t/\tFALSE\t9223372036854775807\tn\tv\n" },
        { "h.example\tFALSE\t/\tFALSE\t1999999999.25\tn\tv",
                "h.example\tFALSE\t/\tFALSE\t1999999999\tn\tv\n" },
        { "h.example\tFALSE\t/\tFALSE\t\tn\tv", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "h.example\tFALSE\t/\tFALSE\t0\tn\t", "h.example\tFALSE\t/\tFALSE\t0\tn\t\n" },
        { "h.example\tFALSE\t/\tFALSE\t0\tn", "h.example\tFALSE\t/\tFALSE\t0\tn\t\n" },
        { "h.example\tFALSE\t/\tFALSE\t0\t\tv", "h.example\tFALSE\t/\tFALSE\t0\t\tv\n" },
        { "h.example\tFALSE\t/\tFALSE\t0\tn\tv\tw", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\tw\n" },
        { "h.example\tFALSE\tpath\tFALSE\t0\tn\tv", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "h.example\tFALSE\tFALSE\t0\tn\tv", "h.example\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "a..b.\tFALSE\t/\tFALSE\t0\tn\tv", "a..b.\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "127.0.0.1\tFALSE\t/\tFALSE\t0\tn\tv", "127.0.0.1\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "::1\tFALSE\t/\tFALSE\t0\tn\tv", "::1\tFALSE\t/\tFALSE\t0\tn\tv\n" },
        { "localhost\tFALSE\t/\tTRUE\t0\t__Secure-n\tv",
                "localhost\tFALSE\t/\tTRUE\t0\t__Secure-n\tv\n" },
        /* out of date */
        { "h.example\tFALSE\t/\tFALSE\t1000\tn\tv", "" },
        { "h.example\tFALSE\t/\tFALSE\t-1\tn\tv", "" },
        /* no cookies */
        { "", "" },
        { "  ", "" },
        { "# a comment\twith\ttabs", "" },
        { "#", "" },
        /* lines of responses, which have to name a domain */
        { "Set-Cookie: n=v; domain=h.example", ".h.example\tTRUE\t/\tFALSE\t0\tn\tv\n" },
        { "set-cookie:n=v; domain=.h.example; path=/p; httponly",
                "#HttpOnly_.h.example\tTRUE\t/p\tFALSE\t0\tn\tv\n" },
        { "Set-Cookie: n=v", NULL },
        { "Set-Cookie: n=v; domain=com", NULL },
        /* what is wrong */
        { "hello", NULL },
        { "<html>", NULL },
        { "h.example FALSE / FALSE 0 n v", NULL },
        { ".#h.example\tFALSE\t/\tFALSE\t0\tn\tv", NULL },
        { "#HttpOnly_#h.example\tFALSE\t/\tFALSE\t0\tn\tv", NULL },
        { "Set-Cookie: n=v; domain=#h.example", NULL },
        { "h.example/p\tFALSE\t/\tFALSE\t0\tn\tv", NULL },
        { "h.example\tFALSE\t/\tFALSE\t0", NULL },
        { "h.example\tFALSE\t/\tFALSE", NULL },
        { "\tFALSE\t/\tFALSE\t0\tn\tv", NULL },
        { ".\tTRUE\t/\tFALSE\t0\tn\tv", NULL },
        { "..h.example\tTRUE\t/\tFALSE\t0\tn\tv", NULL },
        { "h example\tFALSE\t/\tFALSE\t0\tn\tv", NULL },
        { "b\xc3\xbc"
          "cher.example\tFALSE\t/\tFALSE\t0\tn\tv",
                NULL },
        { "h.example\tyes\t/\tFALSE\t0\tn\tv", NULL },
        { "h.example\tFALSE\t/\tno\t0\tn\tv", NULL },
        { "h.example\tFALSE\t/\tFALSE\tnever\tn\tv", NULL },
        { "h.example\tFALSE\t/\tFALSE\t0\t\t", NULL },
        { "h.example\tFALSE\t/\tFALSE\t0\tn\tv\x01", NULL },
        { "h.example\tFALSE\t/\x01\tFALSE\t0\tn\tv", NULL },
        { "h.example\tFALSE\t/\tFALSE\t0\t__Secure-n\tv", NULL },
        { ".h.example\tTRUE\t/\tTRUE\t0\t__Host-n\tv", NULL },
        { "h.example\tFALSE\t/p\tTRUE\t0\t__Host-n\tv", NULL },
        { "h.example\tFALSE\t/\tTRUE\t0\t__Host-n\tv",
                "h.example\tFALSE\t/\tTRUE\t0\t__Host-n\tv\n" },
};

/* The lines behind the head. */
static const char *written_lines(struct buf *file)
{
        const char *end;

        assert_int_equal(buf_terminate(file), 0);
        assert_int_equal(strncmp(file->at, "# Netscape HTTP Cookie File\n", 28), 0);
        end = strstr(file->at, "\n\n");
        assert_non_null(end);
        return end + 2;
}

static void test_lines(void **state)
{
        (void)state;
        for (size_t i = 0; i < LENGTH(lines); i++) {
                struct cookie_jar jar;
                struct buf file = { 0 };
                size_t n_skipped = 99;

                cookie_jar_init(&jar);
                assert_int_equal(cookie_file_read(&jar, str_of(lines[i].line), NOW_S, &n_skipped),
                        0);
                if (n_skipped != !lines[i].written)
                        print_error("%s\n", lines[i].line);
                assert_int_equal(n_skipped, !lines[i].written);
                assert_int_equal(cookie_file_write(&jar, NOW_S, &file), 0);
                assert_string_equal(written_lines(&file), lines[i].written ? lines[i].written : "");
                buf_deinit(&file);
                cookie_jar_deinit(&jar);
        }
}

/* Whatever is written is read again as it was, in its order. */
static void test_round_trip(void **state)
{
        struct cookie_jar jar, again;
        struct buf first = { 0 }, second = { 0 };
        size_t n_skipped;

        (void)state;
        cookie_jar_init(&jar);
        cookie_jar_init(&again);
        set(&jar, "https://z.example/a/b", "n=v; Secure; HttpOnly; Max-Age=1000");
        set(&jar, "https://a.example/a/b", "n=v w; domain=a.example");
        set(&jar, "https://a.example/a/b", "n=\"q\"; path=/");
        set(&jar, "https://a.example/a/b", "alone");
        set(&jar, "https://127.0.0.1/", "empty=");
        set(&jar, "https://[::1]/", "six=6");
        set(&jar, "https://a.example/", "t\tab=1"); /* the format has no place for it */
        assert_int_equal(cookie_file_write(&jar, NOW_S, &first), 0);
        assert_int_equal(cookie_file_read(&again, buf_str(&first), NOW_S, &n_skipped), 0);
        assert_int_equal(n_skipped, 0);
        assert_int_equal(again.n, 6);
        assert_int_equal(cookie_file_write(&again, NOW_S, &second), 0);
        assert_true(str_eq(buf_str(&first), buf_str(&second)));
        expect(&again, "https://a.example/a/b", "n=v w; alone; n=\"q\"");
        buf_deinit(&first);
        buf_deinit(&second);
        cookie_jar_deinit(&jar);
        cookie_jar_deinit(&again);
}

/* --- files ----------------------------------------------------------------------------------- */

static char folder[] = "/tmp/muster-cookies-XXXXXX";

static int make_folder(void **state)
{
        (void)state;
        return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
        (void)state;
        return rmdir(folder);
}

static const char *path_of(const char *name)
{
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

static unsigned mode_of(const char *path)
{
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        return status.st_mode & 0777;
}

static void test_files(void **state)
{
        struct muster_jar *jar = muster_jar_new(), *again = muster_jar_new();
        const char *path = path_of("jar");
        struct muster_cookies *cookies;
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(muster_jar_load(jar, path, &error), MUSTER_E_INPUT);
        assert_int_equal(error.sys, ENOENT);
        assert_non_null(strstr(error.text, path));
        assert_int_equal(muster_jar_set(jar, "https://h.example/", "n=v; Max-Age=99"), 0);
        assert_int_equal(muster_jar_save(jar, path, &error), 0);
        assert_int_equal(mode_of(path), 0600);
        assert_int_equal(chmod(path, 0640), 0);
        assert_int_equal(muster_jar_save(jar, path, &error), 0);
        assert_int_equal(mode_of(path), 0640); /* as it was */
        assert_int_equal(muster_jar_load(again, path, &error), 0);
        cookies = muster_cookies_new(again);
        assert_int_equal(muster_cookies_count(cookies), 1);
        assert_non_null(strstr(muster_cookies_text(cookies).at, "h.example\tFALSE\t/\tFALSE\t"));
        muster_cookies_free(cookies);
        assert_int_equal(unlink(path), 0);
        muster_jar_free(jar);
        muster_jar_free(again);
}

/* A link stays one, and what it leads to is replaced. */
static void test_link(void **state)
{
        struct muster_jar *jar = muster_jar_new();
        char target[128], link[128];
        struct stat status;
        FILE *file;

        (void)state;
        snprintf(target, sizeof(target), "%s", path_of("target"));
        snprintf(link, sizeof(link), "%s", path_of("link"));
        file = fopen(target, "w");
        assert_non_null(file);
        fclose(file);
        assert_int_equal(symlink(target, link), 0);
        assert_int_equal(muster_jar_save(jar, link, NULL), 0);
        assert_int_equal(lstat(link, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        assert_int_equal(stat(target, &status), 0);
        assert_true(status.st_size > 0);
        assert_int_equal(unlink(link), 0);
        assert_int_equal(unlink(target), 0);
        assert_int_equal(muster_jar_save(jar, "/dev/null", NULL), 0);
        muster_jar_free(jar);
}

static void test_no_folder(void **state)
{
        struct muster_jar *jar = muster_jar_new();
        struct muster_error error = { 0 };

        (void)state;
        assert_int_equal(muster_jar_save(jar, path_of("none/jar"), &error), MUSTER_E_RESOURCE);
        assert_int_equal(error.sys, ENOENT);
        assert_int_equal(muster_jar_load(jar, folder, &error), MUSTER_E_INPUT);
        assert_int_equal(error.sys, EISDIR);
        muster_jar_free(jar);
}

static void test_skipped(void **state)
{
        static const char text[] =
                "nonsense\n\n# comment\nh.example\tFALSE\t/\tFALSE\t0\tn\tv\nmore\n";
        struct muster_jar *jar = muster_jar_new();
        struct muster_error error = { 0 };
        struct muster_cookies *cookies;

        (void)state;
        assert_int_equal(muster_jar_read(jar, text, sizeof(text) - 1, &error),
                MUSTER_LINES_SKIPPED);
        assert_non_null(strstr(error.text, "2 lines are no cookie"));
        cookies = muster_cookies_new(jar);
        assert_int_equal(muster_cookies_count(cookies), 1);
        muster_cookies_free(cookies);
        assert_int_equal(muster_jar_read(jar, "x", 1, NULL), MUSTER_LINES_SKIPPED);
        assert_int_equal(muster_jar_read(jar, NULL, 0, &error), 0);
        muster_jar_free(jar);
}

/* --- memory ---------------------------------------------------------------------------------- */

static void use_file(void)
{
        static const char text[] = ".a.h.example\tTRUE\t/\tFALSE\t0\tn\tv\nnothing\n";
        struct muster_jar *jar = muster_jar_new(), *copy;

        (void)muster_jar_read(jar, text, sizeof(text) - 1, NULL);
        (void)muster_jar_save(jar, "/dev/null", NULL);
        (void)muster_jar_load(jar, "/dev/null", NULL);
        copy = muster_jar_copy(jar);
        muster_jar_clear_session(copy);
        muster_jar_free(copy);
        muster_jar_free(jar);
}

static void test_memory(void **state)
{
        (void)state;
        for_each_failing_allocation(use_file);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines),
                cmocka_unit_test(test_round_trip), cmocka_unit_test(test_files),
                cmocka_unit_test(test_link), cmocka_unit_test(test_no_folder),
                cmocka_unit_test(test_skipped), cmocka_unit_test(test_memory) };

        return cmocka_run_group_tests_name("cookie_file", tests, make_folder, remove_folder);
}
