/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a field's value: list members lie within it, Retry-After is bounded
 */
#include "fuzz.h"

#include <http/field.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct field field = {
                .name_at = 0, .name_len = 0, .value_at = 0, .value_len = (uint32_t)size
        };
        struct fields fields = { .head = (const char *)data, .list = &field, .n = 1 };
        struct field_members iter = { 0 };
        struct muster_str member;
        uint64_t seconds;

        while (fields_next_member(&fields, "", &iter, &member)) {
                FUZZ_CHECK(member.len > 0 && member.at >= fields.head &&
                           member.at + member.len <= fields.head + size);
                (void)field_is_token(member);
        }
        if (field_retry_after((struct muster_str){ fields.head, size }, 1000000000, &seconds))
                FUZZ_CHECK(seconds <= UINT64_C(10) * 365 * 24 * 3600);
        return 0;
}
