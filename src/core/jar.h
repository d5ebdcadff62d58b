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

/* Cookies that a jar and its copies share until one of them is to be changed. */
struct jar_store {
        pthread_mutex_t lock; /* of `cookies`; taken while that of a jar is held */
        atomic_uint n_refs;   /* jars */
        struct cookie_jar cookies;
};

struct muster_jar {
        pthread_mutex_t lock; /* of which store it is */
        atomic_uint n_refs;
        struct jar_store *store;
};

/*
 * Lock the jar to read its cookies, or to change them, until jar_unlock(). NULL, which only the
 * latter returns: there is no memory for cookies of its own, and nothing is locked.
 */
struct cookie_jar *jar_lock(struct muster_jar *jar);
struct cookie_jar *jar_lock_to_change(struct muster_jar *jar);
void jar_unlock(struct muster_jar *jar);

/* Append the value of Cookie for a request to `url`. As cookie_jar_get(). */
int jar_get(struct muster_jar *jar, const struct url *url, struct muster_str own, struct buf *to);

/* Keep what the fields of a response from `url` set. 0 or MUSTER_E_RESOURCE. */
int jar_take(struct muster_jar *jar, const struct url *url, const struct fields *fields);

/* Unix time. */
int64_t jar_now_s(void);

#endif
