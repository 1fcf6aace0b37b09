"""Values of classification metrics by scikit-learn. See PROVENANCE.toml."""

import json
import pathlib

import numpy as np
import sklearn.metrics as m

SEED = 20261


def values(truth, p):
    k = p.shape[1]
    pred = p.argmax(1)
    labels = list(range(k))
    present = set(truth.tolist())
    out = {
        "accuracy": m.accuracy_score(truth, pred),
        # The classes of the truth only; scikit-learn warns where the prediction has others.
        "balanced_accuracy": m.recall_score(truth, pred, labels=sorted(present), average="macro"),
        "macro_f1": m.f1_score(truth, pred, average="macro"),
        "mcc": m.matthews_corrcoef(truth, pred),
        "log_loss": m.log_loss(truth, p, labels=labels),
        "brier": m.brier_score_loss(truth, p, labels=labels, scale_by_half=False),
    }
    if set(pred.tolist()) <= present:
        assert np.isclose(out["balanced_accuracy"], m.balanced_accuracy_score(truth, pred), atol=1e-12)
    if k == 2:
        out["auroc"] = m.roc_auc_score(truth, p[:, 1])
    elif len(present) == k:
        out["auroc"] = m.roc_auc_score(truth, p, multi_class="ovr", average="macro", labels=labels)
    return {name: float(value) for name, value in out.items()}


def case(rng, name, n, k, resample=False, without=None, power=2.0):
    """Probabilities are multiples of 1/64, so that they tie often and are exact in 32 bits."""
    truth = rng.integers(0, k, n)
    if without is not None:
        truth[truth == without] = (without + 1) % k
    raw = rng.random((n, k)) ** power
    raw[np.arange(n), truth] += 0.35
    raw /= raw.sum(1, keepdims=True)
    p = np.maximum(np.round(raw * 64), 1)
    biggest = p.argmax(1)
    p[np.arange(n), biggest] += 64 - p.sum(1)
    p /= 64
    assert (p > 0).all() and (p.sum(1) == 1).all()
    indices = rng.integers(0, n, n) if resample else np.arange(n)
    return {
        "name": name,
        "n_classes": k,
        "truth": truth.tolist(),
        "probabilities_64ths": (p * 64).astype(int).tolist(),
        "indices": indices.tolist(),
        "values": values(truth[indices], p[indices]),
    }


def main():
    rng = np.random.default_rng(SEED)
    cases = [
        case(rng, "two classes", 80, 2),
        case(rng, "four classes", 120, 4),
        case(rng, "a resample of four classes", 90, 4, resample=True),
        case(rng, "a class that is predicted and never true", 60, 5, without=3),
        case(rng, "nine classes, hardly better than chance", 300, 9, power=0.5),
    ]
    here = pathlib.Path(__file__).parent
    (here / "values.json").write_text(json.dumps({"cases": cases}) + "\n")


main()
