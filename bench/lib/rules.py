# SPDX-License-Identifier: Apache-2.0
"""Scenarios of rules: what they cost a question, and what replacing them costs."""
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import urllib.request

from lib import machine, procs
from lib.data import Registry
from lib.measure import Target, median, one, row
from lib.replace import Replacer

NOON_S = 1795024800  # Wednesday 2026-11-18 18:00 UTC: 13:00 in New York, 10:00 in Los Angeles
PER_SECOND = 100     # replacements
# One area code of each state in which a call may be made then whatever the line and whoever called:
# no Texas (wireless bans), no Florida (three a day), no Hawaii (8:00).
CODES = ('212 312 404 617 215 704 612 213 415 206 303 503 702 801 505 402 316 314 414 313 216 317 '
         '502 615 205 601 803 804 302 203 401 603 802 304 701 605 406 208 515 501').split()

ATTEMPTS = [{'period': '7d'}, {'period': 'today'}, {'period': '7d', 'count_by': 'client'},
            {'period': '24h', 'scope': 'group'}]
# Neither is decided before its last comparison.
EXPRESSIONS = ['$GSW_CHAIN_ID < 10 and $GSW_CAMPAIGN_NAME in ["Campaign7", "Campaign8"]',
               '$GSW_RECORD_HANDLE == 0 or AttemptsOnDevice(24H, [Answer, Busy]) > 50']


def document(version):
    """The packs of the US enforced, four attempts rules, two expressions. Reservations are kept for
    a second: ten seconds of what is allowed here are more than the engine has room for."""
    rules = [{'name': f'attempts {i}', 'type': 'attempts', 'required': True, 'max': 50, **more}
             for i, more in enumerate(ATTEMPTS)]
    rules += [{'name': f'expression {i}', 'type': 'custom', 'required': True, 'block_if': text}
              for i, text in enumerate(EXPRESSIONS)]
    return json.dumps({
        'version': version, 'packs': ['us-federal', 'us-states'],
        'tenant': {'unverified_rules': 'enforce', 'purpose': 'solicitation', 'dialing': 'manual',
                   'reserve': '1s'},
        'rules': rules}).encode()


class Standing:
    """Two engines with the same lists, one of them with rules; and who asks them."""

    def __init__(self, stage):
        self.folder = machine.WORK / 'rules'
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.registry = Registry(10000000, 5, codes=CODES)
        (self.folder / 'internal.txt').write_text('nobody\n')
        (self.folder / 'rules.json').write_bytes(document('first'))
        file = self.registry.file()
        os.utime(file, (NOON_S, NOON_S))  # us.dnc.freshness wants the registry of this month
        self.lists = {'national': (file, 'kind=device'),
                      'internal': (self.folder / 'internal.txt', 'kind=client')}
        self.ruled = self._engine('rules', ['--rules', str(self.folder / 'rules.json')])
        self.bare = self._engine('no-rules', [])

    def _engine(self, name, more):
        clock = {'LD_PRELOAD': machine.program('bench/libbench-clock.so'),
                 'DIALGATE_BENCH_CLOCK_S': str(NOON_S)}
        return procs.Engine(self.lists, name=f'engine-{name}', data=self.folder / name, more=more,
                            env=clock)

    def target(self, tool, engine, during=contextlib.nullcontext):
        target = Target(tool, engine, self.registry, [])
        target.during = during
        return target

    def stop(self):
        self.ruled.stop()
        self.bare.stop()
        shutil.rmtree(self.folder)


def alternate(targets, args, rounds):
    """As measure.interleaved, with what goes on beside each: ({tool: medians}, [what went on])."""
    runs, beside = {t.tool: [] for t in targets}, []
    for _ in range(rounds):
        for target in targets:
            with target.during() as what:
                runs[target.tool].append(one(target, args))
            if what is not None:
                beside.append(what.figures)
    return {tool: median(lines) for tool, lines in runs.items()}, beside


def decided(engine):
    """{(verdict, type): decisions} since the start."""
    with urllib.request.urlopen(f'http://127.0.0.1:{engine.port}/metrics', timeout=10) as page:
        lines = page.read().decode().splitlines()
    head = 'dialgate_decisions_total{'
    return {line[len(head):].split('}')[0]: float(line.rsplit(' ', 1)[1])
            for line in lines if line.startswith(head)}


def share_rows(before, after):
    """How many questions went through every rule, or were on the registry before any."""
    grown = {key: after[key] - before[key] for key in after}
    total = sum(grown.values())
    allowed = sum(n for key, n in grown.items() if 'verdict="allow"' in key)
    listed = sum(n for key, n in grown.items() if 'type="suppression"' in key)
    return ([row('allowed after every rule', allowed, total, 'asked', allowed / total, 0.85),
             row('that, or on the registry', allowed + listed, total, 'asked',
                 (allowed + listed) / total, 0.9999)],
            {key: n for key, n in grown.items() if n})


