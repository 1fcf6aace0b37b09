//! Input that lacks something or asks for too much, in ENVI, Zarr, NPZ and DICOM: errors that say what and how to go on.

use std::collections::BTreeMap;

use transect_core::axis::SpectralUnit;
use transect_core::{Error, Image, Result};
use transect_image::{Limits, Selector, decode_at};

use crate::formats::{Folder, folder};

type Set = BTreeMap<String, Vec<u8>>;

/// A change of a store's metadata, given the largest number.
type Change = fn(&mut serde_json::Value, u64);

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join("files").join(name)).expect("the file is there")
}

fn read(files: &Set, name: &str) -> Result<Image> {
    decode_at(files, name, &Selector::default(), &Limits::default())
}

fn refusal(files: &Set, name: &str) -> Error {
    read(files, name).expect_err("it must be refused")
}

/// An ENVI file whose header has a line replaced; an empty one is left out.
fn envi(from: &str, to: &str) -> Set {
    let header = String::from_utf8(bytes("bil_uint16.hdr")).expect("text");
    let lines: Vec<&str> = header
        .lines()
        .map(|l| if l.starts_with(from) { to } else { l })
        .filter(|l| !l.is_empty())
        .collect();
    assert!(header.contains(from), "{header}");
    Set::from([
        ("a.hdr".to_owned(), lines.join("\n").into_bytes()),
        ("a.dat".to_owned(), bytes("bil_uint16.bil")),
    ])
}

#[test]
fn an_envi_header_without_wavelengths_gives_an_image_that_says_it_has_none() {
    let whole = read(&envi("file type", ""), "a.hdr").unwrap_or_else(|e| panic!("{e}"));
    let waves = whole.wavelengths.expect("wavelengths");
    assert_eq!(waves.unit, SpectralUnit::Nanometre);
    assert_eq!(waves.values[5], 700.25);
    let none = read(&envi("wavelength =", ""), "a.dat").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((none.wavelengths, none.channel_names.len()), (None, 0));
    let no_unit = read(&envi("wavelength units", ""), "a.hdr").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        no_unit.wavelengths.expect("numbers").unit,
        SpectralUnit::Unknown
    );
}

#[test]
fn an_envi_header_that_leaves_something_open_is_refused_and_not_guessed_at() {
    for (from, to, says) in [
        ("interleave", "", "`interleave`"),
        ("interleave", "interleave = bxx", "bsq, bil or bip"),
        ("byte order", "", "`byte order`"),
        ("data type", "", "`data type`"),
        ("data type", "data type = 6", "complex"),
        ("data type", "data type = 7", "data type 7"),
        ("lines", "lines = 8", "speaks of"),
        ("lines", "lines = 99999999", "at most"),
        ("samples", "samples = -1", "not a whole number"),
        (
            "wavelength =",
            "wavelength = {1, 2}",
            "2 wavelengths for 6 bands",
        ),
        (
            "wavelength =",
            "wavelength = {1, 2, x, 4, 5, 6}",
            "not a number",
        ),
        ("wavelength =", "wavelength = {1, 2", "within the braces"),
        ("file type", "file type = ENVI Spectral Library", "no image"),
    ] {
        let text = refusal(&envi(from, to), "a.hdr").to_string();
        assert!(text.contains(says), "{to}: {text}");
    }
    let value = read(&envi("file type", ""), "a.hdr")
        .expect("an image")
        .samples()[7];
    let ignored = format!("data ignore value = {value}");
    let text = refusal(&envi("file type", &ignored), "a.hdr").to_string();
    assert!(
        text.contains("say nothing") && text.contains("region"),
        "{text}"
    );
    let mut lonely = envi("file type", "");
    lonely.remove("a.dat");
    assert_eq!(refusal(&lonely, "a.hdr").code.id, "T103");
}

#[test]
fn a_header_says_nothing_of_other_files_of_its_name() {
    let mut files = envi("file type", "");
    // The same bytes under a name that is no file of samples.
    let data = files.remove("a.dat").expect("the data");
    files.insert("a.bsp".to_owned(), data);
    assert_eq!(refusal(&files, "a.bsp").code.id, "T107");
}

#[test]
fn missing_chunks_are_an_error_until_they_are_said_to_be_fill() {
    let files = Folder(folder().join("files"));
    let error = decode_at(
        &files,
        "ome_absent.zarr",
        &Selector::default(),
        &Limits::default(),
    )
    .expect_err("chunks are missing");
    assert_eq!(error.code.id, "T117");
    let text = error.to_string();
    assert!(
        text.contains("2 chunks") && text.contains("image_absent"),
        "{text}"
    );
    let text = refusal(&Set::new(), "none.zarr").to_string();
    assert!(text.contains("no Zarr store"), "{text}");
}

/// A store of one array with this metadata, and one chunk of zeros.
fn zarr(change: impl Fn(&mut serde_json::Value)) -> Set {
    let mut meta = serde_json::json!({
        "zarr_format": 3, "node_type": "array", "shape": [2, 2], "data_type": "uint8", "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 2]}},
        "chunk_key_encoding": {"name": "default"}, "codecs": [{"name": "bytes"}],
    });
    change(&mut meta);
    Set::from([
        ("a.zarr/zarr.json".to_owned(), meta.to_string().into_bytes()),
        ("a.zarr/c/0/0".to_owned(), vec![1, 2, 3, 4]),
    ])
}

