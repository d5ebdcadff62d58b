/* SPDX-License-Identifier: MIT */
#include "write_out.h"

#include "../input/body_file.h"
#include "write_out_value.h"
#include <assert.h>
#include <base/error.h>
#include <base/mem.h>
#include <string.h>

struct write_out_piece {
        struct muster_str text;                    /* as it is; or the name of a header field */
        const struct write_out_variable *variable; /* NULL: text */
        bool is_field;                             /* %header{text} */
        bool is_for_errors;                        /* %{onerror}: the rest is for errors only */
};

/* --- reading a format ------------------------------------------------------------------------ */

static int add_piece(struct write_out *format, const struct write_out_piece *piece,
        struct muster_error *error)
{
        struct write_out_piece *pieces;

        if (!piece->text.len && !piece->variable && !piece->is_for_errors)
                return 0;
        pieces = mem_realloc(format->pieces, (format->n + 1) * sizeof(*pieces));
        if (!pieces)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        format->pieces = pieces;
        pieces[format->n++] = *piece;
        return 0;
}

static int unknown_variable(struct muster_str name, struct muster_error *error)
{
        const struct write_out_variable *nearest = NULL;
        unsigned least = 4; /* more letters that differ are another word */

        for (const struct write_out_variable *variable = write_out_variables; variable->name;
                variable++) {
                unsigned d = str_distance(name, str_of(variable->name));

                if (d < least) {
                        least = d;
                        nearest = variable;
                }
        }
        if (nearest)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "there is no variable \"%.*s\"; did you mean %%{%s}?",
                        STR_ARGS(str_first(name, 40)), nearest->name);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "there is no variable \"%.*s\"; muster-fetch(1) lists all, and result lines without -w have more",
                STR_ARGS(str_first(name, 40)));
}

/* What stands in braces after "%" or "%header". Returns where it ends. */
static int add_braced(struct write_out *format, const char **at, struct muster_error *error)
{
        const char *open = strchr(*at, '{'), *close = strchr(*at, '}');
        struct write_out_piece piece = { .is_field = **at == 'h' };

        if (!close)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "the } after \"%%%.40s\" is missing", *at);
        piece.text = (struct muster_str){ open + 1, (size_t)(close - open - 1) };
        *at = close + 1;
        if (piece.is_field)
                return add_piece(format, &piece, error);
        piece.is_for_errors = str_is(piece.text, "onerror");
        if (!piece.is_for_errors)
                piece.variable = write_out_variable_find(piece.text);
        if (!piece.variable && !piece.is_for_errors)
                return unknown_variable(piece.text, error);
        return add_piece(format, &piece, error);
}

static bool begins_variable(const char *at)
{
        return strncmp(at, "%{", 2) == 0 || strncmp(at, "%header{", 8) == 0;
}

static int add_text(struct write_out *format, const char *at, size_t len,
        struct muster_error *error)
{
        return add_piece(format, &(struct write_out_piece){ .text = { at, len } }, error);
}

/* "%%" is a percent sign: the second one is left out. */
static int cut_pieces(struct write_out *format, const char *at, struct muster_error *error)
{
        const char *from = at;
        int r = 0;

        while (r == 0 && *at) {
                if (*at != '%' || (at[1] != '%' && !begins_variable(at))) {
                        at++;
                        continue;
                }
                r = add_text(format, from, (size_t)(at - from) + (at[1] == '%'), error);
                if (at[1] == '%') {
                        at += 2;
                } else if (r == 0) {
                        at++;
                        r = add_braced(format, &at, error);
                }
                from = at;
        }
        return r < 0 ? r : add_text(format, from, (size_t)(at - from), error);
}

/* \n, \r and \t; a backslash before anything else stays, as with curl. */
static void unescape(struct buf *text)
{
        size_t to = 0;

        for (size_t i = 0; i < text->len; i++) {
                char c = text->at[i], next = i + 1 < text->len ? text->at[i + 1] : '\0';

                if (c == '\\' && next && strchr("nrt", next)) {
                        c = next == 'n' ? '\n' : next == 'r' ? '\r' : '\t';
                        i++;
                }
                text->at[to++] = c;
        }
        text->len = to;
}

int write_out_parse(struct write_out *format, const char *spec, struct muster_error *error)
{
        int r;

        write_out_deinit(format);
        if (spec[0] == '@')
                r = file_read(spec + 1, &format->text, error);
        else
                r = buf_add_text(&format->text, spec) < 0 ? MUSTER_E_RESOURCE : 0;
        if (r == 0) {
                unescape(&format->text);
                r = buf_terminate(&format->text);
        }
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        if (r == 0)
                r = cut_pieces(format, format->text.at, error);
        if (r == 0 && !format->n)
                r = error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "the format is empty");
        return r;
}

void write_out_deinit(struct write_out *format)
{
        mem_free(format->pieces);
        buf_deinit(&format->text);
        *format = (struct write_out){ 0 };
}

/* --- a result -------------------------------------------------------------------------------- */

static int add_field(struct buf *to, struct muster_str name, const struct result_line *line)
{
        size_t n = line->result ? muster_result_n_headers(line->result) : 0;

        for (size_t i = 0; i < n; i++)
                if (str_eq_nocase(muster_result_header_name(line->result, i), name))
                        return buf_add_str(to, muster_result_header_value(line->result, i));
        return 0;
}

static int add_one(struct buf *to, const struct write_out_piece *piece,
        const struct result_line *line)
{
        if (piece->is_field)
                return add_field(to, piece->text, line);
        return piece->variable ? piece->variable->add(to, line) : buf_add_str(to, piece->text);
}

int write_out_add(struct buf *to, const struct write_out *format, const struct result_line *line)
{
        size_t before = to->len;

        assert(format->n);
        for (size_t i = 0; i < format->n; i++) {
                const struct write_out_piece *piece = &format->pieces[i];
                int r = piece->is_for_errors ? 0 : add_one(to, piece, line);

                if (r < 0) {
                        to->len = before;
                        return r;
                }
                if (piece->is_for_errors && !line->error)
                        break;
        }
        return 0;
}
