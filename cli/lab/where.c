/* SPDX-License-Identifier: MIT */
#include "where.h"

#include <base/mem.h>
#include <stdio.h>
#include <stdlib.h>

#define WORD_MAX 200

/* --- ports and addresses --------------------------------------------------------------------- */

static bool is_taken(const struct lab_config *config, uint16_t port)
{
        for (unsigned i = 0; i < config->n_listeners; i++)
                if (config->listeners[i].port == port)
                        return true;
        return false;
}

static uint16_t free_port(const struct lab_config *config, uint16_t wanted)
{
        uint16_t port = wanted;

        for (uint16_t other = 8000; is_taken(config, port); other++)
                port = other;
        return port;
}

void where_settle_link(struct lab_config *config)
{
        struct net_address loopback, lab;

        address_parse(str_of("127.0.0.1"), &loopback);
        address_parse(str_of(LINK_LAB_IPV4), &lab);
        for (unsigned i = 0; i < config->n_listeners; i++) {
                struct listener_config *listener = &config->listeners[i];

                if (address_eq(&listener->address, &loopback))
                        listener->address = lab;
                if (!listener->port)
                        listener->port = free_port(config, listener->has_tls ? 443 : 80);
        }
        if (address_eq(&config->dns_address, &loopback))
                config->dns_address = lab;
        if (!config->dns_port)
                config->dns_port = 53;
}

void where_settle(struct lab_config *config, const struct lab *lab)
{
        for (unsigned i = 0; i < config->n_listeners; i++)
                config->listeners[i].port = lab->listeners[i].port;
        if (config->has_names)
                config->dns_port = dns_server_port(&lab->dns);
}

static void print_address(const struct net_address *address, uint16_t port, char *text, size_t size)
{
        struct sockaddr_storage sockaddr;

        address_to_sockaddr(address, port, &sockaddr);
        address_text((struct sockaddr *)&sockaddr, text, size);
}

void where_url(const struct listener_config *listener, char *text, size_t size)
{
        uint16_t usual = listener->has_tls ? 443 : 80;
        char where[ADDRESS_TEXT_MAX];

        print_address(&listener->address, listener->port, where, sizeof(where));
        if (listener->port == usual)
                *strrchr(where, ':') = '\0';
        snprintf(text, size, "%s://%s", listener->has_tls ? "https" : "http", where);
}

void where_dns(const struct lab_config *config, char *text, size_t size)
{
        print_address(&config->dns_address, config->dns_port, text, size);
}

/* --- words ----------------------------------------------------------------------------------- */

/*
 * What a word stands for. Beside names of listeners: "lab:port" is the port of the one called lab,
 * for URLs with a host name of one's own.
 */
static bool look_up(const struct lab_config *config, const char *ca_file, struct muster_str word,
        char *text)
{
        struct muster_str part = word, name;

        if (str_is(word, "dns") && config->has_names) {
                where_dns(config, text, WORD_MAX);
                return true;
        }
        if (str_is(word, "ca") && ca_file) {
                snprintf(text, WORD_MAX, "%s", ca_file);
                return true;
        }
        str_split(&part, ':', &name);
        for (unsigned i = 0; i < config->n_listeners; i++) {
                const struct listener_config *listener = &config->listeners[i];

                if (!str_is(name, listener->name))
                        continue;
                if (!part.len)
                        where_url(listener, text, WORD_MAX);
                else
                        snprintf(text, WORD_MAX, "%u", listener->port);
                return !part.len || str_is(part, "port");
        }
        return false;
}

/*
 * The word that `open` begins; empty when it is none of ours: braces have many uses, and those of
 * the shell and of curl follow a $ or %.
 */
static struct muster_str word_at(const char *text, const char *open)
{
        const char *close = strchr(open, '}');
        bool is_others = open > text && (open[-1] == '$' || open[-1] == '%');

        return (struct muster_str){ open + 1,
                close && !is_others ? (size_t)(close - open - 1) : 0 };
}

static int fill_in(const struct lab_config *config, const char *ca_file, const char *text,
        struct buf *to)
{
        const char *at = text, *open;
        int r = 0;

        while (r == 0 && (open = strchr(at, '{'))) {
                struct muster_str word = word_at(text, open);
                char value[WORD_MAX];

                r = buf_add(to, at, (size_t)(open - at));
                if (r == 0 && word.len && look_up(config, ca_file, word, value)) {
                        r = buf_add_text(to, value);
                        at = open + word.len + 2;
                } else if (r == 0) {
                        r = buf_add_char(to, '{');
                        at = open + 1;
                }
        }
        return r == 0 ? buf_add_text(to, at) : r;
}

char *where_replace(const struct lab_config *config, const char *ca_file, const char *text)
{
        struct buf to = { 0 };

        if (fill_in(config, ca_file, text, &to) == 0 && buf_terminate(&to) == 0)
                return to.at;
        buf_deinit(&to);
        return NULL;
}

/* --- the environment ------------------------------------------------------------------------- */

static void variable_name(const char *name, char *text, size_t size)
{
        size_t n = (size_t)snprintf(text, size, "MUSTER_LAB_%s", name);

        for (size_t i = 0; i < n && i < size - 1; i++) {
                if (text[i] >= 'a' && text[i] <= 'z')
                        text[i] = (char)(text[i] - 'a' + 'A');
                else if (!(text[i] >= 'A' && text[i] <= 'Z') && !char_is_digit(text[i]))
                        text[i] = '_';
        }
}

bool where_export(const struct lab_config *config, const char *ca_file)
{
        char name[100], value[WORD_MAX];
        bool is_good = true;

        for (unsigned i = 0; i < config->n_listeners && is_good; i++) {
                variable_name(config->listeners[i].name, name, sizeof(name));
                where_url(&config->listeners[i], value, sizeof(value));
                is_good = setenv(name, value, 1) == 0;
        }
        if (is_good && config->has_names) {
                where_dns(config, value, sizeof(value));
                is_good = setenv("MUSTER_LAB_DNS", value, 1) == 0;
        }
        if (is_good && ca_file)
                is_good = setenv("MUSTER_LAB_CA", ca_file, 1) == 0;
        return is_good;
}
