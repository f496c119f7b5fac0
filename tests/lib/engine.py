# SPDX-License-Identifier: Apache-2.0
"""A real engine process for a test: its own port, its own folder, always cleaned up."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from lib.client import Broken, Client

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.path.abspath(os.environ.get('DIALGATE_ENGINE',
                                         ROOT / 'build-test/engine/dialgate-engine'))
READY_S = 60
STOP_S = 30
SANITIZER = re.compile(r'ERROR: \w+Sanitizer|runtime error:|broken invariant|SUMMARY: \w+Sanitizer')
next_port = int(os.environ.get('DIALGATE_TEST_PORTS', 20000 + os.getpid() % 50 * 200))


def free_port():
    """A port of this process's own range. The engine listens with SO_REUSEPORT, so two engines on
    one port would not notice each other: never leave the choice to chance."""
    global next_port
    while True:
        next_port += 1
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', next_port))
                return next_port
            except OSError:
                continue


class Engine:
    def __init__(self, *options, folder, env=None):
        self.options, self.folder, self.env = options, folder, env or {}
        self.port = free_port()
        self.address = ('127.0.0.1', self.port)
        self.stderr = folder / f'stderr-{self.port}'
        self.process = None

    def start(self, ready=True, host='127.0.0.1'):
        command = [PROGRAM, *map(str, self.options)]
        if host:
            command += ['--listen', f'{host}:{self.port}']
        with open(self.stderr, 'ab') as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said,
                                            stderr=said, cwd=self.folder,
                                            env={**os.environ, **self.env})
        if ready:
            self.wait_ready()
        return self

    def said(self):
        return self.stderr.read_text(errors='replace') if self.stderr.exists() else ''

    def wait_until(self, path='/readyz', status=200, seconds=READY_S):
        """Asks until the status comes; the last answer."""
        end = time.monotonic() + seconds
        last = 'no answer'
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f'the engine ended with {self.process.returncode}:\n'
                                     f'{self.said()}')
            try:
                with Client(self.address) as client:
                    last = client.ask('GET', path)
                if last.status == status:
                    return last
            except (OSError, Broken):
                pass
            time.sleep(0.02)
        raise AssertionError(f'{path} was not {status} after {seconds} s: {last}\n{self.said()}')

    def wait_ready(self):
        return self.wait_until()

    def client(self, **more):
        return Client(self.address, **more)

    def ask(self, method, path, body=None, **headers):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.ask(method, path, body, **headers)

    def validate(self, record, path='/ocs/validate'):
        return self.ask('POST', path, record)

    def metric(self, name):
        page = self.ask('GET', '/metrics').body.decode()
        found = re.search(rf'^{re.escape(name)} (\S+)$', page, re.M)
        if not found:
            raise AssertionError(f'no metric {name} in\n{page}')
        return float(found.group(1))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=STOP_S):
        """The exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'still there {seconds} s later:\n{self.said()}') from None

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """SIGKILL: the crash of the crash tests."""
        self.process.kill()
        self.process.wait()

    def leave(self):
        """The end of a test: an engine that still runs must end well, and nothing may have been
        reported by a sanitizer."""
        problem = None
        if self.process and self.process.poll() is None:
            code = self.stop()
            if code != 0:
                problem = f'ended with {code}'
        if self.process and SANITIZER.search(self.said()):
            problem = 'a sanitizer or an invariant reported'
        if problem:
            raise AssertionError(f'{problem}:\n{self.said()}')


class EngineCase(unittest.TestCase):
    """A test with a folder and as many engines as it starts."""
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='dialgate-test-'))
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def make(self, *options, env=None):
        """An engine that is not started yet."""
        engine = Engine(*options, folder=self.folder, env=env)
        self.addCleanup(engine.leave)
        return engine

    def engine(self, *options, **more):
        return self.make(*options, **more).start()

    def fails(self, *options, host='127.0.0.1', env=None):
        """Starts an engine that must refuse; what it said."""
        engine = self.make(*options, env=env)
        engine.start(ready=False, host=host)
        code = engine.wait(20)
        self.assertNotIn(code, (0, -6, -11), engine.said())
        return engine.said()

    def allowed(self, response):
        self.assertEqual((response.status, response.body), (200, b'{}'))

    def blocked(self, response, kind, rule=None, result=None):
        self.assertEqual(response.status, 409, response)
        body = response.json()
        self.assertEqual(body['GSW_BLOCKING_RULE_TYPE'], kind, body)
        if rule is not None:
            self.assertEqual(body['GSW_BLOCKING_RULE'], rule)
        wanted = result or {'suppression': 51, 'input': 3}.get(kind, 52)
        self.assertEqual(body['GSW_CALL_RESULT'], wanted)

    def problem(self, response, status, code):
        """An RFC 9457 answer."""
        self.assertEqual(response.status, status, response)
        self.assertEqual(response.headers['content-type'].split(';')[0],
                         'application/problem+json')
        body = response.json()
        self.assertEqual((body['status'], body['code']), (status, code))
        self.assertTrue(body['title'])


class SharedEngineCase(EngineCase):
    """Tests that only ask: one engine for all of them, and it must end well."""
    OPTIONS = ()
    FILES = {}

    @classmethod
    def setUpClass(cls):
        cls.shared_folder = pathlib.Path(tempfile.mkdtemp(prefix='dialgate-test-'))
        cls.addClassCleanup(shutil.rmtree, cls.shared_folder)
        for name, text in cls.FILES.items():
            (cls.shared_folder / name).write_text(text)
        cls.server = Engine(*cls.OPTIONS, folder=cls.shared_folder)
        cls.addClassCleanup(cls.server.leave)
        cls.server.start()
