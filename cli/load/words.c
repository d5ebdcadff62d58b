/* SPDX-License-Identifier: MIT */
/*
 * What a load run comes to, in sentences: the same on the page and in its object
 */
#include "page.h"

#include <base/words.h>
#include <math.h>

/* --- late starts ----------------------------------------------------------------------------- */

/* Most late starts had to wait for a slot. */
static bool waited_for_slots(const struct load_page *page)
{
        return page->stats->n_slot_waits * 2 >= page->load->n_late;
}

/* How many slots would have been enough; "" where these were. */
static void add_need(const struct load_page *page, char *text, size_t size)
{
        double needed = ceil(timeline_slots_needed(&page->load->timeline));

        if (needed > page->load->plan->concurrency)
                snprintf(text, size,
                        " -c %u is too small for this rate: at the worst time about %.0f would have been needed (rate x latency, Little's law), so use -c %.0f or more. Where the server is the limit, that shows its latency and not the wait here.",
                        page->load->plan->concurrency, needed, needed);
        else
                snprintf(text, size,
                        " All of -c %u were in use for a while; a larger -c shows the server's latency and not the wait here.",
                        page->load->plan->concurrency);
}

void load_words_late(const struct load_page *page, char text[LOAD_WORDS_MAX])
{
        const struct load *load = page->load;
        char need[LOAD_WORDS_MAX / 2] = "";

        text[0] = '\0';
        if (load->plan->per_s <= 0)
                return;
        if (!load->n_late) {
                snprintf(text, LOAD_WORDS_MAX, "none; each start was within %s of its plan",
                        words_ns(LOAD_LATE_NS).text);
                return;
        }
        if (waited_for_slots(page))
                add_need(page, need, sizeof(need));
        snprintf(text, LOAD_WORDS_MAX,
                "%s of %s (%s) by more than %s, p99 of these %s, max %s: %s.%s",
                words_count(load->n_late).text, words_count(load->n_started).text,
                words_share((double)load->n_late, (double)load->n_started).text,
                words_ns(LOAD_LATE_NS).text, words_ns(hist_quantile(&load->late, 0.99)).text,
                words_ns(load->late.max).text,
                waited_for_slots(page) ? "no slot was free"
                                       : "slots were free, and this program came late",
                need);
}

/* --- the ramp -------------------------------------------------------------------------------- */

static void say_what_began(const struct load_steps *steps, char *text, size_t size)
{
        const struct load_step *first = &steps->list[steps->first_bad], *last = first;
        uint64_t n_bad;

        for (unsigned i = steps->first_bad; i < steps->n; i++)
                if (steps->list[i].span.n) /* in which requests began */
                        last = &steps->list[i];
        n_bad = last->span.n_failed + last->span.n_refused;
        if (first->fault == STEP_ERRORS)
                snprintf(text, size, "errors began, and %s failed or were refused in the last step",
                        words_share((double)n_bad, (double)last->span.n).text);
        else if (first->fault == STEP_UNSTARTED)
                snprintf(text, size, "requests did not start before the run ended");
        else
                snprintf(text, size, "the median latency rose from %s to %s",
                        words_ns(steps->base_p50_ns).text,
                        words_ns(hist_quantile(&last->span.latency, 0.5)).text);
}

void load_words_ramp(const struct load_page *page, char text[LOAD_WORDS_MAX])
{
        const struct load_steps *steps = &page->load->steps;
        const struct load_step *last = steps->n ? &steps->list[steps->n - 1] : NULL;
        char began[LOAD_WORDS_MAX / 2];

        text[0] = '\0';
        if (!steps->list)
                return;
        if (!steps->is_known) {
                snprintf(text, LOAD_WORDS_MAX,
                        "too few requests succeeded at the low rates to judge the others");
                return;
        }
        if (steps->kept_up) {
                snprintf(text, LOAD_WORDS_MAX, "the server kept up throughout, to %s/s",
                        words_rate(last->to_per_s).text);
                return;
        }
        say_what_began(steps, began, sizeof(began));
        if (steps->is_our_limit)
                snprintf(text, LOAD_WORDS_MAX,
                        "-c %u kept up to about %s/s; from there on %s, as no slot was free. The server itself took no longer, so repeat this with a larger -c.",
                        page->load->plan->concurrency, words_rate(steps->kept_up_to).text, began);
        else if (!steps->first_bad)
                snprintf(text, LOAD_WORDS_MAX,
                        "the server did not keep up, not even with the first rates, below %s/s: %s",
                        words_rate(steps->list[0].to_per_s).text, began);
        else
                snprintf(text, LOAD_WORDS_MAX, "the server kept up to about %s/s; from there on %s",
                        words_rate(steps->kept_up_to).text, began);
}

/* --- whose figures --------------------------------------------------------------------------- */

void load_words_machine(const struct load_page *page, char text[LOAD_WORDS_MAX])
{
        const struct machine *machine = &page->load->machine;
        const char *of = machine->n_loops > 1 ? "loops were" : "loop was";
        double busy = machine_busy(machine) * 100, delayed = machine_delayed(machine) * 100;

        switch (machine_limit(machine)) {
        case MACHINE_LIMIT_BUSY:
                snprintf(text, LOAD_WORDS_MAX,
                        "the figures are this machine's and not only the server's: muster's %s busy %.0f %% of the time. %s",
                        of, busy,
                        machine->n_loops > 1
                                ? "Lower the rate, or share it among more machines."
                                : "Use --threads auto, lower the rate, or share it among more machines.");
                return;
        case MACHINE_LIMIT_DELAYED:
                snprintf(text, LOAD_WORDS_MAX,
                        "the figures are this machine's and not only the server's: muster waited %.0f %% of the time for a processor that others used. Stop what runs beside it, or measure from another machine.",
                        delayed);
                return;
        case MACHINE_LIMIT_LAG:
                snprintf(text, LOAD_WORDS_MAX,
                        "the figures are this machine's and not only the server's: %.0f %% of the requests' time responses were here and not yet read. Lower the rate, or use --threads auto.",
                        machine_lag(machine) * 100);
                return;
        case MACHINE_LIMIT_LATE:
                snprintf(text, LOAD_WORDS_MAX,
                        "the figures are this machine's and not only the server's: %s starts were late although slots were free. Lower the rate, or use --threads auto.",
                        words_count(machine->n_late_with_slots).text);
                return;
        case MACHINE_LIMIT_AWAY:
                snprintf(text, LOAD_WORDS_MAX,
                        "the highest percentiles are this machine's: muster's %s away for %s at once. Else it kept up: busy %.0f %%, waiting for a processor %.1f %% of the time.",
                        of, words_ns(machine->longest_turn_ns).text, busy, delayed);
                return;
        case MACHINE_FINE:
                snprintf(text, LOAD_WORDS_MAX,
                        "kept up: muster's %s busy %.0f %%, and waited for a processor %.1f %% of the time",
                        of, busy, delayed);
                return;
        }
}
