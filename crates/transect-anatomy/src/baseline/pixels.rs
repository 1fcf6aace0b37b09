//! Outlines, pixel by pixel: the same probe on what the trained decoder makes of a pixel, on what untrained ones make of it, and
//! on what the image itself says of it.

use std::collections::{BTreeMap, BTreeSet};

use transect_core::figure::Drawing;
use transect_core::{Figure, Finding, Result};
use transect_stats::{Folds, Matrix, Units, mean, probe_classes};

use super::{FEWEST, MARGIN, Unseen, parts, refuse};
use crate::copies;
use crate::drawn;
use crate::embedded::FEATURES;
use crate::evidence;
use crate::gains::{Gain, Weighed, primary, weigh};
use crate::opinion::Opinion;
use crate::study::Study;
use crate::words::{self, Form};

/// The finding.
const ID: &str = "baseline.embedding_gain";
/// Family that holds the truth of each pixel.
const TRUTH: &str = "pixel_truth";
/// Families of features of a pixel that nobody learned: name, words, tables.
const FAMILIES: [(&str, &str, &[&str]); 2] = [
    (
        "pixel_intensity",
        "the pixel's own intensities",
        &["pixel_intensity"],
    ),
    (
        "pixel_surroundings",
        "intensities, means, spreads and gradients around the pixel",
        &["pixel_intensity", "pixel_surroundings"],
    ),
];
/// Share of the errors that the best baseline leaves which are the margin where that is less than [`MARGIN`]: where nearly every pixel is
/// told by its intensities, no decoder could gain two points.
const OF_THE_ERRORS: f64 = 0.5;
/// Pixels that a probe is trained on, about.
const PIXELS: usize = 8_000;
/// Pixels of an image that are used, at least and at most.
const OF_AN_IMAGE: (usize, usize) = (8, 64);

/// Numbers of single pixels of some images.
#[derive(Debug, Clone, Default)]
struct Table {
    /// By row the number of pixels, and their numbers.
    by_row: BTreeMap<usize, (usize, Vec<f32>)>,
    /// Numbers of each pixel.
    width: usize,
}

impl Table {
    /// A table of a model or of [`FEATURES`]: each row begins with its number of pixels. Rows whose pixels have another number of
    /// numbers than those of the first are left out. `None` where there is nothing.
    fn read(study: &Study<'_>, model: &str, layer: &str) -> Result<Option<Self>> {
        let mut made = Self::default();
        study.tables.scan_embeddings(model, layer, &mut |e| {
            let Some((&first, rest)) = e.values.split_first() else {
                return Ok(());
            };
            let pixels = first as usize;
            if e.view_id != "identity" || pixels == 0 || rest.len() % pixels != 0 {
                return Ok(());
            }
            let width = rest.len() / pixels;
            if made.width == 0 {
                made.width = width;
            }
            if width == made.width && width > 0 {
                made.by_row
                    .entry(e.row as usize)
                    .or_insert_with(|| (pixels, rest.to_vec()));
            }
            Ok(())
        })?;
        Ok((!made.by_row.is_empty()).then_some(made))
    }

    /// Pixels of a row that there are numbers of.
    fn pixels(&self, row: usize) -> usize {
        self.by_row.get(&row).map_or(0, |(pixels, _)| *pixels)
    }

    /// One number of a pixel, where it is there and finite.
    fn number(&self, (row, pixel): (usize, usize), column: usize) -> Option<f64> {
        let (_, values) = self.by_row.get(&row)?;
        let value = f64::from(*values.get(pixel * self.width + column)?);
        value.is_finite().then_some(value)
    }
}

/// Something that the same probe is trained on: one set of tables, or one for each seed.
struct Rival {
    name: &'static str,
    words: String,
    seeds: Vec<Vec<Table>>,
}

/// Pixels with what every probe on them shares.
struct Split {
    /// Images, ascending.
    rows: Vec<usize>,
    /// Image and place in the draw of each pixel.
    pixels: Vec<(usize, usize)>,
    labels: Vec<u32>,
    classes: usize,
    folds: Folds,
}

