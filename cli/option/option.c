/* SPDX-License-Identifier: MIT */
#include "option.h"

#include <base/error.h>
#include <base/str.h>

#define HELP_COLUMN 34

/* --- finding ------------------------------------------------------------------------------------------------------ */

static const struct option *find_name(const struct option *const *tables, struct muster_str name)
{
        for (; *tables; tables++)
                for (const struct option *option = *tables; option->name; option++)
                        if (str_is(name, option->name))
                                return option;
        return NULL;
}

static const struct option *find_letter(const struct option *const *tables, char letter)
{
        for (; *tables; tables++)
                for (const struct option *option = *tables; option->name; option++)
                        if (option->letter == letter)
                                return option;
        return NULL;
}

static const struct option *find_nearest(const struct option *const *tables, struct muster_str name)
{
        const struct option *nearest = NULL;
        unsigned least = 4;

        for (; *tables; tables++)
                for (const struct option *option = *tables; option->name; option++) {
                        unsigned d = str_distance(name, str_of(option->name));

                        if (d < least) {
                                least = d;
                                nearest = option;
                        }
                }
        return nearest;
}

static int unknown(const struct option *const *tables, struct muster_str name,
                   struct muster_error *error)
{
        const struct option *nearest = find_nearest(tables, name);

        if (nearest)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                 "unknown option --%.*s; did you mean --%s?", STR_ARGS(name),
                                 nearest->name);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                         "unknown option --%.*s; --help lists all", STR_ARGS(name));
}

/* --- parsing ------------------------------------------------------------------------------------------------------ */

struct parser {
        const struct option *const *tables;
        void *settings;
        int argc, at;
        char **argv;
        struct muster_error *error;
};

static int set(struct parser *parser, const struct option *option, const char *value)
{
        struct muster_error why = { 0 };
        int r = option->set(parser->settings, option, value, &why);

        if (r == 0)
                return 0;
        /* Whatever else is wrong with a value, it is the caller's: a file that is not there, too. */
        if (r != MUSTER_E_RESOURCE)
                r = MUSTER_E_INVALID;
        return error_set(parser->error, r, MUSTER_PHASE_QUEUE, 0, "--%s: %s", option->name,
                         why.text);
}

/* With the value at hand, or the next argument where one is needed. */
static int set_with(struct parser *parser, const struct option *option, const char *value)
{
        if (!option->argument && value)
                return error_set(parser->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                 "--%s takes no value, but \"%s\" was given", option->name, value);
        if (option->argument && !value) {
                if (parser->at + 1 >= parser->argc)
                        return error_set(parser->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                         "--%s needs a value: %s", option->name, option->argument);
                value = parser->argv[++parser->at];
        }
        return set(parser, option, value);
}

static int parse_long(struct parser *parser, const char *argument)
{
        struct muster_str rest = str_of(argument + 2), name;
        const struct option *option;

        str_split(&rest, '=', &name);
        if (str_is(name, "help"))
                return OPTION_HELP;
        option = find_name(parser->tables, name);
        return option ? set_with(parser, option, rest.at)
                      : unknown(parser->tables, name, parser->error);
}

/* "-k", "-c64", "-c 64", "-skc64". */
static int parse_letters(struct parser *parser, const char *argument)
{
        int r = 0;

        for (const char *at = argument + 1; *at && r == 0; at++) {
                const struct option *option = find_letter(parser->tables, *at);

                if (*at == 'h')
                        return OPTION_HELP;
                if (!option)
                        return error_set(parser->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                         "unknown option -%c; --help lists all", *at);
                if (option->argument)
                        return set_with(parser, option, at[1] ? at + 1 : NULL);
                r = set(parser, option, NULL);
        }
        return r;
}

int option_parse(const struct option *const *tables, void *settings, int argc, char **argv,
                 option_set operand, struct muster_error *error)
{
        struct parser parser = { tables, settings, argc, 0, argv, error };
        bool is_over = false;
        int r = 0;

        for (; parser.at < argc && r == 0; parser.at++) {
                const char *argument = argv[parser.at];

                if (is_over || argument[0] != '-' || !argument[1])
                        r = operand(settings, NULL, argument, error);
                else if (strcmp(argument, "--") == 0)
                        is_over = true;
                else if (argument[1] == '-')
                        r = parse_long(&parser, argument);
                else
                        r = parse_letters(&parser, argument);
        }
        return r;
}

/* --- help --------------------------------------------------------------------------------------------------------- */

static void help_one(const struct option *option, FILE *to)
{
        int n = fprintf(to, option->letter ? "  -%c, " : "      ", option->letter);

        n += fprintf(to, "--%s%s%s", option->name, option->argument ? " " : "",
                     option->argument ? option->argument : "");
        fprintf(to, "%*s%s\n", n < HELP_COLUMN ? HELP_COLUMN - n : 1, "", option->help);
}

void option_help(const struct option *const *tables, FILE *to)
{
        const char *group = "";

        for (; *tables; tables++)
                for (const struct option *option = *tables; option->name; option++) {
                        if (option->group && strcmp(option->group, group) != 0)
                                fprintf(to, "\n%s:\n", group = option->group);
                        help_one(option, to);
                }
}
