# SPDX-License-Identifier: GPL-2.0-or-later
"""Many small runs, and a daemon that tells a file what becomes of them."""
import json
import os
import subprocess
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


def said(folder):
    with open(f"{folder}/log", encoding="utf-8", errors="replace") as file:
        return [line.strip() for line in file]


def told(folder):
    """(run, state) of every non_finite alert in the file, in order."""
    if not os.path.exists(f"{folder}/out.jsonl"):
        return []
    with open(f"{folder}/out.jsonl", encoding="utf-8") as file:
        alerts = [json.loads(line) for line in file]
    return [(alert["run"], alert["state"]) for alert in alerts if alert["detector"] == "non_finite"]


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


def end(process):
    """(exit status, seconds from SIGTERM on)."""
    begun = time.monotonic()
    process.terminate()
    status = process.wait(60)
    return status, time.monotonic() - begun


def is_sanitized(binary):
    with open(binary, "rb") as file:
        return b"__asan_init" in file.read()
