/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include "../explain/page.h"
#include "../output/json.h"
#include "changed.h"
#include "outside_page.h"
#include "replay.h"
#include <base/words.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define VERDICT_MAX OUTSIDE_TEXT

void outcome_words(char *const *argv, char text[OUTCOME_WORDS])
{
        size_t len = 0;

        text[0] = '\0';
        for (; *argv && len < OUTCOME_WORDS; argv++) {
                int n = snprintf(text + len, OUTCOME_WORDS - len, "%s%s", len ? " " : "", *argv);

                if (n < 0)
                        return;
                len += (size_t)n;
        }
        if (len >= OUTCOME_WORDS)
                memcpy(text + OUTCOME_WORDS - 4, "...", 4);
        for (char *at = text; *at; at++) /* a script of several lines, after -c */
                if ((unsigned char)*at < ' ' || *at == 0x7f)
                        *at = ' ';
}

/* --- without a request ----------------------------------------------------------------------- */

/* "python3", of a path that may be long. */
static const char *file_name(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* What is said where there is nothing to explain. */
static void verdict_without_explanation(const struct outcome *outcome, char text[VERDICT_MAX])
{
        const char *unseen = executable_unseen_words(outcome->executable->kind);

        if (outcome->subject->is_outside || outside_has_conns(outcome->lookout))
                outside_verdict(outcome->lookout, outcome->executable, text);
        else if (unseen)
                snprintf(text, VERDICT_MAX,
                        "Nothing could be seen of this program: %.100s %s. muster fetch measures the same requests.",
                        file_name(outcome->executable->path), unseen);
        else if (outcome->lookout->n_unseen)
                snprintf(text, VERDICT_MAX,
                        "No HTTP request was seen. It started a program of which nothing could be seen: %s.",
                        outside_unseen(outcome->lookout).text);
        else if (outcome->why.code == MUSTER_E_INPUT)
                snprintf(text, VERDICT_MAX,
                        "The program made no HTTP request that could be seen, or none that was answered. Requests over HTTP/3 cannot be seen.");
        else
                snprintf(text, VERDICT_MAX, "The program could not be explained: %.300s.",
                        outcome->why.text);
}

static const char *verdict(const struct outcome *outcome, char text[VERDICT_MAX])
{
        if (outcome->explanation)
                return muster_explanation_verdict(outcome->explanation);
        verdict_without_explanation(outcome, text);
        return text;
}

/* --- the page -------------------------------------------------------------------------------- */

/* As kill -l has it: "KILL"; some have no name. */
static const char *signal_name(int status)
{
        const char *name = sigabbrev_np(WTERMSIG(status));

        return name ? name : "a real-time signal";
}

/* "ended with status 1", "was ended by SIGKILL". */
static void print_heading(const struct outcome *outcome, const struct page *page)
{
        const struct subject *subject = outcome->subject;
        char words[OUTCOME_WORDS], end[60];

        outcome_words(subject->argv, words);
        if (WIFSIGNALED(subject->status))
                snprintf(end, sizeof(end), "was ended by signal %s", signal_name(subject->status));
        else
                snprintf(end, sizeof(end), "ended with status %d", WEXITSTATUS(subject->status));
        page_paragraph(page, 0, "muster watch: %s %s after %s, %s of CPU time", words, end,
                words_ns(subject->wall_ns).text, words_ns(subject->cpu_ns).text);
        if (subject->was_told_to_end)
                page_paragraph(page, 0, "It was told to end after %s, as --for says.",
                        words_ns(subject->for_ns).text);
        if (outcome->n_alive)
                page_paragraph(page, 0,
                        "%s on. What %s from now on is not in this: watch a program that goes into the background with the option that keeps it in the foreground, and with --for.",
                        words_counted(outcome->n_alive, "process that it started goes",
                                "processes that it started go")
                                .text,
                        outcome->n_alive == 1 ? "it does" : "they do");
        fputc('\n', page->to);
}

/* Where something was seen all the same, it was of another process than the command's own. */
static void print_unseen(const struct outcome *outcome, const struct page *page)
{
        const char *unseen = executable_unseen_words(outcome->executable->kind);

        outside_print(outcome->lookout, outcome->explanation || outside_has_conns(outcome->lookout),
                page);
        if (unseen && outcome->explanation && !outcome->subject->is_outside)
                page_row(page, 0, "not seen", "%.100s %s. What is shown is of its children.",
                        file_name(outcome->executable->path), unseen);
}

void outcome_print(const struct outcome *outcome, const struct page *page)
{
        char text[VERDICT_MAX];

        fputc('\n', page->to);
        print_heading(outcome, page);
        if (outcome->explanation) {
                page_print(page, outcome->explanation);
        } else {
                page_bold(page, true);
                page_wrap(page, 0, 0, verdict(outcome, text));
                page_bold(page, false);
        }
        print_unseen(outcome, page);
}

/* --- the object ------------------------------------------------------------------------------ */

static void add_words(struct json_writer *w, char *const *argv)
{
        json_write(w, "[");
        for (size_t i = 0; argv[i]; i++) {
                json_write(w, i ? "," : "");
                json_write_string(w, str_of(argv[i]));
        }
        json_write(w, "]");
}

static void add_text(struct json_writer *w, const char *text)
{
        if (text)
                json_write_string(w, str_of(text));
        else
                json_write(w, "null");
}

static void add_program(struct json_writer *w, const struct outcome *outcome)
{
        const struct subject *subject = outcome->subject;

        json_write(w, "\"program\":{\"command\":");
        add_words(w, subject->argv);
        json_write(w, ",\"status\":");
        json_write_u64(w, (uint64_t)subject_exit_status(subject));
        json_write(w, ",\"signal\":");
        add_text(w, WIFSIGNALED(subject->status) ? signal_name(subject->status) : NULL);
        json_write(w, ",\"wall_ns\":");
        json_write_u64(w, subject->wall_ns);
        json_write(w, ",\"cpu_ns\":");
        json_write_u64(w, subject->cpu_ns);
        json_write(w,
                subject->was_told_to_end ? ",\"told_to_end\":true" : ",\"told_to_end\":false");
        json_write(w, ",\"left_running\":");
        json_write_u64(w, outcome->n_alive);
        json_write(w, ",\"unseen\":");
        add_text(w, executable_unseen_words(outcome->executable->kind));
        json_write(w, ",");
        if (w->r == 0)
                w->r = outside_json(outcome->lookout, w->to);
        json_write(w, "}");
}

static int add_without_explanation(struct buf *to, const struct outcome *outcome)
{
        struct json_writer w = { to, 0 };
        char text[VERDICT_MAX];

        json_write(&w, "{\"verdict\":");
        json_write_string(&w, str_of(verdict(outcome, text)));
        json_write(&w,
                ",\"run\":null,\"chain\":{},\"shares\":{},\"bounds\":[],\"failures\":null,\"findings\":[],\"confirm\":null,\"asserts\":[],\"watched\":null}\n");
        return w.r;
}

int outcome_json(const struct outcome *outcome, const struct proofs *proofs, struct buf *to)
{
        static const char end[] = "}\n";
        const struct assertions none = { 0 };
        struct json_writer w = { to, 0 };

        w.r = outcome->explanation ? page_json(to, outcome->explanation, NULL, &none)
                                   : add_without_explanation(to, outcome);
        if (w.r < 0)
                return w.r;
        to->len -= strlen(end); /* one member more */
        json_write(&w, ",");
        add_program(&w, outcome);
        json_write(&w, ",");
        if (w.r == 0 && proofs->replay)
                w.r = replay_json(proofs->replay, to);
        else
                json_write(&w, "\"replay\":null");
        json_write(&w, ",");
        if (w.r == 0 && proofs->changed)
                w.r = changed_json(proofs->changed, to);
        else
                json_write(&w, "\"changed\":null");
        json_write(&w, end);
        return w.r;
}