impl Split {
    /// The share of each image's pixels that a probe on some tables is right on, held out; the commonest class everywhere
    /// where nothing in them varies.
    fn probed(&self, tables: &[Table]) -> Result<Vec<f64>> {
        let mut columns = Vec::new();
        for table in tables {
            for column in 0..table.width {
                let values: Vec<Option<f64>> = self
                    .pixels
                    .iter()
                    .map(|&pixel| table.number(pixel, column))
                    .collect();
                columns.push(values);
            }
        }
        let varies = columns.iter().any(|column| {
            let mut present = column.iter().flatten();
            present
                .next()
                .is_some_and(|first| present.any(|v| v != first))
        });
        let features = if varies {
            Matrix::from_columns(&columns)?.0
        } else {
            Matrix::new(self.pixels.len(), 1, vec![0.0; self.pixels.len()])?
        };
        let probe = probe_classes(&features, &self.labels, self.classes, &self.folds)?;
        let mut shares: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for (((row, _), predicted), truth) in
            self.pixels.iter().zip(&probe.predicted).zip(&self.labels)
        {
            let (right, all) = shares.entry(*row).or_default();
            *right += f64::from(u8::from(predicted == truth));
            *all += 1.0;
        }
        Ok(shares
            .into_values()
            .map(|(right, all)| right / all)
            .collect())
    }
}

/// What is compared.
struct Compared {
    layer: String,
    truth: Table,
    given: Table,
    rivals: Vec<Rival>,
    missing: Vec<String>,
}

/// Why nothing can be compared, and what would have to be supplied.
type Refused = (String, String);

/// The tables, or why they are not there.
fn read(study: &Study<'_>) -> Result<std::result::Result<Compared, Refused>> {
    let context = study.context;
    let refused = |why: &str, missing: &str| Ok(Err((why.to_owned(), missing.to_owned())));
    if context.predictions_only {
        return refused(
            "there are predictions and no model, so no decoder to look into",
            "the model itself, as an ONNX file",
        );
    }
    let Some(layer) = &context.dense_layer else {
        return refused(
            "no single tensor feeds the model's last convolution",
            "a model whose output is made by a last convolution from one tensor that is not the image itself",
        );
    };
    if !context.can_reinitialise {
        return refused(
            "the model's weights cannot be drawn anew, so there is no untrained decoder to compare with",
            "a model of which copies with random weights can be made (a note of the run says what forbids it)",
        );
    }
    let name = context.pixel_layer().unwrap_or_default();
    let read = |model: &str, layer: &str| Table::read(study, model, layer);
    let given = match study.model.as_deref() {
        Some(model) => read(model, &name)?,
        None => None,
    };
    let mut seeds = Vec::new();
    for copy in 0..copies::MOST {
        seeds.extend(read(&copies::name(copy), &name)?.map(|table| vec![table]));
    }
    let (Some(truth), Some(given), true) = (read(FEATURES, TRUTH)?, given, seeds.len() >= 2) else {
        return refused(
            "the decoder's features of single pixels, or those of untrained copies, are not in the tables",
            "a run of the model and of at least two copies with random weights on target images with truth",
        );
    };
    let mut rivals = vec![Rival {
        name: "reinit",
        words: format!("{} untrained decoders on average", seeds.len()),
        seeds,
    }];
    let mut missing = Vec::new();
    for (name, in_words, tables) in FAMILIES {
        let mut found = Vec::new();
        for table in tables {
            found.extend(read(FEATURES, table)?);
        }
        if found.len() == tables.len() {
            rivals.push(Rival {
                name,
                words: in_words.to_owned(),
                seeds: vec![found],
            });
        } else {
            missing.push(in_words.to_owned());
        }
    }
    Ok(Ok(Compared {
        layer: layer.clone(),
        truth,
        given,
        rivals,
        missing,
    }))
}

