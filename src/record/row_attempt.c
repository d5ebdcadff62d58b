/* SPDX-License-Identifier: MIT */
/*
 * An attempt as a row
 *
 * Most rows by far are of this kind, and each column of a row costs about a hundredth of a
 * microsecond. So values of a few bits share one column, `flags`, and columns that most attempts do
 * not have are at the end, NULL and left out.
 */
#include "row.h"

#include <base/error.h>
#include <core/trace.h>
#include <stddef.h>

enum column {
        NUMBER,
        REQUEST,
        N,
        ORIGIN,
        CONN,
        SLOT_FROM,
        START,
        /* relative to START */
        SLOT,
        SEND_START,
        SEND,
        FIRST_KERNEL,
        FIRST_READ,
        END,
        TAKEN,
        CONN_IDLE,
        SENT_BYTES,
        WIRE_BYTES,
        RECEIVES,
        IN_FLIGHT,
        STATUS,
        CODE,
        FLAGS,
        N_USUAL,
        /*
         * NULL for most attempts: did not happen, took no time, or is the same as the column named
         * behind it
         */
        SUBMIT_AGO = N_USUAL,
        PLANNED,
        DNS,
        TCP,
        TUNNEL,
        TLS,
        EXPECT,
        EXPECT_END,
        EXPECT_UNHEARD,
        ACKED,
        LAST_KERNEL, /* FIRST_KERNEL */
        LAST_READ,   /* FIRST_READ */
        DECODE,
        PROCESS_END,
        WORKER_DECODE,
        FINISHED, /* END */
        RETRY_AFTER,
        BODY_BYTES,     /* WIRE_BYTES */
        HOST_IN_FLIGHT, /* IN_FLIGHT */
        SYS,
        ENGINE, /* 1 */
        STREAM,
        SHARING,
        GAP,
        GAP_BYTES,
        ACKED_AT_ONCE,
        N_COLUMNS,
};

static const char *const columns[N_COLUMNS] = {
        [NUMBER] = "number INTEGER PRIMARY KEY",
        [REQUEST] = "request",
        [N] = "n",
        [ORIGIN] = "origin",
        [CONN] = "conn",
        [SLOT_FROM] = "slot_from",
        [START] = "start_ns",
        [SLOT] = "slot_ns",
        [SEND_START] = "send_start_ns",
        [SEND] = "send_ns",
        [FIRST_KERNEL] = "first_kernel_ns",
        [FIRST_READ] = "first_read_ns",
        [END] = "end_ns",
        [TAKEN] = "taken_ns",
        [CONN_IDLE] = "conn_idle_ns",
        [SENT_BYTES] = "sent_bytes",
        [WIRE_BYTES] = "wire_bytes",
        [RECEIVES] = "receives",
        [IN_FLIGHT] = "in_flight",
        [STATUS] = "status",
        [CODE] = "code",
        [FLAGS] = "flags",
        [SUBMIT_AGO] = "submit_ago_ns",
        [PLANNED] = "planned_ns",
        [DNS] = "dns_ns",
        [TCP] = "tcp_ns",
        [TUNNEL] = "tunnel_ns",
        [TLS] = "tls_ns",
        [EXPECT] = "expect_ns",
        [EXPECT_END] = "expect_end_ns",
        [EXPECT_UNHEARD] = "expect_unheard",
        [ACKED] = "acked_ns",
        [LAST_KERNEL] = "last_kernel_ns",
        [LAST_READ] = "last_read_ns",
        [DECODE] = "decode_ns",
        [PROCESS_END] = "process_end_ns",
        [WORKER_DECODE] = "worker_decode_ns",
        [FINISHED] = "finished_ns",
        [RETRY_AFTER] = "retry_after_ns",
        [BODY_BYTES] = "body_bytes",
        [HOST_IN_FLIGHT] = "host_in_flight",
        [SYS] = "sys",
        [ENGINE] = "engine",
        [STREAM] = "stream",
        [SHARING] = "sharing",
        [GAP] = "gap_ns",
        [GAP_BYTES] = "gap_bytes",
        [ACKED_AT_ONCE] = "acked_at_once",
};

