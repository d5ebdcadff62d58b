/* SPDX-License-Identifier: MIT */
/*
 * Kinds of programs, told from the beginnings of files that may be anything
 */
#include "unit.h"

#include <base/rand.h>
#include <elf.h>
#include <string.h>
#include <watch/image.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

#define TEXT_AT 2000 /* where loaders' paths and notes are */

struct image {
        char bytes[IMAGE_HEAD_BYTES];
};

static struct image image_of(unsigned n_segments)
{
        struct image image = { "" };
        Elf64_Ehdr file = { .e_machine = MACHINE,
                .e_phoff = sizeof(file),
                .e_phentsize = sizeof(Elf64_Phdr),
                .e_phnum = (Elf64_Half)n_segments };

        memcpy(file.e_ident, ELFMAG, SELFMAG);
        file.e_ident[EI_CLASS] = ELFCLASS64;
        memcpy(image.bytes, &file, sizeof(file));
        return image;
}

static void put_segment(struct image *image, unsigned i, uint32_t type, uint64_t offset)
{
        Elf64_Phdr segment = { .p_type = type, .p_offset = offset };

        memcpy(image->bytes + sizeof(Elf64_Ehdr) + i * sizeof(segment), &segment, sizeof(segment));
}

static enum image_kind kind_of(const struct image *image)
{
        return image_kind(image->bytes, sizeof(image->bytes));
}

static enum image_kind kind_with_loader(const char *path)
{
        struct image image = image_of(2);

        put_segment(&image, 0, PT_LOAD, 0);
        put_segment(&image, 1, PT_INTERP, TEXT_AT);
        strcpy(image.bytes + TEXT_AT, path);
        return kind_of(&image);
}

static enum image_kind kind_with_note(uint32_t n_name, const char *name)
{
        struct image image = image_of(2);
        Elf64_Nhdr note = { .n_namesz = n_name, .n_descsz = 4, .n_type = 4 };

        put_segment(&image, 0, PT_NOTE, TEXT_AT);
        put_segment(&image, 1, PT_INTERP, TEXT_AT + 100);
        memcpy(image.bytes + TEXT_AT, &note, sizeof(note));
        memcpy(image.bytes + TEXT_AT + sizeof(note), name, 4);
        strcpy(image.bytes + TEXT_AT + 100, "/lib64/ld-linux-x86-64.so.2");
        return kind_of(&image);
}

/* --- kinds ----------------------------------------------------------------------------------- */

static void test_kinds(void **state)
{
        struct image image = image_of(1);

        (void)state;
        put_segment(&image, 0, PT_LOAD, 0);
        assert_int_equal(kind_of(&image), IMAGE_STATIC);
        assert_int_equal(kind_with_loader("/lib64/ld-linux-x86-64.so.2"), IMAGE_DYNAMIC);
        assert_int_equal(kind_with_loader("/lib/ld-linux-aarch64.so.1"), IMAGE_DYNAMIC);
        assert_int_equal(kind_with_loader("/lib/ld-musl-x86_64.so.1"), IMAGE_FOREIGN);
        assert_int_equal(kind_with_note(4, "Go\0"), IMAGE_GO);
        assert_int_equal(kind_with_note(4, "GNU"), IMAGE_DYNAMIC);
        assert_int_equal(kind_with_note(5, "Go\0"), IMAGE_DYNAMIC);
        image = image_of(1);
        image.bytes[EI_CLASS] = ELFCLASS32;
        assert_int_equal(kind_of(&image), MACHINE == EM_NONE ? IMAGE_STATIC : IMAGE_FOREIGN);
        image.bytes[0] = 'x';
        assert_int_equal(kind_of(&image), IMAGE_OTHER);
        assert_int_equal(image_kind("", 0), IMAGE_OTHER);
        assert_int_equal(image_kind("#!/bin/sh\n", 10), IMAGE_OTHER);
}

/* --- what lies beyond ------------------------------------------------------------------------ */

/* Of a file that is as long as what is read: memory behind it is nobody's (AddressSanitizer). */
static enum image_kind kind_of_first(const struct image *image, size_t n)
{
        char *copy = mem_array(n + 1, 1);
        enum image_kind kind;

        memcpy(copy, image->bytes, n);
        copy = mem_realloc(copy, n ? n : 1);
        kind = image_kind(copy, n);
        mem_free(copy);
        return kind;
}

