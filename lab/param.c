/* SPDX-License-Identifier: MIT */
/* Parameters of the query: they change the behaviour that the path names */
#include "coding.h"
#include "reset_code.h"
#include "lab.h"
#include "listener.h"
#include "quantity.h"
#include "route.h"

#include <http/field.h>
#include <http/url_encode.h>
#include <stdio.h>

#define CHUNK_BYTES_MAX (1024 * 1024)

struct param {
        const char *name, *form, *help;
        bool (*apply)(struct plan *plan, struct muster_str value);
};

static bool apply_delay(struct plan *plan, struct muster_str value)
{
        return spread_parse(value, &plan->delay);
}

static bool apply_body_delay(struct plan *plan, struct muster_str value)
{
        return spread_parse(value, &plan->body_delay);
}

static bool apply_status(struct plan *plan, struct muster_str value)
{
        uint64_t status;

        if (!quantity_count(value, 200, 999, &status))
                return false;
        plan->status = (int)status;
        return true;
}

static bool apply_size(struct plan *plan, struct muster_str value)
{
        plan->has_filling = true;
        plan->blob = NULL;
        return quantity_size(value, &plan->filling_bytes);
}

static bool apply_chunk(struct plan *plan, struct muster_str value)
{
        plan->framing = PLAN_CHUNKED;
        return quantity_size(value, &plan->piece_bytes) && plan->piece_bytes &&
               plan->piece_bytes <= CHUNK_BYTES_MAX;
}

static bool apply_piece(struct plan *plan, struct muster_str value)
{
        return quantity_size(value, &plan->piece_bytes) && plan->piece_bytes;
}

static bool apply_gap(struct plan *plan, struct muster_str value)
{
        return spread_parse(value, &plan->gap);
}

static bool apply_cut(struct plan *plan, struct muster_str value)
{
        plan->stop = PLAN_CLOSES;
        plan->stop_where = PLAN_AT_BYTE;
        return quantity_size(value, &plan->stop_at);
}

static bool apply_reset(struct plan *plan, struct muster_str value)
{
        plan->stop = PLAN_RESETS;
        plan->stop_where = PLAN_AT_BYTE;
        return quantity_size(value, &plan->stop_at);
}

static bool apply_code(struct plan *plan, struct muster_str value)
{
        return reset_code_parse(value, &plan->reset_code);
}

static bool apply_hang(struct plan *plan, struct muster_str value)
{
        plan->stop = PLAN_HANGS;
        plan->stop_at = 0;
        plan->stop_where = str_is(value, "body")   ? PLAN_IN_BODY
                           : str_is(value, "head") ? PLAN_IN_HEAD
                                                   : PLAN_AT_BYTE;
        return str_is(value, "start") || plan->stop_where != PLAN_AT_BYTE ||
               quantity_size(value, &plan->stop_at);
}

static bool apply_early_hints(struct plan *plan, struct muster_str value)
{
        uint64_t n;

        plan->interim_status = 103;
        if (!quantity_count(value, 0, 100, &n))
                return false;
        plan->n_interim = (unsigned)n;
        return true;
}

static bool apply_until_close(struct plan *plan, struct muster_str value)
{
        plan->framing = PLAN_UNTIL_CLOSE;
        plan->closes = true;
        return str_is(value, "1");
}

static bool apply_close(struct plan *plan, struct muster_str value)
{
        plan->closes = true;
        return str_is(value, "1");
}

static bool apply_http_1_0(struct plan *plan, struct muster_str value)
{
        plan->is_http_1_0 = plan->closes = true;
        return str_is(value, "1");
}

static bool apply_n(struct plan *plan, struct muster_str value)
{
        (void)plan;
        (void)value;
        return true;
}

static bool apply_header(struct plan *plan, struct muster_str value)
{
        struct muster_str rest = value, name;
        char text[100];

        if (!str_split(&rest, ':', &name) || !field_is_token(name) || name.len >= sizeof(text))
                return false;
        memcpy(text, name.at, name.len);
        text[name.len] = '\0';
        plan_add_field(plan, text, str_trim(rest));
        return true;
}

