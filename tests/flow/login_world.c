/* SPDX-License-Identifier: MIT */
#include "login_world.h"

#include <stdlib.h>

#define OK           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define UNAUTHORIZED "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n"

struct login_world world;

static struct script_answer challenge(const char *realm, const char *more)
{
        static char texts[8][300];
        static unsigned next;
        char *text = texts[next++ % 8];

        world.n_401++;
        world.n_uses = 0;
        world.uses = 0;
        snprintf(text, sizeof(texts[0]),
                UNAUTHORIZED
                "WWW-Authenticate: Basic realm=\"b\"\r\nWWW-Authenticate: Digest realm=\"%s\", qop=\"auth\", algorithm=SHA-256, nonce=\"n%u\"%s\r\n\r\nno",
                realm, ++world.n_challenges, more);
        return (struct script_answer){ .bytes = text };
}

/* Is the last nonce used, with a count that is new and not far ahead? They may come out of order. */
static bool is_good(const char *head)
{
        const char *at = strstr(head, "nc=");
        unsigned long count = at ? strtoul(at + 3, NULL, 16) : 0;
        char nonce[40];

        snprintf(nonce, sizeof(nonce), "nonce=\"n%u\"", world.n_challenges);
        if (!has(head, nonce) || !count || count > world.n_uses + 8 || world.uses >> count & 1)
                return false;
        world.uses |= UINT64_C(1) << count;
        world.n_uses++;
        return true;
}

static struct script_answer answer_digest(const char *head)
{
        static char next[200];
        const char *realm = path_is(head, "/b") ? "other" : "r";
        char asked[40];

        snprintf(asked, sizeof(asked), "realm=\"%s\"", realm);
        switch (world.script) {
        case SCRIPT_ALWAYS_STALE:
                return challenge("r", ", stale=true");
        case SCRIPT_REFUSES:
                return challenge("r", "");
        case SCRIPT_REALMS:
                if (!has(head, asked))
                        return challenge(realm, "");
                break;
        case SCRIPT_STALE:
        case SCRIPT_SILENT:
                if (has(head, "Digest ") && world.n_uses == 2)
                        return challenge("r", world.script == SCRIPT_STALE ? ", stale=true" : "");
                break;
        case SCRIPT_NEXT:
                if (!is_good(head))
                        return challenge("r", "");
                world.n_uses = 0;
                world.uses = 0;
                snprintf(next, sizeof(next),
                        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAuthentication-Info: nextnonce=\"n%u\"\r\n\r\nok",
                        ++world.n_challenges);
                return (struct script_answer){ .bytes = next };
        case SCRIPT_DIGEST:
        case SCRIPT_BASIC:
        case SCRIPT_OPEN:
        case SCRIPT_BUSY:
                break;
        }
        return is_good(head) ? (struct script_answer){ .bytes = OK } : challenge(realm, "");
}

static struct script_answer answer(struct script_server *server, const char *head, unsigned n)
{
        const char *length = strstr(head, "Content-Length: ");

        (void)server;
        world.n_empty += length && strncmp(length, "Content-Length: 0\r\n", 19) == 0;
        if (length)
                snprintf(world.last_body_length, sizeof(world.last_body_length), "%.*s",
                        (int)strcspn(length + 16, "\r"), length + 16);
        if (world.script == SCRIPT_OPEN)
                return (struct script_answer){ .bytes = OK };
        if (world.script == SCRIPT_BUSY)
                return (struct script_answer){
                        .bytes = n == 1 ? "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n" : OK
                };
        if (world.script == SCRIPT_BASIC) {
                if (has(head, "Authorization: Basic YWRhOnB3"))
                        return (struct script_answer){ .bytes = OK };
                world.n_401++;
                return (struct script_answer){ .bytes = UNAUTHORIZED
                                               "WWW-Authenticate: Basic realm=\"b\"\r\n\r\nno" };
        }
        return answer_digest(head);
}

void start(struct fixture *f, enum script script, unsigned auth)
{
        const struct muster_client_options options = {
                .size = sizeof(options), .auth = auth, .concurrency = 8, .max_retries = 1
        };

        memset(&world, 0, sizeof(world));
        world.script = script;
        fixture_start(f, &options, answer);
}

void submit(struct fixture *f, const char *path, const char *method, const char *body)
{
        struct muster_request *request = muster_request_new(method, script_url(&f->server, path));

        assert_int_equal(muster_request_set_credentials(request, "ada", "pw", 0), 0);
        if (body)
                assert_int_equal(muster_request_set_body(request, body, strlen(body)), 0);
        assert_int_equal(muster_submit(f->client, request, NULL), 0);
}

void expect(struct fixture *f, int status, unsigned n_attempts)
{
        struct muster_result *result = next_result(f);

        if (code_of(result) != MUSTER_OK)
                fail_msg("%s", muster_result_error_text(result));
        assert_int_equal(muster_result_status(result), status);
        assert_int_equal(muster_result_n_attempts(result), n_attempts);
        muster_result_free(result);
}

void get(struct fixture *f, const char *path, int status, unsigned n_attempts)
{
        submit(f, path, "GET", NULL);
        expect(f, status, n_attempts);
}
