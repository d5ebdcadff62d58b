/* SPDX-License-Identifier: MIT */
/*
 * A program to be watched: what its modes share
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2 /* so that __recv_chk() and the like are called */

#include <netinet/in.h>
#include <stddef.h>

extern const char *subject_self, *subject_port;

extern const char request[];
extern const size_t request_size;

/* The result of a call that must not fail. */
#define CHECK(call) checked(#call, (long)(call))

int checked(const char *what, long result);
_Noreturn void fail(const char *what);

/* The server of the test. */
struct sockaddr_in server_address(void);
int connect_to(void);

/* Prints the response, which comes with a Content-Length, in one piece or two. */
void print_response(int fd);

/* Sends the request, prints the response. */
void ask(int fd);

/* Sends the request, receives with control data, and prints how much of that there was. Whether it is a stamp. */
int has_stamp(int fd);

/* subject_sockets.c */
int mode_get(void);
int mode_ways(void);
int mode_errors(void);
int mode_loop(void);
int mode_waits(void);
int mode_lookup(void);
int mode_serve(void);
int mode_dup(void);
int mode_close_all(void);
int mode_behind(void);
int mode_many(void);

/* subject_processes.c */
int mode_crash(void);
int mode_abort(void);
int mode_quick_exit(void);
int mode_exit(void);
int mode_handlers(void);
int mode_fork(void);
int mode_vfork(void);
int mode_spawn(void);
int mode_exec(void);
int mode_execle(void);
int mode_threads(void);
int mode_cancel(void);

/* subject_limits.c */
int mode_strict(void);
int mode_filter(void);
int mode_limits(void);
int mode_small_file(void);
int mode_full_disk(void);
int mode_goes_on(void);
int mode_lock(void);
int mode_late(void);
int mode_inherit(void);
int mode_inherited(void);
int mode_hello(void);
int mode_uring(void);
int mode_uring_of_files(void);
int mode_h2(void);
int mode_nothing(void);

#endif
