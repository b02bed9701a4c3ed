"""Outputs and all gradients of the layers on numbers that are hard, computed by PyTorch in float64.

    python3.11 -m venv venv
    venv/bin/pip install torch==2.15.0     # as in tests/reference/requirements.txt
    venv/bin/python tests/reference/numerics.py

writes `numerics.json` beside this file, which `tests/numerics.rs` reads; it takes a few seconds.

Every value that goes in is a multiple of 1/4 between -2 and 2, so that float32 adds their products exactly and sees the
same ties as float64, or is NaN or infinite. A case is

    {"name", "layer": "conv" | "pool" | "linear" | "relu", "layout", "padding", "stride", "pool",
     "input", "weight", "bias", "gradient",                                      what goes in
     "output", "of_input", "of_weight", "of_bias"}                               what comes out

with arrays as [shape, values in row-major order] and absent keys where the layer has no such thing. The layers are

    conv    pool(relu(conv2d(input, weight, bias)))
    pool    pool(input)
    linear  relu(input @ weight + bias), the weight [inputs, outputs]
    relu    relu(input)

Global max pooling is `adaptive_max_pool2d`: of equal values the first gets the gradient, of NaNs the last, as in
`max_pool2d` (`amax` shares it, which is NaN everywhere when the maximum is NaN). Blurred max pooling is `max_pool2d` with
stride 1, then `conv2d` of each channel with the binomial filter.

The layout tells how the test lays the input out: "contiguous", "transposed" (height and width change places), "sliced"
(cut out of a larger tensor), "expanded" (one image for the whole batch).
"""

import itertools
import json
import math
import random
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
NAN, INF = math.nan, math.inf

POOLS = {
    "max 2x2": ["max", [2, 2], [2, 2]],
    "max 3x2": ["max", [3, 2], [1, 2]],
    "average 2x2": ["average", [2, 2], [2, 2]],
    "average 3x2": ["average", [3, 2], [1, 1]],
    "global max": ["global_max"],
    "global average": ["global_average"],
    "blurred max": ["blurred_max"],
    "none": None,
}
# batch, channels, height, width, filters, kernel, padding: 3x3 of one channel, pointwise, padded, wider than a vector
SHAPES = [
    (2, 1, 6, 4, 2, [3, 3], [0, 0]),
    (2, 2, 3, 4, 2, [1, 1], [0, 0]),
    (1, 2, 3, 3, 2, [3, 2], [1, 1]),
    (1, 1, 4, 3, 17, [2, 2], [0, 0]),
]
# what is spoilt, with what, and at which shares of its values
SPOILT = [
    ("nan first", "input", NAN, [0.0]),
    ("nan last", "input", NAN, [1.0]),
    ("nan twice", "input", NAN, [0.25, 0.5]),
    ("inf", "input", INF, [0.3]),
    ("-inf", "input", -INF, [0.0]),
    ("-inf last", "input", -INF, [1.0]),
    ("nan weight", "weight", NAN, [0.0]),
    ("inf weight", "weight", INF, [1.0]),
    ("-inf weight", "weight", -INF, [0.4]),
    ("nan bias", "bias", NAN, [0.0]),
    ("inf bias", "bias", INF, [1.0]),
    ("-inf bias", "bias", -INF, [0.0]),
    ("nan gradient", "gradient", NAN, [0.0]),
    ("inf gradient", "gradient", INF, [1.0]),
]


def pooled(maps: torch.Tensor, pool: list | None) -> torch.Tensor:
    match pool:
        case None:
            return maps
        case ["max", kernel, stride]:
            return F.max_pool2d(maps, kernel, stride)
        case ["average", kernel, stride]:
            return F.avg_pool2d(maps, kernel, stride)
        case ["global_max"]:
            return F.adaptive_max_pool2d(maps, 1) if len(maps) else maps.flatten(2)[:, :, :1, None]
        case ["global_average"]:
            return F.adaptive_avg_pool2d(maps, 1)
        case ["blurred_max"]:
            row = torch.tensor([0.25, 0.5, 0.25], dtype=maps.dtype)
            channels = maps.shape[1]
            kernel = torch.outer(row, row).expand(channels, 1, 3, 3)
            return F.conv2d(F.max_pool2d(maps, 2, 1), kernel, stride=2, padding=1, groups=channels)
    raise ValueError(pool)


