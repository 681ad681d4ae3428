#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon when what is around it fails: disks, databases, roots, commands, the service manager."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import unittest

from harness import Daemon, get, lines, run_beside, wait_for

FILE_SINK = "sinks:\n  file: {{type: jsonl, file: {0}}}\n"


class Faults(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)
        self.told = self.daemon.path("told.jsonl")
        self.daemon.write_config("idle_poll: 0.3\n" + FILE_SINK.format(self.told))

    def runs_told(self, state="firing"):
        return {line["run"] for line in lines(self.told) if line["state"] == state}

    def assert_told_once(self):
        said = [(line["fingerprint"], line["state"]) for line in lines(self.told)]
        self.assertEqual(len(said), len(set(said)))

    def database(self, suffix=""):
        return self.daemon.path("state/trainvet.db" + suffix)

    def set_aside(self):
        return [name for name in os.listdir(self.daemon.path("state")) if ".damaged-" in name]

    def test_a_full_disk_with_room_again_loses_and_repeats_nothing(self):
        disk = self.daemon.path("state")
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True).returncode:
            self.skipTest("no small file system can be mounted here")
        self.addCleanup(lambda: (self.daemon.kill(), subprocess.run(["umount", disk], check=True)))
        self.daemon.start()
        self.daemon.add_run("first")
        wait_for(lambda: self.runs_told() == {"first"})
        with open(os.path.join(disk, "fill"), "wb", 0) as file, self.assertRaises(OSError):
            while True:
                file.write(b"x" * 4096)
        names = {"full%d" % i for i in range(30)}
        for name in names:
            self.daemon.add_run(name)
        wait_for(lambda: "kept in memory" in self.daemon.log())
        wait_for(lambda: get(self.daemon.port, "/healthz")[0] == 503)
        self.assertLess(self.runs_told(), names | {"first"})
        os.remove(os.path.join(disk, "fill"))
        wait_for(lambda: self.runs_told() == names | {"first"} and get(self.daemon.port, "/healthz")[0] == 200)
        self.assert_told_once()
        self.assertIn("can be written again", self.daemon.log())

    def test_a_manager_that_does_not_read_holds_up_nobody(self):
        self.daemon.start()
        full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        full.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                full.sendto(b"X=1", self.daemon.path("notify"))
        full.close()
        end = time.monotonic() + 3
        while time.monotonic() < end:
            self.assertEqual(get(self.daemon.port, "/healthz")[0], 200)
            time.sleep(0.1)
        self.daemon.add_run("a")
        wait_for(self.runs_told)

    def test_a_database_that_cannot_be_ours_is_set_aside_at_the_start(self):
        def overwrite(path):
            with open(path, "r+b") as file:
                file.seek(4096)
                file.write(b"\xa5" * (os.path.getsize(path) - 4096))

        def other_version(path):
            with sqlite3.connect(path) as db:
                db.execute("PRAGMA user_version = 77")
            db.close()

        def directory(path):
            os.remove(path)
            os.mkdir(path)

        harms = {"overwritten": overwrite, "cut": lambda path: os.truncate(path, 5000), "version": other_version,
                 "directory": directory}
        self.daemon.add_run("a")
        for count, (name, harm) in enumerate(harms.items(), 1):
            with self.subTest(name):
                self.daemon.start()
                wait_for(lambda: get(self.daemon.port, "/healthz")[0] == 200 and self.daemon.alerts())
                self.daemon.kill(signal.SIGTERM)
                self.assertFalse(os.path.exists(self.database("-wal")))
                harm(self.database())
                self.daemon.start()
                wait_for(self.daemon.alerts)
                self.assertEqual(len(self.set_aside()), count)
                self.assertEqual(self.daemon.log().count("was set aside"), count)
                self.daemon.kill(signal.SIGTERM)
                time.sleep(1)  # the names of what is set aside bear the second

    def test_a_database_that_is_taken_away_is_rebuilt_while_running(self):
        self.daemon.add_run("a")
        self.daemon.start()
        wait_for(self.runs_told)
        os.rename(self.daemon.path("state"), self.daemon.path("away"))
        wait_for(lambda: "was taken away" in self.daemon.log())
        self.daemon.add_run("b")
        wait_for(lambda: "b" in self.runs_told())
        self.daemon.settle("a", "b")
        self.daemon.kill()
        before = lines(self.told)
        self.daemon.start()
        self.daemon.add_run("c")
        wait_for(lambda: "c" in self.runs_told())
        self.assertEqual({line["run"] for line in lines(self.told)[len(before):]}, {"c"})

    def test_a_database_that_is_damaged_while_running_is_rebuilt(self):
        self.daemon.add_run("a")
        self.daemon.start()
        wait_for(self.runs_told)
        with sqlite3.connect(self.database()) as db:  # a change by another makes the daemon read again
            db.execute("CREATE TABLE other (x)")
        for suffix in ("", "-wal"):
            with open(self.database(suffix), "r+b") as file:
                size = os.path.getsize(self.database(suffix))
                file.write(b"\xa5" * size)
        db.close()
        for i in range(5):
            self.daemon.add_run("b%d" % i)
        wait_for(lambda: {"b%d" % i for i in range(5)} <= self.runs_told())
        wait_for(lambda: get(self.daemon.port, "/healthz")[0] == 200)
        self.assertTrue(self.set_aside(), self.daemon.log())
        wait_for(lambda: len({alert["run"] for alert in self.daemon.alerts()}) == 6)

    def test_a_root_that_is_away_for_a_while_ends_nothing(self):
        self.daemon.add_run("a")
        self.daemon.start()
        wait_for(self.runs_told)
        os.rename(self.daemon.runs, self.daemon.runs + ".away")
        time.sleep(1.5)
        os.rename(self.daemon.runs + ".away", self.daemon.runs)
        self.daemon.add_run("b")
        wait_for(lambda: "b" in self.runs_told())
        self.assertEqual(self.runs_told("resolved"), set())
        self.assert_told_once()

    def test_another_state_directory_is_said_to_take_a_restart(self):
        self.daemon.start()
        with open(self.daemon.path("trainvet.yaml")) as file:
            text = file.read().replace("/state\n", "/other\n")
        with open(self.daemon.path("trainvet.yaml"), "w") as file:
            file.write(text)
        self.daemon.reload()
        self.assertIn("that takes a restart", self.daemon.log())
        self.daemon.add_run("a")
        wait_for(self.runs_told)
        self.assertFalse(os.path.exists(self.daemon.path("other")))

    def children(self):
        done = subprocess.run(["ps", "-o", "stat=,comm=", "--ppid", str(self.daemon.process.pid)],
                              capture_output=True, text=True)
        return done.stdout.split("\n")[:-1]

    def test_a_command_that_hangs_is_killed_and_leaves_nothing(self):
        tries = self.daemon.path("tries")
        command = json.dumps(["sh", "-c", f"echo >>{tries}; exec sleep 1000"])
        self.daemon.write_config(f"sinks:\n  hang: {{type: exec, command: {command}, timeout: 1}}\n")
        self.daemon.add_run("a")
        self.daemon.start()
        wait_for(lambda: "killed" in self.daemon.log())
        wait_for(lambda: not self.children())
        wait_for(lambda: os.path.exists(tries) and os.path.getsize(tries) > 1)  # and again
        self.daemon.reload()
        wait_for(lambda: not [child for child in self.children() if child.startswith("Z")])
        self.daemon.kill(signal.SIGTERM)


if __name__ == "__main__":
    run_beside(Faults, sys.argv[1:])
