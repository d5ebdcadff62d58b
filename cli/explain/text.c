/* SPDX-License-Identifier: MIT */
/*
 * The page for people
 *
 * What to do comes first, then how the run was, where its time went, and what was found, each with
 * its evidence. Whoever reads it does not know this program: every figure has a unit, every word
 * its meaning.
 */
#include "page.h"

#include <base/buf.h>
#include <base/minmax.h>
#include <base/words.h>
#include <math.h>
#include <string.h>

#define PARTS_MAX    32
#define SHOWN_SHARE  0.01 /* parts below this are told together */
#define AGREE_SHARE  0.7  /* of the wall time: less, and the two accounts tell different stories */
#define SAME_SHARE   0.02 /* a change of the wall time that is none */
#define BOUNDS_SHOWN 2
#define MANY_TIMES   20 /* as fast: a larger factor is not told */

/* --- the run --------------------------------------------------------------------------------- */

static void print_gaps(const struct page *page, const struct muster_run *run)
{
        if (run->is_going_on)
                page_paragraph(page, 0,
                        "The run is still being recorded. This covers the part recorded so far.");
        else if (!run->is_complete)
                page_paragraph(page, 0,
                        "The run was cut short. This covers the part that was recorded.");
        else if (run->n_cancelled)
                page_paragraph(page, 0, "The run was cut short: %s cancelled.",
                        words_counted(run->n_cancelled, "request was", "requests were").text);
        if (run->n_dropped)
                page_paragraph(page, 0,
                        "%s missing from the record: they came faster than they could be written, or only the newest are kept. The figures do not include them.",
                        words_counted(run->n_dropped, "entry is", "entries are").text);
}

/* "; all succeeded", or how they ended. */
static void say_endings(char *text, size_t size, const struct muster_run *run)
{
        uint64_t n_refused = run->n_4xx + run->n_5xx;
        int n;

        if (run->n_succeeded == run->n_requests) {
                snprintf(text, size, "all succeeded");
                return;
        }
        n = snprintf(text, size, "%s succeeded", words_count(run->n_succeeded).text);
        if (n_refused)
                n += snprintf(text + n, size - (size_t)n, ", %s answered 4xx or 5xx",
                        words_count(n_refused).text);
        if (run->n_failed)
                snprintf(text + n, size - (size_t)n, ", %s failed%s",
                        words_count(run->n_failed).text,
                        !run->n_cancelled    ? ""
                        : run->n_failed == 1 ? " or was cancelled"
                                             : " or were cancelled");
}

static void print_requests(const struct page *page, const struct muster_explanation *explanation,
        const struct muster_run *run)
{
        struct muster_watched watched;
        char endings[256], to[80] = "";

        say_endings(endings, sizeof(endings), run);
        if (muster_explanation_watched(explanation, &watched, sizeof(watched)) == 0)
                snprintf(to, sizeof(to), " to %s",
                        words_counted(watched.n_hosts, "host", "hosts").text);
        page_row(page, 0, "requests", "%s%s in %s, %.*f/s; %s", words_count(run->n_requests).text,
                to, words_ns(run->wall_ns - run->startup_ns - run->ending_ns).text,
                run->requests_per_s < 100, run->requests_per_s, endings);
}

static void print_traffic(const struct page *page, const struct muster_run *run)
{
        bool has_cpu = run->process_cpu_ns > 0;

        page_row(page, 0, "also", "%s opened; %s, %s; %s received%s%s%s",
                words_counted(run->n_conns_opened, "connection", "connections").text,
                words_counted(run->n_retries, "retry", "retries").text,
                words_counted(run->n_redirects, "redirect", "redirects").text,
                words_bytes(run->wire_bytes).text, has_cpu ? "; " : "",
                has_cpu ? words_ns(run->process_cpu_ns).text : "", has_cpu ? " of CPU time" : "");
}

/*
 * Where some failed it has to be said that they are not in it: they were given up, or refused at
 * once.
 */
