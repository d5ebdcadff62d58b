"""What a server answers, as a value of JSON that says it for each path.

    {"answers": {"": {"delay_ms": 20}, "/slow": {"delay_ms": 500, "body": 1000}}}

    delay_ms    before the head
    pause_ms    between the head, which is sent at once, and the body
    body        bytes of the body (200)
    gzip        the body is this many bytes of zeros, compressed
    status      200
    location    a field of the head
    close       the connection ends with the answer
    apart       head and body are written one after the other, without a pause
    fails       each n-th request is answered 500
    hangs       each n-th request is never answered (Node alone)
    cold        [n, ms]: the first n answers take this long
    growth_ms   added to the delay for each other request that is being answered
    drip_ms     the body comes in eight parts, with this between them
"""
import gzip
import sys
import threading
import urllib.parse
import json


def settings():
    return json.loads(sys.argv[1])


class Answer:
    def __init__(self, value):
        self.value = value
        self.n = 0  # requests for it
        self.delay_s = value.get("delay_ms", 0) / 1000
        self.pause_s = value.get("pause_ms", 0) / 1000
        self.drip_s = value.get("drip_ms", 0) / 1000
        self.growth_s = value.get("growth_ms", 0) / 1000
        self.apart = value.get("apart", False)
        self.close = value.get("close", False)
        self.fields = []
        if "gzip" in value:
            self.body = gzip.compress(bytes(value["gzip"]))
            self.fields.append("Content-Encoding: gzip")
        else:
            self.body = b"0123456789abcde\n" * (value.get("body", 200) // 16) + b"." * (value.get("body", 200) % 16)
        if "location" in value:
            self.fields.append(f"Location: {value['location']}")

    def head(self, status, query):
        reason = {200: "OK", 301: "Moved Permanently", 302: "Found", 500: "Internal Server Error", 503: "Service Unavailable"}[status]
        fields = [*self.fields, f"Content-Length: {len(self.body)}", "Content-Type: text/plain"]
        if self.close:
            fields.append("Connection: close")
        lines = [f"HTTP/1.1 {status} {reason}", *fields]
        return ("\r\n".join(lines).replace("{query}", query) + "\r\n\r\n").encode()


class Answers:
    def __init__(self, values):
        self.of_path = {path: Answer(value) for path, value in {"": {}, **values}.items()}
        self.lock = threading.Lock()
        self.n_now = 0

    def begin(self, target):
        """(answer, status, delay in seconds, query) of a request that is there; end() when it is answered."""
        path, _, query = target.partition("?")
        answer = self.of_path.get(urllib.parse.unquote(path), self.of_path[""])
        with self.lock:
            answer.n += 1
            n = answer.n
            n_others = self.n_now
            self.n_now += 1
        delay_s = answer.delay_s + n_others * answer.growth_s
        n_cold, cold_ms = answer.value.get("cold", (0, 0))
        if n <= n_cold:
            delay_s += cold_ms / 1000
        status = answer.value.get("status", 200)
        if answer.value.get("fails") and n % answer.value["fails"] == 0:
            status = 500
        return answer, status, delay_s, query

    def end(self):
        with self.lock:
            self.n_now -= 1
