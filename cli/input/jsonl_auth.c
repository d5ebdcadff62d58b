/* SPDX-License-Identifier: MIT */
/*
 * As whom a request is made
 *
 *      "auth":{"user":"ada","password":"secret","scheme":"digest"}       scheme: basic, digest or any; as the options say if missing
 *      "auth":{"bearer":"TOKEN"}
 */
#include "jsonl.h"

struct auth {
        const char *user, *password, *scheme, *bearer;
};

/* The member of that name. NULL: it is none of ours. */
static const char **member_named(struct auth *auth, const char *name)
{
        if (strcmp(name, "user") == 0)
                return &auth->user;
        if (strcmp(name, "password") == 0)
                return &auth->password;
        if (strcmp(name, "scheme") == 0)
                return &auth->scheme;
        return strcmp(name, "bearer") == 0 ? &auth->bearer : NULL;
}

static int read_auth(struct input_item *item, json_t *object, struct auth *auth)
{
        const char *name;
        json_t *one;

        json_object_foreach(object, name, one)
        {
                const char **to = member_named(auth, name);

                if (!to)
                        return jsonl_bad(item,
                                "auth has user, password, scheme and bearer, but no ", name);
                if (json_is_null(one))
                        continue;
                if (!json_is_string(one) ||
                        strlen(json_string_value(one)) != json_string_length(one))
                        return jsonl_bad(item, "a string without NUL must be auth.", name);
                *to = json_string_value(one);
        }
        return 0;
}

#define UNKNOWN_SCHEME UINT32_MAX

/* Without a name, as the options say. */
static unsigned schemes_of(const char *name)
{
        if (!name)
                return 0;
        if (strcmp(name, "basic") == 0)
                return MUSTER_AUTH_BASIC;
        if (strcmp(name, "digest") == 0)
                return MUSTER_AUTH_DIGEST;
        return strcmp(name, "any") == 0 ? MUSTER_AUTH_ANY : UNKNOWN_SCHEME;
}

int jsonl_set_auth(struct input_item *item, json_t *value, struct muster_str text)
{
        struct auth auth = { 0 };
        int r;

        (void)text;
        if (!json_is_object(value))
                return jsonl_bad(item, "auth must be an object", "");
        r = read_auth(item, value, &auth);
        if (r < 0)
                return r;
        if (!auth.user == !auth.bearer || (auth.bearer && (auth.password || auth.scheme)))
                return jsonl_bad(item, "auth must have user and password, or bearer alone", "");
        if (schemes_of(auth.scheme) == UNKNOWN_SCHEME)
                return jsonl_bad(item, "auth.scheme must be basic, digest or any, not ",
                        auth.scheme);
        item->has_login = true;
        r = auth.bearer ? muster_request_set_bearer(item->request, auth.bearer)
                        : muster_request_set_credentials(item->request, auth.user, auth.password,
                                  schemes_of(auth.scheme));
        return r < 0 ? jsonl_refused(item) : 0;
}
