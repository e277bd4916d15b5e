#!/usr/bin/env python3
"""The same model on PyTorch, ONNX Runtime and OpenVINO, to hold `retune bench` against: documents of five lengths in batches
of 32, a query of 12 tokens, a training step of 16 triplets (query 16 tokens, documents 128). One line of JSON a stack.

    pip install torch sentence-transformers openvino nncf onnxruntime onnx onnxscript
    taskset -c 0 python3 benches/stacks.py MODEL_FOLDER [--threads 1] [--only torch-bf16,openvino-bf16,...]
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("model")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seconds", type=float, default=4.0, help="for each figure")
parser.add_argument("--only", default="torch-f32,torch-bf16,onnx-f32,onnx-int8,openvino-bf16,openvino-int8,train-bf16,train-f32")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)

import numpy
import torch
from transformers import MPNetModel

torch.set_num_threads(options.threads)
LENGTHS = [16, 64, 128, 256, 384]
BATCH = 32
random = numpy.random.default_rng(1)


def tokens(texts, length):
    ids = random.integers(1000, 30000, size=(texts, length), dtype=numpy.int64)
    return ids, numpy.ones_like(ids)


def median_time(run):
    run()
    times = []
    while sum(times) < options.seconds or len(times) < 3:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(stack, embed):
    """`embed` takes ids and mask and gives the mean of the token vectors."""
    encode = {}
    for length in LENGTHS:
        ids, mask = tokens(BATCH, length)
        encode[str(length)] = round(BATCH / median_time(lambda: embed(ids, mask)), 2)
    ids, mask = tokens(1, 12)
    query = round(median_time(lambda: embed(ids, mask)) * 1000, 2)
    print(json.dumps({"stack": stack, "threads": options.threads, "encode": encode, "query_ms": query}), flush=True)


def torch_model(dtype):
    return MPNetModel.from_pretrained(options.model, dtype=dtype, attn_implementation="eager").eval()


def on_torch(dtype):
    model = torch_model(dtype)

    def embed(ids, mask):
        with torch.inference_mode():
            return model(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state.mean(1)

    return embed


class Pooled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = MPNetModel.from_pretrained(options.model, attn_implementation="eager").eval()

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask).last_hidden_state.mean(1)


def sample():
    ids, mask = tokens(2, 20)
    return torch.from_numpy(ids), torch.from_numpy(mask)


def on_onnx(int8):
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "model.onnx")
    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(
        Pooled(), sample(), path, input_names=["input_ids", "attention_mask"], output_names=["vectors"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "texts"}}, opset_version=17, dynamo=False,
    )
    if int8:
        quantize_dynamic(path, path + ".int8", per_channel=True, weight_type=QuantType.QInt8)
        path += ".int8"
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    return lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})


def on_openvino(precision):
    import openvino

    model = openvino.convert_model(Pooled(), example_input=sample())
    if precision == "int8":
        import nncf

        texts = [dict(zip(["input_ids", "attention_mask"], tokens(1, length))) for length in [12, 40, 128, 256] * 8]
        model = nncf.quantize(model, nncf.Dataset(texts), model_type=nncf.ModelType.TRANSFORMER, subset_size=32)
    compiled = openvino.Core().compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": options.threads, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision != "f32" else "f32",
    })
    request = compiled.create_infer_request()
    return lambda ids, mask: request.infer([ids, mask])


def train(bf16):
    model = torch_model(torch.float32).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
    texts = [tokens(16, length) for length in (16, 128, 128)]

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            vectors = [
                torch.nn.functional.normalize(model(torch.from_numpy(ids), torch.from_numpy(mask)).last_hidden_state.mean(1))
                for ids, mask in texts
            ]
            scores = vectors[0] @ torch.cat(vectors[1:]).T * 20
            loss = torch.nn.functional.cross_entropy(scores.float(), torch.arange(16))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    seconds = median_time(step)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    name = "train-bf16" if bf16 else "train-f32"
    print(json.dumps({
        "stack": name, "threads": options.threads, "triplets_per_second": round(16 / seconds, 3), "peak_rss_bytes": peak,
    }), flush=True)


STACKS = {
    "torch-f32": lambda name: report(name, on_torch(torch.float32)),
    "torch-bf16": lambda name: report(name, on_torch(torch.bfloat16)),
    "onnx-f32": lambda name: report(name, on_onnx(False)),
    "onnx-int8": lambda name: report(name, on_onnx(True)),
    "openvino-f32": lambda name: report(name, on_openvino("f32")),
    "openvino-bf16": lambda name: report(name, on_openvino("bf16")),
    "openvino-int8": lambda name: report(name, on_openvino("int8")),
    "train-bf16": lambda name: train(True),
    "train-f32": lambda name: train(False),
}

for name in options.only.split(","):
    if name not in STACKS:
        sys.exit(f"there is no stack {name}; there are {', '.join(STACKS)}")
    STACKS[name](name)
