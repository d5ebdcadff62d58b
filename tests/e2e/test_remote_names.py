"""Files named as the server names them: -O, -J, -R, --output-dir; beside the real curl, and with names that mean harm."""
import json
import os
import shutil
import subprocess

import pytest
from command import MUSTER, PATIENCE
from scripted import ok, response

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")


def files_below(folder):
    """What is in each file, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def both(tmp_path):
    """Run both with the same arguments, each in a folder of its own; returns our run."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()

    def run(*arguments, files=1):
        curl = subprocess.run(["curl", "-q", "-s", *arguments], cwd=theirs, timeout=PATIENCE)
        process = subprocess.run([MUSTER, "fetch", *arguments], cwd=ours, capture_output=True, timeout=PATIENCE)
        assert (curl.returncode, process.returncode) == (0, 0), process.stdout + process.stderr
        assert files_below(ours) == files_below(theirs) and len(files_below(ours)) == files
        return [json.loads(line) for line in process.stdout.splitlines()]

    run.ours, run.theirs = ours, theirs
    return run


# --- as curl ---------------------------------------------------------------------------------------------------------------


@needs_curl
@pytest.mark.parametrize("path", ["/a.txt", "/dir/b.txt?x=/y", "/c#/d", "/a%2Fb", "/a%20b", "/a;b:c~d", "/a/../b", "/-rf", "/e.", "/東京.html"])
def test_names_of_urls(both, server, path):
    (result,) = both("-O", server(lambda request: ok(b"content")).url(path))
    assert result["body_file"] == next(iter(files_below(both.ours)))


@needs_curl
def test_output_dir(both, server):
    one = server(lambda request: ok(request.path.encode()))
    results = both("--remote-name-all", "--output-dir", "a/b", "--create-dirs", one.url("/1"), one.url("/2"), files=2)
    assert sorted(result["body_file"] for result in results) == ["a/b/1", "a/b/2"]


@needs_curl
@pytest.mark.parametrize("value, name", [
    ("attachment; filename=a.pdf", "a.pdf"), ('attachment; filename="a b;c.pdf"', "a b;c.pdf"), (r'attachment; filename="C:\dir\a.pdf"', "a.pdf"),
    ("attachment; filename=../../x", "x"), ("attachment; filename=/etc/passwd", "passwd"), ("attachment; filename*=UTF-8''no", "url"),
    ("attachment; filename*=UTF-8''no; filename=yes", "yes"), ("inline", "url"),
])
def test_names_of_responses(both, server, value, name):
    one = server(lambda request: ok(b"content", f"Content-Disposition: {value}"))
    both("-O", "-J", one.url("/url"))
    assert list(files_below(both.ours)) == [name]


@needs_curl
@pytest.mark.parametrize("date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Thu, 01 Jan 1970 00:00:01 GMT"])
def test_time(both, server, date):
    both("-O", "-R", server(lambda request: ok(b"content", f"Last-Modified: {date}")).url("/a"))
    assert (both.ours / "a").stat().st_mtime == (both.theirs / "a").stat().st_mtime < 1e9


# --- on our own ------------------------------------------------------------------------------------------------------------


def test_time_of_a_real_file(muster, nginx, tmp_path):
    """The time of any file of a body; that of the run where the server says none, or nonsense."""
    result = muster("fetch", "-R", "--body", "out/{n}", nginx.url("/small")).result
    told = next(value for name, value in result["headers"] if name == "last-modified")
    assert (tmp_path / result["body_file"]).stat().st_mtime == int(subprocess.check_output(["date", "-d", told, "+%s"]))


@pytest.mark.parametrize("field", ["A: b", "Last-Modified: soon", "Last-Modified: 0"])
def test_no_time(muster, server, tmp_path, field):
    run = muster("fetch", "-OR", server(lambda request: ok(b"x", field)).url("/a"))
    assert run.status == 0 and (tmp_path / "a").stat().st_mtime > 1e9


# The last one is as long as a name may be.
HOSTILE = [("/.bashrc", "%2Ebashrc"), ("/...", "%2E.."), ("/..%2Fx", "%2E.%2Fx"), ("/" + "x" * 255, "x" * 255)]


