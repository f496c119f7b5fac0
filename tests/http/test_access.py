# SPDX-License-Identifier: Apache-2.0
"""Tenants, and who may ask."""
from lib.engine import EngineCase

FREE = '2125559999'


class TestTenants(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('acme.txt', '2125550001\n')
        self.write('bell.txt', '2125550002\n')
        self.write('home.txt', '2125550003\n')
        self.write('all.txt', '2125550009\n')
        self.server = self.engine(
            '--tenant', 'Acme,ccid=cc-acme', '--tenant', 'Bell,ccid=cc-bell,country=GB',
            '--list', 'own=acme.txt,tenant=Acme', '--list', 'own=bell.txt,tenant=Bell,country=US',
            '--list', 'home=home.txt', '--list', 'shared=all.txt,tenant=*')

    def status(self, number, path='/ocs/validate', **names):
        return self.server.validate({'GSW_PHONE': '+1' + number, **names}, path).status

    def test_by_path(self):
        self.assertEqual(self.status('2125550001', '/ocs/Acme/validate'), 409)
        self.assertEqual(self.status('2125550002', '/ocs/Acme/validate'), 200)
        self.assertEqual(self.status('2125550002', '/ocs/Bell/validate'), 409)
        self.assertEqual(self.status('2125550001', '/ocs/default/validate'), 200)

    def test_by_name_and_contact_centre_id(self):
        self.assertEqual(self.status('2125550001', GSW_TENANT_NAME='Acme'), 409)
        self.assertEqual(self.status('2125550002', GSW_TENANT_NAME='Acme'), 200)
        self.assertEqual(self.status('2125550002', GSW_TENANT_CCID='cc-bell'), 409)
        self.assertEqual(self.status('2125550001', GSW_TENANT_NAME='undefined',
                                     GSW_TENANT_CCID='cc-acme'), 409)

    def test_the_default(self):
        for names in ({}, {'GSW_TENANT_NAME': 'undefined', 'GSW_TENANT_CCID': 'undefined'},
                      {'GSW_TENANT_NAME': ''}):
            self.assertEqual(self.status('2125550003', **names), 409)
            self.assertEqual(self.status('2125550001', **names), 200)

    def test_an_unknown_name_is_blocked(self):
        for path, names in (('/ocs/validate', {'GSW_TENANT_NAME': 'Nobody'}),
                            ('/ocs/validate', {'GSW_TENANT_CCID': 'cc-none'}),
                            ('/ocs/Nobody/validate', {})):
            answer = self.server.validate({'GSW_PHONE': FREE, **names}, path)
            self.blocked(answer, 'input')

    def test_a_shared_list_holds_for_all(self):
        for path in ('/ocs/validate', '/ocs/Acme/validate', '/ocs/Bell/validate'):
            self.assertEqual(self.status('2125550009', path), 409)

    def test_lists_of_another_tenant_are_not_seen(self):
        lists = self.server.ask('GET', '/v1/lists?tenant=Acme').json()['lists']
        self.assertEqual(sorted(one['name'] for one in lists), ['own', 'shared'])
        answer = self.server.ask('GET', '/v1/lists/home/entries/2125550003?tenant=Acme')
        self.problem(answer, 404, 'list_unknown')
        self.problem(self.server.ask('GET', '/v1/lists?tenant=Nobody'), 404, 'tenant_unknown')
        answer = self.server.ask('GET', '/v1/lists/own/entries/2125550001?tenant=Acme')
        self.assertEqual(answer.status, 200)
        answer = self.server.ask('GET', '/v1/lists/own/entries/2125550001?tenant=Bell')
        self.assertNotEqual(answer.status, 200)

    def test_decisions_name_their_tenant(self):
        records = [{'phone': '+12125550001'}, {'phone': '+12125550002'}]
        for tenant, wanted in (('Acme', ['block', 'allow']), ('Bell', ['allow', 'block'])):
            answer = self.server.ask('POST', '/v1/decisions', {'tenant': tenant,
                                                               'records': records})
            self.assertEqual([r['verdict'] for r in answer.json()['results']], wanted)


class TestTokens(EngineCase):
    def test_beyond_loopback_needs_a_token_file(self):
        self.write('n.txt', '2125551234\n')
        said = self.fails('--list', 'n=n.txt', host='0.0.0.0')
        self.assertIn('token', said)
        self.assertIn('try:', said)

    def test_tokens_guard_v1_only(self):
        self.write('n.txt', '2125551234\n')
        self.write('tokens', '# who may ask\nadmin-secret-0123456789\n'
                             'acme-secret-0123456789 tenant=Acme\n')
        engine = self.make('--tenant', 'Acme', '--list', 'n=n.txt', '--list', 'a=,tenant=Acme',
                           '--token-file', 'tokens').start(host='0.0.0.0')
        for path in ('/livez', '/readyz', '/metrics'):
            self.assertEqual(engine.ask('GET', path).status, 200)
        self.blocked(engine.validate({'GSW_PHONE': '2125551234'}), 'suppression')
        for word in (None, 'Bearer', 'Bearer wrong-secret-0123456789', 'Basic YTpi',
                     'Bearer admin-secret-012345678', 'Bearer admin-secret-0123456789x'):
            header = {'Authorization': word} if word else {}
            answer = engine.ask('GET', '/v1/lists', **header)
            self.problem(answer, 401, 'unauthorized')
            self.assertIn('Bearer', answer.headers.get('www-authenticate', 'Bearer'))
        answer = engine.ask('GET', '/v1/lists', Authorization='Bearer admin-secret-0123456789')
        self.assertEqual(answer.status, 200)
        acme = {'Authorization': 'Bearer acme-secret-0123456789'}
        self.assertEqual(engine.ask('GET', '/v1/lists?tenant=Acme', **acme).status, 200)
        self.problem(engine.ask('GET', '/v1/lists?tenant=default', **acme), 403, 'forbidden')
        self.assertNotIn('secret', engine.said())

    def test_ocs_token(self):
        self.write('n.txt', '2125551234\n')
        engine = self.engine('--list', 'n=n.txt', '--ocs-token', 'dialer')
        record = {'GSW_PHONE': FREE}
        self.problem(engine.ask('POST', '/ocs/validate', record), 401, 'unauthorized')
        answer = engine.ask('POST', '/ocs/validate', record, Authorization='Bearer nope')
        self.problem(answer, 401, 'unauthorized')
        self.allowed(engine.ask('POST', '/ocs/validate', record, Authorization='Bearer dialer'))
