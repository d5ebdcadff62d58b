/* SPDX-License-Identifier: MIT */
#include "admission.h"

#include "conns.h"
#include <assert.h>
#include <base/mem.h>
#include <errno.h>
#include <explain/facts/sort.h>

enum fate { FATE_UNKNOWN, FATE_ADMITTED, FATE_TURNED_AWAY };

enum event { EVENT_ENDS, EVENT_OPENS, EVENT_IS_TURNED_AWAY, N_EVENTS };

static bool is_at_host(const struct facts *facts, const struct trace_attempt *attempt)
{
        return facts->n_hosts && attempt->origin == facts->hosts[0].origin;
}

static bool is_turned_away(const struct trace_attempt *attempt)
{
        if (attempt->is_reused || trace_is_answered(attempt))
                return false;
        return attempt->code == MUSTER_E_CLOSED ||
               (attempt->code == MUSTER_E_CONNECT &&
                       (attempt->sys == ECONNREFUSED || attempt->sys == ECONNRESET));
}

static void note_fates(uint8_t *fates, struct admission *admission, const struct facts *facts)
{
        const struct record *record = facts->record;

        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct trace_attempt *attempt = &record->attempts[i];
                const struct trace_conn *conn = conn_of_attempt(record, attempt);

                if (!conn || !is_at_host(facts, attempt))
                        continue;
                if (trace_is_answered(attempt))
                        fates[conn - record->conns] = FATE_ADMITTED;
                if (!is_turned_away(attempt))
                        continue;
                fates[conn - record->conns] = FATE_TURNED_AWAY;
                admission->n_failed += attempt->is_last;
        }
}

static size_t list_events(struct sort_pair *events, const uint8_t *fates,
        const struct record *record)
{
        size_t n = 0;

        for (size_t i = 0; i < record->n_conns; i++) {
                const struct trace_conn *conn = &record->conns[i];

                if (fates[i] == FATE_TURNED_AWAY)
                        events[n++] = (struct sort_pair){ conn->closed_ns, EVENT_IS_TURNED_AWAY };
                if (fates[i] != FATE_ADMITTED)
                        continue;
                events[n++] = (struct sort_pair){ conn->opened_ns, EVENT_OPENS };
                events[n++] = (struct sort_pair){ conn->closed_ns, EVENT_ENDS };
        }
        sort_pairs(events, n);
        return n;
}

/* How many were open at most; and how often one was turned away while as many were. */
static void go_through(struct admission *admission, const struct sort_pair *events, size_t n)
{
        uint64_t open = 0;

        for (size_t i = 0; i < n; i++) {
                switch ((enum event)events[i].value) {
                case EVENT_ENDS:
                        open -= open > 0;
                        break;
                case EVENT_OPENS:
                        open++;
                        admission->n_admitted++;
                        if (open <= admission->most)
                                break;
                        admission->most = open;
                        admission->n_beyond = 0;
                        break;
                case EVENT_IS_TURNED_AWAY:
                        admission->n_turned_away++;
                        admission->n_beyond += open >= admission->most;
                        break;
                case N_EVENTS:
                        assert(false);
                        break;
                }
        }
}

void admission_of(struct admission *admission, const struct facts *facts)
{
        const struct record *record = facts->record;
        uint8_t *fates = mem_array(record->n_conns, sizeof(*fates));
        struct sort_pair *events = mem_array(2 * record->n_conns, sizeof(*events));

        *admission = (struct admission){ 0 };
        if (fates && events) {
                note_fates(fates, admission, facts);
                go_through(admission, events, list_events(events, fates, record));
        }
        mem_free(fates);
        mem_free(events);
        admission->is_limited =
                admission->most && admission->n_turned_away >= HABIT_LEAST &&
                (double)admission->n_beyond >= (double)admission->n_turned_away * NEARLY_ALL;
}
