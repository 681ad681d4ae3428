#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Against the real Prometheus and Alertmanager on loopback: scrape, rule, alert, once, over."""
import json
import os
import shutil
import subprocess
import sys
import unittest

from harness import SKIP, SOURCE, Daemon, answers, free_port, get, log_line, wait_for

NEEDED = ("prometheus", "prometheus-alertmanager", "promtool")
DEPLOY = os.path.join(SOURCE, "daemon/deploy")


class Fleet(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)

    def start(self, *command):
        with open(self.daemon.path(command[0] + ".log"), "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def start_prometheus(self):
        port = free_port()
        config = self.daemon.path("prometheus.yml")
        with open(os.path.join(DEPLOY, "scrape.yaml")) as file:
            text = file.read().replace("127.0.0.1:9464", f"127.0.0.1:{self.daemon.port}").replace("15s", "1s")
        with open(config, "w") as file:
            file.write("global: {evaluation_interval: 1s}\n" + text)
        shutil.copy(os.path.join(DEPLOY, "rules.yaml"), self.daemon.path("rules.yaml"))
        self.start("prometheus", "--config.file", config, "--storage.tsdb.path", self.daemon.path("tsdb"),
                   "--web.listen-address", f"127.0.0.1:{port}")
        wait_for(lambda: answers(port, "/-/ready"))
        return port

    def start_alertmanager(self):
        port = free_port()
        with open(self.daemon.path("alertmanager.yml"), "w") as file:
            file.write("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
        self.start("prometheus-alertmanager", "--config.file", self.daemon.path("alertmanager.yml"),
                   "--storage.path", self.daemon.path("am"), "--web.listen-address", f"127.0.0.1:{port}",
                   "--cluster.listen-address=")
        wait_for(lambda: answers(port, "/-/ready"))
        return port

    def test_prometheus_scrapes_and_its_rule_fires(self):
        self.daemon.add_run('odd "name"\\')
        self.daemon.start()
        port = self.start_prometheus()

        def firing():
            alerts = json.loads(get(port, "/api/v1/alerts")[1])["data"]["alerts"]
            return [one for one in alerts if one["labels"]["alertname"] == "TrainvetFinding" and one["state"] == "firing"]

        one = wait_for(firing)[0]
        self.assertEqual(one["labels"]["run"], self.daemon.alerts()[0]["run"].replace("\\\\", "\\"))

        def target():
            one = json.loads(get(port, "/api/v1/targets")[1])["data"]["activeTargets"][0]
            return one["health"], one["lastError"]

        wait_for(lambda: target() == ("up", ""))  # a scrape that takes longer than a second fails

    def test_an_alert_reaches_alertmanager_once_and_resolves(self):
        port = self.start_alertmanager()
        self.daemon.write_config(f'sinks:\n  am: {{type: alertmanager, url: "http://127.0.0.1:{port}", resend: 1}}\n')
        self.daemon.add_run("a", bad=False)
        self.daemon.start()
        log = self.daemon.path("runs/a/trainer_log.jsonl")

        def held():
            return json.loads(get(port, "/api/v2/alerts")[1])

        def append(steps, loss):
            with open(log, "a") as file:
                for step in steps:
                    file.write(log_line(step, loss))

        def firing():
            return [one for one in self.daemon.alerts() if one["state"] == "firing"]

        append(range(60, 64), float("nan"))
        self.daemon.settle("a")
        before = len(firing())
        wait_for(lambda: len(held()) == before)
        self.daemon.kill()
        self.daemon.start()
        append(range(64, 66), float("nan"))
        wait_for(lambda: len(held()) == len(firing()) >= before)
        append(range(66, 400), 2.5)
        wait_for(lambda: len(firing()) < before)
        wait_for(lambda: len(held()) == len(firing()))


if __name__ == "__main__":
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        print("skipped: not installed:", *missing)
        sys.exit(SKIP)
    unittest.main(verbosity=2)
