"""What docs/python.md shows is so: its programs are those of python/examples, its other code runs, its lists are complete."""

import ast
import asyncio
import importlib.util
import re
from pathlib import Path

import muster
import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "python.md").read_text()
EXAMPLES = sorted((ROOT / "python" / "examples").glob("*.py"))
PROGRAM = r"^\[`(\w+)\.py`\]\(\.\./python/examples/\1\.py\)\n\n```python\n(.*?)^```$"
BLOCK = r"^```python\n(.*?)^```$"
PROGRAMS = dict(re.findall(PROGRAM, GUIDE, flags=re.DOTALL | re.MULTILINE))
SNIPPETS = re.findall(BLOCK, re.sub(PROGRAM, "", GUIDE, flags=re.DOTALL | re.MULTILINE), flags=re.DOTALL | re.MULTILINE)
# Imported for all of them, as the page says or has shown.
GIVEN = {"asyncio": asyncio, "muster": muster}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_programs_are_those_of_the_examples(path):
    assert PROGRAMS[path.stem] == path.read_text()


def test_there_are_no_others():
    assert {path.stem for path in EXAMPLES} == PROGRAMS.keys() and len(SNIPPETS) > 15


def needs(snippet):
    """Packages that it imports."""
    nodes = [node for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Import)]
    return {name.name for node in nodes for name in node.names} | ({"tqdm"} if "progress=True" in snippet else set())


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.splitlines()[-1].strip()[:50])
def test_snippets_run(snippet, lab, tmp_path, monkeypatch):
    for package in needs(snippet):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.jpg").write_bytes(b"\xff\xd8 a cat")
    names = {**GIVEN, "url": lab.url("/delay/5ms"), "urls": [lab.url("/delay/2ms")] * 20, "slow_url": lab.url("/hang/start"), "echo_url": lab.url("/echo"),
             "login_url": lab.url("/cookies/set?a=1"), "ca": lab.ca,
             "tls_url": lab.url("/plain", "tls").replace("127.0.0.1", "localhost")}
    result = eval(compile(snippet, "python.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if result is not None:
        asyncio.run(asyncio.wait_for(result, 20))


def tree(kind, depth=0):
    yield depth, kind.__name__
    for child in kind.__subclasses__():
        if child.__module__ == "muster._errors":
            yield from tree(child, depth + 1)


def test_tree_of_errors():
    (shown,) = re.findall(r"^```\n(Error  .*?)^```$", GUIDE, flags=re.DOTALL | re.MULTILINE)
    seen = [(re.match(r"[│├└─ ]*", line).end() // 4, re.search(r"\w+", line).group()) for line in shown.splitlines()]
    assert sorted(seen) == sorted(tree(muster.Error))
    parents = {}
    for depth, name in seen:
        parents[depth] = getattr(muster, name)
        assert depth == 0 or issubclass(parents[depth], parents[depth - 1]), name


def rows(title):
    """First cells of the table below a line."""
    (table,) = re.findall(rf"^\| {re.escape(title)} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", GUIDE, flags=re.MULTILINE)
    return [re.findall(r"`(\w+)`", line.split("|")[1]) for line in table.splitlines()]


def test_phases_and_clocks():
    assert sorted(sum(rows("phase"), [])) == sorted(muster.Phases._fields)
    assert sorted(sum(rows("`muster.Timeout(…)`"), [])) == sorted(muster.Timeout._NAMES)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bmuster\.([A-Z]\w+)", GUIDE))))
def test_names_exist(name):
    assert hasattr(muster, name) or importlib.util.find_spec({"HTTPXTransport": "httpx", "RequestsAdapter": "requests"}[name]) is None


def test_links_within_the_page():
    """As GitHub makes anchors of headings."""
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", GUIDE, flags=re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]*)\)", GUIDE)) <= anchors


def test_nothing_is_left_to_be_filled_in():
    assert not re.findall(r"\b(?:TODO|FIXME)\b|^[A-Z]{4,}$", GUIDE, flags=re.MULTILINE)
