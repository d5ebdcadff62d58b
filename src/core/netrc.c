/* SPDX-License-Identifier: MIT */
#include "netrc.h"

#include <assert.h>
#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_BYTES_MAX (4 * 1024 * 1024) /* tens of thousands of entries: more is another file */

void netrc_deinit(struct netrc *netrc)
{
        buf_wipe(&netrc->text);
        buf_deinit(&netrc->entries);
}

/* --- words ----------------------------------------------------------------------------------- */

struct reader {
        struct muster_str rest;
        unsigned line;
        bool is_at_line; /* nothing but blanks came before on this line */
        const char *path;
        struct muster_error *error;
        struct buf word; /* the last one, without quotes and escapes */
};

#define NO_WORD 1 /* the text is over */

static int bad(const struct reader *reader, unsigned line, const char *what)
{
        return error_set(reader->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                "input: %s, line %u: %s", reader->path, line, what);
}

static void step(struct reader *reader)
{
        bool ends_line = reader->rest.at[0] == '\n';

        assert(reader->rest.len);
        reader->line += ends_line;
        reader->is_at_line = ends_line;
        reader->rest.at++;
        reader->rest.len--;
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_line(struct reader *reader)
{
        while (reader->rest.len && reader->rest.at[0] != '\n')
                step(reader);
}

static void skip_blanks(struct reader *reader)
{
        while (reader->rest.len && is_space(reader->rest.at[0])) {
                bool was_at_line = reader->is_at_line;
                char c = reader->rest.at[0];

                step(reader);
                reader->is_at_line = c == '\n' || was_at_line;
        }
}

/* Go to the next word, past comments. */
static void skip_to_word(struct reader *reader)
{
        skip_blanks(reader);
        while (reader->rest.len && reader->rest.at[0] == '#' && reader->is_at_line) {
                skip_line(reader);
                skip_blanks(reader);
        }
}

/* A macro ends with an empty line. */
static void skip_macro(struct reader *reader)
{
        skip_line(reader);
        while (reader->rest.len) {
                step(reader);
                if (reader->rest.len && (reader->rest.at[0] == '\n' || reader->rest.at[0] == '\r'))
                        return;
                skip_line(reader);
        }
}

static char unescaped(char c)
{
        return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

static int read_quoted(struct reader *reader)
{
        unsigned line = reader->line;
        int r = 0;

        step(reader);
        while (r == 0 && reader->rest.len && reader->rest.at[0] != '"') {
                bool is_escape = reader->rest.at[0] == '\\';

                if (is_escape)
                        step(reader);
                if (!reader->rest.len)
                        break;
                r = buf_add_char(&reader->word,
                        is_escape ? unescaped(reader->rest.at[0]) : reader->rest.at[0]);
                step(reader);
        }
        if (r < 0)
                return error_set_memory(reader->error, MUSTER_PHASE_QUEUE);
        if (!reader->rest.len)
                return bad(reader, line, "a quoted word has no closing quote");
        step(reader);
        return 0;
}

/* Read the next word into reader->word. NO_WORD, negative with an error. */
static int read_word(struct reader *reader)
{
        struct muster_str word;

        reader->word.len = 0;
        skip_to_word(reader);
        if (!reader->rest.len)
                return NO_WORD;
        if (reader->rest.at[0] == '"')
                return read_quoted(reader);
        word = (struct muster_str){ reader->rest.at, 0 };
        while (reader->rest.len && !is_space(reader->rest.at[0])) {
                word.len++;
                step(reader);
        }
        return buf_add_str(&reader->word, word) < 0
                       ? error_set_memory(reader->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/* --- entries --------------------------------------------------------------------------------- */

static bool word_is(const struct reader *reader, const char *word)
{
        return str_is_nocase(buf_str(&reader->word), word);
}

static int add_entry(struct reader *reader, struct netrc *netrc)
{
        const struct netrc_entry empty = { 0 };

        return buf_add(&netrc->entries, &empty, sizeof(empty)) < 0
                       ? error_set_memory(reader->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/* The entry that is being read; NULL before the first. */
static struct netrc_entry *last_entry(const struct netrc *netrc)
{
        struct netrc_entry *entries = (struct netrc_entry *)(void *)netrc->entries.at;
        size_t n = netrc->entries.len / sizeof(*entries);

        return n ? &entries[n - 1] : NULL;
}

/* Read the value of a keyword, and keep it. */
static int read_value(struct reader *reader, struct netrc *netrc, const char *keyword,
        uint32_t *ret_at, uint32_t *ret_len)
{
        unsigned line = reader->line;
        int r = read_word(reader);

        if (r == NO_WORD)
                return error_set(reader->error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, 0,
                        "input: %s, line %u: nothing follows \"%s\"", reader->path, line, keyword);
        if (r < 0)
                return r;
        *ret_at = (uint32_t)netrc->text.len;
        *ret_len = (uint32_t)reader->word.len;
        return buf_add_str(&netrc->text, buf_str(&reader->word)) < 0
                       ? error_set_memory(reader->error, MUSTER_PHASE_QUEUE)
                       : 0;
}

static int read_machine(struct reader *reader, struct netrc *netrc)
{
        uint32_t at, len;
        int r = read_value(reader, netrc, "machine", &at, &len);

        if (r == 0)
                r = add_entry(reader, netrc);
        if (r == 0) {
                last_entry(netrc)->host_at = at;
                last_entry(netrc)->host_len = len;
        }
        return r;
}

/* Without an entry before it, a value belongs to nothing. */
static int read_part(struct reader *reader, struct netrc *netrc, const char *keyword)
{
        struct netrc_entry nobody, *entry = last_entry(netrc);

        if (!entry)
                entry = &nobody;
        if (word_is(reader, "login"))
                return read_value(reader, netrc, keyword, &entry->login_at, &entry->login_len);
        if (word_is(reader, "password"))
                return read_value(reader, netrc, keyword, &entry->password_at,
                        &entry->password_len);
        return read_value(reader, netrc, keyword, &nobody.login_at, &nobody.login_len);
}

static int read_item(struct reader *reader, struct netrc *netrc)
{
        static const char *const parts[] = { "login", "password", "account" };

        if (word_is(reader, "machine"))
                return read_machine(reader, netrc);
        if (word_is(reader, "default"))
                return add_entry(reader, netrc);
        if (word_is(reader, "macdef"))
                skip_macro(reader);
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
                if (word_is(reader, parts[i]))
                        return read_part(reader, netrc, parts[i]);
        return 0;
}

int netrc_parse(struct netrc *netrc, struct muster_str text, const char *path,
        struct muster_error *error)
{
        struct reader reader = {
                .rest = text, .line = 1, .is_at_line = true, .path = path, .error = error
        };
        int r;

        assert(!netrc->entries.len && path);
        while ((r = read_word(&reader)) == 0 && (r = read_item(&reader, netrc)) == 0)
                ;
        buf_wipe(&reader.word);
        return r == NO_WORD ? 0 : r;
}

/* --- the file -------------------------------------------------------------------------------- */

static int fail_read(const char *path, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, sys,
                "input: cannot read %s: %s", path, error_sys_text(sys));
}

/* Read all that there is. The file may be a pipe. */
static int read_all(int fd, struct buf *text)
{
        for (;;) {
                ssize_t n;

                if (text->len > FILE_BYTES_MAX)
                        return EFBIG;
                if (buf_reserve(text, 16 * 1024) < 0)
                        return ENOMEM;
                n = read(fd, text->at + text->len, text->size - text->len);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? errno : 0;
                text->len += (size_t)n;
        }
}

int netrc_read(struct netrc *netrc, const char *path, struct muster_error *error)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC), sys, r;
        struct buf text = { 0 };

        if (fd < 0)
                return fail_read(path, errno, error);
        sys = read_all(fd, &text);
        close(fd);
        r = sys ? fail_read(path, sys, error) : netrc_parse(netrc, buf_str(&text), path, error);
        buf_wipe(&text);
        return r;
}

/* --- finding --------------------------------------------------------------------------------- */

static struct muster_str part(const struct netrc *netrc, uint32_t at, uint32_t len)
{
        return (struct muster_str){ netrc->text.at + at, len };
}

static bool fits(const struct netrc *netrc, const struct netrc_entry *entry, struct muster_str host,
        struct muster_str user)
{
        if (entry->host_len && !str_eq_nocase(part(netrc, entry->host_at, entry->host_len), host))
                return false;
        return !user.len || !entry->login_len ||
               str_eq(part(netrc, entry->login_at, entry->login_len), user);
}

bool netrc_find(const struct netrc *netrc, struct muster_str host, struct muster_str user,
        struct muster_str *ret_login, struct muster_str *ret_password)
{
        const struct netrc_entry *entries =
                (const struct netrc_entry *)(const void *)netrc->entries.at;
        size_t n = netrc->entries.len / sizeof(*entries);

        for (size_t i = 0; i < n; i++) {
                const struct netrc_entry *entry = &entries[i];

                if (!fits(netrc, entry, host, user))
                        continue;
                *ret_login =
                        entry->login_len ? part(netrc, entry->login_at, entry->login_len) : user;
                *ret_password = part(netrc, entry->password_at, entry->password_len);
                return ret_login->len || ret_password->len;
        }
        return false;
}
