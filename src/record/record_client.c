/* SPDX-License-Identifier: MIT */
/*
 * The public functions: recording a client
 */
#include "record.h"
#include "recorder.h"
#include <base/error.h>
#include <base/mem.h>
#include <core/callback.h>
#include <core/client.h>

/* The size that counts if a caller leaves `size` at 0: up to the last member of version 0.1. */
#define OPTIONS_BYTES_0_1 (offsetof(struct muster_record_options, overwrite) + sizeof(bool))

static struct muster_record_options known_options(const struct muster_record_options *options)
{
        struct muster_record_options known = { 0 };

        if (options)
                mem_copy_known(&known, sizeof(known), options,
                        options->size ? options->size : OPTIONS_BYTES_0_1);
        return known;
}

static int refuse_options(struct muster_error *error, const char *why)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "invalid: %s", why);
}

int muster_record(struct muster_client *client, const struct muster_record_options *options,
        struct muster_error *error)
{
        struct muster_record_options known = known_options(options);
        struct tracer *tracer;
        int r;

        if (error)
                error_clear(error);
        if (!client || callback_is_running())
                return refuse_options(error,
                        "the client is NULL, or one of its callbacks made this call");
        if (client_tracer(client))
                return refuse_options(error, "this client is already being recorded");
        if (client->n_submitted)
                return refuse_options(error,
                        "recording must begin before the first request is submitted");
        if (known.file && !*known.file)
                return refuse_options(error, "the name of the record's file is empty");
        r = recorder_new(&tracer, &known, &client->settings, &client->engine.clock, error);
        if (r < 0)
                return r;
        r = client_trace(client, tracer);
        for (unsigned i = 0; r < 0 && i < client->settings.threads; i++) {
                tracer->ops->end(tracer);
                tracer->ops->free(tracer);
        }
        return r;
}

int muster_record_count(struct muster_client *client, enum muster_program_counter counter,
        uint64_t value)
{
        if (!client || callback_is_running() || !recorder_is_going_on(client_tracer(client)))
                return MUSTER_E_INVALID;
        return recorder_count(client_tracer(client), counter, value);
}

int muster_record_end(struct muster_client *client, struct muster_error *error)
{
        if (error)
                error_clear(error);
        if (!client || callback_is_running())
                return refuse_options(error,
                        "the client is NULL, or one of its callbacks made this call");
        client_untrace(client);
        return recorder_outcome(client_tracer(client), error);
}

int record_of_client(struct record *record, const struct muster_client *client)
{
        *record = (struct record){ 0 };
        if (callback_is_running())
                return MUSTER_E_INVALID;
        return recorder_copy(client ? client_tracer(client) : NULL, record);
}
