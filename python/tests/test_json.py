"""process="json": bodies are read as JSON by the engine's own threads."""

import asyncio
import json
import math
import random
import struct
import threading

import muster
import pytest
import servers

GOOD = [b"null", b" true\n", b"false", b"0", b"-0", b"7", b"-12", b'""', b"[]", b"{}", b"[ ]", b"{ }", b'\t{"a" : [1 , 2.5,{"b":null}], "c":"d"}\r\n',
        b'{"a":1,"a":2}', b'[[[[]]],{"":{}}]', b"1e2", b"1E+2", b"-1.5e-3", b"0.0", b"-0.0", b"0e0", b"1e400", b"-1e400", b"1e-400", b"5e-324",
        b"2.2250738585072011e-308", b"1.7976931348623157e308", b"9007199254740993.0", b"123456789012345678901234567890.5e-10", b"0." + b"0" * 400 + b"1e401",
        b"36028797018963967", b"36028797018963968", b"-36028797018963968", b"-36028797018963969", b"999999999999999999", b"1000000000000000000",
        b"-9223372036854775808", b"18446744073709551616", b"1" * 4300, b"-" + b"9" * 4300,
        '"Zürich, 東京, 🎉, \u0000a"'.encode().replace(b"\0", b""), rb'"\"\\\/\b\f\n\r\t\u0041\u00e9\u6771\ud83c\udf89\u0000"', rb'"\ud800"', rb'"\udc00\ud800x"',
        rb'"\ud800\u0041"', rb'{"\u0061":1,"a\n":2}', b'"\x7f"', b'"' + b"a" * 7 + b'"', b'"' + b"a" * 8 + b'"', b'"' + b"a" * 63 + "é".encode() + b'"',
        b'"' + b"b" * (1 << 20) + b'"', b'"' + b"b" * (1 << 20) + rb'\n"', b'{"' + b"k" * 63 + b'":1,"' + b"k" * 64 + b'":2}',
        b'{"' + b"k" * (1 << 20) + b'":1}', b"[" * 1024 + b"]" * 1024, b'{"a":' * 1024 + b"1" + b"}" * 1024, b"[" + b"1," * 100_000 + b"1]",
        json.dumps({f"name {i}": i for i in range(5000)}).encode()]
BAD = [b"", b" ", b"nul", b"nulll", b"True", b"NaN", b"Infinity", b"-Infinity", b"-", b"01", b"-01", b"+1", b".5", b"1.", b"1.e2", b"1e", b"1e+", b"0x10", b"1 2",
       b"[", b"]", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[1}", b"{", b"}", b'{"a"', b'{"a":', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a" 1}', b'{1:2}',
       b"{'a':1}", b'{"a":1]', b'"', b'"a', b'"\\', b'"\\"', b'"\\x41"', b'"\\u12"', b'"\\u12g4"', b'"\\u', b'"a\nb"', b'"\t"', b'"\x1f"', b'"a\0b"', b"1\0", b"\0",
       b'"\xff"', b'"\x80"', b'"\xc0\xaf"', b'"\xc3"', b'"\xe0\x80\x80"', b'"\xed\xa0\x80"', b'"\xf0\x80\x80\x80"', b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"',
       b'"\xe2\x82"', b'"aaaaaaaa\xe2\x82', b"// a\n1", b"1 //", b"[" * 1025 + b"]" * 1025, b"1" * 4301, "1\u00a0".encode(), "[1]".encode("utf-16"),
       b"\xef\xbb\xbf\xef\xbb\xbf1", b"<!doctype html>"]


@pytest.fixture(scope="module")
def mirror():
    with servers.Server(servers.mirroring) as server:
        yield server.url


def processed(mirror, bodies, **how):
    return muster.fetch([muster.Request("POST", mirror, content=body) for body in bodies], process="json", concurrency=8, **how)


def refuse(constant):
    raise ValueError(constant)


def as_python_has_it(body):
    """The same by Python's own module, which takes NaN and other encodings as well; ValueError: it is not JSON."""
    return json.loads(body.decode("utf-8-sig"), parse_constant=refuse)


