# SPDX-License-Identifier: Apache-2.0
"""POST /v1/when: the intervals in which lists and rules agree."""
import json
import random
import time

from lib.engine import EngineCase, SharedEngineCase

NOON = '2026-11-23T17:00:00Z'  # Monday, 12:00 in New York
DOCUMENT = {
    'version': '1',
    'rules': [
        {'name': 'hours', 'type': 'contact_times', 'required': True,
         'windows': [{'days': 'mon-fri', 'from': '09:00', 'till': '17:00'}]},
        {'name': 'feast', 'type': 'contact_dates', 'required': True, 'dates': ['11-4thu']},
        {'name': 'storm', 'type': 'emergency', 'required': True, 'where': {'state': ['TX']},
         'from': '2026-11-24T18:00:00Z', 'till': '2026-11-24T20:00:00Z'},
        {'name': 'never', 'type': 'location', 'required': True, 'where': {'state': ['WY']}}]}


def seconds(text):
    return int(time.mktime(time.strptime(text, '%Y-%m-%dT%H:%M:%SZ')) - time.timezone)


class TestWhen(SharedEngineCase):
    FILES = {'n.csv': 'phone,from,till\n2125550111,2026-11-23T20:00:00Z,2026-11-24T15:30:00Z\n'
                      '2125559999,,\n2125550222,2026-11-01T00:00:00Z,\n',
             'r.json': json.dumps(DOCUMENT)}
    OPTIONS = ('--list', 'n=n.csv', '--rules', 'r.json', '--now', NOON)

    def when(self, body, status=200):
        answer = self.server.ask('POST', '/v1/when', body)
        self.assertEqual(answer.status, status, answer)
        return answer.json()

    def spans(self, body):
        return [(i['from'][5:16], i['until'][5:16]) for i in self.when(body)['intervals']]

    def test_a_week(self):
        found = self.when({'phone': '2125550100'})
        self.assertEqual((found['from'], found['until']), (NOON, '2026-11-30T17:00:00Z'))
        self.assertEqual((found['next'], found['cut']), (NOON, False))
        self.assertEqual(self.spans({'phone': '2125550100'}), [
            ('11-23T17:00', '11-23T22:00'), ('11-24T14:00', '11-24T22:00'),
            ('11-25T14:00', '11-25T22:00'), ('11-27T14:00', '11-27T22:00'),
            ('11-30T14:00', '11-30T17:00')])

    def test_two_zones(self):
        self.assertEqual(self.spans({'phone': '2125550100', 'state': 'CA',
                                     'until': '2026-11-25T00:00:00Z'}),
                         [('11-23T17:00', '11-23T22:00'), ('11-24T17:00', '11-24T22:00')])

    def test_lists_and_emergencies(self):
        self.assertEqual(self.spans({'phone': '2125550111', 'until': '2026-11-25T00:00:00Z'}),
                         [('11-23T17:00', '11-23T20:00'), ('11-24T15:30', '11-24T22:00')])
        self.assertEqual(self.spans({'phone': '7135550100', 'from': '2026-11-24T12:00:00Z',
                                     'until': '2026-11-25T12:00:00Z'}),
                         [('11-24T15:00', '11-24T18:00'), ('11-24T20:00', '11-24T23:00')])

    def test_past_what_entries_know(self):
        for phone in ('2125559999', '2125550222'):
            found = self.when({'phone': phone, 'from': '2106-02-07T06:28:13Z'})
            self.assertEqual((found['intervals'], found['next']), ([], None), phone)

    def test_never(self):
        for record in ({'phone': '2125559999'}, {'phone': '3075550100'}):
            found = self.when(record)
            self.assertEqual((found['intervals'], found['next']), ([], None))

    def test_the_next_instant(self):
        found = self.when({'phone': '2125550100', 'from': '2026-11-25T23:00:00-05:00'})
        self.assertEqual(found['next'], '2026-11-27T14:00:00Z')

    def test_a_record_of_its_own(self):
        self.assertEqual(self.spans({'record': {'phone': '2125550100'},
                                     'from': '2026-11-28T00:00:00Z',
                                     'until': '2026-11-30T15:00:00Z'}),
                         [('11-30T14:00', '11-30T15:00')])

    def test_summer_time_ends(self):
        self.assertEqual(self.spans({'phone': '2125550100', 'from': '2026-10-30T00:00:00Z',
                                     'until': '2026-11-03T00:00:00Z'}),
                         [('10-30T13:00', '10-30T21:00'), ('11-02T14:00', '11-02T22:00')])

    def test_what_is_refused(self):
        for body, code in (
                ({'phone': '2125550100', 'from': 'noon'}, 'bad_instant'),
                ({'phone': '2125550100', 'until': '2026-12-25T17:00:00Z'}, 'bad_value'),
                ({'phone': '2125550100', 'until': '2026-11-22T17:00:00Z'}, 'bad_value'),
                ({'phone': '12'}, 'bad_value'), ('[]', 'bad_json'), ('{', 'bad_json')):
            answer = self.server.ask('POST', '/v1/when', body)
            self.problem(answer, 400, code)

    def test_it_agrees_with_decisions(self):
        seed = random.randrange(1 << 30)
        pick = random.Random(seed)
        for phone in ('2125550100', '7135550100', '2125550111', '8085550100', '8005550100'):
            found = self.when({'phone': phone, 'until': '2026-12-10T00:00:00Z'})
            begin, end = seconds(found['from']), seconds(found['until'])
            spans = [(seconds(i['from']), seconds(i['until'])) for i in found['intervals']]
            instants = [pick.randrange(begin, end) for _ in range(200)]
            for span in spans:
                instants += [at for edge in span for at in (edge - 1, edge) if begin <= at < end]
            records = [{'phone': phone, 'at': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(at))}
                       for at in instants]
            results = self.server.ask('POST', '/v1/decisions', {'records': records}).json()
            for at, result in zip(instants, results['results']):
                good = any(a <= at < b for a, b in spans)
                self.assertEqual(result['verdict'], 'allow' if good else 'block',
                                 (phone, at, f'seed {seed}'))


class TestManyRules(EngineCase):
    def test_an_answer_holds_nobody_up(self):
        """With many rules fewer instants are looked at; asked again from there, all are told."""
        self.write('n.txt', '2125559999\n')
        quarter = [{'days': 'daily', 'from': f'{h:02}:{m:02}', 'till': f'{h:02}:{m + 10:02}'}
                   for h in range(24) for m in (0, 15, 30, 45)]
        day = [{'days': 'daily', 'from': '00:00', 'till': '24:00'}]
        self.write('r.json', json.dumps({'version': '1', 'rules': [
            {'name': f'r{n}', 'type': 'contact_times', 'required': True,
             'windows': day if n else quarter} for n in range(1000)]}))
        engine = self.engine('--list', 'n=n.txt', '--rules', 'r.json', '--now', NOON)
        begin, until, found, asked = NOON, '2026-11-24T17:00:00Z', [], 0
        while begin < until:
            told = engine.ask('POST', '/v1/when', {
                'phone': '2125550100', 'from': begin, 'until': until}).json()
            self.assertLess(len(told['intervals']), 201)
            found += told['intervals']
            asked += 1
            begin = told['seen_until'] if told['cut'] else until
        self.assertEqual((len(found), len({i['from'] for i in found})), (96, 96))
        begin, until = NOON, '2026-12-24T17:00:00Z'
        told = engine.ask('POST', '/v1/when', {'phone': '2125550100', 'until': until}).json()
        self.assertTrue(told['cut'])
        self.assertLess(len(told['intervals']), 201)
