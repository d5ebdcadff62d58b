/* SPDX-License-Identifier: MIT */
/*
 * Python.h for one binary that serves Python 3.9 and later
 *
 * The limited API has had the buffer protocol since 3.11. Interpreters before that have the same
 * functions, the same slots for types made from a spec (since 3.9), and the same structure, which
 * was only not promised yet; nobody will change those versions any more. So what their headers hide
 * is declared here.
 *
 * Free-threaded builds have no limited API: there the module is built for that version alone.
 */
#ifndef MUSTER_PYTHON_LIMITED_H
#define MUSTER_PYTHON_LIMITED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if defined(Py_LIMITED_API) && Py_LIMITED_API + 0 < 0x030b0000
typedef struct bufferinfo {
        void *buf;
        PyObject *obj;
        Py_ssize_t len;
        Py_ssize_t itemsize;
        int readonly;
        int ndim;
        char *format;
        Py_ssize_t *shape;
        Py_ssize_t *strides;
        Py_ssize_t *suboffsets;
        void *internal;
} Py_buffer;

#define PyBUF_SIMPLE 0

PyAPI_FUNC(int) PyObject_GetBuffer(PyObject *object, Py_buffer *view, int flags);
PyAPI_FUNC(void) PyBuffer_Release(Py_buffer *view);
PyAPI_FUNC(int) PyBuffer_FillInfo(Py_buffer *view, PyObject *object, void *data, Py_ssize_t size,
        int is_readonly, int flags);

#ifndef Py_bf_getbuffer
#define Py_bf_getbuffer 1
#endif
#endif

#endif
