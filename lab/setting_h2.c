/* SPDX-License-Identifier: MIT */
/*
 * Settings of how a listener speaks HTTP/2
 */
#include "setting.h"

#include "reset_code.h"
#include "quantity.h"
#include "setting_value.h"

/* The bounds of RFC 9113 section 6.5.2. */
#define WINDOW_BYTES      65535
#define WINDOW_BYTES_MAX  0x7fffffff
#define FRAME_BYTES       16384
#define FRAME_BYTES_MAX   16777215
#define REFUSED_STREAM    7
#define HEADER_LIST_BYTES 1024 /* fewer, and no usual request would pass */

static int value_size(uint32_t *to, struct muster_str value, uint64_t min, uint64_t max,
        struct muster_error *error, const char *accepted)
{
        uint64_t size;

        if (!quantity_size(value, &size) || size < min || size > max)
                return value_refuse(error, value, accepted);
        *to = (uint32_t)size;
        return 0;
}

/* All but this one need it: config_check(). */
SETTER(h2)
{
        UNUSED2(config, error);
        (void)value;
        listener->h2.is_on = true;
        return 0;
}

SETTER(h2_streams)
{
        (void)config;
        listener->h2.is_set = true;
        return value_count(&listener->h2.streams, value, 1, error);
}

SETTER(h2_window)
{
        (void)config;
        listener->h2.is_set = true;
        listener->h2.has_window = true;
        return value_size(&listener->h2.window_bytes, value, 0, WINDOW_BYTES_MAX, error,
                "a size from 0 to 2147483647: 16k, 1M");
}

SETTER(h2_connection_window)
{
        (void)config;
        listener->h2.is_set = true;
        return value_size(&listener->h2.connection_window_bytes, value, WINDOW_BYTES,
                WINDOW_BYTES_MAX, error, "a size from 65535 to 2147483647: 1M");
}

SETTER(h2_window_updates)
{
        (void)config;
        listener->h2.is_set = true;
        if (!str_is(value, "never"))
                return value_duration(&listener->h2.window_interval_ns, value, error);
        listener->h2.window_interval_ns = UINT64_MAX;
        return 0;
}

SETTER(h2_frame_size)
{
        (void)config;
        listener->h2.is_set = true;
        return value_size(&listener->h2.frame_bytes, value, FRAME_BYTES, FRAME_BYTES_MAX, error,
                "a size from 16384 to 16777215: 16k, 1M");
}

SETTER(h2_header_list)
{
        (void)config;
        listener->h2.is_set = true;
        return value_size(&listener->h2.header_list_bytes, value, HEADER_LIST_BYTES,
                WINDOW_BYTES_MAX, error, "a size from 1k on: 8k, 1M");
}

SETTER(h2_continuation)
{
        (void)config;
        listener->h2.is_set = true;
        return value_size(&listener->h2.head_frame_bytes, value, 1, FRAME_BYTES, error,
                "a size from 1 to 16384: 1, 4k");
}

/* "100", or "100,INTERNAL_ERROR". */
SETTER(h2_goaway)
{
        struct muster_str rest = value, count;
        uint32_t code = 0;

        (void)config;
        listener->h2.is_set = true;
        if (!str_split(&rest, ',', &count) ||
                !quantity_count(count, 1, 1000000, &listener->h2.goaway_after) ||
                (rest.len && !reset_code_parse(rest, &code)))
                return value_refuse(error, value,
                        "a number from 1 to 1000000, with an optional error code: 100, 100,INTERNAL_ERROR; codes are " RESET_CODE_FORMS);
        listener->h2.goaway_code = code;
        return 0;
}

/* "5%", or "5%,ENHANCE_YOUR_CALM". */
SETTER(h2_refuse)
{
        struct muster_str rest = value, share;
        uint32_t code = REFUSED_STREAM;

        (void)config;
        listener->h2.is_set = true;
        if (!str_split(&rest, ',', &share) || !quantity_share(share, &listener->h2.refuse_share) ||
                (rest.len && !reset_code_parse(rest, &code)))
                return value_refuse(error, value,
                        "a share, with an optional error code: 5%, 5%,CANCEL; codes are " RESET_CODE_FORMS);
        listener->h2.refuse_code = code;
        return 0;
}

SETTER(h2_settings_delay)
{
        (void)config;
        listener->h2.is_set = true;
        return value_duration(&listener->h2.settings_delay_ns, value, error);
}

SETTER(h2_no_pong)
{
        UNUSED2(config, error);
        (void)value;
        listener->h2.is_set = listener->h2.no_pong = true;
        return 0;
}
