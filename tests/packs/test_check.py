# SPDX-License-Identifier: Apache-2.0
"""dialgate-pack as a person uses it: what it says of good packs, of broken ones and of none."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKS = sorted((ROOT / 'engine/packs').glob('*.json'))
PROGRAM = pathlib.Path(os.environ['DIALGATE_ENGINE']).with_name('dialgate-pack')
TODAY = ['--today', '2026-11-23']


def run(*args):
    done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def load(name):
    return json.loads((ROOT / 'engine/packs' / f'{name}.json').read_text())


class TestShipped(unittest.TestCase):
    def test_every_pack_is_good(self):
        code, out, err = run('check', *TODAY, *PACKS)
        self.assertEqual((code, err), (0, ''), out)
        self.assertEqual(len(PACKS), 7)
        self.assertEqual(len(re.findall(r'^  good: ', out, re.M)), len(PACKS), out)
        self.assertNotIn('vector', '\n'.join(re.findall(r'warning: .*', out)))

    def test_the_table_has_every_rule(self):
        for path in PACKS:
            pack = json.loads(path.read_text())
            _, out, _ = run('check', *TODAY, path)
            for rule in pack['rules']:
                count = sum(v['rule'] == rule['name'] for v in pack['vectors'])
                self.assertGreaterEqual(count, 2, rule['name'])
                row = re.search(rf'^  {re.escape(rule["name"])} .*$', out, re.M)
                self.assertIsNotNone(row, rule['name'])
                self.assertEqual(row.group().split()[3], rule['verified'] or '-')
                self.assertTrue(row.group().endswith(f' {count}/{count}'), row.group())

    def test_states_are_unverified(self):
        self.assertEqual({r['verified'] for r in load('us-states')['rules']}, {None})

    def test_what_is_stale_is_told(self):
        _, out, _ = run('check', '--today', '2027-10-01', ROOT / 'engine/packs/us-federal.json')
        self.assertIn('us.tcpa.hours was verified more than 365 days ago', out)
        self.assertNotIn('us.regf.7in7 was verified', out)
        _, out, _ = run('check', *TODAY, ROOT / 'engine/packs/us-states.json')
        self.assertIn('us.pa.hours.2019 is no longer in force', out)
        _, out, _ = run('check', '--today', '2026-10-17', ROOT / 'engine/packs/us-states.json')
        self.assertIn('us.pa.sunday is not yet in force', out)

    def test_list_and_show(self):
        code, out, _ = run('list')
        self.assertEqual(code, 0)
        for path in PACKS:
            self.assertIn(f'\n{path.stem} ', out)
        code, out, _ = run('show', 'us.tx.hours')
        lines = out.splitlines()
        self.assertEqual(code, 0)
        self.assertEqual(json.loads(lines[0])['name'], 'us.tx.hours')
        vectors = [v for v in load('us-states')['vectors'] if v['rule'] == 'us.tx.hours']
        rest = out[len(lines[0]):].lstrip()
        self.assertEqual(json.JSONDecoder().raw_decode(rest)[0], vectors[0])
        self.assertEqual(out.count('"expect"'), len(vectors))


class TestBroken(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='dialgate-packs-'))
        self.addCleanup(shutil.rmtree, self.dir)
        shutil.copy(ROOT / 'engine/packs/holidays.json', self.dir)

    def check(self, pack, name='us-states'):
        path = self.dir / f'{name}.json'
        path.write_text(pack if isinstance(pack, str) else json.dumps(pack))
        return run('check', *TODAY, path)

    def test_a_wrong_vector_is_named_and_fails(self):
        pack = load('us-states')
        at = next(i for i, v in enumerate(pack['vectors']) if v['rule'] == 'us.tx.hours')
        right = pack['vectors'][at]['expect']
        pack['vectors'][at]['expect'] = 'none'
        code, out, _ = self.check(pack)
        self.assertEqual(code, 1, out)
        self.assertIn(f'/vectors/{at}: us.tx.hours at {pack["vectors"][at]["at"]}: '
                      f'expected none, got {right}', out)
        self.assertEqual(out.count('FAILED '), 1)
        self.assertRegex(out, r'(?m)^  us\.tx\.hours .* FAILED$')
        self.assertIn('1 vectors failed', out)

    def test_a_changed_window_fails(self):
        pack = load('us-states')
        rule = next(r for r in pack['rules'] if r['name'] == 'us.tx.hours')
        rule['windows'][0]['till'] = '21:01'
        code, out, _ = self.check(pack)
        self.assertEqual(code, 1)
        self.assertIn('us.tx.hours at 2026-11-24T03:00:00Z: expected block, got allow', out)

    def test_a_changed_holiday_fails(self):
        holidays = load('holidays')
        for date in holidays['calendars']['us-al']:
            date.pop('observed', None)
        (self.dir / 'holidays.json').write_text(json.dumps(holidays))
        code, out, _ = self.check(load('us-states'))
        self.assertEqual(code, 1)
        self.assertIn('us.al.holidays at 2026-07-03', out)
        self.assertEqual(set(re.findall(r'FAILED \S+ \S+ (\S+)', out)), {'us.al.holidays'})

    def test_all_errors_of_rules_with_their_places(self):
        pack = load('us-states')
        pack['rules'][0]['windows'][0]['till'] = '25:00'
        pack['rules'][1]['sort'] = 1
        del pack['rules'][2]['cite']
        code, out, _ = self.check(pack)
        self.assertEqual(code, 1)
        for place in ('/rules/0/windows/0/till', '/rules/1/sort', '/rules/2'):
            self.assertIn(f' {place}', out)
        self.assertIn('BAD', out)

    def test_errors_of_vectors_with_their_places(self):
        pack = load('us-states')
        pack['vectors'][0]['rule'] = 'us.xx.hours'
        pack['vectors'][3]['at'] = 'noon'
        code, out, _ = self.check(pack)
        self.assertEqual(code, 1)
        self.assertIn('/vectors/0/rule: ', out)
        self.assertIn('/vectors/3/at: ', out)
        self.assertIn('2 errors, 0 vectors failed', out)

    def test_a_calendar_with_a_date_that_is_none(self):
        pack = load('holidays')
        pack['calendars']['fr'][2] = '02-30'
        code, out, _ = self.check(pack, 'holidays')
        self.assertEqual(code, 1)
        self.assertIn('/calendars/fr/2: is no date', out)

    def test_a_rule_without_vectors_is_warned_of(self):
        pack = load('us-states')
        name = pack['rules'][0]['name']
        pack['vectors'] = [v for v in pack['vectors'] if v['rule'] != name]
        code, out, _ = self.check(pack)
        self.assertEqual(code, 0, out)
        self.assertIn(f'warning: {name} has no vectors', out)
        pack = load('us-states')
        pack['vectors'] = [v for v in pack['vectors']
                           if v['rule'] != name or v['expect'] != 'block']
        self.assertIn(f'warning: {name} has no vector that expects "block"', self.check(pack)[1])

    def test_what_is_no_pack(self):
        for text in ('', '[]', '{"pack": 1}', '{"pack": "us-states"', '\0', '{}'):
            code, out, err = self.check(text)
            self.assertIn(code, (1, 2), text)
            self.assertTrue(out + err)

    def test_the_command_line(self):
        for args in ([], ['check'], ['bake'], ['--bake', '1', 'list'], ['list', 'x'], ['show'],
                     ['check', '--today'], ['check', '--today', 'tomorrow', 'x']):
            code, out, err = run(*args)
            self.assertEqual((code, out), (2, ''), args)
            self.assertIn('dialgate-pack: ', err)
        self.assertEqual(run('show', 'us.no.rule')[0], 1)
        self.assertEqual(run('check', self.dir / 'nowhere/x.json')[0], 1)
        self.assertEqual(run('list', '--zoneinfo', self.dir)[0], 2)
        code, out, _ = run('--help')
        self.assertEqual(code, 0)
        self.assertIn('dialgate-pack check FILE', out)
        self.assertRegex(run('--version')[1], r'^dialgate-pack \d')
