/* SPDX-License-Identifier: MIT */
#include "hook_packed.h"

#include "hook_log.h"
#include "hook_row.h"
#include <string.h>

#define N_NUMBERS 13
#define HEAD      (N_NUMBERS * sizeof(double))

_Static_assert(HEAD == WATCH_HOOK_PACKED_BYTES, "as hook_log.h has it");

/* Whole, and not more than that; NaN is neither. */
static bool to_number(double number, uint64_t max, uint64_t *ret)
{
        if (!(number >= 0 && number <= (double)max))
                return false;
        *ret = (uint64_t)number;
        return true;
}

static bool read_numbers(const double *n, struct hook_packed *request)
{
        return to_number(n[0], HOOK_ROW_NS_MAX, &request->start_ns) &&
               to_number(n[1], HOOK_ROW_NS_MAX, &request->end_ns) &&
               to_number(n[2], HOOK_ROW_NS_MAX, &request->queued_ns) &&
               to_number(n[3], HOOK_ROW_NS_MAX, &request->connecting_ns) &&
               to_number(n[4], 999, &request->status) &&
               to_number(n[5], UINT8_MAX, &request->flags) &&
               to_number(n[6], UINT32_MAX, &request->client) &&
               to_number(n[7], UINT32_MAX, &request->site) &&
               to_number(n[8], INT32_MAX, &request->tid) &&
               to_number(n[9], UINT32_MAX, &request->method) &&
               to_number(n[10], UINT32_MAX, &request->origin) &&
               to_number(n[11], UINT32_MAX, &request->error);
}

bool hook_packed_next(struct muster_str *block, struct hook_packed *ret_request)
{
        while (block->len >= HEAD) {
                struct hook_packed request;
                double numbers[N_NUMBERS];
                uint64_t size;

                memcpy(numbers, block->at, HEAD);
                if (!to_number(numbers[12], block->len - HEAD, &size))
                        return false;
                request.path = (struct muster_str){ block->at + HEAD, (size_t)size };
                size = (size + 7) & ~UINT64_C(7);
                if (size > block->len - HEAD)
                        return false;
                *block = str_after(*block, HEAD + (size_t)size);
                if (!read_numbers(numbers, &request))
                        continue;
                *ret_request = request;
                return true;
        }
        return false;
}
