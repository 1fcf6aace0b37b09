"""Golden values of the families of features: scikit-image, SciPy and NumPy on one synthetic picture."""

import json
from pathlib import Path

import numpy as np
import scipy
import skimage
from scipy import ndimage, stats
from skimage.feature import graycomatrix, graycoprops

rng = np.random.default_rng(20266)
rows, columns = 61, 47
y, x = np.mgrid[:rows, :columns]
picture = np.zeros((2, rows, columns))
for c in range(2):
    for _ in range(12):
        cy, cx, s, a = rng.uniform(0, rows), rng.uniform(0, columns), rng.uniform(1.5, 6), rng.uniform(20, 90)
        picture[c] += a * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * s**2))
    picture[c] += rng.normal(30, 4, (rows, columns))
picture = np.clip(np.rint(picture), 0, 255)

unit = (picture / 255).astype(np.float32)
moments = []
for c in unit.astype(np.float64):
    moments += [c.mean(), c.std(), stats.skew(c.ravel()), stats.kurtosis(c.ravel())]

grey = unit.mean(axis=0, dtype=np.float32)
low, high = np.quantile(grey.astype(np.float64), [0.01, 0.99])
levels = np.clip((grey.astype(np.float64) - low) / (high - low) * 16, 0, 15).astype(np.uint8)
texture = []
for d in (1, 2, 4):
    # Offsets in whole pixels, as four angles at distance d (diagonals d rows and d columns).
    total = np.zeros((16, 16))
    for dr, dc in ((0, d), (d, d), (d, 0), (d, -d)):
        a = levels[: rows - dr or None, max(0, -dc) : columns - max(0, dc)]
        b = levels[dr:, max(0, dc) : columns + min(0, dc)]
        np.add.at(total, (a.ravel(), b.ravel()), 1)
    total = total + total.T
    p = (total / total.sum())[:, :, None, None]
    texture += [
        float(graycoprops(p, "contrast")[0, 0]),
        float(graycoprops(p, "correlation")[0, 0]),
        float(graycoprops(p, "ASM")[0, 0]),
        float(graycoprops(p, "homogeneity")[0, 0]),
        float(stats.entropy(p.ravel())),
    ]
# The horizontal and vertical offsets agree with the peer's own counting.
check = graycomatrix(levels, [2], [0], 16)[:, :, 0, 0]
mine = np.zeros((16, 16))
np.add.at(mine, (levels[:, :-2].ravel(), levels[:, 2:].ravel()), 1)
assert (check == mine).all()

granulometry = []
for sign in (1, -1):
    source = sign * grey
    before = source.mean(dtype=np.float64)
    for side in (3, 5, 9, 17, 33):
        opened = ndimage.grey_dilation(
            ndimage.grey_erosion(source, size=(side, side), mode="nearest"), size=(side, side), mode="nearest"
        )
        now = opened.mean(dtype=np.float64)
        granulometry.append(float((before - now) / grey.std(dtype=np.float64)))
        before = now

Path(__file__).with_name("values.json").write_text(
    json.dumps(
        {
            "rows": rows,
            "columns": columns,
            "image": picture.astype(int).ravel().tolist(),
            "moments": [float(m) for m in moments],
            "texture": texture,
            "granulometry": granulometry,
        }
    )
    + "\n"
)
print(np.__version__, scipy.__version__, skimage.__version__)
