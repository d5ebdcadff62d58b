/* SPDX-License-Identifier: MIT */
/*
 * From a tape (json.h) to Python's objects, with Python's lock held
 *
 * Names come again and again, in a body and from one body to the next. So each has a slot, and the
 * object that was there is used again; their hashes are known then, too. What is open lies on a
 * stack of its own.
 */
#include "engine.h"

#include "json.h"

/* A name that came lately. */
struct name {
        PyObject *object;
        unsigned char len;
        char text[JSON_KEY_MAX];
};

static struct name names[JSON_SLOTS];

/* A list or a dict that waits for values, all of them before it waits for its own place. */
struct level {
        PyObject *container;
        PyObject *key; /* of a dict, owned: the value comes next */
        uint64_t n, done;
        bool is_object;
};

struct builder {
        const struct json_tape *tape;
        const char *body;
        size_t at;
        struct level *levels;
        unsigned n_levels;
};

static PyObject *name_of(const char *at, size_t len, unsigned slot)
{
        struct name *name = &names[slot];
        PyObject *object;

        if (name->object && name->len == len && memcmp(name->text, at, len) == 0) {
                Py_INCREF(name->object);
                return name->object;
        }
        object = PyUnicode_DecodeUTF8(at, (Py_ssize_t)len, NULL);
        if (!object)
                return NULL;
        Py_XDECREF(name->object);
        Py_INCREF(object);
        name->object = object;
        name->len = (unsigned char)len;
        memcpy(name->text, at, len);
        return object;
}

static PyObject *big_of(const char *at, size_t len)
{
        char digits[JSON_DIGITS_MAX + 2]; /* a sign, and the end */

        memcpy(digits, at, len);
        digits[len] = 0;
        return PyLong_FromString(digits, NULL, 10);
}

static PyObject *real_of(uint64_t bits)
{
        double value;

        memcpy(&value, &bits, sizeof(value));
        return PyFloat_FromDouble(value);
}

static int64_t small_of(uint64_t word)
{
        uint64_t sign = 1ull << (JSON_PAYLOAD_BITS - 1);

        return (int64_t)((json_payload(word) ^ sign) - sign);
}

static PyObject *constant(PyObject *object)
{
        Py_INCREF(object);
        return object;
}

/* A value, or a container that is still empty. */
static PyObject *next_object(struct builder *builder, uint64_t word)
{
        const uint64_t *words = builder->tape->words;
        const char *body = builder->body + json_offset(word);

        switch (json_kind(word)) {
        case JSON_NULL:
                return constant(Py_None);
        case JSON_FALSE:
                return constant(Py_False);
        case JSON_TRUE:
                return constant(Py_True);
        case JSON_SMALL:
                return PyLong_FromLongLong(small_of(word));
        case JSON_WHOLE:
                return PyLong_FromLongLong((int64_t)words[builder->at++]);
        case JSON_BIG:
                return big_of(body, json_len(word));
        case JSON_REAL:
                return real_of(words[builder->at++]);
        case JSON_STRING:
                return PyUnicode_DecodeUTF8(body, (Py_ssize_t)json_len(word), NULL);
        case JSON_LONG_STRING:
                return PyUnicode_DecodeUTF8(builder->body + json_payload(word),
                        (Py_ssize_t)words[builder->at++], NULL);
        case JSON_TEXT:
                return PyUnicode_DecodeUTF8(builder->tape->text + json_payload(word),
                        (Py_ssize_t)words[builder->at++], NULL);
        case JSON_SURROGATES:
                return PyUnicode_DecodeUTF8(builder->tape->text + json_payload(word),
                        (Py_ssize_t)words[builder->at++], "surrogatepass");
        case JSON_KEY:
                return name_of(body, json_len(word) >> 14, json_len(word) % JSON_SLOTS);
        case JSON_ARRAY:
                return PyList_New((Py_ssize_t)json_payload(word));
        case JSON_OBJECT:
                return PyDict_New();
        }
        Py_UNREACHABLE();
}

/* Puts it into what is open. Takes it, also on failure. */
static int put(struct level *level, PyObject *object)
{
        int r;

        if (!level->is_object)
                return PyList_SetItem(level->container, (Py_ssize_t)level->done++, object);
        if (!level->key) {
                level->key = object;
                return 0;
        }
        r = PyDict_SetItem(level->container, level->key, object);
        Py_DECREF(object);
        Py_CLEAR(level->key);
        level->done++;
        return r;
}

/* What is full goes into what it is in. Returns the outermost, when that is full. */
static PyObject *put_all(struct builder *builder, PyObject *object)
{
        while (object && builder->n_levels) {
                struct level *level = &builder->levels[builder->n_levels - 1];

                if (put(level, object) < 0 || level->done < level->n)
                        return NULL;
                object = level->container;
                builder->n_levels--;
        }
        return object;
}

static PyObject *build(struct builder *builder)
{
        for (;;) {
                uint64_t word = builder->tape->words[builder->at++], n = json_payload(word);
                bool is_object = json_kind(word) == JSON_OBJECT;
                PyObject *object = next_object(builder, word);

                if (!object)
                        return NULL;
                if ((is_object || json_kind(word) == JSON_ARRAY) && n) {
                        builder->levels[builder->n_levels++] = (struct level){
                                .container = object, .n = n, .is_object = is_object
                        };
                        continue;
                }
                object = put_all(builder, object);
                if (object || PyErr_Occurred())
                        return object;
        }
}

PyObject *json_value(const struct json_tape *tape, const char *body)
{
        struct builder builder = { .tape = tape, .body = body };
        PyObject *object;

        builder.levels = PyMem_Malloc((tape->depth + 1) * sizeof(*builder.levels));
        if (!builder.levels)
                return PyErr_NoMemory();
        object = build(&builder);
        while (builder.n_levels) { /* it was not finished */
                struct level *level = &builder.levels[--builder.n_levels];

                Py_XDECREF(level->key);
                Py_DECREF(level->container);
        }
        PyMem_Free(builder.levels);
        return object;
}
