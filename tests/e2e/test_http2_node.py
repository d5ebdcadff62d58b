"""HTTP/2 against a server in Node that resets streams and ends sessions."""
import shutil

import pytest

from http2 import SERVERS, UPLOAD, Program, codes, digest, one_each, stop, trust  # noqa: F401  (trust is a fixture)


@pytest.fixture
def node(certificates):
    if not shutil.which("node"):
        pytest.skip("Node is not installed")
    one = Program(["node", SERVERS / "h2.js", certificates.path("good")])
    yield one
    stop(one.process)


NO_ERROR, INTERNAL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 2, 7, 8, 11


@pytest.mark.parametrize("code, name", [(NO_ERROR, "NO_ERROR"), (INTERNAL_ERROR, "INTERNAL_ERROR"), (REFUSED_STREAM, "REFUSED_STREAM"),
                                        (CANCEL, "CANCEL"), (ENHANCE_YOUR_CALM, "ENHANCE_YOUR_CALM")])
def test_node_resets_some_and_others_go_on(muster, node, trust, code, name):
    results = muster("fetch", *trust, "-c", "30", *[node.url(f"/close?code={code}")] * 5, *[node.url(f"/part?n=5000&code={code}")] * 5,
                     *[node.url("/bytes?n=1000&ms=10")] * 50).results
    assert len(results) == 60
    for result in results:
        if "/bytes" in result["url"]:
            assert (result["status"], result["body_bytes"], result["error"]) == (200, 1000, None)
        elif "/part" in result["url"]:  # Node ends the body first, which its length does not allow
            assert codes([result]) <= {"closed", "protocol"}, result
        else:
            assert codes([result]) == {"closed"} and name in result["error"]["text"], result


def test_node_ends_sessions(muster, node, trust):
    """GOAWAY with the last stream, sessions that are destroyed or closed: who was answered has its answer, who was not is repeated."""
    results = one_each(muster("fetch", *trust, "-c", "20", *[node.url("/goaway?code=0"), *[node.url("/bytes?n=10&ms=5")] * 20] * 5).results, 105)
    assert sum(result["body"] == "went" for result in results if "/goaway" in result["url"]) == 5
    one_each(muster("fetch", *trust, "-c", "20", *[node.url("/end"), *[node.url("/bytes?n=10&ms=5")] * 20] * 5).results, 105)
    results = muster("fetch", *trust, "-c", "10", "--retry", "5", *[node.url("/bytes?n=10&ms=5")] * 20, node.url("/destroy"), *[node.url("/bytes?n=10&ms=5")] * 20).results
    assert len(results) == 41
    [destroyed] = [result for result in results if "/destroy" in result["url"]]
    assert codes([destroyed]) == {"closed"}, destroyed


def test_node_hints_trailers_and_responses_without_a_body(muster, node, trust):
    one_each(muster("fetch", *trust, "-c", "20", *[node.url("/hints"), node.url("/trailers?n=1000"), node.url("/whole?n=10&code=0")] * 10).results, 30)
    for status in (204, 205, 304, 404):
        [result] = muster("fetch", *trust, node.url(f"/empty?status={status}")).results
        assert (result["status"], result["body_bytes"], result["error"]) == (status, 0, None)


def test_node_allows_fewer_streams_while_they_run(muster, node, trust):
    urls = [*[node.url("/bytes?n=100&ms=10")] * 50, node.url("/streams?n=2"), *[node.url("/bytes?n=100&ms=10")] * 100]
    one_each(muster("fetch", *trust, "-c", "40", *urls).results, 151)
    one_each(muster("fetch", *trust, "-c", "40", "--h2-conns", "1", *urls).results, 151)


def test_node_uploads(muster, node, trust, tmp_path):
    (tmp_path / "data").write_bytes(UPLOAD)
    results = one_each(muster("fetch", *trust, "-c", "3", "-T", tmp_path / "data", *[node.url("/sum")] * 3).results, 3)
    assert {result["body"] for result in results} == {f"{len(UPLOAD)} {digest(UPLOAD)}"}
