"""Outputs and all gradients of pooling layers, computed in float64 by PyTorch, timm and kornia.

    python3.11 -m venv venv
    venv/bin/pip install -r tests/reference/pooling_requirements.txt
    venv/bin/python tests/reference/pooling.py

writes `pooling.safetensors` beside this file, the same bytes each time; it takes a few seconds. What no library has is
a formula in this file: generalised mean (Radenovic 2018), windowed log-sum-exp (Pinheiro 2015), mixed and gated (Lee
2016), SoftPool (Stergiou 2021), the blur of adobe/antialiased-cnns (Zhang 2019), spatial pyramid (He 2014), the
attention pooling of openai/CLIP (Radford 2021), the mean of the k largest.

A case NAME consists of the tensors

    NAME.input, NAME.output, NAME.towards, NAME.input_gradient     the gradients of sum(output * towards)
    NAME.<parameter>, NAME.<parameter>_gradient                    if the layer has parameters
    NAME.indices                                                   positions in the flattened map, int32; what max
                                                                   pooling returns, what unpooling is given

and of the metadata NAME, a JSON object {"layer", "options", "reference"}: the options are the arguments of the
reference, a function of a library or "formula". NAME has no dot, as some parameters have. The metadata "versions" tells
the libraries and is no case.

All that goes in is a float32, so that ties are the same in float32 and float64; what comes out is rounded to float32
once. Each case draws its numbers from a seed made of its name, so that further cases change no other one.
"""

import functools
import itertools
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path

import kornia
import timm
import timm.layers
import timm.layers.other_pool
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

HERE = Path(__file__).resolve().parent
NAN, INF = math.nan, math.inf
FUNCTIONAL = "torch.nn.functional."
LARGEST_FILE = 400_000

Numbers = tuple[int, ...] | Tensor | Callable[[], Tensor]  # a shape of normal numbers, the numbers, how to draw them

tensors: dict[str, Tensor] = {}
metadata: dict[str, str] = {}


# Cases


def drawn(numbers: Numbers) -> Tensor:
    """Float64 numbers that float32 can hold."""
    if isinstance(numbers, tuple):
        numbers = torch.randn(numbers)
    elif not isinstance(numbers, Tensor):
        numbers = numbers()
    return numbers.float().double()


def case(
    name: str,
    layer: str,
    reference: str,
    function: Callable,
    numbers: Numbers,
    parameters: dict[str, Numbers] | None = None,
    indices: Tensor | None = None,
    finite: bool = True,
    **options,
) -> None:
    """Adds a case of `function(input, **parameters, **options)`."""
    assert name not in metadata and "." not in name, name
    torch.manual_seed(zlib.crc32(name.encode()))
    given = {"input": drawn(numbers)} | {key: drawn(value) for key, value in (parameters or {}).items()}
    leaves = {key: value.clone().requires_grad_() for key, value in given.items()}
    arguments = options | {key: value for key, value in leaves.items() if key != "input"}
    if indices is not None:
        arguments["indices"] = indices
    output = function(leaves["input"], **arguments)
    if isinstance(output, tuple):
        output, indices = output
    towards = drawn(tuple(output.shape))
    output.backward(towards)
    found = given | {"output": output.detach(), "towards": towards}
    found |= {f"{key}_gradient": leaf.grad for key, leaf in leaves.items()}
    assert not finite or all(value.isfinite().all() for value in found.values()), name
    if indices is not None:
        tensors[f"{name}.indices"] = indices.to(torch.int32)
    for key, value in found.items():
        tensors[f"{name}.{key}"] = value.float().contiguous()
    options = {key: "infinity" if value == INF else value for key, value in options.items()}
    metadata[name] = json.dumps({"layer": layer, "options": options, "reference": reference}, allow_nan=False)


def underscored(number: float) -> str:
    return f"{number:g}".replace(".", "_")


def values(*rows: list[float]) -> Tensor:
    """A map [1, 1, rows, columns], or [1, 1, columns] of one row."""
    return torch.tensor(rows if len(rows) == 1 else [rows]).unsqueeze(0)


def positive(*shape: int) -> Callable[[], Tensor]:
    return lambda: torch.rand(shape) + 0.1


def scaled(factor: float, *shape: int, plus: float = 0.0) -> Callable[[], Tensor]:
    return lambda: torch.randn(shape) * factor + plus


def whole_numbers(*shape: int) -> Callable[[], Tensor]:
    """Numbers from 0 to 2, which tie."""
    return lambda: torch.randint(3, shape)


# Formulas


