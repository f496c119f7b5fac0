# SPDX-License-Identifier: Apache-2.0
"""/livez, /readyz and /metrics."""
import re

from lib.engine import SharedEngineCase

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*\})? '
                    r'(-?[0-9.e+-]+|[+-]Inf|NaN)$')


class TestProbes(SharedEngineCase):
    FILES = {'n.txt': '2125551234\n'}
    OPTIONS = ('--list', 'n=n.txt', '--threads', '2')

    def test_live_and_ready(self):
        self.assertEqual(self.server.ask('GET', '/livez').status, 200)
        ready = self.server.ask('GET', '/readyz')
        self.assertEqual((ready.status, ready.json()), (200, {'ready': True, 'reasons': []}))

    def test_metrics_are_prometheus_text(self):
        for _ in range(10):
            self.server.validate({'GSW_PHONE': '2125551234'})
        answer = self.server.ask('GET', '/metrics')
        self.assertTrue(answer.headers['content-type'].startswith('text/plain; version=0.0.4'))
        self.assertTrue(answer.body.endswith(b'\n'))
        kinds, helps, seen, family_order = {}, set(), set(), []
        for line in answer.body.decode().split('\n')[:-1]:
            if line.startswith('# HELP '):
                name = line.split(' ', 3)[2]
                self.assertNotIn(name, helps, 'HELP comes once')
                self.assertTrue(line.split(' ', 3)[3].strip())
                helps.add(name)
            elif line.startswith('# TYPE '):
                _, _, name, kind = line.split(' ')
                self.assertNotIn(name, kinds, 'TYPE comes once')
                self.assertIn(kind, ('counter', 'gauge', 'histogram'))
                kinds[name] = kind
            else:
                found = SAMPLE.match(line)
                self.assertTrue(found, line)
                name, labels, _ = found.groups()
                self.assertNotIn((name, labels), seen)
                seen.add((name, labels))
                family = re.sub(r'_(bucket|sum|count)$', '', name)
                family = family if kinds.get(family) == 'histogram' else name
                self.assertIn(family, kinds, 'TYPE comes before its samples')
                if kinds[family] == 'counter':
                    self.assertTrue(family.endswith('_total'), family)
                if not family_order or family_order[-1] != family:
                    family_order.append(family)
        self.assertEqual(len(family_order), len(set(family_order)), 'families stand together')
        self.assertEqual(set(kinds), helps)
        self.check_histogram(answer.body.decode())

    def check_histogram(self, page):
        name = 'dialgate_request_duration_seconds'
        buckets = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\d+)$', page, re.M)
        counts = [int(count) for _, count in buckets]
        edges = [float(edge.replace('+Inf', 'inf')) for edge, _ in buckets]
        self.assertEqual(edges, sorted(set(edges)))
        self.assertEqual(edges[-1], float('inf'))
        self.assertEqual(counts, sorted(counts), 'buckets are cumulative')
        total = int(re.search(rf'^{name}_count (\d+)$', page, re.M).group(1))
        self.assertEqual(counts[-1], total)
        self.assertGreaterEqual(total, 10)
        self.assertGreater(float(re.search(rf'^{name}_sum (\S+)$', page, re.M).group(1)), 0)

    def test_no_number_is_shown(self):
        self.server.validate({'GSW_PHONE': '2125551234'})
        for path in ('/metrics', '/v1/lists', '/readyz'):
            self.assertNotIn(b'2125551234', self.server.ask('GET', path).body)
        self.assertNotIn('2125551234', self.server.said())
