/* SPDX-License-Identifier: MIT */
#include "result.h"

#include "callback.h"
#include "relay.h"
#include "request.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <http/decode.h>

/* --- filling it in --------------------------------------------------------------------------- */

void result_deinit(struct muster_result *result)
{
        muster_result_set_processed(result, NULL, NULL);
        result->attempts = mem_free(result->attempts);
        buf_deinit(&result->head);
        buf_deinit(&result->fields);
        buf_deinit(&result->body);
        buf_deinit(&result->undecoded);
        buf_deinit(&result->warning);
        buf_deinit(&result->heads);
        buf_deinit(&result->final_url);
}

#define N_KEPT 7

void result_recycle(struct muster_result *result, size_t keep_bytes)
{
        struct buf *const kept[N_KEPT] = { &result->head, &result->fields, &result->body,
                &result->undecoded, &result->warning, &result->heads, &result->final_url };
        struct buf bufs[N_KEPT];

        for (size_t i = 0; i < N_KEPT; i++) {
                buf_recycle(kept[i], keep_bytes);
                bufs[i] = *kept[i];
        }
        muster_result_set_processed(result, NULL, NULL);
        mem_free(result->attempts);
        *result = (struct muster_result){ 0 };
        for (size_t i = 0; i < N_KEPT; i++)
                *kept[i] = bufs[i];
}

void result_clear_response(struct muster_result *result)
{
        result->status = result->http_version = 0;
        result->n_dropped_fields = 0;
        result->head.len = result->fields.len = result->body.len = 0;
        result->undecoded.len = result->warning.len = 0;
        result->body_bytes = result->wire_bytes = 0;
}

int result_set_head(struct muster_result *result, const struct http_head *head)
{
        assert(!result->head.len && !result->fields.len);
        result->status = head->status;
        result->http_version = head->version;
        result->n_dropped_fields = head->n_dropped;
        if (buf_add_str(&result->head, head->raw) < 0 ||
                buf_add(&result->fields, head->fields.list, head->fields.n * sizeof(struct field)) <
                        0)
                return MUSTER_E_RESOURCE;
        return 0;
}

int result_set_undecoded(struct muster_result *result, const struct fields *fields)
{
        int r = decode_list_undecoded(fields, &result->undecoded);

        return r < 0 || !result->undecoded.len ? r : buf_terminate(&result->undecoded);
}

int result_add_decoder_warning(struct muster_result *result, const struct decoder *decoder)
{
        int r = decoder_add_warning(decoder, &result->warning);

        return r < 0 || !result->warning.len ? r : buf_terminate(&result->warning);
}

void result_add_warning(struct muster_result *result, struct muster_str text)
{
        size_t before = result->warning.len;

        if ((before && buf_add_text(&result->warning, "; ") < 0) ||
                buf_add_str(&result->warning, text) < 0 || buf_terminate(&result->warning) < 0)
                result->warning.len = before;
}

/* struct muster_attempt before it had room for more phases; its size tells it. */
struct early {
        enum muster_code code;
        int status;
        uint64_t start_ns, end_ns;
        uint64_t phase_ns[MUSTER_PHASE_DELIVER + 1];
        uint64_t backoff_ns, conn_id;
};

static struct muster_attempt *attempts_of(struct muster_result *result)
{
        return result->attempts ? result->attempts : &result->first;
}

static unsigned n_kept(const struct muster_result *result)
{
        return result->n_attempts < MUSTER_ATTEMPTS_KEPT ? result->n_attempts
                                                         : MUSTER_ATTEMPTS_KEPT;
}

/* The place for the next attempt; the oldest one makes room. NULL if memory is out. */
static struct muster_attempt *next_place(struct muster_result *result)
{
        unsigned n = n_kept(result);

        if (n == 0)
                return &result->first;
        if (!result->attempts) {
                result->attempts = mem_array(MUSTER_ATTEMPTS_KEPT, sizeof(*result->attempts));
                if (!result->attempts)
                        return NULL;
                result->attempts[0] = result->first;
        }
        if (n < MUSTER_ATTEMPTS_KEPT)
                return &result->attempts[n];
        memmove(result->attempts, result->attempts + 1, (n - 1) * sizeof(*result->attempts));
        return &result->attempts[n - 1];
}

int result_add_attempt(struct muster_result *result, const struct attempt *attempt,
        enum muster_code code, uint64_t conn_id)
{
        struct muster_attempt *kept = next_place(result);
        uint64_t phase_ns[MUSTER_N_PHASES] = { 0 };

        assert(attempt->end_ns >= attempt->start_ns);
        attempt_add_phases(attempt, phase_ns);
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                result->phase_ns[i] += phase_ns[i];
        if (!kept)
                return MUSTER_E_RESOURCE;
        *kept = (struct muster_attempt){ .code = code,
                .status = result->status,
                .start_ns = attempt->start_ns,
                .end_ns = attempt->end_ns,
                .conn_id = conn_id };
        memcpy(kept->phase_ns, phase_ns, sizeof(phase_ns));
        result->n_attempts++;
        return 0;
}

void result_add_backoff(struct muster_result *result, uint64_t backoff_ns)
{
        result->phase_ns[MUSTER_PHASE_BACKOFF] += backoff_ns;
        if (result->n_attempts)
                attempts_of(result)[n_kept(result) - 1].backoff_ns = backoff_ns;
}

/* --- reading it ------------------------------------------------------------------------------ */

void *muster_result_userdata(const struct muster_result *result)
{
        if (!result)
                return NULL;
        return request_of_result(result)->userdata;
}

uint64_t muster_result_id(const struct muster_result *result)
{
        if (!result)
                return 0;
        return request_of_result(result)->id;
}

