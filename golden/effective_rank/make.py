"""Ranks of embeddings from NumPy."""
import json
import pathlib
import numpy as np

rng = np.random.default_rng(20265)
out = []
for n, d, decay in ((50, 8, 0.5), (30, 60, 1.0), (120, 40, 1.5), (12, 3, 0.0)):
    x = (rng.normal(size=(n, d)) * np.arange(1, d + 1) ** -decay + 0.3).round(8)
    e = np.linalg.svd(x - x.mean(0), compute_uv=False) ** 2 / (n - 1)
    p = e / e.sum()
    s = np.linalg.svd(x, compute_uv=False)
    q = s / s.sum() + 1e-7
    last = int(0.5 * min(n - 1, d))
    rank = np.arange(3, last + 1)
    alpha = -np.polyfit(np.log(rank), np.log(e[2:last]), 1)[0] if len(rank) >= 5 else None
    out.append({
        "n": n, "d": d, "embeddings": x.ravel().tolist(),
        "effective_rank": float(np.exp(-(p[p > 1e-300] * np.log(p[p > 1e-300])).sum())),
        "participation_ratio": float(e.sum() ** 2 / (e**2).sum()), "top_share": float(p[0]),
        "rank_me": float(np.exp(-(q * np.log(q)).sum())), "alpha": alpha,
    })
pathlib.Path(__file__).with_name("values.json").write_text(json.dumps(out) + "\n")
