# SPDX-License-Identifier: Apache-2.0
"""Rule sets: where they come from, how they are replaced, whose they are."""
import json
import pathlib
import shutil
import signal
import socket
import struct
import threading
import time

from lib.client import request
from lib.engine import EngineCase, SharedEngineCase

NOON = '2026-11-23T17:00:00Z'  # Monday, 12:00 in New York
PHONE = {'GSW_PHONE': '2125550100'}


def rules(*rules, version='1', **more):
    return {'version': version, 'rules': list(rules), **more}


def hours(begin, end, name='hours', **more):
    return {'name': name, 'type': 'contact_times', 'required': True,
            'windows': [{'days': 'daily', 'from': begin, 'till': end}], **more}


OPEN, SHUT = hours('09:00', '17:00'), hours('01:00', '02:00')


class RulesCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', '2125559999\n')

    def options(self, *more, data=True):
        return ('--list', 'n=n.txt', '--now', NOON, '--threads', '2',
                *(('--data', 'data') if data else ()), *more)

    def start(self, *more, **how):
        return self.engine(*self.options(*more, **how))

    def put(self, engine, document, query='', status=200):
        answer = engine.ask('PUT', '/v1/rules' + query, document)
        self.assertEqual(answer.status, status, answer)
        return answer.json()

    def hup(self, engine, said):
        before = engine.said().count(said)
        engine.signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while engine.said().count(said) == before:
            self.assertLess(time.monotonic(), end, engine.said())
            time.sleep(0.02)


class TestPutBeside(RulesCase):
    """What is acknowledged is in force, whatever else is being read at that moment."""

    def test_reloads(self):
        engine = self.start()
        stop = threading.Event()

        def hup():
            while not stop.wait(0.002):
                engine.signal(signal.SIGHUP)
        thread = threading.Thread(target=hup)
        thread.start()
        try:
            for n in range(400):
                self.put(engine, rules(OPEN if n % 2 else SHUT, version=f'v{n}'))
                self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], f'v{n}')
                time.sleep(0.001)
                self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], f'v{n}')
        finally:
            stop.set()
            thread.join()
        engine.kill()
        engine = self.start()
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'v399')


