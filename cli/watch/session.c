/* SPDX-License-Identifier: MIT */
#include "session.h"

#include <base/error.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STATUS_NOT_FOUND  127 /* as of a shell */
#define STATUS_CANNOT_RUN 126

static int prepare(struct session *session, char **argv, const struct parts *parts,
        const struct session_options *options, struct muster_error *error)
{
        int r;

        session->executable = executable_look(argv[0]);
        r = place_init(&session->place, parts, options->no_hooks, error);
        if (r == 0)
                r = muster_watch_new(&session->reader, error);
        if (r == 0)
                r = surroundings_init(&session->surroundings, &session->place,
                        !executable_takes_shim(&session->executable), error);
        return r;
}

int session_run(struct session *session, char **argv, const struct parts *parts,
        const struct session_options *options, struct muster_error *error)
{
        int r;

        *session = (struct session){ .place = { .lock_fd = -1 }, .lookout = LOOKOUT_NONE };
        r = prepare(session, argv, parts, options, error);
        if (r < 0)
                return r;
        session->subject = (struct subject){
                .argv = argv,
                .environment = session->surroundings.list,
                .place = &session->place,
                .for_ns = options->for_ns,
                .is_wanted_outside = !options->no_filter,
                .is_outside = executable_is_seen_outside(session->executable.kind),
                .image = executable_image(session->executable.kind),
                .path = session->executable.path,
                .lookout = &session->lookout,
                .is_apart = options->is_apart,
                .output_fd = options->output_fd,
                .error_fd = options->error_fd,
        };
        session->outcome.subject = &session->subject;
        session->outcome.executable = &session->executable;
        session->outcome.lookout = &session->lookout;
        return subject_run(&session->subject, error);
}

const char *session_record(const struct session *session, const struct session_options *options)
{
        return options->record ? options->record : session->record;
}

int session_read(struct session *session, const struct session_options *options,
        struct muster_error *error)
{
        struct outcome *outcome = &session->outcome;
        int r;

        snprintf(session->record, sizeof(session->record), "%s/run.db", session->place.folder);
        outcome->n_alive = place_each_process(&session->place, NULL, NULL);
        r = muster_watch_read(session->reader, session->place.folder,
                &(struct muster_watch_options){ .size = sizeof(struct muster_watch_options),
                        .file = session_record(session, options),
                        .overwrite = options->replaces,
                        .has_ended = subject_ended_by_itself(&session->subject) },
                &outcome->why);
        if (r < 0 && options->record && r != MUSTER_E_INPUT)
                return error_set(error, r, MUSTER_PHASE_QUEUE, 0, "--record: %s",
                        outcome->why.text);
        if (r == 0 && !options->only_records)
                muster_explain_file(&outcome->explanation, session_record(session, options),
                        &outcome->why);
        return 0;
}

void session_deinit(struct session *session)
{
        session->outcome.explanation = muster_explanation_free(session->outcome.explanation);
        session->reader = muster_watch_free(session->reader);
        surroundings_deinit(&session->surroundings);
        lookout_deinit(&session->lookout);
        place_deinit(&session->place);
}

int session_tell_not_run(const struct session *session)
{
        const char *name = session->subject.argv[0];
        int why = session->subject.could_not_run_errno;

        fprintf(stderr, "muster: cannot run %s: %s\n", name, error_sys_text(why));
        if (why == ENOENT && strchr(name, ' '))
                fprintf(stderr,
                        "muster: write its words apart, or have a shell run them: muster watch -- sh -c '%s'\n",
                        name);
        return why == ENOENT || why == ENOTDIR ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
}
