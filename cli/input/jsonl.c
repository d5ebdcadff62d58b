/* SPDX-License-Identifier: MIT */
/*
 * One request a line, as a JSON object
 *
 *      {"url":"https://h/","method":"POST","headers":{"A":"b"},"body":"text","id":"a9"}
 *
 * Headers may be an object or a list of pairs, cookies are an object; the body has four forms
 * (jsonl_body.c), credentials have two (jsonl_auth.c). A member
 * that is not known is the caller's own, and comes out again with the result. A member of null is
 * absent. The line of a result is taken as the request that it is the result of (jsonl_result.c).
 *
 * Jansson says what is valid and what strings stand for. What numbers stand for nobody has to know:
 * their text is passed on.
 */
#include "jsonl.h"

#include "method.h"
#include "untrusted.h"
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>

int jsonl_bad(struct input_item *item, const char *what, const char *of)
{
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: line %llu: %s%s", (unsigned long long)item->line, what, of);
}

int jsonl_refused(struct input_item *item)
{
        return jsonl_bad(item, muster_request_error(item->request)->text, "");
}

static bool looks_like_object(struct muster_str line, const struct input_options *options)
{
        (void)options;
        return str_trim(line).at[0] == '{';
}

/* --- members --------------------------------------------------------------------------------- */

/*
 * A string as the parser has it, so that all who use it see the same characters; anything else as
 * it is written.
 */
static int set_id(struct input_item *item, json_t *value, struct muster_str text)
{
        char *dumped = NULL;
        int r;

        if (json_is_object(value) || json_is_array(value))
                return jsonl_bad(item, "id must be a string, a number, true or false", "");
        if (!json_is_string(value)) {
                r = buf_add_str(&item->id, text);
        } else {
                dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
                r = dumped ? buf_add_text(&item->id, dumped) : MUSTER_E_RESOURCE;
        }
        free(dumped);
        return r < 0 ? error_set_memory(&item->error, MUSTER_PHASE_QUEUE) : 0;
}

static int add_header(struct input_item *item, const char *name, const json_t *value)
{
        if (!json_is_string(value) && !json_is_null(value))
                return jsonl_bad(item, "the value must be a string, of header ", name);
        if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
                return jsonl_bad(item, "a NUL in the value of header ", name);
        if (muster_request_add_header(item->request, name, json_string_value(value)) < 0)
                return jsonl_refused(item);
        item->has_content_type |= str_is_nocase(str_of(name), "Content-Type");
        return 0;
}

static int add_pair(struct input_item *item, const json_t *pair)
{
        const json_t *name = json_array_get(pair, 0);

        if (json_array_size(pair) != 2 || !json_is_string(name))
                return jsonl_bad(item, "each header must be a pair of name and value", "");
        return add_header(item, json_string_value(name), json_array_get(pair, 1));
}

