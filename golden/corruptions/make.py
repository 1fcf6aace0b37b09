"""Golden values of the corruptions from SciPy and scikit-image.

    python golden/corruptions/make.py > golden/corruptions/values.json
"""

import json

import numpy as np
import scipy.ndimage as ndi
from scipy.special import erf
from skimage.color import combine_stains, separate_stains
from skimage.exposure import adjust_gamma
from skimage.transform import ProjectiveTransform, rotate, warp

rng = np.random.default_rng(20261123)
ROWS, COLUMNS = 36, 44

y, x = np.mgrid[:ROWS, :COLUMNS]
plane = 120.0 + 0.9 * x - 0.6 * y
for _ in range(9):
    cy, cx, r = rng.uniform(0, ROWS), rng.uniform(0, COLUMNS), rng.uniform(2, 6)
    plane += rng.uniform(-80, 80) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r))
plane = np.round(np.clip(plane, 5, 250), 3)


def flat(a):
    return [round(float(v), 6) for v in np.asarray(a, dtype=np.float64).ravel()]


out = {"rows": ROWS, "columns": COLUMNS, "image": flat(plane)}
q = float(np.quantile(plane, 0.999))

radius = min(ROWS, COLUMNS) // 10
spread = plane
for _ in range(3):
    spread = ndi.uniform_filter(spread, 2 * radius + 1, mode="reflect")
out["haze"] = [{"share": v, "values": flat((1 - v) * plane + v * spread)} for v in (0.2, 0.7)]

out["rotation"] = [
    {"degrees": d, "values": flat(rotate(plane, d, order=1, mode="symmetric", preserve_range=True))}
    for d in (5.0, 33.0, -120.0)
]

out["perspective"] = []
for v in (0.1, 0.4):
    # Corners of the result, and of what they show; pixel centres are at whole numbers.
    low, right, bottom = -0.5, COLUMNS - 0.5, ROWS - 0.5
    half = 0.5 * COLUMNS * (1 - v)
    middle = 0.5 * (COLUMNS - 1)
    to = np.array([[low, low], [right, low], [low, bottom], [right, bottom]])
    source = np.array([[low, low], [right, low], [middle - half, bottom], [middle + half, bottom]])
    homography = ProjectiveTransform.from_estimate(to, source)
    out["perspective"].append(
        {"narrowing": v, "values": flat(warp(plane, homography, order=1, mode="symmetric", preserve_range=True))}
    )

out["gamma"] = [{"gamma": g, "values": flat(q * adjust_gamma(plane / q, g))} for g in (0.7, 2.0)]

# Stains: amounts that are all positive, so that scikit-image clips nothing.
H, E = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])
to_rgb = np.stack([H, E, np.cross(H, E)])
amounts = rng.uniform(0.05, 1.0, (40, 3)) * [1.2, 0.8, 0.1]
floor = 255.0 / 510
rgb = np.exp(-amounts @ to_rgb)  # of (x + floor)/(255 + floor)
levels = (255.0 + floor) * rgb - floor
assert levels.max() < 255
stains = separate_stains(rgb[None], np.linalg.inv(to_rgb))
out["stain_balance"] = {"levels": flat(levels.T), "cases": []}
for v in (1.0, -1.5):
    mixed = combine_stains(stains * [2 ** (v / 2), 2 ** (-v / 2), 1.0], to_rgb)[0]
    out["stain_balance"]["cases"].append({"stops": v, "values": flat(((255.0 + floor) * mixed - floor).T)})


def relative_otf(waves, steps, n=1024):
    """Aberrated over perfect optical transfer function, by brute force on a sampled pupil."""
    axis = (np.arange(-n, n) + 0.5) / n
    v, u = np.meshgrid(axis, axis, indexing="ij")
    rho2 = u * u + v * v
    inside = rho2 <= 1
    phase = 2 * np.pi * waves * (rho2 * rho2 - rho2)
    result = []
    for shift in steps:
        a = inside[:, shift:] & inside[:, : 2 * n - shift]
        d = phase[:, shift:] - phase[:, : 2 * n - shift]
        result.append(float(np.cos(d[a]).sum() / a.sum()))
    return result


steps = [102, 307, 614, 1024, 1536]
out["spherical_aberration"] = [
    {"waves": w, "shares": [s / 2048 for s in steps], "values": flat(relative_otf(w, steps))} for w in (0.5, 2.0)
]

# What a spot of dust takes, as a share of its area: the mean of 0.6·exp(−ρ⁴) over the plane by the area of the circle.
out["dust_share"] = float(0.6 * 0.5 * np.sqrt(np.pi) * erf(1.6**2))


print(json.dumps(out))
