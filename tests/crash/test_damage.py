# SPDX-License-Identifier: Apache-2.0
"""What a disk may hold after a crash or worse: a torn tail is cut and reported, a damaged middle
stops the start with a sentence."""
from lib.engine import EngineCase

ENTRY = '/v1/lists/n/entries/'
COUNT = 50


class TestDamage(EngineCase):
    def setUp(self):
        super().setUp()
        self.options = ('--list', 'n=', '--data', 'data', '--threads', '1')
        engine = self.engine(*self.options)
        self.numbers = [f'21255{n:05}' for n in range(COUNT)]
        for number in self.numbers:
            self.assertEqual(engine.ask('PUT', ENTRY + number, '').status, 201)
        engine.kill()
        self.log = max((self.folder / 'data').glob('log-*.dgl'))
        self.whole = self.log.read_bytes()

    def listed(self, engine):
        return [engine.validate({'GSW_PHONE': n}).status == 409 for n in self.numbers]

    def restart(self, data):
        """Starts on a changed log; (engine, what it said of this start)."""
        self.log.write_bytes(data)
        engine = self.engine(*self.options)
        return engine, engine.said()

    def test_undamaged(self):
        engine, said = self.restart(self.whole)
        self.assertEqual(self.listed(engine), [True] * COUNT)
        self.assertNotRegex(said, 'WARN|warn|ERROR|error')

    def test_a_torn_tail_is_cut_and_reported(self):
        for cut in (1, 7, 8, 20, 40, 63):
            engine, said = self.restart(self.whole[:-cut])
            self.assertEqual(self.listed(engine), [True] * (COUNT - 1) + [False], cut)
            self.assertIn(self.log.name, said)
            self.assertRegex(said, 'warn|WARN')
            # And what is written after the cut is there the next time.
            self.assertEqual(engine.ask('PUT', ENTRY + self.numbers[-1], '').status, 201)
            engine.kill()
            engine = self.engine(*self.options)
            self.assertEqual(self.listed(engine), [True] * COUNT, cut)
            engine.kill()
            for path in (self.folder / 'data').glob('log-*.dgl'):
                if path != self.log:
                    path.unlink()

    def test_garbage_at_the_end(self):
        for tail in (b'\0' * 4096, b'\xff' * 13, b'garbage' * 100, self.whole[40:70]):
            engine, said = self.restart(self.whole + tail)
            self.assertEqual(self.listed(engine), [True] * COUNT, tail[:10])
            self.assertRegex(said, 'warn|WARN')
            engine.kill()

    def test_a_flipped_byte_in_the_middle_stops_the_start(self):
        for at in (40, len(self.whole) // 3, len(self.whole) // 2, len(self.whole) - 200):
            data = bytearray(self.whole)
            data[at] ^= 0x10
            self.log.write_bytes(data)
            said = self.fails(*self.options)
            self.assertIn(self.log.name, said)
            self.assertIn('try:', said)
            self.assertEqual(self.log.read_bytes(), bytes(data), 'evidence is left as it is')
        self.log.write_bytes(self.whole)
        self.assertEqual(self.listed(self.engine(*self.options)), [True] * COUNT)

    def test_a_flipped_byte_of_the_header(self):
        for at in (0, 9, 17, 25):
            data = bytearray(self.whole)
            data[at] ^= 1
            self.log.write_bytes(data)
            self.assertIn('try:', self.fails(*self.options))

    def test_a_log_of_another_directory(self):
        (self.folder / 'data').rename(self.folder / 'first')
        self.engine(*self.options).kill()
        other = max((self.folder / 'data').glob('log-*.dgl'))
        other.write_bytes(self.whole)
        self.assertIn('try:', self.fails(*self.options))


class TestSnapshot(EngineCase):
    def test_a_damaged_snapshot_never_allows(self):
        numbers = [f'21255{n:05}' for n in range(0, 100000, 5)]
        self.write('n.txt', '\n'.join(numbers) + '\n')
        options = ('--list', 'n=n.txt', '--data', 'data', '--threads', '1')
        engine = self.engine(*options)
        self.assertEqual(engine.ask('PUT', ENTRY + '3125550000', '').status, 201)
        self.assertEqual(engine.stop(), 0)
        snapshots = sorted((self.folder / 'data').glob('snapshot-*.dg'))
        self.assertTrue(snapshots, list((self.folder / 'data').iterdir()))
        path = snapshots[-1]
        whole = path.read_bytes()
        for at in (0, 30, 70, len(whole) // 3, len(whole) // 2, len(whole) - 9):
            data = bytearray(whole)
            data[at] ^= 4
            path.write_bytes(data)
            engine = self.make(*options).start(ready=False)
            try:
                engine.wait_ready()
            except AssertionError:
                self.assertNotEqual(engine.process.returncode, 0)
                self.assertIn('try:', engine.said())
                continue
            # A start that goes on must have everything, whatever it made of the snapshot.
            for number in numbers[:20] + numbers[-20:] + ['3125550000']:
                self.assertEqual(engine.validate({'GSW_PHONE': number}).status, 409, at)
            self.assertEqual(engine.stop(), 0)
