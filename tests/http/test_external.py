# SPDX-License-Identifier: Apache-2.0
"""Rules that ask a customer's own service: what it gets, what its answer means, and that nobody
else waits for it."""
import json
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from lib.client import Broken, request
from lib.engine import EngineCase
from lib.service import Service

NOON = '2026-11-23T17:00:00Z'
PHONE = {'GSW_PHONE': '2125550100', 'GSW_CAMPAIGN_GROUP_NAME': 'asks'}
OTHER = {'GSW_PHONE': '2125550100', 'GSW_CAMPAIGN_GROUP_NAME': 'other'}
SILENT = 'the external service has not answered, so nothing is allowed'


class ExternalCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', '2125559999\n')
        self.service = Service()
        self.addCleanup(self.service.stop)

    def url(self, path):
        return f'http://127.0.0.1:{self.service.port}/{path}'

    def rule(self, path, name='service', **more):
        return {'name': name, 'type': 'external', 'timeout_ms': 5000, 'url': self.url(path), **more}

    def document(self, *rules, **more):
        return {'version': '1', 'rules': list(rules), **more,
                'plans': [{'campaign_group': 'asks', 'rules': [r['name'] for r in rules]}]}

    def start(self, *rules, threads=2, options=(), env=None):
        self.write('r.json', json.dumps(self.document(*rules)))
        return self.engine('--list', 'n=n.txt', '--rules', 'r.json', '--now', NOON, '--threads',
                           threads, *options, env=env)

    def silent(self, response, rule='service'):
        self.blocked(response, 'external', rule)

    def asks(self, engine, result):
        return engine.metric(f'dialgate_external_asks_total{{result="{result}"}}')

    def idle(self, engine):
        """Nothing is under way any more."""
        end = time.monotonic() + 10
        while engine.metric('dialgate_external_asks') > 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)


