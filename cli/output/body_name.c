/* SPDX-License-Identifier: MIT */
#include "body_name.h"

#include "utf8.h"
#include <base/error.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* bytes of a word, where a whole one makes the name too long: two of them fit */
#define SHORT_WORD_MAX 96
#define HASH_BYTES     16   /* of SHA-256: nobody finds two texts with the same ones */
#define HASH_MARK      "%~" /* no escape begins so */
#define HASH_LEN       (sizeof(HASH_MARK) - 1 + 2 * (size_t)HASH_BYTES)

/* --- the template ---------------------------------------------------------------------------- */

static unsigned word_of(struct muster_str word)
{
        return str_is(word, "n")             ? BODY_NAME_N
               : str_is(word, "id")          ? BODY_NAME_ID
               : str_is(word, "host")        ? BODY_NAME_HOST
               : str_is(word, "sha256")      ? BODY_NAME_SHA256
               : str_is(word, "remote_name") ? BODY_NAME_REMOTE_NAME
                                             : 0;
}

int body_name_check(const char *template, unsigned *ret_words, struct muster_error *error)
{
        unsigned words = 0;

        for (const char *open = strchr(template, '{'); open; open = strchr(open + 1, '{')) {
                const char *close = strchr(open, '}');
                struct muster_str word = { open + 1, close ? (size_t)(close - open - 1) : 0 };

                if (!word_of(word))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                "--body: unknown \"%.40s\"; known are " BODY_NAME_WORDS, open);
                words |= word_of(word);
        }
        *ret_words = words;
        return 0;
}

/* --- a word ---------------------------------------------------------------------------------- */

/* What a word stands for, as text. */
struct word {
        struct muster_str text;
        bool is_utf8;
        bool keeps_percent; /* it has escapes of its own */
};

static bool is_kept(const struct word *word, size_t at)
{
        unsigned char c = (unsigned char)word->text.at[at];

        if (c >= 0x80)
                return word->is_utf8;
        if (c == '%')
                return word->keeps_percent;
        return c >= ' ' && c != 0x7f && c != '/' && (c != '.' || at > 0);
}

/* How many bytes the character takes: those that continue it are 10xxxxxx. */
static size_t character_len(const struct word *word, size_t at)
{
        struct muster_str text = word->text;
        size_t len = 1;

        while (word->is_utf8 && at + len < text.len &&
                ((unsigned char)text.at[at + len] & 0xc0) == 0x80)
                len++;
        return len;
}

/* U+0080 to U+009F are control characters as well. */
static bool is_control(struct muster_str character)
{
        return character.len == 2 && (unsigned char)character.at[0] == 0xc2 &&
               (unsigned char)character.at[1] < 0xa0;
}

/* A character as it stands in a name. Returns its length; `to` has room for 12 bytes. */
static size_t escape_character(const struct word *word, size_t at, size_t len, char *to)
{
        struct muster_str character = { word->text.at + at, len };

        if (is_kept(word, at) && !is_control(character)) {
                memcpy(to, character.at, len);
                return len;
        }
        for (size_t i = 0; i < len; i++)
                snprintf(to + 3 * i, 4, "%%%02X", (unsigned char)character.at[i]);
        return 3 * len;
}

/* Up to `most` bytes of it. */
static int add_escaped(struct buf *to, const struct word *word, size_t most, bool *ret_is_whole)
{
        size_t before = to->len;
        char escaped[16];
        int r = 0;

        *ret_is_whole = true;
        for (size_t at = 0, len; at < word->text.len && r == 0; at += len) {
                size_t escaped_len;

                len = character_len(word, at);
                escaped_len = escape_character(word, at, len, escaped);
                if (to->len - before + escaped_len > most) {
                        *ret_is_whole = false;
                        return 0;
                }
                r = buf_add(to, escaped, escaped_len);
        }
        return r;
}

static int add_hash_of(struct buf *to, struct muster_str text)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        int r = buf_add_text(to, HASH_MARK);

        if (EVP_Digest(text.at, text.len, digest, NULL, EVP_sha256(), NULL) != 1)
                return MUSTER_E_RESOURCE;
        for (size_t i = 0; i < HASH_BYTES && r == 0; i++) {
                char hex[3];

                snprintf(hex, sizeof(hex), "%02x", digest[i]);
                r = buf_add_text(to, hex);
        }
        return r;
}

/* All of it, or what it begins with and a hash of all of it. */
static int add_text(struct buf *to, struct muster_str text, bool keeps_percent, size_t most)
{
        const struct word word = { text, utf8_is_valid(text), keeps_percent };
        size_t before = to->len;
        bool is_whole;
        int r = add_escaped(to, &word, most, &is_whole);

        if (r < 0 || is_whole)
                return r;
        to->len = before;
        r = add_escaped(to, &word, most - HASH_LEN, &is_whole);
        return r == 0 ? add_hash_of(to, text) : r;
}

static int add_word(struct buf *to, unsigned word, const struct body_name *name, size_t most)
{
        char number[24];

        if (word == BODY_NAME_HOST)
                return add_text(to, name->host, false, most);
        if (word == BODY_NAME_SHA256)
                return buf_add_str(to, name->sha256);
        if (word == BODY_NAME_REMOTE_NAME)
                return add_text(to, name->remote_name, true, most);
        if (word == BODY_NAME_ID && name->id.len)
                return add_text(to, name->id, false, most);
        snprintf(number, sizeof(number), name->pads_n ? "%06" PRIu64 : "%" PRIu64, name->n);
        return buf_add_text(to, number);
}

/* --- the name -------------------------------------------------------------------------------- */

/* With words of up to `most` bytes. */
static int add_template(struct buf *to, const char *template, const struct body_name *name,
        size_t most)
{
        const char *at = template, *open;
        int r = 0;

        while (r == 0 && (open = strchr(at, '{'))) {
                const char *close = strchr(open, '}');

                r = buf_add(to, at, (size_t)(open - at));
                if (r == 0)
                        r = add_word(to,
                                word_of((struct muster_str){
                                        open + 1, (size_t)(close - open - 1) }),
                                name, most);
                at = close + 1;
        }
        if (r == 0)
                r = buf_add_text(to, at);
        return r == 0 ? buf_terminate(to) : r;
}

static bool is_too_long(struct muster_str path)
{
        struct muster_str part;

        while (str_split(&path, '/', &part))
                if (part.len > NAME_MAX)
                        return true;
        return false;
}

int body_name_add(struct buf *to, const char *template, const struct body_name *name)
{
        size_t before = to->len;
        int r = add_template(to, template, name, SIZE_MAX);

        if (r == 0 && is_too_long((struct muster_str){ to->at + before, to->len - before })) {
                to->len = before;
                r = add_template(to, template, name, SHORT_WORD_MAX);
        }
        if (r < 0)
                return r;
        return is_too_long((struct muster_str){ to->at + before, to->len - before })
                       ? BODY_NAME_TOO_LONG
                       : 0;
}
