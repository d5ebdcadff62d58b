/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "machine_memory.h"
#include "processors.h"
#include "rate.h"
#include "slots.h"
#include "workers.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <http/decode.h>
#include <errno.h>
#include <http/auth.h>
#include <http/field.h>
#include <http/h1_read.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS_MAX         SLOTS_LEASES_MAX
#define CONCURRENCY_DEFAULT 64      /* enough for any one server, few enough for most */
#define CONCURRENCY_MAX     1000000 /* more descriptors than a kernel gives by default */
#define QUEUE_DEFAULT_MIN   1024
#define CONNECT_TIMEOUT_NS  (10 * NS_PER_S) /* three SYNs at 1 s, 3 s, 7 s */
#define READ_TIMEOUT_NS     (60 * NS_PER_S) /* what servers tend to allow */
#define EXPECT_TIMEOUT_NS   NS_PER_S
#define EXPECT_ABOVE_BYTES  (1024 * 1024) /* as curl; both */
/*
 * What whoever is at work exceeds, and somebody who only holds our slots does not: blanks that are
 * sent to keep a connection alive for some minutes are no reason to give up
 */
#define LOW_SPEED_BYTES_PER_S    16
#define LOW_SPEED_TIME_NS        (600 * NS_PER_S)
#define LOW_SPEED_TIME_CURL_NS   (30 * NS_PER_S)
#define IDLE_TIMEOUT_NS          (50 * NS_PER_S) /* below the 60 and 75 s of common servers */
#define RETRY_DELAY_NS           (500 * NS_PER_MS)
#define RETRY_DELAY_MAX_NS       (30 * NS_PER_S)
#define RETRY_BUDGET_PERCENT     20
#define RETRY_BUDGET_PERCENT_MAX 1000 /* ten retries for each request: more is no budget */
/* the Fetch standard allows 20, curl 30; a chain of more than 10 is a loop */
#define REDIRECTS_MAX    10
#define BODY_BYTES_MAX   (UINT64_C(1) << 30)
#define BODY_MEMORY_PART 4 /* a quarter of the machine's is for bodies: the rest is others' */
#define HEADER_BYTES_MIN 256
#define DECODE_THRESHOLD (64 * 1024) /* decoded in a fraction of a millisecond */

uint64_t settings_timeout_ns(uint64_t ms, uint64_t default_ns)
{
        if (ms == 0)
                return default_ns;
        return ms > UINT64_MAX / NS_PER_MS ? UINT64_MAX : ms * NS_PER_MS;
}

struct muster_client_options settings_known_options(const struct muster_client_options *options)
{
        struct muster_client_options known = { 0 };
        size_t size;

        if (!options)
                return known;
        size = options->size ? options->size : CLIENT_OPTIONS_BYTES_0_1;
        if (size > sizeof(known))
                size = sizeof(known);
        memcpy(&known, options, size);
        return known;
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
        return value ? value : otherwise;
}

static uint64_t or_default64(uint64_t value, uint64_t otherwise)
{
        return value ? value : otherwise;
}

static bool is_rate(double per_s)
{
        return per_s == 0 || (per_s >= RATE_PER_S_MIN && per_s <= RATE_PER_S_MAX);
}

bool settings_is_http(unsigned http)
{
        return http == MUSTER_HTTP_ANY || http == MUSTER_HTTP_1_0 || http == MUSTER_HTTP_1_1 ||
               http == MUSTER_HTTP_2 || http == MUSTER_HTTP_2_PRIOR_KNOWLEDGE;
}

static int check_ramp(const struct muster_client_options *o, struct muster_error *error)
{
        if (!o->rate_ramp_ms && o->rate_from_per_s == 0)
                return 0;
        if (!o->rate_ramp_ms || o->rate_per_s == 0)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: a ramp needs %s",
                        o->rate_ramp_ms ? "rate_per_s, which it leads to" : "rate_ramp_ms");
        if (o->rate_ramp_ms > RAMP_NS_MAX / NS_PER_MS)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: rate_ramp_ms %llu is above %llu, which is a week",
                        (unsigned long long)o->rate_ramp_ms,
                        (unsigned long long)(RAMP_NS_MAX / NS_PER_MS));
        if (!is_rate(o->rate_from_per_s))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: rate_from_per_s %g must be 0 or from %g to %g",
                        o->rate_from_per_s, RATE_PER_S_MIN, RATE_PER_S_MAX);
        return 0;
}

