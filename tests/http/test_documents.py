# SPDX-License-Identifier: Apache-2.0
"""What the docs show is what the engine takes: every example of docs/rules.md and of
docs/expressions.md, and the rule set that the contract prints."""
import json
import pathlib
import re

from lib.engine import SharedEngineCase

DOCS = pathlib.Path(__file__).resolve().parents[2] / 'docs'

# The example of the contract, byte for byte.
CONTRACT = pathlib.Path(__file__).with_name('contract.json').read_text()


def read(name):
    return (DOCS / name).read_text()


def rows_behind(text, heading):
    """The rows of the tables between a heading and the next one of its rank."""
    part = re.split(r'^## ', text.partition(f'\n## {heading}\n')[2], flags=re.M)[0]
    rows = [re.split(r'(?<!\\) \| ', line.strip('| ').strip()) for line in part.splitlines()
            if line.startswith('|') and not line.startswith('|--')]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def code(cell):
    """What a cell shows between its backticks."""
    return re.fullmatch(r'`(.*)`', cell).group(1).replace('\\|', '|')


class DocumentsCase(SharedEngineCase):
    OPTIONS = ('--list', 'n=n.txt', '--data', 'data')
    FILES = {'n.txt': '2125559999\n'}

    def put(self, document):
        text = document if isinstance(document, str) else json.dumps(document)
        return self.server.ask('PUT', '/v1/rules', text)

    def taken(self, document):
        answer = self.put(document)
        self.assertEqual(answer.status, 200, f'{document}\n{answer.body.decode()}')

    def rule(self, **rule):
        self.taken({'version': '1', 'rules': [{'name': 'r', **rule}]})


class TestContract(DocumentsCase):
    def test_as_it_stands(self):
        self.taken(CONTRACT)


class TestRules(DocumentsCase):
    def test_documents(self):
        blocks = [json.loads(block) for block in re.findall(r'```json\n(.*?)```', read('rules.md'),
                                                            re.S)]
        self.assertEqual(['rules' in b for b in blocks], [True, False])
        document = dict(blocks[0])
        # its plan names a rule and a list that a real one would have
        document['lists'] = document['lists'] + [{'name': 'internal'}]
        document['rules'] = document['rules'] + [
            {'name': 'three today', 'type': 'attempts', 'max': 3, 'period': 'today'}]
        self.taken(document)

    def test_windows_and_dates(self):
        keys = {code(row[0]): row[1] for row in rows_behind(read('rules.md'), 'Keys by type')}
        windows = re.search(r'`windows`: `(\[.*?\])`', keys['contact_times']).group(1)
        self.rule(type='contact_times', windows=json.loads(windows))
        dates = keys['contact_dates'].split('`calendars`')[0]
        shown = re.findall(r'`("[^`]*"|\{[^`]*\}\})`', dates)
        self.assertEqual(len(shown), 7, shown)
        self.rule(type='contact_dates', dates=[json.loads(date) for date in shown])
        calendar = re.search(r'packs \(`(".*?")`\)', keys['contact_dates']).group(1)
        self.rule(type='contact_dates', calendars=[json.loads(calendar)])


class TestExpressions(DocumentsCase):
    def expression(self, text):
        return self.put({'version': '1', 'rules': [{'name': 'r', 'type': 'custom',
                                                    'block_if': text}]})

    def test_examples(self):
        text = read('expressions.md')
        shown = re.findall(r'```\n(.*?)```', text, re.S)
        shown += [code(row[0]) for row in rows_behind(text, 'Examples')]
        shown += [code(row[0]) for row in rows_behind(text, 'Three values')
                  if row[0].startswith('`$')]
        self.assertGreater(len(shown), 12)
        for expression in shown:
            answer = self.expression(expression)
            self.assertEqual(answer.status, 200, f'{expression}\n{answer.body.decode()}')

    def test_errors(self):
        rows = rows_behind(read('expressions.md'), 'Errors')
        self.assertGreater(len(rows), 50)
        for written, at, said in rows:
            expression = re.sub(r'^\$x… \(65 characters\)', '$' + 'x' * 65, code(written))
            answer = self.expression(expression)
            self.assertEqual(answer.status, 422, expression)
            line, column = at.split(':')
            wanted = f'line {line}, column {column}: ' + said.replace('\\|', '|')
            self.assertEqual([e['detail'] for e in answer.json()['errors']], [wanted], expression)
