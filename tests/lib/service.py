# SPDX-License-Identifier: Apache-2.0
"""A customer's own service, which rules of type external ask: it answers by the path of its URL and
remembers what it was asked."""
import http.server
import json
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    disable_nagle_algorithm = True

    def do_POST(self):
        service = self.server.service
        body = self.rfile.read(int(self.headers['content-length']))
        with service.lock:
            service.asked.append((self.path, self.headers, body))
        try:
            getattr(self, self.path.split('?')[0][1:])(body)
        except OSError:
            self.close_connection = True

    do_GET = do_POST

    def answer(self, status, body=b'', **headers):
        self.send_response(status)
        for name, value in {'Content-Length': len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data):
        self.wfile.write(data)
        self.close_connection = True

    def allow(self, _):
        self.answer(200, b'{}')

    def refuse(self, _):
        self.answer(409, b'{"why":{"a":[1]},"GSW_CALL_RESULT":77}')

    def refuse_only(self, _):
        self.answer(409)

    def refuse_badly(self, _):
        self.answer(409, b'{"GSW_CALL_RESULT":77,,')

    def refuse_beyond(self, _):
        self.answer(409, b'{"GSW_CALL_RESULT":1000}')

    def by_phone(self, body):
        """Odd numbers are refused."""
        odd = int(json.loads(body)['GSW_PHONE'][-1]) % 2
        self.answer(409 if odd else 200, b'{"GSW_CALL_RESULT":71}' if odd else b'')

    def held(self, _):
        self.server.service.go_on.wait(20)
        self.answer(200)

    def error(self, _):
        self.answer(500)

    def nothing(self, _):
        self.answer(204)

    def redirect(self, _):
        self.answer(307, Location='/allow')

    def huge(self, _):
        self.answer(200, b'x' * 5000000)

    def garbage(self, _):
        self.raw(b'\0\1\2 this is no HTTP\r\n\r\n')

    def cut_off(self, _):
        self.raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}')

    def hang_up(self, _):
        self.close_connection = True

    def half_a_head(self, _):
        self.raw(b'HTTP/1.1 200 OK\r\n')

    def endless_head(self, _):
        self.raw(b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 5000 + b'Content-Length: 0\r\n\r\n')

    def first_continue(self, _):
        self.raw(b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')

    def only_continue(self, _):
        self.raw(b'HTTP/1.1 100 Continue\r\n\r\n')

    def until_close(self, _):
        self.raw(b'HTTP/1.0 200 OK\r\n\r\n{}')

    def chunked(self, _):
        self.raw(b'HTTP/1.1 409 No\r\nTransfer-Encoding: chunked\r\n\r\n'
                 b'9\r\n{"GSW_CAL\r\ne\r\nL_RESULT": 77}\r\n0\r\nX: trailer\r\n\r\n')

    def log_message(self, *_):
        pass


class Listener(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def handle_error(self, *_):
        pass


class Service:
    """A customer's service on loopback, with a thread a connection."""

    def __init__(self, context=None):
        self.lock, self.asked, self.go_on = threading.Lock(), [], threading.Event()
        self.server = Listener(('127.0.0.1', 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.service = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.go_on.set()
        self.server.shutdown()
        self.server.server_close()

    def count(self, path=None):
        with self.lock:
            return len([1 for p, *_ in self.asked if path is None or p == path])

    def wait(self, count, seconds=10):
        end = time.monotonic() + seconds
        while self.count() < count:
            if time.monotonic() > end:
                raise AssertionError(f'asked {self.count()} times, not {count}')
            time.sleep(0.002)
