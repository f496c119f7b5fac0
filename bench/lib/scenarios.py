# SPDX-License-Identifier: Apache-2.0
"""The scenarios of the table of targets. Each returns (title, rows, raw measurements)."""
import json
import shutil
import time

from lib import machine, procs
from lib.data import Registry, drop
from lib.measure import Target, cpu_row, interleaved, rate_row, row
from lib.rules import rules, s14

DEVICES = 'kind=device'


class Stage:
    """What a run has standing: sizes, and the servers that several scenarios share."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds, self.seconds, self.warmup = (3, 0.4, 0.1) if quick else (5, 3, 0.5)
        self.keys = 1 << 19 if quick else 1 << 24
        million = 1000000
        self.registry = Registry(10 * million if quick else 100 * million, 1)
        self.redis_registry = Registry(million if quick else 10 * million, 1)
        self.whole = Registry(10 * million if quick else 250 * million, 2, 13 if quick else 335)
        self.hashed = Registry(2 * million if quick else 100 * million, 3)
        self.small = Registry(100000, 4)
        self.servers = {}

    def common(self):
        return ['--seconds', str(self.seconds), '--warmup', str(self.warmup),
                '--keys', str(self.keys)]

    def server(self, name, make):
        if name not in self.servers:
            self.servers[name] = make()
        return self.servers[name]

    def engine(self):
        return self.server('engine', lambda: procs.Engine(
            {'national': (self.registry.file(), DEVICES)}))

    def nginx(self):
        return self.server('nginx', procs.Nginx)

    def redis(self):
        return self.server('redis', lambda: procs.Redis(self.redis_registry))

    def bare(self, args, name, single=False):
        """For requests of `args`, with the engine's own answer."""
        full = args + self.registry.args()
        return self.server(name, lambda: procs.Bare(self.engine(), full, name, single=single))

    def stop(self, *names):
        for name in names or list(self.servers):
            if name in self.servers:
                self.servers.pop(name).stop()

    def text_rate(self):
        """Records a second in this process' memory, no socket: what batches are held against."""
        if not hasattr(self, 'text'):
            self.text = json.loads(procs.on_server_core(
                'bench/text-bench', [str(self.registry.count), '1' if self.quick else '5']))
        return self.text['records_per_s']

    def limit_and_ours(self, args, bare_name='bare'):
        return [Target('bare', self.bare(args, bare_name), self.registry, args, 0),
                Target('engine', self.engine(), self.registry, args)]


def pipeline(stage, depth, targets):
    single = Target('redis', stage.redis(), stage.redis_registry, ['--protocol', 'sismember'], 50)
    nginx = Target('nginx', stage.nginx(), stage.registry, [], 0)
    result = interleaved(stage.limit_and_ours([]) + [nginx, single],
                         stage.common() + ['--pipeline', str(depth)], stage.rounds)
    rows = [rate_row('answers', result, tool, target) for tool, target in targets.items()]
    rows += [cpu_row('server CPU time of one', result, tool) for tool in targets]
    title = f'/ocs/validate, P={depth}, 64 connections, {stage.registry.count // 1000000} M numbers'
    return title, rows, result


def s1(stage):
    return pipeline(stage, 1, {'bare': 0.95, 'nginx': 1.3, 'redis': 1.45})


def s2(stage):
    return pipeline(stage, 16, {'bare': 0.70, 'nginx': 9, 'redis': 3})


def s3(stage):
    return pipeline(stage, 64, {'bare': 0.40, 'redis': 4.3})


