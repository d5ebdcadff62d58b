/* SPDX-License-Identifier: MIT */
/*
 * Jar and HSTS: what clients share, cookies and the hosts that want https only
 *
 * Both count who holds them and have a lock of their own, so clients, requests and threads may use
 * one at a time. Files are read and written without Python's lock.
 */
#include "engine.h"

struct jar {
        PyObject_HEAD struct muster_jar *jar;
};

struct hsts {
        PyObject_HEAD struct muster_hsts *hsts;
};

struct muster_jar *jar_of(PyObject *object)
{
        if (PyObject_TypeCheck(object, module_state.jar_type))
                return ((struct jar *)object)->jar;
        PyErr_Format(PyExc_TypeError, "cookies: a CookieJar is needed, not %R", object);
        return NULL;
}

struct muster_hsts *hsts_of(PyObject *object)
{
        if (PyObject_TypeCheck(object, module_state.hsts_type))
                return ((struct hsts *)object)->hsts;
        PyErr_Format(PyExc_TypeError, "hsts: an HSTS list is needed, not %R", object);
        return NULL;
}

/* --- files ----------------------------------------------------------------------------------- */

typedef int (*file_fn)(void *list, const char *path, struct muster_error *error);

static int load_jar(void *jar, const char *path, struct muster_error *error)
{
        return muster_jar_load(jar, path, error);
}

static int save_jar(void *jar, const char *path, struct muster_error *error)
{
        return muster_jar_save(jar, path, error);
}

static int load_hsts(void *hsts, const char *path, struct muster_error *error)
{
        return muster_hsts_load(hsts, path, error);
}

static int save_hsts(void *hsts, const char *path, struct muster_error *error)
{
        return muster_hsts_save(hsts, path, error);
}

/* Lines that were skipped are a warning. */
static PyObject *told(int r, const struct muster_error *error)
{
        if (r < 0)
                return raise_error(error, NULL);
        if (r == MUSTER_LINES_SKIPPED && PyErr_WarnEx(PyExc_UserWarning, error->text, 1) < 0)
                return NULL;
        Py_RETURN_NONE;
}

/* `path` is what open() takes. */
static PyObject *with_file(void *list, PyObject *path, file_fn function)
{
        struct muster_error error = { 0 };
        PyObject *bytes = NULL;
        PyThreadState *state;
        int r;

        if (!PyUnicode_FSConverter(path, &bytes))
                return NULL;
        state = PyEval_SaveThread();
        r = function(list, PyBytes_AsString(bytes), &error);
        PyEval_RestoreThread(state);
        Py_DECREF(bytes);
        return told(r, &error);
}

/* --- the jar --------------------------------------------------------------------------------- */

/* Takes the jar, also on failure. */
static PyObject *wrap_jar(PyTypeObject *type, struct muster_jar *jar)
{
        struct jar *object = jar ? (struct jar *)PyType_GenericAlloc(type, 0) : NULL;

        if (object) {
                object->jar = jar;
                return (PyObject *)object;
        }
        muster_jar_free(jar);
        return jar ? NULL : PyErr_NoMemory();
}

static bool takes_nothing(PyObject *arguments, PyObject *keywords)
{
        if (PyTuple_Size(arguments) == 0 && (!keywords || PyDict_Size(keywords) == 0))
                return true;
        PyErr_SetString(PyExc_TypeError, "it is made without arguments");
        return false;
}

static PyObject *jar_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
        return takes_nothing(arguments, keywords) ? wrap_jar(type, muster_jar_new()) : NULL;
}

static void free_object(PyObject *self)
{
        PyTypeObject *type = Py_TYPE(self);

        ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
        Py_DECREF((PyObject *)type);
}

static void jar_dealloc(PyObject *self)
{
        muster_jar_free(((struct jar *)self)->jar);
        free_object(self);
}

