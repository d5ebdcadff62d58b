/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <base/error.h>
#include <stddef.h>

#define OWN(member) offsetof(struct measure_options, member)

const struct option measure_option_table[] = {
        { "Input", 0, "unsafe", NULL,
                "allow methods that may change data, such as POST, to be repeated", option_set_flag,
                OWN(allows_unsafe) },

        { "Output", 0, "json", NULL, "print one JSON object instead of text", option_set_flag,
                OWN(wants_json) },
        { NULL, 's', "silent", NULL, "show no progress and no remarks on stderr", option_set_flag,
                OWN(is_silent) },
        { 0 },
};

bool measure_list_add(struct measure_list *list, unsigned value)
{
        size_t at = 0;

        while (at < list->n && list->values[at] < value)
                at++;
        if (at < list->n && list->values[at] == value)
                return true;
        if (list->n == MEASURE_LIST_MAX)
                return false;
        memmove(list->values + at + 1, list->values + at, (list->n - at) * sizeof(*list->values));
        list->values[at] = value;
        list->n++;
        return true;
}

int measure_set_list(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct measure_list *list = (void *)((char *)settings + option->offset);
        struct muster_str rest = str_of(value), part;
        uint64_t number;

        list->n = 0;
        while (str_split(&rest, ',', &part)) {
                if (!str_to_u64(part, &number) || number < 1 || number > MEASURE_CONCURRENCY_MAX)
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "\"%s\" is not a list of numbers from 1; write 4,16,64", value);
                if (!measure_list_add(list, (unsigned)number))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "\"%s\" has more than %d numbers", value, MEASURE_LIST_MAX);
        }
        return 0;
}