def batches(stage, form, size, redis_target, text_target):
    args = ['--protocol', form, '--batch', str(size), '--connections', '16']
    targets = stage.limit_and_ours(args, f'bare-{form}-{size}')
    targets.append(Target('redis', stage.redis(), stage.redis_registry,
                          ['--protocol', 'smismember', '--batch', str(size),
                           '--connections', '16'], 50))
    result = interleaved(targets, stage.common(), stage.rounds)
    stage.stop(f'bare-{form}-{size}')
    rows = [rate_row('numbers', result, 'redis', redis_target, 'decisions_per_s'),
            rate_row('numbers', result, 'bare', None, 'decisions_per_s'),
            cpu_row('server CPU time of one request', result, 'bare')]
    cpu_s = result['engine']['server_cpu_ns_per_request'] / 1e9
    text = stage.text_rate()
    result['text'] = stage.text
    rows.append(row('numbers a CPU second', size / cpu_s, text, 'text in process',
                    size / cpu_s / text, text_target, unit='/s'))
    if size == 1000:
        seconds = 258e6 * cpu_s / size
        rows.append(row('CPU time for 258 M numbers', seconds, 10, 'target', seconds / 10, 1,
                        False, 's'))
    return f'/v1/decisions, {form} of {size}, 16 connections', rows, result


def s4(stage):
    return batches(stage, 'batch', 100, 6, 0.5)


def s5(stage):
    return batches(stage, 'batch', 1000, None, 0.75)


def s5n(stage):
    return batches(stage, 'ndjson', 1000, None, 0.75)


def s6(stage):
    """Memory of a registry; the same engine serves S9's cold start."""
    engine = procs.Engine({'national': (stage.whole.file(), DEVICES)}, name='engine-whole')
    count = stage.whole.count
    bits = engine.metric('dialgate_set_bytes') * 8 / count
    resident = engine.resident_bytes() * 8 / count
    redis_bytes = stage.redis().set_bytes / stage.redis_registry.count
    stage.import_s = engine.start_s
    engine.stop()
    rows = [row('bits a number', bits, 11.1, 'target', bits / 11.1, 1, False, 'bits'),
            row('resident bits a number', resident, 11.1, 'target', resident / 11.1, None, False,
                'bits'),
            row('bytes a number', bits / 8, redis_bytes, 'redis', redis_bytes * 8 / bits, 50,
                unit='B')]
    return (f'memory, {count // 1000000} M numbers, exact', rows,
            {'set_bits': bits, 'resident_bits': resident, 'redis_bytes': redis_bytes})


def s7(stage):
    file = stage.hashed.file(plain=True)
    engine = procs.Engine({'ids': (file, 'kind=client')}, name='engine-hashed')
    count = stage.hashed.count
    size = engine.metric('dialgate_set_bytes') / count
    resident = engine.resident_bytes() / count
    start_s = engine.start_s
    engine.stop()
    if not stage.quick:
        drop(file)
    rows = [row('bytes a key', size, 13, 'target', size / 13, 1, False, 'B'),
            row('keys loaded', count / start_s, None, '', 0, None, unit='/s')]
    return (f'memory, {count // 1000000} M client ids, hashed', rows,
            {'set_bytes': size, 'resident_bytes': resident, 'start_s': start_s})


def s8(stage):
    """The set alone, beside random reads over as much memory in batches of the same size."""
    text = procs.on_server_core('bench/micro/set_bench', [str(stage.whole.count)])
    lines = [json.loads(line) for line in text.splitlines()]
    rows = []
    for line in lines:
        if line['bench'] == 'lookup' and line['batch'] == 32 and 'limit_ns' in line:
            rows.append(row(f'{line["in"]}, {line["mix"]}', line['ns'], line['limit_ns'], 'memory',
                            line['ns'] / line['limit_ns'], 1.1, False, 'ns'))
    return (f'lookups in process, batches of 32, {stage.whole.count // 1000000} M numbers', rows,
            {'lines': lines})


def read_seconds(paths):
    """Reads files from the page cache; the second pass counts."""
    buffer = bytearray(1 << 20)
    for _ in range(2):
        began = time.monotonic()
        for path in paths:
            with open(path, 'rb', buffering=0) as f:
                while f.readinto(buffer):
                    pass
        seconds = time.monotonic() - began
    return seconds


def copy_seconds(size):
    """memcpy of that many bytes, in pieces that fit no cache."""
    piece = min(size, 256 << 20)
    source, target = bytearray(piece), bytearray(piece)
    target[:] = source
    began, copied = time.monotonic(), 0
    while copied < size:
        target[:] = source
        copied += piece
    return (time.monotonic() - began) * size / copied


