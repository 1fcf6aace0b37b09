//! What is fed with any bytes: every decoder and parser of transect. A target returns, whatever it is given; what it gives
//! back is consistent in itself. The test `seeds` of the crate `transect` runs these over the seed corpus.

use std::collections::BTreeMap;
use std::path::Path;

use tempfile::TempDir;
use transect_core::{Dtype, Task};
use transect_image::{Limits, Region, Selector};
use transect_manifest::expr::Expr;
use transect_manifest::{Draw, Format, ImportOptions, Request, Syntax, import, outline};
use transect_measure::Predictions;
use transect_model::{EngineChoice, Model, Options, onnx::Graph};

/// A target: its name, which is that of its folder of seeds, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 19] = [
    ("image", image),
    ("labels", labels),
    ("npy", npy),
    ("tiff", tiff),
    ("ome", ome),
    ("npz", npz),
    ("envi", envi),
    ("zarr", zarr),
    ("dicom", dicom),
    ("manifest", manifest),
    ("expression", expression),
    ("class_map", class_map),
    ("outlines", outlines),
    ("annotations", annotations),
    ("rdf", rdf),
    ("model_toml", model_toml),
    ("onnx", onnx),
    ("predictions_csv", predictions_csv),
    ("predictions_json", predictions_json),
];

/// Small limits, so that a file that asks for much memory is refused and not slow.
fn limits() -> Limits {
    Limits {
        max_file_bytes: 1 << 20,
        max_decoded_bytes: 1 << 24,
        max_side: 1 << 12,
    }
}

/// Any image: PNG, JPEG, TIFF, NPY.
pub fn image(bytes: &[u8]) {
    if let Ok(image) = transect_image::decode(bytes, "any", None, &limits()) {
        let size: usize = image.shape().iter().product();
        assert_eq!(image.samples().len(), size);
        assert!(size as u64 * 4 <= limits().max_decoded_bytes);
        // What is written is read again as it was.
        if image.planes() == 1 && matches!(image.dtype, Dtype::Uint8 | Dtype::Uint16) {
            let channels = image.channels();
            if let Ok(png) = transect_image::encode_png(&image) {
                let again =
                    transect_image::decode(&png, "again", None, &limits()).expect("our own PNG");
                assert_eq!(again.channels(), channels);
                assert_eq!(again.samples(), image.samples());
            }
        }
    }
    let _ = transect_image::pages(bytes, "any");
}

/// Label images.
pub fn labels(bytes: &[u8]) {
    if let Ok(labels) = transect_image::decode_labels(bytes, "any", None, &limits()) {
        assert_eq!(labels.labels().len(), labels.rows() * labels.columns());
        let file = transect_image::encode_labels(&labels);
        let again = transect_image::decode_labels(&file, "again", None, &Limits::default())
            .expect("our own labels");
        assert_eq!(again.labels(), labels.labels());
    }
}

/// NPY tensors.
pub fn npy(bytes: &[u8]) {
    if let Ok(tensor) = transect_image::npy::read(bytes, "any", &limits()) {
        assert_eq!(tensor.data.len(), tensor.shape.iter().product::<usize>());
        let again = transect_image::npy::read(
            &transect_image::npy::write(&tensor),
            "again",
            &Limits::default(),
        )
        .expect("our own NPY");
        assert_eq!(again.shape, tensor.shape);
        let bits = |data: &[f32]| data.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&again.data), bits(&tensor.data));
    }
}

/// TIFF, with its page from the last byte.
pub fn tiff(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    // Whatever else changes, it stays a TIFF.
    if file.len() >= 4 && !matches!(&file[..4], b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+") {
        file[..4].copy_from_slice(b"II*\0");
    }
    let page = file.last().map(|b| u32::from(b % 3));
    if let Ok(pages) = transect_image::pages(&file, "any") {
        assert!(pages > 0);
    }
    if let Ok(image) = transect_image::decode(&file, "any", page, &limits()) {
        assert_eq!(
            image.samples().len(),
            image.shape().iter().product::<usize>()
        );
    }
    let _ = transect_image::decode_labels(&file, "any", page, &limits());
}

/// What an image holds is what it says.
fn consistent(files: &BTreeMap<String, Vec<u8>>, path: &str, selector: &Selector) {
    if let Ok(image) = transect_image::decode_at(files, path, selector, &limits()) {
        let size: usize = image.shape().iter().product();
        assert_eq!(image.samples().len(), size);
        assert!(size as u64 * 4 <= limits().max_decoded_bytes);
        assert!(image.channel_names.is_empty() || image.channel_names.len() == image.channels());
        if let Some(waves) = &image.wavelengths {
            assert_eq!(waves.values.len(), image.channels());
        }
    }
    let _ = transect_image::decode_labels_at(files, path, selector, &limits());
}

