/* SPDX-License-Identifier: MIT */
#include "h1_error.h"

#include <base/error.h>
#include <stdbool.h>

#define SHOWN_MAX 60 /* bytes of what the server sent in an error's text */

int h1_protocol_error(struct muster_error *error, const char *what, struct muster_str bytes)
{
        bool is_cut = bytes.len > SHOWN_MAX;

        return error_set(error, MUSTER_E_PROTOCOL, MUSTER_PHASE_RECEIVE, 0,
                         "protocol: %s: \"%.*s%s\"", what, is_cut ? SHOWN_MAX : (int)bytes.len,
                         bytes.at ? bytes.at : "", is_cut ? "..." : "");
}
