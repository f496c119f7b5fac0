# SPDX-License-Identifier: Apache-2.0
"""Style that is a test: what a reviewer should not have to say twice.

Each check is a function of a Tree that yields problems, `file:line: sentence`. There is no list of
exceptions: a rule that needs one is changed here, in the open.
"""
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOMS = ('base', 'wire', 'net', 'set', 'rule', 'ledger', 'feed', 'core')
# Which rooms a room may include, besides itself.
MAY = {
    'base': (), 'wire': ('base',), 'net': ('base',), 'set': ('base',),
    'rule': ('base', 'wire'), 'ledger': ('base', 'wire'),
    'feed': ('base', 'wire', 'set', 'rule', 'ledger'), 'core': ROOMS,
}
# System headers that belong to one place, so that the library behind them can be replaced there.
HOME_OF_HEADER = {
    'liburing.h': ('engine/net/', 'bench/'),
    'xxhash.h': ('engine/base/hash.h',),
    'phonenumbers/': ('engine/wire/',),
    'curl/': ('engine/core/external',),
}
LOG_ROOMS = ('core', 'feed')
# The programs: each is one file above the rooms, and exports main().
MAINS = ('engine/main.c', 'engine/pack_main.c')
# A file is a noun and exports that prefix. Families: the nouns of a header with several, which its
# files (or one of them) give.
FAMILY = {
    'engine/net/': ('server', 'conn', 'http'),
    'engine/wire/record.c': ('channel',),
    'engine/wire/verdict.c': ('reason',),
    'engine/feed/catalog.c': ('list',),
    'engine/wire/attempt.c': ('call_result',),
    'engine/rule/pack.c': ('packs',),
}
BANNED = {
    'strcpy': 'str_* or buf_append', 'strncpy': 'str_* or buf_append', 'stpcpy': 'buf_append',
    'strcat': 'buf_append', 'strncat': 'buf_append',
    'sprintf': 'snprintf', 'vsprintf': 'vsnprintf', 'gets': 'file_read_all',
    'strtok': 'str_cut', 'strtok_r': 'str_cut',
    'atoi': 'str_to_u64', 'atol': 'str_to_u64', 'atoll': 'str_to_u64', 'atof': 'str_to_u64',
    'strtol': 'str_to_u64', 'strtoul': 'str_to_u64', 'strtoll': 'str_to_u64',
    'strtoull': 'str_to_u64', 'sscanf': 'str_cut and str_to_u64',
    'signal': 'sigaction or signalfd', 'rand': 'rand.h', 'srand': 'rand.h', 'random': 'rand.h',
    'rand_r': 'rand.h', 'drand48': 'rand.h', 'gettimeofday': 'clock.h', 'time': 'clock.h',
    'ctime': 'clock.h', 'asctime': 'clock.h', 'localtime': 'gmtime_r', 'localtime_r': 'gmtime_r',
    'gmtime': 'gmtime_r', 'mktime': 'timegm', 'system': 'no shell at all',
    'popen': 'no shell at all', 'alloca': 'a fixed array or mem.h', 'assert': 'CHECK (check.h)',
    'tmpnam': 'mkstemp', 'mktemp': 'mkstemp', 'setjmp': 'a returned error',
    'longjmp': 'a returned error', 'vfork': 'posix_spawn',
}
# Where a second implementation is the point: the C library's time zones against ours.
SECOND_OPINION = {'localtime_r': 'tests/unit/rule/'}
PRINTING = ('printf', 'vprintf', 'puts', 'putchar', 'perror')
LINE_MAX, FUNCTION_MAX, FILE_MAX, HEADER_MAX, BLOB_MAX = 100, 70, 600, 200, 512 * 1024
CODE = ('.c', '.h', '.cc', '.def')
TEXT = CODE + ('.py', '.sh', '.build', '.md', '.js', '.html', '.css', '.yaml', '.conf')
NOT_OURS = ('LICENSE',)
# Written apart so that this file does not find itself.
MARKS = ('TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X')
MACHINE = ('/ro' + 'ot/', '/wo' + 'rk/', 'fa' + 'rm-bench', 'fa' + 'rm-studio', 'py' + 'env')


class Tree:
    """A checkout: its files, their text and their C with comments and strings blanked."""

    def __init__(self, root, names=None):
        self.root = pathlib.Path(root)
        self.names = sorted(names if names is not None else self._list())
        self._text, self._code = {}, {}

    def _list(self):
        if (self.root / '.git').exists():
            out = subprocess.run(['git', '-c', 'safe.directory=*', 'ls-files', '-co',
                                  '--exclude-standard', '-z'],
                                 cwd=self.root, capture_output=True, check=True).stdout.decode()
            return [n for n in out.split('\0') if n and (self.root / n).is_file()]
        return [str(p.relative_to(self.root)) for p in self.root.rglob('*') if p.is_file()]

    def text(self, name):
        if name not in self._text:
            self._text[name] = (self.root / name).read_text(errors='replace')
        return self._text[name]

    def code(self, name):
        if name not in self._code:
            self._code[name] = SKIP.sub(blank, self.text(name))
        return self._code[name]

    def ending(self, *endings):
        return [n for n in self.names if n.endswith(endings)]

    def is_script(self, name):
        path = self.root / name
        if '.' in os.path.basename(name) or path.stat().st_size > BLOB_MAX:
            return False
        with open(path, 'rb') as file:
            return file.read(2) == b'#!'


