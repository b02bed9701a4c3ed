"""Data sets as NumPy saves them, in the layout of Keras' mnist.npz, with the values in the order of the Rust images.

    python3.11 -m venv venv
    venv/bin/pip install numpy==2.4.6      # as in tests/reference/requirements.txt
    venv/bin/python tests/reference/npz.py

writes the folder `npz` and `npz.json` beside this file, which `tests/npz.rs` reads. The archives hold the time at which
they were written, so that their bytes differ each time.

Value `i` (row-major) of an array of images is (7 i + 3) modulo 256, label `i` is 2 i modulo 5. Of each file `npz.json`
has either

    {"channels", "size": [height, width],
     "train": {"pixels", "labels"}, "test": {"pixels", "labels"}}        pixels [image, channel, row, column], flat

or {"error"}, words that the error must contain.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "npz"

expected = {}


def images(*shape, dtype=np.uint8):
    return ((7 * np.arange(np.prod(shape)) + 3) % 256).reshape(shape).astype(dtype)


def labels(count, dtype=np.uint8):
    return (2 * np.arange(count) % 5).astype(dtype)


def arrays(*size, images_dtype=np.uint8, labels_dtype=np.uint8):
    """Three training and two test images."""
    return {
        "x_train": images(3, *size, dtype=images_dtype),
        "y_train": labels(3, labels_dtype),
        "x_test": images(2, *size, dtype=images_dtype),
        "y_test": labels(2, labels_dtype),
    }


def part(x, y):
    x = x.reshape(*x.shape[:3], -1)  # [image, row, column, channel]
    return {"pixels": np.moveaxis(x, 3, 1).ravel().tolist(), "labels": y.ravel().tolist()}


def good(name, saved, save=np.savez):
    save(FOLDER / f"{name}.npz", **saved)
    x = saved["x_train"]
    expected[name] = {
        "channels": x.shape[3] if x.ndim == 4 else 1,
        "size": list(x.shape[1:3]),
        "train": part(x, saved["y_train"]),
        "test": part(saved["x_test"], saved["y_test"]),
    }


def bad(name, words, **changed):
    saved = arrays(4, 5) | changed
    np.savez(FOLDER / f"{name}.npz", **{key: value for key, value in saved.items() if value is not None})
    expected[name] = {"error": words}


def save_version_2(path, **saved):
    """As numpy.savez does where a header is longer than 65,535 bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in saved.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, array, version=(2, 0))


def main():
    FOLDER.mkdir(exist_ok=True)
    good("grey", arrays(4, 5))
    good("grey_packed", arrays(4, 5), np.savez_compressed)
    good("one_channel", arrays(4, 5, 1))
    good("colour_packed", arrays(4, 5, 3), np.savez_compressed)
    cifar = arrays(4, 5, 3)
    good("cifar", cifar | {name: cifar[name].reshape(-1, 1) for name in ["y_train", "y_test"]})
    for name, size in [("fortran_grey", (4, 5)), ("fortran_colour", (4, 5, 3))]:
        good(name, {key: np.asfortranarray(array) for key, array in arrays(*size).items()})
    good("wide", arrays(4, 5, images_dtype=np.int64, labels_dtype=np.int32))
    good("big_endian", arrays(4, 5, images_dtype=">u2", labels_dtype=">i8"))
    good("signed_labels", arrays(4, 5, labels_dtype=np.int8))
    good("further_arrays", arrays(4, 5) | {"names": np.array(["zero", "one"], dtype=object)})
    good("version_2", arrays(4, 5), save_version_2)

    integers = "expected integers, found values of the type"
    bad("floats", f"x_train: {integers} '<f4'", x_train=images(3, 4, 5) / np.float32(255))
    bad("truths", f"y_test: {integers} '|b1'", y_test=np.array([True, False]))
    bad("pickled", f"y_train: {integers} '|O'", y_train=np.array([1, 2, 3], dtype=object))
    bad("structured", "y_train: expected an array in NumPy's .npy format", y_train=np.zeros(3, [("label", "u1")]))
    bad("negative", "y_test: expected integers from 0 to 255, found -1", y_test=np.array([1, -1], np.int16))
    bad("too_large", "y_train: expected integers from 0 to 255, found 256", y_train=np.array([1, 256, 300]))
    largest = "x_test: expected integers from 0 to 255, found 18446744073709551615"
    bad("largest", largest, x_test=np.full((2, 4, 5), 2**64 - 1, np.uint64))
    bad("one_hot", "y_train: expected labels [n] or [n, 1]", y_train=np.eye(3, dtype=np.uint8))
    bad("channels_first", "x_train: expected images [n, height, width] or [n, height, width, channels], which `.transpose(0, 2, 3, 1)` makes", x_train=images(3, 3, 4, 5))
    bad("flat", "x_train: expected images [n, height, width]", x_train=images(3, 20))
    bad("number", "y_train: expected labels", y_train=np.uint8(1))
    bad("missing", "expected an array y_test, found x_train.npy, y_train.npy, x_test.npy", y_test=None)
    bad("no_images", "x_test: expected at least one item", x_test=images(0, 4, 5))
    bad("counts", "y_test: expected 2 labels, as many as images in", y_test=labels(3))
    bad("sizes", "expected images of 1x4x5 (channels, height, width), as in", x_test=images(2, 5, 4))
    (HERE / "npz.json").write_text("\n".join(lines()) + "\n")


def lines():
    """One line for each file."""
    entries = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in sorted(expected.items())]
    return ["{", ",\n".join(entries), "}"]


main()
