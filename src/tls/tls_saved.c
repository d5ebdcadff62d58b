/* SPDX-License-Identifier: MIT */
#include "tls_saved.h"

#include "tls_spack.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/rand.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <time.h>

#define ID_BYTES (2 * SAVED_HASH_BYTES) /* salt and hash */

struct peer {
        struct map_node node; /* in saved->peers, by `id` */
        struct list lines;
        char id[ID_BYTES];
};

static struct peer *peer_of_node(struct map_node *node)
{
        return LIST_OWNER(node, struct peer, node);
}

static struct saved_line *line_of_link(struct list *link)
{
        return LIST_OWNER(link, struct saved_line, link);
}

/* --- making and unmaking --------------------------------------------------------------------- */

void saved_init(struct saved *saved)
{
        *saved = (struct saved){ 0 };
        map_init(&saved->peers);
}

static void forget_peer(struct saved *saved, struct peer *peer)
{
        struct list *link;

        while ((link = list_pop(&peer->lines)))
                mem_free(line_of_link(link));
        map_remove(&saved->peers, &peer->node);
        mem_free(peer);
}

void saved_deinit(struct saved *saved)
{
        struct map_node *node;

        while ((node = map_any(&saved->peers)))
                forget_peer(saved, peer_of_node(node));
        map_deinit(&saved->peers);
        mem_free(saved->salts);
        *saved = (struct saved){ 0 };
}

/* --- base64 ---------------------------------------------------------------------------------- */

static int add_base64(struct buf *to, struct muster_str bytes)
{
        if (buf_reserve(to, (bytes.len + 2) / 3 * 4 + 1) < 0)
                return MUSTER_E_RESOURCE;
        to->len += (size_t)EVP_EncodeBlock((unsigned char *)to->at + to->len,
                (const unsigned char *)bytes.at, (int)bytes.len);
        return 0;
}

