/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <base/error.h>
#include <base/mem.h>
#include <base/str.h>
#include <string.h>

/* --- what is secret -------------------------------------------------------------------------- */

static bool is_one_of(const char *name, const char *const *names)
{
        for (; *names; names++)
                if (strcmp(name, *names) == 0)
                        return true;
        return false;
}

/* Is it secret by its name, or because the command says so? */
static bool is_secret_field(struct muster_str name, const struct texts *names)
{
        static const char *const hints[] = { "auth", "cookie", "token", "key", "pass", "secret",
                "session" };

        for (size_t i = 0; i < names->n; i++)
                if (str_is_nocase(name, names->list[i]))
                        return true;
        for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
                for (size_t at = 0; at + strlen(hints[i]) <= name.len; at++)
                        if (str_is_nocase((struct muster_str){ name.at + at, strlen(hints[i]) },
                                    hints[i]))
                                return true;
        return false;
}

/* The user name and password that a URL may have. */
static struct muster_str user_part(const char *url)
{
        const char *host = strstr(url, "://"), *at;

        host = host ? host + strlen("://") : url;
        at = memrchr(host, '@', strcspn(host, "/?#"));
        return (struct muster_str){ host, at ? (size_t)(at - host) : 0 };
}

/* What stands behind the first `n` characters. */
static struct muster_str behind(const char *value, size_t n)
{
        return str_of(value + n);
}

static struct muster_str secret_of_field(const char *line, const struct texts *names)
{
        size_t name_len = strcspn(line, ":;");

        if (line[0] == '@' || line[name_len] != ':' ||
                !is_secret_field((struct muster_str){ line, name_len }, names))
                return (struct muster_str){ 0 };
        return behind(line, name_len + 1);
}

bool secret_is_of_url(const char *option_name)
{
        return !option_name || strcmp(option_name, "url") == 0 ||
               strcmp(option_name, "proxy") == 0 || strncmp(option_name, "socks", 5) == 0;
}

struct muster_str secret_in(const char *option_name, const char *value, const struct texts *names)
{
        static const char *const logins[] = { "user", "proxy-user", NULL };
        static const char *const fields[] = { "header", "proxy-header", NULL };

        if (secret_is_of_url(option_name))
                return user_part(value);
        if (strcmp(option_name, "oauth2-bearer") == 0)
                return str_of(value);
        if (is_one_of(option_name, logins)) { /* USER:PASSWORD */
                size_t user_len = strcspn(value, ":");

                return behind(value, user_len + (value[user_len] == ':'));
        }
        if (body_option_has_body(option_name))
                return body_option_is_file(option_name, value) ? (struct muster_str){ 0 }
                                                               : str_of(value);
        if (strcmp(option_name, "cookie") == 0) /* a file, or cookies */
                return value[0] == '@' || !strchr(value, '=') ? (struct muster_str){ 0 }
                                                              : str_of(value);
        if (is_one_of(option_name, fields))
                return secret_of_field(value, names);
        return (struct muster_str){ 0 };
}

/* --- out of sight ---------------------------------------------------------------------------- */

static int note_name(void *names, const struct option *option, const char *value,
        struct muster_error *error)
{
        if (!option || strcmp(option->name, "secret-header") != 0)
                return 0;
        return texts_add(names, value, error);
}

/* The value is one of the process's own arguments, or the end of one. */
static int hide(void *names, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct muster_str secret = { 0 };

        (void)error;
        if (value && option && login_is_secret(option->name))
                secret = str_of(value); /* and so is the user's name, as with curl */
        else if (value)
                secret = secret_in(option ? option->name : NULL, value, names);
        if (secret.len)
                memset((char *)(uintptr_t)secret.at, ' ', secret.len);
        return 0;
}

static size_t count_options(const struct option *const *tables)
{
        size_t n = 0;

        for (; *tables; tables++)
                for (const struct option *option = *tables; option->name; option++)
                        n++;
        return n;
}

/* The tables as one, in which the same is done for each option. NULL: memory is out. */
static struct option *table_that(option_set does, const struct option *const *tables)
{
        struct option *table = mem_array(count_options(tables) + 1, sizeof(*table));
        size_t n = 0;

        for (; table && *tables; tables++)
                for (const struct option *option = *tables; option->name; option++) {
                        table[n] = *option;
                        table[n++].set = does;
                }
        return table;
}

/* What is wrong with the arguments is said when they are read. */
static int for_each(option_set does, struct texts *names, const struct option *const *tables,
        const struct arguments *arguments, struct muster_error *error)
{
        struct option *table = table_that(does, tables);
        const struct option *const all[] = { table, NULL };
        struct muster_error ignored = { 0 };

        if (!table)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        (void)option_parse(all, names, arguments->argc, arguments->argv, does, &ignored);
        mem_free(table);
        return ignored.code == MUSTER_E_RESOURCE ? error_set_memory(error, MUSTER_PHASE_QUEUE) : 0;
}

static int copy_arguments(struct arguments *arguments, int argc, char **argv,
        struct muster_error *error)
{
        size_t n_bytes = 0;
        char *at;

        for (int i = 0; i < argc; i++)
                n_bytes += strlen(argv[i]) + 1;
        arguments->argv = mem_alloc(((size_t)argc + 1) * sizeof(*argv) + n_bytes);
        if (!arguments->argv)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        arguments->argc = argc;
        at = (char *)(arguments->argv + argc + 1);
        for (int i = 0; i < argc; i++) {
                arguments->argv[i] = at;
                at = stpcpy(at, argv[i]) + 1;
        }
        arguments->argv[argc] = NULL;
        return 0;
}

int arguments_take(struct arguments *arguments, const struct option *const *tables, int argc,
        char **argv, struct muster_error *error)
{
        const struct arguments seen = { argc, argv };
        struct texts names = { 0 };
        int r = copy_arguments(arguments, argc, argv, error);

        if (r == 0)
                r = for_each(note_name, &names, tables, arguments, error);
        if (r == 0)
                r = for_each(hide, &names, tables, &seen, error);
        mem_free(names.list);
        return r;
}

void arguments_deinit(struct arguments *arguments)
{
        for (int i = 0; i < arguments->argc; i++)
                explicit_bzero(arguments->argv[i], strlen(arguments->argv[i]));
        mem_free(arguments->argv);
        *arguments = (struct arguments){ 0 };
}
