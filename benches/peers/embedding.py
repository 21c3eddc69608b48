"""all-MiniLM-L6-v2 on ONNX Runtime, f32, one thread: the peer of `cargo bench --bench embedding`,
which starts it. The graph is written from the safetensors with ONNX Runtime's own fused attention;
texts go in sorted by length, and of several batch sizes the fastest is taken.

    benches/peers/run embedding.py FOLDER     a JSON list of texts a line in, [vectors, CPU seconds] out
"""

import json
import pathlib
import sys
import time

import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file
from tokenizers import Tokenizer

MAX_TOKENS = 256
BATCHES = [1, 4, 16]


def graph(folder):
    weights = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    width, epsilon = config["hidden_size"], config["layer_norm_eps"]
    constants, nodes = [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(numpy.ascontiguousarray(values), name))
        return name

    def node(kind, inputs, name, **attributes):
        nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def linear(rows, name, key):
        product = node("MatMul", [rows, constant(f"{name}.w", weights[f"{key}.weight"].T)], f"{name}.m")
        return node("Add", [product, constant(f"{name}.b", weights[f"{key}.bias"])], name)

    def norm(rows, name, key):
        gain, bias = (constant(f"{name}.{part}", weights[f"{key}.{part}"]) for part in ("weight", "bias"))
        return node("LayerNormalization", [rows, gain, bias], name, axis=-1, epsilon=epsilon)

    table = {part: weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type")}
    words = node("Gather", [constant("words", table["word"]), "ids"], "word")
    places = node("Gather", [constant("places", table["position"]), "positions"], "place")
    rows = node("Add", [node("Add", [words, places], "sum"), constant("kind", table["token_type"][0])], "begin")
    rows = norm(rows, "begun", "embeddings.LayerNorm")
    for number in range(config["num_hidden_layers"]):
        key, name = f"encoder.layer.{number}", f"l{number}"
        parts = [linear(rows, f"{name}.{part}", f"{key}.attention.self.{part}") for part in ("query", "key", "value")]
        mixed = node(
            "MultiHeadAttention", [*parts, "", "mask"], f"{name}.mixed",
            domain="com.microsoft", num_heads=config["num_attention_heads"],
        )
        out = linear(mixed, f"{name}.out", f"{key}.attention.output.dense")
        rows = norm(node("Add", [out, rows], f"{name}.r1"), f"{name}.n1", f"{key}.attention.output.LayerNorm")
        wide = node("Gelu", [linear(rows, f"{name}.in", f"{key}.intermediate.dense")], f"{name}.gelu")
        out = linear(wide, f"{name}.back", f"{key}.output.dense")
        rows = norm(node("Add", [out, rows], f"{name}.r2"), f"{name}.n2", f"{key}.output.LayerNorm")
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "tokens"]),
        helper.make_tensor_value_info("positions", TensorProto.INT64, ["tokens"]),
        helper.make_tensor_value_info("mask", TensorProto.INT32, ["batch", "tokens"]),
    ]
    output = helper.make_tensor_value_info(rows, TensorProto.FLOAT, ["batch", "tokens", width])
    model = helper.make_model(
        helper.make_graph(nodes, "minilm", inputs, [output], constants),
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)],
        ir_version=9,
    )
    return model.SerializeToString()


def main():
    folder = pathlib.Path(sys.argv[1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph(folder), options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)

    def embed(texts, size):
        began = time.process_time()
        tokens = [tokenizer.encode(text).ids for text in texts]
        order = sorted(range(len(texts)), key=lambda at: len(tokens[at]))
        vectors = [None] * len(texts)
        for first in range(0, len(order), size):
            batch = order[first : first + size]
            longest = max(len(tokens[at]) for at in batch)
            ids = numpy.zeros((len(batch), longest), numpy.int64)
            mask = numpy.zeros((len(batch), longest), numpy.int32)
            for row, at in enumerate(batch):
                ids[row, : len(tokens[at])] = tokens[at]
                mask[row, : len(tokens[at])] = 1
            states = session.run(
                None, {"ids": ids, "positions": numpy.arange(longest, dtype=numpy.int64), "mask": mask}
            )[0]
            sums = (states * mask[:, :, None]).sum(axis=1)
            for row, at in enumerate(batch):
                vectors[at] = sums[row] / numpy.linalg.norm(sums[row])
        return vectors, time.process_time() - began

    for line in sys.stdin:
        texts = json.loads(line)
        vectors, cpu_s = min((embed(texts, size) for size in BATCHES), key=lambda made: made[1])
        print(json.dumps([[vector.tolist() for vector in vectors], cpu_s]), flush=True)


if __name__ == "__main__":
    main()