/// A selection from the last byte: none, the first time, or a region too.
fn selection(bytes: &[u8]) -> Selector {
    let kind = bytes.last().map_or(0, |b| b % 3);
    Selector {
        time: (kind > 0).then_some(0),
        plane: (kind == 2).then_some(0),
        region: (kind == 2).then_some(Region {
            row: 1,
            column: 0,
            rows: 2,
            columns: 3,
        }),
        absent_is_fill: kind == 2,
        ..Selector::default()
    }
}

/// Several files in one: a name up to the end of its line, two bytes of length, the bytes.
fn several(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (name, tail) = (&rest[..end], &rest[end + 1..]);
        let Some((length, tail)) = tail.split_first_chunk::<2>() else {
            break;
        };
        let length = usize::from(u16::from_le_bytes(*length)).min(tail.len());
        files.insert(
            String::from_utf8_lossy(name).into_owned(),
            tail[..length].to_vec(),
        );
        rest = &tail[length..];
    }
    files
}

/// OME-XML in a TIFF of two pages.
pub fn ome(bytes: &[u8]) {
    let Ok(length) = u32::try_from(bytes.len()) else {
        return;
    };
    let mut file = b"II*\0\x0e\0\0\0".to_vec();
    file.extend([1, 2, 3, 4, 5, 6]);
    let text = 14 + 2 * (2 + 9 * 12 + 4);
    for page in 0..2_u32 {
        let entries: [[u32; 4]; 9] = [
            [256, 4, 1, 3],
            [257, 4, 1, 2],
            [258, 3, 1, 8],
            [259, 3, 1, 1],
            [262, 3, 1, 1],
            [270, 2, length, text],
            [273, 4, 1, 8],
            [278, 4, 1, 2],
            [279, 4, 1, 6],
        ];
        file.extend([9, 0]);
        for [tag, kind, count, value] in entries {
            file.extend((tag as u16).to_le_bytes());
            file.extend((kind as u16).to_le_bytes());
            file.extend(count.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        let next = if page == 0 { file.len() as u32 + 4 } else { 0 };
        file.extend(next.to_le_bytes());
    }
    file.extend(bytes);
    let files = BTreeMap::from([("any".to_owned(), file)]);
    consistent(&files, "any", &selection(bytes));
}

/// Archives of arrays.
pub fn npz(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    if file.len() >= 4 {
        file[..4].copy_from_slice(b"PK\x03\x04");
    }
    let files = BTreeMap::from([("any".to_owned(), file)]);
    consistent(&files, "any", &selection(bytes));
}

/// A header in words beside a file of samples.
pub fn envi(bytes: &[u8]) {
    let files = several(bytes);
    consistent(&files, "image.hdr", &selection(bytes));
    consistent(&files, "image.dat", &selection(bytes));
}

/// A store of metadata and chunks.
pub fn zarr(bytes: &[u8]) {
    consistent(&several(bytes), "image.zarr", &selection(bytes));
}

/// DICOM data sets.
pub fn dicom(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    if let Some(magic) = file.get_mut(128..132) {
        magic.copy_from_slice(b"DICM");
    }
    let files = BTreeMap::from([("any".to_owned(), file)]);
    consistent(&files, "any", &selection(bytes));
}

/// Manifests: the first byte says how they are written.
pub fn manifest(bytes: &[u8]) {
    let Some((first, text)) = bytes
        .split_first()
        .and_then(|(f, rest)| Some((f, std::str::from_utf8(rest).ok()?)))
    else {
        return;
    };
    let syntax = match first {
        b't' => Syntax::Tsv,
        b'j' => Syntax::JsonLines,
        _ => Syntax::Csv,
    };
    let plain = transect_manifest::parse(text, syntax, &|_| true);
    if let Ok(dataset) = &plain {
        for (index, item) in dataset.items.iter().enumerate() {
            assert_eq!(item.row as usize, index);
            assert!(
                !item.image.starts_with('/') && !item.image.split('/').any(|part| part == "..")
            );
        }
    }
    let request = Request {
        truth: Some("class_name".to_owned()),
        domain: Some("domain".to_owned()),
        group: Some("patient".to_owned()),
        where_expr: Some("domain = 'D1' and not class_name = 'x'".to_owned()),
        ..Request::default()
    };
    let _ =
        transect_manifest::parse_with(text, syntax, &|path| path.len() % 7 != 0, &request, None);
}

/// Expressions over rows.
pub fn expression(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(expr) = Expr::parse(text) {
        let columns = expr.columns().len();
        assert!(columns <= text.len());
        for cell in [None, Some(""), Some("a"), Some("1.5")] {
            let _ = expr.matches(&|_| cell);
        }
    }
}

/// Class maps, over a manifest whose classes they map.
pub fn class_map(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let request = Request {
        truth: Some("class_name".to_owned()),
        ..Request::default()
    };
    let manifest = "image,class_name\na.png,cat\nb.png,dog\nc.png,eel\n";
    let _ = transect_manifest::parse_with(manifest, Syntax::Csv, &|_| true, &request, Some(text));
}

/// A model's description beside a graph that is sound.
fn described(name: &str, bytes: &[u8]) {
    let folder = TempDir::new().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a file in the temporary folder");
    };
    write(
        "weights.onnx",
        include_bytes!("../corpus/onnx/identity.onnx"),
    );
    write(name, bytes);
    load(&folder.path().join(name));
}

fn load(path: &Path) {
    let model = Model::load(&Options {
        engine: EngineChoice::Embedded,
        ..Options::new(path)
    });
    if let Ok(model) = model {
        let _ = model.passes(&[1, 1, 24, 16]);
        let image = transect_core::Image::new(
            [1, 1, 16, 8],
            (0..128).map(|v| v as f32).collect(),
            Dtype::Uint8,
        )
        .expect("an image");
        if let Ok(mut session) = model.session()
            && model.passes(&image.shape()) < 100
        {
            let _ = session.predict(&image, false);
        }
    }
}

/// `rdf.yaml`.
pub fn rdf(bytes: &[u8]) {
    described("rdf.yaml", bytes);
}

/// `model.toml`.
pub fn model_toml(bytes: &[u8]) {
    described("model.toml", bytes);
}

/// ONNX graphs: read, described, written, read again.
pub fn onnx(bytes: &[u8]) {
    if let Ok(mut graph) = Graph::read(bytes) {
        let (inputs, outputs, operators) = (graph.inputs(), graph.outputs(), graph.operators());
        let _ = (
            graph.nodes(),
            graph.opsets(),
            graph.ir_version(),
            graph.looks_everywhere(),
        );
        for task in [Task::Classification, Task::Semantic] {
            if let Some(name) = outputs
                .first()
                .and_then(|o| graph.default_embedding(task, &o.name))
            {
                let _ = graph.tap(&name);
            }
        }
        let again = Graph::read(&graph.encode()).expect("our own graph");
        assert_eq!(again.inputs().len(), inputs.len());
        assert_eq!(again.operators(), operators);
    }
}

fn predictions(name: &str, bytes: &[u8]) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file in the temporary folder");
    let known = ["cat".to_owned(), "dog".to_owned()];
    if let Ok(given) = Predictions::read(&path, Task::Classification, &known, &known) {
        assert!(!given.classes().is_empty());
    }
}

