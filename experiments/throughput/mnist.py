"""MNIST as the repository has it: bytes in memory, and endless shuffled batches of indices."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "data" / "mnist"


def load(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images [N, 28, 28] and labels [N], both uint8, of the part `train` or `t10k`."""
    with gzip.open(FOLDER / f"{part}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(FOLDER / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images.copy(), labels.copy()


def shuffled_batches(images: int, batch_size: int) -> Iterator[np.ndarray]:
    """Indices of whole batches, shuffled anew every epoch, without end."""
    generator = np.random.default_rng(1)
    while True:
        order = generator.permutation(images)
        yield from (order[start : start + batch_size] for start in range(0, images - batch_size + 1, batch_size))
