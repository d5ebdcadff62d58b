"""Options that mean what they mean with curl: the same words give both programs the same request."""
import json
import shutil
import subprocess

import pytest
from command import PATIENCE
from curl import curl_version
from scripted import ok, response

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")

# What each client says of itself, and how it asks for codings.
OWN = ("user-agent", "accept-encoding")


def heads(server):
    return [(request.method, request.path, sorted(field for field in request.fields.items() if field[0] not in OWN), request.body)
            for request in server.requests]


def as_curl(muster, server, tmp_path, *arguments, status=0):
    """Run both with these arguments: the same requests, in any order."""
    curl = subprocess.run(["curl", "-q", "-s", *arguments], capture_output=True, cwd=tmp_path, timeout=PATIENCE)
    theirs = heads(server)
    server.requests.clear()
    done = muster("fetch", *arguments)
    assert (curl.returncode, done.status) == (0, status), done.stderr
    assert sorted(map(repr, heads(server))) == sorted(map(repr, theirs))
    return done


# --- the request ----------------------------------------------------------------------------------------------------------


@needs_curl
@pytest.mark.parametrize("arguments", [("-I",), ("--head",), ("-e", "http://from/"), ("-r", "0-1"), ("--range", "1-"), ("-r", "-1"), ("-r", "0-0,1-1"),
                                       ("-I", "-r", "1-", "-H", "A: b")])
def test_request(muster, server, tmp_path, arguments):
    one = server(lambda request: response("200 OK", b"" if request.method == "HEAD" else b"ok"))
    as_curl(muster, one, tmp_path, *arguments, one.url("/x"))


def test_head_has_no_body(muster, nginx):
    result = muster("fetch", "-I", nginx.url("/large")).result
    assert (result["method"], result["status"], result["body_bytes"]) == ("HEAD", 200, 0)


def test_part_of_a_file(muster, nginx):
    """A part of what could be compressed comes as it is: a part of the compressed bytes could not be decoded."""
    result = muster("fetch", "-r", "2-4", nginx.url("/small")).result
    assert (result["status"], result["body"]) == (206, "xxx")


@pytest.mark.parametrize("value", ["", "5", "a-b", "-", "1-2,", "1-2-3", "0 - 4", "bytes=0-4"])
def test_wrong_ranges(muster, value):
    done = muster("fetch", "-r", value, "http://127.0.0.1:1/")
    assert done.status == 2 and "--range" in done.stderr and "0-499" in done.stderr


def test_referer_that_follows(muster):
    done = muster("fetch", "-e", "http://a/;auto", "http://127.0.0.1:1/")
    assert done.status == 2 and ";auto" in done.stderr


# --- options in files -----------------------------------------------------------------------------------------------------

CONFIG = """
# a comment
  # another one
url = "{url}"
user-agent = "one\\ttwo \\"three\\""
header = "A: with blanks"
header: "B: colon"
header "C: blank"
-H D:short
--header "E: dashes"
data = a=b
  data   =   c=d   # a comment
max-time=20
-H "F: \\q\\\\"

referer http://from/
"""


@needs_curl
def test_config_file(muster, server, tmp_path):
    one = server()
    (tmp_path / "config").write_text(CONFIG.format(url=one.url("/x?a=b")))
    if curl_version() > (7, 88):
        assert muster("fetch", "-K", "config").status == 0  # younger ones refuse some of it
    else:
        as_curl(muster, one, tmp_path, "-K", "config")
    assert one.requests[0].fields["user-agent"] == 'one\ttwo "three"'
    assert one.requests[0].body == b"a=b&c=d"


def test_config_from_standard_input(muster, server):
    one = server()
    done = muster("fetch", "-K", "-", input=f"url = {one.url('/1')}\r\nurl = {one.url('/2')}\r\n-I")
    assert sorted(request.path for request in one.requests) == ["/1", "/2"]
    assert [request.method for request in one.requests] == ["HEAD", "HEAD"] and done.status == 0


