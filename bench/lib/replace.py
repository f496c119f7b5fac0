# SPDX-License-Identifier: Apache-2.0
"""A client that replaces the rule set so many times a second, on the load generator's core."""
import http.client
import os
import statistics
import threading
import time

from lib import machine


class Replacer:
    """`with Replacer(…):` PUTs the documents in turn at a fixed schedule, over a few connections,
    because each acknowledgement waits for the disk; then `figures` has what came of it."""
    CONNECTIONS = 4

    def __init__(self, engine, documents, rate):
        self.engine, self.documents, self.rate = engine, documents, rate
        self.waits, self.failed, self.seconds = [], 0, 0
        self.over = threading.Event()

    def __enter__(self):
        self.began = time.monotonic()
        self.threads = [threading.Thread(target=self._run, args=(i,))
                        for i in range(self.CONNECTIONS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.seconds = time.monotonic() - self.began
        for thread in self.threads:
            thread.join()

    def _run(self, first):
        os.sched_setaffinity(0, {machine.CLIENT_CORE})  # this thread alone
        to = http.client.HTTPConnection('127.0.0.1', self.engine.port, timeout=30)
        number = first
        while not self.over.is_set():
            time.sleep(max(0, self.began + number / self.rate - time.monotonic()))
            self._put(to, self.documents[number % len(self.documents)])
            number += self.CONNECTIONS
        to.close()

    def _put(self, to, document):
        sent = time.monotonic()
        to.request('PUT', '/v1/rules', document)
        answer = to.getresponse()
        answer.read()
        if answer.status == 200:
            self.waits.append(time.monotonic() - sent)
        else:
            self.failed += 1

    @property
    def figures(self):
        waits = sorted(self.waits) or [0]
        return {'tool': 'replacer', 'ok': not self.failed and bool(self.waits),
                'errors': self.failed, 'acknowledged': len(self.waits),
                'per_s': len(self.waits) / self.seconds,
                'wait_p50_ms': statistics.median(waits) * 1e3,
                'wait_p99_ms': waits[int(len(waits) * 0.99)] * 1e3}
