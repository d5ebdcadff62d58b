/* SPDX-License-Identifier: MIT */
/*
 * One request a line, as a JSON object
 *
 *      {"url":"https://h/","method":"POST","headers":{"A":"b"},"body":"text","id":"a9"}
 *
 * Headers may be an object or a list of pairs; the body may be `body` (text), `body_base64` or `body_file`. A member that is not known is
 * an error, as it is most likely a misspelt one.
 */
#include "input.h"

#include "../output/json.h"
#include "body_file.h"
#include "method.h"
#include <base/error.h>
#include <jansson.h>

static int bad(struct input_item *item, const char *what, const char *of)
{
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                         "input: line %llu: %s%s", (unsigned long long)item->line, what, of);
}

/* A setter of the library refused: in its own words. */
static int refused(struct input_item *item)
{
        return bad(item, muster_request_error(item->request)->text, "");
}

static bool fits(struct muster_str line)
{
        return str_trim(line).at[0] == '{';
}

/* --- members ------------------------------------------------------------------------------------------------------ */

static int set_id(struct input_item *item, json_t *value)
{
        char *text;
        int r;

        if (!json_is_string(value) && !json_is_number(value))
                return bad(item, "id must be a string or a number", "");
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        r = text ? buf_add_text(&item->id, text) : MUSTER_E_RESOURCE;
        free(text);
        return r < 0 ? error_set_memory(&item->error, MUSTER_PHASE_QUEUE) : 0;
}

static int add_header(struct input_item *item, const char *name, json_t *value)
{
        if (!json_is_string(value) && !json_is_null(value))
                return bad(item, "the value of this header is not a string: ", name);
        if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
                return bad(item, "a NUL in the value of header ", name);
        if (muster_request_add_header(item->request, name, json_string_value(value)) < 0)
                return refused(item);
        return 0;
}

static int set_headers(struct input_item *item, json_t *value)
{
        const char *name;
        json_t *one;
        size_t i;
        int r;

        if (json_is_object(value)) {
                json_object_foreach(value, name, one)
                {
                        r = add_header(item, name, one);
                        if (r < 0)
                                return r;
                }
                return 0;
        }
        if (!json_is_array(value))
                return bad(item, "headers must be an object or a list of pairs", "");
        json_array_foreach(value, i, one)
        {
                json_t *pair_name = json_array_get(one, 0);

                if (json_array_size(one) != 2 || !json_is_string(pair_name))
                        return bad(item, "a header is not a pair of name and value", "");
                r = add_header(item, json_string_value(pair_name), json_array_get(one, 1));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_body(struct input_item *item, json_t *value)
{
        if (!json_is_string(value))
                return bad(item, "body must be a string; use body_base64 for bytes", "");
        if (muster_request_set_body(item->request, json_string_value(value),
                                    json_string_length(value)) < 0)
                return refused(item);
        return 0;
}

static int set_body_base64(struct input_item *item, json_t *value)
{
        struct buf bytes = { 0 };
        int r;

        if (!json_is_string(value))
                return bad(item, "body_base64 must be a string", "");
        r = json_decode_base64(
                &bytes, (struct muster_str){ json_string_value(value), json_string_length(value) });
        if (r == 0)
                r = muster_request_set_body(item->request, bytes.at ? bytes.at : "", bytes.len);
        buf_deinit(&bytes);
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        return r < 0 ? bad(item, "body_base64 is not valid base64", "") : 0;
}

static int set_body_file(struct input_item *item, json_t *value)
{
        struct muster_error why = { 0 };

        if (!json_is_string(value))
                return bad(item, "body_file must be a string", "");
        if (body_from_file(item->request, json_string_value(value), &why) < 0)
                return bad(item, why.text, "");
        return 0;
}

static const struct {
        const char *name;
        int (*set)(struct input_item *item, json_t *value);
} members[] = {
        { "headers", set_headers },
        { "body", set_body },
        { "body_base64", set_body_base64 },
        { "body_file", set_body_file },
        { "id", set_id },
        { "url", NULL },
        { "method", NULL },
};

static int set_member(struct input_item *item, const char *name, json_t *value)
{
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
                if (strcmp(name, members[i].name) == 0)
                        return members[i].set ? members[i].set(item, value) : 0;
        return bad(item, "unknown member: ", name);
}

/* --- the object --------------------------------------------------------------------------------------------------- */

static int check_bodies(struct input_item *item, json_t *object)
{
        int n = !!json_object_get(object, "body") + !!json_object_get(object, "body_base64") +
                !!json_object_get(object, "body_file");

        return n > 1 ? bad(item, "only one of body, body_base64 and body_file", "") : 0;
}

static int make(struct input_item *item, json_t *object)
{
        json_t *url = json_object_get(object, "url"), *method = json_object_get(object, "method"),
               *value;
        const char *name;
        int r = check_bodies(item, object);

        if (r < 0)
                return r;
        if (!json_is_string(url) || strlen(json_string_value(url)) != json_string_length(url))
                return bad(item, "url is missing or not a string", "");
        if (method && !json_is_string(method))
                return bad(item, "method must be a string", "");
        item->is_unsafe = !method_is_safe(json_string_value(method));
        item->request = muster_request_new(json_string_value(method), json_string_value(url));
        if (!item->request)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        json_object_foreach(object, name, value)
        {
                r = set_member(item, name, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int parse(struct muster_str line, struct buf *scratch, struct input_item *item)
{
        json_error_t why;
        json_t *object =
                json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
        int r;

        (void)scratch;
        if (!object)
                return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                                 "input: line %llu is not JSON: %s (column %d)",
                                 (unsigned long long)item->line, why.text, why.column);
        r = json_is_object(object) ? make(item, object) : bad(item, "not a JSON object", "");
        json_decref(object);
        if (r < 0)
                item->request = muster_request_free(item->request);
        return r;
}

const struct input_format input_jsonl = { .name = "jsonl", .parse = parse, .fits = fits };
