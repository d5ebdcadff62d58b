/* SPDX-License-Identifier: MIT */
/*
 * A command in its own process, and the talk with it over three pipes
 *
 * It belongs to the thread that talks with it, which waits in poll(2) until there is an end of any
 * kind: the command's, the time's, or ours. It is the leader of a process group, and what it leaves
 * behind in it is killed with it.
 *
 *      in  ──▶ standard input  ┐
 *      out ◀── standard output ├ sh -c COMMAND
 *      err ◀── standard error  ┘ of which the first line is kept, to say it when things go wrong
 */
#ifndef CLI_PROCESS_CHILD_H
#define CLI_PROCESS_CHILD_H

#include <base/buf.h>
#include <sys/types.h>

#define CHILD_ERR_LINE_MAX 160 /* what an error's text has room for */

/* Zeroed: none runs. */
struct child {
        pid_t pid;                 /* 0: none */
        int pid_fd;                /* readable when it is over; -1: it has to be asked */
        int in_fd, out_fd, err_fd; /* -1: closed */
        struct buf out;            /* what it has written since the talk began */
        size_t n_looked_through;   /* of that, without finding the end of a line */
        char err_line[CHILD_ERR_LINE_MAX];
        size_t err_len;
        bool err_is_whole;
        unsigned place; /* in the table of those that run; 0: none */
};

/* What is said, and what is awaited. */
struct child_talk {
        struct muster_str in;
        bool wants_line;     /* one line, and more may be said later; else all, and it may end */
        uint64_t timeout_ns; /* UINT64_MAX: none */
        uint64_t max_output_bytes; /* of the answer */
        int stop_fd;               /* readable: leave it, at once */
};

/* How a talk went. */
enum child_outcome {
        CHILD_ANSWERED,  /* a line, and perhaps more, is in `out` */
        CHILD_ENDED,     /* by itself; all that it wrote is in `out` */
        CHILD_CLOSED,    /* it lives, but will answer nothing any more */
        CHILD_TIMED_OUT, /* the time was up */
        CHILD_TOO_MUCH,  /* more than the answer may have */
        CHILD_STOPPED,   /* we are to leave it */
        CHILD_NO_MEMORY,
};

/* Run `sh -c command`. MUSTER_E_RESOURCE with *error. */
int child_start(struct child *child, const char *command, char *const *environment,
        struct muster_error *error);

enum child_outcome child_talk(struct child *child, const struct child_talk *talk);

/* Between two talks. */
enum child_state {
        CHILD_IS_READY,
        CHILD_IS_GONE,    /* none was started, or it has ended or closed a pipe */
        CHILD_HAS_SPOKEN, /* it wrote something that was not asked for */
};
enum child_state child_look(const struct child *child);

/* Close its standard input; ask its group to end. Neither waits. */
void child_say_end(struct child *child);
void child_terminate(const struct child *child);

/* Has the process ended? It is still to be waited for: child_end(). */
bool child_is_over(const struct child *child);

/*
 * Kill what is left of its group, and wait for it. Its status, as waitpid(2) has it. May be called
 * twice; `out` stays.
 */
int child_end(struct child *child);

/* The same, and release the memory. */
void child_deinit(struct child *child);

/* In words, how a talk went: `status` is what child_end() said. */
void child_explain(const struct child *child, const struct child_talk *talk,
        enum child_outcome outcome, int status, char *text, size_t size);

/*
 * Kill all that run, of every thread, and wait for none: for a signal handler, right before the
 * program leaves.
 */
void child_kill_all(void);

#endif
