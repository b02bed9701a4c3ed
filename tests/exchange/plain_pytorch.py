"""A plain training script for PyTorch, as tutorials have it: it knows nothing of burn-pooling.

    plain_pytorch.py MNIST_FOLDER OUT_FOLDER

writes `state.pt`, `checkpoint.pth`, `state.safetensors` and `model.onnx`, and prints the accuracy on the test images.
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


def read(folder, part):
    def bytes_of(name, skip):
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=skip)

    images = bytes_of(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    images = (torch.tensor(images) / 255.0 - MEAN) / STD
    return images, torch.tensor(bytes_of(f"{part}-labels-idx1-ubyte.gz", 8)).long()


def main():
    folder, out = map(Path, sys.argv[1:])
    torch.manual_seed(0)
    torch.set_num_threads(2)
    images, labels = read(folder, "train")
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for batch in torch.randperm(len(images))[:20_000].split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
    model.eval()
    images, labels = read(folder, "t10k")
    with torch.no_grad():
        correct = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "state.pt")
    torch.save({"epoch": 1, "model_state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}, out / "checkpoint.pth")
    save_file(model.state_dict(), out / "state.safetensors")
    torch.onnx.export(model, (images[:2],), out / "model.onnx", dynamo=False, input_names=["x"])
    torch.onnx.export(model, (images[:2],), out / "dynamo.onnx", dynamo=True, external_data=False)
    print(correct / len(images))


main()
