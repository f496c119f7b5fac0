# SPDX-License-Identifier: Apache-2.0
"""Clients that read slowly, or not at all: everybody gets a whole answer, nobody is forgotten."""
import json
import random
import selectors
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

    def upload(self, server, count, data, seconds):
        """Sends `data` on `count` connections at once and reads what comes; the whole pages."""
        pages, sent = {}, {}
        waiting = selectors.DefaultSelector()
        for _ in range(count):
            client = server.client()
            self.addCleanup(client.close)
            client.socket.setblocking(False)
            pages[client.socket], sent[client.socket] = bytearray(), 0
            waiting.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE)
        end = time.monotonic() + seconds
        while waiting.get_map() and time.monotonic() < end:
            for key, what in waiting.select(0.5):
                one = key.fileobj
                if what & selectors.EVENT_WRITE:
                    sent[one] += one.send(data[sent[one]:sent[one] + 200000])
                    if sent[one] == len(data):
                        waiting.modify(one, selectors.EVENT_READ)
                if what & selectors.EVENT_READ:
                    part = one.recv(200000)
                    self.assertTrue(part, f'closed after {len(pages[one])} bytes')
                    pages[one] += part
                    if pages[one].endswith(b'\r\n0\r\n\r\n'):
                        waiting.unregister(one)
        self.assertFalse(waiting.get_map(), 'not all were answered')
        return pages.values()

    def test_more_uploads_than_receive_buffers(self):
        lines = b'{"phone":"2125551234"}\n' * 6000
        data = request('POST', '/v1/decisions', lines, Content_Type='application/x-ndjson')
        for backend in BACKENDS:
            server = self.start(*backend)
            whole = self.upload(server, 300, data, 60)
            self.assertEqual(len(whole), 300)
            for page in whole:  # the chunks' heads cut a line now and then
                self.assertGreater(page.count(b'"verdict"'), 5900)

    def test_a_dialer_beside_many_deaf_ones(self):
        # each would keep a receive buffer: for its batch, or for what it sent behind its answers
        batch = request('POST', '/v1/decisions', b'{"records":[' + b'1,' * 14000 + b'1]}')
        lines = request('POST', '/v1/decisions', b'{"phone":"2125551234"}\n' * 100000,
                        Content_Type='application/x-ndjson')
        for backend in BACKENDS:
            for data in (batch, lines):
                server = self.start(*backend)
                deaf = [self.slow_client(server) for _ in range(300)]
                for client in deaf:
                    self.addCleanup(client.close)
                    client.socket.setblocking(False)
                with server.client(timeout=10) as dialer:
                    for _ in range(3):
                        for client in deaf:
                            try:
                                client.socket.send(data)
                            except OSError:
                                pass  # its buffers are full, or it was hung up on
                        self.assertEqual(dialer.ask('GET', '/livez').status, 200)
                        answer = dialer.ask('POST', '/ocs/validate', {'GSW_PHONE': '2125551234'})
                        self.assertEqual(answer.status, 409)
                        time.sleep(0.2)

    def test_long_answers_that_nobody_reads(self):
        """They are held in memory up to a bound; then others are told so, until some are gone."""
        text = json.dumps({'version': '1', 'rules': [
            {'name': f'r{n}', 'type': 'location', 'where': {'state': ['TX']}, 'note': 'n' * 3900}
            for n in range(1000)]})
        server = self.start('--data', 'data')
        self.assertEqual(server.ask('PUT', '/v1/rules', text).status, 200)
        clients = [self.slow_client(server) for _ in range(200)]
        for client in clients:
            client.send(request('GET', '/v1/rules'))
        heads = [client.socket.recv(15) for client in clients]
        self.assertEqual(set(heads), {b'HTTP/1.1 200 OK', b'HTTP/1.1 503 Se'})
        self.assertGreaterEqual(heads.count(b'HTTP/1.1 200 OK'), 30)
        self.assertLess(server.metric('dialgate_resident_bytes'), 600 << 20)  # all of them: 800
        self.problem(server.ask('GET', '/v1/rules'), 503, 'busy')
        for client in clients:
            client.close()
        end = time.monotonic() + 20
        while server.ask('GET', '/v1/rules').status != 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(server.ask('GET', '/v1/rules').body.decode(), text)
