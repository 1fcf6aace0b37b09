"""Nested cross-validated probes on fixed folds, from scikit-learn, SciPy and NumPy."""
import json
import pathlib
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge

SHARES = [1.0, 0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6]
rng = np.random.default_rng(20264)


def standardise(train, test):
    mean, sd = train.mean(0), train.std(0)
    keep = sd > 0
    a = np.clip((train[:, keep] - mean[keep]) / sd[keep], -5, 5)
    b = np.clip((test[:, keep] - mean[keep]) / sd[keep], -5, 5)
    return a - a.mean(0), b - a.mean(0)


def deltas(x, y, train, test, classes, share):
    a, b = standardise(x[train], x[test])
    fit = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=share).fit(a, y[train])
    priors = np.log(fit.priors_)
    score = b @ fit.coef_.T + fit.intercept_
    if classes == 2:
        return np.c_[np.zeros(len(test)), score[:, 0] - priors[1] + priors[0]], priors
    return score - priors, priors


def loss(b, z, priors, y):
    s = priors + b * z
    return (logsumexp(s, axis=1) - s[np.arange(len(y)), y]).sum()


def folds_of(n):
    outer = rng.permutation(np.arange(n) % 5)
    inner = []
    for f in range(5):
        of = np.zeros(n, int)
        rows = np.flatnonzero(outer != f)
        of[rows] = rng.permutation(np.arange(len(rows)) % 4)
        inner.append(of)
    return outer, inner


def splits(outer, inner, f):
    rows = np.flatnonzero(outer != f)
    for g in range(4):
        yield rows[inner[f][rows] != g], rows[inner[f][rows] == g]


def classes_case(n, d, k, shift):
    y = np.r_[np.repeat(np.arange(k), 10), rng.integers(0, k, n - 10 * k)]
    x = (rng.normal(size=(n, d)) @ (np.eye(d) + 0.3 * rng.normal(size=(d, d)) / np.sqrt(d))).round(6)
    x[np.arange(n), y] += shift
    x[3, d - 1] = 1e4
    outer, inner = folds_of(n)
    out = {"n": n, "d": d, "classes": k, "features": x.ravel().tolist(), "labels": y.tolist(),
           "outer": outer.tolist(), "inner": [i.tolist() for i in inner],
           "shrinkage": [], "temperature": [], "probabilities": np.zeros((n, k)), "balanced": np.zeros(n, int)}
    for f in range(5):
        best = None
        for share in SHARES:
            held = [(deltas(x, y, a, b, k, share), y[b]) for a, b in splits(outer, inner, f)]
            z = np.vstack([h[0][0] for h in held])
            p = np.vstack([np.tile(h[0][1], (len(h[1]), 1)) for h in held])
            t = np.concatenate([h[1] for h in held])
            fit = minimize_scalar(lambda u: loss(np.exp(u), z, p, t), bounds=np.log([1e-6, 1e3]),
                                  method="bounded", options={"xatol": 1e-10})
            if best is None or fit.fun < best[0] - 1e-9 * len(t):
                best = (fit.fun, share, np.exp(fit.x))
        test = np.flatnonzero(outer == f)
        z, p = deltas(x, y, np.flatnonzero(outer != f), test, k, best[1])
        s = p + best[2] * z
        out["probabilities"][test] = np.exp(s - logsumexp(s, axis=1, keepdims=True))
        out["balanced"][test] = z.argmax(1)
        out["shrinkage"].append(best[1])
        out["temperature"].append(1 / best[2])
    out["predicted"] = out["probabilities"].argmax(1).tolist()
    out["probabilities"] = out["probabilities"].ravel().tolist()
    out["balanced"] = out["balanced"].tolist()
    return out


