/* SPDX-License-Identifier: MIT */
/*
 * Response: a result of the library, read on demand
 *
 * Nothing is made into an object before somebody asks for it. The body can be looked at where it
 * lies (memoryview(response)); `content` is a copy, made once. The class that people see derives
 * from this one, in Python.
 */
#include "engine.h"

#include "json.h"

struct response {
        PyObject_HEAD struct muster_result *result;
        struct engine *engine; /* owned */
        PyObject *tag;
        PyObject *owner;   /* the Stream that it is for; NULL: none */
        PyObject *content; /* NULL: nobody asked yet */
};

static struct muster_result *result_of(PyObject *self)
{
        return ((struct response *)self)->result;
}

PyObject *response_new(struct engine *engine, struct muster_result *result, PyObject *tag,
        PyObject *owner)
{
        PyTypeObject *type = module_state.response_type ? module_state.response_type
                                                        : module_state.base_response_type;
        struct response *response = (struct response *)PyType_GenericAlloc(type, 0);

        if (!response) {
                engine_free_result(engine, result);
                Py_DECREF(tag);
                Py_XDECREF(owner);
                return NULL;
        }
        Py_INCREF((PyObject *)engine);
        response->engine = engine;
        response->result = result;
        response->tag = tag;
        response->owner = owner;
        return (PyObject *)response;
}

PyObject *response_owner(PyObject *response)
{
        return ((struct response *)response)->owner;
}

static int response_traverse(PyObject *self, visitproc visit, void *arg)
{
        struct response *response = (struct response *)self;

        Py_VISIT(Py_TYPE(self));
        Py_VISIT((PyObject *)response->engine);
        Py_VISIT(response->tag);
        Py_VISIT(response->owner);
        return 0;
}

/* The engine stays: the result belongs to it. A cycle always leads through the tag as well. */
static int response_clear(PyObject *self)
{
        Py_CLEAR(((struct response *)self)->tag);
        Py_CLEAR(((struct response *)self)->owner);
        return 0;
}

static void response_dealloc(PyObject *self)
{
        struct response *response = (struct response *)self;
        PyTypeObject *type = Py_TYPE(self);

        PyObject_GC_UnTrack(self);
        if (response->result)
                engine_free_result(response->engine, response->result);
        Py_XDECREF((PyObject *)response->engine);
        Py_XDECREF(response->tag);
        Py_XDECREF(response->owner);
        Py_XDECREF(response->content);
        ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
        Py_DECREF((PyObject *)type);
}

/* --- text ------------------------------------------------------------------------------------ */

static PyObject *text_from(const char *at, size_t len)
{
        PyObject *text = PyUnicode_DecodeUTF8(at, (Py_ssize_t)len, NULL);

        if (text || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError))
                return text;
        PyErr_Clear();
        return PyUnicode_DecodeLatin1(at, (Py_ssize_t)len, NULL);
}

PyObject *text_from_string(const char *text)
{
        return text_from(text, strlen(text));
}

