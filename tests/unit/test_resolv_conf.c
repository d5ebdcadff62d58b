/* SPDX-License-Identifier: MIT */
/*
 * What a resolv.conf says: servers, search lists, domains
 */
#include "unit.h"

#include <net/resolv_conf.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
        const char *text, *words; /* %s: the path */
} files[] = {
        { "nameserver 10.0.0.1\n", "10.0.0.1 (%s)" },
        { "# nameserver 10.0.0.9\nnameserver\t10.0.0.1 \r\nsearch a\nnameserver fe80::1%%eth0 # x\n"
          "nameserver 2001:db8::1;y",
                "10.0.0.1, 2001:db8::1 (%s)" },
        { "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n",
                "10.0.0.1, 10.0.0.2, 10.0.0.3 (%s)" },
        { "", "127.0.0.1 because %s names none" },
        { "nameserver\nnameserver nonsense\nnameservers 10.0.0.1\nsearch .\n",
                "127.0.0.1 because %s names none" },
};

static void test_servers_of_the_system(void **state)
{
        char path[] = "/tmp/muster-resolv-XXXXXX", text[120], expected[160];
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        close(fd);
        for (size_t i = 0; i < LENGTH(files); i++) {
                FILE *file = fopen(path, "w");

                fprintf(file, "%s", files[i].text);
                fclose(file);
                resolv_conf_describe(path, text, sizeof(text));
                snprintf(expected, sizeof(expected), "%.*s%s%s",
                        (int)(strstr(files[i].words, "%s") - files[i].words), files[i].words, path,
                        strstr(files[i].words, "%s") + 2);
                assert_string_equal(text, expected);
        }
        unlink(path);
        resolv_conf_describe(path, text, sizeof(text));
        assert_non_null(strstr(text, "127.0.0.1 because "));
        assert_non_null(strstr(text, "cannot be read"));
}

static void test_search_of_a_file(void **state)
{
        static const struct {
                const char *text, *domains;
        } searches[] = {
                { "", "" },
                { "nameserver 10.0.0.1\n", "" },
                { "search .\n", "." },
                { "search a.test  b.test\n", "a.test  b.test" },
                { "search a.test # and more\n", "a.test" },
                { "search a.test\nsearch\tb.test\n", "b.test" },
                { "search a.test\ndomain b.test c.test\n", "b.test" },
                { "domain b.test\nsearch a.test\nsearching c.test\n", "a.test" },
        };
        char path[] = "/tmp/muster-resolv-XXXXXX", text[RESOLV_CONF_SEARCH_MAX];
        int fd = mkstemp(path);

        (void)state;
        assert_true(fd >= 0);
        close(fd);
        for (size_t i = 0; i < LENGTH(searches); i++) {
                FILE *file = fopen(path, "w");

                fprintf(file, "%s", searches[i].text);
                fclose(file);
                resolv_conf_search(path, text);
                assert_string_equal(text, searches[i].domains);
        }
        setenv("LOCALDOMAIN", "x.test", 1);
        resolv_conf_search(path, text);
        unsetenv("LOCALDOMAIN");
        assert_string_equal(text, "x.test");
        unlink(path);
        resolv_conf_search(path, text);
        assert_string_equal(text, "");
}

static void test_domains(void **state)
{
        static const char *const good[] = { "a", "a.", "corp.test", "_x.test.", "1.2" };
        char label_of_64[65] = { 0 };
        const char *const bad[] = { "", ".", "..", ".a", "a..b", "a..", label_of_64 };

        (void)state;
        memset(label_of_64, 'x', 64);
        for (size_t i = 0; i < LENGTH(good); i++)
                assert_true(resolv_conf_is_domain(good[i]));
        for (size_t i = 0; i < LENGTH(bad); i++)
                assert_false(resolv_conf_is_domain(bad[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_servers_of_the_system),
                cmocka_unit_test(test_search_of_a_file),
                cmocka_unit_test(test_domains),
        };

        return cmocka_run_group_tests_name("resolv_conf", tests, NULL, NULL);
}