def value_case(n, d):
    x = rng.normal(size=(n, d)).round(6)
    y = (x[:, 0] - 0.5 * x[:, 1] + 0.5 * rng.normal(size=n) + 7).round(6)
    outer, inner = folds_of(n)
    out = {"n": n, "d": d, "features": x.ravel().tolist(), "values": y.tolist(), "outer": outer.tolist(),
           "inner": [i.tolist() for i in inner], "shrinkage": [], "predicted": np.zeros(n)}

    def ridge(train, test, share):
        a, b = standardise(x[train], x[test])
        if share == 1.0:
            return np.full(len(test), y[train].mean())
        alpha = len(train) * share * (a**2).mean(0).mean() / (1 - share)
        return Ridge(alpha=alpha, solver="svd").fit(a, y[train]).predict(b)

    for f in range(5):
        errors = [sum(((ridge(a, b, s) - y[b]) ** 2).sum() for a, b in splits(outer, inner, f)) for s in SHARES]
        share = SHARES[int(np.argmin(errors))]
        test = np.flatnonzero(outer == f)
        out["predicted"][test] = ridge(np.flatnonzero(outer != f), test, share)
        out["shrinkage"].append(share)
    out["predicted"] = out["predicted"].tolist()
    return out


def single_case(n, d, k):
    """The best quantile bins of one feature, with NumPy."""
    x = rng.normal(size=(n, d)).round(2)
    y = np.digitize(np.abs(x[:, 2]) + 0.3 * rng.normal(size=n), [0.5, 1.1][: k - 1])
    v = (np.abs(x[:, 2]) + 0.2 * rng.normal(size=n)).round(6)
    outer, inner = folds_of(n)
    out = {"n": n, "d": d, "classes": k, "features": x.ravel().tolist(), "labels": y.tolist(), "values": v.tolist(),
           "outer": outer.tolist(), "inner": [i.tolist() for i in inner],
           "feature": [], "bins": [], "predicted": np.zeros(n, int), "balanced": np.zeros(n, int),
           "value_feature": [], "value_bins": [], "value_predicted": np.zeros(n)}

    def binned(j, bins, train, rows):
        edges = np.quantile(x[train, j], np.arange(1, bins) / bins)
        return np.searchsorted(edges, x[rows, j], side="left")

    def table(j, bins, train):
        t = np.zeros((bins, k))
        np.add.at(t, (binned(j, bins, train, train), y[train]), 1)
        return t

    def means(j, bins, train):
        b = binned(j, bins, train, train)
        return np.array([v[train][b == i].mean() if (b == i).any() else v[train].mean() for i in range(bins)])

    for f in range(5):
        best, best_value = None, None
        for j in range(d):
            for bins in (1, 4, 8, 16):
                total, error = 0.0, 0.0
                for a, b in splits(outer, inner, f):
                    prior = np.bincount(y[a], minlength=k) / len(a)
                    t = table(j, bins, a)
                    p = (t + prior) / (t.sum(1, keepdims=True) + 1)
                    seen = b[prior[y[b]] > 0]
                    total -= np.log(p[binned(j, bins, a, seen), y[seen]]).sum()
                    error += ((means(j, bins, a)[binned(j, bins, a, b)] - v[b]) ** 2).sum()
                if best is None or total < best[0] - 1e-9 * n:
                    best = (total, j, bins)
                if best_value is None or error / v.var() < best_value[0] - 1e-9 * n:
                    best_value = (error / v.var(), j, bins)
        train, test = np.flatnonzero(outer != f), np.flatnonzero(outer == f)
        t = table(best[1], best[2], train)
        prior = np.bincount(y[train], minlength=k) / len(train)
        rows = t[binned(best[1], best[2], train, test)]
        out["predicted"][test] = rows.argmax(1)
        out["balanced"][test] = (rows / prior).argmax(1)
        out["feature"].append(best[1])
        out["bins"].append(best[2])
        out["value_feature"].append(best_value[1])
        out["value_bins"].append(best_value[2])
        out["value_predicted"][test] = means(best_value[1], best_value[2], train)[binned(best_value[1], best_value[2], train, test)]
    for name in ("predicted", "balanced", "value_predicted"):
        out[name] = out[name].tolist()
    return out


out = {
    "classes": [classes_case(60, 8, 3, 1.5), classes_case(40, 60, 2, 2.0), classes_case(70, 5, 4, 3.0)],
    "values": [value_case(60, 10), value_case(40, 60)],
    "single": [single_case(120, 6, 3), single_case(80, 5, 2)],
}
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