def output(case: dict, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    x = tensors["input"]
    match case["layer"]:
        case "conv":
            maps = F.conv2d(x, tensors["weight"], tensors["bias"], case["stride"], case["padding"])
            return pooled(F.relu(maps), case["pool"])
        case "pool":
            return pooled(x, case["pool"])
        case "linear":
            return F.relu(x @ tensors["weight"] + tensors["bias"])
        case "relu":
            return F.relu(x)
    raise ValueError(case["layer"])


def tensor(values: list[float], shape: list[int]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def random_values(seed: str, shape: list[int]) -> torch.Tensor:
    generator = random.Random(seed)
    return tensor([generator.randint(-8, 8) / 4 for _ in range(math.prod(shape))], shape)


def stored(tensor: torch.Tensor) -> list:
    def number(value: float) -> int | float | str:
        if not math.isfinite(value):
            return str(value)
        value = float(f"{value:.7g}")
        return int(value) if value == int(value) else value

    return [list(tensor.shape), [number(value) for value in tensor.flatten().tolist()]]


def finished(case: dict, tensors: dict[str, torch.Tensor], spoilt: tuple | None = None) -> dict:
    """The case with what goes in and what comes out."""
    with torch.no_grad():
        shape = list(output(case, tensors).shape)
    tensors["gradient"] = random_values(case["name"] + " gradient", shape)
    if spoilt:
        _, name, value, shares = spoilt
        values = tensors[name].flatten()
        for share in shares:
            values[round(share * (len(values) - 1))] = value
        tensors[name] = values.reshape(tensors[name].shape)
    inputs = {name: tensors[name].clone().requires_grad_() for name in tensors if name != "gradient"}
    result = output(case, inputs)
    result.backward(tensors["gradient"])
    given = {name: stored(value) for name, value in tensors.items()}
    gradients = {f"of_{name}": stored(value.grad) for name, value in inputs.items()}
    return case | given | {"output": stored(result.detach())} | gradients


def conv(name, shape, pool, spoilt=None, layout="contiguous", stride=(1, 1), batch=None, ties=False) -> dict:
    images, channels, height, width, filters, kernel, padding = shape
    images = images if batch is None else batch
    case = {"name": name, "layer": "conv", "layout": layout, "padding": padding, "stride": list(stride), "pool": pool}
    shapes = {"input": [images, channels, height, width], "weight": [filters, channels, *kernel], "bias": [filters]}
    tensors = {key: random_values(f"{name} {key}", value) for key, value in shapes.items()}
    if layout == "expanded":
        tensors["input"] = tensors["input"][:1].expand(images, -1, -1, -1).clone()
    if ties:
        tensors["input"] = torch.ones_like(tensors["input"])
    return finished(case, tensors, spoilt)


def pool_alone(name, shape, pool, spoilt=None, layout="contiguous", fill=None) -> dict:
    case = {"name": name, "layer": "pool", "layout": layout, "pool": pool}
    values = random_values(name, shape)
    if layout == "expanded":
        values = values[:1].expand(shape).clone()
    if fill is not None:
        values = torch.full_like(values, fill)
    return finished(case, {"input": values}, spoilt)


def cases() -> list[dict]:
    found = []
    for (number, (name, pool)), shape in itertools.product(enumerate(POOLS.items()), range(len(SHAPES))):
        title = f"conv {shape}, {name}"
        found.append(conv(title, SHAPES[shape], pool))
        found += [
            conv(f"{title}, {spoilt[0]}", SHAPES[shape], pool, spoilt)
            for i, spoilt in enumerate(SPOILT)
            if (i + number) % 4 == shape
        ]
    for name, pool in POOLS.items():
        found.append(conv(f"conv, {name}, ties", SHAPES[1], pool, ties=True))
        found.append(conv(f"conv, {name}, empty batch", SHAPES[0], pool, batch=0))
        for layout in ("transposed", "sliced", "expanded"):
            found.append(conv(f"conv, {name}, {layout}", SHAPES[1], pool, layout=layout))
    for spoilt in [None, *SPOILT]:
        what = spoilt[0] if spoilt else "finite"
        found.append(conv(f"conv, stride, {what}", SHAPES[0], None, spoilt, stride=(2, 3)))
        linear = {"name": f"linear, {what}", "layer": "linear", "layout": "contiguous"}
        shapes = {"input": [3, 4], "weight": [4, 5], "bias": [5]}
        tensors = {key: random_values(f"linear {what} {key}", shape) for key, shape in shapes.items()}
        found.append(finished(linear, tensors, spoilt))
        if spoilt is None or spoilt[1] in ("input", "gradient"):
            relu = {"name": f"relu, {what}", "layer": "relu", "layout": "contiguous"}
            found.append(finished(relu, {"input": random_values(f"relu {what}", [2, 1, 3, 3])}, spoilt))
            for name, pool in POOLS.items():
                found.append(pool_alone(f"pool, {name}, {what}", [2, 1, 4, 4], pool, spoilt))
    for name, pool in POOLS.items():
        for layout in ("transposed", "sliced", "expanded"):
            found.append(pool_alone(f"pool, {name}, {layout}", [2, 1, 4, 4], pool, layout=layout))
        for fill in (1.0, -INF, NAN):
            found.append(pool_alone(f"pool, {name}, all {fill}", [1, 1, 4, 4], pool, fill=fill))
    # the example of the fault: one filter that returns the image
    for what, value in (("nan", NAN), ("-inf", -INF), ("inf", INF)):
        for name in ("max 2x2", "global max", "average 2x2", "global average"):
            case = {"name": f"identity, {name}, {what}", "layer": "conv", "layout": "contiguous"}
            case |= {"padding": [0, 0], "stride": [1, 1], "pool": POOLS[name]}
            one = torch.ones([1, 1, 1, 1], dtype=torch.float64)
            image = tensor([value, 1, 1, 1], [1, 1, 2, 2])
            found.append(finished(case, {"input": image, "weight": one, "bias": one.reshape(1) * 0}))
    return found


def main() -> None:
    lines = [json.dumps(case, separators=(",", ":")) for case in cases()]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    assert len(text) < 300_000, len(text)
    (HERE / "numerics.json").write_text(text)
    print(f"{len(lines)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
