# SPDX-License-Identifier: Apache-2.0
"""Where a record may be, worked out the slow way from the tables of engine/packs/places and the
system's zone.tab. The meaning is that of engine/rule/facts.h; nothing but the tables is shared.

Left out, because draw.py does not draw them: territories that are countries, too,
GSW_D_COUNTRY_CODE and GSW_D_REGION_CODE, GSW_D_TZ_JAVA_NAME beside GSW_D_STATE_CODE.
"""
import datetime
import functools
import pathlib
from zoneinfo import ZoneInfo

ZONE_TAB = pathlib.Path('/usr/share/zoneinfo/zone.tab')
TZDATA = pathlib.Path('/usr/share/zoneinfo')
SAME = {'US': {'US'}, 'CA': {'CA'}, '1': {'US', 'CA'}}
LINES = {'landline': 'landline', 'wireless': 'wireless', 'mobile': 'wireless', 'voip': 'voip'}
FREE = {f'8{d}{d}' for d in range(10)} - {'811', '899'}


SAME_FROM = datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.timezone.utc)
SAME_DAYS = 20 * 366


@functools.lru_cache(None)
def clock(zone):
    """What a zone's clock shows at noon UTC of every day from 2020 to 2039."""
    return tuple((SAME_FROM + datetime.timedelta(days=n)).astimezone(ZoneInfo(zone)).utcoffset()
                 for n in range(SAME_DAYS))


def rows(path):
    for line in path.read_text().splitlines():
        if line and not line.startswith('#'):
            yield line.split('\t')


def listed(text):
    return [] if text in ('', '-') else text.split(',')


class Evidence:
    def __init__(self, countries, regions, zones):
        self.countries, self.regions, self.zones = set(countries), set(regions), list(zones)


class Facts:
    def __init__(self):
        self.countries, self.regions, self.zones = set(), set(), {}
        self.zones_else, self.national, self.postal = [], '', ''
        self.line_type = self.device = None
        self.found = False  # something beside the tenant's country speaks

    def possible_regions(self):
        return self.regions


