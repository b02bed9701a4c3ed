"""Checks what `burn-pooling export` writes and `burn-pooling import` reads against the frameworks themselves.

    check.py COMMAND MNIST_FOLDER WORK_FOLDER

Trains the four networks, exports each in every format, and compares the logits of all 10,000 test images; imports every
file again; imports networks that PyTorch and Keras trained, and compares the same.
"""

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file

LIMIT = 1e-4
COMMAND, MNIST, WORK = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def pooling(*words):
    """Runs the command; returns what it prints."""
    result = subprocess.run([COMMAND, *map(str, words)], capture_output=True, text=True)
    assert result.returncode == 0, (words, result.stdout, result.stderr)
    return result.stdout


def idx(name, skip):
    return np.frombuffer(gzip.decompress((MNIST / name).read_bytes()), np.uint8, offset=skip)


IMAGES = (idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28) / 255).astype(np.float32)
LABELS = idx("t10k-labels-idx1-ubyte.gz", 8)
CHANNELS_LAST = IMAGES.transpose(0, 2, 3, 1)


def in_batches(predict, images):
    return np.concatenate([np.asarray(predict(images[start : start + 500])) for start in range(0, len(images), 500)])


def evaluate(run):
    """The accuracy of a run, and its logits."""
    file = WORK / "logits.safetensors"
    accuracy = json.loads(pooling("evaluate", run, "--json", "--logits", file))["accuracy"]
    return accuracy, load_file(file)["logits"]


def compare(what, logits, expected):
    distance = float(np.abs(logits - expected).max())
    accuracies = [float((each.argmax(1) == LABELS).mean()) for each in (logits, expected)]
    print(f"{what}: largest difference of logits {distance:.1e}, accuracy {accuracies[0]:.4f}", flush=True)
    assert distance < LIMIT and accuracies[0] == accuracies[1], what


def onnx_logits(path, images=IMAGES):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return in_batches(lambda batch: session.run(None, {name: batch})[0], images)


def pytorch_module(path):
    specification = importlib.util.spec_from_file_location("exported", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.load()


def pytorch_logits(path, images=IMAGES):
    model = pytorch_module(path.with_suffix(".py"))
    with torch.no_grad():
        return in_batches(lambda batch: model(torch.from_numpy(batch)), images)


def keras_logits(path, images=CHANNELS_LAST):
    model = keras.saving.load_model(path)
    return in_batches(lambda batch: model.predict_on_batch(batch), images)


FORMATS = {
    "onnx": ("onnx", onnx_logits),
    "pytorch": ("safetensors", pytorch_logits),
    "keras": ("keras", keras_logits),
    "safetensors": ("safetensors", None),
}


def round_trips(variant, run):
    accuracy, expected = evaluate(run)
    for name, (extension, logits) in FORMATS.items():
        path = WORK / f"{variant}-{name}.{extension}"
        pooling("export", run, "--to", name, "--out", path)
        if logits:
            compare(f"{variant} in {name}", logits(path), expected)
        again = WORK / f"{variant}-{name}-again"
        pooling("import", path, "--variant", variant, "--out", again)
        again_accuracy, again_logits = evaluate(again)
        compare(f"{variant} through {name}", again_logits, expected)
        assert again_accuracy == accuracy
    softmax = WORK / f"{variant}-softmax.onnx"
    pooling("export", run, "--to", "onnx", "--softmax", "--out", softmax)
    probabilities = torch.softmax(torch.from_numpy(expected), 1).numpy()
    assert np.abs(onnx_logits(softmax) - probabilities).max() < LIMIT


def other_sizes(variant):
    """Global pooling takes images of any size, in every format."""
    large = np.random.default_rng(0).random((3, 1, 40, 33), np.float32)
    first = onnx_logits(WORK / f"{variant}-onnx.onnx", large)
    for logits in [
        pytorch_logits(WORK / f"{variant}-pytorch.safetensors", large),
        keras_logits(WORK / f"{variant}-keras.keras", large.transpose(0, 2, 3, 1)),
    ]:
        assert np.abs(logits - first).max() < LIMIT


def plain_pytorch():
    """Networks of a script that knows nothing of burn-pooling, in every file that it may write."""
    script = Path(__file__).with_name("plain_pytorch.py")
    subprocess.run([sys.executable, script, MNIST, WORK / "plain"], check=True, stdout=subprocess.DEVNULL)
    for network, variant in [("two", "max"), ("one", "max"), ("norms", "max"), ("global", "gmp")]:
        folder = WORK / "plain" / network
        for name in ["state.pt", "checkpoint.pth", "old.pt", "state.safetensors", "model.onnx", "dynamo.onnx"]:
            run = WORK / f"plain-{network}-{name}"
            words = ["--variant", variant, "--mean", "0.1307", "--std", "0.3081", "--out", run]
            pooling("import", folder / name, *words)
            _, found = evaluate(run)
            if network == "one":
                found = torch.log_softmax(torch.tensor(found), 1).numpy()
            compare(f"PyTorch's {network} in {name}", found, np.load(folder / "outputs.npy"))


def plain_keras():
    """A network that Keras made, with other sizes and padding, as a file of each kind."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(8, 5, padding="same", activation="relu"),
        layers.AveragePooling2D(2),
        layers.Conv2D(12, 3, padding="same", activation="relu"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(40, activation="relu"),
        layers.Dense(10),
    ])
    expected = in_batches(lambda batch: model.predict_on_batch(batch), CHANNELS_LAST)
    for name, save in [("model.keras", model.save), ("model.weights.h5", model.save_weights), ("model.h5", model.save)]:
        save(WORK / name)
        run = WORK / f"keras-{name}"
        pooling("import", WORK / name, "--variant", "average", "--out", run)
        compare(f"a network of Keras in {name}", evaluate(run)[1], expected)


def main():
    WORK.mkdir(parents=True)
    for variant in ["max", "average", "gmp", "gap"]:
        run = WORK / variant
        pooling("--quiet", "--variant", variant, "--epochs", 1, "--out", run)
        round_trips(variant, run)
        if variant in ("gmp", "gap"):
            other_sizes(variant)
    plain_pytorch()
    plain_keras()
    before, _ = evaluate(WORK / "plain-two-state.pt")
    pooling("--resume", WORK / "plain-two-state.pt", "--epochs", 1, "--quiet")
    after, _ = evaluate(WORK / "plain-two-state.pt")
    print(f"an imported network, trained for one more epoch: accuracy {after:.4f}, before {before:.4f}")
    assert after > before


main()