static void test_cut_anywhere(void **state)
{
        struct image image = image_of(3);
        Elf64_Nhdr note = { .n_namesz = 4 };

        (void)state;
        put_segment(&image, 0, PT_LOAD, 0);
        put_segment(&image, 1, PT_INTERP, 300);
        put_segment(&image, 2, PT_NOTE, 400);
        strcpy(image.bytes + 300, "/lib/ld-musl-x86_64.so.1");
        memcpy(image.bytes + 400, &note, sizeof(note));
        memcpy(image.bytes + 400 + sizeof(note), "Go\0", 4);
        for (size_t n = 0; n <= 500; n++) {
                enum image_kind kind = kind_of_first(&image, n);

                if (n < sizeof(Elf64_Ehdr))
                        assert_int_equal(kind, IMAGE_OTHER);
                if (n >= 400 + sizeof(note) + 4)
                        assert_int_equal(kind, IMAGE_GO);
        }
}

static void test_offsets_that_lie(void **state)
{
        static const uint64_t offsets[] = { 0, IMAGE_HEAD_BYTES - 1, IMAGE_HEAD_BYTES,
                IMAGE_HEAD_BYTES + 1, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX - 16, UINT64_MAX - 1,
                UINT64_MAX };
        static const uint32_t types[] = { PT_LOAD, PT_INTERP, PT_NOTE, UINT32_MAX };

        (void)state;
        for (size_t i = 0; i < LENGTH(offsets); i++) {
                struct image image = image_of(UINT16_MAX);

                for (size_t j = 0; j < LENGTH(types); j++) {
                        put_segment(&image, 0, types[j], offsets[i]);
                        put_segment(&image, 1, types[j], offsets[i]);
                        kind_of_first(&image, sizeof(image.bytes));
                }
                memcpy(image.bytes + offsetof(Elf64_Ehdr, e_phoff), &offsets[i], 8);
                kind_of_first(&image, sizeof(image.bytes));
        }
}

/* A loader's path that does not end within what was read. */
static void test_loader_without_end(void **state)
{
        struct image image = image_of(1);

        (void)state;
        put_segment(&image, 0, PT_INTERP, IMAGE_HEAD_BYTES - 4);
        memcpy(image.bytes + IMAGE_HEAD_BYTES - 4, "/lib", 4);
        assert_int_equal(kind_of_first(&image, IMAGE_HEAD_BYTES), IMAGE_FOREIGN);
        put_segment(&image, 0, PT_INTERP, 1 << 20);
        assert_int_equal(kind_of_first(&image, IMAGE_HEAD_BYTES), IMAGE_DYNAMIC);
}

static void test_scribbled(void **state)
{
        struct rand rand;

        (void)state;
        rand_init(&rand, 1);
        for (int i = 0; i < 20000; i++) {
                struct image image = image_of(4);
                size_t n = rand_up_to(&rand, 399);

                for (unsigned j = 0; j < 4; j++)
                        put_segment(&image, j, j % 2 ? PT_INTERP : PT_NOTE, 300);
                for (int j = 0; j < 8; j++)
                        image.bytes[rand_up_to(&rand, 399)] = (char)rand_up_to(&rand, 255);
                kind_of_first(&image, n);
        }
}

/* --- scripts --------------------------------------------------------------------------------- */

static void check_script(const char *text, const char *wanted, const char *wanted_rest)
{
        char line[IMAGE_LINE_MAX], *rest = NULL;
        const char *found = image_interpreter(text, strlen(text), line, &rest);

        if (!wanted) {
                assert_null(found);
                return;
        }
        assert_string_equal(found, wanted);
        assert_string_equal(rest, wanted_rest);
}

static void test_scripts(void **state)
{
        char text[1000], line[IMAGE_LINE_MAX], *rest;
        const char *found;

        (void)state;
        check_script("#!/bin/sh\necho", "/bin/sh", "");
        check_script("#! \t/bin/sh -e \r\n", "/bin/sh", "-e ");
        check_script("#!/usr/bin/env -S A=1 python3 -u", "/usr/bin/env", "-S A=1 python3 -u");
        check_script("#!", NULL, NULL);
        check_script("#!\n/bin/sh", NULL, NULL);
        check_script("#! \t \n", NULL, NULL);
        check_script("", NULL, NULL);
        check_script("echo", NULL, NULL);
        memset(text, 'x', sizeof(text));
        memcpy(text, "#!", 2);
        found = image_interpreter(text, sizeof(text), line, &rest);
        assert_int_equal(strlen(found), IMAGE_LINE_MAX - 2);
        assert_null(image_interpreter("#!\0/bin/sh", 10, line, &rest));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_cut_anywhere),
                cmocka_unit_test(test_offsets_that_lie),
                cmocka_unit_test(test_loader_without_end),
                cmocka_unit_test(test_scribbled),
                cmocka_unit_test(test_scripts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
