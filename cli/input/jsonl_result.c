/* SPDX-License-Identifier: MIT */
/*
 * Result lines as input
 *
 * What is taken from one is its id, its method, its URL (not where redirects led) and its own
 * columns. Everything else tells of the response: its headers, its body. So a request that had
 * headers or a body of its own cannot be made again from its result, and is refused: what the
 * result line says of that is the member "omitted".
 */
#include "jsonl.h"

#include "method.h"
#include <base/error.h>
#include <string.h>

bool jsonl_is_result(const json_t *object)
{
        return json_is_boolean(json_object_get(object, "ok")) &&
               json_is_object(json_object_get(object, "phases_us"));
}

#define INSTEAD "; use the input line of that request instead"

/* Lines of the first version have no "omitted", so the method has to do. */
static bool is_sent_without_body(const char *method)
{
        return method_is_safe(method) || strcmp(method, "DELETE") == 0;
}

int jsonl_check_result(struct input_item *item, const json_t *object)
{
        const json_t *omitted = json_object_get(object, "omitted");
        const char *method = json_string_value(json_object_get(object, "method"));
        bool has_headers = false, has_body = !is_sent_without_body(method);
        const json_t *one;
        size_t i;

        json_array_foreach(omitted, i, one)
        {
                const char *name = json_string_value(one);

                has_headers |= name && strcmp(name, "headers") == 0;
                has_body |= name && strcmp(name, "body") == 0;
        }
        if (!json_is_string(json_object_get(object, "url")))
                return jsonl_bad(item,
                        "this is the result of an input line that was not a request, so it has no url",
                        "");
        if (has_body)
                return jsonl_bad(item,
                        "this is a result, which does not include the body of its request" INSTEAD,
                        "");
        if (has_headers)
                return jsonl_bad(item,
                        "this is a result, which does not include the headers of its request" INSTEAD,
                        "");
        return 0;
}
