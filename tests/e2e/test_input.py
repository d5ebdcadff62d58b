"""Where requests come from."""
import json
import os
import re
import time

import pytest

from command import measure
from scripted import ok


def echo(request):
    return ok(json.dumps([request.method, request.path, request.fields, request.body.decode()]).encode())


def echoed(result):
    return json.loads(result["body"])


def test_arguments_files_and_stdin(muster, server, tmp_path):
    s = server()
    (tmp_path / "list").write_text(f"# a comment\n\n{s.url('/b')}\r\n  {s.url('/c')}  ")
    run = muster("fetch", "--in-order", s.url("/a"), "-i", "list", "-i", "-", input=s.url("/d"))
    assert [result["url"] for result in run.results] == [s.url(path) for path in ("/a", "/b", "/c", "/d")]
    assert [result.get("line") for result in run.results] == [None, 3, 4, 1]


def test_stdin_is_the_default(muster, server):
    s = server()
    assert muster("fetch", input=s.url()).result["status"] == 200
    assert muster("fetch", input="").status == 0


def test_malformed_lines_are_results(muster, server):
    s = server()
    lines = [json.dumps({"url": s.url(), "id": "a9"}), '{"url":', '{"uri":"x"}', "", '{"url":"ftp://x/","id":7}', json.dumps({"url": s.url()})]
    run = muster("fetch", "--in-order", "-i", "-", input="\n".join(lines))
    results = run.results
    assert run.status == 1
    assert [(result["n"], result["line"]) for result in results] == [(1, 1), (2, 2), (3, 3), (4, 5), (5, 6)]
    assert [result["error"] and result["error"]["code"] for result in results] == [None, "input", "input", "url", None]
    assert "line 2 is not JSON" in results[1]["error"]["text"]
    assert results[0]["id"] == "a9" and results[3]["id"] == 7


def test_json_requests(muster, server, tmp_path):
    s = server(echo)
    (tmp_path / "data").write_bytes(b"from a file")
    lines = [
        {"url": s.url("/1"), "method": "PUT", "headers": {"A": "b", "User-Agent": None}, "body": "t\u00e4xt"},
        {"url": s.url("/2"), "method": "POST", "headers": [["X", "1"]], "body_base64": "AAEC"},
        {"url": s.url("/3"), "method": "PATCH", "body_file": "data"},
        {"url": s.url("/4"), "method": "DELETE"},
    ]
    results = [echoed(result) for result in muster("fetch", "--in-order", input="\n".join(map(json.dumps, lines))).results]
    assert results[0][0] == "PUT" and results[0][2]["a"] == "b" and "user-agent" not in results[0][2]
    assert results[0][3] == "t\u00e4xt"
    assert results[1][3] == "\x00\x01\x02" and results[1][2]["x"] == "1"
    assert results[2][3] == "from a file" and results[2][2]["content-length"] == "11"
    assert results[3][0] == "DELETE"


def test_format_can_be_said(muster, server):
    s = server()
    run = muster("fetch", "--input-format", "jsonl", input=s.url())
    assert run.result["error"]["code"] == "input"
    run = muster("fetch", "--input-format", "lines", input=json.dumps({"url": s.url()}))
    assert run.result["error"]["text"] == ("input: line 1 is a JSON object in a list of URLs; for JSON Lines use "
                                           "--input-format jsonl")


def test_options_for_every_request(muster, server):
    s = server(echo)
    method, _, fields, body = echoed(muster("fetch", "-d", "a=1", "-d", "b=2", "-H", "X-One: 1", "-H", "Accept:", "-H", "Empty;", "-A", "me",
                                            "-u", "user:pass word", s.url()).result)
    assert method == "POST" and body == "a=1&b=2"
    assert fields["content-type"] == "application/x-www-form-urlencoded"
    assert fields["x-one"] == "1" and "accept" not in fields and fields["empty"] == "" and fields["user-agent"] == "me"
    assert fields["authorization"] == "Basic dXNlcjpwYXNzIHdvcmQ="
    method, _, fields, body = echoed(muster("fetch", "-X", "PUT", "--data-binary", "x\ny", "-H", "Content-Type: text/plain", s.url()).result)
    assert (method, fields["content-type"], body) == ("PUT", "text/plain", "x\ny")


