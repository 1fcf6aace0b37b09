"""Golden values of two-sample quantities from SciPy, NumPy and scikit-learn."""
import json
import pathlib
import numpy as np
from scipy import linalg, stats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(20263)
out = {"ks": [], "frechet": [], "auroc": [], "correlation": [], "isotonic": [], "quantile": [], "classifier": []}
for n, m, digits in ((5, 7, 8), (40, 60, 1), (200, 30, 8)):
    a, b = rng.normal(size=n).round(digits), (rng.normal(size=m) + 0.5).round(digits)
    out["ks"].append({"a": a.tolist(), "b": b.tolist(), "statistic": stats.ks_2samp(a, b).statistic})
for n, m, d in ((20, 30, 1), (50, 40, 3), (60, 80, 6)):
    a = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    b = rng.normal(size=(m, d)) @ rng.normal(size=(d, d)) + 1
    s, t = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))
    root = linalg.sqrtm(s @ t)
    value = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s + t - 2 * root.real)
    out["frechet"].append({"d": d, "a": a.ravel().tolist(), "b": b.ravel().tolist(), "distance": float(value)})
for n, digits in ((10, 6), (50, 1), (200, 1)):
    y = np.r_[0, 1, rng.integers(0, 2, n - 2)]
    s = (rng.normal(size=n) + 0.7 * y).round(digits)
    out["auroc"].append({"scores": s.tolist(), "positive": [bool(v) for v in y], "auroc": roc_auc_score(y, s)})
for n, digits in ((10, 6), (60, 0)):
    x = rng.normal(size=n).round(digits)
    y = (x + rng.normal(size=n)).round(digits)
    out["correlation"].append({
        "x": x.tolist(), "y": y.tolist(),
        "pearson": stats.pearsonr(x, y).statistic, "spearman": stats.spearmanr(x, y).statistic,
    })
for n in (6, 30):
    y, w = np.arange(n) / n + rng.normal(size=n), rng.uniform(0.5, 2, n)
    fit = IsotonicRegression().fit_transform(np.arange(n), y, sample_weight=w)
    out["isotonic"].append({"values": y.tolist(), "weights": w.tolist(), "fit": fit.tolist()})
for n in (1, 7, 50):
    v, q = rng.normal(size=n), [0, 0.01, 0.3, 0.5, 0.99, 1]
    out["quantile"].append({
        "values": v.tolist(), "q": q, "quantiles": np.quantile(v, q).tolist(),
        "mad": float(stats.median_abs_deviation(v, scale=1 / 1.4826)),
    })
# A classifier of another kind on the same held-out task: the two AUCs estimate the same separation.
for d, shift in ((5, 1.0), (20, 1.5)):
    x = rng.normal(size=(400, d))
    y = np.arange(400) % 2
    x[y == 1, 0] += shift
    aucs = []
    for _ in range(20):
        fold = rng.permutation(np.arange(400) // 2 % 5)
        parts = []
        for f in range(5):
            fit = LogisticRegression().fit(x[fold != f], y[fold != f])
            parts.append(roc_auc_score(y[fold == f], fit.decision_function(x[fold == f])))
        aucs.append(np.mean(parts))
    out["classifier"].append({
        "d": d, "features": x.round(9).ravel().tolist(), "target": [bool(v) for v in y],
        "logistic_auc": float(np.mean(aucs)), "spread_over_folds": float(np.std(aucs)),
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out, indent=None) + "\n")
