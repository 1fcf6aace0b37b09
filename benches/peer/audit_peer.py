"""The work of `transect audit`, done with the usual Python packages, to be timed beside it.

One process for each core, one thread each in ONNX Runtime; images read by Pillow or scikit-image; corruptions by NumPy and
SciPy in the manner of imagecorruptions; instances by scikit-image's watershed and stardist's matching; intervals by
`scipy.stats.bootstrap` (BCa); a two-sample classifier by scikit-learn. What is not inference is everything else that the
processes do between reading an image and having its scores, and the statistics after that.

Prints one JSON object. Seconds of the workers are summed over processes and measured by the wall clock inside each, so
run it on an idle machine. Start-up (imports, opening the model) is given apart and counted nowhere else.

    python benches/peer/audit_peer.py --model weights.onnx --rdf rdf.yaml --manifest manifest.csv --truth label \
        --where "split = 'test'" --views 41
"""

import argparse
import io
import json
import multiprocessing as mp
import os
import pathlib
import re
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

START = time.perf_counter()

import numpy as np  # noqa: E402
import onnxruntime as ort  # noqa: E402
import pandas as pd  # noqa: E402
import scipy.ndimage as ndi  # noqa: E402
import scipy.optimize  # noqa: E402
import scipy.signal  # noqa: E402
import scipy.special  # noqa: E402
import scipy.stats  # noqa: E402
import skimage.io  # noqa: E402
import skimage.segmentation  # noqa: E402
import skimage.transform  # noqa: E402
import yaml  # noqa: E402
from PIL import Image  # noqa: E402

THRESHOLDS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]


# ---------------------------------------------------------------------------------------------------------- views


def clip(x, high):
    return np.clip(np.round(x), 0, high)


def shot_noise(x, v, rng, high):
    peak = max(np.percentile(x, 99.9), 1)
    return clip(rng.poisson(x / peak * v) / v * peak, high)


def read_noise(x, v, rng, high):
    return clip(x + rng.normal(0, v * high / 255, x.shape), high)


def defocus(x, v, rng, high):
    r = int(np.ceil(v))
    rows, columns = np.mgrid[-r : r + 1, -r : r + 1]
    disc = (rows**2 + columns**2 <= v * v).astype(float)
    disc = ndi.gaussian_filter(disc, 0.5)
    disc /= disc.sum()
    pad = [(r, r), (r, r)]
    return clip(
        np.stack([scipy.signal.fftconvolve(np.pad(c, pad, "reflect"), disc, "valid") for c in x]), high
    )


def gain(x, v, rng, high):
    return clip(x * v, high)


def offset(x, v, rng, high):
    return clip(x + v * high / 255, high)


def jpeg(x, v, rng, high):
    bytes_ = x / high * 255
    out = []
    planes = [np.moveaxis(bytes_, 0, -1)] if len(x) == 3 else list(bytes_)
    for plane in planes:
        buffer = io.BytesIO()
        Image.fromarray(plane.astype(np.uint8)).save(buffer, "JPEG", quality=int(v))
        out.append(np.asarray(Image.open(buffer), float))
    y = np.moveaxis(out[0], -1, 0) if len(x) == 3 else np.stack(out)
    return clip(y / 255 * high, high)


def illumination(x, v, rng, high):
    rows, columns = np.meshgrid(np.linspace(-1, 1, x.shape[1]), np.linspace(-1, 1, x.shape[2]), indexing="ij")
    a = rng.uniform(0, 2 * np.pi)
    return clip(x * (1 + v * (np.cos(a) * rows + np.sin(a) * columns) / 1.5), high)


def magnification(x, v, rng, high):
    size = [len(x), max(8, round(x.shape[1] * v)), max(8, round(x.shape[2] * v))]
    return clip(skimage.transform.resize(x, size, order=1, anti_aliasing=v < 1), high)


def stain(x, v, rng, high):
    density = -np.log((x + 1) / (high + 1))
    scale = 1 + v * rng.uniform(-1, 1, (len(x), 1, 1))
    return clip((high + 1) * np.exp(-density * scale) - 1, high)