class TestPut(RulesCase):
    def test_in_force_when_it_is_answered(self):
        engine = self.start()
        self.allowed(engine.validate(PHONE))
        self.assertEqual(self.put(engine, rules(SHUT, version='shut')),
                         {'version': 'shut', 'rules': 1, 'shadow': 0, 'warnings': []})
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        self.put(engine, rules(OPEN))
        self.allowed(engine.validate(PHONE))

    def test_get_gives_what_was_put(self):
        engine = self.start()
        self.problem(engine.ask('GET', '/v1/rules'), 404, 'not_found')
        text = '\ufeff\n ' + json.dumps(rules(OPEN), indent=3) + ' \n'
        self.put(engine, text)
        answer = engine.ask('GET', '/v1/rules')
        self.assertEqual((answer.status, answer.body.decode()), (200, text))
        first = answer.headers['etag']
        self.assertRegex(first, r'^"[0-9a-f]{16}"$')
        self.put(engine, rules(SHUT))
        self.assertNotEqual(engine.ask('GET', '/v1/rules').headers['etag'], first)
        self.put(engine, text)
        engine.stop()
        engine = self.start()
        self.assertEqual(engine.ask('GET', '/v1/rules').body.decode(), text[1:].strip())

    def test_every_error_has_its_pointer(self):
        engine = self.start()
        self.put(engine, rules(OPEN, version='good'))
        bad = rules({**SHUT, 'windows': [{'days': 'daily', 'from': '25:00', 'till': '26:00'}]},
                    {'name': 'x', 'type': 'location'}, colour='red')
        answer = engine.ask('PUT', '/v1/rules', bad)
        self.problem(answer, 422, 'rules_invalid')
        pointers = [e['pointer'] for e in answer.json()['errors']]
        self.assertIn('/colour', pointers)
        self.assertTrue([p for p in pointers if p.startswith('/rules/0/windows/0')], pointers)
        self.assertTrue([p for p in pointers if p.startswith('/rules/1')], pointers)
        for error in answer.json()['errors']:
            self.assertGreater(len(error['detail']), 10)
        self.allowed(engine.validate(PHONE))
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'good')
        self.problem(engine.ask('PUT', '/v1/rules', '{"version":'), 422, 'rules_invalid')
        self.problem(engine.ask('PUT', '/v1/rules', b''), 422, 'rules_invalid')
        self.assertEqual(engine.metric('dialgate_rules_replaced_total{result="refused"}'), 3)

    def test_many_errors_are_told_whole(self):
        engine = self.start()
        bad = rules(*[{'name': f'rule {n} ' + 'x' * 60, 'type': 'nothing'} for n in range(150)])
        answer = engine.ask('PUT', '/v1/rules', bad)
        self.problem(answer, 422, 'rules_invalid')
        self.assertEqual(len(answer.json()['errors']), 100)
        self.assertIn('150', answer.json()['detail'])

    def test_in_chunks_and_large(self):
        engine = self.start()
        many = [hours('09:00', '17:00', name=f'rule {n}', title='t' * 900) for n in range(500)]
        text = json.dumps(rules(*many)).encode()
        self.assertGreater(len(text), 400000)
        with engine.client() as client:
            client.send(b'PUT /v1/rules HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
            for at in range(0, len(text), 50000):
                piece = text[at:at + 50000]
                client.send(b'%x\r\n%s\r\n' % (len(piece), piece))
            client.send(b'0\r\n\r\n')
            answer = client.receive()
            self.assertEqual((answer.status, answer.json()['rules']), (200, 500), answer)
            answer = client.ask('GET', '/v1/rules')  # as large, and on the same connection
            self.assertEqual(answer.body, text)
            self.assertIn('etag', answer.headers)
        too_large = b'{"version":"' + b'x' * (4 << 20) + b'"}'
        self.problem(engine.ask('PUT', '/v1/rules', too_large), 413, 'body_too_large')

    def test_without_a_data_directory(self):
        engine = self.start(data=False)
        self.problem(engine.ask('PUT', '/v1/rules', rules(SHUT)), 409, 'not_durable')
        self.allowed(engine.validate(PHONE))

    def test_who_does_not_wait_for_the_answer(self):
        many = json.dumps(rules(*[hours('09:00', '17:00', name=f'rule {n}', title='t' * 3900)
                                  for n in range(1000)]))
        for _ in range(3):
            engine = self.start()
            clients = [engine.client() for _ in range(4)]
            for client in clients:
                client.ask('GET', '/livez')
            for client in clients:
                client.send(request('PUT', '/v1/rules', many))
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                         struct.pack('ii', 1, 0))
            for client in clients:
                client.close()
            engine.signal(signal.SIGTERM)
            self.assertEqual(engine.wait(), 0, engine.said())

    def test_a_data_directory_that_fails(self):
        engine = self.start()
        self.put(engine, rules(SHUT, version='good'))
        path = self.folder / 'data/rules/default.json'
        kept = path.read_bytes()
        path.unlink()
        path.mkdir()  # nothing can take its place
        (path / 'x').mkdir()
        for _ in range(3):
            answer = engine.ask('PUT', '/v1/rules', rules(OPEN, version='next'))
            self.problem(answer, 503, 'storage_failed')
        self.assertNotIn(b'default.json', answer.body)  # a path is no tenant's business
        self.assertEqual(engine.said().count('data/rules/default.json'), 1, engine.said())
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'good')
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        self.assertEqual(engine.metric('dialgate_rules_replaced_total{result="refused"}'), 3)
        shutil.rmtree(path)
        path.write_bytes(kept)
        self.put(engine, rules(OPEN, version='next'))
        self.allowed(engine.validate(PHONE))

    def test_warnings(self):
        engine = self.start()
        said = self.put(engine, rules(OPEN, lists=[
            {'name': 'nowhere', 'kind': 'device', 'required': True}]))['warnings']
        self.assertEqual(len(said), 1)
        self.assertIn('nowhere', said[0])
        self.blocked(engine.validate(PHONE), 'freshness', 'nowhere')
        self.assertEqual(engine.ask('GET', '/readyz').status, 503)
        self.assertIn('nowhere', engine.ask('GET', '/readyz').json()['reasons'][0])
        said = self.put(engine, rules(OPEN, packs=['us-states']))['warnings']
        self.assertEqual(len(said), 1)  # one sentence, however many rules
        self.assertIn('not verified', said[0])

    def test_too_many_fields_of_all_tenants(self):
        engine = self.start('--tenant', 'a', '--tenant', 'b')
        for tenant, status in (('a', 200), ('b', 422)):
            text = ' or '.join(f'${tenant}{n} == 1' for n in range(20))
            answer = engine.ask('PUT', f'/v1/rules?tenant={tenant}', rules(
                {'name': 'many', 'type': 'custom', 'required': True, 'block_if': text}))
            self.assertEqual(answer.status, status, answer)
        self.assertIn('fields', answer.json()['errors'][0]['detail'])


