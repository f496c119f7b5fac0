# SPDX-License-Identifier: Apache-2.0
"""Many, slow and leaving clients; shut-down and reload while questions are asked."""
import json
import random
import resource
import signal
import threading
import time

from lib.client import Broken, request
from lib.engine import EngineCase

LISTED, FREE = '2125551234', '2125559876'
ASK_FREE = request('POST', '/ocs/validate', {'GSW_PHONE': FREE})
ASK_LISTED = request('POST', '/ocs/validate', {'GSW_PHONE': LISTED})


class Askers:
    """Threads that ask without pause, each on one connection, until they are told to stop or the
    engine closes; whatever is no whole, right answer stands in `wrong`."""

    def __init__(self, engine, questions, count=4, closing_ok=False):
        self.engine, self.questions, self.closing_ok = engine, questions, closing_ok
        self.stopped, self.wrong, self.answers = threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self):
        with self.engine.client() as client:
            while not self.stopped.is_set():
                for bytes_, wanted in self.questions:
                    try:
                        client.send(bytes_)
                        status = client.receive().status
                    except (Broken, OSError) as error:
                        # Between requests a closing engine may hang up; never inside an answer.
                        if not self.closing_ok or client.held:
                            self.wrong.append(repr(error))
                        return
                    self.answers += 1
                    if status not in wanted:
                        self.wrong.append((status, wanted))

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        return self.wrong


