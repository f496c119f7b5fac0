# SPDX-License-Identifier: Apache-2.0
"""Every check of tidy.py over this checkout."""
import pathlib
import unittest

from tidy import tidy

TREE = tidy.Tree(pathlib.Path(__file__).resolve().parents[2])


def over_tree(check):
    def run(self):
        problems = list(check(TREE))
        if problems:
            self.fail('\n' + '\n'.join(problems))
    run.__doc__ = check.__doc__
    return run


TestTree = type('TestTree', (unittest.TestCase,),
                {check.__name__.replace('check', 'test'): over_tree(check)
                 for check in tidy.CHECKS})
