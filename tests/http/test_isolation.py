# SPDX-License-Identifier: Apache-2.0
"""What a token of one tenant must not reach, whatever it tries."""
import os
import signal
import time

from lib.client import request
from lib.engine import EngineCase

ACME, BELL, ROOT = 'acme' * 6, 'bell' * 6, 'root' * 6
ENTRY = '/entries/2125550007'


def bearer(token):
    return {'Authorization': 'Bearer ' + token}


class IsolationCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('bell.txt', '2125550002\n')
        self.write('all.txt', '2125550009\n')
        self.write('secret', '2125550008\n')
        self.tokens(f'{ACME} tenant=acme', f'{BELL} tenant=bell', ROOT)
        self.server = self.engine(
            '--tenant', 'acme', '--tenant', 'bell', '--token-file', 'tokens', '--data', 'data',
            '--list', 'own=bell.txt,tenant=bell', '--list', 'shared=all.txt,tenant=*')

    def tokens(self, *lines):
        path = self.write('tokens.new', '\n'.join(lines) + '\n')
        path.chmod(0o600)
        os.rename(path, self.folder / 'tokens')

    def revoked_meanwhile(self, head_and_body):
        """The answer to a request whose token goes away before its last byte comes."""
        with self.server.client() as client:
            client.send(head_and_body[:-1])
            time.sleep(0.2)
            self.tokens(f'{BELL} tenant=bell', ROOT)
            self.server.signal(signal.SIGHUP)
            end = time.monotonic() + 10
            while self.server.ask('GET', '/v1/lists', **bearer(ACME)).status != 401:
                self.assertLess(time.monotonic(), end, 'the token was never revoked')
                time.sleep(0.02)
            client.send(head_and_body[-1:])
            return client.receive()


class TestLists(IsolationCase):
    def test_a_revoked_token_changes_nothing(self):
        path = '/v1/lists/own' + ENTRY + '?tenant=bell'
        answer = self.revoked_meanwhile(request('PUT', path, '{}', **bearer(ACME)))
        self.problem(answer, 401, 'unauthorized')
        self.problem(self.server.ask('GET', path, **bearer(BELL)), 404, 'entry_unknown')

    def test_a_revoked_token_decides_nothing(self):
        batch = {'tenant': 'bell', 'records': [{'phone': '2125550002'}]}
        answer = self.revoked_meanwhile(request('POST', '/v1/decisions', batch, **bearer(ACME)))
        self.problem(answer, 401, 'unauthorized')

    def test_shared_lists_are_read_only_to_one_tenant(self):
        listed = '/v1/lists/shared/entries/2125550009'
        self.assertEqual(self.server.ask('GET', listed, **bearer(ACME)).status, 200)
        self.problem(self.server.ask('DELETE', listed, **bearer(ACME)), 403, 'forbidden')
        answer = self.server.ask('PUT', '/v1/lists/shared' + ENTRY, '{}', **bearer(ACME))
        self.problem(answer, 403, 'forbidden')
        self.assertEqual(self.server.ask('GET', listed, **bearer(BELL)).status, 200)
        self.assertEqual(self.server.ask('DELETE', listed, **bearer(ROOT)).status, 204)

    def test_a_list_name_brings_no_options(self):
        for name in ('x=', 'x=secret', 'x=,tenant=bell', 'x=secret,optional', 'x=,kind=email',
                     'x,y', 'x%3d', '.x', 'x' * 65):
            answer = self.server.ask('PUT', '/v1/lists/' + name, '{}', **bearer(ACME))
            self.problem(answer, 400, 'bad_value')
        lists = self.server.ask('GET', '/v1/lists', **bearer(ACME)).json()['lists']
        self.assertEqual([one['name'] for one in lists], ['shared'])
        self.assertEqual(self.server.ask('PUT', '/v1/lists/x', '{}', **bearer(ACME)).status, 201)


RULES = {'version': 'acme', 'rules': [{'name': 'closed', 'type': 'location', 'required': True,
                                       'title': 'words of Acme', 'where': {'country': ['US']}}]}


class TestRules(IsolationCase):
    def put(self, token, query='', document=RULES):
        return self.server.ask('PUT', '/v1/rules' + query, document, **bearer(token))

    def test_rules_are_their_tenants(self):
        self.assertEqual(self.put(ACME).status, 200)
        for method, path, body in (
                ('PUT', '/v1/rules', RULES), ('GET', '/v1/rules', None),
                ('GET', '/v1/rules/effective', None), ('POST', '/v1/explain', {'phone': '1'}),
                ('POST', '/v1/when', {'phone': '1'})):
            answer = self.server.ask(method, path + '?tenant=acme', body, **bearer(BELL))
            self.problem(answer, 403, 'forbidden')
            answer = self.server.ask(method, path + '?tenant=no.such', body, **bearer(BELL))
            self.problem(answer, 403, 'forbidden')
            self.problem(self.server.ask(method, path, body), 401, 'unauthorized')
        self.problem(self.server.ask('GET', '/v1/rules', **bearer(BELL)), 404, 'not_found')
        record = {'GSW_PHONE': '2125550100'}
        self.blocked(self.server.validate(record, '/ocs/acme/validate'), 'location', 'closed')
        self.allowed(self.server.validate(record, '/ocs/bell/validate'))
        self.allowed(self.server.validate(record))

    def test_a_record_does_not_choose_whose_rules_explain_it(self):
        self.assertEqual(self.put(ACME).status, 200)
        for record in ({'phone': '2125550100', 'tenant': 'acme'},
                       {'GSW_PHONE': '2125550100', 'GSW_TENANT_NAME': 'acme'}):
            for body in (record, {'record': record, 'tenant': 'acme'}):
                answer = self.server.ask('POST', '/v1/explain', body, **bearer(BELL))
                self.assertEqual(answer.json()['tenant'], 'bell')
                self.assertEqual(answer.json()['verdict'], 'allow')
                self.assertNotIn(b'Acme', answer.body)
                answer = self.server.ask('POST', '/v1/when', body, **bearer(BELL))
                self.assertEqual(len(answer.json()['intervals']), 1, answer)
        answer = self.server.ask('POST', '/v1/explain', record, **bearer(ROOT))
        self.assertEqual((answer.json()['tenant'], answer.json()['rule']), ('acme', 'closed'))

    def test_a_revoked_token_replaces_nothing(self):
        answer = self.revoked_meanwhile(request('PUT', '/v1/rules', RULES, **bearer(ACME)))
        self.problem(answer, 401, 'unauthorized')
        self.problem(self.server.ask('GET', '/v1/rules?tenant=acme', **bearer(ROOT)), 404,
                     'not_found')
