/* SPDX-License-Identifier: MIT */
#include "difference.h"

static const struct part parts[] = {
        { FIGURE_CONNECT, "getting a connection", "opening connections" },
        { FIGURE_SEND, "sending the request", "the network, or how fast the server reads" },
        { FIGURE_WAIT, "waiting for the server", "the server, or the path to it" },
        { FIGURE_LAG, "until this program reads what has arrived", "this program" },
        { FIGURE_RECEIVE, "receiving the body", "the network, or how fast the server sends" },
        { FIGURE_DECODE, "decoding the body", "this program" },
};

const struct part *grown_part(const struct mode *from, const struct mode *to)
{
        const struct part *most = NULL;
        double most_ns = 0;

        if (figure(to, FIGURE_LATENCY) < figure(from, FIGURE_LATENCY) * (1 + MATTERS))
                return NULL;
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
                double grown_ns = figure(to, parts[i].figure) - figure(from, parts[i].figure);

                if (grown_ns > most_ns) {
                        most = &parts[i];
                        most_ns = grown_ns;
                }
        }
        return most;
}

struct estimate wall_ratio(const struct comparison *c, const struct mode *a, const struct mode *b)
{
        return stat_estimate_ratio(a->figures[FIGURE_WALL], b->figures[FIGURE_WALL], c->n_rounds);
}

enum gain gain_of(const struct estimate *ratio)
{
        if (stat_is_below_one(ratio, MATTERS_MUCH))
                return GAIN_SURE;
        return ratio->low > 1 - MATTERS_MUCH ? GAIN_NONE : GAIN_UNCLEAR;
}
