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
               (double)finding->wall_ns <= (double)facts_told_wall_ns(facts) * (1 - LINE_SHARE);
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
                words_ns(facts_told_wall_ns(facts)).text);
}

/* --- without one ----------------------------------------------------------------------------- */

/* Which bounds are about the same thing as a part of the chain. */
static bool agrees(enum part part, const char *bound)
{
        static const char *const of_part[PART_N] = {
                [PART_MISSING] = "",
                [PART_STARTUP] = "",
                [PART_ENDING] = "",
                [PART_INPUT] = "input",
                [PART_RATE] = "rate",
                [PART_REFUSED] = "server",
                [PART_MEMORY] = "",
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
                [PART_PROCESSOR] = "loop processor",
                [PART_STOPPED] = "",
                [PART_PROCESS] = "workers processor longest",
                [PART_DELIVER] = "loop",
        };

        return strstr(of_part[part], bound) != NULL;
}

static bool is_binding(const struct bound *bound, const struct facts *facts)
{
        return (double)bound->ns >= (double)facts->wall_ns * BINDING;
}

static bool is_backed(enum part part, const struct facts *facts, const struct bound *bounds,
        size_t n_bounds)
{
        for (size_t i = 0; i < n_bounds; i++)
                if (is_binding(&bounds[i], facts) && agrees(part, bounds[i].name))
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
        return (double)facts->chain_ns[part] / (double)facts_told_wall_ns(facts);
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
        else if (!told.n_done && told.n_requests == 1)
                say(sentence, "The one request was not done when the run was stopped. ");
        else if (!told.n_done)
                say(sentence, "None of %s requests was done when the run was stopped. ",
                        words_count(told.n_requests).text);
}

/*
 * Answered all the same, with a status that says no: told before what would be faster. Such as a
 * finding tells of, because the server is in trouble or refuses, are not told again.
 */
static void say_errors(struct sentence *sentence, const struct facts *facts)
{
        struct outcome_told told;
        char how_many[100];
        uint64_t n;

        outcome_told(&told, facts);
        n = totals_n_statuses(&facts->all, 400, 499) - facts->all.n_statuses[429];
        if (!n || (double)n < (double)told.n_done * FAILURES_FIRST)
                return;
        outcome_say_how_many(how_many, sizeof(how_many), n, &told);
        say(sentence, "%s %s answered with an error (%s%d). ", how_many, n == 1 ? "was" : "were",
                told.n_of_status < n ? "mostly " : "", told.status);
}

/* The sentence before is about the requests in the record. */
static void say_part(struct sentence *sentence, const struct facts *facts)
{
        if (facts_is_part(facts))
                say(sentence, " This covers the newest %s of %s requests.",
                        words_count(facts->n_requests).text,
                        words_count(facts->all.n_requests).text);
}

/*
 * What many requests failed by: the first in full, of others what they are. Returns how many of the
 * findings that were.
 */
static size_t say_failed(struct sentence *sentence, const struct facts *facts,
        const struct ranking *ranking)
{
        size_t n = 0;

        if (ranking->failures)
                say_finding(sentence, &ranking->failures->shown, facts);
        for (; n < ranking->n && ranking_fails_run(ranking->findings[n], facts); n++) {
                const struct muster_finding *shown = &ranking->findings[n]->shown;

                if (sentence->len == 0)
                        say_finding(sentence, shown, facts);
                else
                        say(sentence, " %.*s.", len_without_stop(shown->title), shown->title);
        }
        return n;
}

static void say_time(struct sentence *sentence, const struct facts *facts,
        const struct bound *bounds, size_t n_bounds)
{
        enum part part = largest(facts, (const bool[PART_N]){ false });

        say_failures(sentence, facts);
        say(sentence, "Where the %s went: ", words_ns(facts_told_wall_ns(facts)).text);
        say_parts(sentence, facts);
        say(sentence, ".");
        if (!outcome_n_done(facts))
                return;
        if (share_of(facts, part) < MOST_OF_TIME)
                say(sentence, " No single change would make much of a difference.");
        else if (facts->program && part == PART_INPUT)
                say(sentence,
                        " What the program does or waits for between its requests decides how long it takes; that is not HTTP, and is not seen here.");
        else if (n_bounds == 0 || is_backed(part, facts, bounds, n_bounds) ||
                 !is_binding(&bounds[0], facts))
                say(sentence, " Nothing stands out that would make it faster.");
        else
                say(sentence,
                        " Nothing stands out; but by what it had to do %s could not have been faster than %s (%s).",
                        facts->program ? "its requests" : "it", words_ns(bounds[0].ns).text,
                        bounds[0].formula);
}

static void say_what_is_missing(struct sentence *sentence, const struct facts *facts)
{
        uint64_t n_holes = facts->record->run.n_holes;

        say(sentence,
                "%s of %s attempts are missing from this record, so it cannot say where the time went. Record again, to a faster disk, and do not read the file meanwhile.",
                words_count(n_holes).text, words_count(facts->record->n_attempts + n_holes).text);
}

/* Where hardly any request was answered, the times are those of failures. */
static bool is_without_answers(const struct facts *facts)
{
        return outcome_is_nearly_all(outcome_n_failed(facts), facts);
}

/* What limited those that did not fail, after what was said of the others. */
static void say_rest(struct sentence *sentence, const struct facts *facts,
        const struct finding *finding)
{
        if (is_without_answers(facts)) {
                say(sentence, " The run says nothing about speed.");
                return;
        }
        say(sentence, " ");
        say_errors(sentence, facts);
        if (finding && (finding->shown.option || gains(&finding->shown, facts))) {
                say_finding(sentence, &finding->shown, facts);
                return;
        }
        if (finding) {
                say(sentence, "%.*s.", len_without_stop(finding->shown.title),
                        finding->shown.title);
                return;
        }
        say(sentence, "Where the %s went: ", words_ns(facts_told_wall_ns(facts)).text);
        say_parts(sentence, facts);
        say(sentence, ".");
}

static void say_run(struct sentence *sentence, const struct facts *facts,
        const struct ranking *ranking, const struct bound *bounds, size_t n_bounds)
{
        size_t n_failed = say_failed(sentence, facts, ranking);
        const struct finding *first = n_failed < ranking->n ? ranking->findings[n_failed] : NULL;

        if (sentence->len) {
                say_rest(sentence, facts, first);
        } else {
                say_errors(sentence, facts);
                if (first)
                        say_finding(sentence, &first->shown, facts);
                else
                        say_time(sentence, facts, bounds, n_bounds);
        }
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
