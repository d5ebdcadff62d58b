/* SPDX-License-Identifier: MIT */
#include "engine.h"

struct job *job_new(struct engine *engine, PyObject *tag, PyObject *owner, PyObject *source)
{
        struct job *job = PyMem_Malloc(sizeof(*job));

        if (!job) {
                PyErr_NoMemory();
                return NULL;
        }
        Py_INCREF(tag);
        Py_XINCREF(owner);
        Py_XINCREF(source);
        *job = (struct job){ .after = engine->jobs, .tag = tag, .owner = owner, .source = source };
        if (job->after)
                job->after->before = job;
        engine->jobs = job;
        engine->n_jobs++;
        return job;
}

/* Tell who gives the body. It has no say in what happens here: its exceptions go to the hook. */
static void tell(PyObject *source, const char *method, PyObject *argument)
{
        PyObject *type, *value, *traceback, *told;

        PyErr_Fetch(&type, &value, &traceback);
        told = PyObject_CallMethod(source, method, "O", argument);
        if (!told)
                PyErr_WriteUnraisable(source);
        Py_XDECREF(told);
        PyErr_Restore(type, value, traceback);
}

void job_begin(struct job *job, uint64_t id)
{
        PyObject *number;

        job->id = id;
        if (!job->source)
                return;
        number = PyLong_FromUnsignedLongLong(id);
        if (number)
                tell(job->source, "begin", number);
        else
                PyErr_WriteUnraisable(job->source);
        Py_XDECREF(number);
}

static void unlink_job(struct engine *engine, struct job *job)
{
        if (job->before)
                job->before->after = job->after;
        else
                engine->jobs = job->after;
        if (job->after)
                job->after->before = job->before;
        engine->n_jobs--;
}

PyObject *job_end(struct engine *engine, struct job *job, struct muster_result *result)
{
        PyObject *source = job->source;
        PyObject *response = response_new(engine, result, job->tag, job->owner);

        unlink_job(engine, job);
        PyMem_Free(job);
        if (source)
                tell(source, "end", response ? response : Py_None);
        Py_XDECREF(source);
        return response;
}

void job_drop(struct engine *engine, struct job *job)
{
        struct job dropped = *job;

        unlink_job(engine, job);
        PyMem_Free(job);
        if (dropped.source && dropped.id)
                tell(dropped.source, "end", Py_None);
        Py_XDECREF(dropped.source);
        Py_DECREF(dropped.tag);
        Py_XDECREF(dropped.owner);
}
