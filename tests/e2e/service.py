#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as a service manager, a scraper and an operator meet it."""
import concurrent.futures
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from harness import BINARY, PATIENCE, SOURCE, Daemon, free_port, get, lines, run_beside, wait_for

SCRAPE = b"GET /metrics HTTP/1.0\r\n\r\n"
BEGUN = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "  # a request that never ends
FILE_SINK = "sinks:\n  file: {{type: jsonl, file: {0}}}\n"


def read_all(client):
    return b"".join(iter(lambda: client.recv(1 << 20), b"")).decode().partition("\r\n\r\n")[2]


class Service(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon()
        self.addCleanup(self.daemon.close)

    def with_file_sink(self, name="told.jsonl"):
        self.daemon.write_config(FILE_SINK.format(self.daemon.path(name)))
        return self.daemon.path(name)

    def test_manager_is_told_ready_status_and_life(self):
        self.daemon.environment = {"WATCHDOG_USEC": "1500000"}
        self.daemon.start()
        wait_for(lambda: len(self.daemon.was_told("WATCHDOG=1")) >= 3)
        self.assertTrue(self.daemon.was_told("STATUS="))
        self.assertEqual(self.daemon.kill(signal.SIGTERM), 0)
        self.assertIn("STOPPING=1", self.daemon.drain())

    def test_a_stopped_daemon_tells_no_life(self):
        self.daemon.environment = {"WATCHDOG_USEC": "1500000"}
        self.daemon.start()
        wait_for(lambda: self.daemon.was_told("WATCHDOG=1"))
        self.daemon.process.send_signal(signal.SIGSTOP)
        wait_for(self.daemon.is_stopped)
        self.daemon.drain()
        self.daemon.told.clear()
        time.sleep(1.5)
        self.assertEqual(self.daemon.drain(), [])
        self.daemon.process.send_signal(signal.SIGCONT)
        wait_for(lambda: self.daemon.was_told("WATCHDOG=1"))

    def test_alerts_survive_kill_and_are_told_once(self):
        told = self.with_file_sink()
        self.daemon.start()
        self.daemon.add_run("a")
        self.daemon.settle("a")
        self.daemon.kill()
        self.daemon.start()
        self.daemon.add_run("b")
        self.daemon.settle("a", "b")
        self.assertEqual({line["run"] for line in lines(told)}, {"a", "b"})
        keys = [(line["fingerprint"], line["state"]) for line in lines(told)]
        self.assertEqual(len(keys), len(set(keys)))

    def test_reload_takes_a_new_root_and_loses_nothing(self):
        told = self.with_file_sink()
        self.daemon.start()
        self.daemon.add_run("a")
        self.daemon.settle("a")
        first = lines(told)
        self.daemon.add_run("z", folder="more")
        with open(self.daemon.path("trainvet.yaml"), "a") as file:
            file.write("silences: []\n")
        os.mkdir(self.daemon.path("trainvet.d"))
        with open(self.daemon.path("trainvet.d/more.yaml"), "w") as file:
            file.write(f"roots: {self.daemon.path('more')}\n")
        self.daemon.reload()
        self.daemon.settle("a", "z")
        self.assertEqual(lines(told)[:len(first)], first)
        self.assertEqual({(line["run"], line["root"], line["state"]) for line in lines(told)[len(first):]},
                         {("z", self.daemon.path("more"), "firing")})

    def test_the_alerts_of_a_run_that_is_deleted_or_renamed_end_once(self):
        told = self.with_file_sink()
        with open(self.daemon.path("trainvet.yaml"), "a") as file:
            file.write("idle_poll: 0.3\n")

        def states():
            return [(line["run"], line["state"]) for line in lines(told) if line["detector"] == "non_finite"]

        self.daemon.start()
        for name in ("a", "b", "c"):
            self.daemon.add_run(name)
        wait_for(lambda: len(states()) == 3)
        shutil.rmtree(os.path.join(self.daemon.runs, "a"))
        os.rename(os.path.join(self.daemon.runs, "b"), os.path.join(self.daemon.runs, "d"))
        wait_for(lambda: len(states()) == 6)
        self.assertEqual(set(states()[3:]), {("a", "resolved"), ("b", "resolved"), ("d", "firing")})
        self.daemon.kill(signal.SIGTERM)
        shutil.rmtree(os.path.join(self.daemon.runs, "c"))
        self.daemon.start()
        wait_for(lambda: len(states()) == 7)
        self.assertEqual(states()[6], ("c", "resolved"))
        self.daemon.add_run("a")  # it is back, and is told again
        wait_for(lambda: len(states()) == 8)
        self.assertEqual(states()[7], ("a", "firing"))

    def test_a_wrong_reload_keeps_the_old_configuration(self):
        told = self.with_file_sink()
        self.daemon.start()
        for wrong in ("pol: true\n", "sinks:\n  x: {type: webhook}\n",
                      "sinks:\n  x: {type: jsonl, file: /nonexistent/dir/file}\n"):
            self.daemon.write_config(wrong)
            self.daemon.reload()
            self.assertIn("the old one stays", self.daemon.log())
        self.daemon.write_config("", listen="127.0.0.1:1x")
        self.daemon.reload()
        self.daemon.add_run("a")
        wait_for(lambda: lines(told))
        self.assertEqual(get(self.daemon.port, "/healthz")[0], 200)

    def test_what_fires_is_told_again_in_batches_without_the_one_that_is_refused(self):
        batches = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                runs = [alert["labels"]["run"] for alert in json.loads(self.rfile.read(int(self.headers["Content-Length"])))]
                batches.append(runs)
                self.send_response(400 if "b" in runs else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.daemon.write_config("sinks: {am: {type: alertmanager, resend: 1, url: 'http://127.0.0.1:%d'}}\n"
                                 "detectors: {lr_mismatch: {enabled: false}}\n" % server.server_port)
        for name in ("a", "b", "c", "d"):
            self.daemon.add_run(name)
        self.daemon.start()
        wait_for(lambda: any(len(set(runs)) == 4 for runs in batches))
        seen = len(batches)
        for name in ("a", "c", "d"):  # each arrives, in company or alone, again and again
            wait_for(lambda: sum(name in runs and "b" not in runs for runs in batches[seen:]) >= 2)
        self.assertEqual(self.daemon.log().count("refused when it is told again"), 1)

    def test_pages_of_many_runs_are_cut_and_counted(self):
        for i in range(7):
            self.daemon.add_run("r%d" % i)
        self.daemon.start()
        wait_for(lambda: len({one["run"] for one in self.daemon.alerts()}) == 7)
        for path, all_of in (("/api/v1/runs", 7), ("/api/v1/alerts", len(self.daemon.alerts()))):
            status, body, headers = get(self.daemon.port, path + "?limit=3&offset=2")
            whole = json.loads(get(self.daemon.port, path)[1])
            self.assertEqual((status, headers["X-Total-Count"]), (200, str(all_of)))
            self.assertEqual(json.loads(body), whole[2:5])
            self.assertEqual(json.loads(get(self.daemon.port, path + "?offset=100")[1]), [])
            self.assertEqual(get(self.daemon.port, path + "?limit=x")[0], 400)
        self.assertEqual(get(self.daemon.port, "/api/v1/alerts?state=resolved")[0:2], (200, "[]"))

    def test_reload_moves_the_port(self):
        self.daemon.start()
        old, self.daemon.port = self.daemon.port, free_port()
        self.daemon.write_config("")
        self.daemon.reload()
        self.assertEqual(get(self.daemon.port, "/healthz")[1], "ok\n")
        with self.assertRaises(ConnectionRefusedError):
            get(old, "/healthz")

    def test_reload_writes_to_a_new_file_after_rotation(self):
        told = self.with_file_sink()
        self.daemon.start()
        self.daemon.add_run("a")
        self.daemon.settle("a")
        os.rename(told, told + ".1")
        self.daemon.reload()
        self.daemon.add_run("b")
        self.daemon.settle("a", "b")
        self.assertEqual({line["run"] for line in lines(told)}, {"b"})

    def test_pages(self):
        self.daemon.write_config("labels: {rack: 'a\"b\\c'}\n")
        self.daemon.add_run('evil"} 1\nfoo 2\\')
        self.daemon.add_run("well", bad=False)
        self.daemon.start()
        wait_for(lambda: self.metric("trainvet_read_records_total") == "118")  # two logs of 59 lines
        wait_for(self.daemon.alerts)
        for path in ("/api/v1/runs", "/api/v1/alerts"):
            status, body, headers = get(self.daemon.port, path)
            self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
            self.assertTrue(json.loads(body))
        self.assertEqual(len(json.loads(get(self.daemon.port, "/api/v1/runs")[1])), 2)
        self.assertEqual(get(self.daemon.port, "/nothing")[0], 404)
        for method in ("POST", "PUT", "DELETE"):
            self.assertEqual(get(self.daemon.port, "/metrics", method)[0], 405)
        status, body, headers = get(self.daemon.port, "/metrics", "HEAD")
        self.assertEqual((status, body), (200, ""))
        self.check_metrics(get(self.daemon.port, "/metrics")[1])

    def metric(self, name, text=None):
        text = text or get(self.daemon.port, "/metrics")[1]
        return dict(one.rsplit(" ", 1) for one in text.splitlines() if not one.startswith("#"))[name]

    def check_metrics(self, text):
        line = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*"(,(?=[a-z])|(?=\})))*\})? (\S+)')
        seen = set()
        for one in text.splitlines():
            if not one.startswith("#"):
                self.assertTrue(line.fullmatch(one), one)
                self.assertNotIn(one.rsplit(" ", 1)[0], seen)
                seen.add(one.rsplit(" ", 1)[0])
        self.assertIn('rack="a\\"b\\\\c"', text)
        self.assertIn("trainvet_alert_firing{", text)
        sizes = [os.path.getsize(os.path.join(self.daemon.runs, run, "trainer_log.jsonl")) for run in os.listdir(self.daemon.runs)]
        self.assertEqual(float(self.metric("trainvet_read_bytes_total", text)), sum(sizes))
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def connect(self, begun=b""):
        client = socket.create_connection(("127.0.0.1", self.daemon.port))
        self.addCleanup(client.close)
        client.sendall(begun)
        return client

    def assert_answers_beside(self, others):
        """`others` makes clients that have ten seconds. An answer that waits for their end never comes before; on a busy
        machine one that does not wait may be late now and then."""
        for _ in range(4):
            begin = time.monotonic()
            clients = others()
            self.assertEqual(get(self.daemon.port, "/healthz")[0], 200)
            took = time.monotonic() - begin
            for client in clients:
                client.close()
            if took < 9:
                return
        self.fail("clients that do nothing are waited for")

    def test_slow_and_silent_clients_hold_up_nobody(self):
        self.daemon.start()
        self.assert_answers_beside(lambda: [self.connect() for _ in range(10)] + [self.connect(BEGUN) for _ in range(10)])
        self.daemon.add_run("a")
        wait_for(self.daemon.alerts)

    def test_a_page_that_takes_long_is_one_for_all_and_slow_readers_keep_few(self):
        with open(self.daemon.path("trainvet.yaml"), "a") as file:
            file.write("labels: {%s}\n" % ", ".join("l%d: %s" % (i, "x" * 400) for i in range(100)))
        self.daemon.environment = {"ASAN_OPTIONS": "quarantine_size_mb=1"}  # what is freed is given back
        for i in range(200):  # 8 MB of labels, so that no socket takes a page
            self.daemon.add_run("r%d" % i, bad=i % 9 == 0)
        self.daemon.start()
        wait_for(lambda: get(self.daemon.port, "/api/v1/runs?limit=1")[2]["X-Total-Count"] == "200")
        self.daemon.settle(*("r%d" % i for i in range(0, 200, 9)))
        for _ in range(3):  # each of them for another page, and none is read
            self.connect(SCRAPE).recv(1)
        before = self.memory()
        for _ in range(12):
            self.connect(SCRAPE).recv(1)
        self.assertLess(self.memory() - before, 60e6)  # 12 pages are 96 MB and more, three and one in the making 40
        self.daemon.process.send_signal(signal.SIGSTOP)  # these come at once
        clients = [self.connect(SCRAPE) for _ in range(8)]
        self.daemon.process.send_signal(signal.SIGCONT)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(read_all, clients))
        self.check_families(pages[0])
        self.assertEqual(pages[0].count("trainvet_run_info{"), 200)
        self.assertEqual({page.count("trainvet_run_info{") for page in pages}, {200})
        self.connect(SCRAPE)
        self.assertEqual(self.daemon.kill(signal.SIGTERM), 0)  # while a page is made, and some are sent

    def memory(self):
        with open(f"/proc/{self.daemon.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def check_families(self, text):
        """Each in one piece, each series once."""
        families = [line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")]
        pieces = [name for name, before in zip(families, [None] + families) if name != before]
        self.assertEqual(len(pieces), len(set(pieces)))
        series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual(len(series), len(set(series)))

    def test_a_sink_with_a_limit_gets_the_number_of_the_others(self):
        told = self.daemon.path("told.jsonl")
        self.daemon.write_config("sinks:\n  file: {type: jsonl, file: %s, limit: 3, period: 3}\n" % told)
        for i in range(20):
            self.daemon.add_run("r%d" % i)
        begun = time.monotonic()
        self.daemon.start()
        wait_for(lambda: sum(line["detector"] == "held_back" for line in lines(told)))
        held = sum(line["observed"] for line in lines(told) if line["detector"] == "held_back")
        others = [line for line in lines(told) if line["detector"] != "held_back"]
        periods = 2 + (time.monotonic() - begun) / 2  # begun ones count; they begin with a whole second
        self.assertLessEqual(len(others), 3 * periods)
        self.daemon.settle(*("r%d" % i for i in range(20)))
        self.assertGreater(held, 0)
        said = [(line["fingerprint"], line["state"]) for line in lines(told)]
        self.assertEqual(len(said), len(set(said)))
        self.daemon.kill()
        self.daemon.start()
        self.daemon.add_run("z", bad=False)
        wait_for(lambda: get(self.daemon.port, "/api/v1/runs?limit=1")[2]["X-Total-Count"] == "21")
        self.daemon.settle()
        again = [(line["fingerprint"], line["state"]) for line in lines(told) if line["detector"] != "held_back"]
        self.assertEqual(len(again), len(set(again)))

    def test_a_burst_over_the_limit_leaves_nobody_waiting(self):
        def burst():
            clients = [self.connect(BEGUN) for _ in range(24)]
            self.assertEqual(get(self.daemon.port, "/healthz")[0], 200)
            self.daemon.process.send_signal(signal.SIGSTOP)  # all come at once
            clients += [self.connect(BEGUN) for _ in range(15)]
            self.daemon.process.send_signal(signal.SIGCONT)
            return clients

        self.daemon.start()
        self.assert_answers_beside(burst)

    def test_clients_that_trickle_keep_nobody_out_and_have_ten_seconds(self):
        self.daemon.start()
        began = time.monotonic()
        clients = [self.connect(BEGUN) for _ in range(40)]
        while clients:
            self.assertLess(time.monotonic() - began, 3 * PATIENCE)
            self.assertEqual(get(self.daemon.port, "/healthz")[0], 200)
            time.sleep(0.5)
            for client in list(clients):
                try:
                    client.sendall(b"a")
                    client.settimeout(0)
                    if client.recv(100) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    continue
                except OSError:
                    client.close()
                    clients.remove(client)
        self.assertGreater(time.monotonic() - began, 5)  # some were left until their time was over

    def test_nonsense_is_answered_and_survived(self):
        self.daemon.start()
        for request in (b"\0\xff" * 4096, b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
                        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nx",
                        b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 10000 + b"\r\n"):
            with socket.create_connection(("127.0.0.1", self.daemon.port)) as client:
                try:
                    client.sendall(request)
                    client.settimeout(PATIENCE)
                    client.recv(100)
                except OSError:
                    pass
        self.assertEqual(get(self.daemon.port, "/healthz")[0], 200)

    def test_no_symbolic_link_leads_out_of_the_root(self):
        self.daemon.add_run("secret", folder="elsewhere")
        os.makedirs(self.daemon.path("runs/mine"))
        os.symlink(self.daemon.path("elsewhere/secret/trainer_log.jsonl"), self.daemon.path("runs/mine/trainer_log.jsonl"))
        self.daemon.add_run("a")
        self.daemon.start()
        wait_for(self.daemon.alerts)
        wait_for(lambda: "symbolic link" in self.daemon.log())
        self.assertEqual({alert["run"] for alert in self.daemon.alerts()}, {"a"})

    def test_alerts_lists_what_is_recorded_and_owed(self):
        self.daemon.write_config(f'sinks:\n  ops: {{type: webhook, url: "http://127.0.0.1:{free_port()}/"}}\n')
        self.daemon.add_run("a")
        self.daemon.start()
        wait_for(self.daemon.alerts)
        show = [BINARY, "alerts", "--state-dir", self.daemon.path("state")]

        def owed():
            said = subprocess.run(show + ["--firing", "--json"], capture_output=True, text=True, check=True).stdout
            return [one for one in map(json.loads, said.splitlines()) if one["type"] == "owed" and one["attempts"]]

        one = wait_for(owed)[0]
        self.assertEqual(one["sink"], "ops")
        self.assertIn(one["fingerprint"], {alert["fingerprint"] for alert in self.daemon.alerts()})
        self.assertTrue(one["reason"])
        text = subprocess.run(show, capture_output=True, text=True, check=True).stdout
        self.assertIn("owed to ops: " + one["fingerprint"], text)
        nothing = subprocess.run(show[:-1] + [self.daemon.path("nowhere")], capture_output=True, text=True)
        self.assertEqual(nothing.returncode, 3)
        self.assertFalse(os.path.exists(self.daemon.path("nowhere")))

    def test_watch_with_a_state_directory_says_things_once(self):
        self.daemon.add_run("a")
        command = [BINARY, "watch", "--json", "--until-idle", "0.5", self.daemon.runs]

        def said(*more):
            out = subprocess.run(command + list(more), capture_output=True, text=True, timeout=PATIENCE).stdout
            return [one["fingerprint"] for one in map(json.loads, out.splitlines()) if one["type"] == "alert"]

        keep = ("--state-dir", self.daemon.path("watch-state"))
        self.assertTrue(said())
        self.assertTrue(said(*keep))
        self.assertEqual(said(*keep), [])

    def test_nothing_is_ever_written_into_a_runs_directory(self):
        runs = self.daemon.runs
        for name in ("lf-nan", "healthy-lightning-resumed", "state-diverging", "csv-timm", "healthy-hf-events"):
            shutil.copytree(os.path.join(SOURCE, "fixtures/logs", name), os.path.join(runs, name))
        config = os.path.join(runs, "state-diverging/train.yaml")

        def everything():
            found = {}
            for folder, _, files in os.walk(runs):
                for path in [folder] + [os.path.join(folder, name) for name in files]:
                    status = os.lstat(path)  # a file that comes and goes changes the times of its directory
                    found[path] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            return found

        before = everything()
        for command in (["scan", "."], ["scan", "--json", "--explain", "."], ["lr", "state-diverging"], ["lint", config],
                        ["inspect", "."], ["watch", "--until-idle", "0.5", "."], ["watch", "--poll", "--until-idle", "0.5", "."],
                        ["watch", "--until-idle", "0.5", "--state-dir", self.daemon.path("kept"), "."]):
            done = subprocess.run([BINARY] + command, cwd=runs, capture_output=True, text=True, timeout=PATIENCE)
            self.assertIn(done.returncode, (0, 1), done.stderr)
            self.assertTrue(done.stdout, command)
            self.assertEqual(everything(), before, command)
        self.daemon.start()
        self.daemon.settle("lf-nan", "state-diverging")
        self.assertEqual(self.daemon.kill(signal.SIGTERM), 0)
        self.assertEqual(everything(), before)

    def test_unix_socket(self):
        path = self.daemon.path("http.sock")
        self.daemon.write_config("", listen="unix:" + path)
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(path)
        stale.close()
        self.daemon.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertEqual(read_all(client), "ok\n")
        self.daemon.kill(signal.SIGTERM)
        self.assertFalse(os.path.exists(path))

    def test_a_file_where_the_socket_should_be_stays(self):
        path = self.daemon.path("precious")
        with open(path, "w") as file:
            file.write("data")
        self.daemon.write_config("", listen="unix:" + path)
        done = subprocess.run([BINARY, "daemon", "--config", self.daemon.path("trainvet.yaml")],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 2)
        with open(path) as file:
            self.assertEqual(file.read(), "data")

    def test_check_config(self):
        check = [BINARY, "daemon", "--check-config", "--config"]
        example = os.path.join(SOURCE, "systemd/trainvet.yaml")
        done = subprocess.run(check + [example], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.daemon.write_config("rooots: [/a]\n")
        done = subprocess.run(check + [self.daemon.path("trainvet.yaml")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn('trainvet.yaml:5: there is no setting "rooots"; did you mean "roots"?', done.stdout)


if __name__ == "__main__":
    run_beside(Service, sys.argv[1:])
