/* SPDX-License-Identifier: MIT */
#include "../command.h"

#include "../option/option.h"
#include "run.h"
#include <base/error.h>
#include <base/mem.h>
#include <lab/scenario.h>
#include <stdio.h>
#include <stdlib.h>

#define OPTIONS_MAX 64

struct settings {
        struct lab_config config;
        bool only_serves;
};

/* --- options: those of this command, and a setting of the lab each --------------------------- */

static int set_scenario(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)option;
        return scenario_read(value, &((struct settings *)settings)->config, error);
}

static int set_setting(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return config_set(&((struct settings *)settings)->config, config_find(str_of(option->name)),
                str_of(value ? value : ""), error);
}

static const struct option own_options[] = {
        { "Scenario", 0, "scenario", "FILE", "read settings from FILE, one per line", set_scenario,
                0 },
        { NULL, 0, "serve", NULL, "only serve, do not run the command of the scenario",
                option_set_flag, offsetof(struct settings, only_serves) },
        { 0 },
};

/* Settings that have a meaning in files only. */
static bool is_of_files(const struct config_setting *setting)
{
        return strcmp(setting->name, "about") == 0 || strcmp(setting->name, "run") == 0 ||
               strcmp(setting->name, "cause") == 0;
}

static void make_setting_options(struct option *options)
{
        size_t n = 0;

        for (const struct config_setting *setting = config_settings; setting->name; setting++)
                if (!is_of_files(setting))
                        options[n++] = (struct option){ setting->group, 0, setting->name,
                                setting->argument, setting->help, set_setting, 0 };
}

static int set_operand(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        (void)settings;
        (void)option;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "\"%s\" is not an option; put a command after --", value);
}

static int help(const struct option *const *tables)
{
        printf("usage: muster lab [options]                 serve until Ctrl-C\n"
               "       muster lab [options] -- COMMAND...   serve while COMMAND runs\n\n"
               "A server with adjustable behaviour, name service and network, for tests, demonstrations and for\n"
               "reproducing trouble. Without options: http (listener lab), https (listener tls) and a name server for\n"
               "*.test, on free ports. In COMMAND, {lab}, {tls}, {dns} and {ca} stand for their addresses and files.\n");
        option_help(tables, stdout);
        printf("\nWith --link, COMMAND runs in its own network namespace, connected to the lab by the described path.\n"
               "The server's page / lists all paths and parameters. See muster-lab(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

/* --- what is there without being asked for --------------------------------------------------- */

/* A second listener like the first, with https. */
static int add_tls_twin(struct lab_config *config)
{
        struct listener_config *plain = &config->listeners[0];
        struct listener_config *twin = &config->listeners[1];

        *twin = *plain;
        twin->name = mem_strdup("tls");
        twin->congestion = plain->congestion ? mem_strdup(plain->congestion) : NULL;
        twin->port = 0;
        twin->has_tls = true;
        twin->n_aliases = 0;
        config->n_listeners = 2;
        for (unsigned i = 0; i < plain->n_aliases; i++, twin->n_aliases++) {
                twin->aliases[i].path = mem_strdup(plain->aliases[i].path);
                twin->aliases[i].target = mem_strdup(plain->aliases[i].target);
                if (!twin->aliases[i].path || !twin->aliases[i].target)
                        return MUSTER_E_RESOURCE;
        }
        return twin->name ? 0 : MUSTER_E_RESOURCE;
}

static int add_defaults(struct lab_config *config, struct muster_error *error)
{
        char spec[80];
        int r = 0;

        if (!config->first_is_named && !config->listeners[0].has_tls)
                r = add_tls_twin(config);
        if (r < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        config->has_names = true;
        snprintf(spec, sizeof(spec), "*.test %s", config->has_link ? LINK_LAB_IPV4 : "127.0.0.1");
        return zone_find(&config->zone, str_of("any.test"))
                       ? 0
                       : zone_add(&config->zone, str_of(spec), error);
}

static int find_command(char **argv, int argc)
{
        for (int i = 0; i < argc; i++)
                if (strcmp(argv[i], "--") == 0)
                        return i;
        return argc;
}

static int check_settings(const struct settings *settings, const struct lab_run *run,
        struct muster_error *error)
{
        int r = config_check(&settings->config, error);

        if (r == 0 && settings->config.has_link && !run->command && !run->shell_text)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--link needs a command to run at its other end: muster lab --link ... -- COMMAND");
        return r;
}

static int parse_arguments(struct settings *settings, struct lab_run *run,
        const struct option *const *tables, int argc, char **argv)
{
        int n = find_command(argv, argc);
        int r = option_parse(tables, settings, n, argv, set_operand, &run->error);

        if (r != 0)
                return r;
        if (n + 1 < argc)
                run->command = argv + n + 1;
        else if (!settings->only_serves)
                run->shell_text = settings->config.run;
        r = add_defaults(&settings->config, &run->error);
        return r == 0 ? check_settings(settings, run, &run->error) : r;
}

int lab_main(int argc, char **argv)
{
        struct option setting_options[OPTIONS_MAX] = { 0 };
        const struct option *const tables[] = { own_options, setting_options, NULL };
        struct settings *settings = mem_zalloc(sizeof(*settings));
        struct lab_run run = { 0 };
        int status, r;

        make_setting_options(setting_options);
        r = settings ? config_init(&settings->config) : MUSTER_E_RESOURCE;
        if (r < 0)
                return EXIT_COULD_NOT_RUN;
        run.config = &settings->config;
        r = parse_arguments(settings, &run, tables, argc, argv);
        if (r == OPTION_HELP) {
                status = help(tables);
        } else if (r < 0) {
                status = error_tell(&run.error);
        } else {
                status = lab_run(&run);
        }
        config_deinit(&settings->config);
        mem_free(settings);
        return status;
}
