"""Agreement and association from scikit-learn and SciPy; Bergsma's correction of Cramer's V by its formula on SciPy's chi-squared."""
import json
import pathlib
import numpy as np
from scipy.stats import chi2_contingency, entropy
from scipy.stats.contingency import association
from sklearn.metrics import adjusted_rand_score, cohen_kappa_score, mutual_info_score

rng = np.random.default_rng(20266)
out = []
for n, r, c, tie in ((30, 2, 2, 0.5), (80, 3, 3, 0.3), (200, 4, 2, 0.0), (60, 5, 5, 0.9), (40, 2, 6, 0.2)):
    a = np.r_[np.arange(r), rng.integers(0, r, n - r)]
    b = np.where(rng.uniform(size=n) < tie, a % c, rng.integers(0, c, n))
    b[:c] = np.arange(c)
    table = np.zeros((r, c))
    np.add.at(table, (a, b), 1)
    chi2 = chi2_contingency(table, correction=False).statistic
    phi = max(0, chi2 / n - (r - 1) * (c - 1) / (n - 1))
    rt, ct = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    mi = mutual_info_score(a, b)
    least = min(entropy(np.bincount(a)), entropy(np.bincount(b)))
    out.append({
        "a": a.tolist(), "b": b.tolist(), "classes": int(max(r, c)), "kappa": float(cohen_kappa_score(a, b)),
        "rand": float(adjusted_rand_score(a, b)), "information": float(mi), "information_share": float(mi / least),
        "chi_squared": float(chi2), "v": float(np.sqrt(phi / min(rt - 1, ct - 1))),
        "uncorrected": float(association(table.astype(int), method="cramer")),
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
