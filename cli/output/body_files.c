/* SPDX-License-Identifier: MIT */
#include "body_files.h"

#include "item.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORDS "{n}, {id}, {host} and {sha256}"

static int fail(const char *path, const char *what, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                         "resource: cannot %s %s: %s", what, path, strerrordesc_np(sys));
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* Make every folder above the last slash. */
static int make_parents(char *path, struct muster_error *error)
{
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                int r;

                *slash = '\0';
                r = mkdir(path, 0777);
                if (r < 0 && errno != EEXIST)
                        return fail(path, "make the directory", errno, error);
                *slash = '/';
        }
        return 0;
}

static bool is_word(struct muster_str word)
{
        return str_is(word, "n") || str_is(word, "id") || str_is(word, "host") ||
               str_is(word, "sha256");
}

static int check_words(const char *pattern, struct muster_error *error)
{
        for (const char *open = strchr(pattern, '{'); open; open = strchr(open + 1, '{')) {
                const char *close = strchr(open, '}');
                struct muster_str word = { open + 1, close ? (size_t)(close - open - 1) : 0 };

                if (!close || !is_word(word))
                        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                                         "--body: there is no \"%.40s\"; there are " WORDS, open);
        }
        return 0;
}

/* What stands before the first word, up to its last slash. */
static char *constant_directory(const char *pattern)
{
        size_t len = strcspn(pattern, "{");

        while (len && pattern[len - 1] != '/')
                len--;
        return len ? mem_strndup(pattern, len) : mem_strdup("./");
}

static char *short_form(const char *directory)
{
        size_t size = strlen(directory) + sizeof("/{n}.body");
        char *pattern = mem_alloc(size);

        if (pattern)
                snprintf(pattern, size, "%s/{n}.body", directory);
        return pattern;
}

int body_files_open(struct body_files *files, const char *spec, bool in_memory,
                    struct muster_error *error)
{
        bool is_short = !strchr(spec, '{');
        int r = check_words(spec, error);

        if (r < 0)
                return r;
        *files = (struct body_files){ .is_there = true,
                                      .in_memory = in_memory,
                                      .is_short = is_short };
        files->pattern = is_short ? short_form(spec) : mem_strdup(spec);
        files->directory = files->pattern ? constant_directory(files->pattern) : NULL;
        if (!files->directory)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = make_parents(files->directory, error);
        if (r == 0 && access(files->directory, W_OK | X_OK) < 0)
                r = fail(files->directory, "write into", errno, error);
        return r;
}

void body_files_close(struct body_files *files)
{
        mem_free(files->pattern);
        mem_free(files->directory);
        *files = (struct body_files){ 0 };
}

/* --- until it is whole -------------------------------------------------------------------------------------------- */

static void own_name(const struct body_files *files, uint64_t n, char *path, size_t size)
{
        snprintf(path, size, "%s.muster-%d-%" PRIu64, files->directory, (int)getpid(), n);
}

bool body_files_wants_requests(const struct body_files *files)
{
        return files->is_there && !files->in_memory;
}

int body_files_attach(const struct body_files *files, struct muster_request *request, uint64_t n,
                      struct muster_error *error)
{
        char path[4096];

