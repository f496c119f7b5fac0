# SPDX-License-Identifier: Apache-2.0
"""POST /v1/decisions: batches as JSON and as NDJSON."""
import json
import random
import time

from lib.client import request
from lib.engine import SharedEngineCase

KEYS = {'verdict', 'rule', 'type', 'reason', 'retry_at'}


class TestDecisions(SharedEngineCase):
    FILES = {'national.txt': ''.join(f'21255{n:05}\n' for n in range(0, 100000, 3)),
             'mail.txt': 'stop@example.com\n', 'texts.txt': '3125550000\n',
             'spans.csv': 'phone,from,till\n3125550001,2026-01-01T00:00:00Z,'
                          '2026-02-01T00:00:00Z\n'}
    OPTIONS = ('--list', 'national=national.txt', '--list', 'optout=mail.txt,kind=email',
               '--list', 'texts=texts.txt,channel=sms', '--list', 'spans=spans.csv')

    def decide(self, body, **headers):
        answer = self.server.ask('POST', '/v1/decisions', body, **headers)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()['results']

    def verdicts(self, records, **head):
        return [r['verdict'] for r in self.decide({'records': records, **head})]

    def lines(self, body, query='', **headers):
        answer = self.server.ask('POST', '/v1/decisions' + query, body,
                                 Content_Type='application/x-ndjson', **headers)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers['content-type'].split(';')[0], 'application/x-ndjson')
        return [json.loads(line) for line in answer.body.decode().splitlines()]

    def numbers(self, count, seed):
        pick = random.Random(seed)
        numbers = [pick.randrange(100000) for _ in range(count)]
        return ([{'phone': f'21255{n:05}'} for n in numbers],
                ['allow' if n % 3 else 'block' for n in numbers])

    def test_shape_of_results(self):
        allow, block, bad = self.decide({'records': [
            {'phone': '2125500001'}, {'phone': '(212) 550-0000'}, {'phone': 'x'}]})
        for result in (allow, block, bad):
            self.assertEqual(set(result), KEYS)
            self.assertIsNone(result['retry_at'])
        self.assertEqual(allow['verdict'], 'allow')
        self.assertEqual((block['verdict'], block['rule'], block['type']),
                         ('block', 'national', 'suppression'))
        self.assertIn('suppression list', block['reason'])
        self.assertEqual((bad['verdict'], bad['type']), ('block', 'input'))

    def test_keys_of_a_record(self):
        self.assertEqual(self.verdicts([
            {'GSW_PHONE': '2125500000'}, {'email': 'STOP@example.com'},
            {'phone': '2125500001', 'email': 'stop@example.com'}, {'contact_info': 2125500003},
            {'email': 'go@example.com', 'other': {'deep': [1]}}]),
            ['block', 'block', 'block', 'block', 'allow'])

    def test_ten_thousand_records_in_order(self):
        records, wanted = self.numbers(10000, 1)
        self.assertEqual(self.verdicts(records), wanted)

    def test_ten_thousand_lines_in_order(self):
        records, wanted = self.numbers(10000, 2)
        body = '\n'.join(map(json.dumps, records))
        for text in (body, body + '\n', body.replace('\n', '\r\n') + '\r\n\r\n'):
            self.assertEqual([r['verdict'] for r in self.lines(text)], wanted)

    def test_lines_in_chunks_of_any_size(self):
        records, wanted = self.numbers(2000, 3)
        body = '\n'.join(map(json.dumps, records)).encode()
        pick = random.Random(4)
        with self.server.client() as client:
            client.send(b'POST /v1/decisions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n'
                        b'Content-Type: application/x-ndjson\r\n\r\n')
            at = 0
            while at < len(body):
                size = min(pick.choice((1, 7, 100, 5000)), len(body) - at)
                client.send(b'%x\r\n%s\r\n' % (size, body[at:at + size]))
                at += size
            client.send(b'0\r\n\r\n')
            answer = client.receive()
            got = [json.loads(line)['verdict'] for line in answer.body.splitlines()]
            self.assertEqual(got, wanted)
            self.assertEqual(client.ask('GET', '/livez').status, 200)

    def test_a_bad_record_in_the_middle(self):
        records, wanted = self.numbers(99, 5)
        for bad in ({}, {'phone': '12'}, [], 7, 'text', None, {'phone': []}):
            mixed = records[:50] + [bad] + records[50:]
            results = self.decide({'records': mixed})
            self.assertEqual([r['verdict'] for r in results],
                             wanted[:50] + ['block'] + wanted[50:])
            self.assertEqual(results[50]['type'], 'input')
        lines = [json.dumps(r) for r in records]
        results = self.lines('\n'.join(lines[:50] + ['{"phone":', 'x'] + lines[50:]))
        self.assertEqual([r['verdict'] for r in results],
                         wanted[:50] + ['block', 'block'] + wanted[50:])

    def test_a_record_too_deep_is_one_result(self):
        def nested(depth):
            return '{"phone":"2125500001","x":' + '[' * depth + ']' * depth + '}'

        for depth, second in ((7, 'allow'), (20, 'block'), (60, 'block')):
            body = '{"records":[{"phone":"2125500001"},%s,{"phone":"2125500001"}]}' % nested(depth)
            results = self.decide(body)
            self.assertEqual([r['verdict'] for r in results], ['allow', second, 'allow'], depth)
            self.assertEqual(results[1]['type'], '' if second == 'allow' else 'input', depth)
        answer = self.server.ask('POST', '/v1/decisions', '{"records":[%s]}' % nested(10000))
        self.assertEqual(answer.status, 400, answer)

    def test_a_line_longer_than_a_record(self):
        line = json.dumps({'phone': '2125500001'})
        results = self.lines('\n'.join([line, '{"phone":"2125500001","n":"' + 'x' * 200000 + '"}',
                                        line]))
        self.assertEqual([r['verdict'] for r in results], ['allow', 'block', 'allow'])
        self.assertEqual(results[1]['type'], 'input')

    def test_at(self):
        record = [{'phone': '3125550001'}]
        for at, wanted in (('2026-01-15T00:00:00Z', 'block'), ('2026-02-15T00:00:00Z', 'allow'),
                           ('2026-01-31T23:59:59-05:00', 'allow'),
                           ('2026-01-31T23:59:59+00:00', 'block')):
            self.assertEqual(self.verdicts(record, at=at), [wanted], at)
            self.assertEqual(self.verdicts([{'phone': '3125550001', 'at': at}]), [wanted], at)
            escaped = at.replace('+', '%2B')
            self.assertEqual(self.lines(json.dumps(record[0]), '?at=' + escaped)[0]['verdict'],
                             wanted)
        answer = self.server.ask('POST', '/v1/decisions', {'records': record, 'at': 'yesterday'})
        self.problem(answer, 400, 'bad_instant')
        self.assertEqual(self.decide({'records': [{'phone': '3125550001', 'at': 'x'}]})[0]['type'],
                         'input')

    def test_channel(self):
        record = [{'phone': '3125550000'}]
        self.assertEqual(self.verdicts(record), ['allow'])
        self.assertEqual(self.verdicts(record, channel='voice'), ['allow'])
        self.assertEqual(self.verdicts(record, channel='sms'), ['block'])
        self.assertEqual(self.verdicts([{'phone': '3125550000', 'channel': 'sms'}]), ['block'])
        answer = self.server.ask('POST', '/v1/decisions', {'records': record, 'channel': 'fax'})
        self.problem(answer, 400, 'bad_value')

    def test_empty(self):
        self.assertEqual(self.decide({'records': []}), [])
        self.assertEqual(self.lines(''), [])

    def test_malformed(self):
        for body in ('', 'x', '[]', '{}', '{"records":{}}', '{"records":[{]}', '{"records":[',
                     '{"records":[{"phone":"2125500001"}]', '{"records":[]} x',
                     '{"records":[{"phone":"2125500001"},]}', '{"records":[],"nonsense":1}',
                     '{"records":[],"at":5}'):
            with self.subTest(body):
                answer = self.server.ask('POST', '/v1/decisions', body)
                self.problem(answer, 400, 'bad_json')

    def test_http_1_0(self):
        body = json.dumps({'records': self.numbers(3000, 6)[0]}).encode()
        with self.server.client() as client:
            client.send(b'POST /v1/decisions HTTP/1.0\r\nContent-Length: %d\r\n\r\n' % len(body)
                        + body)
            self.assertEqual(len(client.receive().json()['results']), 3000)

    def test_a_batch_does_not_hold_up_a_dialer(self):
        records, _ = self.numbers(10000, 8)
        batch = request('POST', '/v1/decisions', {'records': records * 10})
        with self.server.client() as slow, self.server.client() as dialer:
            slow.send(batch)
            worst = 0
            for _ in range(200):
                began = time.monotonic()
                dialer.ask('POST', '/ocs/validate', {'GSW_PHONE': '2125500001'})
                worst = max(worst, time.monotonic() - began)
            self.assertEqual(len(slow.receive().json()['results']), 100000)
        self.assertLess(worst, 0.5)

    def test_a_client_that_leaves_in_the_middle(self):
        records, _ = self.numbers(10000, 9)
        for kind in ('application/json', 'application/x-ndjson'):
            body = (json.dumps({'records': records}) if kind == 'application/json' else
                    '\n'.join(map(json.dumps, records)))
            for _ in range(5):
                with self.server.client() as client:
                    client.send(request('POST', '/v1/decisions', body, Content_Type=kind))
                    client.socket.recv(1000)
        self.assertEqual(self.verdicts([{'phone': '2125500000'}]), ['block'])