SKIP = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


def blank(match):
    """The same lines, nothing on them: quotes stay so that an include is still one."""
    text = match.group()
    if text[0] in '"\'':
        return text[0] + ' ' * (len(text) - 2) + text[0]
    return re.sub(r'[^\n]', ' ', text)


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def room_of(name):
    """(kind, room) of a C file: ('engine', 'set'), ('unit', 'set'), ('main', ''), ('other', '')."""
    part = name.split('/')
    if name in MAINS:
        return 'main', ''
    if part[0] == 'engine' and len(part) > 2:
        return 'engine', part[1]
    if part[:2] == ['tests', 'unit'] and len(part) > 3:
        return 'unit', part[2]
    return 'other', ''


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def check_includes(tree):
    """The direction of the rooms."""
    for name in tree.ending('.c', '.h', '.cc'):
        for found in INCLUDE.finditer(tree.text(name)):
            place = f'{name}:{line_of(tree.text(name), found.start())}'
            for problem in include_problems(name, found.group(1), found.group(2)):
                yield f'{place}: {problem}'


def include_problems(name, mark, target):
    kind, room = room_of(name)
    if mark == '<':
        for header, homes in HOME_OF_HEADER.items():
            if target.startswith(header) and not name.startswith(homes):
                yield f'<{target}> belongs to {" and ".join(homes)}'
        if target.startswith(('engine/', 'services/', 'bench/', 'tests/')):
            yield f'our own {target} is included with quotes'
        return
    top = target.split('/')[0]
    if '/' not in target or top not in ('engine', 'services', 'bench', 'tests'):
        yield f'"{target}" is not a path from the root; write "engine/<room>/{target}"'
        return
    if kind == 'other' or kind == 'main':
        return
    if top != 'engine':
        if kind == 'engine' or top != 'tests':
            yield f'{kind} {room} may not include {target}'
        return
    if room not in MAY:
        yield f'room {room} is not in the direction table of tests/tidy/tidy.py'
        return
    other = target.split('/')[1]
    if other != room and other not in MAY[room]:
        yield f'{room} may not include {other}'
    log_ok = room in LOG_ROOMS or room == 'base' and name.endswith(('/log.c', '/test_log.c'))
    if target == 'engine/base/log.h' and not log_ok:
        yield f'{room} may not include log.h: return an error, core and feed log'


CALL = re.compile(r'(?<![\w.>])(' + '|'.join(sorted(BANNED) + list(PRINTING)) + r')\s*\(')


def check_banned(tree):
    """Functions with a better one beside them."""
    for name in tree.ending('.c', '.h', '.cc'):
        code = tree.code(name)
        library = room_of(name)[0] == 'engine'
        for found in CALL.finditer(code):
            word = found.group(1)
            place = f'{name}:{line_of(code, found.start())}'
            if name.startswith(SECOND_OPINION.get(word, '\0')):
                continue
            if word in BANNED:
                yield f'{place}: {word}() is banned; use {BANNED[word]}'
            elif library:
                yield f'{place}: {word}() in a library room; return an error or take a FILE'
        for found in re.finditer(r'\b(stdout|stderr)\b', code) if library else ():
            if not name.endswith(('base/log.c', 'base/check.c')):
                yield (f'{name}:{line_of(code, found.start())}: {found.group()} in a library room; '
                       'return an error')
        for found in re.finditer(r'^[ \t]*#[ \t]*if[ \t]+0\b', code, re.M):
            yield f'{name}:{line_of(code, found.start())}: dead code; delete it'
        for found in re.finditer(r'\btypedef\s+(struct|union|enum)\b', code):
            place = f'{name}:{line_of(code, found.start())}'
            yield f'{place}: write {found.group(1)}, without a typedef'


def functions(code):
    """(first line, last line, signature) of each function: clang-format has put its braces in
    column 0."""
    lines = code.split('\n')
    start = None
    for i, line in enumerate(lines):
        if line == '{' and start is None:
            start = i
            while start > 0 and re.match(r'[^\s#}/].*[^;]\s*$|\s+\S', lines[start - 1]) and \
                    not lines[start - 1].rstrip().endswith((';', '}')):
                start -= 1
            head = ' '.join(part.strip() for part in lines[start:i])
        elif line == '}' and start is not None:
            yield start + 1, i + 1, head
            start = None


