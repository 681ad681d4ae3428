# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon for tests: a folder of its own, loopback and Unix sockets only."""
import concurrent.futures
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("TRAINVET", os.path.join(SOURCE, "build/dev/daemon/trainvet"))
SKIP = 77  # CTest's SKIP_RETURN_CODE


given = set()


def free_port():
    """Below those that the kernel gives to clients: one of these could take it before the server does."""
    while True:
        port = random.randrange(12000, 32000)
        if port in given:
            continue
        given.add(port)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def run_beside(case, names=(), at_once=6):
    """Runs the tests of a TestCase, which mostly wait, beside each other; exits like unittest.main()."""
    tests = [case(name) for name in names or unittest.defaultTestLoader.getTestCaseNames(case)]

    def one(test):
        result, begun = unittest.TestResult(), time.monotonic()
        test.run(result)
        said = "".join(text for _, text in result.errors + result.failures)
        word = "FAILED" if said else "skipped: " + result.skipped[0][1] if result.skipped else "ok"
        print(f"{test.id().rsplit('.', 1)[1]}: {word} ({time.monotonic() - begun:.1f} s)\n{said}", end="", flush=True)
        return not said

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(one, tests))
    print(f"{sum(results)} of {len(results)} tests passed")
    sys.exit(not all(results))


PATIENCE = 60  # seconds: what is waited for comes at once, on a machine that has time


def wait_for(what, seconds=PATIENCE, every=0.05):
    """The first true value of what(); fails when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not in time: " + getattr(what, "__name__", "?"))
        time.sleep(every)


def get(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def answers(port, path):
    """Whether a server is there and well."""
    try:
        return get(port, path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def lines(path):
    """The objects of a file with one a line."""
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def log_line(step, loss, rate=1e-4):
    return json.dumps({"current_steps": step, "total_steps": 1000, "loss": loss, "lr": rate, "epoch": step / 100,
                       "percentage": step / 10, "elapsed_time": "0:00:01", "remaining_time": "0:00:01"}) + "\n"


class Daemon:
    """A running daemon with its folder, its configuration, its port and its notify socket."""

    def __init__(self, config="", environment=None):
        self.folder = tempfile.mkdtemp(prefix="trainvet-e2e-")
        self.runs = os.path.join(self.folder, "runs")
        os.mkdir(self.runs)
        self.port = free_port()
        self.log_path = os.path.join(self.folder, "stderr")
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(self.folder, "notify"))
        self.notify.setblocking(False)
        self.told = []
        self.environment = environment or {}
        self.process = None
        self.write_config(config)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write_config(self, more, listen=None):
        with open(self.path("trainvet.yaml"), "w") as file:
            file.write(f"roots: [{self.runs}]\nstate_dir: {self.path('state')}\nactive_poll: 0.1\n"
                       f"listen: {listen or '127.0.0.1:%d' % self.port}\n{more}")

    def start(self):
        self.drain()
        self.told.clear()
        environment = dict(os.environ, NOTIFY_SOCKET=self.path("notify"), **self.environment)
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen([BINARY, "daemon", "-v", "--config", self.path("trainvet.yaml")],
                                            stdout=log, stderr=log, env=environment)
        wait_for(lambda: self.was_told("READY=1"))
        return self

    def drain(self):
        while True:
            try:
                self.told += self.notify.recv(4096).decode().split("\n")
            except BlockingIOError:
                return self.told

    def was_told(self, start):
        assert self.process.poll() is None, "the daemon ended:\n" + self.log()
        return [line for line in self.drain() if line.startswith(start)]

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def reload(self):
        self.drain()
        self.told.clear()
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.was_told("READY=1"))
        assert self.was_told("RELOADING=1") and self.was_told("MONOTONIC_USEC=")

    def alerts(self):
        return json.loads(get(self.port, "/api/v1/alerts")[1])

    def owed(self):
        owed = [line for line in get(self.port, "/metrics")[1].splitlines() if line.startswith("trainvet_deliveries_owed{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in owed)

    def settle(self, *runs):
        """Waits until alerts of these runs are there and everything is delivered, and noted as that: a daemon that is
        killed between the two tells the last one again."""
        wait_for(lambda: {alert["run"] for alert in self.alerts()} >= set(runs) and not self.owed())

    def is_stopped(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "T"

    def add_run(self, name, bad=True, folder="runs"):
        """A LLaMA-Factory log whose loss becomes NaN, or one that is well."""
        where = os.path.join(self.folder, folder, name)
        os.makedirs(where)
        with open(os.path.join(where, ".log"), "w") as file:
            for step in range(1, 60):
                file.write(log_line(step, float("nan") if bad and step > 30 else 3 - step / 100))
        os.rename(os.path.join(where, ".log"), os.path.join(where, "trainer_log.jsonl"))  # at once, as a whole

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.notify.close()
        shutil.rmtree(self.folder)
