"""Bodies that are files: names, whole or not at all, and memory that stays flat whatever their size."""
import hashlib
import json
import os
import signal
import subprocess
import time

import pytest
from scripted import ok

GIB = 1 << 30
IS_ASAN = "asan" in os.environ.get("MUSTER", "")


def watch(process):
    """The most memory that it has until its end, in MB."""
    peak = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                peak = max([peak, *(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))])
        except OSError:
            pass
        time.sleep(0.01)
    return peak


def run_and_watch(muster, *arguments):
    """Run a fetch to its end: its results, and the most memory that it had, in MB."""
    process = muster.start("fetch", *arguments)
    peak = watch(process)
    return [json.loads(line) for line in process.stdout.read().splitlines()], peak


def test_download_of_a_gibibyte(muster, lab, tmp_path):
    size = GIB if not IS_ASAN else GIB // 16
    (result,), peak = run_and_watch(muster, lab().url(f"/bytes/{size}"), "--body", "out")
    assert result["error"] is None and result["body_bytes"] == size
    assert (tmp_path / result["body_file"]).stat().st_size == size
    assert peak < 16 or IS_ASAN
    (tmp_path / result["body_file"]).unlink()


def test_upload_of_a_gibibyte(muster, lab, tmp_path):
    size = GIB if not IS_ASAN else GIB // 16
    with open(tmp_path / "large", "wb") as file:
        file.truncate(size)
    (result,), peak = run_and_watch(muster, "-T", "large", lab().url("/upload"))
    assert result["method"] == "PUT" and json.loads(result["body"])["body_bytes"] == size
    assert peak < 16 or IS_ASAN


def test_upload_from_input_lines(muster, lab, tmp_path):
    (tmp_path / "a").write_bytes(b"from a file\n" * 10000)
    s = lab()
    lines = [{"url": s.url("/upload"), "method": "POST", "body_file": str(tmp_path / "a")},
             {"url": s.url("/redirect/1/307?to=/upload"), "method": "POST", "body_file": str(tmp_path / "a")},
             {"url": s.url("/upload"), "method": "POST", "body_file": str(tmp_path / "missing")}]
    run = muster("fetch", "--in-order", input="".join(json.dumps(line) + "\n" for line in lines))
    first, second, third = run.results
    assert json.loads(first["body"])["body_bytes"] == json.loads(second["body"])["body_bytes"] == 120000
    assert third["error"]["code"] == "input" and "missing" in third["error"]["text"]
    run = muster("fetch", "-T", "-", s.url("/upload"), input=b"x" * 100000)
    assert json.loads(run.result["body"])["body_bytes"] == 100000


