/* SPDX-License-Identifier: MIT */
#include "resolv_conf.h"

#include "address.h"
#include <stdio.h>

#define SERVERS_SHOWN 3 /* as many as the C library asks */
#define LABEL_MAX     63
#define DOMAIN_MAX    253

/* The address in a line "nameserver ADDRESS"; at NULL: it is another one. */
static struct muster_str server_of(struct muster_str line)
{
        struct muster_str none = { 0 }, server;
        struct net_address address;

        if (!str_starts(line, "nameserver"))
                return none;
        server = (struct muster_str){ line.at + strlen("nameserver"),
                                      line.len - strlen("nameserver") };
        if (!server.len || (server.at[0] != ' ' && server.at[0] != '\t'))
                return none;
        server = str_trim(server);
        for (size_t i = 0; i < server.len; i++)
                if (server.at[i] == ' ' || server.at[i] == '\t')
                        server.len = i;
        return address_parse(server, &address) ? server : none;
}

void resolv_conf_describe(const char *path, char *text, size_t size)
{
        FILE *file = fopen(path, "re");
        char line[512];
        size_t at = 0;
        unsigned n = 0;

        while (file && n < SERVERS_SHOWN && fgets(line, sizeof(line), file)) {
                struct muster_str whole = { line, strcspn(line, "\r\n#;") };
                struct muster_str server = server_of(whole);

                if (!server.at || at + server.len + 3 >= size)
                        continue;
                at += (size_t)snprintf(text + at, size - at, "%s%.*s", n++ ? ", " : "",
                                       STR_ARGS(server));
        }
        if (n)
                snprintf(text + at, size - at, " (%s)", path);
        else
                snprintf(text, size, "127.0.0.1 because %s %s", path,
                         file ? "names none" : "cannot be read");
        if (file)
                fclose(file);
}

bool resolv_conf_is_domain(const char *domain)
{
        struct muster_str rest = str_of(domain), label;

        if (rest.len && rest.at[rest.len - 1] == '.')
                rest.len--;
        if (!rest.len || rest.len > DOMAIN_MAX || rest.at[rest.len - 1] == '.')
                return false;
        while (str_split(&rest, '.', &label))
                if (!label.len || label.len > LABEL_MAX)
                        return false;
        return true;
}
