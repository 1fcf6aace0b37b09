"""The corruptions of transect-optics beside SciPy, scikit-image, Pillow and imagecorruptions: same size, same parameter.

    cargo run -p transect-optics --release --example corruptions > ours.csv
    python benches/peer/corruptions.py ours.csv

Needs numpy, scipy, scikit-image, pillow; imagecorruptions is timed where it is installed. One thread each. Prints, for each
corruption of a 512 x 512 8-bit image (those of spectra: of a cube of 40 bands of 128 x 128 floats), milliseconds of processor
time of ours, of the peer, and the ratio (over 1: ours is faster). `peer_of` says whose function does the main work of the peer.
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
from scipy.interpolate import CubicSpline
from skimage.color import combine_stains, separate_stains
from skimage.exposure import adjust_gamma, rescale_intensity
from skimage.transform import ProjectiveTransform, resize, rotate, warp
from skimage.util import random_noise

try:
    import cv2

    cv2.setNumThreads(1)
    np.float_ = np.float64  # a name that imagecorruptions uses and NumPy 2 took away
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


bright = lambda a: np.quantile(a, 0.999)


def gaussian_noise(a, share):
    low, high = np.quantile(a, [0.001, 0.999])
    return random_noise(a, mode="gaussian", var=(share * (high - low) / 255) ** 2)


def motion_blur(a, length):
    angle, kernel = 0.7, np.zeros((int(length) + 3,) * 2)
    for t in np.linspace(-length / 2, length / 2, 8 * int(length)):
        kernel[round(t * np.sin(angle) + len(kernel) // 2), round(t * np.cos(angle) + len(kernel) // 2)] += 1
    kernel = (kernel / kernel.sum()).astype(np.float32)
    return back(np.stack([ndi.convolve(a[..., c].astype(np.float32), kernel) for c in range(a.shape[2])], -1))


def saturation(a, stops):
    return rescale_intensity(a, in_range=(0, bright(a) / 2**stops), out_range=(0, bright(a))).astype(np.uint8)


def haze(a, share):
    x = a.astype(np.float32)
    return back((1 - share) * x + share * ndi.gaussian_filter(x, (51.5, 51.5, 0), mode="reflect"))


def bit_depth(a, bits):
    step = bright(a) / (2**bits - 1)
    return back(step * np.rint(a / step))


def rotation(a, degrees):
    return back(rotate(a, degrees, order=1, mode="symmetric", preserve_range=True))


def perspective(a, narrowing):
    half, last = 0.5 * SIDE * (1 - narrowing), SIDE - 0.5
    to = np.array([[-0.5, -0.5], [last, -0.5], [-0.5, last], [last, last]])
    source = np.array([[-0.5, -0.5], [last, -0.5], [255.5 - half, last], [255.5 + half, last]])
    homography = ProjectiveTransform.from_estimate(to, source)
    return back(warp(a, homography, order=1, mode="symmetric", preserve_range=True))


def occlusion(a, share):
    a, side = a.copy(), round(SIDE * share**0.5)
    a[40 : 40 + side, 60 : 60 + side] = 0
    return a


H, E = np.array([0.65, 0.70, 0.29]), np.array([0.07, 0.99, 0.11])
TO_RGB = np.stack([H, E, np.cross(H, E)])
TO_STAINS = np.linalg.inv(TO_RGB)


def stain_balance(a, stops):
    stains = separate_stains(a, TO_STAINS)
    return back(255 * combine_stains(stains * [2 ** (stops / 2), 2 ** (-stops / 2), 1], TO_RGB))


def cross_talk(a, share):
    x = a.astype(np.float32)
    x[..., 1:] += share * a[..., :-1]
    return back(x)


def dust(a, share):
    light, left = np.ones((SIDE, SIDE), np.float32), share * SIDE * SIDE
    while left > 0:
        radius = SIDE * rng.uniform(0.015, 0.04)
        left -= np.pi * radius**2
        r2 = ((y - rng.uniform(0, SIDE)) ** 2 + (x - rng.uniform(0, SIDE)) ** 2) / radius**2
        light *= 1 - 0.6 * np.exp(-(r2**2))
    return back(a * light[..., None])


def bleaching(a, share):
    ground = np.quantile(a, 0.05, axis=(0, 1))
    return back(np.where(a > ground, ground + (1 - share) * (a - ground), a))


def chromatic_shift(a, pixels):
    way = pixels / 2 * np.array([-1, 0, 1])
    moved = [ndi.shift(a[..., c].astype(np.float32), (0.6 * w, 0.8 * w), order=3, mode="reflect") for c, w in enumerate(way)]
    return back(np.stack(moved, -1))


def dusk(a, stops):
    photons = 2000 / 2**stops
    level = bright(a) / photons
    noisy = a + level * rng.normal(0, 1, a.shape) * np.sqrt(a / level + 9)
    tint = np.array([2 ** (-stops / 10), 1, 2 ** (stops / 10)]) if a.shape[2] == 3 else 1.0
    return back(2 ** (-stops / 2) * tint * noisy)


def infrared_flash(a, share):
    r2 = ((y - 255.5) ** 2 + (x - 255.5) ** 2) / (2 * 255.5**2)
    flash = 1.25 * a.mean(2) / (1 + 2 * r2)
    return back((1 - share) * a + share * flash[..., None])


def rain(a, share):
    veil, left, q = np.zeros((SIDE, SIDE), np.float32), share * SIDE * SIDE, bright(a)
    while left > 0:
        length = int(SIDE * rng.uniform(0.04, 0.12))
        left -= 1.9 * length
        top, column = int(rng.integers(0, SIDE)), int(rng.integers(0, SIDE - 1))
        veil[top : top + length, column : column + 2] = rng.uniform(0.3, 0.6)
    veil = ndi.rotate(veil, 10, reshape=False, order=1)[..., None]
    return back(a + veil * np.maximum(q - a, 0))


def lens_dirt(a, share):
    cover, left = np.zeros((SIDE, SIDE), np.float32), share * SIDE * SIDE
    while left > 0:
        radius = SIDE * rng.uniform(0.04, 0.12)
        left -= np.pi * radius**2
        r2 = ((y - rng.uniform(0, SIDE)) ** 2 + (x - rng.uniform(0, SIDE)) ** 2) / radius**2
        cover = np.maximum(cover, 0.95 * np.exp(-(r2**4)))
    spread = ndi.gaussian_filter(a.astype(np.float32), (21, 21, 0))
    return back(a + cover[..., None] * (0.5 * spread + 0.2 * bright(a) - a))


bands, nu = np.arange(40.0), 1000 + 20 * np.arange(40.0)
column = lambda v: v[:, None, None].astype(np.float32)


def wavenumber_shift(a, shift):
    return CubicSpline(bands, a, axis=0)(np.clip(bands - shift, 0, 39)).astype(np.float32)


def band_loss(a, share):
    a = a.copy()
    a[rng.choice(40, round(share * 40), replace=False)] = 0
    return a


def detector_noise(a, share):
    light = 10.0**-a
    return -np.log10(np.maximum(light + rng.normal(0, share, a.shape), np.minimum(light, 1e-4))).astype(np.float32)


CUBES = {
    "baseline_tilt": ("NumPy", lambda a, v: a + v * bright(a) * column(bands / 39)),
    "baseline_curvature": ("NumPy", lambda a, v: a + v * bright(a) * column(4 * bands / 39 * (1 - bands / 39))),
    "wavenumber_shift": ("SciPy", wavenumber_shift),
    "band_loss": ("NumPy", band_loss),
    "scatter": ("NumPy", lambda a, v: a + v * a.mean(0) * column((nu / nu[-1]) ** 1.5)),
    "water_vapour": ("NumPy", lambda a, v: a + v * bright(a) * column(np.exp(-(((nu - 1558) / 10) ** 2)))),
    "detector_noise": ("NumPy", detector_noise),
}

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
    "gaussian_noise": gaussian_noise,
    "motion_blur": motion_blur,
    "gamma": lambda a, g: back(bright(a) * adjust_gamma(a / bright(a), g)),
    "saturation": saturation,
    "haze": haze,
    "bit_depth": bit_depth,
    "rotation": rotation,
    "perspective": perspective,
    "occlusion": occlusion,
    "stain_balance": stain_balance,
    "cross_talk": cross_talk,
    "hot_pixels": lambda a, ppm: random_noise(a, mode="salt", amount=ppm * 1e-6),
    "dust": dust,
    "spherical_aberration": defocus_um,
    "bleaching": bleaching,
    "chromatic_shift": chromatic_shift,
    "dusk": dusk,
    "infrared_flash": infrared_flash,
    "rain": rain,
    "lens_dirt": lens_dirt,
}
OF = {
    **dict.fromkeys("defocus haze motion_blur chromatic_shift defocus_um spherical_aberration rain lens_dirt".split(), "SciPy"),
    **dict.fromkeys(
        "magnification gaussian_noise gamma saturation rotation perspective stain_balance hot_pixels".split(), "scikit-image"
    ),
    "jpeg_quality": "Pillow",
}
NAMED_ALIKE = {
    "shot_noise": "shot_noise",
    "read_noise": "gaussian_noise",
    "defocus": "defocus_blur",
    "gain": "contrast",
    "offset": "brightness",
    "magnification": "pixelate",
    "jpeg_quality": "jpeg_compression",
    "gaussian_noise": "gaussian_noise",
    "motion_blur": "motion_blur",
    "haze": "fog",
    "hot_pixels": "impulse_noise",
    "gamma": "brightness",
    "saturation": "brightness",
    "lens_dirt": "spatter",
    "spherical_aberration": "defocus_blur",
    "defocus_um": "defocus_blur",
    "stain_balance": "saturate",
    "stain_shift": "saturate",
    "colour_shift": "saturate",
}


def mean_ms(run):
    """Mean processor time of as many runs as take a fifth of a second, at least five, after one that warms up."""
    run()
    start, runs, taken = time.thread_time(), 0, 0.0
    while runs < 5 or (runs < 2000 and taken < 0.2):
        run()
        runs, taken = runs + 1, time.thread_time() - start
    return 1000 * taken / runs


cube = (0.6 + 0.3 * np.sin(bands / 5))[:, None, None] + 0.1 * np.cos(np.arange(128) / 17) + rng.normal(0, 0.01, (40, 128, 128))
cube = cube.astype(np.float32)
print("corruption,channels,ours_ms,peer_of,peer_ms,ratio,imagecorruptions,its_ms,its_ratio")
for row in csv.DictReader(open(sys.argv[1])):
    name, ours = row["corruption"], float(row["ms"])
    if name in CUBES:
        image, (whose, peer) = cube, CUBES[name]
    elif name in PEERS:
        image, whose, peer = picture(int(row["channels"])), OF.get(name, "NumPy"), PEERS[name]
    else:
        continue
    theirs = mean_ms(lambda: peer(image, float(row["value"])))
    line = [name, row["channels"], f"{ours:.2f}", whose, f"{theirs:.2f}", f"{theirs / ours:.1f}"]
    alike = NAMED_ALIKE.get(name)
    if corrupt is not None and alike is not None:
        try:
            theirs = mean_ms(lambda: corrupt(image.squeeze(), corruption_name=alike, severity=3))
            line += [alike, f"{theirs:.2f}", f"{theirs / ours:.1f}"]
        except (AttributeError, TypeError, ValueError, ImportError) as error:
            line += [alike, f"fails: {type(error).__name__}"]
    print(",".join(line), flush=True)
