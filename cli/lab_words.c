/* SPDX-License-Identifier: MIT */
#include "lab_words.h"

#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <stdlib.h>

#define WORD_MAX 200

/* --- ports and addresses ------------------------------------------------------------------------------------------ */

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

void words_settle_link(struct lab_config *config)
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

void words_settle(struct lab_config *config, const struct lab *lab)
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

void words_url(const struct listener_config *listener, char *text, size_t size)
{
        uint16_t usual = listener->has_tls ? 443 : 80;
        char where[ADDRESS_TEXT_MAX];

        print_address(&listener->address, listener->port, where, sizeof(where));
        if (listener->port == usual)
                *strrchr(where, ':') = '\0';
        snprintf(text, size, "%s://%s", listener->has_tls ? "https" : "http", where);
}

void words_dns(const struct lab_config *config, char *text, size_t size)
{
        print_address(&config->dns_address, config->dns_port, text, size);
}

/* --- words -------------------------------------------------------------------------------------------------------- */

/*
 * What a word stands for. Beside names of listeners: "lab:port" is the port of the one called lab, for URLs with a host name of
 * one's own.
 */
static bool look_up(const struct lab_config *config, const char *ca_file, struct muster_str word,
                    char *text)
{
        struct muster_str part = word, name;

        if (str_is(word, "dns") && config->has_names) {
                words_dns(config, text, WORD_MAX);
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
                        words_url(listener, text, WORD_MAX);
                else
                        snprintf(text, WORD_MAX, "%u", listener->port);
                return !part.len || str_is(part, "port");
        }
        return false;
}

/* Braces that hold something else than a word, as JSON's do, stay as they are. */
static bool is_word(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++) {
                char c = char_lower(text.at[i]);

                if (!(c >= 'a' && c <= 'z') && !char_is_digit(c) && c != '-' && c != '_' &&
                    c != ':')
                        return false;
        }
        return text.len > 0;
}

static int refuse(const struct lab_config *config, struct muster_str word,
                  struct muster_error *error)
{
        char known[160] = "";
        size_t at = 0;

        for (unsigned i = 0; i < config->n_listeners && at < 100; i++)
                at += (size_t)snprintf(known + at, sizeof(known) - at, "{%.20s} ",
                                       config->listeners[i].name);
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                         "there is no {%.*s}; there are %s{dns} {ca}, and {NAME:port}",
                         STR_ARGS(word), known);
}

static int replace(const struct lab_config *config, const char *ca_file, const char *text,
                   struct buf *to, struct muster_error *error)
{
        int r = 0;

        while (r == 0 && *text) {
                const char *open = strchr(text, '{');
                const char *close = open ? strchr(open, '}') : NULL;
                struct muster_str word = { open + 1, close ? (size_t)(close - open - 1) : 0 };
                char value[WORD_MAX];

                if (!close)
                        return buf_add_text(to, text);
                r = buf_add(to, text, (size_t)(open - text));
                if (r < 0)
                        return r;
                if (!is_word(word)) {
                        r = buf_add_char(to, '{');
                        text = open + 1;
                        continue;
                }
                if (!look_up(config, ca_file, word, value))
                        return refuse(config, word, error);
                r = buf_add_text(to, value);
                text = close + 1;
        }
        return r;
}

char *words_replace(const struct lab_config *config, const char *ca_file, const char *text,
                    struct muster_error *error)
{
        struct buf to = { 0 };
        int r = replace(config, ca_file, text, &to, error);

        if (r == 0)
                r = buf_terminate(&to);
        if (r == 0)
                return to.at;
        buf_deinit(&to);
        if (r == MUSTER_E_RESOURCE)
                error_set_memory(error, MUSTER_PHASE_QUEUE);
        return NULL;
}

/* --- the environment ---------------------------------------------------------------------------------------------- */

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

bool words_export(const struct lab_config *config, const char *ca_file)
{
        char name[100], value[WORD_MAX];
        bool is_good = true;

        for (unsigned i = 0; i < config->n_listeners && is_good; i++) {
                variable_name(config->listeners[i].name, name, sizeof(name));
                words_url(&config->listeners[i], value, sizeof(value));
                is_good = setenv(name, value, 1) == 0;
        }
        if (is_good && config->has_names) {
                words_dns(config, value, sizeof(value));
                is_good = setenv("MUSTER_LAB_DNS", value, 1) == 0;
        }
        if (is_good && ca_file)
                is_good = setenv("MUSTER_LAB_CA", ca_file, 1) == 0;
        return is_good;
}
