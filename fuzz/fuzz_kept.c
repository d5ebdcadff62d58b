/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a file of TLS sessions, as a list of HSTS hosts, and as the field that adds to it:
 * what is read can be written, and read again
 */
#include "fuzz.h"

#include <http/hsts.h>
#include <tls/tls_saved.h>

#define NOW_S INT64_C(1800000000)

static void check_sessions(struct muster_str text)
{
        struct muster_error error = { 0 };
        struct saved saved, again;
        struct buf out = { 0 };

        saved_init(&saved);
        saved_init(&again);
        if (saved_read(&saved, text, "file", &error) == 0) {
                FUZZ_CHECK(saved_write_rest(&saved, NULL, &out) == 0);
                FUZZ_CHECK(saved_read(&again, buf_str(&out), "file", &error) == 0);
                FUZZ_CHECK(again.peers.n == saved.peers.n);
        } else {
                FUZZ_CHECK(error.code && saved.peers.n == 0);
        }
        buf_deinit(&out);
        saved_deinit(&again);
        saved_deinit(&saved);
}

static void check_hosts(struct muster_str text)
{
        struct muster_error error = { 0 }, none = { 0 };
        struct hsts hsts, again;
        struct buf out = { 0 };

        hsts_init(&hsts);
        hsts_init(&again);
        (void)hsts_read(&hsts, text, "file", NOW_S, &error);
        (void)hsts_note(&hsts, str_of("h.test"), text, NOW_S);
        FUZZ_CHECK(hsts_write(&hsts, &out, NOW_S) == 0);
        FUZZ_CHECK(hsts_read(&again, buf_str(&out), "file", NOW_S, &none) == 0);
        FUZZ_CHECK(again.hosts.n == hsts.hosts.n);
        (void)hsts_has(&hsts, text, NOW_S);
        buf_deinit(&out);
        hsts_deinit(&again);
        hsts_deinit(&hsts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_sessions((struct muster_str){ (const char *)data, size });
        check_hosts((struct muster_str){ (const char *)data, size });
        return 0;
}
