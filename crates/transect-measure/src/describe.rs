//! Stage 0: what an image and its truth say without any model.

use std::time::Instant;

use transect_core::{Digest, Error, Item, ItemRecord, LabelImage, Profile, Status, TruthRef};
use transect_optics::{Cameras, Described, area_means, describe, features};
use transect_score::{Truth, class_index};
use transect_table::{EmbeddingRow, Timing};

use crate::job::Job;
use crate::load::{Loaded, load};

/// The name under which what an image says without any model is kept, and timed, beside the models' embeddings.
pub(crate) const FEATURES: &str = "features";

/// What reading a row's files is called among the timings.
pub(crate) const READ: &str = "read";

/// What stage 0 makes of a row.
#[derive(Debug)]
pub(crate) struct ItemMade {
    /// The row of `items.parquet`.
    pub(crate) record: ItemRecord,
    /// What views of the image will need to know of it; `None` where it could not be read.
    pub(crate) known: Option<Known>,
    /// How long each part of it took; outside the contract.
    pub(crate) timings: Vec<Timing>,
    /// Families of features, each a row of `embeddings/features/<family>.parquet`.
    pub(crate) features: Vec<(String, EmbeddingRow)>,
}

/// Attributes, profile, hash and thumbnail of what was loaded.
pub(crate) fn described(job: &Job, loaded: &Loaded) -> Described {
    describe(&loaded.image, loaded.objects(), job.context.modality)
}

/// What views of an image need to know of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The traits that swaps move.
    pub profile: Profile,
    /// What makes noise in each channel.
    pub cameras: Cameras,
}

impl Known {
    /// Estimated from what was loaded.
    pub(crate) fn of(job: &Job, loaded: &Loaded) -> Self {
        let described = described(job, loaded);
        Self {
            profile: described.profile,
            cameras: described.cameras,
        }
    }
}

/// A row that could not be read.
pub(crate) fn unreadable(item: &Item, sha256: Digest, error: &Error) -> ItemMade {
    ItemMade {
        record: ItemRecord {
            item: item.clone(),
            image_sha256: sha256,
            status: Status::Failed,
            error_code: Some(error.code.id.to_owned()),
            error: Some(error.sentence()),
            truth_class: None,
            attributes: vec![None; transect_core::attribute::ATTRIBUTES.len()],
            profile: None,
            perceptual_hash: None,
            thumbnail: Vec::new(),
        },
        known: None,
        timings: Vec::new(),
        features: Vec::new(),
    }
}

/// The seconds since `start` as those of a part of stage 0, which is timed as a view of the model [`FEATURES`].
fn timing(item: &Item, part: &str, start: Instant) -> Timing {
    once(item, FEATURES, part, start)
}

/// The seconds since `start`, spent once for a row under a model.
pub(crate) fn once(item: &Item, model_id: &str, part: &str, start: Instant) -> Timing {
    Timing {
        row: item.row,
        model_id: model_id.to_owned(),
        view_id: part.to_owned(),
        view_s: 0.0,
        inference_s: 0.0,
        total_s: start.elapsed().as_secs_f64(),
    }
}

/// Stage 0 of one row, with single pixels where they are looked at.
pub(crate) fn describe_item(job: &Job, item: &Item, pixels: bool) -> ItemMade {
    let truth_class = match &item.truth {
        TruthRef::Class(name) => class_index(name, &job.context.classes),
        _ => None,
    };
    let start = Instant::now();
    let loaded = match load(job, item) {
        Err(error) => {
            let mut made = unreadable(item, Digest::default(), &error);
            made.record.truth_class = truth_class;
            return made;
        }
        Ok(loaded) => loaded,
    };
    let mut timings = vec![timing(item, READ, start)];
    let start = Instant::now();
    let described = described(job, &loaded);
    timings.push(timing(item, "attributes", start));
    let start = Instant::now();
    let row = |values: Vec<f32>| EmbeddingRow {
        row: item.row,
        image_sha256: loaded.sha256,
        view_id: "identity".to_owned(),
        values,
    };
    let mut families: Vec<(String, EmbeddingRow)> =
        features(&loaded.image, loaded.outlines(), job.context.seed)
            .into_iter()
            .map(|(family, values)| (family.to_owned(), row(values)))
            .collect();
    families.push(("file".to_owned(), row(loaded.file.features(&loaded.image))));
    if let Some(outlines) = loaded.outlines() {
        families.push(("truth_map".to_owned(), row(truth_map(outlines))));
    }
    if pixels {
        let truth = loaded.truth.as_ref();
        let some = crate::pixels::families(&loaded.image, truth, job.context.seed, loaded.sha256);
        families.extend(
            some.into_iter()
                .map(|(family, values)| (family, row(values))),
        );
    }
    timings.push(timing(item, FEATURES, start));
    ItemMade {
        known: Some(Known {
            profile: described.profile.clone(),
            cameras: described.cameras,
        }),
        timings,
        record: ItemRecord {
            item: item.clone(),
            image_sha256: loaded.sha256,
            status: Status::Ok,
            error_code: None,
            error: None,
            truth_class,
            attributes: described.attributes,
            profile: Some(described.profile),
            perceptual_hash: Some(described.perceptual_hash),
            thumbnail: described.thumbnail,
        },
        features: families,
    }
}

/// Cells of a side of the map of the truth.
const CELLS: usize = 24;

/// Where the truth's foreground is: its share of each of 24 × 24 cells, row after row (the aspect is not kept). It belongs to
/// the truth, not to the image: it tells whether two images that are the same are outlined alike.
fn truth_map(outlines: &LabelImage) -> Vec<f32> {
    let foreground: Vec<f32> = outlines
        .labels()
        .iter()
        .map(|l| f32::from(u8::from(*l != 0)))
        .collect();
    area_means(
        &foreground,
        outlines.rows(),
        outlines.columns(),
        CELLS,
        CELLS,
    )
}

impl Loaded {
    /// The truth's objects, where it has some.
    pub(crate) fn objects(&self) -> Option<&transect_core::LabelImage> {
        match &self.truth {
            Some(Truth::Labels(labels)) => Some(labels),
            _ => None,
        }
    }

    /// The truth's outlines: objects, or areas of a mask.
    pub(crate) fn outlines(&self) -> Option<&transect_core::LabelImage> {
        match &self.truth {
            Some(Truth::Labels(labels) | Truth::Mask { mask: labels, .. }) => Some(labels),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_the_truth_holds_shares_of_cells() {
        // 12 × 48 pixels: each cell is half a pixel high and two wide. One pixel at row 3, column 9 fills the right half of
        // column 4 of the cells in rows 6 and 7.
        let mut labels = vec![0; 12 * 48];
        labels[3 * 48 + 9] = 7;
        let map = truth_map(&LabelImage::new(12, 48, labels).unwrap());
        let filled: Vec<(usize, f32)> = map
            .iter()
            .enumerate()
            .filter(|(_, v)| **v > 0.0)
            .map(|(at, v)| (at, *v))
            .collect();
        assert_eq!(filled, [(6 * 24 + 4, 0.5), (7 * 24 + 4, 0.5)]);
        let all = truth_map(&LabelImage::new(30, 7, vec![1; 210]).unwrap());
        assert!(all.iter().all(|v| (v - 1.0).abs() < 1e-6));
    }
}
