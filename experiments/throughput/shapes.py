"""Measures the blocks of shapes.json in turns, and writes shapes.json and shapes.md into the folder of the machine.

    cargo build --release -p burn-pooling-experiments --bin shapes --bin peak
    python shapes.py --threads 2

A round runs every contender once, each in a process of its own; the figures are medians over rounds.
"""

import argparse
import json
import statistics
import sys
from importlib.metadata import version
from pathlib import Path

from machine import RELEASE, Machine, results_folder
from report import EAGER
from rounds import medians_in_turns
from shapes_peer import FRAMEWORKS, SHAPES

HERE = Path(__file__).resolve().parent
LEVELS = {"flex": "", "flex, avx2": "avx2"}
QUANTITIES = {"step_milliseconds": "a training step", "inference_milliseconds": "a forward pass"}
PEAK = "peak"
LIBRARIES = ("torch", "onnxruntime", "openvino")


def title(shape: dict) -> str:
    pool = shape["pool"] + ("" if "global" in shape["pool"] else " 2")
    padded = f", padding {shape['padding']}" if shape["padding"] else ""
    filters = f"{shape['filters']} of {shape['kernel']}x{shape['kernel']}"
    return f"{'x'.join(map(str, shape['input']))}, {filters}{padded}, {pool}"


def multiply_adds(shape: dict, quantity: str) -> int:
    """What the direct method needs. A window's maximum sends its gradient to one position of four."""
    batch, channels, *size = shape["input"]
    height, width = (length + 2 * shape["padding"] - shape["kernel"] + 1 for length in size)
    forward = batch * shape["filters"] * channels * shape["kernel"] ** 2 * height * width
    gradients = {"max": 2 * (height // 2) * (width // 2) / (height * width)}.get(shape["pool"], 2)
    return round(forward * (1 + gradients)) if quantity == "step_milliseconds" else forward


def run(machine: Machine, contender: str, threads: int) -> list[dict[str, float]]:
    if contender in FRAMEWORKS:
        peer = [sys.executable, str(HERE / "shapes_peer.py"), "--framework", contender, "--threads", str(threads)]
        return json.loads(machine.run(peer)[0])
    level = {"BURN_POOLING_SIMD": LEVELS[contender]}
    return json.loads(machine.run([str(RELEASE / "shapes"), str(threads)], level)[0])


def table(results: dict, quantity: str) -> str:
    contenders = [name for name, of in results["milliseconds"].items() if quantity in of[0]]
    lines = ["| | " + " | ".join([*contenders, "ratio", "ratio, avx2", "share of the limit"]) + " |"]
    lines.append("| --- |" + " ---: |" * (len(contenders) + 3))
    for index, shape in enumerate(results["shapes"]):
        times = {name: results["milliseconds"][name][index][quantity] for name in contenders}
        eager = min(times[name] for name in EAGER)
        needed = multiply_adds(shape, quantity) / results["multiply_adds_per_second"] * 1e3
        ratios = [f"{eager / times[name]:.2f}" for name in LEVELS]
        cells = [f"{time:.3g}" for time in times.values()] + ratios + [f"{needed / times['flex']:.0%}"]
        lines.append(f"| {title(shape)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def markdown(results: dict) -> str:
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    parts = [
        f"{machine['processor']}, {machine['cores']} cores; {results['threads']} threads; "
        f"medians over {results['rounds']} rounds; {versions}.",
        "Ratio: the time of the better of PyTorch's two eager modes as they come, over ours. Share of the limit: of "
        f"the {results['multiply_adds_per_second'] / 1e9:,.0f} billion multiply-adds a second that the threads can do "
        "on registers alone, those that the direct method needs; with fewer multiplications it can exceed 100 %.",
    ]
    for quantity, what in QUANTITIES.items():
        parts += [f"Milliseconds of {what}:", table(results, quantity)]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="*", choices=FRAMEWORKS, default=FRAMEWORKS)
    parser.add_argument("--busy", type=float, default=0.05, help="how much of it others may use (default: 0.05)")
    parser.add_argument(
        "--output", type=Path, default=results_folder(), help="default: this machine's folder beside this file"
    )
    options = parser.parse_args()

    machine, peaks = Machine(options.busy), []

    def measure(contender: str) -> list[dict[str, float]]:
        if contender == PEAK:
            peaks.append(float(machine.run([str(RELEASE / "peak"), str(options.threads)])[0]))
            return []
        return run(machine, contender, options.threads)

    milliseconds = medians_in_turns((PEAK, *LEVELS, *options.peers), options.rounds, measure)
    del milliseconds[PEAK]
    results = {
        "machine": machine.description(),
        "versions": {name: version(name) for name in LIBRARIES},
        "threads": options.threads,
        "rounds": options.rounds,
        "multiply_adds_per_second": statistics.median(peaks),
        "shapes": SHAPES,
        "milliseconds": milliseconds,
    }
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "shapes.json").write_text(json.dumps(results, indent=2) + "\n")
    (options.output / "shapes.md").write_text(markdown(results))


if __name__ == "__main__":
    main()
