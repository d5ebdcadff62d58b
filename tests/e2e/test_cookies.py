"""Cookies: against nginx, files that curl and Python write and read, one session for a run or one for each line."""
import email.message
import http.cookiejar
import json
import os
import shutil
import socket
import stat
import subprocess
import time
import urllib.request

import pytest
from command import MUSTER, PATIENCE, measure
from folders import open_to_others
from ports import free_port
from scripted import ok, response

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(not CURL, reason="no curl(1): apt-get install curl")
HEAD = "# Netscape HTTP Cookie File"


class Nginx:
    """Hosts of .test: /login sets a session and leads home, /home says who comes, /all sets one of each kind."""

    def __init__(self, directory):
        self.port = free_port()
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(f"""
            daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
            events {{ worker_connections 256; }}
            http {{
                access_log off; {temporary}
                map $cookie_session $who {{ default nobody; abc known; }}
                server {{
                    listen 127.0.0.1:{self.port};
                    location = /login {{ add_header Set-Cookie "session=abc; Path=/; HttpOnly"; return 302 /home; }}
                    location = /logout {{ add_header Set-Cookie "session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"; return 200 bye; }}
                    location = /away {{ add_header Set-Cookie "here=1; Path=/"; return 302 http://other.test:{self.port}/home; }}
                    location = /all {{
                        add_header Set-Cookie "plain=1";
                        add_header Set-Cookie "wide=2; Domain=example.test; Path=/";
                        add_header Set-Cookie "hidden=3; HttpOnly; Path=/";
                        add_header Set-Cookie "long=4; Max-Age=1000000; Path=/deep";
                        add_header Set-Cookie "dated=5; Expires=Fri, 31-Dec-2066 23:59:59 GMT; Path=/";
                        add_header Set-Cookie "spaced=a b \\"c\\"; Path=/";
                        add_header Set-Cookie "empty=; Path=/";
                        add_header Set-Cookie "foreign=9; Domain=other.test";
                        add_header Set-Cookie "public=9; Domain=test";
                        add_header Set-Cookie "old=9; Max-Age=0";
                        return 200 set;
                    }}
                    location / {{ return 200 "$who [$http_cookie]"; }}
                }}
            }}""")
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", directory / "nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("nginx did not start")

    def url(self, path, host="www.example.test"):
        return f"http://{host}:{self.port}{path}"

    @property
    def resolve(self):
        return ["--resolve", f"*:{self.port}:127.0.0.1"]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    one = Nginx(tmp_path_factory.mktemp("nginx-cookies"))
    yield one
    one.process.terminate()
    one.process.wait()


def lines_of(path):
    """The cookies of a file."""
    text = path.read_text()
    assert text.startswith(HEAD)
    return [line for line in text.splitlines() if line and (not line.startswith("#") or line.startswith("#HttpOnly_"))]