#define MOMENT(member) offsetof(struct trace_attempt, member)

static const uint16_t moments[] = {
        MOMENT(stamps.start_ns),
        MOMENT(stamps.slot_ns),
        MOMENT(stamps.dns_end_ns),
        MOMENT(stamps.tcp_end_ns),
        MOMENT(stamps.tunnel_end_ns),
        MOMENT(stamps.tls_end_ns),
        MOMENT(stamps.send_start_ns),
        MOMENT(stamps.expect_start_ns),
        MOMENT(stamps.expect_end_ns),
        MOMENT(stamps.send_end_ns),
        MOMENT(stamps.acked_ns),
        MOMENT(stamps.first_byte_kernel_ns),
        MOMENT(stamps.first_byte_read_ns),
        MOMENT(stamps.last_byte_kernel_ns),
        MOMENT(stamps.last_byte_read_ns),
        MOMENT(stamps.end_ns),
        MOMENT(process_end_ns),
        MOMENT(finished_ns),
        MOMENT(taken_ns),
        MOMENT(submitted_ns),
        MOMENT(planned_ns),
};

/* --- flags ----------------------------------------------------------------------------------- */

/* The lowest byte holds booleans; the rest is half a byte each, easy to read in hexadecimal. */
#define IS_LAST        0x01
#define IS_REUSED      0x02
#define IS_SAFE        0x04
#define IS_PLAIN       0x08
#define IS_ENCODED     0x10
#define HAS_FIELDS     0x20
#define IS_ONE_PIECE   0x40 /* last_byte_* are those of the first byte */
#define IS_WITHHELD    0x80 /* by the retry budget; records of version 1 know no other reason */
#define WAIT_SHIFT     8
#define OUTCOME_SHIFT  12
#define STAGE_SHIFT    16
#define METHOD_SHIFT   20
#define HTTP_SHIFT     24
#define WITHHELD_SHIFT 32
#define FLAGS_MAX      0xfffffffffULL

static bool is_one_piece(const struct attempt *stamps)
{
        return stamps->last_byte_kernel_ns == stamps->first_byte_kernel_ns &&
               stamps->last_byte_read_ns == stamps->first_byte_read_ns;
}

static int64_t flags_of(const struct trace_attempt *attempt)
{
        return (attempt->is_last ? IS_LAST : 0) | (attempt->is_reused ? IS_REUSED : 0) |
               (attempt->is_safe ? IS_SAFE : 0) | (attempt->is_plain ? IS_PLAIN : 0) |
               (attempt->is_encoded ? IS_ENCODED : 0) | (attempt->has_fields ? HAS_FIELDS : 0) |
               (is_one_piece(&attempt->stamps) ? IS_ONE_PIECE : 0) |
               (attempt->withheld == TRACE_WITHHELD_BUDGET ? IS_WITHHELD : 0) |
               (int64_t)attempt->withheld << WITHHELD_SHIFT | (int64_t)attempt->wait << WAIT_SHIFT |
               (int64_t)attempt->outcome << OUTCOME_SHIFT | (int64_t)attempt->stage << STAGE_SHIFT |
               (int64_t)attempt->method << METHOD_SHIFT |
               (int64_t)attempt->http_version << HTTP_SHIFT;
}

static bool get_flags(uint64_t flags, struct trace_attempt *attempt)
{
        attempt->is_last = flags & IS_LAST;
        attempt->is_reused = flags & IS_REUSED;
        attempt->is_safe = flags & IS_SAFE;
        attempt->is_plain = flags & IS_PLAIN;
        attempt->is_encoded = flags & IS_ENCODED;
        attempt->has_fields = flags & HAS_FIELDS;
        attempt->withheld = flags >> WITHHELD_SHIFT & 15;
        if (flags & IS_WITHHELD)
                attempt->withheld = TRACE_WITHHELD_BUDGET;
        attempt->wait = flags >> WAIT_SHIFT & 15;
        attempt->outcome = flags >> OUTCOME_SHIFT & 15;
        attempt->stage = flags >> STAGE_SHIFT & 15;
        attempt->method = flags >> METHOD_SHIFT & 15;
        attempt->http_version = (uint8_t)(flags >> HTTP_SHIFT);
        return attempt->wait < TRACE_N_WAITS && attempt->outcome < TRACE_N_OUTCOMES &&
               attempt->stage < MUSTER_N_PHASES && attempt->method < TRACE_N_METHODS &&
               attempt->withheld < TRACE_N_WITHHELD;
}

