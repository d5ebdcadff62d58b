/* SPDX-License-Identifier: MIT */
#include "proxied.h"

#include <base/str.h>
#include <explain/judgement.h>
#include <explain/measure/conns.h>
#include <stdio.h>
#include <string.h>

/* Findings about who is at the other end of connections. */
static const struct {
        const char *cause;
        bool is_proxy; /* it is about connecting, and so about the proxy */
} causes[] = {
        { "syn-dropped", true },
        { "slow-connect", true },
        { "server-slow", false },
        { "server-saturated", false },
        { "server-closes", false },
        { "stale-connections", false },
        { "slow-accept", false },
        { "workers-held", false },
        { "connection-limit", false },
        { "cold-start", false },
        { "server-pauses", false },
        { "pause-in-body", false },
};

uint32_t proxied_usual(const struct record *record)
{
        uint32_t proxy = 0;
        size_t n = 0;

        for (size_t i = 0; i < record->n_conns; i++) {
                n += record->conns[i].proxy != 0;
                proxy = record->conns[i].proxy ? record->conns[i].proxy : proxy;
        }
        return (double)n > (double)record->n_conns * MOST_OF_THEM ? proxy : 0;
}

/*
 * In the title, in the place of the first "server": the proxy, or both. "The server's workers" are
 * "the server's (or the proxy's) workers".
 */
static void name_in_title(struct finding *finding, bool is_proxy)
{
        const char word[] = "server";
        const char *at = strstr(finding->title, word), *rest;
        char title[FINDING_TEXT];
        bool is_owner;

        if (!at)
                return;
        rest = at + sizeof(word) - 1;
        is_owner = strncmp(rest, "'s", 2) == 0;
        snprintf(title, sizeof(title), "%.*s%s%s", (int)(at - finding->title), finding->title,
                is_proxy   ? "proxy"
                : is_owner ? "server's (or the proxy's)"
                           : "server (or the proxy in front of it)",
                rest + (is_owner && !is_proxy ? 2 : 0));
        finding_title(finding, "%s", title);
}

void proxied_tell(struct finding *finding, const struct facts *facts)
{
        uint32_t proxy = proxied_usual(facts->record);
        struct muster_str name = origin_key(facts->record, proxy);

        for (size_t i = 0; proxy && i < sizeof(causes) / sizeof(causes[0]); i++) {
                if (strcmp(finding->shown.cause, causes[i].cause) != 0)
                        continue;
                name_in_title(finding, causes[i].is_proxy);
                finding_evidence(finding,
                        causes[i].is_proxy
                                ? "the connections went to the proxy %.*s: it was the proxy that they waited for"
                                : "all of it was seen through the proxy %.*s: what is said of the server here may be the proxy's doing",
                        STR_ARGS(name));
        }
}
