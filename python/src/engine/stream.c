/* SPDX-License-Identifier: MIT */
/*
 * Stream: an iterable of what to ask in, responses out in the order of completion
 *
 * It takes from the iterable only so much that `most` are under way, so both may be endless. An
 * item is a str, the URL of a GET, or anything else, for which `convert` makes the tuple of
 * request.c. An iterable that fails ends the stream: the responses that are under way come first,
 * then its exception.
 *
 * Others may use the same client meanwhile, or from within the loop over the stream. What it takes
 * and is not its own goes to `route`; what others take and is its own comes back by deliver(). When
 * it is woken, `serve` does what another thread wants.
 */
#include "engine.h"

struct stream {
        PyObject_HEAD struct engine *engine; /* owned, as all of these */
        PyObject *items;                     /* an iterator; NULL: exhausted */
        PyObject *convert, *route, *serve;
        PyObject *held;  /* an item that found the client full */
        PyObject *ready; /* a list of responses that others took, the first one last */
        PyObject *failed_type, *failed_value, *failed_traceback;
        muster_process_fn process; /* what is to be done with responses to items that are a str */
        uint64_t most;
        uint64_t n_in, n_out; /* n_in: also the index of the next item, and its tag */
};

static PyObject *stream_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
        PyObject *engine, *items, *convert, *route, *serve, *name;
        unsigned long long most;
        muster_process_fn process;
        struct stream *stream;

        (void)keywords;
        if (!PyArg_ParseTuple(arguments, "O!OOOOOK:Stream", module_state.engine_type, &engine,
                    &items, &convert, &route, &serve, &name, &most) ||
                process_of(name, &process) < 0)
                return NULL;
        items = PyObject_GetIter(items);
        if (!items)
                return NULL;
        stream = (struct stream *)PyType_GenericAlloc(type, 0);
        if (!stream) {
                Py_DECREF(items);
                return NULL;
        }
        Py_INCREF(engine);
        Py_INCREF(convert);
        Py_INCREF(route);
        Py_INCREF(serve);
        stream->engine = (struct engine *)engine;
        stream->items = items;
        stream->convert = convert;
        stream->route = route;
        stream->serve = serve;
        stream->process = process;
        stream->most = most ? most : 1;
        stream->ready = PyList_New(0);
        if (!stream->ready) {
                Py_DECREF((PyObject *)stream);
                return NULL;
        }
        return (PyObject *)stream;
}

static int stream_traverse(PyObject *self, visitproc visit, void *arg)
{
        struct stream *stream = (struct stream *)self;

        Py_VISIT(Py_TYPE(self));
        Py_VISIT((PyObject *)stream->engine);
        Py_VISIT(stream->items);
        Py_VISIT(stream->convert);
        Py_VISIT(stream->route);
        Py_VISIT(stream->serve);
        Py_VISIT(stream->held);
        Py_VISIT(stream->ready);
        Py_VISIT(stream->failed_type);
        Py_VISIT(stream->failed_value);
        Py_VISIT(stream->failed_traceback);
        return 0;
}

static int stream_clear(PyObject *self)
{
        struct stream *stream = (struct stream *)self;

        Py_CLEAR(stream->engine);
        Py_CLEAR(stream->items);
        Py_CLEAR(stream->convert);
        Py_CLEAR(stream->route);
        Py_CLEAR(stream->serve);
        Py_CLEAR(stream->held);
        Py_CLEAR(stream->ready);
        Py_CLEAR(stream->failed_type);
        Py_CLEAR(stream->failed_value);
        Py_CLEAR(stream->failed_traceback);
        return 0;
}

static void stream_dealloc(PyObject *self)
{
        PyTypeObject *type = Py_TYPE(self);

        PyObject_GC_UnTrack(self);
        stream_clear(self);
        ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
        Py_DECREF((PyObject *)type);
}

/* --- in -------------------------------------------------------------------------------------- */

/*
 * Whatever is called from here may have closed the stream, or its client: false, with an exception
 * set.
 */
static bool is_open(const struct stream *stream)
{
        if (stream->engine)
                return engine_is_usable(stream->engine);
        PyErr_SetString(PyExc_RuntimeError, "the client is closed");
        return false;
}

/* The iterable may close the stream. */
static PyObject *next_item(const struct stream *stream)
{
        PyObject *items = stream->items, *item;

        Py_INCREF(items);
        item = PyIter_Next(items);
        Py_DECREF(items);
        return item;
}

/* ... and so may what is called here; NULL for no argument. */
static PyObject *call(PyObject *function, PyObject *argument)
{
        PyObject *result;

        Py_INCREF(function);
        result = PyObject_CallFunctionObjArgs(function, argument, NULL);
        Py_DECREF(function);
        return result;
}

/* 0, MUSTER_FULL, -1 with an exception set. Its tag is its index. */
static int submit_item(struct stream *stream, PyObject *item)
{
        PyObject *tag = PyLong_FromUnsignedLongLong(stream->n_in), *parts;
        PyObject *self = (PyObject *)stream;
        uint64_t id;
        int r = -1;

        if (!tag)
                return -1;
        if (!is_open(stream)) {
                r = -1;
        } else if (PyUnicode_Check(item)) {
                r = request_get(stream->engine, item, stream->process, tag, self);
        } else {
                parts = call(stream->convert, item);
                if (parts && is_open(stream))
                        r = request_submit(stream->engine, parts, tag, self, &id);
                Py_XDECREF(parts);
        }
        Py_DECREF(tag);
        return r;
}

