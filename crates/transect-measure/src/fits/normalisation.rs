//! Statistics of the normalisation layers of copies with weights drawn anew.

use transect_core::{Digest, Fits, Image, ItemRecord};

use super::Sources;
use crate::job::Source;
use crate::load::load;
use crate::variant::copy_of;

/// Images that normalisation is re-estimated on, at most.
pub(crate) const IMAGES: usize = 8;

/// Re-estimates the normalisation of every copy in the plan, on up to eight images that could be read, of the reference where it
/// has any and otherwise of the target, chosen by hash. What an earlier fit made on the same images is kept.
pub(super) fn fit(sources: &Sources<'_>, fits: &mut Fits) {
    let Source::Model(model) = &sources.job.source else {
        return;
    };
    let copies: Vec<(&str, u32)> = sources
        .plan
        .variants()
        .into_iter()
        .filter_map(|name| Some((name, copy_of(name)?)))
        .collect();
    if copies.is_empty() || model.normalisation_layers() == 0 {
        return;
    }
    let chosen = chosen(sources);
    fits.normalised_on = chosen.iter().map(|r| r.image_sha256).collect();
    let before: Option<Fits> = std::fs::read(sources.out.join("fits.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(before) = before.filter(|b| b.normalised_on == fits.normalised_on) {
        fits.normalisation = before.normalisation;
        return;
    }
    let images: Vec<Image> = chosen
        .iter()
        .filter_map(|r| load(sources.job, &r.item).ok())
        .map(|loaded| loaded.image)
        .collect();
    for (name, copy) in copies {
        // Where that fails the copy cannot be made, and its rows say so.
        if let Ok(statistics) =
            model.estimate_normalisation(sources.job.context.seed, copy, &images)
            && !statistics.is_empty()
        {
            fits.normalisation.insert(name.to_owned(), statistics);
        }
    }
}

fn chosen<'a>(sources: &'a Sources<'a>) -> Vec<&'a ItemRecord> {
    let seed = sources.job.context.seed.to_le_bytes();
    let mut rows: Vec<(Digest, u32, &ItemRecord)> = sources
        .basis()
        .into_iter()
        .map(|r| {
            let key = Digest::of_parts([&seed[..], b"normalisation", &r.image_sha256.0]);
            (key, r.item.row, r)
        })
        .collect();
    rows.sort_by_key(|(key, row, _)| (*key, *row));
    rows.dedup_by_key(|(key, ..)| *key);
    rows.into_iter().take(IMAGES).map(|(.., r)| r).collect()
}
