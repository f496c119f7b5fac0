# SPDX-License-Identifier: Apache-2.0
"""POST /v1/explain: what was looked at, and a verdict that /ocs/validate would give."""
import json
import random

from lib.engine import EngineCase, SharedEngineCase

NOON = '2026-11-23T17:00:00Z'  # Monday, 12:00 in New York, 9:00 in Los Angeles
DOCUMENT = {
    'version': 'v7', 'lists': [{'name': 'n', 'kind': 'device', 'required': True}],
    'rules': [
        {'name': 'evening', 'type': 'contact_times', 'required': True, 'priority': 10,
         'title': 'Calls only from ten in the morning', 'cite': 'Act 7, section 3',
         'url': 'https://example.org/act', 'verified': '2026-09-30',
         'windows': [{'days': 'mon-fri', 'from': '10:00', 'till': '21:00'}]},
        {'name': 'texas', 'type': 'location', 'required': True, 'where': {'state': ['TX']}},
        {'name': 'limit', 'type': 'attempts', 'required': True, 'max': 2, 'period': '1d'},
        {'name': 'tried', 'type': 'contact_dates', 'required': True, 'dates': ['11-23'],
         'mode': 'shadow'},
        {'name': 'vip', 'type': 'location', 'where': {'country': ['US']}}],
    'plans': [{'campaign_group': 'g', 'rules': ['vip']}]}


class TestExplain(SharedEngineCase):
    FILES = {'n.txt': '2125559999\n', 'r.json': json.dumps(DOCUMENT)}
    OPTIONS = ('--list', 'n=n.txt', '--rules', 'r.json', '--now', NOON, '--data', 'data')

    def explain(self, record):
        answer = self.server.ask('POST', '/v1/explain', record)
        self.assertEqual(answer.status, 200, answer)
        return answer.json()

    def rule(self, told, name):
        return next(r for r in told['rules'] if r['name'] == name)

    def source(self, told, name):
        return next(s for s in told['evidence'] if s['source'] == name)

    def test_the_frame(self):
        told = self.explain({'phone': '212 555 0100', 'campaign_group': 'g', 'channel': 'sms'})
        self.assertEqual({k: told[k] for k in ('at', 'dated', 'tenant', 'channel',
                                               'campaign_group', 'has_plan', 'rules_version')},
                         {'at': NOON, 'dated': False, 'tenant': 'default', 'channel': 'sms',
                          'campaign_group': 'g', 'has_plan': True, 'rules_version': 'v7'})
        self.assertEqual((told['verdict'], told['rule']), ('block', 'vip'))
        self.assertFalse(self.explain({'phone': '2125550100', 'campaign_group': 'h'})['has_plan'])

    def test_numbers_are_masked(self):
        answer = self.server.ask('POST', '/v1/explain', {'phone': '2125550100'})
        self.assertNotIn(b'5550100', answer.body)
        self.assertEqual(answer.json()['contact']['phone'], '+1212***0100')

    def test_evidence(self):
        told = self.explain({'phone': '2125550100', 'state': 'CA', 'postal_code': '60601',
                             'zone': 'America/Denver'})
        device = self.source(told, 'device')
        self.assertEqual(device['from'], {'number': '+1212***0100', 'area_code': '212'})
        self.assertEqual(device['regions'], ['US-NY'])
        self.assertEqual(device['zones'], [{'zone': 'America/New_York', 'weekday': 'mon',
                                            'local': '2026-11-23T12:00:00-05:00'}])
        self.assertEqual(self.source(told, 'state')['zones'][0]['local'],
                         '2026-11-23T09:00:00-08:00')
        self.assertEqual(self.source(told, 'postal_code')['zones'][0]['zone'], 'America/Chicago')
        self.assertEqual(self.source(told, 'contact')['from'], {'zone': 'America/Denver'})
        self.assertEqual(set(told['place']['regions']), {'US-NY', 'US-CA', 'US-IL'})
        evening = self.rule(told, 'evening')
        self.assertEqual((evening['applies'], evening['blocks']), (True, True))
        self.assertEqual(evening['inputs']['zone']['zone'], 'America/Los_Angeles')
        self.assertEqual(evening['cite'], 'Act 7, section 3')
        self.assertEqual(evening['verified'], '2026-09-30')
        self.assertEqual(evening['until'], '2026-11-23T18:00:00Z')
        self.assertEqual((told['GSW_CALL_RESULT'], told['retry_at']), (52, '2026-11-23T18:00:00Z'))

    def test_every_rule_is_shown(self):
        told = self.explain({'phone': '7135550100'})  # Houston
        self.assertEqual([r['name'] for r in told['rules']], ['evening', 'limit', 'texas', 'tried'])
        self.assertEqual((told['rule'], told['type']), ('texas', 'location'))
        tried = self.rule(told, 'tried')
        self.assertEqual((tried['mode'], tried['applies'], tried['blocks']), ('shadow', True, True))
        limit = self.rule(told, 'limit')['inputs']
        self.assertEqual((limit['max'], limit['count'], limit['known'], limit['since']),
                         (2, 0, True, '2026-11-22T17:00:01Z' if limit['since'].endswith('1Z')
                          else '2026-11-22T17:00:00Z'))
        self.assertFalse(self.rule(self.explain({'phone': '2125550100'}), 'texas')['applies'])

    def test_lists(self):
        told = self.explain({'phone': '2125559999'})
        self.assertEqual(told['lists'][0]['entries'], [
            {'source': 'file', 'in_force': True, 'from': None, 'till': None}])
        self.assertEqual((told['type'], told['rule'], told['GSW_CALL_RESULT']),
                         ('suppression', 'n', 51))
        self.assertTrue(told['rules'])  # rules are shown although a list blocks first

    def test_the_sentence(self):
        for record, words in (
                ({'phone': '2125550100', 'state': 'CA'},
                 ('Do not contact', 'evening', '09:00 on Monday', 'America/Los_Angeles',
                  'Act 7, section 3', '2026-11-23T18:00:00Z')),
                ({'phone': '2125550100'}, ('May be contacted', '12:00 on Monday',
                                           'America/New_York')),
                ({'phone': '2125559999'}, ('Do not contact', 'list "n"')),
                ({'phone': '12'}, ('Do not contact', 'no number'))):
            sentence = self.explain(record)['sentence']
            for word in words:
                self.assertIn(word, sentence)
            self.assertNotIn('555', sentence)

    def test_what_is_no_record(self):
        told = self.explain('[]')
        self.assertEqual((told['verdict'], told['type'], told['GSW_CALL_RESULT']),
                         ('block', 'input', 3))
        self.assertEqual(self.explain({'record': {'phone': '2125550100'}})['verdict'], 'allow')

    def test_half_a_body_is_no_record(self):
        for body in ('{"record":{"phone":"2125550100"}', '{"record":{"phone":"2125550100"},}',
                     '{"record":{"phone":"2125550100"}} 1'):
            told = self.explain(body)
            self.assertEqual((told['verdict'], told['type']), ('block', 'input'), body)

    def test_it_agrees_with_ocs(self):
        seed = random.randrange(1 << 30)
        pick = random.Random(seed)
        areas = ['212', '213', '713', '307', '808', '800', '416', '999', '876']
        for _ in range(150):
            record = {'GSW_PHONE': pick.choice(areas) + f'555{pick.randrange(10000):04}'}
            for key, values in (('GSW_STATE_CODE', ['TX', 'NY', 'ZZ', '']),
                                ('GSW_POSTAL_CODE', ['75001', '99999', 'K1A 0B1']),
                                ('GSW_TZ_NAME', ['America/Denver', 'PST', 'nowhere']),
                                ('GSW_CAMPAIGN_GROUP_NAME', ['g', 'h'])):
                if pick.random() < 0.3:
                    record[key] = pick.choice(values)
            told = self.explain(record)
            result = self.server.ask('POST', '/v1/decisions', {'records': [record]}).json()
            self.assertEqual([result['results'][0][k] for k in ('verdict', 'rule', 'type')],
                             [told[k] for k in ('verdict', 'rule', 'type')], f'seed {seed}')
            answer = self.server.validate(record)
            if told['verdict'] == 'allow':
                self.allowed(answer)
            else:
                self.assertEqual(answer.json(), {
                    'GSW_CALL_RESULT': told['GSW_CALL_RESULT'],
                    'GSW_BLOCKING_RULE': told['rule'],
                    'GSW_BLOCKING_RULE_TYPE': told['type']}, f'seed {seed}')


