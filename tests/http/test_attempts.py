# SPDX-License-Identifier: Apache-2.0
"""Rules that count attempts, call reports that are counted, and attempts that are kept free."""
import json
import time

from lib.engine import EngineCase

NOW = 1795453200  # 2026-11-23T17:00:00Z
PHONE = '2125550100'


def attempts(most, period='7d', name='limit', **more):
    return {'name': name, 'type': 'attempts', 'required': True, 'max': most, 'period': period,
            **more}


class AttemptsCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', '2125559999\n')
        self.guid = 0

    def start(self, *rules, now=NOW, **document):
        self.write('r.json', json.dumps({'version': '1', 'rules': rules, **document}))
        at = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(now))
        return self.engine('--list', 'n=n.txt', '--rules', 'r.json', '--now', at, '--threads',
                           '2', '--data', 'data')

    def ask(self, engine, phone=PHONE, guid=None, **more):
        record = {'GSW_PHONE': phone, **more}
        if guid:
            record['GSW_CALL_ATTEMPT_GUID'] = guid
        return engine.validate(record)

    def report(self, engine, phone=PHONE, guid=None, sequence=1, at=NOW, result=21, **more):
        self.guid += 1
        record = {'GSW_PHONE': phone, 'GSW_CALL_ATTEMPT_GUID': guid or f'report-{self.guid}',
                  'GSW_HIST_SEQUENCE_NUM': sequence, 'GSW_CALL_TIME': at, **more}
        if sequence == 1:
            record['GSW_CALL_RESULT'] = result
        answer = engine.ask('POST', '/ocs/history', record)
        self.assertEqual(answer.status, 200, answer)


class TestCounts(AttemptsCase):
    def test_reports_are_counted(self):
        engine = self.start(attempts(2, results=[21]))
        self.report(engine, at=NOW - 3600)
        self.allowed(self.ask(engine, guid='a'))
        self.report(engine, guid='a')
        self.blocked(self.ask(engine), 'attempts', 'limit')
        self.allowed(self.ask(engine, '3125550100'))

    def test_results_that_do_not_count(self):
        engine = self.start(attempts(1, results=[21]))
        self.report(engine, result=6)
        self.allowed(self.ask(engine))

    def test_a_start_without_an_end_counts(self):
        engine = self.start(attempts(1, results=[21]))
        self.report(engine, sequence=0, guid='a')
        self.blocked(self.ask(engine), 'attempts', 'limit')
        self.report(engine, sequence=1, guid='a', result=6)  # it was no answer
        self.allowed(self.ask(engine))

    def test_periods_slide(self):
        engine = self.start(attempts(1, period='1h'))
        self.report(engine, at=NOW - 3601)
        self.allowed(self.ask(engine, guid='a'))
        self.report(engine, '3125550100', at=NOW - 3599)
        self.blocked(self.ask(engine, '3125550100'), 'attempts', 'limit')

    def test_today_is_the_called_partys(self):
        midnight = NOW - 12 * 3600  # in New York
        engine = self.start(attempts(1, period='today'))
        self.report(engine, at=midnight - 1)
        self.allowed(self.ask(engine))
        self.report(engine, '2125550101', at=midnight)
        self.blocked(self.ask(engine, '2125550101'), 'attempts', 'limit')

    def test_by_client_and_by_group(self):
        engine = self.start(attempts(1, count_by='client', name='client'),
                            attempts(1, scope='group', name='group'))
        self.report(engine, GSW_CUSTOMER_ID='c1', GSW_CAMPAIGN_GROUP_NAME='g')
        self.blocked(self.ask(engine, '3125550100', GSW_CUSTOMER_ID='c1'), 'attempts', 'client')
        self.allowed(self.ask(engine, '3125550100', GSW_CUSTOMER_ID='c2'))
        self.blocked(self.ask(engine, GSW_CAMPAIGN_GROUP_NAME='g'), 'attempts', 'group')
        self.allowed(self.ask(engine, GSW_CAMPAIGN_GROUP_NAME='other'))

    def test_per_subject(self):
        engine = self.start(attempts(1, per_subject=True), tenant={'subject_field': 'debt'})
        self.report(engine, debt='d1')
        self.blocked(self.ask(engine, debt='d1'), 'attempts', 'limit')
        self.allowed(self.ask(engine, debt='d2', guid='x'))

    def test_tenants_do_not_share(self):
        self.write('r.json', json.dumps({'version': '1', 'rules': [attempts(1)]}))
        engine = self.engine('--list', 'n=n.txt,tenant=*', '--rules', 'r.json,tenant=a',
                             '--rules', 'r.json,tenant=b', '--tenant', 'a', '--tenant', 'b',
                             '--data', 'data')
        record = {'GSW_PHONE': PHONE, 'GSW_CALL_ATTEMPT_GUID': 'r', 'GSW_HIST_SEQUENCE_NUM': 1,
                  'GSW_CALL_RESULT': 21}
        self.assertEqual(engine.ask('POST', '/ocs/a/history', record).status, 200)
        self.blocked(engine.validate({'GSW_PHONE': PHONE}, '/ocs/a/validate'), 'attempts')
        self.allowed(engine.validate({'GSW_PHONE': PHONE}, '/ocs/b/validate'))

    def test_expressions_count(self):
        engine = self.start({'name': 'twice', 'type': 'custom', 'required': True,
                             'block_if': 'AttemptsOnDevice(24H, [21]) > 1'})
        self.report(engine)
        self.allowed(self.ask(engine, guid='a'))
        self.report(engine, guid='a')
        self.blocked(self.ask(engine), 'custom', 'twice')

    def test_history_outlives_a_crash(self):
        engine = self.start(attempts(1))
        self.report(engine)
        engine.kill()
        engine = self.start(attempts(1))
        self.blocked(self.ask(engine), 'attempts', 'limit')

    def test_without_a_data_directory_nothing_is_known(self):
        self.write('r.json', json.dumps({'version': '1', 'rules': [attempts(5)]}))
        engine = self.engine('--list', 'n=n.txt', '--rules', 'r.json')
        self.blocked(self.ask(engine), 'attempts', 'limit')
        result = engine.ask('POST', '/v1/decisions', {'records': [{'phone': PHONE}]}).json()
        self.assertIn('not known', result['results'][0]['reason'])

    def test_the_past_is_asked_as_it_was(self):
        # the second rule keeps what lies further back in memory
        engine = self.start(attempts(1, period='1d'), attempts(1000, name='far', mode='shadow'))
        self.report(engine, at=NOW - 7200)
        for at, verdict in ((NOW, 'block'), (NOW - 7201, 'allow'), (NOW + 86400, 'allow')):
            text = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at))
            result = engine.ask('POST', '/v1/decisions',
                                {'at': text, 'records': [{'phone': PHONE}]}).json()['results'][0]
            self.assertEqual(result['verdict'], verdict, at)
        now = engine.ask('POST', '/v1/decisions', {'records': [{'phone': PHONE}]}).json()
        self.assertEqual(now['results'][0]['retry_at'], '2026-11-24T15:00:00Z')


