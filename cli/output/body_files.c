/* SPDX-License-Identifier: MIT */
#include "body_files.h"

#include "body_name.h"
#include "item.h"
#include "remote_name.h"
#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <http/field.h>
#include <http/url.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_on_file(const char *path, const char *what, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "resource: cannot %s %s: %s", what, path, strerrordesc_np(sys));
}

/* --- opening --------------------------------------------------------------------------------- */

/*
 * Make every folder above the last slash. `ret_made_at`: where in the path the first one ends that
 * was not there; else unchanged.
 */
static int make_parents(char *path, size_t *ret_made_at, struct muster_error *error)
{
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                int r;

                *slash = '\0';
                r = mkdir(path, 0777);
                if (r < 0 && errno != EEXIST) {
                        fail_on_file(path, "create the directory", errno, error);
                        *slash = '/';
                        return MUSTER_E_RESOURCE;
                }
                *slash = '/';
                if (r == 0 && !*ret_made_at)
                        *ret_made_at = (size_t)(slash - path);
        }
        return 0;
}

/* The innermost first, as far as they are empty. */
static void unmake_parents(char *path, size_t made_at)
{
        char *slash;

        while (made_at && (slash = strrchr(path, '/')) && slash >= path + made_at) {
                *slash = '\0';
                rmdir(path);
        }
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
        size_t len = strlen(directory), size = len + sizeof("/{n}.body");
        char *pattern = mem_alloc(size);

        while (len > 1 && directory[len - 1] == '/')
                len--;
        if (pattern)
                snprintf(pattern, size, "%.*s%s{n}.body", (int)len, directory,
                        directory[len - 1] == '/' ? "" : "/");
        return pattern;
}

int body_files_open(struct body_files *files, const char *spec, struct body_file_ways ways,
        bool in_memory, struct muster_error *error)
{
        bool is_short = !strchr(spec, '{');
        unsigned words = 0;
        int r = body_name_check(spec, &words, error);

        if (r < 0)
                return r;
        *files = (struct body_files){ .is_there = true,
                .in_memory = in_memory,
                .ways = ways,
                .is_short = is_short,
                .words = is_short ? BODY_NAME_N : words };
        files->pattern = is_short ? short_form(spec) : mem_strdup(spec);
        files->directory = files->pattern ? constant_directory(files->pattern) : NULL;
        if (!files->directory)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        r = make_parents(files->directory, &files->made_at, error);
        if (r == 0 && access(files->directory, W_OK | X_OK) < 0)
                r = fail_on_file(files->directory, "write into", errno, error);
        return r == 0 ? scratch_open(&files->scratch, files->directory, error) : r;
}

void body_files_begin(struct body_files *files)
{
        files->is_begun = true;
}

void body_files_close(struct body_files *files)
{
        scratch_close(&files->scratch);
        if (files->directory && !files->is_begun)
                unmake_parents(files->directory, files->made_at);
        name_set_deinit(&files->names);
        buf_deinit(&files->guarded);
        mem_free(files->pattern);
        mem_free(files->directory);
        *files = (struct body_files){ 0 };
}

/* --- until it is whole ----------------------------------------------------------------------- */

bool body_files_wants_requests(const struct body_files *files)
{
        return files->is_there && !files->in_memory;
}

int body_files_attach(const struct body_files *files, struct muster_request *request, uint64_t n,
        struct muster_error *error)
{
        char path[4096];

        scratch_file(&files->scratch, n, path, sizeof(path));
        return muster_request_set_sink_file(request, path) < 0
                       ? error_set_memory(error, MUSTER_PHASE_QUEUE)
                       : 0;
}

