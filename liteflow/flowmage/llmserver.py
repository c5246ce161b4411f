# SPDX-License-Identifier: GPL-2.0
"""An endpoint for the tests of flowmage analyze --llm: it answers as it is told, often badly."""
import http.server
import json
import threading


class Server(http.server.ThreadingHTTPServer):
    """
    @behave: called with the handler and the request's body, for each request; it writes the whole
    reply. @bodies: what was asked, @headers: the headers of that, @connections: how many came.
    """
    daemon_threads = True

    def __init__(self, behave=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave, self.bodies, self.headers, self.connections = behave, [], [], 0
        self.paths = set()
        self.over = threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return "http://127.0.0.1:%d/v1" % self.server_address[1]

    def verify_request(self, request, client_address):
        self.connections += 1
        return True

    def handle_error(self, request, client_address):
        """Clients that hang up are part of the game."""

    def end(self):
        self.over.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        body = json.loads(text)
        self.server.bodies.append(body)
        self.server.headers.append(dict(self.headers))
        self.server.paths.add(self.path)
        self.server.behave(self, body)

    do_GET = do_POST

    def log_message(self, *args):
        pass

    def reply(self, data, status=200, **headers):
        data = data if isinstance(data, bytes) else data.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


def completion(content, finish="stop", usage=(1000, 100)):
    made = {"id": "x", "object": "chat.completion", "model": "other",
            "choices": [{"index": 0, "finish_reason": finish,
                         "message": {"role": "assistant", "content": content}}]}
    if usage is not None:
        made["usage"] = dict(zip(("prompt_tokens", "completion_tokens"), usage))
    return json.dumps(made)


def says(*answers, **more):
    """A behaviour: one answer after the other, from the first again; texts are sent as they are."""
    count = iter(range(10 ** 9))

    def behave(handler, _):
        answer = answers[next(count) % len(answers)]
        handler.reply(completion(answer if isinstance(answer, str) else json.dumps(answer), **more))
    return behave


def status(number, **headers):
    return lambda handler, _: handler.reply('{"error": {"message": "no"}}', number, **headers)


def raw(data, **headers):
    return lambda handler, _: handler.reply(data, **headers)


def never(handler, _):
    """Nothing comes until the server is ended."""
    handler.server.over.wait()


def drip(handler, _):
    """A byte at a time, without an end."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.over.wait(0.05):
        handler.wfile.write(b" ")


def cut_off(handler, _):
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(completion("{}").encode()[:60])


def hang_up(handler, _):
    handler.close_connection = True


def endless(handler, _):
    """More than anybody wants, and it does not say how much."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(4096):
        handler.wfile.write(b"[" + b" " * 65535)