/* Does the engine of a client with threads still write into it? */
static bool is_relayed(const struct muster_result *result)
{
        struct relay *relay = request_of_result(result)->relay;

        return relay && !relay_is_over(relay);
}

const struct muster_error *muster_result_error(const struct muster_result *result)
{
        if (!result || is_relayed(result))
                return NULL;
        return result->error.code ? &result->error : NULL;
}

const char *muster_result_error_text(const struct muster_result *result)
{
        const struct muster_error *error = muster_result_error(result);

        return error ? error->text : "";
}

const char *muster_result_method(const struct muster_result *result)
{
        if (!result)
                return "";
        return request_of_result(result)->text.at;
}

const char *muster_result_url(const struct muster_result *result)
{
        if (!result)
                return "";
        return request_of_result(result)->asked_url.at;
}

const char *muster_result_final_url(const struct muster_result *result)
{
        return result && result->final_url.at ? result->final_url.at : "";
}

int muster_result_status(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->status;
}

int muster_result_http_version(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->http_version;
}

struct muster_str muster_result_header(const struct muster_result *result, const char *name)
{
        struct fields fields;

        if (!result || !name)
                return (struct muster_str){ 0 };
        fields = result_fields(result);
        return fields_find(&fields, name);
}

size_t muster_result_n_headers(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result_fields(result).n;
}

unsigned muster_result_n_dropped_fields(const struct muster_result *result)
{
        return result ? result->n_dropped_fields : 0;
}

struct muster_str muster_result_header_name(const struct muster_result *result, size_t index)
{
        struct fields fields;

        if (!result)
                return (struct muster_str){ 0 };
        fields = result_fields(result);
        return index < fields.n ? field_name(&fields, index) : (struct muster_str){ 0 };
}

struct muster_str muster_result_header_value(const struct muster_result *result, size_t index)
{
        struct fields fields;

        if (!result)
                return (struct muster_str){ 0 };
        fields = result_fields(result);
        return index < fields.n ? field_value(&fields, index) : (struct muster_str){ 0 };
}

const void *muster_result_body(const struct muster_result *result)
{
        return result && result->body.at ? result->body.at : "";
}

size_t muster_result_body_size(const struct muster_result *result)
{
        if (!result)
                return 0;
        return request_of_result(result)->is_announced ? 0 : result->body.len;
}

uint64_t muster_result_body_bytes(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->body_bytes;
}

/* An empty buffer may still hold old bytes. */
static const char *text_of(const struct buf *buf)
{
        return buf->len ? buf->at : "";
}

const char *muster_result_heads(const struct muster_result *result)
{
        return result ? text_of(&result->heads) : "";
}

const char *muster_result_undecoded(const struct muster_result *result)
{
        return result ? text_of(&result->undecoded) : "";
}

const char *muster_result_warning(const struct muster_result *result)
{
        return result ? text_of(&result->warning) : "";
}

uint64_t muster_result_wire_bytes(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->wire_bytes;
}

void muster_result_set_processed(struct muster_result *result, void *processed,
        void (*free_processed)(void *processed))
{
        if (!result)
                return;
        if (result->processed && result->free_processed)
                result->free_processed(result->processed);
        result->processed = processed;
        result->free_processed = free_processed;
}

void *muster_result_processed(const struct muster_result *result)
{
        return result ? result->processed : NULL;
}

int muster_result_fail(struct muster_result *result, const char *text)
{
        if (!result)
                return MUSTER_E_INVALID;
        error_clear(&result->error);
        return error_set(&result->error, MUSTER_E_PROCESS, MUSTER_PHASE_PROCESS, 0, "process: %s",
                text ? text : "failed");
}

unsigned muster_result_n_attempts(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->n_attempts;
}

unsigned muster_result_n_redirects(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->n_redirects;
}

uint64_t muster_result_phase_ns(const struct muster_result *result, enum muster_phase phase)
{
        return result && (unsigned)phase < MUSTER_N_PHASES ? result->phase_ns[phase] : 0;
}

uint64_t muster_result_total_ns(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->taken_ns - result->submitted_ns;
}

uint64_t muster_result_submitted_ns(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->submitted_ns;
}

uint64_t muster_result_planned_ns(const struct muster_result *result)
{
        if (!result)
                return 0;
        return result->planned_ns;
}

/* Copy an attempt as programs know it that were built when there were twelve phases. */
static void copy_early(const struct muster_attempt *attempt, void *ret_attempt)
{
        struct early *early = ret_attempt;

        *early = (struct early){ .code = attempt->code,
                .status = attempt->status,
                .start_ns = attempt->start_ns,
                .end_ns = attempt->end_ns,
                .backoff_ns = attempt->backoff_ns,
                .conn_id = attempt->conn_id };
        memcpy(early->phase_ns, attempt->phase_ns, sizeof(early->phase_ns));
}

int muster_result_attempt(const struct muster_result *result, unsigned index,
        struct muster_attempt *ret_attempt, size_t size)
{
        const struct muster_attempt *kept;
        unsigned n, n_forgotten;

        if (!result || !ret_attempt)
                return MUSTER_E_INVALID;
        n = n_kept(result);
        n_forgotten = result->n_attempts - n;
        kept = result->attempts ? result->attempts : &result->first;
        if (index < n_forgotten || index - n_forgotten >= n)
                return MUSTER_E_INVALID;
        if (size == sizeof(struct early))
                copy_early(&kept[index - n_forgotten], ret_attempt);
        else
                mem_copy_known(ret_attempt, size, &kept[index - n_forgotten], sizeof(*kept));
        return 0;
}

void muster_result_conn(const struct muster_result *result, struct muster_conn_info *ret_info,
        size_t size)
{
        if (result && ret_info)
                mem_copy_known(ret_info, size, &result->conn, sizeof(result->conn));
}
