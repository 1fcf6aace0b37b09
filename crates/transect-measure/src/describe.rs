//! Stage 0: what an image and its truth say without any model.

use transect_core::{Digest, Error, Item, ItemRecord, LabelImage, Profile, Status, TruthRef};
use transect_optics::{Described, describe, features};
use transect_score::{Truth, class_index};
use transect_table::EmbeddingRow;

use crate::job::Job;
use crate::load::{Loaded, load};

/// What stage 0 makes of a row.
#[derive(Debug)]
pub(crate) struct ItemMade {
    /// The row of `items.parquet`.
    pub(crate) record: ItemRecord,
    /// Families of features, each a row of `embeddings/features/<family>.parquet`.
    pub(crate) features: Vec<(String, EmbeddingRow)>,
}

/// Attributes, profile, hash and thumbnail of what was loaded.
pub(crate) fn described(job: &Job, loaded: &Loaded) -> Described {
    describe(&loaded.image, loaded.objects(), job.context.modality)
}

/// The profile alone.
pub(crate) fn profile_of(job: &Job, loaded: &Loaded) -> Profile {
    described(job, loaded).profile
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
        features: Vec::new(),
    }
}

/// Stage 0 of one row.
pub(crate) fn describe_item(job: &Job, item: &Item) -> ItemMade {
    let truth_class = match &item.truth {
        TruthRef::Class(name) => class_index(name, &job.context.classes),
        _ => None,
    };
    let loaded = match load(job, item) {
        Err(error) => {
            let mut made = unreadable(item, Digest::default(), &error);
            made.record.truth_class = truth_class;
            return made;
        }
        Ok(loaded) => loaded,
    };
    let described = described(job, &loaded);
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
    ItemMade {
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
    let (rows, columns) = (outlines.rows(), outlines.columns());
    // Share of each cell that a pixel of a side of n pixels covers: pixels are cut at the borders of cells.
    let covers = |n: usize| -> Vec<Vec<(usize, f64)>> {
        let step = CELLS as f64 / n as f64;
        (0..n)
            .map(|pixel| {
                let (from, to) = (pixel as f64 * step, (pixel + 1) as f64 * step);
                (from.floor() as usize..CELLS.min(to.ceil() as usize))
                    .map(|cell| {
                        let cut = to.min(cell as f64 + 1.0) - from.max(cell as f64);
                        (cell, cut.max(0.0))
                    })
                    .collect()
            })
            .collect()
    };
    let (of_row, of_column) = (covers(rows), covers(columns));
    let mut cells = vec![0.0; CELLS * CELLS];
    for (at, &label) in outlines.labels().iter().enumerate() {
        if label == 0 {
            continue;
        }
        for (r, of_r) in &of_row[at / columns] {
            for (c, of_c) in &of_column[at % columns] {
                cells[r * CELLS + c] += of_r * of_c;
            }
        }
    }
    cells.into_iter().map(|v| v.min(1.0) as f32).collect()
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
