# SPDX-License-Identifier: Apache-2.0
"""deploy/up and deploy/down with a small registry in a folder of their own."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from lib.engine import ROOT, free_port

SAMPLE = 200000


def processes_with(text):
    """Ids of the processes whose command line holds the text."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


class TestUp(unittest.TestCase):
    def setUp(self):
        self.var = pathlib.Path(tempfile.mkdtemp(prefix='dialgate-up-'))
        self.addCleanup(shutil.rmtree, self.var)
        self.port = free_port()
        self.addCleanup(self.run_script, 'down')

    def run_script(self, name, *options, **env):
        done = subprocess.run([f'deploy/{name}', *options], cwd=ROOT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300, env={**os.environ, 'DIALGATE_VAR': str(self.var),
                                                'DIALGATE_PORT': str(self.port),
                                                'DIALGATE_SAMPLE': str(SAMPLE), **env})
        return done.returncode, done.stdout

    def engines(self):
        return processes_with(f'{self.var}/engine')

    def test_up_again_and_down(self):
        code, said = self.run_script('up')
        self.assertEqual(code, 0, said)
        self.assertEqual(re.findall(r'^  HTTP (\d+)$', said, re.M), ['200', '409'])
        self.assertIn('"GSW_BLOCKING_RULE":"national"', said)
        self.assertIn('Try next', said)
        self.assertIn('"intervals":[{"from":', said)
        with open(self.var / 'registry.txt') as file:
            self.assertEqual(sum(1 for _ in file), SAMPLE)
        engines = self.engines()
        self.assertEqual(len(engines), 1)
        self.check_suggestions(said)

        files = sorted((p, p.stat().st_mtime_ns) for p in self.var.glob('registry*'))
        began = time.monotonic()
        code, said = self.run_script('up', '--engine')
        self.assertEqual(code, 0, said)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(re.findall(r'^  HTTP (\d+)$', said, re.M), ['200', '409'])
        self.assertEqual(self.engines(), engines)
        self.assertEqual(sorted((p, p.stat().st_mtime_ns) for p in self.var.glob('registry*')),
                         files)

        code, said = self.run_script('down')
        self.assertEqual(code, 0, said)
        self.assertEqual(self.engines(), [])
        code, said = self.run_script('down')
        self.assertEqual((code, 'nothing runs' in said), (0, True), said)

    def check_suggestions(self, said):
        """Every command that `up` tells to try works."""
        commands = re.findall(r'^    (curl (?:.*\\\n)*.*)$', said, re.M)
        self.assertGreaterEqual(len(commands), 6)
        for command in commands:
            done = subprocess.run(['bash', '-o', 'pipefail', '-c', command], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
            self.assertEqual(done.returncode, 0, command)
            wanted = r'HTTP/1.1 (200|201|204|409)' if ' -i ' in command else r'.'
            self.assertRegex(done.stdout, wanted, command)

    def test_a_port_that_is_taken(self):
        with socket.socket() as other:
            other.bind(('127.0.0.1', self.port))
            other.listen()
            code, said = self.run_script('up')
        self.assertNotEqual(code, 0)
        self.assertIn(f'port {self.port} is taken', said)
        self.assertIn('try:', said)
        self.assertEqual(self.engines(), [])

    def test_down_leaves_a_recycled_pid_alone(self):
        with subprocess.Popen(['sleep', '60']) as other:
            (self.var / 'engine.pid').write_text(f'{other.pid} 1 127.0.0.1:{self.port}\n')
            code, said = self.run_script('down')
            self.assertEqual(code, 0, said)
            self.assertIsNone(other.poll())
            other.kill()

    def test_unknown_words(self):
        code, said = self.run_script('up', '--everything')
        self.assertNotEqual(code, 0)
        self.assertIn('try: deploy/up', said)
