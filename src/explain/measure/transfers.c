/* SPDX-License-Identifier: MIT */
#include "transfers.h"

#include "conns.h"
#include <base/clock.h>
#include <base/mem.h>
#include <explain/judgement.h>
#include <math.h>

unsigned transfer_n_rounds(uint64_t bytes, uint64_t first_window)
{
        unsigned n = 0;

        for (uint64_t sent = first_window; sent < bytes && n < 40; sent = 2 * sent + first_window)
                n++;
        return n;
}

/* How long the server had sent nothing when it began to answer. */
static uint64_t quiet_ns(const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t wait_ns = stamps->first_byte_kernel_ns > stamps->send_end_ns
                                   ? stamps->first_byte_kernel_ns - stamps->send_end_ns
                                   : 0;

        return attempt->conn_idle_ns + wait_ns;
}

bool transfer_of(struct transfer *transfer, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        return !attempt_shares_conn(facts, attempt) &&
               transfer_among_others(transfer, facts, attempt);
}

bool transfer_among_others(struct transfer *transfer, const struct facts *facts,
        const struct trace_attempt *attempt)
{
        const struct attempt *stamps = &attempt->stamps;
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        if (!conn || !trace_is_answered(attempt) || !conn->min_rtt_us ||
                !stamps->last_byte_kernel_ns)
                return false;
        *transfer = (struct transfer){
                .bytes = attempt->wire_bytes,
                .took_ns = stamps->last_byte_kernel_ns > stamps->first_byte_kernel_ns
                                   ? stamps->last_byte_kernel_ns - stamps->first_byte_kernel_ns
                                   : 0,
                .round_trip_ns = conn_round_trip_ns(conn),
                .n_rounds = transfer_n_rounds(attempt->wire_bytes, FIRST_WINDOW),
                .is_new = !attempt->is_reused,
        };
        /* The way of the request is no silence of the server. */
        transfer->was_quiet =
                !transfer->is_new && quiet_ns(attempt) >= RTO_MIN_NS + 2 * transfer->round_trip_ns;
        return true;
}

/* --- by kind --------------------------------------------------------------------------------- */

enum transfer_kind transfer_kind(const struct transfer *transfer)
{
        if (transfer->is_new)
                return TRANSFER_NEW;
        return transfer->was_quiet ? TRANSFER_QUIET : TRANSFER_WARM;
}

uint64_t transfer_cold_ns(const struct transfer *transfer)
{
        return transfer->n_rounds * transfer->round_trip_ns;
}

struct columns {
        uint64_t *took, *bytes, *permille, *round_trip;
        size_t n;
};

static int columns_init(struct columns *columns, size_t n)
{
        *columns = (struct columns){ .took = mem_array(n, sizeof(uint64_t)),
                .bytes = mem_array(n, sizeof(uint64_t)),
                .permille = mem_array(n, sizeof(uint64_t)),
                .round_trip = mem_array(n, sizeof(uint64_t)) };
        return columns->took && columns->bytes && columns->permille && columns->round_trip
                       ? 0
                       : MUSTER_E_RESOURCE;
}

static void columns_deinit(struct columns *columns)
{
        mem_free(columns->took);
        mem_free(columns->bytes);
        mem_free(columns->permille);
        mem_free(columns->round_trip);
}

static void add(struct columns *columns, const struct transfer *transfer)
{
        uint64_t cold_ns = transfer_cold_ns(transfer);
        size_t i = columns->n++;

        columns->took[i] = transfer->took_ns;
        columns->bytes[i] = transfer->bytes;
        columns->permille[i] = whole_of(1000.0 * (double)transfer->took_ns / (double)cold_ns);
        columns->round_trip[i] = transfer->round_trip_ns;
}

static void summarize(struct transfers_kind *to, struct columns *columns)
{
        struct spread round_trip;

        to->n = columns->n;
        spread_of(&to->took_ns, columns->took, columns->n);
        spread_of(&to->bytes, columns->bytes, columns->n);
        spread_of(&to->permille, columns->permille, columns->n);
        spread_of(&round_trip, columns->round_trip, columns->n);
        to->sum_ns = to->took_ns.sum;
        to->round_trip_ns = round_trip.p50;
}

typedef bool (*get_transfer)(struct transfer *transfer, const struct facts *facts,
        const struct trace_attempt *attempt);

static int collect(struct transfers *transfers, const struct facts *facts, get_transfer get)
{
        const struct record *record = facts->record;
        struct columns columns;
        int r = columns_init(&columns, record->n_attempts);

        *transfers = (struct transfers){ 0 };
        for (int kind = 0; r == 0 && kind < TRANSFER_N_KINDS; kind++) {
                columns.n = 0;
                for (size_t i = 0; i < record->n_attempts; i++) {
                        struct transfer transfer;

                        if (record->attempts[i].wire_bytes > FIRST_WINDOW &&
                                get(&transfer, facts, &record->attempts[i]) && transfer.n_rounds &&
                                (int)transfer_kind(&transfer) == kind)
                                add(&columns, &transfer);
                }
                summarize(&transfers->kinds[kind], &columns);
        }
        columns_deinit(&columns);
        return r;
}

int transfers_of(struct transfers *transfers, const struct facts *facts)
{
        return collect(transfers, facts, transfer_of);
}

int transfers_among_others(struct transfers *transfers, const struct facts *facts)
{
        return collect(transfers, facts, transfer_among_others);
}
