/* SPDX-License-Identifier: MIT */
/*
 * Engine: a client of the library
 *
 * One thread at a time is in the library. Python's lock sees to that, but while muster_wait() runs
 * without it; is_in_call says so then, and calls from other threads are refused, except for wake().
 * Above it muster/_client.py has the threads take turns.
 *
 * After a fork the child has the parent's sockets. It must not touch them, not even to close TLS in
 * good order, so there the client is left alone.
 */
#include "engine.h"

#include <poll.h>

/* Signals are heard at the latest after as long, where another thread of the program gets them. */
#define SIGNALS_MS 50

static bool is_of_this_process(const struct engine *engine)
{
        return engine->n_forks == module_state.n_forks;
}

static void free_doomed(struct engine *engine)
{
        while (engine->n_doomed)
                muster_result_free(engine->doomed[--engine->n_doomed]);
}

void engine_free_result(struct engine *engine, struct muster_result *result)
{
        struct muster_result **doomed;

        if (!is_of_this_process(engine))
                return;
        if (!engine->is_in_call) {
                muster_result_free(result);
                return;
        }
        doomed = PyMem_Realloc(engine->doomed,
                (engine->n_doomed + 1) * sizeof(struct muster_result *));
        if (!doomed)
                return;
        engine->doomed = doomed;
        doomed[engine->n_doomed++] = result;
}

bool engine_is_usable(struct engine *engine)
{
        const char *trouble = NULL;

        if (!engine->client)
                trouble = "the client is closed";
        else if (!is_of_this_process(engine))
                trouble = "the client was made before this process was forked: make one here";
        else if (engine->is_in_call)
                trouble = "another thread is waiting in this client";
        if (trouble)
                PyErr_SetString(PyExc_RuntimeError, trouble);
        return !trouble;
}

PyObject *engine_take(struct engine *engine)
{
        struct muster_result *result = muster_take(engine->client);

        return result ? job_end(engine, muster_result_userdata(result), result) : NULL;
}

int engine_wait(struct engine *engine, uint64_t timeout_ms)
{
        uint64_t left_ms = timeout_ms;
        int r;

        do {
                uint64_t part_ms = left_ms < SIGNALS_MS ? left_ms : SIGNALS_MS;
                PyThreadState *state;

                engine->is_in_call = true;
                state = PyEval_SaveThread();
                r = muster_wait(engine->client, part_ms);
                PyEval_RestoreThread(state);
                engine->is_in_call = false;
                free_doomed(engine);
                if (PyErr_CheckSignals() < 0)
                        return -1;
                left_ms -= left_ms == MUSTER_NO_TIMEOUT ? 0 : part_ms;
        } while (r == MUSTER_LATER && left_ms);
        if (r >= 0)
                return r;
        raise_code(r, "the kernel refuses to wait for the client's sockets");
        return -1;
}

void engine_cancel_owned(struct engine *engine, const PyObject *owner)
{
        for (const struct job *job = engine->jobs; job; job = job->after)
                if (job->owner == owner)
                        muster_cancel(engine->client, job->id);
}

/* --- making and closing ---------------------------------------------------------------------- */

static PyObject *engine_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
        struct muster_client_options options = { .size = sizeof(options) };
        PyObject *dictionary = NULL, *keep;
        struct muster_error error = { 0 };
        struct engine *engine;
        int r;

        if (keywords && PyDict_Size(keywords)) {
                PyErr_SetString(PyExc_TypeError, "Engine takes one dict");
                return NULL;
        }
        if (!PyArg_ParseTuple(arguments, "|O:Engine", &dictionary))
                return NULL;
        keep = PyList_New(0);
        if (!keep || fill_client_options(&options, dictionary, keep) < 0) {
                Py_XDECREF(keep);
                return NULL;
        }
        engine = (struct engine *)PyType_GenericAlloc(type, 0);
        if (!engine) {
                Py_DECREF(keep);
                return NULL;
        }
        engine->n_forks = module_state.n_forks;
        options.error = &error;
        r = muster_client_new(&engine->client, &options);
        Py_DECREF(keep);
        if (r == 0)
                return (PyObject *)engine;
        Py_DECREF((PyObject *)engine);
        return raise_error(&error, NULL);
}