LADDERS = [
    (shot_noise, [300, 100, 50, 20, 8]),
    (read_noise, [2, 5, 10, 20, 35]),
    (defocus, [1, 2, 3, 5, 8]),
    (gain, [0.9, 0.8, 0.6, 0.4, 0.25]),
    (offset, [5, 10, 20, 40, 70]),
    (jpeg, [90, 75, 50, 25, 10]),
    (illumination, [0.1, 0.2, 0.35, 0.5, 0.7]),
    (magnification, [0.9, 0.8, 0.7, 0.6, 0.5]),
    (stain, [0.05, 0.1, 0.2, 0.3, 0.5]),
]


def views(count, channels):
    """The identity, then ladder by ladder; repeated with other seeds where more are asked for."""
    ladders = [(f, values) for f, values in LADDERS if channels == 3 or f is not stain]
    every = [(f.__name__, severity + 1, f, v) for f, values in ladders for severity, v in enumerate(values)]
    chosen = [("identity", 0, None, None)]
    while len(chosen) < count:
        chosen.append(every[(len(chosen) - 1) % len(every)])
    return chosen[:count]


# ---------------------------------------------------------------------------------------------------------- a row


class Spec:
    """What is needed of the description of a model."""

    def __init__(self, path):
        rdf = yaml.safe_load(open(path))
        self.config = rdf["config"]["transect"]
        source, out = rdf["inputs"][0], rdf["outputs"][0]
        self.pre = source.get("preprocessing", [])
        self.post = out.get("postprocessing", [])
        axes = {axis.get("id", axis["type"]): axis for axis in source["axes"]}
        self.channels = len(axes["channel"]["channel_names"])
        self.size = axes["y"]["size"]
        self.range = source["data"].get("range")
        self.halo = max(axis.get("halo", 0) for axis in out["axes"])
        names = [axis for axis in out["axes"] if axis["type"] == "channel"][0]["channel_names"]
        self.classes = names
        if self.config["task"] == "classification" and out.get("description"):
            self.classes = [c.strip() for c in out["description"].split(",")]