def test_files_that_name_files(muster, server, tmp_path):
    one = server()
    (tmp_path / "inner").write_text("-I")
    (tmp_path / "outer").write_text(f"config = inner\nurl = {one.url()}")
    assert muster("fetch", "-K", "outer").status == 0 and one.requests[0].method == "HEAD"
    (tmp_path / "endless").write_text("config = endless")
    done = muster("fetch", "-K", "endless")
    assert done.status == 2 and "endless, line 1: --config: the file endless names itself" in done.stderr


@pytest.mark.parametrize("text, words", [
    ("frobnicate = 1", "config, line 2: unknown option --frobnicate"),
    ("max-time = soon", "config, line 2: --max-time: \"soon\" is not a duration"),
    ("max-time", "config, line 2: --max-time needs a value"),
    ("silent = 1", "config, line 2: --silent takes no value"),
    ('url = "http://a/', 'config, line 2: the closing " is missing'),
    ("header = A: b c", 'config, line 2: a value with white space needs double quotes: "A: b c"'),
    ("http://a/b", "config, line 2: a URL needs an option here"),
    ("= 4", "config, line 2: an option's name is missing"),
    ("-s 1", 'config, line 2: "1" follows an option that takes no value'),
    ("--help", "config, line 2: --help is for the command line"),
])
def test_wrong_config(muster, tmp_path, text, words):
    (tmp_path / "config").write_text("-I\n" + text)
    done = muster("fetch", "-K", "config", "http://127.0.0.1:1/")
    assert done.status == 2 and words in done.stderr and done.stdout == b""


def test_config_that_is_not_there(muster):
    done = muster("fetch", "-K", "nowhere", "http://127.0.0.1:1/")
    assert done.status == 2 and "--config: " in done.stderr and "nowhere" in done.stderr


# --- what is written of a result ------------------------------------------------------------------------------------------

# What does not depend on how fast anything is, nor on who asks.
SAME = ["http_code", "response_code", "http_version", "content_type", "method", "num_headers", "num_redirects", "remote_ip", "remote_port",
        "scheme", "size_download", "url", "url_effective", "urlnum", "errormsg", "exitcode", "num_connects", "num_retries", "filename_effective"]


def both_write(muster, tmp_path, form, *arguments):
    curl = subprocess.run(["curl", "-q", "-s", "-o", "/dev/null", "-w", form, *arguments], capture_output=True, cwd=tmp_path, timeout=PATIENCE)
    process = muster.start("fetch", "-w", form, *arguments)
    ours, _ = process.communicate(timeout=PATIENCE)
    return curl.stdout.decode(), ours.decode()


@needs_curl
@pytest.mark.parametrize("form", [
    "%{http_code}", "%{url_effective} 100%% %d % %{method}\\n\\t|\\r\\x\\\\", "%header{x-a}|%header{X-B}|%header{none}|\\n", "", "plain",
    "%{http_code} %{onerror}not shown",
] + [f"%{{{name}}}\\n" for name in SAME if name not in ("errormsg", "filename_effective", "num_retries")])
def test_write_out(muster, server, tmp_path, form):
    one = server(lambda request: ok(b"four", "Content-Type: text/plain; charset=utf-8", "X-A:  a b ", "X-B: 1", "X-B: 2"))
    if not form:
        assert muster("fetch", "-w", form, one.url("/p?q")).status == 2
        return
    theirs, ours = both_write(muster, tmp_path, form, one.url("/p?q"))
    assert ours == (theirs.lower() if "scheme" in form else theirs)  # older versions of curl shout


@needs_curl
def test_write_out_json(muster, server, tmp_path):
    one = server(lambda request: ok(b"four", "A: 1", "B: x", "a: 2"))
    theirs, ours = map(json.loads, both_write(muster, tmp_path, "%{json}", one.url("/p?q")))
    for name in ours:
        assert name not in theirs or isinstance(theirs[name], type(ours[name])) or None in (theirs[name], ours[name]) or name.startswith(("time", "speed"))
    for name in ("http_code", "response_code", "method", "num_headers", "scheme", "size_download", "url", "url_effective", "urlnum", "exitcode", "remote_port"):
        assert str(ours[name]).lower() == str(theirs[name]).lower(), name
    ours = json.loads(both_write(muster, tmp_path, "%{header_json}", one.url("/p?q"))[1])
    assert ours == {"content-length": ["4"], "a": ["1", "2"], "b": ["x"]}


