# SPDX-License-Identifier: Apache-2.0
"""A start that cannot be ends with a sentence that says what to type."""
import os
import resource
import socket
import subprocess

from lib.engine import PROGRAM, EngineCase


class TestStartUp(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', '2125551234\n')

    def refuses(self, word, *options, **more):
        said = self.fails(*options, **more)
        self.assertIn(word, said)
        self.assertIn('try:', said)

    def test_list_files(self):
        self.refuses('missing.txt', '--list', 'n=missing.txt')
        (self.folder / 'folder').mkdir()
        self.refuses('folder', '--list', 'n=folder')

    def test_list_options(self):
        for text in ('n', '=n.txt', 'n=n.txt,kind=fax', 'n=n.txt,channel=smoke', 'n=n.txt,colour',
                     'n=n.txt,tenant=Nobody', 'n=n.txt,country=ZZ', '-n=n.txt',
                     'x' * 65 + '=n.txt'):
            with self.subTest(text):
                self.refuses(text.split('=')[0][:20], '--list', text)
        self.refuses('n', '--list', 'n=n.txt', '--list', 'n=n.txt')

    def test_options(self):
        for options in (['--nonsense'], ['--nonsense', '1'], ['word'], ['--threads'],
                        ['--threads', 'x'], ['--threads', '65'], ['--threads', '-1'],
                        ['--idle-timeout-ms', '1'], ['--log-level', 'loud'],
                        ['--now', 'yesterday'], ['--country', 'ZZ'], ['--ocs-body', 'huge']):
            with self.subTest(options):
                self.refuses(options[0].lstrip('-').replace('-', '_').split('_')[0], *options)

    def test_listen(self):
        self.write('tokens', 'a-long-enough-token\n')
        for text in ('8080', '127.0.0.1', '127.0.0.1:x', '127.0.0.1:70000', ':8080',
                     'no.such.host.invalid:8080', '192.0.2.1:8080'):
            with self.subTest(text):
                self.refuses(text.removesuffix(':8080'), '--listen', text, '--list', 'n=n.txt',
                             '--token-file', 'tokens', host=None)

    def test_descriptors_are_counted(self):
        """A soft limit is raised to what connections and asked services may want."""
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        options = ('--list', 'n=n.txt', '--threads', '2', '--connections-max', '1000')
        wanted = 2 * (1000 + 256) + 512
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
            engine = self.engine(*options)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        self.assertEqual(resource.prlimit(engine.process.pid, resource.RLIMIT_NOFILE),
                         (wanted, before[1]))
        self.assertNotIn('ulimit', engine.said())
        told = subprocess.Popen([PROGRAM, *options, '--listen', '127.0.0.1:0'], cwd=self.folder,
                                stderr=subprocess.PIPE, text=True, preexec_fn=lambda:
                                resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600)))
        with told:
            lines = iter(told.stderr.readline, '')
            line = next(line for line in lines if 'ulimit' in line or 'answering' in line)
            told.terminate()
        self.assertIn(f'may want {wanted} descriptors of 2 threads, ulimit -n allows 600', line)

    def test_a_port_that_is_taken(self):
        with socket.socket() as other:
            other.bind(('127.0.0.1', 0))
            other.listen()
            text = f'127.0.0.1:{other.getsockname()[1]}'
            self.refuses(text.split(':')[1], '--listen', text, '--list', 'n=n.txt', host=None)

    def test_config_file(self):
        self.refuses('missing.conf', '--config', 'missing.conf')
        for text, word in (('nonsense = 1\n', 'line 1'), ('# x\n\nthreads = many\n', 'line 3'),
                           ('threads\n', 'line 1'), ('config = other\n', 'line 1')):
            self.write('engine.conf', text)
            self.refuses(word, '--config', 'engine.conf')

    def test_precedence(self):
        self.write('engine.conf', 'list = n=n.txt\nocs_body = empty\n')
        cases = (((), {}, b''), ((), {'DIALGATE_OCS_BODY': 'result'}, b'{"GSW_CALL_RESULT":51}'),
                 (('--ocs-body', 'empty'), {'DIALGATE_OCS_BODY': 'result'}, b''))
        for options, env, body in cases:
            engine = self.engine('--config', 'engine.conf', *options, env=env)
            self.assertEqual(engine.validate({'GSW_PHONE': '2125551234'}).body, body)

    def test_lists_of_the_environment(self):
        self.write('m.txt', '2125550001\n')
        engine = self.engine(env={'DIALGATE_LIST': 'n=n.txt;m=m.txt'})
        self.blocked(engine.validate({'GSW_PHONE': '2125551234'}), 'suppression', 'n')
        self.blocked(engine.validate({'GSW_PHONE': '2125550001'}), 'suppression', 'm')

    def test_tokens(self):
        for text, word in (('', 'token'), ('short\n', 'line 1'),
                           ('a-long-enough-token tenant=Nobody\n', 'line 1'),
                           ('a-long-enough-token nonsense\n', 'line 1')):
            self.write('tokens', text)
            self.refuses(word, '--list', 'n=n.txt', '--token-file', 'tokens')
        self.refuses('missing', '--list', 'n=n.txt', '--token-file', 'missing')

    def test_data_directory(self):
        self.refuses('n.txt', '--list', 'n=n.txt', '--data', 'n.txt')
        engine = self.engine('--list', 'n=n.txt', '--data', 'data')
        self.refuses('data', '--list', 'n=n.txt', '--data', 'data')
        self.assertEqual(engine.ask('GET', '/readyz').status, 200)

    def test_where_files_may_not_be_read(self):
        path = self.write('secret.txt', '2125551234\n')
        os.chmod(path, 0)
        if os.access(path, os.R_OK):  # root reads everything: a looping link nobody can follow
            path.unlink()
            path.symlink_to('secret.txt')
        self.refuses('secret.txt', '--list', 'n=secret.txt')

    def test_questions_about_itself(self):
        for option, word in (('--help', '--listen'), ('--version', 'dialgate-engine'),
                             ('--sample-config', '#listen = 127.0.0.1:8080')):
            done = subprocess.run([PROGRAM, option], capture_output=True, text=True, timeout=20)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(word, done.stdout)
            self.assertEqual(done.stderr, '')

    def test_the_sample_config_is_one(self):
        sample = subprocess.run([PROGRAM, '--sample-config'], capture_output=True, text=True,
                                timeout=20).stdout
        self.write('engine.conf', sample + '\nlist = n=n.txt\n')
        engine = self.engine('--config', 'engine.conf')
        self.blocked(engine.validate({'GSW_PHONE': '2125551234'}), 'suppression')
