/* SPDX-License-Identifier: MIT */
#include "stream_head.h"

#include <assert.h>
#include <stdio.h>

static const char *const of_connections[] = { "connection", "keep-alive", "proxy-connection",
        "transfer-encoding", "upgrade" };

static bool is_of_connections(struct muster_str name)
{
        for (size_t i = 0; i < sizeof(of_connections) / sizeof(of_connections[0]); i++)
                if (str_is(name, of_connections[i]))
                        return true;
        return false;
}

static void add(struct stream_head *fields, struct muster_str name, struct muster_str value)
{
        if (fields->n == H2_FIELDS_MAX)
                return;
        /* nghttp2 reads them only, but its members are not const. */
        fields->list[fields->n++] = (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name.at,
                .value = (uint8_t *)(uintptr_t)value.at,
                .namelen = name.len,
                .valuelen = value.len };
}

void stream_head_make(struct stream_head *fields, int status, char *lines, size_t len)
{
        char *at = lines;

        assert(status >= 100 && status <= 999);
        fields->n = 0;
        fields->status[0] = (char)('0' + status / 100);
        fields->status[1] = (char)('0' + status / 10 % 10);
        fields->status[2] = (char)('0' + status % 10);
        add(fields, str_of(":status"), (struct muster_str){ fields->status, 3 });
        while (at < lines + len) {
                size_t left = (size_t)(lines + len - at);
                char *colon = memchr(at, ':', left), *end = memchr(at, '\n', left);
                struct muster_str name, value;

                assert(colon && end && colon < end && end[-1] == '\r');
                for (char *c = at; c < colon; c++)
                        *c = char_lower(*c);
                name = (struct muster_str){ at, (size_t)(colon - at) };
                value = str_trim((struct muster_str){ colon + 1, (size_t)(end - colon - 2) });
                if (!is_of_connections(name))
                        add(fields, name, value);
                at = end + 1;
        }
}
