"""95% Hausdorff distance and surface Dice by MONAI. See PROVENANCE.toml."""

import json
import pathlib

import numpy as np
import torch
from monai.metrics import compute_hausdorff_distance, compute_surface_dice

SEED = 20270
HERE = pathlib.Path(__file__).resolve().parent
TOLERANCES = [0.0, 1.0, 1.5, 2.0, 5.0]


def runs(image):
    flat = image.ravel().astype(int)
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    return [[int(flat[s]), int(n)] for s, n in zip(starts, np.diff(np.r_[starts, flat.size]))]


def blobs(rng, shape, n):
    image = np.zeros(shape, bool)
    rows, columns = np.indices(shape)
    for _ in range(n):
        r, c = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        a, b = rng.uniform(2, 12, 2)
        image |= ((rows - r) / a) ** 2 + ((columns - c) / b) ** 2 <= 1
    return image


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    while len(cases) < 20:
        shape = (int(rng.integers(24, 70)), int(rng.integers(24, 70)))
        truth = blobs(rng, shape, int(rng.integers(1, 6)))
        pred = np.roll(truth, tuple(rng.integers(-3, 4, 2)), (0, 1)) ^ (rng.random(shape) < 0.01)
        if len(cases) % 3 == 2:
            pred = blobs(rng, shape, int(rng.integers(1, 4)))
        if not truth.any() or not pred.any():
            continue
        t, p = (torch.from_numpy(m[None, None].astype(np.float32)) for m in (truth, pred))
        cases.append(
            {
                "rows": shape[0],
                "columns": shape[1],
                "truth": runs(truth),
                "pred": runs(pred),
                "hd95": float(compute_hausdorff_distance(p, t, include_background=True, percentile=95)),
                "surface_dice": [
                    float(compute_surface_dice(p, t, [tolerance], include_background=True)) for tolerance in TOLERANCES
                ],
            }
        )
    values = {"tolerances": TOLERANCES, "cases": cases}
    (HERE / "values.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")


main()
