"""Makes the tables (results.md) and the plot (throughput.svg) from a machine's results.json."""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

TITLES = {"max": "max", "average": "average", "global-max": "global max", "global-average": "global average"}
COLOURS = {"pytorch": "#7aa6c2", "keras": "#c9a66b"}
OURS = "#c0392b"
LABELS = {"flex": "burn-pooling, flex", "ndarray": "burn-pooling, ndarray"}
EAGER = ("pytorch", "pytorch-channels-last")
EAGER_KEEP = ("pytorch-keep", "pytorch-channels-last-keep")

# Multiply-adds that a training step needs for one image. A window's maximum sends its gradient to one position at most.
FIRST, SECOND = 26 * 26 * 32 * 9, 10 * 10 * 32 * 32 * 9
FIRST_WINNERS, SECOND_WINNERS = 13 * 13 * 32 * 9, 5 * 5 * 32 * 32 * 9
LINEAR, GLOBAL_LINEAR = 800 * 128 + 128 * 10, 32 * 128 + 128 * 10
NEEDED = {
    "max": FIRST + SECOND + 3 * LINEAR + 2 * SECOND_WINNERS + FIRST_WINNERS,
    "average": 2 * FIRST + 3 * SECOND + 3 * LINEAR,
    "global-max": FIRST + 3 * GLOBAL_LINEAR + 32 * 9,
    "global-average": 2 * FIRST + 3 * GLOBAL_LINEAR,
}

Figures = dict[tuple[str, str], dict[str, float]]


def figures(results: dict, quantity: str) -> Figures:
    return {(row["variant"], row["contender"]): row[quantity] for row in results["throughput"]}


def unique(results: dict, key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in results["throughput"]))


def colour(contender: str) -> str:
    return COLOURS.get(contender.partition("-")[0], OURS)


def ratio(found: Figures, variant: str, contender: str, peers: tuple[str, ...] = EAGER) -> str:
    """Speed against the better of PyTorch's eager modes, in brackets, if one was measured."""
    eager = [found[variant, name]["median"] for name in peers if (variant, name) in found]
    return f" ({found[variant, contender]['median'] / max(eager):.1f}x)" if eager else ""


def table(results: dict, quantity: str, ratios: bool) -> str:
    found, variants = figures(results, quantity), unique(results, "variant")
    lines = ["| | " + " | ".join(TITLES[variant] for variant in variants) + " |", "| --- |" + " ---: |" * len(variants)]
    for contender in unique(results, "contender"):
        cells = [f"{found[variant, contender]['median']:,.0f}" for variant in variants]
        if ratios:
            cells = [cell + ratio(found, variant, contender) for cell, variant in zip(cells, variants, strict=True)]
        lines.append(f"| {LABELS.get(contender, contender)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratio_table(results: dict) -> str:
    found, variants = figures(results, "train_images_per_second"), unique(results, "variant")
    titles = ["multiply-adds an image", "flex's share of the peak", "against eager PyTorch", "that keeps freed memory"]
    lines = ["| | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(titles)]
    peak = results["multiply_adds_per_second"]["median"]
    for variant in variants:
        share = found[variant, "flex"]["median"] * NEEDED[variant] / peak
        ratios = [ratio(found, variant, "flex", peers).strip(" ()") for peers in (EAGER, EAGER_KEEP)]
        lines.append(f"| {TITLES[variant]} | {NEEDED[variant]:,} | {share:.0%} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def epoch_table(results: dict) -> str:
    lines = ["| | seconds | quartiles |", "| --- | ---: | ---: |"]
    for contender, seconds in results["epoch_seconds"].items():
        spread = f"{seconds['lower_quartile']:.2f} to {seconds['upper_quartile']:.2f}"
        lines.append(f"| {contender} | {seconds['median']:.2f} | {spread} |")
    return "\n".join(lines)


def conditions(results: dict) -> str:
    machine, settings = results["machine"], results["settings"]
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{settings['threads']} threads, batch {settings['batch_size']}; "
        f"medians over {settings['rounds']} rounds; {versions}."
    )


def markdown(results: dict) -> str:
    parts = [
        conditions(results),
        "In brackets: the speed against the better of PyTorch's two eager modes as they come (pytorch, "
        "pytorch-channels-last); *keep*: glibc's allocator keeps freed memory.",
        "Training, images/s:",
        table(results, "train_images_per_second", ratios=True),
        "How far flex's training is from the hardware's limit "
        f"({results['multiply_adds_per_second']['median'] / 1e9:,.0f} billion multiply-adds a second on all threads), "
        "and from the better of PyTorch's eager modes:",
        ratio_table(results),
        "Inference in batches, images/s:",
        table(results, "inference_images_per_second", ratios=True),
        "Latency of a single image, microseconds:",
        table(results, "latency_microseconds", ratios=False),
        "One epoch of max, the whole process from start to exit:",
        epoch_table(results),
    ]
    return "\n\n".join(parts) + "\n"


def panel(axes: plt.Axes, found: Figures, variant: str, contenders: list[str]) -> None:
    for row, contender in enumerate(contenders):
        measured = found[variant, contender]
        median = measured["median"]
        spread = [[median - measured["lower_quartile"]], [measured["upper_quartile"] - median]]
        axes.barh(row, median, xerr=spread, color=colour(contender), error_kw={"elinewidth": 1, "capsize": 2})
        label = f"   {median:,.0f}{ratio(found, variant, contender)}"
        axes.text(measured["upper_quartile"], row, label, va="center", fontsize=8)
    axes.set_yticks(range(len(contenders)), [LABELS.get(name, name) for name in contenders], fontsize=8)
    axes.set_ylim(len(contenders) - 0.4, -0.6)
    axes.set_xlim(0, 1.35 * max(found[variant, name]["upper_quartile"] for name in contenders))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_major_locator(plt.MaxNLocator(5))
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def plot(results: dict, path: Path) -> None:
    variants, contenders = unique(results, "variant"), unique(results, "contender")
    quantities = {"train_images_per_second": "training", "inference_images_per_second": "inference"}
    size = (11, 0.7 + len(variants) * (0.7 + 0.23 * len(contenders)))
    figure, grid = plt.subplots(len(variants), 2, figsize=size, sharey="row", squeeze=False, layout="constrained")
    for column, (quantity, title) in enumerate(quantities.items()):
        for axes, variant in zip(grid[:, column], variants, strict=True):
            panel(axes, figures(results, quantity), variant, contenders)
            axes.set_title(f"{TITLES[variant]}, {title}", fontsize=10, loc="left")
        grid[-1, column].set_xlabel("images per second: median, quartiles, ratio to eager PyTorch", fontsize=9)
    groups = {"burn-pooling": OURS, "PyTorch": COLOURS["pytorch"], "Keras": COLOURS["keras"]}
    patches = [plt.Rectangle((0, 0), 1, 1, color=shade) for shade in groups.values()]
    figure.legend(patches, groups, loc="outside lower center", ncols=3, frameon=False)
    settings = results["settings"]
    figure.suptitle(f"Throughput on MNIST: {settings['threads']} threads, batch {settings['batch_size']}")
    figure.savefig(path, metadata={"Date": None})


def write(folder: Path) -> None:
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.md").write_text(markdown(results))
    plot(results, folder / "throughput.svg")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the machine's folder")
    write(parser.parse_args().folder)
