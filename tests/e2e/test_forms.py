"""Bodies as curl makes them: -F, -d and its kin, --json, -G, --url-query, -T; held against curl itself and against Python's parser."""
import email.parser
import email.policy
import json
import shutil
import subprocess

import pytest
from command import PATIENCE
from curl import curl_version
from scripted import ok

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.txt").write_text("hello\n")
    (tmp_path / "b.HTML").write_bytes(b"<p> \r\n=\xff\t" + b"x" * 200 + b" ")
    (tmp_path / "noext").write_bytes(bytes(range(256)) * 3)
    (tmp_path / 'we"ird\nna,me;.png').write_text("q")
    (tmp_path / "fields").write_text("X-A: 1\n# remark\nX-B: 2\r\n  folded\n\n")
    (tmp_path / "data").write_text("a b\nc&d\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.pdf").write_text("")
    return tmp_path


def what_curl_sends(server, files, *arguments, input=None, path="/"):
    s = server()
    command = ["curl", "-sS", *arguments, s.url(path)]
    done = subprocess.run(command, cwd=files, input=input, stdin=None if input else subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    (request,) = s.requests
    return request


def what_muster_sends(muster, server, *arguments, input=None, path="/"):
    s = server()
    run = muster("fetch", *arguments, s.url(path), input=input)
    assert run.status == 0, (run.stderr, run.stdout)
    (request,) = s.requests
    return request


def without_boundaries(text):
    """Boundaries numbered in the order in which they appear: they are random, and of another length in each version of curl."""
    seen = []
    for piece in text.split(b"boundary=")[1:]:
        boundary = piece.split(b"\r\n")[0]
        if boundary not in seen:
            seen.append(boundary)
    for i, boundary in enumerate(seen):
        text = text.replace(boundary, b"<%d>" % i)
    return text


def comparable(request):
    head = (request.fields.get("content-type", "") + "\r\n\r\n").encode("latin-1")
    return request.method, request.path, without_boundaries(b"Content-Type: " + head + request.body), request.fields.get("accept")


FORMS = [
    ["-F", "a=b"],
    ["-F", "a=b", "-F", "c= sp ;type=text/x; charset=utf-8", "-F", "=v", "-F", "d="],
    ["-F", "f=@a.txt", "-F", "g=@noext", "-F", 'h=@b.HTML;type=text/plain;filename=zz;headers="X-Y: z"', "-F", "s=@sub/c.pdf"],
    ["-F", "f=<a.txt", "-F", "g=<b.HTML", "-F", "h=<noext;type=x/y"],
    ["-F", "f=@a.txt,b.HTML;type=image/gif", "-F", "g=@a.txt;filename=x,noext"],
    ["-F", "=(;type=multipart/alternative", "-F", "=plain", "-F", "= <b>;type=text/html", "-F", "=)", "-F", "n=(", "-F", "x=y", "-F", "o=(", "-F", "p=q"],
    ["-F", "=(", "-F", "=(", "-F", "a=b;filename=c", "-F", "=)", "-F", "=)", "-F", "=)x"],
    ["-F", 'f=@"we\\"ird\nna,me;.png"'],
    ["--form-escape", "-F", 'a"\\b=c;filename=q"w;type=a/b'],
    ["-F", 'a"\\b\r\nc=d'],
    ["-F", "a=b;encoder=base64", "-F", "b=@noext;encoder=base64", "-F", "c=@b.HTML;encoder=quoted-printable", "-F", "d=x;encoder=7bit", "-F", "e=@noext;encoder=8bit", "-F", "g=é;encoder=binary"],
    ["-F", "a=@noext;encoder=quoted-printable", "-F", "b=é = \t;encoder=quoted-printable", "-F", "c=;encoder=base64", "-F", "d=@sub/c.pdf;encoder=base64"],
    ["-F", "a=b;headers=@fields", "-F", "b=c;headers=<fields;filename=x.png", "-F", 'c=d;headers="Content-Type: a/b";headers="Content-Disposition: x"'],
    ["--form-string", "a=@b;type=x", "--form-string", "b=", "--form-string", "c=<d"],
    ["-H", "Content-Type: multipart/related", "-F", "a=b", "-F", "=c", "-F", "d=@a.txt"],
    ["-F", 'a="q;\\"x\\\\" ;filename= u v ', "-F", 'b="no end', "-F", "c=a,b", "-F", 'd=x"y"', "-F", 'e="a\\nb"'],
    ["-X", "PUT", "-F", "a=b"],
]


@needs_curl
@pytest.mark.parametrize("arguments", FORMS, ids=" ".join)
def test_form_is_what_curl_sends(muster, server, files, arguments):
    ours, theirs = what_muster_sends(muster, server, *arguments), what_curl_sends(server, files, *arguments)
    assert comparable(ours) == comparable(theirs)
    if "content-length" in theirs.fields:  # theirs has it not where it does not know a length that ours does
        assert int(ours.fields["content-length"]) == len(ours.body)


DATA = [
    ["--data-urlencode", "a b=c"], ["--data-urlencode", "=x y&z+~*-._/é"], ["--data-urlencode", "n=a b=c"],
    ["--data-urlencode", "@data"], ["--data-urlencode", "n@data"], ["--data-urlencode", "a b"], ["--data-urlencode", ""],
    ["--data-urlencode", "a=1", "-d", "b=2", "--data-raw", "@x", "--data-ascii", "@data", "--data-binary", "@data"],
    ["-G", "--data-urlencode", "q=1 2", "-d", "x=y"], ["-G", "-X", "POST", "-d", "a=b"], 
    ["--url-query", "q=1 2", "--url-query", "+raw=%20&x"], ["--url-query", "a=b", "-d", "x=y"],
    ["--json", '{"a":', "--json", "1}"], ["--json", "@data", "-H", "Content-Type: x/y", "-X", "PUT"],
    ["-d", "a=b", "--json", "c"], ["--json", "c", "-d", "a=b"], ["--json", "1", "-H", "Accept: x/y"], ["-T", "noext"], ["-T", "sub/c.pdf", "-X", "POST"],
]


@needs_curl
@pytest.mark.parametrize("path", ["/", "/x", "/x?y=z", "/d/?q"])
@pytest.mark.parametrize("arguments", DATA, ids=" ".join)
def test_data_is_what_curl_sends(muster, server, files, arguments, path):
    if arguments[0] == "-T" and path == "/d/?q" and curl_version() > (7, 88):
        pytest.skip("this curl takes the query for a part of the file's name")
    assert comparable(what_muster_sends(muster, server, *arguments, path=path)) == comparable(what_curl_sends(server, files, *arguments, path=path))


@needs_curl
@pytest.mark.parametrize("arguments", [["-F", "a=@-"], ["-F", "a=<-"], ["-T", "-"], ["-T", "."], ["-d", "@-"], ["--json", "@-"]], ids=" ".join)
def test_standard_input_is_sent_as_curl_does(muster, server, files, arguments):
    input = b"from a pipe\n" * 1000
    ours, theirs = what_muster_sends(muster, server, *arguments, input=input), what_curl_sends(server, files, *arguments, input=input)
    assert comparable(ours) == comparable(theirs)


def parts_of(request):
    """What Python's parser for mail makes of it."""
    text = f"Content-Type: {request.fields['content-type']}\r\n\r\n".encode() + request.body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(text)
    assert not message.defects, message.defects
    return [(part.get_param("name", header="content-disposition"), part.get_filename(), part.get_content_type() if part["content-type"] else None, part.get_payload(decode=True))
            for part in message.walk() if not part.is_multipart()]


def test_form_is_what_another_parser_reads(muster, server, files):
    request = what_muster_sends(muster, server, "-F", "a=b", "-F", "f=@noext;type=application/x-y", "-F", "g=@noext;encoder=base64", "-F", "h=@a.txt,b.HTML", "-F", "q=@b.HTML;encoder=quoted-printable;filename=z")
    octets, text, page = ((files / name).read_bytes() for name in ("noext", "a.txt", "b.HTML"))
    assert parts_of(request) == [
        ("a", None, None, b"b"), ("f", "noext", "application/x-y", octets), ("g", "noext", "application/octet-stream", octets),
        (None, "a.txt", "text/plain", text), (None, "b.HTML", "text/html", page), ("q", "z", "text/html", page)]


@pytest.mark.parametrize("arguments, words", [
    (["-F", "a"], "is not NAME=CONTENT"),
    (["-F", "a=b;foo"], '"foo" is none of type=, filename=, headers=, encoder='),
    (["-F", "a=b;type=text"], "not a content type like image/png: text"),
    (["-F", "a=b;encoder=zip"], "not an encoding of parts"),
    (["-F", "a=@missing"], "cannot read missing: No such file or directory"),
    (["-F", "a=@a.txt,missing"], "cannot read missing"),
    (["-F", "a=@"], "without the name of a file"),
    (["-F", "a=(x)"], "begins with ("),
    (["-F", "=)"], "none was begun"),
    (["-F", 'a="b"c'], "follows the quote"),
    (["-F", "a=b;headers=none"], 'not a header field "Name: value" of a part: none'),
    (["-F", "a=<a.txt;filename=x"], "filename= has no place there"),
    (["-F", "a=(;encoder=base64"], "encoder= has no place there"),
    (["-F", "a=b;headers=@missing"], "cannot read missing"),
    (["--form-escape", "-F", "a\nb=c"], "a line end, which backslashes cannot escape"),
    (["-F", "a=é;encoder=7bit"], "a byte that 7bit cannot hold"),
    (["-F", "a=b", "-d", "c"], "a request has one body"),
    (["-F", "a=b", "-T", "a.txt"], "a request has one body"),
    (["-G"], "-G puts data into the URL, but there is none"),
    (["-G", "-F", "a=b"], "have no place there"),
    (["--json", "-o", "x"], "To parse the bodies of responses use --parse-json"),
])
def test_mistake_is_told(muster, server, files, arguments, words):
    s = server()
    run = muster("fetch", *arguments, s.url())
    assert run.status == 2 and words in run.stderr and not s.requests, run.stderr


@pytest.mark.parametrize("order", [("URL", "--json"), ("--json", "URL")])
def test_old_meaning_of_json_is_told(muster, server, order):
    s = server()
    run = muster("fetch", *(s.url() if word == "URL" else word for word in order))
    assert run.status == 2 and "--parse-json" in run.stderr and not s.requests


def test_pipe_is_for_one_request(muster, server):
    s = server()
    run = muster("fetch", "-T", "-", s.url(), s.url(), input=b"x")
    assert run.status == 2 and "can be read only once" in run.stderr


def test_form_of_every_line_and_after_a_redirect(muster, server, files):
    """The same form for all; files are read again where a request goes on."""
    s = server(lambda r: b"HTTP/1.1 307 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n" if r.path == "/first" else ok())
    run = muster("fetch", "-F", "f=@noext", "-F", "a=b", s.url("/first"), s.url("/second"), s.url("/third"))
    assert run.status == 0 and len(s.requests) == 4
    assert len({request.body for request in s.requests}) == 1
    # A redirect that makes it a GET takes the body and what is said of it away.
    s.behave = lambda r: b"HTTP/1.1 303 Go\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n" if r.path == "/first" else ok()
    assert muster("fetch", "-F", "f=@noext", s.url("/first")).status == 0
    assert s.requests[-1].method == "GET" and "content-type" not in s.requests[-1].fields and not s.requests[-1].body


def test_file_that_changes_fails_its_request(muster, server, files):
    """Its size is in Content-Length already when it turns out to have another one."""
    run = muster("fetch", "-F", "f=@/proc/self/status", server().url())  # 0 bytes, it says
    assert run.status == 1 and run.result["error"]["code"] == "input" and "/proc/self/status" in run.result["error"]["text"]


def test_gibibyte_of_a_form(muster, lab, tmp_path):
    from test_bodies import GIB, IS_ASAN, run_and_watch
    size = GIB if not IS_ASAN else GIB // 16
    with open(tmp_path / "large", "wb") as file:
        file.truncate(size)
    (result,), peak = run_and_watch(muster, "-F", "f=@large", "-F", "a=b", lab().url("/upload"))
    assert result["error"] is None and json.loads(result["body"])["body_bytes"] > size
    assert peak < 16 or IS_ASAN


def test_forms_in_lines(muster, server, files):
    s = server()
    lines = [{"url": s.url(), "data": {"q": "a b&c", "page": 2, "x": 1.5, "on": True, "tag": ["x", "y"]}}, {"url": s.url(), "data": {}},
             {"url": s.url(), "form": {"a": "b", "f": {"file": "a.txt", "filename": "n.html"}}}, {"url": s.url(), "form": [{"name": "f", "file": "a.txt"}, {"name": "f", "content": "é", "type": "text/x"}]}]
    run = muster("fetch", "-c", "1", "--in-order", input="".join(json.dumps(line) + "\n" for line in lines))
    assert run.status == 0, run.results
    pairs, empty, first, second = s.requests
    assert pairs.method == "POST" and pairs.body == b"q=a+b%26c&page=2&x=1.5&on=true&tag=x&tag=y" and pairs.fields["content-type"] == "application/x-www-form-urlencoded"
    assert empty.body == b"" and empty.fields["content-length"] == "0"
    assert parts_of(first) == [("a", None, None, b"b"), ("f", "n.html", "text/html", b"hello\n")]
    assert parts_of(second) == [("f", "a.txt", "text/plain", b"hello\n"), ("f", None, "text/x", "é".encode())]
    bad = [{"url": s.url(), "data": "x"}, {"url": s.url(), "data": {"a": None}}, {"url": s.url(), "form": {"a": 1}}, {"url": s.url(), "form": {"a": {"file": "missing"}}}, {"url": s.url(), "form": {}, "data": {}}]
    run = muster("fetch", "--in-order", input="".join(json.dumps(line) + "\n" for line in bad))
    words = ["data must be an object", "a value of data must be", "a part of form must be", "cannot read missing: No such file", "give only one of"]
    assert all(word in result["error"]["text"] for word, result in zip(words, run.results, strict=True)), run.results


# --- Expect: 100-continue -------------------------------------------------------------------------------------------------


@needs_curl
@pytest.mark.parametrize("arguments", [["-F", "f=@large"], ["--data-binary", "@large"], ["-F", "f=@limit"], ["-d", "small"], ["-H", "Expect:", "-F", "f=@large"], ["-H", "Expect: 100-continue", "-d", "small"],
                                       ["--data-binary", "@limit"]], ids=" ".join)
def test_body_asks_when_curl_does(muster, server, files, arguments):
    (files / "large").write_bytes(b"x" * 1_200_000)
    (files / "limit").write_bytes(b"x" * (1 << 20))
    ours, theirs = what_muster_sends(muster, server, *arguments), what_curl_sends(server, files, *arguments)
    assert ours.fields.get("expect") == theirs.fields.get("expect") and len(ours.body) - len(theirs.body) in range(0, 60)


def test_nginx_refuses_before_the_body(muster, nginx, files):
    """Its answer to a body that is too large is there at once, and the body is not sent."""
    (files / "large").write_bytes(b"x" * 1_500_000)
    run = muster("fetch", "-F", "f=@large", nginx.url("/"))
    assert run.status == 0 and run.result["status"] == 413 and run.result["conn"]["reused"] is False
    assert muster("fetch", "-F", "f=@large", "-f", nginx.url("/")).result["error"]["code"] == "status"


def test_time_for_the_server_to_say_yes(muster, lab, files):
    (files / "large").write_bytes(b"x" * 1_200_000)
    silent = lab("--no-continue")
    waits = [muster("fetch", "-T", "large", *arguments, silent.url("/upload")).result["phases_us"]["wait"] for arguments in (["--expect100-timeout", "300ms"], ["-H", "Expect:"])]
    assert waits[0] >= 300_000 > waits[1]
    assert muster("fetch", "-T", "large", lab().url("/upload")).result["phases_us"]["wait"] < 900_000
