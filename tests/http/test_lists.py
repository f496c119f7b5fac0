# SPDX-License-Identifier: Apache-2.0
"""/v1/lists: entries and lists by the API."""
from concurrent.futures import ThreadPoolExecutor

from lib.engine import EngineCase

ENTRY = '/v1/lists/{}/entries/{}'


class TestEntries(EngineCase):
    NOW = '2026-06-01T00:00:00Z'

    def setUp(self):
        super().setUp()
        self.write('national.txt', '2125550001\n2125550002\n')
        self.server = self.engine(
            '--data', 'data', '--now', self.NOW, '--list', 'national=national.txt',
            '--list', 'clients=,kind=client', '--list', 'mail=,kind=email')

    def put(self, list_name, value, body=None):
        return self.server.ask('PUT', ENTRY.format(list_name, value), body or '')

    def get(self, list_name, value):
        return self.server.ask('GET', ENTRY.format(list_name, value))

    def delete(self, list_name, value):
        return self.server.ask('DELETE', ENTRY.format(list_name, value))

    def status(self, number):
        return self.server.validate({'GSW_PHONE': number}).status

    def test_put_is_in_force_when_it_is_answered(self):
        for n in range(100):
            number = f'2125551{n:03}'
            self.assertEqual(self.status(number), 200)
            self.assertEqual(self.put('national', number).status, 201)
            self.assertEqual(self.status(number), 409)
            self.assertEqual(self.delete('national', number).status, 204)
            self.assertEqual(self.status(number), 200)

    def test_put_again(self):
        self.assertEqual(self.put('national', '2125551000').status, 201)
        answer = self.put('national', '+1%20(212)%20555-1000')
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json()['list'], 'national')

    def test_put_without_a_body(self):
        path = ENTRY.format('national', '2125551000')
        self.assertEqual(self.server.ask('PUT', path).status, 201)
        self.assertEqual(self.status('2125551000'), 409)

    def test_get(self):
        answer = self.get('national', '2125550001')
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json(), {'list': 'national', 'tenant': 'default', 'listed': True,
                                         'source': 'file', 'from': None, 'till': None})
        self.put('national', '2125550001')
        self.assertEqual(self.get('national', '2125550001').json()['source'], 'both')
        self.put('national', '2125551000')
        self.assertEqual(self.get('national', '2125551000').json()['source'], 'api')
        self.problem(self.get('national', '2125559999'), 404, 'entry_unknown')

    def test_delete_of_what_a_file_named(self):
        self.assertEqual(self.delete('national', '2125550001').status, 204)
        self.assertEqual(self.status('2125550001'), 200)
        self.assertEqual(self.status('2125550002'), 409)
        self.problem(self.get('national', '2125550001'), 404, 'entry_unknown')
        self.problem(self.delete('national', '2125550001'), 404, 'entry_unknown')
        self.assertIn(self.put('national', '2125550001').status, (200, 201))
        self.assertEqual(self.status('2125550001'), 409)

    def test_unknown(self):
        self.problem(self.get('nothing', '2125550001'), 404, 'list_unknown')
        self.problem(self.put('nothing', '2125550001'), 404, 'list_unknown')
        self.problem(self.delete('nothing', '2125550001'), 404, 'list_unknown')
        self.problem(self.delete('national', '2125559999'), 404, 'entry_unknown')

    def test_values_that_are_none(self):
        for list_name, value in (('national', 'x'), ('national', '12'), ('national', '%zz'),
                                 ('mail', 'nobody'), ('clients', 'x' * 300),
                                 ('clients', '%0a')):
            with self.subTest(value[:10]):
                self.problem(self.put(list_name, value), 400, 'bad_value')

    def test_kinds(self):
        self.assertEqual(self.put('clients', 'C%2F1%20%C3%A9').status, 201)
        self.blocked(self.server.validate({'GSW_CUSTOMER_ID': 'C/1 \u00e9'}), 'suppression',
                     'clients')
        self.allowed(self.server.validate({'GSW_CUSTOMER_ID': 'C/1 e'}))
        self.assertEqual(self.put('mail', 'Stop%40Example.com').status, 201)
        results = self.server.ask('POST', '/v1/decisions', {'records': [
            {'email': 'stop@example.com'}, {'email': 'go@example.com'}]}).json()['results']
        self.assertEqual([r['verdict'] for r in results], ['block', 'allow'])

    def test_spans(self):
        number = '2125551000'
        answer = self.put('national', number, {'till': '2026-05-01T00:00:00Z'})
        self.assertEqual(answer.status, 201)
        self.assertEqual(self.status(number), 200)  # over
        at = {'at': '2026-04-01T00:00:00Z', 'records': [{'phone': number}]}
        self.assertEqual(self.server.ask('POST', '/v1/decisions', at).json()
                         ['results'][0]['verdict'], 'block')
        self.put('national', '2125551001', {'from': '2026-07-01T00:00:00Z'})
        self.assertEqual(self.status('2125551001'), 200)  # not yet
        self.put('national', '2125551002', {'from': '2026-05-01T00:00:00-05:00',
                                            'till': '2026-07-01T00:00:00Z'})
        self.assertEqual(self.status('2125551002'), 409)
        got = self.get('national', '2125551002').json()
        self.assertEqual((got['from'], got['till']),
                         ('2026-05-01T05:00:00Z', '2026-07-01T00:00:00Z'))

    def test_a_put_never_shortens(self):
        number = '2125551000'
        self.put('national', number, {'from': '2026-05-01T00:00:00Z',
                                      'till': '2026-06-15T00:00:00Z'})
        answer = self.put('national', number, {'from': '2026-06-10T00:00:00Z',
                                               'till': '2026-08-01T00:00:00Z'})
        self.assertEqual((answer.status, answer.json()['from'], answer.json()['till']),
                         (200, '2026-05-01T00:00:00Z', '2026-08-01T00:00:00Z'))
        answer = self.put('national', number, {'from': '2026-06-30T00:00:00Z',
                                               'till': '2026-07-01T00:00:00Z'})
        self.assertEqual(answer.json()['till'], '2026-08-01T00:00:00Z')
        self.assertIsNone(self.put('national', number).json()['till'])
        self.assertEqual(self.status(number), 409)

    def test_bad_spans(self):
        for body, code in (({'from': 'today'}, 'bad_instant'), ({'from': 5}, 'bad_instant'),
                           ({'from': '2026-01-01T00:00:00'}, 'bad_instant'),
                           ({'from': '2026-02-01T00:00:00Z', 'till': '2026-01-01T00:00:00Z'},
                            'bad_value'), ({'untill': None}, 'bad_json'), ([], 'bad_json'),
                           ('{', 'bad_json')):
            with self.subTest(body):
                self.problem(self.server.ask('PUT', ENTRY.format('national', '2125551000'), body),
                             400, code)
        self.assertEqual(self.status('2125551000'), 200)

    def test_many_writers(self):
        numbers = [f'21266{n:05}' for n in range(2000)]

        def write(part):
            with self.server.client() as client:
                return [client.ask('PUT', ENTRY.format('national', n), '').status for n in part]

        with ThreadPoolExecutor(8) as pool:
            done = [s for part in pool.map(write, [numbers[i::8] for i in range(8)]) for s in part]
        self.assertEqual(set(done), {201})
        got = self.server.ask('POST', '/v1/decisions', {'records': [{'phone': n} for n in numbers]})
        self.assertEqual({r['verdict'] for r in got.json()['results']}, {'block'})
        listed = self.server.ask('GET', '/v1/lists/national').json()
        self.assertEqual((listed['entries'], listed['entries_api']), (2002, 2000))

    def test_pipelined_changes_are_answered_in_order(self):
        from lib.client import request
        path = ENTRY.format('national', '2125551000')
        ask = request('POST', '/ocs/validate', {'GSW_PHONE': '2125551000'})
        with self.server.client() as client:
            client.send((request('PUT', path, '') + ask + request('DELETE', path) + ask) * 50)
            for _ in range(50):
                self.assertEqual([client.receive().status for _ in range(4)], [201, 409, 204, 200])


