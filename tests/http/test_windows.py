# SPDX-License-Identifier: Apache-2.0
"""Rules of time and place over HTTP: windows in every zone that counts, dates, shadow, packs."""
import json
import os

from lib.engine import EngineCase

# Monday 2026-11-23; New York is UTC-5, Chicago -6, Los Angeles -8, Phoenix -7
NEW_YORK, LOS_ANGELES = '2125550100', '2135550100'


def hours(begin, end, days='daily', name='hours', **more):
    return {'name': name, 'type': 'contact_times', 'required': True,
            'windows': [{'days': days, 'from': begin, 'till': end}], **more}


class WindowsCase(EngineCase):
    def start(self, document, *more, now='2026-11-23T17:00:00Z'):
        self.write('n.txt', '2125559999\n')
        self.write('r.json', json.dumps({'version': '1', **document}))
        return self.engine('--list', 'n=n.txt', '--rules', 'r.json', '--now', now, '--threads',
                           '1', *more)

    def verdicts(self, engine, phone, *instants, **more):
        """One letter an instant: a(llow) or b(lock), /v1/decisions and /v1/explain agreeing."""
        letters = ''
        for at in instants:
            record = {'phone': phone, 'at': at, **more}
            result = engine.ask('POST', '/v1/decisions', {'records': [record]}).json()['results'][0]
            told = engine.ask('POST', '/v1/explain', record).json()
            self.assertEqual((told['verdict'], told['rule'], told['type'], told['reason']),
                             tuple(result[k] for k in ('verdict', 'rule', 'type', 'reason')))
            letters += result['verdict'][0]
        return letters


class TestHours(WindowsCase):
    def test_edges_in_the_zone_of_the_number(self):
        engine = self.start({'rules': [hours('08:00', '21:00')]})
        self.assertEqual(self.verdicts(
            engine, NEW_YORK, '2026-11-23T12:59:59Z', '2026-11-23T13:00:00Z',
            '2026-11-24T01:59:59Z', '2026-11-24T02:00:00Z'), 'baab')
        self.assertEqual(self.verdicts(
            engine, LOS_ANGELES, '2026-11-23T15:59:59Z', '2026-11-23T16:00:00Z',
            '2026-11-24T04:59:59Z', '2026-11-24T05:00:00Z'), 'baab')
        # summer: one hour earlier in UTC
        self.assertEqual(self.verdicts(
            engine, NEW_YORK, '2026-07-01T11:59:59Z', '2026-07-01T12:00:00Z'), 'ba')

    def test_good_in_all_zones(self):
        engine = self.start({'rules': [hours('08:00', '21:00')]})
        west = {'state': 'CA'}  # a New York number, an address in California
        self.assertEqual(self.verdicts(
            engine, NEW_YORK, '2026-11-23T13:00:00Z', '2026-11-23T15:59:59Z',
            '2026-11-23T16:00:00Z', '2026-11-24T01:59:59Z', '2026-11-24T02:00:00Z', **west),
            'bbaab')
        self.assertEqual(self.verdicts(
            engine, NEW_YORK, '2026-11-23T13:00:00Z', zone='America/Chicago'), 'b')

    def test_zone_from_chooses(self):
        engine = self.start({'rules': [hours('08:00', '21:00', zone_from=['device'])]})
        self.assertEqual(self.verdicts(engine, NEW_YORK, '2026-11-23T13:00:00Z', state='CA'), 'a')

    def test_no_evidence_counts_every_zone_of_the_country(self):
        engine = self.start({'rules': [hours('08:00', '21:00')]})
        toll_free = '8005550100'
        # 8:00 in Honolulu is 13:00 in New York; 21:00 in New York (and San Juan an hour later)
        self.assertEqual(self.verdicts(
            engine, toll_free, '2026-11-23T13:30:00Z', '2026-11-23T20:00:00Z',
            '2026-11-24T02:30:00Z'), 'bab')

    def test_days_are_local(self):
        engine = self.start({'rules': [hours('00:00', '24:00', days='mon')]})
        # Tuesday 03:00 in London is Monday 19:00 in Los Angeles, 22:00 in New York
        self.assertEqual(self.verdicts(engine, LOS_ANGELES, '2026-11-24T07:59:59Z',
                                       '2026-11-24T08:00:00Z'), 'ab')
        self.assertEqual(self.verdicts(engine, NEW_YORK, '2026-11-24T04:59:59Z',
                                       '2026-11-24T05:00:00Z'), 'ab')

    def test_narrowed_to_a_place(self):
        engine = self.start({'rules': [hours('10:00', '11:00', name='texas',
                                             where={'state': ['TX']})]})
        houston = '7135550100'
        at = '2026-11-23T20:00:00Z'
        self.assertEqual(self.verdicts(engine, NEW_YORK, at), 'a')
        self.assertEqual(self.verdicts(engine, houston, at), 'b')
        self.assertEqual(self.verdicts(engine, NEW_YORK, at, state='TX'), 'b')

    def test_the_clock_of_the_engine(self):
        engine = self.start({'rules': [hours('08:00', '12:00')]}, now='2026-11-23T16:59:59Z')
        self.allowed(engine.validate({'GSW_PHONE': NEW_YORK}))
        engine = self.start({'rules': [hours('08:00', '12:00')]}, now='2026-11-23T17:00:00Z')
        self.blocked(engine.validate({'GSW_PHONE': NEW_YORK}), 'contact_times', 'hours')

    def test_retry_at(self):
        engine = self.start({'rules': [
            hours('08:00', '12:00', days='mon-fri'),
            {'name': 'feast', 'type': 'contact_dates', 'required': True, 'dates': ['11-24']}]})
        result = engine.ask('POST', '/v1/decisions', {'records': [{'phone': NEW_YORK}]}).json()
        # Monday noon: Tuesday is a feast, so Wednesday at eight
        self.assertEqual(result['results'][0]['retry_at'], '2026-11-25T13:00:00Z')
        engine = self.start({'rules': [{'name': 'no', 'type': 'location', 'required': True,
                                        'where': {'country': ['US']}}]})
        result = engine.ask('POST', '/v1/decisions', {'records': [{'phone': NEW_YORK}]}).json()
        self.assertIsNone(result['results'][0]['retry_at'])