class TestAnswers(ExternalCase):
    def test_it_gets_the_record_as_it_came(self):
        engine = self.start(self.rule('allow'))
        record = (b'{ "GSW_PHONE" : "+1 212-555-0100",\n"GSW_CAMPAIGN_GROUP_NAME":"asks",'
                  b'"x":"\\u00e9" }')
        self.allowed(engine.validate(record))
        (path, headers, body), = self.service.asked
        self.assertEqual((path, body), ('/allow', record))
        self.assertEqual(headers['Content-Type'], 'application/json')
        self.assertEqual(self.asks(engine, 'allows'), 1)
        self.assertEqual(engine.metric('dialgate_external_asks'), 0)

    def test_a_large_record(self):
        engine = self.start(self.rule('allow'))
        record = json.dumps({**PHONE, 'note': 'n' * 60000})
        self.allowed(engine.validate(record))
        self.assertEqual(self.service.asked[0][2], record.encode())

    def test_refused(self):
        engine = self.start(self.rule('refuse', call_result=40))
        for _ in range(2):  # its answer, and what is kept of it
            self.blocked(engine.validate(PHONE), 'external', 'service', 77)
        self.assertEqual(self.service.count(), 1)
        self.assertEqual(self.asks(engine, 'refuses'), 1)
        self.assertEqual(engine.metric('dialgate_decisions_total{verdict="block",'
                                       'type="external"}'), 2)
        self.assertEqual(engine.metric('dialgate_rule_blocks_total{tenant="default",'
                                       'rule="service",mode="enforce"}'), 2)

    def test_refused_without_a_result_of_its_own(self):
        for path in ('refuse_only', 'refuse_badly', 'refuse_beyond'):
            with self.subTest(path):
                engine = self.start(self.rule(path, call_result=40))
                self.blocked(engine.validate(PHONE), 'external', 'service', 40)
                self.assertEqual(self.asks(engine, 'refuses'), 1)

    def test_answers_of_other_shapes(self):
        for path, status in (('first_continue', 200), ('until_close', 200), ('chunked', 409)):
            with self.subTest(path):
                answer = self.start(self.rule(path)).validate(PHONE)
                self.assertEqual(answer.status, status)
                if status == 409:
                    self.blocked(answer, 'external', 'service', 77)

    def test_what_is_no_answer(self):
        for path in ('error', 'nothing', 'redirect', 'huge', 'garbage', 'cut_off', 'hang_up',
                     'half_a_head', 'endless_head', 'only_continue'):
            with self.subTest(path):
                engine = self.start(self.rule(path))
                began = time.monotonic()
                self.silent(engine.validate(PHONE))
                self.assertLess(time.monotonic() - began, 4)  # it did not wait for the deadline
                self.assertEqual(self.asks(engine, 'silent'), 1)
                self.assertIn('external: ', engine.said())
        self.assertEqual(self.service.count('/allow'), 0)

    def test_nobody_listens(self):
        with socket.socket() as closed:  # bound and not listening: nobody else gets the port
            closed.bind(('127.0.0.1', 0))
            port = closed.getsockname()[1]
            engine = self.start(self.rule('allow', url=f'http://127.0.0.1:{port}/'))
            self.silent(engine.validate(PHONE))

    def test_several_are_asked_in_order(self):
        rules = [self.rule('allow?1', 'one', cache='0s'), self.rule('by_phone', 'two', cache='0s'),
                 self.rule('allow?3', 'three', cache='0s', priority=200)]
        engine = self.start(*rules)
        self.allowed(engine.validate(PHONE))
        self.assertEqual([p for p, *_ in self.service.asked], ['/allow?1', '/by_phone', '/allow?3'])
        self.blocked(engine.validate({**PHONE, 'GSW_PHONE': '2125550101'}), 'external', 'two', 71)
        self.assertEqual([p for p, *_ in self.service.asked[3:]], ['/allow?1', '/by_phone'])

    def test_more_rules_than_one_question_may_ask(self):
        engine = self.start(*[self.rule(f'allow?{n}', f'rule {n:02}') for n in range(12)])
        self.silent(engine.validate(PHONE), 'rule 08')
        self.assertEqual(self.service.count(), 8)
        self.allowed(engine.validate(PHONE))  # what is kept is not asked again
        self.assertEqual(self.service.count(), 12)

    def test_what_blocks_before_is_not_asked_about(self):
        self.write('n.txt', '2125559999\n3125550100\n')
        shut = {'name': 'hours', 'type': 'contact_times', 'priority': 50,
                'where': {'state': ['CA']},
                'windows': [{'days': 'daily', 'from': '01:00', 'till': '02:00'}]}
        engine = self.start(self.rule('allow'), shut)
        self.blocked(engine.validate({**PHONE, 'GSW_PHONE': '3125550100'}), 'suppression')
        self.blocked(engine.validate({**PHONE, 'GSW_PHONE': '2135550100'}), 'contact_times')
        self.blocked(engine.validate({**PHONE, 'GSW_PHONE': '1'}), 'input')
        self.allowed(engine.validate(OTHER))
        self.assertEqual(self.service.count(), 0)

    def test_what_blocks_behind_still_blocks(self):
        later = {'name': 'later', 'type': 'location', 'priority': 200, 'where': {'country': ['US']}}
        engine = self.start(self.rule('allow'), later)
        self.blocked(engine.validate(PHONE), 'location', 'later')
        self.assertEqual(self.service.count(), 1)

    def test_one_attempt_is_kept_free_once(self):
        limit = {'name': 'limit', 'type': 'attempts', 'max': 1, 'period': 'today', 'priority': 200}
        engine = self.start(self.rule('allow', cache='0s'), limit, options=('--data', 'data'))
        self.allowed(engine.validate(PHONE))
        self.blocked(engine.validate(PHONE), 'attempts', 'limit')

    def test_shadow(self):
        engine = self.start(self.rule('refuse', mode='shadow'), self.rule('allow', 'other'))
        name = 'dialgate_rule_blocks_total{tenant="default",rule="service",mode="shadow"}'
        self.allowed(engine.validate(PHONE))
        self.service.wait(2)
        self.idle(engine)
        self.assertEqual(engine.metric(name), 1)
        self.allowed(engine.validate(PHONE))
        self.assertEqual(engine.metric(name), 2)
        self.assertEqual(self.service.count(), 2)

    def test_rules_replaced_meanwhile(self):
        engine = self.start(self.rule('held'), threads=1, options=('--data', 'data'))
        with engine.client() as client:
            client.send(request('POST', '/ocs/validate', PHONE))
            self.service.wait(1)
            gone = self.document({'name': 'gone', 'type': 'location', 'where': {'country': ['US']}})
            self.assertEqual(engine.ask('PUT', '/v1/rules', gone).status, 200)
            self.service.go_on.set()
            self.blocked(client.receive(), 'location', 'gone')