class TestLists(EngineCase):
    def test_index(self):
        self.write('n.txt', '2125550001\n2125550001\n\nx\n')
        engine = self.engine('--list', 'n=n.txt,channel=sms,optional', '--list', 'c=,kind=client',
                             '--data', 'data')
        lists = {one['name']: one for one in engine.ask('GET', '/v1/lists').json()['lists']}
        self.assertEqual(set(lists), {'n', 'c'})
        n, c = lists['n'], lists['c']
        self.assertEqual((n['kind'], n['channel'], n['required'], n['entries']),
                         ('device', 'sms', False, 1))
        self.assertEqual(n['rows'], {'rows': 4, 'accepted': 1, 'duplicates': 1, 'invalid': 1,
                                     'suppressed': 0, 'skipped': 1})
        self.assertTrue(n['loaded_at'].endswith('Z'))
        self.assertEqual((c['kind'], c['required'], c['entries'], c['file']),
                         ('client', True, 0, None))

    def test_define(self):
        engine = self.engine('--data', 'data', '--list', 'n=')
        answer = engine.ask('PUT', '/v1/lists/mine', {'kind': 'client', 'required': True})
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(engine.ask('PUT', '/v1/lists/mine', {'kind': 'client', 'required': True})
                         .status, 200)
        self.problem(engine.ask('PUT', '/v1/lists/mine', {'kind': 'device'}), 409, 'conflict')
        for body in ({'kind': 'fax'}, {'channel': 'x'}):
            self.problem(engine.ask('PUT', '/v1/lists/other', body), 400, 'bad_value')
        for body in ('x', [], {'colour': 'red'}, {'required': 'yes'}):
            self.problem(engine.ask('PUT', '/v1/lists/other', body), 400, 'bad_json')
        self.problem(engine.ask('PUT', '/v1/lists/.bad', {}), 400, 'bad_value')
        self.assertEqual(engine.ask('PUT', ENTRY.format('mine', 'C-1'), '').status, 201)
        self.blocked(engine.validate({'GSW_CUSTOMER_ID': 'C-1'}), 'suppression', 'mine')
        self.assertEqual(engine.stop(), 0)
        engine = self.engine('--data', 'data', '--list', 'n=')
        self.blocked(engine.validate({'GSW_CUSTOMER_ID': 'C-1'}), 'suppression', 'mine')
        self.allowed(engine.validate({'GSW_CUSTOMER_ID': 'C-2'}))

    def test_without_a_data_directory(self):
        self.write('n.txt', '2125550001\n')
        engine = self.engine('--list', 'n=n.txt')
        self.problem(engine.ask('PUT', ENTRY.format('n', '2125551000'), ''), 409, 'not_durable')
        self.problem(engine.ask('DELETE', ENTRY.format('n', '2125550001')), 409, 'not_durable')
        self.problem(engine.ask('PUT', '/v1/lists/other', {}), 409, 'not_durable')
        self.blocked(engine.validate({'GSW_PHONE': '2125550001'}), 'suppression', 'n')
        self.allowed(engine.validate({'GSW_PHONE': '2125551000'}))
