"""Measures one of the four models in PyTorch or Keras, and prints what `burn-pooling bench --json` prints of ours.

    python peers.py --framework pytorch-channels-last --variant max --threads 2

A training step is all of it: gathering a shuffled batch from bytes in memory, scaling to 0..1, forward, cross-entropy,
backward, Adam. Inference is gathering, scaling and forward; its latency is that of a single image.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

VARIANTS = ("max", "average", "global-max", "global-average")
PYTORCH = (
    "pytorch",
    "pytorch-channels-last",
    "pytorch-keep",
    "pytorch-channels-last-keep",
    "pytorch-compile-keep",
)
FRAMEWORKS = (*PYTORCH, "keras", "keras-jit")
WARM_UP = 30


class Peer(Protocol):
    """Each method returns when its last result has been computed."""

    def train(self, steps: int) -> None: ...

    def infer(self, batches: int) -> None: ...

    def infer_one(self) -> None: ...


def peer(framework: str, variant: str, threads: int, batch_size: int) -> Peer:
    # Either library takes seconds to import: only the one that is measured.
    if framework.startswith("keras"):
        import keras_peer as library
    else:
        import pytorch_peer as library
    return library.Peer(framework, variant, threads, batch_size)


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def quartiles(values: list[float]) -> dict[str, float]:
    lower, median, upper = np.percentile(values, [25, 50, 75])
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper}


def images_per_second(work: Callable[[int], None], batch_size: int, repeats: int, duration: float) -> dict[str, float]:
    """Quartiles over repeats that last about `duration` seconds each."""
    work(WARM_UP)
    count = max(1, round(WARM_UP * duration / seconds(lambda: work(WARM_UP))))
    return quartiles([count * batch_size / seconds(lambda: work(count)) for _ in range(repeats)])


def latency_microseconds(work: Callable[[], None], repeats: int) -> float:
    for _ in range(WARM_UP):
        work()
    return float(np.median([1e6 * seconds(work) for _ in range(repeats)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=FRAMEWORKS, required=True)
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each quantity (default: %(default)s)")
    parser.add_argument("--duration", type=float, default=0.4, help="seconds that each lasts (default: %(default)s)")
    options = parser.parse_args()

    subject = peer(options.framework, options.variant, options.threads, options.batch_size)
    measure = (options.batch_size, options.repeats, options.duration)
    result = {
        "variant": options.variant,
        "backend": options.framework,
        "threads": options.threads,
        "batch_size": options.batch_size,
        "train_images_per_second": images_per_second(subject.train, *measure),
        "inference_images_per_second": images_per_second(subject.infer, *measure),
        "latency_microseconds": latency_microseconds(subject.infer_one, 100 * options.repeats),
    }
    print(json.dumps([result], indent=2))


if __name__ == "__main__":
    main()
