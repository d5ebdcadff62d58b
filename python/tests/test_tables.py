"""Results as tables: dicts, Arrow, pandas, polars, HTML."""

import ctypes
import gc

import muster
import pytest
from muster import _engine


@pytest.fixture(scope="module")
def results(lab):
    urls = [lab.url("/bytes/1k"), "nonsense", lab.url("/status/404"), lab.url("/redirect/2/302")]
    return muster.fetch([*urls, *[lab.url("/delay/5ms")] * 30])


def pyarrow():
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed")


# --- the list ----------------------------------------------------------------------------------------------------------------


def test_parts_are_results(results):
    assert isinstance(results[:3], muster.Results) and isinstance(results[0], muster.Response)
    assert [r.url for r in results.failed] == ["nonsense"] and isinstance(results.failed, muster.Results)


def test_repr_counts_outcomes(results):
    assert repr(results[:4]) in ("<Results of 4 requests: 200: 2, url: 1, 404: 1>", "<Results of 4 requests: 200: 2, 404: 1, url: 1>")
    assert repr(results[1:2]) == "<Results of 1 request: url: 1>"
    assert repr(muster.Results()) == "<Results of 0 requests>"


def test_records(results):
    first, bad, missing, redirected = results.to_records()[:4]
    assert (first["status"], first["body_bytes"], first["error"], first["message"], first["redirects"]) == (200, 1024, None, None, 0)
    assert bad["error"] == "url" and "not a URL" in bad["message"] and bad["connection"] is None
    assert missing["status"] == 404 and missing["error"] is None and isinstance(missing["connection"], int)
    assert (redirected["redirects"], redirected["attempts"]) == (2, 3)
    for record in results.to_records():
        assert sum(record[phase] for phase in muster.Phases._fields) == pytest.approx(record["elapsed"], abs=1e-6)


# --- Arrow -------------------------------------------------------------------------------------------------------------------


def test_arrow(results):
    pa = pyarrow()
    table = pa.table(results.to_table())
    assert table.to_pylist() == results.to_records()
    table.validate(full=True)
    assert pa.RecordBatchReader.from_stream(results).read_all().equals(table), "the list itself is a stream"
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["url"], types["status"], types["elapsed"], types["wait"]) == ("string", "int64", "double", "double")
    assert table["error"].null_count == len(results) - 1


@pytest.mark.parametrize("values", [
    {"n": ("l", [])},
    {"n": ("l", [None] * 9), "x": ("g", [None] * 9), "s": ("u", [None] * 9)},
    {"n": ("l", [None if i % 3 else -i for i in range(17)]), "x": ("g", [i / 7 for i in range(17)])},
    {"s": ("u", ["", "äöü€𝄞", None, "x" * 5000, "\0"]), "a name with \u20ac": ("u", ["a"] * 5)},
    {},
], ids=["no rows", "nothing but None", "some None", "text", "no columns"])
def test_values(values):
    pa = pyarrow()
    table = muster.Table(values, len(next(iter(values.values()), (None, []))[1]))
    read = pa.table(table)
    read.validate(full=True)
    assert read.to_pydict() == table.to_dict() == {name: column for name, (_, column) in values.items()}
    assert len(table) == read.num_rows and table.column_names == read.column_names


def test_wide_offsets():
    """For more than 2 GiB of text; here with little."""
    import array

    pa = pyarrow()
    capsule = _engine.arrow_stream(2, [("s", "U", 0, None, array.array("q", [0, 1, 3]), b"abb")])

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return capsule

    assert pa.table(Stream())["s"].to_pylist() == ["a", "bb"]


def test_columns_outlive_their_table():
    """A reader may take one column and let go of the rest."""
    pa = pyarrow()
    column = pa.table(muster.Table({"a": ("u", ["one", "two"]), "b": ("l", [1, 2])}, 2))["a"]
    gc.collect()
    assert column.to_pylist() == ["one", "two"]


def test_stream_that_nobody_reads():
    """The capsule's end frees it: under a sanitizer or valgrind this is what they look at."""
    for _ in range(100):
        muster.Table({"a": ("u", ["x" * 1000])}, 1).__arrow_c_stream__()


def test_stream_is_read_once():
    """By the interface itself: the batch, then the end, and the schema as often as one likes."""
    class Stream(ctypes.Structure):
        pass

    call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.c_void_p)
    Stream._fields_ = [("get_schema", call), ("get_next", call), ("get_last_error", ctypes.c_void_p),
                       ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))), ("private_data", ctypes.c_void_p)]
    get_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", ctypes.pythonapi))
    capsule = muster.Table({"n": ("l", [1, 2, 3])}, 3).__arrow_c_stream__()
    stream = ctypes.cast(get_pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(Stream))
    # struct ArrowSchema is 9 words with release the 8th; struct ArrowArray 10 with release the 9th.
    schema, batch = (ctypes.c_void_p * 9)(), (ctypes.c_void_p * 10)()
    for _ in range(2):
        assert stream.contents.get_schema(stream, schema) == 0
        assert ctypes.string_at(schema[0]) == b"+s" and schema[7]
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(schema[7])(ctypes.addressof(schema))
        assert not schema[7], "released"
    assert stream.contents.get_next(stream, batch) == 0 and batch[0] == 3
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(batch[8])(ctypes.addressof(batch))
    assert stream.contents.get_next(stream, batch) == 0 and not batch[8], "the end is a batch that is released"
    stream.contents.release(stream)
    assert not stream.contents.release
    del capsule


@pytest.mark.parametrize("column", [
    ("n", "l", 0, None, None, b"1234567"),
    ("n", "l", 0, b"", None, b"12345678"),
    ("n", "x", 0, None, None, b"12345678"),
    ("s", "u", 0, None, b"\0\0\0\0\5\0\0\0", b"four"),
    ("s", "u", 0, None, b"\0\0\0\0\4\0\0", b"four"),
    ("s", "u", 0, None, b"\1\0\0\0\4\0\0\0", b"four"),
    ("s", "u", 0, None, b"\0\0\0\0\xff\xff\xff\xff", b""),
], ids=["data", "validity", "format", "end", "length", "begin", "negative"])
def test_no_reader_is_given_what_would_crash_it(column):
    with pytest.raises(ValueError):
        _engine.arrow_stream(1, [column])


# --- who reads it ------------------------------------------------------------------------------------------------------------


def test_pandas(results):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(results.to_records())
    assert len(frame) == len(results) and frame["wait"].mean() > 0 and set(frame["status"]) == {0, 200, 404}
    if hasattr(pandas.DataFrame, "from_arrow"):
        pyarrow()
        assert list(pandas.DataFrame.from_arrow(results.to_table())["url"]) == list(frame["url"])


def test_polars(results):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame(results.to_table())
    assert frame.to_dicts() == results.to_records()


# --- notebooks ---------------------------------------------------------------------------------------------------------------


def test_html(results):
    page = results._repr_html_()
    assert page.count("<tr") == 1 + 20 and "and 14 more" in page and "elapsed (s)" in page
    assert 'title="url: ' in page and "Results of 34 requests" in page
    assert "more" not in results[:4]._repr_html_()


def test_html_is_escaped():
    """URLs come from strangers."""
    page = muster.fetch(["<script>alert(1)</script>", '"><b>'])._repr_html_()
    assert "<script" not in page and "<b>" not in page and "&lt;script&gt;" in page
