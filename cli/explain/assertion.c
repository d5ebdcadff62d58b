/* SPDX-License-Identifier: MIT */
#include "assertion.h"

#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define FIGURE_SHOWN 17 /* of one that is not known: "concurrency.p99.9" */

/* --- figures --------------------------------------------------------------------------------- */

static const struct {
        const char *name;
        enum assertion_kind kind;
} singles[] = {
        { "wall", ASSERTION_DURATION },
        { "rate", ASSERTION_RATE },
        { "error.rate", ASSERTION_SHARE },
        { "requests", ASSERTION_NUMBER },
        { "failed", ASSERTION_NUMBER },
        { "retries", ASSERTION_NUMBER },
        { "redirects", ASSERTION_NUMBER },
        { "connects", ASSERTION_NUMBER },
        { "concurrency.mean", ASSERTION_NUMBER },
        { "concurrency.max", ASSERTION_NUMBER },
};

static bool is_any_of(struct muster_str text, const char *const *words)
{
        for (; *words; words++)
                if (str_is(text, *words))
                        return true;
        return false;
}

/*
 * "p95", "p99.9": as the library takes it (src/explain/figure.c), or a figure would be accepted
 * here that it then does not have.
 */
static bool is_quantile(struct muster_str text)
{
        char digits[8], *end;

        if (text.len < 2 || text.len > sizeof(digits) || text.at[0] != 'p' ||
                !char_is_digit(text.at[1]) || !char_is_digit(text.at[text.len - 1]))
                return false;
        memcpy(digits, text.at + 1, text.len - 1);
        digits[text.len - 1] = '\0';
        return strspn(digits, "0123456789.") == text.len - 1 && strtod(digits, &end) <= 100 &&
               !*end;
}

/* A duration that each request has. */
static bool is_duration(struct muster_str name)
{
        static const char *const names[] = { "latency", "network", "server", NULL };
        bool is_known = is_any_of(name, names);

        for (int i = 0; !is_known && i < MUSTER_N_PHASES; i++)
                is_known = str_is(name, muster_phase_name((enum muster_phase)i));
        return is_known;
}

/* "queue.p95": a duration that each request has, and a statistic of it. */
static bool is_of_each(struct muster_str figure)
{
        static const char *const statistics[] = { "mean", "min", "max", NULL };
        struct muster_str name;

        str_split(&figure, '.', &name);
        return is_duration(name) && (is_any_of(figure, statistics) || is_quantile(figure));
}

static int unknown_statistic(struct muster_str figure, struct muster_str name,
        struct muster_error *error)
{
        bool is_long = figure.len > FIGURE_SHOWN;

        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "no figure \"%.*s%s\"; %.*s has mean, min, max, p50 (median), p95, p99.9 and so on; for example %.*s.p95<5ms",
                is_long ? FIGURE_SHOWN : (int)figure.len, figure.at, is_long ? "..." : "",
                (int)name.len, name.at, (int)name.len, name.at);
}

/* What fits into an error; the manual has all of it. */
static int unknown_figure(struct muster_str figure, struct muster_error *error)
{
        struct muster_str rest = figure, name;
        bool is_long = figure.len > FIGURE_SHOWN;

        str_split(&rest, '.', &name);
        if (is_duration(name))
                return unknown_statistic(figure, name, error);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "no figure \"%.*s%s\"; known: wall rate error.rate requests failed retries redirects connects concurrency.mean concurrency.max; .p95 of latency network server queue backoff dns tcp tls send wait lag receive decode process deliver",
                is_long ? FIGURE_SHOWN : (int)figure.len, figure.at, is_long ? "..." : "");
}

static int set_figure(struct assertion *assertion, struct muster_str figure,
        struct muster_error *error)
{
        bool is_known = is_of_each(figure);

        assertion->kind = ASSERTION_DURATION;
        for (size_t i = 0; !is_known && i < sizeof(singles) / sizeof(singles[0]); i++) {
                is_known = str_is(figure, singles[i].name);
                assertion->kind = singles[i].kind;
        }
        if (!is_known || figure.len >= sizeof(assertion->figure))
                return unknown_figure(figure, error);
        memcpy(assertion->figure, figure.at, figure.len);
        assertion->figure[figure.len] = '\0';
        return 0;
}

/* --- values ---------------------------------------------------------------------------------- */

static const struct {
        const char *unit;
        enum assertion_kind kind;
        double factor;
} units[] = {
        { "ns", ASSERTION_DURATION, 1 },
        { "us", ASSERTION_DURATION, 1e3 },
        { "ms", ASSERTION_DURATION, 1e6 },
        { "s", ASSERTION_DURATION, 1e9 },
        { "min", ASSERTION_DURATION, 60e9 },
        { "h", ASSERTION_DURATION, 3600e9 },
        { "/s", ASSERTION_RATE, 1 },
        { "/min", ASSERTION_RATE, 1 / 60.0 },
        { "/m", ASSERTION_RATE, 1 / 60.0 },
        { "/h", ASSERTION_RATE, 1 / 3600.0 },
        { "%", ASSERTION_SHARE, 0.01 },
        { "", ASSERTION_NUMBER, 1 },
};

