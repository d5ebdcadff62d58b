/* SPDX-License-Identifier: MIT */
#include "resolv_conf.h"

#include "address.h"
#include <stdio.h>
#include <stdlib.h>

#define SERVERS_SHOWN 3 /* as many as the C library asks */
#define LABEL_MAX     63
#define DOMAIN_MAX    253

/*
 * The text behind the keyword that begins a line; `at` is NULL if the line begins with another
 * word.
 */
static struct muster_str value_of(struct muster_str line, const char *keyword)
{
        size_t len = strlen(keyword);

        if (!str_starts(line, keyword) || line.len == len ||
                (line.at[len] != ' ' && line.at[len] != '\t'))
                return (struct muster_str){ 0 };
        return str_trim(str_after(line, len));
}

static struct muster_str first_word(struct muster_str text)
{
        for (size_t i = 0; i < text.len; i++)
                if (text.at[i] == ' ' || text.at[i] == '\t')
                        text.len = i;
        return text;
}

/* The address of a line "nameserver ADDRESS"; `at` is NULL for any other line. */
static struct muster_str server_of(struct muster_str line)
{
        struct muster_str server = first_word(value_of(line, "nameserver"));
        struct net_address address;

        return server.at && address_parse(server, &address) ? server : (struct muster_str){ 0 };
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

void resolv_conf_search(const char *path, char text[RESOLV_CONF_SEARCH_MAX])
{
        const char *local = getenv("LOCALDOMAIN");
        char line[RESOLV_CONF_SEARCH_MAX];
        FILE *file = local ? NULL : fopen(path, "re");

        snprintf(text, RESOLV_CONF_SEARCH_MAX, "%s", local ? local : "");
        while (file && fgets(line, sizeof(line), file)) {
                struct muster_str whole = { line, strcspn(line, "\r\n#;") };
                struct muster_str domains = value_of(whole, "search");

                if (!domains.at)
                        domains = first_word(value_of(whole, "domain"));
                if (domains.at)
                        snprintf(text, RESOLV_CONF_SEARCH_MAX, "%.*s", STR_ARGS(domains));
        }
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
