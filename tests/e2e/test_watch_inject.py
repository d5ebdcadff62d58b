"""Statements of ours in a library's function (watch/python/muster_watch/inject.py): what it returns and raises stays what it was, and so do lines."""
import importlib.util
import sys
import traceback

import pytest
from command import ROOT

sys.path.insert(0, str(ROOT / "watch" / "python"))

from muster_watch import inject, log  # noqa: E402

SOURCE = '''"""A library."""
class Thing:
    def get(self, n):
        def inner():
            return n
        try:
            if n == 1:
                return "one"
            with open("/dev/null") as file:
                for _ in range(n):
                    return inner(), file.read()
            if n < 0:
                raise ValueError(n)
        finally:
            self.n = n

    def nothing(self):
        self.n = 7

    def bare(self):
        return
'''


@pytest.fixture
def thing(tmp_path):
    path = tmp_path / "a library.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("a_library", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Thing


def test_what_is_returned_is_seen_and_stays(thing):
    seen = []
    for function in (thing.get, thing.nothing, thing.bare):
        assert inject.into(function, {"_mw_see": lambda *args: seen.append(args)}, before="_mw_begin = 3", then="if True: _mw_see(self.__class__, _mw_begin, _mw_value)\n_mw_more = 1")
    one = thing()
    assert (one.get(1), one.get(5), one.get(0), one.nothing(), one.bare()) == ("one", (5, ""), None, None, None) and one.n == 7
    assert [(begin, value) for _, begin, value in seen] == [(3, "one"), (3, (5, "")), (3, None), (3, None), (3, None)]


def test_what_is_raised_is_seen_and_stays(thing):
    seen = []
    assert inject.into(thing.get, {"_mw_see": seen.append}, then="_mw_see(_mw_value)", failed="if n < 0:\n    _mw_see(n)")
    with pytest.raises(ValueError) as caught:
        thing().get(-1)
    assert seen == [-1]
    assert [frame.lineno for frame in traceback.extract_tb(caught.value.__traceback__)][1:] == [13]


def test_a_function_that_is_not_its_source_is_left_alone(thing, tmp_path):
    (tmp_path / "a library.py").write_text(SOURCE.replace("if n == 1:", "if self and n == 1:\n                self.n = n"))
    code = thing.get.__code__
    assert not inject.into(thing.get, {}, then="pass") and thing.get.__code__ is code


def test_rows_of_requests_are_escaped():
    """All at once where none has what parts fields and lines, else each by itself."""
    row = [1, 2, 0, 0, 200, 1, 1, 1, 7, "GET", "http://a.test/b%20c\rd", "", 0, 1]
    line = "request\t1\t2\t0\t0\t200\t1\t1\t1\t7\tGET\thttp://a.test/%s\t\t0"
    assert "\n".join(log._lines_of_requests([row, row])).split("\n") == [line % "b%2520c%0Dd"] * 2
    odd = [*row[:10], "http://a.test/e\tf\ng", *row[11:]]
    assert "\n".join(log._lines_of_requests([row, odd])).split("\n") == [line % "b%2520c%0Dd", line % "e%09f%0Ag"]

    class Fails:
        def __str__(self):
            raise ValueError

    assert "\n".join(log._lines_of_requests([row, [*row[:10], Fails(), *row[11:]]])).split("\n") == [line % "b%2520c%0Dd"]
