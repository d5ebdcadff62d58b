/* SPDX-License-Identifier: MIT */
#include "json.h"

void json_write_u64(struct json_writer *w, uint64_t value)
{
        if (w->r == 0)
                w->r = buf_add_u64(w->to, value);
}

void json_write_string(struct json_writer *w, struct muster_str text)
{
        if (w->r == 0)
                w->r = json_add_string(w->to, text);
}
