/* SPDX-License-Identifier: MIT */
/*
 * Watched programs: connections that are opened again and again
 *
 * A connection is given back to the pool of its client, and the next request finds it there. It does
 * not where each request has a client of its own, where the request or the library closes it, where
 * the pool keeps fewer than are in use, and where a response was not read to its end. Who closed the
 * connection first tells these from a server that closes (causes_conns.c); which of them it was, the
 * hook in the interpreter tells.
 */
#include "cause.h"

#include "library_words.h"
#include "program_loading.h"
#include "program_reading.h"
#include "program_told.h"
#include "proxied.h"
#include <base/minmax.h>
#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <explain/model/whatif.h>

/* --- what it costs --------------------------------------------------------------------------- */

static bool measure_opening(const struct facts *facts, const struct trace_attempt *attempt,
        uint64_t *ret_value)
{
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        *ret_value = conn ? conn_opening_ns(conn) : 0;
        return conn && !attempt->is_reused;
}

static uint64_t clients_of(const struct program_place *place)
{
        return place->n_clients;
}

static uint64_t requests_of(const struct program_place *place)
{
        return place->n;
}

static uint64_t contexts_of(const struct program_place *place)
{
        return place->contexts_ns;
}

/*
 * Certificates are loaded where a client is made or a request: by the library, for a connection. Those
 * that a line of their own loads, as create_default_context() does, are loaded as often with
 * connections that are kept.
 */
static void loading_with_conns(struct loading *loading, const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        uint32_t site = program_most(program, contexts_of);
        const struct program_client *client =
                programs_client(&facts->record->programs, program->library_client);

        loading_measure(loading, facts);
        if (site && site != program_most(program, clients_of) &&
                site != program_most(program, requests_of) && (!client || site != client->site))
                loading->again_ns = 0;
}

static void tell_cost(struct finding *finding, const struct facts *facts)
{
        struct loading loading;
        struct spread opening;

        loading_with_conns(&loading, facts);
        measure_attempts(&opening, facts, measure_opening);
        finding_evidence(finding, "%s of %s requests opened a connection, %s reused one",
                words_count(facts->n_on_new_conn).text, words_count(facts->n_attempts).text,
                words_count(facts->n_on_reused).text);
        finding_evidence(finding,
                "opening a connection typically took %s, in total %s of the time that requests were in flight",
                words_ns(opening.p50).text,
                words_share((double)opening.sum, (double)facts->service.sum).text);
        if (told_is_part(loading.again_ns, facts->wall_ns, LINE_SHARE))
                finding_evidence(finding,
                        "certificates were loaded %s times, which took %s of its time",
                        words_count(facts->record->programs.n_contexts).text,
                        words_ns(facts->program->contexts_ns).text);
}

/* It is worth a line: connecting took part of the requests' time, or loading certificates did. */
static bool is_dear(const struct facts *facts)
{
        struct loading loading;
        struct spread opening;

        loading_with_conns(&loading, facts);
        measure_attempts(&opening, facts, measure_opening);
        return told_is_part(opening.sum, facts->service.sum, OPENING_MATTERS) ||
               told_is_part(loading.again_ns, facts->wall_ns, LINE_SHARE);
}

static void load_once(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        (void)is_warm;
        loading_once(request, facts, argument);
}

struct keeping_change {
        const struct loading *loading; /* loaded once; NULL: as it was */
        uint64_t holds_on_ns;
        enum reading reading;
};

static void keep(struct replay_request *request, const struct facts *facts, bool is_warm,
        void *argument)
{
        const struct keeping_change *change = argument;

        reading_add(request, facts, is_warm, change->reading);
        request->slot_ns[PART_RECEIVE] += change->holds_on_ns;
        if (change->loading)
                loading_once(request, facts, change->loading);
}

/* With responses that are read to their end: how long that takes is not known. */
static void range_kept(struct replay_range *range, struct whatif *whatif,
        struct keeping_change *change, const struct facts *facts)
{
        whatif->change = keep;
        whatif->argument = change;
        change->reading = READING_EXPECTED;
        whatif_range_of(range, whatif, facts);
        if (range->wall_ns == UINT64_MAX || !reading_matters(facts))
                return;
        change->reading = READING_LEAST;
        range->low_ns = min_u64(range->low_ns, whatif_wall_ns(whatif, facts));
        change->reading = READING_MOST;
        range->high_ns = max_u64(range->high_ns, whatif_wall_ns(whatif, facts));
}

