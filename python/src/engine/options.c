/* SPDX-License-Identifier: MIT */
/*
 * Options: a member of a struct for each key of a dictionary
 *
 * The names are those of the public headers; muster/_options.py has those that people use, and
 * their units.
 */
#include "engine.h"

#include <stddef.h>
#include <string.h>

enum kind {
        KIND_UNSIGNED,
        KIND_SIZE,
        KIND_U64,
        KIND_BOOL,
        KIND_DOUBLE,
        KIND_TEXT,
        KIND_TEXTS,
        KIND_JAR,
        KIND_HSTS
};

struct member {
        const char *name;
        enum kind kind;
        size_t at;
};

#define CLIENT(name, kind)                                                                         \
        {                                                                                          \
#name, kind, offsetof(struct muster_client_options, name)                          \
        }
#define REQUEST(name, kind)                                                                        \
        {                                                                                          \
#name, kind, offsetof(struct muster_request_options, name)                         \
        }

static const struct member client_members[] = {
        CLIENT(concurrency, KIND_UNSIGNED),
        CLIENT(per_host, KIND_UNSIGNED),
        CLIENT(queue_size, KIND_SIZE),
        CLIENT(queue_timeout_ms, KIND_U64),
        CLIENT(connect_timeout_ms, KIND_U64),
        CLIENT(read_timeout_ms, KIND_U64),
        CLIENT(total_timeout_ms, KIND_U64),
        CLIENT(deadline_ms, KIND_U64),
        CLIENT(idle_timeout_ms, KIND_U64),
        CLIENT(max_retries, KIND_UNSIGNED),
        CLIENT(retry_delay_ms, KIND_U64),
        CLIENT(retry_delay_max_ms, KIND_U64),
        CLIENT(retry_fixed_delay_ms, KIND_U64),
        CLIENT(retry_max_time_ms, KIND_U64),
        CLIENT(retry_budget_percent, KIND_UNSIGNED),
        CLIENT(retry_unsafe, KIND_BOOL),
        CLIENT(max_redirects, KIND_UNSIGNED),
        CLIENT(no_redirects, KIND_BOOL),
        CLIENT(max_body_bytes, KIND_U64),
        CLIENT(max_header_bytes, KIND_SIZE),
        CLIENT(max_decode_ratio, KIND_UNSIGNED),
        CLIENT(body_memory_bytes, KIND_U64),
        CLIENT(user_agent, KIND_TEXT),
        CLIENT(ca_file, KIND_TEXT),
        CLIENT(client_cert_file, KIND_TEXT),
        CLIENT(client_key_file, KIND_TEXT),
        CLIENT(keylog_file, KIND_TEXT),
        CLIENT(insecure_no_verify, KIND_BOOL),
        CLIENT(cert_status, KIND_BOOL),
        CLIENT(dns_server, KIND_TEXT),
        CLIENT(resolve, KIND_TEXTS),
        CLIENT(connect_to, KIND_TEXTS),
        CLIENT(cookies, KIND_JAR),
        CLIENT(hsts, KIND_HSTS),
        CLIENT(no_decoding, KIND_BOOL),
        CLIENT(discard_body, KIND_BOOL),
        CLIENT(allow_https_to_http, KIND_BOOL),
        CLIENT(http, KIND_UNSIGNED),
        CLIENT(h2_conns, KIND_UNSIGNED),
        CLIENT(workers, KIND_UNSIGNED),
        CLIENT(decode_threshold_bytes, KIND_U64),
        CLIENT(rate_per_s, KIND_DOUBLE),
        CLIENT(rate_per_host_per_s, KIND_DOUBLE),
        CLIENT(no_reuse, KIND_BOOL),
        CLIENT(threads, KIND_UNSIGNED),
        CLIENT(auth, KIND_UNSIGNED),
        CLIENT(netrc_file, KIND_TEXT),
        CLIENT(netrc_optional, KIND_BOOL),
        CLIENT(credentials_to_any_origin, KIND_BOOL),
        CLIENT(secret_headers, KIND_TEXTS),
        CLIENT(expect_timeout_ms, KIND_U64),
        CLIENT(expect_above_bytes, KIND_U64),
        CLIENT(proxy, KIND_TEXT),
        CLIENT(proxy_user, KIND_TEXT),
        CLIENT(no_proxy, KIND_TEXT),
        CLIENT(proxy_headers, KIND_TEXTS),
        CLIENT(proxy_auth, KIND_UNSIGNED),
        CLIENT(proxy_tunnel, KIND_BOOL),
        CLIENT(proxy_from_environment, KIND_BOOL),
        CLIENT(proxy_insecure_no_verify, KIND_BOOL),
        CLIENT(proxy_ca_file, KIND_TEXT),
        CLIENT(proxy_client_cert_file, KIND_TEXT),
        CLIENT(proxy_client_key_file, KIND_TEXT),
        CLIENT(unix_socket, KIND_TEXT),
        CLIENT(interface, KIND_TEXT),
        CLIENT(local_port, KIND_TEXT),
        CLIENT(ip_version, KIND_UNSIGNED),
        CLIENT(keep_heads, KIND_BOOL),
        CLIENT(deny_private, KIND_BOOL),
        CLIENT(allow_hosts, KIND_TEXTS),
        CLIENT(allow_ports, KIND_TEXTS),
        CLIENT(low_speed_bytes_per_s, KIND_U64),
        CLIENT(low_speed_time_ms, KIND_U64),
        { 0 },
};