/* --- there and back -------------------------------------------------------------------------- */

static int64_t unless_0(int64_t value)
{
        return value ? value : ROW_NULL;
}

static int64_t unless(int64_t usual, int64_t value)
{
        return value == usual ? ROW_NULL : value;
}

/*
 * When a request is usually finished: with its last attempt's end, unless there was work on the
 * body.
 */
static uint64_t usually_finished_ns(const struct trace_attempt *attempt)
{
        return attempt->is_last ? attempt->stamps.end_ns : 0;
}

static void put_usual_stamps(const struct trace_attempt *attempt, int64_t *values)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t start = stamps->start_ns;

        values[START] = (int64_t)start;
        values[SLOT] = row_since(stamps->slot_ns, start);
        values[SEND_START] = row_since(stamps->send_start_ns, start);
        values[SEND] = row_since(stamps->send_end_ns, start);
        values[FIRST_KERNEL] = row_since(stamps->first_byte_kernel_ns, start);
        values[FIRST_READ] = row_since(stamps->first_byte_read_ns, start);
        values[END] = row_since(stamps->end_ns, start);
        values[TAKEN] = row_since(attempt->taken_ns, start);
}

static void put_rare_stamps(const struct trace_attempt *attempt, int64_t *values)
{
        const struct attempt *stamps = &attempt->stamps;
        uint64_t start = stamps->start_ns;
        bool is_usual = is_one_piece(stamps);

        values[SUBMIT_AGO] = unless_0((int64_t)(start - attempt->submitted_ns));
        values[PLANNED] = row_since(attempt->planned_ns, start);
        values[DNS] = row_since(stamps->dns_end_ns, start);
        values[TCP] = row_since(stamps->tcp_end_ns, start);
        values[TUNNEL] = row_since(stamps->tunnel_end_ns, start);
        values[TLS] = row_since(stamps->tls_end_ns, start);
        values[EXPECT] = row_since(stamps->expect_start_ns, start);
        values[EXPECT_END] = row_since(stamps->expect_end_ns, start);
        values[EXPECT_UNHEARD] = unless_0(attempt->is_unheard);
        values[ACKED] = row_since(stamps->acked_ns, start);
        values[LAST_KERNEL] = is_usual ? ROW_NULL : row_since(stamps->last_byte_kernel_ns, start);
        values[LAST_READ] = is_usual ? ROW_NULL : row_since(stamps->last_byte_read_ns, start);
        values[DECODE] = unless_0(row_cut(stamps->decode_ns));
        values[PROCESS_END] = row_since(attempt->process_end_ns, start);
        values[WORKER_DECODE] = unless_0(row_cut(attempt->worker_decode_ns));
        values[FINISHED] = attempt->finished_ns == usually_finished_ns(attempt)
                                   ? ROW_NULL
                                   : row_since(attempt->finished_ns, start);
}

