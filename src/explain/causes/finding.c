/* SPDX-License-Identifier: MIT */
#include "finding.h"

#include <assert.h>
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

static uint64_t without_scatter(uint64_t ns, uint64_t wall_ns)
{
        return ns > wall_ns && (double)ns <= (double)wall_ns * REPLAY_SCATTER ? wall_ns : ns;
}

void finding_smooth(struct finding *finding, uint64_t wall_ns)
{
        struct muster_finding *shown = &finding->shown;

        shown->wall_low_ns = without_scatter(shown->wall_low_ns, wall_ns);
        shown->wall_ns = without_scatter(shown->wall_ns, wall_ns);
        shown->wall_high_ns = without_scatter(shown->wall_high_ns, wall_ns);
}
