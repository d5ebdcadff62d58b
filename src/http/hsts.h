/* SPDX-License-Identifier: MIT */
/*
 * Hosts that want https only: HTTP Strict Transport Security (RFC 6797)
 *
 * A pure store. The caller fills it with the field of responses that came over https without an
 * error of the certificate, asks it before each request, and gives the time of day. The file's form
 * is curl's, a host a line, with a dot in front if its subdomains are meant as well:
 *
 *      .example.com "20271231 23:59:59"
 *      example.net "unlimited"
 */
#ifndef HTTP_HSTS_H
#define HTTP_HSTS_H

#include <base/buf.h>
#include <base/list.h>
#include <base/map.h>
#include <muster/error.h>

#define HSTS_HOSTS_MAX 10000 /* what curl keeps; beyond it the one learnt first is forgotten */

struct hsts {
        struct map hosts;
        struct list order; /* as they were learnt */
        bool has_changed;  /* since it was made or read */
};

void hsts_init(struct hsts *hsts);
void hsts_deinit(struct hsts *hsts);

#define HSTS_IGNORED 1 /* the value says nothing that can be understood */

/*
 * A response from `host` had the field Strict-Transport-Security with this value. `host` is in lower
 * case and no address. HSTS_IGNORED, MUSTER_E_RESOURCE.
 */
int hsts_note(struct hsts *hsts, struct muster_str host, struct muster_str value, int64_t now_s);

/* Is https to be used for this host, which is in lower case and no address? */
bool hsts_has(const struct hsts *hsts, struct muster_str host, int64_t now_s);

/*
 * Add what a file has. Hosts that have expired are left out; of a host that is known already, the
 * longer time and the wider scope count. MUSTER_E_INPUT with *error: the line is not of that form;
 * those before it were read. MUSTER_E_RESOURCE.
 */
int hsts_read(struct hsts *hsts, struct muster_str text, const char *name, int64_t now_s,
        struct muster_error *error);

/* Append all hosts as a file has them. MUSTER_E_RESOURCE. */
int hsts_write(const struct hsts *hsts, struct buf *to, int64_t now_s);

#endif