def s9(stage):
    file, data = stage.whole.file(), machine.WORK / 'data'
    lists = {'national': (file, DEVICES)}
    shutil.rmtree(data, ignore_errors=True)
    cold = procs.Engine(lists, name='engine-cold', data=data)
    wait_for_snapshot(cold, data)
    cold.stop()
    kept = [p for p in data.rglob('*') if p.is_file()]
    kept_bytes = sum(p.stat().st_size for p in kept)
    kept_read_s = read_seconds(kept)
    warm = procs.Engine(lists, name='engine-warm', data=data)
    warm.stop()
    shutil.rmtree(data)
    count, size = stage.whole.count, file.stat().st_size
    text_read_s, copy_s = read_seconds([file]), copy_seconds(size)
    import_s = getattr(stage, 'import_s', cold.start_s)
    rows = [row('lines imported', count / import_s, 30e6, 'target', count / import_s / 30e6, 1,
                unit='/s'),
            row('import beside reading the file', import_s, text_read_s, 'read',
                import_s / text_read_s, None, False, 's'),
            row('import beside copying it in memory', import_s, copy_s, 'memcpy',
                import_s / copy_s, None, False, 's'),
            row('warm start', warm.start_s, kept_read_s, 'read', warm.start_s / kept_read_s, 1.5,
                False, 's')]
    return (f'start with {count // 1000000} M numbers', rows,
            {'import_s': import_s, 'cold_with_data_s': cold.start_s, 'warm_s': warm.start_s,
             'text_bytes': size, 'text_read_s': text_read_s, 'memcpy_s': copy_s,
             'kept_bytes': kept_bytes, 'kept_read_s': kept_read_s})


def wait_for_snapshot(engine, data, limit_s=120):
    """The first snapshot is written after the engine is ready."""
    began = time.monotonic()
    while time.monotonic() - began < limit_s:
        if engine.metric('dialgate_snapshots_total') > 0:
            return
        time.sleep(0.1)


def s11(stage):
    rows, results = [], {}
    top = interleaved(stage.limit_and_ours([]), stage.common(), 1)['engine']['rps']
    for percent in (50, 80):
        rate = int(top * percent / 100)
        args = stage.common() + ['--rate', str(rate)]
        result = interleaved(stage.limit_and_ours([]), args, stage.rounds)
        results[f'{percent}%'] = result
        ours, bare = result['engine'], result['bare']
        for field, target, unit in (('p50_us', 1.3, 'us'), ('p99_us', 1.5, 'us'),
                                    ('server_cpu_ns_per_request', 1.1, 'ns')):
            rows.append(row(f'{percent} % of S1, {field}', ours[field], bare[field], 'bare',
                            ours[field] / max(bare[field], 0.1), target, False, unit))
        late = max(ours['lag_p99_us'], bare['lag_p99_us'])
        rows.append(row(f'{percent} % of S1, own lag p99', late, 1000, 'limit', late / 1000, 1,
                        False, 'us'))
    return 'open loop at a fixed rate, 64 connections', rows, results


def s12(stage):
    rows, results = [], {}
    lists = {'national': (stage.small.file(), DEVICES)}
    for spin_us in (0, 50):
        engine = procs.Engine(lists, name=f'engine-spin-{spin_us}', spin_us=spin_us)
        args = stage.small.args()
        bare = procs.Bare(engine, args, f'bare-spin-{spin_us}', spin_us=spin_us, single=True)
        one = ['--connections', '1'] + (['--spin'] if spin_us else [])
        result = interleaved([Target('bare', bare, stage.small, one, 0),
                              Target('engine', engine, stage.small, one)],
                             stage.common(), stage.rounds)
        bare.stop()
        engine.stop()
        results[f'spin {spin_us}'] = result
        ours, limit = result['engine']['p50_us'], result['bare']['p50_us']
        rows.append(row(f'round trip, spin {spin_us} us', ours, limit, 'bare', ours / limit, 1.15,
                        False, 'us'))
    return 'one connection', rows, results