class TestTenants(RulesCase):
    def test_each_has_its_own(self):
        self.write('tokens', 'token-of-all-tenants\ntoken-of-tenant-a tenant=a\n')
        engine = self.start('--tenant', 'a', '--tenant', 'b', '--list', 's=n.txt,tenant=*',
                            '--token-file', 'tokens')
        alls = {'Authorization': 'Bearer token-of-all-tenants'}
        only = {'Authorization': 'Bearer token-of-tenant-a'}
        self.assertEqual(engine.ask('PUT', '/v1/rules', rules(SHUT), **only).status, 200)
        self.blocked(engine.validate(PHONE, '/ocs/a/validate'), 'contact_times', 'hours')
        self.allowed(engine.validate(PHONE, '/ocs/b/validate'))
        self.allowed(engine.validate(PHONE))
        self.problem(engine.ask('PUT', '/v1/rules?tenant=b', rules(SHUT), **only), 403,
                     'forbidden')
        self.problem(engine.ask('GET', '/v1/rules?tenant=b', **only), 403, 'forbidden')
        self.problem(engine.ask('GET', '/v1/rules?tenant=b', **alls), 404, 'not_found')
        self.assertEqual(engine.ask('GET', '/v1/rules?tenant=a', **alls).status, 200)
        self.problem(engine.ask('GET', '/v1/rules?tenant=c', **alls), 404, 'tenant_unknown')
        self.problem(engine.ask('PUT', '/v1/rules', rules(SHUT)), 401, 'unauthorized')


    def test_one_that_lacks_a_list_is_blocked_alone(self):
        engine = self.start('--tenant', 'a', '--list', 's=n.txt,tenant=*')
        self.put(engine, rules(lists=[{'name': 'nowhere', 'kind': 'device', 'required': True}]),
                 '?tenant=a')
        self.blocked(engine.validate(PHONE, '/ocs/a/validate'), 'freshness', 'nowhere')
        self.allowed(engine.validate(PHONE))
        answer = engine.ask('GET', '/readyz')
        self.assertEqual(answer.status, 200)
        self.assertIn('nowhere that the rules of tenant a', answer.json()['reasons'][0])

    def test_rules_past_the_table_of_counts_show_none(self):
        """They are counted together, whosever they are."""
        engine = self.start('--tenant', 'a', '--list', 's=n.txt,tenant=*')
        for n in range(4):
            self.put(engine, rules(*[{'name': f'{n} {i}', 'type': 'location', 'required': False,
                                      'where': {'state': ['TX']}} for i in range(1024)]))
        self.put(engine, rules(SHUT), '?tenant=a')
        self.blocked(engine.validate(PHONE, '/ocs/a/validate'), 'contact_times', 'hours')
        other = 'dialgate_rule_blocks_total{tenant="",rule="other",mode=""}'
        self.assertEqual(engine.metric(other), 1)
        said = engine.ask('GET', '/v1/rules/effective').json()['rules']
        self.assertEqual([rule['blocks'] for rule in said[-2:]], [0, None])


