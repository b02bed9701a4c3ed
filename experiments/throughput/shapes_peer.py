"""Measures the blocks of shapes.json in PyTorch, or their forward passes in ONNX Runtime or OpenVINO.

    python shapes_peer.py --framework pytorch-channels-last --threads 2

prints what `shapes` prints of ours: for each block the median milliseconds of a step (forward, and all three
gradients), where the framework trains, and of a forward pass.
"""

import argparse
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from peers import PYTORCH
from pytorch_peer import keep_freed_memory, memory_format
from torch import nn

SHAPES = json.loads((Path(__file__).resolve().parent / "shapes.json").read_text())
FRAMEWORKS = (*PYTORCH, "onnxruntime", "openvino")
SECONDS, FEWEST = 0.5, 5


def block(shape: dict) -> nn.Module:
    pools = {"max": nn.MaxPool2d(2), "average": nn.AvgPool2d(2), "global average": nn.AdaptiveAvgPool2d(1)}
    convolution = nn.Conv2d(shape["input"][1], shape["filters"], shape["kernel"], padding=shape["padding"])
    return nn.Sequential(convolution, nn.ReLU(), pools[shape["pool"]])


def median(work: Callable[[], object]) -> float:
    """The median time in milliseconds; the first three times warm up."""
    for _ in range(3):
        work()
    start, times = time.perf_counter(), []
    while len(times) < FEWEST or time.perf_counter() - start < SECONDS:
        before = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - before))
    return statistics.median(times)


def pytorch(layer: nn.Module, size: list[int], framework: str) -> dict[str, float]:
    layout = memory_format(framework)
    images = torch.rand(size).to(memory_format=layout)
    layer = layer.to(memory_format=layout)
    torch.compiler.reset()  # else the ninth layer is run as it comes: compiled too often
    forward = torch.compile(layer, dynamic=False) if "compile" in framework else layer
    trained = images.clone().requires_grad_()

    def step() -> None:
        layer.zero_grad(set_to_none=True)
        trained.grad = None
        forward(trained).sum().backward()

    @torch.inference_mode()
    def infer() -> torch.Tensor:
        return forward(images)

    return {"step_milliseconds": median(step), "inference_milliseconds": median(infer)}


def onnxruntime(shape: dict, threads: int) -> dict[str, float]:
    import onnxruntime

    images = torch.rand(shape["input"])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        file = f"{folder}/block.onnx"
        torch.onnx.export(block(shape).eval(), (images,), file, input_names=["images"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {"images": images.numpy()}
    return {"inference_milliseconds": median(lambda: session.run(None, feed))}


def openvino(shape: dict, threads: int) -> dict[str, float]:
    import openvino

    warnings.simplefilter("ignore", FutureWarning)  # of the tracer that it uses
    images = torch.rand(shape["input"])
    model = openvino.convert_model(block(shape).eval(), example_input=images, input=[shape["input"]])
    # Single precision, as all the others compute; where it can, OpenVINO would choose bfloat16.
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.compile_model(model, "CPU", settings).create_infer_request()
    shared = {"share_inputs": True, "share_outputs": True}
    return {"inference_milliseconds": median(lambda: request.infer([images.numpy()], **shared))}


def measure(shape: dict, framework: str, threads: int) -> dict[str, float]:
    match framework:
        case "onnxruntime":
            return onnxruntime(shape, threads)
        case "openvino":
            return openvino(shape, threads)
        case _:
            return pytorch(block(shape), shape["input"], framework)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--framework", choices=FRAMEWORKS, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.framework.endswith("-keep"):
        keep_freed_memory()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    print(json.dumps([measure(shape, options.framework, options.threads) for shape in SHAPES], indent=2))


if __name__ == "__main__":
    main()
