/* SPDX-License-Identifier: MIT */
#include "files.h"

#include <base/error.h>
#include <errno.h>
#include <sys/resource.h>

/* for other files than connections: raced addresses, name servers, the caller's own */
#define FILES_SPARE    64
#define CONNS_PER_SLOT 4 /* idle ones included; curl allows as many */

void files_fit_threads(struct settings *settings)
{
        rlim_t each = (rlim_t)settings->concurrency + FILES_SPARE;
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return;
        while (settings->threads > 1 && each * settings->threads > limit.rlim_max)
                settings->threads--;
}

int files_make_room(const struct settings *settings, unsigned *ret_n_conns_max,
        struct muster_error *error)
{
        unsigned concurrency = settings->concurrency, n = settings->threads;
        rlim_t spare = (rlim_t)FILES_SPARE * n;
        rlim_t need = (rlim_t)concurrency * n + spare;
        rlim_t wanted = (rlim_t)concurrency * (n > CONNS_PER_SLOT ? n : CONNS_PER_SLOT) + spare;
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                limit = (struct rlimit){ wanted, wanted };
        if (limit.rlim_max < need)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, EMFILE,
                        "resource: a concurrency of %u%s needs %llu open files, but this process may not have more than %llu; raise the hard limit (ulimit -Hn) or lower the concurrency%s",
                        concurrency, n > 1 ? " in each of several threads" : "",
                        (unsigned long long)need, (unsigned long long)limit.rlim_max,
                        n > 1 ? " or the number of threads" : "");
        if (wanted > limit.rlim_max)
                wanted = limit.rlim_max;
        if (limit.rlim_cur < wanted) {
                limit.rlim_cur = wanted;
                if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                                "resource: cannot raise the limit of open files to %llu: %s",
                                (unsigned long long)wanted, error_sys_text(errno));
        }
        *ret_n_conns_max = (unsigned)((wanted - spare) / n);
        return 0;
}
