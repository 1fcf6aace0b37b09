"""Writes small files with independent programs and what those programs read in them.

files/ holds the files, values.json the samples' SHA-256 (float32, little-endian, in the order channel, plane, row, column), and what
else must be read of them. Run: python golden/formats/make.py (numpy, tifffile, imagecodecs, zarr, numcodecs, pydicom, spectral).
"""
import hashlib
import io
import json
import shutil
from pathlib import Path

import numcodecs
import numpy as np
import PIL.Image
import pydicom
import pydicom.encaps
import pydicom.uid
import spectral
import tifffile
import zarr

HERE = Path(__file__).parent
FILES = HERE / "files"
shutil.rmtree(FILES, ignore_errors=True)
FILES.mkdir()
rng = np.random.default_rng(20261122)
cases = []


def case(file, array, *, select=None, dtype=None, names=None, size=None, rgb=False, tolerance=None, wavelengths=None, labels=False):
    """`array` is (channel, plane, row, column) as the peer reads it back."""
    array = np.asarray(array)
    assert array.ndim == 4, (file, array.shape)
    entry = {"file": file, "select": select or {}, "shape": list(array.shape), "dtype": dtype or array.dtype.name,
             "sha256": hashlib.sha256(np.ascontiguousarray(array, "<f4").tobytes()).hexdigest()}
    if names:
        entry["names"] = names
    if size:
        entry["pixel_size_um"] = size  # row, column, plane
    if wavelengths:
        entry["wavelengths"] = wavelengths
    if rgb:
        entry["rgb"] = True
    if tolerance is not None:
        del entry["sha256"]
        entry["tolerance"] = tolerance
        entry["samples"] = [float(v) for v in array.ravel()]
    cases.append(entry)


