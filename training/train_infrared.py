"""Trains one small network on tissue sections seen twice, stained and in the infrared, plain and with robustifications.

    python training/train_infrared.py --out DIR [--train 400] [--test 200] [--steps 500] [--seed 11] [--association 0.8] [--contrast 1]

Sections come from the virtual microscope (`cargo run -p transect-optics --release --example sections`). In the training
sections thickness and scatter go with the class in part (--association, 0.8 standard deviations); there are three sets of test
sections: with the same association, without any, and with the opposite one. Each model is written as ONNX with a `model.toml`,
so that `transect audit` can be run on it; `result.json` holds accuracies. See docs/src/infrared.md for what came out.
"""

import argparse
import json
import pathlib
import subprocess
import time

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, checker, helper, numpy_helper, save
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[1]
WAYS = ["plain", "augmentation", "dropout", "mixup", "group_balanced", "derivative"]


def make(folder, n, seed, association, contrast, binary):
    if (folder / "infrared.csv").exists():
        return
    command = [binary] if binary else ["cargo", "run", "--quiet", "-p", "transect-optics", "--release", "--example", "sections", "--"]
    subprocess.run(command + [str(folder), "--n", str(n), "--seed", str(seed), "--association", str(association),
                              "--contrast", str(contrast)],
                   check=True, cwd=ROOT)


def png(path):
    import skimage.io

    return skimage.io.imread(path).transpose(2, 0, 1).astype(np.float32) / 255


def read(folder, kind):
    lines = (folder / f"{kind}.csv").read_text().splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","))) for line in lines[1:]]
    load = png if kind == "stained" else np.load
    x = np.stack([load(folder / r["image"]) for r in rows])
    y = np.array([int(r["class_name"] == "altered") for r in rows])
    thick = np.array([float(r["thickness"]) for r in rows])
    return torch.from_numpy(x), torch.from_numpy(y), thick


class Net(nn.Module):
    """Three convolutions with stride, global average pooling, one linear layer: 39 to 47 thousand weights."""

    def __init__(self, channels, derivative):
        super().__init__()
        self.derivative = derivative
        inputs = channels - 2 if derivative else channels
        self.conv = nn.ModuleList([nn.Conv2d(inputs, 24, 3, 2, 1), nn.Conv2d(24, 48, 3, 2, 1), nn.Conv2d(48, 64, 3, 2, 1)])
        self.head = nn.Linear(64, 2)

    def forward(self, x):
        if self.derivative:
            # Second difference along the spectrum: what is smooth goes.
            x = x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2]
        for conv in self.conv:
            x = F.relu(conv(x))
        return self.head(x.mean((2, 3)))


