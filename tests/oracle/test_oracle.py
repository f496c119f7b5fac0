# SPDX-License-Identifier: Apache-2.0
"""A slice of what oracle.compare does by the million, small enough for every run.

DIALGATE_SEED=N tries another slice.
"""
import os
import pathlib
import tempfile
import unittest
from unittest import mock

from oracle import compare, judge

SEED = int(os.environ.get('DIALGATE_SEED', 20261122))
TRIPLES, PER_RULE_SET = 20000, 400


class TestOracle(unittest.TestCase):
    def compare(self, seed, triples, per_rule_set):
        folder = tempfile.TemporaryDirectory(prefix='dialgate-oracle-')
        self.addCleanup(folder.cleanup)
        tried = compare.Compare(seed, pathlib.Path(folder.name))
        tried.run(triples, per_rule_set)
        return tried.count

    def test_slice_agrees(self):
        print(f'seed {SEED}')
        count = self.compare(SEED, TRIPLES, PER_RULE_SET)
        self.assertEqual(count['allow'] + count['block'], TRIPLES)
        for what in count:  # each kind of question was asked, and had both answers
            self.assertGreater(count[what], 50, count)

    def test_a_minute_is_seen(self):
        """An oracle whose windows end a minute late disagrees."""
        def late(windows, now):
            text = f'{now.hour:02}:{now.minute:02}'
            return any(now.weekday() in judge.weekdays_of(w['days'])
                       and w['from'] <= text <= w['till'] for w in windows)

        with mock.patch.object(judge, 'in_windows', late):
            with self.assertRaises(compare.Disagreement):
                self.compare(1, TRIPLES, PER_RULE_SET)

    def test_an_attempt_is_seen(self):
        """An oracle that forgets attempts without a result disagrees."""
        def forgets(self, rule, attempt):
            return attempt['result'] is not None

        with mock.patch.object(judge.Judge, 'is_counted', forgets):
            with self.assertRaises(compare.Disagreement):
                self.compare(1, TRIPLES, PER_RULE_SET)
