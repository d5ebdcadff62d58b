/* SPDX-License-Identifier: MIT */
/*
 * Names and addresses
 *
 *      dns-uncached       the same names were looked up again and again
 *      dns-loss           lookups took what the resolver waits before it asks again; or the
 *                         50 ms that it waits for the other family
 *      dns-slow           they took long, and neither of these
 *      ipv6-broken        the first address did not answer: each connection lost 250 ms
 *                         before the next one was tried
 *      localhost          the first address of localhost refused
 *      address-refused    that of any other name did
 *
 * The name of a host that is asked for by its address or as localhost is not looked up: none of the
 * first three.
 */
#include "cause.h"

#include <base/clock.h>
#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/dialling.h>
#include <explain/measure/lookups.h>
#include <explain/model/whatif.h>
#include <stdio.h>

/* Nobody wants to write down the addresses of more names than these. */
#define RESOLVE_OPTIONS_MAX 3

/* --- names ----------------------------------------------------------------------------------- */

/* How much of the wall time requests waited for names: the larger of the two accounts. */
static uint64_t dns_ns(const struct facts *facts)
{
        uint64_t chain_ns = facts->chain_ns[PART_DNS], share_ns = facts->share_ns[PART_DNS];

        return chain_ns > share_ns ? chain_ns : share_ns;
}

static bool matters(const struct facts *facts)
{
        return (double)dns_ns(facts) >= NAMES_MATTER * (double)facts->wall_ns;
}

/* `argument` is the share of that time which is left. */
static void forget_dns(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const double *share = argument;

        (void)facts;
        (void)is_warm;
        request->slot_ns[PART_DNS] = whole_of((double)request->slot_ns[PART_DNS] * *share);
}

static uint64_t wall_with_share_ns(const struct facts *facts, double share)
{
        return whatif_wall_ns(&(struct whatif){ .change = forget_dns, .argument = &share }, facts);
}

/* At best no time is left of it, at worst GAIN_MISSED. */
static void predict_known(struct finding *finding, const struct facts *facts)
{
        uint64_t wall_ns = wall_with_share_ns(facts, 0);

        finding_predict(finding, wall_ns, wall_ns, wall_with_share_ns(facts, GAIN_MISSED));
}

/* "192.0.2.1" of "192.0.2.1:80". */
static struct muster_str address_of(struct muster_str remote)
{
        return origin_host(remote);
}

/* The connection to an origin that came about; NULL: none did. */
static const struct trace_conn *conn_to(const struct record *record, uint32_t origin)
{
        for (size_t i = 0; i < record->n_conns; i++)
                if (record->conns[i].origin == origin && record->conns[i].tcp_end_ns &&
                        record->conns[i].remote.len && !record->conns[i].proxy)
                        return &record->conns[i];
        return NULL;
}

/* For few hosts the addresses can be given on the command line. */
static void add_resolve_options(struct finding *finding, const struct record *record)
{
        char text[FINDING_TEXT] = "";
        size_t len = 0;

        if (record->n_origins > RESOLVE_OPTIONS_MAX)
                return;
        for (uint32_t number = 1; number <= record->n_origins; number++) {
                const struct trace_conn *conn = conn_to(record, number);
                struct muster_str authority = origin_authority(origin_key(record, number));

                if (!conn || len >= sizeof(text) / 2)
                        return;
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s--resolve %.*s:%.*s",
                        len ? " " : "", STR_ARGS(authority), STR_ARGS(address_of(conn->remote)));
        }
        if (len && len < sizeof(text))
                finding_option(finding, "%s", text);
}

static void add_cost(struct finding *finding, const struct facts *facts)
{
        finding_evidence(finding, "requests waited for DNS for %s of %s wall time, %s",
                words_ns(dns_ns(facts)).text, words_ns(facts->wall_ns).text,
                words_share((double)dns_ns(facts), (double)facts->wall_ns).text);
}

/* Repeated lookups took most of the time of all lookups. */
static bool is_uncached(const struct lookups *lookups)
{
        return lookups->n_again &&
               (double)lookups->again_ns > (double)lookups->took_ns.sum * MOST_OF_TIME;
}

static bool is_loss(const struct lookups *lookups)
{
        return (double)lookups->n_lost > (double)lookups->n * LOOKUPS_LOST ||
               lookups->n_without_family;
}

