# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any moment while entries are written: what was acknowledged is there, and what was
not is either there or not, never half."""
import os
import random
import threading

from lib.client import Broken, request
from lib.engine import EngineCase

ROUNDS = int(os.environ.get('DIALGATE_CRASH_ROUNDS', 20))
WRITERS, NUMBERS = 4, 50
SPANS = (None, '2030-01-01T00:00:00Z', '2031-06-01T12:30:00Z')
ENTRY = '/v1/lists/n/entries/'


class Writer:
    """Changes its own numbers, one at a time, and knows what each may be: a set of states, where a
    state is False (not listed) or the entry's `till`."""

    def __init__(self, index, seed, file_numbers):
        self.pick = random.Random(seed * 100 + index)
        self.may = {f'3{index:02}55{n:05}': {False} for n in range(200, 200 + NUMBERS)}
        # What the file says can be deleted and put back, but has no span of its own.
        self.from_file = set(file_numbers)
        self.may.update({number: {None} for number in file_numbers})
        self.done, self.wrong = 0, []

    def run(self, engine):
        try:
            with engine.client() as client:
                while not self.wrong:
                    self.step(client)
        except (Broken, OSError):
            pass  # killed; what was under way may be or not

    def step(self, client):
        number = self.pick.choice(list(self.may))
        now, = self.may[number]
        if now is False:
            then = None if number in self.from_file else self.pick.choice(SPANS)
            body, wanted = ({'till': then} if then else ''), (200, 201)
            bytes_ = request('PUT', ENTRY + number, body)
        else:
            then, wanted = False, (204,)
            bytes_ = request('DELETE', ENTRY + number)
        self.may[number] = {now, then}
        client.send(bytes_)
        answer = client.receive()
        if answer.status not in wanted:
            self.wrong.append((number, now, then, answer))
        self.may[number] = {then}
        self.done += 1

    def check(self, engine, case, where):
        """Asks for every number, and takes what is there as the new truth."""
        numbers = list(self.may)
        with engine.client() as client:
            for at in range(0, len(numbers), 20):
                part = numbers[at:at + 20]
                client.send(b''.join(request('GET', ENTRY + n) + request(
                    'POST', '/ocs/validate', {'GSW_PHONE': n}) for n in part))
                for number in part:
                    entry, verdict = client.receive(), client.receive()
                    case.assertIn(entry.status, (200, 404), entry)
                    state = entry.json()['till'] if entry.status == 200 else False
                    case.assertIn(state, self.may[number], f'{where}, {number}: {entry}')
                    case.assertEqual(verdict.status, 200 if state is False else 409, number)
                    self.may[number] = {state}


class TestKill(EngineCase):
    def test_nothing_acknowledged_is_lost(self):
        seed = int(os.environ.get('DIALGATE_SEED', 20261122))
        pick = random.Random(seed)
        named = [[f'2{w:02}55{n:05}' for n in range(200, 210)] for w in range(WRITERS)]
        text = ''.join(n + '\n' for part in named for n in part)
        text += ''.join(f'41255{n:05}\n' for n in range(30000))
        self.write('n.txt', text)
        writers = [Writer(w, seed, named[w]) for w in range(WRITERS)]
        for round_ in range(ROUNDS):
            engine = self.make('--list', 'n=n.txt', '--data', 'data', '--threads', '2',
                               '--now', '2026-06-01T00:00:00Z').start()
            for writer in writers:
                writer.check(engine, self, f'seed {seed}, round {round_}')
            threads = [threading.Thread(target=w.run, args=(engine,)) for w in writers]
            for thread in threads:
                thread.start()
            threads[0].join(pick.choice((0.01, 0.05, 0.2, 0.4)) * pick.random())
            engine.kill()
            for thread in threads:
                thread.join()
            self.assertEqual([wrong for w in writers for wrong in w.wrong], [], f'seed {seed}')
            self.assertNotRegex(engine.said(), 'Sanitizer|runtime error')
        self.assertGreater(sum(w.done for w in writers), 10 * ROUNDS, f'seed {seed}')

    def test_killed_while_a_file_is_loaded(self):
        """The file is parsed, the snapshot written, the old one dropped: die anywhere in it."""
        seed = int(os.environ.get('DIALGATE_SEED', 20261122))
        pick = random.Random(seed)
        engine = self.engine('--list', 'n=', '--data', 'data')
        mine = [f'31255{n:05}' for n in range(100)]
        for number in mine:
            self.assertEqual(engine.ask('PUT', ENTRY + number, '').status, 201)
        engine.kill()
        for round_ in range(ROUNDS // 2):
            self.write('n.txt', ''.join(f'41255{n:05}\n' for n in range(99000 + round_)))
            engine = self.make('--list', 'n=n.txt', '--data', 'data').start(ready=False)
            try:
                engine.wait(pick.random() * 1.5)
            except AssertionError:
                pass  # it was running, and was killed
            self.assertNotRegex(engine.said(), 'Sanitizer|runtime error|try:')
        engine = self.engine('--list', 'n=n.txt', '--data', 'data')
        for number in mine:
            self.assertEqual(engine.validate({'GSW_PHONE': number}).status, 409, number)
        self.assertEqual(engine.validate({'GSW_PHONE': '4125550000'}).status, 409)
        self.assertEqual(engine.validate({'GSW_PHONE': '5125550000'}).status, 200)
