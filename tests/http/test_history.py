# SPDX-License-Identifier: Apache-2.0
"""POST /ocs/history: call reports, what becomes of each, and what rules count of them."""
import json

from lib.client import request
from lib.engine import EngineCase

PHONE = '2125550100'
RESULTS = {'durable', 'repeated', 'quarantined', 'failed'}


def attempts(max_, period='1h', **more):
    return {'version': '1', 'rules': [{'name': 'cap', 'type': 'attempts', 'required': True,
                                       'max': max_, 'period': period, **more}]}


def report(guid, sequence=0, phone=PHONE, **more):
    record = {'GSW_PHONE': phone, 'GSW_HIST_SEQUENCE_NUM': sequence, **more}
    if guid:
        record['GSW_CALL_ATTEMPT_GUID'] = guid
    if sequence:
        record.setdefault('GSW_CALL_RESULT', 7)
    return record


class HistoryCase(EngineCase):
    def start(self, *options, rules=None, data=True):
        self.write('n.txt', '3125559999\n')
        options = ('--list', 'n=n.txt', '--threads', '2', *options)
        if data:
            options += ('--data', 'data')
        if rules:
            self.write('rules.json', json.dumps(rules))
            options += ('--rules', 'rules.json')
        return self.engine(*options)

    def tell(self, engine, record, path='/ocs/history'):
        answer = engine.ask('POST', path, record)
        self.assertEqual((answer.status, answer.body), (200, b'{}'), answer)
        self.assertEqual(answer.headers['content-type'], 'application/json')

    def results(self, engine):
        all_ = {r: engine.metric(f'dialgate_reports_total{{result="{r}"}}') for r in RESULTS}
        return {name: count for name, count in all_.items() if count}

    def ask(self, engine, phone=PHONE, path='/ocs/validate', **more):
        """200 or 409; the question reserves nothing that the next one would meet, because all of
        them are the same attempt's."""
        question = {'GSW_PHONE': phone, 'GSW_CALL_ATTEMPT_GUID': 'asked', **more}
        answer = engine.validate(question, path)
        if answer.status == 409:
            self.assertEqual(answer.json()['GSW_BLOCKING_RULE_TYPE'], 'attempts', answer)
        return answer.status