static int set_headers(struct input_item *item, json_t *value, struct muster_str text)
{
        const char *name;
        json_t *one;
        size_t i;
        int r = 0;

        (void)text;
        item->has_headers = true;
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
                return jsonl_bad(item, "headers must be an object or a list of pairs", "");
        json_array_foreach(value, i, one)
        {
                r = add_pair(item, one);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Cookies by name, as one field. */
static int set_cookies(struct input_item *item, json_t *value, struct muster_str text)
{
        struct buf field = { 0 };
        const char *name;
        json_t *one;
        int r = 0;

        (void)text;
        if (!json_is_object(value))
                return jsonl_bad(item, "cookies must be an object of names and values", "");
        json_object_foreach(value, name, one)
        {
                if (!json_is_string(one) ||
                        strlen(json_string_value(one)) != json_string_length(one) ||
                        strpbrk(json_string_value(one), ";\r\n") || strpbrk(name, "=;\r\n")) {
                        buf_deinit(&field);
                        return jsonl_bad(item,
                                "the value must be a string without semicolons, of cookie ", name);
                }
                if (r == 0 && field.len)
                        r = buf_add(&field, "; ", 2);
                if (r == 0)
                        r = buf_add_text(&field, name);
                if (r == 0)
                        r = buf_add_char(&field, '=');
                if (r == 0)
                        r = buf_add_text(&field, json_string_value(one));
        }
        if (r == 0)
                r = buf_terminate(&field);
        if (r == 0 && field.len && muster_request_add_header(item->request, "Cookie", field.at) < 0)
                r = jsonl_refused(item);
        buf_deinit(&field);
        return r == MUSTER_E_RESOURCE ? error_set_memory(&item->error, MUSTER_PHASE_QUEUE) : r;
}

static const struct {
        const char *name;
        int (*set)(struct input_item *item, json_t *value,
                struct muster_str text); /* NULL: set before */
} members[] = {
        { "id", NULL },
        { "headers", set_headers },
        { "cookies", set_cookies },
        { "auth", jsonl_set_auth },
        { "body", jsonl_set_body },
        { "json", jsonl_set_json },
        { "body_base64", jsonl_set_body_base64 },
        { "body_file", jsonl_set_body_file },
        { "data", jsonl_set_data },
        { "form", jsonl_set_form },
        { "url", NULL },
        { "method", NULL },
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

/* Its place in the table, N_MEMBERS for the caller's own. */
static size_t find_member(const struct member *member)
{
        size_t i = 0;

        while (i < N_MEMBERS && !member_is(member, members[i].name))
                i++;
        return i;
}

/* --- the caller's own members ---------------------------------------------------------------- */

bool jsonl_has_member(struct muster_str name)
{
        for (size_t i = 0; i < N_MEMBERS; i++)
                if (str_is_nocase(name, members[i].name))
                        return true;
        return false;
}

/*
 * The member whose name this most likely is to be, NULL for none. Short names are near to too many.
 */
static const char *nearest_to(struct muster_str name)
{
        for (size_t i = 0; i < N_MEMBERS; i++) {
                struct muster_str known = str_of(members[i].name);

                if (str_eq_nocase(name, known) ||
                        (known.len >= 4 && str_distance(name, known) <= (known.len > 4 ? 2 : 1)))
                        return known.at;
        }
        return NULL;
}

static int add_own(struct input_item *item, const struct member *member)
{
        struct buf *own = &item->own;
        const char *nearest = item->nearest ? NULL : nearest_to(member->name);

        if (!item->unknown.at || nearest) {
                item->unknown = member->name;
                item->nearest = nearest;
        }
        if (own->len)
                own->len--; /* the bracket that closes it */
        if (buf_add_text(own, own->len ? ",\"" : "{\"") < 0 || buf_add_str(own, member->name) < 0 ||
                buf_add_text(own, "\":") < 0 || buf_add_str(own, member->value) < 0 ||
                buf_add_char(own, '}') < 0)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        return 0;
}

/* The object of somebody's own members, as a result line has it. */
static int take_own(struct input_item *item, struct muster_str text)
{
        if (text.at[0] == '{' && buf_add_str(&item->own, text) < 0)
                return error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
        return 0;
}

/* Those come back whatever else is wrong with the line, and the id, too. */
static int collect_own(struct input_item *item, struct muster_str rest, json_t *object,
        bool has_input)
{
        struct member member;
        int r = 0;

        while (r == 0 && members_next(&rest, &member)) {
                size_t i = find_member(&member);

                if (i == 0 && !json_is_null(json_object_get(object, "id")))
                        r = set_id(item, json_object_get(object, "id"), member.value);
                else if (has_input && member_is(&member, "input"))
                        r = take_own(item, member.value);
                else if (i == N_MEMBERS && !has_input)
                        r = add_own(item, &member);
        }
        return r;
}

/* --- the object ------------------------------------------------------------------------------ */

/* "URL", "uri" and their kin are most likely what is missing. */
static int no_url(struct input_item *item)
{
        char instead[48];

        if (!item->unknown.at || (str_distance(item->unknown, str_of("url")) != 1 &&
                                         !str_is_nocase(item->unknown, "url")))
                return jsonl_bad(item, "url is missing", "");
        snprintf(instead, sizeof(instead), "%.*s", STR_ARGS(item->unknown));
        return jsonl_bad(item, "url is missing; call it url, not ", instead);
}

static int check_url(struct input_item *item, const json_t *url)
{
        if (!url)
                return no_url(item);
        if (json_is_null(url))
                return jsonl_bad(item, "url is null", "");
        if (!json_is_string(url))
                return jsonl_bad(item, "url must be a string", "");
        return strlen(json_string_value(url)) == json_string_length(url)
                       ? 0
                       : jsonl_bad(item, "url contains a NUL", "");
}

/* As curl: what has a body is a POST unless it says otherwise. */
static int make_request(struct input_item *item, const json_t *object)
{
        const json_t *url = json_object_get(object, "url");
        const json_t *method = json_object_get(object, "method");
        const char *name = json_string_value(method);
        int r = check_url(item, url);

        if (r < 0)
                return r;
        if (method && !json_is_null(method) &&
                (!name || strlen(name) != json_string_length(method)))
                return jsonl_bad(item, "method must be a string", "");
        if (!name && item->has_body)
                name = "POST";
        item->is_unsafe = !method_is_safe(name);
        item->request = muster_request_new(name, json_string_value(url));
        return item->request ? 0 : error_set_memory(&item->error, MUSTER_PHASE_QUEUE);
}

static int set_members(struct input_item *item, struct muster_str rest, const json_t *object)
{
        struct member member;
        int r = 0;

        while (r == 0 && members_next(&rest, &member)) {
                size_t i = find_member(&member);
                json_t *value;

                if (i == N_MEMBERS || !members[i].set)
                        continue;
                value = json_object_get(object, members[i].name);
                if (!json_is_null(value))
                        r = members[i].set(item, value, member.value);
        }
        return r;
}

static int make_item(struct input_item *item, struct muster_str line, json_t *object, bool is_row)
{
        bool is_result = !is_row && jsonl_is_result(object);
        int r = collect_own(item, line, object, is_row || is_result);

        if (r == 0)
                r = is_result ? jsonl_check_result(item, object) : jsonl_check_bodies(item, object);
        item->has_body = !is_result && jsonl_has_body(object);
        if (r == 0 && item->is_untrusted)
                r = untrusted_check_object(item, object, is_result);
        if (r == 0)
                r = make_request(item, object);
        if (r == 0 && !is_result)
                r = set_members(item, line, object);
        if (item->has_content_type)
                item->content_type = NULL;
        return r;
}

/* --- the line -------------------------------------------------------------------------------- */

#define LOAD_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

/* Numbers that no double can hold are numbers. */
static json_t *load_large(struct muster_str line, json_error_t *why)
{
        char *copy = mem_strndup(line.at, line.len);
        json_t *value = NULL;

        if (copy) {
                members_blank_numbers(copy, line.len);
                value = json_loadb(copy, line.len, LOAD_FLAGS, why);
        }
        mem_free(copy);
        return value;
}

static json_t *load_object(struct muster_str line, json_error_t *why)
{
        json_t *value = json_loadb(line.at, line.len, LOAD_FLAGS, why);

        return !value && json_error_code(why) == json_error_numeric_overflow ? load_large(line, why)
                                                                             : value;
}

static int no_object(struct input_item *item, struct muster_str line)
{
        static const char *const schemes[] = { "http://", "https://" };

        for (size_t i = 0; i < 2; i++)
                if (str_starts(str_trim(line), schemes[i]))
                        return jsonl_bad(item,
                                "a URL among JSON objects; write {\"url\":\"...\"}, or use --input-format lines for a list of URLs",
                                "");
        return jsonl_bad(item, "not a JSON object", "");
}

static int not_json(struct input_item *item, const json_error_t *why)
{
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: line %llu is not JSON: %s (column %d)", (unsigned long long)item->line,
                why->text, why->column);
}

int jsonl_parse(struct muster_str line, bool is_row, struct input_item *item)
{
        json_error_t why;
        json_t *object;
        int r;

        if (!looks_like_object(line, NULL))
                return no_object(item, line);
        /* Jansson passes over one behind a number, and what it passed over would be in the result. */
        if (str_has_char(line, '\0'))
                return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: line %llu contains a NUL, which JSON has as \\u0000",
                        (unsigned long long)item->line);
        object = load_object(line, &why);
        if (!object)
                return not_json(item, &why);
        r = make_item(item, line, object, is_row);
        json_decref(object);
        if (r < 0)
                item->request = muster_request_free(item->request);
        return r;
}

static int parse_object(struct muster_str line, struct buf *scratch, struct input_item *item)
{
        (void)scratch;
        return jsonl_parse(line, false, item);
}

const struct input_format input_jsonl = {
        .name = "jsonl",
        .endings = ".jsonl .ndjson .jl",
        .parse = parse_object,
        .fits = looks_like_object,
};
