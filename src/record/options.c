/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "row.h"
#include <core/rate.h>
#include <core/workers.h>
#include <stddef.h>

#define OPTION(name, kind, max)                                                                    \
        {                                                                                          \
#name, kind, offsetof(struct record_options, name), max                            \
        }
#define COUNT(name, max) OPTION(name, OPTION_NUMBER, max)
#define NUMBER(name)     OPTION(name, OPTION_NUMBER, ROW_NS_MAX)
#define RATE(name)       OPTION(name, OPTION_REAL, RATE_PER_S_MAX)
#define SWITCH(name)     OPTION(name, OPTION_SWITCH, 1)

const struct option_type option_types[] = {
        COUNT(concurrency, UINT32_MAX),
        COUNT(per_host, UINT32_MAX),
        NUMBER(queue_size),
        RATE(rate_per_s),
        RATE(rate_per_host_per_s),
        RATE(rate_from_per_s),
        NUMBER(rate_ramp_ns),
        NUMBER(queue_timeout_ns),
        NUMBER(connect_timeout_ns),
        NUMBER(read_timeout_ns),
        NUMBER(total_timeout_ns),
        NUMBER(deadline_ns),
        NUMBER(idle_timeout_ns),
        NUMBER(max_retries),
        NUMBER(retry_delay_ns),
        COUNT(workers, WORKERS_MAX),
        NUMBER(decode_threshold_bytes),
        SWITCH(no_redirects),
        SWITCH(no_decoding),
        SWITCH(discard_body),
        SWITCH(http_1_0),
        SWITCH(no_reuse),
        OPTION(input, OPTION_INPUT, MUSTER_INPUT_TERMINAL),
        OPTION(output, OPTION_OUTPUT, MUSTER_OUTPUT_DEVICE),
        { 0 },
};

static const char *const inputs[] = {
        [MUSTER_INPUT_UNKNOWN] = "unknown",
        [MUSTER_INPUT_ARGUMENTS] = "arguments",
        [MUSTER_INPUT_FILE] = "file",
        [MUSTER_INPUT_PIPE] = "pipe",
        [MUSTER_INPUT_TERMINAL] = "terminal",
};

const char *option_input_word(enum muster_input input)
{
        return inputs[input <= MUSTER_INPUT_TERMINAL ? input : MUSTER_INPUT_UNKNOWN];
}

enum muster_input option_input_of(struct muster_str word)
{
        for (unsigned i = 0; i <= MUSTER_INPUT_TERMINAL; i++)
                if (str_is(word, inputs[i]))
                        return (enum muster_input)i;
        return MUSTER_INPUT_UNKNOWN;
}

static const char *const outputs[] = {
        [MUSTER_OUTPUT_UNKNOWN] = "unknown",
        [MUSTER_OUTPUT_NONE] = "none",
        [MUSTER_OUTPUT_FILE] = "file",
        [MUSTER_OUTPUT_PIPE] = "pipe",
        [MUSTER_OUTPUT_SOCKET] = "socket",
        [MUSTER_OUTPUT_TERMINAL] = "terminal",
        [MUSTER_OUTPUT_DEVICE] = "device",
};

const char *option_output_word(enum muster_output output)
{
        return outputs[output <= MUSTER_OUTPUT_DEVICE ? output : MUSTER_OUTPUT_UNKNOWN];
}

enum muster_output option_output_of(struct muster_str word)
{
        for (unsigned i = 0; i <= MUSTER_OUTPUT_DEVICE; i++)
                if (str_is(word, outputs[i]))
                        return (enum muster_output)i;
        return MUSTER_OUTPUT_UNKNOWN;
}

static uint64_t limit_of(uint64_t limit)
{
        return limit == UINT64_MAX ? 0 : limit;
}

void options_of_settings(struct record_options *options, const struct settings *settings)
{
        *options = (struct record_options){
                .concurrency = settings->concurrency,
                .per_host = settings->per_host,
                .queue_size = settings->queue_size,
                .rate_per_s = settings->rate_per_s,
                .rate_per_host_per_s = settings->rate_per_host_per_s,
                .rate_from_per_s = settings->rate_from_per_s,
                .rate_ramp_ns = settings->rate_ramp_ns,
                .queue_timeout_ns = limit_of(settings->queue_timeout_ns),
                .connect_timeout_ns = limit_of(settings->connect_timeout_ns),
                .read_timeout_ns = limit_of(settings->read_timeout_ns),
                .total_timeout_ns = limit_of(settings->total_timeout_ns),
                .deadline_ns = limit_of(settings->deadline_ns),
                .idle_timeout_ns = limit_of(settings->idle_timeout_ns),
                .max_retries = settings->max_retries,
                .retry_delay_ns = settings->retry_delay_ns,
                .workers = settings->workers,
                .decode_threshold_bytes = limit_of(settings->decode_threshold_bytes),
                .no_redirects = settings->no_redirects,
                .no_decoding = settings->no_decoding,
                .discard_body = settings->discard_body,
                .http_1_0 = settings->http_1_0,
                .no_reuse = settings->no_reuse,
        };
}
