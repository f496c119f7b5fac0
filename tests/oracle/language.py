# SPDX-License-Identifier: Apache-2.0
"""docs/expressions.md a second time: evaluated while it is read, with True, False and None
(unknown). Only for expressions that are well-formed."""
import re
from decimal import Decimal, InvalidOperation

TOKEN = re.compile(r'\s*(==|!=|<=|>=|<|>|\(|\)|\[|\]|,|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
                   r'|\$[\w.\-]+|-?\d+(?:\.\d+)?[HMDhmd]?\b|[A-Za-z][\w\-]*)')
NUMBERS = {
    'ok': 0, 'transferred': 1, 'conferenced': 2, 'generalerror': 3, 'systemerror': 4,
    'remoterelease': 5, 'busy': 6, 'noanswer': 7, 'sitdetected': 8, 'answeringmachine': 9,
    'alltrunksbusy': 10, 'sitinvalidnum': 11, 'sitvacant': 12, 'sitoperintercept': 13,
    'situnknown': 14, 'sitnocircuit': 15, 'sitreorder': 16, 'fax': 17, 'queuefull': 18,
    'cleared': 19, 'overflowed': 20, 'abandoned': 21, 'redirected': 22, 'forwarded': 23,
    'consult': 24, 'pickedup': 25, 'dropped': 26, 'droppednoanswer': 27, 'unknown': 28,
    'covered': 29, 'converse-on': 30, 'bridged': 31, 'silence': 32, 'answer': 33, 'nutone': 34,
    'nodialtone': 35, 'noprogress': 36, 'noringbacktone': 37, 'noestablished': 38, 'pager': 39,
    'wrongparty': 40, 'dialerror': 41, 'calldroperror': 42, 'switcherror': 43, 'nofreeport': 44,
    'transfererror': 45, 'stale': 46, 'agentcallbackerror': 47, 'groupcallbackerror': 48,
    'deafened': 49, 'held': 50, 'donotcall': 51, 'cancelrecord': 52, 'wrongnumber': 53,
}
PERIODS = {'H': 3600, 'M': 60, 'D': 86400}


def is_result(number, wanted):
    """Is the call result one of those, named or numbered?"""
    return number in [w if isinstance(w, int) else NUMBERS[w.replace(' ', '').lower()]
                      for w in wanted]


class Reader:
    def __init__(self, text, record, count):
        self.tokens, self.at = TOKEN.findall(text), 0
        self.record, self.count = record, count

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ''

    def take(self, *wanted):
        token = self.peek()
        if wanted and token.lower() not in wanted:
            raise ValueError(f'{token!r} where {wanted} should be')
        self.at += 1
        return token

    def either(self):
        value = self.both()
        while self.peek().lower() == 'or':
            self.take()
            other = self.both()
            value = True if value is True or other is True else \
                None if value is None or other is None else False
        return value

    def both(self):
        value = self.negated()
        while self.peek().lower() == 'and':
            self.take()
            other = self.negated()
            value = False if value is False or other is False else \
                None if value is None or other is None else True
        return value

    def negated(self):
        if self.peek().lower() == 'not':
            self.take()
            value = self.negated()
            return None if value is None else not value
        if self.peek() == '(':
            self.take()
            value = self.either()
            self.take(')')
            return value
        return self.test()

    def test(self):
        left = self.operand()
        operator = self.take().lower()
        if operator == 'not':
            self.take('in')
            value = self.member(left)
            return None if value is None else not value
        if operator == 'in':
            return self.member(left)
        return compare(left, operator, self.operand())

    def member(self, left):
        values = [compare(left, '==', right) for right in self.items()]
        return True if True in values else None if None in values else False

    def items(self):
        self.take('[')
        items = [self.operand()]
        while self.take(',', ']') == ',':
            items.append(self.operand())
        return items

    def operand(self):
        token = self.take()
        if token[0] == '$':
            value = self.record.get(token[1:])
            return ('field', None if value is None or str(value).strip() == '' else str(value))
        if token[0] in '"\'':
            return ('text', re.sub(r'\\(.)', r'\1', token[1:-1]))
        if token[0].isdigit() or token[0] == '-':
            return ('number', Decimal(token))
        return ('number', Decimal(self.attempts(token)))

    def attempts(self, name):
        kind = {'attemptsondevice': 'AttemptsOnDevice',
                'attemptsoncontact': 'AttemptsOnContact'}[name.lower()]
        self.take('(')
        period, results = self.take(), None
        if self.take(',', ')') == ',':
            self.take('[')
            results = [self.result()]
            while self.take(',', ']') == ',':
                results.append(self.result())
            self.take(')')
        return self.count(kind, int(period[:-1]) * PERIODS[period[-1].upper()], results)

    def result(self):
        words = [self.take()]
        while self.peek() not in (',', ']'):
            words.append(self.take())
        text = ' '.join(words).strip('"\'')
        return int(text) if text.isdigit() else text


def number_of(text):
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def compare(left, operator, right):
    if left[0] != 'field' and right[0] == 'field':
        flipped = {'<': '>', '>': '<', '<=': '>=', '>=': '<='}
        return compare(right, flipped.get(operator, operator), left)
    a, b = left[1], right[1]
    if left[0] == 'field':
        if right == ('text', ''):
            return {'==': a is None, '!=': a is not None}[operator]
        if a is None:
            return None
        if right[0] == 'number':
            a = number_of(a)
            if a is None:
                return {'==': False, '!=': True}.get(operator)
    return {'==': a == b, '!=': a != b}.get(operator) if operator in ('==', '!=') else {
        '<': lambda: a < b, '<=': lambda: a <= b, '>': lambda: a > b, '>=': lambda: a >= b,
    }[operator]()


def evaluate(text, record, count):
    """True, False, or None when it cannot be answered. count(kind, period, results or None)."""
    reader = Reader(text, record, count)
    value = reader.either()
    if reader.at != len(reader.tokens):
        raise ValueError(f'{reader.peek()!r} is left over')
    return value