/* The exception that is set waits until what is under way has come out. */
static void fail_later(struct stream *stream)
{
        PyErr_Fetch(&stream->failed_type, &stream->failed_value, &stream->failed_traceback);
        Py_CLEAR(stream->items);
}

static void take_in(struct stream *stream)
{
        while (stream->items && stream->n_in - stream->n_out < stream->most) {
                PyObject *item = stream->held;
                int r;

                stream->held = NULL;
                if (!item)
                        item = next_item(stream);
                if (!item) {
                        fail_later(stream); /* or there are no more items */
                        return;
                }
                r = submit_item(stream, item);
                if (r == MUSTER_FULL) {
                        stream->held = item;
                        return;
                }
                Py_DECREF(item);
                if (r < 0)
                        fail_later(stream);
                else
                        stream->n_in++;
        }
}

/* --- out ------------------------------------------------------------------------------------- */

/* Of those that others took for this stream; NULL: none. */
static PyObject *take_ready(struct stream *stream)
{
        Py_ssize_t n = PyList_Size(stream->ready);
        PyObject *response;

        if (n <= 0)
                return NULL;
        response = PyList_GetItem(stream->ready, 0);
        Py_INCREF(response);
        if (PyList_SetSlice(stream->ready, 0, 1, NULL) == 0)
                return response;
        Py_DECREF(response);
        return NULL;
}

/* One of this stream; others are sent where they belong. NULL: there is none now, or an exception. */
static PyObject *take_own(struct stream *stream)
{
        PyObject *response = take_ready(stream), *routed;

        while (!response && !PyErr_Occurred()) {
                response = engine_take(stream->engine);
                if (!response || response_owner(response) == (PyObject *)stream)
                        return response;
                routed = call(stream->route, response);
                Py_DECREF(response);
                response = NULL;
                if (!routed)
                        return NULL;
                Py_DECREF(routed);
        }
        return response;
}

/* Until something may have come; other threads are served. */
static int wait_for_more(struct stream *stream)
{
        PyObject *served;
        int r = engine_wait(stream->engine, MUSTER_NO_TIMEOUT);

        if (r != MUSTER_WOKEN)
                return r < 0 ? -1 : 0;
        served = call(stream->serve, NULL);
        Py_XDECREF(served);
        return served ? 0 : -1;
}

static PyObject *stream_next(PyObject *self)
{
        struct stream *stream = (struct stream *)self;
        PyObject *response;

        if (!stream->engine)
                return NULL;
        for (;;) {
                take_in(stream);
                if (!is_open(stream))
                        return NULL;
                response = take_own(stream);
                if (response)
                        stream->n_out++;
                if (response || PyErr_Occurred())
                        return response;
                if (stream->n_out == stream->n_in && !stream->items)
                        break;
                if (wait_for_more(stream) < 0)
                        return NULL;
        }
        PyErr_Restore(stream->failed_type, stream->failed_value, stream->failed_traceback);
        stream->failed_type = stream->failed_value = stream->failed_traceback = NULL;
        return NULL;
}

/* Another one took this response of the stream's. */
static PyObject *stream_deliver(PyObject *self, PyObject *response)
{
        struct stream *stream = (struct stream *)self;

        if (stream->ready && PyList_Append(stream->ready, response) < 0)
                return NULL;
        Py_RETURN_NONE;
}

/* Nobody reads on: what is under way is of no use. */
static PyObject *stream_close(PyObject *self, PyObject *unused)
{
        struct stream *stream = (struct stream *)self;

        (void)unused;
        if (stream->engine && stream->engine->client && engine_is_usable(stream->engine))
                engine_cancel_owned(stream->engine, self);
        PyErr_Clear();
        stream_clear(self);
        Py_RETURN_NONE;
}

static PyObject *stream_iter(PyObject *self)
{
        Py_INCREF(self);
        return self;
}

static PyMethodDef stream_methods[] = {
        { "deliver", stream_deliver, METH_O, NULL },
        { "close", stream_close, METH_NOARGS, "cancel what is under way" },
        { 0 },
};

static PyType_Slot stream_slots[] = {
        { Py_tp_new, stream_new },
        { Py_tp_dealloc, stream_dealloc },
        { Py_tp_traverse, stream_traverse },
        { Py_tp_clear, stream_clear },
        { Py_tp_iter, stream_iter },
        { Py_tp_iternext, stream_next },
        { Py_tp_methods, stream_methods },
        { 0, NULL },
};

static PyType_Spec stream_spec = {
        .name = "muster._engine.Stream",
        .basicsize = sizeof(struct stream),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
        .slots = stream_slots,
};

int stream_add_type(PyObject *module)
{
        PyObject *type = PyType_FromSpec(&stream_spec);

        if (!type)
                return -1;
        module_state.stream_type = (PyTypeObject *)type;
        Py_INCREF(type);
        return PyModule_AddObject(module, "Stream", type);
}
