/* SPDX-License-Identifier: MIT */
/*
 * The body of a request: text, JSON, base64 or a file
 */
#include "jsonl.h"

#include "../output/json.h"
#include "body_file.h"
#include <base/error.h>

static const char *const names[] = { "body", "json", "body_base64", "body_file", "data", "form" };

static size_t n_bodies(const json_t *object)
{
        size_t n = 0;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const json_t *value = json_object_get(object, names[i]);

                n += value && !json_is_null(value);
        }
        return n;
}

bool jsonl_has_body(const json_t *object)
{
        return n_bodies(object) > 0;
}

int jsonl_check_bodies(struct input_item *item, const json_t *object)
{
        return n_bodies(object) > 1
                       ? jsonl_bad(item,
                                 "give only one of body, json, data, form, body_base64 and body_file",
                                 "")
                       : 0;
}

/* The value goes out as it is written, and says what it is where the headers do not. */
int jsonl_set_json(struct input_item *item, json_t *value, struct muster_str text)
{
        (void)value;
        if (muster_request_set_body(item->request, text.at, text.len) < 0)
                return jsonl_refused(item);
        item->content_type = "application/json";
        return 0;
}

int jsonl_set_body(struct input_item *item, json_t *value, struct muster_str text)
{
        if (json_is_object(value) || json_is_array(value))
                return jsonl_set_json(item, value, text);
        if (!json_is_string(value))
                return jsonl_bad(item,
                        "body must be a string, an object or a list; use json for other values, body_base64 for bytes",
                        "");
        if (muster_request_set_body(item->request, json_string_value(value),
                    json_string_length(value)) < 0)
                return jsonl_refused(item);
        return 0;
}

int jsonl_set_body_base64(struct input_item *item, json_t *value, struct muster_str text)
{
        struct buf bytes = { 0 };
        int r;

        (void)text;
        if (!json_is_string(value))
                return jsonl_bad(item, "body_base64 must be a string", "");
        r = json_decode_base64(&bytes,
                (struct muster_str){ json_string_value(value), json_string_length(value) });
        if (r == 0)
                r = muster_request_set_body(item->request, bytes.at ? bytes.at : "", bytes.len);
        buf_deinit(&bytes);
        if (r == MUSTER_E_RESOURCE)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        return r < 0 ? jsonl_bad(item, "body_base64 is not valid base64", "") : 0;
}

int jsonl_note_file(struct input_item *item, const char *path)
{
        return buf_add(&item->sent_files, path, strlen(path) + 1) < 0
                       ? error_set_memory(&item->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

int jsonl_set_body_file(struct input_item *item, json_t *value, struct muster_str text)
{
        struct muster_error why = { 0 };

        (void)text;
        if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
                return jsonl_bad(item, "body_file must be a string, the path of a file", "");
        if (body_from_file(item->request, json_string_value(value), item->takes_pipes, &why) < 0)
                return jsonl_bad(item, why.text, "");
        return jsonl_note_file(item, json_string_value(value));
}
