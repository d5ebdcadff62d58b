/* SPDX-License-Identifier: MIT */
#include "tls_source.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>

static int copy_text(const char **to, const char *from)
{
        *to = from ? mem_strdup(from) : NULL;
        return from && !*to ? MUSTER_E_RESOURCE : 0;
}

static void drop_text(const char *text)
{
        mem_free((void *)(uintptr_t)text);
}

static int copy_options(struct tls_options *to, const struct muster_client_options *from)
{
        assert(!to->ca_file && !to->cert_file && !to->key_file && !to->keylog_file);
        to->insecure_no_verify = from->insecure_no_verify;
        to->cert_status = from->cert_status;
        if (copy_text(&to->ca_file, from->ca_file) < 0 ||
                copy_text(&to->cert_file, from->client_cert_file) < 0 ||
                copy_text(&to->key_file, from->client_key_file) < 0 ||
                copy_text(&to->keylog_file, from->keylog_file) < 0)
                return MUSTER_E_RESOURCE;
        return 0;
}

int tls_source_init(struct tls_source *source, const struct muster_client_options *options,
        struct muster_error *error)
{
        struct tls_context *context;

        pthread_mutex_init(&source->lock, NULL);
        if (copy_options(&source->options, options) < 0)
                return error_set_memory(error, MUSTER_PHASE_TLS);
        if (options->ca_file || options->client_cert_file || options->keylog_file)
                return tls_source_get(source, &context, error);
        return 0;
}

void tls_source_deinit(struct tls_source *source)
{
        source->context = tls_context_free(source->context);
        drop_text(source->options.ca_file);
        drop_text(source->options.cert_file);
        drop_text(source->options.key_file);
        drop_text(source->options.keylog_file);
        source->options = (struct tls_options){ 0 };
        pthread_mutex_destroy(&source->lock);
}

int tls_source_get(struct tls_source *source, struct tls_context **ret_context,
        struct muster_error *error)
{
        int r = 0;

        pthread_mutex_lock(&source->lock);
        if (!source->context)
                r = tls_context_new(&source->context, &source->options, error);
        if (r == 0)
                *ret_context = source->context;
        pthread_mutex_unlock(&source->lock);
        return r;
}
