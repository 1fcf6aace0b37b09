"""The corruptions of transect-optics beside SciPy, scikit-image, Pillow and imagecorruptions: same size, same parameter.

    cargo run -p transect-optics --release --example corruptions > ours.csv
    python benches/peer/corruptions.py ours.csv

Needs numpy, scipy, scikit-image, pillow; imagecorruptions is timed where it is installed. One thread each. Prints, for each
corruption of a 512 x 512 8-bit image, milliseconds of ours, of the peer, and the ratio (over 1: ours is faster).
"""

import csv
import io
import os
import sys
import time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import scipy.fft as fft
import scipy.ndimage as ndi
from PIL import Image
from skimage.transform import resize

try:
    import cv2

    cv2.setNumThreads(1)
    from imagecorruptions import corrupt
except ImportError:
    corrupt = None

SIDE = 512
rng = np.random.default_rng(1)
y, x = np.mgrid[:SIDE, :SIDE]
ground = 128 + 60 * np.sin(x / 37) + 50 * np.cos(y / 23)
picture = lambda c: np.clip(np.rint(ground[..., None] + rng.normal(0, 4, (SIDE, SIDE, c))), 0, 255).astype(np.uint8)
back = lambda a: np.clip(np.rint(a), 0, 255).astype(np.uint8)
turn = np.deg2rad(20.0)


def shot_noise(a, photons):
    scale = photons / np.quantile(a, 0.999)
    return back(rng.poisson(a * scale) / scale)


def read_noise(a, electrons):
    return back(a + rng.normal(0, electrons / 1000 * np.quantile(a, 0.999), a.shape))


def defocus(a, sigma):
    return back(ndi.gaussian_filter(a.astype(np.float32), (sigma, sigma, 0)))


def magnification(a, factor):
    shape = (round(SIDE * factor), round(SIDE * factor), a.shape[2])
    return back(resize(a, shape, order=1, mode="symmetric", anti_aliasing=True, preserve_range=True))


def jpeg_quality(a, quality):
    buffer = io.BytesIO()
    Image.fromarray(a.squeeze()).save(buffer, "JPEG", quality=int(quality), subsampling=2)
    return np.asarray(Image.open(io.BytesIO(buffer.getvalue())))


def uneven_illumination(a, falloff):
    r2 = ((y - 255.5) ** 2 + (x - 255.5) ** 2) / (2 * 255.5**2)
    return back(a * (1 - falloff * r2)[..., None])


def stain_shift(a, degrees):
    white, floor = 255.0, 255 / 510
    density = -np.log((a + floor) / (white + floor))
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    same, part = c + (1 - c) / 3, (1 - c) / 3
    n, l = part - s / np.sqrt(3), part + s / np.sqrt(3)
    matrix = np.array([[same, n, l], [l, same, n], [n, l, same]])
    return back((white + floor) * np.exp(-(density @ matrix.T)) - floor)


def colour_shift(a, stops):
    return back(a * np.array([2 ** (stops / 2), 1, 2 ** (-stops / 2)]))


def defocus_um(a, um):
    """A ready transfer function (not timed) applied by FFT over a reflected margin."""
    padded = np.pad(a.astype(np.float32), ((40, 40), (40, 40), (0, 0)), mode="symmetric")
    n = padded.shape[0]
    f = np.hypot(fft.fftfreq(n)[:, None], fft.rfftfreq(n)[None, :])[..., None].astype(np.float32)
    spectrum = fft.rfft2(padded, axes=(0, 1)) * np.exp(-f * 10)
    return back(fft.irfft2(spectrum, s=(n, n), axes=(0, 1))[40:-40, 40:-40])


PEERS = {
    "shot_noise": shot_noise,
    "read_noise": read_noise,
    "defocus": defocus,
    "gain": lambda a, g: back(a * g),
    "offset": lambda a, o: back(a + o * np.quantile(a, 0.999)),
    "magnification": magnification,
    "jpeg_quality": jpeg_quality,
    "uneven_illumination": uneven_illumination,
    "stain_shift": stain_shift,
    "colour_shift": colour_shift,
    "defocus_um": defocus_um,
}
NAMED_ALIKE = {
    "shot_noise": "shot_noise",
    "read_noise": "gaussian_noise",
    "defocus": "defocus_blur",
    "gain": "contrast",
    "offset": "brightness",
    "magnification": "pixelate",
    "jpeg_quality": "jpeg_compression",
}


def median_ms(run):
    run()
    times = []
    for _ in range(15):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times)[len(times) // 2]


print("corruption,channels,ours_ms,peer_ms,ratio,imagecorruptions_ms,ratio_imagecorruptions")
for row in csv.DictReader(open(sys.argv[1])):
    if row["corruption"] not in PEERS:
        continue
    image = picture(int(row["channels"]))
    ours = float(row["ms"])
    peer = median_ms(lambda: PEERS[row["corruption"]](image, float(row["value"])))
    line = [row["corruption"], row["channels"], f"{ours:.2f}", f"{peer:.2f}", f"{peer / ours:.1f}"]
    name = NAMED_ALIKE.get(row["corruption"])
    if corrupt is not None and name is not None:
        theirs = median_ms(lambda: corrupt(image.squeeze(), corruption_name=name, severity=3))
        line += [f"{theirs:.2f}", f"{theirs / ours:.1f}"]
    print(",".join(line), flush=True)
