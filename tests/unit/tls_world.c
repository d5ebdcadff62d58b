/* SPDX-License-Identifier: MIT */
#include "tls_world.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- certificates ---------------------------------------------------------------------------- */

struct identity ca, other_ca, intermediate, good, expired, future, self_signed, unknown,
        named_by_cn, behind_intermediate;
char directory[] = "/tmp/muster-tls-XXXXXX";
char ca_file[64], client_file[64], keylog_file[64], garbage_file[64];

static void add_extension(X509 *certificate, int nid, const char *value)
{
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

        assert_non_null(extension);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
}

const struct muster_str alpn = { "\x02h2\x08http/1.1", 12 };

/* `from` and `to` in days from now; issuer NULL: self-signed. */
static struct identity make(const char *name, const char *alt_names, const struct identity *issuer,
        bool is_ca, int from, int to)
{
        static long serial;
        struct identity made = { EVP_EC_gen("P-256"), X509_new() };
        const struct identity *signer = issuer ? issuer : &made;

        X509_set_version(made.certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
        X509_gmtime_adj(X509_getm_notBefore(made.certificate), from * 86400L);
        X509_gmtime_adj(X509_getm_notAfter(made.certificate), to * 86400L);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made.certificate), "CN", MBSTRING_ASC,
                (const unsigned char *)name, -1, -1, 0);
        X509_set_issuer_name(made.certificate, X509_get_subject_name(signer->certificate));
        X509_set_pubkey(made.certificate, made.key);
        if (is_ca)
                add_extension(made.certificate, NID_basic_constraints, "critical,CA:TRUE");
        if (alt_names)
                add_extension(made.certificate, NID_subject_alt_name, alt_names);
        assert_true(X509_sign(made.certificate, signer->key, EVP_sha256()) > 0);
        return made;
}

void write_pem(char path[64], const char *name, const struct identity *identity)
{
        FILE *file;

        snprintf(path, 64, "%s/%s", directory, name);
        file = fopen(path, "w");
        assert_non_null(file);
        if (!identity) {
                fputs("this is no certificate\n", file);
        } else {
                PEM_write_X509(file, identity->certificate);
                PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL);
        }
        fclose(file);
}

int set_up(void **state)
{
        (void)state;
        assert_non_null(mkdtemp(directory));
        ca = make("Test CA", NULL, NULL, true, -1, 10);
        other_ca = make("Other CA", NULL, NULL, true, -1, 10);
        intermediate = make("Intermediate", NULL, &ca, true, -1, 10);
        good = make("good", "DNS:good.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1", &ca, false, -1,
                10);
        expired = make("expired", "DNS:good.test", &ca, false, -10, -1);
        future = make("future", "DNS:good.test", &ca, false, 5, 10);
        self_signed = make("self", "DNS:good.test", NULL, false, -1, 10);
        unknown = make("unknown", "DNS:good.test", &other_ca, false, -1, 10);
        named_by_cn = make("good.test", NULL, &ca, false, -1, 10);
        behind_intermediate = make("leaf", "DNS:good.test", &intermediate, false, -1, 10);
        write_pem(ca_file, "ca.pem", &ca);
        write_pem(client_file, "client.pem", &good);
        write_pem(garbage_file, "garbage.pem", NULL);
        snprintf(keylog_file, sizeof(keylog_file), "%s/keys", directory);
        return 0;
}

static void identity_free(struct identity *identity)
{
        X509_free(identity->certificate);
        EVP_PKEY_free(identity->key);
}

int tear_down(void **state)
{
        struct identity *all[] = { &ca, &other_ca, &intermediate, &good, &expired, &future,
                &self_signed, &unknown, &named_by_cn, &behind_intermediate };

        (void)state;
        for (size_t i = 0; i < LENGTH(all); i++)
                identity_free(all[i]);
        unlink(ca_file);
        unlink(client_file);
        unlink(garbage_file);
        unlink(keylog_file);
        rmdir(directory);
        return 0;
}

/* --- the server ------------------------------------------------------------------------------ */

