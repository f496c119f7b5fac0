# SPDX-License-Identifier: Apache-2.0
"""A raw HTTP client: what is sent is exactly what the test wrote."""
import json
import socket

TIMEOUT_S = 30


class Broken(Exception):
    """The peer closed, or sent what is no HTTP response."""


class Response:
    def __init__(self, version, status, headers, body):
        self.version, self.status, self.headers, self.body = version, status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'<{self.status} {self.body[:300]!r}>'


class Client:
    """One connection."""

    def __init__(self, address, timeout=TIMEOUT_S):
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = bytearray()  # received and not taken yet

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def _more(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b''
        if not data:
            raise Broken(f'closed after {bytes(self.held[:200])!r}')
        self.held += data

    def _take(self, count):
        while len(self.held) < count:
            self._more()
        data = bytes(self.held[:count])
        del self.held[:count]
        return data

    def _line(self):
        while (end := self.held.find(b'\r\n')) < 0:
            self._more()
        return self._take(end + 2)[:-2]

    def _chunks(self):
        body = bytearray()
        while size := int(self._line().split(b';')[0], 16):
            body += self._take(size)
            if self._take(2) != b'\r\n':
                raise Broken('a chunk without its line end')
        while self._line():
            pass
        return bytes(body)

    def _rest(self):
        try:
            while True:
                self._more()
        except Broken:
            return self._take(len(self.held))

    def receive(self, head=False):
        """The next response; 100 Continue is one too."""
        version, status, _ = (self._line() + b' ').split(b' ', 2)
        headers = {}
        while line := self._line():
            name, value = line.split(b':', 1)
            headers[name.decode().lower()] = value.strip().decode()
        status = int(status)
        if status == 100 or status == 204 or head:
            body = b''
        elif headers.get('transfer-encoding') == 'chunked':
            body = self._chunks()
        elif 'content-length' in headers:
            body = self._take(int(headers['content-length']))
        else:
            body = self._rest()
        return Response(version.decode(), status, headers, body)

    def ask(self, method, path, body=None, **headers):
        self.send(request(method, path, body, **headers))
        return self.receive()

    def closed(self):
        """The peer has closed and sent nothing more."""
        return not self.held and self._rest() == b''


def request(method, path, body=None, **headers):
    """The bytes of a request; header names are written with underscores. A dict becomes JSON."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    lines = [f'{method} {path} HTTP/1.1', 'Host: 127.0.0.1']
    if body is not None:
        lines.append(f'Content-Length: {len(body)}')
    lines += [f'{name.replace("_", "-")}: {value}' for name, value in headers.items()]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + (body or b'')
