/* SPDX-License-Identifier: MIT */
/*
 * Bodies that are forms: the members "data" (pairs, urlencoded) and "form" (parts, multipart)
 *
 *      "data":{"q":"a b","page":2,"tag":["x","y"]}
 *      "form":{"title":"A cat","photo":{"file":"cat.jpg","type":"image/jpeg"}}
 *      "form":[{"name":"photo","file":"cat.jpg"},{"name":"photo","file":"dog.jpg"}]
 */
#include "body_file.h"
#include "jsonl.h"

#include <base/error.h>
#include <base/mem.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

/* --- data ------------------------------------------------------------------------------------ */

/* Whole numbers below it are exact in a double. */
#define EXACT_BELOW 9007199254740992.0

static char *text_of_number(double number)
{
        char digits[40];

        snprintf(digits, sizeof(digits), number == floor(number) ? "%.0f" : "%.15g", number);
        return mem_strdup(digits);
}

/* A string, number or boolean as the text that stands for it. NULL: it is none of these. */
static char *text_of(const json_t *value, size_t *ret_len)
{
        char *text = NULL;

        if (json_is_string(value)) {
                *ret_len = json_string_length(value);
                return mem_strndup(json_string_value(value), *ret_len);
        }
        if (json_is_boolean(value))
                text = mem_strdup(json_is_true(value) ? "true" : "false");
        if (json_is_number(value) && fabs(json_number_value(value)) < EXACT_BELOW)
                text = text_of_number(json_number_value(value));
        *ret_len = text ? strlen(text) : 0;
        return text;
}

static int add_pair(struct input_item *item, const char *name, const json_t *value)
{
        size_t len, i;
        const json_t *one;
        char *text;
        int r = 0;

        json_array_foreach(value, i, one)
        {
                if (json_is_array(one))
                        return jsonl_bad(item, "a list in a list, in the member of data ", name);
                r = add_pair(item, name, one);
                if (r < 0)
                        return r;
        }
        if (json_is_array(value))
                return 0;
        text = text_of(value, &len);
        if (!text)
                return jsonl_bad(item,
                        "a value of data must be a string, a number below 2^53, true or false, or a list of these; in ",
                        name);
        r = muster_request_add_urlencoded(item->request, name, text, len);
        mem_free(text);
        return r < 0 ? jsonl_refused(item) : 0;
}

int jsonl_set_data(struct input_item *item, json_t *value, struct muster_str text)
{
        const char *name;
        json_t *one;
        int r = 0;

        (void)text;
        if (!json_is_object(value))
                return jsonl_bad(item, "data must be an object; use body for text", "");
        if (muster_request_add_urlencoded(item->request, NULL, "", 0) < 0)
                return jsonl_refused(item);
        json_object_foreach(value, name, one)
        {
                r = add_pair(item, name, one);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- form ------------------------------------------------------------------------------------ */

/* Put the text of a member into *ret_text. False: it is there and no text. */
static bool take_text(const json_t *part, const char *name, const char **ret_text)
{
        const json_t *value = json_object_get(part, name);

        if (!value || json_is_null(value))
                return true;
        *ret_text = json_string_value(value);
        return *ret_text && strlen(*ret_text) == json_string_length(value);
}

static int refuse_part(struct input_item *item, const char *name)
{
        return jsonl_bad(item,
                "a part of form must be a string, or an object with name, content or file, filename, type; in ",
                name ? name : "a part without a name");
}

static int add_part(struct input_item *item, struct muster_form *form, const char *name,
        const json_t *value)
{
        struct muster_form_part part = { .size = sizeof(part), .name = name };
        struct muster_error why = { 0 };
        const json_t *content = json_is_string(value) ? value : json_object_get(value, "content");

        if (!json_is_string(value) && !json_is_object(value))
                return refuse_part(item, name);
        if (json_is_object(value) &&
                (!take_text(value, "name", &part.name) || !take_text(value, "file", &part.file) ||
                        !take_text(value, "filename", &part.filename) ||
                        !take_text(value, "type", &part.type)))
                return refuse_part(item, name);
        if (content && !json_is_string(content))
                return refuse_part(item, name);
        if (!content && !part.file)
                return refuse_part(item, name);
        part.data = json_string_value(content);
        part.data_bytes = json_string_length(content);
        if (part.file && body_file_check(part.file, false, &why) < 0)
                return jsonl_bad(item, why.text, "");
        if (part.file && jsonl_note_file(item, part.file) < 0)
                return (int)item->error.code;
        return muster_form_add(form, &part) < 0 ? jsonl_bad(item, muster_form_error(form)->text, "")
                                                : 0;
}

static int add_parts(struct input_item *item, struct muster_form *form, json_t *value)
{
        const char *name;
        json_t *one;
        size_t i;
        int r = 0;

        json_array_foreach(value, i, one)
        {
                r = add_part(item, form, NULL, one);
                if (r < 0)
                        return r;
        }
        json_object_foreach(value, name, one)
        {
                r = add_part(item, form, name, one);
                if (r < 0)
                        return r;
        }
        return 0;
}

int jsonl_set_form(struct input_item *item, json_t *value, struct muster_str text)
{
        struct muster_form *form;
        int r;

        (void)text;
        if (!json_is_object(value) && !json_is_array(value))
                return jsonl_bad(item, "form must be an object or a list of parts", "");
        form = muster_form_new(NULL);
        if (!form)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        r = add_parts(item, form, value);
        if (r == 0 && muster_request_set_form(item->request, form) < 0)
                r = jsonl_refused(item);
        muster_form_free(form);
        return r;
}
