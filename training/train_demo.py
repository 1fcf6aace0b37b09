"""Trains the demo model on scenes of laboratory A and writes crates/transect/demo.

    python training/train_demo.py [--scenes DIR] [--steps 1000] [--seed 7]

See training/README.md for what it needs and what came out.
"""

import argparse
import hashlib
import json
import math
import pathlib
import subprocess
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import scipy.ndimage as ndi
import skimage.io
import skimage.segmentation
import stardist.matching as sd
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[1]
OUT = ROOT / "crates" / "transect" / "demo"
SEEDS = {"train": 1001, "test A": 2002, "test B": 3003}
TRAIN_IMAGES, TEST_IMAGES = 320, 60
LOW, HIGH, EPS = 1.0, 99.8, 1e-3
HALO = 24
NOISE = 0.05


# ----------------------------------------------------------------------------------------------------------- scenes


def make_scenes(folder):
    """Scenes with known truth, by the virtual microscope."""
    for name, lab, n in [("train", "A", TRAIN_IMAGES), ("test A", "A", TEST_IMAGES), ("test B", "B", TEST_IMAGES)]:
        command = ["cargo", "run", "--quiet", "-p", "transect-optics", "--release", "--example", "scenes", "--",
                   str(folder / name), "--lab", lab, "--n", str(n), "--seed", str(SEEDS[name])]
        subprocess.run(command, check=True, cwd=ROOT)


def read_scenes(folder):
    images = sorted((folder / "images").glob("*.png"))
    return [(skimage.io.imread(i), skimage.io.imread(folder / "labels" / i.name).astype(np.int64)) for i in images]


def normalised(image):
    """scale_range of the RDF: percentiles with linear interpolation, then (x - low) / (high - low + eps)."""
    x = image.astype(np.float32)
    low, high = np.percentile(x, [LOW, HIGH])
    return ((x - low) / (high - low + EPS)).astype(np.float32)


def classes_of(labels):
    """0 background, 1 interior, 2 boundary: the outer two pixels of every object, one pixel of small ones."""
    def whole(size):
        return (ndi.minimum_filter(labels, size, mode="nearest") == ndi.maximum_filter(labels, size, mode="nearest"))
    area = np.bincount(labels.ravel())[labels]
    interior = (labels > 0) & np.where(area > 120, whole(5), whole(3))
    return np.where(labels == 0, 0, np.where(interior, 1, 2)).astype(np.int64)


# ------------------------------------------------------------------------------------------------------------ model


class Block(nn.Sequential):
    """Two 3 x 3 convolutions with batch normalisation and ReLU."""

    def __init__(self, inputs, outputs):
        layers = []
        for i in (inputs, outputs):
            layers += [nn.Conv2d(i, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        super().__init__(*layers)


class UNet(nn.Module):
    """Two poolings. A pixel of the output sees 20 pixels to each side, and 3 more by where the poolings fall: the halo of
    24 makes tiled equal to whole."""

    def __init__(self, base):
        super().__init__()
        widths = [base, 2 * base, 4 * base]
        self.down = nn.ModuleList([Block(1 if i == 0 else widths[i - 1], widths[i]) for i in range(3)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(widths[i + 1], widths[i], 2, 2) for i in (1, 0)])
        self.join = nn.ModuleList([Block(2 * widths[i], widths[i]) for i in (1, 0)])
        self.head = nn.Conv2d(base, 3, 1)

    def forward(self, x):
        skips = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else F.max_pool2d(x, 2))
            skips.append(x)
        for i in range(2):
            x = self.join[i](torch.cat([self.up[i](x), skips[1 - i]], 1))
        return self.head(x)


def train(scenes, steps, seed, base):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    # Continued by reflection, as a halo is; nothing is learned there (-100 is ignored by the loss).
    data = [
        (np.pad(normalised(image), HALO, "symmetric"), np.pad(classes_of(labels), HALO, constant_values=-100))
        for image, labels in scenes
    ]
    model = UNet(base)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.15)
    weights = torch.tensor([1.0, 1.0, 2.0])
    crop, batch = 96, 8
    began = time.perf_counter()
    for step in range(steps):
        xs, ys = [], []
        for index in rng.integers(0, len(data), batch):
            x, y = data[index]
            r, c = (rng.integers(0, n - crop + 1) for n in x.shape)
            x, y = x[r : r + crop, c : c + crop], y[r : r + crop, c : c + crop]
            turns, flip = rng.integers(0, 4), rng.integers(0, 2)
            x, y = np.rot90(x, turns), np.rot90(y, turns)
            if flip:
                x, y = x[:, ::-1], y[:, ::-1]
            # Half of the crops get a little more noise, as is the custom; at most about half of that of laboratory B.
            noise = NOISE * rng.uniform() * rng.integers(0, 2)
            xs.append((x + rng.normal(0, 1, x.shape) * noise).astype(np.float32))
            ys.append(y.copy())
        x, y = torch.from_numpy(np.stack(xs))[:, None], torch.from_numpy(np.stack(ys))
        loss = F.cross_entropy(model(x), y, weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step:4}  loss {loss.item():.4f}  {time.perf_counter() - began:.0f} s", flush=True)
    return model.eval()