class TestLongWords(EngineCase):
    def test_the_sentence_is_whole(self):
        self.write('n.txt', '2125559999\n')
        self.write('r.json', json.dumps({'version': '1', 'rules': [
            {'name': 'n' * 128, 'type': 'location', 'required': True, 'where': {'state': ['NY']},
             'title': 't' * 4096, 'cite': 'c' * 4096}]}))
        engine = self.engine('--list', 'n=n.txt', '--rules', 'r.json')
        told = engine.ask('POST', '/v1/explain', {'phone': '2125550100'}).json()
        self.assertIn('n' * 128, told['sentence'])
        self.assertTrue(told['sentence'].endswith('t' * 4096 + ' (' + 'c' * 4096 + ').'),
                        told['sentence'][:300])

    def test_as_many_words_as_a_document_may_have(self):
        self.write('n.txt', '2125559999\n')
        windows = [{'days': 'daily', 'from': f'{m // 60:02}:{m % 60:02}',
                    'till': f'{m // 60:02}:{m % 60 + 1:02}'} for m in range(0, 1440, 60)]
        text = json.dumps({'version': '1', 'rules': [
            {'name': f'r{n}', 'type': 'contact_times', 'required': True, 'windows': windows,
             'title': 't' * 2500} for n in range(1024)]}, separators=(',', ':'))
        self.assertGreater(len(text), 3 << 20)
        engine = self.engine('--list', 'n=n.txt', '--data', 'data')
        self.assertEqual(engine.ask('PUT', '/v1/rules', text).status, 200)
        told = engine.ask('POST', '/v1/explain', {'phone': '2125550100'})
        self.assertEqual(told.status, 200, told)
        self.assertEqual(len(told.json()['rules']), 1024)
        answer = engine.ask('GET', '/v1/rules/effective')
        self.assertEqual((answer.status, len(answer.json()['rules'])), (200, 1024))


class TestWithoutRules(EngineCase):
    def test_lists_alone(self):
        self.write('n.txt', '2125559999\n')
        engine = self.engine('--list', 'n=n.txt')
        told = engine.ask('POST', '/v1/explain', {'phone': '2125559999'}).json()
        self.assertEqual((told['verdict'], told['rules_version']), ('block', None))
        self.assertNotIn('rules', told)
        told = engine.ask('POST', '/v1/explain', {'phone': '2125550100'}).json()
        self.assertEqual(told['verdict'], 'allow')
