/* SPDX-License-Identifier: MIT */
#include "engine.h"

static PyObject *range_of(const struct muster_finding *finding)
{
        if (!finding->has_prediction)
                Py_RETURN_NONE;
        return Py_BuildValue("{sd sd sd}", "expected", (double)finding->wall_ns / 1e9, "low",
                (double)finding->wall_low_ns / 1e9, "high", (double)finding->wall_high_ns / 1e9);
}

static PyObject *evidence_of(const struct muster_finding *finding)
{
        PyObject *list = PyList_New(0);

        for (size_t i = 0; list && i < finding->n_evidence; i++) {
                PyObject *line = PyUnicode_FromString(finding->evidence[i]);
                int r = line ? PyList_Append(list, line) : -1;

                Py_XDECREF(line);
                if (r < 0) {
                        Py_DECREF(list);
                        return NULL;
                }
        }
        return list;
}

static PyObject *finding_of(const struct muster_finding *finding)
{
        static const char *const grades[] = { "A", "B", "C" };

        return Py_BuildValue("{ss ss ss sN ss sz sO sN}", "cause", finding->cause, "grade",
                grades[finding->grade], "title", finding->title, "evidence", evidence_of(finding),
                "remedy", finding->remedy, "option", finding->option, "is_client",
                finding->is_client ? Py_True : Py_False, "wall_s", range_of(finding));
}

static PyObject *findings_of(const struct muster_explanation *explanation)
{
        PyObject *list = PyList_New(0);
        const struct muster_finding *finding;

        for (size_t i = 0; list && (finding = muster_explanation_finding(explanation, i)); i++) {
                PyObject *item = finding_of(finding);
                int r = item ? PyList_Append(list, item) : -1;

                Py_XDECREF(item);
                if (r < 0) {
                        Py_DECREF(list);
                        return NULL;
                }
        }
        return list;
}

/* Part by part, in seconds; the largest first. */
static PyObject *parts_of(const struct muster_explanation *explanation, enum muster_account account)
{
        PyObject *parts = PyDict_New();
        const struct muster_part *part;

        for (size_t i = 0; parts && (part = muster_explanation_part(explanation, account, i));
                i++) {
                PyObject *seconds = PyFloat_FromDouble((double)part->ns / 1e9);
                int r = seconds ? PyDict_SetItemString(parts, part->name, seconds) : -1;

                Py_XDECREF(seconds);
                if (r < 0) {
                        Py_DECREF(parts);
                        return NULL;
                }
        }
        return parts;
}

static PyObject *run_of(const struct muster_explanation *explanation)
{
        struct muster_run run;

        muster_explanation_run(explanation, &run, sizeof(run));
        return Py_BuildValue("{sd sK sK sK sK sK sK sd sd sd sd}", "wall_s",
                (double)run.wall_ns / 1e9, "requests", run.n_requests, "failed", run.n_failed,
                "attempts", run.n_attempts, "retries", run.n_retries, "connections_opened",
                run.n_conns_opened, "concurrency", run.concurrency, "mean_in_flight",
                run.mean_in_flight, "requests_per_s", run.requests_per_s, "latency_p50_s",
                (double)run.latency_p50_ns / 1e9, "latency_p99_s",
                (double)run.latency_p99_ns / 1e9);
}

static PyObject *tell(struct muster_explanation *explanation, int r,
        const struct muster_error *error)
{
        PyObject *told;

        if (r < 0)
                return raise_error(error, NULL);
        told = Py_BuildValue("{ss sN sN sN sN}", "verdict", muster_explanation_verdict(explanation),
                "run", run_of(explanation), "findings", findings_of(explanation), "chain_s",
                parts_of(explanation, MUSTER_ACCOUNT_CHAIN), "shares_s",
                parts_of(explanation, MUSTER_ACCOUNT_SHARES));
        muster_explanation_free(explanation);
        return told;
}

PyObject *explain_client(struct muster_client *client)
{
        struct muster_explanation *explanation = NULL;
        struct muster_error error = { 0 };
        int r = muster_explain_client(&explanation, client, &error);

        return tell(explanation, r, &error);
}

PyObject *explain_file(PyObject *module, PyObject *path)
{
        struct muster_explanation *explanation = NULL;
        PyObject *bytes = PyUnicode_EncodeFSDefault(path);
        struct muster_error error = { 0 };
        PyThreadState *state;
        int r;

        (void)module;
        if (!bytes)
                return NULL;
        state = PyEval_SaveThread();
        r = muster_explain_file(&explanation, PyBytes_AsString(bytes), &error);
        PyEval_RestoreThread(state);
        Py_DECREF(bytes);
        return tell(explanation, r, &error);
}
