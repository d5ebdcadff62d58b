/* SPDX-License-Identifier: MIT */
#include "object.h"

#include <muster/error.h>

json_t *object_words(const struct remarks *remarks)
{
        json_t *words = json_array();

        for (size_t i = 0; i < remarks->n; i++)
                json_array_append_new(words, json_string(remarks->list[i]));
        return words;
}

int object_print(json_t *take_object, FILE *to)
{
        int r = take_object ? json_dumpf(take_object, to, JSON_COMPACT | JSON_REAL_PRECISION(9))
                            : -1;

        json_decref(take_object);
        fputc('\n', to);
        return r < 0 ? MUSTER_E_RESOURCE : 0;
}
