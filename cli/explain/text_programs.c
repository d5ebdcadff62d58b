/* SPDX-License-Identifier: MIT */
/*
 * Of programs that were watched: which they were, what they did besides requests, and what could not
 * be seen of them
 */
#include "page.h"

#include <base/buf.h>
#include <base/words.h>
#include <stdarg.h>
#include <string.h>

#define SHOWN_MAX 4  /* processes */
#define WORDS_MAX 60 /* columns of a command */

/* --- lists in one line ----------------------------------------------------------------------- */

struct line {
        char text[600];
        size_t len;
        const char *separator;
};

/* Add an item; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
        char item[300];
        va_list arguments;
        int n;

        va_start(arguments, format);
        vsnprintf(item, sizeof(item), format, arguments);
        va_end(arguments);
        n = snprintf(line->text + line->len, sizeof(line->text) - line->len, "%s%s",
                line->len ? line->separator : "", item);
        if (n > 0 && (size_t)n < sizeof(line->text) - line->len)
                line->len += (size_t)n;
        line->text[line->len] = '\0';
}

static void print(const struct page *page, const char *label, const struct line *line)
{
        if (line->len)
                page_row(page, 0, label, "%s", line->text);
}

/* --- processes ------------------------------------------------------------------------------- */

static void print_process(const struct page *page, const struct muster_process *process,
        bool is_first)
{
        struct line line = { .separator = ", " };
        bool is_long = strlen(process->words) > WORDS_MAX;

        if (*process->language)
                add(&line, "%s", process->language);
        if (*process->libraries)
                add(&line, "%s", process->libraries);
        if (*process->loop)
                add(&line, "%s", process->loop);
        if (process->n_threads > 1)
                add(&line, "%u threads", process->n_threads);
        if (process->cpu_ns)
                add(&line, "%s of CPU time", words_ns(process->cpu_ns).text);
        page_row(page, 0, is_first ? "program" : "", "%.*s%s%s%s",
                is_long ? WORDS_MAX : (int)strlen(process->words), process->words,
                is_long ? "..." : "", line.len ? ": " : "", line.text);
}

/* Of many, those that made requests; a shell around a program is not worth a line. */
static void print_processes(const struct page *page, const struct muster_explanation *explanation)
{
        const struct muster_process *process;
        size_t n_shown = 0, n_left = 0;

        for (size_t i = 0; (process = muster_explanation_process(explanation, i)); i++) {
                if (!process->n_requests || n_shown == SHOWN_MAX) {
                        n_left++;
                        continue;
                }
                print_process(page, process, n_shown == 0);
                n_shown++;
        }
        if (!n_shown && (process = muster_explanation_process(explanation, 0))) {
                print_process(page, process, true);
                n_left--;
        }
        if (n_left)
                page_row(page, 0, "", "and %s",
                        words_counted(n_left, "other process", "other processes").text);
}

/* --- what they did --------------------------------------------------------------------------- */

static void print_work(const struct page *page, const struct muster_watched *sums)
{
        struct line line = { .separator = "; " };

        if (sums->n_lookups)
                add(&line, "%s (%s)",
                        words_counted(sums->n_lookups, "DNS lookup", "DNS lookups").text,
                        words_ns(sums->lookups_ns).text);
        if (sums->n_handshakes)
                add(&line, "%s, %s resumed",
                        words_counted(sums->n_handshakes, "TLS handshake", "TLS handshakes").text,
                        words_count(sums->n_resumed).text);
        if (sums->n_contexts)
                add(&line, "certificates loaded %s (%s)",
                        words_counted(sums->n_contexts, "time", "times").text,
                        words_ns(sums->contexts_ns).text);
        if (sums->n_clients)
                add(&line, "%s made",
                        words_counted(sums->n_clients, "session or client", "sessions or clients")
                                .text);
        if (sums->n_queued)
                add(&line, "%s waited for the library's limit",
                        words_counted(sums->n_queued, "request", "requests").text);
        if (sums->n_held)
                add(&line, "the event loop was blocked %s, at most for %s",
                        words_counted(sums->n_held, "time", "times").text,
                        words_ns(sums->held_most_ns).text);
        if (sums->lock_waited_ns)
                add(&line, "threads waited %s for the interpreter's lock",
                        words_ns(sums->lock_waited_ns).text);
        print(page, "counted", &line);
}

/* --- what could not be seen ------------------------------------------------------------------ */

static const char *unseen_words(unsigned bit)
{
        switch (bit) {
        case MUSTER_UNSEEN_TLS:
                return "what is said under TLS";
        case MUSTER_UNSEEN_URING:
                return "what is asked of the kernel by io_uring";
        case MUSTER_UNSEEN_STAMPS:
                return "when the kernel had an answer";
        case MUSTER_UNSEEN_ALL:
                return "anything: it runs with more rights";
        case MUSTER_UNSEEN_HOOK:
                return "what its interpreter knows: lines, sessions, limits";
        case MUSTER_UNSEEN_DROPPED:
                return "its end: the log was full";
        case MUSTER_UNSEEN_REQUESTS:
                return "its requests (method, URL, status): what counts as one is bytes sent and an answer to them";
        default:
                return NULL;
        }
}

/* "python3": the first word of a command, without its folder. */
static struct muster_str program_name(const struct muster_process *process)
{
        struct muster_str name = { process->words, strcspn(process->words, " ") };

        for (size_t i = name.len; i-- > 0;)
                if (name.at[i] == '/')
                        return str_after(name, i + 1);
        return name;
}

/* The same of many processes is said once. */
static bool was_said(const struct muster_explanation *explanation, size_t i)
{
        const struct muster_process *process = muster_explanation_process(explanation, i);

        for (size_t before = 0; before < i; before++) {
                const struct muster_process *other =
                        muster_explanation_process(explanation, before);

                if (other->unseen == process->unseen &&
                        str_eq(program_name(other), program_name(process)))
                        return true;
        }
        return false;
}

static void print_unseen(const struct page *page, const struct muster_explanation *explanation)
{
        const struct muster_process *process;
        bool is_first = true;

        for (size_t i = 0; (process = muster_explanation_process(explanation, i)); i++) {
                struct line line = { .separator = "; " };

                if (!process->unseen || was_said(explanation, i))
                        continue;
                for (unsigned bit = 1; bit; bit <<= 1)
                        if ((process->unseen & bit) && unseen_words(bit))
                                add(&line, "%s", unseen_words(bit));
                if (!line.len)
                        continue;
                page_row(page, 0, is_first ? "not seen" : "", "of %.*s: %s",
                        STR_ARGS(program_name(process)), line.text);
                is_first = false;
        }
}

/* --- the whole ------------------------------------------------------------------------------- */

void page_print_programs(const struct page *page, const struct muster_explanation *explanation)
{
        struct muster_watched sums;

        if (muster_explanation_watched(explanation, &sums, sizeof(sums)) < 0)
                return;
        print_processes(page, explanation);
        print_work(page, &sums);
        print_unseen(page, explanation);
        if (sums.n_lost)
                page_row(page, 0, "", "%s of the interpreter had no room in its log",
                        words_counted(sums.n_lost, "row", "rows").text);
}
