/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TEXT_MAX 1000

struct page page_on(FILE *to)
{
        int fd = fileno(to);
        const char *no_colour = getenv("NO_COLOR");
        struct winsize size = { 0 };
        struct page page = { .to = to, .width = PAGE_WIDTH_MAX };

        if (!isatty(fd))
                return page;
        page.has_colour = !(no_colour && *no_colour);
        if (ioctl(fd, TIOCGWINSZ, &size) == 0)
                page.terminal = size.ws_col;
        if (page.terminal && page.terminal < page.width)
                page.width = page.terminal < PAGE_WIDTH_MIN ? PAGE_WIDTH_MIN : page.terminal;
        return page;
}

void page_bold(const struct page *page, bool is_on)
{
        if (page->has_colour)
                fputs(is_on ? "\033[1m" : "\033[0m", page->to);
}

/* Bytes that continue a character take no column. */
unsigned text_columns(const char *text, size_t len)
{
        unsigned n = 0;

        for (size_t i = 0; i < len; i++)
                n += ((unsigned char)text[i] & 0xc0) != 0x80;
        return n;
}

/* A record may come from anywhere: nothing in it commands the terminal. */
static void put(const struct page *page, const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                fputc((unsigned char)text[i] < ' ' || text[i] == '\x7f' ? '?' : text[i], page->to);
}

void page_wrap(const struct page *page, unsigned at, unsigned indent, const char *text)
{
        bool is_first = true;

        while (*text) {
                size_t len = strcspn(text, " ");
                unsigned width = text_columns(text, len);

                if (!is_first && at + 1 + width > page->width) {
                        fprintf(page->to, "\n%*s", (int)indent, "");
                        at = indent;
                } else if (!is_first) {
                        fputc(' ', page->to);
                        at++;
                }
                put(page, text, len);
                at += width;
                is_first = false;
                text += len;
                text += strspn(text, " ");
        }
        fputc('\n', page->to);
}

void page_label(const struct page *page, const char *text)
{
        page_bold(page, true);
        fprintf(page->to, "%-*s", PAGE_LABEL_WIDTH, text);
        page_bold(page, false);
}

void page_heading(const struct page *page, const char *text)
{
        fputc('\n', page->to);
        page_bold(page, true);
        fputs(text, page->to);
        page_bold(page, false);
        fputc('\n', page->to);
}

void page_paragraph(const struct page *page, unsigned indent, const char *format, ...)
{
        char text[TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        fprintf(page->to, "%*s", (int)indent, "");
        page_wrap(page, indent, indent, text);
}

void page_row(const struct page *page, unsigned indent, const char *label, const char *format, ...)
{
        char text[TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        fprintf(page->to, "%*s%-*s", (int)indent, "", PAGE_LABEL_WIDTH, label);
        page_wrap(page, indent + PAGE_LABEL_WIDTH, indent + PAGE_LABEL_WIDTH, text);
}
