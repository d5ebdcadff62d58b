/* SPDX-License-Identifier: MIT */
#include "surroundings.h"

#include <base/buf.h>
#include <base/error.h>
#include <base/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_ADDED 4 /* at most */

/* A variable that is a list, to which we add a word at its beginning. */
struct added {
        const char *name;
        const char *before, *file; /* of the word: what stands before the folder, and after it */
        const char *separators;    /* the first is written */
};

static const struct added shim = { "LD_PRELOAD", "", "/shim.so", ": " };
static const struct added python = { "PYTHONPATH", "", "/python", ":" };
static const struct added node = { "NODE_OPTIONS", "--require ", "/node/hook.js", " " };

/* --- the outer watcher's --------------------------------------------------------------------- */

/* Drop what an outer muster watch has put in, with the separator behind it. Was it there? */
static bool drop_outer(char *value, const struct added *added)
{
        const char *outer = getenv("MUSTER_WATCH");
        char word[TEMPORARY_PATH_MAX * 2];
        char *at;
        size_t len;
        int n;

        if (!outer || !*outer)
                return false;
        n = snprintf(word, sizeof(word), "%s%s%s", added->before, outer, added->file);
        if (n < 0 || n >= (int)sizeof(word))
                return false;
        at = strstr(value, word);
        if (!at)
                return false;
        len = (size_t)n;
        len += at[len] && strchr(added->separators, at[len]) ? 1 : 0;
        memmove(at, at + len, strlen(at + len) + 1);
        return true;
}

/* --- the list -------------------------------------------------------------------------------- */

static size_t count(char *const *list)
{
        size_t n = 0;

        while (list[n])
                n++;
        return n;
}

static bool is_variable(const char *entry, const char *name)
{
        size_t len = strlen(name);

        return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Where the variable is, or the end of the list. */
static char **place_of(const struct surroundings *surroundings, const char *name)
{
        char **entry = surroundings->list;

        while (*entry && !is_variable(*entry, name))
                entry++;
        return entry;
}

static int set(struct surroundings *surroundings, const char *name, const char *value)
{
        char **entry = place_of(surroundings, name);
        struct buf text = { 0 };

        if (buf_add_text(&text, name) < 0 || buf_add_char(&text, '=') < 0 ||
                buf_add_text(&text, value) < 0 || buf_terminate(&text) < 0) {
                buf_deinit(&text);
                return MUSTER_E_RESOURCE;
        }
        mem_free(*entry); /* behind the last there is room, zeroed */
        *entry = text.at;
        return 0;
}

static void unset(struct surroundings *surroundings, const char *name)
{
        char **entry = place_of(surroundings, name);

        if (!*entry)
                return;
        mem_free(*entry);
        for (; *entry; entry++)
                entry[0] = entry[1];
}

static int add_word(struct buf *value, const struct added *added, const char *folder,
        const char *rest)
{
        int r = buf_add_text(value, added->before);

        if (r == 0)
                r = buf_add_text(value, folder);
        if (r == 0)
                r = buf_add_text(value, added->file);
        if (r == 0 && *rest)
                r = buf_add_char(value, added->separators[0]);
        return r == 0 ? buf_add_text(value, rest) : r;
}

/* Without the outer watcher's word, and with ours where it is wanted. */
static int settle(struct surroundings *surroundings, const struct added *added, bool is_wanted,
        const char *folder)
{
        const char *entry = *place_of(surroundings, added->name);
        char *rest = mem_strdup(entry ? strchr(entry, '=') + 1 : "");
        struct buf value = { 0 };
        int r = rest ? 0 : MUSTER_E_RESOURCE;
        bool is_dropped = r == 0 && drop_outer(rest, added);

        if (r == 0 && is_wanted)
                r = add_word(&value, added, folder, rest);
        else if (r == 0)
                r = buf_add_text(&value, rest);
        if (r == 0)
                r = buf_terminate(&value);
        if (r == 0 && (is_wanted || (is_dropped && value.len)))
                r = set(surroundings, added->name, value.at);
        else if (r == 0 && is_dropped)
                unset(surroundings, added->name);
        buf_deinit(&value);
        mem_free(rest);
        return r;
}

static int copy(struct surroundings *surroundings)
{
        size_t n = count(environ);

        surroundings->list = mem_zalloc((n + N_ADDED + 1) * sizeof(*surroundings->list));
        if (!surroundings->list)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < n; i++) {
                surroundings->list[i] = mem_strdup(environ[i]);
                if (!surroundings->list[i])
                        return MUSTER_E_RESOURCE;
        }
        return 0;
}

int surroundings_init(struct surroundings *surroundings, const struct place *place, bool no_shim,
        struct muster_error *error)
{
        int r;

        *surroundings = (struct surroundings){ 0 };
        r = copy(surroundings);
        if (r == 0)
                r = set(surroundings, "MUSTER_WATCH", place->folder);
        if (r == 0)
                r = settle(surroundings, &shim, !no_shim, place->folder);
        if (r == 0)
                r = settle(surroundings, &python, place->has_python, place->folder);
        if (r == 0)
                r = settle(surroundings, &node, place->has_node, place->folder);
        return r == 0 ? 0 : error_set_memory(error, MUSTER_PHASE_QUEUE);
}

void surroundings_deinit(struct surroundings *surroundings)
{
        for (size_t i = 0; surroundings->list && surroundings->list[i]; i++)
                mem_free(surroundings->list[i]);
        mem_free(surroundings->list);
        surroundings->list = NULL;
}
