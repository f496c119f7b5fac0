# SPDX-License-Identifier: Apache-2.0
"""A tidy check that cannot fail is worth nothing: each kind of fault, planted, must be found."""
import os
import pathlib
import shutil
import tempfile
import unittest

from tidy import tidy

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = '// SPDX-License-Identifier: Apache-2.0\n'
BODY = 'static int set_x(void)\n{\n    return 0;\n}\n'


class TestPlanted(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='dialgate-tidy-'))
        self.addCleanup(shutil.rmtree, self.root)

    def plant(self, check, name, text, mode=0o644):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.chmod(path, mode)
        return list(check(tidy.Tree(self.root, [name])))

    def caught(self, check, name, text, sentence, mode=0o644):
        problems = self.plant(check, name, text, mode)
        self.assertTrue(any(sentence in p for p in problems), f'{sentence!r} not in {problems}')

    def passes(self, check, name, text, mode=0o644):
        self.assertEqual(self.plant(check, name, text, mode), [])

    def include(self, name, line, sentence):
        self.caught(tidy.check_includes, name, f'{SPDX}#include {line}\n', sentence)

    def test_direction(self):
        self.include('engine/set/set.c', '"engine/wire/json.h"',
                     'set.c:2: set may not include wire')
        self.include('engine/base/buf.c', '"engine/wire/json.h"', 'base may not include wire')
        self.include('engine/wire/json.c', '"engine/net/http.h"', 'wire may not include net')
        self.include('engine/net/conn.h', '"engine/wire/json.h"', 'net may not include wire')
        self.include('engine/feed/feed.c', '"engine/core/view.h"', 'feed may not include core')
        self.include('engine/core/view.c', '"bench/x.h"', 'engine core may not include bench/x.h')
        self.include('tests/unit/set/test_set.c', '"engine/wire/json.h"',
                     'set may not include wire')
        self.passes(tidy.check_includes, 'engine/core/view.c',
                    '#include "engine/net/http.h"\n#include "engine/base/log.h"\n')
        self.passes(tidy.check_includes, 'engine/main.c', '#include "engine/core/view.h"\n')
        self.passes(tidy.check_includes, 'engine/feed/f.c', '#include "engine/set/set.h"\n')

    def test_include_spelling(self):
        self.include('engine/set/set.c', '"set.h"', 'not a path from the root')
        self.include('engine/set/set.c', '"../base/str.h"', 'not a path from the root')
        self.include('engine/set/set.c', '<engine/base/str.h>', 'with quotes')

    def test_log_only_where_it_may(self):
        self.include('engine/set/set.c', '"engine/base/log.h"', 'set may not include log.h')
        self.include('engine/base/buf.c', '"engine/base/log.h"', 'base may not include log.h')

    def test_library_headers_at_home(self):
        self.include('engine/core/view.c', '<liburing.h>', '<liburing.h> belongs to engine/net/')
        self.include('engine/set/set.c', '<xxhash.h>', 'belongs to engine/base/hash.h')

    def test_each_banned_function(self):
        for word, better in tidy.BANNED.items():
            self.caught(tidy.check_banned, 'bench/x.c', f'{SPDX}    {word}(a);\n',
                        f'x.c:2: {word}() is banned; use {better}')

    def test_banned_words_elsewhere(self):
        self.passes(tidy.check_banned, 'engine/set/set.c',
                    '// time() and "x"\nmetric_time(b); f("rand()"); x.time(1);\n'
                    'static_assert(1);\n')

    def test_printing_in_a_library_room(self):
        self.caught(tidy.check_banned, 'engine/set/set.c', 'printf("x");\n', 'in a library room')
        self.caught(tidy.check_banned, 'engine/net/conn.c', 'f(stderr);\n', 'in a library room')
        self.passes(tidy.check_banned, 'bench/x.c', 'printf("x");\n')

    def test_dead_code_and_typedefs(self):
        self.caught(tidy.check_banned, 'engine/set/set.c', '#if 0\n', 'dead code')
        self.caught(tidy.check_banned, 'engine/set/set.h', 'typedef struct x y;\n', 'typedef')

    def test_lengths(self):
        for body, found in ((67, False), (68, True)):  # and three lines of frame
            text = 'static int f(void)\n{\n' + '    x();\n' * body + '}\n'
            problems = self.plant(tidy.check_length, 'engine/set/set.c', text)
            self.assertEqual(bool(problems), found, problems)
        self.caught(tidy.check_length, 'engine/set/set.c', 'int a;\n' * 601, 'at most 600')
        self.caught(tidy.check_length, 'engine/set/set.h', 'int a;\n' * 201, 'at most 200')
        self.caught(tidy.check_length, 'engine/set/set.c', 'x' * 101 + '\n', '101 columns')
        self.passes(tidy.check_length, 'engine/set/set.c', 'int a;\n' * 600)

    def test_a_function_with_a_long_signature_is_counted(self):
        text = 'int set_f(int a,\n          int b)\n{\n' + '    x();\n' * 67 + '}\n'
        self.caught(tidy.check_length, 'engine/set/set.c', text, 'set_f() has 71 lines')

    def test_exports(self):
        code = BODY.replace('static ', '').replace('set_x', 'put')
        self.caught(tidy.check_exports, 'engine/set/set_dump.c', code,
                    'set_dump.c:1: exports put()')
        self.caught(tidy.check_exports, 'engine/main.c', code, 'exports put()')
        self.passes(tidy.check_exports, 'engine/set/set_dump.c', BODY.replace('static ', ''))
        self.passes(tidy.check_exports, 'engine/set/page.c', BODY.replace('set_x', 'put'))

    def test_programs_export_main(self):
        code = BODY.replace('static ', '').replace('set_x', 'main')
        self.passes(tidy.check_exports, 'engine/pack_main.c', code)
        self.caught(tidy.check_exports, 'engine/set/set.c', code, 'exports main()')

    def test_text(self):
        self.caught(tidy.check_text, 'engine/a.c', 'int a;\n', 'SPDX')
        self.caught(tidy.check_text, 'engine/a.c', SPDX + '\tint a;\n', 'a.c:2: a tab')
        self.caught(tidy.check_text, 'engine/a.c', SPDX + 'int a; \n', 'white space')
        self.caught(tidy.check_text, 'engine/a.c', SPDX + 'int a;', 'one line end')
        for mark in tidy.MARKS:
            self.caught(tidy.check_text, 'engine/a.c', f'{SPDX}// {mark}: x\n', mark)
        for path in tidy.MACHINE:
            self.caught(tidy.check_text, 'a.md', f'see {path}x\n', 'one machine')
        self.passes(tidy.check_text, 'engine/a.c', SPDX + 'int a;\n')

    def test_modes_and_blobs(self):
        self.caught(tidy.check_modes, 'deploy/x', '#!/bin/sh\n', 'chmod +x')
        self.caught(tidy.check_modes, 'engine/a.c', SPDX, 'chmod -x', 0o755)
        self.caught(tidy.check_modes, 'a.bin', 'x' * (tidy.BLOB_MAX + 1), 'generate it')
        self.passes(tidy.check_modes, 'deploy/x', '#!/bin/sh\n', 0o755)

    def test_stale_docs(self):
        for name in ('docs', 'engine'):
            shutil.copytree(ROOT / name, self.root / name)
        tables = (('engine/base/conf.def', 'OPTION(NEW, "new", UINT, "1", "N", 0, 9, true, "x")',
                   'docs/options.md'),
                  ('engine/base/metrics.def', 'METRIC(NEW, GAUGE, "dialgate_new", "", "x", "y")',
                   'docs/metrics.md'),
                  ('engine/base/err.def', 'ERR(NEW, "new", 500, "x")', 'docs/errors.md'),
                  ('engine/wire/reason.def', 'REASON(NEW, "r", INPUT, "x")', 'docs/errors.md'))
        for table, row, page in tables:
            old = (self.root / table).read_text()
            (self.root / page).write_text((ROOT / page).read_text())
            (self.root / table).write_text(old + row + '\n')
            self.assertIn(f'{page}:1: is stale; try: docs/generate',
                          list(tidy.check_docs(tidy.Tree(self.root, []))))
            (self.root / table).write_text(old)

    def test_format(self):
        shutil.copy(ROOT / '.clang-format', self.root)
        self.caught(tidy.check_format, 'engine/a.c', SPDX + 'int  a;\n', 'a.c:2: is not formatted')
        self.passes(tidy.check_format, 'engine/a.c', SPDX + 'int a;\n')
