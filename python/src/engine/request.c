/* SPDX-License-Identifier: MIT */
/*
 * A request from what Python says of it: (method, url, headers, body, auth, options, process)
 *
 *      headers     a sequence of (name, value); value None keeps the field from being sent
 *      body        None, a buffer, ("form", parts), or ("file" or "pipe", path, source): the source is
 *                  told begin(id) when the request was taken, and end(response) when it is over
 *      auth        None, a token for Bearer, or (user, password, schemes)
 *      options     a dict of members of struct muster_request_options
 *      process     None, or the name of a function in C that works on the response
 *
 * A part of a form is (name, content, filename, type), where content is a buffer or ("file", path).
 */
#include "engine.h"

#include "json.h"

/* What a setter refused is an exception here: the request was never one. */
static int check(struct muster_request *request, int r)
{
        if (r >= 0)
                return 0;
        if (r == MUSTER_E_RESOURCE)
                PyErr_NoMemory();
        else
                raise_error(muster_request_error(request), NULL);
        return -1;
}

static int add_header(struct muster_request *request, PyObject *pair, PyObject *keep)
{
        PyObject *name = PySequence_GetItem(pair, 0), *value = PySequence_GetItem(pair, 1);
        const char *name_text, *value_text = NULL;
        int r = -1;

        if (name && value) {
                name_text = text_of(name, keep);
                if (name_text && value != Py_None)
                        value_text = text_of(value, keep);
                if (name_text && (value_text || value == Py_None))
                        r = check(request,
                                muster_request_add_header(request, name_text, value_text));
        }
        Py_XDECREF(name);
        Py_XDECREF(value);
        return r;
}

static int add_headers(struct muster_request *request, PyObject *headers, PyObject *keep)
{
        Py_ssize_t n = headers == Py_None ? 0 : PySequence_Size(headers);

        for (Py_ssize_t i = 0; i < n; i++) {
                PyObject *pair = PySequence_GetItem(headers, i);
                int r = pair ? add_header(request, pair, keep) : -1;

                Py_XDECREF(pair);
                if (r < 0)
                        return -1;
        }
        return n < 0 ? -1 : 0;
}

/* --- bodies ---------------------------------------------------------------------------------- */

static int fill_part(struct muster_form_part *part, PyObject *said, Py_buffer *buffer,
        PyObject *keep)
{
        PyObject *name, *content, *filename, *type, *path;

        if (!PyArg_ParseTuple(said, "OOOO", &name, &content, &filename, &type))
                return -1;
        *part = (struct muster_form_part){ .size = sizeof(*part) };
        if ((name != Py_None && !(part->name = text_of(name, keep))) ||
                (filename != Py_None && !(part->filename = text_of(filename, keep))) ||
                (type != Py_None && !(part->type = text_of(type, keep))))
                return -1;
        if (PyTuple_Check(content)) {
                path = PyTuple_GetItem(content, 1);
                part->file = path ? text_of(path, keep) : NULL;
                return part->file ? 0 : -1;
        }
        if (PyObject_GetBuffer(content, buffer, PyBUF_SIMPLE) < 0)
                return -1;
        part->data = buffer->buf;
        part->data_bytes = (size_t)buffer->len;
        return 0;
}

static int add_part(struct muster_form *form, PyObject *said, PyObject *keep)
{
        struct muster_form_part part;
        Py_buffer buffer = { 0 };
        int r = fill_part(&part, said, &buffer, keep);

        if (r == 0 && muster_form_add(form, &part) < 0) {
                raise_error(muster_form_error(form), NULL);
                r = -1;
        }
        if (buffer.obj)
                PyBuffer_Release(&buffer);
        return r;
}

static int set_form(struct muster_request *request, PyObject *parts, PyObject *keep)
{
        struct muster_form *form = muster_form_new(NULL);
        Py_ssize_t n = PySequence_Size(parts);
        int r = n < 0 ? -1 : 0;

        if (!form) {
                PyErr_NoMemory();
                return -1;
        }
        for (Py_ssize_t i = 0; r == 0 && i < n; i++) {
                PyObject *said = PySequence_GetItem(parts, i);

                r = said ? add_part(form, said, keep) : -1;
                Py_XDECREF(said);
        }
        if (r == 0)
                r = check(request, muster_request_set_form(request, form));
        muster_form_free(form);
        return r;
}

static int set_source(struct muster_request *request, PyObject *source, PyObject *keep)
{
        const char *kind, *path;
        PyObject *value, *giver;

        if (!PyArg_ParseTuple(source, "sO|O", &kind, &value, &giver))
                return -1;
        if (strcmp(kind, "form") == 0)
                return set_form(request, value, keep);
        path = text_of(value, keep);
        if (!path)
                return -1;
        return check(request, strcmp(kind, "pipe") == 0
                                      ? muster_request_set_body_pipe(request, path)
                                      : muster_request_set_body_file(request, path));
}

static int set_body(struct muster_request *request, PyObject *body, PyObject *keep)
{
        Py_buffer buffer;
        int r;

        if (body == Py_None)
                return 0;
        if (PyTuple_Check(body))
                return set_source(request, body, keep);
        if (PyObject_GetBuffer(body, &buffer, PyBUF_SIMPLE) < 0)
                return -1;
        r = check(request, muster_request_set_body(request, buffer.buf, (size_t)buffer.len));
        PyBuffer_Release(&buffer);
        return r;
}