/* Whoever waits for a request that is outstanding now has to be told by the caller. */
static void close_client(struct engine *engine)
{
        struct muster_client *client = engine->client;
        PyThreadState *state;

        if (!client || !is_of_this_process(engine))
                return;
        engine->client = NULL;
        state = PyEval_SaveThread();
        muster_client_free(client);
        PyEval_RestoreThread(state);
        free_doomed(engine);
        PyMem_Free(engine->doomed);
        engine->doomed = NULL;
        while (engine->jobs)
                job_drop(engine, engine->jobs);
}

static PyObject *engine_close(PyObject *self, PyObject *unused)
{
        struct engine *engine = (struct engine *)self;

        (void)unused;
        if (engine->is_in_call) {
                PyErr_SetString(PyExc_RuntimeError, "another thread is waiting in this client");
                return NULL;
        }
        close_client(engine);
        Py_RETURN_NONE;
}

static int engine_traverse(PyObject *self, visitproc visit, void *arg)
{
        Py_VISIT(Py_TYPE(self));
        for (struct job *job = ((struct engine *)self)->jobs; job; job = job->after)
                Py_VISIT(job->tag);
        for (struct job *job = ((struct engine *)self)->jobs; job; job = job->after)
                Py_VISIT(job->owner);
        for (struct job *job = ((struct engine *)self)->jobs; job; job = job->after)
                Py_VISIT(job->source);
        return 0;
}

static int engine_clear(PyObject *self)
{
        close_client((struct engine *)self);
        return 0;
}

static void engine_dealloc(PyObject *self)
{
        PyTypeObject *type = Py_TYPE(self);

        PyObject_GC_UnTrack(self);
        close_client((struct engine *)self);
        ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
        Py_DECREF((PyObject *)type);
}

/* --- requests and responses ------------------------------------------------------------------ */

static PyObject *engine_submit(PyObject *self, PyObject *arguments)
{
        struct engine *engine = (struct engine *)self;
        PyObject *parts, *tag;
        uint64_t id = 0;
        int r;

        if (!PyArg_ParseTuple(arguments, "OO:submit", &parts, &tag) || !engine_is_usable(engine))
                return NULL;
        r = request_submit(engine, parts, tag, NULL, &id);
        return r < 0 ? NULL : PyLong_FromUnsignedLongLong(id);
}

static PyObject *engine_next(PyObject *self, PyObject *argument)
{
        struct engine *engine = (struct engine *)self;
        double timeout_s = argument == Py_None ? -1 : PyFloat_AsDouble(argument);
        uint64_t timeout_ms = MUSTER_NO_TIMEOUT;
        PyObject *response;

        if (PyErr_Occurred() || !engine_is_usable(engine))
                return NULL;
        if (timeout_s >= 0)
                timeout_ms = timeout_s < 1e12 ? (uint64_t)(timeout_s * 1e3) : MUSTER_NO_TIMEOUT;
        response = engine_take(engine);
        if (!response && !PyErr_Occurred() && engine_wait(engine, timeout_ms) == 0)
                response = engine_take(engine);
        if (response || PyErr_Occurred())
                return response;
        Py_RETURN_NONE;
}

/* All finished results, as a list. */
static PyObject *take_all(struct engine *engine)
{
        PyObject *list = PyList_New(0), *response;
        int r = 0;

        while (list && r == 0 && (response = engine_take(engine))) {
                r = PyList_Append(list, response);
                Py_DECREF(response);
        }
        if (list && PyErr_Occurred()) {
                Py_DECREF(list);
                return NULL;
        }
        return list;
}

static PyObject *engine_turn(PyObject *self, PyObject *unused)
{
        struct engine *engine = (struct engine *)self;
        int r;

        (void)unused;
        if (!engine_is_usable(engine))
                return NULL;
        r = muster_turn(engine->client);
        if (r < 0)
                return raise_code(r, "the kernel refuses to wait for the client's sockets");
        return take_all(engine);
}

