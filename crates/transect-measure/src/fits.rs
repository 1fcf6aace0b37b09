//! The fits of stage 2, made from the items of stage 0.

use std::collections::BTreeSet;

use transect_core::{Donor, Fits, ItemRecord, Pool, Role};

/// Pools of donors: `reference`, `target`, and `domain:<name>` for every domain. The same content is a donor once.
pub fn fit(items: &[ItemRecord]) -> Fits {
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