@pytest.mark.parametrize("path, name", HOSTILE, ids=lambda text: text[:12])
def test_hostile_urls(muster, server, tmp_path, path, name):
    result = muster("fetch", "-O", "--output-dir", "out", "--create-dirs", server().url(path)).result
    assert result["body_file"] == f"out/{name}" and list(files_below(tmp_path)) == [f"out/{name}"]


@pytest.mark.parametrize("value, name", [
    (b'filename=".bashrc"', "%2Ebashrc"), (b'filename="..\\..\\.profile"', "%2Eprofile"), (b'filename=".."', "url"), (b'filename=""', "url"), (b"filename=a/", "url"), (b'filename="a\\"b"', 'a"b'),
    (b'filename="\x01\x7f"', "%01%7F"), (b'filename="\xff"', "%FF"), ('filename="é"'.encode(), "é"), (b'filename="a\tb"', "a%09b"),
])
def test_hostile_responses(muster, server, tmp_path, value, name):
    one = server(lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Disposition: attachment; " + value + b"\r\n\r\nx")
    run = muster("fetch", "-OJ", "--output-dir", "out", "--create-dirs", one.url("/url"))
    assert list(files_below(tmp_path)) == ([f"out/{name}"] if run.status == 0 else [])
    assert run.status == 0 or b"\x01" in value  # such a header is refused as a whole


def test_long_names_are_cut(muster, server, tmp_path):
    one = server(lambda request: ok(b"x", f'Content-Disposition: attachment; filename="{"y" * 300}"'))
    by_url = muster("fetch", "-O", one.url("/" + "x" * 300)).result["body_file"]
    by_response = muster("fetch", "-OJ", one.url("/z")).result["body_file"]
    assert by_url.startswith("x" * 50) and by_response.startswith("y" * 50) and max(len(by_url), len(by_response)) <= 255
    assert sorted(files_below(tmp_path)) == [by_url, by_response]


@pytest.mark.parametrize("path", ["", "/", "/dir/", "/?a/b", "/a/.."])
def test_urls_without_a_name(muster, server, tmp_path, path):
    """An error of that item that says what to do, before it is asked for; the others go on."""
    one = server()
    run = muster("fetch", "-O", "--in-order", one.url(path), one.url("/a"))
    bad, good = run.results
    assert run.status == 1 and bad["error"]["code"] == "input" and "--body 'DIR/{n}'" in bad["error"]["text"]
    assert good["ok"] and [request.path for request in one.requests] == ["/a"] and list(files_below(tmp_path)) == ["a"]


def test_response_names_what_the_url_does_not(muster, server, tmp_path):
    one = server(lambda request: ok(b"x", *(["Content-Disposition: x; filename=a"] if request.path == "/" else [])))
    run = muster("fetch", "-OJ", "--in-order", one.url("/"), one.url("/?"))
    good, bad = run.results
    assert good["body_file"] == "a" and "without a file name" in bad["error"]["text"] and list(files_below(tmp_path)) == ["a"]


def test_what_is_no_url_says_so(muster):
    run = muster("fetch", "-O", "nonsense://", "http://")
    assert [result["error"]["code"] for result in run.results] == ["url", "url"]


def test_one_name_twice(muster, server, tmp_path):
    """The second one is not asked for, in lines of either kind; what an earlier run left is replaced."""
    one = server(lambda request: ok(request.path.encode()))
    lines = json.dumps({"url": one.url("/1/a")}) + "\n" + json.dumps({"url": one.url("/2/a")}) + "\n"
    for arguments, input in [((one.url("/1/a"), one.url("/2/a?b")), None), ((), lines)]:
        (tmp_path / "a").write_text("of an earlier run")
        run = muster("fetch", "-O", "--in-order", *arguments, input=input)
        good, bad = run.results
        assert run.status == 1 and good["ok"] and "same body file, a; tell them apart with --body 'DIR/{n}-{remote_name}'" in bad["error"]["text"]
        assert files_below(tmp_path) == {"a": b"/1/a"}
    assert [request.path for request in one.requests] == ["/1/a"] * 2
    run = muster("fetch", "--body", "out/{n}-{remote_name}", one.url("/1/a"), one.url("/2/a"))
    assert run.status == 0 and sorted(os.listdir(tmp_path / "out")) == ["1-a", "2-a"]


def test_one_name_twice_in_responses(muster, server, tmp_path):
    one = server(lambda request: ok(request.path.encode(), "Content-Disposition: x; filename=a"))
    run = muster("fetch", "-OJ", "-c1", "--in-order", one.url("/1"), one.url("/2"))
    good, bad = run.results
    assert good["ok"] and "same body file, a;" in bad["error"]["text"] and files_below(tmp_path) == {"a": b"/1"}


def test_server_chooses_no_file_that_is_there(muster, server, tmp_path):
    """As curl: a name from the response takes no file's place, one from the URL does."""
    one = server(lambda request: ok(b"new", *(["Content-Disposition: x; filename=a"] if request.path == "/x" else [])))
    for name in "ab":
        (tmp_path / name).write_text("old")
    run = muster("fetch", "-OJ", "--in-order", one.url("/x"), one.url("/b"))
    bad, good = run.results
    assert good["ok"] and bad["error"]["code"] == "resource" and "the server chose the name of a file that is there, a;" in bad["error"]["text"]
    assert files_below(tmp_path) == {"a": b"old", "b": b"new"}


@pytest.mark.parametrize("file, words, what", [
    ("list", ["-i", "list"], "the input (-i)"), ("list", ["-i", "alias"], "the input (-i)"), ("results", ["-o", "results", "-i", "list"], "the output (-o)"),
    ("jar", ["--cookie-jar", "jar", "-i", "list"], "the cookie jar (--cookie-jar)"), ("run.db", ["--record", "run.db", "-i", "list"], "the record (--record)"),
    ("data", ["-T", "data", "-i", "list"], "the file that is sent (-T)"), ("data", ["-F", "a=@data", "-i", "list"], "a file of the form (-F)"),
    ("netrc", ["--netrc-file", "netrc", "-i", "list"], "the netrc file (--netrc-file)"), ("link", ["-i", "link"], "the input (-i)"),
])
@pytest.mark.parametrize("is_servers", [False, True])
def test_no_body_takes_the_place_of_a_file_of_the_run(muster, server, tmp_path, file, words, what, is_servers):
    """By whatever name, also of one that is made at the end; a name of the URL is refused before it is asked for."""
    one = server(lambda request: ok(b"BODY", *([f"Content-Disposition: x; filename={file}"] if is_servers and "good" not in request.path else [])))
    (tmp_path / "real").write_text("".join(one.url(path) + "\n" for path in (f"/{'x' if is_servers else file}", "/good")))
    (tmp_path / "data").write_text("data")
    (tmp_path / "netrc").write_text("")
    (tmp_path / "list").write_text((tmp_path / "real").read_text())
    (tmp_path / "alias").symlink_to("list")
    (tmp_path / "link").symlink_to("real")
    method = ["-X", "GET"] if words[0] in ("-T", "-F") else []
    run = muster("fetch", "-O", "--in-order", *(["-J"] if is_servers else []), *method, *words)
    lines = run.results or [json.loads(line) for line in (tmp_path / "results").read_text().splitlines()]
    bad, good = lines
    if not (is_servers and (tmp_path / file).is_file() and "server chose" in bad["error"]["text"]):
        assert bad["error"]["code"] == "input" and bad["error"]["text"] == f"input: the body's file {file} is {what} of this run; have bodies in a directory of their own"
    assert good["body_file"] == "good" and (tmp_path / "good").read_text() == "BODY"
    assert sorted(request.path for request in one.requests) == ["/good", "/x"][:1 + is_servers]
    assert not (tmp_path / file).exists() or b"BODY" != (tmp_path / file).read_bytes()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("sent", [{"body_file": "data"}, {"body_file": "./folder/../data"}, {"body_file": "link"}, {"body_file": "hard"},
                                  {"form": [{"name": "a", "content": "b"}, {"name": "c", "file": "data"}]}], ids=str)
@pytest.mark.parametrize("way", ["before", "after"])
def test_no_body_takes_the_place_of_what_was_sent(muster, server, tmp_path, sent, way):
    """Where the name is known before nothing is asked. A line that sends another file is none of that."""
    one = server(lambda request: ok(b"BODY"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "data").write_text("data")
    (tmp_path / "other").write_text("other")
    (tmp_path / "link").symlink_to("data")
    os.link(tmp_path / "data", tmp_path / "hard")
    lines = [{"url": one.url("/data"), "method": "POST", **sent}, {"url": one.url("/good"), "method": "POST", "body_file": "other"}]
    words = ["-O"] if way == "before" else ["-O", "-J"]
    bad, good = muster("fetch", "--in-order", *words, input="".join(json.dumps(line) + "\n" for line in lines)).results
    assert bad["error"]["code"] == "input" and "the body's file data is one that this request sends; " in bad["error"]["text"]
    assert (tmp_path / "data").read_text() == "data"
    assert good["body_file"] == "good" and (tmp_path / "good").read_text() == "BODY"
    assert sorted(request.path for request in one.requests) == (["/good"] if way == "before" else ["/data", "/good"])


def test_standard_output_is_a_file_of_the_run(server, tmp_path):
    one = server(lambda request: ok(b"BODY"))
    with open(tmp_path / "results", "wb") as results:
        assert subprocess.run([MUSTER, "fetch", "-O", one.url("/results")], cwd=tmp_path, stdout=results, timeout=PATIENCE).returncode == 1
    assert "results is standard output of this run" in json.loads((tmp_path / "results").read_text())["error"]["text"] and not one.requests


@pytest.mark.parametrize("kind", ["link", "open", "file"])
def test_folders_that_others_made(muster, server, tmp_path, kind):
    """Who can write beside the bodies cannot have them written elsewhere, nor files removed that a folder of theirs leads to."""
    folder, elsewhere = tmp_path / f".muster-{os.geteuid()}", tmp_path / "elsewhere"
    (elsewhere / "backup").mkdir(parents=True)
    (elsewhere / "backup" / "17").write_text("precious")
    if kind == "link":
        folder.symlink_to(elsewhere)
    elif kind == "file":
        folder.write_text("")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    run = muster("fetch", "-O", server().url("/a"))
    assert run.status == 3 and "remove it, or have bodies in another directory" in run.stderr and f".muster-{os.geteuid()}" in run.stderr
    assert (elsewhere / "backup" / "17").read_text() == "precious" and not (tmp_path / "a").exists()


def test_redirects_do_not_rename(muster, server, tmp_path):
    one = server(lambda request: response("302 Found", b"", "Location: /other") if request.path == "/a" else ok(b"x"))
    assert muster("fetch", "-O", one.url("/a")).status == 0 and list(files_below(tmp_path)) == ["a"]


def test_without_create_dirs(muster, server, tmp_path):
    one = server()
    run = muster("fetch", "-O", "--output-dir", "out", one.url("/a"))
    assert run.status == 2 and "there is no directory out" in run.stderr and "--create-dirs" in run.stderr and not one.requests
    (tmp_path / "out").mkdir()
    assert muster("fetch", "-O", "--output-dir", "out/", one.url("/a")).result["body_file"] == "out/a"


@pytest.mark.parametrize("arguments, words", [
    (("-O", "--body", "out"), "--body 'DIR/{remote_name}'"), (("-J",), "give -O as well"), (("-R",), "give -O or --body DIR as well"),
    (("-R", "--body", "none"), "give -O or --body DIR as well"), (("--output-dir", "."), "give -O as well"), (("-O", "--output-dir", ""), "empty"),
    (("-O", "--output-dir", "out/{host}"), "a pattern is for --body"), (("-J", "--body", "out/{n}"), "give -O as well"),
])
def test_what_does_not_fit(muster, arguments, words):
    run = muster("fetch", *arguments, "http://127.0.0.1:1/a")
    assert run.status == 2 and words in run.stderr and run.stdout == b""


def test_confirming_touches_no_file(muster, lab, tmp_path):
    """The run that --confirm repeats is not to take the place of what the first one fetched."""
    one = lab("--workers", 64, "--service-time", "20ms")
    muster("fetch", "-c", 4, "-O", "-R", "--output-dir", "out", "--create-dirs", "--confirm", *[one.url(f"/bytes/{n}") for n in range(1, 101)])
    files = files_below(tmp_path / "out")
    assert {name: len(content) for name, content in files.items()} == {str(n): n for n in range(1, 101)}
