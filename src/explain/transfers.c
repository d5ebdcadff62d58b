/* SPDX-License-Identifier: MIT */
#include "transfers.h"

#include "conns.h"
#include <base/clock.h>
#include <base/mem.h>
#include <math.h>

#define QUIET_NS                                                                                   \
        (200 * NS_PER_MS) /* the least retransmission timeout of Linux, without the round trip */

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
        const struct attempt *stamps = &attempt->stamps;
        const struct trace_conn *conn = conn_of_attempt(facts->record, attempt);

        if (!conn || !attempt->status || !conn->min_rtt_us || !stamps->last_byte_kernel_ns)
                return false;
        *transfer = (struct transfer){
                .bytes = attempt->wire_bytes,
                .took_ns = stamps->last_byte_kernel_ns > stamps->first_byte_kernel_ns
                                   ? stamps->last_byte_kernel_ns - stamps->first_byte_kernel_ns
                                   : 0,
                .round_trip_ns = conn_round_trip_ns(conn),
                .n_rounds = transfer_n_rounds(attempt->wire_bytes, TRANSFER_FIRST_WINDOW),
                .is_new = !attempt->is_reused,
        };
        /* The request's own way is no silence of the server's. */
        transfer->was_quiet =
                !transfer->is_new && quiet_ns(attempt) >= QUIET_NS + 2 * transfer->round_trip_ns;
        return true;
}

/* --- by kind ------------------------------------------------------------------------------------------------------ */

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
        columns->permille[i] = (uint64_t)(1000.0 * (double)transfer->took_ns / (double)cold_ns);
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

int transfers_of(struct transfers *transfers, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct columns columns;
        int r = columns_init(&columns, record->n_attempts);

        *transfers = (struct transfers){ 0 };
        for (int kind = 0; r == 0 && kind < TRANSFER_N_KINDS; kind++) {
                columns.n = 0;
                for (size_t i = 0; i < record->n_attempts; i++) {
                        struct transfer transfer;

                        if (record->attempts[i].wire_bytes > TRANSFER_FIRST_WINDOW &&
                            transfer_of(&transfer, facts, &record->attempts[i]) &&
                            transfer.n_rounds && (int)transfer_kind(&transfer) == kind)
                                add(&columns, &transfer);
                }
                summarize(&transfers->kinds[kind], &columns);
        }
        columns_deinit(&columns);
        return r;
}

/* --- the link ----------------------------------------------------------------------------------------------------- */

#define N_WINDOWS 24
/* The first and last windows, in which transfers begin and end. */
#define N_EDGE 4
/* The rate hardly changes. TCP never fills a link quite evenly, and bytes are taken as spread evenly over each transfer. */
#define VARIATION_FLAT 0.35
/* Packets wait in a queue: jitter alone does not do that to the median. */
#define GROWTH_OF_QUEUE 1.3

struct window {
        double bytes, in_flight; /* mean number of transfers */
};

/* The span in which bodies came. */
static bool span_of(const struct record *record, uint64_t *from_ns, uint64_t *to_ns)
{
        *from_ns = UINT64_MAX;
        *to_ns = 0;
        for (size_t i = 0; i < record->n_attempts; i++) {
                const struct attempt *stamps = &record->attempts[i].stamps;

                if (!record->attempts[i].wire_bytes || !stamps->first_byte_kernel_ns)
                        continue;
                if (stamps->first_byte_kernel_ns < *from_ns)
                        *from_ns = stamps->first_byte_kernel_ns;
                if (stamps->last_byte_kernel_ns > *to_ns)
                        *to_ns = stamps->last_byte_kernel_ns;
        }
        return *to_ns > *from_ns;
}

/* A transfer's bytes, spread evenly over its time, go to the windows that it touches. */
static void spread_bytes(struct window windows[N_WINDOWS], const struct trace_attempt *attempt,
                         uint64_t from_ns, double step)
{
        double first = (double)(attempt->stamps.first_byte_kernel_ns - from_ns) / step;
        double last = (double)(attempt->stamps.last_byte_kernel_ns - from_ns) / step;
        double length = last - first;

        if (!(length > 0))
                return;
        for (int i = (int)first; i <= (int)last && i < N_WINDOWS; i++) {
                double begin = first > i ? first : i;
                double end = last < i + 1 ? last : i + 1;

                windows[i].bytes += (double)attempt->wire_bytes * (end - begin) / length;
                windows[i].in_flight += end - begin;
        }
}

static double variation(const double *values, size_t n)
{
        double sum = 0, squares = 0, mean;

        for (size_t i = 0; i < n; i++)
                sum += values[i];
        mean = n ? sum / (double)n : 0;
        for (size_t i = 0; i < n; i++)
                squares += (values[i] - mean) * (values[i] - mean);
        return mean > 0 ? sqrt(squares / (double)n) / mean : INFINITY;
}

static void vary(struct link_use *use, const struct window windows[N_WINDOWS], double step)
{
        double all[N_WINDOWS], each[N_WINDOWS], sum = 0;
        size_t n = 0;

        for (int i = N_EDGE; i < N_WINDOWS - N_EDGE; i++, n++) {
                all[n] = windows[i].bytes;
                each[n] = windows[i].in_flight > 0 ? windows[i].bytes / windows[i].in_flight : 0;
                sum += windows[i].bytes;
        }
        use->variation = variation(all, n);
        use->variation_each = variation(each, n);
        use->bytes_per_s = sum / ((double)n * step / 1e9);
}

static bool measure_growth(const struct facts *facts, const struct trace_conn *conn,
                           uint64_t *ret_value)
{
        (void)facts;
        if (!conn->min_rtt_us || conn_is_local(conn))
                return false;
        *ret_value = (uint64_t)conn->rtt_us * 1000 / conn->min_rtt_us;
        return true;
}

/* Slower than a cold connection would be by far, so that it is not that; and the same for all together. */
static bool judge(const struct link_use *use, const struct transfers *transfers)
{
        const struct transfers_kind *most = &transfers->kinds[0];

        for (int kind = 1; kind < TRANSFER_N_KINDS; kind++)
                if (transfers->kinds[kind].sum_ns > most->sum_ns)
                        most = &transfers->kinds[kind];
        return most->n >= 3 && most->permille.p50 >= 2500 && use->variation <= VARIATION_FLAT &&
               (use->round_trip_growth >= GROWTH_OF_QUEUE ||
                use->variation * 2 <= use->variation_each);
}

int link_use_of(struct link_use *use, const struct facts *facts)
{
        const struct record *record = facts->record;
        struct window windows[N_WINDOWS] = { 0 };
        struct transfers transfers;
        struct spread growth;
        uint64_t from_ns, to_ns;
        double step;
        int r;

        *use = (struct link_use){ 0 };
        if (!span_of(record, &from_ns, &to_ns))
                return 0;
        r = transfers_of(&transfers, facts);
        if (r < 0)
                return r;
        step = (double)(to_ns - from_ns) / N_WINDOWS;
        for (size_t i = 0; i < record->n_attempts; i++)
                if (record->attempts[i].wire_bytes &&
                    record->attempts[i].stamps.first_byte_kernel_ns)
                        spread_bytes(windows, &record->attempts[i], from_ns, step);
        vary(use, windows, step);
        measure_conns(&growth, facts, measure_growth);
        use->round_trip_growth = (double)growth.p50 / 1000;
        use->is_full = growth.n && judge(use, &transfers);
        return 0;
}
