/* SPDX-License-Identifier: MIT */
/*
 * What compare and sweep share: lists of numbers, tables, batches of requests
 */
#include "unit.h"

#include "measure/batch.h"
#include "measure/options.h"
#include "measure/remarks.h"
#include "text/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- lists, tables --------------------------------------------------------------------------- */

static void test_list_option(void **state)
{
        static const struct {
                const char *text;
                size_t n;
                unsigned first, last;
        } good[] = { { "4", 1, 4, 4 }, { "64,1,8", 3, 1, 64 }, { "8,8,2", 2, 2, 8 } };
        static const char too_many[] = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,"
                                       "23,24,25,26,27,28,29,30,31,32,33";
        static const char *const bad[] = {
                "",
                ",",
                "4,",
                "0",
                "1,x",
                "-1",
                "1.5",
                "1000001",
                too_many,
        };
        const struct option option = { 0 };
        struct muster_error error;
        struct measure_list list = { 0 };

        (void)state;
        for (size_t i = 0; i < LENGTH(good); i++) {
                assert_int_equal(measure_set_list(&list, &option, good[i].text, &error), 0);
                assert_int_equal(list.n, good[i].n);
                assert_int_equal(list.values[0], good[i].first);
                assert_int_equal(list.values[list.n - 1], good[i].last);
        }
        for (size_t i = 0; i < LENGTH(bad); i++) {
                error = (struct muster_error){ 0 };
                if (measure_set_list(&list, &option, bad[i], &error) != MUSTER_E_INVALID)
                        fail_msg("\"%s\" was accepted", bad[i]);
                assert_true(error.text[0]);
        }
}

static void print_to(char *text, size_t size, const struct table *table, const struct remarks *r,
        unsigned terminal)
{
        FILE *file = fmemopen(text, size, "w");
        struct page page = { .to = file, .width = 20, .terminal = terminal };

        assert_non_null(file);
        if (table)
                table_print(table, &page);
        else
                remarks_print(r, &page);
        fclose(file);
}

static void test_table(void **state)
{
        struct table *table = mem_zalloc(sizeof(*table));
        char text[200];

        (void)state;
        table_row(table);
        table_cell(table, "%s", "name");
        table_cell(table, "%s", "n");
        table_cell(table, "%s", "");
        table_row(table);
        table_cell(table, "%s", "a");
        table_cell(table, "%d", 100);
        table_cell(table, "%s", "x");
        table_note(table, "<- here");
        print_to(text, sizeof(text), table, NULL, 0);
        assert_string_equal(text, "name    n\n"
                                  "a     100  x  <- here\n");
        /* A narrow terminal has no more columns than fit. */
        table_spare(table, (const unsigned[]){ 2, 1 }, 2);
        print_to(text, sizeof(text), table, NULL, 21);
        assert_string_equal(text, "name    n\n"
                                  "a     100  x  <- here\n");
        print_to(text, sizeof(text), table, NULL, 20);
        assert_string_equal(text, "name    n\n"
                                  "a     100  <- here\n");
        print_to(text, sizeof(text), table, NULL, 1);
        assert_string_equal(text, "name\n"
                                  "a     <- here\n");
        mem_free(table);
}

static void test_remarks_are_wrapped(void **state)
{
        struct remarks remarks = { 0 };
        char text[200];

        (void)state;
        remarks_add(&remarks, "%s", "one two three four five six");
        remarks_add(&remarks, "%s", "averyveryverylongwordindeed");
        print_to(text, sizeof(text), NULL, &remarks, 0);
        assert_string_equal(text, "- one two three four\n"
                                  "  five six\n"
                                  "- averyveryverylongwordindeed\n");
        remarks_deinit(&remarks);
}

/* --- batches --------------------------------------------------------------------------------- */

static int read_text(struct batch *batch, struct request_options *options, const char *text,
        bool allows_unsafe, struct muster_error *error)
{
        char path[] = "/tmp/muster-measure-XXXXXX";
        const char *files[] = { path, NULL };
        int fd = mkstemp(path), r;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        close(fd);
        options->files = (struct texts){ files, 1 };
        *error = (struct muster_error){ 0 };
        r = batch_read(batch, options, allows_unsafe, error);
        unlink(path);
        return r;
}

static void test_unsafe_methods(void **state)
{
        static const char jsonl[] = "{\"url\":\"http://a/\",\"method\":\"HEAD\"}\n"
                                    "{\"url\":\"http://b/\",\"method\":\"POST\"}\n";
        struct request_options options = { 0 };
        struct muster_error error;
        struct batch batch;

        (void)state;
        assert_int_equal(read_text(&batch, &options, jsonl, false, &error), MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "the method in line 2 may change something"));
        batch_deinit(&batch);
        assert_int_equal(read_text(&batch, &options, jsonl, true, &error), 0);
        assert_int_equal(batch.n, 2);
        batch_deinit(&batch);
        options.body.has_data = true; /* so POST is meant */
        assert_int_equal(read_text(&batch, &options, "http://a/\n", false, &error),
                MUSTER_E_INVALID);
        assert_non_null(strstr(error.text, "POST may change something"));
        batch_deinit(&batch);
}

static void test_batch_sizes(void **state)
{
        struct request_options options = { 0 };
        struct muster_error error;
        struct batch batch;

        (void)state;
        assert_int_equal(read_text(&batch, &options, "http://a/\nhttp://c/\n\nhttp://b/\n", false,
                                 &error),
                0);
        assert_int_equal(batch.n, 3);
        assert_int_equal(batch_resize(&batch, 5000), 0);
        assert_int_equal(batch.n, 5000);
        assert_int_equal(batch_resize(&batch, 2), 0);
        assert_int_equal(batch.n, 2);
        batch_deinit(&batch);

        /* In JSON Lines what is no request is left out, and told. */
        assert_int_equal(read_text(&batch, &options, "{\"url\":\"http://a/\"}\n{}\n{\n", false,
                                 &error),
                0);
        assert_int_equal(batch.n, 1);
        assert_int_equal(batch.n_left_out, 2);
        assert_non_null(strstr(batch.left_out.text, "line 2: url is missing"));
        batch_deinit(&batch);
        assert_int_equal(read_text(&batch, &options, "{}\n", false, &error), MUSTER_E_INVALID);
        batch_deinit(&batch);
        assert_int_equal(read_text(&batch, &options, "# nothing\n", false, &error),
                MUSTER_E_INVALID);
        batch_deinit(&batch);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list_option),
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_remarks_are_wrapped),
                cmocka_unit_test(test_unsafe_methods),
                cmocka_unit_test(test_batch_sizes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