def regions(x: Tensor, kernel_size: list[int] | None = None, stride: list[int] | None = None) -> Tensor:
    """[batch, channels, *positions, values]: what each window holds; without a kernel, one holds the whole map."""
    if kernel_size is None:
        return x.flatten(2).reshape(*x.shape[:2], *[1] * (x.dim() - 2), -1)
    for axis, (size, step) in enumerate(zip(kernel_size, stride, strict=True), start=2):
        x = x.unfold(axis, size, step)
    return x.flatten(2 + len(kernel_size))


def per_channel(parameter: Tensor, x: Tensor) -> Tensor:
    """A parameter of one value, or of one for each channel, in the shape that spreads over `x`."""
    return parameter.reshape(-1, *[1] * (x.dim() - 2))


def generalised_mean(x: Tensor, p: Tensor, eps: float, **window) -> Tensor:
    p = per_channel(p, x)
    return regions(x, **window).clamp(min=eps).pow(p[..., None]).mean(-1).pow(1 / p)


def power_sum(x: Tensor, norm_type: float, **window) -> Tensor:
    """The true norm of each window, unlike PyTorch's; the gradient of an empty window is zero, as in PyTorch's."""
    held = regions(x, **window)
    nonzero = held.ne(0).any(-1)
    powers = torch.where(nonzero[..., None], held, 1).abs().pow(norm_type).sum(-1)
    return torch.where(nonzero, powers.pow(1 / norm_type), 0)


def log_mean_exp(x: Tensor, r: Tensor, **window) -> Tensor:
    held, r = regions(x, **window), per_channel(r, x)
    return (torch.logsumexp(held * r[..., None], -1) - math.log(held.shape[-1])) / r


def log_mean_exp_of_timm(x: Tensor, r: Tensor) -> Tensor:
    layer = timm.layers.other_pool.LsePlus2d(flatten=False, dtype=torch.float64)
    return torch.func.functional_call(layer, {"r": r.squeeze()}, x)


def soft_pool(x: Tensor, **window) -> Tensor:
    held = regions(x, **window)
    return (held.softmax(-1) * held).sum(-1)


def mixed(x: Tensor, mix: Tensor, sigmoid: bool, **window) -> Tensor:
    share = per_channel(mix.sigmoid() if sigmoid else mix, x)
    return share * F.max_pool2d(x, **window) + (1 - share) * F.avg_pool2d(x, **window)


def gated(x: Tensor, gate: Tensor, **window) -> Tensor:
    """The gate has the shape [1 or channels, *kernel_size]."""
    share = (regions(x, **window) * gate.flatten(1)[:, None, None]).sum(-1).sigmoid()
    return share * F.max_pool2d(x, **window) + (1 - share) * F.avg_pool2d(x, **window)


