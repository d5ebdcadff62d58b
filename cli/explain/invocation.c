/* SPDX-License-Identifier: MIT */
#include "invocation.h"

#include "../fetch_options.h"
#include "../output/json.h"
#include <base/error.h>
#include <base/mem.h>
#include <jansson.h>

#define LEFT_OUT "(left out)" /* in place of a secret */

static void free_word(struct invocation_word *word)
{
        mem_free(word->value);
}

void invocation_deinit(struct invocation *invocation)
{
        for (size_t i = 0; i < invocation->n; i++)
                free_word(&invocation->words[i]);
        mem_free(invocation->words);
        *invocation = (struct invocation){ 0 };
}

/* `name` is a constant. */
static int add_word(struct invocation *invocation, const char *name, const char *value,
                    struct muster_error *error)
{
        struct invocation_word *words =
                mem_realloc(invocation->words, (invocation->n + 1) * sizeof(*words));
        char *copy = value ? mem_strdup(value) : NULL;

        if (words)
                invocation->words = words;
        if (!words || (value && !copy)) {
                mem_free(copy);
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        }
        words[invocation->n++] = (struct invocation_word){ name, copy };
        return 0;
}

/* --- taking apart: by the table of options, with this as what sets each ------------------------------------------- */

static int collect(void *settings, const struct option *option, const char *value,
                   struct muster_error *error)
{
        return add_word(settings, option ? option->name : NULL, value, error);
}

static size_t count_options(void)
{
        size_t n = 0;

        for (const struct option *const *table = fetch_option_tables; *table; table++)
                for (const struct option *option = *table; option->name; option++)
                        n++;
        return n;
}

/* All options of the command in one table. NULL: memory is out. */
static struct option *collecting_table(void)
{
        struct option *collecting = mem_array(count_options() + 1, sizeof(*collecting));
        size_t n = 0;

        if (!collecting)
                return NULL;
        for (const struct option *const *table = fetch_option_tables; *table; table++)
                for (const struct option *option = *table; option->name; option++) {
                        collecting[n] = *option;
                        collecting[n++].set = collect;
                }
        return collecting;
}

int invocation_parse(struct invocation *invocation, int argc, char **argv,
                     struct muster_error *error)
{
        struct option *table = collecting_table();
        const struct option *const tables[] = { table, NULL };
        int r;

        *invocation = (struct invocation){ 0 };
        if (!table)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = option_parse(tables, invocation, argc, argv, collect, error);
        mem_free(table);
        if (r == OPTION_HELP)
                r = error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                              "--help changes nothing");
        if (r < 0)
                invocation_deinit(invocation);
        return r;
}

int invocation_copy(struct invocation *invocation, const struct invocation *from,
                    struct muster_error *error)
{
        int r = 0;

        *invocation = (struct invocation){ 0 };
        for (size_t i = 0; r == 0 && i < from->n; i++)
                r = add_word(invocation, from->words[i].name, from->words[i].value, error);
        if (r < 0)
                invocation_deinit(invocation);
        return r;
}

/* --- looking and changing ----------------------------------------------------------------------------------------- */

static bool is_about(const struct invocation_word *word, const char *name)
{
        return name && word->name ? strcmp(word->name, name) == 0 : word->name == name;
}

static const struct invocation_word *find(const struct invocation *invocation, const char *name)
{
        for (size_t i = invocation->n; i-- > 0;)
                if (is_about(&invocation->words[i], name))
                        return &invocation->words[i];
        return NULL;
}

bool invocation_has(const struct invocation *invocation, const char *name)
{
        return find(invocation, name);
}

const char *invocation_value(const struct invocation *invocation, const char *name)
{
        const struct invocation_word *word = find(invocation, name);

        return word ? word->value : NULL;
}

void invocation_leave_out(struct invocation *invocation, const char *name)
{
        size_t n = 0;

        for (size_t i = 0; i < invocation->n; i++) {
                if (is_about(&invocation->words[i], name))
                        free_word(&invocation->words[i]);
                else
                        invocation->words[n++] = invocation->words[i];
        }
        invocation->n = n;
}

int invocation_add(struct invocation *invocation, const char *name, const char *value,
                   struct muster_error *error)
{
        return add_word(invocation, name, value, error);
}

/* What the change says about an option takes the place of all that was said before. */
static int replace(struct invocation *invocation, const struct invocation *change,
                   struct muster_error *error)
{
        int r = 0;

        for (size_t i = 0; i < change->n; i++)
                invocation_leave_out(invocation, change->words[i].name);
        for (size_t i = 0; r == 0 && i < change->n; i++)
                r = add_word(invocation, change->words[i].name, change->words[i].value, error);
        return r;
}

static int no_remedy(const char *remedy, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                         "\"%s\" is not a change of options", remedy);
}

#define REMEDY_WORDS_MAX 16

