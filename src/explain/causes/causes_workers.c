/* SPDX-License-Identifier: MIT */
/*
 * Connections that the server does not serve, as it serves only so many at once
 *
 *      workers-held        its workers were held by connections that we kept idle
 *      connection-limit    its workers were busy with other connections of ours; or it closed those
 *                          that were too many
 *
 * In each the connections that are served answer at once. That tells them apart from a full server.
 */
#include "cause.h"

#include <explain/judgement.h>
#include <explain/measure/admission.h>
#include <explain/measure/conns.h>
#include <explain/measure/serving.h>
#include <explain/model/whatif.h>

/* --- waiting to be served -------------------------------------------------------------------- */

/*
 * No more connections than are served: none waits. A request that waited takes what others take on a
 * connection that is served.
 */
static void be_served(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct serving *serving = argument;

        (void)is_warm;
        if (!serving_waited(serving, facts, request->last))
                return;
        request->slot_ns[PART_TCP] = request->slot_ns[PART_NETWORK] = 0;
        if (request->slot_ns[PART_TLS] > serving->late_ns) /* the wait was for the handshake */
                request->slot_ns[PART_TLS] = 0;
        request->slot_ns[PART_SERVER] = serving->typical_ns;
}

static void predict(struct finding *finding, const struct facts *facts, struct serving *serving)
{
        uint64_t wall_ns = whatif_wall_ns(&(struct whatif){ .keeps_conns = true,
                                                  .per_host = serving->most,
                                                  .change = be_served,
                                                  .argument = serving },
                facts);

        finding_predict(finding, wall_ns, whole_of((double)wall_ns * (1 - GAIN_MISSED)),
                whole_of((double)wall_ns * SERVED_AT_WORST));
}

static void tell_waiting(struct finding *finding, const struct serving *serving)
{
        if (serving->n_waited)
                finding_evidence(finding,
                        "the server never served more than %s at once; the first response on %s others came only when another connection had ended, up to %s later",
                        words_counted(serving->most, "connection", "connections").text,
                        words_count(serving->n_waited).text, words_ns(serving->longest_ns).text);
        if (serving->n_unserved)
                finding_evidence(finding,
                        "%s got no response within a time limit (up to %s), each while %s were served, as many as ever were",
                        words_counted(serving->n_unserved, "connection", "connections").text,
                        words_ns(serving->longest_ns).text, words_count(serving->most).text);
        if (serving->n_idle_ends)
                finding_evidence(finding, "%s closed %s of these after they had been idle for %s",
                        serving->n_ended_by_server * 2 > serving->n_waited ? "the server"
                                                                           : "this client",
                        words_count(serving->n_idle_ends).text,
                        words_ns(serving->idle_ns.p50).text);
        if (serving->n_overtook && serving->typical_ns)
                finding_evidence(finding,
                        "meanwhile %s on connections that were served got a response, within %s as a rule: the server was not slow",
                        words_counted(serving->n_overtook, "later request", "later requests").text,
                        words_ns(serving->typical_ns).text);
}

/* Of a title: what the others did, up to the time that it took, and behind that. */
static const char *others_did(const struct serving *serving)
{
        return serving->n_waited ? "waited up to" : "got no response within";
}

static const char *others_waited_for(const struct serving *serving)
{
        return serving->n_waited ? " for their first response" : "";
}

static bool limit_is_there(struct serving *serving, const struct facts *facts)
{
        serving_of(serving, facts);
        return serving->is_limited &&
               (double)serving->longest_ns >= HERD_MATTERS * (double)facts->wall_ns;
}

static bool workers_held(const struct facts *facts, struct finding *finding)
{
        struct serving serving;

        if (!limit_is_there(&serving, facts) || !serving_is_idle(&serving))
                return false;
        finding_title(finding, "Idle connections held the server's %s: %s others %s %s%s",
                words_counted(serving.most, "worker", "workers").text,
                words_count(serving.n_waited + serving.n_unserved).text, others_did(&serving),
                words_ns(serving.longest_ns).text, others_waited_for(&serving));
        finding->n_failed_by_it = serving.n_failed;
        tell_waiting(finding, &serving);
        finding_remedy(finding,
                "Open no more connections than the server has workers; or let it close idle connections sooner, or give it more workers (a keep-alive timeout below a second; threads instead of processes).");
        finding_option(finding, "--per-host %llu", (unsigned long long)serving.most);
        finding->explained_ns = facts->chain_ns[PART_SERVER];
        predict(finding, facts, &serving);
        return true;
}

/* --- connection-limit ------------------------------------------------------------------------ */

static void tell_busy(const struct facts *facts, struct finding *finding, struct serving *serving)
{
        finding_title(finding, "The server serves only %s at once: %s others %s %s%s",
                words_counted(serving->most, "connection", "connections").text,
                words_count(serving->n_waited + serving->n_unserved).text, others_did(serving),
                words_ns(serving->longest_ns).text, others_waited_for(serving));
        finding->n_failed_by_it = serving->n_failed;
        tell_waiting(finding, serving);
        finding_remedy(finding,
                "Open no more connections than the server serves; or raise its limit (Apache: MaxRequestWorkers; a pool's number of threads).");
        finding_option(finding, "--per-host %llu", (unsigned long long)serving->most);
        finding->explained_ns = facts->chain_ns[PART_SERVER];
        predict(finding, facts, serving);
}

static void tell_turned_away(struct finding *finding, const struct facts *facts,
        const struct admission *admission)
{
        finding_title(finding,
                "The server takes no more than %s at once: it closed %s others before any response",
                words_counted(admission->most, "connection", "connections").text,
                words_count(admission->n_turned_away).text);
        finding_evidence(finding,
                "%s of these came while %s were open, as many as it ever served at once; it served all of %s that came while fewer were",
                words_count(admission->n_beyond).text, words_count(admission->most).text,
                words_count(admission->n_admitted).text);
        if (admission->n_failed)
                finding_evidence(finding, "%s of %s requests failed for it",
                        words_count(admission->n_failed).text, words_count(facts->n_requests).text);
        finding_remedy(finding,
                "Open no more connections than the server takes, and keep them; or raise its limit.");
        finding_option(finding, "--per-host %llu", (unsigned long long)admission->most);
        finding->n_failed_by_it = admission->n_failed;
        finding->explained_ns = facts->chain_ns[PART_BACKOFF] + facts->chain_ns[PART_TCP];
}

static bool connection_limit(const struct facts *facts, struct finding *finding)
{
        struct admission admission;
        struct serving serving;

        admission_of(&admission, facts);
        if (admission.is_limited) {
                tell_turned_away(finding, facts, &admission);
                return true;
        }
        if (!limit_is_there(&serving, facts) || serving_is_idle(&serving))
                return false;
        tell_busy(facts, finding, &serving);
        return true;
}

const struct cause causes_workers[] = {
        { "workers-held", MUSTER_GRADE_A, workers_held },
        { "connection-limit", MUSTER_GRADE_A, connection_limit },
        { 0 },
};
