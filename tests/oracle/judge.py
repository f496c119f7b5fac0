# SPDX-License-Identifier: Apache-2.0
"""A second, slow and obvious implementation of docs/rules.md, to disagree with the engine.

It works on the JSON document as it stands, one rule and one zone after the other, with Python's own
calendar and zoneinfo; it shares no code with the engine. What it shares is data: the tables of
places (places.py reads them its own way) and the holiday calendars of the packs.
"""
import datetime
import re
from zoneinfo import ZoneInfo

from oracle import language

WEEKDAYS = ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun')
DEFAULT_RESULTS = ('Busy', 'No Answer', 'Answering Machine', 'Fax', 'Overflowed', 'Abandoned',
                   'Dropped', 'Dropped No Answer', 'Silence', 'Answer', 'Wrong Party',
                   'Wrong Number')
SECONDS = {'s': 1, 'm': 60, 'h': 3600, 'd': 86400}
SOURCES = ('device', 'postal_code', 'state', 'contact')
ALL_CHANNELS = ('voice', 'sms', 'email')


def seconds(text):
    return int(text[:-1]) * SECONDS[text[-1]]


def instant(text):
    return datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


def local(zone, at):
    """The wall clock of a zone. A zone is an IANA name, or an offset in seconds."""
    if isinstance(zone, int):
        return datetime.datetime.fromtimestamp(
            at, datetime.timezone(datetime.timedelta(seconds=zone)))
    return datetime.datetime.fromtimestamp(at, ZoneInfo(zone))


