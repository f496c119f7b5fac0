# SPDX-License-Identifier: Apache-2.0
"""Call reports and what a crash or a disk does to them: what was acknowledged is there, and a log
that lost something says so."""
import os
import random
import resource
import threading

from lib.client import Broken, request
from lib.engine import EngineCase

ROUNDS = int(os.environ.get('DIALGATE_CRASH_ROUNDS', 20))
WRITERS = 4
HEAD, FRAME = 32, 96


def report(guid, sequence):
    record = {'GSW_PHONE': f'212555{guid % 8000 + 1000:04}', 'GSW_HIST_SEQUENCE_NUM': sequence,
              'GSW_CALL_ATTEMPT_GUID': f'guid-{guid}'}
    if sequence:
        record['GSW_CALL_RESULT'] = 33
    return record


class ReportsCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', '3125559999\n')
        self.options = ('--list', 'n=n.txt', '--data', 'data', '--threads', '2')

    def log(self):
        return max((self.folder / 'data/attempts').glob('log-*.dgl'))

    def tell(self, engine, *reports):
        """Sends reports on one connection; their statuses."""
        with engine.client() as client:
            client.send(b''.join(request('POST', '/ocs/history', report(*r)) for r in reports))
            return [client.receive().status for _ in reports]

    def told(self, engine, result):
        return engine.metric(f'dialgate_reports_total{{result="{result}"}}')


class TestKill(ReportsCase):
    def write_on(self, engine, writer, acknowledged):
        guid = writer
        try:
            with engine.client() as client:
                while True:
                    for sequence in (0, 1):
                        client.send(request('POST', '/ocs/history', report(guid, sequence)))
                        answer = client.receive()
                        if answer.status != 200:
                            raise AssertionError(answer)
                        acknowledged.append((guid, sequence))
                    guid += WRITERS
        except (Broken, OSError):
            pass  # killed; what was under way may be there or not

    def test_nothing_acknowledged_is_lost(self):
        seed = int(os.environ.get('DIALGATE_SEED', 20261122))
        pick = random.Random(seed)
        acknowledged, done = [[] for _ in range(WRITERS)], 0
        for round_ in range(ROUNDS):
            engine = self.make(*self.options).start()
            again = [r for part in acknowledged for r in part]
            for at in range(0, len(again), 50):
                self.assertEqual(set(self.tell(engine, *again[at:at + 50])), {200})
            # each is known already: it changes nothing
            self.assertEqual(self.told(engine, 'durable'), 0, f'seed {seed}, round {round_}')
            self.assertEqual(self.told(engine, 'repeated'), len(again))
            done += len(again)
            acknowledged = [[] for _ in range(WRITERS)]
            base = 1000000 * (round_ + 1)
            threads = [threading.Thread(target=self.write_on, args=(engine, base + w, part))
                       for w, part in enumerate(acknowledged)]
            for thread in threads:
                thread.start()
            threads[0].join(pick.choice((0.05, 0.2, 0.4)) * pick.random())
            engine.kill()
            for thread in threads:
                thread.join()
            self.assertNotRegex(engine.said(), 'Sanitizer|runtime error')
        self.assertGreater(done, 10 * ROUNDS, f'seed {seed}')


class TestDamage(ReportsCase):
    COUNT = 40

    def setUp(self):
        super().setUp()
        engine = self.engine(*self.options)
        self.all = [(guid, 0) for guid in range(self.COUNT)]
        self.assertEqual(set(self.tell(engine, *self.all)), {200})
        engine.kill()
        self.whole = self.log().read_bytes()
        self.assertEqual(len(self.whole), HEAD + FRAME * self.COUNT)

    def test_a_torn_tail_is_cut_and_reported(self):
        for cut in (1, 8, 50, 95):
            self.log().write_bytes(self.whole[:-cut])
            engine = self.engine(*self.options)
            self.assertRegex(engine.said(), r'warn .*attempts/log-\d+\.dgl was torn')
            self.assertEqual(set(self.tell(engine, *self.all)), {200})
            self.assertEqual(self.told(engine, 'repeated'), self.COUNT - 1)
            self.assertEqual(self.told(engine, 'durable'), 1)
            engine.kill()
            self.assertEqual(len(self.log().read_bytes()), len(self.whole))

    def test_a_damaged_middle_stops_the_start(self):
        for at in (20, HEAD + 30, len(self.whole) // 2, len(self.whole) - FRAME - 10):
            data = bytearray(self.whole)
            data[at] ^= 4
            self.log().write_bytes(data)
            said = self.fails(*self.options)
            self.assertRegex(said, r'attempts/log-\d+\.dgl.*try:')
            self.assertEqual(self.log().read_bytes(), bytes(data), 'evidence is left as it is')

    def test_a_log_that_is_gone(self):
        log, folder = self.log(), self.folder / 'data/attempts'
        log.unlink()
        folder.rmdir()
        self.assertRegex(self.fails(*self.options), 'attempts is missing.*try:.*mkdir')
        folder.mkdir()
        engine = self.engine(*self.options)
        self.assertIn('nothing known before', engine.said())
        self.assertEqual(set(self.tell(engine, *self.all)), {200})
        self.assertEqual(self.told(engine, 'durable'), self.COUNT)

    def test_a_replay_changes_nothing(self):
        for _ in range(3):
            engine = self.engine(*self.options)
            self.assertEqual(engine.metric('dialgate_attempts'), self.COUNT)
            engine.kill()
            self.assertEqual(self.log().read_bytes(), self.whole)


class TestFullDisk(ReportsCase):
    def test_refused_whole_and_taken_again(self):
        """The disk ends in the middle of a record; later there is room again."""
        engine = self.engine(*self.options)
        pid = engine.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (HEAD + 5 * FRAME + 40, before[1]))
        for guid in range(5):
            self.assertEqual(self.tell(engine, (guid, 0)), [200])
        with engine.client() as client:
            for _ in range(3):
                answer = client.ask('POST', '/ocs/history', report(5, 0))
                self.problem(answer, 503, 'storage_failed')
            # what is known needs no disk
            self.assertEqual(client.ask('POST', '/ocs/history', report(4, 0)).status, 200)
            self.assertEqual(client.ask('POST', '/ocs/history', 'nonsense').status, 503)
        self.assertEqual(self.told(engine, 'failed'), 4)
        self.assertEqual(len(self.log().read_bytes()), HEAD + 5 * FRAME)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        self.assertEqual(self.tell(engine, (5, 0)), [200])
        engine.kill()
        engine = self.engine(*self.options)
        self.assertEqual(set(self.tell(engine, *((guid, 0) for guid in range(6)))), {200})
        self.assertEqual(self.told(engine, 'repeated'), 6)