def check_length(tree):
    """Functions, files, headers and lines that one can take in."""
    for name in tree.ending('.c', '.h', '.cc', '.py') + \
            [n for n in tree.names if tree.is_script(n)]:
        lines = tree.text(name).split('\n')
        limit = HEADER_MAX if name.endswith('.h') else FILE_MAX
        if len(lines) - 1 > limit:
            yield f'{name}:{limit + 1}: {len(lines) - 1} lines, at most {limit}; split it by noun'
        for i, line in enumerate(lines):
            if len(line) > LINE_MAX:
                yield f'{name}:{i + 1}: {len(line)} columns, at most {LINE_MAX}'
    for name in tree.ending('.c', '.cc'):
        for first, last, head in functions(tree.code(name)):
            if last - first + 1 > FUNCTION_MAX:
                yield (f'{name}:{first}: {symbol(head) or "a function"}() has {last - first + 1} '
                       f'lines, at most {FUNCTION_MAX}')


def symbol(head):
    found = re.search(r'(\w+)\s*\(', re.sub(r'__attribute__\s*\(\(.*?\)\)', '', head))
    return found.group(1) if found else None


def check_exports(tree):
    """A file is a noun and exports only that prefix."""
    for name in tree.ending('.c', '.cc'):
        if room_of(name)[0] not in ('engine', 'main'):
            continue
        stem = pathlib.PurePath(name).stem.split('_')
        nouns = {'_'.join(stem[:n]) for n in range(1, len(stem) + 1)}
        nouns |= {'main'} if name in MAINS else set()
        for place, more in FAMILY.items():
            nouns |= set(more) if name.startswith(place) else set()
        for first, _, head in functions(tree.code(name)):
            word = symbol(head)
            if not word or re.search(r'\bstatic\b', head) or \
                    any(word == noun or word.startswith(noun + '_') for noun in nouns):
                continue
            yield (f'{name}:{first}: exports {word}(); make it static or begin it with '
                   f'{" or ".join(sorted(noun + "_" for noun in nouns))}')


def check_text(tree):
    """First line, white space, forbidden marks."""
    for name in tree.names:
        if name in NOT_OURS or not (name.endswith(TEXT) or tree.is_script(name)):
            continue
        text = tree.text(name)
        lines = text.split('\n')
        wants_spdx = not name.endswith(('.md', '.html'))
        if wants_spdx and 'SPDX-License-Identifier: Apache-2.0' not in ''.join(lines[:2]):
            yield f'{name}:1: the first line (after #!) is SPDX-License-Identifier: Apache-2.0'
        if not text.endswith('\n') or text.endswith('\n\n'):
            yield f'{name}:{len(lines)}: ends with exactly one line end'
        for i, line in enumerate(lines):
            if '\t' in line:
                yield f'{name}:{i + 1}: a tab; use spaces'
            if line != line.rstrip():
                yield f'{name}:{i + 1}: white space at the end'
            for mark in MARKS:
                if re.search(rf'\b{mark}\b', line):
                    yield f'{name}:{i + 1}: {mark}: do it, or open an issue'
            for path in MACHINE:
                if path in line:
                    yield f'{name}:{i + 1}: {path} is of one machine only'


def check_modes(tree):
    """Scripts can be run, nothing else can, and no big blobs."""
    for name in tree.names:
        path = tree.root / name
        size = path.stat().st_size
        if size > BLOB_MAX:
            yield f'{name}:1: {size} bytes, at most {BLOB_MAX}; generate it'
            continue
        with open(path, 'rb') as file:
            script = file.read(2) == b'#!'
        if bool(path.stat().st_mode & 0o111) != script:
            yield f'{name}:1: ' + ('has #! and no x bit; try: chmod +x' if script else
                                   'has the x bit and no #!; try: chmod -x') + f' {name}'


def check_docs(tree):
    """Every row of the tables stands in docs/."""
    path = str(tree.root / 'docs/generate')
    loader = importlib.machinery.SourceFileLoader('docs_generate', path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    for name in module.stale(tree.root):
        yield f'{name}:1: is stale; try: docs/generate'


def check_format(tree):
    """clang-format has nothing to change."""
    names = tree.ending('.c', '.h', '.cc')

    def look(part):
        done = subprocess.run(['clang-format', '--dry-run', '-Werror', '-ferror-limit=1', *part],
                              cwd=tree.root, capture_output=True, text=True)
        return re.findall(r'^([^\s:]+:\d+):\d+: error', done.stderr, re.M)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for places in pool.map(look, [names[i::8] for i in range(8) if names[i::8]]):
            for place in places:
                yield f'{place}: is not formatted; try: clang-format -i {place.split(":")[0]}'


CHECKS = (check_includes, check_banned, check_length, check_exports, check_text, check_modes,
          check_docs, check_format)


def main():
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else '.')
    problems = [p for check in CHECKS for p in check(tree)]
    print('\n'.join(problems) or 'tidy')
    return bool(problems)


if __name__ == '__main__':
    sys.exit(main())
