/* SPDX-License-Identifier: MIT */
#include "invocation.h"

#include "../fetch/options.h"
#include <base/error.h>
#include <base/mem.h>

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

/* --- taking apart: by the table of options, with this as what sets each ---------------------- */

static int collect_word(void *settings, const struct option *option, const char *value,
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
                        collecting[n++].set = collect_word;
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
        r = option_parse(tables, invocation, argc, argv, collect_word, error);
        mem_free(table);
        if (r == OPTION_HELP)
                r = error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--help cannot be part of a repeated command");
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

/* --- looking and changing -------------------------------------------------------------------- */

static bool is_about(const struct invocation_word *word, const char *name)
{
        return name && word->name ? strcmp(word->name, name) == 0 : word->name == name;
}

static const struct invocation_word *find_word(const struct invocation *invocation,
        const char *name)
{
        for (size_t i = invocation->n; i-- > 0;)
                if (is_about(&invocation->words[i], name))
                        return &invocation->words[i];
        return NULL;
}

bool invocation_has(const struct invocation *invocation, const char *name)
{
        return find_word(invocation, name);
}

const char *invocation_value(const struct invocation *invocation, const char *name)
{
        const struct invocation_word *word = find_word(invocation, name);

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
static int replace_options(struct invocation *invocation, const struct invocation *change,
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

/*
 * The words of a remedy; those that are to be left away are, at once. What is left is in `words`.
 */
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
                r = replace_options(invocation, &change, error);
        invocation_deinit(&change);
        mem_free(text);
        return r;
}

/* --- putting together ------------------------------------------------------------------------ */

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
