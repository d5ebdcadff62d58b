/* SPDX-License-Identifier: MIT */
#include "by_number.h"

#include <base/mem.h>
#include <string.h>

#define PIECE_VALUES 4096

void *by_number_find(const struct by_number *table, uint64_t n)
{
        uint64_t piece = n / PIECE_VALUES;

        if (piece >= table->n_pieces || !table->pieces[piece])
                return NULL;
        return (char *)table->pieces[piece] + n % PIECE_VALUES * table->size;
}

static int grow(struct by_number *table, size_t piece)
{
        size_t n = table->n_pieces ? table->n_pieces : 64;
        void **pieces;

        while (n <= piece)
                n *= 2;
        pieces = mem_realloc(table->pieces, n * sizeof(*pieces));
        if (!pieces)
                return -1;
        memset(pieces + table->n_pieces, 0, (n - table->n_pieces) * sizeof(*pieces));
        table->pieces = pieces;
        table->n_pieces = n;
        return 0;
}

void *by_number_get(struct by_number *table, uint64_t n)
{
        size_t piece = (size_t)(n / PIECE_VALUES);

        if (n > BY_NUMBER_MAX || (piece >= table->n_pieces && grow(table, piece) < 0))
                return NULL;
        if (!table->pieces[piece])
                table->pieces[piece] = mem_array(PIECE_VALUES, table->size);
        return by_number_find(table, n);
}

void *by_number_next(const struct by_number *table, uint64_t *n)
{
        while (*n / PIECE_VALUES < table->n_pieces) {
                void *value = by_number_find(table, *n);

                if (value)
                        return value;
                *n += PIECE_VALUES - *n % PIECE_VALUES;
        }
        return NULL;
}

void by_number_deinit(struct by_number *table)
{
        for (size_t i = 0; i < table->n_pieces; i++)
                mem_free(table->pieces[i]);
        table->pieces = mem_free(table->pieces);
        table->n_pieces = 0;
}
