"""Values of IoU and Dice by scikit-learn, pixels taken as samples. See PROVENANCE.toml."""

import json
import pathlib

import numpy as np
import scipy.ndimage as ndi
import sklearn.metrics as m

SEED = 20262
IGNORE = 255


def runs(image):
    """Row by row, [label, length] for each run."""
    flat = image.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    lengths = np.diff(np.r_[starts, flat.size])
    return [[int(flat[s]), int(n)] for s, n in zip(starts, lengths)]


def mask(rng, shape, k, sigma):
    fields = [ndi.gaussian_filter(rng.standard_normal(shape), sigma) for _ in range(k)]
    return np.argmax(fields, 0)


def scores(truth, pred, k):
    keep = truth != IGNORE
    t, p = truth[keep], pred[keep]
    if k == 2:
        return {
            "iou": m.jaccard_score(t, p, pos_label=1, zero_division=1.0),
            "dice": m.f1_score(t, p, pos_label=1, zero_division=1.0),
        }
    # Without `labels`, the classes that occur in truth or prediction.
    return {"iou": m.jaccard_score(t, p, average="macro"), "dice": m.f1_score(t, p, average="macro")}


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for name, k, ignore in [("foreground", 2, False), ("foreground with ignored pixels", 2, True), ("five classes", 5, True)]:
        images = []
        for index in range(4):
            shape = (24 + index, 31)
            truth = mask(rng, shape, k, 3)
            pred = np.where(rng.random(shape) < 0.15, mask(rng, shape, k, 1), truth)
            if k > 2 and index == 1:
                truth[truth == 4] = 0
                pred[pred == 4] = 1
            if k == 2 and index == 2:
                pred[:] = 0
            if k == 2 and index == 3:
                truth[:] = 0
                pred[:] = 0
            if ignore:
                truth[:3] = IGNORE
            values = {key: float(v) for key, v in scores(truth, pred, k).items()}
            images.append({"rows": shape[0], "columns": shape[1], "truth": runs(truth), "pred": runs(pred), **values})
        def flat(key):
            return np.concatenate([np.repeat(*np.array(i[key]).T) for i in images])
        pooled = scores(flat("truth"), flat("pred"), k)
        cases.append({
            "name": name,
            "n_classes": k,
            "ignore": IGNORE if ignore else None,
            "images": images,
            "values": {
                "iou": float(np.mean([i["iou"] for i in images])),
                "dice": float(np.mean([i["dice"] for i in images])),
                "pooled_iou": float(pooled["iou"]),
                "pooled_dice": float(pooled["dice"]),
            },
        })
    here = pathlib.Path(__file__).parent
    (here / "values.json").write_text(json.dumps({"cases": cases}) + "\n")


main()
