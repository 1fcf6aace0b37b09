//! Bytes changed at random: an image or a clean error, never a panic, never long. The seed is fixed, so a failure comes
//! again; what once failed becomes a test of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use transect_core::{Dtype, Image, Kind, LabelImage, Stream};
use transect_image::{
    Limits, Selector, decode, decode_at, decode_labels, decode_labels_at, encode_labels,
    encode_png, encode_png_rgb, npy, pages,
};

use crate::made::{Tiff, png_file};

/// Small valid files of every format and of many features.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let ramp: Vec<u8> = (0..=255).collect();
    let deflated = |bytes: &[u8]| {
        let mut packed = Vec::with_capacity(bytes.len() + 100);
        flate2::Compress::new(flate2::Compression::default(), true)
            .compress_vec(bytes, &mut packed, flate2::FlushCompress::Finish)
            .expect("it packs");
        packed
    };
    let lzw = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(&ramp)
        .expect("it packs");
    let mut tiles = Tiff::new(10, 10, 8, 1)
        .tag(322, 3, &[16])
        .tag(323, 3, &[16])
        .chunk(&ramp);
    tiles.tiled = true;
    let mut big = Tiff::new(8, 8, 32, 1)
        .tag(339, 3, &[3])
        .tag(259, 3, &[8])
        .tag(317, 3, &[3])
        .chunk(&deflated(&ramp));
    big.little = false;
    let palette: Vec<u32> = (0..48).map(|i| i * 1300).collect();
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 80)
        .encode(&ramp[..192], 8, 8, jpeg_encoder::ColorType::Rgb)
        .expect("a JPEG");
    let mut progressive = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 60);
    encoder.set_progressive(true);
    encoder
        .encode(&ramp, 16, 16, jpeg_encoder::ColorType::Luma)
        .expect("a JPEG");
    let grey = Image::new(
        [1, 1, 16, 16],
        ramp.iter().map(|v| f32::from(*v) * 200.0).collect(),
        Dtype::Uint16,
    )
    .expect("an image");
    let labels = LabelImage::new(2, 2, vec![0, 1, 70_000, 3]).expect("labels");
    vec![
        ("grey16.png", encode_png(&grey).expect("a PNG")),
        ("rgb.png", encode_png_rgb(8, 8, &ramp[..192])),
        (
            "palette.png",
            png_file(
                4,
                2,
                png::ColorType::Indexed,
                png::BitDepth::Four,
                &[0x01, 0x23, 0x32, 0x10],
                Some((&ramp[..12], &[255])),
            ),
        ),
        ("colour.jpg", jpeg),
        ("progressive.jpg", progressive),
        (
            "plain.tif",
            Tiff::new(16, 16, 8, 1)
                .tag(278, 3, &[4])
                .chunk(&ramp[..64])
                .chunk(&ramp[64..128])
                .chunk(&ramp[128..192])
                .chunk(&ramp[192..])
                .build(),
        ),
        (
            "lzw.tif",
            Tiff::new(16, 16, 8, 0)
                .tag(259, 3, &[5])
                .tag(317, 3, &[2])
                .chunk(&lzw)
                .build(),
        ),
        (
            "deflate.tif",
            Tiff::new(8, 16, 16, 1)
                .tag(259, 3, &[8])
                .tag(317, 3, &[2])
                .chunk(&deflated(&ramp))
                .build(),
        ),
        (
            "packbits.tif",
            Tiff::new(12, 1, 12, 1)
                .tag(259, 3, &[32_773])
                .chunk(&[8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 247, 3])
                .build(),
        ),
        ("float.tif", big.build()),
        ("tiles.tif", tiles.build()),
        (
            "palette.tif",
            Tiff::new(2, 2, 4, 3)
                .tag(320, 3, &palette)
                .chunk(&[0x12, 0x34])
                .build(),
        ),
        (
            "planar.tif",
            Tiff::new(4, 4, 8, 2)
                .tag(277, 3, &[3])
                .tag(284, 3, &[2])
                .chunk(&ramp[..16])
                .chunk(&ramp[..16])
                .chunk(&ramp[..16])
                .text(270, "ImageJ=1\nunit=um\n")
                .tag(282, 5, &[1, 2])
                .tag(283, 5, &[1, 2])
                .build(),
        ),
        ("labels.tif", encode_labels(&labels)),
        (
            "array.npy",
            npy::write(&npy::Tensor {
                shape: vec![2, 3, 4],
                data: (0..24_u8).map(f32::from).collect(),
            }),
        ),
    ]
}

/// How often files are changed: `TRANSECT_DAMAGE` times as often as usual.
fn rounds(usual: usize) -> usize {
    let times = std::env::var("TRANSECT_DAMAGE")
        .ok()
        .and_then(|t| t.parse::<usize>().ok());
    usual * times.unwrap_or(1)
}

fn limits() -> Limits {
    Limits {
        max_decoded_bytes: 1 << 24,
        ..Limits::default()
    }
}

/// An error that the input is to blame for.
fn clean(name: &str, error: &transect_core::Error) {
    let clean = matches!(
        error.kind(),
        Kind::Format | Kind::Unsupported | Kind::Limits | Kind::Usage | Kind::Shape
    );
    assert!(clean || error.code.id == "T101", "{name}: {error}");
}