def test_names_from_a_template(muster, lab, tmp_path):
    s = lab()
    lines = [{"url": s.url("/bytes/10"), "id": "a/../b c"}, {"url": s.url("/bytes/20")}, {"url": s.url("/bytes/30?cut=120")}]
    run = muster("fetch", "--in-order", "--body", "out/{host}/{id}-{sha256}.txt", input="".join(json.dumps(line) + "\n" for line in lines))
    first, second, third = run.results
    host = f"127.0.0.1:{s.port()}"
    for result, name in ((first, "a%2F..%2Fb c"), (second, "2")):
        path = tmp_path / result["body_file"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert result["body_file"] == f"out/{host}/{name}-{digest}.txt"
    assert third["error"]["code"] == "closed" and "body_file" not in third
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(
        os.path.basename(result["body_file"]) for result in (first, second)), "something was left behind"


def test_errors_of_names(muster, lab, tmp_path):
    s = lab()
    run = muster("fetch", "--body", "out/{nmae}", s.url("/plain"))
    assert run.status == 2 and 'unknown "{nmae}"; known are {n}, ' in run.stderr
    (tmp_path / "file").write_text("")
    run = muster("fetch", "--body", "file/x", s.url("/plain"))
    assert run.status == 3 and "cannot" in run.stderr and "file" in run.stderr


def files_in(folder):
    """Hidden ones, too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def lines_of(*items):
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def test_different_ids_are_different_files(muster, lab, tmp_path):
    """Whatever is in them: none leaves its folder, hides, or takes another one's file."""
    s = lab()
    ids = ["東京", "大阪", "a/b", "a%2Fb", "a_b", "..", ".hidden", "\u0000", "\n", "%", "\u0085", "é", "e\u0301", "x" * 300, "x" * 301, "字" * 90, "A b:c?*", 7, -1.5]
    run = muster("fetch", "--body", "out/{id}.html", input=lines_of(*({"url": s.url(f"/bytes/{i + 1}"), "id": id} for i, id in enumerate(ids))))
    assert run.status == 0, run.results
    assert len(files_in(tmp_path / "out")) == len(ids)
    for result in run.results:
        path = tmp_path / result["body_file"]
        assert path.parent == tmp_path / "out" and not path.name.startswith(".") and path.stat().st_size == result["body_bytes"]
    names = {result["id"]: result["body_file"] for result in run.results}
    assert names["東京"] == "out/東京.html" and names["a/b"] == "out/a%2Fb.html" and names["a%2Fb"] == "out/a%252Fb.html"
    assert names[".hidden"] == "out/%2Ehidden.html" and names["\n"] == "out/%0A.html" and names["A b:c?*"] == "out/A b:c?*.html"
    assert names[7] == "out/7.html" and names["x" * 300].startswith("out/xxxx") and names["x" * 300].endswith(".html")


def test_name_given_twice(muster, server, tmp_path):
    """The second item is an error before it is asked for; the first one's body is what is there."""
    s = server(lambda r: ok(r.path.encode()))
    run = muster("fetch", "--in-order", "--body", "out/{id}", input=lines_of({"url": s.url("/a"), "id": "x"}, {"url": s.url("/b"), "id": "x"}, {"url": s.url("/c"), "id": 3}, {"url": s.url("/d"), "id": "3"}, {"url": s.url("/e")}))
    assert run.status == 1
    first, second, third, fourth, fifth = run.results
    assert second["error"]["code"] == fourth["error"]["code"] == "input" and "same body file, out/x;" in second["error"]["text"]
    assert first["ok"] and third["ok"] and fifth["ok"] and fifth["body_file"] == "out/5"
    assert sorted(r.path for r in s.requests) == ["/a", "/c", "/e"]
    assert (tmp_path / "out/x").read_text() == "/a" and files_in(tmp_path / "out") == ["3", "5", "x"]
    # What an earlier run left is replaced.
    muster("fetch", "--body", "out/{id}", input=lines_of({"url": s.url("/new"), "id": "x"}))
    assert (tmp_path / "out/x").read_text() == "/new"


def test_two_items_of_a_host(muster, server, tmp_path):
    """Who answers is known when there is an answer: the second one is an error then, and nothing is lost."""
    s = server(lambda r: ok(r.path.encode()))
    run = muster("fetch", "-c", "1", "--body", "out/{host}.html", s.url("/a"), s.url("/b"))
    good, bad = sorted(run.results, key=lambda result: not result["ok"])
    assert run.status == 1 and bad["error"]["code"] == "input" and "an earlier request has the same body file" in bad["error"]["text"] and "body_file" not in bad
    assert (tmp_path / good["body_file"]).read_text() == good["url"].removeprefix(s.url().rstrip("/"))
    assert files_in(tmp_path / "out") == [f"127.0.0.1:{s.port}.html"]
    # Equal content under a name of its hash is one file, and no error.
    run = muster("fetch", "--body", "same/{sha256}", s.url("/a"), s.url("/a"))
    assert run.status == 0 and len(files_in(tmp_path / "same")) == 1


def test_names_that_are_too_long(muster, server, tmp_path):
    s = server()
    run = muster("fetch", "--body", "out/" + "x" * 250 + "{id}", input=lines_of({"url": s.url(), "id": "long enough"}))
    assert run.status == 1 and "longer than 255 bytes" in run.result["error"]["text"] and not s.requests
    assert files_in(tmp_path / "out") == []


@pytest.mark.parametrize("word, meant", [("inlne", "inline"), ("Inline", "inline"), ("non", "none"), ("-", "inline"), ("discard", "none")])
def test_word_that_is_nearly_one(muster, server, tmp_path, word, meant):
    s = server()
    run = muster("fetch", "--body", word, s.url())
    assert run.status == 2 and f"did you mean {meant}?" in run.stderr and f"write ./{word}" in run.stderr
    assert list(tmp_path.iterdir()) == [] and not s.requests
    assert muster("fetch", "--body", f"./{word}", s.url()).result["body_file"] == f"./{word}/000001.body"
    assert muster("fetch", "--body", word, s.url()).status == 0  # now that it is there, it is meant


def test_body_file_has_one_form(muster, server, tmp_path):
    """As --body was written: relative to the folder that the run was started in, or absolute."""
    s = server()
    for where in ("out", "out/", "out//", "out/{n}", f"{tmp_path}/out", f"{tmp_path}/out/{{id}}"):
        name = muster("fetch", "--body", where, s.url()).result["body_file"]
        assert name.startswith(where.split("{")[0].rstrip("/") + "/") and "//" not in name
        assert (tmp_path / name).read_bytes() == b"ok"


def test_body_of_an_error_is_no_file_of_a_good_one(muster, lab, tmp_path):
    """As curl: -f drops it, --fail-with-body keeps it, both fail; without them it is a body as any other."""
    s = lab()
    urls = [s.url("/status/404"), s.url("/plain"), s.url("/status/500")]
    for options in ([], ["--jq", "."]):
        run = muster("fetch", "-f", *options, "--body", "dropped", *urls)
        assert run.status == 1 and [result.get("body_file") for result in sorted(run.results, key=lambda result: result["n"])][::2] == [None, None]
        assert not {"000001.body", "000003.body"} & set(files_in(tmp_path / "dropped"))
    run = muster("fetch", "--fail-with-body", "--in-order", "--body", "kept", *urls)
    first, good, last = run.results
    assert run.status == 1 and good["ok"] and first["error"]["code"] == last["error"]["code"] == "status"
    assert files_in(tmp_path / "kept") == ["000001.body", "000002.body", "000003.body"]
    assert (tmp_path / "kept" / "000001.body").read_text() == "404 Not Found\n"
    assert muster("fetch", "--body", "any", *urls).status == 0 and len(files_in(tmp_path / "any")) == 3


def test_body_of_an_error_in_the_line(muster, lab):
    url = lab().url("/status/404")
    dropped = muster("fetch", "-f", url).result
    assert "body" not in dropped and dropped["body_bytes"] == 14 and dropped["status"] == 404
    kept = muster("fetch", "--fail-with-body", url)
    assert kept.status == 1 and kept.result["error"]["code"] == "status" and kept.result["body"] == "404 Not Found\n"
    both = muster("fetch", "-f", "--fail-with-body", url)
    assert both.status == 2 and "give one of them" in both.stderr


# --- what a killed run leaves ---------------------------------------------------------------------------------------------


def parts_in(folder):
    return [path for path in folder.rglob("*") if path.name.endswith(".part")]


def start_slow_download(muster, lab, tmp_path, *options):
    process = muster.start("fetch", *options, "--body", "out", lab.url("/bytes/1M?hang=100000"))
    end = time.monotonic() + 60
    while not parts_in(tmp_path):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.01)
    return process