static bool dns_uncached(const struct facts *facts, struct finding *finding)
{
        struct lookups lookups;

        if (!matters(facts) || lookups_of(&lookups, facts) < 0 || !is_uncached(&lookups) ||
                is_loss(&lookups))
                return false;
        finding_title(finding,
                "The same names were looked up again and again: %s lookups where %s would do",
                words_count(lookups.n).text, words_count(lookups.n_names).text);
        finding_evidence(finding,
                "%s lookups asked for a name that was known before (such as \"%.*s\") and took %s in total: the TTL of the answer is short",
                words_count(lookups.n_again).text, STR_ARGS(lookups.name),
                words_ns(lookups.again_ns).text);
        add_cost(finding, facts);
        finding_remedy(finding,
                "Ask the owner of the name for a TTL of 60 s or more, use a caching name server nearby, or give the address with --resolve.");
        add_resolve_options(finding, facts->record);
        predict_known(finding, facts);
        /* Where requests come at their own pace, each takes longer and the run hardly does. */
        finding->explained_ns = facts->share_ns[PART_DNS];
        return true;
}

static void describe_loss(struct finding *finding, const struct lookups *lookups)
{
        if (lookups->n_lost)
                finding_evidence(finding,
                        "%s of %s lookups took a multiple of 2 s, the slowest %s: that is when the resolver repeats an unanswered question",
                        words_count(lookups->n_lost).text, words_count(lookups->n).text,
                        words_ns(lookups->took_ns.max).text);
        if (lookups->n_without_family)
                finding_evidence(finding,
                        "%s requests waited 50 ms for an answer about the other address family (IPv6 or IPv4) and then continued without it",
                        words_count(lookups->n_without_family).text);
        if (lookups->n_begun > lookups->n)
                finding_evidence(finding, "%s of %s lookups were still not complete at the end",
                        words_count(lookups->n_begun - lookups->n).text,
                        words_count(lookups->n_begun).text);
}

static bool dns_loss(const struct facts *facts, struct finding *finding)
{
        struct lookups lookups;

        if (!matters(facts) || lookups_of(&lookups, facts) < 0 || !is_loss(&lookups))
                return false;
        finding_title(finding, "The name server did not answer %s",
                lookups.n_lost ? "the first question, which was repeated after 2 s"
                               : "the question for the other address family (IPv4 or IPv6)");
        describe_loss(finding, &lookups);
        add_cost(finding, facts);
        finding_remedy(finding,
                "Use another name server (--dns-server ADDRESS), or repair this one or the path to it; for a few hosts give the address with --resolve.");
        add_resolve_options(finding, facts->record);
        predict_known(finding, facts);
        return true;
}

static bool dns_slow(const struct facts *facts, struct finding *finding)
{
        struct lookups lookups;

        if (!matters(facts) || lookups_of(&lookups, facts) < 0 || !lookups.n ||
                is_uncached(&lookups) || is_loss(&lookups))
                return false;
        finding_title(finding, "The name server took %s for a lookup",
                words_ns(lookups.took_ns.p50).text);
        if (lookups.n == 1)
                finding_evidence(finding, "the lookup of \"%.*s\" took %s", STR_ARGS(lookups.name),
                        words_ns(lookups.took_ns.p50).text);
        else
                finding_evidence(finding, "%s lookups took %s to %s, half of them more than %s",
                        words_count(lookups.n).text, words_ns(lookups.took_ns.min).text,
                        words_ns(lookups.took_ns.max).text, words_ns(lookups.took_ns.p50).text);
        add_cost(finding, facts);
        finding_remedy(finding,
                "Use a faster name server (--dns-server ADDRESS), best a caching one on this machine or in its network; for a few hosts give the address with --resolve.");
        add_resolve_options(finding, facts->record);
        predict_known(finding, facts);
        return true;
}

/* --- addresses ------------------------------------------------------------------------------- */

struct race {
        size_t n, n_lost; /* connections; of these such whose first address did not do */
        uint64_t lost_ns; /* by it, together */
        const struct trace_conn *conn;
};

/* `lost` says what a connection lost. */
static void race_of(struct race *race, const struct record *record,
        uint64_t (*lost)(const struct trace_conn *conn))
{
        *race = (struct race){ .n = record->n_conns };
        for (size_t i = 0; i < record->n_conns; i++) {
                uint64_t ns = lost(&record->conns[i]);

                if (!ns)
                        continue;
                race->n_lost++;
                race->lost_ns += ns;
                race->conn = &record->conns[i];
        }
}