/// Pixels that every table has numbers of, in folds of whole groups. Pixels of a class that lies in a single group are left
/// out: it cannot be learned from some groups and tested on others.
fn split(
    study: &Study<'_>,
    unseen: &Unseen,
    compared: &Compared,
) -> Result<std::result::Result<Split, Refused>> {
    let tables: Vec<&Table> = [&compared.truth, &compared.given]
        .into_iter()
        .chain(
            compared
                .rivals
                .iter()
                .flat_map(|r| r.seeds.iter().flatten()),
        )
        .collect();
    let common = |row: usize| tables.iter().map(|t| t.pixels(row)).min().unwrap_or(0);
    let rows: Vec<usize> = unseen
        .rows
        .iter()
        .copied()
        .filter(|&row| common(row) > 0)
        .collect();
    let most = (PIXELS / rows.len().max(1)).clamp(OF_AN_IMAGE.0, OF_AN_IMAGE.1);
    let mut labelled = Vec::new();
    for &row in &rows {
        for pixel in 0..common(row).min(most) {
            let class = compared.truth.number((row, pixel), 0);
            labelled.extend(class.map(|class| ((row, pixel), class as u32)));
        }
    }
    let mut groups: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for &((row, _), class) in &labelled {
        groups
            .entry(class)
            .or_default()
            .insert(study.rows[row].group);
    }
    labelled.retain(|(_, class)| groups[class].len() > 1);
    let (pixels, labels): (Vec<(usize, usize)>, Vec<u32>) = labelled.into_iter().unzip();
    let of: Vec<usize> = pixels.iter().map(|p| p.0).collect();
    let mut rows = of.clone();
    rows.dedup();
    if rows.len() < FEWEST {
        return Ok(Err((
            format!(
                "single pixels of {} were looked at under the model and its copies",
                words::images(rows.len())
            ),
            format!(
                "at least {FEWEST} target images with outlines that the model was not trained on"
            ),
        )));
    }
    let classes = labels.iter().max().map_or(0, |&c| c as usize + 1);
    let units = study.units_of_parts(&of)?;
    Ok(
        match Folds::of_classes(&labels, classes, &units, &study.settings("baseline.folds")) {
            Ok(folds) => Ok(Split {
                rows,
                pixels,
                labels,
                classes,
                folds,
            }),
            Err(error) => Err((
                format!(
                    "a probe cannot be cross-validated on these pixels ({})",
                    error.message
                ),
                "target images with outlines of at least two classes, in at least five groups"
                    .to_owned(),
            )),
        },
    )
}

/// The primary finding for outlines, and what belongs to it.
pub(super) fn judge(study: &Study<'_>, unseen: &Unseen, opinion: &mut Opinion) -> Result<()> {
    let compared = match read(study)? {
        Ok(compared) => compared,
        Err((why, missing)) => {
            refuse(opinion, &[ID], &why, &missing);
            return Ok(());
        }
    };
    let split = match split(study, unseen, &compared)? {
        Ok(split) => split,
        Err((why, missing)) => {
            refuse(opinion, &[ID], &why, &missing);
            return Ok(());
        }
    };
    let given = split.probed(std::slice::from_ref(&compared.given))?;
    let (mut gains, mut theirs, mut differences) = (Vec::new(), Vec::new(), Vec::new());
    for rival in &compared.rivals {
        let by_seed: Vec<Vec<f64>> = rival
            .seeds
            .iter()
            .map(|tables| split.probed(tables))
            .collect::<Result<_>>()?;
        let gained: Vec<Vec<f64>> = by_seed
            .iter()
            .map(|of| given.iter().zip(of).map(|(g, o)| g - o).collect())
            .collect();
        gains.push(Gain::of_probes(
            study,
            ID,
            (rival.name, &rival.words),
            &split.rows,
            &split.rows,
            &gained,
        )?);
        theirs.push(parts::averaged(&by_seed));
        differences.push(parts::averaged(&gained));
    }
    let units = study.units(&split.rows)?;
    let reached = theirs.iter().map(|of| average(of)).fold(0.0, f64::max);
    let margin = MARGIN.min(OF_THE_ERRORS * (1.0 - reached));
    let Some(weighed) = weigh(&gains, margin, &units, &study.settings(ID))? else {
        return Ok(());
    };
    let best = weighed.best_rival;
    let finding = said(
        study,
        unseen,
        &compared,
        &split,
        (&weighed, margin),
        (&given, &theirs[best], &differences[best]),
    );
    opinion
        .drafts
        .push(primary(finding, &gains, &weighed, margin, study));
    for gain in &gains {
        parts::over(study, "embedding", gain, opinion);
    }
    let mut forest = parts::forest("embedding", &gains, &weighed);
    forest.title =
        String::from("What the trained decoder gains over each baseline, pixel by pixel");
    forest.caption = String::from(
        "Share of single pixels that a probe on the trained decoder's last features is right on, less that of the same probe on the baseline, with 95% intervals over images. Better than all: every bound (one-sided, 95%) is right of 0. No better than one: that one lies left of the margin.",
    );
    if let Drawing::Forest { marks, .. } = &mut forest.drawing {
        *marks = vec![(0.0, "none".to_owned()), (margin, "margin".to_owned())];
    }
    opinion.figures.push(forest);
    opinion
        .figures
        .push(reach(study, &compared, &units, &given, &theirs)?);
    parts::judge_by(
        study,
        "embedding",
        (&compared.rivals[best].words, margin),
        &split.rows,
        &differences[best],
        opinion,
    )
}

