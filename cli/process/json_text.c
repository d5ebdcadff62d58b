/* SPDX-License-Identifier: MIT */
/*
 * The text itself goes into the result line, and not what a parser made of it: so a number keeps
 * every digit, and 1e400, which fits no double, is the only one that is refused.
 */
#include "json_text.h"

#include <jansson.h>
#include <stdio.h>

/* Integers of any length are taken, as doubles: nobody looks at the value. */
#define LOAD_FLAGS (JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL)

bool json_text_is_valid(struct muster_str text, struct json_flaw *flaw)
{
        json_error_t error;
        json_t *value = json_loadb(text.len ? text.at : "", text.len, LOAD_FLAGS, &error);

        if (value) {
                json_decref(value);
                return true;
        }
        flaw->line = error.line > 0 ? error.line : 1;
        flaw->column = error.column > 0 ? error.column : 1;
        snprintf(flaw->text, sizeof(flaw->text), "%s", error.text);
        return false;
}

static bool is_space(char c)
{
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

int json_text_add_dense(struct buf *to, struct muster_str text)
{
        bool in_string = false;
        char *at;

        if (buf_reserve(to, text.len) < 0)
                return MUSTER_E_RESOURCE;
        at = to->at + to->len;
        for (size_t i = 0; i < text.len; i++) {
                char c = text.at[i];

                if (!in_string && is_space(c))
                        continue;
                *at++ = c;
                if (c == '"')
                        in_string = !in_string;
                else if (c == '\\' && i + 1 < text.len)
                        *at++ = text.at[++i];
        }
        to->len = (size_t)(at - to->at);
        return 0;
}
