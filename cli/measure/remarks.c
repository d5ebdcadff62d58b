/* SPDX-License-Identifier: MIT */
#include "remarks.h"

#include <assert.h>
#include <base/mem.h>
#include <stdarg.h>

#define BYTES_MAX 1000 /* of a paragraph */
#define BULLET    "- "

void remarks_add(struct remarks *remarks, const char *format, ...)
{
        char text[BYTES_MAX];
        va_list arguments;

        assert(remarks->n < REMARKS_MAX);
        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        remarks->list[remarks->n] = mem_strdup(text);
        if (remarks->list[remarks->n])
                remarks->n++;
        else
                remarks->is_out_of_memory = true;
}

void remarks_deinit(struct remarks *remarks)
{
        while (remarks->n)
                mem_free(remarks->list[--remarks->n]);
}

static void print_wrapped(const char *text, unsigned width, FILE *to)
{
        size_t at = strlen(BULLET);

        fputs(BULLET, to);
        while (*text) {
                size_t len = strcspn(text, " ");

                if (at > strlen(BULLET) && at + 1 + len > width) {
                        fprintf(to, "\n%*s", (int)strlen(BULLET), "");
                        at = strlen(BULLET);
                } else if (at > strlen(BULLET)) {
                        fputc(' ', to);
                        at++;
                }
                fprintf(to, "%.*s", (int)len, text);
                at += len;
                text += len;
                text += strspn(text, " ");
        }
        fputs("\n", to);
}

void remarks_print(const struct remarks *remarks, unsigned width, FILE *to)
{
        for (size_t i = 0; i < remarks->n; i++)
                print_wrapped(remarks->list[i], width, to);
}
