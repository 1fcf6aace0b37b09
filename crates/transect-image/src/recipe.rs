//! Files that are not read: what they are, and how they are converted.

use transect_core::codes::image as codes;
use transect_core::{Error, Result};

/// A format that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// What the file is.
    pub format: &'static str,
    /// How it is converted, in a sentence.
    pub help: &'static str,
    /// Python that reads `IN` and writes `OUT`, an NPY or TIFF file; empty where the help says it all.
    pub python: &'static str,
}

const BIOFORMATS: &str =
    "convert it with Bio-Formats' command line tools: bfconvert IN out.ome.tif";
const PILLOW: &str = "from PIL import Image\nImage.open(IN).save(OUT)";

const AGILENT: Recipe = Recipe {
    format: "a file of an Agilent infrared imager, by its name",
    help: "the map is read from the .dmt or .seq file with Python and saved as NPY, wavenumbers first; or export it as ENVI with Agilent's program",
    python: "import numpy\nfrom agilent_format import agilentImage, agilentMosaic\nreader = agilentMosaic if IN.endswith('.dmt') else agilentImage\nnumpy.save(OUT, numpy.moveaxis(reader(IN).data, -1, 0).astype('float32'))",
};

/// A rule by which a format is told: bytes at an offset, and the ending of the name where bytes do not tell enough.
struct Rule {
    offset: usize,
    magic: &'static [u8],
    endings: &'static [&'static str],
    recipe: Recipe,
}

macro_rules! rules {
    ($($offset:literal $magic:literal [$($ending:literal),*] $format:literal, $help:expr, $python:expr;)*) => {
        &[Rule {
            offset: 0,
            magic: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            endings: &["dmt", "seq", "bsp"],
            recipe: AGILENT,
        }, $(Rule {
            offset: $offset,
            magic: $magic,
            endings: &[$($ending),*],
            recipe: Recipe { format: $format, help: $help, python: $python },
        }),*]
    };
}

