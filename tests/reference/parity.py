"""Logits, loss and every gradient of the four models, computed by PyTorch and confirmed by Keras.

    python3.11 -m venv venv
    venv/bin/pip install -r tests/reference/requirements.txt
    venv/bin/python tests/reference/parity.py

writes `parity.safetensors` beside this file; it takes a few seconds.

The batch is the first eight test images of MNIST, pixels divided by 255, with their true labels. PyTorch computes in
float64 from float32 parameters, and the results are stored as float32, so that they are exact:

    <variant>.logits              [8, 10]
    <variant>.loss                [1]      the mean cross-entropy
    <variant>.gradient.<name>              d loss / d parameter

with the variants `max`, `average`, `global-max`, `global-average`. Parameters have the names and layouts that they have
in the Rust models: convolutions [out, in, height, width], linear layers [in, out]; images are flattened channel first.

The parameters themselves are not stored, because a formula makes them, bit for bit, wherever it is evaluated. Element
`i` (row-major) of the parameter with number `t`, its place in `NAMES`, is

    h = splitmix64(SEED * 2^48 + t * 2^32 + i)          all in unsigned 64-bit arithmetic
    u = (h >> 11) * 2^-53                               in float64, 0 <= u < 1
    value = float32((2 * u - 1) * bound)                in float64, then rounded once

    splitmix64(x): z = x + 0x9E3779B97F4A7C15
                   z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
                   z = (z ^ (z >> 27)) * 0x94D049BB133111EB
                   z ^ (z >> 31)                        modulo 2^64

where `bound` is sqrt(6 / (fan_in + fan_out)) for a weight, Glorot's bound, and 0.1 for a bias. The fan of a convolution
counts its kernel's area.

A gradient is only a fair reference where the function is smooth: a rounding error must not change the winner of a
maximum or the side of a ReLU. `SEED` is the first for which `kinks` finds nothing near (`--find-seed` repeats the
search). Equal patches of an image do tie, but the gradients are the same whichever wins: PyTorch picks the first, Keras
shares a global maximum among all of them, and they agree.
"""

import argparse
import gzip
import itertools
import math
import os
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SEED = 254
VARIANTS = ("max", "average", "global-max", "global-average")
NAMES = (
    "stage1.conv.weight",
    "stage1.conv.bias",
    "stage2.conv.weight",
    "stage2.conv.bias",
    "hidden.weight",
    "hidden.bias",
    "output.weight",
    "output.bias",
)
BATCH, SIDE, FILTERS, HIDDEN, CLASSES = 8, 28, 32, 128, 10
# Rounding alone reaches 2e-5 in float32, where global-average's bias gradient adds up 5,408 numbers.
TOLERANCE = 1e-4

HERE = Path(__file__).resolve().parent
MNIST = HERE.parents[1] / "data" / "mnist"

Arrays = dict[str, np.ndarray]
Tensors = dict[str, torch.Tensor]


def batch() -> tuple[np.ndarray, np.ndarray]:
    """Images [8, 28, 28] as float32 in 0..1, and labels [8]."""
    with gzip.open(MNIST / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read()[16:][: BATCH * SIDE * SIDE], np.uint8)
    with gzip.open(MNIST / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read()[8:][:BATCH], np.uint8)
    return pixels.reshape(BATCH, SIDE, SIDE) / np.float32(255), labels.astype(np.int64)


def shapes(variant: str) -> dict[str, tuple[int, ...]]:
    """The parameters of a variant, in the Rust models' layouts."""
    features = FILTERS if variant.startswith("global") else FILTERS * 5 * 5
    weights = {
        "stage1.conv": (FILTERS, 1, 3, 3),
        "stage2.conv": (FILTERS, FILTERS, 3, 3),
        "hidden": (features, HIDDEN),
        "output": (HIDDEN, CLASSES),
    }
    if variant.startswith("global"):
        del weights["stage2.conv"]
    found = {}
    for layer, shape in weights.items():
        found[f"{layer}.weight"] = shape
        found[f"{layer}.bias"] = (shape[0] if layer.endswith("conv") else shape[1],)
    return found


def glorot(shape: tuple[int, ...]) -> float:
    area = math.prod(shape[2:])
    return math.sqrt(6 / ((shape[0] + shape[1]) * area))


