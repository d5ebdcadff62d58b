/* SPDX-License-Identifier: MIT */
/*
 * How it works: a private folder gets links to the parts, the program runs with an environment that
 * has it load them, and what they have written is read when it is over. Its exit status is ours,
 * whatever becomes of the page.
 */
#include "../command.h"

#include "../option/standard.h"
#include "changed.h"
#include "leave.h"
#include "options.h"
#include "replay.h"
#include "session.h"
#include <base/clock.h>
#include <base/error.h>
#include <errno.h>
#include <stdio.h>

struct watch {
        struct watch_options options;
        struct session_options session_options;
        struct parts parts;
        struct session session;
        struct leave leave;
        FILE *to; /* where the page goes */
        struct page page;
        struct replay replay;
        struct changed changed;
        struct proofs proofs;
        struct muster_error error;
};

static int help(void)
{
        printf("usage: muster watch [options] -- COMMAND [ARG...]\n\n"
               "Run COMMAND unchanged, see what it does with HTTP, and say why it is slow, which line of it to change\n"
               "and what that would gain. The page goes to standard error when the program is over.\n");
        option_help(watch_option_tables, stdout);
        printf("\nExit status: that of COMMAND, 128 + N where signal N ended it; 2 usage error, 3 could not watch, 126 COMMAND\n"
               "cannot be run, 127 not found. See muster-watch(1).\n");
        return EXIT_ALL_SUCCEEDED;
}

/* --- proofs ---------------------------------------------------------------------------------- */

/* They say what they could not do, and the page is there without them. */
static void replay(struct watch *watch)
{
        const struct session *session = &watch->session;
        struct muster_error error = { 0 };

        if (!watch->options.replays || !session->outcome.explanation)
                return;
        leave_begin(&watch->leave, &watch->session.place);
        if (replay_run(&watch->replay, &session->place,
                    session_record(session, &watch->session_options), session->outcome.explanation,
                    &error) < 0)
                error_tell(&error);
        else
                watch->proofs.replay = &watch->replay;
        leave_end(&watch->leave);
        if (watch->proofs.replay && !watch->options.wants_json)
                replay_print(&watch->replay, &watch->page);
}

static void confirm(struct watch *watch)
{
        struct muster_error error = { 0 };

        if (!watch->options.changed)
                return;
        fflush(watch->to); /* the program may write to the same file */
        if (changed_run(&watch->changed, watch->options.changed, &watch->session, &watch->parts,
                    &watch->session_options, &error) < 0) {
                error_tell(&error);
                return;
        }
        watch->proofs.changed = &watch->changed;
        if (!watch->options.wants_json)
                changed_print(&watch->changed, &watch->page);
}

/* --- the page -------------------------------------------------------------------------------- */

static int open_page(struct watch *watch)
{
        const char *path = watch->options.output;

        if (!path)
                watch->to = stderr;
        else if (path_is_standard(path))
                watch->to = stdout;
        else
                watch->to = fopen(path, "we");
        if (!watch->to)
                return error_set(&watch->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                        "cannot write %s: %s", path, error_sys_text(errno));
        watch->page = page_on(watch->to);
        return 0;
}

static int write_object(struct watch *watch)
{
        struct buf text = { 0 };
        int r = outcome_json(&watch->session.outcome, &watch->proofs, &text);

        if (r == 0)
                fwrite(text.at, 1, text.len, watch->to);
        buf_deinit(&text);
        return r == 0 ? 0 : error_set_memory(&watch->error, MUSTER_PHASE_QUEUE);
}

static int close_page(struct watch *watch, int r)
{
        bool is_good = !ferror(watch->to);

        if ((watch->to == stderr || watch->to == stdout ? fflush(watch->to) : fclose(watch->to)) !=
                0)
                is_good = false;
        if (r < 0 || is_good)
                return r;
        return error_set(&watch->error, MUSTER_E_RESOURCE, MUSTER_PHASE_QUEUE, errno,
                "cannot write %s: %s", watch->options.output ? watch->options.output : "the page",
                error_sys_text(errno));
}

/* A page is there before anything is proven, which may take a while; the object has all in it. */
static int show(struct watch *watch)
{
        int r = open_page(watch);

        if (r < 0)
                return r;
        if (!watch->options.wants_json) {
                leave_begin(&watch->leave, &watch->session.place);
                outcome_print(&watch->session.outcome, &watch->page);
                fflush(watch->to);
                leave_end(&watch->leave);
        }
        replay(watch);
        confirm(watch);
        if (watch->options.wants_json)
                r = write_object(watch);
        return close_page(watch, r);
}

/* --- the whole ------------------------------------------------------------------------------- */

static int read_session(struct watch *watch)
{
        int r;

        leave_begin(&watch->leave, &watch->session.place);
        r = session_read(&watch->session, &watch->session_options, &watch->error);
        leave_end(&watch->leave);
        return r;
}

static int run_watch(struct watch *watch)
{
        const struct watch_options *options = &watch->options;
        int r = parts_find(&watch->parts, &watch->error);

        watch->session_options = (struct session_options){
                .no_hooks = options->no_hooks,
                .no_filter = options->no_filter,
                .for_ns = options->for_ms * NS_PER_MS,
                .record = options->record,
                .replaces = options->replaces,
                .only_records = options->is_silent,
        };
        if (r == 0)
                r = session_run(&watch->session, options->command, &watch->parts,
                        &watch->session_options, &watch->error);
        if (r < 0)
                return error_tell(&watch->error);
        if (r == SUBJECT_NOT_RUN)
                return session_tell_not_run(&watch->session);
        r = read_session(watch);
        if (r == 0 && !options->is_silent)
                r = show(watch);
        if (r < 0)
                error_tell(&watch->error);
        return subject_exit_status(&watch->session.subject);
}

int watch_main(int argc, char **argv)
{
        struct watch watch = { .session = { .place = { .lock_fd = -1 }, .lookout = LOOKOUT_NONE } };
        int r = watch_options_parse(&watch.options, argc, argv, &watch.error);
        int status;

        if (r == OPTION_HELP)
                status = help();
        else if (r < 0)
                status = error_tell(&watch.error);
        else
                status = run_watch(&watch);
        session_deinit(&watch.session);
        return status;
}
