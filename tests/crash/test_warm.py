# SPDX-License-Identifier: Apache-2.0
"""A warm start maps the snapshot instead of reading the file, and says so."""
import os
import time

from lib.engine import EngineCase

ENTRY = '/v1/lists/n/entries/'
NAMED, MINE, GONE, FREE = '2125550000', '3125550000', '2125550005', '9125550000'


class TestWarm(EngineCase):
    OPTIONS = ('--list', 'n=n.txt', '--data', 'data', '--threads', '1')

    def setUp(self):
        super().setUp()
        self.text = ''.join(f'21255{n:05}\n' for n in range(0, 100000, 5))
        self.write('n.txt', self.text)

    def list_of(self, engine):
        return engine.ask('GET', '/v1/lists/n').json()

    def wait_snapshot(self):
        end = time.monotonic() + 20
        while not list((self.folder / 'data').glob('snapshot-*.dg')):
            self.assertLess(time.monotonic(), end, list((self.folder / 'data').iterdir()))
            time.sleep(0.05)

    def check(self, engine, gone=200):
        for number, status in ((NAMED, 409), (MINE, 409), (GONE, gone), (FREE, 200)):
            self.assertEqual(engine.validate({'GSW_PHONE': number}).status, status, number)

    def first(self):
        engine = self.engine(*self.OPTIONS)
        self.assertFalse(self.list_of(engine)['from_snapshot'])
        self.assertEqual(engine.ask('PUT', ENTRY + MINE, '').status, 201)
        self.assertEqual(engine.ask('DELETE', ENTRY + GONE).status, 204)
        self.check(engine)
        return engine

    def test_after_a_stop(self):
        engine = self.first()
        before = self.list_of(engine)
        self.assertEqual(engine.stop(), 0)
        for _ in range(2):
            engine = self.engine(*self.OPTIONS)
            now = self.list_of(engine)
            self.assertTrue(now['from_snapshot'])
            self.check(engine)
            for key in ('entries', 'entries_file', 'entries_api', 'rows'):
                self.assertEqual(now[key], before[key], key)
            self.assertEqual(engine.stop(), 0)

    def test_after_a_kill(self):
        engine = self.first()
        self.wait_snapshot()
        engine.kill()
        engine = self.engine(*self.OPTIONS)
        self.assertTrue(self.list_of(engine)['from_snapshot'])
        self.check(engine)

    def test_a_file_that_was_only_touched(self):
        self.assertEqual(self.first().stop(), 0)
        os.utime(self.folder / 'n.txt', (1, 1))
        engine = self.engine(*self.OPTIONS)
        self.check(engine)  # the same content: what was deleted stays deleted

    def test_a_file_that_changed(self):
        self.assertEqual(self.first().stop(), 0)
        self.write('n.txt', self.text + '9125550000\n')
        engine = self.engine(*self.OPTIONS)
        end = time.monotonic() + 20
        while self.list_of(engine)['from_snapshot']:
            self.assertLess(time.monotonic(), end, engine.said())
            time.sleep(0.05)
        self.assertEqual(engine.validate({'GSW_PHONE': FREE}).status, 409)
        self.assertEqual(engine.validate({'GSW_PHONE': MINE}).status, 409)
        # The newer file names the deleted entry again, which is a new order to suppress it.
        self.assertEqual(engine.validate({'GSW_PHONE': GONE}).status, 409)

    def test_a_file_that_is_gone_stops_the_start(self):
        self.assertEqual(self.first().stop(), 0)
        (self.folder / 'n.txt').unlink()
        said = self.fails(*self.OPTIONS)
        self.assertIn('n.txt', said)
        self.assertIn('try:', said)

    def test_all_kinds_come_back(self):
        options = ('--data', 'data', '--list', 'c=,kind=client', '--list', 'm=,kind=email',
                   '--now', '2026-06-01T00:00:00Z')
        engine = self.engine(*options)
        span = {'from': '2026-01-01T00:00:00Z', 'till': '2027-01-01T00:00:00Z'}
        self.assertEqual(engine.ask('PUT', '/v1/lists/c/entries/C-1', span).status, 201)
        self.assertEqual(engine.ask('PUT', '/v1/lists/m/entries/a%40b.example', '').status, 201)
        for killed in (False, True):
            engine.kill() if killed else engine.stop()
            engine = self.engine(*options)
            self.blocked(engine.validate({'GSW_CUSTOMER_ID': 'C-1'}), 'suppression', 'c')
            got = engine.ask('GET', '/v1/lists/c/entries/C-1').json()
            self.assertEqual((got['from'], got['till']), (span['from'], span['till']))
            got = engine.ask('GET', '/v1/lists/m/entries/a%40b.example')
            self.assertEqual(got.status, 200)
