/* SPDX-License-Identifier: MIT */
#include "form.h"

#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <base/rand.h>
#include <http/field.h>
#include <http/media_type.h>
#include <http/multipart.h>

#define DEPTH_MAX 16 /* of parts in parts; servers refuse fewer */

/* Parts that have a boundary in common: those of the form, or of a part that consists of parts. */
struct group {
        struct multipart_boundary boundary;
        const char *disposition; /* of its parts */
        bool has_parts;
};

static size_t n_groups(const struct muster_form *form)
{
        return form->groups.len / sizeof(struct group);
}

static struct group *innermost(struct muster_form *form)
{
        assert(n_groups(form) > 0);
        return &((struct group *)(void *)form->groups.at)[n_groups(form) - 1];
}

/* --- making and unmaking --------------------------------------------------------------------- */

/* Begin a group whose type is `type`, which is also what its parts' disposition depends on. */
static int push_group(struct muster_form *form, struct muster_str type)
{
        unsigned char random[MULTIPART_RANDOM_BYTES];
        struct group group = { .disposition = media_type_is(type, "multipart/form-data")
                                                      ? "form-data"
                                                      : "attachment" };

        rand_seed_bytes(random, sizeof(random));
        group.boundary = multipart_boundary(random);
        return buf_add(&form->groups, &group, sizeof(group));
}

struct muster_form *muster_form_new(const struct muster_form_options *options)
{
        struct muster_form_options known = { 0 };
        struct muster_form *form;
        struct muster_str type;

        if (options)
                mem_copy_known(&known, sizeof(known), options,
                        options->size ? options->size : sizeof(known));
        type = str_of(known.type ? known.type : "multipart/form-data");
        if (!media_type_is_valid(type))
                return NULL;
        form = mem_zalloc(sizeof(*form));
        if (!form)
                return NULL;
        atomic_init(&form->n_refs, 1);
        form->escapes_with_backslash = known.backslash_escapes;
        if (push_group(form, type) < 0 ||
                multipart_add_type(&form->type, type, &innermost(form)->boundary) < 0 ||
                buf_terminate(&form->type) < 0)
                return form_unref(form);
        return form;
}

static void drop_pieces(struct muster_form *form, size_t from)
{
        for (size_t i = from; i < form_n_pieces(form); i++)
                mem_free(form_piece(form, i)->path);
        form->pieces.len = from * sizeof(struct form_piece);
}

struct muster_form *form_unref(struct muster_form *form)
{
        if (!form || atomic_fetch_sub(&form->n_refs, 1) > 1)
                return NULL;
        drop_pieces(form, 0);
        buf_deinit(&form->type);
        buf_deinit(&form->text);
        buf_deinit(&form->pieces);
        buf_deinit(&form->groups);
        return mem_free(form);
}

struct muster_form *muster_form_free(struct muster_form *form)
{
        return form_unref(form);
}

const struct muster_error *muster_form_error(const struct muster_form *form)
{
        static const struct muster_error none;

        return form ? &form->error : &none;
}

/* --- what a part may be ---------------------------------------------------------------------- */

static int invalid(struct muster_form *form, const char *what, const char *of)
{
        return error_set(&form->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "invalid: %s%.80s",
                what, of);
}

static int check_name(struct muster_form *form, const char *name)
{
        if (!name || multipart_is_name(str_of(name), form->escapes_with_backslash))
                return 0;
        return invalid(form,
                "a line end, which backslashes cannot escape, in the name of a part or its file",
                "");
}

static int check_header(struct muster_form *form, const char *line)
{
        struct muster_str rest = str_of(line), name;

        if (!str_split(&rest, ':', &name) || !rest.at || !field_is_token(name))
                return invalid(form, "not a header field \"Name: value\" of a part: ", line);
        if (!field_is_value(rest))
                return invalid(form, "a control character in a part's header ", line);
        return 0;
}

static int check_part(struct muster_form *form, const struct muster_form_part *part)
{
        enum transfer_encoding encoding;
        int r = check_name(form, part->name);

        if (r == 0)
                r = check_name(form, part->filename);
        if (r == 0 && part->type && !media_type_is_valid(str_of(part->type)))
                r = invalid(form, "not a content type like image/png: ", part->type);
        if (r == 0 && part->encoding && !transfer_encoding_find(str_of(part->encoding), &encoding))
                r = invalid(form,
                        "not an encoding of parts (base64, quoted-printable, 7bit, 8bit, binary): ",
                        part->encoding);
        for (size_t i = 0; r == 0 && part->headers && part->headers[i]; i++)
                r = check_header(form, part->headers[i]);
        if (r == 0 && !part->data && part->data_bytes)
                r = invalid(form, "the data of a part is NULL but its size is not 0", "");
        if (r == 0 && (part->data != NULL) + (part->file != NULL) + (part->pull != NULL) > 1)
                r = invalid(form, "a part has only one of data, file and pull", "");
        return r;
}

