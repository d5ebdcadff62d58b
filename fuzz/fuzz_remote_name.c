/* SPDX-License-Identifier: MIT */
/*
 * Any text as a Content-Disposition and as a URL, and what becomes of it as the name of a file
 *
 * It is one part of a path, of a length that file systems take, and cannot hide.
 */
#include "fuzz.h"

#include <limits.h>
#include <output/body_name.h>
#include <output/remote_name.h>
#include <string.h>

static void check_name(struct muster_str remote_name)
{
        const struct body_name name = { .remote_name = remote_name };
        struct buf to = { 0 };

        if (!remote_name.len)
                return;
        FUZZ_CHECK(body_name_add(&to, "{remote_name}", &name) == 0);
        FUZZ_CHECK(to.len > 0 && to.len <= NAME_MAX && to.at[0] != '.');
        for (size_t i = 0; i < to.len; i++)
                FUZZ_CHECK((unsigned char)to.at[i] >= ' ' && to.at[i] != '/' && to.at[i] != 0x7f);
        buf_deinit(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct muster_str text = { (const char *)data, size };
        struct buf name = { 0 }, url = { 0 };

        FUZZ_CHECK(remote_name_of_disposition(&name, text) == 0);
        FUZZ_CHECK(name.len <= size);
        check_name(buf_str(&name));
        FUZZ_CHECK(buf_add_str(&url, text) == 0 && buf_terminate(&url) == 0);
        check_name(remote_name_of_url(url.at));
        buf_deinit(&name);
        buf_deinit(&url);
        return 0;
}
