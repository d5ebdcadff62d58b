/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <assert.h>
#include <explain/facts/program.h>
#include <explain/judgement.h>
#include <explain/measure/outcome.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MENTIONS 3

struct sentence {
        char *text;
        size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *sentence, const char *format,
        ...)
{
        va_list arguments;
        int n;

        assert(sentence->len < VERDICT_TEXT);
        va_start(arguments, format);
        n = vsnprintf(sentence->text + sentence->len, VERDICT_TEXT - sentence->len, format,
                arguments);
        va_end(arguments);
        if (n > 0)
                sentence->len += (size_t)n;
        if (sentence->len >= VERDICT_TEXT)
                sentence->len = VERDICT_TEXT - 1;
}

/* --- of a finding ---------------------------------------------------------------------------- */

static int len_without_stop(const char *text)
{
        size_t len = strlen(text);

        return (int)(len > 0 && text[len - 1] == '.' ? len - 1 : len);
}

/*
 * The length of the remedy's first clause. What is behind it, an example or a reason, is for those
 * who read on.
 */
static int len_of_clause(const char *text)
{
        static const char *const ends[] = { ": ", "; ", " (", ". " };
        int len = len_without_stop(text);

        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                const char *end = strstr(text, ends[i]);

                if (end && end - text < len)
                        len = (int)(end - text);
        }
        return len;
}

/* The first clause alone. */
static void say_remedy(struct sentence *sentence, const char *text)
{
        say(sentence, " %.*s.", len_of_clause(text), text);
}

static void say_requests(struct sentence *sentence, const struct facts *facts)
{
        if (facts_is_part(facts))
                say(sentence, "the newest %s requests", words_count(facts->n_requests).text);
        else if (facts->record->run.n_dropped)
                say(sentence, "the %s recorded requests", words_count(facts->n_requests).text);
        else if (outcome_n_cancelled(facts))
                say(sentence, "the %s that %s done",
                        words_counted(outcome_n_done(facts), "request", "requests").text,
                        outcome_n_done(facts) == 1 ? "was" : "were");
        else
                say(sentence, "the run");
}

static bool gains(const struct muster_finding *finding, const struct facts *facts)
{
        return finding->has_prediction &&
               (double)finding->wall_ns <= (double)facts->wall_ns * (1 - LINE_SHARE);
}

/* "With --concurrency 64", and "Without --rate". */
static void say_option(struct sentence *sentence, const char *option)
{
        static const char without[] = "without ";

        if (strncmp(option, without, strlen(without)) == 0)
                say(sentence, " Without %s ", option + strlen(without));
        else
                say(sentence, " With %s ", option);
}

/* What limited the run, what to do, and what that gains. */
static void say_finding(struct sentence *sentence, const struct muster_finding *finding,
        const struct facts *facts)
{
        say(sentence, "%.*s.", len_without_stop(finding->title), finding->title);
        if (!finding->option || !gains(finding, facts))
                say_remedy(sentence, finding->remedy);
        if (!gains(finding, facts))
                return;
        if (finding->option)
                say_option(sentence, finding->option);
        else
                say(sentence, " Then ");
        say_requests(sentence, facts);
        say(sentence, " %s take about %s instead of %s.",
                finding->is_best_case ? "could" : "should", words_ns(finding->wall_ns).text,
                words_ns(facts->wall_ns).text);
}

/* --- without one ----------------------------------------------------------------------------- */

/* Which bounds are about the same thing as a part of the chain. */
static bool agrees(enum part part, const char *bound)
{
        static const char *const of_part[PART_N] = {
                [PART_MISSING] = "",
                [PART_INPUT] = "input",
                [PART_RATE] = "rate",
                [PART_REFUSED] = "server",
                [PART_QUEUE] = "slots server longest",
                [PART_BACKOFF] = "longest",
                [PART_DNS] = "slots names longest",
                [PART_TCP] = "slots longest",
                [PART_TUNNEL] = "slots longest",
                [PART_TLS] = "slots longest loop processor",
                [PART_SEND] = "slots longest loop",
                [PART_EXPECT] = "slots longest",
                [PART_NETWORK] = "slots longest",
                [PART_SERVER] = "slots server longest",
                [PART_RECEIVE] = "slots link longest",
                [PART_LOOP_IO] = "loop processor",
                [PART_LOOP_TLS] = "loop processor",
                [PART_LOOP_DECODE] = "loop processor",
                [PART_LOOP_PROCESS] = "loop processor",
                [PART_LOOP_CALLER] = "loop",
                [PART_PROCESS] = "workers processor longest",
                [PART_DELIVER] = "loop",
        };

        return strstr(of_part[part], bound) != NULL;
}

static bool is_backed(enum part part, const struct facts *facts, const struct bound *bounds,
        size_t n_bounds)
{
        for (size_t i = 0; i < n_bounds; i++)
                if ((double)bounds[i].ns >= (double)facts->wall_ns * BINDING &&
                        agrees(part, bounds[i].name))
                        return true;
        return false;
}

static enum part largest(const struct facts *facts, const bool said[PART_N])
{
        enum part part = PART_N;

