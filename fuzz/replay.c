/* SPDX-License-Identifier: MIT */
/* Run a fuzz target over files: the corpus as a regression test without libFuzzer */
#include "fuzz.h"

#include <stdio.h>

static int replay(const char *path)
{
        static uint8_t data[1024 * 1024];
        FILE *file = fopen(path, "rb");
        uint8_t *copy;
        size_t n;

        if (!file) {
                perror(path);
                return 1;
        }
        n = fread(data, 1, sizeof(data), file);
        fclose(file);
        /* A copy of exactly this size, so that a sanitizer sees reads past its end. */
        copy = malloc(n ? n : 1);
        if (!copy)
                return 1;
        for (size_t i = 0; i < n; i++)
                copy[i] = data[i];
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
        return 0;
}

int main(int argc, char **argv)
{
        int r = argc > 1 ? 0 : 1;

        for (int i = 1; i < argc; i++)
                r |= replay(argv[i]);
        return r;
}
