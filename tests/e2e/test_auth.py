"""Authentication against Apache and nginx, beside curl, and what must not be seen of it."""

import hashlib
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from apache import MODULES, PASSWORD, REALM, USER, apache  # noqa: F401  (a fixture)
from command import MUSTER, PATIENCE
from folders import open_to_others
from nginx import Nginx
from scripted import ok, response
from terminal import terminal

LOGIN = f"{USER}:{PASSWORD}"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def curl(*arguments):
    if not shutil.which("curl"):
        pytest.skip("curl is not here")
    done = subprocess.run(["curl", "-s", "-q", "-w", "%{http_code}\n", "-o", "/dev/null", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
    return [int(line) for line in done.stdout.split()]


def statuses(run):
    return [(result["status"], result["attempts"]) for result in run.results]


# --- real servers -------------------------------------------------------------------------------------------------------


def test_basic(muster, apache):
    apache.answers()
    assert statuses(muster("fetch", "-u", LOGIN, apache.url("/basic/file"))) == [(200, 1)]
    assert statuses(muster("fetch", "--basic", "-u", USER + ":wrong", apache.url("/basic/file"))) == [(401, 1)]
    assert statuses(muster("fetch", apache.url("/basic/file", login="ada:circle%3a%20of%20life@"))) == [(200, 1)]
    assert apache.answers() == [200, 401, 200]


def test_wrong_credentials_are_said(muster, apache):
    """In the summary, below the URL of the first 401; not where nothing was sent, or where the server wants something else."""
    basic, digest = apache.url("/basic/file"), apache.url("/digest/file")
    for words, n in ((["-u", USER + ":wrong", basic, basic], 2), (["--digest", "-u", USER + ":wrong", digest], 1), (["--oauth2-bearer", "x", basic], 1),
                     (["--anyauth", "--threads", "2", "-u", USER + ":wrong", basic, digest], 2), (["-f", "-u", USER + ":wrong", basic], 1),
                     (["-u", LOGIN, digest], 0), ([basic], 0), (["-u", LOGIN, basic], 0)):
        run = muster("fetch", "--summary", *words)
        assert not n or "401: " in run.stderr, run.stderr
        said = [line for line in run.stderr.splitlines() if line.startswith("login")]
        assert len(said) == (n > 0), run.stderr
        assert not n or f"{n} request" in said[0] and "does not accept (401)" in said[0], said


def test_digest_asks_once(muster, apache):
    apache.answers()
    run = muster("fetch", "--digest", "-c", 16, "-u", LOGIN, *[apache.url("/digest/file")] * 100)
    assert {(result["status"], result["body"]) for result in run.results} == {(200, "of digest\n")}
    assert sorted(apache.answers()) == [200] * 100 + [401]


@pytest.mark.parametrize("threads", [2, "auto"])
def test_digest_with_threads(muster, apache, threads):
    apache.answers()
    run = muster("fetch", "--digest", "--threads", threads, "-u", LOGIN, *[apache.url("/digest/file")] * 100)
    assert {result["status"] for result in run.results} == {200}
    assert apache.answers().count(401) <= 2 * os.cpu_count()


def test_digest_with_http_2(muster, apache):
    """The challenge and the answers to it are those of HTTP/1.1; one request of those that share the connection goes ahead."""
    if not (MODULES / "mod_http2.so").exists():
        pytest.skip("Apache has no mod_http2")
    apache.answers()
    run = muster("fetch", "--http2-prior-knowledge", "--digest", "-c", 16, "-u", LOGIN, *[apache.url("/digest/file?a=b")] * 100)
    assert {(result["http"], result["status"], result["body"]) for result in run.results} == {("2", 200, "of digest\n")}
    assert len({result["conn"]["id"] for result in run.results}) == 1
    assert sorted(apache.answers()) == [200] * 100 + [401]
    assert {line.split()[3] for line in (apache.directory / "access.log").read_text().splitlines()[-101:]} == {"HTTP/2.0"}
    wrong = muster("fetch", "--http2-prior-knowledge", "--digest", "-u", USER + ":wrong", apache.url("/digest/file"))
    assert (wrong.result["http"], wrong.result["status"], wrong.result["attempts"]) == ("2", 401, 2)


def test_digest_with_http_2_and_a_body(muster, apache, tmp_path):
    if not (MODULES / "mod_http2.so").exists():
        pytest.skip("Apache has no mod_http2")
    (tmp_path / "body").write_bytes(b"u" * 300_000)
    apache.answers()
    run = muster("fetch", "--http2-prior-knowledge", "--digest", "-u", LOGIN, "-T", tmp_path / "body", apache.url("/upload/file"))
    assert (run.result["http"], run.result["status"]) == ("2", 405)
    assert apache.answers() == [401, 405]


def test_digest_of_a_path_with_a_query(muster, apache):
    assert muster("fetch", "--digest", "-u", LOGIN, apache.url("/digest/file?a=b&c=%22d%22")).result["status"] == 200


def test_wrong_password(muster, apache):
    apache.answers()
    run = muster("fetch", "--digest", "-c", 1, "-u", USER + ":wrong", apache.url("/digest/file"), apache.url("/digest/file"))
    assert statuses(run) == [(401, 2), (401, 1)]
    assert "warning" not in run.results[0]
    assert apache.answers() == [401, 401, 401]


def test_anyauth(muster, apache):
    apache.answers()
    run = muster("fetch", "--anyauth", "-c", 1, "-u", LOGIN, *[apache.url(path) for path in ("/basic/file", "/basic/file", "/digest/file", "/digest/file", "/file")])
    assert statuses(run) == [(200, 2), (200, 1), (200, 2), (200, 1), (200, 1)]


def test_upload(muster, apache, tmp_path):
    """The one that asks has no body; Apache answers the other with 405, as it has nobody to give the body to."""
    apache.answers()
    (tmp_path / "body").write_bytes(b"x" * 300000)
    run = muster("fetch", "--digest", "-u", LOGIN, "-T", tmp_path / "body", apache.url("/upload/file"))
    assert statuses(run) == [(405, 2)]
    assert apache.answers() == [401, 405] == curl_answers(apache, "--digest", "-u", LOGIN, "-T", tmp_path / "body", apache.url("/upload/file"))


def curl_answers(apache, *arguments):
    apache.answers()
    curl(*arguments)
    return apache.answers()


def test_expired_nonce(muster, apache):
    """Apache says that the nonce is stale."""
    apache.answers()
    process = muster.start("fetch", "--digest", "-u", LOGIN, stdin=subprocess.PIPE)
    process.stdin.write(f"{apache.url('/short/file')}\n".encode())
    process.stdin.flush()
    first = json.loads(process.stdout.readline())
    time.sleep(2.5)
    process.stdin.write(f"{apache.url('/short/file')}\n".encode())
    process.stdin.close()
    second = json.loads(process.stdout.readline())
    process.wait(PATIENCE)
    assert (first["status"], second["status"]) == (200, 200)
    assert apache.answers() == [401, 200, 401, 200]


def test_scheme_that_is_not_allowed(muster, apache):
    assert "Digest" in muster("fetch", "-u", LOGIN, apache.url("/digest/file")).result["warning"]
    assert "Basic" in muster("fetch", "--digest", "-u", LOGIN, apache.url("/basic/file")).result["warning"]


@pytest.mark.parametrize("option", ["--basic", "--digest", "--anyauth"])
@pytest.mark.parametrize("path", ["/basic/file", "/digest/file", "/file"])
def test_as_curl(muster, apache, option, path):
    """One request: the same answers in the same order."""
    expected = curl_answers(apache, option, "-u", LOGIN, apache.url(path))
    muster("fetch", option, "-u", LOGIN, apache.url(path))
    assert apache.answers() == expected


@pytest.fixture(scope="module")
def nginx_with_passwords(tmp_path_factory, certificates):
    if not shutil.which("htpasswd"):
        pytest.skip("htpasswd is not here (Debian: apache2-utils)")
    directory = tmp_path_factory.mktemp("nginx-auth")
    open_to_others(directory)
    subprocess.run(["htpasswd", "-b", "-c", directory / "passwords", USER, PASSWORD], check=True, capture_output=True)

    class Locked(Nginx):
        def wait(self):
            path = directory / "nginx.conf"
            path.write_text(path.read_text().replace("access_log off;", f'access_log off; auth_basic "{REALM}"; auth_basic_user_file {directory}/passwords;'))
            self.process.terminate()
            self.process.wait()
            self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-p", directory, "-c", path], stderr=subprocess.DEVNULL)
            super().wait()

    one = Locked(directory, certificates)
    yield one
    one.stop()


def test_nginx(muster, nginx_with_passwords):
    url = nginx_with_passwords.url("/small")
    assert statuses(muster("fetch", url)) == [(401, 1)]
    assert statuses(muster("fetch", "-u", LOGIN, url)) == [(200, 1)]
    assert statuses(muster("fetch", "-c", 1, "--anyauth", "-u", LOGIN, url, url)) == [(200, 2), (200, 1)]


# --- a server that reckons for itself -----------------------------------------------------------------------------------


class DigestServer:
    """RFC 7616 with Python's hashes: what it believes is right."""

    def __init__(self, algorithm, user, hashes_user, charset):
        self.algorithm, self.user, self.hashes_user, self.charset = algorithm, user, hashes_user, charset
        self.nonce, self.counts, self.n_401 = "no/nce=", set(), 0

    def hash(self, text):
        name = self.algorithm.removesuffix("-sess").lower().replace("sha-512-256", "sha512_256").replace("-", "")
        try:
            return hashlib.new(name, text.encode()).hexdigest()
        except ValueError:
            pytest.skip(f"Python's hashlib has no {name}")

    def challenge(self):
        self.n_401 += 1
        more = (', userhash=true' if self.hashes_user else "") + (', charset="UTF-8"' if self.charset else "")
        return response("401 Unauthorized", b"", f'WWW-Authenticate: Digest realm="a \\"realm\\"", qop="auth-int, auth", '
                                                 f'algorithm={self.algorithm}, nonce="{self.nonce}", opaque="o"{more}')

    def __call__(self, request):
        said = {name.lower(): quoted or plain for name, quoted, plain in
                re.findall(r'([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', request.fields.get("authorization", ""))}
        if not said:
            return self.challenge()
        realm = 'a "realm"'
        name = said.get("username")
        if self.hashes_user:
            assert name == self.hash(f"{self.user}:{realm}") and said["userhash"] == "true"
        elif "username*" in said:
            assert said["username*"] == "UTF-8''J%C3%A4s%C3%B8n"
        else:
            assert name.encode("latin-1").decode() == self.user
        a1 = self.hash(f"{self.user}:{realm}:{PASSWORD}")
        if self.algorithm.endswith("-sess"):
            a1 = self.hash(f"{a1}:{self.nonce}:{said['cnonce']}")
        a2 = self.hash(f"{request.method}:{request.path}")
        good = self.hash(f"{a1}:{self.nonce}:{said['nc']}:{said['cnonce']}:auth:{a2}")
        if said["response"] != good or said["nc"] in self.counts or said["opaque"] != "o" or said["uri"] != request.path:
            return self.challenge()
        self.counts.add(said["nc"])
        return ok()


@pytest.mark.parametrize("user, hashes_user, charset", [("ada", False, False), ("J\u00e4s\u00f8n", False, True), ("J\u00e4s\u00f8n", False, False), ("J\u00e4s\u00f8n", True, True)])
@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"])
def test_algorithms(muster, server, algorithm, user, hashes_user, charset):
    behave = DigestServer(algorithm, user, hashes_user, charset)
    behave.hash("")  # is it there?
    s = server(behave)
    run = muster("fetch", "--digest", "-u", f"{user}:{PASSWORD}", s.url("/a?b=c"), s.url("/d"), s.url("/e"))
    assert {result["status"] for result in run.results} == {200}
    assert behave.n_401 == 1 and len(behave.counts) == 3


# --- where credentials come from ----------------------------------------------------------------------------------------


def test_netrc_as_curl(muster, server, tmp_path):
    """The same file, and what both send."""
    (tmp_path / "netrc").write_text(
        "# machine 127.0.0.1 login comment password out\n"
        "macdef nothing\nmachine 127.0.0.1 login macro password macro\n\n"
        "machine 127.0.0.1\n\tlogin first password one\n"
        "machine 127.0.0.1 login other password \"two \\\" words\"\n"
        "default login any password rest\n")
    s = server()
    sent = lambda: s.requests[-1].fields.get("authorization")
    for url in (s.url("/"), s.url("/", "localhost"), s.url("/").replace("//", "//other@")):
        for option in ("--netrc-optional", None):
            words = [option] if option else []
            muster("fetch", *words, "--netrc-file", tmp_path / "netrc", url)
            ours = sent()
            curl(*words, "--netrc-file", tmp_path / "netrc", url)
            assert ours and ours == sent(), url


def test_netrc_in_the_home_directory(muster, server, tmp_path):
    s = server()
    home = {"HOME": str(tmp_path)}
    assert muster("fetch", "--netrc-optional", s.url(), env=home).result["status"] == 200
    assert "authorization" not in s.requests[-1].fields
    done = muster("fetch", "--netrc", s.url(), env=home)
    assert done.status != 0 and f"{tmp_path}/.netrc" in done.stderr
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    muster("fetch", "-n", s.url(), env=home)
    assert s.requests[-1].fields["authorization"] == "Basic YTpi"
    muster("fetch", "-n", "-u", "c:d", s.url(), env=home)
    assert s.requests[-1].fields["authorization"] == "Basic Yzpk"
    (tmp_path / ".netrc").write_text("machine 127.0.0.1\n\tlogin a\n\tpassword \"b\n")
    for option in ("--netrc", "--netrc-optional"):
        done = muster("fetch", option, s.url(), env=home)
        assert done.status != 0 and f"{tmp_path}/.netrc, line 3: " in done.stderr


def test_netrc_of_each_host(muster, server, tmp_path):
    """A redirect to another host has that host's password."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\nmachine localhost login c password d\n")
    s = server(lambda request: response("302 Found", b"", f"Location: {s.url('/end', 'localhost')}") if request.path == "/" else ok())
    muster("fetch", "--netrc-file", tmp_path / "netrc", s.url())
    assert [request.fields["authorization"] for request in s.requests] == ["Basic YTpi", "Basic Yzpk"]


def test_json_lines(muster, server):
    s = server()
    lines = [{"auth": {"user": "a", "password": "b"}}, {"auth": {"bearer": "T"}}, {}, {"auth": None}]
    muster("fetch", "-c", 1, "-u", "c:d", input="".join(json.dumps({"url": s.url(), **line}) + "\n" for line in lines))
    assert [request.fields["authorization"] for request in s.requests] == ["Basic YTpi", "Bearer T", "Basic Yzpk", "Basic Yzpk"]


@pytest.mark.parametrize("auth, words", [
    ({"user": "a", "bearer": "T"}, "user and password, or bearer alone"), ({}, "user and password, or bearer alone"), ("a:b", "must be an object"),
    ({"user": "a", "scheme": "ntlm"}, "basic, digest or any, not ntlm"), ({"username": "a"}, "but no username"), ({"user": 1}, "auth.user"),
    ({"user": "a:b"}, "colon"), ({"bearer": "a b"}, "blank")])
def test_bad_json_lines(muster, auth, words):
    result = muster("fetch", input=json.dumps({"url": "http://127.0.0.1:9/", "auth": auth}) + "\n").result
    assert result["error"]["code"] in ("input", "invalid") and words in result["error"]["text"]


def test_bearer(muster, server):
    s = server()
    muster("fetch", "--oauth2-bearer", "TOKEN", "-u", "a:b", s.url())
    assert s.requests[-1].fields["authorization"] == "Bearer TOKEN"


def test_digest_in_json_lines(muster, apache):
    line = json.dumps({"url": apache.url("/digest/file"), "auth": {"user": USER, "password": PASSWORD, "scheme": "digest"}})
    assert statuses(muster("fetch", "-c", 1, input=f"{line}\n{line}\n")) == [(200, 2), (200, 1)]


# --- where they go ------------------------------------------------------------------------------------------------------


def elsewhere(server):
    s = server(lambda request: response("302 Found", b"", f"Location: {s.url('/end', 'localhost')}") if request.path == "/" else ok())
    return s


@pytest.mark.parametrize("words", [["-u", "a:b"], ["--oauth2-bearer", "T"], ["-H", "Authorization: x"], ["-H", "X-API-Key: x"], ["-H", "X-Mine: x"], ["-H", "referer: x"]])
def test_what_is_given_stays_at_home(muster, server, words):
    s = elsewhere(server)
    sent = lambda request: {"authorization", "x-api-key", "x-mine", "referer"} & set(request.fields)
    done = muster("fetch", "--summary", *words, s.url())
    assert sent(s.requests[0]) and not sent(s.requests[1])
    names = words[1].split(":")[0] if words[0] == "-H" else "user name and password" if words[0] == "-u" else "the token"
    assert done.result["warning"] == f"a redirect led to another origin, which did not get: {names}; credentials_to_any_origin (--location-trusted) sends them"
    assert "\nnot sent     1 request was led by a redirect to another origin" in done.stderr and "--location-trusted" in done.stderr
    done = muster("fetch", "--summary", "--location-trusted", *words, s.url())
    assert sent(s.requests[2]) == sent(s.requests[3]) != set()
    assert "warning" not in done.result and "not sent" not in done.stderr


def test_fields_of_a_line_stay_at_home(muster, server):
    s = server(lambda request: response("307 Temporary Redirect", b"", f"Location: {s.url('/end', 'localhost')}") if request.path == "/" else response("401 Unauthorized", b""))
    line = {"url": s.url(), "method": "POST", "body": "x", "headers": {"X-Tenant": "acme", "Content-Type": "a/b", "Content-Encoding": "identity"}}
    done = muster("fetch", "--fail", input=json.dumps(line) + "\n")
    assert s.requests[0].fields["x-tenant"] == "acme" and "x-tenant" not in s.requests[1].fields
    assert s.requests[1].body == b"x" and s.requests[1].fields["content-type"] == "a/b" and s.requests[1].fields["content-encoding"] == "identity"
    assert done.result["error"]["text"] == "status: the server answered 401; a redirect led to another origin, which did not get: X-Tenant; credentials_to_any_origin (--location-trusted) sends them"


# --- who sees them ------------------------------------------------------------------------------------------------------


def test_not_in_the_list_of_processes(muster, server):
    s = server(lambda request: ["hang"])
    process = muster.start("fetch", "-u", "ada:sesame", "--oauth2-bearer=TOKEN", "-uother:sesame", s.url())
    while not s.requests:
        time.sleep(0.01)
    seen = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert s.url().encode() in seen and b"sesame" not in seen and b"TOKEN" not in seen
    process.terminate()
    process.wait(PATIENCE)


@pytest.mark.parametrize("command", ["fetch", "sweep", "compare"])
def test_no_secret_of_any_kind_in_the_list_of_processes(muster, server, command):
    """And all of them are sent."""
    s = server(lambda request: ["hang"])
    proxy = server(lambda request: ["hang"])
    words = ["--user=ada:sesame1", "-HAuthorization: sesame2", "-H", "X-Api-Key:sesame3", "--header=X-Mine: sesame4", "--secret-header", "x-mine", "-bsid=sesame5",
             "-d", "word=sesame6", "-x", proxy.url().replace("//", "//grace:sesame7@"), "-H", "X-Open: open", s.url("/path?a=b").replace("//", "//joan:sesame8@"), *(["--unsafe"] if command != "fetch" else [])]
    process = muster.start(command, *words)
    while not proxy.requests:
        assert process.poll() is None
        time.sleep(0.01)
    seen = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert b"sesame" not in seen and b"sid" not in seen and b"grace" not in seen and b"joan" not in seen, seen
    for shown in ("X-Open: open", "X-Api-Key:", "x-mine", f"@127.0.0.1:{s.port}/path?a=b"):
        assert shown.encode() in seen, seen
    sent = proxy.requests[0]
    assert [sent.fields[name] for name in ("x-api-key", "x-mine", "x-open", "cookie")] == ["sesame3", "sesame4", "open", "sid=sesame5"]
    assert sent.fields["proxy-authorization"] == "Basic Z3JhY2U6c2VzYW1lNw==" and sent.body == b"word=sesame6"
    process.terminate()
    process.wait(PATIENCE)


def test_not_in_a_record(muster, server, tmp_path):
    s = server()
    record = tmp_path / "run.db"
    url = s.url("/").replace("//", "//grace:hopper@")
    lines = json.dumps({"url": s.url(), "auth": {"user": "x", "password": "abracadabra"}})
    muster("fetch", "--record", record, "-u", "ada:sesame", "--oauth2-bearer", "TOKEN", "-H", "X-Mine: open", "--secret-header", "X-Mine", url, "--url", url, "-b", "sid=biscuit", "-i", "-", input=lines + "\n")
    held = record.read_bytes()
    assert s.url().encode() in held
    for secret in (b"sesame", b"TOKEN", b"open\"", b"hopper", b"abracadabra", b"biscuit"):
        assert secret not in held, secret


def test_what_was_challenged_is_recorded(muster, server, tmp_path):
    """The challenge comes when the last request of the list, which is for another server, was seen: the others wait for it."""
    record = tmp_path / "run.db"
    last, behave = server(), DigestServer("MD5", USER, False, False)

    def challenge_late(request):
        while "authorization" not in request.fields and not last.requests:
            time.sleep(0.01)
        return behave(request)

    s = server(challenge_late)
    muster("fetch", "--record", record, "--digest", "-u", LOGIN, *[s.url()] * 9, last.url())
    rows = sqlite3.connect(record)
    outcomes = dict(rows.execute("SELECT outcome, count(*) FROM phases GROUP BY outcome"))
    waits = dict(rows.execute("SELECT waited_for, count(*) FROM phases GROUP BY waited_for"))
    rows.close()
    assert outcomes["challenged"] == 1 and outcomes["result"] == 10 and waits["login"] == 8
    assert PASSWORD.encode() not in record.read_bytes()


def typed(answer, *words):
    """A run at a terminal, at which `answer` is typed once it was asked for."""
    pid, ours = pty.fork()
    if pid == 0:
        os.execv(MUSTER, [MUSTER, *map(str, words)])
    shown = b""
    is_asked = False
    try:
        while more := os.read(ours, 65536):
            shown += more
            if not is_asked and b"password for user" in shown:
                is_asked = True
                time.sleep(0.1)
                os.write(ours, answer)
    except OSError:
        pass
    os.close(ours)
    os.waitpid(pid, 0)
    return shown


def test_password_is_asked_for(server):
    os.close(terminal()[0])
    s = server()
    shown = typed(b"sesame\n", "fetch", "-u", "ada", s.url())
    assert b"Enter host password for user 'ada': " in shown and b"sesame" not in shown
    assert s.requests[0].fields["authorization"] == "Basic YWRhOnNlc2FtZQ=="


def test_password_cannot_be_asked_for(muster):
    done = muster("fetch", "-u", "ada", "http://127.0.0.1:9/")
    assert done.status == 2 and "no terminal to ask" in done.stderr
