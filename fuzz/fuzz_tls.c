/* SPDX-License-Identifier: MIT */
/*
 * What a client of TLS is sent: any bytes, or what a server sends with some bytes changed
 *
 * Bit 0 of the first byte chooses which, bit 1 the version; the second byte how it is cut into
 * pieces. Of the changes each has three bytes: where in all that the server sends, and what is
 * XORed to it; 0 ends the stream there. Whatever arrives, what is read was written by the server,
 * in order.
 *
 * Keys are made anew in each process: what was found is found again by the kind of change, not by
 * the bytes of a key.
 */
#include "fuzz.h"

#include <base/mem.h>
#include <lab/authority.h>
#include <stdio.h>
#include <sys/mman.h>
#include <tls/tls.h>
#include <tls/tls_server.h>
#include <tls/tls_sessions.h>
#include <unistd.h>

#define ROUNDS_MAX 8 /* a handshake has fewer flights */
#define PIECE_MAX  256
#define REQUEST    "GET / HTTP/1.1\r\n\r\n"

static struct tls_context *client_context, *servers[2]; /* of TLS 1.3, 1.2 */

/* --- one side -------------------------------------------------------------------------------- */

struct side {
        struct tls *tls;
        bool is_shaken;
        int r; /* what it said last */
        struct muster_error error;
        struct buf plain; /* what it has read */
};

static int advance(struct side *side)
{
        char bytes[1024];
        size_t n;
        int r;

        if (!side->is_shaken) {
                r = tls_handshake(side->tls, &side->error);
                if (r != 0)
                        return r;
                side->is_shaken = true;
        }
        while ((r = tls_read(side->tls, bytes, sizeof(bytes), &n, &side->error)) == 0) {
                FUZZ_CHECK(n > 0 && n <= sizeof(bytes));
                FUZZ_CHECK(buf_add(&side->plain, bytes, n) == 0);
        }
        return r;
}

static void feed(struct side *side, struct muster_str in, size_t piece)
{
        while (in.len && side->r == TLS_MORE) {
                size_t n = in.len < piece ? in.len : piece;
                char *copy = mem_strndup(in.at, n);

                tls_feed(side->tls, (struct muster_str){ copy, n });
                side->r = advance(side);
                in.at += n;
                in.len -= n;
                mem_free(copy);
        }
        FUZZ_CHECK((side->r < 0) == (side->error.code != MUSTER_OK));
        FUZZ_CHECK(side->r >= 0 || (side->r == (int)side->error.code && side->error.text[0]));
}

static void side_deinit(struct side *side)
{
        side->tls = tls_free(side->tls);
        buf_deinit(&side->plain);
}

/* --- the world ------------------------------------------------------------------------------- */

static void make_servers(struct authority *authority)
{
        struct buf chain = { 0 }, key = { 0 };
        struct muster_error error = { 0 };

        FUZZ_CHECK(authority_issue(authority, TLS_GOOD, "", &chain, &key, &error) == 0);
        for (unsigned i = 0; i < 2; i++)
                FUZZ_CHECK(tls_server_context_new(&servers[i],
                                   &(struct tls_server_options){ .chain_pem = chain.at,
                                           .key_pem = key.at,
                                           .max_minor = i ? 2 : 0,
                                           .h2 = true },
                                   &error) == 0);
        buf_deinit(&chain);
        buf_deinit(&key);
}

/* The file of trusted certificates is in memory. */
static void make_client(struct authority *authority)
{
        struct muster_str pem = str_of(authority_root_pem(authority));
        struct muster_error error = { 0 };
        int fd = memfd_create("ca", MFD_CLOEXEC);
        char path[40];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        FUZZ_CHECK(fd >= 0 && write(fd, pem.at, pem.len) == (ssize_t)pem.len);
        FUZZ_CHECK(tls_context_new(&client_context, &(struct tls_options){ .ca_file = path },
                           &error) == 0);
        close(fd);
}

static void make_world(void)
{
        struct muster_error error = { 0 };
        struct authority *authority;

        FUZZ_CHECK(authority_new(&authority, &error) == 0);
        make_servers(authority);
        make_client(authority);
        authority_free(authority);
}

static void open_client(struct side *client, struct tls_sessions *sessions)
{
        *client = (struct side){ .r = TLS_MORE };
        FUZZ_CHECK(tls_new(&client->tls, client_context, str_of("lab.test"),
                           (struct muster_str){ "\x02h2\x08http/1.1", 12 }, sessions,
                           &client->error) == 0);
        client->r = tls_handshake(client->tls, &client->error);
        FUZZ_CHECK(client->r == TLS_MORE && tls_has_out(client->tls));
}

/* --- any bytes ------------------------------------------------------------------------------- */