class Places:
    def __init__(self, folder):
        self.regions = {r[1]: r[3].split(',') for r in rows(folder / 'regions.tsv')}
        self.region_names = {r[2].upper(): r[1] for r in rows(folder / 'regions.tsv')}
        self.countries = {r[1]: (r[2], r[3]) for r in rows(folder / 'countries.tsv')}
        self.country_names = {name.upper(): r[1] for r in rows(folder / 'countries.tsv')
                              for name in [r[4], *r[5].split(';')] if name != '-'}
        self.order = list(self.countries)
        self.nanp = {r[0]: Evidence(listed(r[1]), listed(r[2]), listed(r[3]))
                     for r in rows(folder / 'nanp.tsv')}
        self.exchanges = self.read_exchanges(folder / 'nanp-exchanges.tsv')
        self.prefixes = {r[0]: Evidence(listed(r[1]), (), listed(r[2]))
                         for r in rows(folder / 'prefixes.tsv')}
        self.zips = [(int(a), int(b), Evidence({'US'}, listed(where), listed(zones)))
                     for a, b, where, zones in rows(folder / 'postal-us.tsv')]
        self.canada = {r[0]: Evidence({'CA'}, listed(r[1]), listed(r[2]))
                       for r in rows(folder / 'postal-ca.tsv')}
        self.names = {r[0].upper(): listed(r[1]) for r in rows(folder / 'zone-names.tsv')}
        self.zone_tab = {}
        for row in rows(ZONE_TAB):
            self.zone_tab.setdefault(row[0], []).append(row[2])

    @staticmethod
    def read_exchanges(path):
        found = {}
        for area, exchanges, zones in rows(path):
            for part in exchanges.split(','):
                first, _, last = part.partition('-')
                for exchange in range(int(first), int(last or first) + 1):
                    found[area, f'{exchange:03}'] = zones.split(',')
        return found

    def area_codes(self):
        """Those of the US and Canada."""
        return [code for code, e in self.nanp.items()
                if e.countries in ({'US'}, {'CA'}) and not e.regions & {'US-PR', 'US-GU', 'US-VI',
                                                                       'US-AS', 'US-MP'}]

    @staticmethod
    def device(phone):
        return phone.lstrip('+') if phone else None

    # -- single pieces of evidence --------------------------------------------------------------

    def of_country(self, countries):
        countries = [c for c in countries if c in self.zone_tab]
        return Evidence(countries, (), [z for c in countries for z in self.zone_tab[c]])

    def country(self, text):
        text = str(text or '').strip().lstrip('+').upper()
        text = self.country_names.get(text, text)
        if text in SAME:
            return self.of_country(SAME[text])
        for iso, (three, calling) in self.countries.items():
            if text in (iso, three):
                return self.of_country([iso])
        same = [iso for iso, (_, calling) in self.countries.items() if text and calling == text]
        return self.of_country(same) if same else None

    def of_number(self, device):
        if len(device) == 11 and device[0] == '1':
            place = self.nanp.get(device[1:4])
            if place and device[1:4] + device[4:7] and (device[1:4], device[4:7]) in self.exchanges:
                return Evidence(place.countries, place.regions,
                                self.exchanges[device[1:4], device[4:7]])
            return place
        for size in range(len(device), 0, -1):
            if device[:size] in self.prefixes:
                return self.prefixes[device[:size]]
        return None

    def of_postal(self, code, within):
        code = code.strip().upper()
        if code[0].isdigit():
            digits = code.partition('-')[0]
            found = [e for a, b, e in self.zips if a <= int(digits) <= b]
            if not found and len(digits) == 5:
                found = [e for a, b, e in self.zips
                         if a // 100 <= int(digits) // 100 <= b // 100]
            place = Evidence({'US'}, {r for e in found for r in e.regions},
                             {z for e in found for z in e.zones}) if found else None
        else:
            code = code.replace(' ', '')
            place = next((self.canada[code[:n]] for n in (3, 2, 1) if code[:n] in self.canada),
                         None)
        if place and within and not place.countries & within.countries:
            return None
        return place

    def of_region(self, code, within):
        code = code.strip().upper()
        found = [r for r in self.regions
                 if code in (r, r.split('-')[1]) or self.region_names.get(code) == r]
        found = [r for r in found if (within is None or r.split('-')[0] in within.countries)]
        if not found:
            return None
        return Evidence({r.split('-')[0] for r in found}, found,
                        {z for r in found for z in self.regions[r]})

    def of_zone(self, name):
        if name.upper() in self.names:
            return self.names[name.upper()]
        return [name] if (TZDATA / name).is_file() else []

    def of_attempt(self, phone, default_country):
        """The one country and region that a call report leaves, and its area code; None: open."""
        facts = self.facts({'phone': phone} if phone else {}, default_country)
        nanp = phone and phone.startswith('+1')
        only = [next(iter(found)) if facts.found and len(found) == 1 else None
                for found in (facts.countries, facts.regions)]
        return {'country': only[0], 'region': only[1], 'area_code': phone[2:5] if nanp else None}

    # -- all of a record ------------------------------------------------------------------------

    def facts(self, record, default_country):
        look = Look(self, record, default_country)
        return look.facts


class Look:
    """One record, looked at in the order of facts.h."""

    def __init__(self, places, record, default_country):
        self.places, self.record, self.facts = places, record, Facts()
        self.number_text = places.device(record.get('phone'))
        self.number = places.of_number(self.number_text) if self.number_text else None
        self.home = self.find_home(default_country)
        self.named = places.country(record.get('GSW_COUNTRY_CODE'))
        self.where = self.named or self.home
        self.facts.zones_else = self.where.zones
        self.split()
        self.device()
        self.postal()
        self.state()
        self.contact()
        self.facts.found = bool(self.named or self.facts.countries)
        if self.named and not self.facts.countries & self.named.countries:
            self.join(self.named)
            self.facts.zones.setdefault('state', self.named.zones)
        if not self.facts.countries:
            self.join(self.where)
        self.line()

    def is_nanp(self):
        return bool(self.number_text) and len(self.number_text) == 11 and self.number_text[0] == '1'

    def find_home(self, default_country):
        own = self.places.of_country([default_country])
        if self.number:
            if default_country in self.number.countries:
                return own
            first = min(self.number.countries, key=self.places.order.index)
            return self.places.of_country([first])
        if self.is_nanp() and default_country not in ('US', 'CA'):
            return self.places.of_country(['US', 'CA'])
        return own

    def opened(self, evidence):
        """A country without a region of it may be any of its regions."""
        regions = evidence.regions or {r for r in self.places.regions
                                       if r.split('-')[0] in evidence.countries}
        return set(evidence.countries), set(regions)

    def join(self, evidence):
        countries, regions = self.opened(evidence)
        self.facts.regions |= regions
        self.facts.countries |= countries

    def add(self, source, evidence):
        evidence = evidence or self.where
        self.join(evidence)
        self.facts.zones[source] = list(self.facts.zones.get(source, ())) + list(evidence.zones)

    def split(self):
        self.facts.device = self.number_text
        if not self.number_text:
            return
        calling = sorted({c for _, c in self.places.countries.values() if c}, key=len)
        code = next(c for c in reversed(calling) if self.number_text.startswith(c))
        if self.is_nanp():
            code = '1'
        self.facts.national = self.number_text[len(code):]

    def device(self):
        place = self.number
        if not place and self.number_text and not (
                self.is_nanp() and self.number_text[1:4] in FREE):
            place = self.home
            if self.named and not (self.is_nanp() and not self.named.countries & {'US', 'CA'}):
                place = self.named
        had = list(place.zones) if place else []
        countries, regions = self.opened(place) if place else (set(), set())
        said = []
        state = self.record.get('GSW_D_STATE_CODE')
        by = self.places.of_region(state, self.home) if state else None
        agree = True
        if by:
            agree = bool(countries & by.countries and (not regions or regions & by.regions))
            join = set.__and__ if agree else set.__or__
            countries, regions = join(countries, by.countries), join(regions, by.regions)
            said = list(by.zones)
        if countries:
            self.join(Evidence(countries, regions, ()))
        clocks = [clock(z) for z in said]
        both = [z for z in had if clock(z) in clocks] if agree else []
        zones = both or had + said
        if not (self.is_nanp() and self.number_text[1:4] in FREE):
            zones = zones + self.places.of_zone(self.record.get('GSW_D_TZ_JAVA_NAME') or '-')
        if zones:
            self.facts.zones['device'] = zones

    def postal(self):
        text = str(self.record.get('GSW_POSTAL_CODE') or '')
        if not text:
            return
        self.facts.postal = ''.join(c for c in text.upper() if c.isalnum())
        place = None
        if self.named:
            place = self.places.of_postal(text, self.named)
        elif self.home.countries & {'US', 'CA'}:
            place = self.places.of_postal(text, None)
        self.add('postal_code', place)

    def state(self):
        state, region = (self.region(self.record.get(key)) for key in
                         ('GSW_STATE_CODE', 'GSW_REGION_CODE'))
        if self.record.get('GSW_STATE_CODE'):
            self.add('state', state)
            if region:
                self.add('state', region)
        elif self.record.get('GSW_REGION_CODE'):
            self.add('state', region)

    def region(self, text):
        place = self.places.of_region(text, self.where) if text else None
        if text and not place and not self.named:
            place = self.places.of_region(text, None)
        return place

    def contact(self):
        name, offset = self.record.get('GSW_TZ_NAME'), self.record.get('GSW_TZ_OFFSET')
        if not name and offset is None:
            return
        zones = self.places.of_zone(name) if name else []
        if not zones and offset is not None and int(offset) % 900 == 0:
            zones = [int(offset)]
        self.facts.zones['contact'] = zones or self.where.zones

    def line(self):
        said = str(self.record.get('line_type') or '').strip().lower()
        mobile = str(self.record.get('GSW_PHONE_TYPE')) == '4'
        self.facts.line_type = LINES.get(said) if said else 'wireless' if mobile else None
        if mobile and self.facts.line_type != 'wireless':
            self.facts.line_type = None