fn attempt(name: &str, bytes: &[u8]) {
    let limits = limits();
    let check = |error: &transect_core::Error| clean(name, error);
    let started = Instant::now();
    let _ = pages(bytes, name).inspect_err(check);
    let _ = decode(bytes, name, None, &limits).inspect_err(check);
    let _ = decode_labels(bytes, name, Some(0), &limits).inspect_err(check);
    let _ = npy::read(bytes, name, &limits).inspect_err(check);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{name} took {:?}",
        started.elapsed()
    );
}

#[test]
fn the_corpus_itself_is_read() {
    for (name, bytes) in corpus() {
        assert!(
            decode(&bytes, name, None, &Limits::default()).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn changed_bytes_never_panic() {
    let corpus = corpus();
    let mut random = Stream::new(20_261_122, "damage", &[]);
    for round in 0..rounds(6000) {
        let (name, bytes) = &corpus[round % corpus.len()];
        let mut bytes = bytes.clone();
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            bytes[at] = match random.below(4) {
                0 => 0,
                1 => 255,
                2 => bytes[at] ^ 1 << random.below(8),
                _ => random.below(256) as u8,
            };
        }
        attempt(name, &bytes);
    }
}

/// Files of other programs (golden/formats) as sets in memory: a store, a header with its data, or a single file.
fn sets() -> Vec<(String, Selector, BTreeMap<String, Vec<u8>>)> {
    let root = crate::formats::folder().join("files");
    let mut sets = Vec::new();
    for case in crate::formats::cases("cases") {
        let name = case["file"].as_str().expect("a name").to_owned();
        let mut files = BTreeMap::new();
        if root.join(&name).is_dir() {
            gather(&root, &root.join(&name), &mut files);
        } else {
            // ENVI lies in two files of one stem.
            let stem = name.split_once('.').map_or(name.as_str(), |s| s.0);
            for entry in std::fs::read_dir(&root).expect("the folder") {
                let path = entry.expect("an entry").path();
                let other = path
                    .file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned();
                if path.is_file() && other.split_once('.').is_some_and(|s| s.0 == stem) {
                    files.insert(other, std::fs::read(&path).expect("its bytes"));
                }
            }
        }
        sets.push((name, crate::formats::selector(&case), files));
    }
    sets
}

fn gather(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(root, &path, files);
        } else {
            let name = path
                .strip_prefix(root)
                .expect("below")
                .to_string_lossy()
                .into_owned();
            files.insert(name, std::fs::read(&path).expect("its bytes"));
        }
    }
}

fn attempt_set(name: &str, selector: &Selector, files: &BTreeMap<String, Vec<u8>>) {
    let started = Instant::now();
    let _ = decode_at(files, name, selector, &limits()).inspect_err(|e| clean(name, e));
    let _ = decode_at(files, name, &Selector::default(), &limits()).inspect_err(|e| clean(name, e));
    let _ = decode_labels_at(files, name, selector, &limits()).inspect_err(|e| clean(name, e));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{name} took {:?}",
        started.elapsed()
    );
}

#[test]
fn changed_files_and_stores_of_other_programs_never_panic() {
    let sets = sets();
    let mut random = Stream::new(20_261_122, "damaged sets", &[]);
    for round in 0..rounds(4000) {
        let (name, selector, files) = &sets[round % sets.len()];
        let mut files = files.clone();
        let names: Vec<String> = files.keys().cloned().collect();
        for _ in 0..=random.below(3) {
            let Some(bytes) = files.get_mut(&names[random.below(names.len())]) else {
                continue;
            };
            if bytes.is_empty() {
                continue;
            }
            let at = random.below(bytes.len());
            match random.below(6) {
                0 => bytes[at] = 0,
                1 => bytes[at] = 255,
                2 => bytes[at] ^= 1 << random.below(8),
                // Digits of metadata are what sizes are made of.
                3 => {
                    let digits: Vec<usize> = (0..bytes.len())
                        .filter(|i| bytes[*i].is_ascii_digit())
                        .collect();
                    if let Some(&at) = digits.get(at % digits.len().max(1)) {
                        bytes[at] = b'0' + random.below(10) as u8;
                        if random.below(3) == 0 {
                            bytes.splice(at..at, *b"99999999");
                        }
                    }
                }
                4 => bytes.truncate(at),
                _ => bytes[at] = random.below(256) as u8,
            }
        }
        attempt_set(name, selector, &files);
    }
}

#[test]
fn sets_that_lack_a_file_end_in_an_error_or_an_image() {
    for (name, selector, files) in sets() {
        for lost in files.keys() {
            let mut rest = files.clone();
            rest.remove(lost);
            attempt_set(&name, &selector, &rest);
        }
    }
}

#[test]
fn files_cut_at_every_byte_never_panic() {
    for (name, bytes) in corpus() {
        for end in (0..bytes.len()).step_by(1 + bytes.len() / 300) {
            attempt(name, &bytes[..end]);
        }
    }
}
