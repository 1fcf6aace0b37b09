"""Values of instance matching by stardist. See PROVENANCE.toml.

Synthetic pairs are written into values.json. Of the pairs on shared data only file names and the peer's values are
written; they are left out where ../shared is absent.
"""

import csv
import json
import pathlib

import numpy as np
import skimage.io
import stardist.matching as sd

SEED = 20263
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT / ".." / "shared" / "data"
THRESHOLDS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]
LOW = [0.1, 0.25, 0.4]


def runs(image):
    """Row by row, [label, length] for each run."""
    flat = image.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, flat.size])
    return [[int(flat[s]), int(n)] for s, n in zip(starts, lengths)]


def values(truth, pred):
    found = [sd.matching(truth, pred, thresh=t) for t in THRESHOLDS]
    return {
        "tp": [int(f.tp) for f in found],
        "n_true": int(found[0].n_true),
        "n_pred": int(found[0].n_pred),
        "average_precision": [float(f.accuracy) for f in found],
        "f1_50": float(found[0].f1),
        "panoptic_quality": float(found[0].panoptic_quality),
        "sum_iou_50": float(found[0].mean_matched_score * found[0].tp),
        "tp_low": [int(sd.matching(truth, pred, thresh=t).tp) for t in LOW],
    }


def discs(rng, shape, n, radius):
    image = np.zeros(shape, np.int64)
    rows, columns = np.indices(shape)
    for label in range(1, n + 1):
        r, c = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        a, b = rng.uniform(*radius, 2)
        image[((rows - r) / a) ** 2 + ((columns - c) / b) ** 2 <= 1] = label
    return image


def disturbed(rng, truth):
    """Shifted, some objects lost, some merged with their neighbour in number, some new."""
    pred = np.roll(truth, (int(rng.integers(-2, 3)), int(rng.integers(-2, 3))), (0, 1))
    for label in np.unique(truth):
        if label == 0:
            continue
        u = rng.random()
        if u < 0.1:
            pred[pred == label] = 0
        elif u < 0.2:
            pred[pred == label] = label - 1
    extra = discs(rng, truth.shape, 4, (2, 5))
    return np.where((pred == 0) & (extra > 0), extra + 10_000, pred)


def moved(truth):
    """The rule that the test in Rust repeats on shared label images."""
    pred = np.zeros_like(truth)
    pred[:-2, :-1] = truth[2:, 1:]
    return np.where(pred % 7 == 0, 0, np.where(pred % 5 == 0, pred - 1, pred))


def main():
    rng = np.random.default_rng(SEED)
    pairs = []
    for name, shape, n, radius in [
        ("sparse", (60, 70), 12, (3, 7)),
        ("crowded", (90, 100), 120, (3, 8)),
        ("large", (80, 80), 6, (10, 25)),
        ("small", (70, 60), 60, (1, 3)),
    ]:
        truth = discs(rng, shape, n, radius)
        pairs.append((name, truth, disturbed(rng, truth)))
    # Every true object is cut into two halves of equal size: the IoU is exactly the threshold, two candidates tie.
    truth = np.kron(np.arange(1, 13).reshape(3, 4), np.ones((8, 8), np.int64))
    halves = 2 * truth + (np.arange(truth.shape[1]) % 8 >= 4)
    pairs.append(("halves", truth, halves))
    pairs.append(("halves turned round", halves, truth))
    # 11 of 20 pixels: the IoU is exactly 0.55.
    truth = np.zeros((4, 20), np.int64)
    pred = truth.copy()
    truth[1] = 3
    pred[1, :11] = 8
    pairs.append(("exactly 0.55", truth, pred))
    pairs.append(("nothing found", truth, np.zeros_like(truth)))
    pairs.append(("nothing there", np.zeros_like(truth), pred))
    pairs.append(("nothing at all", np.zeros_like(truth), np.zeros_like(truth)))
    out = {
        "thresholds": THRESHOLDS,
        "low_thresholds": LOW,
        "pairs": [
            {"name": name, "rows": t.shape[0], "columns": t.shape[1], "truth": runs(t), "pred": runs(p), **values(t, p)}
            for name, t, p in pairs
        ],
    }
    if SHARED.is_dir():
        moved_pairs = []
        with open(SHARED / "dsb2018" / "manifest.csv", newline="") as file:
            rows = [r for r in csv.DictReader(file) if r["split"] == "test"]
        rows.sort(key=lambda r: (-int(r["n_objects"]), r["label"]))
        for row in rows[:3] + rows[10:100:15]:
            truth = skimage.io.imread(SHARED / "dsb2018" / row["label"]).astype(np.int64)
            moved_pairs.append({"truth": f"dsb2018/{row['label']}", **values(truth, moved(truth))})
        result_pairs = []
        for quality in ["noisy", "noisier"]:
            for frame in range(5):
                t = f"tracking/epidermis_paw/01_GT/SEG/man_seg{frame:03}.tif"
                p = f"tracking/epidermis_paw/01_RES_{quality}/mask{frame:03}.tif"
                truth, pred = (skimage.io.imread(SHARED / f).astype(np.int64) for f in (t, p))
                result_pairs.append({"truth": t, "pred": p, **values(truth, pred)})
        out["shared_moved"] = moved_pairs
        out["shared_results"] = result_pairs
    else:
        print("../shared is absent: no values on shared data")
    here = pathlib.Path(__file__).parent
    (here / "values.json").write_text(json.dumps(out) + "\n")


main()
