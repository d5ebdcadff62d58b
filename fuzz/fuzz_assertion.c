/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what a run is held to (--assert): what is accepted can be looked at, is shown in
 * words, and is read again as it was
 */
#include "fuzz.h"

#include "explain/assertion.h"
#include <base/mem.h>
#include <explain/figure.h>
#include <math.h>
#include <string.h>

/* Every figure that is accepted is one that a run has. */
static void check_figure(const struct assertion *assertion)
{
        /* One request that took 1 ms; it has no attempts. */
        static const struct record record;
        static const struct facts facts = {
                .record = &record, .wall_ns = 1000000, .end_ns = 1000000, .all = { .n_requests = 1 }
        };
        double value;

        FUZZ_CHECK(figure_of(&facts, assertion->figure, &value) == 0);
}

static void check_limit(const struct assertion *assertion)
{
        FUZZ_CHECK(isfinite(assertion->limit) && assertion->limit >= 0);
        FUZZ_CHECK(assertion_value(assertion->kind, assertion->limit).text[0]);
}

/* The same without the blanks around the figure and the value. */
static void check_again(const struct assertion *assertion)
{
        const char *at = assertion->text + strcspn(assertion->text, "<>");
        struct muster_error error = { 0 };
        struct assertion again;
        char text[200];

        FUZZ_CHECK(assertion->is_at_most == (*at == '<'));
        at += assertion->is_strict ? 1 : 2;
        at += strspn(at, " \t");
        snprintf(text, sizeof(text), "%s%s%s%.60s", assertion->figure,
                assertion->is_at_most ? "<" : ">", assertion->is_strict ? "" : "=", at);
        if (strlen(at) > 60)
                return;
        FUZZ_CHECK(assertion_parse(&again, text, &error) == 0);
        FUZZ_CHECK(strcmp(again.figure, assertion->figure) == 0);
        FUZZ_CHECK(again.kind == assertion->kind && again.is_strict == assertion->is_strict);
        FUZZ_CHECK(again.is_at_most == assertion->is_at_most && again.limit == assertion->limit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = mem_strndup((const char *)data, size);
        struct muster_error error = { 0 };
        struct assertion assertion;
        int r = assertion_parse(&assertion, text, &error);

        FUZZ_CHECK(r == (int)error.code && (r == 0 || error.text[0]));
        if (r == 0) {
                check_figure(&assertion);
                check_limit(&assertion);
                check_again(&assertion);
        }
        mem_free(text);
        return 0;
}