static int set_auth(struct muster_request *request, PyObject *auth)
{
        const char *user, *password, *token;
        unsigned schemes;

        if (auth == Py_None)
                return 0;
        if (!PyTuple_Check(auth)) {
                PyErr_SetString(PyExc_TypeError, "auth is (token,) or (user, password, schemes)");
                return -1;
        }
        if (PyTuple_Size(auth) == 1) {
                if (!PyArg_ParseTuple(auth, "s", &token))
                        return -1;
                return check(request, muster_request_set_bearer(request, token));
        }
        if (!PyArg_ParseTuple(auth, "szI", &user, &password, &schemes))
                return -1;
        return check(request, muster_request_set_credentials(request, user, password, schemes));
}

/* --- the whole ------------------------------------------------------------------------------- */

static int set_options(struct muster_request *request, PyObject *dictionary, PyObject *keep)
{
        struct muster_request_options options = { .size = sizeof(options) };

        if (dictionary == Py_None)
                return 0;
        if (fill_request_options(&options, dictionary, keep) < 0)
                return -1;
        return check(request, muster_request_set_options(request, &options));
}

int process_of(PyObject *name, muster_process_fn *ret_process)
{
        muster_process_fn process = NULL;

        if (name != Py_None) {
                if (!PyUnicode_Check(name) || PyUnicode_CompareWithASCIIString(name, "json") != 0) {
                        PyErr_Format(PyExc_ValueError, "process: %R is no name of a function",
                                name);
                        return -1;
                }
                process = json_process;
        }
        *ret_process = process;
        return 0;
}

static struct muster_request *make(PyObject *parts, PyObject *keep)
{
        PyObject *method, *url, *headers, *body, *auth, *options, *name;
        const char *method_text, *url_text;
        struct muster_request *request;
        muster_process_fn process;

        if (!PyArg_ParseTuple(parts, "OOOOOOO", &method, &url, &headers, &body, &auth, &options,
                    &name) ||
                process_of(name, &process) < 0)
                return NULL;
        method_text = method == Py_None ? "GET" : text_of(method, keep);
        url_text = method_text ? text_of(url, keep) : NULL;
        if (!url_text)
                return NULL;
        request = muster_request_new(method_text, url_text);
        if (!request)
                PyErr_NoMemory();
        else if (add_headers(request, headers, keep) < 0 || set_body(request, body, keep) < 0 ||
                 set_auth(request, auth) < 0 || set_options(request, options, keep) < 0)
                request = muster_request_free(request);
        if (request)
                muster_request_set_process(request, process, NULL);
        return request;
}

/*
 * Hand it over, and whom it is for. The job ends with it where it was not taken. `request` NULL: it
 * could not be made, and an exception is set.
 */
static int submit(struct engine *engine, struct muster_request *request, PyObject *tag,
        PyObject *owner, PyObject *source, uint64_t *ret_id)
{
        struct job *job = request ? job_new(engine, tag, owner, source) : NULL;
        int r;

        if (!job) {
                muster_request_free(request);
                return -1;
        }
        muster_request_set_userdata(request, job);
        r = muster_submit(engine->client, request, ret_id);
        if (r == 0) {
                job_begin(job, *ret_id);
                return 0;
        }
        job_drop(engine, job);
        if (r == MUSTER_FULL) {
                muster_request_free(request);
                return MUSTER_FULL;
        }
        if (r == MUSTER_E_RESOURCE)
                PyErr_NoMemory();
        else
                raise_code(r, "the request was not taken");
        return -1;
}

/* Who gives the body, borrowed; NULL: nobody. */
static PyObject *source_of(PyObject *parts)
{
        PyObject *body = PyTuple_GetItem(parts, 3);

        return PyTuple_Check(body) && PyTuple_Size(body) == 3 ? PyTuple_GetItem(body, 2) : NULL;
}

int request_submit(struct engine *engine, PyObject *parts, PyObject *tag, PyObject *owner,
        uint64_t *ret_id)
{
        PyObject *keep = PyList_New(0);
        struct muster_request *request = keep ? make(parts, keep) : NULL;

        Py_XDECREF(keep);
        return submit(engine, request, tag, owner, request ? source_of(parts) : NULL, ret_id);
}

int request_get(struct engine *engine, PyObject *url, muster_process_fn process, PyObject *tag,
        PyObject *owner)
{
        PyObject *bytes = PyUnicode_AsUTF8String(url);
        const char *text = bytes ? PyBytes_AsString(bytes) : NULL;
        struct muster_request *request = NULL;
        uint64_t id;

        if (text && strlen(text) != (size_t)PyBytes_Size(bytes))
                PyErr_Format(PyExc_ValueError, "a NUL character in %R", url);
        else if (text && !(request = muster_request_new(NULL, text)))
                PyErr_NoMemory();
        Py_XDECREF(bytes);
        if (request)
                muster_request_set_process(request, process, NULL);
        return submit(engine, request, tag, owner, NULL, &id);
}
