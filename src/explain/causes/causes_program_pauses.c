/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: what they sleep for between their requests
 *
 * Nothing is under way, and nobody computes: the program waits because it is told to, for a server's
 * sake or for a poll. That is no matter of HTTP, and yet what makes it long; the line is known. Where
 * the server asks for it, by refusing, it is the server that is told of.
 */
#include "cause.h"

#include "library_words.h"
#include "program_served.h"
#include "program_told.h"
#include <base/minmax.h>
#include <base/str.h>
#include <explain/judgement.h>

#define OWN_BEAT 1.1

/* Does the program make requests in the function of that site? */
static bool makes_requests_there(const struct facts *facts, uint32_t site)
{
        const struct programs *programs = &facts->record->programs;
        const struct program_site *at = programs_site(programs, site);

        for (size_t i = 0; at && i < programs->n_calls; i++) {
                const uint32_t places[] = { programs->calls[i].site, programs->calls[i].caller };

                for (size_t k = 0; k < 2; k++) {
                        const struct program_site *other = programs_site(programs, places[k]);

                        if (other && str_eq(other->file, at->file) &&
                                str_eq(other->function, at->function))
                                return true;
                }
        }
        return false;
}

/*
 * The line at which it slept longest, among those of functions that make requests if there is one.
 * What sleeps elsewhere for longer than there was no request under way has its own beat.
 */
static uint32_t site_of_pauses(const struct facts *facts, uint64_t between_ns)
{
        const struct program_facts *program = facts->program;
        uint32_t most = 0;
        bool is_most_near = false;

        for (uint32_t site = 1; site < program->n_places; site++) {
                uint64_t ns = program->places[site].paused_ns;
                bool is_near = ns && makes_requests_there(facts, site);

                if (!ns || (is_near == is_most_near && ns <= program->places[most].paused_ns) ||
                        (!is_near && (is_most_near || (double)ns > (double)between_ns * OWN_BEAT)))
                        continue;
                most = site;
                is_most_near = is_near;
        }
        return most;
}

static bool was_refused(const struct facts *facts)
{
        uint64_t n = facts->all.n_statuses[429] + totals_n_statuses(&facts->all, 500, 599);

        return (double)n >= (double)facts->n_requests * REFUSALS_NOT_FEW;
}

static bool own_pauses(const struct facts *facts, struct finding *finding)
{
        uint64_t between_ns = facts->share_ns[PART_INPUT]; /* nothing was under way */
        enum library library = library_of(facts);
        uint32_t site = site_of_pauses(facts, between_ns);
        uint64_t paused_ns = facts->program->places[site].paused_ns;

        if (!site || !told_is_part(between_ns, facts->wall_ns, OWN_WORK_MATTERS) ||
                !told_is_part(paused_ns, between_ns, MOST_OF_TIME) || served_times(facts) ||
                was_refused(facts))
                return false;
        paused_ns = min_u64(paused_ns, between_ns);
        finding_site(finding, facts->record, site);
        finding_title(finding, "The program slept between its requests%s",
                told_at(facts, site).text);
        finding_evidence(finding, "for %s of the %s it slept there, and no request was under way",
                words_ns(paused_ns).text, words_ns(facts_told_wall_ns(facts)).text);
        finding_evidence(finding, "a request took %s", words_ns(facts->service.p50).text);
        finding_remedy(finding,
                "Sleep less there, or make other requests meanwhile, if the server allows it: %s keeps to a rate and sleeps no longer than that asks for.",
                library_words(library, LIBRARY_RATE, 10).text);
        finding->explained_ns = paused_ns;
        finding_predict(finding, facts->wall_ns - min_u64(paused_ns, facts->wall_ns - 1),
                facts->wall_ns - min_u64(paused_ns, facts->wall_ns - 1), facts->wall_ns);
        return true;
}

const struct cause causes_program_pauses[] = {
        { "own-pauses", MUSTER_GRADE_B, own_pauses, CAUSE_OF_PROGRAMS },
        { 0 },
};