static int check_options(const struct muster_client_options *o, struct muster_error *error)
{
        if (o->concurrency > CONCURRENCY_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: concurrency %u is above %u", o->concurrency, CONCURRENCY_MAX);
        if (o->threads > THREADS_MAX && o->threads != MUSTER_THREADS_AUTO)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: threads %u is above %u", o->threads, THREADS_MAX);
        if (o->retry_budget_percent > RETRY_BUDGET_PERCENT_MAX &&
                o->retry_budget_percent != MUSTER_NO_RETRY_BUDGET)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: retry_budget_percent %u is above %d", o->retry_budget_percent,
                        RETRY_BUDGET_PERCENT_MAX);
        if (o->max_header_bytes && o->max_header_bytes < HEADER_BYTES_MIN)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: max_header_bytes %zu is below %d, no response fits",
                        o->max_header_bytes, HEADER_BYTES_MIN);
        if (o->user_agent && !field_is_value(str_of(o->user_agent)))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: user_agent has a control character");
        if (o->workers > WORKERS_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: workers %u is above %d", o->workers, WORKERS_MAX);
        if (!is_rate(o->rate_per_s) || !is_rate(o->rate_per_host_per_s))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: %s %g must be 0 or from %g to %g",
                        is_rate(o->rate_per_s) ? "rate_per_host_per_s" : "rate_per_s",
                        is_rate(o->rate_per_s) ? o->rate_per_host_per_s : o->rate_per_s,
                        RATE_PER_S_MIN, RATE_PER_S_MAX);
        _Static_assert(MUSTER_AUTH_BASIC == AUTH_BASIC && MUSTER_AUTH_DIGEST == AUTH_DIGEST,
                "the public values are those of http/auth.h");
        if (o->auth & ~MUSTER_AUTH_ANY)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: auth %#x is not a set of MUSTER_AUTH_BASIC and MUSTER_AUTH_DIGEST",
                        o->auth);
        if (!settings_is_http(o->http))
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: http %u is none of enum muster_http", o->http);
        if (o->client_key_file && !o->client_cert_file)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "invalid: client_key_file without client_cert_file");
        return check_ramp(o, error);
}

