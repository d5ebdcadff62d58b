/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <base/mem.h>
#include <stdlib.h>

void programs_deinit(struct programs *programs)
{
        mem_free(programs->processes);
        mem_free(programs->sites);
        mem_free(programs->clients);
        mem_free(programs->calls);
        mem_free(programs->holds);
        mem_free(programs->bounds);
        mem_free(programs->contexts);
        mem_free(programs->interpreters);
        *programs = (struct programs){ 0 };
}

static int compare_with_call(const void *attempt, const void *call)
{
        uint64_t a = *(const uint64_t *)attempt, b = ((const struct program_call *)call)->attempt;

        return a < b ? -1 : a > b;
}

const struct program_call *programs_call(const struct programs *programs, uint64_t attempt)
{
        if (!attempt || !programs->n_calls)
                return NULL;
        return bsearch(&attempt, programs->calls, programs->n_calls, sizeof(*programs->calls),
                compare_with_call);
}

const struct program_process *programs_process(const struct programs *programs, uint32_t number)
{
        return number && number <= programs->n_processes ? &programs->processes[number - 1] : NULL;
}

uint64_t programs_cpu_ns(const struct programs *programs)
{
        uint64_t sum_ns = 0;

        for (size_t i = 0; i < programs->n_processes; i++)
                sum_ns += programs->processes[i].cpu_ns;
        return sum_ns;
}

const struct program_site *programs_site(const struct programs *programs, uint32_t number)
{
        return number && number <= programs->n_sites ? &programs->sites[number - 1] : NULL;
}

const struct program_client *programs_client(const struct programs *programs, uint32_t number)
{
        return number && number <= programs->n_clients ? &programs->clients[number - 1] : NULL;
}

const struct program_interpreter *programs_interpreter(const struct programs *programs,
        uint32_t process)
{
        for (size_t i = 0; process && i < programs->n_interpreters; i++)
                if (programs->interpreters[i].process == process)
                        return &programs->interpreters[i];
        return NULL;
}