class TestReports(HistoryCase):
    def test_start_end_repeat_in_any_order(self):
        engine = self.start(rules=attempts(3))
        for record in (report('a'), report('a', 1), report('a', 1), report('a'),
                       report('b', 1), report('b'), report('b', 1)):
            self.tell(engine, record)
        self.assertEqual(self.results(engine), {'durable': 3, 'repeated': 4})
        self.assertEqual(self.ask(engine), 200)
        self.tell(engine, report('c'))
        self.assertEqual(self.ask(engine), 409)
        self.assertEqual(self.ask(engine, '2125550101'), 200)

    def test_without_a_guid_only_an_identical_one_repeats(self):
        engine = self.start(rules=attempts(2))
        for _ in range(3):
            self.tell(engine, report(None, 1, GSW_DIALING=1))
        self.assertEqual(self.ask(engine), 200)
        self.assertEqual(self.results(engine), {'durable': 1, 'repeated': 2})
        self.tell(engine, report(None, 1, GSW_DIALING=2))
        self.assertEqual(self.ask(engine), 409)

    def test_the_alias_and_numeric_strings(self):
        engine = self.start(rules=attempts(1, results=[33]))
        self.tell(engine, {'GSW_PHONE': 2125550100, 'GSW_OCS_SEQUENCE_NO': '1',
                           'GSW_CALL_ATTEMPT_GUID': 'a', 'GSW_CALL_RESULT': '33'})
        self.assertEqual(self.ask(engine), 409)
        self.tell(engine, {'contact_info': '2125550101', 'GSW_OCS_SEQUENCE_NO': '1',
                           'GSW_CALL_ATTEMPT_GUID': 'b', 'GSW_CALL_RESULT': '9'})
        self.assertEqual(self.ask(engine, '2125550101'), 200)
        self.assertEqual(self.results(engine), {'durable': 2})

    def test_a_number_is_the_same_however_it_is_written(self):
        engine = self.start(rules=attempts(1))
        self.tell(engine, report('a', phone='+1 (212) 555-0100'))
        self.assertEqual(self.ask(engine, '12125550100'), 409)

    def test_the_client_id_counts(self):
        engine = self.start(rules=attempts(1, count_by='client'))
        self.tell(engine, {'GSW_CUSTOMER_ID': 'C 17', 'GSW_CALL_ATTEMPT_GUID': 'a'})
        self.assertEqual(self.ask(engine, GSW_CUSTOMER_ID='C 17'), 409)
        self.assertEqual(self.ask(engine, GSW_CUSTOMER_ID='C 18'), 200)

    def test_groups_and_dispositions(self):
        rules = attempts(1, scope='group', dispositions=['Sold'])
        engine = self.start(rules=rules)
        self.tell(engine, report('a', 1, GSW_CAMPAIGN_GROUP_NAME='G', DispositionCode='sold'))
        self.tell(engine, report('b', 1, '2125550101', GSW_CAMPAIGN_GROUP_NAME='G',
                                 DispositionCode='Refused'))
        self.assertEqual(self.ask(engine, GSW_CAMPAIGN_GROUP_NAME='G'), 409)
        self.assertEqual(self.ask(engine, GSW_CAMPAIGN_GROUP_NAME='H'), 200)
        self.assertEqual(self.ask(engine, '2125550101', GSW_CAMPAIGN_GROUP_NAME='G'), 200)

    def test_the_place_of_an_attempt(self):
        engine = self.start(rules=attempts(1, counted_where={'country': ['US'], 'state': ['NY']}))
        self.tell(engine, report('a', phone='2125550100'))
        self.tell(engine, report('b', phone='4155550100'))
        self.assertEqual(self.ask(engine, '2125550100'), 409)
        self.assertEqual(self.ask(engine, '4155550100'), 200)

    def test_when_it_was(self):
        """Times are the attempt's own, in seconds or milliseconds; one in the future is now."""
        now = 1795435200
        engine = self.start('--now', '2026-11-23T12:00:00Z', rules=attempts(1))
        for phone, when, counts in (('2125550101', now - 3599, True),
                                    ('2125550102', now - 3601, False),
                                    ('2125550103', (now - 3601) * 1000, False),
                                    ('2125550104', str(now - 3601), False),
                                    ('2125550105', now + 86400, True), ('2125550106', 0, True),
                                    ('2125550107', None, True), ('2125550108', 'soon', True)):
            self.tell(engine, report(phone, phone=phone, GSW_DIALING=when))
            self.assertEqual(self.ask(engine, phone), 409 if counts else 200, (phone, when))

    def test_tenants_do_not_meet(self):
        self.write('cap.json', json.dumps(attempts(1)))
        engine = self.start('--tenant', 'acme', '--tenant', 'bell', '--rules',
                            'cap.json,tenant=acme', '--rules', 'cap.json,tenant=bell', '--list',
                            'm=n.txt,tenant=*')
        self.tell(engine, report('a'), '/ocs/acme/history')
        self.assertEqual(self.ask(engine, path='/ocs/acme/validate'), 409)
        self.assertEqual(self.ask(engine, path='/ocs/bell/validate'), 200)
        self.tell(engine, report('a', GSW_TENANT_NAME='bell'))  # the same guid is another's
        self.assertEqual(self.ask(engine, path='/ocs/bell/validate'), 409)
        self.assertEqual(self.results(engine), {'durable': 2})

    def test_a_report_settles_the_reservation_of_its_question(self):
        engine = self.start(rules=attempts(2))
        for guid in 'ab':
            question = {'GSW_PHONE': PHONE, 'GSW_CALL_ATTEMPT_GUID': guid}
            self.allowed(engine.validate(question))
            self.tell(engine, report(guid))
            self.tell(engine, report(guid, 1))
        self.assertEqual(self.ask(engine), 409)

    def test_kept_over_a_restart(self):
        engine = self.start(rules=attempts(1))
        self.tell(engine, report('a', 1))
        self.assertEqual(engine.stop(), 0)
        engine = self.start(rules=attempts(1))
        self.assertEqual(self.ask(engine), 409)
        self.tell(engine, report('a', 1))
        self.assertEqual(self.results(engine), {'repeated': 1})
        self.assertEqual(engine.metric('dialgate_attempts'), 1)

    def test_answers_keep_their_order(self):
        engine = self.start(rules=attempts(1))
        with engine.client() as client:
            parts, wanted = [], []
            for n in range(200, 260):
                phone = f'212555{n:04}'
                question = {'GSW_PHONE': phone, 'GSW_CALL_ATTEMPT_GUID': f'q{n}'}
                parts += [request('POST', '/ocs/history', report(f'r{n}', phone=phone)),
                          request('POST', '/ocs/validate', question), request('GET', '/livez'),
                          request('POST', '/ocs/history', report(f'r{n}', 1, phone))]
                wanted += [(200, b'{}'), (409, None), (200, None), (200, b'{}')]
            client.send(b''.join(parts))
            for status, body in wanted:
                answer = client.receive()
                self.assertEqual(answer.status, status, answer)
                if body:
                    self.assertEqual(answer.body, body)
        self.assertEqual(self.results(engine), {'durable': 120})


