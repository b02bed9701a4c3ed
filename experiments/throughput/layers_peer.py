"""Measures the layers of layers.json in PyTorch, timm and by formulas.

    python layers_peer.py --framework pytorch --threads 2

prints what `layers` prints of ours.
"""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from peers import PYTORCH
from pytorch_peer import keep_freed_memory
from shapes_peer import pytorch
from timm.layers import SelectAdaptivePool2d
from timm.layers.other_pool import LsePlus2d
from torch import Tensor, nn

LAYERS = json.loads((Path(__file__).resolve().parent / "layers.json").read_text())


class Windows(nn.Module):
    """The values of each window side by side; all of a map without a window."""

    def __init__(self, window: list[int] | None) -> None:
        super().__init__()
        self.window = window

    def forward(self, maps: Tensor) -> Tensor:
        if self.window is None:
            return maps.flatten(2).unsqueeze(2)  # [batch, channels, 1, taps]
        rows, columns = self.window
        return maps.unfold(2, rows, rows).unfold(3, columns, columns).flatten(4)  # [..., taps]


class GeneralisedMean(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full([1], 3.0))

    def forward(self, maps: Tensor) -> Tensor:
        return F.avg_pool2d(maps.clamp(min=1e-6).pow(self.p), maps.shape[-2:]).pow(1 / self.p)


class Mixed(nn.Module):
    def __init__(self, window: list[int]) -> None:
        super().__init__()
        self.window = window
        self.share = nn.Parameter(torch.full([1], 0.5))

    def forward(self, maps: Tensor) -> Tensor:
        return self.share * F.max_pool2d(maps, self.window) + (1 - self.share) * F.avg_pool2d(maps, self.window)


class Gated(nn.Module):
    def __init__(self, window: list[int]) -> None:
        super().__init__()
        self.window = window
        self.gate = nn.Parameter(torch.zeros(1, 1, *window))

    def forward(self, maps: Tensor) -> Tensor:
        planes = maps.flatten(0, 1).unsqueeze(1)  # [batch * channels, 1, height, width]
        share = torch.sigmoid(F.conv2d(planes, self.gate, stride=self.window))
        share = share.view(*maps.shape[:2], *share.shape[2:])
        return share * F.max_pool2d(maps, self.window) + (1 - share) * F.avg_pool2d(maps, self.window)


class Soft(nn.Module):
    """As in the paper's code: sums of exponentials by average pooling."""

    def __init__(self, window: list[int] | None) -> None:
        super().__init__()
        self.window = window

    def forward(self, maps: Tensor) -> Tensor:
        window = self.window or maps.shape[-2:]
        weights = torch.exp(maps)
        return F.avg_pool2d(maps * weights, window) / F.avg_pool2d(weights, window)


class Largest(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, maps: Tensor) -> Tensor:
        return maps.flatten(2).topk(self.count, dim=2).values.mean(dim=2)


class MaxAndAverage(nn.Module):
    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([F.adaptive_max_pool2d(maps, 1), F.adaptive_avg_pool2d(maps, 1)], 1)


def layer(about: dict) -> nn.Module:
    window, output = about.get("window"), about.get("output_size", 1)
    match about["name"]:
        case "max" | "adaptive max":
            return nn.MaxPool2d(window) if window else nn.AdaptiveMaxPool2d(output)
        case "average" | "adaptive average":
            return nn.AvgPool2d(window) if window else nn.AdaptiveAvgPool2d(output)
        case "concatenated":
            return MaxAndAverage()
        case "average and max":
            return SelectAdaptivePool2d(pool_type="avgmax")
        case "mixed":
            return Mixed(window)
        case "gated":
            return Gated(window)
        case "lp 2":
            return nn.LPPool2d(2, window)
        case "lp 3":
            return Lp3()
        case "generalised mean":
            return GeneralisedMean()
        case "log-sum-exp":
            return LsePlus2d(r=1.0, flatten=False)
        case "soft":
            return Soft(window)
        case "top 4":
            return Largest(4)
    raise ValueError(f"unknown layer {about['name']}")


class Lp3(nn.Module):
    """PyTorch's layer wants the size of its window beforehand."""

    def forward(self, maps: Tensor) -> Tensor:
        return F.lp_pool2d(maps, 3, maps.shape[-2:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=PYTORCH, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.framework.endswith("-keep"):
        keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    pairs = [(about, size) for about in LAYERS["layers"] for size in LAYERS["inputs"]]
    print(json.dumps([pytorch(layer(about), size, options.framework) for about, size in pairs], indent=2))


if __name__ == "__main__":
    main()