static uint64_t sooner(uint64_t ns, uint64_t by_ns)
{
        return ns - min_u64(by_ns, ns - 1);
}

/*
 * Certificates are loaded by the loop's thread, or between requests where there is no loop; then
 * that time is in no request.
 */
static void predict_kept(struct finding *finding, const struct facts *facts)
{
        struct loading loading;
        struct whatif whatif = { .keeps_conns = true, .concurrency = told_taking_turns(facts) };
        struct keeping_change change = { .holds_on_ns = told_holds_on_ns(facts) };
        struct replay_range range;
        uint64_t gain_ns;

        whatif.all_at_once = whatif.concurrency > 0;
        loading_with_conns(&loading, facts);
        if (loading.again_ns && loading.is_on_loop) {
                change.loading = &loading;
                whatif.is_alone = told_is_part(loading.again_ns, facts->wall_ns, LINE_SHARE);
        }
        range_kept(&range, &whatif, &change, facts);
        if (range.wall_ns == UINT64_MAX)
                return;
        if (!loading.is_on_loop) {
                range.wall_ns = sooner(range.wall_ns, loading.again_ns);
                range.low_ns = sooner(range.low_ns, loading.again_ns);
        }
        /* Behind the last request the run is over. */
        range.wall_ns = sooner(range.wall_ns, change.holds_on_ns);
        range.low_ns = sooner(range.low_ns, change.holds_on_ns);
        range.high_ns = sooner(range.high_ns, change.holds_on_ns);
        gain_ns = facts->wall_ns - min_u64(range.wall_ns, facts->wall_ns);
        finding_predict(finding, range.wall_ns, range.low_ns,
                max_u64(range.high_ns, range.wall_ns + whole_of((double)gain_ns * GAIN_MISSED)));
        finding->explained_ns = facts->share_ns[PART_DNS] + facts->share_ns[PART_TCP] +
                                facts->share_ns[PART_TUNNEL] + facts->share_ns[PART_TLS];
}

/* --- who closes them ------------------------------------------------------------------------- */

/* Of the connections that served a request. */
static size_t n_closed_by(const struct record *record, enum trace_closer closer, size_t *ret_n)
{
        size_t n = 0;

        *ret_n = 0;
        for (size_t i = 0; i < record->n_conns; i++) {
                if (!record->conns[i].n_attempts)
                        continue;
                *ret_n += 1;
                n += record->conns[i].closer == closer;
        }
        return n;
}

static bool does_server_close(const struct facts *facts)
{
        size_t n_all, n = n_closed_by(facts->record, TRACE_CLOSED_BY_SERVER, &n_all);

        return told_are_most(n, n_all);
}

static bool does_program_close(const struct facts *facts)
{
        size_t n_all, n = n_closed_by(facts->record, TRACE_CLOSED_BY_CLIENT, &n_all);

        return told_are_most(n, n_all);
}

static bool do_they_ask(const struct facts *facts)
{
        return told_are_most(facts->program->n_asked_to_close, facts->n_requests);
}

static bool are_more_than_needed(const struct facts *facts)
{
        return (double)facts->n_on_new_conn > (double)facts->max_in_flight * CONNS_KEPT;
}

static bool are_hardly_reused(const struct facts *facts)
{
        return facts->n_on_new_conn >= HABIT_LEAST && are_more_than_needed(facts) &&
               told_are_most(facts->n_on_new_conn, facts->n_attempts);
}

/* --- a client for each ----------------------------------------------------------------------- */

static bool serves_few(size_t n_requests, size_t n_clients)
{
        return n_clients >= HABIT_LEAST && (double)n_requests <= (double)n_clients * CLIENT_SERVES;
}

/* The line that makes a client for each request; 0: none does. */
static uint32_t site_of_clients(const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        uint32_t site = program_most(program, clients_of);
        const struct program_place *place = &program->places[site];

        return site && serves_few(place->n_client_requests, place->n_clients) &&
                               told_are_most(place->n_client_requests, facts->n_requests)
                       ? site
                       : 0;
}

static bool has_client_each(const struct facts *facts)
{
        const struct program_facts *program = facts->program;

        return site_of_clients(facts) != 0 ||
               (serves_few(facts->n_requests, program->n_clients) &&
                       told_are_most(program->n_clients, facts->n_requests));
}

static bool has_process_each(const struct facts *facts)
{
        return serves_few(facts->n_requests, facts->program->n_processes);
}