/* MUSTER_E_INPUT if it is not base64. */
static int decode_base64(struct buf *to, struct muster_str text)
{
        size_t n_padding = 0;
        int n;

        while (n_padding < 2 && n_padding < text.len && text.at[text.len - 1 - n_padding] == '=')
                n_padding++;
        if (!text.len || text.len % 4)
                return MUSTER_E_INPUT;
        if (buf_reserve(to, text.len) < 0)
                return MUSTER_E_RESOURCE;
        n = EVP_DecodeBlock((unsigned char *)to->at + to->len, (const unsigned char *)text.at,
                (int)text.len);
        if (n < (int)n_padding)
                return MUSTER_E_INPUT;
        to->len += (size_t)n - n_padding;
        return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

static bool has_salt(const struct saved *saved, const char *salt)
{
        for (size_t i = saved->n_salts; i > 0; i--)
                if (memcmp(saved->salts[i - 1], salt, SAVED_HASH_BYTES) == 0)
                        return true;
        return false;
}

static int add_salt(struct saved *saved, const char *salt)
{
        void *salts;

        if (has_salt(saved, salt))
                return 0;
        salts = mem_realloc(saved->salts, (saved->n_salts + 1) * sizeof(*saved->salts));
        if (!salts)
                return MUSTER_E_RESOURCE;
        saved->salts = salts;
        memcpy(saved->salts[saved->n_salts++], salt, SAVED_HASH_BYTES);
        return 0;
}

static struct peer *peer_with(struct saved *saved, struct muster_str id)
{
        struct map_node *node = map_find(&saved->peers, id);
        struct peer *peer;

        assert(id.len == ID_BYTES);
        if (node)
                return peer_of_node(node);
        peer = mem_zalloc(sizeof(*peer));
        if (!peer)
                return NULL;
        list_init(&peer->lines);
        memcpy(peer->id, id.at, ID_BYTES);
        if (add_salt(saved, peer->id) < 0 ||
                map_add(&saved->peers, &peer->node, (struct muster_str){ peer->id, ID_BYTES }) < 0)
                return mem_free(peer);
        return peer;
}

static int keep_line(struct saved *saved, struct muster_str id, struct muster_str text,
        int64_t expires_s)
{
        struct peer *peer = peer_with(saved, id);
        struct saved_line *line = peer ? mem_alloc(sizeof(*line) + text.len) : NULL;

        if (!line)
                return MUSTER_E_RESOURCE;
        *line = (struct saved_line){ .expires_s = expires_s, .len = text.len };
        memcpy(line->text, text.at, text.len);
        list_push_back(&peer->lines, &line->link);
        return 0;
}

/* Decode both halves of a line into `scratch`. MUSTER_E_INPUT, MUSTER_E_RESOURCE. */
static int split_line(struct muster_str text, struct buf *scratch, struct spack *ret_spack)
{
        struct muster_str id;
        int r;

        scratch->len = 0;
        if (text.len > SAVED_LINE_MAX || !str_split(&text, ':', &id))
                return MUSTER_E_INPUT;
        r = decode_base64(scratch, id);
        if (r == 0 && scratch->len != ID_BYTES)
                r = MUSTER_E_INPUT;
        if (r == 0)
                r = decode_base64(scratch, text);
        if (r < 0)
                return r;
        return spack_read(ret_spack,
                (struct muster_str){ scratch->at + ID_BYTES, scratch->len - ID_BYTES });
}

static int read_line(struct saved *saved, struct muster_str text, struct buf *scratch)
{
        struct spack spack;
        int r;

        if (text.len && text.at[text.len - 1] == '\r')
                text.len--;
        text = str_trim(text);
        if (!text.len || text.at[0] == '#')
                return 0;
        r = split_line(text, scratch, &spack);
        if (r < 0)
                return r;
        if (spack.expires_s <= (int64_t)time(NULL))
                return 0;
        return keep_line(saved, (struct muster_str){ scratch->at, ID_BYTES }, text,
                spack.expires_s);
}

int saved_read(struct saved *saved, struct muster_str text, const char *name,
        struct muster_error *error)
{
        struct buf scratch = { 0 };
        struct muster_str line;
        unsigned long n = 0;
        int r = 0;

        while (r == 0 && str_split(&text, '\n', &line)) {
                n++;
                r = read_line(saved, line, &scratch);
        }
        buf_deinit(&scratch);
        if (r == MUSTER_E_INPUT)
                error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_TLS, 0,
                        "input: %s, line %lu, is not a TLS session as muster and curl save it; nothing was read or changed: remove that line, or the file",
                        name, n);
        else if (r < 0)
                error_set_memory(error, MUSTER_PHASE_TLS);
        if (r < 0) {
                saved_deinit(saved);
                saved_init(saved);
        }
        return r;
}

/* --- taking ---------------------------------------------------------------------------------- */

static void make_id(char id[ID_BYTES], const unsigned char *salt, struct muster_str key)
{
        unsigned len = SAVED_HASH_BYTES;

        memcpy(id, salt, SAVED_HASH_BYTES);
        /* It fails only without memory: then nothing is found by what is there. */
        if (!HMAC(EVP_sha256(), salt, SAVED_HASH_BYTES, (const unsigned char *)key.at, key.len,
                    (unsigned char *)id + SAVED_HASH_BYTES, &len))
                memset(id + SAVED_HASH_BYTES, 0, SAVED_HASH_BYTES);
        assert(len == SAVED_HASH_BYTES);
}

static struct peer *find_peer(const struct saved *saved, struct muster_str key)
{
        struct map_node *node = NULL;
        char id[ID_BYTES];

        for (size_t i = 0; i < saved->n_salts && !node; i++) {
                make_id(id, saved->salts[i], key);
                node = map_find(&saved->peers, (struct muster_str){ id, ID_BYTES });
        }
        return node ? peer_of_node(node) : NULL;
}