SSL_CTX *server_new(const struct identity *identity, int version)
{
        SSL_CTX *server = SSL_CTX_new(TLS_server_method());

        SSL_CTX_use_certificate(server, identity->certificate);
        SSL_CTX_use_PrivateKey(server, identity->key);
        SSL_CTX_set_session_id_context(server, (const unsigned char *)"t", 1);
        if (version) {
                SSL_CTX_set_min_proto_version(server, version);
                SSL_CTX_set_max_proto_version(server, version);
        }
        return server;
}

int open_link(struct link *link, SSL_CTX *server, struct tls_context *context, const char *host,
        struct tls_sessions *sessions)
{
        struct muster_error error = { 0 };

        *link = (struct link){ .server = SSL_new(server),
                .to_server = BIO_new(BIO_s_mem()),
                .to_client = BIO_new(BIO_s_mem()),
                .piece = 100000 };
        SSL_set_bio(link->server, link->to_server, link->to_client);
        SSL_set_accept_state(link->server);
        return tls_new(&link->client, context, str_of(host), alpn, sessions, &error);
}

void close_link(struct link *link)
{
        tls_free(link->client);
        SSL_free(link->server);
        buf_deinit(&link->wire);
}

void to_server(struct link *link)
{
        link->wire.len = 0;
        if (!tls_has_out(link->client))
                return;
        assert_int_equal(tls_out_take(link->client, &link->wire), 0);
        BIO_write(link->to_server, link->wire.at, (int)link->wire.len);
}

int to_client(struct link *link, int (*step)(struct link *link, struct muster_error *error),
        struct muster_error *error)
{
        char *bytes;
        long len = BIO_get_mem_data(link->to_client, &bytes);
        char *copy = mem_strndup(bytes, (size_t)len);
        int r = TLS_MORE;

        (void)BIO_reset(link->to_client);
        for (long at = 0; at < len && r == TLS_MORE; at += (long)link->piece) {
                size_t n = (size_t)(len - at) < link->piece ? (size_t)(len - at) : link->piece;

                tls_feed(link->client, (struct muster_str){ copy + at, n });
                r = step(link, error);
                /* After the handshake there may be tickets behind it. */
                if (r == 0 && at + (long)n < len)
                        r = TLS_MORE;
        }
        mem_free(copy);
        return r;
}

static bool is_shaken;

static int shake(struct link *link, struct muster_error *error)
{
        char none[64];
        size_t n;
        int r;

        if (!is_shaken) {
                r = tls_handshake(link->client, error);
                if (r != 0)
                        return r;
                is_shaken = true;
        }
        r = tls_read(link->client, none, sizeof(none), &n, error); /* takes tickets */
        return r == TLS_MORE ? TLS_MORE : r;
}

int shake_hands(struct link *link, struct muster_error *error)
{
        int r = tls_handshake(link->client, error);

        is_shaken = false;
        for (int i = 0; i < 10 && (r == TLS_MORE || r == 0); i++) {
                to_server(link);
                SSL_do_handshake(link->server);
                r = to_client(link, shake, error);
                if (is_shaken && SSL_is_init_finished(link->server) && !tls_has_out(link->client) &&
                        BIO_ctrl_pending(link->to_client) == 0)
                        return 0;
        }
        return r < 0 ? r : MUSTER_E_INTERNAL;
}

struct tls_context *context_new(const struct tls_options *options)
{
        struct tls_context *context = NULL;
        struct muster_error error = { 0 };

        if (tls_context_new(&context, options, &error) < 0)
                fail_msg("%s", error.text);
        return context;
}

struct tls_sessions *sessions_of(struct tls_context *context, const char *host)
{
        struct tls_sessions *sessions = tls_context_sessions(context, str_of(host), 443);

        assert_non_null(sessions);
        return sessions;
}

const struct tls_options trusting = { .ca_file = ca_file };

bool connect_once(SSL_CTX *server, struct tls_context *context, struct tls_sessions *sessions)
{
        struct muster_error error = { 0 };
        struct link link;
        bool is_resumed;

        assert_int_equal(open_link(&link, server, context, "good.test", sessions), 0);
        if (shake_hands(&link, &error) < 0)
                fail_msg("%s", error.text);
        is_resumed = tls_was_resumed(link.client);
        assert_true(tls_has_offered(link.client) || !is_resumed);
        close_link(&link);
        return is_resumed;
}
