/* SPDX-License-Identifier: MIT */
/*
 * Columns as a stream of Apache Arrow, in a capsule
 *
 *      arrow_stream(n_rows, columns)       a column is (name, format, n_nulls, validity, offsets, data)
 *
 *      format "l": int64, "g": double, "u", "U": text with offsets of 32 or 64 bits
 *      validity, data: buffers; offsets: a buffer, for text alone. None where there is none.
 *
 * The structures are those of Arrow's C data interface and C stream interface, whose layout is fixed. All
 * that is given away is memory of its own and holds no object of Python: whoever gets it may release
 * it from any thread, without Python's lock, and after the interpreter is gone.
 *
 * The stream has one batch, whose children are the columns. A child may be moved away from its
 * parent and outlive it, so each owns its memory. What is released has no release function any more.
 */
#include "engine.h"

#include <errno.h>
#include <stdlib.h>

#define STREAM_NAME    "arrow_array_stream"
#define ARROW_NULLABLE 2
#define ALIGNMENT      64 /* what Arrow advises */
#define N_BUFFERS_MAX  3

struct ArrowSchema {
        const char *format, *name, *metadata;
        int64_t flags, n_children;
        struct ArrowSchema **children, *dictionary;
        void (*release)(struct ArrowSchema *);
        void *private_data;
};

struct ArrowArray {
        int64_t length, null_count, offset, n_buffers, n_children;
        const void **buffers;
        struct ArrowArray **children, *dictionary;
        void (*release)(struct ArrowArray *);
        void *private_data;
};

struct ArrowArrayStream {
        int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
        int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
        const char *(*get_last_error)(struct ArrowArrayStream *);
        void (*release)(struct ArrowArrayStream *);
        void *private_data;
};

struct column {
        char *name;
        char format[2];
        int64_t n_nulls;
        void *validity, *offsets, *data; /* NULL: none, or given away */
};

struct table {
        int64_t n_rows;
        size_t n_columns;
        struct column *columns;
        bool is_over; /* the batch was taken */
};

/* --- the schema ------------------------------------------------------------------------------ */

static void release_schema(struct ArrowSchema *schema)
{
        for (int64_t i = 0; i < schema->n_children; i++) {
                if (schema->children[i]->release)
                        schema->children[i]->release(schema->children[i]);
                free(schema->children[i]);
        }
        free(schema->children);
        free(schema->private_data);
        *schema = (struct ArrowSchema){ 0 };
}

/* Its own name, in memory of its own; format is constant or belongs to that, too. */
static int fill_field(struct ArrowSchema *schema, const struct column *column)
{
        size_t name_bytes = strlen(column->name) + 1;
        char *text = malloc(sizeof(column->format) + name_bytes);

        if (!text)
                return ENOMEM;
        memcpy(text, column->format, sizeof(column->format));
        memcpy(text + sizeof(column->format), column->name, name_bytes);
        *schema = (struct ArrowSchema){
                .format = text,
                .name = text + sizeof(column->format),
                .flags = ARROW_NULLABLE,
                .release = release_schema,
                .private_data = text,
        };
        return 0;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *ret_schema)
{
        const struct table *table = stream->private_data;
        struct ArrowSchema schema = { .format = "+s", .name = "", .release = release_schema };

        schema.children = calloc(table->n_columns + 1, sizeof(struct ArrowSchema *));
        if (!schema.children)
                return ENOMEM;
        for (size_t i = 0; i < table->n_columns; i++) {
                struct ArrowSchema *child = calloc(1, sizeof(*child));

                if (!child || fill_field(child, &table->columns[i]) != 0) {
                        free(child);
                        release_schema(&schema);
                        return ENOMEM;
                }
                schema.children[schema.n_children++] = child;
        }
        *ret_schema = schema;
        return 0;
}

/* --- the batch ------------------------------------------------------------------------------- */

static void release_array(struct ArrowArray *array)
{
        for (int64_t i = 0; i < array->n_children; i++) {
                if (array->children[i]->release)
                        array->children[i]->release(array->children[i]);
                free(array->children[i]);
        }
        for (int64_t i = 0; i < array->n_buffers; i++)
                free((void *)(uintptr_t)array->buffers[i]);
        free(array->children);
        free(array->buffers);
        *array = (struct ArrowArray){ 0 };
}

