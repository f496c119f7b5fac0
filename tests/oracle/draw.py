# SPDX-License-Identifier: Apache-2.0
"""Random rule sets, records, attempts and instants, all from one seed."""
import datetime

STATES = ('TX', 'FL', 'NY', 'CA', 'AZ', 'IN', 'KY', 'TN', 'ND', 'SD', 'ID', 'OR', 'MI', 'AK', 'HI',
          'ON', 'BC', 'NL', 'SK', 'NSW', 'WA')
STATE_OF = {'CA': ('ON', 'BC', 'NL', 'SK'), 'AU': ('NSW', 'WA')}  # the rest is the US's
COUNTRIES = ('US', 'CA', 'GB', 'FR', 'AU', 'DE')
ZIPS = ('10001', '75001', '79901', '32501', '46320', '37402', '83814', '97914', '49801', '99501',
        '85001', '86515', '60601', '90210', '00000', '99999', 'K1A 0B1', 'V6B 4Y8',
        'A1C 5S7', 'S4P 3Y2')
ZONES = ('America/New_York', 'America/Chicago', 'America/Denver', 'America/Phoenix',
         'America/Los_Angeles', 'Pacific/Honolulu', 'America/St_Johns', 'Europe/London',
         'Australia/Lord_Howe', 'Asia/Kathmandu', 'Nowhere/Land', 'PST', 'EST')
FOREIGN = ('+44207183{:04}', '+3314227{:04}', '+6129374{:04}', '+4930227{:05}', '+61891{:06}')
RESULTS = ('Busy', 'No Answer', 'Answering Machine', 'Answer', 'Abandoned', 'Wrong Number', 28, 52)
DAYS = ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')
DATES = ('12-25', '01-01', '07-04', '02-29', '11-4thu', '05-lastmon', 'easter', 'easter-47',
         'easter+1', '2026-11-26', '2027-03-14')
CHANNELS = ('voice', 'sms', 'email')
SOURCES = ('device', 'postal_code', 'state', 'contact')
PURPOSES = ('solicitation', 'informational', 'collection')
DIALING = ('manual', 'autodialed', 'prerecorded')
GROUPS = ('Spring@Agents', 'Autumn@Robots', 'Winter')
SUBJECTS = (None, None, 'debt-1', 'debt-2')
DISPOSITIONS = ('promise', 'refused', 'wrong person')
PERIODS = ('today', '2cd', '7cd', '30cd', '90m', '5h', '24h', '7d', '30d')
# Days round which clocks change, and others.
HOT_DAYS = ('2026-11-01', '2027-03-14', '2027-11-07', '2027-03-28', '2026-10-25', '2027-04-04',
            '2026-11-26', '2026-12-25', '2027-01-01', '2027-02-09', '2027-03-28', '2026-07-03')


def some(pick, values, most):
    return pick.sample(values, pick.randint(1, most))


def minute(pick):
    return f'{pick.randrange(24):02}:{pick.choice((0, 0, 15, 30, 45, 59)):02}'


