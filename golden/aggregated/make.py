"""Aggregated Jaccard indices by HoVer-Net's metrics. See PROVENANCE.toml.

    python golden/aggregated/make.py STATS_UTILS_PY
"""

import importlib.util
import json
import pathlib
import sys

import numpy as np

SEED = 20269
HERE = pathlib.Path(__file__).resolve().parent


def runs(image):
    flat = image.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    return [[int(flat[s]), int(n)] for s, n in zip(starts, np.diff(np.r_[starts, flat.size]))]


def discs(rng, shape, n, radius):
    image = np.zeros(shape, np.int64)
    rows, columns = np.indices(shape)
    for label in range(1, n + 1):
        r, c = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        a, b = rng.uniform(*radius, 2)
        image[((rows - r) / a) ** 2 + ((columns - c) / b) ** 2 <= 1] = label
    return image


def disturbed(rng, truth):
    """Shifted, some lost, some merged, some split, some new."""
    pred = np.roll(truth, tuple(rng.integers(-4, 5, 2)), (0, 1))
    top = int(truth.max()) + 1
    for label in np.unique(pred):
        if label == 0:
            continue
        u = rng.random()
        if u < 0.15:
            pred[pred == label] = 0
        elif u < 0.3:
            pred[pred == label] = max(1, label - 1)
        elif u < 0.45:
            half = pred == label
            half[: int(np.nonzero(half)[0].mean())] = False
            pred[half] = top
            top += 1
    new = discs(rng, truth.shape, int(rng.integers(0, 4)), (2, 6))
    return np.where((pred == 0) & (new > 0), new + top, pred)


def consecutive(image):
    return np.searchsorted(np.unique(np.r_[0, image.ravel()]), image)


def main():
    spec = importlib.util.spec_from_file_location("stats_utils", sys.argv[1])
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    rng = np.random.default_rng(SEED)
    cases = []
    for case in range(24):
        shape = (int(rng.integers(30, 80)), int(rng.integers(30, 80)))
        truth = consecutive(discs(rng, shape, int(rng.integers(2, 30)), (2, 9)))
        pred = consecutive(disturbed(rng, truth))
        if case == 0:
            # Nothing in common.
            truth[:, shape[1] // 2 :] = 0
            pred[:, : shape[1] // 2] = 0
            truth, pred = consecutive(truth), consecutive(pred)
        cases.append(
            {
                "rows": shape[0],
                "columns": shape[1],
                "truth": runs(truth),
                "pred": runs(pred),
                "aji": float(peer.get_fast_aji(truth, pred)),
                "aji_plus": float(peer.get_fast_aji_plus(truth, pred)),
            }
        )
    (HERE / "values.json").write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")


main()
