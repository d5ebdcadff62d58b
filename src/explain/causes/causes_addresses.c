/* SPDX-License-Identifier: MIT */
/*
 * Addresses: the first one of a host's is not the one that connects
 *
 *      ipv6-broken        addresses of IPv6 did not answer, and one of IPv4 did
 *      address-silent     an address did not answer, and another one did
 *      localhost          the first address of localhost refused
 *      address-refused    that of any other name did
 *
 * Each connection loses what measure/races.h says. These rules stand on the addresses that were
 * tried, one by one; where the record does not have them, they say nothing.
 */
#include "cause.h"

#include "library_words.h"
#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/races.h>
#include <explain/model/whatif.h>
#include <stdio.h>

/* Nobody wants to write down the addresses of more names than these. */
#define RESOLVE_OPTIONS_MAX 3

/* --- what it costs --------------------------------------------------------------------------- */

/* The address that connects is tried first. With --resolve its name is not looked up either. */
static void first_address(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, request->last);
        const bool *is_given = argument;
        uint64_t *tcp_ns = &request->slot_ns[PART_TCP];
        struct race race;
        uint64_t lost_ns;

        (void)is_warm;
        if (!conn || !request->n_conns)
                return;
        race_of(&race, facts->record, conn);
        if (race.fault == RACE_WON_AT_ONCE)
                return;
        if (*is_given)
                request->slot_ns[PART_DNS] = 0;
        lost_ns = race.lost_ns * request->n_conns;
        *tcp_ns -= lost_ns < *tcp_ns ? lost_ns : *tcp_ns;
}

static uint64_t wall_ns(const struct facts *facts, bool is_given)
{
        return whatif_wall_ns(&(struct whatif){ .change = first_address, .argument = &is_given },
                facts);
}

static void predict(struct finding *finding, const struct facts *facts, bool is_given)
{
        uint64_t with_lookup_ns = wall_ns(facts, false);
        uint64_t expected_ns = is_given ? wall_ns(facts, true) : with_lookup_ns;

        finding_predict(finding, expected_ns, expected_ns, with_lookup_ns);
}

/* --- what to do ------------------------------------------------------------------------------ */

/* "192.0.2.1" of "192.0.2.1:80". */
static struct muster_str without_port(struct muster_str address)
{
        return origin_host(address);
}

/* The winner of a race to this host's name; NULL: there was none. */
static const struct trace_try *winner_at(const struct record *record, uint32_t origin,
        enum race_fault fault)
{
        for (size_t i = 0; i < record->n_conns; i++) {
                struct race race;

                if (race_origin(&record->conns[i]) != origin)
                        continue;
                race_of(&race, record, &record->conns[i]);
                if (race.fault == fault)
                        return race.winner;
        }
        return NULL;
}

/* One for each host and port; false: there are too many. */
static bool add_resolve_options(struct finding *finding, const struct record *record,
        const struct races *races, enum race_fault fault)
{
        char text[FINDING_TEXT] = "";
        size_t len = 0, n = 0;

        for (uint32_t origin = 1; origin <= record->n_origins; origin++) {
                struct muster_str authority = origin_authority(origin_key(record, origin));
                const struct trace_try *winner;

                if (!races->is_concerned[origin] || !(winner = winner_at(record, origin, fault)))
                        continue;
                if (++n > RESOLVE_OPTIONS_MAX || len >= sizeof(text) / 2)
                        return false;
                len += (size_t)snprintf(text + len, sizeof(text) - len, "%s--resolve %.*s:%.*s",
                        len ? " " : "", STR_ARGS(authority),
                        STR_ARGS(without_port(winner->address)));
        }
        if (!len || len >= sizeof(text))
                return false;
        finding_option(finding, "%s", text);
        return true;
}

/* The other family alone: for many names, all of whose silent addresses are of one. */
static const char *family_option(const struct races *races, enum race_fault fault)
{
        if (fault == RACE_SILENT_IPV6)
                return "-4";
        return races->are_all_ipv4 && races->are_won_by_ipv6 ? "-6" : NULL;
}

/* `cure` is what the owner of the names can do. */
static void remedy(struct finding *finding, const struct facts *facts, const struct races *races,
        enum race_fault fault, const char *cure)
{
        const char *family = family_option(races, fault);
        bool is_one = races->n_names == 1;

        if (races->n_names > 1 && family) {
                finding_option(finding, "%s", family);
                finding_remedy(finding, "Use %s addresses only (%s); or %s.",
                        family[1] == '4' ? "IPv4" : "IPv6",
                        library_or_own(facts, family,
                                family[1] == '4' ? "family=socket.AF_INET"
                                                 : "family=socket.AF_INET6"),
                        cure);
                predict(finding, facts, false);
                return;
        }
        if (add_resolve_options(finding, facts->record, races, fault)) {
                finding_remedy(finding, "Give the address that works %s%s; or %s.",
                        library_or_own(facts, "with --resolve", "in /etc/hosts"),
                        is_one ? "" : ", for each of these names", cure);
                predict(finding, facts, true);
                return;
        }
        finding_remedy(finding, "%c%s; there are too many names to give an address for each (%s).",
                cure[0] - 'a' + 'A', cure + 1, library_or_own(facts, "--resolve", "/etc/hosts"));
        predict(finding, facts, false);
}

/* --- how it is known ------------------------------------------------------------------------- */