def prepare(spec, x, high):
    x = x.astype(np.float32)
    if spec.channels == 1 and len(x) == 3:
        x = (np.float32([0.299, 0.587, 0.114])[:, None, None] * x).sum(0, keepdims=True)
    resize = spec.config.get("resize")
    if resize:
        x = skimage.transform.resize(x, [len(x), *resize["size"]], order=1, anti_aliasing=True).astype(np.float32)
    if spec.range == [0, 1]:
        x = x / np.float32(high)
    for op in spec.pre:
        kwargs = op.get("kwargs", {})
        if op["id"] == "scale_range":
            low, up = np.percentile(x, [kwargs["min_percentile"], kwargs["max_percentile"]])
            x = (x - low) / (up - low + kwargs.get("eps", 1e-6))
        elif op["id"] == "zero_mean_unit_variance":
            x = (x - x.mean()) / (x.std() + kwargs.get("eps", 1e-6))
        elif op["id"] == "ensure_dtype":
            x = x.astype(kwargs["dtype"])
        else:
            raise SystemExit(f"operation {op['id']} is not known here")
    shape = x.shape
    if isinstance(spec.size, dict):
        # One tile holds the image with its halo; no image here is larger than memory.
        step, least, halo = spec.size["step"], spec.size["min"], spec.halo
        tile = [least + max(0, -(-(n + 2 * halo - least) // step)) * step for n in x.shape[1:]]
        x = np.pad(x, [(0, 0), *((halo, t - n - halo) for t, n in zip(tile, x.shape[1:]))], "symmetric")
    return np.ascontiguousarray(x[None], np.float32), shape


def decode(spec, y, shape):
    y = y[0]
    for op in spec.post:
        if op["id"] == "softmax":
            y = scipy.special.softmax(y, axis=0)
        elif op["id"] == "sigmoid":
            y = scipy.special.expit(y)
    if spec.config["task"] == "classification":
        return y
    y = y[:, spec.halo : spec.halo + shape[1], spec.halo : spec.halo + shape[2]]
    limits = spec.config.get("thresholds", {})
    foreground = 1 - y[0] if spec.config["decode"] == "interior-boundary" else y[0]
    mask = foreground > limits.get("foreground", 0.5)
    if spec.config["task"] == "semantic":
        return mask.astype(np.int32)
    if spec.config["decode"] == "interior-boundary":
        seeds, _ = ndi.label(y[1] > limits.get("interior", 0.5))
        return skimage.segmentation.watershed(-foreground, seeds, mask=mask)
    return ndi.label(mask)[0]


def score(spec, truth, pred):
    if spec.config["task"] == "classification":
        p = np.clip(pred.astype(float), 1e-15, 1)
        one = np.eye(len(p))[truth]
        return [float(pred.argmax() == truth), -np.log(p[truth]), ((pred - one) ** 2).sum()]
    both = ((truth > 0) & (pred > 0)).sum()
    union = ((truth > 0) | (pred > 0)).sum()
    iou = both / union if union else 1.0
    if spec.config["task"] == "semantic":
        return [iou, 2 * both / (both + union) if union else 1.0]
    import stardist.matching as sd

    found = sd.matching(truth, pred, thresh=THRESHOLDS)
    empty = found[0].n_true + found[0].n_pred == 0
    precision = [1.0 if empty else f.accuracy for f in found]
    return [precision[0], precision[5], np.mean(precision), found[0].f1, found[0].panoptic_quality,
            found[0].n_pred - found[0].n_true, iou]


def attributes(x, high):
    """About what items.parquet holds: quantiles, noise, focus, unevenness, texture, for each image once."""
    grey = x.mean(0)
    q = np.percentile(grey, [0.1, 1, 5, 25, 50, 75, 95, 99, 99.9])
    residual = ndi.convolve(grey, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6.0)
    noise = np.median(np.abs(residual)) / 0.6745
    power = np.abs(np.fft.rfft2(grey - grey.mean())) ** 2
    fr = np.hypot(np.fft.fftfreq(grey.shape[0])[:, None], np.fft.rfftfreq(grey.shape[1])[None])
    high_share = power[fr > 0.25].sum() / max(power.sum(), 1e-9)
    slope = np.polyfit(np.log(fr[fr > 0.02]), np.log(power[fr > 0.02] + 1e-9), 1)[0]
    smooth = ndi.gaussian_filter(grey, min(grey.shape) / 8)
    blocks = [ndi.gaussian_filter(grey, s).std() for s in (1, 2, 4)]
    saturated = (x >= high).mean()
    clipped = (x <= 0).mean()
    return [*q, noise, high_share, slope, smooth.std() / max(smooth.mean(), 1e-9), *blocks, saturated, clipped,
            *x.mean((1, 2))[:1], *x.std((1, 2))[:1], *grey.shape]


def load(root, path):
    x = skimage.io.imread(root / path)
    high = np.iinfo(x.dtype).max if np.issubdtype(x.dtype, np.integer) else 1.0
    x = x[None] if x.ndim == 2 else np.moveaxis(x[..., :3], -1, 0)
    return x.astype(float), float(high)


STATE = {}


def begin(arguments):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    STATE["session"] = ort.InferenceSession(arguments.model, options, providers=["CPUExecutionProvider"])
    STATE["spec"] = Spec(arguments.rdf)
    STATE["arguments"] = arguments
    if STATE["spec"].config["task"] == "instance":
        import stardist.matching as sd

        # Compiles the counting of overlaps, so that no image pays for it.
        sd.matching(np.eye(4, dtype=int), np.eye(4, dtype=int), thresh=THRESHOLDS)


def measure(job):
    """All views of one image."""
    index, row = job
    arguments, spec, session = STATE["arguments"], STATE["spec"], STATE["session"]
    root = pathlib.Path(arguments.manifest).parent
    seconds = dict.fromkeys(["read", "attributes", "views", "prepare", "inference", "decode", "score"], 0.0)
    clock = time.perf_counter

    t = clock()
    x, high = load(root, row["image"])
    if spec.config["task"] == "classification":
        truth = spec.classes.index(row[arguments.truth])
    else:
        truth = skimage.io.imread(root / row[arguments.truth]).astype(np.int64)
    seconds["read"] += clock() - t
    t = clock()
    traits = attributes(x, high)
    seconds["attributes"] += clock() - t
    results = []
    for number, (name, severity, make, value) in enumerate(views(arguments.views, len(x))):
        t = clock()
        rng = np.random.default_rng([arguments.seed, index, number])
        view = x if make is None else make(x, value, rng, high)
        seen = truth
        if name == "magnification" and spec.config["task"] != "classification":
            seen = skimage.transform.resize(truth, view.shape[1:], order=0, anti_aliasing=False, preserve_range=True)
            seen = seen.astype(np.int64)
        seconds["views"] += clock() - t
        t = clock()
        fed, shape = prepare(spec, view, high)
        seconds["prepare"] += clock() - t
        t = clock()
        y = session.run(None, {session.get_inputs()[0].name: fed})[0]
        seconds["inference"] += clock() - t
        t = clock()
        pred = decode(spec, y, shape)
        seconds["decode"] += clock() - t
        t = clock()
        numbers = score(spec, seen, pred)
        seconds["score"] += clock() - t
        outputs = pred.tolist() if spec.config["task"] == "classification" else None
        results.append((name, severity, [float(n) for n in numbers], outputs))
    return index, traits, results, seconds


# ---------------------------------------------------------------------------------------------------------- afterwards


def statistics(arguments, spec, frame, measured, reference):
    """Intervals, tolerances, calibration and, with a reference, the tests of shift."""
    rng = np.random.default_rng(arguments.seed)
    identity = np.array([results[0][2] for _, _, results, _ in measured])
    target = ~reference
    out = {"values": {}, "intervals": {}, "tolerance": {}}
    for column in range(identity.shape[1]):
        values = identity[target, column]
        out["values"][column] = float(values.mean())
        if len(values) > 1 and values.std() > 0:
            ci = scipy.stats.bootstrap((values,), np.mean, n_resamples=arguments.resamples, method="BCa", rng=rng)
            out["intervals"][column] = [float(v) for v in ci.confidence_interval]
    # Whole curves are resampled; the tolerance is where a tenth is lost.
    names = sorted({name for name, *_ in measured[0][2]} - {"identity"})
    n = int(target.sum())
    draws = rng.integers(0, n, (arguments.resamples, n))
    for name in names:
        severities = sorted({s for m, s, *_ in measured[0][2] if m == name})
        curve = np.array([
            [results[0][2][0], *[next(r[2][0] for r in results if r[0] == name and r[1] == s) for s in severities]]
            for _, _, results, _ in measured
        ])[target]
        def tolerance(means):
            relative = np.minimum.accumulate(means / max(means[0], 1e-9))
            return np.interp(-0.9, -relative, [0, *severities]) if relative[-1] < 0.9 else np.inf
        # Not reached is infinite; "null" in JSON.
        found = np.percentile([tolerance(curve[d].mean(0)) for d in draws], [2.5, 97.5], method="nearest")
        out["tolerance"][name] = [float(v) if np.isfinite(v) else None for v in (tolerance(curve.mean(0)), *found)]
    if spec.config["task"] == "classification":
        p = np.array([results[0][3] for _, _, results, _ in measured])
        truth = np.array([spec.classes.index(c) for c in frame[arguments.truth]])
        z = np.log(np.clip(p, 1e-12, 1))
        def loss(log_t):
            q = z / np.exp(log_t)
            return -(q[np.arange(len(q)), truth] - scipy.special.logsumexp(q, axis=1)).mean()
        out["temperature"] = float(np.exp(scipy.optimize.minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))
    if reference.any() and target.any():
        import sklearn.linear_model
        import sklearn.metrics
        import sklearn.model_selection
        import sklearn.preprocessing

        traits = np.array([t for _, t, _, _ in measured])
        x = sklearn.preprocessing.StandardScaler().fit_transform(np.nan_to_num(traits))
        labels = target.astype(int)
        def auc(labels):
            folds = sklearn.model_selection.StratifiedKFold(5, shuffle=True, random_state=arguments.seed)
            p = sklearn.model_selection.cross_val_predict(
                sklearn.linear_model.LogisticRegression(max_iter=200), x, labels, cv=folds, method="predict_proba")
            return sklearn.metrics.roc_auc_score(labels, p[:, 1])
        observed = auc(labels)
        null = [auc(rng.permutation(labels)) for _ in range(arguments.permutations)]
        out["classifier_auc"] = float(observed)
        out["classifier_p"] = float((1 + np.sum(np.array(null) >= observed)) / (1 + len(null)))
        distance = ((x[:, None] - x[None]) ** 2).sum(-1)
        kernels = sum(np.exp(-distance / (s * np.median(distance[distance > 0]))) for s in (0.25, 0.5, 1, 2, 4))
        def mmd(labels):
            a, b = labels == 0, labels == 1
            return kernels[np.ix_(a, a)].mean() + kernels[np.ix_(b, b)].mean() - 2 * kernels[np.ix_(a, b)].mean()
        observed = mmd(labels)
        null = [mmd(rng.permutation(labels)) for _ in range(1999)]
        out["mmd_p"] = float((1 + np.sum(np.array(null) >= observed)) / 2000)
    return out


def rows_where(frame, expression):
    """The expression of --where in the words of pandas."""
    if not expression:
        return frame
    return frame.query(re.sub(r"(?<![=!<>])=(?!=)", "==", expression))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--rdf", required=True)
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--truth", required=True, help="column with the class or the path of the label image")
    parser.add_argument("--where", default="")
    parser.add_argument("--reference-where", default="", help="rows of the same manifest that are the reference")
    parser.add_argument("--views", type=int, default=41, help="views of each image, the image itself included")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--resamples", type=int, default=9999)
    parser.add_argument("--permutations", type=int, default=199, help="refits of the two-sample classifier")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    frame = pd.read_csv(arguments.manifest, dtype=str, keep_default_na=False)
    chosen = [rows_where(frame, arguments.where)]
    reference = np.zeros(len(chosen[0]), bool)
    if arguments.reference_where:
        chosen.append(rows_where(frame, arguments.reference_where))
        reference = np.r_[reference, np.ones(len(chosen[1]), bool)]
    frame = pd.concat(chosen).reset_index(drop=True)
    spec = Spec(arguments.rdf)
    jobs = [(index, dict(row)) for index, row in frame.iterrows()]
    with mp.get_context("spawn").Pool(arguments.processes, begin, (arguments,)) as pool:
        pool.map(abs, range(64 * arguments.processes), chunksize=1)
        # The pool answers before every worker has opened its model; a short first round waits for all.
        time.sleep(0.5)
        pool.map(abs, range(64 * arguments.processes), chunksize=1)
        startup = time.perf_counter() - START
        began = time.perf_counter()
        measured = list(pool.imap(measure, jobs, chunksize=1))
        measuring = time.perf_counter() - began
    began = time.perf_counter()
    found = statistics(arguments, spec, frame, measured, reference)
    statistics_s = time.perf_counter() - began
    seconds = {key: sum(s[key] for *_, s in measured) for key in measured[0][3]}
    other = sum(value for key, value in seconds.items() if key != "inference")
    passes = len(jobs) * arguments.views
    print(json.dumps({
        "images": len(jobs),
        "views": arguments.views,
        "forward_passes": passes,
        "processes": arguments.processes,
        "startup_s": round(startup, 3),
        "measuring_wall_s": round(measuring, 3),
        "inference_s": round(seconds["inference"], 3),
        "everything_else_s": round(other + statistics_s, 3),
        "everything_else_by_part_s": {**{k: round(v, 3) for k, v in seconds.items() if k != "inference"},
                                      "statistics": round(statistics_s, 3)},
        "everything_else_ms_per_pass": round(1000 * other / passes, 4),
        "inference_ms_per_pass": round(1000 * seconds["inference"] / passes, 4),
        "results": found,
    }, indent=1))


if __name__ == "__main__":
    main()