def blur(x: Tensor, filter_size: int, stride: int, padding: str) -> Tensor:
    """The blur of antialiased-cnns 0.3, `BlurPool` and `BlurPool1D`."""
    axes, channels = x.dim() - 2, x.shape[1]
    row = torch.tensor([math.comb(filter_size - 1, i) for i in range(filter_size)]).double() / 2 ** (filter_size - 1)
    kernel = row if axes == 1 else torch.outer(row, row)
    amounts = [(filter_size - 1) // 2, filter_size // 2] * axes
    padded = F.pad(x, amounts, mode={"zero": "constant"}.get(padding, padding))
    convolve = F.conv1d if axes == 1 else F.conv2d
    return convolve(padded, kernel.expand(channels, 1, *kernel.shape), stride=stride, groups=channels)


def max_blur(x: Tensor, max_kernel_size: int, **options) -> Tensor:
    return blur(F.max_pool2d(x, max_kernel_size, stride=1), **options)


def average_blur(x: Tensor, average_kernel_size: int, **options) -> Tensor:
    return blur(F.avg_pool2d(x, average_kernel_size, stride=1), **options)


def blur_of_timm(x: Tensor, filt_size: int, stride: int, pad_mode: str) -> Tensor:
    return timm.layers.BlurPool2d(None, filt_size, stride, pad_mode, dtype=torch.float64)(x)


def max_then_average(x: Tensor, output_size: list[int]) -> Tensor:
    maxima = F.adaptive_max_pool1d if x.dim() == 3 else F.adaptive_max_pool2d
    means = F.adaptive_avg_pool1d if x.dim() == 3 else F.adaptive_avg_pool2d
    return torch.cat([maxima(x, output_size), means(x, output_size)], 1)


def select_adaptive(x: Tensor, output_size: list[int] | int, pool_type: str) -> Tensor:
    return timm.layers.SelectAdaptivePool2d(output_size=output_size, pool_type=pool_type)(x)


def spatial_pyramid(x: Tensor, levels: list[int]) -> Tensor:
    return torch.cat([F.adaptive_max_pool2d(x, level).flatten(1) for level in levels], 1)


def mean_of_largest(x: Tensor, k: int) -> Tensor:
    """Of equal values the first counts, which `torch.topk` does not promise."""
    return regions(x).sort(dim=-1, descending=True, stable=True).values[..., :k].mean(-1)


def attention_of_clip(x: Tensor, num_heads: int, **parameters) -> Tensor:
    """`AttentionPool2d` of openai/CLIP, clip/model.py: the mean of all positions asks."""
    tokens = x.flatten(2).permute(2, 0, 1)  # [positions, batch, channels]
    tokens = torch.cat([tokens.mean(0, keepdim=True), tokens]) + parameters["positional_embedding"][:, None]
    attended, _ = F.multi_head_attention_forward(
        tokens[:1],
        tokens,
        tokens,
        embed_dim_to_check=x.shape[1],
        num_heads=num_heads,
        in_proj_weight=None,
        in_proj_bias=torch.cat([parameters[f"{part}_proj.bias"] for part in "qkv"]),
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=parameters["c_proj.weight"],
        out_proj_bias=parameters["c_proj.bias"],
        need_weights=False,
        use_separate_proj_weight=True,
        **{f"{part}_proj_weight": parameters[f"{part}_proj.weight"] for part in "qkv"},
    )
    return attended[0]


def attention_of_timm(layer: timm.layers.AttentionPool2d, x: Tensor, **rest) -> Tensor:
    parameters = {key: rest[key] for key in dict(layer.named_parameters())}
    return torch.func.functional_call(layer, parameters, x)


def largest(x: Tensor, dim: list[int]) -> Tensor:
    return x.amax(dim, keepdim=True)


# Sliding windows of PyTorch

ONE, TWO, OTHER, SQUARE = (2, 3, 11), (2, 3, 7, 5), (1, 4, 6, 9), (3, 2, 5, 5)
SMALL, WIDE = (1, 2, 7, 5), (1, 2, 6, 9)


def max_pooling() -> None:
    """Also what `return_indices` adds, and unpooling."""
    defaults = {"padding": 0, "dilation": 1, "ceil_mode": False}
    choices = {
        "max_pool1d": (ONE, {"kernel_size": 3, "stride": 2}),
        "max_pool1d_padding": (ONE, {"kernel_size": 4, "stride": 3, "padding": 2}),
        "max_pool1d_dilation": (ONE, {"kernel_size": 3, "stride": 1, "dilation": 3}),
        "max_pool1d_ceil": (ONE, {"kernel_size": 2, "stride": 2, "ceil_mode": True}),
        "max_pool1d_ceil_padding": ((1, 2, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
        "max_pool2d": (TWO, {"kernel_size": [2, 2], "stride": [2, 2]}),
        "max_pool2d_overlapping": (SQUARE, {"kernel_size": [3, 3], "stride": [1, 1]}),
        "max_pool2d_oblong": (OTHER, {"kernel_size": [3, 2], "stride": [1, 3]}),
        "max_pool2d_padding": (SMALL, {"kernel_size": [3, 2], "stride": [2, 2], "padding": [1, 1]}),
        "max_pool2d_dilation": (WIDE, {"kernel_size": [3, 2], "stride": [1, 2], "dilation": [2, 3]}),
        "max_pool2d_ceil": (SMALL, {"kernel_size": [3, 2], "stride": [3, 2], "ceil_mode": True}),
        # rounding up would add a column of windows that start in the padding: PyTorch leaves it out
        "max_pool2d_ceil_padding": (
            (1, 2, 6, 5),
            {"kernel_size": [2, 3], "stride": [2, 3], "padding": [1, 1], "ceil_mode": True},
        ),
        "max_pool2d_everything": (
            WIDE,
            {"kernel_size": [3, 3], "stride": [2, 2], "padding": [1, 1], "dilation": [2, 2], "ceil_mode": True},
        ),
    }
    for name, (shape, options) in choices.items():
        function = f"max_pool{len(shape) - 2}d"
        layer = f"MaxPool{len(shape) - 2}d"
        options = options | {key: value for key, value in defaults.items() if key not in options}
        with_indices = functools.partial(getattr(F, function), return_indices=True)
        case(name, layer, FUNCTIONAL + function, with_indices, shape, **options)


def max_unpooling() -> None:
    for name, shape, output_size, kernel_size, stride, padding in [
        ("max_unpool1d", (2, 3, 10), None, [2], [2], [0]),
        ("max_unpool1d_output_size", (2, 3, 11), [11], [2], [2], [0]),
        ("max_unpool1d_overlapping", (1, 2, 9), None, [3], [2], [0]),
        ("max_unpool1d_padding", (1, 2, 8), [8], [3], [2], [1]),
        ("max_unpool2d", (2, 3, 6, 4), None, [2, 2], [2, 2], [0, 0]),
        ("max_unpool2d_output_size", (1, 3, 7, 5), [7, 5], [2, 2], [2, 2], [0, 0]),
        ("max_unpool2d_overlapping", (1, 2, 7, 5), None, [3, 3], [2, 2], [0, 0]),
        ("max_unpool2d_oblong", (1, 2, 6, 8), None, [3, 2], [3, 2], [0, 0]),
    ]:
        dimensions = len(kernel_size)
        torch.manual_seed(zlib.crc32(name.encode()))
        pool = getattr(F, f"max_pool{dimensions}d")
        pooled, indices = pool(torch.randn(shape), kernel_size, stride, padding, return_indices=True)
        function = f"max_unpool{dimensions}d"
        options = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "output_size": output_size}
        unpool = getattr(F, function)
        case(name, f"MaxUnpool{dimensions}d", FUNCTIONAL + function, unpool, pooled, None, indices, **options)


def average_pooling() -> None:
    one = {"padding": 0, "ceil_mode": False, "count_include_pad": True}
    for name, options in {
        "average_pool1d": {"kernel_size": 3, "stride": 2},
        "average_pool1d_padding": {"kernel_size": 4, "stride": 3, "padding": 2},
        "average_pool1d_padding_apart": {"kernel_size": 4, "stride": 3, "padding": 2, "count_include_pad": False},
        "average_pool1d_ceil": {"kernel_size": 2, "stride": 2, "ceil_mode": True},
        "average_pool1d_ceil_padding": {"kernel_size": 4, "stride": 3, "padding": 1, "ceil_mode": True},
    }.items():
        case(name, "AvgPool1d", FUNCTIONAL + "avg_pool1d", F.avg_pool1d, ONE, **(one | options))
    two = one | {"divisor_override": None}
    padded = {"kernel_size": [3, 2], "stride": [2, 2], "padding": [1, 1]}
    for name, (shape, options) in {
        "average_pool2d": (TWO, {"kernel_size": [2, 2], "stride": [2, 2]}),
        "average_pool2d_overlapping": (SQUARE, {"kernel_size": [3, 3], "stride": [1, 1]}),
        "average_pool2d_oblong": (OTHER, {"kernel_size": [3, 2], "stride": [1, 3]}),
        "average_pool2d_padding": (SMALL, padded),
        "average_pool2d_padding_apart": (SMALL, padded | {"count_include_pad": False}),
        "average_pool2d_ceil": (SMALL, {"kernel_size": [3, 2], "stride": [3, 2], "ceil_mode": True}),
        "average_pool2d_ceil_padding": (WIDE, padded | {"ceil_mode": True}),
        "average_pool2d_ceil_padding_apart": (WIDE, padded | {"ceil_mode": True, "count_include_pad": False}),
        "average_pool2d_divisor": (SMALL, {"kernel_size": [2, 2], "stride": [2, 2], "divisor_override": 3}),
        "average_pool2d_divisor_padding": (SMALL, padded | {"divisor_override": 5, "count_include_pad": False}),
        "average_pool2d_divisor_ceil": (
            SMALL,
            {"kernel_size": [3, 2], "stride": [3, 2], "ceil_mode": True, "divisor_override": 1},
        ),
    }.items():
        case(name, "AvgPool2d", FUNCTIONAL + "avg_pool2d", F.avg_pool2d, shape, **(two | options))


def power_pooling() -> None:
    """PyTorch's, then the one with absolute values that its documentation means."""
    zeros = values([0.0, 0.0, 0.0, 2.0, 3.0, 0.0], [0.0, 0.0, 1.0, 0.0, 4.0, 0.0])
    both = values([3.0, -4.0, 3.0, 4.0, 5.0, -5.0, -1.0], [1.0, 2.0, -6.0, 0.5, 0.0, 5.0, 2.0])
    one, two = {"kernel_size": 3, "stride": 2}, {"kernel_size": [2, 2], "stride": [2, 2]}
    oblong = {"kernel_size": [3, 2], "stride": [1, 2]}
    for name, numbers, norm_type, window in [
        ("power_pool1d_1", ONE, 1.0, one),
        ("power_pool1d_2", ONE, 2.0, one),
        ("power_pool1d_3", positive(*ONE), 3.0, one),
        ("power_pool1d_2_ceil", ONE, 2.0, {"kernel_size": 2, "stride": 2, "ceil_mode": True}),
        ("power_pool1d_infinite", (1, 2, 11), INF, one),
        ("power_pool2d_1", SMALL, 1.0, two),
        ("power_pool2d_2", TWO, 2.0, two),
        ("power_pool2d_3", positive(*OTHER), 3.0, two),
        ("power_pool2d_1_5", positive(*SMALL), 1.5, oblong),
        ("power_pool2d_2_oblong", WIDE, 2.0, oblong),
        ("power_pool2d_2_ceil", SMALL, 2.0, two | {"ceil_mode": True}),
        ("power_pool2d_3_ceil", positive(*SMALL), 3.0, two | {"ceil_mode": True}),
        ("power_pool2d_1_zeros", zeros, 1.0, two),
        ("power_pool2d_2_zeros", zeros, 2.0, two),
        ("power_pool2d_3_zeros", zeros, 3.0, two),
        ("power_pool2d_3_negative", both, 3.0, two),  # NaN where the sum of the cubes is negative
        ("power_pool2d_infinite", both, INF, two),
    ]:
        dimensions = 1 if name.startswith("power_pool1d") else 2
        options = {"norm_type": norm_type, "ceil_mode": False} | window
        function = getattr(F, f"lp_pool{dimensions}d")
        reference = f"{FUNCTIONAL}lp_pool{dimensions}d"
        case(name, f"LPPool{dimensions}d", reference, function, numbers, finite="negative" not in name, **options)
    for norm_type, numbers in itertools.product([1.0, 1.5, 2.0, 3.0], [both, zeros]):
        name = f"absolute_power_pool2d_{underscored(norm_type)}" + "_zeros" * (numbers is zeros)
        case(name, "LPPool2d of absolute values", "formula", power_sum, numbers, norm_type=norm_type, **two)


# The whole map


def global_pooling() -> None:
    for dimensions, shape in (1, ONE), (2, TWO):
        for kind, layer in ("max", "GlobalMaxPool"), ("avg", "GlobalAvgPool"):
            function = f"adaptive_{kind}_pool{dimensions}d"
            name = f"global_{'average' if kind == 'avg' else kind}{dimensions}d"
            pool = getattr(F, function)
            case(name, f"{layer}{dimensions}d", FUNCTIONAL + function, pool, shape, output_size=1)


def adaptive_pooling() -> None:
    larger = (1, 1, 2, 3)
    sizes = [(ONE, [4]), (ONE, [1]), (ONE, [11]), ((1, 2, 3), [5])]
    sizes += [(TWO, [3, 2]), (OTHER, [4, 4]), (SMALL, [1, 1]), (SMALL, [7, 5]), (SMALL, [1, 3]), (larger, [3, 4])]
    for kind, (shape, output_size) in itertools.product(["max", "avg"], sizes):
        dimensions = len(output_size)
        function = f"adaptive_{kind}_pool{dimensions}d"
        size = "x".join(map(str, shape[2:])) + "_to_" + "x".join(map(str, output_size))
        name = f"adaptive_{'average' if kind == 'avg' else kind}{dimensions}d_{size}"
        layer = f"Adaptive{kind.title()}Pool{dimensions}d"
        case(name, layer, FUNCTIONAL + function, getattr(F, function), shape, output_size=output_size)


def max_with_average() -> None:
    formula, layer = "formula (fastai 2.8.12, AdaptiveConcatPool{}d)", "concatenated, max then average"
    case("max_average1d", layer, formula.format(1), max_then_average, ONE, output_size=[4])
    case("max_average2d_global", layer, formula.format(2), max_then_average, TWO, output_size=[1, 1])
    case("max_average2d", layer, formula.format(2), max_then_average, SMALL, output_size=[3, 2])
    reference = "timm.layers.SelectAdaptivePool2d"
    for pool_type, what, size in [
        ("catavgmax", "concatenated, average then max", [1, 1]),
        ("catavgmax", "concatenated, average then max", [3, 2]),
        ("avgmax", "half the sum of average and max", [1, 1]),
        ("avgmax", "half the sum of average and max", [3, 2]),
    ]:
        name = f"timm_{pool_type}_{size[0]}x{size[1]}"
        case(name, what, reference, select_adaptive, SMALL, output_size=size, pool_type=pool_type)
    for pool_type in "fastcatavgmax", "fastavgmax":  # equal maxima share the gradient
        name, numbers = f"timm_{pool_type}_ties", whole_numbers(1, 2, 3, 3)
        case(name, pool_type, reference, select_adaptive, numbers, output_size=1, pool_type=pool_type)


def pyramid() -> None:
    for name, shape, levels in [
        ("pyramid", TWO, [1, 2, 4]),
        ("pyramid_wide", WIDE, [1, 2, 4]),
        ("pyramid_levels", SMALL, [3, 1]),
        ("pyramid_small", (1, 2, 3, 2), [1, 2, 4]),
    ]:
        case(name, "spatial pyramid", "formula", spatial_pyramid, shape, levels=levels)


def largest_values() -> None:
    for k, (name, numbers) in itertools.product([1, 3, 0], {"2d": SMALL, "2d_ties": whole_numbers(*SMALL)}.items()):
        k = k or 35
        case(f"largest{name}_{k}", "mean of the k largest", "formula", mean_of_largest, numbers, k=k)
    case("largest1d_4", "mean of the k largest", "formula", mean_of_largest, ONE, k=4)


# Smooth maxima

NONE = {}
TWOS, THREES = {"kernel_size": [2, 2], "stride": [2, 2]}, {"kernel_size": [3, 3], "stride": [2, 2]}


def generalised_means() -> None:
    some_negative = scaled(1.0, *SMALL, plus=0.5)
    zeros = values([0.0, 0.0, -1.0, 0.0], [0.0, -2.0, 0.0, 0.0])
    for name, numbers, p, window in [
        ("gem_1", positive(*TWO), [1.0], NONE),
        ("gem_2", positive(*SMALL), [2.0], NONE),
        ("gem_3", positive(*TWO), [3.0], NONE),
        ("gem_2_7", positive(*SMALL), [2.7], NONE),
        ("gem_per_channel", positive(1, 4, 6, 5), [1.0, 2.5, 4.0, 8.0], NONE),
        ("gem_30", lambda: torch.rand(SMALL) * 0.4 + 0.8, [30.0], NONE),
        ("gem_30_large", lambda: torch.rand(SMALL) * 40 + 80, [30.0], NONE),  # 100^30 is too large for float32
        ("gem_3_clamped", some_negative, [3.0], NONE),
        ("gem_3_zeros", zeros, [3.0], NONE),
        ("gem_30_zeros", zeros, [30.0], NONE),  # 1e-6^30 is zero in float32
        ("gem1d_3", positive(*ONE), [3.0], NONE),
        ("gem_windows_3", positive(*SMALL), [3.0], TWOS),
        ("gem_windows_per_channel", positive(*WIDE), [2.0, 5.0], THREES),
        ("gem_windows_clamped", some_negative, [3.0], TWOS),
    ]:
        power = {"p": torch.tensor(p)}
        case(name, "generalised mean", "formula", generalised_mean, numbers, power, eps=1e-6, **window)


def log_sum_exps() -> None:
    for r in 0.5, 1.0, 10.0:
        given = {"r": torch.tensor([r])}
        timm_name = "timm.layers.other_pool.LsePlus2d"
        case(f"log_sum_exp_{underscored(r)}", "log-sum-exp", timm_name, log_mean_exp_of_timm, SMALL, given)
        case(f"log_sum_exp_windows_{underscored(r)}", "log-sum-exp", "formula", log_mean_exp, SMALL, given, **TWOS)
    far = values([80.0, -90.0, 100.0, -100.0], [95.0, 3.0, -100.0, -99.0])
    for name, numbers, r, window in [
        ("log_sum_exp_large", scaled(3.0, *SMALL, plus=80.0), [10.0], NONE),
        ("log_sum_exp_windows_large", far, [1.0], TWOS),
        ("log_sum_exp_windows_overlapping", WIDE, [5.0], THREES),
        ("log_sum_exp_per_channel", SMALL, [0.7, 3.0], NONE),
        ("log_sum_exp_windows_per_channel", SMALL, [0.7, 3.0], TWOS),
        ("log_sum_exp1d", ONE, [2.0], NONE),
        ("log_sum_exp1d_windows", ONE, [2.0], {"kernel_size": [3], "stride": [2]}),
    ]:
        case(name, "log-sum-exp", "formula", log_mean_exp, numbers, {"r": torch.tensor(r)}, **window)


def soft_pooling() -> None:
    far = values([80.0, 85.0, 100.0, -100.0], [95.0, 3.0, -120.0, -119.0])
    for name, numbers, window in [
        ("soft_pool_global", TWO, NONE),
        ("soft_pool_global_large", scaled(3.0, *SMALL, plus=80.0), NONE),
        ("soft_pool_windows", SMALL, TWOS),
        ("soft_pool_windows_overlapping", WIDE, THREES),
        ("soft_pool_windows_large", scaled(5.0, *SMALL, plus=85.0), TWOS),
        ("soft_pool_windows_far", far, TWOS),
        ("soft_pool1d_global", ONE, NONE),
        ("soft_pool1d_windows", ONE, {"kernel_size": [3], "stride": [2]}),
    ]:
        case(name, "SoftPool", "formula", soft_pool, numbers, **window)


# Learned mixtures


def mixtures() -> None:
    for (size, window), (whose, count), sigmoid in itertools.product(
        [("2x2", TWOS), ("3x3", THREES)], [("layer", 1), ("channel", 2)], [False, True]
    ):
        name = f"mixed_{size}_per_{whose}" + "_sigmoid" * sigmoid
        mix = {"mix": (count,) if sigmoid else lambda count=count: torch.rand(count)}
        case(name, "mixed", "formula", mixed, SMALL, mix, sigmoid=sigmoid, **window)
    for (size, window), (whose, count) in itertools.product(
        [("2x2", TWOS), ("3x3", THREES)], [("layer", 1), ("channel", 2)]
    ):
        gate = {"gate": (count, *window["kernel_size"])}
        case(f"gated_{size}_per_{whose}", "gated", "formula", gated, SMALL, gate, **window)


# Blur


def blurs() -> None:
    layer, formula = "blur", "formula (antialiased-cnns 0.3, BlurPool)"
    for size, stride in itertools.product(range(2, 8), range(1, 4)):
        options = {"filter_size": size, "stride": stride, "padding": "reflect"}
        case(f"blur_{size}_stride_{stride}", layer, formula, blur, (1, 2, 5, 7), **options)
    for padding in "zero", "replicate":
        options = {"filter_size": 4, "stride": 2, "padding": padding}
        case(f"blur_4_{padding}", layer, formula, blur, (1, 2, 5, 7), **options)
    for size in 3, 4:
        options = {"filter_size": size, "stride": 2, "padding": "reflect"}
        case(f"blur1d_{size}", layer, "formula (antialiased-cnns 0.3, BlurPool1D)", blur, ONE, **options)
    for size, stride in [(2, 2), (3, 1), (3, 2), (3, 3), (4, 2), (5, 2), (6, 3), (7, 2)]:
        options = {"kernel_size": size, "stride": stride}
        name = f"kornia_blur_{size}_stride_{stride}"
        case(name, "blur, zero padding", "kornia.filters.blur_pool2d", kornia.filters.blur_pool2d, SMALL, **options)
    choices = [(2, 2, "reflect"), (3, 1, "reflect"), (3, 2, "reflect"), (3, 3, "reflect"), (4, 2, "reflect")]
    choices += [(5, 2, "reflect"), (6, 2, "reflect"), (3, 2, "constant")]
    for size, stride, pad_mode in choices:
        name = f"timm_blur_{size}_stride_{stride}_{pad_mode}"
        options = {"filt_size": size, "stride": stride, "pad_mode": pad_mode}
        case(name, "blur, symmetric padding", "timm.layers.BlurPool2d", blur_of_timm, SMALL, **options)


def blurred_pooling() -> None:
    formula = "formula (antialiased-cnns 0.3, MaxPool2d(2, stride=1) then BlurPool)"
    for size, numbers in (3, SMALL), (4, SMALL), (5, WIDE):
        options = {"filter_size": size, "stride": 2, "padding": "reflect"}
        case(f"max_blur_{size}", "max, blur", formula, max_blur, numbers, max_kernel_size=2, **options)
        name, layer = f"average_blur_{size}", "average, blur"
        case(name, layer, "formula", average_blur, numbers, average_kernel_size=2, **options)
    for size, stride, window in (3, 2, 2), (4, 2, 2), (5, 2, 3), (3, 1, 2), (3, 3, 3):
        options = {"kernel_size": size, "stride": stride, "max_pool_size": window}
        name, reference = f"kornia_max_blur_{size}_stride_{stride}_max_{window}", "kornia.filters.max_blur_pool2d"
        case(name, "max, blur, zero padding", reference, kornia.filters.max_blur_pool2d, SMALL, **options)


# Attention


def attention() -> None:
    for heads in 1, 2, 4:
        shapes = {f"{part}_proj.weight": (8, 8) for part in "qkv"} | {f"{part}_proj.bias": (8,) for part in "qkv"}
        shapes |= {"positional_embedding": (10, 8), "c_proj.weight": (5, 8), "c_proj.bias": (5,)}
        parameters = {name: scaled(0.4, *shape) for name, shape in shapes.items()}
        formula = "formula (openai/CLIP, clip/model.py, AttentionPool2d)"
        name, numbers = f"clip_attention_{heads}", (2, 8, 3, 3)
        case(name, "attention, CLIP", formula, attention_of_clip, numbers, parameters, num_heads=heads)
    for name, options in {
        "timm_attention_1": {"num_heads": 1},
        "timm_attention_2": {"num_heads": 2},
        "timm_attention_4": {"num_heads": 4},
        "timm_attention_separate": {"num_heads": 2, "qkv_separate": True},
        "timm_attention_class_token": {"num_heads": 2, "class_token": True},
        "timm_attention_unprojected": {"num_heads": 2, "out_features": 0, "embed_dim": 4},
    }.items():
        options = {"in_features": 8, "feat_size": [3, 2], "out_features": 5} | options
        layer = timm.layers.AttentionPool2d(**options, dtype=torch.float64)
        parameters = {key: scaled(0.4, *value.shape) for key, value in layer.named_parameters()}
        function = functools.partial(attention_of_timm, layer)
        reference = "timm.layers.AttentionPool2d"
        case(name, "attention, timm", reference, function, (2, 8, 3, 2), parameters, **options)


# What is hard


def not_numbers() -> None:
    spoilt = values([1.0, NAN, 3.0, 2.0], [0.0, 2.0, NAN, NAN], [4.0, 5.0, 1.0, NAN], [6.0, 5.0, 0.0, 2.0])
    functions = {
        "max": ("MaxPool2d", "max_pool2d", TWOS),
        "average": ("AvgPool2d", "avg_pool2d", TWOS),
        "adaptive_max": ("AdaptiveMaxPool2d", "adaptive_max_pool2d", {"output_size": [2, 2]}),
        "adaptive_average": ("AdaptiveAvgPool2d", "adaptive_avg_pool2d", {"output_size": [2, 2]}),
        "global_max": ("GlobalMaxPool2d", "adaptive_max_pool2d", {"output_size": [1, 1]}),
        "global_average": ("GlobalAvgPool2d", "adaptive_avg_pool2d", {"output_size": [1, 1]}),
    }
    ties = torch.tensor([[2.0, 2.0, 1.0, 3.0], [2.0, 2.0, 3.0, 3.0], [0.0, -0.0, 5.0, 1.0], [-0.0, 0.0, 1.0, 5.0]])
    lowest = values([-INF, -INF, -INF, 1.0], [-INF, -INF, 0.0, -INF], [2.0, -INF, -INF, -INF], [-INF, 2.0, -INF, -INF])
    empty = torch.zeros(0, 2, 4, 4)
    for (what, numbers), (kind, (layer, function, options)) in itertools.product(
        {"nan": spoilt, "ties": ties[None, None], "minus_infinity": lowest, "empty": empty}.items(), functions.items()
    ):
        if "average" in kind and what in ("ties", "minus_infinity"):
            continue
        name, finite = f"{what}_{kind}2d", what in ("ties", "empty")
        case(name, layer, FUNCTIONAL + function, getattr(F, function), numbers, finite=finite, **options)
    for what, numbers in {"nan": spoilt, "ties": ties[None, None]}.items():
        name, layer = f"{what}_shared_global_max2d", "GlobalMaxPool2d, equal maxima share the gradient"
        case(name, layer, "torch.amax", largest, numbers, finite=what == "ties", dim=[2, 3])
    with_indices = functools.partial(F.max_pool2d, return_indices=True)
    for what, numbers in {"nan": spoilt, "ties": ties[None, None], "minus_infinity": lowest}.items():
        options = {"kernel_size": [2, 2], "stride": [1, 1], "padding": [1, 1]}
        name, reference = f"{what}_max2d_indices", FUNCTIONAL + "max_pool2d"
        case(name, "MaxPool2d", reference, with_indices, numbers, finite=what == "ties", **options)
    row = values([1.0, NAN, 3.0, 2.0, 2.0, NAN, NAN, 5.0])
    for kind, layer, options in [
        ("max_pool1d", "MaxPool1d", {"kernel_size": 4, "stride": 4}),
        ("avg_pool1d", "AvgPool1d", {"kernel_size": 4, "stride": 4}),
        ("adaptive_max_pool1d", "AdaptiveMaxPool1d", {"output_size": 2}),
    ]:
        case(f"nan_{kind}", layer, FUNCTIONAL + kind, getattr(F, kind), row, finite=False, **options)
    infinite = {"r": torch.tensor([2.0])}
    some = values([1.0, -INF, 3.0, -INF], [2.0, 0.0, -INF, -INF])
    case("minus_infinity_log_sum_exp", "log-sum-exp", "formula", log_mean_exp, some, infinite, finite=False, **TWOS)


# The file


def with_metadata(data: bytes) -> bytes:
    """Adds the metadata in alphabetical order; safetensors itself writes them in a different one each time."""
    length = int.from_bytes(data[:8], "little")
    header = {"__metadata__": dict(sorted(metadata.items()))} | json.loads(data[8 : 8 + length])
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def main() -> None:
    torch.set_num_threads(1)
    for group in [
        max_pooling,
        max_unpooling,
        average_pooling,
        power_pooling,
        global_pooling,
        adaptive_pooling,
        max_with_average,
        pyramid,
        largest_values,
        generalised_means,
        log_sum_exps,
        soft_pooling,
        mixtures,
        blurs,
        blurred_pooling,
        attention,
        not_numbers,
    ]:
        group()
    count = len(metadata)
    versions = {library.__name__: library.__version__.split("+")[0] for library in (torch, timm, kornia)}
    metadata["versions"] = json.dumps(versions)
    data = with_metadata(save(tensors))
    assert len(data) < LARGEST_FILE, len(data)
    (HERE / "pooling.safetensors").write_bytes(data)
    print(f"{count} cases, {len(tensors)} tensors, {len(data)} bytes")


if __name__ == "__main__":
    main()
