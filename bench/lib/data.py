# SPDX-License-Identifier: Apache-2.0
"""Seeded list files in var/bench/, made once."""
import os
import subprocess

from lib import machine


class Registry:
    """What the load generator must know to tell who is on the list."""

    def __init__(self, count, seed, areas=335, codes=None):
        """`codes`: the area codes by name, instead of so many drawn by the seed."""
        self.count, self.seed, self.areas = count, seed, areas
        self.where = ['--codes', ','.join(codes)] if codes else ['--areas', str(areas)]
        if codes:
            self.areas = f'{codes[0]}x{len(codes)}'

    def args(self):
        return ['--count', str(self.count), '--seed', str(self.seed)] + self.where

    def file(self, plain=False):
        """FTC form, or ten digits a line."""
        return self._made(self.args() + (['--plain'] if plain else []),
                          f'{self.count}-{self.areas}-{self.seed}{"-plain" if plain else ""}.txt')

    def absent_file(self, count):
        return self._made(['--absent', '--of-count', str(self.count), '--count', str(count),
                           '--seed', str(self.seed)] + self.where,
                          f'absent-{count}-of-{self.count}-{self.areas}-{self.seed}.txt')

    @staticmethod
    def _made(args, name):
        path = machine.WORK / name
        if not path.exists():
            partial = path.with_suffix('.partial')
            with open(partial, 'wb') as f:
                subprocess.run([machine.program('bench/registry-gen')] + args, stdout=f, check=True)
            os.rename(partial, path)
        return path


def drop(path):
    path.unlink(missing_ok=True)
