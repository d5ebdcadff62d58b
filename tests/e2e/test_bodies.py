"""Bodies that are files: names, whole or not at all, and memory that stays flat whatever their size."""
import hashlib
import json
import os
import time

GIB = 1 << 30
IS_ASAN = "asan" in os.environ.get("MUSTER", "")


def run_and_watch(muster, *arguments):
    """Run a fetch to its end: its results, and the most memory that it had, in MB."""
    process = muster.start("fetch", *arguments)
    peak = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as status:
                peak = max([peak, *(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))])
        except OSError:
            pass
        time.sleep(0.01)
    return [json.loads(line) for line in process.stdout.read().splitlines()], peak


def test_download_of_a_gibibyte(muster, lab, tmp_path):
    size = GIB if not IS_ASAN else GIB // 16
    (result,), peak = run_and_watch(muster, lab().url(f"/bytes/{size}"), "--body", "out")
    assert result["error"] is None and result["body_bytes"] == size
    assert (tmp_path / "out" / result["body_file"]).stat().st_size == size
    assert peak < 16 or IS_ASAN
    (tmp_path / "out" / result["body_file"]).unlink()


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
    host = f"127.0.0.1_{s.port()}"
    for result, name in ((first, "a_.._b_c"), (second, "2")):
        path = tmp_path / result["body_file"]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert result["body_file"] == f"out/{host}/{name}-{digest}.txt"
    assert third["error"]["code"] == "closed" and "body_file" not in third
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == sorted(
        os.path.basename(result["body_file"]) for result in (first, second)), "something was left behind"


def test_errors_of_names(muster, lab, tmp_path):
    s = lab()
    run = muster("fetch", "--body", "out/{nmae}", s.url("/plain"))
    assert run.status == 2 and 'there is no "{nmae}"' in run.stderr
    (tmp_path / "file").write_text("")
    run = muster("fetch", "--body", "file/x", s.url("/plain"))
    assert run.status == 3 and "cannot" in run.stderr and "file" in run.stderr


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


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
    assert both.status == 2 and "choose one" in both.stderr
