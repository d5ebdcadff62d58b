/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include <base/error.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* "name   value" without blanks around either. */
static void cut_line(struct muster_str line, struct muster_str *ret_name,
        struct muster_str *ret_value)
{
        size_t at = 0;

        while (at < line.len && line.at[at] != ' ' && line.at[at] != '\t')
                at++;
        *ret_name = (struct muster_str){ line.at, at };
        *ret_value = str_trim(str_after(line, at));
}

static int apply_line(struct muster_str line, struct lab_config *config, struct muster_error *error)
{
        const struct config_setting *setting;
        struct muster_str name, value;

        cut_line(line, &name, &value);
        setting = config_find(name);
        if (!setting)
                return error_set(error, MUSTER_E_INVALID, MUSTER_PHASE_QUEUE, 0,
                        "unknown setting (muster lab --help lists them; leave out the dashes)");
        return config_set(config, setting, value, error);
}

int scenario_parse(const char *file, struct muster_str text, struct lab_config *config,
        struct muster_error *error)
{
        struct muster_str rest = text, line;

        for (unsigned n = 1; rest.len && str_split(&rest, '\n', &line); n++) {
                struct muster_error reason = { 0 };
                int r;

                if (line.len && line.at[line.len - 1] == '\r')
                        line.len--;
                line = str_trim(line);
                if (!line.len || line.at[0] == '#')
                        continue;
                r = apply_line(line, config, &reason);
                if (r < 0) {
                        struct muster_str name, value;

                        cut_line(line, &name, &value);
                        return error_set(error, r, MUSTER_PHASE_QUEUE, 0, "%s:%u: %.*s: %s", file,
                                n, name.len < 40 ? (int)name.len : 40, name.at, reason.text);
                }
        }
        return 0;
}

static int read_all(int fd, struct buf *text)
{
        for (;;) {
                ssize_t n;

                if (text->len > SCENARIO_BYTES_MAX)
                        return EFBIG;
                if (buf_reserve(text, 4096) < 0)
                        return ENOMEM;
                n = read(fd, text->at + text->len, 4096);
                if (n < 0)
                        return errno;
                if (n == 0)
                        return 0;
                text->len += (size_t)n;
        }
}

int scenario_read(const char *file, struct lab_config *config, struct muster_error *error)
{
        struct buf text = { 0 };
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        int sys = fd < 0 ? errno : read_all(fd, &text);
        int r = 0;

        if (fd >= 0)
                close(fd);
        if (sys)
                r = error_set(error, MUSTER_E_INPUT, MUSTER_PHASE_QUEUE, sys,
                        "cannot read the scenario %s: %s", file, error_sys_text(sys));
        else
                r = scenario_parse(file, buf_str(&text), config, error);
        buf_deinit(&text);
        return r;
}
