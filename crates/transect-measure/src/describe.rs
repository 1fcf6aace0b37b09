//! Stage 0: what an image and its truth say without any model.

use transect_core::{Digest, Error, Item, ItemRecord, Profile, Status, TruthRef};
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
