# SPDX-License-Identifier: Apache-2.0
"""Runs the unittest cases of one file and prints a line a case that tests/lib/run.py reads:
PASS|FAIL, name, seconds, and for a failure its text as JSON, separated by tabs.

python3 tests/lib/case.py tests/http/test_framing.py [NAME…]  with PYTHONPATH=tests
"""
import importlib.util
import json
import pathlib
import sys
import time
import unittest


class Lines(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began, self.problem = time.monotonic(), None

    def addError(self, test, err):
        self.problem = self._exc_info_to_string(err, test)
        if not hasattr(test, '_testMethodName'):  # setUpClass or setUpModule
            self.line('FAIL', str(test), 0, self.problem)

    addFailure = addError

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.problem = f'{subtest}\n' + self._exc_info_to_string(err, test)

    def addSkip(self, test, reason):
        self.problem = f'skipped: {reason}; the suites have no skips'

    def addUnexpectedSuccess(self, test):
        self.problem = 'passed although it was expected to fail'

    def stopTest(self, test):
        verdict = 'FAIL' if self.problem else 'PASS'
        self.line(verdict, test._testMethodName[len('test_'):],
                  time.monotonic() - self.began, self.problem or '')

    def line(self, verdict, name, seconds, text):
        print(verdict, name, f'{seconds:.2f}', json.dumps(text), sep='\t', flush=True)


def main():
    path = pathlib.Path(sys.argv[1])
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    loader = unittest.TestLoader()
    cases = loader.loadTestsFromModule(module)
    if sys.argv[2:]:
        only = ['test_' + name for name in sys.argv[2:]]
        cases = unittest.TestSuite(case for group in cases for case in group
                                   if case._testMethodName in only)
    cases.run(Lines())


if __name__ == '__main__':
    main()