/* It cannot know the keys, so nothing is ever read. */
static int check_bytes(struct muster_str in, size_t piece)
{
        struct side client;

        open_client(&client, NULL);
        feed(&client, in, piece);
        FUZZ_CHECK(!client.is_shaken && client.plain.len == 0);
        side_deinit(&client);
        return client.r;
}

/* --- a server's bytes, changed --------------------------------------------------------------- */

struct changes {
        const uint8_t *at;
        size_t n;
        size_t passed; /* of the server's stream */
        bool has_ended;
};

static void change(struct changes *changes, struct buf *wire)
{
        size_t len = wire->len;

        for (size_t i = 0; i < changes->n; i++) {
                const uint8_t *one = changes->at + 3 * i;
                size_t at = (size_t)one[0] << 8 | one[1];

                if (at < changes->passed || at - changes->passed >= len)
                        continue;
                at -= changes->passed;
                wire->at[at] = (char)(wire->at[at] ^ one[2]);
                if (!one[2]) {
                        changes->has_ended = true;
                        wire->len = at < wire->len ? at : wire->len;
                }
        }
        changes->passed += len;
}

static void pass(struct side *from, struct side *to, struct changes *changes, size_t piece)
{
        struct buf wire = { 0 };

        if (tls_has_out(from->tls))
                FUZZ_CHECK(tls_out_take(from->tls, &wire) == 0);
        if (changes)
                change(changes, &wire);
        if (wire.len)
                feed(to, buf_str(&wire), piece);
        buf_deinit(&wire);
}

/* What the server says once the handshake is over; then it closes. */
static void speak(struct side *server, struct buf *said)
{
        static const char line[] = "HTTP/1.1 200 OK\r\n";
        struct muster_error error = { 0 };

        if (!server->is_shaken || said->len)
                return;
        for (int i = 0; i < 200; i++)
                FUZZ_CHECK(buf_add_text(said, line) == 0);
        FUZZ_CHECK(tls_write(server->tls, said->at, said->len, &error) == 0);
        tls_close(server->tls);
}

/* What the client asks, while the server may still be sending tickets. */
static void ask(struct side *client, bool *has_asked)
{
        struct muster_error error = { 0 };

        if (!client->is_shaken || client->r != TLS_MORE || *has_asked)
                return;
        *has_asked = true;
        FUZZ_CHECK(tls_version_name(client->tls)[0] && tls_cipher_name(client->tls)[0]);
        FUZZ_CHECK(!tls_was_resumed(client->tls) || tls_has_offered(client->tls));
        FUZZ_CHECK(str_is(tls_alpn(client->tls), "h2"));
        FUZZ_CHECK(tls_write(client->tls, REQUEST, sizeof(REQUEST) - 1, &error) == 0);
        FUZZ_CHECK(tls_holds(client->tls) || tls_has_out(client->tls));
}

static void check_changed(bool is_old, struct changes changes, size_t piece)
{
        struct tls_sessions *sessions =
                tls_context_sessions(client_context, str_of("lab.test"), is_old ? 1 : 2);
        struct side client, server = { .r = TLS_MORE };
        struct buf said = { 0 };
        bool has_asked = false;

        open_client(&client, sessions);
        FUZZ_CHECK(tls_server_new(&server.tls, servers[is_old], &server.error) == 0);
        for (int i = 0; i < ROUNDS_MAX && client.r == TLS_MORE && !changes.has_ended; i++) {
                pass(&client, &server, NULL, SIZE_MAX);
                speak(&server, &said);
                pass(&server, &client, &changes, piece);
                ask(&client, &has_asked);
        }
        FUZZ_CHECK(!server.plain.len || str_is(buf_str(&server.plain), REQUEST));
        FUZZ_CHECK(client.plain.len <= said.len);
        FUZZ_CHECK(str_eq(buf_str(&client.plain),
                (struct muster_str){ said.at, client.plain.len }));
        FUZZ_CHECK(client.r != TLS_EOF || client.plain.len == said.len);
        FUZZ_CHECK(changes.n || client.r == TLS_EOF);
        side_deinit(&client);
        side_deinit(&server);
        tls_sessions_free(sessions);
        buf_deinit(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct muster_str rest = { (const char *)data + 2, size - 2 };
        size_t piece;

        if (size < 2)
                return 0;
        if (!client_context)
                make_world();
        piece = data[1] ? data[1] : PIECE_MAX;
        if (data[0] & 1)
                check_changed(data[0] & 2, (struct changes){ .at = data + 2, .n = rest.len / 3 },
                        piece);
        else
                FUZZ_CHECK(check_bytes(rest, rest.len) == check_bytes(rest, piece));
        return 0;
}
