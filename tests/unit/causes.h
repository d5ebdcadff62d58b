/* SPDX-License-Identifier: MIT */
/*
 * Does a cause's rule say yes to a record?
 */
#ifndef TESTS_UNIT_CAUSES_H
#define TESTS_UNIT_CAUSES_H

#include "record_maker.h"
#include "unit.h"
#include <explain/facts_measure.h>
#include <explain/causes/cause.h>
#include <explain/ranking.h>
#include <string.h>

static inline const struct cause *cause_named(const struct cause *causes, const char *name)
{
        for (; causes->name; causes++)
                if (strcmp(causes->name, name) == 0)
                        return causes;
        fail_msg("no cause is called %s", name);
        return NULL;
}

/*
 * What explain does with a rule; then it is worth a line, and everything that is shown has to be
 * there. The record is the caller's.
 */
static inline bool cause_is_found(const struct record *record, const struct cause *causes,
        const char *name, struct finding *finding)
{
        const struct cause *cause = cause_named(causes, name);
        struct facts facts;
        bool is_found;

        *finding = (struct finding){ .shown.cause = name, .shown.grade = cause->grade };
        assert_int_equal(facts_measure(&facts, record), 0);
        is_found = cause_is_about(cause, &facts) && cause->rule(&facts, finding);
        if (is_found) {
                assert_non_null(finding->shown.title);
                /* The verdict begins with it, and puts a full stop after it. */
                assert_true(finding->title[0] < 'a' || finding->title[0] > 'z');
                assert_null(strstr(finding->title, ". "));
                assert_non_null(finding->shown.remedy);
                assert_true(finding->shown.n_evidence > 0);
                assert_true(ranking_worth_ns(finding, &facts) > 0);
        }
        facts_deinit(&facts);
        return is_found;
}

/* Of a record that is made for it, and ended. */
static inline bool cause_is_made(const struct record_maker *maker, const struct cause *causes,
        const char *name, struct finding *finding)
{
        struct record record;
        bool is_found;

        assert_int_equal(record_make(&record, maker), 0);
        is_found = cause_is_found(&record, causes, name, finding);
        record_deinit(&record);
        return is_found;
}

/* A prediction, and within a tenth of that. */
static inline void assert_predicted(const struct finding *finding, uint64_t wall_ns)
{
        assert_true(finding->shown.has_prediction);
        assert_in_range(finding->shown.wall_ns, wall_ns - wall_ns / 10, wall_ns + wall_ns / 10);
        assert_true(finding->shown.wall_low_ns <= finding->shown.wall_ns);
        assert_true(finding->shown.wall_high_ns >= finding->shown.wall_ns);
}

static inline void make(struct record *record, const struct record_maker *maker)
{
        assert_int_equal(record_make(record, maker), 0);
}

static inline bool is_found(const struct record *record, const struct cause *causes,
        const char *name)
{
        struct finding finding;

        return cause_is_found(record, causes, name, &finding);
}

#endif