/* A body that came by the result, as that of an error does. */
static int write_from_memory(const char *path, const struct muster_result *result)
{
        const char *at = muster_result_body(result);
        size_t left = muster_result_body_size(result);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
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

/* --- its name -------------------------------------------------------------------------------- */

/* "example.com:8080" of a normalised URL. */
static struct muster_str host_of(const char *url)
{
        const char *at = strstr(url, "://");

        at = at ? at + 3 : url;
        return (struct muster_str){ at, strcspn(at, "/?") };
}

/* What the JSON of an id stands for; *ret_value, which holds the text, is to be dropped. */
static struct muster_str id_of(const struct item *item, json_t **ret_value)
{
        struct muster_str id = str_of(item->id);

        *ret_value = NULL;
        if (!id.len || id.at[0] != '"')
                return id; /* a number is what it is written as */
        *ret_value = json_loadb(id.at, id.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        return (struct muster_str){ json_string_value(*ret_value), json_string_length(*ret_value) };
}

#define HEX_BYTES (2 * 32 + 1) /* of SHA-256, terminated */

static int hash_file(const char *path, char hex[HEX_BYTES])
{
        EVP_MD_CTX *hash = EVP_MD_CTX_new();
        unsigned char digest[EVP_MAX_MD_SIZE], bytes[65536];
        unsigned len = 0;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = 0;
        bool is_good = hash && fd >= 0 && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1;

        while (is_good && (n = read(fd, bytes, sizeof(bytes))) > 0)
                is_good = EVP_DigestUpdate(hash, bytes, (size_t)n) == 1;
        is_good = is_good && n == 0 && EVP_DigestFinal_ex(hash, digest, &len) == 1;
        for (unsigned i = 0; is_good && i < len && 2 * i + 2 < HEX_BYTES; i++)
                snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        if (fd >= 0)
                close(fd);
        EVP_MD_CTX_free(hash);
        return is_good ? 0 : MUSTER_E_RESOURCE;
}

/* What the server calls it; nothing where it does not say, or nobody asked. */
static int add_servers_name(struct buf *to, const struct body_files *files, const struct item *item)
{
        struct muster_str value;

        if (!files->ways.asks_response || !(files->words & BODY_NAME_REMOTE_NAME))
                return 0;
        value = muster_result_header(item->result, "content-disposition");
        return value.len ? remote_name_of_disposition(to, value) : 0;
}

#define NO_REMOTE_NAME 2 /* beside BODY_NAME_TOO_LONG */

/* `path`: of the body, where the name needs its hash. */
static int add_name(struct buf *to, const struct body_files *files, const struct item *item,
        struct muster_str remote_name, const char *path)
{
        char hex[HEX_BYTES] = "";
        struct body_name name = {
                .n = item->n, .pads_n = files->is_short, .remote_name = remote_name
        };
        json_t *id;
        int r = 0;

        if ((files->words & BODY_NAME_REMOTE_NAME) && !remote_name.len)
                return NO_REMOTE_NAME;
        if (files->words & BODY_NAME_HOST)
                name.host = host_of(muster_result_final_url(item->result));
        if (files->words & BODY_NAME_SHA256)
                r = hash_file(path, hex);
        name.sha256 = str_of(hex);
        name.id = id_of(item, &id);
        if (r == 0)
                r = body_name_add(to, files->pattern, &name);
        json_decref(id);
        return r;
}

/*
 * Numbers differ, and files of the same hash are the same: only other words may name two items
 * alike.
 */
static bool may_collide(const struct body_files *files)
{
        return files->words != BODY_NAME_N && !(files->words & BODY_NAME_SHA256);
}

/* {host}, {sha256} and what the server calls it are known only with the response. */
static bool is_known_before(const struct body_files *files)
{
        unsigned later = BODY_NAME_HOST | BODY_NAME_SHA256;

        if (files->ways.asks_response)
                later |= BODY_NAME_REMOTE_NAME;
        return !(files->words & later);
}

/* Say why add_name() made none, with what it returned. */
static int fail_on_name(int r, const struct buf *name, struct muster_error *error)
{
        if (r == BODY_NAME_TOO_LONG)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_DELIVER, 0,
                        "input: a part of the body's file name is longer than 255 bytes: %.60s...; shorten --body",
                        name->at);
        if (r == NO_REMOTE_NAME)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_DELIVER, 0,
                        "input: the URL's path ends without a file name; name files by number with --body 'DIR/{n}'");
        return error_set_memory(error, MUSTER_PHASE_DELIVER);
}

#define NAME_SHOWN_MAX 150 /* of a name: what to do has to fit as well */

/* What to do where two items would have one name. */
static const char *way_out(const struct body_files *files)
{
        return files->words & BODY_NAME_REMOTE_NAME
                       ? "tell them apart with --body 'DIR/{n}-{remote_name}'"
                       : "give each its own id, or add {n} to --body";
}

/* --- files of the run itself ----------------------------------------------------------------- */

struct guarded_file {
        struct file_place place;
        const char *what;
};

int body_files_guard(struct body_files *files, struct file_place place, const char *what)
{
        const struct guarded_file file = { place, what };

        return buf_add(&files->guarded, &file, sizeof(file));
}

/* The item's own: what was sent is not replaced by what came back. */
static int check_sent(const struct item *item, const struct buf *name,
        const struct file_place *place, struct muster_error *error)
{
        const struct buf *sent = &item->sent_files;

        for (size_t at = 0; at < sent->len; at += strlen(sent->at + at) + 1) {
                struct file_place one = file_place_of_path(sent->at + at);

                if (file_place_is_same(place, &one))
                        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_DELIVER, 0,
                                "input: the body's file %.*s is one that this request sends; have bodies in a directory of their own",
                                NAME_SHOWN_MAX, name->at);
        }
        return 0;
}

static int check_guarded(const struct body_files *files, const struct item *item,
        const struct buf *name, struct muster_error *error)
{
        const struct guarded_file *guarded = (const void *)files->guarded.at;
        struct file_place place = file_place_of_path(name->at);

        for (size_t i = 0; i < files->guarded.len / sizeof(*guarded); i++)
                if (file_place_is_same(&place, &guarded[i].place))
                        return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_DELIVER, 0,
                                "input: the body's file %.*s is %s of this run; have bodies in a directory of their own",
                                NAME_SHOWN_MAX, name->at, guarded[i].what);
        return check_sent(item, name, &place, error);
}