static void print_latency(const struct page *page, const struct muster_run *run)
{
        if (run->n_failed == run->n_requests)
                return;
        page_row(page, 0, "latency", "p50 %s, p99 %s, mean %s (%stime in the queue not counted)",
                words_ns(run->latency_p50_ns).text, words_ns(run->latency_p99_ns).text,
                words_ns(run->latency_mean_ns).text,
                run->n_failed ? "requests without an error; " : "");
}

/* A program that was watched has no limit of ours. */
static void print_in_flight(const struct page *page, const struct muster_explanation *explanation,
        const struct muster_run *run)
{
        double most = 0;

        if (run->concurrency) {
                page_row(page, 0, "at once", "%.*f in flight on average, limit %llu",
                        run->mean_in_flight < 9.95, run->mean_in_flight,
                        (unsigned long long)run->concurrency);
                return;
        }
        muster_explanation_figure(explanation, "concurrency.max", &most);
        page_row(page, 0, "at once", "%.*f in flight on average, %.0f at most",
                run->mean_in_flight < 9.95, run->mean_in_flight, most);
}

static void print_run(const struct page *page, const struct muster_explanation *explanation,
        const struct muster_run *run)
{
        fputc('\n', page->to);
        page_print_programs(page, explanation);
        print_requests(page, explanation, run);
        print_in_flight(page, explanation, run);
        print_latency(page, run);
        print_traffic(page, run);
}

/* --- where the time went --------------------------------------------------------------------- */

/* One kind of waiting or work, in both accounts. */
struct spent {
        const char *meaning;
        uint64_t ns[2]; /* by enum muster_account */
};

struct account {
        struct spent rows[PARTS_MAX];
        size_t n;
        uint64_t wall_ns;
};

static struct spent *spent_of(struct account *account, const char *meaning)
{
        for (size_t i = 0; i < account->n; i++)
                if (strcmp(account->rows[i].meaning, meaning) == 0)
                        return &account->rows[i];
        if (account->n == PARTS_MAX)
                return NULL;
        account->rows[account->n].meaning = meaning;
        return &account->rows[account->n++];
}

static void collect_parts(struct account *account, const struct muster_explanation *explanation,
        enum muster_account kind)
{
        const struct muster_part *part;

        for (size_t i = 0; (part = muster_explanation_part(explanation, kind, i)); i++) {
                struct spent *to = part->ns ? spent_of(account, part->meaning) : NULL;

                if (to)
                        to->ns[kind] += part->ns;
        }
}

static double share(const struct account *account, uint64_t ns)
{
        return account->wall_ns ? (double)ns / (double)account->wall_ns : 0;
}

/* "2.49 s  99 %", or nothing where there was nothing. */
static void print_cell(const struct page *page, const struct account *account, uint64_t ns)
{
        char percent[24];

        snprintf(percent, sizeof(percent), "%.0f %%", share(account, ns) * 100);
        if (ns && share(account, ns) < 0.005)
                snprintf(percent, sizeof(percent), "<1 %%");
        fprintf(page->to, "%11s%7s", ns ? words_ns(ns).text : "-", ns ? percent : "");
}

static void print_part(const struct page *page, const struct account *account, const char *meaning,
        const uint64_t ns[2])
{
        int width = (int)page->width - 2 - 2 * 18 - 2;
        int length = (int)text_columns(meaning, strlen(meaning));

        if (length > width) { /* on a line of its own */
                page_paragraph(page, 2, "%s", meaning);
                fprintf(page->to, "  %*s", width, "");
        } else {
                fprintf(page->to, "  %s%*s", meaning, width - length, "");
        }
        for (int kind = 0; kind < 2; kind++)
                print_cell(page, account, ns[kind]);
        fputc('\n', page->to);
}

static void print_parts(const struct page *page, const struct account *account)
{
        uint64_t rest[2] = { 0, 0 };

        for (size_t i = 0; i < account->n; i++) {
                const struct spent *one = &account->rows[i];

                if (share(account, one->ns[0]) >= SHOWN_SHARE ||
                        share(account, one->ns[1]) >= SHOWN_SHARE) {
                        print_part(page, account, one->meaning, one->ns);
                        continue;
                }
                rest[0] += one->ns[0];
                rest[1] += one->ns[1];
        }
        if (rest[0] || rest[1])
                print_part(page, account, "everything else", rest);
}