/* The column's memory is the array's then. */
static int fill_column(struct ArrowArray *array, struct column *column, int64_t n_rows)
{
        int64_t n = 0;

        *array = (struct ArrowArray){ .length = n_rows,
                .null_count = column->n_nulls,
                .buffers = calloc(N_BUFFERS_MAX, sizeof(void *)),
                .release = release_array };
        if (!array->buffers)
                return ENOMEM;
        array->buffers[n++] = column->validity;
        if (column->offsets)
                array->buffers[n++] = column->offsets;
        array->buffers[n++] = column->data;
        array->n_buffers = n;
        column->validity = column->offsets = column->data = NULL;
        return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *ret_array)
{
        struct table *table = stream->private_data;
        struct ArrowArray array = {
                .length = table->n_rows, .n_buffers = 1, .release = release_array
        };

        if (table->is_over) {
                *ret_array = (struct ArrowArray){ 0 };
                return 0;
        }
        table->is_over = true;
        array.buffers = calloc(1, sizeof(void *)); /* no row of the whole is missing */
        array.children = calloc(table->n_columns + 1, sizeof(struct ArrowArray *));
        if (!array.buffers || !array.children) {
                array.n_buffers = array.buffers ? 1 : 0;
                release_array(&array);
                return ENOMEM;
        }
        for (size_t i = 0; i < table->n_columns; i++) {
                struct ArrowArray *child = calloc(1, sizeof(*child));

                if (!child || fill_column(child, &table->columns[i], table->n_rows) != 0) {
                        free(child);
                        release_array(&array);
                        return ENOMEM;
                }
                array.children[array.n_children++] = child;
        }
        *ret_array = array;
        return 0;
}

/* --- the stream ------------------------------------------------------------------------------ */

static const char *get_last_error(struct ArrowArrayStream *stream)
{
        (void)stream;
        return "memory is out"; /* nothing else goes wrong */
}

static void free_table(struct table *table)
{
        if (!table)
                return;
        for (size_t i = 0; i < table->n_columns; i++) {
                free(table->columns[i].name);
                free(table->columns[i].validity);
                free(table->columns[i].offsets);
                free(table->columns[i].data);
        }
        free(table->columns);
        free(table);
}

static void release_stream(struct ArrowArrayStream *stream)
{
        free_table(stream->private_data);
        *stream = (struct ArrowArrayStream){ 0 };
}

static void free_capsule(PyObject *capsule)
{
        struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, STREAM_NAME);

        if (stream && stream->release)
                stream->release(stream);
        free(stream);
}

/* --- from Python ----------------------------------------------------------------------------- */

/* A copy of a buffer, which must have so many bytes; any number where `bytes` is negative. */
static int copy_buffer(PyObject *object, Py_ssize_t bytes, void **ret_copy, size_t *ret_bytes)
{
        Py_buffer view;
        size_t room;

        if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) < 0)
                return -1;
        if (bytes >= 0 && view.len != bytes) {
                PyErr_Format(PyExc_ValueError, "a buffer of %zd bytes, not %zd", view.len, bytes);
                PyBuffer_Release(&view);
                return -1;
        }
        room = ((size_t)view.len / ALIGNMENT + 1) * ALIGNMENT;
        *ret_copy = aligned_alloc(ALIGNMENT, room);
        if (*ret_copy && view.len)
                memcpy(*ret_copy, view.buf, (size_t)view.len);
        if (ret_bytes)
                *ret_bytes = (size_t)view.len;
        PyBuffer_Release(&view);
        if (*ret_copy)
                return 0;
        PyErr_NoMemory();
        return -1;
}