#define TEXT_GETTER(name)                                                                          \
        static PyObject *get_##name(PyObject *self, void *unused)                                  \
        {                                                                                          \
                (void)unused;                                                                      \
                return text_from_string(muster_result_##name(result_of(self)));                    \
        }
#define NUMBER_GETTER(name)                                                                        \
        static PyObject *get_##name(PyObject *self, void *unused)                                  \
        {                                                                                          \
                (void)unused;                                                                      \
                return PyLong_FromUnsignedLongLong((unsigned long long)                            \
                                muster_result_##name(result_of(self)));                            \
        }

TEXT_GETTER(method)
TEXT_GETTER(url)
TEXT_GETTER(final_url)
TEXT_GETTER(undecoded)
TEXT_GETTER(heads)
TEXT_GETTER(warning)
NUMBER_GETTER(id)
NUMBER_GETTER(status)
NUMBER_GETTER(http_version)
NUMBER_GETTER(body_bytes)
NUMBER_GETTER(wire_bytes)
NUMBER_GETTER(n_attempts)
NUMBER_GETTER(n_redirects)
NUMBER_GETTER(total_ns)
NUMBER_GETTER(submitted_ns)
NUMBER_GETTER(planned_ns)

static PyObject *get_tag(PyObject *self, void *unused)
{
        PyObject *tag = ((struct response *)self)->tag;

        (void)unused;
        tag = tag ? tag : Py_None;
        Py_INCREF(tag);
        return tag;
}

static PyObject *get_owner(PyObject *self, void *unused)
{
        PyObject *owner = response_owner(self);

        (void)unused;
        owner = owner ? owner : Py_None;
        Py_INCREF(owner);
        return owner;
}

/* --- the error ------------------------------------------------------------------------------- */

/* An exception, made anew each time; None where there was no error. */
static PyObject *get_error(PyObject *self, void *unused)
{
        const struct muster_error *error = muster_result_error(result_of(self));

        (void)unused;
        if (!error)
                Py_RETURN_NONE;
        return PyObject_CallFunction(module_state.make_error, "ssisO",
                muster_code_name(error->code), muster_phase_name(error->stage), error->sys,
                error->text, self);
}

static PyObject *get_is_ok(PyObject *self, void *unused)
{
        (void)unused;
        return PyBool_FromLong(!muster_result_error(result_of(self)));
}

/* --- header fields --------------------------------------------------------------------------- */

static PyObject *get_fields(PyObject *self, void *unused)
{
        const struct muster_result *result = result_of(self);
        size_t n = muster_result_n_headers(result);
        PyObject *list = PyList_New((Py_ssize_t)n);

        (void)unused;
        for (size_t i = 0; list && i < n; i++) {
                struct muster_str name = muster_result_header_name(result, i);
                struct muster_str value = muster_result_header_value(result, i);
                PyObject *name_text = text_from(name.at, name.len);
                PyObject *value_text = name_text ? text_from(value.at, value.len) : NULL;
                PyObject *pair = value_text ? PyTuple_Pack(2, name_text, value_text) : NULL;

                Py_XDECREF(name_text);
                Py_XDECREF(value_text);
                if (!pair || PyList_SetItem(list, (Py_ssize_t)i, pair) < 0) {
                        Py_DECREF(list);
                        return NULL;
                }
        }
        return list;
}

static PyObject *response_header(PyObject *self, PyObject *argument)
{
        PyObject *bytes = PyUnicode_AsUTF8String(argument);
        struct muster_str value;

        if (!bytes)
                return NULL;
        value = muster_result_header(result_of(self), PyBytes_AsString(bytes));
        Py_DECREF(bytes);
        if (value.at)
                return text_from(value.at, value.len);
        Py_RETURN_NONE;
}

/* --- the body -------------------------------------------------------------------------------- */

static PyObject *get_content(PyObject *self, void *unused)
{
        struct response *response = (struct response *)self;

        (void)unused;
        if (!response->content)
                response->content = PyBytes_FromStringAndSize(muster_result_body(response->result),
                        (Py_ssize_t)muster_result_body_size(response->result));
        Py_XINCREF(response->content);
        return response->content;
}

static int response_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
        const struct muster_result *result = result_of(self);

        return PyBuffer_FillInfo(view, self, (void *)(uintptr_t)muster_result_body(result),
                (Py_ssize_t)muster_result_body_size(result), 1, flags);
}

/* None: nothing yet. b"": the end. */
static PyObject *read_now(struct response *response, Py_ssize_t size)
{
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, size), *part;
        size_t n = 0;
        int r;

        if (!bytes)
                return NULL;
        r = muster_result_read_now(response->result, PyBytes_AsString(bytes), (size_t)size, &n);
        if (r == 0 && (Py_ssize_t)n == size)
                return bytes;
        part = r == 0 || r == MUSTER_END
                       ? PyBytes_FromStringAndSize(PyBytes_AsString(bytes), (Py_ssize_t)n)
                       : NULL;
        Py_DECREF(bytes);
        if (r < 0) {
                const struct muster_error *error = muster_result_error(response->result);

                if (error)
                        return raise_error(error, (PyObject *)response);
                return raise_code(r, "the body cannot be read");
        }
        if (r != MUSTER_LATER)
                return part;
        Py_RETURN_NONE;
}

static PyObject *response_read_now(PyObject *self, PyObject *argument)
{
        struct response *response = (struct response *)self;
        Py_ssize_t size = PyLong_AsSsize_t(argument);

        if (PyErr_Occurred() || !engine_is_usable(response->engine))
                return NULL;
        return read_now(response, size > 0 ? size : 1);
}

/* --- what process="json" made of it ------------------------------------------------------------ */

static const struct json_tape *tape_of(PyObject *self)
{
        return muster_result_processed(result_of(self));
}

static PyObject *get_process_ns(PyObject *self, void *unused)
{
        const struct json_tape *tape = tape_of(self);

        (void)unused;
        if (tape)
                return PyLong_FromUnsignedLongLong(tape->took_ns);
        Py_RETURN_NONE;
}

static PyObject *response_build(PyObject *self, PyObject *unused)
{
        const struct json_tape *tape = tape_of(self);

        (void)unused;
        if (tape)
                return json_value(tape, muster_result_body(result_of(self)));
        PyErr_SetString(PyExc_ValueError, "the body was not processed");
        return NULL;
}

/* --- where the time went --------------------------------------------------------------------- */

static PyObject *phases_of(const uint64_t *phase_ns)
{
        PyObject *phases = PyTuple_New(MUSTER_N_PHASES);

        for (int i = 0; phases && i < MUSTER_N_PHASES; i++) {
                PyObject *number = PyLong_FromUnsignedLongLong(phase_ns[i]);

                if (!number || PyTuple_SetItem(phases, i, number) < 0) {
                        Py_DECREF(phases);
                        return NULL;
                }
        }
        return phases;
}

