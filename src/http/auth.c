/* SPDX-License-Identifier: MIT */
#include "auth.h"

#include <openssl/evp.h>

const struct auth_fields auth_fields_of_server = { "WWW-Authenticate", "Authorization",
        "Authentication-Info" };
const struct auth_fields auth_fields_of_proxy = { "Proxy-Authenticate", "Proxy-Authorization",
        "Proxy-Authentication-Info" };

/* --- choosing -------------------------------------------------------------------------------- */

static enum auth_scheme scheme_of(struct muster_str name)
{
        if (str_is_nocase(name, "Basic"))
                return AUTH_BASIC;
        if (str_is_nocase(name, "Bearer"))
                return AUTH_BEARER;
        return str_is_nocase(name, "Digest") ? AUTH_DIGEST : AUTH_NONE;
}

/* Consider a Digest challenge. True if it is the strongest so far. */
static bool consider_digest(struct auth_choice *choice, const struct auth_challenge *challenge)
{
        struct digest_challenge digest;
        int r = digest_read(challenge, &digest, &choice->why);

        if (r != 0)
                return false;
        if (choice->offered & AUTH_DIGEST && digest.algorithm <= choice->digest.algorithm)
                return false;
        choice->digest = digest;
        return true;
}

struct auth_choice auth_choose(const struct fields *fields, const char *challenge_name,
        unsigned allowed)
{
        struct auth_choice choice = { .scheme = AUTH_NONE };
        struct auth_challenges iter = { 0 };
        struct auth_challenge challenge;

        while (auth_next_challenge(fields, challenge_name, &iter, &challenge)) {
                enum auth_scheme scheme = scheme_of(challenge.scheme);

                if (scheme == AUTH_DIGEST && !consider_digest(&choice, &challenge))
                        continue;
                choice.offered |= scheme;
                if (scheme & allowed && scheme > choice.scheme)
                        choice.scheme = scheme;
        }
        if (choice.offered & AUTH_DIGEST)
                choice.why = NULL;
        return choice;
}

/* --- Basic ----------------------------------------------------------------------------------- */

static int add_base64(struct muster_str text, struct buf *to)
{
        int r = buf_reserve(to, (text.len + 2) / 3 * 4 + 1);

        if (r == 0)
                to->len += (size_t)EVP_EncodeBlock((unsigned char *)to->at + to->len,
                        (const unsigned char *)text.at, (int)text.len);
        return r;
}

int auth_add_basic(struct muster_str user, struct muster_str password, struct buf *to)
{
        struct buf pair = { 0 };
        size_t before = to->len;
        int r = buf_add_text(to, "Basic ");

        if (r == 0)
                r = buf_reserve(&pair, user.len + password.len + 1);
        if (r == 0) {
                buf_add_str(&pair, user);
                buf_add_char(&pair, ':');
                buf_add_str(&pair, password);
                r = add_base64(buf_str(&pair), to);
        }
        buf_wipe(&pair);
        if (r < 0)
                to->len = before;
        return r;
}
