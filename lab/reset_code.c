/* SPDX-License-Identifier: MIT */
#include "reset_code.h"

/* In the order of their numbers, from 0 on. */
static const char *const names[] = { "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
        "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED" };

bool reset_code_parse(struct muster_str name, uint32_t *ret_code)
{
        for (uint32_t code = 0; code < sizeof(names) / sizeof(names[0]); code++) {
                if (!str_is_nocase(name, names[code]))
                        continue;
                *ret_code = code;
                return true;
        }
        return false;
}
