"""Measures ours and the peers in turns, and writes results.json, results.md and throughput.svg beside this file.

    cargo build --release
    python run.py --threads 2

A round runs every contender once, each in a process of its own; the figures are medians and quartiles over rounds. What
others did to the machine meanwhile is measured too: a run that they disturbed is thrown away and repeated.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import report
from peers import FRAMEWORKS, VARIANTS, quartiles

HERE = Path(__file__).resolve().parent
BINARY = HERE.parents[1] / "target" / "release" / "burn-pooling"
QUANTITIES = ("train_images_per_second", "inference_images_per_second", "latency_microseconds")
LIBRARIES = ("torch", "tensorflow-cpu", "keras", "numpy")


def machine_seconds() -> float:
    """Processor time that everybody has used since the machine started, the hypervisor's share of it included."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Machine:
    """Runs commands, and repeats those during which others used more than `limit` of all cores."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.disturbances: list[float] = []

    def run(self, command: list[str]) -> tuple[str, float]:
        """What the command printed, and how many seconds it took."""
        while True:
            start, others = time.perf_counter(), machine_seconds() - own_seconds()
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            elapsed, others = time.perf_counter() - start, machine_seconds() - own_seconds() - others
            disturbance = max(0.0, others / elapsed / os.cpu_count())
            if disturbance <= self.limit:
                self.disturbances.append(disturbance)
                return output, elapsed
            print(f"  others used {disturbance:.0%} of the machine: again", file=sys.stderr)
            time.sleep(10)

    def description(self) -> dict[str, object]:
        models = (line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
        return {
            "processor": next(models, "?").partition(":")[2].strip(),
            "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "system": platform.platform(),
            "used_by_others": {"median": statistics.median(self.disturbances), "most": max(self.disturbances)},
        }


def throughput_command(contender: str, variant: str, options: argparse.Namespace) -> list[str]:
    sizes = ["--variant", variant, "--threads", str(options.threads), "--batch-size", str(options.batch_size)]
    if contender in FRAMEWORKS:
        return [sys.executable, str(HERE / "peers.py"), "--framework", contender, *sizes]
    return [str(options.binary), "bench", "--backend", contender, *sizes, "--json"]


def epoch_command(contender: str, folder: Path, options: argparse.Namespace) -> list[str]:
    threads = ["--threads", str(options.threads)]
    if contender == "keras":
        return [sys.executable, str(HERE / "keras_epoch.py"), str(folder / "model.keras"), *threads]
    training = ["--variant", "max", "--epochs", "1", "--valid-size", "0", "--quiet"]
    return [str(options.binary), *training, *threads, "--out", str(folder / "run")]


def middle(figure: float | dict[str, float]) -> float:
    return figure["median"] if isinstance(figure, dict) else figure


def over_rounds(figures: list[float]) -> dict[str, object]:
    rounded = {name: round(value, 2) for name, value in quartiles(figures).items()}
    return {**rounded, "rounds": [round(figure, 2) for figure in figures]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--peers", nargs="*", choices=FRAMEWORKS, default=FRAMEWORKS)
    parser.add_argument("--backends", nargs="*", default=("flex", "ndarray"), help="ours (default: flex ndarray)")
    parser.add_argument("--binary", type=Path, default=BINARY, help="default: target/release/burn-pooling")
    parser.add_argument("--busy", type=float, default=0.05, help="share of all cores that others may use (default: 0.05)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder for the results (default: beside this file)")
    options = parser.parse_args()

    contenders = [*options.backends, *options.peers]
    epoch_contenders = (["burn-pooling"] if options.backends else []) + ["keras"]
    machine = Machine(options.busy)
    rounds = defaultdict(list)
    epochs = defaultdict(list)
    for number in range(1, options.rounds + 1):
        for variant in options.variants:
            for contender in contenders:
                output, _ = machine.run(throughput_command(contender, variant, options))
                [result] = json.loads(output)
                rounds[variant, contender].append({name: middle(result[name]) for name in QUANTITIES})
                figures = ", ".join(f"{name} {value:,.0f}" for name, value in rounds[variant, contender][-1].items())
                print(f"round {number}: {variant}, {contender}: {figures}", file=sys.stderr)
        for contender in epoch_contenders:
            with tempfile.TemporaryDirectory() as folder:
                _, seconds = machine.run(epoch_command(contender, Path(folder), options))
            epochs[contender].append(seconds)
            print(f"round {number}: an epoch, {contender}: {seconds:.2f} s", file=sys.stderr)

    results = {
        "machine": machine.description(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "settings": {name: getattr(options, name) for name in ("threads", "batch_size", "rounds")},
        "throughput": [
            {
                "variant": variant,
                "contender": contender,
                **{name: over_rounds([result[name] for result in measured]) for name in QUANTITIES},
            }
            for (variant, contender), measured in rounds.items()
        ],
        "epoch_seconds": {contender: over_rounds(seconds) for contender, seconds in epochs.items()},
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    report.write(options.output)


if __name__ == "__main__":
    main()