def cost(stand, stage, rounds):
    """The same questions, with rules and without."""
    rows, results = [], {}
    for depth in (1, 16):
        result, _ = alternate([stand.target('no rules', stand.bare),
                               stand.target('engine', stand.ruled)],
                              stage.common() + ['--pipeline', str(depth)], rounds)
        results[f'P={depth}'] = result
        ours, bare = result['engine'], result['no rules']
        cpu = [r['server_cpu_ns_per_request'] for r in (ours, bare)]
        rows += [row(f'answers, P={depth}', ours['rps'], bare['rps'], 'no rules',
                     ours['rps'] / bare['rps'], None, unit='/s'),
                 row(f'server CPU time of one, P={depth}', *cpu, 'no rules', cpu[0] / cpu[1], None,
                     False, 'ns'),
                 row(f'CPU time of the rules of one, P={depth}', cpu[0] - cpu[1], 2000, 'limit',
                     (cpu[0] - cpu[1]) / 2000, 1, False, 'ns')]
    return rows, results


def tasks_by_cpu(pid):
    """The process' threads, the busiest first."""
    used = [(int((task / 'schedstat').read_text().split()[0]), int(task.name))
            for task in pathlib.Path(f'/proc/{pid}/task').iterdir()]
    return [task for _, task in sorted(used, reverse=True)]


def replaced(stand, stage, rounds, where):
    """Rules replaced all the time, against the same engine at rest."""
    documents = [document('even'), document('odd')]
    rows, results = [], {}
    for depth in (1, 16):
        result, beside = alternate(
            [stand.target('quiet', stand.ruled),
             stand.target('engine', stand.ruled,
                          lambda: Replacer(stand.ruled, documents, PER_SECOND))],
            stage.common() + ['--pipeline', str(depth)], rounds)
        result['replacers'] = dict(enumerate(beside))
        results[f'P={depth}'] = result
        ours, quiet = result['engine'], result['quiet']
        per_s = statistics.median(b['per_s'] for b in beside)
        rows += [row(f'replaced, P={depth}, {where}', ours['rps'], quiet['rps'], 'quiet',
                     ours['rps'] / quiet['rps'], 0.9, unit='/s'),
                 row(f'replacements, P={depth}, {where}', per_s, PER_SECOND, 'wanted',
                     per_s / PER_SECOND, 0.95, unit='/s'),
                 row(f'in force after, P={depth}, {where}',
                     statistics.median(b['wait_p50_ms'] for b in beside), None, '', 0, None,
                     unit='ms')]
    return rows, results


def rules(stage):
    rounds = max(stage.rounds, 5)
    stand = Standing(stage)
    # a report of each of the first contacts, so that there is something to count
    reports = one(stand.target('reports', stand.ruled), stage.common() + [
        '--path', '/ocs/history', '--hit-percent', '0'])
    before = decided(stand.ruled)
    rows, raw = cost(stand, stage, rounds)
    shares, grown = share_rows(before, decided(stand.ruled))
    rows += shares
    more, raw['one core'] = replaced(stand, stage, rounds, 'one core')
    rows += more
    for task in tasks_by_cpu(stand.ruled.pid)[1:]:
        os.sched_setaffinity(task, {machine.SERVER_CORE, machine.CLIENT_CORE})
    more, raw['feed free'] = replaced(stand, stage, rounds, 'feed on either core')
    stand.stop()
    raw.update({'reports': reports, 'decided': grown})
    return '/ocs/validate with rules, 64 connections, 10 M numbers', rows + more, raw


def s14(stage):
    """The decision alone: of 16 at once and of one, contacts in the caches and all over memory."""
    lines = [json.loads(line) for line in procs.on_server_core(
        'bench/micro/decide_bench', ['--quick'] if stage.quick else []).splitlines()]
    times = {(x['what'], x['contacts'], x['turn']): x for x in lines}
    rows = []
    for contacts, turn, limit, target in (('warm', 16, 1000, 1), ('warm', 1, 2000, 1),
                                          ('spread', 16, 2000, 1), ('spread', 1, 2000, 1)):
        whole = times['decision', contacts, turn]
        label = f'{contacts}, {turn} at once'
        rows.append(row(f'decision, {label}', whole['ns'], limit, 'limit', whole['ns'] / limit,
                        target, False, 'ns'))
        for what in ('parse', 'lists'):
            other = times[what, contacts, turn]['ns']
            name = {'parse': 'reading alone', 'lists': 'without rules'}[what]
            rows.append(row(f'decision, {label}', whole['ns'], other, name, whole['ns'] / other,
                            None, False, 'ns'))
    decisions = [x for x in lines if x['what'] == 'decision']
    calls = sum(x['allocations'] for x in decisions)
    rows.append(row('allocations', calls, 0, 'limit', calls, 0, False))
    share = min(x['allowed'] for x in decisions)
    rows.append(row('allowed after every rule', share, 1, 'asked', share, 1))
    return (f'decision alone, {decisions[0]["rules"]} rules, '
            f'{decisions[0]["attempts"] // 1000000} M attempts', rows, {'lines': lines})