def curl(*arguments, cwd):
    done = subprocess.run([CURL, "-sS", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- a session ----------------------------------------------------------------------------------------------------------


def test_none_unless_asked(muster, nginx):
    bodies = [line["body"] for line in muster("fetch", "-c1", "--in-order", *nginx.resolve, nginx.url("/login"), nginx.url("/home")).results]
    assert bodies == ["nobody []"] * 2


def test_a_session(muster, nginx):
    urls = [nginx.url(path) for path in ("/login", "/home", "/logout", "/home")]
    lines = muster("fetch", "-b", "", "-c1", "--in-order", *nginx.resolve, *urls).results
    assert [line["body"] for line in lines] == ["known [session=abc]"] * 2 + ["bye", "nobody []"]
    assert lines[0]["redirects"] == 1


def test_threads_share_it(muster, nginx):
    urls = [nginx.url("/login")] + [nginx.url("/home", f"h{n}.example.test") for n in range(20)]
    assert muster("fetch", "-b", "session=abc", "--threads", 4, *nginx.resolve, *urls).status == 0
    done = muster("fetch", "-b", "", "--cookie-jar", "jar", "--threads", 4, *nginx.resolve, *[nginx.url("/login", f"h{n}.example.test") for n in range(20)])
    assert all(line["body"] == "known [session=abc]" for line in done.results) and len(done.results) == 20


def test_one_for_each_line(muster, nginx):
    urls = [nginx.url("/home"), nginx.url("/login"), nginx.url("/home")]
    for scope, last in ("run", "known [session=abc]"), ("line", "nobody []"):
        lines = muster("fetch", "--cookie-scope", scope, "-c1", "--in-order", *nginx.resolve, *urls).results
        assert [line["body"] for line in lines] == ["nobody []", "known [session=abc]", last], scope


def test_each_line_begins_with_the_file(muster, nginx, tmp_path):
    (tmp_path / "jar").write_text("www.example.test\tFALSE\t/\tFALSE\t0\tsession\tabc\n")
    urls = [nginx.url("/home"), nginx.url("/logout"), nginx.url("/home")]
    lines = muster("fetch", "-b", "jar", "--cookie-scope", "line", "-c1", "--in-order", *nginx.resolve, *urls).results
    assert [line["body"] for line in lines] == ["known [session=abc]", "bye", "known [session=abc]"]


def test_retries_share_it(muster, server):
    def behave(request):
        return ok() if "again=1" in request.fields.get("cookie", "") else response("503 Busy", b"", "Set-Cookie: again=1")

    s = server(behave)
    for scope in "run", "line":
        result = muster("fetch", "--cookie-scope", scope, "--retry", 1, "--retry-budget", "none", s.url()).result
        assert result["status"] == 200 and result["attempts"] == 2, scope


def test_redirects_to_other_hosts(muster, nginx):
    arguments = ["fetch", *nginx.resolve, "-b", "mine=secret"]
    assert muster(*arguments, nginx.url("/away")).result["body"] == "nobody []"
    assert muster(*arguments, "-b", "", nginx.url("/away")).result["body"] == "nobody []"


# --- what is given by hand ----------------------------------------------------------------------------------------------


def cookie_of(server):
    return [line.split(": ", 1)[1] for line in server.requests[-1].head.split("\r\n") if line.lower().startswith("cookie:")]


def test_by_hand(muster, server):
    s = server(lambda request: ok(b"", "Set-Cookie: a=jar; Path=/", "Set-Cookie: b=jar; Path=/"))
    for arguments, sent in [
        (["-b", "a=1"], ["a=1"]),
        (["-b", "a=1", "-b", "b=2; c=3"], ["a=1; b=2; c=3"]),
        (["-b", "a=1", "-H", "Cookie: x=y"], ["x=y"]),
        (["-b", "a=1", "-H", "Cookie:"], []),
        (["-H", "Cookie: x=y", "-H", "cookie: z=1"], ["x=y; z=1"]),
    ]:
        muster("fetch", *arguments, s.url())
        assert cookie_of(s) == sent, arguments
    muster("fetch", "-c1", "-b", "", "-b", "a=1; c=3", s.url(), s.url())
    assert cookie_of(s) == ["b=jar; a=1; c=3"]


def test_members_of_json(muster, server):
    s = server()
    lines = [{"cookies": {"a": "1", "b": "x=y"}}, {"cookies": None}, {"cookies": {}}]
    muster("fetch", "-c1", input="".join(json.dumps({"url": s.url(), **line}) + "\n" for line in lines))
    assert [request.fields.get("cookie") for request in s.requests] == ["a=1; b=x=y", None, None]
    muster("fetch", "-b", "c=3", input=json.dumps({"url": s.url(), **lines[0]}))
    assert cookie_of(s) == ["a=1; b=x=y; c=3"]
    for bad, words in [(["a=1"], "must be an object"), ({"a": 1}, "of cookie a"), ({"a": "1;b"}, "without semicolons"), ({"a=": "1"}, "of cookie a=")]:
        result = muster("fetch", input=json.dumps({"url": s.url(), "cookies": bad})).result
        assert words in result["error"]["text"], bad


# --- files --------------------------------------------------------------------------------------------------------------


def test_a_file_is_written(muster, nginx, tmp_path):
    # [6265bis 5.7 session-end]
    done = muster("fetch", "-b", "jar", "--cookie-jar", "jar", *nginx.resolve, nginx.url("/all"))
    assert done.status == 0 and done.stderr == ""  # that the file is not there yet is no mistake
    lines = lines_of(tmp_path / "jar")
    assert [line.split("\t")[5] for line in lines] == ["plain", "wide", "hidden", "long", "dated", "spaced", "empty"]
    assert lines[0] == "www.example.test\tFALSE\t/\tFALSE\t0\tplain\t1"
    assert lines[1] == ".example.test\tTRUE\t/\tFALSE\t0\twide\t2"
    assert lines[2] == "#HttpOnly_www.example.test\tFALSE\t/\tFALSE\t0\thidden\t3"
    assert abs(int(lines[3].split("\t")[4]) - time.time() - 1000000) < 600
    assert stat.S_IMODE(os.stat(tmp_path / "jar").st_mode) == 0o600
    body = muster("fetch", "-b", "jar", *nginx.resolve, nginx.url("/deep/er")).result["body"]
    assert body == 'nobody [long=4; plain=1; wide=2; hidden=3; dated=5; spaced=a b "c"; empty=]'
    assert muster("fetch", "-b", "jar", *nginx.resolve, nginx.url("/x", "example.test")).result["body"] == "nobody [wide=2]"
    body = muster("fetch", "-b", "jar", "-j", *nginx.resolve, nginx.url("/deep")).result["body"]
    assert body == "nobody [long=4; dated=5]"


@needs_curl
def test_curl_reads_our_file(muster, nginx, tmp_path):
    muster("fetch", "--cookie-jar", "jar", *nginx.resolve, nginx.url("/all"), nginx.url("/login"))
    for path, host in ("/deep/er", "www.example.test"), ("/x", "sub.example.test"), ("/x", "other.test"):
        url = nginx.url(path, host)
        ours = muster("fetch", "-b", "jar", *nginx.resolve, url).result["body"]
        theirs = curl("-b", "jar", *nginx.resolve, url, cwd=tmp_path)
        assert sorted(ours.partition("[")[2][:-1].split("; ")) == sorted(theirs.partition("[")[2][:-1].split("; ")), url


@needs_curl
def test_we_read_the_file_of_curl(muster, nginx, tmp_path):
    curl("-c", "theirs", *nginx.resolve, nginx.url("/all"), nginx.url("/login"), cwd=tmp_path)
    done = muster("fetch", "-b", "theirs", "--cookie-jar", "ours", *nginx.resolve, nginx.url("/home"))
    assert done.stderr == "" and done.result["body"].startswith("known [")
    # What curl takes that the RFC does not: a date of more than 400 days stays, as it is in the file.
    assert sorted(lines_of(tmp_path / "ours")) == sorted(lines_of(tmp_path / "theirs"))
    curl("-b", "ours", "-c", "again", *nginx.resolve, nginx.url("/home"), cwd=tmp_path)
    assert sorted(lines_of(tmp_path / "again")) == sorted(lines_of(tmp_path / "theirs"))


@needs_curl
def test_the_same_as_curl(muster, nginx, tmp_path):
    """A whole session, by both: the same cookies are left."""
    urls = [nginx.url("/all"), nginx.url("/login"), nginx.url("/away"), nginx.url("/logout"), nginx.url("/login", "h.example.test")]
    curl("-L", "-c", "theirs", *nginx.resolve, *urls, cwd=tmp_path)
    muster("fetch", "-c1", "--cookie-jar", "ours", *nginx.resolve, *urls)

    def without_dates(path):
        return sorted(line.split("\t")[:4] + line.split("\t")[5:] for line in lines_of(path))

    assert without_dates(tmp_path / "ours") == without_dates(tmp_path / "theirs")


def test_python_reads_and_writes_it(muster, nginx, tmp_path):
    muster("fetch", "--cookie-jar", "ours", *nginx.resolve, nginx.url("/all"))
    jar = http.cookiejar.MozillaCookieJar()
    jar.load(tmp_path / "ours", ignore_discard=True, ignore_expires=True)  # it takes the 0 of curl for a date
    assert {(cookie.name, cookie.domain, cookie.path) for cookie in jar} >= {("wide", ".example.test", "/"), ("plain", "www.example.test", "/"),
                                                                              ("long", "www.example.test", "/deep")}
    jar.save(tmp_path / "theirs", ignore_discard=True, ignore_expires=True)
    muster("fetch", "-b", "theirs", "--cookie-jar", "again", *nginx.resolve, nginx.url("/x"))
    ours = [line.split("\t")[:1] + line.split("\t")[1:] for line in lines_of(tmp_path / "ours")]
    again = [line.split("\t") for line in lines_of(tmp_path / "again")]

    def bare(lines):  # Python writes no empty value, and forgets HttpOnly in old versions
        return sorted([line[0].removeprefix("#HttpOnly_"), *line[1:]] for line in lines if line[5] != "empty")

    assert bare(ours) == bare(again)


def test_python_thinks_the_same(muster, server):
    """Where Python's rules, which are older, and ours have to agree."""
    fields = ["a=1", "b=2; Path=/", "c=3; Path=/deep", "d=4; Path=/deep/er", "e=5; Path=/dee", "f=6; Max-Age=1000", "g=7; Max-Age=0",
              "h=8; Expires=Wed, 09-Jun-2066 10:18:14 GMT", "i=9; Expires=Wed, 09 Jun 1999 10:18:14 GMT", "b=again; Path=/", "k=11; Secure",
              "m=12; Domain=elsewhere.test"]
    s = server(lambda request: ok(b"", *[f"Set-Cookie: {field}" for field in fields]) if request.path == "/start/here" else ok())
    paths = ["/", "/start/x", "/deep", "/deep/", "/deep/er", "/deep/er/est", "/deeper"]
    muster("fetch", "-c1", "-b", "", "--resolve", f"h.test:{s.port}:127.0.0.1", s.url("/start/here", "h.test"), *[s.url(path, "h.test") for path in paths])

    class Answer:
        def info(self):
            message = email.message.Message()
            for field in fields:
                message["Set-Cookie"] = field
            return message

    jar = http.cookiejar.CookieJar()
    jar.extract_cookies(Answer(), urllib.request.Request(s.url("/start/here", "h.test")))
    for request, path in zip(s.requests[1:], paths, strict=True):
        asked = urllib.request.Request(s.url(path, "h.test"))
        jar.add_cookie_header(asked)
        ours = sorted(request.fields.get("cookie", "").split("; "))
        theirs = sorted((asked.get_header("Cookie") or "").split("; "))
        assert [cookie for cookie in ours if cookie[0] != "k"] == [cookie for cookie in theirs if cookie[0] != "k"], path


def test_a_file_that_is_not_there(muster, server):
    s = server()
    done = muster("fetch", "-b", "none.txt", s.url())
    assert done.status == 0 and done.stderr == "muster: -b none.txt: there is no such file, so no cookies come from it\n"


def test_a_file_that_is_none(muster, server, tmp_path):
    (tmp_path / "page").write_text("<html>\nsecret=1\n</html>\n")
    done = muster("fetch", "-b", "page", server().url())
    assert "-b page: input: 3 lines are no cookie" in done.stderr and "secret" not in done.stderr
    done = muster("fetch", "-b", ".", server().url())
    assert done.status == 3 and "cannot read .: " in done.stderr


def test_standard_streams(muster, server, tmp_path):
    s = server(lambda request: ok(b"", "Set-Cookie: new=2"))
    line = "127.0.0.1\tFALSE\t/\tFALSE\t0\tgiven\t1\n"
    assert muster("fetch", "-b", "-", s.url(), input=line).status == 0
    assert cookie_of(s) == ["given=1"]
    refused = muster("fetch", "-b", "-", "-i", "-", input=line)
    assert refused.status == 2 and "the requests come from there" in refused.stderr
    run = subprocess.run([MUSTER, "fetch", "--cookie-jar", "-", "-o", "out", s.url()], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                         cwd=tmp_path)
    assert run.returncode == 0 and run.stdout.startswith(HEAD) and run.stdout.endswith("\tnew\t2\n")
    refused = muster("fetch", "--cookie-jar", "-", s.url())
    assert refused.status == 2 and "-o FILE" in refused.stderr


def test_what_does_not_go_together(muster, server, tmp_path):
    s = server()
    for arguments, status, words in [
        (["--cookie-scope", "page"], 2, "neither run nor line"),
        (["--cookie-scope", "line", "--cookie-jar", "jar"], 2, "give one of them"),
        (["--cookie-jar", "none/jar"], 3, "cannot write none/jar: No such file or directory"),
        (["--cookie-jar", ""], 2, "give the name of a file"),
        (["--cookie-jar", "same", "-o", "same"], 2, "is both the cookie jar"),
    ]:
        done = muster("fetch", *arguments, s.url())
        assert done.status == status and words in done.stderr, arguments
    assert not s.requests and not (tmp_path / "jar").exists()


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes everywhere")
def test_a_jar_that_cannot_be_written(server, tmp_path):
    s = server()
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    command = [MUSTER, "fetch", "--cookie-jar", folder / "jar", s.url()]
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *command]
        open_to_others(tmp_path)
        if not os.access(MUSTER, os.X_OK) or subprocess.run([*command[:6], "true"]).returncode:
            pytest.skip("cannot become somebody else")
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if "No such file" in done.stderr or "ermission denied" in done.stderr and "cookie-jar" not in done.stderr:
        pytest.skip("somebody else cannot reach the command")
    assert done.returncode == 3 and "--cookie-jar: cannot write" in done.stderr and not s.requests


# --- what others see ----------------------------------------------------------------------------------------------------


def test_no_cookie_in_a_record(muster, server, tmp_path):
    s = server(lambda request: ok(b"", "Set-Cookie: set=swordfish; Path=/"))
    (tmp_path / "jar").write_text("127.0.0.1\tFALSE\t/\tFALSE\t0\tfile\tmarzipan\n")
    done = muster("fetch", "-c1", "-b", "jar", "-b", "hand=xylophone", "--record", "run.db", "--summary", s.url(), s.url())
    assert done.status == 0 and "file=marzipan; set=swordfish; hand=xylophone" in cookie_of(s)
    told = subprocess.run([MUSTER, "explain", "--json", "run.db"], capture_output=True, text=True, cwd=tmp_path)
    page = subprocess.run([MUSTER, "explain", "run.db"], capture_output=True, text=True, cwd=tmp_path)
    everything = b"".join(path.read_bytes() for path in tmp_path.glob("run.db*")) + (told.stdout + page.stdout + done.stderr).encode()
    for secret in b"swordfish", b"marzipan", b"xylophone":
        assert secret not in everything
    assert b'"--cookie","jar"' in everything  # the file may be named


def test_compare_and_sweep_begin_each_run_alike(server):
    s = server(lambda request: ok(b"", "Set-Cookie: n=1"))
    for command in ["compare", "-s", "-n", 4, "--rounds", 6, "--threads", 2, "-c", 2], ["sweep", "-s", "--seconds", "0.05", "--max", 2]:
        s.requests.clear()
        measure(*command, "-b", "", s.url())
        cookies = [request.fields.get("cookie") for request in s.requests]
        assert cookies.count(None) > 1 and set(cookies) == {None, "n=1"}, command
        s.requests.clear()
        measure(*command, "-b", "a=1", s.url())
        assert {request.fields.get("cookie") for request in s.requests} == {"a=1"}
        s.requests.clear()
        measure(*command, "--cookie-scope", "line", s.url())
        assert {request.fields.get("cookie") for request in s.requests} == {None}