class TestTime(ExternalCase):
    def test_a_slow_service_blocks_in_time_and_delays_nobody(self):
        engine = self.start(self.rule('held', timeout_ms=700), threads=1)
        with engine.client() as slow, engine.client() as other:
            began = time.monotonic()
            slow.send(request('POST', '/ocs/validate', PHONE))
            self.service.wait(1)
            waits = []
            for _ in range(50):
                before = time.monotonic()
                self.allowed(other.ask('POST', '/ocs/validate', OTHER))
                waits.append(time.monotonic() - before)
            self.assertLess(time.monotonic() - began, 0.6, 'the others were to be done by then')
            self.assertLess(sorted(waits)[45], 0.02)
            self.assertEqual(engine.metric('dialgate_external_asks'), 1)
            self.silent(slow.receive())
            took = time.monotonic() - began
            self.assertGreater(took, 0.65)
            self.assertLess(took, 1.5)

    def test_kept_for_all_connections_and_threads(self):
        engine = self.start(self.rule('by_phone'), threads=4)
        for _ in range(40):
            self.allowed(engine.validate(PHONE))
        self.assertEqual(self.service.count(), 1)
        odd = {**PHONE, 'GSW_PHONE': '2125550101'}  # another contact is another question
        for _ in range(10):
            self.blocked(engine.validate(odd), 'external', 'service', 71)
        self.assertEqual(self.service.count(), 2)

    def test_kept_by_contact(self):
        engine = self.start(self.rule('allow'))
        seen = 0
        for more in ({}, {'GSW_CUSTOMER_ID': 'a'}, {'GSW_CUSTOMER_ID': 'b'},
                     {'GSW_PHONE': '2125550102'}):
            for _ in range(2):
                self.allowed(engine.validate({**PHONE, **more}))
            seen += 1
            self.assertEqual(self.service.count(), seen, more)

    def test_kept_no_longer_than_the_rule_says(self):
        engine = self.start(self.rule('allow', cache='1s'))
        for _ in range(5):
            self.allowed(engine.validate(PHONE))
        self.assertEqual(self.service.count(), 1)
        time.sleep(1.1)
        self.allowed(engine.validate(PHONE))
        self.assertEqual(self.service.count(), 2)

    def test_not_kept(self):
        engine = self.start(self.rule('allow', cache='0s'))
        for count in range(1, 6):
            self.allowed(engine.validate(PHONE))
            self.assertEqual(self.service.count(), count)

    def test_silence_is_kept_a_second(self):
        engine = self.start(self.rule('error', cache='1d'))
        for _ in range(5):
            self.silent(engine.validate(PHONE))
        self.assertEqual(self.service.count(), 1)
        time.sleep(1.1)
        self.silent(engine.validate(PHONE))
        self.assertEqual(self.service.count(), 2)