/* How much of the wall time both accounts give to the same. */
static double agreement(const struct account *account)
{
        uint64_t common_ns = 0;

        for (size_t i = 0; i < account->n; i++) {
                const uint64_t *ns = account->rows[i].ns;

                common_ns += min_u64(ns[0], ns[1]);
        }
        return share(account, common_ns);
}

static void print_time(const struct page *page, const struct muster_explanation *explanation,
        const struct muster_run *run)
{
        struct account account = { .wall_ns = run->kept_wall_ns };
        char title[80];

        collect_parts(&account, explanation, MUSTER_ACCOUNT_CHAIN);
        collect_parts(&account, explanation, MUSTER_ACCOUNT_SHARES);
        if (!account.n)
                return;
        snprintf(title, sizeof(title), "Where the %s went", words_ns(run->kept_wall_ns).text);
        page_heading(page, title);
        fprintf(page->to, "%*s%18s%18s\n", (int)page->width - 2 * 18 - 2, "", "critical path",
                "all requests");
        print_parts(page, &account);
        page_paragraph(page, 2,
                "Critical path: the chain of events, walked back from the last result, that decided when the run ended. All requests: each moment divided among all requests in flight. Each column adds up to the whole time.");
        if (agreement(&account) >= AGREE_SHARE)
                return;
        page_paragraph(page, 2,
                "The columns differ a lot here: the end of the run did not depend on what most requests waited for. To finish sooner, work on the critical path.");
}

/* --- bounds ---------------------------------------------------------------------------------- */

/* A word about the resource where the formula does not say it. */
static const char *bound_note(const char *name)
{
        static const char *const notes[][2] = {
                { "rate", " (the requested rate)" },
                { "link", " (the best rate seen on the network)" },
                { "server", " (the best rate seen from the server)" },
        };

        for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
                if (strcmp(name, notes[i][0]) == 0)
                        return notes[i][1];
        return "";
}

static void print_bounds(const struct page *page, const struct muster_explanation *explanation)
{
        const struct muster_bound *bound = muster_explanation_bound(explanation, 0);
        struct muster_watched watched;

        if (!bound)
                return;
        /* What a watched program does around its requests comes to that. */
        page_heading(page, muster_explanation_watched(explanation, &watched, sizeof(watched)) == 0
                                   ? "With this setup its requests could not have been faster than"
                                   : "With this setup it could not have been faster than");
        for (size_t i = 0; i < BOUNDS_SHOWN; i++) {
                bound = muster_explanation_bound(explanation, i);
                if (bound)
                        page_row(page, 2, words_ns(bound->ns).text, "%s%s%s",
                                i ? "next limit: " : "", bound->formula, bound_note(bound->name));
        }
}

/* --- findings -------------------------------------------------------------------------------- */

static const char *grade_words(const struct muster_finding *finding)
{
        switch (finding->grade) {
        case MUSTER_GRADE_A:
                return "certain: counted";
        case MUSTER_GRADE_B:
                return "very likely: a duration with hardly any other cause";
        case MUSTER_GRADE_C:
                return finding->option ? "likely; --confirm tests it" : "likely, not proven";
        }
        return "";
}

static void print_remedy(const struct page *page, const struct muster_finding *finding)
{
        static const char without[] = "without ";
        const char *option = finding->option;

        if (finding->remedy)
                page_row(page, 3, "do", "%s", finding->remedy);
        if (!option || (finding->remedy && strstr(finding->remedy, option)))
                return;
        if (strncmp(option, without, strlen(without)) == 0)
                page_row(page, 3, "option", "leave out %s", option + strlen(without));
        else
                page_row(page, 3, "option", "%s", option);
}

/*
 * ": 13 times as fast", ": 47 % less". The larger a factor the less it is worth: nobody needs to
 * know whether it is 80 or 800.
 */