def test_next_run_removes_what_a_killed_one_left(muster, lab, tmp_path):
    s = lab()
    process = start_slow_download(muster, s, tmp_path)
    folder = parts_in(tmp_path)[0].parent
    (folder / "mine").write_text("not muster's")
    (tmp_path / "out" / "1.part").write_text("not muster's either")
    muster("fetch", "--body", "out", s.url("/plain"))
    assert len(parts_in(folder)) == 1  # it is alive
    process.kill()
    process.wait()
    assert len(parts_in(folder)) == 1
    muster("fetch", "--body", "out", s.url("/plain"))
    assert not parts_in(folder) and (folder / "mine").exists() and (tmp_path / "out" / "1.part").exists()
    (folder / "mine").unlink()
    muster("fetch", "--body", "out", s.url("/plain"))
    assert files_in(tmp_path / "out") == ["000001.body", "1.part"] and [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_download_leaves_nothing(muster, lab, tmp_path, number):
    process = start_slow_download(muster, lab(), tmp_path)
    process.send_signal(number)
    assert process.wait(60) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_memory_for_all_bodies_has_a_cap(muster, lab, tmp_path):
    """64 bodies of 50 MB at once would be 3.2 GB. The line that is being written comes on top of the cap."""
    n, size = (64, 50_000_000) if not IS_ASAN else (16, 5_000_000)
    (tmp_path / "urls").write_text(f"{lab().url(f'/bytes/{size}')}\n" * n)
    process = muster.start("fetch", "-i", "urls", "--body-memory", str(2 * size + 1000), stdout=subprocess.DEVNULL)
    peak = watch(process)
    assert process.returncode == 0, process.stderr.read()
    assert IS_ASAN or 2 * size / 2**20 < peak < 3.5 * size / 2**20 + 16


def test_body_larger_than_the_memory_for_all(muster, lab):
    s = lab()
    run = muster("fetch", "--body-memory", "10k", s.url("/bytes/1000000"), s.url("/bytes/300000"), s.url("/bytes/5"))
    assert run.status == 0 and sorted(result["body_bytes"] for result in run.results) == [5, 300000, 1000000]
    run = muster("fetch", "--body-memory", "0", s.url("/bytes/1000000"))
    assert run.status == 0
    run = muster("fetch", "--body-memory", "much", s.url("/"))
    assert run.status == 2 and "--body-memory" in run.stderr and "much" in run.stderr
