/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include "digest_hash.h"
#include <assert.h>
#include <openssl/crypto.h>
#include <stdio.h>

void digest_deinit(struct digest *digest)
{
        buf_deinit(&digest->realm);
        buf_deinit(&digest->nonce);
        buf_deinit(&digest->cnonce);
        buf_deinit(&digest->head);
        buf_deinit(&digest->tail);
        OPENSSL_cleanse(digest->secret, sizeof(digest->secret));
        *digest = (struct digest){ 0 };
}

/* --- writing --------------------------------------------------------------------------------- */

/* Append texts up to a NULL. */
static int add_all(struct buf *to, const struct muster_str *const texts[])
{
        int r = 0;

        for (size_t i = 0; r == 0 && texts[i]; i++)
                r = buf_add_str(to, *texts[i]);
        return r;
}

/* Append ", name="value"", with quotes and backslashes escaped (RFC 9110 section 5.6.4). */
static int add_quoted(struct buf *to, const char *name, struct muster_str value)
{
        int r = buf_add_text(to, name);

        if (r == 0)
                r = buf_add(to, "=\"", 2);
        for (size_t i = 0; r == 0 && i < value.len; i++) {
                if (value.at[i] == '"' || value.at[i] == '\\')
                        r = buf_add_char(to, '\\');
                if (r == 0)
                        r = buf_add_char(to, value.at[i]);
        }
        return r < 0 ? r : buf_add_char(to, '"');
}

/* --- the session's secret -------------------------------------------------------------------- */

static const struct muster_str colon = { ":", 1 };

/* The hash of some texts with colons between them. */
static int hash_joined(enum digest_algorithm algorithm, const struct muster_str *texts, size_t n,
        char ret_hex[DIGEST_HEX_BYTES])
{
        struct buf joined = { 0 };
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct muster_str *const both[] = { i ? &colon : &texts[i],
                        i ? &texts[i] : NULL, NULL };

                r = add_all(&joined, both);
        }
        if (r == 0 && !digest_hash(algorithm, buf_str(&joined), ret_hex))
                r = MUSTER_E_RESOURCE;
        buf_wipe(&joined);
        return r;
}

/* H(A1), RFC 7616 section 3.4.2. */
static int make_secret(struct digest *digest, struct muster_str user, struct muster_str password)
{
        const struct muster_str plain[] = { user, buf_str(&digest->realm), password };
        int r = hash_joined(digest->algorithm, plain, 3, digest->secret);

        if (r == 0 && digest->is_session) {
                const struct muster_str session[] = { str_of(digest->secret),
                        buf_str(&digest->nonce), buf_str(&digest->cnonce) };

                r = hash_joined(digest->algorithm, session, 3, digest->secret);
        }
        return r;
}

/* --- what is the same in all requests -------------------------------------------------------- */

static bool is_ascii(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++)
                if ((unsigned char)text.at[i] < 0x20 || (unsigned char)text.at[i] > 0x7e)
                        return false;
        return true;
}

/* Append username*=UTF-8''..., percent-encoded (RFC 8187). */
static int add_encoded_user(struct buf *to, struct muster_str user)
{
        int r = buf_add_text(to, "username*=UTF-8''");

        for (size_t i = 0; r == 0 && i < user.len; i++) {
                unsigned char c = (unsigned char)user.at[i];
                bool is_plain = c < 0x80 &&
                                (char_is_digit((char)c) || strchr("-._~", c) ||
                                        (char_lower((char)c) >= 'a' && char_lower((char)c) <= 'z'));
                char text[4];

                snprintf(text, sizeof(text), is_plain ? "%c" : "%%%02X", c);
                r = buf_add_text(to, text);
        }
        return r;
}

static int add_user(struct digest *digest, const struct digest_challenge *challenge,
        struct muster_str user)
{
        const struct muster_str named[] = { user, buf_str(&digest->realm) };
        char hash[DIGEST_HEX_BYTES];
        int r;

        if (!challenge->hashes_user)
                return challenge->is_utf8 && !is_ascii(user)
                               ? add_encoded_user(&digest->head, user)
                               : add_quoted(&digest->head, "username", user);
        r = hash_joined(digest->algorithm, named, 2, hash);
        return r < 0 ? r : add_quoted(&digest->head, "username", str_of(hash));
}

static int make_head(struct digest *digest, const struct digest_challenge *challenge,
        struct muster_str user)
{
        int r = buf_add_text(&digest->head, "Digest ");

        if (r == 0)
                r = add_user(digest, challenge, user);
        return r < 0 ? r : add_quoted(&digest->head, ", realm", buf_str(&digest->realm));
}

static int add_opaque(struct digest *digest, const struct auth_param *param)
{
        struct buf opaque = { 0 };
        int r = auth_add_value(param, &opaque);

        if (r == 0)
                r = add_quoted(&digest->tail, ", opaque", buf_str(&opaque));
        buf_deinit(&opaque);
        return r;
}