def splitmix64(x: np.ndarray) -> np.ndarray:
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def parameter(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    bound = 0.1 if name.endswith("bias") else glorot(shape)
    start = np.uint64((seed << 48) + (NAMES.index(name) << 32))
    bits = splitmix64(start + np.arange(math.prod(shape), dtype=np.uint64))
    fraction = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return ((2 * fraction - 1) * bound).astype(np.float32).reshape(shape)


def parameters(variant: str, seed: int = SEED) -> Arrays:
    return {name: parameter(name, shape, seed) for name, shape in shapes(variant).items()}


def convolution(x: torch.Tensor, p: Tensors, stage: str) -> torch.Tensor:
    return F.conv2d(x, p[f"{stage}.conv.weight"], p[f"{stage}.conv.bias"])


def pool(variant: str, x: torch.Tensor) -> torch.Tensor:
    match variant:
        case "max":
            return F.max_pool2d(x, 2)
        case "average":
            return F.avg_pool2d(x, 2)
        case "global-max":
            return x.flatten(2).max(2).values
        case _:
            return x.mean((2, 3))


def pre_activations(variant: str, x: torch.Tensor, p: Tensors) -> dict[str, torch.Tensor]:
    """What goes into each ReLU, and `output`, the logits."""
    found = {}
    stages = ["stage1"] if variant.startswith("global") else ["stage1", "stage2"]
    for stage in stages:
        found[stage] = convolution(x, p, stage)
        x = pool(variant, F.relu(found[stage]))
    found["hidden"] = x.flatten(1) @ p["hidden.weight"] + p["hidden.bias"]
    found["output"] = F.relu(found["hidden"]) @ p["output.weight"] + p["output.bias"]
    return found


def with_pytorch(variant: str, dtype: torch.dtype) -> Arrays:
    images, labels = batch()
    p = {name: torch.tensor(value, dtype=dtype, requires_grad=True) for name, value in parameters(variant).items()}
    logits = pre_activations(variant, torch.tensor(images, dtype=dtype)[:, None], p)["output"]
    loss = F.cross_entropy(logits, torch.tensor(labels))
    gradients = torch.autograd.grad(loss, list(p.values()))
    found = {"logits": logits, "loss": loss.reshape(1)}
    found |= {f"gradient.{name}": gradient for name, gradient in zip(p, gradients, strict=True)}
    return {name: value.detach().numpy() for name, value in found.items()}


def to_keras(name: str, value: np.ndarray) -> np.ndarray:
    """Keras has the channels last, in kernels as in images, so also in what `Flatten` makes of an image."""
    if name.endswith("conv.weight"):
        return value.transpose(2, 3, 1, 0)
    if name == "hidden.weight":
        return value.reshape(FILTERS, -1, HIDDEN).transpose(1, 0, 2).reshape(-1, HIDDEN)
    return value


def with_keras(variant: str) -> Arrays:
    """The same in float32, in Keras' layouts. A maximum that is reached twice shares its gradient here."""
    import keras
    import tensorflow as tf
    from keras import layers

    pooling = {
        "max": partial(layers.MaxPooling2D, 2),
        "average": partial(layers.AveragePooling2D, 2),
        "global-max": layers.GlobalMaxPooling2D,
        "global-average": layers.GlobalAveragePooling2D,
    }[variant]
    stages = 1 if variant.startswith("global") else 2
    convolutional = [[layers.Conv2D(FILTERS, 3, activation="relu"), pooling()] for _ in range(stages)]
    dense = [layers.Flatten(), layers.Dense(HIDDEN, activation="relu"), layers.Dense(CLASSES)]
    model = keras.Sequential([layers.Input((SIDE, SIDE, 1)), *itertools.chain(*convolutional), *dense])
    values = parameters(variant)
    model.set_weights([to_keras(name, value) for name, value in values.items()])

    images, labels = batch()
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        logits = model(images[..., None])
        loss = loss_of(labels, logits)
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    found = {"logits": logits, "loss": tf.reshape(loss, [1])}
    found |= {f"gradient.{name}": gradient for name, gradient in zip(values, gradients, strict=True)}
    return {name: value.numpy() for name, value in found.items()}


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest error, against the largest value."""
    assert found.shape == expected.shape, (found.shape, expected.shape)
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def runners_up(windows: torch.Tensor) -> torch.Tensor:
    """How far, relative to it, the best other value lies below the positive maxima along the last axis.

    Values equal to 1e-12 come from equal patches of the image: they are the winner again.
    """
    best = windows.max(-1, keepdim=True).values
    gaps = ((best - windows) / best).masked_fill_(windows > best * (1 - 1e-12), math.inf)
    return gaps[best[..., 0] > 0]


def kinks(variant: str, seed: int) -> str | None:
    """The first kink that lies too near: within 1e-4 of a maximum, or 2e-6 of a ReLU's corner."""
    p = {name: torch.tensor(value, dtype=torch.float64) for name, value in parameters(variant, seed).items()}
    values = pre_activations(variant, torch.tensor(batch()[0], dtype=torch.float64)[:, None], p)
    del values["output"]
    for name, value in values.items():
        if variant.endswith("max") and name != "hidden":
            windows = value.flatten(2) if variant == "global-max" else value.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
            if runners_up(windows).min() < 1e-4:
                return f"{name} has two values that compete for a maximum"
            value = windows.max(-1).values
        if value.abs().min() < 2e-6:
            return f"{name} has a value near zero"
    return None


def find_seed() -> int:
    return next(seed for seed in itertools.count() if not any(kinks(variant, seed) for variant in VARIANTS))


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes parity.safetensors; see the head of this file.")
    parser.add_argument("--find-seed", action="store_true", help="only print the first seed without kinks near")
    if parser.parse_args().find_seed:
        print(find_seed())
        return

    fixture = {}
    for variant in VARIANTS:
        assert not kinks(variant, SEED), f"{variant}: {kinks(variant, SEED)}"
        exact = with_pytorch(variant, torch.float64)
        single = with_pytorch(variant, torch.float32)
        keras = with_keras(variant)
        for name, value in exact.items():
            rounding = relative_error(single[name], value)
            other = relative_error(keras[name], to_keras(name.removeprefix("gradient."), value))
            print(f"{variant}.{name}: PyTorch in float32 differs by {rounding:.1e}, Keras by {other:.1e}")
            assert max(rounding, other) < TOLERANCE, "float32 does not confirm the reference"
            fixture[f"{variant}.{name}"] = value.astype(np.float32)
    metadata = {"seed": str(SEED), "torch": torch.__version__.split("+")[0]}
    save_file(fixture, HERE / "parity.safetensors", metadata)


if __name__ == "__main__":
    main()