static int bad_value(const struct assertion *assertion, const char *value,
        struct muster_error *error)
{
        static const char *const wanted[] = {
                [ASSERTION_DURATION] = "is a duration; write 500us, 5ms, 2s or 1.5min",
                [ASSERTION_RATE] = "is a rate; write 100/s or 30/min",
                [ASSERTION_SHARE] = "is a share; write 1% or 0.5%",
                [ASSERTION_NUMBER] = "is a number; write 10 or 2.5",
        };

        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%.40s\": %s %s", value,
                assertion->figure, wanted[assertion->kind]);
}

/* strtod() takes more than digits and a point: signs, exponents, hexadecimal, "inf". */
static bool parse_number(const char *value, double *ret_number, struct muster_str *ret_unit)
{
        size_t len = strspn(value, "0123456789.");
        char digits[32], *end;

        if (!len || len >= sizeof(digits))
                return false;
        memcpy(digits, value, len);
        digits[len] = '\0';
        *ret_number = strtod(digits, &end);
        *ret_unit = str_trim(str_of(value + len));
        return !*end && end != digits;
}

static int set_limit(struct assertion *assertion, const char *value, struct muster_error *error)
{
        struct muster_str unit;
        double number;

        if (!parse_number(value, &number, &unit))
                return bad_value(assertion, value, error);
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                if (units[i].kind != assertion->kind || !str_is(unit, units[i].unit))
                        continue;
                assertion->limit = number * units[i].factor;
                return 0;
        }
        if (unit.len || number > 0) /* 0 is 0 in every unit */
                return bad_value(assertion, value, error);
        assertion->limit = 0;
        return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

int assertion_parse(struct assertion *assertion, const char *text, struct muster_error *error)
{
        size_t len = strcspn(text, "<>=!");
        const char *at = text + len;
        int r;

        *assertion = (struct assertion){ .text = text };
        if (*at != '<' && *at != '>')
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "\"%.60s\" is not an assertion; write a figure, one of < <= > >=, and a value: queue.p95<5ms",
                        text);
        r = set_figure(assertion, str_trim((struct muster_str){ text, len }), error);
        if (r < 0)
                return r;
        assertion->is_at_most = *at++ == '<';
        assertion->is_strict = *at != '=';
        at += !assertion->is_strict;
        return set_limit(assertion, at + strspn(at, " \t"), error);
}

static bool holds(const struct assertion *assertion)
{
        if (isnan(assertion->actual))
                return false;
        if (assertion->actual == assertion->limit)
                return !assertion->is_strict;
        return (assertion->actual < assertion->limit) == assertion->is_at_most;
}

int assertion_check(struct assertion *assertion, const struct muster_explanation *explanation)
{
        int r = muster_explanation_figure(explanation, assertion->figure, &assertion->actual);

        assertion->holds = r == 0 && holds(assertion);
        return r;
}

struct words assertion_value(enum assertion_kind kind, double value)
{
        struct words words = { "" };

        switch (kind) {
        case ASSERTION_DURATION:
                if (value >= 0x1p64) /* a limit may be any number of hours */
                        return words_ns(UINT64_MAX);
                return words_ns(value > 0 ? (uint64_t)(value + 0.5) : 0);
        case ASSERTION_RATE:
                snprintf(words.text, sizeof(words.text), value < 99.95 ? "%.3g/s" : "%.0f/s",
                        value);
                return words;
        case ASSERTION_SHARE:
                snprintf(words.text, sizeof(words.text), "%.3g %%", value * 100);
                return words;
        case ASSERTION_NUMBER:
                snprintf(words.text, sizeof(words.text), "%.3g", value);
                return words;
        }
        return words;
}

/* --- several --------------------------------------------------------------------------------- */

int assertions_add(struct assertions *assertions, const char *text, struct muster_error *error)
{
        struct assertion *list = mem_realloc(assertions->list, (assertions->n + 1) * sizeof(*list));
        int r;

        if (!list)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        assertions->list = list;
        r = assertion_parse(&list[assertions->n], text, error);
        if (r == 0)
                assertions->n++;
        return r;
}

void assertions_deinit(struct assertions *assertions)
{
        mem_free(assertions->list);
        *assertions = (struct assertions){ 0 };
}

bool assertions_check(struct assertions *assertions, const struct muster_explanation *explanation)
{
        bool all_hold = true;

        for (size_t i = 0; i < assertions->n; i++)
                if (assertion_check(&assertions->list[i], explanation) < 0 ||
                        !assertions->list[i].holds)
                        all_hold = false;
        return all_hold;
}

void assertions_tell(const struct assertions *assertions, FILE *to)
{
        for (size_t i = 0; i < assertions->n; i++) {
                const struct assertion *one = &assertions->list[i];

                if (isnan(one->actual))
                        fprintf(to,
                                "muster: assert %s: FAILED, nothing to measure because every request failed\n",
                                one->text);
                else
                        fprintf(to, "muster: assert %s: %s, it was %s\n", one->text,
                                one->holds ? "holds" : "FAILED",
                                assertion_value(one->kind, one->actual).text);
        }
}
