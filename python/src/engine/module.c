/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <pthread.h>

struct module_state module_state;

PyObject *raise_error(const struct muster_error *error, PyObject *response)
{
        PyObject *exception;

        if (!module_state.make_error) {
                PyErr_SetString(PyExc_RuntimeError, error->text);
                return NULL;
        }
        exception = PyObject_CallFunction(module_state.make_error, "ssisO",
                muster_code_name(error->code), muster_phase_name(error->stage), error->sys,
                error->text, response ? response : Py_None);
        if (exception)
                PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        Py_XDECREF(exception);
        return NULL;
}

PyObject *raise_code(int code, const char *text)
{
        struct muster_error error = { .code = (enum muster_code)code };

        snprintf(error.text, sizeof(error.text), "%s: %s", muster_code_name(error.code), text);
        return raise_error(&error, NULL);
}

static PyObject *module_register(PyObject *module, PyObject *arguments)
{
        PyObject *response_type, *make_error;

        (void)module;
        if (!PyArg_ParseTuple(arguments, "OO:register", &response_type, &make_error))
                return NULL;
        Py_INCREF(response_type);
        Py_INCREF(make_error);
        Py_XDECREF((PyObject *)module_state.response_type);
        Py_XDECREF(module_state.make_error);
        module_state.response_type = (PyTypeObject *)response_type;
        module_state.make_error = make_error;
        Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
        { "register", module_register, METH_VARARGS,
                "register(response_class, make_error): what the Python half provides." },
        { "explain_file", explain_file, METH_O,
                "explain_file(path): what `muster explain` says of a record, as a dict." },
        { "arrow_stream", arrow_stream, METH_VARARGS,
                "arrow_stream(n_rows, columns): a capsule that readers of Apache Arrow take." },
        { 0 },
};

static struct PyModuleDef definition = {
        PyModuleDef_HEAD_INIT,
        .m_name = "_engine",
        .m_doc = "libmuster for the Python package muster; not for use by itself.",
        .m_size = -1,
        .m_methods = methods,
};

static void note_fork(void)
{
        module_state.n_forks++;
}

/*
 * A binary for all versions knows objects of one shape, and those of free-threaded builds have
 * another. No installer offers it to them; a folder that was copied there must not crash.
 */
static bool fits_interpreter(void)
{
#ifdef Py_LIMITED_API
        return !strstr(Py_GetVersion(), "free-threading");
#else
        return true;
#endif
}

PyMODINIT_FUNC PyInit__engine(void)
{
        PyObject *module;

        if (!fits_interpreter()) {
                PyErr_SetString(PyExc_ImportError,
                        "this muster was built for Python with its lock; for a free-threaded Python build it with -Csetup-args=-Dpython.allow_limited_api=false");
                return NULL;
        }
        module = PyModule_Create(&definition);
        if (!module)
                return NULL;
        pthread_atfork(NULL, NULL, note_fork);
        if (engine_add_type(module) < 0 || response_add_type(module) < 0 ||
                stream_add_type(module) < 0 || jar_add_types(module) < 0 ||
                PyModule_AddStringConstant(module, "version", muster_version()) < 0) {
                Py_DECREF(module);
                return NULL;
        }
        return module;
}
