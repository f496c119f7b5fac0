# SPDX-License-Identifier: Apache-2.0
"""One million bad lines mixed into good ones: counted, reported, and the good ones in force."""
import csv
import io
import random
import threading

from lib.client import request
from lib.engine import EngineCase

BAD = (('12345', 'too_short'), ('112,5551234', 'bad_area_code'), ('212,1551234', 'bad_exchange'),
       ('no number', 'bad_character'), ('21255512345678901', 'too_long'),
       ('+999 1234567', 'bad_country'))
BAD_COUNT, GOOD_COUNT = 1000000, 500000


class TestRejects(EngineCase):
    def report(self, engine, name):
        answer = engine.ask('GET', f'/v1/lists/{name}/rejected')
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers['content-type'].split(';')[0], 'text/csv')
        return list(csv.reader(io.StringIO(answer.body.decode(errors='replace'))))

    def test_a_million_bad_lines(self):
        pick = random.Random(20261122)
        good = pick.sample(range(2000000, 10000000), GOOD_COUNT)
        kinds = [pick.randrange(len(BAD)) for _ in range(BAD_COUNT)]
        lines = [f'212,{n}' for n in good] + [BAD[kind][0] for kind in kinds]
        wanted = [None] * GOOD_COUNT + [BAD[kind][1] for kind in kinds]
        order = list(range(len(lines)))
        pick.shuffle(order)
        self.write('n.txt', '\n'.join(lines[at] for at in order) + '\n')
        engine = self.engine('--list', 'n=n.txt')
        rows = engine.ask('GET', '/v1/lists/n').json()['rows']
        self.assertEqual(rows, {'rows': GOOD_COUNT + BAD_COUNT, 'accepted': GOOD_COUNT,
                                'duplicates': 0, 'invalid': BAD_COUNT, 'suppressed': 0,
                                'skipped': 0})
        name = 'dialgate_list_rows_rejected_total'
        self.assertEqual(engine.metric(name), BAD_COUNT)
        report = self.report(engine, 'n')
        self.assertEqual(report[0], ['line', 'column', 'reason', 'value'])
        want = [(str(i + 1), wanted[at]) for i, at in enumerate(order) if wanted[at]]
        self.assertEqual(len(report) - 1, len(want))
        wrong = [(got, w) for got, w in zip(report[1:], want) if (got[0], got[2]) != w]
        self.assertEqual(wrong[:5], [])
        self.ask_all(engine, good, 'block')
        good = set(good)
        free = [n for n in pick.sample(range(2000000, 10000000), 100000) if n not in good]
        self.ask_all(engine, free, 'allow')

    def ask_all(self, engine, numbers, verdict):
        body = '\n'.join('{"phone":"212%d"}' % n for n in numbers)
        with engine.client() as client:
            # Answers come while the question is still being sent: read and send at once.
            sender = threading.Thread(target=client.send, args=(request(
                'POST', '/v1/decisions', body, Content_Type='application/x-ndjson'),))
            sender.start()
            answer = client.receive()
            sender.join()
        self.assertEqual(answer.body.count(b'"verdict":"%s"' % verdict.encode()), len(numbers))
        self.assertEqual(answer.body.count(b'\n'), len(numbers))

    def test_reasons_of_a_csv(self):
        self.write('n.csv', 'name,phone,from,till\n'
                            'a,2125550001,,\n'
                            'b,212555,,\n'
                            'c,2125550002,yesterday,\n'
                            'd,2125550003,,never\n'
                            'e,2125550004,2026-02-01,2026-01-01\n'
                            'f\n'
                            '"g,2125550005,,\n')
        engine = self.engine('--list', 'n=n.csv')
        rows = engine.ask('GET', '/v1/lists/n').json()['rows']
        self.assertEqual((rows['accepted'], rows['invalid']), (1, 6))
        report = [tuple(row[:3]) for row in self.report(engine, 'n')[1:]]
        self.assertEqual(report, [('3', 'phone', 'too_short'), ('4', 'from', 'bad_from'),
                                  ('5', 'till', 'bad_till'), ('6', 'till', 'empty_span'),
                                  ('7', 'phone', 'no_column'), ('8', '', 'quote_open')])

    def test_values_are_masked(self):
        self.write('n.txt', '2125550001\n1125551234\n')
        engine = self.engine('--list', 'n=n.txt')
        value = self.report(engine, 'n')[1][3]
        self.assertTrue(value.endswith('34') and value.startswith('*'), value)
        self.assertNotIn('1125551234', engine.said())

    def test_nothing_rejected(self):
        self.write('n.txt', '2125550001\n')
        engine = self.engine('--list', 'n=n.txt')
        self.problem(engine.ask('GET', '/v1/lists/n/rejected'), 404, 'not_found')
        self.problem(engine.ask('GET', '/v1/lists/none/rejected'), 404, 'list_unknown')

    def test_forms_of_a_file(self):
        self.write('n.txt', '\ufeff212,5550001\r\n\r\n(212) 555-0002\r\n+12125550003\n'
                            '12125550004\n212.555.0005')
        engine = self.engine('--list', 'n=n.txt')
        rows = engine.ask('GET', '/v1/lists/n').json()['rows']
        self.assertEqual((rows['accepted'], rows['invalid'], rows['skipped']), (5, 0, 1))
        for last in range(1, 6):
            self.blocked(engine.validate({'GSW_PHONE': f'212555000{last}'}), 'suppression', 'n')
