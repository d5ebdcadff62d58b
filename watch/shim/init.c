/* SPDX-License-Identifier: MIT */
/*
 * Begin and end of a process
 *
 * Without MUSTER_WATCH, which names the folder for logs, and in programs that run with the rights of
 * somebody else, nothing is done.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "log.h"
#include "next.h"
#include "shim.h"
#include "thread.h"

__attribute__((constructor)) static void begin(void)
{
        const char *folder = getenv("MUSTER_WATCH");
        size_t size = folder ? strlen(folder) : 0;

        next_find();
        if (size == 0 || size >= sizeof shim.folder || folder[0] != '/' || getauxval(AT_SECURE))
                return;
        memcpy(shim.folder, folder, size + 1);
        shim.page_size = (long)getauxval(AT_PAGESZ);
        process_init();
        process_adopt();
        shim.is_on = true;
}

__attribute__((destructor)) static void end(void)
{
        if (shim_watches())
                log_end();
}

/*
 * AddressSanitizer asks a program for its options here. It refuses to run where a library comes before
 * its own, for fear that calls are taken from it; ours hands all of them on.
 */
HOOK const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
        return "verify_asan_link_order=0";
}