/// The mean; of no numbers 0.
fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The sentence, and what belongs to it.
fn said(
    study: &Study<'_>,
    unseen: &Unseen,
    compared: &Compared,
    split: &Split,
    (weighed, margin): (&Weighed, f64),
    (given, theirs, difference): (&[f64], &[f64], &[f64]),
) -> Finding {
    let share = |v: &[f64]| words::percent(average(v));
    let rival = &compared.rivals[weighed.best_rival];
    let mut finding = Finding::new(ID);
    finding.claim = format!(
        "A linear probe on the trained decoder's last features is right on {} of single pixels in {}, the same probe on {} on {}: a gain of {} over the best of {} (90% interval {}): {}.",
        share(given),
        words::images(split.rows.len()),
        rival.words,
        share(theirs),
        Form::Points.one(weighed.least),
        words::counted(compared.rivals.len(), "baseline", "baselines"),
        Form::Points.range(weighed.low, weighed.high),
        match (weighed.good, weighed.bad) {
            (true, true) => "better than every baseline, by less than the margin",
            (true, false) => "better than every baseline",
            (false, true) => "no better than this baseline",
            (false, false) => "not settled",
        }
    );
    finding.unit = String::from("fraction");
    let layer = study.context.pixel_layer().unwrap_or_default();
    finding.evidence = evidence::embeddings(study, &layer, "i.role, i.image");
    let mut lost: Vec<(f64, usize)> = difference
        .iter()
        .zip(&split.rows)
        .filter(|(d, _)| **d < 0.0)
        .map(|(d, row)| (*d, *row))
        .collect();
    lost.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    finding.images = lost.iter().take(10).map(|&(_, i)| study.image(i)).collect();
    finding.caveats.push(format!(
        "passes when the gain over every baseline is above 0, fails when the gain over one of them is under {}{}",
        Form::Points.one(margin),
        if margin < MARGIN {
            ", half of the errors that the best of them leaves"
        } else {
            ""
        }
    ));
    let held = split.pixels.len() as f64 / split.rows.len() as f64;
    finding.caveats.push(format!(
        "{} pixels, {} an image, drawn evenly from the classes that its truth holds, the same for all: a share of right pixels that is no score of the predictions",
        split.pixels.len(),
        words::number(held)
    ));
    finding.caveats.push(format!(
        "five-fold cross-validated probes (folds of whole images or groups, the same for all); layer {}",
        compared.layer
    ));
    if study.context.task == transect_core::Task::Instance {
        finding.caveats.push(
            "objects against background: whether objects that touch are told apart is not looked at"
                .to_owned(),
        );
    }
    finding.caveats.push(unseen.caveat.clone());
    if !compared.missing.is_empty() {
        finding.caveats.push(format!(
            "not compared with: {}",
            words::list(&compared.missing)
        ));
    }
    finding.remedy = Some(format!(
        "Where {} are as good, the outlines rest on what nobody had to learn: compare the predictions with a threshold (`baseline.prediction_gain`), and look for images on which that fails.",
        rival.words
    ));
    finding
}

/// What the decoder and each baseline reach, in a figure.
fn reach(
    study: &Study<'_>,
    compared: &Compared,
    units: &Units,
    given: &[f64],
    theirs: &[Vec<f64>],
) -> Result<Figure> {
    let rivals = compared.rivals.iter().map(|r| r.words.as_str());
    let labels = std::iter::once("the trained decoder").chain(rivals);
    let values = std::iter::once(given).chain(theirs.iter().map(Vec::as_slice));
    let rows = labels
        .zip(values)
        .map(|(label, values)| {
            let settings = study
                .settings(&format!("baseline.reach[{label}]"))
                .range(0.0, 1.0);
            let e = mean(values, units, &settings)?;
            Ok(drawn::line(format!("probe on {label}"), &e))
        })
        .collect::<Result<_>>()?;
    Ok(Figure {
        id: "baseline.reach".to_owned(),
        mode: "baseline".to_owned(),
        title: "What single pixels tell, and to whom".to_owned(),
        caption: "Share of single pixels, drawn evenly from the classes of each image's truth, that a cross-validated linear probe is right on, with 95% intervals over images. Compare by the paired differences, not by whether intervals overlap.".to_owned(),
        drawing: Drawing::Forest {
            x: "share right".to_owned(),
            rows,
            marks: Vec::new(),
        },
    })
}
