# SPDX-License-Identifier: Apache-2.0
"""The engine and its peers as processes: pinned to the server's core, stopped by whoever started
them (also when the run breaks off)."""
import atexit
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

from lib import machine

running = []


def stop_all():
    for server in reversed(running[:]):
        server.stop()


atexit.register(stop_all)


class Server:
    """A process that answers on `port` of 127.0.0.1."""
    ready_s = 600

    def __init__(self, name, command, env=None):
        self.name, self.began = name, time.monotonic()
        self.log = machine.WORK / f'{name}.log'
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(['taskset', '-c', str(machine.SERVER_CORE)] + command,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})})
        running.append(self)
        self.wait()
        self.start_s = time.monotonic() - self.began

    @property
    def pid(self):
        return self.process.pid

    def answers(self):
        with socket.create_connection(('127.0.0.1', self.port), 1):
            return True

    def wait(self):
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f'bench: {self.name} did not start:\n'
                                 + self.log.read_text(errors='replace')[-2000:])
            try:
                if self.answers():
                    return
            except OSError:
                pass
            if time.monotonic() - self.began > self.ready_s:
                raise SystemExit(f'bench: {self.name} is not ready after {self.ready_s} s')
            time.sleep(0.002)

    def stop(self):
        if self not in running:
            return
        running.remove(self)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def resident_bytes(self):
        for line in pathlib.Path(f'/proc/{self.pid}/status').read_text().splitlines():
            if line.startswith('VmRSS'):
                return int(line.split()[1]) * 1024
        return 0


class Engine(Server):
    """One thread. `lists`: {name: (file, 'kind=device,…')}"""

    def __init__(self, lists, name='engine', spin_us=0, data=None, more=(), env=None):
        self.port = machine.free_port()
        command = [machine.program('engine/dialgate-engine'), '--listen', f'127.0.0.1:{self.port}',
                   '--threads', '1', '--spin-us', str(spin_us)]
        if data is not None:
            command += ['--data', str(data)]
        for list_name, (file, properties) in lists.items():
            command += ['--list', f'{list_name}={file},{properties},required']
        super().__init__(name, command + list(more), env)

    def answers(self):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/readyz', timeout=2) as r:
                return r.status == 200
        except urllib.error.HTTPError:
            return False

    def metric(self, family):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}/metrics', timeout=10) as r:
            for line in r.read().decode().splitlines():
                if line.split(' ')[0].split('{')[0] == family:
                    return float(line.rsplit(' ', 1)[1])
        raise SystemExit(f'bench: /metrics has no {family}')


class Bare(Server):
    """The limit for requests and answers of exactly these sizes."""

    def __init__(self, engine, load_args, name, spin_us=0, single=False):
        answer = machine.WORK / f'{name}.answer'
        sizes = json.loads(load(['--port', str(engine.port), '--capture', str(answer)] + load_args))
        self.port = machine.free_port()
        super().__init__(name, [machine.program('bench/bare'), '--port', str(self.port),
                                '--answer', str(answer), '--spin-us', str(spin_us),
                                '--request-bytes', str(sizes['request_bytes'])]
                         + (['--single'] if single else []))


NGINX = '''daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.err;
events {{ worker_connections 16384; }}
http {{
    access_log off; default_type application/json;
    keepalive_requests 1000000000; keepalive_timeout 3600;
    client_body_temp_path {dir}/nginx-1; proxy_temp_path {dir}/nginx-2;
    fastcgi_temp_path {dir}/nginx-3; uwsgi_temp_path {dir}/nginx-4; scgi_temp_path {dir}/nginx-5;
    server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 '{{}}'; }} }}
}}
'''


class Nginx(Server):
    def __init__(self):
        self.port = machine.free_port()
        conf = machine.WORK / 'nginx.conf'
        conf.write_text(NGINX.format(dir=machine.WORK, port=self.port))
        binary = shutil.which('nginx') or '/usr/sbin/nginx'
        super().__init__('nginx', [binary, '-c', str(conf), '-p', str(machine.WORK)])

    def workers(self):
        children = pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        return [int(pid) for pid in children.read_text().split()]

    def answers(self):
        return super().answers() and self.workers() != []

    @property
    def pid(self):
        return self.workers()[0]


class Redis(Server):
    def __init__(self, registry):
        self.port = machine.free_port()
        super().__init__('redis', ['redis-server', '--port', str(self.port), '--bind', '127.0.0.1',
                                   '--save', '', '--appendonly', 'no', '--dir', str(machine.WORK)])
        empty = self.used_bytes()
        load(['--port', str(self.port), '--fill', str(registry.file())])
        self.registry, self.set_bytes = registry, self.used_bytes() - empty

    def used_bytes(self):
        with socket.create_connection(('127.0.0.1', self.port), 10) as s:
            s.sendall(b'INFO memory\r\n')
            text = b''
            while b'used_memory:' not in text or not text.endswith(b'\r\n'):
                text += s.recv(65536)
        return int(text.split(b'used_memory:')[1].split()[0])


class RedisLog(Server):
    """Redis that syncs its log before it answers."""

    def __init__(self, folder):
        self.port = machine.free_port()
        super().__init__('redis-log', ['redis-server', '--port', str(self.port), '--bind',
                                       '127.0.0.1', '--save', '', '--appendonly', 'yes',
                                       '--appendfsync', 'always', '--auto-aof-rewrite-percentage',
                                       '0', '--dir', str(folder)])


def on_server_core(name, args):
    """Runs a program to its end where the servers run; what it printed."""
    run = subprocess.run(['taskset', '-c', str(machine.SERVER_CORE), machine.program(name)] + args,
                         capture_output=True, text=True, check=True)
    return run.stdout


def load(args):
    """Runs the load generator on the client's core; its line of JSON."""
    run = subprocess.run(['taskset', '-c', str(machine.CLIENT_CORE), machine.program('bench/load')]
                         + args, capture_output=True, text=True)
    if not run.stdout.strip():
        raise SystemExit(f'bench: load {" ".join(args)}\n{run.stderr}')
    return run.stdout
