/* SPDX-License-Identifier: MIT */
#include "login.h"

#include <base/error.h>
#include <base/mem.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_BYTES_MAX 1024

static struct login_options *login_at(void *settings, const struct option *option)
{
        return (struct login_options *)(void *)((char *)settings + option->offset);
}

static char *free_secret(char *text)
{
        if (text)
                explicit_bzero(text, strlen(text));
        return mem_free(text);
}

void login_options_deinit(struct login_options *login)
{
        free_secret(login->user);
        free_secret(login->password);
        free_secret(login->bearer);
        mem_free(login->netrc_path);
        *login = (struct login_options){ 0 };
}

/* --- setters --------------------------------------------------------------------------------- */

int login_set_user(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct login_options *login = login_at(settings, option);
        const char *colon = strchr(value, ':');

        free_secret(login->user);
        login->password = free_secret(login->password);
        login->user = mem_strndup(value, colon ? (size_t)(colon - value) : strlen(value));
        if (colon)
                login->password = mem_strdup(colon + 1);
        return login->user && (login->password || !colon)
                       ? 0
                       : error_set_memory(error, MUSTER_PHASE_QUEUE);
}

int login_set_bearer(void *settings, const struct option *option, const char *value,
        struct muster_error *error)
{
        struct login_options *login = login_at(settings, option);

        if (!*value)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "the token is empty");
        free_secret(login->bearer);
        login->bearer = mem_strdup(value);
        return login->bearer ? 0 : error_set_memory(error, MUSTER_PHASE_QUEUE);
}

/* --- asking for a password ------------------------------------------------------------------- */

/* Read a line without its end. False: there is none. */
static bool read_line(int fd, char line[PASSWORD_BYTES_MAX])
{
        ssize_t n;

        do
                n = read(fd, line, PASSWORD_BYTES_MAX - 1);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
                return false;
        line[n] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        return true;
}

/* Ask without showing what is typed. NULL: there was no answer. */
static char *ask(int terminal, const char *user)
{
        char line[PASSWORD_BYTES_MAX], *password = NULL;
        struct termios before, silent;

        if (tcgetattr(terminal, &before) < 0)
                return NULL;
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        dprintf(terminal, "Enter host password for user '%s': ", user);
        (void)tcsetattr(terminal, TCSAFLUSH, &silent);
        if (read_line(terminal, line))
                password = mem_strdup(line);
        (void)tcsetattr(terminal, TCSAFLUSH, &before);
        dprintf(terminal, "\n");
        explicit_bzero(line, sizeof(line));
        return password;
}

static int ask_password(struct login_options *login, struct muster_error *error)
{
        int terminal = isatty(STDERR_FILENO) ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;

        if (terminal >= 0) {
                login->password = ask(terminal, login->user);
                close(terminal);
        }
        if (login->password)
                return 0;
        return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                "--user: \"%s\" has no password, and there is no terminal to ask for it; write USER:PASSWORD",
                login->user);
}

/* --- the netrc file -------------------------------------------------------------------------- */

static int find_netrc(struct login_options *login, struct muster_error *error)
{
        const char *home = getenv("HOME");
        const struct passwd *entry = home && *home ? NULL : getpwuid(geteuid());
        char *path;

        if (entry)
                home = entry->pw_dir;
        if (!home || !*home)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "--netrc: there is no home directory; use --netrc-file FILE");
        if (asprintf(&path, "%s/.netrc", home) < 0)
                return error_set_memory(error, MUSTER_PHASE_QUEUE);
        login->netrc_path = mem_strdup(path);
        free(path);
        return login->netrc_path ? 0 : error_set_memory(error, MUSTER_PHASE_QUEUE);
}

int login_finish(struct login_options *login, struct muster_error *error)
{
        int r = login->wants_netrc ? find_netrc(login, error) : 0;

        return r == 0 && login->user && !login->password ? ask_password(login, error) : r;
}

/* --- out of sight ---------------------------------------------------------------------------- */

bool login_is_secret(const char *option_name)
{
        static const char *const names[] = { "user", "proxy-user", "oauth2-bearer" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(option_name, names[i]) == 0)
                        return true;
        return false;
}