static const struct member request_members[] = {
        REQUEST(queue_timeout_ms, KIND_U64),
        REQUEST(connect_timeout_ms, KIND_U64),
        REQUEST(read_timeout_ms, KIND_U64),
        REQUEST(total_timeout_ms, KIND_U64),
        REQUEST(deadline_ms, KIND_U64),
        REQUEST(max_body_bytes, KIND_U64),
        REQUEST(max_retries, KIND_UNSIGNED),
        REQUEST(no_retries, KIND_BOOL),
        REQUEST(retry_unsafe, KIND_BOOL),
        REQUEST(no_redirects, KIND_BOOL),
        REQUEST(no_decoding, KIND_BOOL),
        REQUEST(discard_body, KIND_BOOL),
        REQUEST(stream, KIND_BOOL),
        REQUEST(process_inline, KIND_BOOL),
        REQUEST(no_cookies, KIND_BOOL),
        REQUEST(cookies, KIND_JAR),
        REQUEST(http, KIND_UNSIGNED),
        { 0 },
};

const char *text_of(PyObject *string, PyObject *keep)
{
        PyObject *bytes;
        const char *text;

        if (!PyUnicode_Check(string)) {
                PyErr_Format(PyExc_TypeError, "a str is needed, not %R", string);
                return NULL;
        }
        bytes = PyUnicode_AsUTF8String(string);
        if (!bytes)
                return NULL;
        text = PyBytes_AsString(bytes);
        if (strlen(text) != (size_t)PyBytes_Size(bytes)) {
                PyErr_Format(PyExc_ValueError, "a NUL character in %R", string);
                text = NULL;
        }
        if (text && PyList_Append(keep, bytes) < 0)
                text = NULL;
        Py_DECREF(bytes);
        return text;
}

/* A NULL-ended array, held by `keep`. */
static const char *const *texts_of(PyObject *sequence, PyObject *keep)
{
        Py_ssize_t n = PySequence_Size(sequence);
        const char **texts;
        PyObject *memory;

        if (n < 0)
                return NULL;
        memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)((size_t)(n + 1) * sizeof(*texts)));
        if (!memory)
                return NULL;
        texts = (const char **)(void *)PyBytes_AsString(memory);
        for (Py_ssize_t i = 0; i < n; i++) {
                PyObject *string = PySequence_GetItem(sequence, i);

                texts[i] = string ? text_of(string, keep) : NULL;
                Py_XDECREF(string);
                if (!texts[i]) {
                        Py_DECREF(memory);
                        return NULL;
                }
        }
        texts[n] = NULL;
        n = PyList_Append(keep, memory);
        Py_DECREF(memory);
        return n < 0 ? NULL : texts;
}

/* Whole numbers below 0, and above what the member holds, are refused. */
static int set_whole(void *member, enum kind kind, const char *name, PyObject *value)
{
        unsigned long long number = PyLong_AsUnsignedLongLong(value);
        uint64_t most = kind == KIND_UNSIGNED ? UINT32_MAX : UINT64_MAX;

        if (PyErr_Occurred())
                return -1;
        if (number > most) {
                PyErr_Format(PyExc_ValueError, "%s: %R is too large", name, value);
                return -1;
        }
        if (kind == KIND_UNSIGNED)
                *(unsigned *)member = (unsigned)number;
        else if (kind == KIND_SIZE)
                *(size_t *)member = (size_t)number;
        else
                *(uint64_t *)member = number;
        return 0;
}

static int set_member(void *options, const struct member *member, PyObject *value, PyObject *keep)
{
        void *at = (char *)options + member->at;
        int truth;

        switch (member->kind) {
        case KIND_BOOL:
                truth = PyObject_IsTrue(value);
                if (truth >= 0)
                        *(bool *)at = truth;
                return truth < 0 ? -1 : 0;
        case KIND_DOUBLE:
                *(double *)at = PyFloat_AsDouble(value);
                return PyErr_Occurred() ? -1 : 0;
        case KIND_TEXT:
                *(const char **)at = text_of(value, keep);
                return *(const char **)at ? 0 : -1;
        case KIND_TEXTS:
                *(const char *const **)at = texts_of(value, keep);
                return *(const char *const **)at ? 0 : -1;
        case KIND_JAR:
                *(struct muster_jar **)at = jar_of(value);
                return *(struct muster_jar **)at ? 0 : -1;
        case KIND_HSTS:
                *(struct muster_hsts **)at = hsts_of(value);
                return *(struct muster_hsts **)at ? 0 : -1;
        case KIND_UNSIGNED:
        case KIND_SIZE:
        case KIND_U64:
        default:
                return set_whole(at, member->kind, member->name, value);
        }
}

static const struct member *find_member(const struct member *members, PyObject *name)
{
        for (; members->name; members++)
                if (PyUnicode_CompareWithASCIIString(name, members->name) == 0)
                        return members;
        return NULL;
}

static int fill(void *options, const struct member *members, PyObject *dictionary, PyObject *keep)
{
        PyObject *name, *value;
        Py_ssize_t at = 0;

        if (!dictionary || dictionary == Py_None)
                return 0;
        if (!PyDict_Check(dictionary)) {
                PyErr_Format(PyExc_TypeError, "options are a dict, not %R", dictionary);
                return -1;
        }
        while (PyDict_Next(dictionary, &at, &name, &value)) {
                const struct member *member = find_member(members, name);

                if (!member) {
                        PyErr_Format(PyExc_TypeError, "there is no option %R", name);
                        return -1;
                }
                if (value != Py_None && set_member(options, member, value, keep) < 0)
                        return -1;
        }
        return 0;
}

int fill_client_options(struct muster_client_options *options, PyObject *dictionary, PyObject *keep)
{
        return fill(options, client_members, dictionary, keep);
}

int fill_request_options(struct muster_request_options *options, PyObject *dictionary,
        PyObject *keep)
{
        return fill(options, request_members, dictionary, keep);
}
