/* SPDX-License-Identifier: MIT */
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MOST 0.5 /* of the wall time: one part alone is what it went into */
#define BINDING                                                                                    \
        0.6 /* of the wall time: a resource that was needed for as long may be what held the run up */
#define MENTION  0.1 /* of the wall time: a part is worth a word */
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

        va_start(arguments, format);
        n = vsnprintf(sentence->text + sentence->len, VERDICT_TEXT - sentence->len, format,
                      arguments);
        va_end(arguments);
        if (n > 0)
                sentence->len += (size_t)n;
        if (sentence->len >= VERDICT_TEXT)
                sentence->len = VERDICT_TEXT - 1;
}

/* --- of a finding ------------------------------------------------------------------------------------------------- */

static int len_without_stop(const char *text)
{
        size_t len = strlen(text);

        return (int)(len > 0 && text[len - 1] == '.' ? len - 1 : len);
}

/* The remedy's first clause: what is behind it, an example or a reason, is for those who read on. */
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

static bool begins_with_word(const char *text)
{
        return text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z';
}

/* As the second half of a sentence; a name or an acronym keeps its capital. */
static void say_remedy(struct sentence *sentence, const char *text)
{
        int len = len_of_clause(text);

        if (begins_with_word(text))
                say(sentence, "%c%.*s", text[0] - 'A' + 'a', len - 1, text + 1);
        else
                say(sentence, "%.*s", len, text);
}

static void say_requests(struct sentence *sentence, const struct facts *facts)
{
        if (facts->record->run.n_dropped)
                say(sentence, "the %s recorded requests", words_count(facts->n_requests).text);
        else if (facts->n_requests == 1)
                say(sentence, "this request");
        else
                say(sentence, "these %s requests", words_count(facts->n_requests).text);
}

static bool gains(const struct muster_finding *finding, const struct facts *facts)
{
        return finding->has_prediction &&
               (double)finding->wall_ns <= (double)facts->wall_ns * (1 - RANKING_LEAST_SHARE);
}

/* "with --concurrency 64", and "without --rate" as it is. */
static void say_option(struct sentence *sentence, const char *option)
{
        say(sentence, "%s%s ", option[0] == '-' ? "with " : "", option);
}

static void say_finding(struct sentence *sentence, const struct muster_finding *finding,
                        const struct facts *facts)
{
        say(sentence, "%.*s: ", len_without_stop(finding->title), finding->title);
        if (!gains(finding, facts)) {
                say_remedy(sentence, finding->remedy);
                say(sentence, ".");
                return;
        }
        if (finding->option) {
                say_option(sentence, finding->option);
        } else {
                say_remedy(sentence, finding->remedy);
                say(sentence, ", and ");
        }
        say_requests(sentence, facts);
        say(sentence, " %s take about %s instead of %s.", finding->is_best_case ? "could" : "would",
            words_ns(finding->wall_ns).text, words_ns(facts->wall_ns).text);
}

/* --- without one -------------------------------------------------------------------------------------------------- */

/* Which bounds are about the same thing as a part of the chain. */
static bool agrees(enum part part, const char *bound)
{
        static const char *const of_part[PART_N] = {
                [PART_INPUT] = "input",
                [PART_RATE] = "rate",
                [PART_QUEUE] = "slots server longest",
                [PART_BACKOFF] = "longest",
                [PART_DNS] = "slots names longest",
                [PART_TCP] = "slots longest",
                [PART_TLS] = "slots longest loop processor",
                [PART_SEND] = "slots longest loop",
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

                if (i > 0 && share_of(facts, part) < MENTION)
                        return;
                said[part] = true;
                say(sentence, "%s%s %s %s", i ? ", " : "",
                    words_share((double)facts->chain_ns[part], (double)facts->wall_ns).text,
                    i ? "into" : "went into", part_meaning(part));
        }
}

static void say_failures(struct sentence *sentence, const struct facts *facts)
{
        if (facts->n_failed)
                say(sentence, "%s of %s requests failed: ", words_count(facts->n_failed).text,
                    words_count(facts->n_requests).text);
}

static void say_all_failed(struct sentence *sentence, const struct facts *facts)
{
        if (facts->n_requests == 1)
                say(sentence, "The request");
        else
                say(sentence, "All %s requests", words_count(facts->n_requests).text);
        say(sentence, " failed, which says nothing about speed: find out first why, as the result "
                      "lines tell.");
}

static void say_time(struct sentence *sentence, const struct facts *facts,
                     const struct bound *bounds, size_t n_bounds)
{
        enum part part = largest(facts, (const bool[PART_N]){ false });

        say_failures(sentence, facts);
        say(sentence, "%s the %s ", sentence->len ? "of" : "Of", words_ns(facts->wall_ns).text);
        say_parts(sentence, facts);
        if (share_of(facts, part) >= MOST && is_backed(part, facts, bounds, n_bounds))
                say(sentence, ", and nothing stands out that would make it faster.");
        else
                say(sentence, ": mixed, no single change would make much of a difference.");
}

void verdict_write(char text[VERDICT_TEXT], const struct facts *facts,
                   const struct ranking *ranking, const struct bound *bounds, size_t n_bounds)
{
        struct sentence sentence = { .text = text };

        text[0] = '\0';
        if (ranking->n)
                say_finding(&sentence, &ranking->findings[0]->shown, facts);
        else if (facts->n_failed == facts->n_requests)
                say_all_failed(&sentence, facts);
        else
                say_time(&sentence, facts, bounds, n_bounds);
}
