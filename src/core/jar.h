/* SPDX-License-Identifier: MIT */
/*
 * The caller's jar (muster/cookie.h): cookies behind a lock, and a count of who holds them
 *
 * Requests of several clients and threads may use it. The lock is held while the cookies of one
 * request are looked up or stored, which is some microseconds; requests without a jar never see it.
 */
#ifndef CORE_JAR_H
#define CORE_JAR_H

#include <http/cookie_jar.h>
#include <http/field.h>
#include <http/url.h>
#include <pthread.h>
#include <stdatomic.h>

struct muster_jar {
        pthread_mutex_t lock; /* of `cookies` */
        atomic_uint n_refs;
        struct cookie_jar cookies;
};

/* Append the value of Cookie for a request to `url`. As cookie_jar_get(). */
int jar_get(struct muster_jar *jar, const struct url *url, struct muster_str own, struct buf *to);

/* Keep what the fields of a response from `url` set. 0 or MUSTER_E_RESOURCE. */
int jar_take(struct muster_jar *jar, const struct url *url, const struct fields *fields);

/* Unix time. */
int64_t jar_now_s(void);

#endif