static PyObject *jar_copy(PyObject *self, PyObject *unused)
{
        (void)unused;
        return wrap_jar(Py_TYPE(self), muster_jar_copy(((struct jar *)self)->jar));
}

static PyObject *jar_load(PyObject *self, PyObject *path)
{
        return with_file(((struct jar *)self)->jar, path, load_jar);
}

static PyObject *jar_save(PyObject *self, PyObject *path)
{
        return with_file(((struct jar *)self)->jar, path, save_jar);
}

static PyObject *jar_read(PyObject *self, PyObject *arguments)
{
        struct muster_error error = { 0 };
        const char *text;
        Py_ssize_t size;

        if (!PyArg_ParseTuple(arguments, "s#:read", &text, &size))
                return NULL;
        return told(muster_jar_read(((struct jar *)self)->jar, text, (size_t)size, &error), &error);
}

static PyObject *jar_set(PyObject *self, PyObject *arguments)
{
        const char *url, *line;
        int r;

        if (!PyArg_ParseTuple(arguments, "ss:set", &url, &line))
                return NULL;
        r = muster_jar_set(((struct jar *)self)->jar, url, line);
        if (r < 0)
                return raise_code(r, "no cookie was set");
        return PyBool_FromLong(r != MUSTER_COOKIE_IGNORED);
}

static PyObject *jar_clear(PyObject *self, PyObject *unused)
{
        (void)unused;
        muster_jar_clear(((struct jar *)self)->jar);
        Py_RETURN_NONE;
}

static PyObject *jar_clear_session(PyObject *self, PyObject *unused)
{
        (void)unused;
        muster_jar_clear_session(((struct jar *)self)->jar);
        Py_RETURN_NONE;
}

/* In the order of the fields of muster.Cookie. */
static PyObject *tuple_of(const struct muster_cookie *cookie)
{
        static const char *const same_sites[] = { NULL, "None", "Lax", "Strict" };
        PyObject *expires = cookie->expires_s ? PyLong_FromLongLong(cookie->expires_s) : Py_None;

        if (!cookie->expires_s)
                Py_INCREF(expires);
        return Py_BuildValue("(NNssNOOOz)", text_from_string(cookie->name),
                text_from_string(cookie->value), cookie->domain, cookie->path, expires,
                cookie->is_host_only ? Py_True : Py_False, cookie->is_secure ? Py_True : Py_False,
                cookie->is_http_only ? Py_True : Py_False, same_sites[cookie->same_site]);
}

static PyObject *jar_cookies(PyObject *self, PyObject *unused)
{
        struct muster_cookies *cookies = muster_cookies_new(((struct jar *)self)->jar);
        PyObject *list = cookies ? PyList_New(0) : PyErr_NoMemory();
        const struct muster_cookie *cookie;

        (void)unused;
        for (size_t i = 0; list && (cookie = muster_cookies_at(cookies, i)); i++) {
                PyObject *item = tuple_of(cookie);
                int r = item ? PyList_Append(list, item) : -1;

                Py_XDECREF(item);
                if (r < 0)
                        Py_CLEAR(list);
        }
        muster_cookies_free(cookies);
        return list;
}

static PyMethodDef jar_methods[] = {
        { "load", jar_load, METH_O, "load(path): add the cookies of a file" },
        { "save", jar_save, METH_O, "save(path): whole or not at all, in Netscape format" },
        { "read", jar_read, METH_VARARGS, "read(text): add the cookies of a file's text" },
        { "set", jar_set, METH_VARARGS,
                "set(url, line) -> was it taken? As a response from url with Set-Cookie: line" },
        { "clear", jar_clear, METH_NOARGS, NULL },
        { "clear_session", jar_clear_session, METH_NOARGS, "drop those that have no date" },
        { "copy", jar_copy, METH_NOARGS, "another jar with the same cookies" },
        { "cookies", jar_cookies, METH_NOARGS, "a list of tuples, the oldest first" },
        { 0 },
};

