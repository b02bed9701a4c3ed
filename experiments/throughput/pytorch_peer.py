"""The four models in PyTorch, with the layers and settings that are fastest on a CPU."""

import ctypes

import torch
import torch.nn.functional as F
from torch import nn

import mnist


def keep_freed_memory() -> None:
    """Has glibc keep what tensors free: else it goes back to the system, and every step faults its pages in again."""
    libc = ctypes.CDLL(None)
    trim_threshold, mmap_threshold = -1, -3
    assert libc.mallopt(trim_threshold, 2**31 - 1) and libc.mallopt(mmap_threshold, 2**30)


def model(variant: str) -> nn.Module:
    first, second = [nn.Conv2d(1, 32, 3), nn.ReLU()], [nn.Conv2d(32, 32, 3), nn.ReLU()]
    stages = {
        "max": [*first, nn.MaxPool2d(2), *second, nn.MaxPool2d(2)],
        "average": [*first, nn.AvgPool2d(2), *second, nn.AvgPool2d(2)],
        "global-max": [*first, nn.AdaptiveMaxPool2d(1)],
        "global-average": [*first, nn.AdaptiveAvgPool2d(1)],
    }[variant]
    features = 32 if variant.startswith("global") else 800
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 10))


def memory_format(mode: str) -> torch.memory_format:
    return torch.contiguous_format if mode in ("pytorch", "pytorch-keep") else torch.channels_last


class Peer:
    def __init__(self, mode: str, variant: str, threads: int, batch_size: int) -> None:
        if mode.endswith("-keep"):
            keep_freed_memory()
        torch.set_num_threads(threads)
        torch.manual_seed(1)
        images, labels = mnist.load("train")
        self.images = torch.from_numpy(images)[:, None]
        self.labels = torch.from_numpy(labels).long()
        self.batches = mnist.shuffled_batches(len(images), batch_size)
        self.format = memory_format(mode)
        self.model = model(variant).to(memory_format=self.format)
        self.forward = torch.compile(self.model, dynamic=False) if "compile" in mode else self.model
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, (0.9, 0.999), 1e-7, fused=True)

    def gather(self, indices: torch.Tensor) -> torch.Tensor:
        return self.images[indices].to(torch.float32, memory_format=self.format).div_(255)

    def train(self, steps: int) -> None:
        self.model.train()
        for _ in range(steps):
            indices = torch.from_numpy(next(self.batches))
            loss = F.cross_entropy(self.forward(self.gather(indices)), self.labels[indices])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()

    @torch.inference_mode()
    def infer(self, batches: int) -> None:
        self.model.eval()
        for _ in range(batches):
            self.forward(self.gather(torch.from_numpy(next(self.batches))))

    @torch.inference_mode()
    def infer_one(self) -> None:
        self.model.eval()
        self.forward(self.gather(torch.from_numpy(next(self.batches)[:1])))
