/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as the beginning of a program's file: its kind is one of those there are, and what a #!
 * line names is a word of it
 */
#include "fuzz.h"

#include <string.h>
#include <watch/image.h>

static void check_script(const uint8_t *data, size_t size)
{
        char line[IMAGE_LINE_MAX], *rest = NULL;
        const char *word = image_interpreter(data, size, line, &rest);

        if (!word)
                return;
        FUZZ_CHECK(memcmp(data, "#!", 2) == 0);
        FUZZ_CHECK(word >= line && word + strlen(word) < line + sizeof(line));
        FUZZ_CHECK(*word && !strpbrk(word, " \t\r\n"));
        FUZZ_CHECK(memmem(data, size, word, strlen(word)));
        while (*rest) {
                word = image_word(&rest);
                FUZZ_CHECK(rest <= line + sizeof(line) && !strpbrk(word, " \t\r\n"));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        enum image_kind kind = image_kind(data, size);

        FUZZ_CHECK(kind >= IMAGE_OTHER && kind <= IMAGE_FOREIGN);
        check_script(data, size);
        return 0;
}
