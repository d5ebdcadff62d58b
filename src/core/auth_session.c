/* SPDX-License-Identifier: MIT */
#include "auth_session.h"

#include <assert.h>
#include <base/mem.h>
#include <openssl/rand.h>
#include <stdio.h>

#define CNONCE_BYTES 16

static struct auth_session *session_free(struct auth_session *session)
{
        buf_wipe(&session->user);
        buf_wipe(&session->password);
        digest_deinit(&session->digest);
        return mem_free(session);
}

void auth_sessions_deinit(struct auth_sessions *sessions)
{
        while (sessions->first) {
                struct auth_session *session = sessions->first;

                sessions->first = session->next;
                session_free(session);
        }
        *sessions = (struct auth_sessions){ 0 };
}

/* --- finding --------------------------------------------------------------------------------- */

static void push(struct auth_sessions *sessions, struct auth_session *session)
{
        session->next = sessions->first;
        sessions->first = session;
}

static struct auth_session *make_session(struct muster_str user, struct muster_str password)
{
        struct auth_session *session = mem_zalloc(sizeof(*session));

        if (session && buf_add_str(&session->user, user) == 0 &&
                buf_add_str(&session->password, password) == 0)
                return session;
        return session ? session_free(session) : NULL;
}

/*
 * Forget the one used longest ago that nobody will come back for. Requests that were cancelled never
 * do, so there is an end to that, too.
 */
static void forget_one(struct auth_sessions *sessions)
{
        bool may_be_awaited = sessions->n > AUTH_SESSIONS_AWAITED_MAX;
        struct auth_session **last = NULL, *session;

        assert(sessions->n > 1);
        for (struct auth_session **at = &sessions->first->next; *at; at = &(*at)->next)
                if (may_be_awaited || !(*at)->is_awaited)
                        last = at;
        if (!last)
                return;
        session = *last;
        *last = session->next;
        session_free(session);
        sessions->n--;
}

int auth_sessions_get(struct auth_sessions *sessions, struct muster_str user,
        struct muster_str password, struct auth_session **ret_session)
{
        struct auth_session **at = &sessions->first, *session;

        while (*at && !(str_eq(buf_str(&(*at)->user), user) &&
                              str_eq(buf_str(&(*at)->password), password)))
                at = &(*at)->next;
        session = *at;
        if (session) {
                *at = session->next;
        } else {
                session = make_session(user, password);
                if (!session)
                        return MUSTER_E_RESOURCE;
                session->number = ++sessions->last_number;
                sessions->n++;
        }
        push(sessions, session);
        if (sessions->n > AUTH_SESSIONS_MAX)
                forget_one(sessions);
        *ret_session = session;
        return 0;
}

struct auth_session *auth_sessions_find(const struct auth_sessions *sessions, uint64_t number)
{
        struct auth_session *session = sessions->first;

        while (session && session->number != number)
                session = session->next;
        return session;
}

/* --- Digest ---------------------------------------------------------------------------------- */

int auth_session_begin_digest(struct auth_session *session,
        const struct digest_challenge *challenge)
{
        unsigned char bytes[CNONCE_BYTES];
        char cnonce[2 * CNONCE_BYTES + 1];
        int r = RAND_bytes(bytes, sizeof(bytes)) == 1 ? 0 : MUSTER_E_RESOURCE;

        for (size_t i = 0; r == 0 && i < sizeof(bytes); i++)
                snprintf(cnonce + 2 * i, 3, "%02x", bytes[i]);
        if (r == 0)
                r = digest_begin(&session->digest, challenge, buf_str(&session->user),
                        buf_str(&session->password), str_of(cnonce));
        session->is_known = r == 0;
        session->scheme = AUTH_DIGEST;
        return r;
}
