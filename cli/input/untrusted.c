/* SPDX-License-Identifier: MIT */
#include "untrusted.h"

#include <base/error.h>
#include <base/str.h>
#include <string.h>

/* Each of these has a body, reads a file, or says as whom the request is made. */
static const char *const forbidden_members[] = { "body", "json", "body_base64", "body_file", "data",
        "form", "cookies", "auth" };

/* Of these a server learns nothing that a GET does not tell it, and does nothing that it does not. */
static const char *const allowed_fields[] = { "Accept", "Accept-Language", "If-Modified-Since",
        "If-None-Match", "Range" };

static int refuse(struct input_item *item, const char *what, const char *name, const char *advice)
{
        if (!item->line)
                return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: --untrusted-input forbids %s%.60s%s", what, name, advice);
        return error_set(&item->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: line %llu: --untrusted-input forbids %s%.60s%s",
                (unsigned long long)item->line, what, name, advice);
}

static bool is_absent(const json_t *value)
{
        return !value || json_is_null(value);
}

static int check_members(struct input_item *item, const json_t *object)
{
        for (size_t i = 0; i < sizeof(forbidden_members) / sizeof(forbidden_members[0]); i++)
                if (!is_absent(json_object_get(object, forbidden_members[i])))
                        return refuse(item, "the member ", forbidden_members[i],
                                "; a line can have url, id, method and headers");
        return 0;
}

static int check_field(struct input_item *item, const char *name)
{
        for (size_t i = 0; i < sizeof(allowed_fields) / sizeof(allowed_fields[0]); i++)
                if (name && str_is_nocase(str_of(name), allowed_fields[i]))
                        return 0;
        return refuse(item, "the header ", name ? name : "without a name",
                "; a line can have Accept, Accept-Language, If-Modified-Since, If-None-Match and Range");
}

/* An object, or a list of pairs; what is neither is told later. */
static int check_fields(struct input_item *item, json_t *headers)
{
        const char *name;
        json_t *one;
        size_t i;
        int r = 0;

        json_object_foreach(headers, name, one)
        {
                r = check_field(item, name);
                if (r < 0)
                        return r;
        }
        json_array_foreach(headers, i, one)
        {
                r = check_field(item, json_string_value(json_array_get(one, 0)));
                if (r < 0)
                        return r;
        }
        return r;
}

static int check_method(struct input_item *item, const json_t *method)
{
        const char *name = json_string_value(method);

        if (is_absent(method) || (name && (strcmp(name, "GET") == 0 || strcmp(name, "HEAD") == 0)))
                return 0;
        return refuse(item, "the method ", name ? name : "that is no string",
                "; a line can have GET and HEAD");
}

/*
 * Where the authority of a URL ends, whoever reads it: a URL may have any number of slashes behind
 * its scheme, of either kind.
 */
static const char *end_of_authority(const char *url)
{
        const char *colon = strchr(url, ':');

        if (colon)
                url = colon + 1;
        url += strspn(url, "/\\");
        return url + strcspn(url, "/\\?#");
}

int untrusted_check_url(struct input_item *item, const char *url)
{
        if (!memchr(url, '@', (size_t)(end_of_authority(url) - url)))
                return 0;
        return refuse(item, "a user name in the URL", "", "; leave out what stands before the @");
}

int untrusted_check_object(struct input_item *item, const json_t *object, bool is_result)
{
        const char *url = json_string_value(json_object_get(object, "url"));
        int r = check_method(item, json_object_get(object, "method"));

        /* The headers and the body of a result are those of the response. */
        if (r == 0 && !is_result)
                r = check_members(item, object);
        if (r == 0 && !is_result)
                r = check_fields(item, json_object_get(object, "headers"));
        return r == 0 && url ? untrusted_check_url(item, url) : r;
}