/*
 * The program asks to close, and that is what there is to change. A client that is made for one request
 * may ask for it by itself, as aiohttp.request() does; but urllib.request knows no other way.
 */
static bool is_told_to_close(const struct facts *facts)
{
        return do_they_ask(facts) &&
               (!site_of_clients(facts) || library_of(facts) == LIBRARY_HTTP_CLIENT);
}

static bool client_each_request(const struct facts *facts, struct finding *finding)
{
        bool is_process = has_process_each(facts);
        enum library library = library_of(facts);
        uint32_t site = site_of_clients(facts);

        if ((!has_client_each(facts) && !is_process) || !are_hardly_reused(facts) ||
                is_told_to_close(facts) || (!do_they_ask(facts) && does_server_close(facts)) ||
                !is_dear(facts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding,
                is_process
                        ? "Each request was made by a process of its own%s"
                        : "Each request had a client of its own, and so a connection of its own%s",
                told_at(facts, site).text);
        finding_evidence(finding, "%s %s made %s requests",
                words_count(is_process ? facts->program->n_processes : facts->program->n_clients)
                        .text,
                is_process ? "processes" : "clients", words_count(facts->n_requests).text);
        tell_cost(finding, facts);
        finding_remedy(finding, "%s.", library_words(library, LIBRARY_ONE_CLIENT, 0).text);
        predict_kept(finding, facts);
        return true;
}

/* --- closed by the program or its library ---------------------------------------------------- */

static uint64_t unread_of(const struct program_place *place)
{
        return place->n_unread;
}

static bool is_client_each(const struct facts *facts)
{
        return has_client_each(facts) || has_process_each(facts);
}

/* Where the client was made, which is where its options are; or, if not known, who calls. */
static uint32_t site_of_client(const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        const struct program_client *client =
                programs_client(&facts->record->programs, program->library_client);

        return client && client->site ? client->site : program_most(program, requests_of);
}

/* Responses were not read to their end, so that their connections could not be used again. */
static bool are_they_unread(const struct facts *facts)
{
        return facts->program->n_unread >= HABIT_LEAST &&
               told_are_most(facts->program->n_unread, facts->n_on_new_conn);
}

/* Idle connections that the pool keeps, where that is fewer than were in use; 0: it keeps enough. */
static uint64_t kept_too_few(const struct facts *facts)
{
        const struct program_client *client =
                programs_client(&facts->record->programs, facts->program->library_client);

        return client && client->kept &&
                               (double)facts->max_in_flight > (double)client->kept * CONNS_KEPT &&
                               (double)facts->n_on_new_conn >
                                       (double)facts->max_in_flight * CONNS_KEPT
                       ? client->kept
                       : 0;
}

static bool no_keep_alive(const struct facts *facts, struct finding *finding)
{
        enum library library = library_of(facts);
        uint32_t site = site_of_client(facts);
        bool they_ask = is_told_to_close(facts);

        if (!are_hardly_reused(facts) || !is_dear(facts) ||
                (!they_ask && (is_client_each(facts) || are_they_unread(facts) ||
                                      kept_too_few(facts) || !does_program_close(facts))))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding,
                they_ask
                        ? "The program asked the server to close each connection after its response%s"
                        : "The program's client closed each connection after its response%s",
                told_at(facts, site).text);
        if (they_ask)
                finding_evidence(finding,
                        "%s of %s requests said \"Connection: close\", or were of HTTP/1.0",
                        words_count(facts->program->n_asked_to_close).text,
                        words_count(facts->n_requests).text);
        else
                finding_evidence(finding,
                        "the connections were closed from this side, and the server would have kept them");
        tell_cost(finding, facts);
        finding_remedy(finding, "%s.", library_words(library, LIBRARY_KEEP_ALIVE, 0).text);
        predict_kept(finding, facts);
        return true;
}

/*
 * From outside it is seen that connections are not used again, and not why. Who closed first is not
 * told by the kernel either, once a socket is gone.
 */
static bool not_kept_outside(const struct facts *facts, struct finding *finding)
{
        enum library library = library_of(facts);

        if (!facts->program->is_outside || !are_hardly_reused(facts) || !is_dear(facts))
                return false;
        finding_title(finding, "Each request opened a connection of its own");
        tell_cost(finding, facts);
        told_from_outside(finding, facts);
        finding_remedy(finding, "%s. %s. %s. Otherwise let the server keep connections.",
                library_words(library, LIBRARY_ONE_CLIENT, 0).text,
                library_words(library, LIBRARY_READ_BODY, 0).text,
                library_words(library, LIBRARY_KEEP_ALIVE, facts->max_in_flight).text);
        predict_kept(finding, facts);
        return true;
}

