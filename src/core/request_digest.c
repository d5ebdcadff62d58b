/* SPDX-License-Identifier: MIT */
/*
 * A digest of what is asked beside method and URL
 *
 * Two runs that ask the same get the same digest, on every machine; so what differs from run to run
 * though nothing was changed is left out: the boundaries of forms. Left out, too, is what is a
 * secret. A token is another one every hour, and a digest that is written down would let everybody
 * try passwords at leisure. A file counts as its path, and a pull function as the size it gives:
 * neither is read.
 */
#include "client.h"
#include "request.h"

#include <assert.h>
#include <http/multipart.h>
#include <http/redirect.h>
#include <openssl/evp.h>

struct asked {
        EVP_MD_CTX *hash;
        bool is_good, has_any;
};

/* --- pieces: each says what it is and how long, so that none runs into the next --------------- */

static void add_bytes(struct asked *asked, const void *at, size_t len)
{
        asked->is_good &= EVP_DigestUpdate(asked->hash, at, len) == 1;
}

static void add_u64(struct asked *asked, uint64_t value)
{
        unsigned char bytes[8];

        for (int i = 0; i < 8; i++)
                bytes[i] = (unsigned char)(value >> (56 - 8 * i));
        add_bytes(asked, bytes, sizeof(bytes));
}

static void add_piece(struct asked *asked, char what, struct muster_str text)
{
        asked->has_any = true;
        add_bytes(asked, &what, 1);
        add_u64(asked, text.len);
        add_bytes(asked, text.at, text.len);
}

/* --- fields ---------------------------------------------------------------------------------- */

static bool is_secret(const struct request_field *field, struct muster_str name,
        const struct muster_client *client)
{
        return field->is_secret || redirect_is_credential_field(name) ||
               (client && settings_is_secret(&client->settings, name));
}

static void add_fields(struct asked *asked, const struct muster_request *request,
        const struct muster_client *client)
{
        const struct request_field *fields =
                (const struct request_field *)(const void *)request->fields.at;

        for (size_t i = 0; i < request->fields.len / sizeof(*fields); i++) {
                const struct request_field *field = &fields[i];
                struct muster_str name = { request->text.at + field->name_at, field->name_len };
                struct muster_str value = { request->text.at + field->value_at, field->value_len };

                if (is_secret(field, name, client))
                        continue;
                add_piece(asked, 'f', name);
                add_piece(asked, field->is_removed ? 'r' : 'v', value);
        }
}

/* --- the body -------------------------------------------------------------------------------- */

/* The text of a form, without its boundaries. */
static void add_form_text(struct asked *asked, struct muster_str text)
{
        while (text.len) {
                size_t at = multipart_find_boundary(text);
                size_t past = at + MULTIPART_BOUNDARY_LEN;

                add_piece(asked, 't', str_first(text, at));
                past = past < text.len ? past : text.len;
                text.at += past;
                text.len -= past;
        }
}

static void add_form(struct asked *asked, const struct muster_form *form)
{
        for (size_t i = 0; i < form_n_pieces(form); i++) {
                const struct form_piece *piece = form_piece(form, i);

                switch (piece->kind) {
                case FORM_TEXT:
                        add_form_text(asked,
                                (struct muster_str){ form->text.at + piece->at, piece->len });
                        break;
                case FORM_FILE:
                        add_piece(asked, 'p', str_of(piece->path));
                        break;
                case FORM_PULL:
                        add_piece(asked, 'u', str_of(""));
                        add_u64(asked, piece->pull_bytes);
                        break;
                }
        }
}

static void add_body(struct asked *asked, const struct muster_request *request)
{
        if (!request->has_body)
                return;
        if (request->form) {
                add_form(asked, request->form);
                return;
        }
        if (request->body_type)
                add_piece(asked, 'c', str_of(request->body_type));
        switch (request->upload.kind) {
        case UPLOAD_NONE:
                add_piece(asked, 'b', buf_str(&request->body));
                break;
        case UPLOAD_FILE:
                add_piece(asked, 'p', str_of(request->upload.path));
                break;
        case UPLOAD_PULL:
                add_piece(asked, 'u', str_of(""));
                add_u64(asked, request->upload.given_bytes);
                break;
        case UPLOAD_FORM:
                assert(!"it has a form");
                break;
        }
}

/* --- all of it ------------------------------------------------------------------------------- */

/* The first bytes of the hash; never 0, which is for nothing. */
static uint64_t first_bytes(struct asked *asked)
{
        unsigned char bytes[EVP_MAX_MD_SIZE] = { 0 };
        unsigned len = 0;
        uint64_t value = 0;

        asked->is_good &= EVP_DigestFinal_ex(asked->hash, bytes, &len) == 1;
        for (int i = 0; i < 8; i++)
                value = value << 8 | bytes[i];
        return value ? value : 1;
}

int muster_request_digest(const struct muster_request *request, const struct muster_client *client,
        uint64_t *ret_digest)
{
        struct asked asked = { .is_good = true };
        uint64_t value = 0;

        if (!request_is_new(request))
                return MUSTER_E_INVALID;
        *ret_digest = 0;
        if (!request->fields.len && !request->has_body)
                return 0;
        asked.hash = EVP_MD_CTX_new();
        if (!asked.hash || EVP_DigestInit_ex(asked.hash, EVP_sha256(), NULL) != 1) {
                EVP_MD_CTX_free(asked.hash);
                return MUSTER_E_RESOURCE;
        }
        add_fields(&asked, request, client);
        add_body(&asked, request);
        if (asked.has_any)
                value = first_bytes(&asked);
        EVP_MD_CTX_free(asked.hash);
        if (!asked.is_good)
                return MUSTER_E_RESOURCE;
        *ret_digest = value;
        return 0;
}
