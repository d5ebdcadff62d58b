/* SPDX-License-Identifier: MIT */
/*
 * muster._engine: libmuster as Python sees it
 *
 *      module.c        the module: what the Python half gives it, errors
 *      options.c       dictionaries to structs of options
 *      jobs.c          a request that was submitted, and whose object it carries
 *      engine.c        Engine: submit, wait, take
 *      request.c       what one request asks for
 *      response.c      Response: a result, read on demand
 *      jar.c           Jar and HSTS: what clients share
 *      stream.c        Stream: an iterable of URLs or requests in, responses out
 *      explain.c       what an explanation says, as dictionaries
 *      arrow.c         columns as a stream of Apache Arrow
 *      json.h          process="json": json_read.c on the engine's workers, json_scan.c what it is made
 *                      of, json_value.c the objects
 *
 * What people call is written in Python (../muster); here is only what must be fast, or must let
 * other threads run while it waits. The module is for one interpreter: its state is static.
 */
#ifndef MUSTER_PYTHON_ENGINE_H
#define MUSTER_PYTHON_ENGINE_H

#include "limited.h"

#include <muster/explain.h>
#include <muster/muster.h>
#include <stdbool.h>

/* --- module.c -------------------------------------------------------------------------------- */

/* What muster/__init__.py gives the module before anything else is used. */
struct module_state {
        PyTypeObject *engine_type, *stream_type, *base_response_type, *jar_type, *hsts_type;
        PyTypeObject *response_type; /* the class in Python that derives from it */
        unsigned
                n_forks; /* how often this process has been forked from another since it loaded this */
        PyObject *make_error; /* (code, stage, errno, text, response or None) -> an exception */
};

extern struct module_state module_state;

/*
 * Set a Python exception for an error of the library. `response` NULL: none. Always returns NULL.
 */
PyObject *raise_error(const struct muster_error *error, PyObject *response);
/* ... for a code without a text of its own. */
PyObject *raise_code(int code, const char *text);

/* --- options.c ------------------------------------------------------------------------------- */

/*
 * Fill a struct of options from a dictionary whose keys are its members. `keep` is a list; it gets
 * the objects that hold the strings, and must live as long as the struct is used. NULL or None for
 * the dictionary: nothing is filled in. Returns -1 with an exception set.
 */
int fill_client_options(struct muster_client_options *options, PyObject *dictionary,
        PyObject *keep);
int fill_request_options(struct muster_request_options *options, PyObject *dictionary,
        PyObject *keep);

/* The text of a str, UTF-8, terminated; held by `keep`. NULL with an exception set. */
const char *text_of(PyObject *string, PyObject *keep);

/* --- engine.c -------------------------------------------------------------------------------- */

struct engine {
        PyObject_HEAD struct muster_client *client; /* NULL: closed */
        struct job *jobs;                           /* those that are outstanding */
        size_t n_jobs;
        unsigned n_forks; /* module_state's, when it was made */
        bool is_in_call;  /* a thread is in the library, without the GIL */
        /* results to be freed as soon as no thread is in the library */
        struct muster_result **doomed;
        size_t n_doomed;
};

/* Is it usable by this thread now? Else sets an exception. */
bool engine_is_usable(struct engine *engine);
/* Take one finished result, as a Response; NULL without an exception: there is none. */
PyObject *engine_take(struct engine *engine);
/*
 * Wait for a result. Other threads run meanwhile, and signals are heard. Returns what muster_wait()
 * does, or -1 with an exception set.
 */
int engine_wait(struct engine *engine, uint64_t timeout_ms);
/* Takes the result. It belongs to the client's thread, and garbage is collected in any. */
void engine_free_result(struct engine *engine, struct muster_result *result);
/* Cancel all requests of an owner; their responses come nevertheless. */
void engine_cancel_owned(struct engine *engine, const PyObject *owner);
int engine_add_type(PyObject *module);

/* --- jobs.c ---------------------------------------------------------------------------------- */

/* An outstanding request; the library's userdata. */
struct job {
        struct job *before, *after;
        PyObject *tag;   /* owned; what the submitter gave along */
        PyObject *owner; /* owned: the Stream that it is for; NULL: whoever the tag says */
        /* owned: who gives the body; told begin(id) and, when it is over, end(response or None) */
        PyObject *source; /* NULL: nobody */
        uint64_t id;
};

/* `owner` and `source` may be NULL. NULL: memory is out (with an exception set). */
struct job *job_new(struct engine *engine, PyObject *tag, PyObject *owner, PyObject *source);
/* It was submitted. */
void job_begin(struct job *job, uint64_t id);
/* Free it and make the response of it. Takes the result, also on failure (NULL). */
PyObject *job_end(struct engine *engine, struct job *job, struct muster_result *result);
/* Free it and what it holds. */
void job_drop(struct engine *engine, struct job *job);

/* --- request.c ------------------------------------------------------------------------------- */

/*
 * Submit what a tuple says (request.c). Returns 0 with *ret_id set, MUSTER_FULL, or -1 with an
 * exception set.
 */
int request_submit(struct engine *engine, PyObject *parts, PyObject *tag, PyObject *owner,
        uint64_t *ret_id);
/* ... a GET of a URL, which is a str; `process` may be NULL. */
int request_get(struct engine *engine, PyObject *url, muster_process_fn process, PyObject *tag,
        PyObject *owner);

/* A function in C by its name, NULL for None; -1 with an exception set: there is none. */
int process_of(PyObject *name, muster_process_fn *ret_process);

/* --- response.c ------------------------------------------------------------------------------ */

/* Takes all of them, also on failure. */
PyObject *response_new(struct engine *engine, struct muster_result *result, PyObject *tag,
        PyObject *owner);
/* Borrowed; NULL: none. */
PyObject *response_owner(PyObject *response);
/* Text of a peer: UTF-8 where it is, else every byte is a character. */
PyObject *text_from_string(const char *text);
int response_add_type(PyObject *module);

/* --- stream.c -------------------------------------------------------------------------------- */

int stream_add_type(PyObject *module);

/* --- jar.c ----------------------------------------------------------------------------------- */

/* What the object holds, borrowed; NULL with an exception set: it is another kind of object. */
struct muster_jar *jar_of(PyObject *object);
struct muster_hsts *hsts_of(PyObject *object);
int jar_add_types(PyObject *module);

/* --- explain.c ------------------------------------------------------------------------------- */

PyObject *explain_client(struct muster_client *client);
PyObject *explain_file(PyObject *module, PyObject *path);

/* --- arrow.c --------------------------------------------------------------------------------- */

PyObject *arrow_stream(PyObject *module, PyObject *arguments);

/* --- json_value.c ---------------------------------------------------------------------------- */

struct json_tape;

/* What a tape says of its body. */
PyObject *json_value(const struct json_tape *tape, const char *body);

#endif