class TestFiles(RulesCase):
    def test_a_file(self):
        self.write('r.json', json.dumps(rules(SHUT, version='file')))
        engine = self.start('--rules', 'r.json', data=False)
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'file')
        self.assertEqual(
            engine.metric('dialgate_rules_info{tenant="default",version="file"}'), 1)

    def test_a_file_of_a_tenant(self):
        self.write('r.json', json.dumps(rules(SHUT)))
        engine = self.start('--tenant', 'a', '--list', 's=n.txt,tenant=*', '--rules',
                            'r.json,tenant=a')
        self.allowed(engine.validate(PHONE))
        self.blocked(engine.validate(PHONE, '/ocs/a/validate'), 'contact_times', 'hours')

    def test_a_file_with_errors_stops_the_start(self):
        self.write('r.json', json.dumps(rules(SHUT, hours('09:00', '08:00', name='second'),
                                              version='', colour=1)))
        said = self.fails(*self.options('--rules', 'r.json'))
        self.assertIn('r.json', said)
        self.assertIn('/colour', said)
        self.assertIn('errors', said)
        for option in ('missing.json', 'r.json,tenant=nobody', 'r.json,colour=red', ''):
            if option:
                self.assertIn(option.split(',')[0], self.fails(*self.options('--rules', option)))

    def test_a_restart_keeps_what_was_put(self):
        self.write('r.json', json.dumps(rules(OPEN, version='file')))
        engine = self.start('--rules', 'r.json')
        self.put(engine, rules(SHUT, version='put'))
        for crash in (False, True):
            engine.kill() if crash else self.assertEqual(engine.stop(), 0)
            engine = self.start('--rules', 'r.json')
            self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'put')
            self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        engine.stop()
        engine = self.start()  # no file any more: what was put stays
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'put')

    def test_a_changed_file_wins(self):
        self.write('r.json', json.dumps(rules(OPEN, version='file')))
        engine = self.start('--rules', 'r.json')
        self.put(engine, rules(SHUT, version='put'))
        engine.stop()
        self.write('r.json', json.dumps(rules(OPEN, version='file 2')))
        engine = self.start('--rules', 'r.json')
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'file 2')
        self.assertIn('the file holds again', engine.said())
        self.allowed(engine.validate(PHONE))

    def test_a_file_that_is_changed_back(self):
        """A restart brings back nothing that was replaced before."""
        for restart in (False, True):  # is the change seen by SIGHUP, or at a start
            self.write('r.json', json.dumps(rules(OPEN, version='file')))
            engine = self.start('--rules', 'r.json')
            self.put(engine, rules(SHUT, version='put'))
            self.write('r.json', json.dumps(rules(OPEN, version='file 2')))
            if restart:
                engine.stop()
                engine = self.start('--rules', 'r.json')
            else:
                self.hup(engine, 'config and tokens are in force')
            self.write('r.json', json.dumps(rules(OPEN, version='file')))
            self.hup(engine, 'config and tokens are in force')
            engine.kill()
            engine = self.start('--rules', 'r.json')
            self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'file')
            self.allowed(engine.validate(PHONE))
            engine.stop()

    def test_a_stored_set_that_cannot_be_looked_for(self):
        engine = self.start()
        self.put(engine, rules(SHUT))
        engine.stop()
        shutil.move(self.folder / 'data/rules', self.folder / 'elsewhere')
        self.write('data/rules', 'no directory')
        self.assertIn('data/rules/default.json', self.fails(*self.options()))

    def test_damage_stops_the_start(self):
        engine = self.start()
        self.put(engine, rules(SHUT))
        engine.stop()
        path = self.folder / 'data/rules/default.json'
        path.write_bytes(path.read_bytes().replace(b'01:00', b'00:00'))
        self.assertIn('data/rules/default.json', self.fails(*self.options()))

    def test_hup(self):
        self.write('r.json', json.dumps(rules(OPEN, version='1')))
        engine = self.start('--rules', 'r.json')
        self.write('r.json', json.dumps(rules(SHUT, version='2')))
        self.allowed(engine.validate(PHONE))
        self.hup(engine, 'config and tokens are in force')
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        self.write('r.json', '{"version":"3"')
        self.hup(engine, 'nothing was changed')
        self.assertIn('r.json', engine.said())
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        self.assertEqual(engine.metric('dialgate_reloads_total{result="failed"}'), 1)
        self.put(engine, rules(OPEN, version='put'))
        self.write('r.json', json.dumps(rules(SHUT, version='2')))
        self.hup(engine, 'config and tokens are in force')  # as when it was replaced
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], 'put')
        self.write('r.json', json.dumps(rules(SHUT, version='4')))
        self.hup(engine, 'config and tokens are in force')
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], '4')

    def test_a_list_that_comes_with_its_rules(self):
        self.write('engine.conf', 'list = n=n.txt\nrules = r.json\n')
        self.write('r.json', json.dumps(rules(OPEN, version='1')))
        engine = self.engine('--config', 'engine.conf', '--now', NOON, '--data', 'data')
        self.write('more.txt', '2125550100\n')
        self.write('engine.conf', 'list = n=n.txt\nlist = more=more.txt,optional\n'
                                  'rules = r.json\n')
        self.write('r.json', json.dumps(rules(
            {'name': 'more is out', 'type': 'suppression', 'required': True, 'list': 'more'},
            OPEN, version='2')))
        self.hup(engine, 'config and tokens are in force')
        engine.wait_until('/readyz')
        self.assertEqual(engine.ask('GET', '/v1/rules').json()['version'], '2')