/// In this order; the first that fits is taken.
static RULES: &[Rule] = rules! {
    0 b"version https://git-lfs.github.com" [] "a pointer of Git LFS, not the file itself", "fetch the file: git lfs pull", "";
    0 b"ZISRAWFILE" [] "Zeiss CZI", "convert it to OME-TIFF with Bio-Formats (bfconvert IN out.ome.tif) or to NPY with Python", "import czifile, numpy\nnumpy.save(OUT, numpy.squeeze(czifile.imread(IN)))";
    0 b"\xda\xce\xbe\x0a" [] "Nikon ND2", "convert it to OME-TIFF with Bio-Formats (bfconvert IN out.ome.tif) or with Python", "import nd2, tifffile\nwith nd2.ND2File(IN) as f:\n    axes = ''.join(f.sizes)\n    tifffile.imwrite(OUT, f.asarray(), ome=True, metadata={'axes': axes})";
    0 b"\x70\x00\x00\x00" ["lif"] "Leica LIF", "convert it to OME-TIFF with Bio-Formats (bfconvert IN out_%s.ome.tif writes one file for each series) or with Python", "import numpy\nfrom readlif.reader import LifFile\nnumpy.save(OUT, numpy.array(LifFile(IN).get_image(0).get_frame(z=0, t=0, c=0)))";
    0 b"\x0a\x0a\xfe\xfe" [] "Bruker OPUS", "convert it to NPY with Python", "import numpy\nfrom opusFC import getOpusData, listContents\nnumpy.save(OUT, getOpusData(IN, listContents(IN)[0]).y)";
    0 b"MATLAB 5.0" [] "MATLAB 5", "save the array as NPY with Python, channels first", "import numpy, scipy.io\nfound = {k: v for k, v in scipy.io.loadmat(IN).items() if not k.startswith('__')}\narray = next(iter(found.values()))\nnumpy.save(OUT, numpy.moveaxis(array, -1, 0) if array.ndim == 3 else array)";
    0 b"MATLAB 7.3" [] "MATLAB 7.3 (HDF5)", "save the array as NPY with Python; h5py gives MATLAB's axes in reverse", "import h5py, numpy\nwith h5py.File(IN) as f:\n    array = next(v for v in f.values() if isinstance(v, h5py.Dataset))[()]\nnumpy.save(OUT, numpy.swapaxes(array, -1, -2))";
    0 b"\x89HDF\r\n\x1a\n" ["ims"] "Imaris (HDF5)", BIOFORMATS, "";
    0 b"\x89HDF\r\n\x1a\n" [] "HDF5 (also NeXus, O-PTIR)", "save the dataset you mean as NPY: list the names with h5ls -r IN, then with Python", "import h5py, numpy\nwith h5py.File(IN) as f:\n    found = []\n    f.visititems(lambda name, v: found.append(v) if isinstance(v, h5py.Dataset) and v.ndim >= 2 else None)\n    numpy.save(OUT, found[0][()])";
    0 b"SIMPLE  =" [] "FITS", "save the array as NPY with Python", "import numpy\nfrom astropy.io import fits\nnumpy.save(OUT, next(h.data for h in fits.open(IN) if h.data is not None).astype('float32'))";
    344 b"n+1\0" [] "NIfTI", "save slices as NPY with Python", "import nibabel, numpy\nnumpy.save(OUT, numpy.squeeze(nibabel.load(IN).get_fdata(dtype='float32')).T[None])";
    0 b"\x1f\x8b" ["nii.gz", "gz"] "a gzip file (NIfTI, where the name ends in .nii.gz)", "for NIfTI, save the volume as NPY with Python; otherwise unpack it with gunzip", "import nibabel, numpy\nnumpy.save(OUT, numpy.squeeze(nibabel.load(IN).get_fdata(dtype='float32')).T[None])";
    0 b"\x1f\x8b" [] "a gzip file", "unpack it with gunzip", "";
    0 b"\xff\x4f\xff\x51" [] "JPEG 2000", "convert it with Pillow to PNG, or to TIFF where it has more than 8 bits", PILLOW;
    4 b"jP  \r\n\x87\n" [] "JPEG 2000", "convert it with Pillow to PNG, or to TIFF where it has more than 8 bits", PILLOW;
    0 b"\xff\x0a" [] "JPEG XL", "convert it with libjxl: djxl IN out.png", "";
    4 b"JXL \r\n\x87\n" [] "JPEG XL", "convert it with libjxl: djxl IN out.png", "";
    4 b"ftypavif" [] "AVIF", "convert it with libavif: avifdec IN out.png", "";
    4 b"ftyphei" [] "HEIF", "convert it with libheif: heif-convert IN out.png", "";
    0 b"BM" [] "BMP", "convert it with Pillow to PNG", PILLOW;
    0 b"GIF8" [] "GIF", "convert it with Pillow to PNG, each frame by itself", PILLOW;
    8 b"WEBP" [] "WebP", "convert it with Pillow to PNG", PILLOW;
    0 b"II\xbc\x01" [] "JPEG XR", BIOFORMATS, "";
    0 b"\x1aWDF" [] "Renishaw WDF", "save the map as NPY with Python, wavenumbers first", "import numpy\nfrom renishawWiRE import WDFReader\nnumpy.save(OUT, numpy.moveaxis(WDFReader(IN).spectra, -1, 0).astype('float32'))";
    0 b"WDF1" [] "Renishaw WDF", "save the map as NPY with Python, wavenumbers first", "import numpy\nfrom renishawWiRE import WDFReader\nnumpy.save(OUT, numpy.moveaxis(WDFReader(IN).spectra, -1, 0).astype('float32'))";
    0 b"PEPE" [] "PerkinElmer FSM", "save the map as ENVI with the program that made it, or open it in Quasar (orange-spectroscopy) and save it as NPY", "";
    0 b"Gwyddion Simple Field" [] "Gwyddion simple field", "save it as NPY with Python", "import numpy\nhead, data = open(IN, 'rb').read().split(b'\\0', 1)\nsize = dict(line.split('=', 1) for line in head.decode().splitlines()[1:])\nrows, columns = int(size['YRes']), int(size['XRes'])\npixels = numpy.frombuffer(data[-rows * columns * 4:], '<f4')\nnumpy.save(OUT, pixels.reshape(rows, columns))";
    0 b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" [] "an OLE container (Olympus OIB, Zeiss ZVI)", BIOFORMATS, "";
    0 b"%PDF" [] "PDF", "export the image itself, not the page", "";
    0 b"<svg" [] "SVG", "export it as PNG at the size that is meant", "";
    0 b"\x00\x00\x01\x5c" ["hdr"] "the header of an Analyze file", "save the volume (the .img file beside it) as NPY with Python", "import nibabel, numpy\nnumpy.save(OUT, numpy.squeeze(nibabel.load(IN).get_fdata(dtype='float32')).T[None])";
    0 b"\x5c\x01\x00\x00" ["hdr"] "the header of an Analyze file", "save the volume (the .img file beside it) as NPY with Python", "import nibabel, numpy\nnumpy.save(OUT, numpy.squeeze(nibabel.load(IN).get_fdata(dtype='float32')).T[None])";
};

