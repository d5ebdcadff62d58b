/* SPDX-License-Identifier: MIT */
#include "finding.h"

#include <assert.h>
#include <base/minmax.h>
#include <base/str.h>
#include <explain/judgement.h>
#include <stdarg.h>
#include <stdio.h>

void finding_title(struct finding *finding, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(finding->title, FINDING_TEXT, format, arguments);
        va_end(arguments);
        finding->shown.title = finding->title;
}

void finding_evidence(struct finding *finding, const char *format, ...)
{
        va_list arguments;
        size_t n = finding->shown.n_evidence;

        assert(n <= MUSTER_EVIDENCE_MAX);
        if (n == MUSTER_EVIDENCE_MAX)
                return;
        va_start(arguments, format);
        vsnprintf(finding->evidence[n], FINDING_TEXT, format, arguments);
        va_end(arguments);
        finding->shown.evidence[n] = finding->evidence[n];
        finding->shown.n_evidence++;
}

void finding_remedy(struct finding *finding, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(finding->remedy, FINDING_TEXT, format, arguments);
        va_end(arguments);
        finding->shown.remedy = finding->remedy;
}

void finding_option(struct finding *finding, const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(finding->option, FINDING_TEXT, format, arguments);
        va_end(arguments);
        finding->shown.option = finding->option;
}

/* Into `text`; NULL where there is none. */
static const char *keep(char text[FINDING_TEXT], struct muster_str from)
{
        if (!from.len)
                return NULL;
        snprintf(text, FINDING_TEXT, "%.*s", STR_ARGS(from));
        return text;
}

void finding_site(struct finding *finding, const struct record *record, uint32_t site)
{
        const struct program_site *at = programs_site(&record->programs, site);
        struct muster_finding *shown = &finding->shown;

        if (!at || !at->file.len)
                return;
        shown->file = keep(finding->file, at->file);
        shown->function = keep(finding->function, at->function);
        shown->line = at->line;
}

/* The range holds what is expected, in whatever order its ends come. */
void finding_predict(struct finding *finding, uint64_t expected_ns, uint64_t low_ns,
        uint64_t high_ns)
{
        struct muster_finding *shown = &finding->shown;

        if (expected_ns == UINT64_MAX) /* a replay without memory */
                return;
        shown->has_prediction = true;
        shown->wall_ns = expected_ns;
        shown->wall_low_ns = low_ns < expected_ns ? low_ns : expected_ns;
        shown->wall_high_ns =
                high_ns > expected_ns && high_ns != UINT64_MAX ? high_ns : expected_ns;
        assert(shown->wall_low_ns <= expected_ns && shown->wall_high_ns >= expected_ns);
        shown->is_best_case = (double)shown->wall_high_ns > (double)expected_ns * PREDICTION_VAGUE;
}

/* What a simulation is off is no change. */
static uint64_t without_error(uint64_t ns, uint64_t wall_ns)
{
        return ns > wall_ns && (double)ns <= (double)wall_ns * REPLAY_SCATTER ? wall_ns : ns;
}

void finding_surround(struct finding *finding, const struct scatter *scatter,
        const struct facts *facts)
{
        struct muster_finding *shown = &finding->shown;
        uint64_t around_ns = facts->startup_ns + facts->ending_ns;
        uint64_t off_ns = whole_of((double)facts->startup_ns * scatter->loading) + facts->ending_ns;

        if (!shown->has_prediction || !around_ns)
                return;
        shown->wall_ns += around_ns;
        shown->wall_low_ns += around_ns - off_ns;
        shown->wall_high_ns += around_ns + off_ns;
        shown->is_best_case =
                (double)shown->wall_high_ns > (double)shown->wall_ns * PREDICTION_VAGUE;
}

void finding_settle(struct finding *finding, const struct scatter *scatter, uint64_t wall_ns)
{
        struct muster_finding *shown = &finding->shown;

        if (!shown->has_prediction)
                return;
        shown->wall_ns = without_error(shown->wall_ns, wall_ns);
        shown->wall_low_ns = min_u64(runs_differ_low_ns(shown->wall_low_ns),
                scatter_low_ns(scatter, shown->wall_ns));
        if (shown->wall_high_ns < wall_ns) /* else nothing is gained at worst */
                shown->wall_high_ns = min_u64(runs_differ_high_ns(shown->wall_high_ns), wall_ns);
        shown->wall_high_ns =
                max_u64(shown->wall_high_ns, scatter_high_ns(scatter, shown->wall_ns, wall_ns));
        assert(shown->wall_low_ns <= shown->wall_ns && shown->wall_ns < shown->wall_high_ns);
}
