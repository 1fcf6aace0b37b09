//! `transect demo`: two simulated laboratories, one small model.

use std::fmt::Write as _;
use std::path::Path;

use transect_core::Error;
use transect_measure::{make_folder, usable, write_atomically};
use transect_optics::scene::{Laboratory, render};

use crate::Outcome;
use crate::args::{Cli, Command, DemoArgs};
use crate::{console, setup};

use clap::Parser;

/// The demo model, trained by `training/train_demo.py` on Laboratory A.
const MODEL: [(&str, &[u8]); 5] = [
    ("rdf.yaml", include_bytes!("../../demo/rdf.yaml")),
    ("README.md", include_bytes!("../../demo/README.md")),
    ("weights.onnx", include_bytes!("../../demo/weights.onnx")),
    (
        "test_input.npy",
        include_bytes!("../../demo/test_input.npy"),
    ),
    (
        "test_output.npy",
        include_bytes!("../../demo/test_output.npy"),
    ),
];

fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        make_folder(parent)?;
    }
    write_atomically(path, bytes)
}

/// Whether the demo may write into a folder: it is new, empty, or an earlier demo's.
fn ours(out: &Path) -> Result<(), Error> {
    let (name, bytes) = MODEL[0];
    if std::fs::read(out.join("model").join(name)).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    usable(out)
}

pub(crate) fn run(args: &DemoArgs) -> Outcome {
    let out = &args.out;
    setup::jobs(args.jobs)?;
    ours(out)?;
    for (name, bytes) in MODEL {
        put(&out.join("model").join(name), bytes)?;
    }
    console::say(&format!(
        "Making {} images of each of two laboratories",
        args.images
    ));
    let mut manifest = String::from("image,label,laboratory\n");
    for (name, laboratory) in [("A", Laboratory::a()), ("B", Laboratory::b())] {
        for index in 0..args.images {
            // Training and its tests used seeds 1001, 2002 and 3003; these are other ones, so the model has seen no image.
            let scene = render(
                &laboratory,
                args.seed.wrapping_add(1_000_000),
                u64::from(index),
            );
            let (image, label) = (
                format!("images/{name}_{index:03}.png"),
                format!("labels/{name}_{index:03}.png"),
            );
            put(
                &out.join("data").join(&image),
                &transect_image::encode_png(&scene.image)?,
            )?;
            put(
                &out.join("data").join(&label),
                &transect_image::encode_labels(&scene.labels),
            )?;
            let _ = writeln!(manifest, "{image},{label},{name}");
        }
    }
    put(&out.join("data/manifest.csv"), manifest.as_bytes())?;
    let mut words: Vec<String> = [
        "transect",
        "audit",
        "--truth",
        "label",
        "--domain",
        "laboratory",
        "--where",
        "laboratory = 'B'",
        "--reference-where",
        "laboratory = 'A'",
        "--modality",
        "fluorescence",
        "--claim",
        "average_precision_50=0.8",
        "--plan",
        "quick",
    ]
    .map(str::to_owned)
    .to_vec();
    for (option, path) in [
        ("--model", "model"),
        ("--data", "data/manifest.csv"),
        ("--out", "report"),
    ] {
        words.extend([
            option.to_owned(),
            out.join(path).to_string_lossy().into_owned(),
        ]);
    }
    words.extend(["--seed".to_owned(), args.seed.to_string()]);
    if let Some(jobs) = args.jobs {
        words.extend(["--jobs".to_owned(), jobs.to_string()]);
    }
    let quoted: Vec<String> = words
        .iter()
        .map(|w| {
            if w.contains(' ') {
                format!("\"{w}\"")
            } else {
                w.clone()
            }
        })
        .collect();
    console::say(&format!("Running: {}", quoted.join(" ")));
    match Cli::parse_from(&words).command {
        Command::Audit(audit) => super::audit::run(&audit),
        _ => Ok(2),
    }
}
