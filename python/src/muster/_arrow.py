"""A table in the memory layout of Apache Arrow, handed over by its PyCapsule interface: no package is needed to make one.

https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html
"""

import array
import itertools

from . import _engine

_INT32_MOST = 2**31 - 1


class Table:
    """Columns of numbers and text. What reads Arrow takes it as it is: pyarrow.table(table), polars.DataFrame(table)."""

    __slots__ = ("_columns", "_n_rows")

    def __init__(self, columns, n_rows):
        """`columns`: name: (format, values); "l" for whole numbers, "g" for fractions, "u" for text; a value may be None."""
        self._columns = columns
        self._n_rows = n_rows

    def __len__(self):
        return self._n_rows

    @property
    def column_names(self):
        return list(self._columns)

    def to_dict(self):
        """name: list of values."""
        return {name: list(values) for name, (_, values) in self._columns.items()}

    def __arrow_c_stream__(self, requested_schema=None):
        """A capsule of one batch. Its columns have the types that they have: what another schema asks for is left to the reader, as the
        interface allows."""
        return _engine.arrow_stream(self._n_rows, [_column(name, *column) for name, column in self._columns.items()])

    def __repr__(self):
        return f"<Table of {self._n_rows} rows: {', '.join(self._columns)}>"


def _column(name, form, values):
    """(name, format, number of None, validity or None, offsets or None, data), as arrow.c wants them."""
    n_nulls = sum(value is None for value in values)
    validity = _bits(value is not None for value in values) if n_nulls else None
    if form == "u":
        return (name, *_text(values, n_nulls, validity))
    return (name, form, n_nulls, validity, None, array.array("q" if form == "l" else "d", [0 if value is None else value for value in values]))


def _text(values, n_nulls, validity):
    """Text is its bytes in a row, and where each begins; more than 2 GiB of it has wider offsets."""
    pieces = [b"" if value is None else value.encode("utf-8", "replace") for value in values]
    data = b"".join(pieces)
    is_large = len(data) > _INT32_MOST
    offsets = array.array("q" if is_large else "i", itertools.accumulate(map(len, pieces), initial=0))
    return ("U" if is_large else "u", n_nulls, validity, offsets, data)


def _bits(flags):
    """The first flag is the lowest bit of the first byte."""
    flags = list(flags)
    number = int("".join("1" if flag else "0" for flag in reversed(flags)) or "0", 2)
    return number.to_bytes((len(flags) + 7) // 8, "little")
