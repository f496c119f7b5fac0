# SPDX-License-Identifier: Apache-2.0
"""Rule sets replaced under load, as fast as they are acknowledged: every answer is wholly of one of
them, and of none that was replaced before the question was sent."""
import json
import random
import sys
import threading

from lib.client import Client, request
from lib.engine import EngineCase

SWAPS = 300
LOOKERS = 16  # connections asked after every acknowledgement; the kernel spreads them over workers
AREAS = {'TX': '713', 'CA': '213', 'FL': '305', 'NY': '212', 'IL': '312', 'WA': '206'}
CYCLE = 240  # call results tell versions apart within so many


def result_of(version, rule):
    """Names the version and the rule."""
    return version % CYCLE * 4 + rule


def rule(version, number, kind, **more):
    return {'name': f'{letter_of(version)}{number}', 'type': kind, 'required': True,
            'call_result': result_of(version, number), **more}


def letter_of(version):
    return 'AB'[version % 2]


def document_a(version):
    return [rule(version, 1, 'custom', priority=10,
                 block_if='$shared == "both" and $a1 > 5 and $a2 in ["x", "y"]'),
            rule(version, 2, 'location', priority=20, required=False, where={'country': ['US']}),
            rule(version, 3, 'location', priority=90, where={'state': ['TX', 'CA', 'FL']}),
            {'name': 'limit', 'type': 'attempts', 'required': True, 'max': 1000, 'period': '1h'}]


def document_b(version):
    """As A, with every rule, field, plan and list of places in another spot."""
    ahead = [{'name': f'ahead {i}', 'type': 'location', 'required': True, 'mode': 'shadow',
              'priority': i, 'where': {'state': ['TX', 'NY']}} for i in range(70)]
    return ahead + [
        rule(version, 3, 'location', priority=80, where={'state': ['NY', 'IL', 'WA']}),
        rule(version, 1, 'custom', priority=75, block_if='$b3 != "z" and $b2 in ["x", "y"] and '
             '$b1 > 5 and $shared == "both"'),
        rule(version, 2, 'location', priority=71, required=False, where={'country': ['US']})]


def document(version):
    a = letter_of(version) == 'A'
    name = letter_of(version) + '2'
    others = [] if a else [{'campaign_group': f'other {i}', 'rules': []} for i in range(40)]
    return json.dumps({
        'version': str(version), 'tenant': {'reserve': '1s'},
        'rules': document_a(version) if a else document_b(version),
        'plans': others + [{'campaign_group': 'g' if a else 'h', 'rules': [name]}]})


class Question:
    """A record, and which rule of either set blocks it (None: allowed). Never the same for both.
    Its guid keeps one reservation, however often it is asked about."""

    def __init__(self, pick, number):
        r = self.record = {
            'GSW_CALL_ATTEMPT_GUID': f'guid-{number}',
            'GSW_STATE_CODE': pick.choice(list(AREAS)), 'shared': pick.choice(['both', 'one']),
            'GSW_CAMPAIGN_GROUP_NAME': pick.choice(['g', 'h', 'none'])}
        for letter in 'ab':
            r[letter + '1'] = pick.choice([1, 9])
            r[letter + '2'] = pick.choice(['x', 'y', 'q'])
        r['b3'] = pick.choice(['z', 'w'])
        r['GSW_PHONE'] = AREAS[r['GSW_STATE_CODE']] + f'555{pick.randrange(10000):04}'
        self.blocks = {'A': self.by_a(r), 'B': self.by_b(r)}
        self.text = json.dumps(r).encode()

    @staticmethod
    def by_a(r):
        if r['shared'] == 'both' and r['a1'] > 5 and r['a2'] in 'xy':
            return 1
        if r['GSW_CAMPAIGN_GROUP_NAME'] == 'g':
            return 2
        return 3 if r['GSW_STATE_CODE'] in ('TX', 'CA', 'FL') else None

    @staticmethod
    def by_b(r):
        if r['GSW_CAMPAIGN_GROUP_NAME'] == 'h':
            return 2
        if r['b3'] != 'z' and r['b2'] in 'xy' and r['b1'] > 5 and r['shared'] == 'both':
            return 1
        return 3 if r['GSW_STATE_CODE'] in ('NY', 'IL', 'WA') else None

    def name(self, letter):
        return letter + str(self.blocks[letter]) if self.blocks[letter] else ''