/* Copy what the caller knows of a part, and check it. */
static int take_part(struct muster_form *form, const struct muster_form_part *part,
        struct muster_form_part *ret_part)
{
        struct muster_form_part known = { 0 };
        int r;

        if (!form)
                return MUSTER_E_INVALID;
        error_clear(&form->error);
        if (!part)
                return invalid(form, "the part is NULL", "");
        if (form->is_closed)
                return invalid(form, "the form was given to a request and cannot change any more",
                        "");
        mem_copy_known(&known, sizeof(known), part, part->size ? part->size : sizeof(known));
        r = check_part(form, &known);
        if (r == 0)
                *ret_part = known;
        return r;
}

/* --- heads ----------------------------------------------------------------------------------- */

static const char *last_of_path(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

static const char *filename_of(const struct muster_form_part *part)
{
        if (part->no_filename)
                return NULL;
        return part->filename || !part->file ? part->filename : last_of_path(part->file);
}

/* As curl has it: text is what a field holds anyway, so only of a file it is said. */
static const char *guess_type(const struct muster_form_part *part, const char *filename)
{
        const char *type = filename ? media_type_of_name(str_of(filename)) : NULL;

        if (!type && part->file)
                type = media_type_of_name(str_of(part->file));
        if (type && !filename && strcmp(type, "text/plain") == 0)
                return NULL;
        return type || !part->file || !filename ? type : "application/octet-stream";
}

static int join_headers(const struct muster_form_part *part, struct buf *to)
{
        int r = 0;

        for (size_t i = 0; r == 0 && part->headers && part->headers[i]; i++) {
                r = buf_add_text(to, part->headers[i]);
                if (r == 0)
                        r = buf_add(to, "\r\n", 2);
        }
        return r;
}

/* `boundary` of the part's own parts, if it has some: `type` is what it is then. */
static int add_head(struct muster_form *form, const struct muster_form_part *part, const char *type,
        const struct multipart_boundary *boundary)
{
        struct group *group = innermost(form);
        const char *filename = filename_of(part);
        struct buf fields = { 0 };
        int r = join_headers(part, &fields);
        struct multipart_head head = {
                .disposition = group->disposition,
                .name = str_of(part->name),
                .filename = str_of(filename),
                .boundary = boundary,
                .encoding = part->encoding,
                .fields = buf_str(&fields),
                .escapes_with_backslash = form->escapes_with_backslash,
        };

        /* "attachment" says nothing of what has no name (RFC 2183). */
        if (strcmp(group->disposition, "form-data") != 0 && !part->name && !filename)
                head.disposition = NULL;
        head.type = part->type ? str_of(part->type) : multipart_field(head.fields, "Content-Type");
        if (!head.type.at)
                head.type = str_of(type ? type : guess_type(part, filename));
        if (r == 0)
                r = multipart_add_head(&form->text, &group->boundary, !group->has_parts, &head);
        group->has_parts |= r == 0;
        buf_deinit(&fields);
        return r;
}

/* --- contents -------------------------------------------------------------------------------- */

static int add_piece(struct muster_form *form, struct form_piece piece)
{
        return buf_add(&form->pieces, &piece, sizeof(piece));
}

/* The text from `at` on is a piece, or goes on with the last one. */
static int add_text_piece(struct muster_form *form, size_t at)
{
        size_t n = form_n_pieces(form);
        struct form_piece *last = NULL;

        if (n)
                last = &((struct form_piece *)(void *)form->pieces.at)[n - 1];
        if (last && last->kind == FORM_TEXT) {
                assert(last->at + last->len == at);
                last->len = form->text.len - last->at;
                return 0;
        }
        return add_piece(form,
                (struct form_piece){ .kind = FORM_TEXT, .at = at, .len = form->text.len - at });
}

static int add_data(struct muster_form *form, const struct muster_form_part *part,
        enum transfer_encoding encoding)
{
        struct transfer_encoder encoder = { .encoding = encoding };
        int r = transfer_encode(&encoder, (struct muster_str){ part->data, part->data_bytes }, true,
                &form->text);

        return r == TRANSFER_NOT_7BIT ? invalid(form, "a byte that 7bit cannot hold in part ",
                                                part->name ? part->name : "without a name")
                                      : r;
}

static int add_source(struct muster_form *form, const struct muster_form_part *part,
        enum transfer_encoding encoding)
{
        struct form_piece piece = { .kind = part->file ? FORM_FILE : FORM_PULL,
                .pull = part->pull,
                .rewind = part->rewind,
                .argument = part->argument,
                .pull_bytes = part->pull_bytes,
                .encoding = encoding };
        int r;

        if (part->file) {
                piece.path = mem_strdup(part->file);
                if (!piece.path)
                        return MUSTER_E_RESOURCE;
        }
        r = add_piece(form, piece);
        if (r < 0)
                mem_free(piece.path);
        else
                form->has_pull |= piece.kind == FORM_PULL;
        return r;
}

static int add_content(struct muster_form *form, const struct muster_form_part *part,
        size_t text_at)
{
        enum transfer_encoding encoding = TRANSFER_NONE;
        int r = 0;

        if (part->encoding)
                (void)transfer_encoding_find(str_of(part->encoding), &encoding);
        if (part->data)
                r = add_data(form, part, encoding);
        if (r == 0)
                r = add_text_piece(form, text_at);
        if (r == 0 && (part->file || part->pull))
                r = add_source(form, part, encoding);
        return r;
}

/* --- as it was ------------------------------------------------------------------------------- */

struct mark {
        size_t text_len, groups_len, n_pieces, last_len;
        bool has_parts, has_pull;
};

static struct mark mark_of(struct muster_form *form)
{
        size_t n = form_n_pieces(form);

        return (struct mark){ .text_len = form->text.len,
                .groups_len = form->groups.len,
                .n_pieces = n,
                .last_len = n ? form_piece(form, n - 1)->len : 0,
                .has_parts = innermost(form)->has_parts,
                .has_pull = form->has_pull };
}

static int go_back(struct muster_form *form, const struct mark *mark, int code)
{
        assert(code < 0);
        drop_pieces(form, mark->n_pieces);
        if (mark->n_pieces)
                ((struct form_piece *)(void *)form->pieces.at)[mark->n_pieces - 1].len =
                        mark->last_len;
        form->text.len = mark->text_len;
        form->groups.len = mark->groups_len;
        form->has_pull = mark->has_pull;
        innermost(form)->has_parts = mark->has_parts;
        if (!form->error.code)
                error_set_memory(&form->error, MUSTER_PHASE_QUEUE);
        return code;
}

/* --- part by part ---------------------------------------------------------------------------- */

int muster_form_add(struct muster_form *form, const struct muster_form_part *part)
{
        struct muster_form_part known;
        struct mark mark;
        int r = take_part(form, part, &known);

        if (r < 0)
                return r;
        mark = mark_of(form);
        r = add_head(form, &known, NULL, NULL);
        if (r == 0)
                r = add_content(form, &known, mark.text_len);
        return r < 0 ? go_back(form, &mark, r) : 0;
}

int muster_form_begin(struct muster_form *form, const struct muster_form_part *part)
{
        struct muster_form_part known;
        struct muster_str type;
        struct mark mark;
        int r = take_part(form, part, &known);

        if (r < 0)
                return r;
        if (known.data || known.file || known.pull || known.encoding)
                return invalid(form, "a part that consists of parts has no content of its own", "");
        if (n_groups(form) == DEPTH_MAX)
                return invalid(form, "parts in parts are more than 16 deep", "");
        mark = mark_of(form);
        type = str_of(known.type ? known.type : "multipart/mixed");
        r = push_group(form, type);
        if (r == 0) {
                struct multipart_boundary boundary = innermost(form)->boundary;

                form->groups.len -= sizeof(struct group);
                r = add_head(form, &known, "multipart/mixed", &boundary);
                form->groups.len += sizeof(struct group);
        }
        if (r == 0)
                r = add_text_piece(form, mark.text_len);
        return r < 0 ? go_back(form, &mark, r) : 0;
}

/* Write the end of the innermost group. */
static int end_group(struct muster_form *form)
{
        struct mark mark = mark_of(form);
        struct group *group = innermost(form);
        int r = multipart_add_end(&form->text, &group->boundary, !group->has_parts);

        if (r == 0)
                r = add_text_piece(form, mark.text_len);
        if (r < 0)
                return go_back(form, &mark, r);
        form->groups.len -= sizeof(*group);
        return 0;
}

int muster_form_end(struct muster_form *form)
{
        if (!form)
                return MUSTER_E_INVALID;
        error_clear(&form->error);
        if (form->is_closed || n_groups(form) < 2)
                return invalid(form, "no part that consists of parts was begun", "");
        return end_group(form);
}

/* --- with requests --------------------------------------------------------------------------- */

int muster_form_finish(struct muster_form *form)
{
        int r;

        if (!form)
                return MUSTER_E_INVALID;
        if (form->is_closed)
                return 0;
        error_clear(&form->error);
        if (n_groups(form) > 1)
                return invalid(form, "muster_form_end() is missing for a part of parts", "");
        r = end_group(form);
        form->is_closed = r == 0;
        return r;
}

/* Nothing but the count is written once it is closed: other threads may do this, too. */
int form_ref(struct muster_form *form)
{
        if (form->is_closed && form->has_pull)
                return invalid(form, "a form with a pull function can be given to one request only",
                        "");
        if (muster_form_finish(form) < 0)
                return form->error.code;
        atomic_fetch_add(&form->n_refs, 1);
        return 0;
}

bool form_is_text(const struct muster_form *form)
{
        assert(form->is_closed);
        return form_n_pieces(form) == 1 && form_piece(form, 0)->kind == FORM_TEXT;
}

bool form_can_repeat(const struct muster_form *form)
{
        assert(form->is_closed);
        for (size_t i = 0; i < form_n_pieces(form); i++)
                if (form_piece(form, i)->kind == FORM_PULL && !form_piece(form, i)->rewind)
                        return false;
        return true;
}
