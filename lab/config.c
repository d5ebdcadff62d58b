/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "quantity.h"
#include "route.h"
#include <base/error.h>
#include <base/mem.h>

/* --- setters --------------------------------------------------------------------------------- */

/* Every setter has these; many use but one of the first two. */
#define SETTER(name)                                                                               \
        static int setting_##name(struct lab_config *config, struct listener_config *listener,     \
                struct muster_str value, struct muster_error *error)

#define UNUSED2(a, b) ((void)(a), (void)(b))

static int value_refuse(struct muster_error *error, struct muster_str value, const char *accepted)
{
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0, "\"%.*s\" is not %s",
                STR_ARGS(value), accepted);
}

static int value_text(char **to, struct muster_str value, struct muster_error *error)
{
        char *text = mem_strndup(value.at, value.len);

        if (!text)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        mem_free(*to);
        *to = text;
        return 0;
}

static int value_duration(uint64_t *to, struct muster_str value, struct muster_error *error)
{
        return quantity_duration(value, to)
                       ? 0
                       : value_refuse(error, value, "a duration: 250us, 80ms, 1.5s, 2m");
}

static int value_spread(struct spread *to, struct muster_str value, struct muster_error *error)
{
        return spread_parse(value, to) ? 0
                                       : value_refuse(error, value, "one of these: " SPREAD_FORMS);
}

static int value_count(unsigned *to, struct muster_str value, uint64_t min,
        struct muster_error *error)
{
        uint64_t count;

        if (!quantity_count(value, min, 1000000, &count))
                return value_refuse(error, value,
                        min ? "a number from 1 to 1000000" : "a number from 0 to 1000000");
        *to = (unsigned)count;
        return 0;
}

/* "8080", "127.0.0.1:8080", "[::1]:8080" */
static int value_address(struct net_address *address, uint16_t *port, struct muster_str value,
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
                        "a name of letters, digits, - and _ that no other listener has (dns and ca are taken)");
        if (config->first_is_named) {
                if (config->n_listeners == LISTENERS_MAX)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "there are %d listeners already, no more are allowed",
                                LISTENERS_MAX);
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

SETTER(write_size)
{
        (void)config;
        if (!quantity_size(value, &listener->write_bytes) || !listener->write_bytes)
                return value_refuse(error, value, "a size above 0: 100, 4k");
        return 0;
}

/* Whether the kernel has it is found out when the listener starts. */
SETTER(congestion_control)
{
        (void)config;
        return value_text(&listener->congestion, value, error);
}

SETTER(delay)
{
        (void)config;
        return value_spread(&listener->delay, value, error);
}

SETTER(error_share)
{
        (void)config;
        return quantity_share(value, &listener->error_share)
                       ? 0
                       : value_refuse(error, value, "a share: 5% or 0.05");
}

SETTER(rate_limit)
{
        struct muster_str rest = value, rate;

        (void)config;
        listener->burst = 1;
        if (!str_split(&rest, ',', &rate) || !quantity_rate(rate, &listener->rate_per_s) ||
                (rest.len && (!quantity_number(rest, &listener->burst) || listener->burst < 1)))
                return value_refuse(error, value,
                        "a rate, perhaps with a burst: 100/s, 30/m, 100/s,20");
        return 0;
}

SETTER(limit_answer)
{
        struct muster_str rest = value, status;

        (void)config;
        if (!str_split(&rest, ',', &status) || (rest.len && !str_is(rest, "silent")) ||
                (!str_is(status, "429") && !str_is(status, "503")))
                return value_refuse(error, value,
                        "429 or 503, perhaps without Retry-After: 429, 503,silent");
        listener->limit_status = str_is(status, "503") ? 503 : 429;
        listener->limit_is_silent = rest.len != 0;
        return 0;
}

SETTER(workers)
{
        (void)config;
        return value_count(&listener->workers, value, 1, error);
}

SETTER(service_time)
{
        (void)config;
        return value_spread(&listener->service, value, error);
}

/* Another shape for the same mean. */
SETTER(service_dist)
{
        struct spread *service = &listener->service;
        uint64_t mean_ns = spread_mean_ns(service);

        (void)config;
        if (!mean_ns)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "service-time must stand before it");
        if (str_is(value, "fixed"))
                *service = (struct spread){ .a_ns = mean_ns };
        else if (str_is(value, "exp"))
                *service = (struct spread){ .kind = SPREAD_EXPONENTIAL, .a_ns = mean_ns };
        else if (str_is(value, "uniform"))
                *service = (struct spread){ .kind = SPREAD_UNIFORM, .b_ns = 2 * mean_ns };
        else
                return value_refuse(error, value,
                        "one of these: fixed, exp, uniform (and --service-time stands before it); or write the time as one of these: " SPREAD_FORMS);
        return 0;
}