static unsigned n_processors(void)
{
        long n = sysconf(_SC_NPROCESSORS_ONLN);

        return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

/*
 * The number of threads, each with at least one slot, as it would have nothing to do without one.
 */
static unsigned n_threads(const struct muster_client_options *o, unsigned concurrency)
{
        unsigned n = o->threads;

        if (n == MUSTER_THREADS_AUTO)
                n = processors_usable();
        if (n > THREADS_MAX)
                n = THREADS_MAX;
        if (n > concurrency)
                n = concurrency;
        return n ? n : 1;
}

static size_t queue_size(const struct muster_client_options *o, unsigned concurrency)
{
        size_t usual = (size_t)concurrency * 4;

        if (o->queue_size)
                return o->queue_size;
        return usual > QUEUE_DEFAULT_MIN ? usual : QUEUE_DEFAULT_MIN;
}

/* The machine's memory is read only where it counts: it takes a few system calls. */
static uint64_t body_memory_bytes(const struct muster_client_options *o)
{
        return o->body_memory_bytes ? o->body_memory_bytes
                                    : machine_memory_bytes() / BODY_MEMORY_PART;
}

static char *own_name(void)
{
        char name[32];

        snprintf(name, sizeof(name), "muster/%s", muster_version());
        return mem_strdup(name);
}

/* As curl: a file that is optional need not be there. */
static int read_netrc(struct settings *settings, const struct muster_client_options *o,
        struct muster_error *error)
{
        struct muster_error why = { 0 };
        int r = o->netrc_file ? netrc_read(&settings->netrc, o->netrc_file, &why) : 0;

        if (r < 0 && !(o->netrc_optional && why.sys == ENOENT))
                return error_set(error, (enum muster_code)r, MUSTER_PHASE_QUEUE, why.sys, "%s",
                        why.text);
        return 0;
}

/* One of the two alone has curl's default for the other. */
static void set_low_speed(struct settings *settings, const struct muster_client_options *o)
{
        bool has_speed = o->low_speed_bytes_per_s, has_time = o->low_speed_time_ms;

        settings->low_speed_is_given = has_speed || has_time;
        settings->low_speed_bytes_per_s = has_speed  ? o->low_speed_bytes_per_s
                                          : has_time ? 1
                                                     : LOW_SPEED_BYTES_PER_S;
        settings->low_speed_time_ns = settings_timeout_ns(o->low_speed_time_ms,
                has_speed ? LOW_SPEED_TIME_CURL_NS : LOW_SPEED_TIME_NS);
        if (settings->low_speed_bytes_per_s == MUSTER_NO_LIMIT)
                settings->low_speed_time_ns = UINT64_MAX;
}

static int copy_secrets(struct settings *settings, const char *const *names)
{
        for (; names && *names; names++)
                if (buf_add_text(&settings->secret_fields, *names) < 0 ||
                        buf_add_char(&settings->secret_fields, '\n') < 0)
                        return MUSTER_E_RESOURCE;
        return 0;
}

bool settings_is_secret(const struct settings *settings, struct muster_str name)
{
        struct muster_str rest = buf_str(&settings->secret_fields), secret;

        while (str_split(&rest, '\n', &secret))
                if (str_eq_nocase(secret, name))
                        return true;
        return false;
}

int settings_init(struct settings *settings, const struct muster_client_options *options,
        struct muster_error *error)
{
        struct muster_client_options o = settings_known_options(options);
        unsigned concurrency = or_default(o.concurrency, CONCURRENCY_DEFAULT);
        int r = check_options(&o, error);

        if (r < 0)
                return r;
        *settings = (struct settings){
                .threads = n_threads(&o, concurrency),
                .concurrency = concurrency,
                .per_host = or_default(o.per_host, concurrency),
                .queue_size = queue_size(&o, concurrency),
                .queue_timeout_ns = settings_timeout_ns(o.queue_timeout_ms, UINT64_MAX),
                .connect_timeout_ns = settings_timeout_ns(o.connect_timeout_ms, CONNECT_TIMEOUT_NS),
                .read_timeout_ns = settings_timeout_ns(o.read_timeout_ms, READ_TIMEOUT_NS),
                .total_timeout_ns = settings_timeout_ns(o.total_timeout_ms, UINT64_MAX),
                .deadline_ns = settings_timeout_ns(o.deadline_ms, UINT64_MAX),
                .idle_timeout_ns = settings_timeout_ns(o.idle_timeout_ms, IDLE_TIMEOUT_NS),
                .expect_timeout_ns = settings_timeout_ns(o.expect_timeout_ms, EXPECT_TIMEOUT_NS),
                .expect_above_bytes =
                        o.expect_above_bytes ? o.expect_above_bytes : EXPECT_ABOVE_BYTES,
                .max_retries = o.max_retries,
                .retry_budget_percent = or_default(o.retry_budget_percent, RETRY_BUDGET_PERCENT),
                .max_redirects =
                        o.fail_on_redirect ? 0 : or_default(o.max_redirects, REDIRECTS_MAX),
                .retry_delay_ns = settings_timeout_ns(o.retry_delay_ms, RETRY_DELAY_NS),
                .retry_delay_max_ns = settings_timeout_ns(o.retry_delay_max_ms, RETRY_DELAY_MAX_NS),
                .retry_fixed_delay_ns = settings_timeout_ns(o.retry_fixed_delay_ms, 0),
                .retry_max_time_ns = settings_timeout_ns(o.retry_max_time_ms, UINT64_MAX),
                .max_body_bytes = or_default64(o.max_body_bytes, BODY_BYTES_MAX),
                .body_memory_bytes = body_memory_bytes(&o),
                .max_header_bytes = o.max_header_bytes ? o.max_header_bytes : H1_HEAD_BYTES_MAX,
                .max_decode_ratio = or_default(o.max_decode_ratio, DECODE_RATIO_MAX),
                .workers = or_default(o.workers, n_processors()),
                .decode_threshold_bytes =
                        o.workers ? or_default64(o.decode_threshold_bytes, DECODE_THRESHOLD)
                                  : UINT64_MAX,
                .auth = or_default(o.auth, MUSTER_AUTH_BASIC),
                .netrc_is_optional = o.netrc_optional,
                .credentials_to_any_origin = o.credentials_to_any_origin,
                .rate_per_s = o.rate_per_s,
                .rate_per_host_per_s = o.rate_per_host_per_s,
                .rate_from_per_s = o.rate_from_per_s,
                .rate_ramp_ns = o.rate_ramp_ms * NS_PER_MS,
                .no_redirects = o.no_redirects,
                .no_decoding = o.no_decoding,
                .discard_body = o.discard_body,
                .fail_on_status = o.fail_on_status,
                .fail_with_body = o.fail_with_body,
                .retry_unsafe = o.retry_unsafe,
                .allow_https_to_http = o.allow_https_to_http,
                .http_1_0 = o.http_1_0 || o.http == MUSTER_HTTP_1_0,
                .http = o.http,
                .h2_conns = or_default(o.h2_conns, UINT_MAX),
                .no_reuse = o.no_reuse,
                .keep_heads = o.keep_heads,
        };
        set_low_speed(settings, &o);
        settings->cookies = muster_jar_ref(o.cookies);
        settings->hsts = muster_hsts_ref(o.hsts);
        settings->learns_hsts = o.hsts && !o.insecure_no_verify;
        settings->user_agent = o.user_agent ? mem_strdup(o.user_agent) : own_name();
        r = settings->user_agent && copy_secrets(settings, o.secret_headers) == 0
                    ? 0
                    : MUSTER_E_RESOURCE;
        r = r < 0 ? error_set_memory(error, MUSTER_PHASE_QUEUE) : read_netrc(settings, &o, error);
        if (r == 0)
                r = guard_init(&settings->guard, &o, error);
        return r < 0 ? r : routes_init(&settings->routes, &o, error);
}

void settings_deinit(struct settings *settings)
{
        settings->user_agent = mem_free(settings->user_agent);
        settings->cookies = muster_jar_free(settings->cookies);
        netrc_deinit(&settings->netrc);
        buf_deinit(&settings->secret_fields);
        settings->hsts = muster_hsts_free(settings->hsts);
        guard_deinit(&settings->guard);
        routes_deinit(&settings->routes);
}
