/* SPDX-License-Identifier: MIT */
#include "option.h"

#include "curl_options.h"
#include <base/error.h>
#include <base/str.h>
#include <string.h>

#define HELP_COLUMN     34
#define ABBREVIATED_MIN 3 /* letters: fewer begin too many names */

/* --- finding --------------------------------------------------------------------------------- */

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

/* Two slips of the finger in a name that is long enough to be known by the rest. */
static unsigned slips_allowed(struct muster_str name)
{
        return name.len < 6 ? 1 : 2;
}

static bool is_beginning(struct muster_str name, const struct option *option)
{
        return name.len >= ABBREVIATED_MIN && strncmp(option->name, name.at, name.len) == 0;
}

static const struct option *find_nearest(const struct option *const *tables, struct muster_str name)
{
        const struct option *nearest = NULL;
        unsigned least = slips_allowed(name) + 1;

        for (; *tables; tables++)
                for (const struct option *option = *tables; option->name; option++) {
                        unsigned d = str_distance(name, str_of(option->name));

                        if (d < least || (!nearest && is_beginning(name, option))) {
                                least = d < least ? d : least;
                                nearest = option;
                        }
                }
        return nearest;
}

/* What stands for it here; NULL: nothing is known, or it would not be true of this command. */
static const char *advice_of(const struct option *const *tables, const struct curl_option *other)
{
        return other && find_name(tables, str_of(other->needs)) ? other->advice : NULL;
}

static int unknown_letter(const struct option *const *tables, char letter,
        struct muster_error *error)
{
        const struct curl_option *other = curl_option_of_letter(letter);
        const char *advice = advice_of(tables, other);

        if (advice)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "unknown option -%c (--%s): %s", letter, other->name, advice);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "unknown option -%c; --help lists all options", letter);
}

static int unknown(const struct option *const *tables, struct muster_str name,
        struct muster_error *error)
{
        const char *advice = advice_of(tables, curl_option_of_name(name));
        const struct option *nearest = find_nearest(tables, name);

        if (advice)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "unknown option --%.*s: %s", STR_ARGS(name), advice);
        if (nearest)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "unknown option --%.*s; did you mean --%s?", STR_ARGS(name), nearest->name);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "unknown option --%.*s; --help lists all options", STR_ARGS(name));
}

/* --- parsing --------------------------------------------------------------------------------- */

struct parser {
        const struct option *const *tables;
        void *settings;
        int argc, at;
        char **argv;
        struct muster_error *error;
};

static int set_option(struct parser *parser, const struct option *option, const char *value)
{
        struct muster_error why = { 0 };
        int r = option->set(parser->settings, option, value, &why);

        if (r == 0)
                return 0;
        /*
         * Whatever else is wrong with a value, it is the caller's: a file that is not there, too.
         */
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
                        "--%s takes no value, but got \"%s\"", option->name, value);
        if (option->argument && !value) {
                if (parser->at + 1 >= parser->argc)
                        return error_set(parser->error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "--%s needs a value: %s (%s)", option->name, option->argument,
                                option->help);
                value = parser->argv[++parser->at];
        }
        return set_option(parser, option, value);
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
                        return unknown_letter(parser->tables, *at, parser->error);
                if (option->argument)
                        return set_with(parser, option, at[1] ? at + 1 : NULL);
                r = set_option(parser, option, NULL);
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

/* --- help ------------------------------------------------------------------------------------ */

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
