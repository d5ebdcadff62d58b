/* SPDX-License-Identifier: MIT */
/*
 * Refused: answers that made us come again
 *
 * A server that says 429 counts requests: more slowly is the remedy. One that says 503 and when to come back is full: fewer at once is.
 * Whatever else was tried again (500, connections that broke) is a server in trouble, which none of our limits cures.
 */
#include "cause.h"

#include "life.h"
#include "sort.h"
#include <base/clock.h>
#include <base/mem.h>
#include <math.h>

#define NOT_FEW 0.02 /* of the attempts: less is no throttling, but an accident */
#define MUCH    0.1  /* of the wall time: worth to be told */
#define MARGIN  0.8  /* of what was let in: the server counts what is on its way, too */

enum refusal { REFUSED_NOT, REFUSED_TOO_MANY, REFUSED_FULL };

struct refusals {
        size_t n_too_many, n_full, n_let_in, n_final; /* final: the request ended with it */
        uint64_t backoff_ns, asked_ns;                /* asked: the longest Retry-After */
        uint64_t first_ns, last_ns;                   /* of those let in: from slot to end */
        uint64_t busy_ns;        /* at least one that was let in was under way */
        uint64_t let_in_at_once; /* with no more under way next to nothing was refused */
};

static enum refusal refusal_of(const struct trace_attempt *attempt)
{
        if (attempt->status == 429)
                return REFUSED_TOO_MANY;
        return attempt->status == 503 && attempt->retry_after_ns ? REFUSED_FULL : REFUSED_NOT;
}

static bool is_let_in(const struct trace_attempt *attempt)
{
        return attempt->stamps.slot_ns && attempt->status && !refusal_of(attempt);
}

static void count(struct refusals *refusals, const struct trace_attempt *attempt)
{
        enum refusal refusal = refusal_of(attempt);

        if (is_let_in(attempt)) {
                refusals->n_let_in++;
                if (!refusals->first_ns || attempt->stamps.slot_ns < refusals->first_ns)
                        refusals->first_ns = attempt->stamps.slot_ns;
                if (life_end_ns(attempt) > refusals->last_ns)
                        refusals->last_ns = life_end_ns(attempt);
        }
        if (!refusal)
                return;
        refusals->n_too_many += refusal == REFUSED_TOO_MANY;
        refusals->n_full += refusal == REFUSED_FULL;
        refusals->n_final += attempt->is_last;
        if (attempt->retry_after_ns > refusals->asked_ns)
                refusals->asked_ns = attempt->retry_after_ns;
}

/* The time during which something that was let in was under way. They are in the order of their numbers, nearly that of their slots. */
static uint64_t busy_ns(const struct record *record, struct sort_pair *lives)
{
        uint64_t busy_ns = 0, until_ns = 0;
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (is_let_in(&record->attempts[i]))
                        lives[n++] = (struct sort_pair){ record->attempts[i].stamps.slot_ns,
                                                         life_end_ns(&record->attempts[i]) };
        sort_pairs(lives, n);
        for (size_t i = 0; i < n; i++) {
                uint64_t from_ns = lives[i].key > until_ns ? lives[i].key : until_ns;

                if (lives[i].value <= from_ns)
                        continue;
                busy_ns += lives[i].value - from_ns;
                until_ns = lives[i].value;
        }
        return busy_ns;
}

/* Nearly all that were refused had more company than this. */
static uint64_t let_in_at_once(const struct record *record, struct sort_pair *refused)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_attempts; i++)
                if (refusal_of(&record->attempts[i]))
                        refused[n++] = (struct sort_pair){ record->attempts[i].in_flight, 0 };
        sort_pairs(refused, n);
        return n && refused[n / 50].key ? refused[n / 50].key - 1 : 0;
}

static void find_refusals(struct refusals *refusals, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct sort_pair *pairs = mem_array(record->n_attempts, sizeof(*pairs));

        *refusals = (struct refusals){ 0 };
        for (size_t i = 0; i < record->n_attempts; i++)
                count(refusals, &record->attempts[i]);
        if (pairs) {
                refusals->busy_ns = busy_ns(record, pairs);
                refusals->let_in_at_once = let_in_at_once(record, pairs);
        }
        mem_free(pairs);
}

/* --- throttled ---------------------------------------------------------------------------------------------------- */

static void tell_refusals(struct finding *finding, const struct facts *facts,
                          const struct refusals *refusals)
{
        if (refusals->n_too_many)
                finding_evidence(finding, "%s of %s answers were 429, \"too many requests\"",
                                 words_count(refusals->n_too_many).text,
                                 words_count(facts->n_attempts).text);
        if (refusals->n_full)
                finding_evidence(finding, "%s of %s answers were 503, \"unavailable\"",
                                 words_count(refusals->n_full).text,
                                 words_count(facts->n_attempts).text);
        if (refusals->asked_ns)
                finding_evidence(finding, "they asked to come again after up to %s",
                                 words_ns(refusals->asked_ns).text);
        finding_evidence(
                finding, "waiting before the next try was %s of the wall time",
                words_share((double)facts->chain_ns[PART_BACKOFF], (double)facts->wall_ns).text);
        if (refusals->n_final)
                finding_evidence(finding, "%s got no other answer in the end",
                                 words_counted(refusals->n_final, "request", "requests").text);
}

/*
 * All that it let in, over the time that this took: at this pace the server would have refused nothing, as whatever it lets in at once
 * (a bucket of tokens) is used up over the same time.
 */
