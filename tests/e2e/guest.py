#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Inside the machine that `booted` starts: the installed unit as systemd runs it, over other users' logs."""
import json
import os
import pwd
import subprocess
import time
import unittest
import urllib.request


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def shown(name):
    return run("systemctl", "show", "-p", name, "--value", "trainvet").strip()


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError("not in time\n" + run("journalctl", "--no-pager", "-u", "trainvet", "-n", "40"))
        time.sleep(0.1)
    return what()


def get(path):
    with urllib.request.urlopen("http://127.0.0.1:9464" + path) as answer:
        return answer.read().decode()


def runs():
    try:
        return {run["run"] for run in json.loads(get("/api/v1/runs"))}
    except OSError:
        return set()


def journal(fingerprint):
    found = run("journalctl", "--no-pager", "-o", "json", "TRAINVET_FINGERPRINT=" + fingerprint)
    return [json.loads(line) for line in found.splitlines()]


def write_run(user, path):
    """A log that only its owner may read, in a directory that only its owner may enter."""
    os.makedirs(path)
    with open(path + "/trainer_log.jsonl", "w", encoding="ascii") as file:
        for step in range(1, 60):
            loss = "NaN" if step > 30 else f"{3 - step / 100}"
            file.write(f'{{"current_steps": {step}, "total_steps": 1000, "loss": {loss}, "lr": 0.0001}}\n')
    owner = pwd.getpwnam(user)
    for name in (path, path + "/trainer_log.jsonl"):
        os.chown(name, owner.pw_uid, owner.pw_gid)
        os.chmod(name, 0o700 if name == path else 0o600)


class Unit(unittest.TestCase):
    """In the order of their names: one life of the service."""

    def test_1_it_is_ready_and_locked_in(self):
        wait_for(lambda: shown("ActiveState") == "active")
        with open(f"/proc/{shown('MainPID')}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.assertNotEqual(status["Uid"].split("\t")[0], "0")
        self.assertEqual((status["CapEff"], status["CapBnd"]), ("0000000000000004",) * 2)  # CAP_DAC_READ_SEARCH
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_2_it_reads_other_users_logs_and_the_journal_has_the_findings(self):
        wait_for(lambda: runs() == {"alice/lora"})
        wait_for(lambda: json.loads(get("/api/v1/alerts")))
        for alert in json.loads(get("/api/v1/alerts")):
            entry = wait_for(lambda one=alert: journal(one["fingerprint"]))[0]
            self.assertEqual((entry["TRAINVET_RUN"], entry["TRAINVET_DETECTOR"]), ("alice/lora", alert["detector"]))
            self.assertEqual(entry["_SYSTEMD_UNIT"], "trainvet.service")

    def test_3_a_new_run_is_found(self):
        write_run("bob", "/home/bob/new")
        wait_for(lambda: runs() == {"alice/lora", "bob/new"})

    def test_4_reload_takes_a_root_in_tmp_which_is_the_real_one(self):
        write_run("bob", "/tmp/bobs")
        os.makedirs("/etc/trainvet/trainvet.d", exist_ok=True)
        with open("/etc/trainvet/trainvet.d/tmp.yaml", "w", encoding="ascii") as file:
            file.write("roots: [/tmp]\n")
        self.assertEqual(subprocess.run(["systemctl", "reload", "trainvet"], check=False).returncode, 0)
        wait_for(lambda: "/tmp/bobs" in runs())

    def test_5_a_stopped_process_is_restarted_by_the_watchdog_and_repeats_nothing(self):
        told = [one["fingerprint"] for one in json.loads(get("/api/v1/alerts"))]
        run("systemctl", "kill", "-s", "STOP", "trainvet")
        wait_for(lambda: shown("NRestarts") == "1" and shown("ActiveState") == "active", 60)
        wait_for(lambda: "/tmp/bobs" in runs())
        time.sleep(1)
        for fingerprint in told:
            self.assertEqual(len(journal(fingerprint)), 1)

    def test_6_it_stops_well_and_writes_nothing_but_its_state(self):
        run("systemctl", "stop", "trainvet")
        self.assertEqual((shown("Result"), shown("ExecMainStatus")), ("success", "0"))
        self.assertEqual(set(os.listdir("/var/lib/private/trainvet")), {"trainvet.db"})
        self.assertEqual(os.listdir("/home/alice/lora"), ["trainer_log.jsonl"])


if __name__ == "__main__":
    for name in ("alice", "bob"):
        subprocess.run(["useradd", "-m", name], check=True)
        os.chmod("/home/" + name, 0o700)
    write_run("alice", "/home/alice/lora")
    subprocess.run(["systemctl", "start", "trainvet"], check=False)
    unittest.main(verbosity=2)
