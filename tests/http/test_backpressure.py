# SPDX-License-Identifier: Apache-2.0
"""Clients that read slowly, or not at all: everybody gets a whole answer, nobody is forgotten."""
import random
import socket
import time

from lib.client import Client, request
from lib.engine import EngineCase

LINES = b'{"phone":"2125551234"}\n' * 2700  # just under 64 KiB: no input follows that could wake it
BACKENDS = ((), ('--epoll',))


class TestBackpressure(EngineCase):
    def start(self, *options):
        self.write('n.txt', '2125551234\n')
        return self.engine('--list', 'n=n.txt', '--threads', '1', *options)

    def slow_client(self, server):
        """A connection through which little fits at once."""
        client = Client.__new__(Client)
        client.held = bytearray()
        client.socket = socket.socket()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(20)
        client.socket.connect(server.address)
        return client

    def read_slowly(self, client, pick):
        """Takes a little now and then, until the last chunk; how many lines came."""
        page = bytearray()
        while not page.endswith(b'\r\n0\r\n\r\n'):
            part = client.socket.recv(pick.choice((100, 3000, 60000)))
            self.assertTrue(part, f'closed after {len(page)} bytes')
            page += part
            if pick.random() < 0.3:
                time.sleep(0.001)
        return page.count(b'"verdict"')

    def test_lines_to_slow_readers(self):
        pick = random.Random(11)
        for backend in BACKENDS:
            server = self.start(*backend)
            clients = [self.slow_client(server) for _ in range(20)]
            for client in clients:
                client.send(request('POST', '/v1/decisions', LINES,
                                    Content_Type='application/x-ndjson'))
            for client in clients:
                with client:
                    self.assertEqual(self.read_slowly(client, pick), 2700)

    def test_lines_beside_a_pipeline(self):
        # two routes in turn make several rounds of one turn, in each of which all are looked at
        mixed = (request('POST', '/ocs/validate', {'GSW_PHONE': '2125551234'}) +
                 request('GET', '/livez')) * 200
        for backend in BACKENDS:
            server = self.start(*backend)
            with server.client() as pipeline:
                for _ in range(10):
                    clients = [server.client(timeout=10) for _ in range(4)]
                    pipeline.send(mixed)
                    for client in clients:
                        client.send(request('POST', '/v1/decisions', LINES,
                                            Content_Type='application/x-ndjson'))
                    pipeline.send(mixed)
                    for client in clients:
                        with client:
                            self.assertEqual(client.receive().body.count(b'"verdict"'), 2700)
                    for _ in range(400):
                        self.assertEqual(pipeline.receive().status, 409)
                        self.assertEqual(pipeline.receive().status, 200)
