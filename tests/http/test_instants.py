# SPDX-License-Identifier: Apache-2.0
"""Instants at the ends of what entries can say (1970 to 2106)."""
from lib.engine import SharedEngineCase

RECORD = {'phone': '2125551234'}


class TestInstants(SharedEngineCase):
    FILES = {'n.txt': '2125551234\n'}
    OPTIONS = ('--list', 'n=n.txt')

    def decide(self, **more):
        return self.server.ask('POST', '/v1/decisions', {'records': [RECORD], **more})

    def test_the_last_that_is_known(self):
        answer = self.decide(at='2106-02-07T06:28:14Z')
        self.assertEqual(answer.json()['results'][0]['type'], 'suppression')

    def test_later_ones_do_not_wrap(self):
        for at in ('2106-02-07T06:28:15Z', '2200-01-01T00:00:00Z', '9999-12-31T23:59:59Z'):
            self.problem(self.decide(at=at), 400, 'bad_instant')
            result = self.decide(records=[{**RECORD, 'at': at}]).json()['results'][0]
            self.assertEqual((result['verdict'], result['type']), ('block', 'input'), at)