static int value_number(double *to, struct muster_str value, struct muster_error *error)
{
        return quantity_number(value, to)
                       ? 0
                       : value_refuse(error, value, "a number from 0 on, such as 0.01");
}

SETTER(coherency)
{
        (void)config;
        return value_number(&listener->coherency, value, error);
}

SETTER(contention)
{
        (void)config;
        return value_number(&listener->contention, value, error);
}

SETTER(queue)
{
        (void)config;
        listener->has_queue = true;
        return value_count(&listener->queue, value, 0, error);
}

SETTER(refuse)
{
        (void)config;
        if (!str_is(value, "503") && !str_is(value, "close"))
                return value_refuse(error, value, "503 or close");
        listener->refusal = str_is(value, "503") ? REFUSE_503 : REFUSE_CLOSE;
        return 0;
}

static bool cut_alias(struct muster_str value, struct muster_str *ret_path,
        struct muster_str *ret_target)
{
        size_t at = 0;

        while (at < value.len && value.at[at] != '=' && value.at[at] != ' ')
                at++;
        *ret_path = (struct muster_str){ value.at, at };
        while (at < value.len && (value.at[at] == '=' || value.at[at] == ' '))
                at++;
        *ret_target = (struct muster_str){ value.at + at, value.len - at };
        return ret_path->len && ret_path->at[0] == '/' && ret_target->len &&
               ret_target->at[0] == '/';
}

/* "/api=/bytes/10k?delay=5ms", or with a blank. */
SETTER(route)
{
        struct alias *alias = &listener->aliases[listener->n_aliases];
        struct muster_str path, target;
        int r;

        (void)config;
        if (listener->n_aliases == ALIASES_MAX)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "there are %d routes already, no more are allowed", ALIASES_MAX);
        if (!cut_alias(value, &path, &target))
                return value_refuse(error, value,
                        "PATH=TARGET, such as /api=/bytes/10k?delay=50ms");
        if (!route_check(target, error))
                return MUSTER_E_INVALID;
        r = value_text(&alias->path, path, error);
        if (r == 0)
                r = value_text(&alias->target, target, error);
        if (r == 0)
                listener->n_aliases++;
        else
                alias->path = mem_free(alias->path);
        return r;
}

/* Clients take no certificate for "*.test": there must be two labels behind the star. */
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

/* --- the table ------------------------------------------------------------------------------- */