class TestClients(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', LISTED + '\n')

    def serve(self, *options):
        return self.engine('--list', 'n=n.txt', '--threads', '1', *options)

    def open(self, engine, count):
        clients = [engine.client() for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def wait_metric(self, engine, name, value):
        end = time.monotonic() + 10
        while engine.metric(name) != value:
            self.assertLess(time.monotonic(), end, f'{name} is {engine.metric(name)}')
            time.sleep(0.05)

    def test_a_thousand_connections(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        engine = self.engine('--list', 'n=n.txt', '--threads', '2')
        clients = self.open(engine, 1000)
        for _ in range(3):
            for client in clients:
                client.send(ASK_FREE + ASK_LISTED)
            for client in clients:
                self.allowed(client.receive())
                self.blocked(client.receive(), 'suppression')
        self.assertGreaterEqual(engine.metric('dialgate_connections'), 1000)

    def test_connections_past_the_limit_close_the_longest_idle(self):
        engine = self.serve('--connections-max', '16')
        clients = []
        for _ in range(16 + 4):  # one by one: who has just spoken does not give way
            clients += self.open(engine, 1)
            clients[-1].send(ASK_FREE)
            self.allowed(clients[-1].receive())
            time.sleep(0.01)
        self.assertTrue(clients[0].closed())
        clients[15].send(ASK_FREE)
        self.allowed(clients[15].receive())

    def test_clients_that_send_one_byte_a_second(self):
        engine = self.serve('--request-timeout-ms', '4000')
        slow = self.open(engine, 200)
        waits = []
        for second in range(3):
            for client in slow:
                client.send(ASK_FREE[second:second + 1])
            end = time.monotonic() + 1
            with engine.client() as fast:
                while time.monotonic() < end:
                    began = time.monotonic()
                    fast.send(ASK_FREE)
                    self.allowed(fast.receive())
                    waits.append(time.monotonic() - began)
        waits.sort()
        self.assertGreater(len(waits), 500)
        self.assertLess(waits[len(waits) * 99 // 100], 0.05)
        for client in slow:  # and in the end they are told, or hung up on
            try:
                self.problem(client.receive(), 408, 'request_timeout')
            except Broken:
                pass
            self.assertTrue(client.closed())
            client.close()
        self.wait_metric(engine, 'dialgate_connections_closed_total{why="slow"}', 200)

    def test_idle_connections_are_closed(self):
        engine = self.serve('--idle-timeout-ms', '300')
        with engine.client() as client:
            client.send(ASK_FREE)
            self.allowed(client.receive())
            began = time.monotonic()
            self.assertTrue(client.closed())
            self.assertLess(abs(time.monotonic() - began - 0.3), 2)

    def test_a_client_that_does_not_read(self):
        engine = self.serve('--send-timeout-ms', '500')
        with engine.client(timeout=1) as client:
            try:
                for _ in range(400):
                    client.send(request('GET', '/metrics') * 10)
            except OSError:
                pass  # its buffers are full, or it was hung up on
            end = time.monotonic() + 20
            name = 'dialgate_connections_closed_total{why="slow"}'
            while engine.metric(name) == 0:
                self.allowed(engine.validate({'GSW_PHONE': FREE}))
                self.assertLess(time.monotonic(), end, 'it was never closed')
                time.sleep(0.05)

    def test_clients_that_come_and_go(self):
        engine = self.serve()
        pick = random.Random(11)
        for _ in range(500):
            with engine.client() as client:
                client.send((ASK_FREE * 3)[:pick.randrange(3 * len(ASK_FREE))])
        self.allowed(engine.validate({'GSW_PHONE': FREE}))
        self.wait_metric(engine, 'dialgate_connections', 1)

    def test_epoll_answers_the_same(self):
        engine = self.serve('--epoll')
        askers = Askers(engine, [(ASK_FREE, (200,)), (ASK_LISTED, (409,))])
        time.sleep(0.5)
        self.assertEqual(askers.stop(), [])
        self.assertGreater(askers.answers, 100)
        with engine.client() as client:
            for at in range(1, len(ASK_LISTED), 7):
                client.send(ASK_LISTED[:at])
                time.sleep(0.001)
                client.send(ASK_LISTED[at:])
                self.blocked(client.receive(), 'suppression')


class TestDrain(EngineCase):
    def setUp(self):
        super().setUp()
        self.write('n.txt', LISTED + '\n')

    def test_under_load(self):
        for backend in ((), ('--epoll',)):
            engine = self.engine('--list', 'n=n.txt', '--threads', '2', *backend)
            askers = Askers(engine, [(ASK_FREE, (200,)), (ASK_LISTED, (409,))], closing_ok=True)
            time.sleep(0.5)
            engine.signal(signal.SIGTERM)
            self.assertEqual(engine.wait(12), 0, engine.said())
            self.assertEqual(askers.stop(), [])
            self.assertGreater(askers.answers, 100)

    def test_a_batch_is_answered_to_its_end(self):
        engine = self.engine('--list', 'n=n.txt', '--threads', '1')
        records = [{'phone': FREE}] * 50000
        with engine.client() as client:
            client.send(request('POST', '/v1/decisions', {'records': records}))
            client.socket.recv(1, 2)  # MSG_PEEK: it has begun
            engine.signal(signal.SIGTERM)
            time.sleep(0.5)
            self.assertEqual(len(json.loads(client.receive().body)['results']), 50000)
        self.assertEqual(engine.wait(12), 0, engine.said())

    def test_half_a_request_is_still_taken(self):
        engine = self.engine('--list', 'n=n.txt', '--threads', '1')
        with engine.client() as client, engine.client() as idle:
            client.send(ASK_LISTED[:-5])
            time.sleep(0.2)
            engine.signal(signal.SIGTERM)
            self.assertTrue(idle.closed())
            with self.assertRaises((OSError, Broken)):
                engine.ask('GET', '/livez')
            client.send(ASK_LISTED[-5:])
            self.blocked(client.receive(), 'suppression')
        self.assertEqual(engine.wait(12), 0, engine.said())

    def test_the_deadline_holds(self):
        engine = self.engine('--list', 'n=n.txt', '--drain-timeout-ms', '500')
        with engine.client() as client:
            client.send(ASK_LISTED[:-5])
            time.sleep(0.2)
            began = time.monotonic()
            engine.signal(signal.SIGTERM)
            self.assertEqual(engine.wait(10), 0, engine.said())
            self.assertLess(time.monotonic() - began, 5)


class TestReload(EngineCase):
    ALWAYS, COMES, GOES = '2125550001', '2125550002', '2125550003'

    def ask(self, number):
        return request('POST', '/ocs/validate', {'GSW_PHONE': number})

    def wait_status(self, engine, number, status):
        end = time.monotonic() + 20
        while engine.validate({'GSW_PHONE': number}).status != status:
            self.assertLess(time.monotonic(), end, f'{number} never got {status}')
            time.sleep(0.02)

    def test_under_load(self):
        filler = [f'31255{n:05}' for n in range(20000)]
        files = ['\n'.join([self.ALWAYS, self.GOES, *filler]) + '\n',
                 '\n'.join([self.ALWAYS, self.COMES, *filler]) + '\n']
        self.write('n.txt', files[0])
        engine = self.engine('--list', 'n=n.txt', '--threads', '2')
        askers = Askers(engine, [(ASK_FREE, (200,)), (self.ask(self.ALWAYS), (409,)),
                                 (self.ask(self.COMES), (200, 409))])
        for turn in range(1, 9):
            self.write('n.new', files[turn % 2] + '\n' * turn).rename(self.folder / 'n.txt')
            engine.signal(signal.SIGHUP)
            self.wait_status(engine, self.COMES, 409 if turn % 2 else 200)
            self.wait_status(engine, self.GOES, 200 if turn % 2 else 409)
        self.assertEqual(askers.stop(), [])
        self.assertGreater(askers.answers, 500)
        self.assertEqual(engine.metric('dialgate_reloads_total{result="ok"}'), 8)

    def test_a_new_list_and_new_settings_of_the_config(self):
        self.write('n.txt', self.ALWAYS + '\n')
        self.write('m.txt', self.COMES + '\n')
        self.write('engine.conf', 'list = n=n.txt\n')
        engine = self.engine('--config', 'engine.conf')
        self.assertEqual(engine.validate({'GSW_PHONE': self.COMES}).status, 200)
        self.write('engine.conf', 'list = n=n.txt\nlist = m=m.txt\nocs_body = result\n')
        engine.signal(signal.SIGHUP)
        self.wait_status(engine, self.COMES, 409)
        engine.wait_ready()  # a new required list holds everything back until it is read
        self.assertEqual(engine.validate({'GSW_PHONE': self.COMES}).body,
                         b'{"GSW_CALL_RESULT":51}')
        self.assertEqual(engine.validate({'GSW_PHONE': FREE}).status, 200)

    def failed_reload(self, engine):
        name = 'dialgate_reloads_total{result="failed"}'
        before = engine.metric(name)
        engine.signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while engine.metric(name) == before:
            self.assertLess(time.monotonic(), end, engine.said())
            time.sleep(0.02)

    def test_what_cannot_be_read_stays_in_force(self):
        path = self.write('n.txt', self.ALWAYS + '\n')
        self.write('engine.conf', 'list = n=n.txt\n')
        engine = self.engine('--config', 'engine.conf')
        path.unlink()
        self.failed_reload(engine)
        self.write('engine.conf', 'nonsense = 1\n')
        self.failed_reload(engine)
        self.assertIn('nonsense', engine.said())
        self.assertEqual(engine.validate({'GSW_PHONE': self.ALWAYS}).status, 409)
        self.assertEqual(engine.ask('GET', '/readyz').status, 200)

    def test_a_list_that_would_shrink_too_much_is_refused(self):
        many = ''.join(f'31255{n:05}\n' for n in range(1000))
        self.write('n.txt', many + self.ALWAYS + '\n')
        engine = self.engine('--list', 'n=n.txt')
        self.write('n.txt', self.COMES + '\n')
        self.failed_reload(engine)
        self.assertEqual(engine.validate({'GSW_PHONE': self.ALWAYS}).status, 409)
        self.assertIn('shrink_max_percent', engine.said())

    def test_entries_of_the_api_outlive_a_reload(self):
        self.write('n.txt', f'{self.ALWAYS}\n{self.GOES}\n')
        engine = self.engine('--list', 'n=n.txt', '--data', 'data')
        entry = '/v1/lists/n/entries/'
        self.assertEqual(engine.ask('PUT', entry + self.COMES, '').status, 201)
        self.assertEqual(engine.ask('DELETE', entry + self.GOES).status, 204)
        self.write('n.txt', f'{self.ALWAYS}\n2125550009\n')
        engine.signal(signal.SIGHUP)
        self.wait_status(engine, '2125550009', 409)
        self.assertEqual(engine.validate({'GSW_PHONE': self.COMES}).status, 409)
        self.assertEqual(engine.validate({'GSW_PHONE': self.ALWAYS}).status, 409)
        self.assertEqual(engine.validate({'GSW_PHONE': self.GOES}).status, 200)
        # A newer file that names a deleted entry again is a new order to suppress it.
        self.write('n.txt', f'{self.ALWAYS}\n{self.GOES}\n21255500010\n')
        engine.signal(signal.SIGHUP)
        self.wait_status(engine, self.GOES, 409)