static const char *said(const struct trace_try *try)
{
        switch ((enum trace_fate)try->fate) {
        case TRACE_TRY_REFUSED:
                return "refused the connection";
        case TRACE_TRY_UNREACHABLE:
                return "could not be reached";
        case TRACE_TRY_OVERTAKEN:
        case TRACE_TRY_TIMED_OUT:
                return "did not answer within 250 ms";
        case TRACE_TRY_FAILED:
        case TRACE_TRY_CONNECTED:
        case TRACE_TRY_STOPPED:
        case TRACE_TRY_DENIED:
        case TRACE_N_FATES:
                break;
        }
        return "failed";
}

static struct muster_str host_of(const struct facts *facts, const struct races *races)
{
        const struct trace_conn *conn = record_conn(facts->record, races->first->conn);

        return origin_host(origin_key(facts->record, conn ? race_origin(conn) : 0));
}

static void tell(struct finding *finding, const struct facts *facts, const struct races *races)
{
        struct muster_str host = host_of(facts, races);

        finding_evidence(finding, "%.*s %s, %s; %.*s, tried after it, connected in %s",
                STR_ARGS(without_port(races->first->address)), said(races->first),
                words_counted(races->n_first, "time", "times").text,
                STR_ARGS(without_port(races->winner->address)),
                words_ns(races->connected_ns.p50).text);
        if (races->n_addresses > 1)
                finding_evidence(finding, "so did %s, %s together",
                        words_counted(races->n_addresses - 1, "other address", "other addresses")
                                .text,
                        words_counted(races->n - races->n_first, "time", "times").text);
        if (races->n_all_names > 1)
                finding_evidence(finding, "it concerns %s of %s, %s%.*s, and %s of %s connections",
                        words_count(races->n_names).text,
                        words_counted(races->n_all_names, "name", "names").text,
                        races->n_names > 1 ? "such as " : "", STR_ARGS(host),
                        words_count(races->n).text, words_count(races->n_conns).text);
        else
                finding_evidence(finding, "it concerns %s of %s connections to %.*s",
                        words_count(races->n).text, words_count(races->n_conns).text,
                        STR_ARGS(host));
        finding_evidence(finding,
                "each lost %s on average, in total %s of the time that requests were in flight",
                words_ns(races->lost_ns / races->n).text,
                words_share((double)races->lost_ns, (double)facts->service.sum).text);
}

static bool matter(const struct races *races, const struct facts *facts)
{
        return races->n && (double)races->lost_ns >= NAMES_MATTER * (double)facts->service.sum;
}

/* --- rules ----------------------------------------------------------------------------------- */

static void title_silent(struct finding *finding, const struct facts *facts,
        const struct races *races, const char *kind)
{
        struct muster_str host = host_of(facts, races);

        if (races->n_names > 1)
                finding_title(finding,
                        "%s names have an%s address that does not respond, and it is tried first",
                        words_count(races->n_names).text, kind);
        else
                finding_title(finding,
                        "The name %.*s has an%s address that does not respond, %.*s, and it is tried first",
                        STR_ARGS(host), kind, STR_ARGS(without_port(races->first->address)));
}

static bool tell_silent(const struct facts *facts, struct finding *finding, enum race_fault fault)
{
        struct races races;
        bool is_found = races_of(&races, facts, fault) == 0 && matter(&races, facts);

        if (is_found) {
                title_silent(finding, facts, &races, fault == RACE_SILENT_IPV6 ? " IPv6" : "");
                tell(finding, facts, &races);
                remedy(finding, facts, &races, fault,
                        races.n_names > 1
                                ? "ask the owners of these names to repair those addresses, or to remove them from the names' records"
                                : "ask the owner of the name to repair that address, or to remove it from the name's records");
        }
        races_deinit(&races);
        return is_found;
}

static bool ipv6_broken(const struct facts *facts, struct finding *finding)
{
        return tell_silent(facts, finding, RACE_SILENT_IPV6);
}

static bool address_silent(const struct facts *facts, struct finding *finding)
{
        return tell_silent(facts, finding, RACE_SILENT);
}

static bool tell_refused(const struct facts *facts, struct finding *finding, bool wants_localhost)
{
        struct races races;
        bool is_found = races_of(&races, facts, RACE_REFUSED) == 0 && matter(&races, facts) &&
                        str_is_nocase(host_of(facts, &races), "localhost") == wants_localhost;

        if (is_found) {
                if (races.n_names > 1)
                        finding_title(finding,
                                "The first address of %s names refuses connections, and each new one tries it first",
                                words_count(races.n_names).text);
                else
                        finding_title(finding,
                                "The first address of %.*s refuses connections, and each new one tries it first",
                                STR_ARGS(host_of(facts, &races)));
                tell(finding, facts, &races);
                remedy(finding, facts, &races, RACE_REFUSED, "let the server listen on both");
        }
        races_deinit(&races);
        return is_found;
}

static bool localhost(const struct facts *facts, struct finding *finding)
{
        return tell_refused(facts, finding, true);
}

static bool address_refused(const struct facts *facts, struct finding *finding)
{
        return tell_refused(facts, finding, false);
}

const struct cause causes_addresses[] = {
        { "ipv6-broken", MUSTER_GRADE_A, ipv6_broken },
        { "address-silent", MUSTER_GRADE_A, address_silent },
        { "localhost", MUSTER_GRADE_A, localhost },
        { "address-refused", MUSTER_GRADE_A, address_refused },
        { 0 },
};
