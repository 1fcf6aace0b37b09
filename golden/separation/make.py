"""Hartigan's dip from diptest and two-part fits from scikit-learn."""
import json
import pathlib
import diptest
import numpy as np
from sklearn.mixture import GaussianMixture

rng = np.random.default_rng(20268)
out = []
for n in (20, 50, 200, 500):
    for kind in ("two", "unequal", "one", "tail", "flat"):
        x = {
            "two": lambda: np.r_[rng.normal(size=n // 2), rng.normal(5, 1, n - n // 2)],
            "unequal": lambda: np.r_[rng.normal(size=n // 5), rng.normal(6, 0.5, n - n // 5)],
            "one": lambda: rng.normal(size=n),
            "tail": lambda: rng.exponential(size=n),
            "flat": lambda: rng.uniform(size=n),
        }[kind]()
        row = {"kind": kind, "values": x.tolist(), "dip": float(diptest.dipstat(np.sort(x)))}
        if kind in ("two", "unequal"):
            y = np.clip(x, *np.quantile(x, [0.01, 0.99]))[:, None]
            fit = GaussianMixture(2, tol=1e-12, max_iter=5000, reg_covar=0, means_init=[[0.0], [5.5]]).fit(y)
            v = fit.covariances_.ravel()
            row["separation"] = float(np.sqrt(2) * abs(np.diff(fit.means_.ravel())[0]) / np.sqrt(v.sum()))
            row["upper"] = [bool(u) for u in fit.predict(y) == fit.means_.ravel().argmax()]
        out.append(row)
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
