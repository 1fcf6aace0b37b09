//! Published models in ../shared.

use std::path::PathBuf;

use transect_core::{Image, Prediction};
use transect_image::Limits;
use transect_model::{Decode, EngineChoice, Model, Normalise, Options, TestOutcome, Thresholds};

pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if full.exists() {
        return Some(full);
    }
    #[expect(clippy::print_stderr, reason = "says why nothing was tested")]
    {
        eprintln!("skipped: ../shared/{path} is not there");
    }
    None
}

fn embedded(path: PathBuf) -> Options {
    Options {
        engine: EngineChoice::Embedded,
        ..Options::new(path)
    }
}

fn image(path: &std::path::Path) -> Image {
    let bytes = std::fs::read(path).unwrap();
    transect_image::decode(
        &bytes,
        &path.display().to_string(),
        None,
        &Limits::default(),
    )
    .unwrap()
}

/// Rows of a simple CSV as (column, value) lookups.
pub(crate) fn table(path: &std::path::Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            header
                .iter()
                .zip(line.split(','))
                .map(|(k, v)| ((*k).to_owned(), v.to_owned()))
                .collect()
        })
        .collect()
}

#[test]
fn white_blood_cells_score_as_their_readme_says() {
    let (Some(model), Some(data)) = (shared("models/wbc_cnn_d1"), shared("data/wbc2domain")) else {
        return;
    };
    let model = Model::load(&embedded(model)).unwrap();
    assert_eq!(
        model.classes(),
        ["neutrophil", "lymphocyte", "monocyte", "eosinophil"]
    );
    let mut session = model.session().unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for row in table(&data.join("manifest.csv")) {
        if row["class_name"] == "basophil" || row["split"] != "test" {
            continue;
        }
        let image = image(&data.join(&row["image"]));
        let output = session.predict(&image, true).unwrap();
        let Prediction::Classes(classes) = &output.prediction else {
            panic!("not classes")
        };
        let right = model.classes()[classes.class()] == row["class_name"];
        let (n, k) = counts.entry(row["domain"].clone()).or_insert((0, 0));
        *n += 1;
        *k += usize::from(right);
        assert_eq!(output.embeddings.len(), 1);
        assert!(output.embeddings[0].1.len() > 8);
    }
    assert_eq!(counts["D1"], (51, 49));
    assert_eq!(counts["D2"], (17, 7));
}

#[test]
fn published_models_pass_their_own_tests() {
    for (path, options) in [
        ("models/wbc_cnn_d1", None),
        ("models/nuclei_unet_fluo", None),
        (
            "models/bioimageio_unet2d_nuclei_broad/bioimageio.yaml",
            Some(()),
        ),
        (
            "models/bioimageio_unet2d_nuclei_broad/v0_4_0.bioimageio.yaml",
            Some(()),
        ),
        (
            "models/bioimageio_unet2d_nuclei_broad/v0_4_9.bioimageio.yaml",
            Some(()),
        ),
    ] {
        let Some(full) = shared(path) else { return };
        let mut given = embedded(full);
        if options.is_some() {
            given.task = Some(transect_core::Task::Semantic);
            given.decode = Some(Decode::Foreground);
            given.thresholds = Thresholds {
                foreground: Some(0.5),
                ..Thresholds::default()
            };
        }
        let model = Model::load(&given).unwrap_or_else(|errors| panic!("{path}: {errors}"));
        let outcome = model.test().unwrap();
        let TestOutcome::Run {
            passed, largest, ..
        } = outcome
        else {
            panic!("{path}: no test")
        };
        assert!(passed && largest < 1e-4, "{path}: {outcome:?}");
    }
}
