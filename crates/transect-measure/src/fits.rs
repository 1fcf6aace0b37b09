//! The fits of stage 2, made from stages 0 and 1: only those that the plan asks for.

mod channels;
mod normalisation;
mod subspaces;
mod variation;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use transect_core::{AUDITED, Donor, Fits, ItemRecord, Pool, Result, Role, Stage, View, ViewKind};

pub(crate) use self::normalisation::IMAGES;
use crate::job::Job;
use crate::plan::Plan;

/// Pools of donors: `reference`, `target`, and `domain:<name>` for every domain. The same content is a donor once.
fn pools(items: &[ItemRecord]) -> Fits {
    let mut fits = Fits::default();
    let mut seen: BTreeSet<(String, transect_core::Digest)> = BTreeSet::new();
    for record in items {
        let Some(profile) = &record.profile else {
            continue;
        };
        let side = match record.item.role {
            Role::Reference => "reference",
            Role::Target => "target",
        };
        let domain = record.item.domain.as_ref().map(|d| format!("domain:{d}"));
        for pool in std::iter::once(side.to_owned()).chain(domain) {
            if seen.insert((pool.clone(), record.image_sha256)) {
                fits.pools
                    .entry(pool)
                    .or_insert_with(Pool::default)
                    .donors
                    .push(Donor {
                        row: record.item.row,
                        image_sha256: record.image_sha256,
                        profile: profile.clone(),
                    });
            }
        }
    }
    fits
}

/// Where the fits are made from.
pub(crate) struct Sources<'a> {
    pub(crate) job: &'a Job,
    pub(crate) plan: &'a Plan,
    /// Stage 0.
    pub(crate) items: &'a [ItemRecord],
    /// Parts of stage 1, in their order.
    pub(crate) own: &'a [PathBuf],
    /// The folder that the fits are written to, with those of an earlier time.
    pub(crate) out: &'a Path,
}

impl Sources<'_> {
    /// The views of stage 2 of a row under the audited model.
    fn partner_views(&self, row: u32) -> &[View] {
        self.plan.views_of(Stage::Partner, AUDITED, row)
    }

    /// Whether any row of stage 2 has such a view.
    fn asks_for(&self, wanted: impl Fn(&View) -> bool) -> bool {
        self.items
            .iter()
            .any(|r| self.partner_views(r.item.row).iter().any(&wanted))
    }

    /// Rows that could be read, of the reference where it has any and otherwise of the target.
    fn basis(&self) -> Vec<&ItemRecord> {
        let of = |role: Role| -> Vec<&ItemRecord> {
            self.items
                .iter()
                .filter(|r| r.item.role == role && r.profile.is_some())
                .collect()
        };
        let reference = of(Role::Reference);
        if reference.is_empty() {
            of(Role::Target)
        } else {
            reference
        }
    }
}

/// Everything that the plan's stage 2 needs.
///
/// # Errors
/// `T605` where a part cannot be read.
pub(crate) fn fit_all(sources: &Sources<'_>) -> Result<Fits> {
    let mut fits = pools(sources.items);
    if sources.asks_for(|v| v.kind == ViewKind::Search) {
        fits.variation = variation::variation(&sources.basis());
    }
    if sources.asks_for(|v| v.kind == ViewKind::Ablation && v.name == "channels_kept") {
        fits.channel_order = channels::order(sources)?;
    }
    if sources.asks_for(|v| v.kind == ViewKind::Subspace) {
        subspaces::fit(sources, &mut fits)?;
    }
    normalisation::fit(sources, &mut fits);
    Ok(fits)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use transect_core::attribute::ATTRIBUTES;
    use transect_core::{Digest, Item, Profile, Status, TruthRef};

    /// A record of a row that could be read, without attributes.
    pub(crate) fn record(row: u32) -> ItemRecord {
        ItemRecord {
            item: Item {
                row,
                role: Role::Target,
                manifest: 0,
                line: row + 2,
                image: format!("{row}.png"),
                channels: Vec::new(),
                page: None,
                truth: TruthRef::None,
                second_truth: TruthRef::None,
                domain: None,
                group: None,
                stratum: None,
                pair_id: None,
                pixel_size: None,
                columns: BTreeMap::new(),
            },
            image_sha256: Digest::of(&row.to_le_bytes()),
            status: Status::Ok,
            error_code: None,
            error: None,
            truth_class: None,
            attributes: vec![None; ATTRIBUTES.len()],
            profile: Some(Profile::default()),
            perceptual_hash: None,
            thumbnail: Vec::new(),
        }
    }
}