/// Predictions as CSV.
pub fn predictions_csv(bytes: &[u8]) {
    predictions("predictions.csv", bytes);
}

/// Outlines: regions of ImageJ, archives of them, GeoJSON; told by their first bytes.
pub fn outlines(bytes: &[u8]) {
    let name = match bytes {
        [b'I', b'o', ..] => "any.roi",
        [b'P', b'K', ..] => "any.zip",
        _ => "any.geojson",
    };
    let Ok(outlines) = outline::read(bytes, name) else {
        return;
    };
    for outlines in [outline::within(outlines.clone(), [3, 2, 9, 11]), outlines] {
        if let Ok(drawn) = outline::draw(&outlines, 9, 11) {
            let most = outlines.len() as u32;
            assert!(drawn.labels.labels().iter().all(|l| *l <= most));
        }
    }
}

/// Annotations in COCO's JSON, of an image of 8 rows and 10 columns.
pub fn annotations(bytes: &[u8]) {
    let folder = TempDir::new().expect("a folder");
    let png = transect_image::encode_png_rgb(8, 10, &[9; 240]);
    std::fs::write(folder.path().join("a.png"), png).expect("an image");
    let source = folder.path().join("any.json");
    std::fs::write(&source, bytes).expect("a file");
    let options = ImportOptions {
        format: Format::Coco,
        images: None,
        root: folder.path().to_owned(),
        name: "manifest".to_owned(),
        classes: Vec::new(),
        draw: Draw::Objects,
        limits: limits(),
    };
    let _ = import(&source, &options, &mut |path: &str, _: &[u8]| {
        assert!(path.starts_with("manifest_") && !path.contains(".."));
        Ok(())
    });
}

/// Predictions as JSON.
pub fn predictions_json(bytes: &[u8]) {
    predictions("predictions.json", bytes);
}