def smooth(shape, dtype, top):
    grid = np.indices(shape).sum(0)
    noise = rng.integers(0, max(1, top // 10), shape)
    return ((grid * (top // (grid.max() + 1)) + noise) % top).astype(dtype)


# --- TIFF: compressions, predictors, layouts -----------------------------------------------------------------------------------
def tif(name, array, **how):
    tifffile.imwrite(FILES / name, array, datetime=False, software=False, metadata=how.pop("metadata", None), **how)
    return tifffile.TiffFile(FILES / name).pages[0].asarray()


for compression in ("zstd", "deflate", "lzw", "packbits"):
    for predictor in (False, True) if compression != "packbits" else (False,):
        for dtype, top in (("uint8", 250), ("uint16", 60000), ("float32", 1000)):
            name = f"{compression}_{dtype}{'_predictor' if predictor else ''}.tif"
            back = tif(name, smooth((21, 17), dtype, top), compression=compression, predictor=predictor)
            case(name, back[None, None])
for name, how in {
    "zstd_tiles.tif": {"compression": "zstd", "tile": (16, 16), "predictor": True},
    "float16_predictor.tif": {"compression": "deflate", "predictor": True},
    "float64_predictor.tif": {"compression": "zstd", "predictor": True, "bigtiff": True},
    "big_endian_predictor.tif": {"compression": "deflate", "predictor": True, "byteorder": ">", "rowsperstrip": 5},
    "int64.tif": {},
    "uint64.tif": {"byteorder": ">"},
}.items():
    dtype = {"float16": "float16", "float64": "float64", "int64": "int64", "uint64": "uint64"}.get(name.split("_")[0].split(".")[0], "uint16")
    back = tif(name, smooth((33, 19), dtype, 1000), **how)
    case(name, back[None, None])
planes = smooth((3, 18, 20), "uint16", 50000)
back = tif("planar_zstd.tif", planes, photometric="rgb", planarconfig="separate", compression="zstd", predictor=True, rowsperstrip=7)
case("planar_zstd.tif", back[:, None], names=["red", "green", "blue"], rgb=True)
case("planar_zstd.tif", back[:, None, 4:15, 3:19], select={"region": "4 3 11 16"}, names=["red", "green", "blue"], rgb=True)
five = smooth((5, 40, 35), "uint8", 250)
back = tif("planar_tiles.tif", five, photometric="minisblack", planarconfig="separate", tile=(16, 16), compression="lzw")
case("planar_tiles.tif", back[:, None])
case("planar_tiles.tif", back[:, None, 17:40, 30:35], select={"region": "17 30 23 5"})
colour = np.stack([smooth((32, 48), "uint8", 200) // 4 * 2 + 40 * i for i in range(3)], -1)
for name, how in {
    "jpeg_rgb.tif": {"photometric": "rgb", "compression": "jpeg", "compressionargs": {"level": 90, "colorspace": "rgb", "outcolorspace": "rgb"}},
    "jpeg_ycbcr.tif": {"photometric": "ycbcr", "compression": "jpeg", "compressionargs": {"level": 90}, "subsampling": (1, 1)},
    "jpeg_ycbcr_tiles.tif": {"photometric": "ycbcr", "compression": "jpeg", "compressionargs": {"level": 90}, "subsampling": (1, 1), "tile": (16, 16)},
}.items():
    back = tif(name, colour, **how)
    case(name, np.moveaxis(back, -1, 0)[:, None], names=["red", "green", "blue"], rgb=True, tolerance=4)
back = tif("jpeg_grey.tif", colour[..., 0], compression="jpeg", compressionargs={"level": 90}, rowsperstrip=16)
case("jpeg_grey.tif", back[None, None], tolerance=2)

# --- stacks --------------------------------------------------------------------------------------------------------------------
tzc = smooth((2, 3, 4, 6, 7), "uint16", 4000)  # time, plane, channel, row, column
tifffile.imwrite(FILES / "hyperstack.tif", tzc, imagej=True, resolution=(2.5, 4), metadata={"axes": "TZCYX", "spacing": 0.5, "unit": "um"})
back = tifffile.imread(FILES / "hyperstack.tif")
for t in range(2):
    case("hyperstack.tif", back[t].transpose(1, 0, 2, 3), select={"time": t}, size=[0.25, 0.4, 0.5])
case("hyperstack.tif", back[1, 2].reshape(4, 1, 6, 7), select={"time": 1, "plane": 2}, size=[0.25, 0.4, 0.5])
case("hyperstack.tif", back[0, 0, 2].reshape(1, 1, 6, 7), select={"page": 2}, size=[0.25, 0.4, 0.5])
one_piece = smooth((1, 3, 1, 6, 7), "uint8", 200)
tifffile.imwrite(FILES / "imagej_zstack.tif", one_piece, imagej=True, metadata={"axes": "TZCYX"})
case("imagej_zstack.tif", tifffile.imread(FILES / "imagej_zstack.tif").reshape(1, 3, 6, 7))
tifffile.imwrite(FILES / "imagej_rgb_stack.tif", smooth((2, 6, 7, 3), "uint8", 200), imagej=True, metadata={"axes": "ZYXS"})
case("imagej_rgb_stack.tif", np.moveaxis(tifffile.imread(FILES / "imagej_rgb_stack.tif"), -1, 0), rgb=True, names=["red", "green", "blue"])
for order in ("TZCYX", "CZTYX", "ZCTYX"):
    lengths = {"T": 2, "Z": 3, "C": 2}
    data = smooth([lengths[a] for a in order[:3]] + [6, 7], "uint16", 4000)
    name = f"ome_{order.lower()}.ome.tif"
    tifffile.imwrite(FILES / name, data, ome=True, compression="zstd", metadata={
        "axes": order, "PhysicalSizeX": 0.2, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 300, "PhysicalSizeYUnit": "nm",
        "PhysicalSizeZ": 1.5, "Channel": {"Name": ["DAPI", "GFP"]}})
    back = tifffile.imread(FILES / name)
    standard = back.transpose([order.index(a) for a in "TCZYX"])
    case(name, standard[1], select={"time": 1}, names=["DAPI", "GFP"], size=[0.3, 0.2, 1.5])
    case(name, standard[0][:, 1:2, 2:5, 1:7], select={"time": 0, "plane": 1, "region": "2 1 3 6"}, names=["DAPI", "GFP"], size=[0.3, 0.2, 1.5])
rgb = smooth((10, 12, 3), "uint8", 200)
tifffile.imwrite(FILES / "ome_rgb.ome.tif", rgb, ome=True, photometric="rgb", metadata={"axes": "YXS"})
case("ome_rgb.ome.tif", np.moveaxis(tifffile.imread(FILES / "ome_rgb.ome.tif"), -1, 0)[:, None], rgb=True, names=["red", "green", "blue"])
with tifffile.TiffWriter(FILES / "ome_series.ome.tif", ome=True) as writer:
    writer.write(smooth((2, 6, 7), "uint8", 200), metadata={"axes": "CYX"})
    writer.write(smooth((9, 5), "uint16", 200), metadata={"axes": "YX"})
with tifffile.TiffFile(FILES / "ome_series.ome.tif") as f:
    case("ome_series.ome.tif", f.series[0].asarray()[:, None], select={"series": 0})
    case("ome_series.ome.tif", f.series[1].asarray()[None, None], select={"series": 1})
with tifffile.TiffWriter(FILES / "ome_pyramid.ome.tif", ome=True) as writer:
    full = smooth((32, 48), "uint8", 200)
    writer.write(full, subifds=1, tile=(16, 16), metadata={"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5})
    writer.write(full[::2, ::2].copy(), subfiletype=1, tile=(16, 16))
with tifffile.TiffFile(FILES / "ome_pyramid.ome.tif") as f:
    levels = f.series[0].levels
    case("ome_pyramid.ome.tif", levels[0].asarray()[None, None], size=[0.5, 0.5, None])
    case("ome_pyramid.ome.tif", levels[1].asarray()[None, None], select={"level": 1}, size=[1.0, 1.0, None])
tifffile.imwrite(FILES / "shaped.tif", smooth((3, 4, 6, 7), "float32", 200), photometric="minisblack", metadata={"axes": "ZCYX"})
case("shaped.tif", tifffile.imread(FILES / "shaped.tif").transpose(1, 0, 2, 3))
tifffile.imwrite(FILES / "pages.tif", smooth((3, 6, 7), "uint8", 200), photometric="minisblack", metadata=None)
back = tifffile.imread(FILES / "pages.tif")
case("pages.tif", back[:1, None])
case("pages.tif", back[:, None], select={"pages": "channels"})
case("pages.tif", back[None], select={"pages": "planes"})
case("pages.tif", back[2].reshape(1, 1, 6, 7), select={"pages": "times", "time": 2})

# --- NPZ -----------------------------------------------------------------------------------------------------------------------
grey = smooth((9, 14), "uint16", 60000)
np.savez(FILES / "one.npz", image=grey)
case("one.npz", grey[None, None])
np.savez_compressed(FILES / "two.npz", image=planes, labels=np.asfortranarray(grey.astype("int64")))
case("two.npz", planes[:, None], select={"member": "image"})
case("two.npz", grey.astype("int64")[None, None], select={"member": "labels"})

# --- ENVI ----------------------------------------------------------------------------------------------------------------------
cube = smooth((7, 5, 6), "uint16", 4000)  # rows, columns, bands
bands = [450.5, 500, 550, 600, 650, 700.25]
for interleave in ("bsq", "bil", "bip"):
    for dtype, order in (("uint16", 0), ("float32", 1), ("int16", 1), ("uint8", 0), ("float64", 0)):
        name = f"{interleave}_{dtype}.hdr"
        spectral.envi.save_image(str(FILES / name), cube.astype(dtype), dtype=dtype, interleave=interleave, byteorder=order, ext="." + interleave,
                                 metadata={"wavelength": bands, "wavelength units": "Nanometers"} if dtype == "uint16" else {}, force=True)
        back = spectral.envi.open(str(FILES / name)).load(dtype=dtype, scale=False)
        array = np.asarray(back).transpose(2, 0, 1)[:, None]
        extra = {"names": ["450.5", "500", "550", "600", "650", "700.25"], "wavelengths": bands} if dtype == "uint16" else {}
        case(name, array, dtype=dtype, **extra)
case("bil_uint16.bil", cube.transpose(2, 0, 1)[:, None], names=["450.5", "500", "550", "600", "650", "700.25"], wavelengths=bands)
case("bip_uint16.hdr", cube.transpose(2, 0, 1)[:, None, 2:6, 1:4], select={"region": "2 1 4 3"}, names=["450.5", "500", "550", "600", "650", "700.25"], wavelengths=bands)
case("bil_float32.hdr", cube.transpose(2, 0, 1)[:, None, 2:6, 1:4].astype("float32"), select={"region": "2 1 4 3"})

# --- Zarr ----------------------------------------------------------------------------------------------------------------------
flat = smooth((13, 11), "uint16", 60000)
for cname in ("blosclz", "lz4", "lz4hc", "zlib", "zstd"):
    for shuffle in (0, 1, 2):
        name = f"v2_{cname}_{shuffle}.zarr"
        array = smooth((30, 29), "uint16", 3000)
        store = zarr.create_array(str(FILES / name), shape=array.shape, chunks=(16, 29), dtype=array.dtype, zarr_format=2, filters=None,
                                  compressors=numcodecs.Blosc(cname=cname, clevel=5, shuffle=shuffle), config={"write_empty_chunks": True})
        store[:] = array
        case(name, zarr.open_array(str(FILES / name), mode="r")[:][None, None])
for cid, codec in {"none": None, "zlib": numcodecs.Zlib(), "gzip": numcodecs.GZip(), "zstd": numcodecs.Zstd(), "lz4": numcodecs.LZ4()}.items():
    name = f"v2_{cid}.zarr"
    store = zarr.create_array(str(FILES / name), shape=flat.shape, chunks=(5, 4), dtype=">u2" if cid == "none" else "<u2", zarr_format=2, filters=None,
                              compressors=codec, order="F" if cid == "zlib" else "C", config={"write_empty_chunks": True})
    store[:] = flat
    case(name, zarr.open_array(str(FILES / name), mode="r")[:][None, None].astype("uint16"))
codecs = zarr.codecs
volume = smooth((2, 4, 9, 10), "float32", 100)
for name, how in {
    "v3_bytes_big.zarr": {"serializer": codecs.BytesCodec(endian="big"), "compressors": None},
    "v3_gzip.zarr": {"compressors": codecs.GzipCodec()},
    "v3_zstd.zarr": {"compressors": [codecs.ZstdCodec(checksum=True), codecs.Crc32cCodec()]},
    "v3_blosc_bit.zarr": {"compressors": codecs.BloscCodec(cname="lz4", shuffle="bitshuffle", typesize=4)},
    "v3_transpose.zarr": {"filters": codecs.TransposeCodec(order=(3, 1, 0, 2)), "compressors": codecs.ZstdCodec()},
    "v3_sharded.zarr": {"shards": (2, 4, 6, 5), "compressors": codecs.ZstdCodec()},
}.items():
    store = zarr.create_array(str(FILES / name), shape=volume.shape, chunks=(1, 2, 3, 5), dtype="float32", config={"write_empty_chunks": True}, **how)
    store[:] = volume
    back = zarr.open_array(str(FILES / name), mode="r")[:]
    case(name, back)
    case(name, back[:, 3:4, 2:8, 4:9], select={"plane": 3, "region": "2 4 6 5"})
name = "v3_sharded_start.zarr"
store = zarr.create(store=str(FILES / name), shape=(8, 8), chunks=(4, 8), dtype="uint8", zarr_format=3,
                    codecs=[codecs.ShardingCodec(chunk_shape=(4, 4), codecs=[codecs.BytesCodec(), codecs.GzipCodec()], index_location="start")])
store[:] = np.arange(1, 65, dtype="uint8").reshape(8, 8)
case(name, zarr.open_array(str(FILES / name), mode="r")[:][None, None])


def ome(name, version, array, axes, scales, labels=None, absent=False):
    v3 = version == "0.5"
    group = zarr.open_group(str(FILES / name), mode="w", zarr_format=3 if v3 else 2)
    chunks = tuple(1 if a in "tc" else min(4, n) for a, n in zip(axes, array.shape))
    store = group.create_array("0", shape=array.shape, chunks=chunks, dtype=array.dtype, config={"write_empty_chunks": not absent},
                               fill_value=7 if absent else 0, **({"dimension_names": list(axes)} if v3 else {"chunk_key_encoding": {"name": "v2", "separator": "/"}}))
    store[:] = array
    half = array[..., ::2, ::2]
    small = group.create_array("1", shape=half.shape, chunks=chunks, dtype=array.dtype, config={"write_empty_chunks": True},
                               **({"dimension_names": list(axes)} if v3 else {"chunk_key_encoding": {"name": "v2", "separator": "/"}}))
    small[:] = half
    kinds = {"t": ("time", "second"), "c": ("channel", None), "z": ("space", "micrometer"), "y": ("space", "micrometer"), "x": ("space", "nanometer")}
    meta = {"multiscales": [{"version": version, "axes": [{"name": a, "type": kinds[a][0], **({"unit": kinds[a][1]} if kinds[a][1] else {})} for a in axes],
                             "datasets": [{"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [s * (2 ** i if a in "xy" else 1) for a, s in zip(axes, scales)]}]} for i in range(2)]}]}
    if labels:
        meta["omero"] = {"channels": [{"label": label, "color": "FF0000", "active": True, "window": {"min": 0, "max": 1, "start": 0, "end": 1}} for label in labels]}
    group.attrs.update({"ome": {"version": version, **meta}} if v3 else meta)
    return zarr.open_group(str(FILES / name), mode="r")


movie = smooth((2, 2, 3, 6, 7), "uint16", 4000)
for version in ("0.4", "0.5"):
    name = f"ome_{version}.zarr"
    group = ome(name, version, movie, "tczyx", [1, 1, 2, 0.5, 250], ["nuclei", "membrane"])
    case(name, group["0"][1], select={"time": 1}, names=["nuclei", "membrane"], size=[0.5, 0.25, 2.0])
    case(name, group["1"][0][:, 1:2], select={"time": 0, "plane": 1, "level": 1}, names=["nuclei", "membrane"], size=[1.0, 0.5, 2.0])
    case(name, group["0"][1][:, :, 1:5, 2:6], select={"time": 1, "region": "1 2 4 4"}, names=["nuclei", "membrane"], size=[0.5, 0.25, 2.0])
    case(name, group["0"][0], select={"time": 0}, names=["nuclei", "membrane"], size=[0.5, 0.25, 2.0])
group = ome("ome_zyx.zarr", "0.4", smooth((3, 6, 7), "uint8", 200), "zyx", [2, 0.5, 500])
case("ome_zyx.zarr", group["0"][:][None], size=[0.5, 0.5, 2.0])
half_empty = np.full((8, 8), 7, "uint8")
half_empty[:4] = smooth((4, 8), "uint8", 200)
group = ome("ome_absent.zarr", "0.5", half_empty, "yx", [0.5, 500], absent=True)
case("ome_absent.zarr", group["0"][:][None, None], select={"absent": "fill"}, size=[0.5, 0.5, None])

# --- DICOM ---------------------------------------------------------------------------------------------------------------------
uid = pydicom.uid


def dicom(name, array, syntax, *, photometric="MONOCHROME2", bits=None, frames=False, planar=0, more=None, encode=False):
    data = pydicom.Dataset()
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.file_meta = meta
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = "1.2.3"
    data.PatientName = "Nobody^Ever"
    samples = 3 if photometric in ("RGB", "YBR_FULL") else 1
    shape = array.shape[1:] if frames else array.shape
    data.Rows, data.Columns = shape[:2]
    data.SamplesPerPixel = samples
    data.PhotometricInterpretation = photometric
    data.BitsAllocated = array.dtype.itemsize * 8
    data.BitsStored = bits or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    if samples == 3:
        data.PlanarConfiguration = planar
    if frames:
        data.NumberOfFrames = len(array)
    for key, value in (more or {}).items():
        setattr(data, key, value)
    stored = array
    if samples == 3 and planar:
        stored = np.moveaxis(array, -1, -3)
    little = syntax != uid.ExplicitVRBigEndian
    raw = stored.astype(stored.dtype.newbyteorder("<" if little else ">")).tobytes()
    if encode:
        data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        data.PixelData = raw
        data["PixelData"].VR = "OB" if array.dtype.itemsize == 1 else "OW"
        data.compress(syntax, generate_instance_uid=False)
    else:
        data.PixelData = raw + b"\0" * (len(raw) % 2)
        data["PixelData"].VR = "OB" if array.dtype.itemsize == 1 else "OW"
    pydicom.dcmwrite(FILES / name, data, enforce_file_format=True)
    return pydicom.dcmread(FILES / name)


mono = smooth((8, 10), "uint16", 4000)
for key, syntax in {"implicit": uid.ImplicitVRLittleEndian, "explicit": uid.ExplicitVRLittleEndian, "big": uid.ExplicitVRBigEndian,
                    "deflated": uid.DeflatedExplicitVRLittleEndian, "rle": uid.RLELossless}.items():
    data = dicom(f"{key}.dcm", mono, syntax, bits=12, encode=key == "rle", more={"PixelSpacing": [0.5, 0.25]})
    case(f"{key}.dcm", data.pixel_array[None, None], size=[500.0, 250.0, None])
data = dicom("rescale.dcm", mono.astype("int16"), uid.ExplicitVRLittleEndian, more={"RescaleSlope": 2, "RescaleIntercept": -1024})
case("rescale.dcm", pydicom.pixels.apply_rescale(data.pixel_array, data).astype("float32")[None, None], dtype="int32")
data = dicom("rescale_fraction.dcm", mono, uid.ExplicitVRLittleEndian, more={"RescaleSlope": 0.25, "RescaleIntercept": 0.5})
case("rescale_fraction.dcm", pydicom.pixels.apply_rescale(data.pixel_array, data).astype("float32")[None, None], dtype="float32")
data = dicom("mono1.dcm", (mono // 20).astype("uint8"), uid.ExplicitVRLittleEndian, photometric="MONOCHROME1")
case("mono1.dcm", 255 - data.pixel_array[None, None])
for planar in (0, 1):
    for key, syntax in {"plain": uid.ExplicitVRLittleEndian, "rle": uid.RLELossless}.items():
        if key == "rle" and planar == 0:
            continue
        name = f"rgb_{key}_{planar}.dcm"
        array = smooth((2, 7, 9, 3), "uint8", 250)
        data = dicom(name, array, syntax, photometric="RGB", frames=True, planar=planar, encode=key == "rle")
        back = data.pixel_array
        case(name, np.moveaxis(back, -1, 0), rgb=True, names=["red", "green", "blue"])
        case(name, np.moveaxis(back, -1, 0)[:, 1:2, 2:6, 1:8], select={"plane": 1, "region": "2 1 4 7"}, rgb=True, names=["red", "green", "blue"])

# Baseline JPEG within DICOM, grey and in colours, as Pillow writes it; read back by pydicom's Pillow decoder.
for name, array, photometric in (("jpeg_grey.dcm", colour[..., 0], "MONOCHROME2"), ("jpeg_colour.dcm", colour, "YBR_FULL_422")):
    out = io.BytesIO()
    PIL.Image.fromarray(np.ascontiguousarray(array)).save(out, "JPEG", quality=90, **({"subsampling": 0} if array.ndim == 3 else {}))
    dicom(name, array, uid.ExplicitVRLittleEndian, photometric="RGB" if array.ndim == 3 else photometric)
    data = pydicom.dcmread(FILES / name)
    data.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    data.PhotometricInterpretation = photometric
    data.PixelData = pydicom.encaps.encapsulate([out.getvalue(), out.getvalue()])
    data.NumberOfFrames = 2
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    pydicom.dcmwrite(FILES / name, data, enforce_file_format=True)
    back = np.asarray(PIL.Image.open(io.BytesIO(out.getvalue())))
    planes_of = np.stack([back, back])
    if array.ndim == 3:
        case(name, np.moveaxis(planes_of, -1, 0), rgb=True, names=["red", "green", "blue"], tolerance=4)
    else:
        case(name, planes_of[None], tolerance=2)

# --- files of others, where they are -------------------------------------------------------------------------------------------
SHARED = HERE / "../../../shared/data"
made, cases = cases, []
ODD = "odd_formats/zarr/zarrs/"
for store in ("v2/array_blosc_C", "v2/array_none_F", "v2/array_zstd_C", "v3/array_gzip", "v3/array_none_transpose"):
    array = zarr.open_array(str(SHARED / ODD / f"{store}.zarr"), mode="r")[:]
    case(f"{ODD}{store}.zarr", array[None, None])
array = zarr.open_array(str(SHARED / ODD / "sharded_array_write_read.zarr/group/array"), mode="r")[:]
case(f"{ODD}sharded_array_write_read.zarr", array[None, None], select={"member": "group/array"})
for name, data in (("odd_formats/ir_raman/4_noimage_agg256.hdr", ".dat"), ("odd_formats/ir_raman/5_Mosaic_agg1024.hdr", ".dat"),
                   ("multichannel/hsi_samson/*_abundance.hdr", ".dat"), ("multichannel/hsi_samson/samson*.hdr", ".dat"),
                   ("multichannel/hsi_jasper/*_abundance.hdr", ".dat"), ("multichannel/hsi_jasper/jasper*.hdr", ".dat")):
    for path in sorted(SHARED.glob(name)):
        cube = spectral.envi.open(str(path), str(path.with_suffix(data)))
        dtype = np.dtype(cube.dtype).newbyteorder("=")
        array = np.asarray(cube.load(dtype=dtype, scale=False)).transpose(2, 0, 1)[:, None]
        waves = [float(w) for w in cube.metadata.get("wavelength", [])]
        names = [repr(w) if w != int(w) else str(int(w)) for w in waves] or cube.metadata.get("band names")
        file = path.relative_to(SHARED).as_posix()
        if not any(c["file"] == file for c in cases):
            case(file, array, dtype=dtype.name, names=names, wavelengths=waves or None)

lines = {name: ",\n".join(json.dumps(c, ensure_ascii=False) for c in found) for name, found in (("cases", made), ("shared", cases))}
(HERE / "values.json").write_text("{" + ",\n".join(f'"{name}": [\n{text}\n]' for name, text in lines.items()) + "}\n")
print(len(made), "cases", len(cases), "of others", sum(f.stat().st_size for f in FILES.rglob("*") if f.is_file()), "bytes")
