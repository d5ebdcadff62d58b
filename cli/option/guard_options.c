/* SPDX-License-Identifier: MIT */
#include "guard_options.h"

#include <base/mem.h>
#include <stddef.h>
#include <stdio.h>

static int set_listed(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        return texts_add((struct texts *)(void *)((char *)settings + option->offset), value, error);
}

#define CLIENT(member) offsetof(struct request_options, client.member)
#define OWN(member)    offsetof(struct request_options, member)

const struct option guard_option_table[] = {
        { "What may be reached", 0, "deny-private", NULL,
                "connect to no address but those of the internet", option_set_flag,
                CLIENT(deny_private) },
        { NULL, 0, "allow-host", "HOST",
                "a name and all beneath, an address or 10.0.0.0/8: an exception, or alone the only one",
                set_listed, OWN(allow_hosts) },
        { NULL, 0, "allow-port", "PORT[-PORT]", "the only port that URLs may have; repeatable",
                set_listed, OWN(allow_ports) },
        { NULL, 0, "untrusted-input", NULL,
                "a stranger wrote the list: --deny-private, ports 80 and 443, GET and HEAD only",
                option_set_flag, OWN(input.is_untrusted) },
        { 0 },
};

void guard_options_finish(struct request_options *options)
{
        static const char *const usual_ports[] = { "80", "443", NULL };
        struct muster_client_options *client = &options->client;

        client->allow_hosts = options->allow_hosts.list;
        client->allow_ports = options->allow_ports.list;
        if (!options->input.is_untrusted)
                return;
        client->deny_private = true;
        if (!client->allow_ports)
                client->allow_ports = usual_ports;
}

void guard_options_warn(const struct request_options *options)
{
        if (options->input.is_untrusted && (options->login.user || options->login.bearer))
                fprintf(stderr,
                        "muster: WARNING: --untrusted-input with %s: every host in the list gets the %s; --netrc-file keeps each for its host\n",
                        options->login.bearer ? "--oauth2-bearer" : "-u",
                        options->login.bearer ? "token" : "password");
}

void guard_options_deinit(struct request_options *options)
{
        mem_free(options->allow_hosts.list);
        mem_free(options->allow_ports.list);
}