def test_credentials_in_the_url(muster, server):
    s = server(echo)
    result = muster("fetch", f"http://us%65r:p%40ss@127.0.0.1:{s.port}/").result
    assert echoed(result)[2]["authorization"] == "Basic dXNlcjpwQHNz"
    assert "@" not in result["final_url"]


def test_file_that_is_missing(muster, server):
    s = server()
    run = muster("fetch", "-i", "nothing-there", s.url())
    assert run.status == 3 and "cannot read nothing-there: No such file or directory" in run.stderr
    assert not run.results and not s.requests  # it is known before anything is asked for


def test_slow_input_does_not_hold_up_results(muster, server):
    """A line a second, as from tail -f: each result comes before the next line is written."""
    s = server()
    reader, writer = os.pipe()
    process = muster.start("fetch", stdin=reader)
    os.close(reader)
    for i in range(3):
        os.write(writer, (s.url(f"/{i}") + "\n").encode())
        assert json.loads(process.stdout.readline())["url"] == s.url(f"/{i}")
        time.sleep(0.1)
    os.close(writer)
    assert process.wait(60) == 0


def test_memory_is_flat(muster, nginx):
    """40,000 lines that are never written down anywhere: the command reads as fast as it writes, no faster."""
    process = muster.start("fetch", "-c", "64", "-o", "/dev/null", stdin=-1)
    peak = 0
    for _ in range(20):
        process.stdin.write(f"{nginx.url('/small')}\n".encode() * 2000)
        process.stdin.flush()
        with open(f"/proc/{process.pid}/status") as status:
            peak = max(peak, *(int(line.split()[1]) for line in status if line.startswith("VmHWM")))
    process.stdin.close()
    assert process.wait(60) == 0
    assert peak < 64 * 1024 or "asan" in os.environ.get("MUSTER", "")


def test_json_bodies(muster, server):
    """They are sent to the letter, with their type unless a header says another."""
    s = server(echo)
    lines = [
        '{"url":"%s","json":{"a": 1.10, "b":123456789012345678901234567890}}' % s.url(),
        '{"url":"%s","body":[1e5],"method":"PUT"}' % s.url(),
        '{"url":"%s","json":"x","headers":{"content-type":"application/vnd.api+json"}}' % s.url(),
        '{"url":"%s","json":1,"headers":[["Content-Type",null]]}' % s.url(),
        '{"url":"%s","body":"text"}' % s.url(),
        '{"url":"%s","json":null,"body":null,"headers":null,"method":null,"id":null}' % s.url(),
    ]
    results = muster("fetch", "--in-order", input="\n".join(lines)).results
    seen = [(method, fields.get("content-type"), body) for method, _, fields, body in map(echoed, results)]
    assert seen == [
        ("POST", "application/json", '{"a": 1.10, "b":123456789012345678901234567890}'),
        ("PUT", "application/json", "[1e5]"),
        ("POST", "application/vnd.api+json", '"x"'),
        ("POST", None, "1"),
        ("POST", None, "text"),
        ("GET", None, ""),
    ]
    assert "id" not in results[5]
    run = muster("fetch", "-H", "Content-Type: text/json", input=lines[0])
    assert echoed(run.result)[2]["content-type"] == "text/json"


def test_own_members_come_back(muster, server):
    s = server()
    line = '{"url":"%s","id":123456789012345678901234567890,"price":1.10,"tags":["a", {"b":null}],"input":5}' % s.url()
    run = muster("fetch", input=line)
    assert run.status == 0 and run.stderr == ""
    assert b'"id":123456789012345678901234567890,' in run.stdout
    assert b'"input":{"price":1.10,"tags":["a", {"b":null}],"input":5},' in run.stdout
    run = muster("fetch", "--strict", input=line)
    assert run.status == 1 and run.result["error"]["text"] == "input: line 1: unknown member price (an error with --strict)"


