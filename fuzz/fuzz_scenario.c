/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a scenario of the lab: it is refused with the line and the reason, or it can be
 * served, and says the same whenever it is read
 */
#include "fuzz.h"

#include <base/mem.h>
#include <lab/scenario.h>
#include <string.h>

static int apply(struct muster_str text, struct lab_config *config, struct muster_error *error)
{
        int r;

        FUZZ_CHECK(config_init(config) == 0);
        r = scenario_parse("s", text, config, error);
        FUZZ_CHECK(r == (int)error->code);
        FUZZ_CHECK(r == 0 || strncmp(error->text, "s:", 2) == 0);
        return r;
}

static bool is_share(double value)
{
        return value >= 0 && value <= 1;
}

static void check_listener(const struct listener_config *listener)
{
        FUZZ_CHECK(listener->name && listener->name[0]);
        FUZZ_CHECK(listener->address.family);
        FUZZ_CHECK(is_share(listener->error_share) && is_share(listener->h2.refuse_share));
        FUZZ_CHECK(listener->rate_per_s >= 0 && listener->burst >= 0);
        FUZZ_CHECK(listener->coherency >= 0 && listener->contention >= 0);
        FUZZ_CHECK(listener->n_aliases <= ALIASES_MAX);
        for (unsigned i = 0; i < listener->n_aliases; i++)
                FUZZ_CHECK(listener->aliases[i].path && listener->aliases[i].target);
}

static void check_config(const struct lab_config *config)
{
        struct muster_error error = { 0 };
        int r = config_check(config, &error);

        FUZZ_CHECK(r == (int)error.code && (r == 0 || error.text[0]));
        FUZZ_CHECK(config->n_listeners >= 1 && config->n_listeners <= LISTENERS_MAX);
        for (unsigned i = 0; i < config->n_listeners; i++)
                check_listener(&config->listeners[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct muster_str text = { (const char *)data, size };
        struct muster_error error = { 0 }, error_again = { 0 };
        static struct lab_config config, again;
        int r = apply(text, &config, &error);

        FUZZ_CHECK(apply(text, &again, &error_again) == r);
        FUZZ_CHECK(strcmp(error.text, error_again.text) == 0);
        FUZZ_CHECK(again.n_listeners == config.n_listeners && again.seed == config.seed);
        if (r == 0)
                check_config(&config);
        config_deinit(&config);
        config_deinit(&config);
        config_deinit(&again);
        return 0;
}
