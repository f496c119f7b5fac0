# SPDX-License-Identifier: Apache-2.0
"""Where things are, and what kind of machine this is (never which one)."""
import datetime
import os
import pathlib
import platform
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('DIALGATE_BENCH_PREBUILT', ROOT / 'build'))
WORK = ROOT / 'var' / 'bench'
RESULTS = ROOT / 'bench' / 'results'
SERVER_CORE, CLIENT_CORE = 0, 1 if (os.cpu_count() or 1) > 1 else 0


def program(name):
    path = BUILD / name
    if not path.exists():
        raise SystemExit(f'bench: build/{name} is missing; try: ninja -C build')
    return str(path)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def kind():
    model = 'unknown'
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            model = line.split(':', 1)[1].strip()
            break
    memory_kb = int(pathlib.Path('/proc/meminfo').read_text().split()[1])
    return {'cores': os.cpu_count(), 'cpu': model, 'kernel': platform.release().split('-')[0],
            'memory_gib': round(memory_kb / 2**20)}


def commit():
    git = ['git', '-C', str(ROOT)]
    head = subprocess.run(git + ['rev-parse', '--short=12', 'HEAD'], capture_output=True,
                          text=True).stdout.strip()
    dirty = subprocess.run(git + ['status', '--porcelain', '--', 'engine', 'meson.build'],
                           capture_output=True, text=True).stdout.strip()
    return (head or 'none') + ('+' if dirty else '')


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