const struct config_setting config_settings[] = {
        { "Listeners", "listener", "NAME",
                "what follows is of another listener; the first one is named so",
                setting_listener },
        { NULL, "listen", "[ADDRESS:]PORT", "where it listens; port 0: a free one (127.0.0.1:0)",
                setting_listen },
        { NULL, "tls", "FAULT", "https, with a certificate that is " TLS_FAULT_NAMES, setting_tls },
        { NULL, "tls-max", "VERSION", "no newer TLS than 1.2 or 1.3", setting_tls_max },
        { NULL, "tls-no-resumption", NULL, "each handshake is a full one",
                setting_tls_no_resumption },
        { NULL, "tls-handshake-cost", "TIME",
                "each handshake keeps the server's processor busy this long",
                setting_tls_handshake_cost },
        { "Connections", "backlog", "N",
                "connections that may wait to be accepted; beyond it the kernel drops SYNs",
                setting_backlog },
        { NULL, "accept-interval", "TIME", "accept one connection in this time",
                setting_accept_interval },
        { NULL, "no-keep-alive", NULL, "close each connection after one response",
                setting_no_keep_alive },
        { NULL, "max-requests", "N", "close a connection after so many", setting_max_requests },
        { NULL, "idle-timeout", "TIME", "close a connection that was idle for so long",
                setting_idle_timeout },
        { NULL, "no-nodelay", NULL, "leave Nagle's algorithm on", setting_no_nodelay },
        { NULL, "write-size", "SIZE", "write responses in pieces of this size",
                setting_write_size },
        { NULL, "congestion-control", "NAME", "TCP's, of what the server sends: cubic, reno, bbr",
                setting_congestion_control },
        { "Requests", "delay", "SPREAD", "before each response: " SPREAD_FORMS, setting_delay },
        { NULL, "error-share", "SHARE", "so many of the requests are answered 500: 5%",
                setting_error_share },
        { NULL, "rate-limit", "RATE[,BURST]", "above it the answer is 429 with Retry-After: 100/s",
                setting_rate_limit },
        { NULL, "limit-answer", "STATUS[,silent]", "429 or 503 for it; silent: without Retry-After",
                setting_limit_answer },
        { NULL, "route", "PATH=TARGET", "a path for a behaviour: /api=/bytes/10k?delay=5ms",
                setting_route },
        { "Capacity", "workers", "N", "so many requests are worked on at once, others wait",
                setting_workers },
        { NULL, "service-time", "SPREAD", "what a worker needs for one", setting_service_time },
        { NULL, "service-dist", "KIND", "shape of that time: fixed, exp, uniform",
                setting_service_dist },
        { NULL, "contention", "X",
                "each further request at work makes a service longer by this share of it",
                setting_contention },
        { NULL, "coherency", "X", "the same for each further request there, at work or waiting",
                setting_coherency },
        { NULL, "queue", "N", "so many may wait; the next is refused", setting_queue },
        { NULL, "refuse", "HOW", "503 (with Retry-After) or close", setting_refuse },
        { "Names", "name", "SPEC",
                "NAME ADDRESS... ttl= delay= loss= servfail nxdomain silent-aaaa ...",
                setting_name },
        { NULL, "dns", "[ADDRESS:]PORT", "where the name server listens (127.0.0.1:0)",
                setting_dns },
        { "Link", "link", "SPEC",
                "rtt=80ms,jitter=5ms,rate=20mbit,loss=1%,queue=100; repeated, for changes: at=5s,loss=10%",
                setting_link },
        { "All", "seed", "N", "of everything that is drawn by lot (1)", setting_seed },
        { NULL, "about", "TEXT", "in a scenario: what it shows", setting_about },
        { NULL, "run", "COMMAND", "in a scenario: the command that shows it", setting_run },
        { NULL, "cause", "NAME", "in a scenario: the cause that muster explain is to find first",
                setting_cause },
        { 0 },
};

const struct config_setting *config_find(struct muster_str name)
{
        for (const struct config_setting *setting = config_settings; setting->name; setting++)
                if (str_is(name, setting->name))
                        return setting;
        return NULL;
}

int config_set(struct lab_config *config, const struct config_setting *setting,
        struct muster_str value, struct muster_error *error)
{
        struct listener_config *listener = &config->listeners[config->n_listeners - 1];

        if (!setting->argument && value.len)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "takes no value, but \"%.*s\" is there", STR_ARGS(value));
        if (setting->argument && !value.len && setting->set != setting_tls)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "needs a value: %s", setting->argument);
        return setting->set(config, listener, value, error);
}

/* --- all of it ------------------------------------------------------------------------------- */

int config_init(struct lab_config *config)
{
        struct listener_config *first = &config->listeners[0];

        *config = (struct lab_config){ .n_listeners = 1, .seed = 1 };

        address_parse(str_of("127.0.0.1"), &first->address);
        config->dns_address = first->address;
        first->name = mem_strdup("lab");
        return first->name ? 0 : MUSTER_E_RESOURCE;
}

void config_deinit(struct lab_config *config)
{
        for (unsigned i = 0; i < config->n_listeners; i++) {
                struct listener_config *listener = &config->listeners[i];

                mem_free(listener->name);
                mem_free(listener->congestion);
                for (unsigned k = 0; k < listener->n_aliases; k++) {
                        mem_free(listener->aliases[k].path);
                        mem_free(listener->aliases[k].target);
                }
        }
        zone_deinit(&config->zone);
        buf_deinit(&config->certificate_names);
        mem_free(config->about);
        mem_free(config->run);
        mem_free(config->cause);
        *config = (struct lab_config){ 0 };
}

int config_check(const struct lab_config *config, struct muster_error *error)
{
        for (unsigned i = 0; i < config->n_listeners; i++) {
                const struct listener_config *listener = &config->listeners[i];

                if (listener->workers && spread_is_zero(&listener->service))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: workers need a service-time", listener->name);
                if (!listener->workers && (listener->contention > 0 || listener->coherency > 0 ||
                                                  listener->refusal != REFUSE_503))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: contention, coherency and refuse need workers",
                                listener->name);
                if (!listener->workers &&
                        (!spread_is_zero(&listener->service) || listener->has_queue))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: service-time and queue need workers", listener->name);
                if (!listener->has_tls && (listener->tls_no_resumption || listener->tls_max_minor ||
                                                  listener->tls_handshake_cost_ns))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "listener %s: the other tls settings need tls", listener->name);
        }
        return 0;
}