/* --- taking one ------------------------------------------------------------------------------ */

/* Take it, so that nobody else gets it. */
static int take_name(struct body_files *files, const struct buf *name, struct muster_error *error)
{
        int r = may_collide(files) ? name_set_add(&files->names, buf_str(name)) : 0;

        if (r == NAME_SET_HAS_IT)
                return error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_DELIVER, 0,
                        "input: an earlier request has the same body file, %.*s; %s",
                        NAME_SHOWN_MAX, name->at, way_out(files));
        return r < 0 ? error_set_memory(error, MUSTER_PHASE_DELIVER) : 0;
}

/* Names that are known before are taken when their items are met. */
int body_files_take_old(struct body_files *files, const char *name)
{
        if (!may_collide(files) || is_known_before(files))
                return 0;
        return name_set_add(&files->names, str_of(name)) < 0 ? MUSTER_E_RESOURCE : 0;
}

/* Else the request fails on it, with words of its own. */
static bool is_url(const char *text)
{
        struct muster_error unused = { 0 };
        struct url url = { 0 };
        int r = url_parse(&url, str_of(text), NULL, &unused);

        url_deinit(&url);
        return r == 0;
}

int body_files_reserve(struct body_files *files, const struct item *item, const char *url,
        struct muster_error *error)
{
        struct buf name = { 0 };
        int r;

        if (!files->is_there || !is_known_before(files) || files->words == BODY_NAME_N)
                return 0;
        r = add_name(&name, files, item, remote_name_of_url(url), "");
        if (r == NO_REMOTE_NAME && !is_url(url)) {
                r = 0;
        } else if (r != 0) {
                r = fail_on_name(r, &name, error);
        } else {
                r = check_guarded(files, item, &name, error);
                if (r == 0)
                        r = take_name(files, &name, error);
        }
        buf_deinit(&name);
        return r;
}

/*
 * Where there is no file of that name yet, by one step. File systems that have no such step have
 * links.
 */
static int rename_to_new(const char *path, const char *name)
{
        if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL && errno != ENOSYS)
                return -1;
        return link(path, name) < 0 ? -1 : unlink(path);
}

/* What a server chooses is not to take the place of what was there, as with curl. */
static int rename_to(const char *path, const char *name, bool is_servers,
        struct muster_error *error)
{
        int r = is_servers ? rename_to_new(path, name) : rename(path, name);

        if (r == 0)
                return 0;
        if (is_servers && errno == EEXIST)
                return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, EEXIST,
                        "resource: the server chose the name of a file that is there, %.120s; move that away (--force is for -o alone), or use another --output-dir",
                        name);
        return fail_on_file(name, "write the body to", errno, error);
}

/* The name is there; the file `path` gets it. */
static int move_to(struct body_files *files, const struct item *item, const char *path,
        struct buf *name, bool is_servers, struct muster_error *error)
{
        size_t made_at = 0;
        int r = check_guarded(files, item, name, error);

        if (r == 0 && !is_known_before(files))
                r = take_name(files, name, error);
        if (r == 0)
                r = make_parents(name->at, &made_at, error);
        if (r == 0)
                r = rename_to(path, name->at, is_servers, error);
        if (r < 0 && made_at)
                unmake_parents(name->at, made_at);
        return r;
}

/* The file gets the time that the server says its content is of, if it says one. */
static int set_time(const char *path, const struct muster_result *result,
        struct muster_error *error)
{
        struct muster_str value = muster_result_header(result, "last-modified");
        struct timespec times[2] = { 0 };
        int64_t time_s;

        if (!value.len || !field_date(value, &time_s))
                return 0;
        times[0].tv_sec = times[1].tv_sec = time_s;
        return utimensat(AT_FDCWD, path, times, 0) < 0
                       ? fail_on_file(path, "set the time of", errno, error)
                       : 0;
}

/* The body is a file, the one that it will be but for its name. */
static int finish_file(const struct body_files *files, const struct item *item, const char *path,
        struct muster_error *error)
{
        int sys = 0;

        if (files->in_memory || access(path, F_OK) < 0)
                sys = write_from_memory(path, item->result);
        if (sys)
                return fail_on_file(path, "write the body to", sys, error);
        return files->ways.keeps_time ? set_time(path, item->result, error) : 0;
}

int body_files_name(struct body_files *files, const struct item *item, struct buf *name,
        struct muster_error *error)
{
        const char *url = muster_result_url(item->result);
        struct buf servers = { 0 };
        char path[4096];
        int r;

        scratch_file(&files->scratch, item->n, path, sizeof(path));
        r = finish_file(files, item, path, error);
        if (r == 0) {
                r = add_servers_name(&servers, files, item);
                if (r == 0)
                        r = add_name(name, files, item,
                                servers.len ? buf_str(&servers) : remote_name_of_url(url), path);
                r = r == 0 ? move_to(files, item, path, name, servers.len > 0, error)
                           : fail_on_name(r, name, error);
        }
        if (r < 0)
                unlink(path);
        buf_deinit(&servers);
        return r;
}