static void remedy_rate(struct finding *finding, const struct facts *facts,
                        const struct refusals *refusals)
{
        double took_s = (double)(refusals->last_ns - refusals->first_ns) / (double)NS_PER_S;
        double rate = took_s > 0 ? (double)refusals->n_let_in / took_s : 0;
        double wall_ns;

        if (rate > 1)
                rate = floor(rate);
        if (rate <= 0) {
                finding_remedy(finding, "Ask for fewer a second (--rate).");
                return;
        }
        wall_ns = (double)facts->n_requests / rate * (double)NS_PER_S;
        finding_remedy(finding,
                       "Ask for no more than it lets in, %.4g a second: nothing is refused, and "
                       "nothing waits for another try.",
                       rate);
        finding_option(finding, "--rate %.4g/s", rate);
        finding_predict(finding, whole_of(wall_ns), whole_of(wall_ns), whole_of(wall_ns));
}

/* It works as fast with fewer in its queue, and nobody has to go away. */
static void remedy_fewer(struct finding *finding, const struct facts *facts,
                         const struct refusals *refusals)
{
        uint64_t limit = whole_of((double)refusals->let_in_at_once * MARGIN);
        double each_ns =
                refusals->n_let_in ? (double)refusals->busy_ns / (double)refusals->n_let_in : 0;
        uint64_t wall_ns = whole_of(each_ns * (double)facts->n_requests);

        if (!limit || !wall_ns) {
                finding_remedy(finding, "Ask for fewer at once (--concurrency).");
                return;
        }
        finding_remedy(finding,
                       "Ask for %s at once: with more than %s there it refused. It works as fast, "
                       "and nothing waits for another try.",
                       words_count(limit).text, words_count(refusals->let_in_at_once).text);
        finding_option(finding, "--concurrency %llu", (unsigned long long)limit);
        finding_predict(finding, wall_ns, wall_ns, wall_ns * 2);
}

static bool throttled(const struct facts *facts, struct finding *finding)
{
        struct refusals refusals;
        size_t n_refused;

        find_refusals(&refusals, facts);
        n_refused = refusals.n_too_many + refusals.n_full;
        if (!n_refused || (double)n_refused < (double)facts->n_attempts * NOT_FEW)
                return false;
        finding->n_failed_by_it = refusals.n_final;
        finding->explained_ns = facts->chain_ns[PART_BACKOFF];
        finding_title(finding, "The server refused %s of %s requests, as they were too many",
                      words_count(n_refused).text, words_count(facts->n_attempts).text);
        tell_refusals(finding, facts, &refusals);
        if (refusals.n_too_many >= refusals.n_full)
                remedy_rate(finding, facts, &refusals);
        else
                remedy_fewer(finding, facts, &refusals);
        return true;
}

/* --- tried again for other reasons -------------------------------------------------------------------------------- */

/* One attempt like the others, and no wait before it. */
static void spare_retries(struct replay_request *request, const struct facts *facts, void *argument)
{
        (void)facts;
        (void)argument;
        if (!request->backoff_ns || !request->n_attempts)
                return;
        for (int i = 0; i < PART_N; i++)
                request->slot_ns[i] /= request->n_attempts;
        request->loop_ns /= request->n_attempts;
        request->backoff_ns = 0;
        request->n_attempts = 1;
}

/* What the attempts that were tried again had come to: the status of most of them; 0: no answer. */
static int usual_status(const struct facts *facts, size_t *ret_n)
{
        const struct record *record = facts->record;
        size_t n[600] = { 0 };
        int most = 0;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                int status = attempt->status > 0 && attempt->status < 600 ? attempt->status : 0;

                if (attempt->outcome == TRACE_RETRIED && !refusal_of(attempt) &&
                    ++n[status] > n[most])
                        most = status;
        }
        *ret_n = 0;
        for (size_t i = 0; i < 600; i++)
                *ret_n += n[i];
        return most;
}

static bool retries(const struct facts *facts, struct finding *finding)
{
        struct replay replay;
        size_t n_retried;
        int status = usual_status(facts, &n_retried);
        uint64_t wall_ns;

        if (!n_retried || (double)n_retried < (double)facts->n_attempts * NOT_FEW ||
            (double)facts->chain_ns[PART_BACKOFF] < (double)facts->wall_ns * MUCH)
                return false;
        replay_init(&replay, facts);
        replay.change = spare_retries;
        wall_ns = replay_wall_ns(&replay, facts);
        finding->explained_ns = facts->chain_ns[PART_BACKOFF];
        finding_title(finding, "%s of %s requests had to be made again, after a wait",
                      words_count(n_retried).text, words_count(facts->n_attempts).text);
        if (status)
                finding_evidence(finding, "most of them were answered with status %d", status);
        else
                finding_evidence(finding, "most of them got no answer");
        finding_evidence(
                finding,
                "the waits before another try add up to %s; %s of the wall time went into them",
                words_ns(facts->phase[MUSTER_PHASE_BACKOFF].sum).text,
                words_share((double)facts->chain_ns[PART_BACKOFF], (double)facts->wall_ns).text);
        finding_evidence(finding, "an answer itself took %s", words_ns(facts->service.p50).text);
        finding_remedy(finding, "Find out at the server why it fails; with fewer failures the time "
                                "of the waits is gained.");
        finding_predict(finding, wall_ns, wall_ns, facts->wall_ns);
        return true;
}

const struct cause causes_refused[] = {
        { "throttled", MUSTER_GRADE_A, throttled },
        { "retries", MUSTER_GRADE_A, retries },
        { 0 },
};