class TestConnections(ExternalCase):
    def test_pipelined_questions_keep_their_order(self):
        slow = self.rule('held', 'slow', where={'state': ['CA']})
        engine = self.start(self.rule('by_phone'), slow, threads=1)
        records = [{**PHONE, 'GSW_PHONE': p} for p in
                   ('2125550101', '2135550100', '2125550103', '2125550104')]
        records[2:2] = [OTHER, {**OTHER, 'GSW_PHONE': '2125559999'}]
        with engine.client() as client:
            client.send(b''.join(request('POST', '/ocs/validate', r) for r in records))
            self.blocked(client.receive(), 'external', 'service', 71)
            self.service.wait(3)
            time.sleep(0.2)
            self.assertEqual(self.service.count(), 3)  # the others are behind the one that waits
            self.service.go_on.set()
            self.allowed(client.receive())
            self.allowed(client.receive())
            self.blocked(client.receive(), 'suppression')
            self.blocked(client.receive(), 'external', 'service', 71)
            self.allowed(client.receive())

    def leave(self, client, k):
        """Every other one with a reset: the engine answers those that only close."""
        if k % 2:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        client.close()

    def test_a_connection_that_goes_away(self):
        for k in range(2):
            engine = self.start(self.rule('held'), threads=1)
            self.service.go_on.clear()
            client = engine.client()
            client.send(request('POST', '/ocs/validate', PHONE))
            self.service.wait(k + 1)
            self.leave(client, k)
            time.sleep(0.1)
            self.assertEqual(engine.metric('dialgate_external_asks'), 1)
            self.service.go_on.set()
            self.idle(engine)
            self.allowed(engine.validate(PHONE))  # its answer was kept
            self.assertEqual(self.service.count(), k + 1)
            self.assertEqual(engine.metric('dialgate_decisions_total{verdict="allow",type=""}'),
                             2 - k)

    def test_many_that_go_away(self):
        engine = self.start(self.rule('held', timeout_ms=10000), threads=1)
        for n in range(0, 600, 100):  # more than there is room for: each gives its place back
            clients = [engine.client() for _ in range(100)]
            for k, client in enumerate(clients):
                client.send(request('POST', '/ocs/validate',
                                    {**PHONE, 'GSW_PHONE': f'212555{n + k:04}'}))
            self.service.wait(n + 100)
            for k, client in enumerate(clients):
                self.leave(client, k)
            self.service.go_on.set()
            self.idle(engine)
            self.service.go_on.clear()
        self.service.go_on.set()
        self.assertEqual(self.asks(engine, 'unsent'), 0)
        self.allowed(engine.validate({**PHONE, 'GSW_PHONE': '3125550100'}))

    def test_200_at_once(self):
        engine = self.start(self.rule('by_phone'))
        clients = [engine.client() for _ in range(50)]
        for k, client in enumerate(clients):
            self.addCleanup(client.close)
            client.send(b''.join(request('POST', '/ocs/validate', {
                **PHONE, 'GSW_PHONE': f'2125{600000 + 4 * k + n}'}) for n in range(4)))
        for client in clients:
            for n in range(4):
                if n % 2:
                    self.blocked(client.receive(), 'external', 'service', 71)
                else:
                    self.allowed(client.receive())
        self.assertEqual(self.service.count(), 200)
        self.assertEqual(self.asks(engine, 'silent') + self.asks(engine, 'unsent'), 0)

    def test_more_than_there_is_room_for(self):
        engine = self.start(self.rule('held', timeout_ms=10000), threads=1)
        clients = [engine.client() for _ in range(300)]
        for n, client in enumerate(clients):
            self.addCleanup(client.close)
            client.send(request('POST', '/ocs/validate', {**PHONE, 'GSW_PHONE': f'212555{n:04}'}))
        end = time.monotonic() + 20
        while self.asks(engine, 'unsent') < 44:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.service.wait(256)
        self.service.go_on.set()
        statuses = [client.receive().status for client in clients]
        self.assertEqual((statuses.count(200), statuses.count(409)), (256, 44))

    def test_the_end_waits_for_no_service(self):
        engine = self.start(self.rule('held', timeout_ms=10000), threads=1)
        with engine.client() as client, engine.client() as gone:
            client.send(request('POST', '/ocs/validate', PHONE))
            gone.send(request('POST', '/ocs/validate', {**PHONE, 'GSW_PHONE': '2125550102'}))
            self.service.wait(2)
            gone.close()
            began = time.monotonic()
            engine.signal(signal.SIGTERM)
            self.silent(client.receive())
            self.assertEqual(engine.wait(), 0)
            self.assertLess(time.monotonic() - began, 3)

    def test_the_end_under_load(self):
        engine = self.start(self.rule('held', timeout_ms=10000))
        clients = [engine.client() for _ in range(60)]
        stop = threading.Event()

        def ask(client, k):
            try:
                for n in range(1000):
                    if stop.is_set():
                        return
                    client.ask('POST', '/ocs/validate', {**PHONE, 'GSW_PHONE': f'212{k:03}{n:04}'})
            except (OSError, Broken):
                pass
        threads = [threading.Thread(target=ask, args=(c, 200 + k)) for k, c in enumerate(clients)]
        for thread in threads:
            thread.start()
        self.service.wait(60)
        began = time.monotonic()
        try:
            self.assertEqual(engine.stop(), 0)
            self.assertLess(time.monotonic() - began, 8)
        finally:
            stop.set()
            for client in clients:
                client.close()
            for thread in threads:
                thread.join()


class TestTrust(ExternalCase):
    def test_a_certificate_that_nobody_vouches_for(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                        '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1',
                        '-keyout', 'key.pem', '-out', 'cert.pem'],
                       cwd=self.folder, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / 'cert.pem', self.folder / 'key.pem')
        service = Service(context)
        self.addCleanup(service.stop)
        engine = self.start(self.rule('allow', url=f'https://127.0.0.1:{service.port}/allow'))
        self.silent(engine.validate(PHONE))
        self.assertEqual(service.count(), 0)
        self.assertIn('certificate', engine.said())

    def test_no_encryption_where_some_was_asked_for(self):
        engine = self.start(self.rule('allow', url=f'https://127.0.0.1:{self.service.port}/allow'))
        self.silent(engine.validate(PHONE))
        self.assertEqual(self.service.count(), 0)

    def test_passwords_and_contacts_are_not_logged(self):
        url = f'http://dialler:pa55word@127.0.0.1:{self.service.port}/error'
        engine = self.start(self.rule('error', url=url), options=('--log-level', 'debug'))
        self.silent(engine.validate({**PHONE, 'GSW_CUSTOMER_ID': 'client-4711'}))
        self.assertTrue(self.service.asked[0][1]['Authorization'].startswith('Basic '))
        engine.ask('POST', '/v1/explain', PHONE)
        for word in ('pa55word', 'dialler', '5550100', '4711'):
            self.assertNotIn(word, engine.said())
            self.assertNotIn(word, engine.ask('GET', '/metrics').body.decode())
        self.assertNotIn('pa55word', engine.ask('POST', '/v1/explain', PHONE).body.decode())

    def test_no_proxy_of_the_environment(self):
        proxy = 'http://127.0.0.1:1'
        engine = self.start(self.rule('allow'), env={'http_proxy': proxy, 'ALL_PROXY': proxy})
        self.allowed(engine.validate(PHONE))


