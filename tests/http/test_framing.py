# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes: splits, pipelines, versions, chunks, garbage and limits."""
import random
import time

from lib.client import Broken, request
from lib.engine import SharedEngineCase

LISTED, FREE = '2125551234', '2125559876'
RECORD_BYTES, HEADER_BYTES, TARGET_BYTES = 65536, 16384, 4096  # engine/base/limits.h


def validate(number, **headers):
    return request('POST', '/ocs/validate', {'GSW_PHONE': number}, **headers)


class TestFraming(SharedEngineCase):
    FILES = {'national.txt': LISTED + '\n'}
    OPTIONS = ('--list', 'national=national.txt', '--threads', '1')

    def served(self, client):
        """The connection still works."""
        self.allowed(client.ask('POST', '/ocs/validate', {'GSW_PHONE': FREE}))

    def test_split_at_every_byte(self):
        whole = validate(LISTED, Content_Type='application/json')
        with self.server.client() as client:
            for at in range(1, len(whole)):
                client.send(whole[:at])
                time.sleep(0.001)
                client.send(whole[at:])
                self.blocked(client.receive(), 'suppression', 'national')

    def test_one_byte_at_a_time(self):
        with self.server.client() as client:
            for byte in validate(LISTED):
                client.send(bytes([byte]))
            self.blocked(client.receive(), 'suppression')

    def test_chunks_split_at_every_byte(self):
        body = b'{"GSW_PHONE":"2125551234"}'
        whole = (b'POST /ocs/validate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
                 b'5;a=b\r\n' + body[:5] + b'\r\n15\r\n' + body[5:] + b'\r\n0\r\nX-T: 1\r\n\r\n')
        with self.server.client() as client:
            for at in range(1, len(whole)):
                client.send(whole[:at])
                time.sleep(0.001)
                client.send(whole[at:])
                self.blocked(client.receive(), 'suppression')

    def test_pipeline_is_answered_in_order(self):
        pick = random.Random(7)
        kinds = [pick.choice(('free', 'listed', 'bad', 'livez', 'none')) for _ in range(500)]
        part = {'free': validate(FREE), 'listed': validate(LISTED), 'bad': validate('12'),
                'livez': request('GET', '/livez'), 'none': request('GET', '/nowhere')}
        want = {'free': 200, 'listed': 409, 'bad': 409, 'livez': 200, 'none': 404}
        with self.server.client() as client:
            client.send(b''.join(part[kind] for kind in kinds))
            for kind in kinds:
                answer = client.receive()
                self.assertEqual(answer.status, want[kind], kind)
                if kind == 'bad':
                    self.blocked(answer, 'input')
                if kind == 'listed':
                    self.blocked(answer, 'suppression')

    def test_http_1_0(self):
        body = b'{"GSW_PHONE":"2125551234"}'
        head = b'POST /ocs/validate HTTP/1.0\r\nContent-Length: %d\r\n' % len(body)
        with self.server.client() as client:
            client.send(head + b'\r\n' + body)
            self.blocked(client.receive(), 'suppression')
            self.assertTrue(client.closed())
        with self.server.client() as client:
            for _ in range(3):
                client.send(head + b'Connection: Keep-Alive\r\n\r\n' + body)
                answer = client.receive()
                self.blocked(answer, 'suppression')
                self.assertEqual(answer.headers['connection'].lower(), 'keep-alive')

    def test_http_1_1_close(self):
        with self.server.client() as client:
            client.send(validate(FREE, Connection='close'))
            answer = client.receive()
            self.allowed(answer)
            self.assertEqual(answer.headers['connection'].lower(), 'close')
            self.assertTrue(client.closed())

    def test_expect_continue(self):
        body = b'{"GSW_PHONE":"2125551234"}'
        head = (b'POST /ocs/validate HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n'
                b'Content-Length: %d\r\n\r\n' % len(body))
        with self.server.client() as client:
            client.send(head)
            self.assertEqual(client.receive().status, 100)
            client.send(body)
            self.blocked(client.receive(), 'suppression')
            self.served(client)

    def test_expect_anything_else(self):
        with self.server.client() as client:
            client.send(validate(FREE, Expect='a-miracle'))
            self.problem(client.receive(), 417, 'expectation_failed')

    def test_framing_that_could_smuggle(self):
        head = b'POST /ocs/validate HTTP/1.1\r\nHost: x\r\n'
        for lines in (b'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n',
                      b'Content-Length: 2\r\nContent-Length: 3\r\n',
                      b'Content-Length: -1\r\n', b'Content-Length: 2x\r\n',
                      b'Content-Length: 99999999999999999999\r\n',
                      b'Content-Length : 2\r\n', b' folded: 1\r\nContent-Length: 2\r\n'):
            with self.subTest(lines), self.server.client() as client:
                client.send(head + lines + b'\r\n{}')
                self.assertIn(client.receive().status, (400, 413))
                self.assertTrue(client.closed())

    def test_bad_chunks(self):
        head = b'POST /ocs/validate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
        for body in (b'zz\r\n', b'-1\r\n', b'2\r\n{}xx', b'fffffffffffffffff\r\n'):
            with self.subTest(body), self.server.client() as client:
                client.send(head + body)
                self.assertIn(client.receive().status, (400, 409, 413))
                self.assertTrue(client.closed())

    def test_unknown_coding_and_version(self):
        for lines, status, code in (
                (b'POST /ocs/validate HTTP/1.1\r\nTransfer-Encoding: gzip\r\n', 501,
                 'coding_unknown'),
                (b'POST /ocs/validate HTTP/2.0\r\n', 505, 'http_version')):
            with self.subTest(code), self.server.client() as client:
                client.send(lines + b'Host: x\r\n\r\n')
                self.problem(client.receive(), status, code)

    def test_garbage(self):
        pick = random.Random(20261122)
        pieces = [b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(300), b'\0' * 100,
                  b'GET\r\n\r\n', b'GET /\x00 HTTP/1.1\r\n\r\n', b'{"GSW_PHONE":"1"}\r\n\r\n',
                  b'GET / HTTP/1.1\r\nno colon\r\n\r\n', b'G\xffT / HTTP/1.1\r\n\r\n']
        pieces += [bytes(pick.randrange(256) for _ in range(pick.randrange(1, 3000))) + b'\r\n\r\n'
                   for _ in range(100)]
        for piece in pieces:
            with self.subTest(piece[:40]), self.server.client() as client:
                client.send(piece)
                client.socket.shutdown(1)
                try:
                    self.assertGreaterEqual(client.receive().status, 400)
                except Broken:
                    pass  # what never became a request needs no answer
        with self.server.client() as client:
            self.served(client)

    def test_header_too_large(self):
        with self.server.client() as client:
            client.send(validate(FREE, X_Long='x' * HEADER_BYTES))
            self.problem(client.receive(), 431, 'header_too_large')
        with self.server.client() as client:  # never ends
            client.send(b'GET /livez HTTP/1.1\r\nX-Long: ' + b'x' * 2 * HEADER_BYTES)
            self.problem(client.receive(), 431, 'header_too_large')

    def test_too_many_headers(self):
        with self.server.client() as client:
            client.send(validate(FREE, **{f'X_{i}': 'y' for i in range(200)}))
            self.problem(client.receive(), 431, 'header_too_large')

    def test_target_too_long(self):
        with self.server.client() as client:
            client.send(request('GET', '/' + 'x' * (TARGET_BYTES + 1)))
            self.problem(client.receive(), 414, 'uri_too_long')

    def test_record_too_large_is_no_verdict_to_dial(self):
        record = {'GSW_PHONE': FREE, 'note': 'x' * RECORD_BYTES}
        with self.server.client() as client:
            self.blocked(client.ask('POST', '/ocs/validate', record), 'input')
            self.served(client)

    def test_largest_record_is_taken(self):
        record = '{"GSW_PHONE":"%s","note":"%s"}'
        record %= FREE, 'x' * (RECORD_BYTES - len(record % (FREE, '')))
        self.assertEqual(len(record), RECORD_BYTES)
        with self.server.client() as client:
            self.allowed(client.ask('POST', '/ocs/validate', record))
            self.blocked(client.ask('POST', '/ocs/validate', record + ' '), 'input')

    def test_body_too_large(self):
        with self.server.client() as client:
            client.send(b'POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n'
                        b'Content-Type: application/json\r\n\r\n')
            self.problem(client.receive(), 413, 'body_too_large')
            self.assertTrue(client.closed())

    def test_no_length(self):
        with self.server.client() as client:
            client.send(b'POST /ocs/validate HTTP/1.1\r\nHost: x\r\n\r\n')
            self.problem(client.receive(), 411, 'length_required')

    def test_unknown_path_and_wrong_method(self):
        with self.server.client() as client:
            self.problem(client.ask('GET', '/nowhere'), 404, 'not_found')
            self.problem(client.ask('GET', '/ocs/validate/more/of/it'), 404, 'not_found')
            answer = client.ask('GET', '/ocs/validate')
            self.problem(answer, 405, 'method_not_allowed')
            self.assertEqual(answer.headers['allow'], 'POST')
            answer = client.ask('POST', '/v1/lists/national/entries/2125551234', {})
            self.problem(answer, 405, 'method_not_allowed')
            self.assertEqual(sorted(answer.headers['allow'].split(', ')), ['DELETE', 'GET', 'PUT'])
            self.problem(client.ask('BREW', '/livez'), 405, 'method_not_allowed')
            self.served(client)

    def test_any_or_no_content_type(self):
        with self.server.client() as client:
            for kind in ('application/json', 'text/plain', 'application/x-www-form-urlencoded',
                         'nonsense', 'application/json; charset=latin-1'):
                client.send(validate(LISTED, Content_Type=kind))
                self.blocked(client.receive(), 'suppression')
            client.send(validate(LISTED))
            self.blocked(client.receive(), 'suppression')