#[test]
fn stores_that_ask_for_too_much_or_for_another_codec_are_refused() {
    let image = read(&zarr(|_| {}), "a.zarr").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(image.samples(), [1.0, 2.0, 3.0, 4.0]);
    let huge = u64::MAX;
    let cases: [(Change, &str); 10] = [
        (|m, n| m["shape"] = serde_json::json!([n, n]), "T105"),
        (
            |m, _| m["shape"] = serde_json::json!([40_000, 40_000]),
            "T105",
        ),
        (
            |m, n| m["chunk_grid"]["configuration"]["chunk_shape"] = serde_json::json!([n, n]),
            "T105",
        ),
        (|m, _| m["shape"] = serde_json::json!([2000, 2000]), "T117"),
        (|m, _| m["shape"] = serde_json::json!([0, 2]), "T103"),
        (
            |m, _| m["codecs"] = serde_json::json!([{"name": "bytes"}, {"name": "zfp"}]),
            "T104",
        ),
        (|m, _| m["codecs"] = serde_json::json!([]), "T103"),
        (
            |m, _| m["codecs"] = serde_json::json!([{"name": "transpose", "configuration": {"order": [0, 0]}}, {"name": "bytes"}]),
            "T103",
        ),
        (
            |m, _| m["data_type"] = serde_json::json!("complex64"),
            "T104",
        ),
        (
            |m, _| m["shape"] = serde_json::json!([2, 2, 1, 1, 1]),
            "T103",
        ),
    ];
    for (at, (change, code)) in cases.into_iter().enumerate() {
        let error = refusal(&zarr(|m| change(m, huge)), "a.zarr");
        assert_eq!(error.code.id, code, "{at}: {error}");
    }
}

#[test]
fn a_store_does_not_lead_out_of_itself() {
    let group = serde_json::json!({"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"multiscales": [{
        "axes": [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}],
        "datasets": [{"path": "../secret"}],
    }]}}});
    let mut files = Set::from([(
        "a.zarr/zarr.json".to_owned(),
        group.to_string().into_bytes(),
    )]);
    for (name, data) in zarr(|_| {}) {
        files.insert(name.replace("a.zarr", "secret"), data);
    }
    let text = refusal(&files, "a.zarr").to_string();
    assert!(text.contains("leads out"), "{text}");
    let selector = Selector {
        member: Some("../secret".to_owned()),
        ..Selector::default()
    };
    let error = decode_at(&files, "a.zarr", &selector, &Limits::default()).expect_err("outside");
    assert_eq!(error.code.id, "T114");
}

#[test]
fn archives_of_several_or_of_no_arrays_say_what_they_hold() {
    let two = Set::from([("two.npz".to_owned(), bytes("two.npz"))]);
    let text = refusal(&two, "two.npz").to_string();
    assert!(
        text.contains("image, labels") && text.contains("image_member"),
        "{text}"
    );
    let mut empty = b"PK\x03\x04".to_vec();
    empty.extend(b"PK\x05\x06");
    empty.extend([0; 8]);
    empty.extend([0; 4]);
    empty.extend([4, 0, 0, 0, 0, 0]);
    let error = refusal(&Set::from([("a.zip".to_owned(), empty)]), "a.zip");
    assert_eq!(error.code.id, "T107", "{error}");
    // A checksum that is wrong.
    let mut one = bytes("one.npz");
    let at = one.len() / 2;
    one[at] ^= 1;
    let error = refusal(&Set::from([("one.npz".to_owned(), one)]), "one.npz");
    assert_eq!(error.code.id, "T103", "{error}");
}

#[test]
fn dicom_without_pixels_or_with_other_compression_is_refused_and_names_nobody() {
    let whole = bytes("explicit.dcm");
    let pixels = whole
        .windows(4)
        .rposition(|w| w == [0xe0, 0x7f, 0x10, 0])
        .expect("pixel data");
    let without = Set::from([("a.dcm".to_owned(), whole[..pixels].to_vec())]);
    let error = refusal(&without, "a.dcm");
    assert!(error.to_string().contains("no pixel data"), "{error}");
    let short = Set::from([("a.dcm".to_owned(), whole[..whole.len() - 9].to_vec())]);
    assert_eq!(refusal(&short, "a.dcm").code.id, "T103");
    // Another transfer syntax of the same length: JPEG 2000.
    let text = b"1.2.840.10008.1.2.1\0";
    let at = whole.windows(text.len()).position(|w| w == text);
    let at = at.expect("the transfer syntax");
    let mut other = whole.clone();
    other[at..at + text.len()].copy_from_slice(b"1.2.840.10008.1.2.9\0");
    let error = refusal(&Set::from([("a.dcm".to_owned(), other)]), "a.dcm");
    assert_eq!(error.code.id, "T104", "{error}");
    assert!(error.to_string().contains("gdcmconv"), "{error}");
    for name in ["explicit.dcm", "rgb_plain_0.dcm"] {
        let image = read(&Set::from([("a.dcm".to_owned(), bytes(name))]), "a.dcm");
        let shown = format!("{:?}", image.map(|i| (i.channel_names, i.pixel_size)));
        assert!(!shown.contains("Nobody"), "{shown}");
    }
}
