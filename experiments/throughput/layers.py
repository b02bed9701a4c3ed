"""Measures the layers of layers.json in turns, and writes layers.json and layers.md into the folder of the machine.

    cargo build --release -p burn-pooling-experiments --bin layers
    python layers.py --threads 1 2

A round runs every contender once, each in a process of its own; the figures are medians over rounds.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

from layers_peer import LAYERS
from machine import RELEASE, Machine, results_folder
from rounds import Times, medians_in_turns

HERE = Path(__file__).resolve().parent
OURS, PEERS = "flex", ("pytorch", "pytorch-channels-last", "pytorch-compile-keep")
QUANTITIES = {"step_milliseconds": "step", "inference_milliseconds": "inference"}


def title(layer: dict) -> str:
    if "output_size" in layer:
        return f"{layer['name']} to {'x'.join(map(str, layer['output_size']))}"
    window = "x".join(map(str, layer["window"])) if layer.get("window") else "global"
    return f"{layer['name']}, {window}"


def run(machine: Machine, contender: str, threads: int) -> Times:
    if contender == OURS:
        return json.loads(machine.run([str(RELEASE / "layers"), str(threads)])[0])
    peer = [sys.executable, str(HERE / "layers_peer.py"), "--framework", contender, "--threads", str(threads)]
    return json.loads(machine.run(peer)[0])


def table(milliseconds: dict[str, Times], inputs: list[list[int]]) -> str:
    """Of each layer and size: our time, and the least of the others' over ours."""
    sizes = ["x".join(map(str, size)) for size in inputs]
    columns = [f"{size}, {quantity}" for size in sizes for quantity in QUANTITIES.values()]
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for number, layer in enumerate(LAYERS["layers"]):
        cells = []
        for size in range(len(inputs)):
            index = number * len(inputs) + size
            for quantity in QUANTITIES:
                ours = milliseconds[OURS][index][quantity]
                best = min(milliseconds[peer][index][quantity] for peer in PEERS)
                cells.append(f"{ours:.3g} ({best / ours:.2f})")
        lines.append(f"| {title(layer)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def markdown(results: dict) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    parts = [
        f"{machine['processor']}, {machine['cores']} cores; medians over {results['rounds']} rounds; {versions}.",
        "Milliseconds, and in brackets the least time of PyTorch (both eager layouts as they come, torch.compile with "
        "freed memory kept) over ours. A step is the forward pass and the gradients of the input and of what the layer "
        "learns.",
    ]
    for threads, milliseconds in results["milliseconds"].items():
        parts += [f"With {threads} thread{'' if threads == '1' else 's'}:", table(milliseconds, LAYERS["inputs"])]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--busy", type=float, default=0.05, help="how much of it others may use (default: 0.05)")
    parser.add_argument(
        "--output", type=Path, default=results_folder(), help="default: this machine's folder beside this file"
    )
    options = parser.parse_args()

    machine = Machine(options.busy)

    def measured(threads: int) -> dict[str, Times]:
        return medians_in_turns((OURS, *PEERS), options.rounds, lambda contender: run(machine, contender, threads))

    milliseconds = {str(threads): measured(threads) for threads in options.threads}
    results = {
        "machine": machine.description(),
        "versions": {name: version(name) for name in ("torch", "timm")},
        "rounds": options.rounds,
        **LAYERS,
        "milliseconds": milliseconds,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "layers.json").write_text(json.dumps(results, indent=2) + "\n")
    (options.output / "layers.md").write_text(markdown(results))


if __name__ == "__main__":
    main()