/* Do the offsets begin at 0, never fall, and end at the end of the text? Readers rely on it. */
static int check_offsets(const struct column *column, int64_t n_rows, size_t data_bytes)
{
        bool is_wide = column->format[0] == 'U';
        int64_t last = 0;

        for (int64_t i = 0; i <= n_rows; i++) {
                int64_t next = is_wide ? ((const int64_t *)column->offsets)[i]
                                       : ((const int32_t *)column->offsets)[i];

                if (next < last || (i == 0 && next != 0)) {
                        PyErr_SetString(PyExc_ValueError, "offsets that fall");
                        return -1;
                }
                last = next;
        }
        if ((size_t)last == data_bytes)
                return 0;
        PyErr_SetString(PyExc_ValueError, "offsets that do not end where the text does");
        return -1;
}

static int fill_buffers(struct column *column, int64_t n_rows, PyObject *validity,
        PyObject *offsets, PyObject *data)
{
        bool is_text = column->format[0] == 'u' || column->format[0] == 'U';
        Py_ssize_t width = column->format[0] == 'u' ? 4 : 8;
        size_t data_bytes;

        if (!is_text && column->format[0] != 'l' && column->format[0] != 'g') {
                PyErr_Format(PyExc_ValueError, "no format \"%s\"", column->format);
                return -1;
        }
        if (validity != Py_None &&
                copy_buffer(validity, (Py_ssize_t)((n_rows + 7) / 8), &column->validity, NULL) < 0)
                return -1;
        if (copy_buffer(data, is_text ? -1 : (Py_ssize_t)n_rows * 8, &column->data, &data_bytes) <
                0)
                return -1;
        if (!is_text)
                return 0;
        if (copy_buffer(offsets, ((Py_ssize_t)n_rows + 1) * width, &column->offsets, NULL) < 0)
                return -1;
        return check_offsets(column, n_rows, data_bytes);
}

static int fill(struct column *column, int64_t n_rows, PyObject *said)
{
        PyObject *validity, *offsets, *data;
        const char *name, *format;
        long long n_nulls;

        if (!PyArg_ParseTuple(said, "ssLOOO", &name, &format, &n_nulls, &validity, &offsets, &data))
                return -1;
        column->name = strdup(name);
        if (!column->name) {
                PyErr_NoMemory();
                return -1;
        }
        column->format[0] = format[0];
        column->n_nulls = n_nulls;
        return fill_buffers(column, n_rows, validity, offsets, data);
}

static struct table *table_new(int64_t n_rows, PyObject *columns)
{
        Py_ssize_t n = PySequence_Size(columns);
        struct table *table = n < 0 ? NULL : calloc(1, sizeof(*table));

        if (!table)
                return n < 0 ? NULL : (PyErr_NoMemory(), NULL);
        table->n_rows = n_rows;
        table->columns = calloc((size_t)n + 1, sizeof(struct column));
        if (!table->columns) {
                free_table(table);
                PyErr_NoMemory();
                return NULL;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
                PyObject *said = PySequence_GetItem(columns, i);
                int r;

                table->n_columns++; /* its memory is freed with the table, also when it is half filled */
                r = said ? fill(&table->columns[i], n_rows, said) : -1;
                Py_XDECREF(said);
                if (r < 0) {
                        free_table(table);
                        return NULL;
                }
        }
        return table;
}

PyObject *arrow_stream(PyObject *module, PyObject *arguments)
{
        struct ArrowArrayStream *stream;
        struct table *table;
        PyObject *columns, *capsule;
        long long n_rows;

        (void)module;
        if (!PyArg_ParseTuple(arguments, "LO:arrow_stream", &n_rows, &columns))
                return NULL;
        if (n_rows < 0 || n_rows >= PY_SSIZE_T_MAX / 8) {
                PyErr_SetString(PyExc_ValueError, "a number of rows that cannot be");
                return NULL;
        }
        table = table_new(n_rows, columns);
        if (!table)
                return NULL;
        stream = malloc(sizeof(*stream));
        if (!stream) {
                free_table(table);
                return PyErr_NoMemory();
        }
        *stream = (struct ArrowArrayStream){ get_schema, get_next, get_last_error, release_stream,
                table };
        capsule = PyCapsule_New(stream, STREAM_NAME, free_capsule);
        if (!capsule) {
                release_stream(stream);
                free(stream);
        }
        return capsule;
}