def train(x, y, thick, way, steps, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    mean, sd = x.mean((0, 2, 3)), x.std((0, 2, 3))
    if way == "derivative":
        mean, sd = torch.zeros_like(mean), torch.full_like(sd, float((x[:, 2:] - 2 * x[:, 1:-1] + x[:, :-2]).std()))
    x = (x - mean[None, :, None, None]) / sd[None, :, None, None]
    net = Net(x.shape[1], way == "derivative")
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.2)
    # Groups of group-balanced risk: class by whether the section is thicker than the median, each drawn as often.
    group = y.numpy() * 2 + (thick > np.median(thick))
    members = [np.flatnonzero(group == g) for g in range(4)]
    for _ in range(steps):
        if way == "group_balanced":
            index = np.concatenate([rng.choice(m, 8) for m in members])
        else:
            index = rng.integers(0, len(y), 32)
        a, b = x[index], y[index]
        if rng.integers(0, 2):
            a = a.flip(2)
        if rng.integers(0, 2):
            a = a.flip(3)
        if way == "augmentation":
            # Gain, a slope along the channels, and noise, as is the custom for stained pictures.
            n, c = a.shape[:2]
            gain = torch.from_numpy(np.exp(0.2 * rng.normal(size=(n, 1, 1, 1))).astype(np.float32))
            slope = torch.from_numpy((0.3 * rng.normal(size=(n, 1, 1, 1)) * np.linspace(-1, 1, c)[None, :, None, None]).astype(np.float32))
            a = a * gain + slope + 0.1 * torch.randn(a.shape)
        if way == "dropout":
            # Whole channels, a third of them.
            a = a * (torch.rand(a.shape[0], a.shape[1], 1, 1) > 1 / 3) * 1.5
        target = F.one_hot(b, 2).float()
        if way == "mixup":
            share = float(rng.beta(0.4, 0.4))
            order = torch.from_numpy(rng.permutation(len(index)))
            a, target = share * a + (1 - share) * a[order], share * target + (1 - share) * target[order]
        loss = -(target * F.log_softmax(net(a), 1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval(), mean.numpy(), sd.numpy()


def export(net, mean, sd, folder, kind, names):
    """The graph written node by node, normalisation inside, so that pixels go in as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes, weights = [], []

    def constant(name, array):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def node(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    n = len(mean)
    x = node("Sub", ["image", constant("mean", mean.reshape(1, n, 1, 1))], "centred")
    x = node("Div", [x, constant("sd", sd.reshape(1, n, 1, 1))], "scaled")
    with torch.no_grad():
        first = net.conv[0].weight.numpy()
        if net.derivative:
            # The second difference folded into the first convolution.
            wide = np.zeros((first.shape[0], n, 3, 3), np.float32)
            for shift, factor in ((0, 1), (1, -2), (2, 1)):
                wide[:, shift : shift + first.shape[1]] += factor * first
            first = wide
        for i, conv in enumerate(net.conv):
            weight = first if i == 0 else conv.weight.numpy()
            x = node("Conv", [x, constant(f"conv{i}.weight", weight), constant(f"conv{i}.bias", conv.bias.numpy())], f"conv{i}",
                     kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
            x = node("Relu", [x], f"relu{i}")
        x = node("GlobalAveragePool", [x], "pooled")
        x = node("Flatten", [x], "embedding", axis=1)
        x = node("Gemm", [x, constant("head.weight", net.head.weight.numpy()), constant("head.bias", net.head.bias.numpy())],
                 "logits", transB=1)
    node("Softmax", [x], "probabilities", axis=1)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "sections", [info("image", TensorProto.FLOAT, [1, n, 64, 64])],
                              [info("probabilities", TensorProto.FLOAT, [1, 2])], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="transect", ir_version=8)
    checker.check_model(made, full_check=True)
    save(made, folder / "weights.onnx")
    channels = ", ".join(f'"{c}"' for c in names)
    (folder / "model.toml").write_text(
        f'name = "sections, {kind}, {folder.name}"\nonnx = "weights.onnx"\ntask = "classification"\n'
        f'classes = ["normal", "altered"]\nvalues = "{"full-scale" if kind == "stained" else "raw"}"\n'
        f'[input]\naxes = "bcyx"\nchannels = [{channels}]\n\n[output]\naxes = "bc"\nactivation = "none"\n'
    )


def predictions(folder, x):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / "weights.onnx"))
    return np.concatenate([session.run(None, {"image": image[None].numpy()})[0] for image in x])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--train", type=int, default=400)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--association", type=float, default=0.8)
    parser.add_argument("--contrast", type=float, default=1.0)
    parser.add_argument("--sections", help="the example's binary, where it is built already")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    sets = {
        "train": (arguments.train, 1, arguments.association),
        "test_same": (arguments.test, 2, arguments.association),
        "test_none": (arguments.test, 3, 0.0),
        "test_opposite": (arguments.test, 4, -arguments.association),
    }
    for name, (n, seed, association) in sets.items():
        make(out / name, n, 1000 * arguments.seed + seed, association, arguments.contrast, arguments.sections)
    result = {"torch": torch.__version__, "seed": arguments.seed, "steps": arguments.steps, "association": arguments.association,
              "contrast": arguments.contrast, "accuracy": {}}
    for kind in ("stained", "infrared"):
        data = {name: read(out / name, kind) for name in sets}
        x, y, thick = data["train"]
        names = ["red", "green", "blue"] if kind == "stained" else [
            f"{960 + 800 * b / (x.shape[1] - 1):.0f}" for b in range(x.shape[1])
        ]
        for way in WAYS:
            if way == "derivative" and kind == "stained":
                continue
            began = time.perf_counter()
            net, mean, sd = train(x, y, thick, way, arguments.steps, arguments.seed)
            folder = out / "models" / f"{kind}_{way}"
            export(net, mean, sd, folder, kind, names)
            scores = {}
            for name, (tx, ty, _) in data.items():
                p = predictions(folder, tx)
                with torch.no_grad():
                    mine = F.softmax(net((tx - torch.from_numpy(mean)[None, :, None, None]) / torch.from_numpy(sd)[None, :, None, None]), 1)
                assert np.abs(p - mine.numpy()).max() < 1e-4, "ONNX Runtime and PyTorch differ"
                scores[name] = float((p.argmax(1) == ty.numpy()).mean())
            result["accuracy"][f"{kind}_{way}"] = scores
            print(kind, way, scores, f"{time.perf_counter() - began:.0f} s", flush=True)
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