class Draw:
    def __init__(self, pick, area_codes, now):
        self.pick, self.area_codes, self.now = pick, area_codes, now

    # -- rule sets ------------------------------------------------------------------------------

    def where(self):
        pick, where = self.pick, {}
        if pick.random() < .4:
            where['country'] = some(pick, COUNTRIES, 3)
        if pick.random() < .4:
            where['state'] = [s for s in some(pick, STATES, 6) if self.is_in(s, where)]
            if not where['state']:
                del where['state']
        if pick.random() < .15:
            where['area_code'] = some(pick, self.area_codes, 8)
        if pick.random() < .1:
            where['postal_code'] = [z[:pick.randint(1, 5)].strip() for z in some(pick, ZIPS, 4)]
        return where

    @staticmethod
    def is_in(state, where):
        homes = {c for c, states in STATE_OF.items() if state in states} or {'US'}
        if state == 'WA':
            homes.add('US')
        return 'country' not in where or homes & set(where['country'])

    def windows(self):
        windows, pick = [], self.pick
        for day in DAYS:
            edges = sorted({minute(pick) for _ in range(pick.choice((0, 2, 2, 2, 4)))})
            for start, end in zip(edges[::2], edges[1::2]):
                windows.append({'days': day, 'from': start, 'till': end})
        if pick.random() < .4:
            return [{'days': pick.choice(('mon-fri', 'daily', 'mon-sat', 'sat-sun,wed')),
                     'from': '08:00', 'till': pick.choice(('20:00', '21:00', '24:00'))}]
        return windows

    def date(self):
        date = self.pick.choice(DATES)
        if self.pick.random() < .4 and not date[:4].isdigit():
            return {'date': date, 'name': 'a day', 'observed': {
                day: self.pick.choice((-1, 1, 2)) for day in some(self.pick, ('sat', 'sun'), 2)}}
        return date

    def test(self):
        pick = self.pick
        kind = pick.randrange(6)
        if kind == 0:
            return f'$GSW_STATE_CODE {pick.choice(("==", "!="))} "{pick.choice(STATES)}"'
        if kind == 1:
            codes = ', '.join(f'"{s}"' for s in some(pick, STATES, 5))
            return f'$GSW_STATE_CODE {pick.choice(("in", "not in"))} [{codes}]'
        if kind == 2:
            return f'$score {pick.choice(("<", "<=", ">", ">=", "==", "!="))} {pick.randrange(9)}'
        if kind == 3:
            return f'$tier {pick.choice(("==", "!="))} {pick.choice((repr("gold"), chr(34) * 2))}'
        by = pick.choice(('AttemptsOnDevice', 'AttemptsOnContact'))
        window = pick.choice(('24H', '90M', '7D', '30D'))
        names = ', '.join(str(r) for r in some(pick, ('Answer', 'Busy', '"No Answer"', 21), 3))
        call = f'{by}({window})' if kind == 4 else f'{by}({window}, [{names}])'
        return f'{call} {pick.choice(("<", "<=", ">", ">=", "==", "!="))} {pick.randrange(4)}'

    def expression(self, depth=0):
        pick = self.pick
        if depth == 3 or pick.random() < .4:
            return self.test()
        if pick.random() < .25:
            return f'not ({self.expression(depth + 1)})'
        joint = pick.choice((' and ', ' or '))
        return '(' + joint.join(self.expression(depth + 1)
                                for _ in range(pick.randint(2, 3))) + ')'

    def day(self):
        return (datetime.date(2026, 10, 1)
                + datetime.timedelta(days=self.pick.randrange(240))).isoformat()

    def attempts(self):
        pick = self.pick
        rule = {'max': pick.randint(1, 4), 'period': pick.choice(PERIODS),
                'count_by': pick.choice(('device', 'client', 'both')),
                'scope': pick.choice(('tenant', 'tenant', 'group')),
                'per_subject': pick.random() < .3}
        if pick.random() < .25:
            rule['counted_where'] = self.where()
            rule['counted_where'].pop('postal_code', None)
            if not rule['counted_where']:
                del rule['counted_where']
        if pick.random() < .4:
            rule['results'] = some(pick, RESULTS, 4)
        elif pick.random() < .3:
            rule['dispositions'] = some(pick, DISPOSITIONS, 2)
        return rule

    def rule(self, number):
        pick = self.pick
        kind = pick.choice(('contact_times',) * 4 + ('contact_dates',) * 2 + ('attempts',) * 4
                           + ('custom',) * 2 + ('location', 'line_type', 'emergency',
                                                'suppression', 'freshness'))
        rule = {'name': f'{pick.choice("abcxyz")} {number}', 'type': kind,
                'required': pick.random() < .6, 'priority': pick.choice((1, 10, 100, 100, 500)),
                'where': self.where()}
        rule.update(getattr(self, kind, dict)() if kind == 'attempts' else {
            'contact_times': lambda: {'windows': self.windows()},
            'contact_dates': lambda: {'dates': [self.date() for _ in range(pick.randint(1, 3))]},
            'custom': lambda: {'block_if': self.expression()},
            'line_type': lambda: {'block': some(pick, ('wireless', 'landline', 'voip'), 2)},
            'emergency': self.emergency,
            'location': dict,
            'suppression': lambda: {'list': pick.choice(('phones', 'clients'))},
            'freshness': lambda: {'list': 'phones', 'max_age': pick.choice(('20d', '31d', '90d'))},
        }[kind]())
        if kind in ('location', 'line_type', 'emergency', 'suppression', 'freshness'):
            rule['where'] = rule['where'] or {'state': some(pick, STATES, 4)}
        if not rule['where']:
            del rule['where']
        return self.narrowed(rule)

    def emergency(self):
        edges = sorted(self.at() for _ in range(2))
        word = [datetime.datetime.fromtimestamp(e, datetime.timezone.utc).isoformat()
                for e in edges]
        rule = {'from': word[0], 'till': word[1]}
        if edges[0] == edges[1] or self.pick.random() < .3:
            del rule[self.pick.choice(('from', 'till'))]
        return rule

    def narrowed(self, rule):
        pick = self.pick
        if pick.random() < .12:
            rule['mode'] = 'shadow'
        if pick.random() < .15:
            rule['channels'] = some(pick, CHANNELS, 2)
        if pick.random() < .15:
            rule['purposes'] = some(pick, PURPOSES, 2)
        if pick.random() < .15:
            rule['dialing'] = some(pick, DIALING, 2)
        if pick.random() < .2:
            rule['zone_from'] = some(pick, SOURCES, 3)
        if pick.random() < .15:
            rule['unless'] = self.expression(2)
        if pick.random() < .2:
            rule['effective_from'] = self.day()
        if pick.random() < .2:
            rule['effective_until'] = max(self.day(), rule.get('effective_from', ''))
        return rule

    def document(self, number, packs):
        pick = self.pick
        rules = [self.rule(n) for n in range(pick.choice((1, 2, 4, 8, 16)))]
        # keeps the longest window the same for all rule sets
        rules.append({'name': 'keep', 'type': 'attempts', 'mode': 'shadow', 'required': True,
                      'max': 1000, 'period': '366d'})
        tenant = {'subject_field': 'debt_id'}
        if pick.random() < .3:
            tenant['default_country'] = pick.choice(COUNTRIES)
        if pick.random() < .3:
            tenant.update(zone_unknown='default', default_zone=pick.choice(ZONES[:8]))
        if pick.random() < .3:
            tenant['zone_from'] = some(pick, SOURCES, 3)
        if pick.random() < .3:
            tenant['unverified_rules'] = pick.choice(('shadow', 'enforce'))
        if pick.random() < .2:
            tenant['purpose'] = pick.choice(PURPOSES)
        if pick.random() < .2:
            tenant['dialing'] = pick.choice(DIALING)
        lists = [{'name': 'phones', 'kind': 'device'}, {'name': 'clients', 'kind': 'client'}]
        document = {'version': f'draw {number}', 'tenant': tenant, 'lists': lists,
                    'rules': rules, 'plans': []}
        if pick.random() < .25:
            document['packs'] = some(pick, packs, 2)
        for group in some(pick, GROUPS, 2):
            plan = {'campaign_group': group,
                    'rules': [r['name'] for r in rules if pick.random() < .4]}
            if pick.random() < .3:
                plan['lists'] = ['clients']
            if pick.random() < .3:
                plan['zone_from'] = some(pick, SOURCES, 2)
            if pick.random() < .3:
                plan['purpose'] = pick.choice(PURPOSES)
            document['plans'].append(plan)
        return document

    # -- records --------------------------------------------------------------------------------

    def phone(self):
        pick = self.pick
        if pick.random() < .12:
            form = pick.choice(FOREIGN)
            width = int(form[form.index(':0') + 2])
            return form.format(pick.randrange(10 ** width))
        return f'+1{pick.choice(self.area_codes)}{pick.choice(("555", "321", "739"))}' \
               f'{pick.randrange(10000):04}'

    def record(self, phones, clients):
        pick, record = self.pick, {}
        if pick.random() < .95:
            record['phone'] = pick.choice(phones)
        if 'phone' not in record or pick.random() < .5:
            record['client_id'] = pick.choice(clients)
        for key, chance, values in (
                ('GSW_POSTAL_CODE', .3, ZIPS), ('GSW_STATE_CODE', .3, STATES),
                ('GSW_REGION_CODE', .1, STATES + ('Texas', 'new south wales', 'EMEA')),
                ('GSW_D_STATE_CODE', .05, STATES + ('ZZ',)),
                ('GSW_COUNTRY_CODE', .15, COUNTRIES + ('USA', '1', '44', 'Canada', 'france',
                                                       'Great Britain', 'Ruritania')),
                ('GSW_TZ_NAME', .2, ZONES), ('GSW_D_TZ_JAVA_NAME', .05, ZONES[:8]),
                ('line_type', .3, ('wireless', 'landline', 'voip', 'Mobile', 'carrier pigeon')),
                ('GSW_PHONE_TYPE', .2, (1, 4, '4')), ('score', .5, (0, 3, '5', 'many', 8.5)),
                ('tier', .5, ('gold', 'tin', '', None)), ('debt_id', .4, SUBJECTS[2:]),
                ('channel', .4, CHANNELS)):
            if pick.random() < chance:
                record[key] = pick.choice(values)
        if 'GSW_D_STATE_CODE' in record:  # three that contradict each other leave a little more
            record.pop('GSW_D_TZ_JAVA_NAME', None)
        if pick.random() < .1:
            record['GSW_TZ_OFFSET'] = pick.choice((-25200, -18000, 0, 20700, '-12600', 7))
        if pick.random() < .5:
            record['campaign_group'] = pick.choice(GROUPS)
        return record

    def at(self):
        pick = self.pick
        if pick.random() < .5:
            day = datetime.date.fromisoformat(pick.choice(HOT_DAYS))
            base = datetime.datetime(day.year, day.month, day.day,
                                     tzinfo=datetime.timezone.utc).timestamp()
            return int(base) + pick.randrange(-86400, 2 * 86400)
        if pick.random() < .5:
            return int(self.now) + pick.randrange(-3 * 86400, 3 * 86400)
        return int(self.now) + pick.randrange(-200 * 86400, 300 * 86400)

    def attempt(self, phones, clients, number):
        pick = self.pick
        return {'guid': f'guid-{number}', 'device': pick.choice(phones),
                'client': pick.choice(clients) if pick.random() < .6 else None,
                'group': pick.choice(GROUPS + ('',)),
                'start': int(self.now) - pick.choice((0, 60, 3600, 18000, 86400, 7 * 86400,
                                                      30 * 86400))
                - pick.choice((0, 0, 1, pick.randrange(86400))),
                'result': pick.choice((None, 6, 7, 9, 33, 21, 28, 52, 53, 77)),
                'disposition': pick.choice((None, None) + DISPOSITIONS),
                'subject': pick.choice(SUBJECTS), 'channel': 'voice'}