def day_begin(zone, day):
    """The first instant of that local date, found by looking: dates never go back, so halve."""
    low = datetime.datetime(day.year, day.month, day.day,
                            tzinfo=datetime.timezone.utc).timestamp() - 2 * 86400
    high = low + 4 * 86400
    while high - low > 1:
        middle = int((low + high) // 2)
        if local(zone, middle).date() >= day:
            high = middle
        else:
            low = middle
    return high


def easter(year):
    """The anonymous Gregorian algorithm in the form of O'Beirne's ten steps."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    f = (8 * b + 13) // 25
    g = (19 * a + b - d - f + 15) % 30
    h, i = divmod(c, 4)
    k = (a + 11 * g) // 319
    m = (2 * e + 2 * h - i - g + k + 32) % 7
    n = (g - k + m + 90) // 25
    p = (g - k + m + n + 19) % 32
    return datetime.date(year, n, p)


def dates_of(spec, year):
    """All days that a date of a rule means in one year, without observed ones."""
    if re.fullmatch(r'\d{4}-\d\d-\d\d', spec):
        day = datetime.date.fromisoformat(spec)
        return [day] if day.year == year else []
    if spec.startswith('easter'):
        return [easter(year) + datetime.timedelta(days=int(spec[6:] or '0'))]
    month, rest = int(spec[:2]), spec[3:]
    if rest.isdigit():
        try:
            return [datetime.date(year, month, int(rest))]
        except ValueError:  # 29 February
            return []
    days = [datetime.date(year, month, d) for d in range(1, 32)
            if is_date(year, month, d)
            and WEEKDAYS[datetime.date(year, month, d).weekday()] == rest[-3:]]
    which = rest[:-3]
    if which == 'last':
        return days[-1:]
    if '..' in which:
        first, last = which.split('..')
        return [d for d in days if int(first) <= d.day <= int(last)]
    return days[int(which) - 1:int(which)]


def is_date(year, month, day):
    try:
        datetime.date(year, month, day)
        return True
    except ValueError:
        return False


def is_banned(day, spec):
    if isinstance(spec, str):
        spec = {'date': spec}
    for year in (day.year - 1, day.year, day.year + 1):
        for date in dates_of(spec['date'], year):
            if date == day:
                return True
            shift = spec.get('observed', {}).get(WEEKDAYS[date.weekday()])
            if shift and date + datetime.timedelta(days=shift) == day:
                return True
    return False


def weekdays_of(text):
    days = set()
    for part in text.split(','):
        if part == 'daily':
            days |= set(range(7))
            continue
        ends = [WEEKDAYS.index(d) for d in part.split('-')]
        day = ends[0]
        days.add(day)
        while day != ends[-1]:
            day = (day + 1) % 7
            days.add(day)
    return days


def in_windows(windows, now):
    text = f'{now.hour:02}:{now.minute:02}'
    return any(now.weekday() in weekdays_of(w['days']) and w['from'] <= text < w['till']
               for w in windows)


class Judge:
    """One rule set; `packs` are parsed pack documents by name."""

    def __init__(self, document, packs, places, fallback_country='US', lists=None, home='US'):
        self.doc, self.places, self.home = document, places, home
        self.tenant = document.get('tenant', {})
        self.country = self.tenant.get('default_country', fallback_country)
        self.lists = lists or {}  # name -> {'entries': set, 'obtained': seconds, 'kind': …}
        self.calendars = {}
        for pack in packs.values():
            self.calendars.update(pack.get('calendars', {}))
        self.rules = [dict(r) for r in document.get('rules', [])]
        for name in document.get('packs', []):
            for rule in packs[name].get('rules', []):
                rule = dict(rule)
                if rule['verified'] is None and \
                        self.tenant.get('unverified_rules', 'shadow') != 'enforce':
                    rule['mode'] = 'shadow'
                self.rules.append(rule)
        self.rules.sort(key=lambda r: (r.get('priority', 100), r['name'].encode()))

    # -- what holds -----------------------------------------------------------------------------

    def plan_of(self, group):
        for plan in self.doc.get('plans', []):
            if plan['campaign_group'] == group:
                return plan
        return {}

    def holds(self, rule, plan, channel):
        if not rule.get('required', False) and rule['name'] not in plan.get('rules', []):
            return False
        if channel not in rule.get('channels', ALL_CHANNELS):
            return False
        for word, key in (('purpose', 'purposes'), ('dialing', 'dialing')):
            said = plan.get(word, self.tenant.get(word))
            if said is not None and key in rule and said not in rule[key]:
                return False
        return True

    def is_here(self, where, facts):
        if 'country' in where and not any(c in where['country'] for c in facts.countries):
            return False
        if 'state' in where and not any(
                region.split('-')[1] in where['state']
                and region.split('-')[0] in where.get('country', [region.split('-')[0]])
                for region in facts.possible_regions()):
            return False
        if 'area_code' in where and facts.national and not facts.national.startswith(
                tuple(where['area_code'])):
            return False
        if 'postal_code' in where and facts.postal and not facts.postal.startswith(
                tuple(code.upper().replace(' ', '') for code in where['postal_code'])):
            return False
        return True

    def zones(self, rule, plan, facts):
        sources = (rule.get('zone_from') or plan.get('zone_from') or self.tenant.get('zone_from')
                   or SOURCES)
        zones = [z for source in sources for z in facts.zones.get(source) or ()]
        if zones:
            return zones
        if self.tenant.get('zone_unknown') == 'default':
            return [self.tenant['default_zone']]
        return facts.zones_else

    # -- one rule -------------------------------------------------------------------------------

    def applies(self, rule, plan, ask, zones):
        if not self.holds(rule, plan, ask.channel) or not self.is_here(rule.get('where', {}),
                                                                       ask.facts):
            return False
        days = {local(z, ask.at).date().isoformat() for z in zones}
        first, last = rule.get('effective_from', '0'), rule.get('effective_until', '9')
        if not any(first <= day <= last for day in days):
            return False
        if 'unless' in rule and self.expression(rule['unless'], ask, rule) is True:
            return False
        return True

    def blocks(self, rule, plan, ask):
        zones = self.zones(rule, plan, ask.facts)
        if not self.applies(rule, plan, ask, zones):
            return False
        return getattr(self, 'blocks_' + rule['type'])(rule, ask, zones)

    def blocks_contact_times(self, rule, ask, zones):
        return any(not in_windows(rule['windows'], local(z, ask.at)) for z in zones)

    def blocks_contact_dates(self, rule, ask, zones):
        specs = list(rule.get('dates', []))
        for name in rule.get('calendars', []):
            specs += self.calendars[name]
        return any(is_banned(local(z, ask.at).date(), spec) for z in zones for spec in specs)

    def blocks_location(self, rule, ask, zones):
        return True

    def blocks_line_type(self, rule, ask, zones):
        return ask.facts.line_type is None or ask.facts.line_type in rule['block']

    def blocks_emergency(self, rule, ask, zones):
        return (('from' not in rule or instant(rule['from']) <= ask.at)
                and ('till' not in rule or ask.at < instant(rule['till'])))

    def blocks_freshness(self, rule, ask, zones):
        if rule['list'] not in self.lists:
            return True
        obtained = self.lists[rule['list']]['obtained']
        return obtained + seconds(rule['max_age']) <= ask.at

    def blocks_suppression(self, rule, ask, zones):
        return rule['list'] not in self.lists or self.is_listed(rule['list'], ask)

    def blocks_custom(self, rule, ask, zones):
        return self.expression(rule['block_if'], ask, rule) is not False

    def blocks_attempts(self, rule, ask, zones):
        period = rule['period']
        if period == 'today':
            period = '1cd'
        if period.endswith('cd'):
            back = datetime.timedelta(days=int(period[:-2]) - 1)
            since = min(day_begin(z, local(z, ask.at).date() - back) for z in zones)
        else:
            since = ask.at - seconds(period) + 1
        count = 0
        for attempt in ask.attempts:
            count += (since <= attempt['start'] and attempt['start'] < ask.before
                      and self.is_same(rule, attempt, ask) and self.is_counted(rule, attempt))
        return count >= rule['max']

    def is_same(self, rule, attempt, ask):
        by = rule.get('count_by', 'device')
        device = attempt['device'] is not None and attempt['device'] == ask.device
        client = attempt['client'] is not None and attempt['client'] == ask.client
        if by == 'both':  # what the attempt or the question does not say may be the same
            same = ((device or None in (attempt['device'], ask.device))
                    and (client or None in (attempt['client'], ask.client))
                    and (device or client))
        else:
            same = device if by == 'device' else client
        if rule.get('scope') == 'group' and attempt['group'] and ask.group and \
                attempt['group'] != ask.group:
            return False
        if rule.get('per_subject') and ask.subject and attempt['subject'] not in (
                None, ask.subject):
            return False
        return (same and attempt['channel'] in rule.get('channels', ALL_CHANNELS)
                and self.was_there(rule.get('counted_where', {}), attempt['place']))

    @staticmethod
    def was_there(where, place):
        """What is not known of an attempt may be there."""
        if 'country' in where and place['country'] not in (None, *where['country']):
            return False
        if 'state' in where and place['region'] and not (
                place['region'].split('-')[1] in where['state']
                and place['region'].split('-')[0] in where.get('country', place['region'])):
            return False
        return 'area_code' not in where or place['area_code'] in (None, *where['area_code'])

    def is_counted(self, rule, attempt):
        if 'dispositions' in rule:
            return attempt['disposition'] is None or attempt['disposition'].lower() in [
                d.lower() for d in rule['dispositions']]
        return attempt['result'] is None or language.is_result(
            attempt['result'], rule.get('results', DEFAULT_RESULTS))

    def expression(self, text, ask, of):
        def count(kind, period, results):
            rule = {'count_by': 'device' if kind == 'AttemptsOnDevice' else 'client',
                    'channels': of.get('channels', ALL_CHANNELS)}
            if results is not None:
                rule['results'] = results
            return sum(1 for a in ask.attempts
                       if ask.at - period + 1 <= a['start'] < ask.before
                       and self.is_same(rule, a, ask) and self.is_counted(rule, a))

        return language.evaluate(text, ask.record, count)

    # -- the whole ------------------------------------------------------------------------------

    def is_listed(self, name, ask):
        entries, kind = self.lists[name]['entries'], self.lists[name]['kind']
        return (ask.device if kind == 'device' else ask.client) in entries

    def verdict(self, ask):
        """(rule, type) of the block, or None."""
        plan = self.plan_of(ask.group)
        for name, known in self.lists.items():
            holds = known['required'] or name in plan.get('lists', [])
            if holds and self.is_listed(name, ask):
                return name, 'suppression'
        for rule in self.rules:
            if rule.get('mode') != 'shadow' and self.blocks(rule, plan, ask):
                return rule['name'], rule['type']
        return None


class Ask:
    """One question: a record at an instant, with what was attempted so far."""

    def __init__(self, record, at, places, country, channel='voice', group='', attempts=(),
                 now=None, subject_field=None):
        self.record, self.at, self.channel, self.group = record, at, channel, group
        self.attempts = attempts
        self.before = at if now is not None and at < now else float('inf')
        self.facts = places.facts(record, country)
        self.device = self.facts.device
        self.client = record.get('GSW_CUSTOMER_ID') or record.get('client_id')
        self.subject = record.get(subject_field) if subject_field else None
