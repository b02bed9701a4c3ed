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


class BasicBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + x)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.layer1 = nn.ModuleList([BasicBlock(8), BasicBlock(8)])
        self.layer2 = nn.ModuleList([BasicBlock(8), BasicBlock(8)])
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        for block in [*self.layer1, *self.layer2]:
            x = block(x)
        return self.fc(x.mean((2, 3)))


class ConvNorm(nn.Module):
    def __init__(self, inputs, outputs, kernel, groups=1, activation=torch.nn.functional.relu6):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = activation

    def forward(self, x):
        return self.activation(self.norm(self.conv(x)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        wide = 2 * inputs
        linear = ConvNorm(wide, outputs, 1, activation=lambda x: x)
        self.layers = nn.ModuleList([ConvNorm(inputs, wide, 1), ConvNorm(wide, wide, 3, groups=wide), linear])
        self.adds = inputs == outputs

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer(y)
        return y + x if self.adds else y


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvNorm(3, 8, 3)
        self.blocks = nn.ModuleList([InvertedResidual(8, 8), InvertedResidual(8, 12)])
        self.classifier = nn.Linear(12, 10)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(x.mean((2, 3)))


class BaseConv(nn.Module):
    def __init__(self, inputs, outputs, kernel):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return nn.functional.silu(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = BaseConv(4, 4, 1)
        self.conv2 = BaseConv(4, 4, 3)

    def forward(self, x):
        return self.conv2(self.conv1(x)) + x


class CspBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = BaseConv(8, 4, 1)
        self.conv2 = BaseConv(8, 4, 1)
        self.conv3 = BaseConv(8, 8, 1)
        self.m = nn.ModuleList([Bottleneck(), Bottleneck()])

    def forward(self, x):
        a, b = self.conv1(x), self.conv2(x)
        for block in self.m:
            a = block(a)
        return self.conv3(torch.cat([a, b], 1))


class AlbertEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(100, 8)
        self.position = nn.Embedding(32, 8)
        self.norm = nn.LayerNorm(8)
        self.dropout = nn.Dropout(0.1)

    def forward(self, tokens):
        positions = torch.arange(tokens.shape[1]).expand_as(tokens)
        return self.dropout(self.norm(self.word(tokens) + self.position(positions)))


class AlbertLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention(16, 4)
        self.norm1 = nn.LayerNorm(16)
        self.ffn = nn.Linear(16, 64)
        self.ffn_output = nn.Linear(64, 16)
        self.norm2 = nn.LayerNorm(16)

    def forward(self, x):
        y = self.norm1(self.attention(x) + x)
        return self.norm2(self.ffn_output(nn.functional.gelu(self.ffn(y))) + y)


class AlbertEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.mapping = nn.Linear(8, 16)
        self.layer = AlbertLayer()

    def forward(self, x):
        x = self.mapping(x)
        for _ in range(4):
            x = self.layer(x)
        return x


class AlbertHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(16, 8)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        return self.norm(nn.functional.gelu(self.dense(x)))


class Albert(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = AlbertEmbeddings()
        self.encoder = AlbertEncoder()
        self.head = AlbertHead()

    def forward(self, tokens):
        x = self.head(self.encoder(self.embeddings(tokens)))
        return x @ self.embeddings.word.weight.T


class SwiGlu(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear_inner = nn.Linear(16, 32, bias=False)
        self.linear_outer = nn.Linear(16, 32, bias=False)

    def forward(self, x):
        return nn.functional.silu(self.linear_inner(x)) * self.linear_outer(x)


class LlamaFeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.swiglu = SwiGlu()
        self.w2 = nn.Linear(32, 16, bias=False)

    def forward(self, x):
        return self.w2(self.swiglu(x))


class LlamaAttention(nn.Module):
    """Without the rotary encoding, which has no parameters, and whose products depend on how it is written."""

    def __init__(self):
        super().__init__()
        self.q = nn.Linear(16, 16, bias=False)
        self.k = nn.Linear(16, 16, bias=False)
        self.v = nn.Linear(16, 16, bias=False)
        self.o = nn.Linear(16, 16, bias=False)

    def forward(self, x):
        batch, length, width = x.shape
        split = lambda x: x.view(batch, length, 4, width // 4).transpose(1, 2)
        q, k, v = split(self.q(x)), split(self.k(x)), split(self.v(x))
        context = (q @ k.transpose(2, 3) / 2).softmax(-1) @ v
        return self.o(context.transpose(1, 2).reshape(batch, length, width))


class LlamaBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention_norm = nn.RMSNorm(16)
        self.attention = LlamaAttention()
        self.ffn_norm = nn.RMSNorm(16)
        self.feed_forward = LlamaFeedForward()

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.ffn_norm(x))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.layers = nn.ModuleList([LlamaBlock() for _ in range(3)])
        self.norm = nn.RMSNorm(16)
        self.output = nn.Linear(16, 50, bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.layers:
            x = block(x)
        return self.output(self.norm(x))


NETWORKS = {
    "cnn": (Cnn, (2, 3, 32, 32)),
    "lstm": (LstmClassifier, (2, 12, 16)),
    "transformer": (TextEncoder, (2, 16)),
    "residual": (Residual, (2, 3, 32, 32)),
    "depthwise": (DepthwiseSeparable, (2, 3, 32, 32)),
    "decoder": (Decoder, (2, 16)),
    "shared": (Shared, (2, 8)),
    "unused": (Unused, (2, 8)),
    "resnet": (ResNet, (2, 3, 16, 16)),
    "mobilenet": (MobileNet, (2, 3, 16, 16)),
    "csp": (CspBlock, (2, 8, 16, 16)),
    "albert": (Albert, (2, 5)),
    "llama": (Llama, (2, 5)),
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
    inputs = torch.randint(0, 50, shape) if make in (TextEncoder, Albert, Llama) else torch.rand(shape)
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
