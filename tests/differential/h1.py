# SPDX-License-Identifier: MIT
"""Our reader of HTTP/1 responses and those of others read the same

    h1.py OUR_READER test_h1_variants.c [SEED [MUTATIONS]]

Python's http.client, and Node's where it is installed, get the responses of tests/unit/test_h1_variants.c
and some thousands of mutations of them, and so does our reader. Status, fields and body agree, or the
difference is one of those explained below; nothing explains one about a response that is well-formed. With
a SEED Go's net/http reads them, too, where it is installed: building that takes a minute. Then what we
read and nobody else does is looked at as well.
"""

import codecs
import collections
import http.client
import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
N_MUTATED = int(sys.argv[4]) if len(sys.argv) > 4 else 4000

Response = collections.namedtuple("Response", "bytes is_head")
# `end`: ok; closed, the connection ended too early; error. Fields are (name, value) in lower case, sorted.
Outcome = collections.namedtuple("Outcome", "end status fields body is_dropped text")

# --- responses ---------------------------------------------------------------------------------------

MACROS = {
    "LINE": "{}Content-Length: 5\r\n\r\nhello",
    "FIELD": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{}\r\nhello",
    "HEAD": "HTTP/1.1 200 OK\r\n{}\r\n\r\nhello",
    "CODING": "HTTP/1.1 200 OK\r\n{}\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "CHUNKS": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "BYTES_OF": "{}",
}
# Rows that make a response with a macro alone; OK_LINE is one, too, and its rows are left out.
ROW = re.compile(r"\{ (" + "|".join(MACROS) + r')\(((?:\s*"(?:[^"\\]|\\.)*")+)\),\s*(true|false)')


def text_of(literals):
    return "".join(codecs.decode(one, "unicode_escape") for one in re.findall(r'"((?:[^"\\]|\\.)*)"', literals))


def fixtures(path):
    with open(path, encoding="latin-1") as file:
        rows = ROW.findall(file.read())
    return [Response(MACROS[macro].format(text_of(literals)).encode("latin-1"), is_head == "true") for macro, literals, is_head in rows]


# Well-formed ones, so that not all mutations are of something odd.
TIDY = [
    b"HTTP/1.1 200 OK\r\nDate: Tue, 01 Jan 2030 00:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\nhello, world",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n6;a=b\r\nhello,\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nSet-Cookie: a=b; Path=/\r\nSet-Cookie: c=d\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 10\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
]

PIECES = [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"\0", b"\x01", b"\x0b", b"\x7f", b"\x80", b"\xff", b"0", b"5", b"a", b"-", b"+", b"x",
          b"Content-Length: 5\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"X: y\r\n", b" folded\r\n",
          b"HTTP/1.1 200 OK\r\n", b"\r\n\r\n", b"0\r\n\r\n"]


def mutate(random_, response, others):
    at = bytearray(response)
    for _ in range(random_.randint(1, 3)):
        place = random_.randrange(len(at) + 1)
        kind = random_.randrange(6)
        if kind == 0 and place < len(at):
            at[place] = random_.randrange(256)
        elif kind == 1:
            at[place:place] = random_.choice(PIECES)
        elif kind == 2:
            del at[place:place + random_.choice((1, 1, 1, 2, 5))]
        elif kind == 3 and place < len(at):
            at[place:place + 1] = random_.choice(PIECES)
        elif kind == 4:
            lines = bytes(at).split(b"\r\n")
            lines.insert(random_.randrange(len(lines) + 1), random_.choice(lines))
            at = bytearray(b"\r\n".join(lines))
        else:
            other = random_.choice(others).bytes
            at[place:] = other[random_.randrange(len(other) + 1):] if random_.randrange(4) == 0 else at[place:]
    return bytes(at)


def responses(path):
    random_ = random.Random(SEED)
    seeds = fixtures(path) + [Response(one, False) for one in TIDY] * 10
    mutated = []
    for _ in range(N_MUTATED):
        seed = random_.choice(seeds)
        mutated.append(Response(mutate(random_, seed.bytes, seeds), seed.is_head))
    return seeds + mutated