def test_times_are_in_order(muster, nginx, certificates):
    names = ["namelookup", "connect", "appconnect", "pretransfer", "posttransfer", "starttransfer", "total"]
    form = " ".join(f"%{{time_{name}}}" for name in names) + "\\n"
    process = muster.start("fetch", "-w", form, "--cacert", certificates.path("ca"), *[nginx.tls_url("/small")] * 20)
    out, _ = process.communicate(timeout=PATIENCE)
    for line in out.decode().splitlines():
        times = [float(time) for time in line.split()]
        if times[2] > 0:
            assert times == sorted(times)
        assert times[-1] >= times[-2] > 0


def test_write_out_of_what_failed(muster, tmp_path):
    process = muster.start("fetch", "-w", "%{http_code} %{exitcode} %{onerror}%{errormsg}\\n", "http://127.0.0.1:1/", "nonsense://")
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    lines = sorted(out.decode().splitlines())
    assert lines[0].startswith("000 3 url: ") and lines[1].startswith("000 7 connect: ")


def test_write_out_from_a_file_to_a_file(muster, server, tmp_path):
    (tmp_path / "form").write_text("%{urlnum}:%{http_code}\n")
    process = muster.start("fetch", "-w", "@form", "-o", "out", "--in-order", *[server().url()] * 3)
    assert process.wait(timeout=PATIENCE) == 0
    assert (tmp_path / "out").read_text() == "0:200\n1:200\n2:200\n"


@pytest.mark.parametrize("form, words", [
    ("%{http_cod}", 'there is no variable "http_cod"; did you mean %{http_code}?'),
    ("%{frobnication}", 'there is no variable "frobnication"; muster-fetch(1) lists all'),
    ("a %{http_code", 'the } after "%{http_code" is missing'),
])
def test_wrong_formats(muster, form, words):
    done = muster("fetch", "-w", form, "http://127.0.0.1:1/")
    assert done.status == 2 and words in done.stderr


# --- header fields ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers, words", [
    ([["Host", "a"], ["host", "b"]], "a second Host field"), ({"Host": "a b"}, "Host is not a name with an optional port: a b"),
    ({"Host": "a/b"}, "Host is not a name with an optional port: a/b"), ({"Host": "é"}, "Host is not a name"),
])
def test_hosts_that_servers_read_differently(muster, server, headers, words):
    one = server()
    done = muster("fetch", input=json.dumps({"url": one.url(), "headers": headers}) + "\n")
    assert done.status == 1 and words in done.result["error"]["text"] and not one.requests


@pytest.mark.parametrize("host", ["a:80", "[::1]:80", "a_b.c-d", ""])
def test_hosts_that_are_some(muster, server, host):
    one = server()
    assert muster("fetch", "-H", f"Host: {host}" if host else "Host;", one.url()).status == 0
    assert one.requests[0].fields["host"] == host


@pytest.mark.parametrize("line, sent", [("Connection: keep-alive", None), ("connection:Keep-Alive", None), ("Connection: close", "close"), ("Connection:", None)])
def test_connection_as_browsers_copy_it(muster, server, line, sent):
    one = server()
    done = muster("fetch", "-H", line, one.url("/1"), one.url("/2"), "-c1")
    assert done.status == 0 and [request.fields.get("connection") for request in one.requests] == [sent] * 2
    assert [result["conn"]["reused"] for result in done.results] == [False, not sent]


def test_other_connections(muster):
    done = muster("fetch", "-H", "Connection: upgrade", "http://127.0.0.1:1/")
    assert done.status == 2 and "neither Connection: close nor Connection: keep-alive" in done.stderr


def test_no_referer(muster, server):
    one = server()
    assert muster("fetch", "-e", "", one.url()).status == 0 and "referer" not in one.requests[0].fields


