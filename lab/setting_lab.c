/* SPDX-License-Identifier: MIT */
/* Settings of the whole lab: names, link, seed, and the words of a scenario */
#include "setting.h"

#include "setting_value.h"
#include <base/error.h>

/* Clients accept no certificate for "*.test": two labels must follow the star. */
static int certify(struct lab_config *config, struct muster_str name)
{
        struct buf *names = &config->certificate_names;
        const char *dot = name.len > 2 ? memchr(name.at + 2, '.', name.len - 2) : NULL;
        int r;

        if (name.at[0] == '*' && !dot)
                return 0;
        r = buf_add_text(names, names->len ? ",DNS:" : "DNS:");
        if (r == 0)
                r = buf_add_str(names, name);
        return r == 0 ? buf_terminate(names) : r;
}

/* What stands before the others, as zone_add() cuts them. */
static struct muster_str first_word(struct muster_str words)
{
        struct muster_str word = { words.at, 0 };

        while (words.len && strchr(" \t\r\n,", words.at[0])) {
                word.at = ++words.at;
                words.len--;
        }
        while (word.len < words.len && !strchr(" \t\r\n,", word.at[word.len]))
                word.len++;
        return word;
}

SETTER(name)
{
        int r = zone_add(&config->zone, value, error);

        (void)listener;
        config->has_names = true;
        if (r == 0 && certify(config, first_word(value)) < 0)
                r = error_set_memory(error, MUSTER_PHASE_QUEUE);
        return r;
}

SETTER(dns)
{
        (void)listener;
        config->has_names = true;
        return value_address(&config->dns_address, &config->dns_port, value, error);
}

SETTER(link)
{
        (void)listener;
        config->has_link = true;
        return link_spec_parse(&config->link, value, error);
}

SETTER(seed)
{
        (void)listener;
        return str_to_u64(value, &config->seed) ? 0 : value_refuse(error, value, "a number");
}

SETTER(about)
{
        (void)listener;
        return value_text(&config->about, value, error);
}

SETTER(run)
{
        (void)listener;
        return value_text(&config->run, value, error);
}

SETTER(cause)
{
        (void)listener;
        return value_text(&config->cause, value, error);
}
