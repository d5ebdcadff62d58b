"""A fixed number of threads ("workers"), each of which accepts a connection and serves it until it ends.

A connection is kept for "keep_s" seconds after an answer; while it is, its worker does nothing else. With 0 each answer ends its connection, as
with gunicorn's sync workers. "backlog" is the queue of those that wait to be accepted.
"""
import socket
import threading
import time

from answers import Answers, settings

SETTINGS = settings()
ANSWERS = Answers(SETTINGS["answers"])


def target_of(reader):
    """Of the next request on a connection, or None when there is none."""
    line = reader.readline()
    if not line:
        return None
    while reader.readline() not in (b"\r\n", b""):
        pass
    return line.split()[1].decode()


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = connection.makefile("rb")
    connection.settimeout(30)
    while True:
        target = target_of(reader)
        if target is None:
            return
        answer, status, delay_s, query = ANSWERS.begin(target)
        time.sleep(delay_s)
        answer.close = not SETTINGS.get("keep_s", 0)
        connection.sendall(answer.head(status, query) + answer.body)
        ANSWERS.end()
        if answer.close:
            return
        connection.settimeout(SETTINGS["keep_s"])


def work(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            try:
                serve(connection)
            except OSError:  # the connection is broken, or was idle for too long
                pass


with socket.create_server(("127.0.0.1", SETTINGS["port"]), backlog=SETTINGS.get("backlog", 128)) as listening:
    threads = [threading.Thread(target=work, args=(listening,)) for _ in range(SETTINGS["workers"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