class Asker(threading.Thread):
    """Asks one kind of question until it is told to stop; what was wrong is in `problem`."""

    def __init__(self, case, kind, seed):
        super().__init__(name=f'{kind} {seed}')
        self.case, self.ask, self.pick = case, getattr(self, kind), random.Random(seed)
        self.count, self.problem, self.seen = 0, None, set()

    def run(self):
        try:
            with self.case.server.client() as client:
                while not self.case.over.is_set():
                    self.ask(client)
        except Exception as problem:  # whatever it is, the test shows it
            self.problem = f'{self.name}: {problem!r}'

    def some(self, count):
        return [self.pick.choice(self.case.questions) for _ in range(count)]

    def send(self, client, data):
        self.oldest = self.case.acknowledged
        client.send(data)

    def versions(self):
        return range(self.oldest, self.case.sent + 1)

    def expect(self, ok, *what):
        if not ok:
            raise AssertionError(f'{what}, versions {list(self.versions())}')
        self.count += 1

    def check_rule(self, question, name):
        fits = {letter_of(v) for v in self.versions() if question.name(letter_of(v)) == name}
        self.expect(fits, question.record, name, question.blocks)
        self.seen |= fits

    def check_ocs(self, question, answer):
        if answer.status == 200:
            self.expect(answer.body == b'{}', answer)
            self.check_rule(question, '')
            return
        self.expect(answer.status == 409, answer)
        body = answer.json()
        self.check_rule(question, body['GSW_BLOCKING_RULE'])
        number = int(body['GSW_BLOCKING_RULE'][1:])
        fits = [v for v in self.versions() if letter_of(v) == body['GSW_BLOCKING_RULE'][0] and
                result_of(v, number) == body['GSW_CALL_RESULT']]
        self.expect(fits, question.record, body)

    def single(self, client, count=1):
        asked = self.some(count)
        self.send(client, b''.join(request('POST', '/ocs/validate', q.text) for q in asked))
        for question in asked:
            self.check_ocs(question, client.receive())

    def pipelined(self, client):
        self.single(client, 48)

    def check_results(self, asked, answer, results):
        self.expect((answer.status, len(results)) == (200, len(asked)), answer)
        for question, result in zip(asked, results):
            self.expect((result['verdict'] == 'allow') == (not result['rule']), result)
            self.check_rule(question, result['rule'])

    def batch(self, client):
        asked = self.some(100)
        body = b'{"records":[' + b','.join(q.text for q in asked) + b']}'
        self.send(client, request('POST', '/v1/decisions', body))
        answer = client.receive()
        self.check_results(asked, answer, answer.json()['results'])

    def stream(self, client):
        asked = self.some(100)
        self.send(client, request('POST', '/v1/decisions', b'\n'.join(q.text for q in asked),
                                  Content_Type='application/x-ndjson'))
        answer = client.receive()
        self.check_results(asked, answer, [json.loads(line) for line in answer.body.splitlines()])

    def explain(self, client):
        question = self.some(1)[0]
        self.send(client, request('POST', '/v1/explain', question.text))
        answer = client.receive()
        self.expect(answer.status == 200, answer)
        told = answer.json()
        version = int(told['rules_version'])
        letter = letter_of(version)
        self.expect(version in self.versions(), version)
        self.expect(told['rule'] == question.name(letter), told['rule'], question.record)
        names = {r['name'] for r in told['rules']} - {'limit'}
        self.expect({n for n in names if not n.startswith('ahead')} <=
                    {letter + n for n in '123'}, names)
        self.expect(len(names) >= 70 if letter == 'B' else len(names) <= 3, names)
        if told['rule']:
            self.expect(told['GSW_CALL_RESULT'] == result_of(version, question.blocks[letter]),
                        told)
        self.seen.add(letter)


class TestSwap(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', '6175559999\n')
        self.server = self.engine('--list', 'n=n.txt', '--data', 'data', '--threads', '2')
        self.seed = random.randrange(1 << 30)
        pick = random.Random(self.seed)
        self.questions = [Question(pick, i) for i in range(300)]
        self.sent = self.acknowledged = 0
        self.over = threading.Event()
        interval = sys.getswitchinterval()
        self.addCleanup(sys.setswitchinterval, interval)
        sys.setswitchinterval(0.0005)

    def put(self, client, version):
        self.sent = version
        answer = client.ask('PUT', '/v1/rules', document(version))
        self.assertEqual((answer.status, answer.json()['version']), (200, str(version)))
        self.acknowledged = version

    def look(self, clients, version):
        """A question on every connection, all of them sent after the acknowledgement."""
        letter = letter_of(version)
        question = next(q for q in self.questions if q.blocks[letter] == 3)
        for client in clients:
            client.send(request('POST', '/ocs/validate', question.text))
        for client in clients:
            self.blocked(client.receive(), 'location', letter + '3', result_of(version, 3))

    def test_no_answer_is_of_two(self):
        self.assertTrue(all(q.name('A') != q.name('B') for q in self.questions))
        putters = [Client(self.server.address) for _ in range(4)]
        lookers = [Client(self.server.address) for _ in range(LOOKERS)]
        for client in putters + lookers:
            self.addCleanup(client.close)
        self.put(putters[0], 1)
        askers = [Asker(self, kind, self.seed + i) for i, kind in enumerate(
            ('single', 'single', 'pipelined', 'pipelined', 'batch', 'stream', 'explain'))]
        for asker in askers:
            asker.start()
        try:
            for version in range(2, SWAPS + 2):
                self.put(putters[version % len(putters)], version)
                self.look(lookers, version)
                if any(a.problem for a in askers):
                    break
        finally:
            self.over.set()
            for asker in askers:
                asker.join()
        problems = [a.problem for a in askers if a.problem]
        self.assertEqual(problems, [], f'seed {self.seed}, version {self.sent}')
        for asker in askers:
            self.assertEqual(asker.seen, {'A', 'B'}, f'{asker.name}: {asker.count} answers')
        page = self.server.ask('GET', '/metrics').body.decode()
        self.assertIn(f'version="{self.sent}"', page)
        self.assertEqual(page.count('dialgate_rules_info{'), 1)
