# SPDX-License-Identifier: Apache-2.0
"""POST /ocs/validate: the contract, row by row."""
from lib.engine import EngineCase, SharedEngineCase


class TestValidate(SharedEngineCase):
    FILES = {'national.txt': '212,5551234\n212,5551235\n',
             'clients.txt': 'C-1\n42\n007\n',
             'mail.txt': 'stop@example.com\n',
             'sms.txt': '2125550000\n'}
    OPTIONS = ('--list', 'national=national.txt', '--list', 'internal=clients.txt,kind=client',
               '--list', 'optout=mail.txt,kind=email,channel=email',
               '--list', 'texts=sms.txt,channel=sms')

    def check(self, record, kind=None, rule=None):
        answer = self.server.validate(record)
        if kind is None:
            self.allowed(answer)
        else:
            self.blocked(answer, kind, rule)
        self.assertEqual(answer.headers['content-type'], 'application/json')

    def test_spellings_are_one_device(self):
        for number in ('(212) 555-1234', '+1 212 555 1234', '12125551234', '2125551234',
                       '212.555.1234', ' 212-555-1234 ', '+12125551234', '1-212-555-1234'):
            with self.subTest(number):
                self.check({'GSW_PHONE': number}, 'suppression', 'national')

    def test_neighbours_are_allowed(self):
        for number in ('2125551233', '2125551236', '2135551234', '2125541234'):
            self.check({'GSW_PHONE': number})

    def test_json_numbers(self):
        self.check('{"GSW_PHONE":2125551234}', 'suppression')
        self.check('{"GSW_PHONE":12125551235}', 'suppression')
        self.check('{"GSW_PHONE":2125551299}')

    def test_contact_info(self):
        self.check({'contact_info': '2125551234'}, 'suppression', 'national')
        self.check({'GSW_PHONE': '', 'contact_info': '2125551234'}, 'suppression')
        self.check({'GSW_PHONE': None, 'contact_info': '2125551234'}, 'suppression')
        self.check({'contact_info': '2125551299'})

    def test_client_id(self):
        self.check({'GSW_CUSTOMER_ID': 'C-1'}, 'suppression', 'internal')
        self.check({'GSW_CUSTOMER_ID': 42}, 'suppression', 'internal')
        self.check({'GSW_CUSTOMER_ID': '42'}, 'suppression', 'internal')
        self.check({'GSW_CUSTOMER_ID': '7'})
        self.check({'GSW_CUSTOMER_ID': 'c-1'})
        self.check({'GSW_PHONE': '2125551299', 'GSW_CUSTOMER_ID': 'C-1'}, 'suppression', 'internal')

    def test_email(self):
        media = 'email'
        self.check({'contact_info': 'Stop@Example.com', 'GSW_CONTACT_MEDIA_TYPE': media},
                   'suppression', 'optout')
        self.check({'contact_info': 'go@example.com', 'GSW_CONTACT_MEDIA_TYPE': media})
        self.check({'contact_info': 'nobody@', 'GSW_CONTACT_MEDIA_TYPE': media}, 'input')

    def test_channels(self):
        self.check({'GSW_PHONE': '2125550000'})
        self.check({'GSW_PHONE': '2125550000', 'GSW_CONTACT_MEDIA_TYPE': 'sms'}, 'suppression',
                   'texts')
        self.check({'GSW_PHONE': '2125551234', 'GSW_CONTACT_MEDIA_TYPE': 'sms'}, 'suppression',
                   'national')
        # An unknown medium is held back by every list.
        self.check({'GSW_PHONE': '2125550000', 'GSW_CONTACT_MEDIA_TYPE': 'pigeon'}, 'suppression')

    def test_no_usable_record(self):
        for body in ('', 'x', '[]', '"2125551234"', 'null', '{', '{"GSW_PHONE":"2125551299"',
                     '{"GSW_PHONE":"2125551299"} x', '{}', '{"GSW_PHONE":""}',
                     '{"GSW_PHONE":"  "}', '{"GSW_PHONE":null}', '{"other":1}',
                     '{"GSW_PHONE":[]}', '{"GSW_PHONE":{}}', '{"GSW_PHONE":true}',
                     "{'GSW_PHONE':'2125551299'}", '{"a":' * 200 + '1' + '}' * 200):
            with self.subTest(body[:40]):
                self.check(body, 'input')

    def test_no_number(self):
        for number in ('0', '12', 'abc', '212555123', '1125551234', '2121551234', '+999123456789',
                       '21255512345678901234', '2125551234; drop', '+', '911'):
            with self.subTest(number):
                self.check({'GSW_PHONE': number}, 'input')

    def test_unknown_keys_and_awkward_json(self):
        self.check('\ufeff {"a":{"b":[1,{"c":"}"}]},"GSW_PHONE":"2125551234","z":1e9}',
                   'suppression')
        self.check('{"GSW_PHONE":"2125551299","GSW_PHONE":"2125551234"}', 'suppression')
        self.check('{"GSW_PHONE":"2125551234","GSW_PHONE":"2125551299"}')
        self.check('{"GSW_\\u0050HONE":"\\u0032125551234","n":"\\ud83d\\ude00"}', 'suppression')
        self.check(b'{"name":"\xe9\xff","GSW_PHONE":"2125551234"}', 'suppression')

    def test_names_in_a_body_are_ignored_while_one_tenant_exists(self):
        self.check({'GSW_PHONE': '2125551234', 'GSW_TENANT_NAME': 'Nobody'}, 'suppression')
        self.check({'GSW_PHONE': '2125551299', 'GSW_TENANT_CCID': 'x'})

    def test_decisions_are_counted(self):
        name = 'dialgate_decisions_total{verdict="block",type="suppression"}'
        before = self.server.metric(name)
        for _ in range(5):
            self.check({'GSW_PHONE': '2125551234'}, 'suppression')
        self.assertEqual(self.server.metric(name), before + 5)