class TestBeside(ExternalCase):
    """Requests that do not wait for a service."""

    def results(self, engine, *records, lines=False):
        if lines:
            body = '\n'.join(json.dumps(r) for r in records)
            answer = engine.ask('POST', '/v1/decisions', body,
                                Content_Type='application/x-ndjson')
            return [json.loads(line) for line in answer.body.decode().splitlines()]
        return engine.ask('POST', '/v1/decisions', {'records': list(records)}).json()['results']

    def test_a_batch_gets_the_answer_the_next_time(self):
        engine = self.start(self.rule('by_phone', timeout_ms=2500, cache='90s'), threads=1)
        for lines in (False, True):
            with self.subTest(lines=lines):
                first = 2125550100 + 10 * lines
                records = [{'phone': str(first + n), 'GSW_PHONE': str(first + n),
                            'campaign_group': 'asks'} for n in range(3)]
                seen = self.service.count()
                for result in self.results(engine, *records, lines=lines):
                    self.assertEqual((result['verdict'], result['rule'], result['type'],
                                      result['reason'], result['retry_at']),
                                     ('block', 'service', 'external', SILENT,
                                      '2026-11-23T17:00:03Z'))
                self.service.wait(seen + 3)
                self.idle(engine)
                asked = [json.loads(body) for *_, body in self.service.asked[seen:]]
                self.assertEqual(sorted(asked, key=lambda r: r['phone']), records)
                again = self.results(engine, *records, lines=lines)
                self.assertEqual([r['verdict'] for r in again], ['allow', 'block', 'allow'])
                self.assertEqual(again[1]['reason'], 'the external service refused the contact')
                self.assertIn(again[1]['retry_at'],
                              ('2026-11-23T17:01:29Z', '2026-11-23T17:01:30Z'))
                self.assertEqual(self.service.count(), seen + 3)

    def test_a_batch_leaves_room_for_the_dialer(self):
        engine = self.start(self.rule('held', timeout_ms=10000), threads=1)
        records = [{'phone': f'212555{n:04}', 'campaign_group': 'asks'} for n in range(500)]
        results = self.results(engine, *records)
        self.assertEqual({r['reason'] for r in results}, {SILENT})
        self.assertEqual(self.asks(engine, 'unsent'), 500 - 128)
        self.assertEqual(engine.metric('dialgate_external_asks'), 128)
        with engine.client() as client:
            client.send(request('POST', '/ocs/validate', PHONE))
            self.service.wait(129)
            self.service.go_on.set()
            self.allowed(client.receive())

    def test_explain_shows_what_is_known_and_asks_nobody(self):
        engine = self.start(self.rule('refuse'))

        def explained():
            answer = engine.ask('POST', '/v1/explain', PHONE).json()
            rule, = [r for r in answer['rules'] if r['name'] == 'service']
            return answer, rule['inputs']
        answer, inputs = explained()
        self.assertEqual((answer['verdict'], answer['reason']), ('block', SILENT))
        self.assertEqual((inputs['service'], inputs['service_until']), ('not asked', None))
        self.assertEqual(self.service.count(), 0)
        self.blocked(engine.validate(PHONE), 'external', 'service', 77)
        answer, inputs = explained()
        self.assertEqual((answer['verdict'], answer['GSW_CALL_RESULT']), ('block', 77))
        self.assertEqual(inputs['service'], 'refuses')
        self.assertIn(inputs['service_until'], ('2026-11-23T17:00:59Z', '2026-11-23T17:01:00Z'))
        self.assertEqual(self.service.count(), 1)

    def test_when_goes_by_what_is_known(self):
        engine = self.start(self.rule('allow'))
        self.assertEqual(engine.ask('POST', '/v1/when', PHONE).json()['intervals'], [])
        self.assertEqual(self.service.count(), 0)
        self.allowed(engine.validate(PHONE))
        answer = engine.ask('POST', '/v1/when', PHONE).json()
        self.assertEqual(answer['next'], NOON)
        self.assertEqual(self.service.count(), 1)
