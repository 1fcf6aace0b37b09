"""The joint normal quantile of correlated means from SciPy's multivariate normal."""
import json
import pathlib
import numpy as np
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

rng = np.random.default_rng(20269)
out = []
for n, m, shared in ((60, 2, 0.5), (100, 5, 0.3), (100, 5, 0.9), (200, 8, 0.0)):
    common = rng.normal(size=(n, 1))
    x = (np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=(n, m))).round(8)
    r = np.corrcoef(x.T)
    law = {"mean": np.zeros(m), "cov": r, "allow_singular": True, "maxpts": 200_000, "abseps": 1e-5, "releps": 1e-5}

    def both(c):
        return multivariate_normal.cdf(np.full(m, c), lower_limit=np.full(m, -c), rng=1, **law) - 0.95

    def one(c):
        return multivariate_normal.cdf(np.full(m, c), rng=1, **law) - 0.95

    out.append({
        "columns": x.T.tolist(),
        "two_sided": float(2 * norm.sf(brentq(both, 1.5, 4, xtol=1e-4))),
        "one_sided": float(norm.sf(brentq(one, 1.2, 4, xtol=1e-4))),
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