def test_a_near_miss_is_told_once(muster, server):
    line = json.dumps({"url": server().url(), "header": {"A": "b"}})
    run = muster("fetch", input=f"{line}\n{line}\n")
    assert [result["status"] for result in run.results] == [200, 200]
    assert run.stderr.count('line 1 of standard input has the unknown member "header"; did you mean "headers"?') == 1
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["fetch", "compare", "sweep"])
@pytest.mark.parametrize("options, name", [
    (["-d", "a=b"], "--data"),
    (["-G", "-d", "a=b"], "--data"),
    (["-F", "a=b"], "--form"),
    (["-T", os.devnull], "--upload-file"),
    (["-X", "OPTIONS"], "--request"),
    (["-I"], "--head"),
])
def test_an_option_for_plain_urls_alone_does_not_go_missing_silently(command, options, name, muster, server, tmp_path):
    s = server()
    (tmp_path / "list.csv").write_text(f"user,url\nada,{s.url()}\nbob,{s.url()}\n")
    if command == "fetch":
        told = muster(command, *options, "-i", "list.csv").stderr
    else:
        short = ["-n", 2] if command == "compare" else ["--steps", "1,2", "--seconds", "50ms"]
        told = measure(command, *short, "--unsafe", *options, "-i", tmp_path / "list.csv").stderr
    assert len(re.findall(f"warning: line 2 of \\S*list.csv is sent without {name}, which is for plain URLs only", told)) == 1, told
    assert told.count("is sent without") == 1


def test_a_list_among_the_urls_is_told_of(muster, server, tmp_path):
    url = server().url()
    (tmp_path / "urls.txt").write_text(url + "\n")
    run = muster("fetch", "urls.txt", url)
    assert run.status == 1 and run.stderr.count('"urls.txt" is taken for a URL, and is a file; -i FILE reads the URLs in it') == 1
    assert muster("fetch", "-i", "urls.txt", url).stderr == ""
    assert "is a file" not in muster("fetch", "none.txt").stderr


def test_an_option_that_a_line_has_itself_is_not_missed(muster, server, tmp_path):
    url = server().url()
    (tmp_path / "list.jsonl").write_text(json.dumps({"url": url, "method": "POST", "body": "x"}) + "\n")
    run = muster("fetch", "-X", "POST", "-d", "a=b", "-i", "list.jsonl", url)
    assert run.status == 0 and run.stderr == ""
    (tmp_path / "list.csv").write_text(f"user,url\nada,{url}\n")
    assert muster("fetch", "-s", "-d", "a=b", "-i", "list.csv").stderr == ""


@pytest.mark.parametrize("name", ["data", "Headers", "body_file"])
def test_a_column_that_only_json_has_is_told_of(name, muster, server, tmp_path):
    url = server().url()
    (tmp_path / "list.csv").write_text(f"{name},url\nx,{url}\ny,{url}\n")
    run = muster("fetch", "--in-order", "-i", "list.csv")
    assert run.status == 0 and [result["input"] for result in run.results] == [{name: "x"}, {name: "y"}]
    assert run.stderr.count(f'the column "{name}" of list.csv is only copied to the results') == 1 and run.stderr.count("\n") == 1
    (tmp_path / "list.csv").write_text(f"price,url,Link\nx,{url},{url}\n")
    assert muster("fetch", "-i", "list.csv", "--url-column", "Link").stderr == ""


def test_results_are_requests_again(muster, server, tmp_path):
    """A round trip keeps ids and columns, sends nothing of the response, and loses nothing in silence."""
    s = server(echo)
    lines = [
        {"url": s.url("/a"), "id": 1, "price": "1.10"},
        {"url": s.url("/b"), "method": "POST", "body": "x"},
        {"url": s.url("/c"), "headers": {"A": "b"}},
        {"url": "ftp://x/", "id": "bad", "price": "2"},
    ]
    first = muster("fetch", "--in-order", "-o", "first.jsonl", input="\n".join(map(json.dumps, lines)))
    assert first.status == 1
    second = muster("fetch", "--in-order", "-i", "first.jsonl")
    results = second.results
    assert results[0]["id"] == 1 and results[0]["input"] == {"price": "1.10"} and results[0]["url"] == s.url("/a")
    assert not {"server", "content-length", "date"} & set(echoed(results[0])[2])
    assert "does not include the body of its request" in results[1]["error"]["text"]
    assert "does not include the headers of its request" in results[2]["error"]["text"]
    assert results[3]["error"]["code"] == "url" and results[3]["input"] == {"price": "2"} and results[3]["id"] == "bad"
    (tmp_path / "second.jsonl").write_bytes(second.stdout)
    third = muster("fetch", "--in-order", "-i", "second.jsonl").results
    assert third[0]["input"] == {"price": "1.10"} and third[0]["status"] == 200