static void put_attempt(const void *row, int64_t values[ROW_VALUES_MAX])
{
        const struct trace_attempt *attempt = row;

        put_usual_stamps(attempt, values);
        values[NUMBER] = (int64_t)attempt->number;
        values[REQUEST] = (int64_t)attempt->request;
        values[N] = attempt->n;
        values[ORIGIN] = attempt->origin;
        values[CONN] = (int64_t)attempt->conn;
        values[SLOT_FROM] = (int64_t)attempt->slot_from;
        values[CONN_IDLE] = row_cut(attempt->conn_idle_ns);
        values[SENT_BYTES] = row_cut(attempt->sent_bytes);
        values[WIRE_BYTES] = row_cut(attempt->wire_bytes);
        values[RECEIVES] = attempt->n_receives;
        values[IN_FLIGHT] = attempt->in_flight;
        values[STATUS] = attempt->status;
        values[CODE] = attempt->code;
        values[FLAGS] = flags_of(attempt);

        put_rare_stamps(attempt, values);
        values[RETRY_AFTER] = unless_0(row_cut(attempt->retry_after_ns));
        values[BODY_BYTES] = unless(values[WIRE_BYTES], row_cut(attempt->body_bytes));
        values[HOST_IN_FLIGHT] = unless(attempt->in_flight, attempt->host_in_flight);
        values[SYS] = unless_0(attempt->sys);
        values[ENGINE] = unless(1, attempt->engine);
        values[STREAM] = unless_0(attempt->stream);
        values[SHARING] = unless_0(attempt->n_sharing);
        values[GAP] = unless_0(row_cut(attempt->gap_ns));
        values[GAP_BYTES] = unless_0(row_cut(attempt->gap_bytes));
        values[ACKED_AT_ONCE] = unless_0(attempt->is_acked_at_once);
}

/*
 * Read the stamps. An attempt has a beginning and an end, in this order; all others may be missing.
 */
static bool get_usual_stamps(const int64_t *values, struct trace_attempt *attempt)
{
        struct attempt *stamps = &attempt->stamps;
        bool is_good = values[START] != ROW_NULL && values[END] >= 0;
        uint64_t start = row_moment(values[START], 0, &is_good);

        stamps->start_ns = start;
        stamps->slot_ns = row_moment(values[SLOT], start, &is_good);
        stamps->send_start_ns = row_moment(values[SEND_START], start, &is_good);
        stamps->send_end_ns = row_moment(values[SEND], start, &is_good);
        stamps->first_byte_kernel_ns = row_moment(values[FIRST_KERNEL], start, &is_good);
        stamps->first_byte_read_ns = row_moment(values[FIRST_READ], start, &is_good);
        stamps->end_ns = row_moment(values[END], start, &is_good);
        attempt->taken_ns = row_moment(values[TAKEN], start, &is_good);
        return is_good;
}

static bool get_rare_stamps(const int64_t *values, struct trace_attempt *attempt)
{
        struct attempt *stamps = &attempt->stamps;
        bool is_good = true;
        uint64_t start = stamps->start_ns;
        uint64_t submit_ago = row_number(values[SUBMIT_AGO], ROW_NS_MAX, &is_good);

        attempt->submitted_ns = row_moment(-(int64_t)submit_ago, start, &is_good);
        attempt->planned_ns = row_moment(values[PLANNED], start, &is_good);
        stamps->dns_end_ns = row_moment(values[DNS], start, &is_good);
        stamps->tcp_end_ns = row_moment(values[TCP], start, &is_good);
        stamps->tunnel_end_ns = row_moment(values[TUNNEL], start, &is_good);
        stamps->tls_end_ns = row_moment(values[TLS], start, &is_good);
        stamps->expect_start_ns = row_moment(values[EXPECT], start, &is_good);
        stamps->expect_end_ns = row_moment(values[EXPECT_END], start, &is_good);
        attempt->is_unheard = row_number(values[EXPECT_UNHEARD], 1, &is_good);
        stamps->acked_ns = row_moment(values[ACKED], start, &is_good);
        stamps->last_byte_kernel_ns = row_moment(values[LAST_KERNEL], start, &is_good);
        stamps->last_byte_read_ns = row_moment(values[LAST_READ], start, &is_good);
        stamps->decode_ns = row_number(values[DECODE], ROW_NS_MAX, &is_good);
        attempt->process_end_ns = row_moment(values[PROCESS_END], start, &is_good);
        attempt->worker_decode_ns = row_number(values[WORKER_DECODE], ROW_NS_MAX, &is_good);
        attempt->finished_ns = row_moment(values[FINISHED], start, &is_good);
        return is_good;
}

