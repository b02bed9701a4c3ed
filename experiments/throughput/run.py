"""Measures ours and the peers in turns, and writes results.json, results.md and throughput.svg into
the folder of the machine.

    cargo build --release --workspace --features ndarray --bin burn-pooling --bin peak
    python run.py --threads 2

A round runs every contender once, each in a process of its own; the figures are medians and quartiles over rounds. What
others did to the machine meanwhile is measured too: a run that they disturbed is thrown away and repeated.
"""

import argparse
import json
import platform
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import report
from machine import RELEASE, Machine, results_folder
from peers import FRAMEWORKS, VARIANTS, quartiles

HERE = Path(__file__).resolve().parent
RATES = ("train_images_per_second", "inference_images_per_second")
LATENCY = "latency_microseconds"
LIBRARIES = ("torch", "tensorflow-cpu", "keras", "numpy")


def throughput_command(contender: str, variant: str, options: argparse.Namespace) -> list[str]:
    sizes = ["--variant", variant, "--threads", str(options.threads), "--batch-size", str(options.batch_size)]
    if contender in FRAMEWORKS:
        return [sys.executable, str(HERE / "peers.py"), "--framework", contender, *sizes]
    return [str(options.binary), "bench", "--backend", contender, *sizes, "--images", "12800", "--json"]


def epoch_command(contender: str, folder: Path, options: argparse.Namespace) -> list[str]:
    threads = ["--threads", str(options.threads)]
    if contender == "keras":
        return [sys.executable, str(HERE / "keras_epoch.py"), str(folder / "model.keras"), *threads]
    training = ["--variant", "max", "--epochs", "1", "--valid-size", "0", "--quiet"]
    return [str(options.binary), *training, *threads, "--out", str(folder / "run")]


def over_rounds(figures: list[float]) -> dict[str, object]:
    rounded = {name: round(value, 2) for name, value in quartiles(figures).items()}
    return {**rounded, "rounds": [round(figure, 2) for figure in figures]}


class Results:
    """What every round measured."""

    def __init__(self) -> None:
        self.throughput: dict[tuple[str, str], list[dict[str, float]]] = defaultdict(list)
        self.epochs: dict[str, list[float]] = defaultdict(list)
        self.peaks: list[float] = []

    def add_round(self, machine: Machine, options: argparse.Namespace) -> None:
        output, _ = machine.run([str(RELEASE / "peak"), str(options.threads)])
        self.peaks.append(float(output))
        for variant in options.variants:
            for contender in (*options.backends, *options.peers):
                output, _ = machine.run(throughput_command(contender, variant, options))
                [result] = json.loads(output)
                figures = {name: result[name]["median"] for name in RATES} | {LATENCY: result[LATENCY]}
                self.throughput[variant, contender].append(figures)
                said = ", ".join(f"{name} {value:,.0f}" for name, value in figures.items())
                print(f"{variant}, {contender}: {said}", file=sys.stderr)
        for contender in ("burn-pooling", "keras") if options.backends else ("keras",):
            with tempfile.TemporaryDirectory() as folder:
                _, seconds = machine.run(epoch_command(contender, Path(folder), options))
            self.epochs[contender].append(seconds)
            print(f"an epoch, {contender}: {seconds:.2f} s", file=sys.stderr)

    def save(self, folder: Path, head: dict[str, object]) -> None:
        throughput = [
            {
                "variant": variant,
                "contender": contender,
                **{name: over_rounds([result[name] for result in rounds]) for name in (*RATES, LATENCY)},
            }
            for (variant, contender), rounds in self.throughput.items()
        ]
        epochs = {contender: over_rounds(seconds) for contender, seconds in self.epochs.items()}
        folder.mkdir(parents=True, exist_ok=True)
        head = {**head, "multiply_adds_per_second": over_rounds(self.peaks)}
        results = {**head, "throughput": throughput, "epoch_seconds": epochs}
        (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--peers", nargs="*", choices=FRAMEWORKS, default=FRAMEWORKS)
    parser.add_argument("--backends", nargs="*", default=("flex", "ndarray"), help="ours (default: flex ndarray)")
    parser.add_argument("--binary", type=Path, default=RELEASE / "burn-pooling", help="default: that of target/release")
    parser.add_argument("--busy", type=float, default=0.05, help="how much of it others may use (default: 0.05)")
    parser.add_argument(
        "--output", type=Path, default=results_folder(), help="default: this machine's folder beside this file"
    )
    options = parser.parse_args()

    machine, results = Machine(options.busy), Results()
    for number in range(1, options.rounds + 1):
        print(f"round {number} of {options.rounds}", file=sys.stderr)
        results.add_round(machine, options)
        head = {
            "machine": machine.description(),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
            "settings": {"threads": options.threads, "batch_size": options.batch_size, "rounds": number},
        }
        results.save(options.output, head)
    report.write(options.output)


if __name__ == "__main__":
    main()