static const struct param params[] = {
        { "delay", "SPREAD", "wait before the response: " SPREAD_FORMS, apply_delay },
        { "body-delay", "SPREAD", "wait between head and body", apply_body_delay },
        { "status", "CODE", "use this status, 200 to 999", apply_status },
        { "size", "SIZE", "send a body of exactly this size", apply_size },
        { "header", "NAME:VALUE", "add a header field; repeatable", apply_header },
        { "chunk", "SIZE", "send chunks of this size, at most 1M", apply_chunk },
        { "piece", "SIZE", "write the body in pieces of this size", apply_piece },
        { "gap", "SPREAD", "wait between two chunks or pieces", apply_gap },
        { "cut", "N", "close the connection after byte N of the response", apply_cut },
        { "reset", "N", "reset the connection after byte N of the response", apply_reset },
        { "code", "NAME", "in HTTP/2, reset with this error code (INTERNAL_ERROR)", apply_code },
        { "hang", "WHERE", "stop forever at start, head, body, or after byte N", apply_hang },
        { "early-hints", "N", "send N 103 responses before the final one, at most 100",
                apply_early_hints },
        { "until-close", "1", "send no length: the body ends when the connection closes",
                apply_until_close },
        { "close", "1", "close the connection after the response", apply_close },
        { "n", "ANYTHING", "ignored; makes URLs differ", apply_n },
        { "http1.0", "1", "answer in HTTP/1.0", apply_http_1_0 },
};

#define N_PARAMS (sizeof(params) / sizeof(params[0]))

static const struct param *find_param(struct muster_str name)
{
        for (size_t i = 0; i < N_PARAMS; i++)
                if (str_is(name, params[i].name))
                        return &params[i];
        return NULL;
}

/* Is a name in a list of words separated by blanks? "*" matches all. */
static bool is_among(const char *words, struct muster_str name)
{
        struct muster_str rest = str_of(words), word;

        while (rest.len && str_split(&rest, ' ', &word))
                if (str_eq(word, name) || str_is(word, "*"))
                        return true;
        return false;
}

static bool apply(struct call *call, const char *own, struct muster_str name,
        struct muster_str value)
{
        const struct param *param = find_param(name);

        if (is_among(own, name))
                return true;
        if (!param) {
                plan_say(call->plan, 400, "unknown parameter \"%.*s\"; / lists all parameters\n",
                        name.len < 100 ? (int)name.len : 100, name.at);
                return false;
        }
        if (param->apply(call->plan, value))
                return true;
        plan_begin(call->plan);
        plan_say(call->plan, 400, "parameter %s: \"%.*s\" is not %s: %s\n", param->name,
                value.len < 100 ? (int)value.len : 100, value.len ? value.at : "", param->form,
                param->help);
        return false;
}

bool params_apply(struct call *call, const char *own)
{
        struct muster_str rest = call->query, pair;
        struct buf text = { 0 };
        bool is_good = true;

        while (is_good && rest.len && str_split(&rest, '&', &pair)) {
                struct muster_str value = pair, name;

                if (!pair.len || !str_split(&value, '=', &name))
                        continue;
                text.len = 0;
                if (url_add_decoded(value, &text) < 0)
                        break;
                is_good = apply(call, own, name,
                        (struct muster_str){ text.at ? text.at : "", text.len });
        }
        buf_deinit(&text);
        return is_good;
}

int params_describe(struct buf *to)
{
        int r = buf_add_text(to, "\nQuery parameters work with every path:\n\n");

        for (size_t i = 0; i < N_PARAMS && r == 0; i++) {
                char line[200];
                int n = snprintf(line, sizeof(line), "  %s=%s", params[i].name, params[i].form);

                snprintf(line + n, sizeof(line) - (size_t)n, "%*s%s\n", n < 34 ? 34 - n : 1, "",
                        params[i].help);
                r = buf_add_text(to, line);
        }
        return r;
}
