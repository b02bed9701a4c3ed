"""A plain training script for PyTorch, as tutorials have it: it knows nothing of burn-pooling.

    plain_pytorch.py MNIST_FOLDER OUT_FOLDER

trains networks and writes each as `state.pt`, `checkpoint.pth`, `old.pt`, `state.safetensors`, `model.onnx` and
`dynamo.onnx` into a folder of its own, with its outputs for the test images as `outputs.npy`.
"""

import gzip
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

MEAN, STD = 0.1307, 0.3081


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.conv2 = nn.Conv2d(16, 24, 3, padding=0)
        self.fc1 = nn.Linear(24 * 5 * 5, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


class OnePooling(nn.Module):
    """The network of PyTorch's own example for MNIST: one pooling, dropout, log-softmax."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1)
        self.conv2 = nn.Conv2d(32, 64, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(9216, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(self.dropout1(x), 1)
        x = self.dropout2(F.relu(self.fc1(x)))
        return F.log_softmax(self.fc2(x), dim=1)


class Normalised(nn.Module):
    """Batch normalisation and padding; by name, the second block comes first."""

    def __init__(self):
        super().__init__()

        def block(channels):
            return nn.ModuleDict({"conv": nn.Conv2d(channels, 12, 3, padding=1, bias=False), "bn": nn.BatchNorm2d(12)})

        self.stem, self.body = block(1), block(12)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(12 * 7 * 7, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x):
        for block in (self.stem, self.body):
            x = F.max_pool2d(F.relu(block["bn"](block["conv"](x))), 2)
        return self.head(x)


class GlobalMax(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5)
        self.pool = nn.AdaptiveMaxPool2d(1)
        self.fc1 = nn.Linear(16, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x))).flatten(1)
        return self.fc2(F.relu(self.fc1(x)))


def read(folder, part):
    def bytes_of(name, skip):
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=skip)

    images = bytes_of(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    images = (torch.tensor(images) / 255.0 - MEAN) / STD
    return images, torch.tensor(bytes_of(f"{part}-labels-idx1-ubyte.gz", 8)).long()


def train(model, images, labels, count):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for batch in torch.randperm(len(images))[:count].split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
    model.eval()
    return optimizer


def outputs(model, images):
    with torch.no_grad():
        return torch.cat([model(batch) for batch in images.split(500)]).numpy()


def save(model, state, optimizer, images, out):
    out.mkdir(parents=True, exist_ok=True)
    torch.save(state, out / "state.pt")
    torch.save(state, out / "old.pt", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 1, "weights": state, "optimizer": optimizer.state_dict()}, out / "checkpoint.pth")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, out / "state.safetensors")
    torch.onnx.export(model, (images[:2],), out / "model.onnx", dynamo=False, input_names=["x"])
    torch.onnx.export(model, (images[:2],), out / "dynamo.onnx", dynamo=True)


def main():
    folder, out = map(Path, sys.argv[1:])
    torch.manual_seed(0)
    torch.set_num_threads(2)
    images, labels = read(folder, "train")
    test_images, _ = read(folder, "t10k")
    for name, model, count in [
        ("two", Net(), 20_000),
        ("one", OnePooling().to(memory_format=torch.channels_last), 3_000),
        ("norms", Normalised(), 5_000),
        ("global", GlobalMax(), 5_000),
    ]:
        optimizer = train(model, images, labels, count)
        # One as on several devices.
        state = (nn.DataParallel(model) if name == "one" else model).state_dict()
        save(model, state, optimizer, images, out / name)
        np.save(out / name / "outputs.npy", outputs(model, test_images))


main()
