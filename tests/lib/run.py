# SPDX-License-Identifier: Apache-2.0
"""Builds both trees, runs the suites, prints a line a test and `N passed, N failed` at the end.

Test programs run two at a time. What a failing one said is printed under its line; everything
any of them said is in build-test/log/.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / 'build-test/log'
BUILDS = {
    'build': [],
    'build-test': ['-Db_sanitize=address,undefined', '-Ddebug_checks=true', '-Db_lundef=false',
                   '--buildtype=debugoptimized'],
}
# In the order of how soon they say something useful.
SUITES = ('tidy', 'unit', 'fuzz', 'packs', 'http', 'crash', 'oracle', 'deploy')
SECONDS_MAX = 600  # of one test program
TAIL_LINES = 40
SANITIZE = {
    'ASAN_OPTIONS': 'abort_on_error=1:halt_on_error=1:detect_leaks=1:'
                    'detect_stack_use_after_return=1:strict_string_checks=1',
    'UBSAN_OPTIONS': 'halt_on_error=1:abort_on_error=1:print_stacktrace=1',
}


class Report:
    passed = failed = 0

    def add(self, ok, name, seconds, text=''):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
        print(f'{"PASS" if ok else "FAIL"} {name} {seconds:.2f} s', flush=True)
        if not ok:
            for line in text.rstrip().split('\n')[-TAIL_LINES:]:
                print('    ' + line, flush=True)


def output_of(command, **more):
    """(exit code, what it said); a command that takes too long is ended with code None."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS_MAX, **more)
        return done.returncode, done.stdout.decode(errors='replace')
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b'').decode(errors='replace')
        return None, f'{said}\nstill running after {SECONDS_MAX} s'


def build(report, folder):
    """Configures once, builds always. Warnings are errors by meson.build's own option."""
    began = time.monotonic()
    code, said = 0, ''
    if not (ROOT / folder / 'build.ninja').exists():
        shutil.rmtree(ROOT / folder, ignore_errors=True)
        code, said = output_of(['meson', 'setup', folder, *BUILDS[folder]])
    if code == 0:
        code, said = output_of(['ninja', '-C', folder])
    report.add(code == 0, f'build {folder}', time.monotonic() - began, said)
    return code == 0


def log(name, text):
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / (name.replace('/', '-').replace(' ', '-') + '.log')).write_text(text)


def tap_results(name, code, said, seconds):
    """cmocka's TAP: a line a case; a program that broke off fails under its own name."""
    cases = re.findall(r'^(not ok|ok) \d+ - (\S+)', said, re.M)
    planned = sum(int(n) for n in re.findall(r'^1\.\.(\d+)', said, re.M))
    share = seconds / max(len(cases), 1)
    results = [(word == 'ok', f'{name} {case}', share, said) for word, case in cases]
    if code != 0 and all(ok for ok, *_ in results):
        results.append((False, name, seconds, f'{said}\nended with {code}'))
    elif len(cases) < planned or not cases and planned:
        results.append((False, name, seconds, f'{said}\nonly {len(cases)} of {planned} cases ran'))
    return results or [(code == 0, name, seconds, said)]


def meson_tests(suite):
    """[(name, function that runs it)] of a suite registered in meson."""
    code, said = output_of(['meson', 'introspect', '--tests', 'build-test'])
    if code != 0:
        raise SystemExit(f'{said}\ntry: rm -r build-test && tests/run')
    found = []
    for test in json.loads(said):
        if not any(s.split(':')[-1] == suite for s in test['suite']):
            continue

        def run(test=test):
            began = time.monotonic()
            environment = {**os.environ, **SANITIZE, 'CMOCKA_MESSAGE_OUTPUT': 'TAP', **test['env']}
            code, said = output_of(test['cmd'], env=environment)
            name = f'{suite} {test["name"]}'
            log(name, said)
            return tap_results(name, code, said, time.monotonic() - began)

        found.append((test['name'], run))
    return found


def python_tests(suite):
    """[(name, function that runs it)]: one process for each tests/<suite>/test_*.py."""
    found = []
    for index, path in enumerate(sorted((ROOT / 'tests' / suite).glob('test_*.py'))):
        name = path.stem[len('test_'):]

        # Each file has ports of its own, below those the kernel gives to clients.
        def run(path=path, name=name, index=index):
            began = time.monotonic()
            ports = 20000 + 4000 * SUITES.index(suite) % 12000 + 200 * index
            environment = {'DIALGATE_ENGINE': str(ROOT / 'build-test/engine/dialgate-engine'),
                           **os.environ, **SANITIZE, 'DIALGATE_TEST_PORTS': str(ports)}
            code, said = output_of(['/usr/bin/python3', 'tests/lib/case.py', str(path)],
                                   env=environment)
            log(f'{suite} {name}', said)
            results = []
            for line in re.findall(r'^(PASS|FAIL)\t(.*)\t([\d.]+)\t(.*)$', said, re.M):
                results.append((line[0] == 'PASS', f'{suite} {name} {line[1]}', float(line[2]),
                                json.loads(line[3])))
            if code != 0 or not results:
                results.append((False, f'{suite} {name}', time.monotonic() - began,
                                f'{said}\nended with {code}, {len(results)} cases'))
            return results

        found.append((name, run))
    return found


def tests_of(wanted):
    suite, _, only = wanted.partition('/')
    found = meson_tests(suite) if suite in ('unit', 'fuzz') else python_tests(suite)
    found = [run for name, run in found if not only or name == only]
    if not found:
        raise SystemExit(f'{wanted} holds no test; try: ls tests/{suite}')
    return found


def main():
    wanted = sys.argv[1:] or list(SUITES)
    if wanted == ['--list']:
        print('\n'.join(SUITES))
        return 0
    report = Report()
    began = time.monotonic()
    built = True
    suites = [w.split('/')[0] for w in wanted]
    for suite in suites:
        if suite not in SUITES:
            raise SystemExit(f'tests/run knows no suite {suite}; try: tests/run --list')
    if suites != ['tidy']:
        both = len(suites) > 1 or suites == ['deploy']
        built = all([build(report, folder) for folder in BUILDS if both or folder != 'build'])
    with ThreadPoolExecutor(2) as pool:
        for suite in wanted:
            if not built and suite != 'tidy':
                report.add(False, f'suite {suite}', 0, 'not run: the build failed')
                continue
            for results in pool.map(lambda run: run(), tests_of(suite)):
                for result in results:
                    report.add(*result)
    print(f'{time.monotonic() - began:.0f} s; what each test said: build-test/log/')
    print(f'{report.passed} passed, {report.failed} failed', flush=True)
    return 1 if report.failed or not report.passed else 0


if __name__ == '__main__':
    sys.exit(main())