/* Fill in values that were left out, as they are the same as others. */
static void fill_left_out(const int64_t *values, uint64_t flags, struct trace_attempt *attempt)
{
        struct attempt *stamps = &attempt->stamps;

        if (values[FINISHED] == ROW_NULL)
                attempt->finished_ns = usually_finished_ns(attempt);
        if (values[ENGINE] == ROW_NULL)
                attempt->engine = 1;
        if (values[BODY_BYTES] == ROW_NULL)
                attempt->body_bytes = attempt->wire_bytes;
        if (values[HOST_IN_FLIGHT] == ROW_NULL)
                attempt->host_in_flight = attempt->in_flight;
        if (flags & IS_ONE_PIECE) {
                stamps->last_byte_kernel_ns = stamps->first_byte_kernel_ns;
                stamps->last_byte_read_ns = stamps->first_byte_read_ns;
        }
        stamps->stage = attempt->stage;
}

static bool get_attempt(const int64_t values[ROW_VALUES_MAX], void *ret_row)
{
        struct trace_attempt *attempt = ret_row;
        uint64_t flags;
        bool is_good = values[NUMBER] > 0 && values[CODE] <= 0 && values[CODE] >= MUSTER_E_LOWEST;

        attempt->number = row_number(values[NUMBER], INT64_MAX, &is_good);
        attempt->request = row_number(values[REQUEST], INT64_MAX, &is_good);
        attempt->n = (uint16_t)row_number(values[N], UINT16_MAX, &is_good);
        attempt->origin = (uint32_t)row_number(values[ORIGIN], UINT32_MAX, &is_good);
        attempt->conn = row_number(values[CONN], INT64_MAX, &is_good);
        attempt->slot_from = row_number(values[SLOT_FROM], INT64_MAX, &is_good);
        attempt->conn_idle_ns = row_number(values[CONN_IDLE], ROW_NS_MAX, &is_good);
        attempt->retry_after_ns = row_number(values[RETRY_AFTER], INT64_MAX, &is_good);
        attempt->sent_bytes = row_number(values[SENT_BYTES], INT64_MAX, &is_good);
        attempt->wire_bytes = row_number(values[WIRE_BYTES], INT64_MAX, &is_good);
        attempt->body_bytes = row_number(values[BODY_BYTES], INT64_MAX, &is_good);
        attempt->n_receives = (uint32_t)row_number(values[RECEIVES], UINT32_MAX, &is_good);
        attempt->in_flight = (uint32_t)row_number(values[IN_FLIGHT], UINT32_MAX, &is_good);
        attempt->host_in_flight =
                (uint32_t)row_number(values[HOST_IN_FLIGHT], UINT32_MAX, &is_good);
        attempt->status = (int16_t)row_number(values[STATUS], 999, &is_good);
        attempt->code = (int8_t)values[CODE];
        attempt->engine = row_engine(values[ENGINE], &is_good);
        attempt->stream = (uint32_t)row_number(values[STREAM], INT32_MAX, &is_good);
        attempt->n_sharing = (uint32_t)row_number(values[SHARING], UINT32_MAX, &is_good);
        attempt->sys = (uint16_t)row_number(values[SYS], UINT16_MAX, &is_good);
        attempt->gap_ns = row_number(values[GAP], ROW_NS_MAX, &is_good);
        attempt->gap_bytes = row_number(values[GAP_BYTES], INT64_MAX, &is_good);
        attempt->is_acked_at_once = row_number(values[ACKED_AT_ONCE], 1, &is_good);
        flags = row_number(values[FLAGS], FLAGS_MAX, &is_good);
        if (!is_good || !get_flags(flags, attempt) || !get_usual_stamps(values, attempt) ||
                !get_rare_stamps(values, attempt))
                return false;
        fill_left_out(values, flags, attempt);
        return true;
}

const struct row_type row_type_attempt = {
        .table = "attempt",
        .columns = columns,
        .n_columns = N_COLUMNS,
        .n_usual = N_USUAL,
        .text_column = "url",
        .order = "number",
        .size = sizeof(struct trace_attempt),
        .text_at = offsetof(struct trace_attempt, url),
        .moments = moments,
        .n_moments = sizeof(moments) / sizeof(moments[0]),
        .begin_at = MOMENT(stamps.start_ns),
        .end_at = MOMENT(stamps.end_ns),
        .put = put_attempt,
        .get = get_attempt,
};
