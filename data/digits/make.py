"""Writes the four IDX files of this folder from scikit-learn's digits: pip install scikit-learn==1.9.1"""

import gzip
import struct
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FOLDER = Path(__file__).parent
BLOCK, EVERY = 10, 5  # the digits come in turns of ten: every fifth block of ten is for testing


def write(name, magic, array):
    header = struct.pack(f">I{array.ndim}I", magic, *array.shape)
    packed = gzip.compress(header + array.astype(np.uint8).tobytes(), compresslevel=9, mtime=0)
    (FOLDER / f"{name}.gz").write_bytes(packed)


digits = load_digits()
images = np.round(digits.images * 255 / 16)  # grey values: 0 to 16 as 0 to 255
test = np.arange(len(images)) // BLOCK % EVERY == EVERY - 1
for prefix, chosen in [("train", ~test), ("t10k", test)]:
    write(f"{prefix}-images-idx3-ubyte", 0x803, images[chosen])
    write(f"{prefix}-labels-idx1-ubyte", 0x801, digits.target[chosen])
