# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs share that score labelled runs: labels, verdicts, the scorer, intervals."""
import importlib.util
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def add_build(parser):
    parser.add_argument("--build", type=pathlib.Path, help="a build folder (default: build/release, dev or asan)")


def program(args, name):
    """A program of the build that was asked for, or of the fastest there is."""
    folders = [args.build] if args.build else [ROOT / "build" / preset for preset in ("release", "dev", "asan")]
    found = next((folder / name for folder in folders if (folder / name).exists()), None)
    return found or sys.exit(f"{name} is not built in {', '.join(map(str, folders))}")


def home_of(folder):
    """Where the labels of `folder` lie: there or one above."""
    home = folder if (folder / "labels.jsonl").exists() else folder.parent
    return home if (home / "labels.jsonl").exists() else sys.exit(f"{folder}: no labels.jsonl there or above")


def labels_of(home):
    """The labels whose runs are there, each with its path."""
    labels = [json.loads(line) for line in (home / "labels.jsonl").read_text().splitlines() if line.strip()]
    for label in labels:
        label["path"] = home / label["run"]
        label.setdefault("split", "runs")
        label.setdefault("cls", "fault" if label["expected"] else "healthy")
    return [label for label in labels if label["path"].exists()]


def verdicts(args, labels, words=()):
    """All that the program `verdicts` prints about these runs: the variants, then (run, variant) -> steps."""
    runs = "".join(f"{label.get('observed_at') or '-'} {label['path']}\n" for label in labels)
    command = [program(args, "tests/bench/verdicts"), *map(str, words)]
    done = subprocess.run(command, input=runs, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}")
    variants, steps = {}, {}
    for line in map(json.loads, done.stdout.splitlines()):
        if "run" in line:
            steps[line["run"], line["variant"]] = line["steps"]
        else:
            variants[line["variant"]] = line
    return variants, steps


def predictions(args, labels, words=()):
    """What is found in each run, as the scorer takes it."""
    variants, steps = verdicts(args, labels, words)
    found = [{"run": label["run"], "alerts": []} for label in labels]
    for (run, variant), at in steps.items():
        found[run]["alerts"] += [{"detector": variants[variant]["detector"], "step": step} for step in at]
    return found


def scorer_of(home):
    places = [home / "score.py", home.parent / "score.py", home.parent / "bench" / "score.py",
              ROOT / "fixtures" / "labelled" / "score.py"]
    return next(place for place in places if place.exists())


def load_scorer(path):
    spec = importlib.util.spec_from_file_location("scorer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wilson(hits, of):
    """The 95 % interval of a share (E. B. Wilson, JASA 22, 1927)."""
    z, share = 1.959964, hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def with_interval(hits, of, percent=False):
    """"0.955 (0.930 to 0.972)", or in percent."""
    if not of:
        return "-"
    low, high = wilson(hits, of)
    if percent:
        return f"{100 * hits / of:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
    return f"{hits / of:.3f} ({low:.3f} to {high:.3f})"
