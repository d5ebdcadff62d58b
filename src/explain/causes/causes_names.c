/* SPDX-License-Identifier: MIT */
/*
 * Names
 *
 *      dns-uncached       the same names were looked up again and again
 *      names-again        ... by a program that was watched
 *      dns-loss           lookups took what the resolver waits before it asks again; or the
 *                         50 ms that it waits for the other family
 *      dns-slow           they took long, and neither of these
 *
 * The name of a host that is asked for by its address or as localhost is not looked up: none of the
 * first three.
 */
#include "cause.h"

#include "library_words.h"
#include <base/clock.h>
#include <base/minmax.h>
#include <base/str.h>
#include <explain/facts/program.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/measure/lookups.h>
#include <explain/model/whatif.h>
#include <stdio.h>
#include <string.h>

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

/*
 * A loop that wakes up for each answer of a name server has less to do where they come together, as
 * WORK_TOGETHER says. One lookup is left, for which all wait.
 */
static void know_together(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const double *work = argument;

        (void)facts;
        (void)is_warm;
        request->slot_ns[PART_DNS] = 0;
        request->loop_ns = whole_of((double)request->loop_ns * *work);
}

static uint64_t wall_of_known_ns(const struct facts *facts, double work, uint64_t lookup_ns)
{
        struct whatif whatif = { .change = know_together, .argument = &work };
        uint64_t wall_ns = whatif_wall_ns(&whatif, facts);

        return wall_ns == UINT64_MAX ? UINT64_MAX : min_u64(wall_ns + lookup_ns, facts->wall_ns);
}

static void predict_cached(struct finding *finding, const struct facts *facts, uint64_t lookup_ns)
{
        uint64_t wall_ns = wall_of_known_ns(facts, WORK_TOGETHER, lookup_ns);

        finding_predict(finding, wall_ns, wall_ns, wall_of_known_ns(facts, 1, lookup_ns));
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

/*
 * The name servers of --dns-server, if the command that made the record had it: its words are a JSON
 * array, with options in full and their values apart. Empty: it had not.
 */
static struct muster_str servers_given(const char *command)
{
        static const char option[] = "\"--dns-server\",\"";
        const char *at = strstr(command, option);

        if (!at)
                return (struct muster_str){ "", 0 };
        at += sizeof(option) - 1;
        return (struct muster_str){ at, strcspn(at, "\"") };
}

/* Who was asked. A program that uses the library does not tell. */
static void add_servers(struct finding *finding, const struct facts *facts)
{
        const char *command = facts->record->run.command;
        struct muster_str given = command ? servers_given(command) : (struct muster_str){ "", 0 };

        if (given.len)
                finding_evidence(finding,
                        "the name server %.*s was asked, which --dns-server gave instead of those in /etc/resolv.conf",
                        STR_ARGS(given));
        else if (command)
                finding_evidence(finding, "the name servers in /etc/resolv.conf were asked");
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

/* Where a program, or our own client, is told which name server and which address to use. */
static const char *where_server(const struct facts *facts)
{
        return library_or_own(facts, "--dns-server ADDRESS", "/etc/resolv.conf");
}

static const char *where_address(const struct facts *facts)
{
        return library_or_own(facts, "with --resolve", "in /etc/hosts");
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
        add_servers(finding, facts);
        add_cost(finding, facts);
        finding_remedy(finding,
                "Ask the owner of the name for a TTL of 60 s or more, use a caching name server nearby, or give the address with --resolve.");
        add_resolve_options(finding, facts->record);
        predict_known(finding, facts);
        /* Where requests come at their own pace, each takes longer and the run hardly does. */
        finding->explained_ns = facts->share_ns[PART_DNS];
        return true;
}

/* Threads that look names up, and for which look-ups waited; 0: none did. */
static uint64_t n_threads_of_names(const struct facts *facts, uint64_t *ret_waited_ns)
{
        const struct programs *programs = &facts->record->programs;
        uint64_t n = 0;

        *ret_waited_ns = 0;
        for (size_t i = 0; i < programs->n_bounds; i++) {
                if (programs->bounds[i].kind != PROGRAM_NAMES)
                        continue;
                n = programs->bounds[i].value;
                *ret_waited_ns += programs->bounds[i].waited_ns;
        }
        return *ret_waited_ns >= NS_PER_MS ? n : 0;
}

/*
 * Of a program that was watched: its system's getaddrinfo() keeps nothing, so each connection looks
 * its name up, unless the library keeps it.
 */
static bool names_again(const struct facts *facts, struct finding *finding)
{
        const struct program_client *client =
                programs_client(&facts->record->programs, facts->program->library_client);
        uint64_t waited_ns, n_threads = n_threads_of_names(facts, &waited_ns);
        struct lookups lookups;

        if (!matters(facts) || lookups_of(&lookups, facts) < 0 || !is_uncached(&lookups) ||
                is_loss(&lookups))
                return false;
        finding_site(finding, facts->record, client ? client->site : 0);
        finding_title(finding,
                "The same names were looked up again and again: %s lookups where %s would do",
                words_count(lookups.n).text, words_count(lookups.n_names).text);
        finding_evidence(finding,
                "%s lookups asked for a name that was known before (such as \"%.*s\"), and half of them took %s",
                words_count(lookups.n_again).text, STR_ARGS(lookups.name),
                words_ns(lookups.took_ns.p50).text);
        if (n_threads)
                finding_evidence(finding,
                        "they were made by %s threads, for which they waited %s in all",
                        words_count(n_threads).text, words_ns(waited_ns).text);
        add_cost(finding, facts);
        finding_remedy(finding, "%s.", library_words(library_of(facts), LIBRARY_NAMES, 0).text);
        predict_cached(finding, facts, lookups.took_ns.p50);
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
        add_servers(finding, facts);
        add_cost(finding, facts);
        finding_remedy(finding,
                "Use another name server (%s), or repair this one or the path to it; for a few hosts give the address %s.",
                where_server(facts), where_address(facts));
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
        add_servers(finding, facts);
        add_cost(finding, facts);
        finding_remedy(finding,
                "Use a faster name server (%s), best a caching one on this machine or in its network; for a few hosts give the address %s.",
                where_server(facts), where_address(facts));
        add_resolve_options(finding, facts->record);
        predict_known(finding, facts);
        return true;
}

const struct cause causes_names[] = {
        { "dns-uncached", MUSTER_GRADE_A, dns_uncached, CAUSE_OF_OURS },
        { "names-again", MUSTER_GRADE_A, names_again, CAUSE_OF_PROGRAMS },
        { "dns-loss", MUSTER_GRADE_B, dns_loss },
        { "dns-slow", MUSTER_GRADE_A, dns_slow },
        { 0 },
};