static bool unread_bodies(const struct facts *facts, struct finding *finding)
{
        uint32_t site = program_most(facts->program, unread_of);
        enum library library = library_of(facts);

        if (!are_more_than_needed(facts) || is_client_each(facts) || !are_they_unread(facts) ||
                does_server_close(facts) || !is_dear(facts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding,
                "Responses were not read to their end, so their connections were thrown away%s",
                told_at(facts, site).text);
        finding_evidence(finding, "%s of %s responses were not read to their end",
                words_count(facts->program->n_unread).text, words_count(facts->n_requests).text);
        tell_cost(finding, facts);
        finding_remedy(finding, "%s.", library_words(library, LIBRARY_READ_BODY, 0).text);
        predict_kept(finding, facts);
        return true;
}

static bool pool_keeps_few(const struct facts *facts, struct finding *finding)
{
        uint64_t kept = kept_too_few(facts);
        uint32_t site = site_of_client(facts);

        if (!kept || is_client_each(facts) || is_told_to_close(facts) || are_they_unread(facts) ||
                does_server_close(facts) || !is_dear(facts))
                return false;
        finding_site(finding, facts->record, site);
        finding_title(finding,
                "The pool keeps %s, and up to %s were in use: the others were closed after each response%s",
                words_counted(kept, "connection", "connections").text,
                words_count(facts->max_in_flight).text, told_at(facts, site).text);
        tell_cost(finding, facts);
        finding_remedy(finding, "Let the pool keep as many as are in use: %s.",
                library_words(library_of(facts), LIBRARY_KEPT, facts->max_in_flight).text);
        predict_kept(finding, facts);
        return true;
}

/* --- certificates ---------------------------------------------------------------------------- */

/*
 * A loop has as much less to do. Where there is none, what others did meanwhile is not known: then it
 * is as much sooner over, but no sooner than a request is.
 */
static uint64_t wall_with_one_ns(const struct facts *facts, struct loading *loading)
{
        struct whatif whatif = { .change = load_once, .argument = loading, .is_alone = true };
        uint64_t rest_ns = facts->wall_ns - min_u64(loading->again_ns, facts->wall_ns - 1);

        if (!loading->is_on_loop)
                return max_u64(rest_ns, min_u64(facts->latency.p50, facts->wall_ns));
        return min_u64(whatif_wall_ns(&whatif, facts), facts->wall_ns);
}

/*
 * The library loads them for each connection that it opens, and why it opens so many is known: with
 * one client, whose connections are not kept, there is nothing else to change.
 */
static bool are_loaded_by_connection(const struct facts *facts)
{
        struct loading loading;

        loading_with_conns(&loading, facts);
        return loading.again_ns && !is_client_each(facts) &&
               (kept_too_few(facts) || are_they_unread(facts) || do_they_ask(facts)) &&
               told_are_most(facts->record->programs.n_contexts, facts->n_on_new_conn);
}

/* Expected is that none of it is left; where threads load them, others may go on meanwhile. */
static bool contexts_again(const struct facts *facts, struct finding *finding)
{
        const struct programs *programs = &facts->record->programs;
        uint32_t site = program_most(facts->program, contexts_of);
        struct loading loading;
        uint64_t wall_ns;

        loading_measure(&loading, facts);
        if (programs->n_contexts < HABIT_LEAST || are_loaded_by_connection(facts) ||
                !told_is_part(loading.again_ns, facts->wall_ns, LINE_SHARE))
                return false;
        wall_ns = wall_with_one_ns(facts, &loading);
        finding_site(finding, facts->record, site);
        finding_title(finding, "Certificates were loaded again and again, %s%s",
                words_counted(programs->n_contexts, "time", "times").text,
                told_at(facts, site).text);
        finding_evidence(finding, "that took %s each, %s in total, %s of the time",
                words_ns(facts->program->contexts_ns / programs->n_contexts).text,
                words_ns(facts->program->contexts_ns).text,
                words_share((double)facts->program->contexts_ns, (double)facts->wall_ns).text);
        finding_evidence(finding,
                "it is work of the processor, and nothing else goes on in its thread");
        finding_remedy(finding, "%s.",
                library_words(library_of(facts), LIBRARY_ONE_CONTEXT, 0).text);
        finding->explained_ns = min_u64(loading.again_ns, facts->wall_ns);
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)(facts->wall_ns - wall_ns) * HANDSHAKE_GAIN_MISSED));
        return true;
}