/// Endings of formats whose first bytes tell nothing.
static BY_NAME: &[(&[&str], Recipe)] = &[
    (&["seq", "bsp", "dmt", "dmd", "drd", "dms", "dat"], AGILENT),
    (
        &["img"],
        Recipe {
            format: "the volume of an Analyze file, by its name, or ENVI without a header",
            help: "for ENVI, put the header (.hdr) beside it; for Analyze, save the volume as NPY with Python",
            python: "import nibabel, numpy\nnumpy.save(OUT, numpy.squeeze(nibabel.load(IN).get_fdata(dtype='float32')).T[None])",
        },
    ),
    (
        &["xim"],
        Recipe {
            format: "a text image of a microscope for soft X-rays, by its name",
            help: "save it as NPY with Python",
            python: "import numpy\nnumpy.save(OUT, numpy.loadtxt(IN))",
        },
    ),
    (
        &["raw", "bil", "bip", "bsq"],
        Recipe {
            format: "pixels without a header, by its name",
            help: "put an ENVI header (the same name with .hdr) beside it",
            python: "",
        },
    ),
    (
        &["0", "1", "2", "3", "spa", "opus"],
        Recipe {
            format: "a spectrum of a vendor's program (OPUS, OMNIC), by its name",
            help: "export it from that program as CSV or NPY",
            python: "",
        },
    ),
];

/// What bytes that are not read look like, by their beginning and, where that tells nothing, by the name.
pub fn recipe(bytes: &[u8], name: &str) -> Option<Recipe> {
    let lower = name.to_ascii_lowercase();
    let ends = |ending: &&str| {
        lower
            .strip_suffix(ending)
            .is_some_and(|stem| stem.ends_with('.'))
    };
    RULES
        .iter()
        .find(|rule| {
            bytes
                .get(rule.offset..)
                .is_some_and(|rest| rest.starts_with(rule.magic))
                && (rule.endings.is_empty() || rule.endings.iter().any(ends))
        })
        .map(|rule| rule.recipe)
        .or_else(|| {
            let named = BY_NAME.iter().find(|(e, _)| e.iter().any(ends));
            named.map(|(_, recipe)| *recipe)
        })
}

/// Every recipe once, in the order of the rules.
pub fn recipes() -> Vec<Recipe> {
    let mut all: Vec<Recipe> = Vec::new();
    for recipe in RULES
        .iter()
        .map(|r| r.recipe)
        .chain(BY_NAME.iter().map(|(_, r)| *r))
    {
        if !all.contains(&recipe) {
            all.push(recipe);
        }
    }
    all
}

/// The error for bytes of no format that is read.
pub(crate) fn unknown<T>(bytes: &[u8], name: &str) -> Result<T> {
    let (what, help) = match recipe(bytes, name) {
        _ if bytes.is_empty() => ("the file is empty".to_owned(), "copy it again"),
        Some(found) => (format!("the file looks like {}", found.format), found.help),
        None => (
            "the first bytes are of no format that is known here".to_owned(),
            "convert it to PNG, TIFF or NPY",
        ),
    };
    Err(Error::new(&codes::IMAGE_UNKNOWN_FORMAT, what).help(help))
}
