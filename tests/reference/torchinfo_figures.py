"""What PyTorch says of the networks in tests/summary_models.rs.

    python3.11 -m venv venv
    venv/bin/pip install -r torchinfo_requirements.txt
    venv/bin/python torchinfo_figures.py > torchinfo_figures.json

Two references for each network:

- torchinfo: parameters, output shape and multiply-adds of each layer;
- PyTorch's FlopCounterMode: floating-point operations of the forward and of the backward pass
  from the sum of the output. One multiply-add is two of them.
"""

import json
import math
import sys

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchinfo import summary


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(32)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(32 * 8 * 8, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.norm1(self.conv1(x))))
        x = self.pool(torch.relu(self.norm2(self.conv2(x))))
        return self.head(self.dropout(x.flatten(1)))


class LstmClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        x, _ = self.lstm(x)
        return self.head(x[:, -1])


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x):
        batch, length, width = x.shape
        split = lambda x: x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        query, key, value = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = query @ key.transpose(2, 3) / math.sqrt(width // self.heads)
        context = scores.softmax(-1) @ value
        return self.output(context.transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.linear_inner = nn.Linear(width, inner)
        self.linear_outer = nn.Linear(inner, width)

    def forward(self, x):
        return self.linear_outer(nn.functional.gelu(self.linear_inner(x)))


class EncoderLayer(nn.Module):
    def __init__(self, width, inner, heads):
        super().__init__()
        self.mha = Attention(width, heads)
        self.norm_1 = nn.LayerNorm(width)
        self.pwff = FeedForward(width, inner)
        self.norm_2 = nn.LayerNorm(width)

    def forward(self, x):
        x = self.norm_1(x + self.mha(x))
        return self.norm_2(x + self.pwff(x))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([EncoderLayer(32, 64, 4) for _ in range(2)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(100, 32)
        self.position = nn.Embedding(64, 32)
        self.encoder = Encoder()
        self.head = nn.Linear(32, 4)

    def forward(self, tokens):
        positions = torch.arange(tokens.shape[1]).expand_as(tokens)
        return self.head(self.encoder(self.token(tokens) + self.position(positions)))


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2)

    def forward(self, x):
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.blocks = nn.ModuleList([Block(8, 16), Block(16, 32)])
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


class DepthwiseSeparable(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.pointwise = nn.Conv2d(16, 32, 1)

    def forward(self, x):
        return torch.relu(self.pointwise(self.depthwise(torch.relu(self.stem(x)))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(16, 8 * 7 * 7)
        self.up1 = nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
        self.up2 = nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1)

    def forward(self, x):
        x = torch.relu(self.project(x)).view(-1, 8, 7, 7)
        return torch.sigmoid(self.up2(torch.relu(self.up1(x))))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        return self.head(torch.relu(self.layer(torch.relu(self.layer(x)))))


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 4)
        self.spare = nn.Linear(8, 16)

    def forward(self, x):
        return self.layer(x)


NETWORKS = {
    "cnn": (Cnn, (2, 3, 32, 32)),
    "lstm": (LstmClassifier, (2, 12, 16)),
    "transformer": (TextEncoder, (2, 16)),
    "residual": (Residual, (2, 3, 32, 32)),
    "depthwise": (DepthwiseSeparable, (2, 3, 32, 32)),
    "decoder": (Decoder, (2, 16)),
    "shared": (Shared, (2, 8)),
    "unused": (Unused, (2, 8)),
}


def flops(network, inputs):
    network.train()
    # oneDNN's fused LSTM is one operation that the counter does not know.
    with torch.backends.mkldnn.flags(enabled=False):
        with FlopCounterMode(display=False) as forward:
            output = network(inputs)
        with FlopCounterMode(display=False) as backward:
            output.sum().backward()
    return {"forward": forward.get_total_flops(), "backward": backward.get_total_flops()}


def layer(info):
    own = dict(info.module.named_parameters(recurse=False))
    biases = [value.numel() for name, value in own.items() if "bias" in name]
    return {
        "path": path(info),
        "class": info.class_name,
        "params": info.num_params,
        "bias": sum(biases),
        "output": info.output_size,
        "mult_adds": info.macs,
        "recursive": info.is_recursive,
    }


def path(info):
    names = []
    while info.parent_info is not None:
        names.append(info.var_name)
        info = info.parent_info
    return ".".join(reversed(names))


def figures(make, shape):
    torch.manual_seed(0)
    network = make()
    inputs = torch.randint(0, 64, shape) if len(shape) == 2 and make is TextEncoder else torch.rand(shape)
    report = summary(network, input_data=inputs, verbose=0, mode="train", col_names=("output_size",))
    leaves = [info for info in report.summary_list if info.is_leaf_layer]
    return {
        "input": list(shape),
        "params": report.total_params,
        "trainable_params": report.trainable_params,
        "mult_adds": report.total_mult_adds,
        "layers": [layer(info) for info in leaves],
        "flops": flops(network, inputs),
    }


def main():
    result = {
        "torch": torch.__version__,
        "networks": {name: figures(*network) for name, network in NETWORKS.items()},
    }
    json.dump(result, sys.stdout, indent=1)
    print()


main()
