/* SPDX-License-Identifier: MIT */
/*
 * An invocation as a JSON array, in a record that others may see: without its secrets
 */
#include "invocation.h"

#include "../option/body_options.h"
#include "../option/login.h"
#include "../output/json.h"
#include <base/error.h>
#include <base/mem.h>
#include <jansson.h>

#define LEFT_OUT "(left out)" /* in place of a secret */

/* Is it secret by its name, or because the command says so? */
static bool is_secret_field(const struct invocation *invocation, struct muster_str name)
{
        static const char *const hints[] = { "auth", "cookie", "token", "key", "pass", "secret",
                "session" };

        for (size_t i = 0; i < invocation->n; i++)
                if (invocation->words[i].name &&
                        strcmp(invocation->words[i].name, "secret-header") == 0 &&
                        str_is_nocase(name, invocation->words[i].value))
                        return true;
        for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
                for (size_t at = 0; at + strlen(hints[i]) <= name.len; at++)
                        if (str_is_nocase((struct muster_str){ name.at + at, strlen(hints[i]) },
                                    hints[i]))
                                return true;
        return false;
}

/* How much of a value may be seen by everybody, from its beginning. */
static size_t shown_length(const struct invocation *invocation, const struct invocation_word *word)
{
        struct muster_str value = str_of(word->value);
        size_t name_len = strcspn(word->value, ":;");

        if (!word->name)
                return value.len;
        if (strcmp(word->name, "oauth2-bearer") == 0)
                return 0;
        if (login_is_secret(word->name)) /* USER:PASSWORD */
                return name_len + (value.at[name_len] == ':');
        if (body_option_has_body(word->name))
                return body_option_is_file(word->name, word->value) ? value.len : 0;
        if (strcmp(word->name, "cookie") == 0) /* a file, or cookies */
                return value.at[0] == '@' || !str_has_char(value, '=') ? value.len : 0;
        if ((strcmp(word->name, "header") == 0 || strcmp(word->name, "proxy-header") == 0) &&
                value.at[0] != '@' && value.at[name_len] == ':' &&
                is_secret_field(invocation, (struct muster_str){ value.at, name_len }))
                return name_len + 1;
        return value.len;
}

/* An option whose value is a URL that may have a password. */
static bool is_proxy(const char *name)
{
        return strcmp(name, "proxy") == 0 || strncmp(name, "socks", 5) == 0;
}

/* A URL without the user name and password that it may have. */
static int add_url(struct buf *to, const char *url)
{
        const char *host = strstr(url, "://");
        const char *end, *at;

        host = host ? host + strlen("://") : url;
        end = host + strcspn(host, "/?#");
        at = memrchr(host, '@', (size_t)(end - host));
        if (buf_add(to, url, (size_t)(host - url)) < 0)
                return MUSTER_E_RESOURCE;
        return buf_add_text(to, at ? at + 1 : host);
}

static int add_value(struct buf *to, const struct invocation *invocation,
        const struct invocation_word *word)
{
        size_t shown = shown_length(invocation, word);

        if (!word->name || is_proxy(word->name))
                return add_url(to, word->value);
        if (buf_add(to, word->value, shown) < 0)
                return MUSTER_E_RESOURCE;
        return word->value[shown] ? buf_add_text(to, LEFT_OUT) : 0;
}

static int add_json(struct buf *json, struct buf *scratch)
{
        if (json->len > 1 && buf_add_char(json, ',') < 0)
                return MUSTER_E_RESOURCE;
        return json_add_string(json, buf_str(scratch));
}

static int add_json_word(struct buf *json, struct buf *scratch, const struct invocation *invocation,
        const struct invocation_word *word)
{
        int r = 0;

        if (word->name) {
                scratch->len = 0;
                r = buf_add_text(scratch, "--");
                if (r == 0)
                        r = buf_add_text(scratch, word->name);
                if (r == 0)
                        r = add_json(json, scratch);
        }
        if (r < 0 || !word->value)
                return r;
        scratch->len = 0;
        r = add_value(scratch, invocation, word);
        return r == 0 ? add_json(json, scratch) : r;
}

/* Options first, so that "--" can stand before the operands. */
static int add_json_words(const struct invocation *invocation, struct buf *json,
        struct buf *scratch)
{
        int r = buf_add_text(json, "[\"muster\",\"fetch\"");

        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (invocation->words[i].name)
                        r = add_json_word(json, scratch, invocation, &invocation->words[i]);
        if (r == 0 && invocation_has(invocation, NULL))
                r = buf_add_text(json, ",\"--\"");
        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (!invocation->words[i].name)
                        r = add_json_word(json, scratch, invocation, &invocation->words[i]);
        return r == 0 ? buf_add_char(json, ']') : r;
}

int invocation_to_json(const struct invocation *invocation, struct buf *json)
{
        struct buf scratch = { 0 };
        int r = add_json_words(invocation, json, &scratch);

        buf_deinit(&scratch);
        return r == 0 ? buf_terminate(json) : r;
}

static int not_ours(struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "the record was not written by muster fetch, so there is no command to repeat");
}

static int parse_array(struct invocation *invocation, json_t *array, struct muster_error *error)
{
        size_t n = json_array_size(array);
        char **words;
        int r = 0;

        if (n < 2 || !json_is_string(json_array_get(array, 1)) ||
                strcmp(json_string_value(json_array_get(array, 1)), "fetch") != 0)
                return not_ours(error);
        words = mem_array(n, sizeof(*words));
        if (!words)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        for (size_t i = 2; r == 0 && i < n; i++) {
                const char *word = json_string_value(json_array_get(array, i));

                words[i] = (char *)(uintptr_t)word; /* option_parse() changes nothing */
                if (!word)
                        r = not_ours(error);
                else if (strstr(word, LEFT_OUT))
                        r = error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                                "the record leaves out passwords and other secrets, so its command cannot be repeated; use muster fetch --confirm");
        }
        if (r == 0)
                r = invocation_parse(invocation, (int)n - 2, words + 2, error);
        mem_free(words);
        return r;
}

int invocation_from_json(struct invocation *invocation, const char *json,
        struct muster_error *error)
{
        json_t *array = json ? json_loads(json, JSON_REJECT_DUPLICATES, NULL) : NULL;
        int r = parse_array(invocation, array, error);

        json_decref(array);
        return r;
}
