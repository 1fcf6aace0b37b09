"""Correlations of thumbnails under the eight flips and turns, by NumPy: python golden/prior/make.py"""

import json
from pathlib import Path

import numpy as np

SIDE = 64
# Coefficients of each thumbnail's level: (a r² + b c² + d r c + e r + f c) // 64 mod 256, each channel with its own shift.
PICTURES = [
    (3, 1, 2, 40, 90),
    (1, 3, 2, 90, 40),
    (2, 5, 1, 10, 130),
    (7, 2, 4, 70, 20),
    (0, 0, 0, 110, 0),
    (0, 0, 0, 0, 110),
    (1, 1, 0, -64, -64),
]


def thumbnail(a, b, d, e, f):
    r, c = np.mgrid[0:SIDE, 0:SIDE]
    level = (a * r * r + b * c * c + d * r * c + e * r + f * c) // 64
    return np.stack([(level + shift) % 256 for shift in (0, 9, 31)], axis=2).astype(np.uint8)


def grey(picture):
    mean = picture.astype(float).mean(axis=2)
    fine = np.repeat(np.repeat(mean, 3, axis=0), 3, axis=1)  # 192 = 24 · 8
    return fine.reshape(24, 8, 24, 8).mean(axis=(1, 3))


greys = [grey(thumbnail(*p)) for p in PICTURES]
pairs = []
for i in range(len(greys)):
    for j in range(i + 1, len(greys)):
        turned = [t for k in range(4) for t in (np.rot90(greys[j], k), np.rot90(greys[j], k)[:, ::-1])]
        best = max(np.corrcoef(greys[i].ravel(), t.ravel())[0, 1] for t in turned)
        pairs.append([i, j, best])
values = {"pictures": PICTURES, "corner": [g[0, 0] for g in greys], "pairs": pairs}
Path(__file__).with_name("values.json").write_text(json.dumps(values) + "\n")
