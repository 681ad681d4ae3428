#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What daemon/deploy asks of the metrics is what a running daemon exports, and its files are taken by their readers."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import BINARY, PATIENCE, SOURCE, Daemon, get, wait_for

DEPLOY = os.path.join(SOURCE, "daemon/deploy")
NAME = re.compile(r"\btrainvet_[a-z_]+")
LABELS = re.compile(r"(\btrainvet_[a-z_]+)\{([^}]*)\}")
ADDED = {"instance", "job"}  # by Prometheus


def deployed(name):
    with open(os.path.join(DEPLOY, name), encoding="utf-8") as file:
        return file.read()


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield from [panel] + panel.get("panels", [])


def queries(dashboard):
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


class Deploy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dashboard = json.loads(deployed("dashboard.json"))
        daemon = Daemon()
        daemon.write_config("sinks:\n  file: {type: jsonl, file: %s}\n" % daemon.path("told"))
        cls.addClassCleanup(daemon.close)
        daemon.add_run("a")
        daemon.start()
        wait_for(daemon.alerts)
        cls.exported, cls.labels = set(), {}
        for line in get(daemon.port, "/metrics")[1].splitlines():
            if line.startswith("# TYPE "):
                cls.exported.add(line.split()[2])
            elif not line.startswith("#"):
                name, _, rest = line.partition("{")
                cls.labels.setdefault(name.split(" ")[0], set()).update(re.findall(r'([a-z_]+)="', rest))

    def check(self, where, query):
        names = set(NAME.findall(query))
        self.assertLessEqual(names, self.exported, f"{where}: {query}")
        for name, selector in LABELS.findall(query):
            asked = set(re.findall(r'([a-z_]+) *[=!]~?"?', selector))
            self.assertLessEqual(asked, self.labels.get(name, set()) | ADDED, f"{where}: {query}")
        return names

    def test_the_dashboard_asks_for_what_is_exported(self):
        asked = set()
        for where, query in queries(self.dashboard):
            names = self.check(where, query)
            self.assertTrue(names or query.startswith("up{"), query)
            asked |= names
        self.assertLessEqual({"trainvet_alert_firing", "trainvet_run_loss", "trainvet_run_learning_rate",
                              "trainvet_run_expected_learning_rate", "trainvet_run_last_event_timestamp_seconds",
                              "trainvet_last_work_timestamp_seconds", "trainvet_deliveries_owed"}, asked)

    def test_the_rules_ask_for_what_is_exported(self):
        asked = set()
        for query in re.findall(r"expr: (.*)", deployed("rules.yaml")):
            asked |= self.check("rules.yaml", query)
        self.assertIn("trainvet_alert_firing", asked)

    def test_the_dashboard_can_be_imported(self):
        board = self.dashboard
        self.assertGreaterEqual(board["schemaVersion"], 36)
        self.assertIsNone(board["id"])
        variables = {one["name"]: one for one in board["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        numbers = [panel["id"] for panel in panels(board)]
        self.assertEqual(len(numbers), len(set(numbers)))
        cells = set()
        for panel in panels(board):
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for cell in ((x, y) for x in range(place["x"], place["x"] + place["w"])
                         for y in range(place["y"], place["y"] + place["h"])):
                self.assertNotIn(cell, cells, panel["title"])
                cells.add(cell)
            for target in panel.get("targets", []):
                self.assertEqual(target["datasource"]["uid"], "${datasource}")
        for name in set(re.findall(r"\$(\w+)", " ".join(query for _, query in queries(board)))):
            self.assertIn(name, variables)

    @unittest.skipUnless(shutil.which("promtool"), "no promtool")
    def test_every_query_parses(self):
        rules = {"groups": [{"name": "dashboard", "rules": [
            {"record": f"q{number}", "expr": query.replace("$instance", ".*").replace("$run", ".*")}
            for number, (_, query) in enumerate(queries(self.dashboard)) if not query.startswith("label_values(")]}]}
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(rules, file)
            file.flush()
            said = subprocess.run(["promtool", "check", "rules", file.name], text=True, capture_output=True, check=False)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

    def test_the_configuration_of_the_daemon_set_is_right(self):
        lines = deployed("daemonset.yaml").split("trainvet.yaml: |\n")[1].split("---")[0].splitlines()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("".join(line.removeprefix("    ") + "\n" for line in lines))
            file.flush()
            said = subprocess.run([BINARY, "daemon", "--check-config", "--config", file.name], text=True,
                                  capture_output=True, check=False)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

    def test_the_lines_for_slurm_tell_of_a_job(self):
        script = re.search(r"( {4}# TaskProlog\n.*?)( {4}# TaskEpilog\n.*?)\n\n", deployed("README.md"), re.S)
        with tempfile.TemporaryDirectory() as home:
            os.mkdir(home + "/bin")
            os.symlink(BINARY, home + "/bin/trainvet")
            shutil.copytree(os.path.join(SOURCE, "fixtures/logs/state-diverging"), home + "/submitted/run")
            environment = {"HOME": home, "PATH": f"{home}/bin:{os.environ['PATH']}", "SLURM_PROCID": "0",
                           "SLURM_JOB_ID": "77", "SLURM_SUBMIT_DIR": home + "/submitted"}
            told = home + "/trainvet-77.jsonl"
            prolog, epilog = (part.replace("\n    ", "\n") for part in script.groups())
            said = subprocess.run(["sh"], input=prolog + "\necho $!", env=environment, text=True, capture_output=True,
                                  check=True, timeout=PATIENCE)
            try:
                wait_for(lambda: os.path.exists(told) and os.path.getsize(told))
            finally:
                os.kill(int(said.stdout), signal.SIGTERM)
            subprocess.run(["sh"], input=epilog, env=environment, text=True, check=True, timeout=PATIENCE)
            with open(home + "/trainvet-77.txt", encoding="utf-8") as file:
                self.assertIn("lr_mismatch", file.read())

    @unittest.skipUnless(shutil.which("amtool"), "no amtool")
    def test_the_alertmanager_example_is_taken(self):
        said = subprocess.run(["amtool", "check-config", os.path.join(DEPLOY, "alertmanager.yaml")], text=True,
                              capture_output=True, check=False)
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        for labels, receiver in (("severity=critical", "on-call,team"), ("severity=warning", "team"),
                                 ("severity=info", "nobody")):
            said = subprocess.run(["amtool", "config", "routes", "test", "--config.file",
                                   os.path.join(DEPLOY, "alertmanager.yaml"), labels], text=True, capture_output=True,
                                  check=False)
            self.assertEqual(said.stdout.strip(), receiver)


if __name__ == "__main__":
    unittest.main(verbosity=2)
