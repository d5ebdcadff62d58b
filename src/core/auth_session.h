/* SPDX-License-Identifier: MIT */
/*
 * Sessions: what an origin asked for, for each of the users who were asked
 *
 * They belong to an origin. So the second request knows what the first one was told, and sends its
 * credentials at once. Few users have few sessions; a list in which every request has a user of its
 * own must not fill the memory, so beyond AUTH_SESSIONS_MAX those used longest ago are forgotten.
 */
#ifndef CORE_AUTH_SESSION_H
#define CORE_AUTH_SESSION_H

#include <http/auth.h>

#define AUTH_SESSIONS_MAX         64   /* of an origin; each takes about 600 bytes */
#define AUTH_SESSIONS_AWAITED_MAX 4096 /* the most that are kept because a request comes again */

struct auth_session {
        struct auth_session *next;
        uint64_t number;
        struct buf user, password;
        bool is_known;           /* the origin was asked; `scheme` is what it wants */
        enum auth_scheme scheme; /* AUTH_NONE: it wanted nothing */
        struct digest digest;    /* with AUTH_DIGEST */
        bool was_refused;        /* these credentials, the last time that it was clear */
        bool is_awaited;         /* a request was told to come again with its answer */
};

/* Zeroed is empty. */
struct auth_sessions {
        struct auth_session *first; /* the one used last */
        unsigned n;
        uint64_t last_number;
        bool has_led; /* the first request went ahead of the others */
        bool is_led;  /* it does so now: they wait for what it is told */
};

void auth_sessions_deinit(struct auth_sessions *sessions);

/* Find or make the session of this user with this password. MUSTER_E_RESOURCE. */
int auth_sessions_get(struct auth_sessions *sessions, struct muster_str user,
        struct muster_str password, struct auth_session **ret_session);

/* The session of that number; NULL: it was forgotten. */
struct auth_session *auth_sessions_find(const struct auth_sessions *sessions, uint64_t number);

/* Begin to answer this challenge. MUSTER_E_RESOURCE: the origin has to be asked again. */
int auth_session_begin_digest(struct auth_session *session,
        const struct digest_challenge *challenge);

#endif
