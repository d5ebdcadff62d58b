/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "../exit_status.h"
#include "../ourselves.h"
#include <base/clock.h>
#include <base/error.h>
#include <base/words.h>
#include <errno.h>
#include <fcntl.h>
#include <muster/record.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS_MAX     10000           /* a server is not to be asked for more */
#define CONCURRENCY      64              /* as muster fetch has by itself */
#define CONCURRENCY_MAX  256             /* whatever the program had */
#define ROUNDS_NS        (10 * NS_PER_S) /* a round that takes longer is the only one */
#define DEADLINE_LEAST_S 10

/* --- a round --------------------------------------------------------------------------------- */

static int fail(struct muster_error *error, const char *what)
{
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "replay: cannot %s: %s", what, error_sys_text(errno));
}

static void become_fetch(char **argv)
{
        char path[PATH_MAX];
        sigset_t none;
        int null_fd = open("/dev/null", O_RDWR);

        setpgid(0, 0); /* a terminal's Ctrl-C comes to us, and ends both */
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
                dup2(null_fd, fd);
        if (ourselves_path(path))
                execv(path, argv);
        _exit(EXIT_COULD_NOT_RUN);
}

static int run_fetch(char **argv, struct muster_error *error)
{
        int status = 0;
        pid_t child;

        fflush(NULL);
        child = fork();
        if (child == 0)
                become_fetch(argv);
        if (child < 0)
                return fail(error, "start muster fetch");
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
                ;
        if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_SOME_FAILED)
                return 0;
        return error_set(error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, 0,
                "replay: muster fetch ended with status %d",
                WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* What one round took, from the record that it has left. */
static int read_round(struct replay *replay, const char *record, struct muster_error *error)
{
        struct muster_explanation *explanation;
        struct muster_run run;
        int r = muster_explain_file(&explanation, record, error);

        if (r < 0)
                return r;
        muster_explanation_run(explanation, &run, sizeof(run));
        muster_explanation_free(explanation);
        replay->wall_ns[replay->n_rounds++] = run.wall_ns;
        replay->n_requests = run.n_requests;
        replay->n_failed = run.n_failed;
        replay->n_refused = run.n_4xx + run.n_5xx;
        replay->cpu_ns = run.process_cpu_ns;
        return 0;
}

static int run_round(struct replay *replay, const char *list, const char *record,
        struct muster_error *error)
{
        char concurrency[24], deadline[32];
        uint64_t deadline_s = replay->program_ns / NS_PER_S * 2 + DEADLINE_LEAST_S;
        const char *const argv[] = { "muster", "fetch", "--input", list, "--output", "/dev/null",
                "--silent", "--force", "--record", record, "--concurrency", concurrency,
                "--deadline", deadline, NULL };

        snprintf(concurrency, sizeof(concurrency), "%llu", (unsigned long long)replay->concurrency);
        snprintf(deadline, sizeof(deadline), "%llus", (unsigned long long)deadline_s);
        if (run_fetch((char **)(uintptr_t)argv, error) < 0)
                return MUSTER_E_RESOURCE;
        return read_round(replay, record, error);
}

/* --- all of them ----------------------------------------------------------------------------- */

static int compare_ns(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

static void take_median(struct replay *replay)
{
        uint64_t sorted[REPLAY_ROUNDS];

        memcpy(sorted, replay->wall_ns, sizeof(sorted));
        qsort(sorted, replay->n_rounds, sizeof(sorted[0]), compare_ns);
        replay->median_ns = sorted[replay->n_rounds / 2];
}

static int write_list(struct replay *replay, const char *path, const char *record,
        struct muster_error *error)
{
        struct muster_record_kept kept;
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int r;

        if (fd < 0)
                return fail(error, "write the list of requests");
        r = muster_record_export_repeatable(record, fd, REQUESTS_MAX, &kept, error);
        close(fd);
        if (r < 0)
                return r;
        replay->n_requests = kept.n_written;
        replay->n_left_out = kept.n_left_out;
        replay->is_cut = kept.is_cut;
        return 0;
}

static void look_at_program(struct replay *replay, const struct muster_explanation *explanation)
{
        struct muster_run run;
        double most = 0;

        muster_explanation_run(explanation, &run, sizeof(run));
        muster_explanation_figure(explanation, "concurrency.max", &most);
        replay->program_ns = run.wall_ns - run.startup_ns - run.ending_ns;
        replay->program_cpu_ns = run.process_cpu_ns;
        replay->n_program_refused = run.n_4xx + run.n_5xx;
        replay->concurrency = most > CONCURRENCY_MAX ? CONCURRENCY_MAX
                              : most > CONCURRENCY   ? (uint64_t)most
                                                     : CONCURRENCY;
}

int replay_run(struct replay *replay, const struct place *place, const char *record,
        const struct muster_explanation *explanation, struct muster_error *error)
{
        char list[TEMPORARY_PATH_MAX + 16], own_record[TEMPORARY_PATH_MAX + 16];
        int r;

        *replay = (struct replay){ 0 };
        look_at_program(replay, explanation);
        snprintf(list, sizeof(list), "%s/list", place->folder);
        snprintf(own_record, sizeof(own_record), "%s/replay.db", place->folder);
        r = write_list(replay, list, record, error);
        if (r < 0 || !replay->n_requests)
                return r;
        do
                r = run_round(replay, list, own_record, error);
        while (r == 0 && replay->n_rounds < REPLAY_ROUNDS && replay->wall_ns[0] < ROUNDS_NS);
        if (r == 0)
                take_median(replay);
        return r;
}

/* --- showing --------------------------------------------------------------------------------- */

static void print_ratio(char text[80], const struct replay *replay)
{
        double ratio =
                replay->median_ns ? (double)replay->program_ns / (double)replay->median_ns : 0;

        if (ratio >= 2)
                snprintf(text, 80, ": %.*f times as fast", ratio < 10, ratio);
        else if (ratio > 1.1)
                snprintf(text, 80, ": %.0f %% less", 100 - 100 / ratio);
        else
                snprintf(text, 80, ": the program loses nothing that muster would gain");
}

static void print_limits(const struct replay *replay, const struct page *page)
{
        if (replay->n_left_out)
                page_paragraph(page, 2,
                        "%s left out, here but not in the time of the program: the method may change something, or there was a body or a header field of the program's own, which a record does not keep.",
                        words_counted(replay->n_left_out, "request is", "requests are").text);
        if (replay->is_cut)
                page_paragraph(page, 2, "Only the first %s are repeated.",
                        words_count(replay->n_requests).text);
        if (replay->n_failed)
                page_paragraph(page, 2, "%s here, so the times cannot be compared.",
                        words_counted(replay->n_failed, "request failed", "requests failed").text);
        else if (replay->n_refused > replay->n_program_refused)
                page_paragraph(page, 2,
                        "%s answered 4xx or 5xx here, %s in the program, so the times cannot be compared.",
                        words_counted(replay->n_refused, "request was", "requests were").text,
                        words_count(replay->n_program_refused).text);
}

void replay_print(const struct replay *replay, const struct page *page)
{
        char ratio[80];

        page_heading(page, "Replayed by muster");
        if (!replay->n_rounds) {
                page_paragraph(page, 2,
                        "Nothing: none of the requests was a GET or HEAD without a body and header fields of its own.");
                return;
        }
        print_ratio(ratio, replay);
        page_paragraph(page, 2,
                "The program's requests took %s; %s %s take %s here, %llu at a time%s.",
                words_ns(replay->program_ns).text,
                replay->n_left_out || replay->is_cut ? "of these" : "the same",
                words_count(replay->n_requests).text, words_ns(replay->median_ns).text,
                (unsigned long long)replay->concurrency, ratio);
        print_limits(replay, page);
        page_paragraph(page, 2,
                "Method and URL are the program's; header fields are muster's own. Median of %u %s.",
                replay->n_rounds, replay->n_rounds == 1 ? "round" : "rounds");
}

int replay_json(const struct replay *replay, struct buf *to)
{
        char text[600];
        int n = snprintf(text, sizeof(text),
                "\"replay\":{\"requests\":%llu,\"left_out\":%llu,\"concurrency\":%llu,\"rounds\":%u,\"program_s\":%.9g,\"median_s\":%.9g,\"failed\":%llu,\"answered_4xx_5xx\":%llu,\"wall_s\":[",
                (unsigned long long)replay->n_requests, (unsigned long long)replay->n_left_out,
                (unsigned long long)replay->concurrency, replay->n_rounds,
                (double)replay->program_ns / 1e9, (double)replay->median_ns / 1e9,
                (unsigned long long)replay->n_failed, (unsigned long long)replay->n_refused);
        int r = buf_add(to, text, (size_t)n);

        for (unsigned i = 0; r == 0 && i < replay->n_rounds; i++) {
                n = snprintf(text, sizeof(text), "%s%.9g", i ? "," : "",
                        (double)replay->wall_ns[i] / 1e9);
                r = buf_add(to, text, (size_t)n);
        }
        return r == 0 ? buf_add_text(to, "]}") : r;
}