class TestDates(WindowsCase):
    def test_dates(self):
        engine = self.start({'rules': [
            {'name': 'dates', 'type': 'contact_dates', 'required': True,
             'dates': ['12-25', '11-4thu', 'easter-2',
                       {'date': '07-04', 'observed': {'sat': -1, 'sun': 1}}]}]})
        at = [f'{day}T18:00:00Z' for day in (
            '2026-12-25', '2026-12-24', '2026-11-26', '2026-11-19', '2026-04-03', '2026-04-05',
            '2026-07-03', '2026-07-04', '2026-07-06', '2027-07-05')]
        self.assertEqual(self.verdicts(engine, NEW_YORK, *at), 'bababa' + 'bbab')
        # the day is the called party's: still Christmas in Los Angeles
        self.assertEqual(self.verdicts(engine, LOS_ANGELES, '2026-12-26T07:59:59Z',
                                       '2026-12-26T08:00:00Z'), 'ba')


class TestModes(WindowsCase):
    def test_shadow_never_blocks(self):
        engine = self.start({'rules': [hours('01:00', '02:00', mode='shadow')]})
        self.allowed(engine.validate({'GSW_PHONE': NEW_YORK}))
        self.assertEqual(engine.metric(
            'dialgate_rule_blocks_total{tenant="default",rule="hours",mode="shadow"}'), 1)
        told = engine.ask('POST', '/v1/explain', {'phone': NEW_YORK}).json()
        self.assertEqual((told['verdict'], told['rules'][0]['blocks'], told['rules'][0]['mode']),
                         ('allow', True, 'shadow'))

    def test_plans(self):
        engine = self.start({
            'rules': [hours('08:00', '21:00'),
                      {'name': 'never', 'type': 'location', 'where': {'country': ['US']}}],
            'plans': [{'campaign_group': 'Spring@Agents', 'rules': ['never']},
                      {'campaign_group': 'Früh "1"', 'rules': ['never']}]})
        ask = engine.validate
        self.allowed(ask({'GSW_PHONE': NEW_YORK}))
        self.allowed(ask({'GSW_PHONE': NEW_YORK, 'GSW_CAMPAIGN_GROUP_NAME': 'Autumn'}))
        self.blocked(ask({'GSW_PHONE': NEW_YORK, 'GSW_CAMPAIGN_GROUP_NAME': 'Spring@Agents'}),
                     'location', 'never')
        batch = {'campaign_group': 'Spring@Agents', 'records': [
            {'phone': NEW_YORK}, {'phone': NEW_YORK, 'campaign_group': 'Autumn'}]}
        results = engine.ask('POST', '/v1/decisions', batch).json()['results']
        self.assertEqual([r['verdict'] for r in results], ['block', 'allow'])
        batch = {'campaign_group': 'Früh "1"', 'records': [{'phone': NEW_YORK}] * 3}
        for text in (json.dumps(batch), json.dumps(batch, ensure_ascii=False)):
            results = engine.ask('POST', '/v1/decisions', text).json()['results']
            self.assertEqual([r['rule'] for r in results], ['never'] * 3)

    def test_call_result_and_expressions(self):
        engine = self.start({'rules': [
            {'name': 'second', 'type': 'custom', 'required': True, 'call_result': 33,
             'block_if': '$GSW_STATE_CODE == "CA" and $balance < 100'},
            {'name': 'mobile', 'type': 'line_type', 'required': True, 'block': ['wireless'],
             'where': {'state': ['WY']}, 'call_result': 3}]})
        ask = engine.validate
        self.blocked(ask({'GSW_PHONE': NEW_YORK, 'GSW_STATE_CODE': 'CA', 'balance': '99.5'}),
                     'custom', 'second', 33)
        self.allowed(ask({'GSW_PHONE': NEW_YORK, 'GSW_STATE_CODE': 'CA', 'balance': 100}))
        self.allowed(ask({'GSW_PHONE': NEW_YORK, 'GSW_STATE_CODE': 'NY'}))
        # a field that is needed and not there: not known, so blocked
        self.blocked(ask({'GSW_PHONE': NEW_YORK, 'GSW_STATE_CODE': 'CA'}), 'custom', 'second', 33)
        self.blocked(ask({'GSW_PHONE': '3075550100'}), 'line_type', 'mobile', 3)

    def test_user_fields_named_like_members_of_v1(self):
        engine = self.start({'rules': [
            {'name': 'gold', 'type': 'custom', 'required': True, 'block_if': '$state == "gold"'}]})
        # in an OCS record "state" is a field of the user's, and no evidence of a place
        self.blocked(engine.validate({'GSW_PHONE': NEW_YORK, 'state': 'gold'}), 'custom', 'gold')
        self.allowed(engine.validate({'GSW_PHONE': NEW_YORK, 'state': 'TX'}))
        result = engine.ask('POST', '/v1/decisions', {'records': [
            {'phone': NEW_YORK, 'state': 'gold'}, {'phone': NEW_YORK, 'state': 'TX'}]}).json()
        self.assertEqual([r['verdict'] for r in result['results']], ['block', 'allow'])


