/* SPDX-License-Identifier: MIT */
/*
 * An invocation as a JSON array, in a record that others may see: without its secrets
 */
#include "invocation.h"

#include "../option/secret.h"
#include "../output/json.h"
#include <base/error.h>
#include <base/mem.h>
#include <jansson.h>

#define LEFT_OUT "(left out)" /* in place of a secret */

/* What --secret-header names, borrowed. */
static int secret_names(const struct invocation *invocation, struct texts *names)
{
        struct muster_error error = { 0 };
        int r = 0;

        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (invocation->words[i].name &&
                        strcmp(invocation->words[i].name, "secret-header") == 0)
                        r = texts_add(names, invocation->words[i].value, &error);
        return r;
}

/* The value without its secret, of which a URL does not show that there was one. */
static int add_value(struct buf *to, const struct texts *names, const struct invocation_word *word)
{
        struct muster_str secret = secret_in(word->name, word->value, names);
        const char *rest = secret.at + secret.len;
        int r;

        if (!secret.len)
                return buf_add_text(to, word->value);
        r = buf_add(to, word->value, (size_t)(secret.at - word->value));
        if (secret_is_of_url(word->name))
                rest += strlen("@");
        else if (r == 0)
                r = buf_add_text(to, LEFT_OUT);
        return r == 0 ? buf_add_text(to, rest) : r;
}

static int add_json(struct buf *json, struct buf *scratch)
{
        if (json->len > 1 && buf_add_char(json, ',') < 0)
                return MUSTER_E_RESOURCE;
        return json_add_string(json, buf_str(scratch));
}

static int add_json_word(struct buf *json, struct buf *scratch, const struct texts *names,
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
        r = add_value(scratch, names, word);
        return r == 0 ? add_json(json, scratch) : r;
}

/* Options first, so that "--" can stand before the operands. */
static int add_json_words(const struct invocation *invocation, const struct texts *names,
        struct buf *json, struct buf *scratch)
{
        int r = buf_add_text(json, "[\"muster\",\"fetch\"");

        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (invocation->words[i].name)
                        r = add_json_word(json, scratch, names, &invocation->words[i]);
        if (r == 0 && invocation_has(invocation, NULL))
                r = buf_add_text(json, ",\"--\"");
        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (!invocation->words[i].name)
                        r = add_json_word(json, scratch, names, &invocation->words[i]);
        return r == 0 ? buf_add_char(json, ']') : r;
}

int invocation_to_json(const struct invocation *invocation, struct buf *json)
{
        struct buf scratch = { 0 };
        struct texts names = { 0 };
        int r = secret_names(invocation, &names);

        if (r == 0)
                r = add_json_words(invocation, &names, json, &scratch);
        mem_free(names.list);
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