def same(a, b):
    """Equal, down to the types and the sign of zero."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("inline", [False, True])
def test_good(mirror, inline):
    for body, response in zip(GOOD, processed(mirror, GOOD, inline=inline)):
        assert response.error is None, (body[:50], response.error)
        if not body.startswith((b"[[[[[", b'{"a":{"a"')):
            assert same(response.processed, as_python_has_it(body)), body[:50]
        assert response.processed is response.json() and response.process_seconds >= 0 and response.phases.process > 0


def test_depth(mirror):
    response = processed(mirror, [b"[" * 1024 + b"]" * 1024])[0]
    depth, value = 0, response.processed
    while value:
        depth, (value,) = depth + 1, value
    assert depth == 1023


@pytest.mark.parametrize("inline", [False, True])
def test_bad(mirror, inline):
    bodies = [body for bad in BAD for body in (bad, b"[1]")]
    for body, response in zip(bodies, processed(mirror, bodies, inline=inline)):
        if body == b"[1]":
            assert response.processed == [1]
            continue
        error = response.error
        assert isinstance(error, muster.ProcessError) and (error.code, error.stage) == ("process", "process"), body[:50]
        assert response.status == 200 and response.content == body and response.processed is None and response.process_seconds is None
        assert error.response is response and str(error).startswith("process: not JSON, line "), str(error)


def test_the_error_says_where(mirror):
    error = processed(mirror, [b'{"a": 1,\n "b": [1, x]}'])[0].error
    assert str(error) == "process: not JSON, line 2, column 11: a value is expected (200, application/json)"


def test_a_mark_of_the_byte_order_is_ignored(mirror):
    assert processed(mirror, [b"\xef\xbb\xbf[1]"])[0].processed == [1]


def random_number(chance):
    kind = chance.randrange(5)
    if kind == 0:
        return chance.randrange(-1000, 1000)
    if kind == 1:
        return chance.randrange(-(2 ** 70), 2 ** 70)
    number = struct.unpack("d", chance.randbytes(8))[0] if kind == 2 else chance.uniform(-1000, 1000) if kind == 3 else round(chance.uniform(0, 100), 3)
    return number if math.isfinite(number) else 0.0


def random_value(chance, depth=0):
    kind = chance.randrange(3 if depth > 4 else 5)
    if kind == 0:
        return random_number(chance)
    if kind == 1:
        return "".join(chance.choice("ab\"\\\n/é東🎉\ud800\0") for _ in range(chance.randrange(20)))
    if kind == 2:
        return chance.choice([None, True, False])
    if kind == 3:
        return [random_value(chance, depth + 1) for _ in range(chance.randrange(6))]
    return {f"{chance.choice('abcé')}{chance.randrange(50)}": random_value(chance, depth + 1) for _ in range(chance.randrange(6))}


def test_random_values(mirror):
    chance = random.Random(1)
    values = [random_value(chance) for _ in range(1500)]
    bodies = [json.dumps(value, indent=chance.choice([None, 1])).encode() for value in values]
    assert all(same(value, response.processed) for value, response in zip(values, processed(mirror, bodies)))


def mutated(chance, body):
    body = bytearray(body)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(body))
        what = chance.randrange(3)
        if what == 0:
            body[at] = chance.choice(b'{}[]",:\\0123456789.-+eEtfnu \n\xe9\xc3\x00')
        elif what == 1:
            del body[at:at + chance.randrange(1, 4)]
        else:
            body.insert(at, chance.choice(b'{}[]",:\\0e-'))
        body = body or bytearray(b"0")
    return bytes(body)


def test_broken_values_are_judged_as_python_does(mirror):
    chance = random.Random(2)
    bodies = [mutated(chance, json.dumps(random_value(chance), ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace")) for _ in range(3000)]
    n_good = 0
    for body, response in zip(bodies, processed(mirror, bodies)):
        try:
            value = as_python_has_it(body)
        except (ValueError, RecursionError):
            assert isinstance(response.error, muster.ProcessError), body
        else:
            assert response.error is None and same(response.processed, value), (body, response.error)
            n_good += 1
    assert 100 < n_good < 2900


def test_failures_of_others_kinds_stay_what_they_are(mirror, refused):
    by_url = {response.url: response for response in muster.stream([refused, mirror], process="json")}
    assert isinstance(by_url[refused].error, muster.ConnectError) and isinstance(by_url[mirror].error, muster.ProcessError)


def test_one_request(lab):
    with muster.Client() as client:
        response = client.post(lab.url("/echo"), content=b"a", process="json")
        assert response.processed["body"] == "a" and response.processed is response.json()
        assert response.json(parse_int=str) == {**response.processed, **{key: str(value) for key, value in response.processed.items() if type(value) is int}}
        with pytest.raises(muster.ProcessError, match="line 1, column 1: "):
            client.get(lab.url("/bytes/1k"), process="json")
        assert client.get(lab.url("/bytes/1k")).process_seconds is None


def test_a_request_in_a_list_has_its_own(lab):
    plain, marked = (muster.Request("POST", lab.url("/echo"), content=b"a", **how) for how in ({}, {"process": "json"}))
    results = muster.fetch([plain, marked])
    assert results[0].processed is None and results[1].processed == results[0].json()


def test_in_an_event_loop(run, mirror):
    async def main():
        async with muster.AsyncClient() as client:
            one = await client.post(mirror, content=b'{"a": [1]}', process="json")
            requests = [muster.Request("POST", mirror, content=b"[%d" % i + b"]" * (i % 2)) for i in range(100)]
            return one.processed, [(r.index, r.processed, r.error and r.error.code) async for r in client.stream(requests, process="json")]

    one, rest = run(main())
    assert one == {"a": [1]}
    assert sorted(rest) == [(i, [i], None) if i % 2 else (i, None, "process") for i in range(100)]


def test_threads_ask_for_objects_at_once(mirror):
    names = [{f"{letter}{i}": i for i in range(200)} for letter in "abcdefgh"]
    wrong = []

    def work(value):
        with muster.Client() as client:
            for _ in range(30):
                if client.post(mirror, json=value, process="json").processed != value:
                    wrong.append(value)

    threads = [threading.Thread(target=work, args=(value,)) for value in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_value_outlives_its_client(mirror):
    with muster.Client() as client:
        response = client.post(mirror, content=b'{"a": "\\u00e9", "b": ["c"]}', process="json")
    assert response.processed == {"a": "é", "b": ["c"]}


def test_a_task_that_is_cancelled(run, mirror):
    """Whatever the worker is at, nothing is left."""
    body = b"[" + b'"a",' * 500_000 + b"1]"

    async def main():
        async with muster.AsyncClient() as client:
            for delay in (0.001, 0.005, 0.01, 0.02, 0.03):
                task = asyncio.ensure_future(client.post(mirror, content=body, process="json"))
                await asyncio.sleep(delay)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            return len((await client.post(mirror, content=body, process="json")).processed)

    assert run(main()) == 500_001


@pytest.mark.parametrize("how, kind", [({"process": "xml"}, ValueError), ({"process": 1}, TypeError), ({"process": "json", "executor": object()}, TypeError),
                                       ({"process": "json", "discard_body": True}, TypeError)])
def test_what_cannot_be(lab, how, kind):
    with pytest.raises(kind, match="process"):
        muster.fetch([lab.url()], **how)


@pytest.mark.parametrize("how, kind", [({"process": "xml"}, ValueError), ({"process": len}, TypeError), ({"process": "json", "stream": True}, TypeError),
                                       ({"process": "json", "discard_body": True}, TypeError)])
def test_what_a_request_cannot_have(how, kind):
    with pytest.raises(kind, match="process"):
        muster.Request("GET", "http://127.0.0.1/", **how)


def test_a_stream_has_no_body_for_it(lab):
    with pytest.raises(TypeError, match="process"):
        muster.fetch([muster.Request("GET", lab.url(), stream=True)], process="json")