class TestPacks(WindowsCase):
    def test_federal_hours_and_unverified_states(self):
        lists = [{'name': 'national', 'kind': 'device'}, {'name': 'internal', 'kind': 'device'}]
        shadow = {'packs': ['us-federal', 'us-states'], 'lists': lists,
                  'tenant': {'purpose': 'informational'}}
        more = ('--list', 'national=n.txt,optional', '--list', 'internal=n.txt,optional',
                '--data', 'data')
        engine = self.start(shadow, *more)
        listed = engine.ask('GET', '/v1/rules/effective').json()['rules']
        unverified = [r for r in listed if r.get('verified', '') is None]
        self.assertTrue(unverified)
        self.assertEqual({r['mode'] for r in unverified}, {'shadow'})
        engine.stop()
        shadow['tenant']['unverified_rules'] = 'enforce'
        engine = self.start(shadow, *more)
        listed = engine.ask('GET', '/v1/rules/effective').json()['rules']
        self.assertIn('enforce', {r['mode'] for r in listed if r.get('verified', '') is None})

    def test_a_pack_that_is_not_there(self):
        self.write('n.txt', '')
        self.write('r.json', json.dumps({'version': '1', 'packs': ['atlantis']}))
        said = self.fails('--list', 'n=n.txt', '--rules', 'r.json')
        self.assertIn('atlantis', said)
        self.assertIn('/packs/0', said)


class TestAgeOfLists(WindowsCase):
    DAY = 86400
    NOW = 1795453200  # 2026-11-23T17:00:00Z

    def document(self, **more):
        return {'lists': [{'name': 'old', 'kind': 'device', 'max_age': '31d', **more}],
                'plans': [{'campaign_group': 'g', 'lists': ['old']}]}

    def list(self, age_s):
        path = self.write('old.txt', '2125550111\n')
        os.utime(path, (self.NOW - age_s, self.NOW - age_s))
        return ('--list', 'old=old.txt,optional')

    def test_a_list_that_is_too_old_blocks(self):
        for age, ok in ((30 * self.DAY, True), (31 * self.DAY - 1, True), (31 * self.DAY, False)):
            engine = self.start(self.document(required=True), *self.list(age))
            answer = engine.validate({'GSW_PHONE': NEW_YORK})
            self.allowed(answer) if ok else self.blocked(answer, 'freshness', 'old')
            # who is on it is still told so
            self.blocked(engine.validate({'GSW_PHONE': '2125550111'}), 'suppression', 'old')
            engine.stop()

    def test_its_age_survives_a_restart(self):
        options = (*self.list(31 * self.DAY), '--data', 'data')
        for _ in range(2):
            engine = self.start(self.document(required=True), *options)
            self.blocked(engine.validate({'GSW_PHONE': NEW_YORK}), 'freshness', 'old')
            engine.stop()

    def test_only_where_a_plan_names_it(self):
        engine = self.start(self.document(), *self.list(40 * self.DAY))
        self.allowed(engine.validate({'GSW_PHONE': NEW_YORK}))
        self.allowed(engine.validate({'GSW_PHONE': '2125550111'}))
        group = {'GSW_CAMPAIGN_GROUP_NAME': 'g'}
        self.blocked(engine.validate({'GSW_PHONE': NEW_YORK, **group}), 'freshness', 'old')
        self.blocked(engine.validate({'GSW_PHONE': '2125550111', **group}), 'suppression', 'old')

    def test_channels_of_the_document(self):
        engine = self.start(self.document(required=True, channels=['sms']), *self.list(0))
        self.allowed(engine.validate({'GSW_PHONE': '2125550111'}))
        self.blocked(engine.validate({'GSW_PHONE': '2125550111',
                                      'GSW_CONTACT_MEDIA_TYPE': 'sms'}), 'suppression', 'old')