class TestZoneFiles(RulesCase):
    def test_new_ones_are_read_by_themselves(self):
        zoneinfo = self.folder / 'zoneinfo'
        shutil.copytree(pathlib.Path('/usr/share/zoneinfo'), zoneinfo, symlinks=False,
                        ignore=shutil.ignore_patterns('right', 'posix', 'localtime'))
        table = zoneinfo / 'tzdata.zi'
        old = table.read_text().splitlines()[0].split()[-1]
        self.write('r.json', json.dumps(rules(OPEN)))
        engine = self.start('--rules', 'r.json', '--zoneinfo', zoneinfo)
        self.assertEqual(engine.metric(f'dialgate_tzdata_info{{version="{old}"}}'), 1)
        # New York moves to London's clock: 12:00 there becomes 17:00, which is shut
        shutil.copy(zoneinfo / 'Europe/London', zoneinfo / 'America/New_York')
        table.write_text(table.read_text().replace(old, '2099z', 1))
        self.until(lambda: '2099z' in engine.ask('GET', '/metrics').body.decode())
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        failures = 'dialgate_atlas_failures_total'
        self.assertEqual(engine.metric(failures), 0)
        shutil.move(zoneinfo, self.folder / 'gone')
        self.until(lambda: engine.metric(failures) >= 1)
        self.blocked(engine.validate(PHONE), 'contact_times', 'hours')
        self.assertIn('stay in force', engine.said())

    def test_files_that_are_replaced_one_after_the_other(self):
        zoneinfo = self.folder / 'zoneinfo'
        shutil.copytree(pathlib.Path('/usr/share/zoneinfo'), zoneinfo, symlinks=False,
                        ignore=shutil.ignore_patterns('right', 'posix', 'localtime'))
        self.write('r.json', json.dumps(rules(OPEN)))
        engine = self.start('--rules', 'r.json', '--zoneinfo', zoneinfo)
        table = zoneinfo / 'tzdata.zi'
        table.write_text('# version 2099z\n' + table.read_text().split('\n', 1)[1])
        self.until(lambda: '2099z' in engine.ask('GET', '/metrics').body.decode())
        shutil.copy(zoneinfo / 'Europe/London', zoneinfo / 'America/New_York')
        self.until(lambda: engine.validate(PHONE).status == 409)
        self.until(lambda: 'read once more' in engine.said())
        time.sleep(2.5)
        self.assertEqual(engine.said().count('are in force'), 2, engine.said())

    def until(self, what):
        end = time.monotonic() + 20
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def test_none_at_the_start(self):
        said = self.fails(*self.options('--zoneinfo', 'nowhere'))
        self.assertIn('nowhere', said)
        self.assertIn('tzdata', said)


class TestEffective(SharedEngineCase):
    FILES = {'n.txt': '2125559999\n',
             'r.json': json.dumps(rules(SHUT, hours('03:00', '04:00', name='quiet', mode='shadow',
                                                    priority=1, cite='Act 1')))}
    OPTIONS = ('--list', 'n=n.txt', '--rules', 'r.json', '--now', NOON)

    def test_blocks_are_counted_by_rule(self):
        for _ in range(3):
            self.blocked(self.server.validate(PHONE), 'contact_times', 'hours')
        answer = self.server.ask('GET', '/v1/rules/effective').json()
        self.assertEqual([(r['name'], r['mode'], r['blocks']) for r in answer['rules']],
                         [('quiet', 'shadow', 3), ('hours', 'enforce', 3)])
        self.assertEqual(answer['rules'][0]['cite'], 'Act 1')
        for rule, mode in (('quiet', 'shadow'), ('hours', 'enforce')):
            self.assertEqual(self.server.metric(
                f'dialgate_rule_blocks_total{{tenant="default",rule="{rule}",mode="{mode}"}}'), 3)
        self.assertEqual(self.server.metric(
            'dialgate_decisions_total{verdict="block",type="contact_times"}'), 3)


class TestUnderLoad(RulesCase):
    def test_replaced_while_questions_are_asked(self):
        """Two rule sets in turn: whoever asks sees one of them whole, and never an error."""
        engine = self.start()
        sets = [rules(*[hours('01:00', '02:00', name=f'{name}{n}', priority=n,
                              call_result=result) for n in range(20)], version=name)
                for name, result in (('a', 61), ('b', 62))]
        self.put(engine, sets[0])
        stop, seen, wrong = threading.Event(), set(), []

        def ask():
            with engine.client() as client:
                while not stop.is_set():
                    answer = client.ask('POST', '/ocs/validate', PHONE)
                    body = answer.json()
                    pair = (body.get('GSW_BLOCKING_RULE'), body.get('GSW_CALL_RESULT'))
                    seen.add(pair)
                    if answer.status != 409 or pair not in (('a0', 61), ('b0', 62)):
                        wrong.append(answer)
                        return

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        with engine.client() as client:
            for n in range(200):
                answer = client.ask('PUT', '/v1/rules', sets[n % 2])
                self.assertEqual(answer.status, 200, answer)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(seen, {('a0', 61), ('b0', 62)})