        for (int i = 0; i < PART_N; i++)
                if (!said[i] && (part == PART_N || facts->chain_ns[i] > facts->chain_ns[part]))
                        part = (enum part)i;
        return part;
}

static double share_of(const struct facts *facts, enum part part)
{
        return (double)facts->chain_ns[part] / (double)facts->wall_ns;
}

static void say_parts(struct sentence *sentence, const struct facts *facts)
{
        bool said[PART_N] = { false };

        for (size_t i = 0; i < MENTIONS; i++) {
                enum part part = largest(facts, said);

                if (i > 0 && share_of(facts, part) < MENTIONED)
                        return;
                said[part] = true;
                say(sentence, "%s%s %s", i ? ", " : "", part_meaning(part, facts_is_watched(facts)),
                        words_share(share_of(facts, part), 1).text);
        }
}

static void say_failures(struct sentence *sentence, const struct facts *facts)
{
        struct outcome_told told;

        outcome_told(&told, facts);
        if (told.n_failed)
                say(sentence, "%s of %s requests failed. ", words_count(told.n_failed).text,
                        words_count(told.n_done).text);
        else if (!told.n_done)
                say(sentence, "None of %s was done when the run was stopped. ",
                        words_counted(told.n_requests, "request", "requests").text);
}

/* "The request", "All 50 requests", "48 of 50 requests". */
static void say_how_many(struct sentence *sentence, uint64_t n, const struct outcome_told *told)
{
        if (n < told->n_done)
                say(sentence, "%s of %s requests", words_count(n).text,
                        words_count(told->n_done).text);
        else if (n == 1)
                say(sentence, "The request");
        else
                say(sentence, "All %s requests", words_count(n).text);
        if (told->n_cancelled)
                say(sentence, " that %s done", told->n_done == 1 ? "was" : "were");
}

static void say_all_failed(struct sentence *sentence, const struct facts *facts)
{
        struct outcome_told told;

        outcome_told(&told, facts);
        say_how_many(sentence, told.n_failed, &told);
        say(sentence,
                " failed, so the run says nothing about speed. Find out why first: the result lines have the errors.");
}

/* Errors are told before what would be faster. */
static void say_errors(struct sentence *sentence, const struct facts *facts)
{
        struct outcome_errors errors;
        struct outcome_told told;

        outcome_errors(&errors, facts);
        if (!outcome_is_nearly_all(errors.n, facts))
                return;
        outcome_told(&told, facts);
        say_how_many(sentence, told.n_errors, &told);
        say(sentence, " %s answered with an error (%s%d). ", told.n_errors == 1 ? "was" : "were",
                told.n_of_status < told.n_errors ? "mostly " : "", told.status);
}

/* The sentence before is about the requests in the record. */
static void say_part(struct sentence *sentence, const struct facts *facts)
{
        if (facts_is_part(facts))
                say(sentence, " This covers the newest %s of %s requests.",
                        words_count(facts->n_requests).text,
                        words_count(facts->all.n_requests).text);
}

static void say_time(struct sentence *sentence, const struct facts *facts,
        const struct bound *bounds, size_t n_bounds)
{
        enum part part = largest(facts, (const bool[PART_N]){ false });

        say_failures(sentence, facts);
        say(sentence, "Where the %s went: ", words_ns(facts->wall_ns).text);
        say_parts(sentence, facts);
        say(sentence, ".");
        if (!outcome_n_done(facts))
                return;
        if (share_of(facts, part) >= MOST_OF_TIME && is_backed(part, facts, bounds, n_bounds))
                say(sentence, " Nothing stands out that would make it faster.");
        else
                say(sentence, " No single change would make much of a difference.");
}

static void say_what_is_missing(struct sentence *sentence, const struct facts *facts)
{
        uint64_t n_holes = facts->record->run.n_holes;

        say(sentence,
                "%s of %s attempts are missing from this record, so it cannot say where the time went. Record again, to a faster disk, and do not read the file meanwhile.",
                words_count(n_holes).text, words_count(facts->record->n_attempts + n_holes).text);
}

static void say_run(struct sentence *sentence, const struct facts *facts,
        const struct ranking *ranking, const struct bound *bounds, size_t n_bounds)
{
        const struct finding *first = ranking->n ? ranking->findings[0] : NULL;

        if (!first && outcome_is_nearly_all(outcome_n_failed(facts), facts)) {
                say_all_failed(sentence, facts);
                return;
        }
        if (!first || !first->n_failed_by_it)
                say_errors(sentence, facts);
        if (first)
                say_finding(sentence, &first->shown, facts);
        else
                say_time(sentence, facts, bounds, n_bounds);
        say_part(sentence, facts);
}

void verdict_write(char text[VERDICT_TEXT], const struct facts *facts,
        const struct ranking *ranking, const struct bound *bounds, size_t n_bounds)
{
        struct sentence sentence = { .text = text };

        text[0] = '\0';
        if (facts_has_holes(facts))
                say_what_is_missing(&sentence, facts);
        else
                say_run(&sentence, facts, ranking, bounds, n_bounds);
}