# --- the story of a request that puzzles ----------------------------------------------------------------------------------


def test_story_of_a_redirect(muster, server):
    one = server(lambda request: response("302 Found", b"", "Location: /to", "Set-Cookie: a=secret1") if request.path == "/from" else [0.05, ok(b"four")])
    done = muster("fetch", "-v", "-u", "user:secret2", "-H", "X-Api-Key: secret3", "-H", "Cookie: b=secret4", "-H", "Accept: text/html",
                  "-H", "X-Mine: secret5", "--secret-header", "x-mine", one.url("/from"))
    lines = done.stderr.splitlines()
    assert lines[0] == f"== 1: GET {one.url('/to')}"
    assert lines[1] == f"* attempt 1 on new connection 1 to 127.0.0.1:{one.port}" and lines[2] == "> GET /from HTTP/1.1"
    assert "> Accept: text/html" in lines and "> Authorization: Basic [not shown]" in lines
    assert "< HTTP/1.1 302 Found" in lines and "< Location: /to" in lines and "< Set-Cookie: a=[not shown]" in lines
    assert f"* attempt 2 on reused connection 1 to 127.0.0.1:{one.port}" in lines and "> GET /to HTTP/1.1" in lines
    assert any(line.startswith("* 200, 4 bytes in ") and "wait" in line for line in lines)
    assert "secret" not in done.stderr and "secret" in repr(one.requests[1].fields)


def test_stories_are_not_mixed(muster, server, tmp_path):
    one = server(lambda request: [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0.01, ok(b"four")])
    assert muster("fetch", "--trace", "story", *[one.url(f"/{n}") for n in range(30)]).status == 0
    stories = (tmp_path / "story").read_text().strip().split("\n\n")
    assert len(stories) == 30
    for story in stories:
        path = story.splitlines()[0].rpartition("/")[2]
        assert [line for line in story.splitlines() if line.startswith(("> GET", "< HTTP"))] == [
            f"> GET /{path} HTTP/1.1", "< HTTP/1.1 103 Early Hints", "< HTTP/1.1 200 OK"]


def test_story_of_what_failed(muster):
    done = muster("fetch", "-v", "http://127.0.0.1:1/")
    assert "== 1: GET http://127.0.0.1:1/\n* failed: connect: " in done.stderr and done.status == 1


def test_stories_that_go_nowhere(muster, tmp_path):
    done = muster("fetch", "--trace", "-", "http://127.0.0.1:1/")
    assert done.status == 2 and "--trace - and the result lines would both go to standard output" in done.stderr
    done = muster("fetch", "--trace", "none/there", "http://127.0.0.1:1/")
    assert done.status == 3 and "cannot write the trace to none/there" in done.stderr
    done = muster("fetch", "-o", "lines", "--trace", "/dev/full", "http://127.0.0.1:1/")
    assert done.status == 3 and "cannot write the trace" in done.stderr and (tmp_path / "lines").read_text()


# --- where a body goes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words, is_warned", [
    (("-o", "page.html"), True), (("-s", "-o", "a.b/picture.JPG"), True), (("-o", "all.tar.gz"), True), (("-o", "results.jsonl"), False), (("-o", "html"), False),
    (("-o", "page.html", "--body", "none"), False), (("-O", "-o", "page.zip"), False), ((), False)])
def test_output_named_as_a_body(muster, server, tmp_path, words, is_warned):
    """With curl that is the body; here it is the result."""
    (tmp_path / "a.b").mkdir()
    one = server()
    done = muster("fetch", *words, one.url("/x"))
    assert done.status == 0
    assert ("warning: -o" in done.stderr) == is_warned
    if is_warned:
        path = words[words.index("-o") + 1]
        assert f"-o {path} gets the result" in done.stderr and "-O" in done.stderr and "--body DIR" in done.stderr
        assert json.loads((tmp_path / path).read_text())["body"] == "ok"


def test_output_of_many_named_as_a_body(muster, server):
    one = server()
    assert "warning" not in muster("fetch", "-o", "page.html", one.url("/x"), one.url("/y")).stderr