static int make_tail(struct digest *digest, const struct digest_challenge *challenge)
{
        struct buf *tail = &digest->tail;
        int r = challenge->has_opaque ? add_opaque(digest, &challenge->opaque) : 0;

        if (r == 0 && challenge->algorithm_name.name.at) {
                r = buf_add_text(tail, ", algorithm=");
                if (r == 0)
                        r = buf_add_str(tail, challenge->algorithm_name.value);
        }
        if (r == 0 && challenge->hashes_user)
                r = buf_add_text(tail, ", userhash=true");
        return r;
}

int digest_begin(struct digest *digest, const struct digest_challenge *challenge,
        struct muster_str user, struct muster_str password, struct muster_str cnonce)
{
        int r;

        assert(cnonce.len && challenge->nonce.name.at);
        digest_deinit(digest);
        digest->algorithm = challenge->algorithm;
        digest->has_qop = challenge->has_qop;
        digest->is_session = challenge->is_session;
        r = auth_add_value(&challenge->realm, &digest->realm);
        if (r == 0)
                r = auth_add_value(&challenge->nonce, &digest->nonce);
        if (r == 0)
                r = buf_add_str(&digest->cnonce, cnonce);
        if (r == 0)
                r = make_secret(digest, user, password);
        if (r == 0)
                r = make_tail(digest, challenge);
        if (r == 0)
                r = make_head(digest, challenge, user);
        if (r < 0)
                digest_deinit(digest);
        return r;
}

/* --- a request ------------------------------------------------------------------------------- */

/* The response, RFC 7616 section 3.4.1; without a quality of protection as in RFC 2069. */
static int make_response(const struct digest *digest, struct muster_str method,
        struct muster_str target, const char *count, char ret_hex[DIGEST_HEX_BYTES])
{
        const struct muster_str a2[] = { method, target };
        char hash[DIGEST_HEX_BYTES];
        int r = hash_joined(digest->algorithm, a2, 2, hash);

        if (r < 0)
                return r;
        if (digest->has_qop) {
                const struct muster_str all[] = { str_of(digest->secret), buf_str(&digest->nonce),
                        str_of(count), buf_str(&digest->cnonce), { "auth", 4 }, str_of(hash) };

                return hash_joined(digest->algorithm, all, 6, ret_hex);
        }
        const struct muster_str all[] = { str_of(digest->secret), buf_str(&digest->nonce),
                str_of(hash) };

        return hash_joined(digest->algorithm, all, 3, ret_hex);
}

/* How often the nonce was used. RFC 2069 has none of that, but a session needs its cnonce. */
static int add_use(const struct digest *digest, const char *count, struct buf *to)
{
        int r = digest->has_qop || digest->is_session
                        ? add_quoted(to, ", cnonce", buf_str(&digest->cnonce))
                        : 0;

        if (r < 0 || !digest->has_qop)
                return r;
        r = buf_add_text(to, ", nc=");
        if (r == 0)
                r = buf_add_text(to, count);
        return r < 0 ? r : buf_add_text(to, ", qop=auth");
}

int digest_add(struct digest *digest, struct muster_str method, struct muster_str target,
        struct buf *to)
{
        char count[9], response[DIGEST_HEX_BYTES];
        size_t before = to->len;
        int r;

        assert(digest_has_begun(digest));
        if (digest->count == UINT32_MAX)
                return DIGEST_USED_UP;
        digest->count++;
        snprintf(count, sizeof(count), "%08x", (unsigned)digest->count);
        r = make_response(digest, method, target, count, response);
        if (r == 0)
                r = buf_add_str(to, buf_str(&digest->head));
        if (r == 0)
                r = add_quoted(to, ", nonce", buf_str(&digest->nonce));
        if (r == 0)
                r = add_quoted(to, ", uri", target);
        if (r == 0)
                r = add_use(digest, count, to);
        if (r == 0)
                r = add_quoted(to, ", response", str_of(response));
        if (r == 0)
                r = buf_add_str(to, buf_str(&digest->tail));
        if (r < 0)
                to->len = before;
        return r;
}

/* --- what comes later ------------------------------------------------------------------------ */

static int take_nonce(struct digest *digest, const struct auth_param *param)
{
        struct buf nonce = { 0 };
        int r = auth_add_value(param, &nonce);

        if (r < 0 || !nonce.len) {
                buf_deinit(&nonce);
                return r;
        }
        buf_deinit(&digest->nonce);
        digest->nonce = nonce;
        digest->count = 0;
        return 0;
}

int digest_renew(struct digest *digest, struct muster_str info)
{
        struct auth_param param;

        assert(digest_has_begun(digest));
        while (auth_next_param(&info, &param))
                if (str_is_nocase(param.name, "nextnonce"))
                        return take_nonce(digest, &param);
        return 0;
}

bool digest_is_for_realm(const struct digest *digest, const struct digest_challenge *challenge)
{
        struct buf realm = { 0 };
        bool is_same = auth_add_value(&challenge->realm, &realm) == 0 &&
                       str_eq(buf_str(&realm), buf_str(&digest->realm));

        buf_deinit(&realm);
        return is_same;
}
