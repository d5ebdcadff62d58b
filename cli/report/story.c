/* SPDX-License-Identifier: MIT */
#include "story.h"

#include "../option/standard.h"
#include <base/error.h>
#include <base/words.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, int sys, struct muster_error *error)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_DELIVER, sys,
                "cannot write the trace to %s: %s", path, strerrordesc_np(sys));
}

/* A new file, or one as it is. */
static FILE *open_file(struct story *story, const char *path)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        FILE *file;

        story->path = path;
        story->is_new = fd >= 0;
        if (fd < 0)
                fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        file = fd >= 0 ? fdopen(fd, "w") : NULL;
        if (!file && fd >= 0)
                close(fd);
        return file;
}

int story_open(struct story *story, bool is_verbose, const char *path, struct muster_error *error)
{
        *story = (struct story){ 0 };
        if (is_verbose)
                story->to[0] = stderr;
        if (!path)
                return 0;
        story->to[1] = path_is_standard(path) ? stdout : open_file(story, path);
        return story->to[1] ? 0 : fail(path, errno, error);
}

int story_begin(struct story *story, struct muster_error *error)
{
        struct stat status;

        story->is_begun = true;
        if (!story->path || fstat(fileno(story->to[1]), &status) < 0 || !S_ISREG(status.st_mode) ||
                ftruncate(fileno(story->to[1]), 0) == 0)
                return 0;
        return fail(story->path, errno, error);
}

/* The phases that took any time, in the order of a request's life. */
static void tell_phases(FILE *to, const struct muster_result *result)
{
        const char *before = ": ";

        for (int i = 0; i < MUSTER_N_PHASES; i++) {
                enum muster_phase phase = phase_in_order(i);
                uint64_t ns = muster_result_phase_ns(result, phase);

                if (ns < 1000)
                        continue;
                fprintf(to, "%s%s %s", before, muster_phase_name(phase), words_ns(ns).text);
                before = ", ";
        }
}

static void tell_end(FILE *to, const struct result_line *line)
{
        const struct muster_result *result = line->result;

        if (line->error)
                fprintf(to, "* failed: %s\n", line->error->text);
        if (!result)
                return;
        fputs("* ", to);
        if (muster_result_status(result))
                fprintf(to, "%d, ", muster_result_status(result));
        fprintf(to, "%" PRIu64 " bytes in %s", muster_result_wire_bytes(result),
                words_ns(muster_result_total_ns(result)).text);
        tell_phases(to, result);
        fputc('\n', to);
        if (*muster_result_warning(result))
                fprintf(to, "* %s\n", muster_result_warning(result));
}

static void tell_on(FILE *to, const struct result_line *line)
{
        const struct muster_result *result = line->result;

        fprintf(to, "== %" PRIu64, line->n);
        if (result)
                fprintf(to, ": %s %s", muster_result_method(result),
                        *muster_result_final_url(result) ? muster_result_final_url(result)
                                                         : muster_result_url(result));
        fputc('\n', to);
        if (result)
                fputs(muster_result_heads(result), to);
        tell_end(to, line);
        fputc('\n', to);
}

void story_tell(struct story *story, const struct result_line *line)
{
        for (int i = 0; i < 2; i++)
                if (story->to[i])
                        tell_on(story->to[i], line);
}

int story_close(struct story *story, struct muster_error *error)
{
        FILE *file = story->to[1];
        int sys = 0;

        if (file && story->is_new && !story->is_begun)
                unlink(story->path);
        *story = (struct story){ 0 };
        if (!file)
                return 0;
        if (fflush(file) != 0 || ferror(file))
                sys = errno ? errno : EIO;
        if (file != stdout && fclose(file) != 0 && !sys)
                sys = errno;
        return sys ? fail("the file of --trace", sys, error) : 0;
}
