"""A run that goes on with what another one left, killed anywhere, and one that does again what failed."""
import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from command import MUSTER, PATIENCE
from scripted import ok, response

N_KILLS = int(os.environ.get("MUSTER_KILLS", "16"))  # of all ways together; the deeper checks have more


def lines(path):
    text = path.read_bytes()
    assert not text or text.endswith(b"\n"), "the last line is not whole"
    return [json.loads(line) for line in text.splitlines()]


def what_matters(result):
    """What two runs that ask the same of the same server have in common."""
    return json.dumps({name: result.get(name) for name in ("n", "id", "line", "input", "method", "url", "status", "ok", "body", "body_file", "digest", "omitted")},
                      sort_keys=True)


def left(path):
    return sorted(path.name for path in path.iterdir())


def echo(request):
    return ok(f"{request.method} {request.path} {request.body.decode()}".encode())


# --- going on -----------------------------------------------------------------------------------------------------------------


def test_what_is_there_is_not_done_again(muster, server, tmp_path):
    s = server(echo)
    urls = [s.url(f"/{i}") for i in range(40)]
    (tmp_path / "list").write_text("".join(f"{url}\n" for url in urls))
    whole = muster("fetch", "-i", "list", "--in-order").stdout
    cut = whole.index(b"\n", len(whole) // 2) + 1 + 100
    (tmp_path / "out").write_bytes(whole[:cut])
    n_there = whole[:cut].count(b"\n")
    asked = len(s.requests)
    run = muster("fetch", "--resume", "--summary", "-i", "list", "-o", "out")
    assert run.status == 0 and f"resumed      {n_there} of 40 were there\n" in run.stderr
    assert len(s.requests) - asked == 40 - n_there
    assert sorted(result["url"] for result in lines(tmp_path / "out")) == sorted(urls)
    assert (tmp_path / "out").read_bytes().startswith(whole[:whole.rindex(b"\n", 0, cut) + 1])
    run = muster("fetch", "--resume", "--summary", "-i", "list", "-o", "out")
    assert run.status == 0 and "resumed      40 of 40 were there\n" in run.stderr and len(s.requests) - asked == 40 - n_there


def test_without_an_output_it_begins_at_the_beginning(muster, server, tmp_path):
    s = server()
    for there in (None, ""):
        if there is not None:
            (tmp_path / "out").write_text(there)
        assert muster("fetch", "--resume", "-o", "out", s.url("/a"), s.url("/b")).status == 0
        assert len(lines(tmp_path / "out")) == 2
        (tmp_path / "out").unlink()


@pytest.mark.parametrize("how", ["list", "arguments", "stdin", "csv", "jsonl", "options"])
def test_any_source_that_gives_the_same_items_again(muster, server, tmp_path, how):
    s = server(echo)
    urls = [s.url(f"/{i}?q=%22") for i in range(30)]
    arguments, given = [], None
    if how == "arguments":
        arguments = urls
    elif how == "stdin":
        given = "".join(f"{url}\n" for url in urls)
    elif how == "csv":
        with open(tmp_path / "list.csv", "w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["url", "id", "note"])
            rows.writerows([url, i, "two\nlines"] for i, url in enumerate(urls))
        arguments = ["-i", "list.csv"]
    elif how == "jsonl":
        (tmp_path / "list.jsonl").write_text("".join(json.dumps({"url": url, "id": f"ä{i}", "headers": {"X-A": str(i)}, "json": {"i": i}}) + "\n" for i, url in enumerate(urls)))
        arguments = ["-i", "list.jsonl"]
    else:
        (tmp_path / "list").write_text("".join(f"{url}\n" for url in urls))
        arguments = ["-i", "list", "-H", "X-A: b", "-d", "a=b", "--url-query", "x=y"]
    assert muster("fetch", "-o", "whole", *arguments, input=given).status == 0
    text = (tmp_path / "whole").read_bytes()
    (tmp_path / "out").write_bytes(text[:len(text) // 2])
    assert muster("fetch", "--resume", "-o", "out", *arguments, input=given).status == 0
    assert sorted(map(what_matters, lines(tmp_path / "out"))) == sorted(map(what_matters, lines(tmp_path / "whole")))


def test_order_is_kept(muster, server, tmp_path):
    s = server(lambda r: (time.sleep(0.02 if r.path.endswith("0") else 0), ok())[1])
    urls = [s.url(f"/{i}") for i in range(60)]
    assert muster("fetch", "--in-order", "-o", "out", *urls).status == 0
    whole = (tmp_path / "out").read_text().splitlines(True)
    (tmp_path / "out").write_text("".join(whole[:25]) + whole[25][:30])
    assert muster("fetch", "--resume", "--in-order", "-o", "out", *urls).status == 0
    assert [result["n"] for result in lines(tmp_path / "out")] == list(range(1, 61))
    (tmp_path / "out").write_text("".join(whole[40:] + whole[:10]))
    assert muster("fetch", "--resume", "--in-order", "-o", "out", *urls).status == 0
    assert [result["n"] for result in lines(tmp_path / "out")] == list(range(1, 61))
    assert left(tmp_path) == ["out"]


def test_many_stand_between_few_that_do_not(muster, server, tmp_path):
    """More than there are places for requests; and one is slow."""
    s = server(lambda r: (time.sleep(0.5 if r.path == "/1" else 0), ok())[1])
    (tmp_path / "list").write_text("".join(f"{s.url(f'/{i}')}\n" for i in range(1, 20001)))
    line = '{{"n":{n},"line":{n},"method":"GET","url":"{url}","final_url":null,"status":200,"ok":true,"error":null}}\n'
    (tmp_path / "out").write_text("".join(line.format(n=i, url=s.url(f"/{i}")) for i in range(1, 20001) if i % 5000 != 1))
    run = muster("fetch", "--resume", "--summary", "-i", "list", "-o", "out")
    assert run.status == 0 and "resumed      19,996 of 20,000 were there" in run.stderr, run.stderr
    assert sorted(result["n"] for result in lines(tmp_path / "out")) == list(range(1, 20001)) and len(s.requests) == 4


def test_what_was_cancelled_has_no_result(muster, server, tmp_path):
    """Ctrl-C, then on."""
    hole = server(lambda r: None if holds else ok())
    holds = True
    (tmp_path / "list").write_text("".join(f"{hole.url(f'/{i}')}\n" for i in range(100)))
    process = muster.start("fetch", "-c", 4, "-i", "list", "-o", "out")
    while len(hole.requests) < 4:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 1 and b"muster: the same command with --resume does what is left\n" in process.stderr.read()
    assert {result["error"]["code"] for result in lines(tmp_path / "out")} == {"cancelled"}
    holds = False
    run = muster("fetch", "--resume", "--summary", "-i", "list", "-o", "out")
    assert run.status == 0 and "resumed      0 of 100 were there\n" in run.stderr
    results = lines(tmp_path / "out")
    assert sorted(result["n"] for result in results) == list(range(1, 101)) and all(result["ok"] for result in results)


def test_bodies_that_are_gone_are_fetched_again(muster, server, tmp_path):
    s = server(echo)
    arguments = ["--body", "bodies", "-o", "out", *[s.url(f"/{i}") for i in range(10)]]
    assert muster("fetch", *arguments).status == 0
    (tmp_path / "bodies" / "000003.body").unlink()
    (tmp_path / "bodies" / "000007.body").write_text("")
    asked = len(s.requests)
    run = muster("fetch", "--resume", "--summary", *arguments)
    assert run.status == 0 and "resumed      8 of 10 were there\n" in run.stderr and len(s.requests) == asked + 2
    assert sorted(result["n"] for result in lines(tmp_path / "out")) == list(range(1, 11))
    assert all((tmp_path / result["body_file"]).read_text().startswith("GET /") for result in lines(tmp_path / "out"))


@pytest.mark.parametrize("pattern", ["bodies/{id}", "bodies/{host}", "bodies/{remote_name}"])
def test_names_of_bodies_are_given_once_over_all_runs(muster, server, tmp_path, pattern):
    s = server(echo)
    for i in range(2):
        (tmp_path / f"list{i}.jsonl").write_text("".join(json.dumps({"url": s.url(f"/{k}/same"), "id": "same"}) + "\n" for k in range(i + 1)))
    assert muster("fetch", "--body", pattern, "-o", "out", "-i", "list0.jsonl").status == 0
    (name,) = [path for path in (tmp_path / "bodies").iterdir() if path.is_file()]
    before = name.read_bytes()
    assert muster("fetch", "--resume", "--body", pattern, "-o", "out", "-i", "list1.jsonl").status == 1
    first, second = lines(tmp_path / "out")
    assert first["ok"] and "an earlier request has the same body file" in second["error"]["text"] and name.read_bytes() == before


# --- a list that was changed ----------------------------------------------------------------------------------------------------


def changed(base):
    return [{**base, "url": base["url"] + "x"}, {**base, "method": "PUT"}, {**base, "headers": {"X-A": "c"}}, {**base, "headers": {"X-B": "b"}},
            {**base, "headers": [["X-A", "b"], ["X-A", "b"]]}, {**base, "body": "other"}, {**base, "body": None, "json": "text"}, {**base, "url": 7}]


def unchanged(base):
    return [base, {**base, "id": 7}, {**base, "note": "mine"}, {"headers": base["headers"], **base}, {**base, "auth": {"bearer": "another"}},
            {**base, "headers": {**base["headers"], "Authorization": "Bearer another"}}, {**base, "headers": {**base["headers"], "X-Own-Key": "another"}}]


@pytest.mark.parametrize("which", range(8))
def test_a_changed_request_is_noticed(muster, server, tmp_path, which):
    s = server(echo)
    base = {"url": s.url("/a"), "method": "POST", "headers": {"X-A": "b"}, "body": "text", "auth": {"bearer": "secret"}}
    (tmp_path / "list.jsonl").write_text(json.dumps({"url": s.url()}) + "\n" + json.dumps(base) + "\n")
    assert muster("fetch", "-i", "list.jsonl", "-o", "out").status == 0
    before, asked = (tmp_path / "out").read_bytes(), len(s.requests)
    (tmp_path / "list.jsonl").write_text(json.dumps({"url": s.url()}) + "\n" + json.dumps(changed(base)[which]) + "\n")
    run = muster("fetch", "--resume", "-i", "list.jsonl", "-o", "out")
    assert run.status == 3 and "line 2 of list.jsonl is " in run.stderr and "the list was changed" in run.stderr and "--force" in run.stderr
    assert (tmp_path / "out").read_bytes() == before and len(s.requests) == asked


def test_what_is_no_change(muster, server, tmp_path):
    """Where values are secrets or the caller's own, another one is no other request."""
    s = server(echo)
    base = {"url": s.url("/a"), "method": "POST", "headers": {"X-A": "b"}, "body": "text"}
    (tmp_path / "list.jsonl").write_text(json.dumps(base) + "\n")
    assert muster("fetch", "-i", "list.jsonl", "-o", "out").status == 0
    asked = len(s.requests)
    for one in unchanged(base):
        (tmp_path / "list.jsonl").write_text(json.dumps(one) + "\n")
        run = muster("fetch", "--resume", "--secret-header", "X-Own-Key", "-H", "Cookie: a=b", "-u", "ada:secret", "-i", "list.jsonl", "-o", "out")
        assert run.status == 0, run.stderr
    assert len(s.requests) == asked


@pytest.mark.parametrize("options", [["-H", "X-A: c"], [], ["-H", "X-A: b", "-d", "data"], ["-H", "X-A: b", "--url-query", "a=b"], ["-H", "X-A: b", "-I"]], ids=" ".join)
def test_other_options_make_other_requests(muster, server, tmp_path, options):
    s = server()
    assert muster("fetch", "-H", "X-A: b", "-o", "out", s.url()).status == 0
    assert muster("fetch", "--resume", "-H", "X-A: b", "-c", 7, "-m", 9, "--retry", 1, "-o", "out", s.url()).status == 0
    run = muster("fetch", "--resume", *options, "-o", "out", s.url())
    assert run.status == 3 and "argument 1 is " in run.stderr and "the list was changed" in run.stderr


def test_a_list_that_moved_or_shrank(muster, server, tmp_path):
    s = server()
    urls = [s.url(f"/{i}") for i in range(5)]
    assert muster("fetch", "-o", "out", *urls).status == 0
    run = muster("fetch", "--resume", "-o", "out", s.url("/new"), *urls)
    assert run.status == 3 and f"argument 1 is GET {s.url('/new')}, but result 1 in out is of another request" in run.stderr
    run = muster("fetch", "--resume", "-o", "out", input=s.url("/new"))
    assert run.status == 3 and "line 1 of standard input is GET" in run.stderr
    run = muster("fetch", "--resume", "-o", "out", *urls[:3])
    assert run.status == 3 and "the list has 3 requests, but out has results up to number 5" in run.stderr
    assert muster("fetch", "--resume", "-o", "out", *urls, s.url("/more")).status == 0  # it may grow
    assert len(lines(tmp_path / "out")) == 6


def test_a_secret_leaves_no_trace_in_the_digest(muster, server):
    s = server()
    digests = {muster("fetch", "-H", "X-A: b", *options, s.url()).result["digest"] for options in
               ([], ["-u", "ada:1"], ["-H", "Authorization: a"], ["-H", "X-Api-Key: k"], ["-b", "a=b"], ["--oauth2-bearer", "t"])}
    assert len(digests) == 1
    assert "digest" not in muster("fetch", "-u", "ada:1", s.url()).result


# --- what is no output of ours ----------------------------------------------------------------------------------------------------


RESULT = '{"n":%d,"method":"GET","url":"http://h/%d","final_url":null,"status":200,"ok":true,"error":null}\n'


@pytest.mark.parametrize("text, words", [
    ("a poem\nof two lines\n", "is not an output of muster fetch: its first line is no result; nothing was changed"),
    ("a poem without an end", "is not an output of muster fetch"),
    ("{}\n", "is not an output of muster fetch"),
    ('{"name":"torn, but nothing of ours', "is not an output of muster fetch"),
    ("\n", "is not an output of muster fetch"),
    (RESULT % (1, 1) + "\0" * 100 + RESULT % (2, 2), "line 2 of out is damaged, or no result; delete it (sed -i 2d out), and resume again"),
    (RESULT % (1, 1) + (RESULT % (2, 2))[:40] + "\n", "line 2 of out is damaged"),
    (RESULT % (1, 1) + "torn, but nothing of ours", "line 2 of out is damaged"),
    (RESULT % (99999999999, 1), "is not an output of muster fetch"),
], ids=range(9))
def test_what_is_not_ours_is_left_alone(muster, server, tmp_path, text, words):
    s = server()
    (tmp_path / "out").write_text(text)
    run = muster("fetch", "--resume", "-o", "out", s.url())
    assert run.status == 3 and words in run.stderr and (tmp_path / "out").read_text() == text and not s.requests


@pytest.mark.parametrize("tail", ["{", '{"n":2', '{"n":2,"method":"GET"', "\0" * 5000, '{"n":2,"me\0\0\0\0', (RESULT % (2, 2))[:-1]], ids=range(6))
def test_what_is_torn_is_cut(muster, server, tmp_path, tail):
    s = server()
    first = RESULT.replace("http://h/%d", s.url()) % 1
    (tmp_path / "out").write_text(first + tail)
    assert muster("fetch", "--resume", "-o", "out", s.url(), s.url()).status == 0
    assert (tmp_path / "out").read_text().startswith(first) and [result["n"] for result in lines(tmp_path / "out")] == [1, 2]


def test_lines_that_other_programs_wrote_anew(muster, server, tmp_path):
    """Sorted, with blanks, with other escapes: they are the same results."""
    s = server(lambda r: ok("ü\"\\\n".encode()))
    urls = [s.url(f"/ü{i}?\\\"") for i in range(6)]
    (tmp_path / "list").write_text("\n".join(urls))
    assert muster("fetch", "-H", "X-A: ü", "-i", "list", "-o", "out").status == 0
    results, asked = lines(tmp_path / "out"), len(s.requests)
    for anew in ({"sort_keys": True}, {"ensure_ascii": False, "separators": (" , ", " : ")}, {}):
        (tmp_path / "out").write_text("".join(json.dumps(result, **anew) + "\n" for result in sorted(results, key=lambda result: -result["n"])))
        assert muster("fetch", "-H", "X-A: ü", "--resume", "-i", "list", "-o", "out").status == 0 and len(s.requests) == asked


@pytest.mark.parametrize("options, words", [
    (["--resume"], "--resume is about a file with results; write them to one from the beginning, with -o FILE"),
    (["--failed-only"], "--failed-only is about a file"),
    (["--resume", "-o", "-"], "--resume is about a file"),
    (["--resume", "-o", "/dev/null"], "/dev/null is not a regular file"),
    (["--resume", "-o", "out", "--force"], "give one of them"),
    (["--resume", "-o", "out", "-w", "%{url}"], "leave out -w"),
    (["--failed-only", "-o", "out", "-O", "-J"], "servers choose these (-J)"),
    (["--resume", "-o", "out", "--confirm"], "--confirm would do all of it"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_cannot_be_gone_on_with(muster, tmp_path, options, words):
    run = muster("fetch", *options, "http://127.0.0.1:1/")
    assert run.status == 2 and words in run.stderr and left(tmp_path) == [], run.stderr


# --- what failed --------------------------------------------------------------------------------------------------------------


def test_what_failed_is_done_again(muster, server, tmp_path):
    breaks = {"/3", "/7", "/11"}
    s = server(lambda r: None if r.path in breaks else ok(r.path.encode()))
    urls = [s.url(f"/{i}") for i in range(20)]
    for options in ([], ["--in-order"]):
        breaks.update({"/3", "/7", "/11"})
        assert muster("fetch", *options, "-m", "0.3", "--force", "-o", "out", *urls).status == 1
        run = muster("fetch", *options, "--resume", "--summary", "-m", "0.3", "-o", "out", *urls)
        assert run.status == 1 and "resumed      20 of 20 were there, 3 of them failed (--failed-only does those again)" in run.stderr
        before = {result["n"]: result for result in lines(tmp_path / "out")}
        breaks.difference_update({"/3", "/7"})
        asked = len(s.requests)
        assert muster("fetch", *options, "--failed-only", "-m", "0.3", "-o", "out", *urls).status == 1
        assert len(s.requests) == asked + 3
        after = lines(tmp_path / "out")
        assert sorted(result["n"] for result in after) == list(range(1, 21)) and [result["n"] for result in after if not result["ok"]] == [12]
        assert all(before[result["n"]] == result for result in after if result["n"] not in (4, 8, 12))
        breaks.clear()
        assert muster("fetch", *options, "--failed-only", "-m", "0.3", "-o", "out", *urls).status == 0
        numbers = [result["n"] for result in lines(tmp_path / "out")]
        assert sorted(numbers) == list(range(1, 21)) and (numbers == sorted(numbers) or not options) and left(tmp_path) == ["out"]
        assert muster("fetch", *options, "--failed-only", "--summary", "-o", "out", *urls).status == 0 and len(s.requests) == asked + 4
        asked = len(s.requests)


@pytest.mark.parametrize("fail", ["-f", "--fail-with-body"])
def test_an_answer_that_is_now_called_a_failure_is_done_again(fail, muster, server, tmp_path):
    """The run before had no --fail, so its line of a 500 says that it is ok."""
    breaks = {"/3", "/7"}
    s = server(lambda r: response(500) if r.path in breaks else ok(r.path.encode()))
    urls = [s.url(f"/{i}") for i in range(10)]
    assert muster("fetch", "-o", "out", *urls).status == 0
    run = muster("fetch", "--failed-only", "-o", "out", *urls)
    assert run.status == 0 and len(s.requests) == 10  # as they say
    run = muster("fetch", "--resume", fail, "--summary", "-o", "out", *urls)
    assert run.status == 1 and "resumed      10 of 10 were there, 2 of them failed (--failed-only does those again)" in run.stderr
    breaks.remove("/3")
    assert muster("fetch", "--failed-only", fail, "-o", "out", *urls).status == 1 and len(s.requests) == 12
    breaks.clear()
    assert muster("fetch", "--failed-only", fail, "-o", "out", *urls).status == 0 and len(s.requests) == 13
    assert sorted((result["n"], result["status"]) for result in lines(tmp_path / "out")) == [(n, 200) for n in range(1, 11)]


def test_what_failed_is_all_that_is_done(muster, server, tmp_path):
    s = server()
    urls = ["http://127.0.0.1:1/", s.url("/a"), s.url("/b")]
    assert muster("fetch", "-o", "out", *urls[:2]).status == 1
    run = muster("fetch", "--failed-only", "--summary", "-o", "out", *urls)
    assert run.status == 1 and "resumed      1 of 3 were there; 1 has no result (--resume does those)" in run.stderr, run.stderr
    assert sorted(result["n"] for result in lines(tmp_path / "out")) == [1, 2]
    assert muster("fetch", "--failed-only", "--resume", "-o", "out", *urls).status == 1
    assert sorted(result["n"] for result in lines(tmp_path / "out")) == [1, 2, 3]


def test_what_failed_is_appended_by_choice(muster, server, tmp_path):
    breaks = [True]
    s = server(lambda r: None if r.path == "/b" and breaks else ok())
    urls = [s.url("/a"), s.url("/b")]
    assert muster("fetch", "-m", "0.3", "-o", "out", *urls).status == 1
    breaks.clear()
    before = (tmp_path / "out").read_bytes()
    assert muster("fetch", "--failed-only", "--append", "-o", "out", *urls).status == 0
    assert (tmp_path / "out").read_bytes().startswith(before) and [result["n"] for result in lines(tmp_path / "out")] == [1, 2, 2]
    asked = len(s.requests)
    run = muster("fetch", "--resume", "--summary", "-o", "out", *urls)  # the last line counts, and now the other one goes
    assert run.status == 0 and "resumed      2 of 2 were there\n" in run.stderr and len(s.requests) == asked
    assert [(result["n"], result["ok"]) for result in lines(tmp_path / "out")] == [(1, True), (2, True)]


def test_a_line_that_was_put_right(muster, server, tmp_path):
    s = server()
    (tmp_path / "list.jsonl").write_text(json.dumps({"url": s.url()}) + "\n" + '{"url":7}\n')
    assert muster("fetch", "-i", "list.jsonl", "-o", "out").status == 1
    (tmp_path / "list.jsonl").write_text(json.dumps({"url": s.url()}) + "\n" + json.dumps({"url": s.url("/right")}) + "\n")
    assert muster("fetch", "--resume", "-i", "list.jsonl", "-o", "out").status == 1  # its failure stands
    assert muster("fetch", "--failed-only", "-i", "list.jsonl", "-o", "out").status == 0
    assert [result["url"] for result in lines(tmp_path / "out")] == [s.url(), s.url("/right")]


def test_the_file_that_is_written_anew_is_as_the_old_one(muster, server, tmp_path):
    breaks = [True]
    s = server(lambda r: None if breaks else ok())
    (tmp_path / "folder").mkdir()
    assert muster("fetch", "-m", "0.2", "-o", "folder/out", s.url(), s.url()).status == 1
    (tmp_path / "folder" / "out").chmod(0o640)
    (tmp_path / "link").symlink_to("folder/out")
    (tmp_path / "folder" / ".out.muster").write_text("of a run that was killed")
    breaks.clear()
    assert muster("fetch", "--failed-only", "-o", "link", s.url(), s.url()).status == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "folder" / "out").stat().st_mode & 0o777 == 0o640
    assert left(tmp_path / "folder") == ["out"] and all(result["ok"] for result in lines(tmp_path / "link"))


# --- power that fails -----------------------------------------------------------------------------------------------------------


def calls(tmp_path, *arguments):
    """The calls that bring something to a disk, in their order, with what was written between."""
    if not shutil.which("strace"):
        pytest.skip("no strace: apt-get install strace")
    trace = tmp_path / "calls"
    done = subprocess.run(["strace", "-f", "-y", "-o", trace, "-e", "trace=write,fsync,fdatasync,syncfs", MUSTER, "fetch", "-s", *map(str, arguments)],
                          cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    if "ptrace" in done.stderr:
        pytest.skip("nothing can be traced here: " + done.stderr)
    assert done.returncode == 0, done.stderr
    found = re.findall(r"(\w+)\(\d+<([^>]*)>", trace.read_text())
    trace.unlink()
    return [(call, os.path.relpath(path, tmp_path)) for call, path in found if path.startswith(str(tmp_path))]


def test_each_line_is_on_the_disk_before_the_run_goes_on(server, tmp_path):
    s = server()
    made = calls(tmp_path, "--sync", "each", "-c", 1, "-o", "out", *[s.url()] * 5)
    assert made[0] == ("fsync", "."), "that there is such a file"
    made = [call for call, path in made if path == "out"]
    assert made[:-1] == ["write", "fdatasync"] * (len(made) // 2) and made[-1] == "fsync" and len(made) == 11
    assert len(lines(tmp_path / "out")) == 5


def test_every_second_results_are_brought_to_the_disk(server, tmp_path):
    s = server(lambda r: (time.sleep(1.3), ok())[1])
    made = [call for call, path in calls(tmp_path, "--sync", "second", "-c", 1, "-o", "out", *[s.url()] * 2) if path == "out"]
    assert made[0] == "write" and "fdatasync" in made[1:-1] and made[-1] == "fsync"


def test_in_the_end_all_is_on_the_disk(server, tmp_path):
    s = server()
    (tmp_path / "bodies").mkdir()
    made = calls(tmp_path, "--sync", "end", "--body", "bodies", "-o", "out", s.url())
    assert made[-2:] == [("syncfs", "bodies"), ("fsync", "out")] and not [call for call, _ in made if call == "fdatasync"]
    assert not [call for call, _ in calls(tmp_path, "-o", "other", s.url()) if call != "write"]


def test_what_is_written_anew_is_on_the_disk_before_it_takes_a_place(server, muster, tmp_path):
    breaks = [True]
    s = server(lambda r: None if breaks else ok())
    assert muster("fetch", "-m", "0.2", "-o", "out", s.url()).status == 1
    breaks.clear()
    made = calls(tmp_path, "--failed-only", "-o", "out", s.url())
    assert [("write", ".out.muster"), ("fsync", ".out.muster"), ("fsync", ".")] == [one for one in made if one[1] != "out"]


@pytest.mark.parametrize("options, words", [
    (["--sync", "often", "-o", "out"], '"often" is none of each, second and end'),
    (["--sync", "end", "-o", "/dev/null"], "they do not go to a regular file"),
    (["--sync", "each"], "they do not go to a regular file"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_what_cannot_be_brought_to_the_disk(muster, tmp_path, options, words):
    run = muster("fetch", *options, "http://127.0.0.1:1/")
    assert run.status == 2 and words in run.stderr and left(tmp_path) == []


# --- killed -------------------------------------------------------------------------------------------------------------------


class Batch:
    """A list in one of the ways to give one, large enough that there is something to be killed."""

    N = 400

    def __init__(self, tmp_path, server, how):
        self.folder, self.how = tmp_path, how
        self.urls = [server.url(f"/{i}") for i in range(self.N)]
        self.arguments = ["-c", "16", "--rate", "2000"]
        listed = tmp_path / f"{how}.csv" if how == "csv" else tmp_path / f"{how}.txt"
        if how == "csv":
            listed.write_text("url,id,note\n" + "".join(f'{url},{i},"a\nb"\n' for i, url in enumerate(self.urls)))
        else:
            listed.write_text("".join(f"{url}\n" for url in self.urls))
        self.listed = listed
        if how != "stdin":
            self.arguments += ["-i", listed]
        if how == "bodies":
            self.arguments += ["--body", f"bodies/{{n}}"]
        if how == "order":
            self.arguments += ["--in-order"]
        if how == "failed":
            self.arguments += ["--fail"]

    def start(self, *options):
        with open(self.listed if self.how == "stdin" else os.devnull) as stdin:
            return subprocess.Popen([MUSTER, "fetch", "-s", *map(str, self.arguments), *options], cwd=self.folder, stdin=stdin, stderr=subprocess.PIPE)

    def run(self, *options):
        process = self.start(*options)
        stderr = process.communicate(timeout=PATIENCE)[1].decode()
        return process.returncode, stderr


WAYS = ["list", "stdin", "bodies", "csv", "order", "failed"]


@pytest.mark.parametrize("how", WAYS)
def test_killed_anywhere(server, tmp_path, how):
    """kill -9 at random instants, then on, until nothing is left: all is there once, as in a run that nobody killed."""
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}")
    dice = random.Random(seed)
    s = server(lambda r: response("500 No", b"") if how == "failed" and dice.random() < 0.2 else ok(f"{r.path} ".encode() * 50))
    batch = Batch(tmp_path, s, how)
    go_on = ["--resume", "--failed-only"] if how == "failed" else ["--resume"]
    begun = time.monotonic()
    assert batch.run("-o", "whole")[0] in (0, 1)
    takes_s = time.monotonic() - begun
    n_kills = 0
    while n_kills < (N_KILLS + len(WAYS) - 1) // len(WAYS):
        for path in tmp_path.glob("out*"):
            path.unlink()
        for _ in range(40):
            process = batch.start("-o", "out", *go_on)
            try:
                process.wait(dice.random() * takes_s * 0.7)
            except subprocess.TimeoutExpired:
                process.kill()
                n_kills += 1
            status, stderr = process.wait(), process.stderr.read().decode()
            process.stderr.close()
            assert status in (-signal.SIGKILL, 0, 1), stderr
            if status == 0 or status == 1 and how != "failed":
                break
        for _ in range(40):
            status, stderr = batch.run("-o", "out", *go_on)
            assert status in (0, 1), stderr
            if status == 0:
                break
        assert status == 0, stderr
        results = lines(tmp_path / "out")
        assert sorted(result["n"] for result in results) == list(range(1, batch.N + 1)), seed
        if how == "failed":
            assert all(result["ok"] for result in results)
        else:
            assert sorted(map(what_matters, results)) == sorted(map(what_matters, lines(tmp_path / "whole"))), seed
        if how == "order":
            assert [result["n"] for result in results] == list(range(1, batch.N + 1)), seed
        if how == "bodies":
            assert left(tmp_path / "bodies") == sorted(str(i) for i in range(1, batch.N + 1)), seed
            assert all((tmp_path / result["body_file"]).read_text() == f"/{result['n'] - 1} " * 50 for result in results)
        assert not [name for name in left(tmp_path) if name.startswith(".")]
