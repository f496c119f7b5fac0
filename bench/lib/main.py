# SPDX-License-Identifier: Apache-2.0
"""bench/run: see there."""
import argparse
import json
import os
import time

from lib import machine, table
from lib.scenarios import ALONE, SHARED, SLOW, Stage


def arguments():
    parser = argparse.ArgumentParser(prog='bench/run')
    parser.add_argument('--quick', action='store_true', help='10 M numbers, under two minutes')
    parser.add_argument('--only', default='', help='scenarios, separated by commas: '
                        + ', '.join([*SHARED, *ALONE]))
    parser.add_argument('--no-save', action='store_true', help='bench/results/ stays as it is')
    return parser.parse_args()


def save(scenario, stage, title, rows, raw):
    line = {'date': machine.now(), 'commit': machine.commit(), 'machine': machine.kind(),
            'mode': 'quick' if stage.quick else 'full', 'load': stage.load,
            'scenario': scenario, 'title': title,
            'seeds': {'registry': stage.registry.seed, 'keys': 1}, 'rows': rows, 'raw': raw}
    machine.RESULTS.mkdir(parents=True, exist_ok=True)
    with open(machine.RESULTS / f'{scenario}.jsonl', 'a', encoding='utf-8') as f:
        f.write(json.dumps(line, separators=(',', ':')) + '\n')


def broken(raw):
    """Runs that must not count: wrong verdicts, errors, a generator that was late."""
    if not isinstance(raw, dict):
        return []
    found = [] if raw.get('ok', True) else [f'{raw["tool"] or "engine"}: errors '
                                             f'{raw.get("errors", 0)}, wrong {raw.get("wrong", 0)},'
                                             f' lag p99 {raw.get("lag_p99_us", 0)} us']
    return found + [line for value in raw.values() for line in broken(value)]


def main():
    options = arguments()
    machine.WORK.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in options.only.split(',') if name]
    wanted = wanted or [n for n in [*SHARED, *ALONE] if not (options.quick and n in SLOW)]
    stage, began, missed, rejected = Stage(options.quick), time.monotonic(), 0, 0
    stage.load = round(os.getloadavg()[0], 1)
    if stage.load > 0.5:
        print(f'the machine is not quiet (load {stage.load}): ratios may be off', flush=True)
    for group in (SHARED, ALONE):
        for name, scenario in group.items():
            if name not in wanted:
                continue
            title, rows, raw = scenario(stage)
            print(table.text(name, title, rows), flush=True)
            missed += sum(r['met'] is False for r in rows)
            problems = broken(raw)
            for problem in problems:
                print(f'    REJECTED  {problem}', flush=True)
            rejected += bool(problems)
            if not options.no_save and not problems:
                save(name, stage, title, rows, raw)
        if group is SHARED:
            stage.stop('engine', 'bare', 'bare-single', 'nginx')
    stage.stop()
    print(f'{time.monotonic() - began:.0f} s, {missed} targets not met, {rejected} runs rejected')
    return 1 if rejected else 0


if __name__ == '__main__':
    raise SystemExit(main())
