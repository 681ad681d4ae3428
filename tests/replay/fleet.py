# SPDX-License-Identifier: GPL-2.0-or-later
"""Many small runs, and a daemon that tells a file what becomes of them."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 45  # seconds without anything new
LINE = '{{"current_steps": {0}, "total_steps": 1000, "loss": {1}, "lr": 0.0001, "epoch": 0.1}}\n'


def append(folder, number, first, last, loss):
    run = f"{folder}/runs/run-{number:03d}"
    os.makedirs(run, exist_ok=True)
    with open(f"{run}/trainer_log.jsonl", "a", encoding="ascii") as file:
        file.write("".join(LINE.format(step, loss) for step in range(first, last)))


def configure(folder, more="", sinks="", names="file", listen="'off'"):
    with open(f"{folder}/trainvet.yaml", "w", encoding="ascii") as file:
        file.write(f"roots: [{folder}/runs]\nstate_dir: {folder}/state\nlisten: {listen}\n{more}"
                   f"sinks:\n  file: {{type: jsonl, file: {folder}/out.jsonl}}\n{sinks}"
                   f"routes:\n  - sinks: [{names}]\n")


def begin(binary, folder, **how):
    """The daemon, its messages in the file "log"; configure() comes first."""
    with open(f"{folder}/log", "ab") as log:
        return subprocess.Popen([binary, "daemon", "--config", f"{folder}/trainvet.yaml"], stderr=log, **how)


def is_ready(process, notify):
    try:
        return b"READY=1" in notify.recv(4096)
    except TimeoutError:
        return process.poll() is not None


def begin_and_wait(binary, folder, env=None, **how):
    """begin(), until it says to its manager that it is ready, or has ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(f"{folder}/notify")
        notify.settimeout(0.2)
        process = begin(binary, folder, env={**(env or os.environ), "NOTIFY_SOCKET": f"{folder}/notify"}, **how)
        while not is_ready(process, notify):
            pass
        return process


def said(folder):
    with open(f"{folder}/log", encoding="utf-8", errors="replace") as file:
        return [line.strip() for line in file]


def told(folder):
    """(run, state) of every non_finite alert in the file, in order."""
    if not os.path.exists(f"{folder}/out.jsonl"):
        return []
    with open(f"{folder}/out.jsonl", encoding="utf-8") as file:
        alerts = [json.loads(line) for line in file if line.endswith("\n")]  # the last one may still be written
    return [(alert["run"], alert["state"]) for alert in alerts if alert["detector"] == "non_finite"]


def get(folder, path):
    """The answer of a daemon that listens on the socket "http"."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{folder}/http")
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b"")).decode()


def followed(folder):
    try:
        return int(re.search(r"^X-Total-Count: (\d+)", get(folder, "/api/v1/runs?limit=1"), re.M).group(1))
    except OSError:
        return 0  # does not listen yet


def wait_until(count, wanted):
    """Waits as long as count() grows now and then; a busy machine is slow, a stuck daemon stands still."""
    last, since = count(), time.monotonic()
    while last < wanted and time.monotonic() - since < PATIENCE:
        time.sleep(0.1)
        now = count()
        if now != last:
            last, since = now, time.monotonic()


def wait_for(folder, count):
    wait_until(lambda: len(told(folder)), count)
    return told(folder)


def of_process(process):
    """The fields of proc_pid_stat(5) from the third on."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()


def halt(process):
    """Until a signal ends it or SIGCONT comes."""
    os.kill(process.pid, signal.SIGSTOP)
    while of_process(process)[0] not in "TZ":
        time.sleep(0.01)


def end(process):
    """(exit status, seconds of the processor from SIGTERM on)."""
    before = sum(map(int, of_process(process)[11:13])) / os.sysconf("SC_CLK_TCK")
    for number in (signal.SIGTERM, signal.SIGCONT):
        os.kill(process.pid, number)  # send_signal() would wait for what has ended, and its time were lost
    limit = threading.Timer(120, os.kill, (process.pid, signal.SIGKILL))
    limit.start()
    _, status, usage = os.wait4(process.pid, 0)
    limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime - before


def run_beside(tests, options, prefix, at_once=3):
    """Runs the tests, which mostly wait, each in a folder of its own: test(options, folder) is True, False or, skipped, None."""
    def one(test):
        folder = tempfile.mkdtemp(prefix=prefix)
        begun = time.monotonic()
        try:
            result = test(options, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"{test.__name__}: {'skipped' if result is None else 'ok' if result else 'FAILED'} ({time.monotonic() - begun:.1f} s)")
        sys.stdout.flush()
        return result

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(one, tests))


def is_sanitized(binary):
    with open(binary, "rb") as file:
        return b"__asan_init" in file.read()