def test_a_body_that_was_saved_can_be_sent(muster, server, tmp_path):
    """body_file is the same path in a result and in a request: from where muster was started."""
    s = server(echo)
    saved = muster("fetch", "--body", "out/{n}.bin", s.url("/saved")).result
    sent = muster("fetch", input=json.dumps({"url": s.url("/sent"), "body_file": saved["body_file"]})).result
    assert "/saved" in echoed(sent)[3]


def test_csv(muster, server, tmp_path):
    s = server(echo)
    (tmp_path / "jobs.CSV").write_bytes(
        f'\ufeffid,url,method,body,"the ""price"""\r\n07,{s.url("/a")},,,"1,5"\r\n\r\n08,{s.url("/b")},PUT,"two\r\nlines",\r\n09\r\n'.encode())
    run = muster("fetch", "--in-order", "-i", "jobs.CSV")
    a, b, bad = run.results
    assert (a["id"], a["line"], a["input"], echoed(a)[0]) == ("07", 2, {'the "price"': "1,5"}, "GET")
    assert (b["id"], b["line"], b["input"], echoed(b)[0], echoed(b)[3]) == ("08", 4, {'the "price"': ""}, "PUT", "two\r\nlines")
    assert bad["line"] == 6 and bad["error"]["text"] == "input: line 6: the row has 1 field, but the header has 5"


def test_tables_on_standard_input(muster, server):
    """A header with a column called url tells them; their rows may come slowly."""
    s = server()
    assert muster("fetch", input=f"name,url\nx,{s.url()}\n").result["input"] == {"name": "x"}
    assert muster("fetch", input=f"name\turl\nx\t{s.url()}\n").result["input"] == {"name": "x"}
    assert muster("fetch", "--input-format", "csv", "--url-column", "link", input=f"name,Link\nx,{s.url()}\n").result["status"] == 200
    assert muster("fetch", "--input-format", "csv", "--url-column", "2", input=f"x,{s.url()}\n").result["input"] == {"column_1": "x"}
    reader, writer = os.pipe()
    process = muster.start("fetch", "--input-format", "csv", stdin=reader)
    os.close(reader)
    for piece in ("u", "rl,a\n", f'{s.url()},"b\n', 'c"\n'):
        os.write(writer, piece.encode())
        time.sleep(0.05)
    assert json.loads(process.stdout.readline())["input"] == {"a": "b\nc"}
    os.close(writer)
    assert process.wait(60) == 0


def test_files_that_are_no_lists(muster, server, tmp_path):
    """What can be read before is done; the rest is told, with what to do."""
    s = server()
    (tmp_path / "good").write_text(s.url())
    (tmp_path / "wide.txt").write_bytes(s.url().encode("utf-16"))
    (tmp_path / "list.json").write_text(json.dumps([{"url": s.url()}]))
    (tmp_path / "other.csv").write_text("link,name\n")
    for name, why in (("wide.txt", "wide.txt: it is UTF-16; convert it with iconv"), ("list.json", "list.json: it is a JSON array"),
                      ("other.csv", "other.csv: no column url; there are link, name")):
        run = muster("fetch", "-i", "good", "-i", name)
        assert run.status == 3 and why in run.stderr
        assert run.result["status"] == 200


def test_nothing_in_a_list_is_changed_in_silence(muster, server):
    s = server(echo)
    run = muster("fetch", "--in-order", input=f"{s.url('/a')}\tb\n{s.url('/c')}\\d\n  {s.url('/e')} \t\r\n")
    tab, backslash, good = run.results
    column = len(s.url("/a")) + 1
    assert tab["error"]["text"].startswith(f"input: line 1, column {column}: a tab in the URL")
    assert backslash["error"] == {"code": "url", "stage": "queue",
                                  "text": f"url: a backslash at column {column}; write a slash, or %5C for a backslash"}
    assert good["url"] == s.url("/e")
    run = muster("fetch", input=json.dumps({"url": s.url("/a") + "\n"}))
    assert run.result["error"]["text"] == f"url: a line feed at column {column}; leave it out"


def test_tables_are_compared(server, tmp_path):
    """Rows are made anew from what was kept of them."""
    s = server(echo)
    (tmp_path / "jobs.csv").write_text("id,link,note\n" + "".join(f"{i},{s.url(f'/{i}')},x\n" for i in range(8)))
    told = measure("compare", "-i", tmp_path / "jobs.csv", "--url-column", "link", "--rounds", 6)
    assert "repeating a list of 8" in told.stdout