/* The address that answers is tried first. With --resolve its name is not looked up either. */
static void first_address(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);
        const bool *is_given = argument;
        uint64_t *tcp_ns = &request->slot_ns[PART_TCP];
        uint64_t lost_ns;

        (void)is_warm;
        if (*is_given)
                request->slot_ns[PART_DNS] = 0;
        if (!conn || !request->n_conns)
                return;
        lost_ns = (conn_silence_ns(conn) + conn_refusal_ns(conn)) * request->n_conns;
        *tcp_ns -= lost_ns < *tcp_ns ? lost_ns : *tcp_ns;
}

static bool race_matters(const struct race *race, const struct facts *facts)
{
        return race->n_lost && (double)race->lost_ns >= NAMES_MATTER * (double)facts->service.sum;
}

static void predict_first(struct finding *finding, const struct facts *facts)
{
        bool is_given = true;
        struct whatif whatif = { .change = first_address, .argument = &is_given };
        uint64_t wall_ns = whatif_wall_ns(&whatif, facts);

        is_given = false;
        finding_predict(finding, wall_ns, wall_ns, whatif_wall_ns(&whatif, facts));
}

static void add_address_option(struct finding *finding, const struct race *race,
        const struct record *record)
{
        struct muster_str authority = origin_authority(origin_key(record, race->conn->origin));

        finding_option(finding, "--resolve %.*s:%.*s", STR_ARGS(authority),
                STR_ARGS(address_of(race->conn->remote)));
}

static bool ipv6_broken(const struct facts *facts, struct finding *finding)
{
        const struct record *record = facts->record;
        struct muster_str host;
        struct race race;

        race_of(&race, record, conn_silence_ns);
        if (!race_matters(&race, facts))
                return false;
        host = origin_host(origin_key(record, race.conn->origin));
        finding_title(finding,
                "The name %.*s has an %s address that does not respond, and it is tried first",
                STR_ARGS(host), race.conn->family == 4 ? "IPv6" : "unreachable");
        finding_evidence(finding,
                "%s of %s connections waited 250 ms for one address before they tried the next, %.*s, which connected at once",
                words_count(race.n_lost).text, words_count(race.n).text,
                STR_ARGS(race.conn->remote));
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)race.lost_ns, (double)facts->service.sum).text);
        finding_remedy(finding,
                "Repair the path to that address or remove it from the name's records; or give the working address with --resolve.");
        add_address_option(finding, &race, record);
        predict_first(finding, facts);
        return true;
}

static bool is_localhost(const struct record *record, const struct race *race)
{
        return race->conn &&
               str_is_nocase(origin_host(origin_key(record, race->conn->origin)), "localhost");
}

static bool tell_refused(const struct facts *facts, struct finding *finding, bool wants_localhost)
{
        const struct record *record = facts->record;
        struct muster_str host;
        struct race race;

        race_of(&race, record, conn_refusal_ns);
        if (!race_matters(&race, facts) || is_localhost(record, &race) != wants_localhost)
                return false;
        host = origin_host(origin_key(record, race.conn->origin));
        finding_title(finding,
                "The first address of %.*s refuses connections, and each new one tries it first",
                STR_ARGS(host));
        finding_evidence(finding,
                "%s of %s connections were refused by one address and then opened to %.*s",
                words_count(race.n_lost).text, words_count(race.n).text,
                STR_ARGS(race.conn->remote));
        finding_evidence(finding, "this was %s of the time that requests were in flight",
                words_share((double)race.lost_ns, (double)facts->service.sum).text);
        finding_remedy(finding,
                "Use the working address, %.*s, instead of the name, or let the server listen on both.",
                STR_ARGS(address_of(race.conn->remote)));
        add_address_option(finding, &race, record);
        predict_first(finding, facts);
        return true;
}

static bool localhost(const struct facts *facts, struct finding *finding)
{
        return tell_refused(facts, finding, true);
}

static bool address_refused(const struct facts *facts, struct finding *finding)
{
        return tell_refused(facts, finding, false);
}

const struct cause causes_names[] = {
        { "dns-uncached", MUSTER_GRADE_A, dns_uncached },
        { "dns-loss", MUSTER_GRADE_B, dns_loss },
        { "dns-slow", MUSTER_GRADE_A, dns_slow },
        { "ipv6-broken", MUSTER_GRADE_B, ipv6_broken },
        { "localhost", MUSTER_GRADE_A, localhost },
        { "address-refused", MUSTER_GRADE_A, address_refused },
        { 0 },
};