class TestReservations(AttemptsCase):
    def test_two_in_a_row_do_not_pass_the_last_slot(self):
        engine = self.start(attempts(1))
        self.allowed(self.ask(engine))
        self.blocked(self.ask(engine), 'attempts', 'limit')
        self.blocked(self.ask(engine, guid='a'), 'attempts', 'limit')
        self.allowed(self.ask(engine, '3125550100'))

    def test_the_same_guid_may(self):
        engine = self.start(attempts(1))
        for _ in range(3):
            self.allowed(self.ask(engine, guid='a'))
        self.blocked(self.ask(engine, guid='b'), 'attempts', 'limit')

    def test_pipelined_on_all_threads(self):
        engine = self.start(attempts(3))
        body = json.dumps({'GSW_PHONE': PHONE}).encode()
        one = (b'POST /ocs/validate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s'
               % (len(body), body))
        clients = [engine.client() for _ in range(8)]
        for client in clients:
            client.send(one * 20)
        allowed = sum(client.receive().status == 200 for client in clients for _ in range(20))
        for client in clients:
            client.close()
        self.assertLessEqual(allowed, 3)
        self.assertGreaterEqual(allowed, 1)  # those at the same moment may both step back

    def test_a_report_settles_it(self):
        engine = self.start(attempts(1, results=[21]))
        self.allowed(self.ask(engine, guid='a'))
        self.blocked(self.ask(engine, guid='b'), 'attempts', 'limit')
        self.report(engine, guid='a', result=6)  # nobody answered, and that does not count
        self.allowed(self.ask(engine, guid='b'))

    def test_only_ocs_and_who_asks_for_it_reserves(self):
        engine = self.start(attempts(1))
        for path, body in (('/v1/decisions', {'records': [{'phone': PHONE}]}),
                           ('/v1/explain', {'phone': PHONE}), ('/v1/when', {'phone': PHONE})):
            for _ in range(2):
                self.assertEqual(engine.ask('POST', path, body).status, 200)
        self.assertEqual(engine.metric('dialgate_reservations'), 0)
        batch = {'reserve': True, 'records': [{'phone': PHONE}, {'phone': PHONE}]}
        results = engine.ask('POST', '/v1/decisions', batch).json()['results']
        self.assertEqual([r['verdict'] for r in results], ['allow', 'block'])
        lines = json.dumps({'phone': '3125550100'}) + '\n'
        for wanted in ('allow', 'block'):
            answer = engine.ask('POST', '/v1/decisions?reserve=true', lines,
                                Content_Type='application/x-ndjson')
            self.assertEqual(answer.json()['verdict'], wanted)

    def test_what_is_kept_free_now_is_free_later(self):
        """/v1/when and retry_at look ahead of its end at once, not a second at a time."""
        engine = self.start(attempts(1))
        self.allowed(self.ask(engine))
        found = engine.ask('POST', '/v1/when', {'phone': PHONE}).json()
        self.assertEqual((found['next'], found['cut']), ('2026-11-23T17:00:11Z', False))
        self.assertEqual([i['until'] for i in found['intervals']], ['2026-11-30T17:00:00Z'])
        result = engine.ask('POST', '/v1/decisions', {'records': [{'phone': PHONE}]}).json()
        self.assertEqual(result['results'][0]['retry_at'], '2026-11-23T17:00:11Z')

    def test_a_start_may_have_lost_one(self):
        engine = self.start(attempts(1), tenant={'reserve': '3s'})
        self.allowed(self.ask(engine))
        engine.kill()
        engine = self.start(attempts(1), tenant={'reserve': '3s'})
        self.blocked(self.ask(engine), 'attempts', 'limit')
        end = time.monotonic() + 15
        while self.ask(engine).status != 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.2)
