/* SPDX-License-Identifier: MIT */
#include "setting_value.h"

#include "quantity.h"
#include <base/error.h>
#include <base/mem.h>

int value_refuse(struct muster_error *error, struct muster_str value, const char *accepted)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%.*s\" is not %s",
                STR_ARGS(value), accepted);
}

int value_text(char **to, struct muster_str value, struct muster_error *error)
{
        char *text = mem_strndup(value.at, value.len);

        if (!text)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        mem_free(*to);
        *to = text;
        return 0;
}

int value_duration(uint64_t *to, struct muster_str value, struct muster_error *error)
{
        return quantity_duration(value, to)
                       ? 0
                       : value_refuse(error, value, "a duration: 250us, 80ms, 1.5s, 2m");
}

int value_spread(struct spread *to, struct muster_str value, struct muster_error *error)
{
        return spread_parse(value, to) ? 0
                                       : value_refuse(error, value, "one of these: " SPREAD_FORMS);
}

int value_count(unsigned *to, struct muster_str value, uint64_t min, struct muster_error *error)
{
        uint64_t count;

        if (!quantity_count(value, min, 1000000, &count))
                return value_refuse(error, value,
                        min ? "a number from 1 to 1000000" : "a number from 0 to 1000000");
        *to = (unsigned)count;
        return 0;
}

int value_number(double *to, struct muster_str value, struct muster_error *error)
{
        return quantity_number(value, to)
                       ? 0
                       : value_refuse(error, value, "a number of 0 or more, such as 0.01");
}

int value_address(struct net_address *address, uint16_t *port, struct muster_str value,
        struct muster_error *error)
{
        const char *colon = value.len ? memrchr(value.at, ':', value.len) : NULL;
        struct muster_str host = { value.at, colon ? (size_t)(colon - value.at) : 0 };
        struct muster_str digits = { value.at + host.len + (colon ? 1 : 0),
                value.len - host.len - (colon ? 1 : 0) };
        uint64_t number;

        if (!quantity_count(digits, 0, 65535, &number) || (colon && !address_parse(host, address)))
                return value_refuse(error, value,
                        "PORT, ADDRESS:PORT or [ADDRESS]:PORT; port 0 is a free one");
        *port = (uint16_t)number;
        return 0;
}
