"""Golden values of transect-optics from SciPy, scikit-image, NumPy and Pillow.

    python golden/optics/make.py > golden/optics/values.json
"""

import io
import json

import numpy as np
import scipy.ndimage as ndi
from PIL import Image
from scipy.spatial.transform import Rotation
from skimage.transform import resize

rng = np.random.default_rng(20261122)
ROWS, COLUMNS = 36, 44


def picture():
    """A red-green-blue picture with blobs, slopes and noise, 8 bits."""
    y, x = np.mgrid[:ROWS, :COLUMNS]
    planes = []
    for _ in range(3):
        plane = 225.0 - 0.4 * x - 0.2 * y
        for _ in range(7):
            cy, cx, r = rng.uniform(0, ROWS), rng.uniform(0, COLUMNS), rng.uniform(2, 7)
            plane -= rng.uniform(30, 150) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r))
        planes.append(plane + rng.normal(0, 4, plane.shape))
    return np.clip(np.rint(np.stack(planes)), 0, 255)


def flat(a):
    return [round(float(v), 6) for v in np.asarray(a, dtype=np.float64).ravel()]


def relative_otf(na, wavelength, index, defocus, steps):
    """Defocused over focused optical transfer function, by brute force: autocorrelation of the sampled pupil.

    The pupil is sampled on a fine grid and correlated with itself by FFT; another route than ours, which integrates over
    the lens of overlap for each frequency.
    """
    n = 1024  # samples over the radius
    axis = (np.arange(-n, n) + 0.5) / n
    v, u = np.meshgrid(axis, axis, indexing="ij")
    rho2 = u * u + v * v
    inside = rho2 <= 1
    phase = 2 * np.pi * defocus / wavelength * np.sqrt(index**2 - na**2 * np.minimum(rho2, 1))
    result = []
    for shift in steps:  # pupils moved apart by `shift` samples
        a = inside[:, shift:] & inside[:, : 2 * n - shift]
        d = phase[:, shift:] - phase[:, : 2 * n - shift]
        result.append(float(np.cos(d[a]).sum() / a.sum()))
    return result, [s / (2 * n) for s in steps]


image = picture()
red = image[0]
out = {"rows": ROWS, "columns": COLUMNS, "image": [int(v) for v in image.ravel()]}

out["gaussian"] = [
    {"sigma": s, "values": flat(ndi.gaussian_filter(red, s, mode="reflect", truncate=4.0))} for s in (0.5, 1.3, 4.0, 12.0)
]
out["resize"] = [
    {
        "rows": r,
        "columns": c,
        "values": flat(resize(red, (r, c), order=1, mode="symmetric", anti_aliasing=True, preserve_range=True)),
    }
    for r, c in ((18, 22), (11, 13), (33, 40), (50, 61), (1, 1))
]

white = 255.0
floor = white / 510.0
rotated = []
for degrees in (10.0, -25.0, 45.0):
    density = -np.log((image + floor) / (white + floor))
    turn = Rotation.from_rotvec(np.deg2rad(degrees) * np.ones(3) / np.sqrt(3)).as_matrix()
    back = (white + floor) * np.exp(-np.einsum("ij,jrc->irc", turn, density)) - floor
    rotated.append({"degrees": degrees, "values": flat(np.clip(back, 0, 255))})
out["stain_shift"] = rotated

out["defocus"] = []
for na, wavelength, index, defocus in ((0.75, 0.52, 1.0, 1.5), (1.3, 0.6, 1.515, 0.8), (0.4, 0.5, 1.0, 12.0)):
    values, shares = relative_otf(na, wavelength, index, defocus, (100, 300, 500, 900, 1300, 1700))
    out["defocus"].append(
        {"na": na, "wavelength": wavelength, "index": index, "defocus": defocus, "shares": shares, "values": values}
    )

out["jpeg"] = []
for quality in (80, 40, 10):
    buffer = io.BytesIO()
    Image.fromarray(np.moveaxis(image, 0, 2).astype(np.uint8)).save(buffer, "JPEG", quality=quality, subsampling=2)
    back = np.asarray(Image.open(io.BytesIO(buffer.getvalue())).convert("RGB"), dtype=np.float64)
    out["jpeg"].append({"quality": quality, "values": [int(v) for v in np.moveaxis(back, 2, 0).ravel()]})

out["quantiles"] = {str(q): float(np.quantile(red, q)) for q in (0.0, 0.01, 0.5, 0.999, 1.0)}

# Noise on a smooth ground: Immerkaer's kernel by SciPy.
y, x = np.mgrid[:48, :52]
noisy = 100 + 30 * np.sin(x / 20) + 20 * np.cos(y / 25) + rng.normal(0, 5, (48, 52))
noisy = np.float32(noisy).astype(np.float64)
kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]])
response = ndi.convolve(noisy, kernel)[1:-1, 1:-1]
out["noise"] = {"rows": 48, "columns": 52, "values": flat(noisy), "sd": float(1.482602218505602 * np.median(abs(response)) / 6)}

# Spectrum: slope and share of high frequencies, by complex FFT of the whole plane.
plane = image.mean(axis=0) / 255.0
plane = plane - plane.mean()
window = lambda n: 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(n) + 0.5) / n)
power = np.abs(np.fft.fft2(plane * window(ROWS)[:, None] * window(COLUMNS)[None, :])) ** 2
frequency = np.hypot(np.fft.fftfreq(ROWS)[:, None], np.fft.fftfreq(COLUMNS)[None, :])
low = 4 / min(ROWS, COLUMNS)
edges = low * (0.45 / low) ** (np.arange(17) / 16)
points = []
for a, b in zip(edges[:-1], edges[1:]):
    ring = (frequency >= a) & (frequency < b)
    if ring.any():
        points.append((np.log(np.sqrt(a * b)), np.log(power[ring].mean())))
points = np.array(points)
out["spectrum"] = {
    "slope": float(np.polyfit(points[:, 0], points[:, 1], 1)[0]),
    "high_share": float(power[(frequency >= 0.25) & (frequency < 1)].sum() / power[(frequency >= low) & (frequency < 1)].sum()),
}

# Stains: eigenvectors of the second moments of density, extreme angles.
glass = np.quantile(image, 0.99, axis=(1, 2))[:, None]
density = -np.log((image.reshape(3, -1) + glass / 510) / (glass + glass / 510))
stained = density[:, density.mean(axis=0) > 0.15].T
values, vectors = np.linalg.eigh(stained.T @ stained)
first, second = vectors[:, 2], vectors[:, 1]
first = first * np.sign(first.sum())
phi = np.arctan2(stained @ second, stained @ first)
ends = [np.cos(p) * first + np.sin(p) * second for p in np.quantile(phi, [0.01, 0.99])]
ends.sort(key=lambda v: -v[0])
out["stains"] = [float(np.degrees(np.arctan2(np.sqrt(0.75) * (v[1] - v[2]), v[0] - 0.5 * (v[1] + v[2])))) for v in ends]

print(json.dumps(out, separators=(",", ":")))
