/* SPDX-License-Identifier: MIT */
#include "row.h"

static uint64_t *moment_at(void *row, size_t at)
{
        return (uint64_t *)(void *)((char *)row + at);
}

static void put_in_order(uint64_t *begin, uint64_t *end)
{
        if (!*begin)
                *begin = *end ? *end : 1;
        if (*end < *begin)
                *end = *begin;
}

void row_rebase(enum row_kind kind, void *row, uint64_t start_ns)
{
        const struct row_type *type = row_types[kind];

        for (size_t i = 0; i < type->n_moments; i++) {
                uint64_t *moment = moment_at(row, type->moments[i]);

                if (*moment)
                        *moment = *moment > start_ns ? *moment - start_ns : 1;
        }
        if (type->begin_at != type->end_at)
                put_in_order(moment_at(row, type->begin_at), moment_at(row, type->end_at));
}

struct muster_str *row_text(enum row_kind kind, void *row)
{
        size_t at = row_types[kind]->text_at;

        return at == ROW_NO_TEXT ? NULL : (struct muster_str *)(void *)((char *)row + at);
}

uint64_t row_number(int64_t value, uint64_t max, bool *is_good)
{
        if (value == ROW_NULL)
                return 0;
        if (value < 0 || (uint64_t)value > max)
                *is_good = false;
        return *is_good ? (uint64_t)value : 0;
}

uint64_t row_moment(int64_t value, uint64_t from_ns, bool *is_good)
{
        int64_t moment;

        if (value == ROW_NULL)
                return 0;
        if (value < -(int64_t)ROW_NS_MAX || value > (int64_t)ROW_NS_MAX || from_ns > ROW_NS_MAX)
                *is_good = false;
        if (!*is_good)
                return 0;
        moment = (int64_t)from_ns + value;
        if (moment <= 0)
                *is_good = false;
        return *is_good ? (uint64_t)moment : 0;
}

const struct row_type *const row_types[ROW_N_KINDS] = {
        [ROW_ORIGIN] = &row_type_origin,
        [ROW_ATTEMPT] = &row_type_attempt,
        [ROW_CONN] = &row_type_conn,
        [ROW_TRY] = &row_type_try,
        [ROW_LOOKUP] = &row_type_lookup,
        [ROW_TURN] = &row_type_turn,
        [ROW_SAMPLE] = &row_type_sample,
};

int64_t row_known(int64_t value, bool *is_good)
{
        return value == ROW_NULL ? -1 : (int64_t)row_number(value, ROW_NS_MAX, is_good);
}

uint8_t row_engine(int64_t value, bool *is_good)
{
        return value == ROW_NULL ? 1 : (uint8_t)row_number(value, UINT8_MAX, is_good);
}