static PyType_Slot jar_slots[] = {
        { Py_tp_new, jar_new },
        { Py_tp_dealloc, jar_dealloc },
        { Py_tp_methods, jar_methods },
        { 0, NULL },
};

static PyType_Spec jar_spec = {
        .name = "muster._engine.Jar",
        .basicsize = sizeof(struct jar),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = jar_slots,
};

/* --- hosts that want https only -------------------------------------------------------------- */

static PyObject *hsts_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
        struct hsts *object;

        if (!takes_nothing(arguments, keywords))
                return NULL;
        object = (struct hsts *)PyType_GenericAlloc(type, 0);
        if (!object)
                return NULL;
        object->hsts = muster_hsts_new();
        if (object->hsts)
                return (PyObject *)object;
        Py_DECREF((PyObject *)object);
        return PyErr_NoMemory();
}

static void hsts_dealloc(PyObject *self)
{
        muster_hsts_free(((struct hsts *)self)->hsts);
        free_object(self);
}

static PyObject *hsts_load(PyObject *self, PyObject *path)
{
        return with_file(((struct hsts *)self)->hsts, path, load_hsts);
}

static PyObject *hsts_save(PyObject *self, PyObject *path)
{
        return with_file(((struct hsts *)self)->hsts, path, save_hsts);
}

static PyObject *hsts_set(PyObject *self, PyObject *arguments)
{
        const char *url, *value;
        int r;

        if (!PyArg_ParseTuple(arguments, "ss:set", &url, &value))
                return NULL;
        r = muster_hsts_set(((struct hsts *)self)->hsts, url, value);
        if (r < 0)
                return raise_code(r,
                        "a host is learnt from an https URL with a name, and a value such as max-age=3600");
        Py_RETURN_NONE;
}

static PyObject *hsts_applies(PyObject *self, PyObject *url)
{
        PyObject *bytes = PyUnicode_AsUTF8String(url);
        bool does;

        if (!bytes)
                return NULL;
        does = muster_hsts_applies(((struct hsts *)self)->hsts, PyBytes_AsString(bytes));
        Py_DECREF(bytes);
        return PyBool_FromLong(does);
}

static PyObject *hsts_has_changed(PyObject *self, void *unused)
{
        (void)unused;
        return PyBool_FromLong(muster_hsts_has_changed(((struct hsts *)self)->hsts));
}

static PyMethodDef hsts_methods[] = {
        { "load", hsts_load, METH_O, "load(path): add the hosts of a file, if there is one" },
        { "save", hsts_save, METH_O, "save(path): whole or not at all, as curl has it" },
        { "set", hsts_set, METH_VARARGS,
                "set(url, value): as a response from url with Strict-Transport-Security: value" },
        { "applies", hsts_applies, METH_O, "applies(url): would this http URL become https?" },
        { 0 },
};

static PyGetSetDef hsts_getters[] = {
        { "has_changed", hsts_has_changed, NULL, "since it was made, loaded or saved", NULL },
        { 0 },
};

static PyType_Slot hsts_slots[] = {
        { Py_tp_new, hsts_new },
        { Py_tp_dealloc, hsts_dealloc },
        { Py_tp_methods, hsts_methods },
        { Py_tp_getset, hsts_getters },
        { 0, NULL },
};

static PyType_Spec hsts_spec = {
        .name = "muster._engine.HSTS",
        .basicsize = sizeof(struct hsts),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = hsts_slots,
};

static PyTypeObject *add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
        PyObject *type = PyType_FromSpec(spec);

        Py_XINCREF(type);
        if (type && PyModule_AddObject(module, name, type) == 0)
                return (PyTypeObject *)type;
        Py_XDECREF(type);
        return NULL;
}

int jar_add_types(PyObject *module)
{
        module_state.jar_type = add_type(module, "Jar", &jar_spec);
        module_state.hsts_type = add_type(module, "HSTS", &hsts_spec);
        return module_state.jar_type && module_state.hsts_type ? 0 : -1;
}
