/* SPDX-License-Identifier: MIT */
#include "body_place.h"

#include <base/error.h>
#include <string.h>
#include <sys/stat.h>

/* What people write who mean that. */
static const struct {
        const char *said, *meant;
} meanings[] = {
        { "-", "inline" },
        { "stdout", "inline" },
        { "memory", "inline" },
        { "json", "inline" },
        { "no", "none" },
        { "off", "none" },
        { "null", "none" },
        { "false", "none" },
        { "discard", "none" },
        { "drop", "none" },
        { "ignore", "none" },
};

static const char *meaning_of(struct muster_str word)
{
        for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
                if (str_is_nocase(word, meanings[i].said))
                        return meanings[i].meant;
        if (str_is_nocase(word, "inline") || str_distance(word, str_of("inline")) <= 2)
                return "inline";
        if (str_is_nocase(word, "none") || str_distance(word, str_of("none")) <= 1)
                return "none";
        return NULL;
}

enum body_place body_place(const char *spec)
{
        if (!spec || strcmp(spec, "inline") == 0)
                return BODY_INLINE;
        return strcmp(spec, "none") == 0 ? BODY_NONE : BODY_FILES;
}

int body_place_check(const char *spec, struct muster_error *error)
{
        struct stat status;
        const char *meant;

        if (body_place(spec) != BODY_FILES)
                return 0;
        if (!*spec)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--body: \"\" is empty; give inline, none or a directory");
        if (strpbrk(spec, "/{") || (stat(spec, &status) == 0 && S_ISDIR(status.st_mode)) ||
                !(meant = meaning_of(str_of(spec))))
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--body: did you mean %s? For a directory named \"%s\" write ./%s", meant, spec,
                spec);
}