        own_name(files, n, path, sizeof(path));
        return muster_request_set_sink_file(request, path) < 0
                       ? error_set_memory(error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/* A body that came by the result, as that of an error does. */
static int write_from_memory(const char *path, const struct muster_result *result)
{
        const char *at = muster_result_body(result);
        size_t left = muster_result_body_size(result);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        int sys = fd < 0 ? errno : 0;

        while (!sys && left) {
                ssize_t n = write(fd, at, left);

                if (n < 0 && errno != EINTR)
                        sys = errno;
                at += n > 0 ? n : 0;
                left -= n > 0 ? (size_t)n : 0;
        }
        if (fd >= 0 && close(fd) < 0 && !sys)
                sys = errno;
        return sys;
}

/* --- its name ----------------------------------------------------------------------------------------------------- */

static int add_fit(struct buf *to, struct muster_str text)
{
        int r = 0;

        for (size_t i = 0; i < text.len && r == 0; i++) {
                char c = text.at[i];
                bool is_fit = (char_lower(c) >= 'a' && char_lower(c) <= 'z') || char_is_digit(c) ||
                              c == '-' || c == '_' || (c == '.' && i);

                r = buf_add_char(to, is_fit ? c : '_');
        }
        return r;
}

/* "example.com:8080" of a normalised URL. */
static struct muster_str host_of(const char *url)
{
        const char *at = strstr(url, "://");

        at = at ? at + 3 : url;
        return (struct muster_str){ at, strcspn(at, "/?") };
}

/* Without the quotes of JSON's. */
static struct muster_str id_of(const struct item *item)
{
        struct muster_str id = str_of(item->id);

        if (id.len >= 2 && id.at[0] == '"')
                id = (struct muster_str){ id.at + 1, id.len - 2 };
        return id;
}

static int add_hash(struct buf *to, const char *path)
{
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE], bytes[65536];
        unsigned len = 0;
        int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
        ssize_t n = 0;
        bool is_good = hash && fd >= 0 && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

        while (is_good && (n = read(fd, bytes, sizeof(bytes))) > 0)
                is_good = EVP_DigestUpdate(hash, bytes, (size_t)n) == 1;
        is_good = is_good && n == 0 && EVP_DigestFinal_ex(hash, digest, &len) == 1;
        for (unsigned i = 0; is_good && i < len && r == 0; i++) {
                char hex[3];

                snprintf(hex, sizeof(hex), "%02x", digest[i]);
                r = buf_add_text(to, hex);
        }
        if (fd >= 0)
                close(fd);
        EVP_MD_CTX_free(hash);
        return is_good ? r : MUSTER_E_RESOURCE;
}

static int add_word(struct buf *to, struct muster_str word, const struct body_files *files,
                    const struct item *item, const char *path)
{
        struct muster_str id = id_of(item);
        char number[24];

        snprintf(number, sizeof(number), files->is_short ? "%06" PRIu64 : "%" PRIu64, item->n);
        if (str_is(word, "host"))
                return add_fit(to, host_of(muster_result_final_url(item->result)));
        if (str_is(word, "sha256"))
                return add_hash(to, path);
        if (str_is(word, "id") && id.len)
                return add_fit(to, id);
        return buf_add_text(to, number);
}

static int add_name(struct buf *to, const struct body_files *files, const struct item *item,
                    const char *path)
{
        const char *at = files->pattern, *open;
        int r = 0;

        while (r == 0 && (open = strchr(at, '{'))) {
                const char *close = strchr(open, '}');

                r = buf_add(to, at, (size_t)(open - at));
                if (r == 0)
                        r = add_word(to,
                                     (struct muster_str){ open + 1, (size_t)(close - open - 1) },
                                     files, item, path);
                at = close + 1;
        }
        if (r == 0)
                r = buf_add_text(to, at);
        return r == 0 ? buf_terminate(to) : r;
}

int body_files_name(const struct body_files *files, const struct item *item, struct buf *name,
                    struct muster_error *error)
{
        char path[4096];
        int sys = 0, r;

        own_name(files, item->n, path, sizeof(path));
        if (files->in_memory || access(path, F_OK) < 0)
                sys = write_from_memory(path, item->result);
        if (sys)
                return fail(path, "write the body to", sys, error);
        r = add_name(name, files, item, path) < 0 ? error_set_memory(error, MUSTER_PHASE_DELIVER)
                                                  : 0;
        if (r == 0)
                r = make_parents(name->at, error);
        if (r == 0 && rename(path, name->at) < 0)
                r = fail(name->at, "write the body to", errno, error);
        if (r < 0)
                unlink(path);
        else if (files->is_short)
                buf_drop_front(name, strlen(files->directory));
        return r == 0 ? buf_terminate(name) : r;
}
