/* SPDX-License-Identifier: MIT */
#include "remarks.h"

#include <assert.h>
#include <base/mem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

void remarks_print(const struct remarks *remarks, const struct page *page)
{
        for (size_t i = 0; i < remarks->n; i++) {
                fputs(BULLET, page->to);
                page_wrap(page, strlen(BULLET), strlen(BULLET), remarks->list[i]);
        }
}