# --- readers -----------------------------------------------------------------------------------------


def as_input(all_responses):
    return b"".join(b"%s %d\n%s" % (b"HEAD" if one.is_head else b"GET", len(one.bytes), one.bytes) for one in all_responses)


def normal(fields):
    return sorted((name.lower(), b" ".join(value.split())) for name, value in fields)


def outcome_of(line):
    end, status, fields, body, dropped, text = (line.split("\t") + ["", ""])[:6]
    pairs = [one.split(":") for one in fields.split(",") if one]
    return Outcome(end, int(status), normal((bytes.fromhex(name), bytes.fromhex(value)) for name, value in pairs), bytes.fromhex(body), dropped != "", text)


def by_program(command, all_responses):
    out = subprocess.run(command, input=as_input(all_responses), stdout=subprocess.PIPE, check=True, timeout=100).stdout
    outcomes = [outcome_of(line) for line in out.decode("latin-1").rstrip("\n").split("\n")]
    assert len(outcomes) == len(all_responses), f"{command[0]} answered {len(outcomes)} of {len(all_responses)}"
    return outcomes


class Socket:
    def __init__(self, at):
        self.at = at

    def makefile(self, mode):
        return io.BytesIO(self.at)


def by_python_one(one):
    response = http.client.HTTPResponse(Socket(one.bytes), method="HEAD" if one.is_head else "GET")
    status, fields = 0, []
    try:
        response.begin()
        status = response.status
        fields = normal((name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.getheaders())
        return Outcome("ok", status, fields, response.read(), False, "")
    except http.client.IncompleteRead as short:
        return Outcome("closed", status, fields, short.partial, False, "")
    except http.client.RemoteDisconnected:
        return Outcome("closed", 0, [], b"", False, "")
    except (http.client.HTTPException, ValueError, OverflowError) as error:
        return Outcome("error", status, fields, b"", False, repr(error))


def by_python(all_responses):
    return [by_python_one(one) for one in all_responses]


def by_node(all_responses):
    return by_program(["node", os.path.join(HERE, "h1_node.js")], all_responses)


def by_go(all_responses):
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "h1_go")
        settings = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GO111MODULE": "off"}
        subprocess.run(["go", "build", "-o", program, os.path.join(HERE, "h1_go.go")], check=True, env={**os.environ, **settings})
        return by_program([program], all_responses)


OTHERS = {"Python": by_python, "Node": by_node, "Go": by_go}

# --- what cannot be read in two ways -----------------------------------------------------------------

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FIELD_LINE = rb"(" + TOKEN + rb"): *((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?) *\r\n"
HEAD = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9]) [\t\x20-\x7e\x80-\xff]*\r\n((?:" + FIELD_LINE + rb")*)\r\n")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[a-z]+=[a-z]+)?\r\n")
TRAILER = re.compile(rb"(?:" + FIELD_LINE + rb")*\r\n")
FRAMING = (b"content-length", b"transfer-encoding", b"trailer")


def fields_of(lines):
    return [(name.lower(), value.lower()) for name, value in re.findall(FIELD_LINE, lines)]


def chunks_are_tidy(at):
    place = 0
    while (size := CHUNK.match(at, place)) and int(size[1], 16):
        place = size.end() + int(size[1], 16) + 2
        if at[place - 2:place] != b"\r\n":
            return False
    trailer = size and TRAILER.fullmatch(at, size.end())
    return bool(trailer) and all(name not in FRAMING for name, _ in fields_of(trailer[0]))


def final(one):
    """Without the interim responses in front."""
    at = one.bytes
    while re.match(rb"HTTP/1\.. +1", at) and (head := re.search(rb"\r?\n\r?\n", at)):
        at = at[head.end():]
    return Response(at, one.is_head)