def s13(stage):
    rows, results = [], {}
    for connections in (8, 1024) if stage.quick else (8, 256, 1024, 10000):
        args = stage.common() + ['--connections', str(connections)]
        # few connections: receiving one at a time is faster, so that is the limit there
        bare = (stage.bare([], 'bare-single', single=True) if connections <= 8
                else stage.bare([], 'bare'))
        result = interleaved([Target('bare', bare, stage.registry, [], 0),
                              Target('engine', stage.engine(), stage.registry, [])],
                             args, stage.rounds)
        results[str(connections)] = result
        rows.append(rate_row(f'answers, {connections} connections', result, 'bare', 0.95))
    return 'many connections, P=1', rows, results


def s15(stage):
    """Every report is another attempt's. The disk is shared, so runs are interleaved on it."""
    folder = machine.WORK / 'reports'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    engine = procs.Engine({'national': (stage.small.file(), DEVICES)}, name='engine-reports',
                          data=folder / 'data')
    redis = procs.RedisLog(folder)
    report = ['--path', '/ocs/history']
    bare = procs.Bare(engine, report + stage.small.args(), 'bare-reports')
    result = interleaved([Target('bare', bare, stage.small, report, 0),
                          Target('engine', engine, stage.small, report, 0),
                          Target('validate', engine, stage.small, [], 0),
                          Target('redis', redis, stage.small, ['--protocol', 'xadd'], 0),
                          Target('redis, 1 connection', redis, stage.small,
                                 ['--protocol', 'xadd', '--connections', '1'], 0)],
                         stage.common(), stage.rounds)
    for server in (bare, redis, engine):
        server.stop()
    shutil.rmtree(folder)
    rows = [rate_row('reports', result, tool, target)
            for tool, target in {'validate': 0.5, 'redis, 1 connection': 5, 'redis': None,
                                 'bare': None}.items()]
    rows += [cpu_row('server CPU time of one', result, tool) for tool in ('validate', 'redis')]
    return '/ocs/history, P=1, 64 connections, durable before the answer', rows, result


def exact(stage):
    """Every number of the file is blocked, none of those that are not on it is."""
    engine, results = stage.engine(), {}
    absent = stage.registry.count // 10
    limit = ['--limit', '1000000'] if stage.quick else []
    for expect, file in (('blocked', stage.registry.file()),
                         ('allowed', stage.registry.absent_file(absent))):
        results[expect] = json.loads(procs.load(
            ['--port', str(engine.port), '--protocol', 'batch', '--batch', '1000', '--expect',
             expect, '--check-file', str(file)] + limit))
    results['single'] = interleaved(
        [Target('engine', engine, stage.registry, ['--verify', '--hit-percent', '50'])],
        stage.common() + ['--pipeline', '16'], 1)['engine']
    on, off = results['blocked'], results['allowed']
    single = results['single']
    rows = [row('listed numbers blocked', on['blocked'], on['asked'], 'asked',
                on['blocked'] / on['asked'], 1),
            row('unlisted numbers allowed', off['allowed'], off['asked'], 'asked',
                off['allowed'] / off['asked'], 1),
            row('single answers that are right', single['verified'] - single['wrong'],
                single['verified'], 'asked', 1 - single['wrong'] / max(single['verified'], 1), 1)]
    return f'exactness, {stage.registry.count // 1000000} M numbers', rows, results


# In the order they run; what stands up much memory runs when the shared servers are gone.
SHARED = {'exact': exact, 'S1': s1, 'S2': s2, 'S3': s3, 'S4': s4, 'S5': s5, 'S5-ndjson': s5n,
          'S11': s11, 'S13': s13}
ALONE = {'S12': s12, 'S14': s14, 'rules': rules, 'S15': s15, 'S6': s6, 'S7': s7, 'S8': s8,
         'S9': s9}
SLOW = ('S8', 'rules')  # not in --quick unless named
