"""Statistics that BatchNormalization layers meet in a batch of several sizes of nets, by PyTorch in training mode.

Writes net.onnx (weights fixed, statistics far off on purpose) and values.json.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

SEED = 20270
HERE = Path(__file__).parent
BATCH, SIDE = 5, 12

rng = np.random.default_rng(SEED)


def conv(o, i, k):
    return rng.normal(0, 0.4, (o, i, k, k)).astype(np.float32)


w1, w2, w3 = conv(4, 3, 3), conv(6, 4, 3), conv(6, 4, 1)
b1 = rng.normal(0, 1, 4).astype(np.float32)
scale = [rng.uniform(0.5, 2, n).astype(np.float32) for n in (4, 6, 6)]
shift = [rng.normal(0, 0.5, n).astype(np.float32) for n in (4, 6, 6)]
fc = rng.normal(0, 0.5, (3, 6)).astype(np.float32)
images = rng.normal(0.4, 0.3, (BATCH, 3, SIDE, SIDE)).astype(np.float32)
# Images that differ from one another, so that pooled and mean statistics differ as well.
images *= np.linspace(0.3, 2.0, BATCH, dtype=np.float32)[:, None, None, None]

init = {"w1": w1, "b1": b1, "w2": w2, "w3": w3, "fc": fc}
for i in range(3):
    init |= {f"s{i}": scale[i], f"h{i}": shift[i]}
    init |= {f"m{i}": np.full_like(scale[i], 7), f"v{i}": np.full_like(scale[i], 9)}
bn = lambda i, x, y: helper.make_node(
    "BatchNormalization", [x, f"s{i}", f"h{i}", f"m{i}", f"v{i}"], [y], epsilon=1e-5
)
nodes = [
    helper.make_node("Conv", ["image", "w1", "b1"], ["c0"], pads=[1, 1, 1, 1]),
    bn(0, "c0", "n0"),
    helper.make_node("Relu", ["n0"], ["r0"]),
    helper.make_node("MaxPool", ["r0"], ["p0"], kernel_shape=[2, 2], strides=[2, 2]),
    helper.make_node("Conv", ["p0", "w2"], ["c1"], pads=[1, 1, 1, 1]),
    bn(1, "c1", "n1"),
    helper.make_node("Conv", ["p0", "w3"], ["c2"]),
    bn(2, "c2", "n2"),
    helper.make_node("Add", ["n1", "n2"], ["sum"]),
    helper.make_node("Relu", ["sum"], ["r1"]),
    helper.make_node("GlobalAveragePool", ["r1"], ["g"]),
    helper.make_node("Flatten", ["g"], ["features"]),
    helper.make_node("Gemm", ["features", "fc"], ["logits"], transB=1),
]
value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
graph = helper.make_graph(
    nodes,
    "net",
    [value("image", ["n", 3, SIDE, SIDE])],
    [value("logits", ["n", 3])],
    [numpy_helper.from_array(v, k) for k, v in init.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, HERE / "net.onnx")

t = torch.from_numpy
F = torch.nn.functional


def batch(i, x):
    """Normalises by the batch's own statistics and gives them (variance with divisor n)."""
    mean, var = torch.zeros(x.shape[1]), torch.zeros(x.shape[1])
    y = F.batch_norm(x, mean, var, t(scale[i]), t(shift[i]), training=True, momentum=1.0, eps=1e-5)
    n = x.numel() / x.shape[1]
    return y, mean.double().numpy(), (var.double() * (n - 1) / n).numpy()


x = t(images)
stats = []
c0 = F.conv2d(x, t(w1), t(b1), padding=1)
n0, *s = batch(0, c0)
stats.append(s)
p0 = F.max_pool2d(F.relu(n0), 2)
n1, *s = batch(1, F.conv2d(p0, t(w2), padding=1))
stats.append(s)
n2, *s = batch(2, F.conv2d(p0, t(w3)))
stats.append(s)
logits = F.relu(n1 + n2).mean((2, 3)) @ t(fc).T

(HERE / "values.json").write_text(
    json.dumps(
        {
            "shape": list(images.shape),
            "images": [float(v) for v in images.ravel()],
            "layers": ["n0", "n1", "n2"],
            "mean": [list(map(float, m)) for m, _ in stats],
            "variance": [list(map(float, v)) for _, v in stats],
            "logits": [list(map(float, row)) for row in logits.numpy()],
        }
    )
)
print(torch.__version__, onnx.__version__, np.__version__)