/* The words of a remedy; those that are to be left away are, at once. What is left is in `words`. */
static int split_remedy(struct invocation *invocation, char *text, char *words[REMEDY_WORDS_MAX])
{
        bool is_without = false;
        char *rest = text, *word;
        int n = 0;

        while ((word = strsep(&rest, " "))) {
                if (!*word)
                        continue;
                if (strcmp(word, "without") == 0) {
                        is_without = true;
                } else if (is_without) {
                        if (strncmp(word, "--", 2) != 0)
                                return MUSTER_E_INVALID;
                        invocation_leave_out(invocation, word + 2);
                        is_without = false;
                } else {
                        if (n == REMEDY_WORDS_MAX)
                                return MUSTER_E_INVALID;
                        words[n++] = word;
                }
        }
        return is_without ? MUSTER_E_INVALID : n;
}

int invocation_change(struct invocation *invocation, const char *remedy, struct muster_error *error)
{
        struct invocation change = { 0 };
        char *words[REMEDY_WORDS_MAX], *text = mem_strdup(remedy);
        int n, r;

        if (!text)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        n = split_remedy(invocation, text, words);
        r = n < 0 ? no_remedy(remedy, error) : invocation_parse(&change, n, words, error);
        if (r == 0 && invocation_has(&change, NULL))
                r = no_remedy(remedy, error);
        if (r == 0)
                r = replace(invocation, &change, error);
        invocation_deinit(&change);
        mem_free(text);
        return r;
}

/* --- putting together --------------------------------------------------------------------------------------------- */

/* "--concurrency" of "concurrency", from the one buffer that holds all of them. */
static char *dashed(char **at, const char *name)
{
        char *word = *at;

        *at += sprintf(word, "--%s", name) + 1;
        return word;
}

char **invocation_argv(const struct invocation *invocation)
{
        size_t n_bytes = sizeof("muster") + sizeof("fetch") + sizeof("--"), n = 0;
        char **argv, *at;

        for (size_t i = 0; i < invocation->n; i++)
                if (invocation->words[i].name)
                        n_bytes += strlen(invocation->words[i].name) + sizeof("--");
        /* Each word is two at most; then "muster", "fetch", "--" and NULL; then their text. */
        argv = mem_alloc((invocation->n * 2 + 4) * sizeof(*argv) + n_bytes);
        if (!argv)
                return NULL;
        at = (char *)(argv + invocation->n * 2 + 4);
        argv[n++] = strcpy(at, "muster");
        at += sizeof("muster");
        argv[n++] = strcpy(at, "fetch");
        at += sizeof("fetch");
        for (size_t i = 0; i < invocation->n; i++) {
                if (!invocation->words[i].name)
                        continue;
                argv[n++] = dashed(&at, invocation->words[i].name);
                if (invocation->words[i].value)
                        argv[n++] = invocation->words[i].value;
        }
        if (invocation_has(invocation, NULL))
                argv[n++] = strcpy(at, "--");
        for (size_t i = 0; i < invocation->n; i++)
                if (!invocation->words[i].name)
                        argv[n++] = invocation->words[i].value;
        argv[n] = NULL;
        return argv;
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static bool is_secret_field(struct muster_str name)
{
        static const char *const hints[] = { "auth", "cookie", "token",  "key",
                                             "pass", "secret", "session" };

        for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
                for (size_t at = 0; at + strlen(hints[i]) <= name.len; at++)
                        if (str_is_nocase((struct muster_str){ name.at + at, strlen(hints[i]) },
                                          hints[i]))
                                return true;
        return false;
}

/* How much of a value may be seen by everybody, from its beginning. */
static size_t shown_length(const struct invocation_word *word)
{
        struct muster_str value = str_of(word->value);
        size_t name_len = strcspn(word->value, ":;");

        if (!word->name)
                return value.len;
        if (strcmp(word->name, "user") == 0)
                return name_len + (value.at[name_len] == ':');
        if (strcmp(word->name, "data") == 0 || strcmp(word->name, "data-binary") == 0)
                return value.at[0] == '@' ? value.len : 0;
        if (strcmp(word->name, "header") == 0 && value.at[0] != '@' && value.at[name_len] == ':' &&
            is_secret_field((struct muster_str){ value.at, name_len }))
                return name_len + 1;
        return value.len;
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

static int add_value(struct buf *to, const struct invocation_word *word)
{
        size_t shown = shown_length(word);

        if (!word->name)
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

static int add_json_word(struct buf *json, struct buf *scratch, const struct invocation_word *word)
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
        r = add_value(scratch, word);
        return r == 0 ? add_json(json, scratch) : r;
}

/* Options first, so that "--" can stand before the operands. */
static int add_json_words(const struct invocation *invocation, struct buf *json,
                          struct buf *scratch)
{
        int r = buf_add_text(json, "[\"muster\",\"fetch\"");

        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (invocation->words[i].name)
                        r = add_json_word(json, scratch, &invocation->words[i]);
        if (r == 0 && invocation_has(invocation, NULL))
                r = buf_add_text(json, ",\"--\"");
        for (size_t i = 0; r == 0 && i < invocation->n; i++)
                if (!invocation->words[i].name)
                        r = add_json_word(json, scratch, &invocation->words[i]);
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
                         "the record was not made by muster fetch, so there is no command to run "
                         "again");
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
                                      "the record does not keep passwords and the like, so its "
                                      "command cannot be run again; use muster fetch --confirm");
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
