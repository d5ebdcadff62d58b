"""ThreadingHTTPServer, as its documentation has it: a thread for each connection, a queue of five that wait to be accepted.

Its handler writes the head by itself, then the body, with Nagle's algorithm on. "nodelay" turns that off, "whole" writes both together,
"backlog" is the queue, "accept_ms" the time that the loop takes for each connection.
"""
import http.server
import time

from answers import Answers, settings

SETTINGS = settings()
ANSWERS = Answers(SETTINGS["answers"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = SETTINGS.get("nodelay", False)
    wbufsize = -1 if SETTINGS.get("whole") else 0

    def do_GET(self):
        answer, status, delay_s, query = ANSWERS.begin(self.path)
        if delay_s:
            time.sleep(delay_s)
        self.wfile.write(answer.head(status, query))
        if answer.pause_s:
            self.wfile.flush()
            time.sleep(answer.pause_s)
        self.wfile.write(answer.body)
        self.wfile.flush()
        ANSWERS.end()
        self.close_connection = answer.close

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = SETTINGS.get("backlog", 5)
    daemon_threads = True

    def process_request(self, request, address):
        if SETTINGS.get("accept_ms"):
            time.sleep(SETTINGS["accept_ms"] / 1000)
        super().process_request(request, address)


Server(("127.0.0.1", SETTINGS["port"]), Handler).serve_forever()