class TestOtherSetUps(EngineCase):
    def test_nothing_loaded_is_never_allowed(self):
        engine = self.make('--threads', '1').start(ready=False)
        engine.wait_until('/livez')
        self.assertEqual(engine.ask('GET', '/readyz').status, 503)
        self.blocked(engine.validate({'GSW_PHONE': '2125551299'}), 'freshness')
        self.blocked(engine.validate('{}'), 'input')

    def test_shapes_of_a_block(self):
        self.write('n.txt', '2125551234\n')
        for shape, wanted in (('result', b'{"GSW_CALL_RESULT":51}'), ('empty', b'')):
            engine = self.engine('--list', 'n=n.txt', '--ocs-body', shape, '--threads', '1')
            answer = engine.validate({'GSW_PHONE': '2125551234'})
            self.assertEqual((answer.status, answer.body), (409, wanted))
            answer = engine.validate('{')
            self.assertEqual(answer.status, 409)
            self.assertEqual(answer.body, wanted.replace(b'51', b'3'))
            self.allowed(engine.validate({'GSW_PHONE': '2125551299'}))

    def test_home_of_national_numbers(self):
        self.write('n.txt', '+44 20 7946 0018\n')
        engine = self.engine('--list', 'n=n.txt', '--country', 'GB')
        for number in ('020 7946 0018', '+442079460018', '(020) 7946-0018'):
            self.blocked(engine.validate({'GSW_PHONE': number}), 'suppression', 'n')
        self.allowed(engine.validate({'GSW_PHONE': '020 7946 0019'}))

    def test_spans_of_a_list_file(self):
        self.write('n.csv', 'phone,from,till\n'
                            '2125550001,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z\n'
                            '2125550002,2026-02-01T00:00:00Z,\n'
                            '2125550003,,2026-03-01T00:00:00Z\n')
        for now, held in (('2026-01-15T00:00:00Z', '13'), ('2026-02-15T00:00:00Z', '23'),
                          ('2026-02-01T00:00:00Z', '23'), ('2026-03-01T00:00:00Z', '2')):
            engine = self.engine('--list', 'n=n.csv', '--now', now, '--threads', '1')
            for last in '123':
                answer = engine.validate({'GSW_PHONE': f'212555000{last}'})
                self.assertEqual(answer.status, 409 if last in held else 200, (now, last))

    def test_several_lists_name_the_first(self):
        self.write('a.txt', '2125550001\n2125550002\n')
        self.write('b.txt', '2125550002\n2125550003\n')
        engine = self.engine('--list', 'a=a.txt', '--list', 'b=b.txt')
        self.blocked(engine.validate({'GSW_PHONE': '2125550001'}), 'suppression', 'a')
        self.blocked(engine.validate({'GSW_PHONE': '2125550002'}), 'suppression', 'a')
        self.blocked(engine.validate({'GSW_PHONE': '2125550003'}), 'suppression', 'b')
