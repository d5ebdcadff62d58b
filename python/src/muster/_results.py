"""Results: a list of responses, and what makes a table of it: dicts, Arrow, HTML."""

import collections
import html

from ._arrow import Table
from ._response import Phases

_ROWS_SHOWN = 20
# name: its format in Arrow ("l" whole numbers, "g" fractions, "u" text), or None where a notebook shows no such column.
_COLUMNS = {"index": "l", "url": "u", "method": "u", "status": "l", "error": "u", "message": "u", "attempts": "l", "redirects": "l", "connection": "l",
            "body_bytes": "l", "elapsed": "g", **dict.fromkeys(Phases._fields, "g")}
_SHOWN = ["index", "url", "status", "error", "attempts", "body_bytes", "elapsed", "queue", "wait"]
_SECONDS = {"elapsed", *Phases._fields}


class Results(list):
    """Responses in the order of their requests."""

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return Results(found) if isinstance(index, slice) else found

    @property
    def failed(self):
        """Those without a whole response. A status of 404 is a response."""
        return Results(response for response in self if not response.is_ok)

    def raise_for_status(self):
        """Raise what the first one that failed, or has a status of 400 and above, raises; else return the list."""
        for response in self:
            response.raise_for_status()
        return self

    # --- as a table ---

    def to_records(self):
        """A list of flat dicts, for pandas.DataFrame() or csv. Times are in seconds."""
        return [response.to_dict() for response in self]

    def to_table(self):
        """The same in columns, for all that reads Arrow: pyarrow.table(), polars.DataFrame(), duckdb. Needs none of them."""
        rows = self.to_records()
        return Table({name: (form, [row[name] for row in rows]) for name, form in _COLUMNS.items()}, len(rows))

    def __arrow_c_stream__(self, requested_schema=None):
        return self.to_table().__arrow_c_stream__(requested_schema)

    def _outcomes(self):
        """("200", 17), ("timeout", 2), ...: the most frequent first."""
        return collections.Counter(str(response.status) if response.is_ok else response.error.code for response in self).most_common()

    def __repr__(self):
        told = ", ".join(f"{outcome}: {n}" for outcome, n in self._outcomes())
        return f"<Results of {len(self)} request{'' if len(self) == 1 else 's'}{': ' if told else ''}{told}>"

    def _repr_html_(self):
        """For notebooks: the first rows."""
        head = "".join(f"<th>{name}{' (s)' if name in _SECONDS else ''}</th>" for name in _SHOWN)
        rows = "".join(_html_row(response.to_dict()) for response in self[:_ROWS_SHOWN])
        rest = len(self) - _ROWS_SHOWN
        more = f"<p>and {rest} more</p>" if rest > 0 else ""
        return f"<p>{html.escape(repr(self)[1:-1])}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"


def _html_row(row):
    title = f' title="{html.escape(row["message"])}"' if row["message"] else ""
    return f"<tr{title}>{''.join(f'<td>{_html_cell(name, row[name])}</td>' for name in _SHOWN)}</tr>"


def _html_cell(name, value):
    if value is None:
        return ""
    return f"{value:.4f}" if name in _SECONDS else html.escape(str(value))