/* Wait until there is something to do, and do it; not for longer than signals may wait. */
static PyObject *engine_work(PyObject *self, PyObject *unused)
{
        struct engine *engine = (struct engine *)self;
        struct pollfd ready = { .events = POLLIN };
        PyThreadState *state;

        (void)unused;
        if (!engine_is_usable(engine))
                return NULL;
        ready.fd = muster_client_fd(engine->client);
        if (ready.fd < 0)
                return raise_code(ready.fd, "no descriptor to wait on could be made");
        engine->is_in_call = true;
        state = PyEval_SaveThread();
        poll(&ready, 1, SIGNALS_MS);
        PyEval_RestoreThread(state);
        engine->is_in_call = false;
        free_doomed(engine);
        return PyErr_CheckSignals() < 0 ? NULL : engine_turn(self, NULL);
}

static PyObject *engine_fd(PyObject *self, PyObject *unused)
{
        int fd;

        (void)unused;
        if (!engine_is_usable((struct engine *)self))
                return NULL;
        fd = muster_client_fd(((struct engine *)self)->client);
        return fd < 0 ? raise_code(fd, "no descriptor for an event loop could be made")
                      : PyLong_FromLong(fd);
}

static PyObject *engine_cancel(PyObject *self, PyObject *argument)
{
        uint64_t id = PyLong_AsUnsignedLongLong(argument);

        if (PyErr_Occurred() || !engine_is_usable((struct engine *)self))
                return NULL;
        return PyBool_FromLong(muster_cancel(((struct engine *)self)->client, id) == 0);
}

static PyObject *engine_cancel_all(PyObject *self, PyObject *unused)
{
        (void)unused;
        if (!engine_is_usable((struct engine *)self))
                return NULL;
        muster_cancel_all(((struct engine *)self)->client);
        Py_RETURN_NONE;
}

/* From any thread, while another one waits. */
static PyObject *engine_wake(PyObject *self, PyObject *unused)
{
        struct engine *engine = (struct engine *)self;

        (void)unused;
        if (engine->client && is_of_this_process(engine))
                muster_wake(engine->client);
        Py_RETURN_NONE;
}

/* --- what it did ----------------------------------------------------------------------------- */

static PyObject *engine_stats(PyObject *self, PyObject *unused)
{
        struct muster_client_stats stats;

        (void)unused;
        if (!engine_is_usable((struct engine *)self))
                return NULL;
        muster_client_stats(((struct engine *)self)->client, &stats, sizeof(stats));
        return Py_BuildValue("{sK sK sK sK sK sK sK sK sK sK sK sK sK sK sK}", "submitted",
                stats.n_submitted, "finished", stats.n_finished, "in_flight", stats.n_in_flight,
                "queued", stats.n_queued, "connections_opened", stats.n_conns_opened,
                "connections_reused", stats.n_conns_reused, "attempts", stats.n_attempts, "retries",
                stats.n_retries, "redirects", stats.n_redirects, "lookups", stats.n_lookups,
                "tls_handshakes", stats.n_tls_handshakes, "tls_resumed", stats.n_tls_resumed,
                "refused", stats.n_refused, "retries_withheld", stats.n_retries_withheld,
                "longest_turn_ns", stats.longest_turn_ns);
}

static PyObject *engine_record(PyObject *self, PyObject *arguments)
{
        struct muster_record_options options = { .size = sizeof(options) };
        struct engine *engine = (struct engine *)self;
        struct muster_error error = { 0 };
        int overwrite = 0;

        if (!PyArg_ParseTuple(arguments, "|zp:record", &options.file, &overwrite) ||
                !engine_is_usable(engine))
                return NULL;
        options.overwrite = overwrite;
        if (muster_record(engine->client, &options, &error) < 0)
                return raise_error(&error, NULL);
        Py_RETURN_NONE;
}

static PyObject *engine_record_end(PyObject *self, PyObject *unused)
{
        struct engine *engine = (struct engine *)self;
        struct muster_error error = { 0 };
        PyThreadState *state;
        int r;

        (void)unused;
        if (!engine_is_usable(engine))
                return NULL;
        engine->is_in_call = true;
        state = PyEval_SaveThread();
        r = muster_record_end(engine->client, &error);
        PyEval_RestoreThread(state);
        engine->is_in_call = false;
        if (r < 0)
                return raise_error(&error, NULL);
        Py_RETURN_NONE;
}