# ------------------------------------------------------------------------------------------------------------- ONNX


def export(model, path):
    """The graph written node by node, batch normalisation folded into the convolution before it."""
    nodes, weights = [], []

    def constant(name, array):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        return name

    def conv(name, x, weight, bias, pad):
        inputs = [x, constant(f"{name}.weight", weight), constant(f"{name}.bias", bias)]
        size = weight.shape[-1]
        nodes.append(helper.make_node("Conv", inputs, [name], name=name, kernel_shape=[size, size], pads=[pad] * 4))
        return name

    def block(name, x, layers):
        for i in (0, 3):
            norm = layers[i + 1]
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = layers[i].weight * factor[:, None, None, None]
            bias = norm.bias - norm.running_mean * factor
            x = conv(f"{name}.conv{i // 3}", x, weight.numpy(), bias.numpy(), 1)
            nodes.append(helper.make_node("Relu", [x], [f"{name}.relu{i // 3}"], name=f"{name}.relu{i // 3}"))
            x = f"{name}.relu{i // 3}"
        return x

    with torch.no_grad():
        x, skips = "image", []
        for i, layers in enumerate(model.down):
            if i:
                name = f"pool{i}"
                nodes.append(helper.make_node("MaxPool", [x], [name], name=name, kernel_shape=[2, 2], strides=[2, 2]))
                x = name
            x = block(f"down{i}" if i < 2 else "bottom", x, layers)
            skips.append(x)
        for i in range(2):
            name = f"up{1 - i}"
            up = model.up[i]
            inputs = [x, constant(f"{name}.weight", up.weight.numpy()), constant(f"{name}.bias", up.bias.numpy())]
            nodes.append(helper.make_node("ConvTranspose", inputs, [name], name=name, kernel_shape=[2, 2], strides=[2, 2]))
            nodes.append(helper.make_node("Concat", [name, skips[1 - i]], [f"{name}.skip"], name=f"{name}.skip", axis=1))
            x = block(f"join{1 - i}", f"{name}.skip", model.join[i])
        x = conv("logits", x, model.head.weight.numpy(), model.head.bias.numpy(), 0)
        nodes.append(helper.make_node("Softmax", [x], ["probabilities"], name="probabilities", axis=1))
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "demo", [info("image", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [info("probabilities", TensorProto.FLOAT, ["n", 3, "h", "w"])], weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="transect", ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, path)
    return sum(w.dims and math.prod(w.dims) for w in weights)


# ------------------------------------------------------------------------------------------------------------ score


def objects(p):
    """Components of interior over 0.5, grown by watershed into 1 - background over 0.5."""
    foreground = 1 - p[0]
    seeds, _ = ndi.label(p[1] > 0.5)
    return skimage.segmentation.watershed(-foreground, seeds, mask=foreground > 0.5)


def evaluate(session, scenes):
    """As transect runs it: the normalised image is continued by reflection over the halo, which is then cut off."""
    found = []
    for image, labels in scenes:
        x = np.pad(normalised(image), HALO, "symmetric")[None, None]
        pred = objects(session.run(None, {"image": x})[0][0][:, HALO:-HALO, HALO:-HALO])
        m = sd.matching(labels, pred, thresh=[0.5, 0.75])
        both, union = ((labels > 0) & (pred > 0)).sum(), ((labels > 0) | (pred > 0)).sum()
        found.append([m[0].accuracy, m[1].accuracy, both / max(union, 1), m[0].n_pred - m[0].n_true])
    names = ["average_precision_50", "average_precision_75", "iou", "count_error"]
    return dict(zip(names, (round(float(v), 4) for v in np.mean(found, 0))))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=pathlib.Path, help="folder with scenes made before; made anew without it")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--base", type=int, default=10, help="channels of the first level")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.use_deterministic_algorithms(True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.scenes or pathlib.Path(temporary)
        if not arguments.scenes:
            make_scenes(folder)
        scenes = {name: read_scenes(folder / name) for name in SEEDS}
    began = time.perf_counter()
    model = train(scenes["train"], arguments.steps, arguments.seed, arguments.base)
    seconds = time.perf_counter() - began
    OUT.mkdir(parents=True, exist_ok=True)
    parameters = export(model, OUT / "weights.onnx")

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(OUT / "weights.onnx", options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for image, _ in scenes["test A"][:4] + scenes["test B"][:4]:
        x = normalised(image)[None, None]
        for part in (x, x[:, :, :72, :104]):
            with torch.no_grad():
                expected = torch.softmax(model(torch.from_numpy(np.ascontiguousarray(part))), 1).numpy()
            worst = max(worst, float(np.abs(session.run(None, {"image": part})[0] - expected).max()))
    assert worst < 1e-4, f"ONNX and PyTorch differ by {worst}"
    # Tiled equals whole where the halo is left out; tiles begin at multiples of 8.
    whole = session.run(None, {"image": normalised(scenes["test A"][0][0])[None, None]})[0]
    tile = session.run(None, {"image": normalised(scenes["test A"][0][0])[None, None, 40:, 32:]})[0]
    seam = float(np.abs(whole[:, :, 40 + HALO :, 32 + HALO :] - tile[:, :, HALO:, HALO:]).max())
    assert seam < 1e-5, f"tiled and whole differ by {seam}"
    # The test tensors of a bioimage.io description: the raw image, and the output for it after preprocessing.
    image, labels = max(scenes["test A"], key=lambda s: (s[1][:64, :64] > 0).sum())
    part = image[:64, :64]
    np.save(OUT / "test_input.npy", part[None, None].astype(np.float32))
    np.save(OUT / "test_output.npy", session.run(None, {"image": normalised(part)[None, None]})[0])
    sha256 = hashlib.sha256((OUT / "weights.onnx").read_bytes()).hexdigest()
    template = (pathlib.Path(__file__).parent / "rdf.template.yaml").read_text()
    (OUT / "rdf.yaml").write_text(template.replace("@SHA256@", sha256))
    result = {
        "parameters": parameters,
        "bytes": (OUT / "weights.onnx").stat().st_size,
        "sha256": sha256,
        "steps": arguments.steps,
        "seed": arguments.seed,
        "seconds": round(seconds),
        "onnx_minus_torch": worst,
        "tiled_minus_whole": seam,
        "A": evaluate(session, scenes["test A"]),
        "B": evaluate(session, scenes["test B"]),
        "versions": {"torch": torch.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }
    (pathlib.Path(__file__).parent / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