/* --- on the wire ----------------------------------------------------------------------------- */

static void send_at_once(struct replay_request *request, const struct facts *facts, void *argument)
{
        uint64_t held_ns, *slot_ns = request->slot_ns;

        (void)argument;
        if (!told_measure_held_back(facts, request->last, &held_ns))
                return;
        for (size_t i = 0; i < 3; i++) {
                static const enum part parts[] = { PART_SERVER, PART_NETWORK, PART_SEND };
                uint64_t ns = min_u64(held_ns, slot_ns[parts[i]]);

                slot_ns[parts[i]] -= ns;
                held_ns -= ns;
        }
}

static bool nagle_own(const struct facts *facts, struct finding *finding)
{
        uint32_t site = program_most(facts->program, requests_of);
        struct spread held;
        struct replay replay;
        uint64_t wall_ns;

        if (!told_is_held_back(&held, facts))
                return false;
        replay_init(&replay, facts);
        replay.change = send_at_once;
        wall_ns = replay_wall_ns(&replay, facts);
        finding_site(finding, facts->record, site);
        finding_title(finding,
                "Requests went out in two pieces, and the second waited for the acknowledgement of the first%s",
                told_at(facts, site).text);
        finding_evidence(finding,
                "%s requests were sent in several calls, without TCP_NODELAY on the socket",
                words_count(facts->program->n_split).text);
        finding_evidence(finding,
                "their answers came typically %s later than the quickest: for 40 ms a kernel holds an acknowledgement back",
                words_ns(held.p50).text);
        finding_remedy(finding, "%s.", library_words(library_of(facts), LIBRARY_NODELAY, 0).text);
        finding_predict(finding, wall_ns, wall_ns,
                wall_ns + whole_of((double)(facts->wall_ns - min_u64(wall_ns, facts->wall_ns)) *
                                   GAIN_MISSED));
        return true;
}

/*
 * A proxy may be meant. So that it is there is told where waiting for it took most of the time, and
 * nothing is promised: what the server itself takes is not known.
 */
static bool proxy_unknown(const struct facts *facts, struct finding *finding)
{
        uint32_t proxy = proxied_usual(facts->record);
        uint64_t waited_ns = facts->chain_ns[PART_TCP] + facts->chain_ns[PART_TUNNEL] +
                             facts->chain_ns[PART_TLS] + facts->chain_ns[PART_NETWORK] +
                             facts->chain_ns[PART_SERVER];
        struct muster_str name = origin_key(facts->record, proxy);

        if (!proxy || !told_is_part(waited_ns, facts->wall_ns, MOST_OF_TIME))
                return false;
        finding_site(finding, facts->record, site_of_client(facts));
        finding_title(finding, "The requests went through a proxy, %.*s", STR_ARGS(name));
        finding_evidence(finding,
                "the connections went there, and not to the hosts of the URLs; a request took %s",
                words_ns(facts->service.p50).text);
        finding_evidence(finding,
                "the program waited for it for %s of the time; what of that the server took cannot be seen from here",
                words_share((double)waited_ns, (double)facts->wall_ns).text);
        finding_remedy(finding, "%s, if the proxy is not meant.",
                library_words(library_of(facts), LIBRARY_NO_PROXY, 0).text);
        finding->explained_ns = waited_ns;
        return true;
}

const struct cause causes_program_conns[] = {
        { "client-each-request", MUSTER_GRADE_A, client_each_request, CAUSE_OF_PROGRAMS },
        { "no-keep-alive", MUSTER_GRADE_A, no_keep_alive, CAUSE_OF_PROGRAMS },
        { "no-keep-alive", MUSTER_GRADE_B, not_kept_outside, CAUSE_OF_PROGRAMS, true },
        { "pool-limit", MUSTER_GRADE_A, pool_keeps_few, CAUSE_OF_PROGRAMS },
        { "unread-bodies", MUSTER_GRADE_A, unread_bodies, CAUSE_OF_PROGRAMS },
        { "contexts-again", MUSTER_GRADE_A, contexts_again, CAUSE_OF_PROGRAMS },
        { "nagle-own", MUSTER_GRADE_A, nagle_own, CAUSE_OF_PROGRAMS },
        { "proxy-unknown", MUSTER_GRADE_A, proxy_unknown, CAUSE_OF_PROGRAMS },
        { 0 },
};