/* Where nothing is recorded there is nobody to tell. */
static PyObject *engine_tell_workers(PyObject *self, PyObject *arguments)
{
        static const enum muster_program_counter counters[] = { MUSTER_PROGRAM_WORKERS,
                MUSTER_PROGRAM_BODIES, MUSTER_PROGRAM_BODIES_US, MUSTER_PROGRAM_WORKERS_FULL_US };
        struct engine *engine = (struct engine *)self;
        unsigned long long values[4];

        if (!PyArg_ParseTuple(arguments, "KKKK:tell_workers", &values[0], &values[1], &values[2],
                    &values[3]) ||
                !engine_is_usable(engine))
                return NULL;
        for (size_t i = 0; i < 4; i++)
                (void)muster_record_count(engine->client, counters[i], values[i]);
        Py_RETURN_NONE;
}

static PyObject *engine_explain(PyObject *self, PyObject *unused)
{
        (void)unused;
        if (!engine_is_usable((struct engine *)self))
                return NULL;
        return explain_client(((struct engine *)self)->client);
}

static PyObject *engine_outstanding(PyObject *self, void *unused)
{
        (void)unused;
        return PyLong_FromSize_t(((struct engine *)self)->n_jobs);
}

static PyObject *engine_closed(PyObject *self, void *unused)
{
        (void)unused;
        return PyBool_FromLong(!((struct engine *)self)->client);
}

static PyObject *engine_is_foreign(PyObject *self, void *unused)
{
        (void)unused;
        return PyBool_FromLong(!is_of_this_process((struct engine *)self));
}

static PyMethodDef engine_methods[] = {
        { "submit", engine_submit, METH_VARARGS,
                "submit(parts, tag) -> id, or 0: full, take a response first" },
        { "next", engine_next, METH_O,
                "next(timeout): wait for a response; None: none came, or nothing is outstanding" },
        { "turn", engine_turn, METH_NOARGS, "turn() -> the responses that are there, no waiting" },
        { "work", engine_work, METH_NOARGS, "the same, after a wait for something to do" },
        { "fd", engine_fd, METH_NOARGS, "readable when turn() has something to do" },
        { "cancel", engine_cancel, METH_O, "cancel(id) -> was it outstanding?" },
        { "cancel_all", engine_cancel_all, METH_NOARGS, NULL },
        { "wake", engine_wake, METH_NOARGS, "make next() return None; from any thread" },
        { "stats", engine_stats, METH_NOARGS, NULL },
        { "record", engine_record, METH_VARARGS, "record(file=None, overwrite=False)" },
        { "record_end", engine_record_end, METH_NOARGS, NULL },
        { "tell_workers", engine_tell_workers, METH_VARARGS,
                "tell_workers(how many, bodies, us that they took, us that all had some)" },
        { "explain", engine_explain, METH_NOARGS, NULL },
        { "close", engine_close, METH_NOARGS, NULL },
        { 0 },
};

static PyGetSetDef engine_getters[] = {
        { "outstanding", engine_outstanding, NULL, "requests whose response was not taken", NULL },
        { "closed", engine_closed, NULL, NULL, NULL },
        { "is_foreign", engine_is_foreign, NULL, "was it made before this process was forked?",
                NULL },
        { 0 },
};

static PyType_Slot engine_slots[] = {
        { Py_tp_new, engine_new },
        { Py_tp_dealloc, engine_dealloc },
        { Py_tp_traverse, engine_traverse },
        { Py_tp_clear, engine_clear },
        { Py_tp_methods, engine_methods },
        { Py_tp_getset, engine_getters },
        { 0, NULL },
};

static PyType_Spec engine_spec = {
        .name = "muster._engine.Engine",
        .basicsize = sizeof(struct engine),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = engine_slots,
};

int engine_add_type(PyObject *module)
{
        PyObject *type = PyType_FromSpec(&engine_spec);

        if (!type)
                return -1;
        module_state.engine_type = (PyTypeObject *)type;
        Py_INCREF(type);
        return PyModule_AddObject(module, "Engine", type);
}
