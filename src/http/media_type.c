/* SPDX-License-Identifier: MIT */
#include "media_type.h"

#include "field.h"

static const struct {
        const char *ending, *type;
} types[] = {
        { ".gif", "image/gif" },
        { ".htm", "text/html" },
        { ".html", "text/html" },
        { ".jpeg", "image/jpeg" },
        { ".jpg", "image/jpeg" },
        { ".pdf", "application/pdf" },
        { ".png", "image/png" },
        { ".svg", "image/svg+xml" },
        { ".txt", "text/plain" },
        { ".xml", "application/xml" },
};

const char *media_type_of_name(struct muster_str name)
{
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
                size_t len = strlen(types[i].ending);

                if (name.len >= len &&
                        str_is_nocase((struct muster_str){ name.at + name.len - len, len },
                                types[i].ending))
                        return types[i].type;
        }
        return NULL;
}

/* The type without parameters. */
static struct muster_str essence(struct muster_str type)
{
        struct muster_str first;

        return str_split(&type, ';', &first) ? str_trim(first) : (struct muster_str){ NULL, 0 };
}

bool media_type_is_valid(struct muster_str type)
{
        struct muster_str rest = essence(type), major;

        return field_is_value(type) && str_split(&rest, '/', &major) && field_is_token(major) &&
               rest.at && field_is_token(rest);
}

bool media_type_is(struct muster_str type, const char *name)
{
        return str_is_nocase(essence(type), name);
}