/* NULL: OpenSSL does not know what to make of it. */
static SSL_SESSION *decode_session(const struct saved_line *line)
{
        struct buf scratch = { 0 };
        SSL_SESSION *session = NULL;
        struct spack spack;

        if (split_line((struct muster_str){ line->text, line->len }, &scratch, &spack) == 0) {
                const unsigned char *at = (const unsigned char *)spack.session.at;

                session = d2i_SSL_SESSION(NULL, &at, (long)spack.session.len);
        }
        ERR_clear_error();
        buf_deinit(&scratch);
        return session;
}

SSL_SESSION *saved_take(struct saved *saved, struct muster_str key)
{
        struct peer *peer;

        while ((peer = find_peer(saved, key))) {
                struct list *link = list_pop(&peer->lines);
                SSL_SESSION *session = link ? decode_session(line_of_link(link)) : NULL;

                if (link)
                        mem_free(line_of_link(link));
                else
                        forget_peer(saved, peer);
                if (session)
                        return session;
        }
        return NULL;
}

/* --- writing --------------------------------------------------------------------------------- */

int saved_write_head(struct buf *to)
{
        return buf_add_text(to,
                "# TLS sessions, as kept by curl --ssl-sessions and muster fetch --ssl-sessions.\n"
                "# Whoever can read this file can read what these sessions are used for: keep it private.\n");
}

static int add_session(struct buf *to, SSL_SESSION *session, int64_t expires_s)
{
        const unsigned char *alpn = NULL;
        unsigned char *der = NULL;
        struct spack spack = { .expires_s = expires_s,
                .version = (uint16_t)SSL_SESSION_get_protocol_version(session) };
        int len = i2d_SSL_SESSION(session, &der), r;

        if (len <= 0)
                return MUSTER_E_RESOURCE;
        SSL_SESSION_get0_alpn_selected(session, &alpn, &spack.alpn.len);
        spack.alpn.at = (const char *)alpn;
        spack.session = (struct muster_str){ (char *)der, (size_t)len };
        r = spack_write(to, &spack);
        OPENSSL_clear_free(der, (size_t)len);
        return r;
}

int saved_write(struct saved *saved, struct buf *to, struct muster_str key, SSL_SESSION *session,
        int64_t expires_s)
{
        struct buf packed = { 0 };
        char id[ID_BYTES];
        int r;

        if (!saved->has_own_salt)
                rand_seed_bytes(saved->own_salt, sizeof(saved->own_salt));
        saved->has_own_salt = true;
        make_id(id, saved->own_salt, key);
        r = add_session(&packed, session, expires_s);
        if (r == 0 && (add_base64(to, (struct muster_str){ id, ID_BYTES }) < 0 ||
                              buf_add_char(to, ':') < 0 || add_base64(to, buf_str(&packed)) < 0 ||
                              buf_add_char(to, '\n') < 0))
                r = MUSTER_E_RESOURCE;
        buf_deinit(&packed);
        return r;
}

static int write_peer(const struct peer *peer, struct buf *to, int64_t now_s)
{
        for (struct list *link = peer->lines.next; link != &peer->lines; link = link->next) {
                const struct saved_line *line = line_of_link(link);

                if (line->expires_s <= now_s)
                        continue;
                if (buf_add(to, line->text, line->len) < 0 || buf_add_char(to, '\n') < 0)
                        return MUSTER_E_RESOURCE;
        }
        return 0;
}

/* A peer's lines are taken one and all. */
static bool has_peer(const struct saved *saved, const struct peer *peer)
{
        return map_find(&saved->peers, peer->node.key);
}

int saved_write_rest(const struct saved *saved, const struct saved *other, struct buf *to)
{
        int64_t now_s = (int64_t)time(NULL);
        int r = 0;

        for (size_t i = 0; i < saved->peers.n_chains && r == 0; i++)
                for (struct map_node *node = saved->peers.chains[i]; node && r == 0;
                        node = node->next)
                        if (!other || has_peer(other, peer_of_node(node)))
                                r = write_peer(peer_of_node(node), to, now_s);
        return r;
}
