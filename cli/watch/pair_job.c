/* SPDX-License-Identifier: MIT */
/*
 * Whether two programs do the same job
 *
 * What a program asks and prints is only held against the other's if it is the same in two runs of
 * its own: one that prints times, or has random numbers in its URLs, differs from itself.
 */
#include "pair.h"

#include <base/words.h>

#define SHOWN 100 /* bytes of a line */

static bool is_steady(const struct buf *first, const struct buf *second)
{
        struct job_difference own;

        return job_differ(first, second, &own) == 0 && !own.n_only_a && !own.n_only_b;
}

static bool are_steady(const struct pair *pair, bool of_output)
{
        for (size_t i = 0; i < 2; i++) {
                const struct job *jobs = pair->arms[i].jobs;

                if (jobs[0].is_incomplete || jobs[1].is_incomplete ||
                        !is_steady(of_output ? &jobs[0].output : &jobs[0].requests,
                                of_output ? &jobs[1].output : &jobs[1].requests))
                        return false;
        }
        return true;
}

struct shown {
        char text[SHOWN + 4];
};

/* A line as it can be shown. */
static struct shown shown(struct muster_str line)
{
        struct shown shown = { "" };
        size_t n = 0;

        for (; n < line.len && n < SHOWN; n++)
                shown.text[n] =
                        (unsigned char)line.at[n] < ' ' || line.at[n] == 0x7f ? '?' : line.at[n];
        if (n < line.len)
                snprintf(shown.text + n, sizeof(shown.text) - n, "...");
        return shown;
}

static enum sameness sameness_of(const struct pair *pair, bool of_output,
        struct job_difference *ret_difference)
{
        const struct job *a = &pair->arms[0].jobs[0], *b = &pair->arms[1].jobs[0];

        *ret_difference = (struct job_difference){ 0 };
        if (!are_steady(pair, of_output) ||
                job_differ(of_output ? &a->output : &a->requests,
                        of_output ? &b->output : &b->requests, ret_difference) < 0)
                return SAMENESS_UNKNOWN;
        return ret_difference->n_only_a || ret_difference->n_only_b ||
                               (of_output && a->n_output != b->n_output)
                       ? SAMENESS_NO
                       : SAMENESS_YES;
}

enum sameness pair_requests(const struct pair *pair)
{
        struct job_difference difference;
        const struct pair_arm *a = &pair->arms[0], *b = &pair->arms[1];

        /* Those that were left out, or not seen, may be others. */
        if (!a->jobs[0].requests.len || !b->jobs[0].requests.len || a->jobs[0].n_left_out ||
                b->jobs[0].n_left_out)
                return SAMENESS_UNKNOWN;
        return sameness_of(pair, false, &difference);
}

enum sameness pair_output(const struct pair *pair)
{
        struct job_difference difference;

        return sameness_of(pair, true, &difference);
}

static void say_only(const char *letter, uint64_t n, struct muster_str first, const char *thing,
        const char *things, struct remarks *remarks)
{
        if (n)
                remarks_add(remarks, "Only %s has %s: %s%s", letter,
                        words_counted(n, thing, things).text, shown(first).text,
                        n > 1 ? " and others" : "");
}

static void say_requests(const struct pair *pair, struct remarks *remarks)
{
        struct job_difference difference;

        if (sameness_of(pair, false, &difference) != SAMENESS_NO)
                return;
        remarks_add(remarks, "They do not ask for the same URLs.");
        say_only("A", difference.n_only_a, difference.first_a, "request", "requests", remarks);
        say_only("B", difference.n_only_b, difference.first_b, "request", "requests", remarks);
}

static void say_output(const struct pair *pair, struct remarks *remarks)
{
        struct job_difference difference;

        if (sameness_of(pair, true, &difference) != SAMENESS_NO)
                return;
        remarks_add(remarks, "They do not print the same: %s and %s.",
                words_bytes(pair->arms[0].jobs[0].n_output).text,
                words_bytes(pair->arms[1].jobs[0].n_output).text);
        say_only("A", difference.n_only_a, difference.first_a, "line", "lines", remarks);
        say_only("B", difference.n_only_b, difference.first_b, "line", "lines", remarks);
}

void pair_say_job(const struct pair *pair, struct remarks *remarks)
{
        bool has_output = pair->arms[0].jobs[0].n_output || pair->arms[1].jobs[0].n_output;

        say_requests(pair, remarks);
        say_output(pair, remarks);
        if (pair_requests(pair) == SAMENESS_YES && pair_output(pair) == SAMENESS_YES)
                remarks_add(remarks, has_output ? "They make the same requests and print the same."
                                                : "They make the same requests.");
        else if (has_output && pair_output(pair) == SAMENESS_UNKNOWN)
                remarks_add(remarks,
                        "What they print differs from run to run, so it was not compared.");
}