def body_is_tidy(head, body, is_head):
    fields = fields_of(head[3])
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    has_no_body = is_head or head[2] in (b"204", b"304")
    if len(lengths) + len(codings) > 1 or not all(re.fullmatch(rb"[0-9]{1,15}", value) for value in lengths):
        return False
    if has_no_body:
        return not codings and not body
    if codings:
        return codings == [b"chunked"] and head[1] == b"1" and chunks_are_tidy(body)
    return not lengths or len(body) <= int(lengths[0])


def is_tidy(one):
    """By the grammar of RFC 9112, with one length, and nothing behind it: every reader must come to the same."""
    if one.bytes.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
        one = final(one)
    head = HEAD.match(one.bytes)
    return bool(head and head[2][:1] in b"2345" and body_is_tidy(head, one.bytes[head.end():], one.is_head))


# --- differences that are explained ------------------------------------------------------------------

# Our reader's refusals of what somebody else reads, by the first words of the error.
STRICTER = {
    "a Transfer-Encoding other than chunked": "another coding would have to be undone, or the end of the body is in doubt",
    "both Transfer-Encoding and Content-Length": "two ends of the body (RFC 9112 section 6.3)",
    "Transfer-Encoding in HTTP/1.0": "faulty framing by RFC 9112 section 6.1",
    "Content-Length is not a number": "some take the digits that it begins with, or ignore it: the end is in doubt",
    "a change of protocol (101) that the request did not ask for": "nothing that follows is HTTP (RFC 9110 section 15.2.2); others hand it to their caller",
    "several Content-Length values that differ": "two ends of the body",
    "an empty Content-Length": "it may have been cut: the end is in doubt",
    "an empty Transfer-Encoding": "it may have been cut: the end is in doubt",
    "a folded Content-Length": "some read only its first line",
    "a folded Transfer-Encoding": "some read only its first line",
    "this looks like a malformed Content-Length or Transfer-Encoding": "some take it for the real one",
    "a control character in a field's value": "within one of these two fields only",
    "a bare CR before Content-Length or Transfer-Encoding": "some take it for a line's end",
    "a bare CR in a line that is not a field": "some take it for a line's end",
    "a status line among the fields": "another response may begin there",
    "a folded line before the first field": "it may be a field that was indented",
    "a NUL byte in the head": "some end a text there",
    "the status is not three digits": "no status",
    "the status is below 100": "no status",
    "not a version of HTTP/1": "another protocol, or bytes that are not its begin",
    "not an HTTP response, but": "bytes before the status line belong to no response",
    "a line of the chunked coding does not end in CRLF": "a chunk's end in doubt (RFC 9112 section 7.1)",
    "a line of the chunked coding is too long": "more than a size with its extensions",
    "not a valid chunk size": "a chunk's end in doubt",
    "a chunk size that is too large": "beyond 64 bits; Python counts on",
    "not a valid trailer field": "as a status line among the fields",
}
# What nobody else reads.
LOOSER = {
    "a control character in the reason, which nobody reads unless it names the framing": lambda one: re.match(rb"[^\n]*(?:\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f])", final(one).bytes),
    "HTTP/2.0 in the status line": lambda one: one.bytes.startswith(b"HTTP/2.0 "),
    "no body, whatever Transfer-Encoding says (204, 304, HEAD)": lambda one: one.is_head or re.match(rb"HTTP/1\.. +[23]04\b", one.bytes),
}


def python_loses_fields(one):
    """It ends the head at a line that is no field, and takes a bare CR for the end of one."""
    head = re.split(rb"\r?\n\r?\n", final(one).bytes, maxsplit=1)[0]
    lines = head.replace(b"\r\n", b"\n").split(b"\n")[1:]
    return any(re.search(rb"[\r\x0b\x0c\x1c-\x1e\x85]", line) or not re.match(rb"[!-9;-~]*:|[ \t]", line) for line in lines)


