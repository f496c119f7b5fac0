# SPDX-License-Identifier: Apache-2.0
"""Interleaved runs and their medians."""
import json
import statistics

from lib import procs


class Target:
    """A tool under one scenario's load: which server, which protocol, which numbers."""

    def __init__(self, tool, server, registry, args, hit_percent=10):
        self.tool, self.server = tool, server
        self.args = (args + registry.args() + ['--tool', tool, '--port', str(server.port),
                                               '--pid', str(server.pid)])
        if '--hit-percent' not in args:
            self.args += ['--hit-percent', str(hit_percent)]


LATE_RETRIES = 3


def one(target, args):
    """One run; again when the generator itself was late (something else took its core)."""
    for _ in range(LATE_RETRIES):
        line = json.loads(procs.load(target.args + args))
        if line['ok'] or line['errors'] + line['wrong'] + line['unanswered'] > 0:
            break
    return line


def interleaved(targets, args, rounds):
    """A B C A B C …: {tool: {field: median}}, the single runs under 'runs'."""
    runs = {t.tool: [] for t in targets}
    for _ in range(rounds):
        for t in targets:
            runs[t.tool].append(one(t, args))
    return {tool: median(lines) for tool, lines in runs.items()}


def median(lines):
    result = {}
    for field, value in lines[0].items():
        if isinstance(value, bool):
            result[field] = all(line[field] for line in lines)
        elif isinstance(value, (int, float)):
            result[field] = statistics.median(line[field] for line in lines)
        else:
            result[field] = value
    for field in ('errors', 'wrong', 'unanswered'):
        result[field] = sum(line[field] for line in lines)
    result['runs'] = [line['rps'] for line in lines]
    return result


def row(what, ours, other, other_name, ratio, target, at_least=True, unit=''):
    """One line of the table. `target` is a ratio: at least or at most that."""
    met = None if target is None else (ratio >= target if at_least else ratio <= target)
    return {'what': what, 'ours': ours, 'other': other, 'other_name': other_name, 'unit': unit,
            'ratio': ratio, 'target': target, 'at_least': at_least, 'met': met}


def rate_row(what, result, tool, target, field='rps', unit='/s'):
    """Rates against a peer. Where the client was the bottleneck of either, rates come out too much
    alike, so the limit is judged by CPU time of the server as well: the worse ratio counts."""
    ours, other = result['engine'], result[tool]
    ratio = ours[field] / other[field] if other[field] else 0
    client_busy = max(ours['client_busy'], other['client_busy'])
    if tool == 'bare' and field == 'rps' and client_busy > 0.95:
        cpu = other['server_cpu_ns_per_request'] / max(ours['server_cpu_ns_per_request'], 1)
        ratio = min(ratio, cpu)
    return row(what, ours[field], other[field], tool, ratio, target, unit=unit)


def cpu_row(what, result, tool):
    ours, other = (result[t]['server_cpu_ns_per_request'] for t in ('engine', tool))
    return row(what, ours, other, tool, ours / max(other, 1), None, False, 'ns')