static void gain_words(char text[60], const struct muster_finding *finding, uint64_t now_ns)
{
        const char *at_best = finding->is_best_case ? "at best " : "";
        double ratio = finding->wall_ns ? (double)now_ns / (double)finding->wall_ns : 0;

        if (ratio > MANY_TIMES)
                snprintf(text, 60, ": %smore than %d times as fast", at_best, MANY_TIMES);
        else if (ratio >= 2)
                snprintf(text, 60, ": %s%.*f times as fast", at_best, ratio < 10, ratio);
        else if (ratio > 1)
                snprintf(text, 60, ": %s%.0f %% less", at_best, 100 - 100 / ratio);
        else
                text[0] = '\0';
}

static void print_prediction(const struct page *page, const struct muster_finding *finding,
        const struct muster_run *run)
{
        double change = fabs((double)run->wall_ns - (double)finding->wall_ns);
        const struct words range = words_range_ns(finding->wall_low_ns, finding->wall_high_ns);
        char gain[60];

        if (!finding->has_prediction)
                return;
        gain_words(gain, finding, run->kept_wall_ns);
        if (change < SAME_SHARE * (double)run->kept_wall_ns)
                page_row(page, 3, "expect", "the run takes about as long (%s)", range.text);
        else
                page_row(page, 3, "expect", "about %s (%s) instead of %s%s",
                        words_ns(finding->wall_ns).text, range.text, words_ns(run->wall_ns).text,
                        gain);
}

/* Where a watched program has to change. */
static void print_line(const struct page *page, const struct muster_finding *finding)
{
        const char *function = finding->function;

        if (!finding->file)
                return;
        if (function) /* Python has "<module>" */
                page_row(page, 3, "line", "%s:%u, in %s%s", finding->file, finding->line, function,
                        function[0] == '<' ? "" : "()");
        else
                page_row(page, 3, "line", "%s:%u", finding->file, finding->line);
}

static void print_evidence(const struct page *page, const struct muster_finding *finding)
{
        for (size_t i = 0; i < finding->n_evidence; i++)
                page_row(page, 3, i ? "" : "evidence", "%s", finding->evidence[i]);
}

/* The verdict has the title. */
static void print_failures(const struct page *page, const struct muster_explanation *explanation)
{
        const struct muster_finding *failures = muster_explanation_failures(explanation);

        if (!failures)
                return;
        page_heading(page, "What failed");
        print_evidence(page, failures);
        print_remedy(page, failures);
}

static void print_title(const struct page *page, const char *title)
{
        page_bold(page, true);
        page_wrap(page, 3, 3, title);
        page_bold(page, false);
}

static void print_finding(const struct page *page, const struct muster_finding *finding, size_t n,
        const struct muster_run *run)
{
        fputc('\n', page->to);
        fprintf(page->to, "%zu. ", n);
        print_title(page, finding->title);
        print_evidence(page, finding);
        print_line(page, finding);
        page_row(page, 3, "how sure", "%s", grade_words(finding));
        if (finding->is_client)
                page_row(page, 3, "note",
                        "this machine or program was the limit; the run says little about the server");
        print_remedy(page, finding);
        print_prediction(page, finding, run);
}

static void print_findings(const struct page *page, const struct muster_explanation *explanation,
        const struct muster_run *run)
{
        const struct muster_finding *finding;

        for (size_t i = 0; (finding = muster_explanation_finding(explanation, i)); i++) {
                if (i == 0)
                        page_heading(page, "Findings, largest gain first");
                print_finding(page, finding, i + 1, run);
        }
}

/* --- the page -------------------------------------------------------------------------------- */

void page_print(const struct page *page, const struct muster_explanation *explanation)
{
        struct muster_run run;

        muster_explanation_run(explanation, &run, sizeof(run));
        page_bold(page, true);
        page_wrap(page, 0, 0, muster_explanation_verdict(explanation));
        page_bold(page, false);
        print_gaps(page, &run);
        print_run(page, explanation, &run);
        print_failures(page, explanation);
        print_time(page, explanation, &run);
        print_bounds(page, explanation);
        print_findings(page, explanation, &run);
}

void page_print_confirmation(const struct page *page, const struct confirmation *confirmation)
{
        struct buf words = { 0 };

        page_heading(page, "Tried");
        if (confirm_words(confirmation, &words) == 0 && buf_terminate(&words) == 0)
                page_paragraph(page, 2, "%s", words.at);
        buf_deinit(&words);
}
