/* SPDX-License-Identifier: MIT */
/*
 * Settings of a listener and its connections
 */
#include "setting.h"

#include "quantity.h"
#include "setting_value.h"
#include <base/error.h>

/* It stands in braces in commands, where "dns" and "ca" have a meaning already. */
static bool is_listener_name(const struct lab_config *config, struct muster_str name)
{
        for (size_t i = 0; i < name.len; i++) {
                char c = char_lower(name.at[i]);

                if (!(c >= 'a' && c <= 'z') && !char_is_digit(c) && c != '-' && c != '_')
                        return false;
        }
        for (unsigned i = 0; i < config->n_listeners && config->first_is_named; i++)
                if (str_is(name, config->listeners[i].name))
                        return false;
        return name.len && name.len <= 40 && !str_is(name, "dns") && !str_is(name, "ca");
}

SETTER(listener)
{
        if (!is_listener_name(config, value))
                return value_refuse(error, value,
                        "an unused name of letters, digits, - and _ (dns and ca are reserved)");
        if (config->first_is_named) {
                if (config->n_listeners == LISTENERS_MAX)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "there are %d listeners already, the maximum", LISTENERS_MAX);
                listener = &config->listeners[config->n_listeners];
                *listener = (struct listener_config){ .address = config->listeners[0].address };
                config->n_listeners++;
        }
        config->first_is_named = true;
        return value_text(&listener->name, value, error);
}

SETTER(listen)
{
        (void)config;
        return value_address(&listener->address, &listener->port, value, error);
}

SETTER(tls)
{
        (void)config;
        listener->has_tls = true;
        if (!value.len)
                return 0;
        return tls_fault_parse(value, &listener->tls_fault)
                       ? 0
                       : value_refuse(error, value, "one of these: " TLS_FAULT_NAMES);
}

SETTER(tls_max)
{
        (void)config;
        if (!str_is(value, "1.2") && !str_is(value, "1.3"))
                return value_refuse(error, value, "1.2 or 1.3");
        listener->tls_max_minor = str_is(value, "1.2") ? 2 : 3;
        return 0;
}

SETTER(tls_no_resumption)
{
        UNUSED2(config, error);
        (void)value;
        listener->tls_no_resumption = true;
        return 0;
}

SETTER(tls_handshake_cost)
{
        (void)config;
        return value_duration(&listener->tls_handshake_cost_ns, value, error);
}

SETTER(backlog)
{
        (void)config;
        return value_count(&listener->backlog, value, 1, error);
}

SETTER(accept_interval)
{
        (void)config;
        return value_duration(&listener->accept_interval_ns, value, error);
}

SETTER(max_connections)
{
        struct muster_str rest = value, number;
        uint64_t most;

        (void)config;
        if (!str_split(&rest, ',', &number) || !quantity_count(number, 1, 1000000, &most) ||
                (rest.len && !str_is(rest, "wait") && !str_is(rest, "503") &&
                        !str_is(rest, "close")))
                return value_refuse(error, value,
                        "a number from 1 to 1000000, optionally with wait, 503 or close: 8, 8,503");
        listener->max_connections = (unsigned)most;
        listener->beyond = str_is(rest, "503")     ? BEYOND_503
                           : str_is(rest, "close") ? BEYOND_CLOSED
                                                   : BEYOND_WAITS;
        return 0;
}

SETTER(no_keep_alive)
{
        UNUSED2(config, error);
        (void)value;
        listener->no_keep_alive = true;
        return 0;
}

SETTER(max_requests)
{
        unsigned count = 0;
        int r = value_count(&count, value, 1, error);

        (void)config;
        listener->max_requests = count;
        return r;
}

SETTER(idle_timeout)
{
        (void)config;
        return value_duration(&listener->idle_timeout_ns, value, error);
}

SETTER(no_nodelay)
{
        UNUSED2(config, error);
        (void)value;
        listener->no_nodelay = true;
        return 0;
}

SETTER(no_continue)
{
        UNUSED2(config, error);
        (void)value;
        listener->no_continue = true;
        return 0;
}

SETTER(write_size)
{
        (void)config;
        if (!quantity_size(value, &listener->write_bytes) || !listener->write_bytes)
                return value_refuse(error, value, "a size above 0: 100, 4k");
        return 0;
}

SETTER(connection_rate)
{
        (void)config;
        if (!quantity_size(value, &listener->bytes_per_s) || !listener->bytes_per_s)
                return value_refuse(error, value, "a size above 0, of each second: 400k, 1M");
        return 0;
}

/* Whether the kernel has it is found out when the listener starts. */
SETTER(congestion_control)
{
        (void)config;
        return value_text(&listener->congestion, value, error);
}
