"""Ports where something else than HTTP listens: told at once, by name, and no request waits for it."""
import socket
import threading
import time

import pytest

SETTINGS = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64"
GREETINGS = {
    "ssh": (b"SSH-2.0-OpenSSH_9.2\r\n", 'not an HTTP response, but "SSH-2.0-OpenSSH_9.2\\r\\n": this is an SSH server'),
    "ssh unended": (b"SSH-2.0-x", '"SSH-2.0-x": this is an SSH server'),
    "ftp": (b"220 ftp ready\r\n", '"220 ftp ready\\r\\n": this is an FTP or mail (SMTP) server'),
    "pop3": (b"+OK ready\r\n", "mail (POP3) server"),
    "imap": (b"* OK IMAP4rev1 ready\r\n", "mail (IMAP) server"),
    "redis": (b"-ERR unknown command 'GET'\r\n", "Redis"),
    "mysql": (b"J\0\0\0\n8.0.33\0", "MySQL server"),
    "http2": (SETTINGS, "HTTP/2 without TLS; use --http2-prior-knowledge"),
    "tls alert": (b"\x15\x03\x01\0\x02\x02\x46", "this port speaks TLS; write https:// instead of http://"),
    "binary": (b"\0", '"\\x00": this port does not speak HTTP; check the host and the port'),
    "http/0.9": (b"<html>", "a body without a head (HTTP/0.9)"),
}


@pytest.fixture
def greeter():
    """greeter(greeting) listens, says that to whoever connects, and holds the connection."""
    listeners, held = [], []

    def serve(listener, greeting):
        try:
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                connection.sendall(greeting)
        except OSError:
            return

    def start(greeting):
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=serve, args=(listener, greeting), daemon=True)
        thread.start()
        listeners.append((listener, thread))
        return f"127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
    for connection in held:
        connection.close()


@pytest.mark.parametrize("name", GREETINGS)
def test_greeting(muster, greeter, name):
    greeting, words = GREETINGS[name]
    start = time.monotonic()
    run = muster("fetch", "--max-time", "20s", f"http://{greeter(greeting)}")
    assert run.status == 1 and run.result["error"]["code"] == "protocol"
    assert words in run.result["error"]["text"]
    assert time.monotonic() - start < 10  # it was not waited for


def test_https_is_asked_of_others(muster, greeter):
    error = muster("fetch", f"https://{greeter(b'HTTP/1.1 400 Bad Request')}").result["error"]
    assert error["code"] == "tls" and 'it sent "HTTP/1.1 400 Bad"; write http:// instead of https://' in error["text"]
    error = muster("fetch", f"https://{greeter(b'SSH-2.0-OpenSSH_9.2')}").result["error"]
    assert error["code"] == "tls" and 'it sent "SSH-2.0-OpenSSH_"; check the host and the port' in error["text"]