/* In the order of enum muster_phase; nanoseconds. */
static PyObject *get_phases_ns(PyObject *self, void *unused)
{
        uint64_t phase_ns[MUSTER_N_PHASES];

        (void)unused;
        for (int i = 0; i < MUSTER_N_PHASES; i++)
                phase_ns[i] = muster_result_phase_ns(result_of(self), (enum muster_phase)i);
        return phases_of(phase_ns);
}

static PyObject *get_attempts(PyObject *self, void *unused)
{
        unsigned n = muster_result_n_attempts(result_of(self));
        PyObject *list = PyList_New(0);

        (void)unused;
        for (unsigned i = 0; list && i < n; i++) {
                struct muster_attempt attempt;
                PyObject *item;
                int r;

                if (muster_result_attempt(result_of(self), i, &attempt, sizeof(attempt)) < 0)
                        continue;
                item = Py_BuildValue("{ss si sK sK sN sK sK}", "code",
                        muster_code_name(attempt.code), "status", attempt.status, "start_ns",
                        attempt.start_ns, "end_ns", attempt.end_ns, "phases_ns",
                        phases_of(attempt.phase_ns), "backoff_ns", attempt.backoff_ns, "connection",
                        attempt.conn_id);
                r = item ? PyList_Append(list, item) : -1;
                Py_XDECREF(item);
                if (r < 0) {
                        Py_DECREF(list);
                        return NULL;
                }
        }
        return list;
}

static PyObject *get_connection(PyObject *self, void *unused)
{
        struct muster_conn_info info;

        (void)unused;
        muster_result_conn(result_of(self), &info, sizeof(info));
        if (!info.id)
                Py_RETURN_NONE;
        return Py_BuildValue("{sK sI sK sI sI sI sI sO ss ss ss ss}", "id", info.id, "reuse_count",
                info.reuse_count, "idle_ns", info.idle_ns, "addresses_tried", info.n_addresses,
                "rtt_us", info.rtt_us, "min_rtt_us", info.min_rtt_us, "retransmits",
                info.n_retransmits, "tls_resumed", info.tls_resumed ? Py_True : Py_False, "remote",
                info.remote, "tls_version", info.tls_version, "tls_cipher", info.tls_cipher,
                "proxy", info.proxy);
}

/* --- the type -------------------------------------------------------------------------------- */

#define GETTER(name, doc)                                                                          \
        {                                                                                          \
#name, get_##name, NULL, doc, NULL                                                 \
        }

static PyGetSetDef response_getters[] = {
        GETTER(id, "the number of the request, counted from 1 by its client"),
        GETTER(tag, NULL),
        GETTER(owner, "the Stream that it is for, or None"),
        GETTER(status, "0 when there was no response"),
        GETTER(http_version, "10, 11 or 20; 0 when there was no response"),
        GETTER(method, "as it was asked"),
        GETTER(url, "as it was asked"),
        GETTER(final_url, "of the last attempt, without user name and password"),
        GETTER(error, "an exception, or None"),
        GETTER(is_ok, "is there no error?"),
        GETTER(fields, "header fields as (name, value), as they came"),
        GETTER(content, "the body, decoded; bytes"),
        GETTER(body_bytes, "size of the decoded body"),
        GETTER(wire_bytes, "size of the body as it came"),
        GETTER(undecoded, "content codings that the body still has"),
        GETTER(heads, "what was sent and received before bodies; with keep_heads"),
        GETTER(warning, "besides the error; \"\" if there is none"),
        GETTER(n_attempts, "0 if it never left the queue"),
        GETTER(n_redirects, NULL),
        GETTER(total_ns, "from submit until it was taken"),
        GETTER(submitted_ns, "CLOCK_MONOTONIC"),
        GETTER(planned_ns, "CLOCK_MONOTONIC; with a rate the planned start"),
        GETTER(phases_ns, NULL),
        GETTER(process_ns, "how long a worker read its JSON; None: none did, or it is not JSON"),
        GETTER(attempts, NULL),
        GETTER(connection, "a dict, or None"),
        { 0 },
};

static PyMethodDef response_methods[] = {
        { "header", response_header, METH_O,
                "header(name): the first field of that name, or None" },
        { "read_now", response_read_now, METH_O,
                "read_now(size): of a streamed body; None: nothing yet, b\"\": its end" },
        { "build", response_build, METH_NOARGS,
                "build() -> objects of the JSON that a worker read" },
        { 0 },
};

static PyType_Slot response_slots[] = {
        { Py_tp_dealloc, response_dealloc },
        { Py_tp_traverse, response_traverse },
        { Py_tp_clear, response_clear },
        { Py_tp_methods, response_methods },
        { Py_tp_getset, response_getters },
        { Py_bf_getbuffer, response_getbuffer },
        { 0, NULL },
};

static PyType_Spec response_spec = {
        .name = "muster._engine.Response",
        .basicsize = sizeof(struct response),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
        .slots = response_slots,
};

int response_add_type(PyObject *module)
{
        PyObject *type = PyType_FromSpec(&response_spec);

        if (!type)
                return -1;
        module_state.base_response_type = (PyTypeObject *)type;
        Py_INCREF(type);
        return PyModule_AddObject(module, "Response", type);
}