class TestQuarantine(HistoryCase):
    def test_what_nothing_can_be_made_of(self):
        """It is kept, counted and acknowledged, or it would come again for ever."""
        engine = self.start(rules=attempts(1))
        bad = ['', 'nonsense', '[]', '{"GSW_PHONE":"21255', '{}', {'GSW_PHONE': ''},
               {'GSW_PHONE': 'no number'}, {'GSW_PHONE': '1'}, report('a', 2), report('a', 'x'),
               {'GSW_CALL_ATTEMPT_GUID': 'lonely'}, b'\xff\xfe\x00', 'x' * 70000,
               '[' * 30 + ']' * 30]
        for body in bad:
            self.tell(engine, body)
        self.tell(engine, report('a'), '/ocs/nobody/history')
        self.assertEqual(self.results(engine), {'quarantined': len(bad) + 1})
        self.assertEqual(self.ask(engine), 200)
        engine.kill()
        log, = (self.folder / 'data/attempts').iterdir()
        for text in (b'the body is not a flat JSON object\nnonsense', b'the phone is no number\n{',
                     b'GSW_HIST_SEQUENCE_NUM is neither 0 nor 1\n{', b'lonely', b'\xff\xfe\x00',
                     b'the record is larger than a record may be\n'):
            self.assertIn(text, log.read_bytes())
        self.assertEqual(log.stat().st_mode & 0o777, 0o600)
        self.assertIn('nothing can be made of a call report: the body is not', engine.said())
        self.assertNotIn(b'x' * 100, log.read_bytes())  # what is too large is not read at all
        engine = self.start(rules=attempts(2))  # 2: a start counts one that may be under way
        self.assertEqual(self.ask(engine), 200)

    def test_an_unknown_tenant_in_the_body(self):
        engine = self.start('--tenant', 'acme')
        self.tell(engine, report('a', GSW_TENANT_NAME='nobody'))
        self.tell(engine, report('a', GSW_TENANT_NAME='undefined'))
        self.assertEqual(self.results(engine), {'quarantined': 1, 'durable': 1})


class TestRefused(HistoryCase):
    def test_without_a_data_directory(self):
        engine = self.start(rules=attempts(1), data=False)
        self.problem(engine.ask('POST', '/ocs/history', report('a')), 409, 'not_durable')
        self.problem(engine.ask('POST', '/ocs/history', 'nonsense'), 409, 'not_durable')
        self.assertEqual(self.ask(engine), 409)  # nobody knows how many there were
        self.assertEqual(self.results(engine), {'failed': 2})
        self.assertIn('--data', engine.said())

    def test_method_and_token(self):
        engine = self.start('--ocs-token', 'letmein' * 4)
        answer = engine.ask('POST', '/ocs/history', report('a'))
        self.problem(answer, 401, 'unauthorized')
        answer = engine.ask('POST', '/ocs/history', report('a'),
                            Authorization='Bearer ' + 'letmein' * 4)
        self.allowed(answer)
        answer = engine.ask('GET', '/ocs/history')
        self.problem(answer, 405, 'method_not_allowed')
        self.assertEqual(answer.headers['allow'], 'POST')
