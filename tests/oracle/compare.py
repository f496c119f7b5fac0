# SPDX-License-Identifier: Apache-2.0
"""The engine against the second implementation: random rule sets, attempts, records, instants.

python3 -m oracle.compare [--triples N] [--seed N] [--engine PATH]   with PYTHONPATH=tests
Prints the seed, what was tried, and every disagreement as it can be tried again.
"""
import argparse
import datetime
import json
import os
import pathlib
import random
import sys
import tempfile
import time

from lib.engine import ROOT, Engine
from oracle.draw import Draw
from oracle.judge import Ask, Judge
from oracle.places import Places

NOW = '2026-11-20T17:30:00Z'
OBTAINED_DAYS = 25  # age of the list file at NOW
BATCH = 500         # questions of one request
BETWEEN = 6          # instants tried between two edges


def text_of(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()


def instant_of(text):
    return int(datetime.datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp())


class Disagreement(Exception):
    pass


class Round:
    """One rule set with its own devices, clients and attempts."""

    def __init__(self, compare, number):
        self.compare, self.pick = compare, random.Random(f'{compare.seed}/{number}')
        self.number = number
        self.draw = Draw(self.pick, compare.places.area_codes() + ['800', '999', '211'],
                         compare.now)
        self.document = self.draw.document(number, sorted(compare.packs))
        self.phones = [self.fresh_phone() for _ in range(40)]
        self.clients = [f'client-{number}-{n}' for n in range(20)]
        self.attempts = [self.draw.attempt(self.phones, self.clients, f'{number}-{n}')
                         for n in range(self.pick.choice((0, 30, 120)))]
        self.judge = Judge(self.document, compare.packs, compare.places,
                           lists=compare.lists)
        self.by_key = {}
        self.now_asked = []  # questions about now, and their verdicts

    def fresh_phone(self):
        """One that no rule set before had: the ledger remembers its attempts."""
        while True:
            phone = self.draw.phone()
            if phone not in self.compare.phones_used:
                self.compare.phones_used.add(phone)
                return phone

    def put(self):
        answer = self.compare.client.ask('PUT', '/v1/rules', json.dumps(self.document))
        if answer.status != 200:
            raise Disagreement(f'the engine refused rule set {self.number}: '
                               f'{answer.body.decode()}\n{json.dumps(self.document)}')

    def report(self):
        """Each attempt as its call reports; an attempt without a result has only begun."""
        for attempt in self.attempts:
            record = {'GSW_CALL_ATTEMPT_GUID': attempt['guid'], 'GSW_HIST_SEQUENCE_NUM': 0,
                      'GSW_PHONE': attempt['device'], 'GSW_DIALING': attempt['start'],
                      'GSW_CAMPAIGN_GROUP_NAME': attempt['group'],
                      'GSW_CUSTOMER_ID': attempt['client'], 'debt_id': attempt['subject']}
            ended = dict(record, GSW_HIST_SEQUENCE_NUM=1, GSW_CALL_RESULT=attempt['result'],
                         DispositionCode=attempt['disposition'])
            steps = [record] if attempt['result'] is None else [record, ended]
            self.pick.shuffle(steps)
            for step in steps:
                answer = self.compare.client.ask('POST', '/ocs/history', json.dumps(step))
                if answer.status != 200:
                    raise Disagreement(f'report refused: {answer}')
            if attempt['result'] is None:
                attempt['disposition'] = None
            for kind, value in (('device', self.compare.places.device(attempt['device'])),
                                ('client', attempt['client'])):
                if value:
                    self.by_key.setdefault((kind, value), []).append(dict(
                        attempt, device=self.compare.places.device(attempt['device']),
                        place=self.compare.places.of_attempt(attempt['device'],
                                                             self.judge.country)))

    def ask(self, record, at):
        ask = Ask(record, at, self.compare.places, self.judge.country,
                  channel=record.get('channel', 'voice'), group=record.get('campaign_group', ''),
                  now=self.compare.now, subject_field='debt_id')
        seen = {a['guid']: a for key in (('device', ask.device), ('client', ask.client))
                for a in self.by_key.get(key, ())}
        ask.attempts = list(seen.values())
        return ask

    def questions(self, count):
        for _ in range(count):
            record = self.draw.record(self.phones, self.clients)
            at = int(self.compare.now) if self.pick.random() < .05 else self.draw.at()
            yield record, at

    def run(self, count):
        self.put()
        self.report()
        asked = list(self.questions(count))
        for start in range(0, count, BATCH):
            self.batch(asked[start:start + BATCH])
        self.check_validates()

    def decide(self, asked):
        lines = '\n'.join(json.dumps(dict(r, at=text_of(at))) for r, at in asked)
        answer = self.compare.client.ask('POST', '/v1/decisions', lines,
                                         Content_Type='application/x-ndjson')
        return [json.loads(line) for line in answer.body.decode().splitlines()]

    def batch(self, asked):
        results = self.decide(asked)
        if len(results) != len(asked):
            raise Disagreement(f'{len(asked)} questions, {len(results)} results')
        for (record, at), result in zip(asked, results):
            self.check(record, at, result)
        self.check_retries(asked, results)
        self.check_when(asked)

    def check(self, record, at, result):
        wanted = self.judge.verdict(self.ask(record, at))
        said = None if result['verdict'] == 'allow' else (result['rule'], result['type'])
        if said != wanted:
            self.complain(record, at, f'the engine says {said}, the oracle {wanted}', result)
        self.compare.count['block' if wanted else 'allow'] += 1
        if self.pick.random() < .01:
            self.check_explain(record, at, wanted)
        if at == int(self.compare.now):
            self.now_asked.append((record, wanted))

    def check_explain(self, record, at, wanted):
        answer = self.compare.client.ask('POST', '/v1/explain',
                                         json.dumps(dict(record, at=text_of(at))))
        verdict = answer.json()
        said = None if verdict['verdict'] == 'allow' else (verdict['rule'], verdict['type'])
        if said != wanted:
            self.complain(record, at, f'explain says {said}, the oracle {wanted}', answer.json())
        self.compare.count['explain'] += 1

    def check_validates(self):
        """The dialer's own question, in its own names, about now. An allowed one keeps its attempt
        free, so each contact is asked once, and last."""
        asked = set()
        for record, wanted in self.now_asked:
            keys = {record.get('phone'), record.get('client_id')} - {None}
            if 'line_type' in record or keys & asked:  # line_type is a name of /v1 only
                continue
            asked |= keys
            self.check_validate(record, wanted)

    def check_validate(self, record, wanted):
        ocs = {{'phone': 'GSW_PHONE', 'client_id': 'GSW_CUSTOMER_ID',
                'campaign_group': 'GSW_CAMPAIGN_GROUP_NAME',
                'channel': 'GSW_CONTACT_MEDIA_TYPE'}.get(key, key): value
               for key, value in record.items()}
        answer = self.compare.client.ask('POST', '/ocs/validate', json.dumps(ocs))
        said = None
        if answer.status != 200:
            said = (answer.json()['GSW_BLOCKING_RULE'], answer.json()['GSW_BLOCKING_RULE_TYPE'])
        if said != wanted:
            self.complain(record, int(self.compare.now),
                          f'/ocs/validate says {said}, the oracle {wanted}', ocs)
        self.compare.count['validate'] += 1

    def check_retries(self, asked, results):
        """What retry_at promises is allowed, and a second before it was not. Not for the past: what
        was attempted since then is known now, and then was not."""
        promised = [(record, asked_at, instant_of(result['retry_at']))
                    for (record, asked_at), result in zip(asked, results)
                    if result['retry_at'] and asked_at >= self.compare.now
                    and self.pick.random() < .1]
        for record, asked_at, at in promised:
            between = [self.pick.randrange(asked_at, at) for _ in range(BETWEEN)]
            for instant, wanted in ((at, True), *((i, False) for i in (at - 1, *between))):
                if (self.judge.verdict(self.ask(record, instant)) is None) != wanted:
                    self.complain(record, instant, f'retry_at {text_of(at)} is not the next '
                                  'allowed instant', None)
            self.compare.count['retry_at'] += 1

    def check_when(self, asked):
        """Every edge of the intervals that /v1/when tells, and instants between them."""
        for record, at in asked:
            if at < self.compare.now or self.pick.random() > .01:
                continue
            until = at + self.pick.choice((1, 3, 10)) * 86400
            told = self.compare.client.ask('POST', '/v1/when', json.dumps(dict(
                record, **{'from': text_of(at), 'until': text_of(until)}))).json()
            good = [(instant_of(i['from']), instant_of(i['until'])) for i in told['intervals']]
            tried = {self.pick.randrange(at, until) for _ in range(BETWEEN)}
            tried |= {edge - back for pair in good for edge in pair for back in (0, 1)}
            for instant in sorted(i for i in tried if at <= i < until and not told['cut']):
                wanted = any(begin <= instant < end for begin, end in good)
                if (self.judge.verdict(self.ask(record, instant)) is None) != wanted:
                    self.complain(record, instant, f'/v1/when says {wanted}', told)
            self.compare.count['when'] += 1

    def complain(self, record, at, what, answer):
        known = self.compare.client.ask('POST', '/v1/explain',
                                        json.dumps(dict(record, at=text_of(at)))).json()
        rules = [r for r in known.get('rules', ()) if r['applies']]
        what += f'\n  explain: {json.dumps(dict(known, rules=rules))}' \
                f'\n  attempts: {json.dumps(self.ask(record, at).attempts)}'
        raise Disagreement(f'{what}\n  at {text_of(at)} record {json.dumps(record)}\n'
                           f'  answer {json.dumps(answer)}\n  rule set {self.number}: '
                           f'{json.dumps(self.document)}')


class Compare:
    def __init__(self, seed, folder):
        self.seed, self.phones_used = seed, set()
        self.now = datetime.datetime.fromisoformat(NOW.replace('Z', '+00:00')).timestamp()
        self.count = dict.fromkeys(('allow', 'block', 'explain', 'validate', 'retry_at',
                                    'when'), 0)
        self.places = Places(ROOT / 'engine/packs/places')
        self.packs = {p.stem: json.loads(p.read_text())
                      for p in sorted((ROOT / 'engine/packs').glob('*.json'))}
        self.folder = pathlib.Path(folder)
        self.lists = self.write_lists()

    def write_lists(self):
        pick = random.Random(f'{self.seed}/lists')
        phones = sorted({Draw(pick, self.places.area_codes(), self.now).phone()
                         for _ in range(2000)})
        devices = {self.places.device(p) for p in phones}
        clients = {f'client-{n}-{m}' for n in range(5000) for m in (0, 7)}
        (self.folder / 'phones.txt').write_text('\n'.join(phones) + '\n')
        (self.folder / 'clients.txt').write_text('\n'.join(sorted(clients)) + '\n')
        obtained = int(self.now) - OBTAINED_DAYS * 86400
        for name in ('phones.txt', 'clients.txt'):
            os.utime(self.folder / name, (obtained, obtained))
        return {'phones': {'entries': devices, 'obtained': obtained, 'kind': 'device',
                           'required': False},
                'clients': {'entries': clients, 'obtained': obtained, 'kind': 'client',
                            'required': False}}

    def run(self, triples, per_round, first=0):
        engine = Engine('--data', 'data', '--now', NOW, '--list', 'phones=phones.txt,optional',
                        '--list', 'clients=clients.txt,kind=client,optional',
                        '--attempts-retention-days', '400', folder=self.folder)
        try:
            engine.start()
            with engine.client() as self.client:
                for number in range(first, -(-triples // per_round)):
                    Round(self, number).run(min(per_round, triples - number * per_round))
        finally:
            engine.leave()


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--triples', type=int, default=1000000)
    options.add_argument('--per-rule-set', type=int, default=1000)
    options.add_argument('--first', type=int, default=0, help='rule set to begin with')
    options.add_argument('--seed', type=int, default=int(time.time()))
    given = options.parse_args()
    print(f'seed {given.seed}', flush=True)
    with tempfile.TemporaryDirectory(prefix='dialgate-oracle-') as folder:
        compare = Compare(given.seed, folder)
        try:
            compare.run(given.triples, given.per_rule_set, given.first)
        except Disagreement as wrong:
            sys.exit(f'DISAGREEMENT (seed {given.seed})\n{wrong}')
    print(f"{compare.count['allow'] + compare.count['block']} triples agree: {compare.count}")


if __name__ == '__main__':
    main()