def python_differs_in_framing(one):
    """It compares Transfer-Encoding with its blanks, and takes a list as the length for no length."""
    return re.search(rb"(?i)transfer-encoding:[ \t]*(?:chunked[ \t]|[^\r\n]*\n[ \t])|content-length:[^\r\n]*,", one.bytes) or re.match(rb"HTTP/1\.. +[23]04\b", one.bytes)


NODE_DIFFERS = "Node takes a bare CR for the end of the status line, and chunked with a tab for another coding"


def node_differs(one):
    return re.search(rb"(?i)\r\r|transfer-encoding:[ \t]*chunked[ \t]*\t", one.bytes)


def comparable(name, outcome, is_dropped):
    """Fields that all readers show: names that are tokens. Go hides those of the framing, and where there is no body we drop malformed ones."""
    hidden = (FRAMING if is_dropped else ()) + (FRAMING + (b"connection",) if name == "Go" else ())
    return [(field, value) for field, value in outcome.fields if re.fullmatch(TOKEN, field) and field not in hidden]


def difference(name, one, ours, theirs):
    """None, or what the difference is and why it is none of our mistakes, or "" for that."""
    if ours.end == theirs.end == "ok":
        what = "status" if ours.status != theirs.status else "body" if ours.body != theirs.body else "fields" if comparable(name, ours, ours.is_dropped) != comparable(name, theirs, ours.is_dropped) else None
        if not what:
            return None
        if name == "Python" and what == "body" and python_differs_in_framing(one):
            return what, "Python compares the framing's fields with their blanks and lists"
        if name == "Python" and 100 < theirs.status < 200:
            return what, "Python takes every interim response but 100 for the final one"
        if is_tidy(one):
            return what, ""
        if name == "Python" and python_loses_fields(one):
            return what, "Python drops what follows a malformed line"
        if name == "Node" and node_differs(one):
            return what, NODE_DIFFERS
        return what, ""
    if (ours.end == "ok") == (theirs.end == "ok"):
        return None
    if is_tidy(one):
        return "whole" if ours.end == "ok" else "refused", ""
    if ours.end == "ok":
        return "read", f"{name} is stricter with what is not well-formed"
    if ours.end == "closed":
        if name == "Python":
            return "cut off", "Python takes the end of the connection for that of a head or trailer"
        return "cut off", NODE_DIFFERS if name == "Node" and node_differs(one) else ""
    reason = next((why for text, why in STRICTER.items() if ours.text.startswith("protocol: " + text)), "")
    return "refused: " + ours.text[:60], reason


# --- all of it ---------------------------------------------------------------------------------------


def is_used(name):
    if name == "Go" and len(sys.argv) <= 3:
        return False
    return name == "Python" or shutil.which(name.lower()) is not None


def main():
    everything = responses(sys.argv[2])
    ours = by_program([sys.argv[1]], everything)
    outcomes = {name: read(everything) for name, read in OTHERS.items() if is_used(name)}
    explained, found = collections.Counter(), []
    for i, one in enumerate(everything):
        for name, all_theirs in outcomes.items():
            differs = difference(name, one, ours[i], all_theirs[i])
            if differs and differs[1]:
                explained[differs[1]] += 1
            elif differs:
                found.append(f"{differs[0]}: {name} {all_theirs[i][:4]}, ours {ours[i]}: {one}")
        if len(outcomes) == len(OTHERS) and ours[i].end == "ok" and all(theirs[i].end != "ok" for theirs in outcomes.values()):
            if not any(applies(one) for applies in LOOSER.values()):
                found.append(f"nobody else reads it: {one}")
    n_tidy = sum(map(is_tidy, everything))
    print(f"seed {SEED}: {len(everything)} responses, {n_tidy} of them well-formed, to {', '.join(outcomes)}")
    for why, n in explained.most_common():
        print(f"{n:6} {why}")
    print("\n".join(found[:40]))
    print(f"{len(found)} differences that nothing explains")
    return 1 if found or n_tidy < len(everything) // 10 else 0


sys.exit(main())
