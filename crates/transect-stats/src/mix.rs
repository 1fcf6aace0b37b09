//! Class mix apart from appearance.

use std::collections::BTreeMap;

use transect_core::Result;

use crate::error::{finite, same_length};
use crate::interval::{Estimate, Settings};
use crate::resample::{Given, Sums, replicate, settle};
use crate::units::Units;

/// Δ = risk on target − risk on reference, split over the class.
#[derive(Debug, Clone, PartialEq)]
pub struct MixSplit {
    /// Δ.
    pub total: Estimate,
    /// Part from other shares of the classes.
    pub class_mix: Estimate,
    /// Part from another risk within the classes (appearance).
    pub conditional: Estimate,
    /// Classes only in the target: they count as class mix, since nothing can be said of their risk on the reference.
    pub only_target: Vec<u32>,
    /// Classes only in the reference: they count as class mix.
    pub only_reference: Vec<u32>,
    /// Share of target rows and of reference rows in shared classes.
    pub shared: (f64, f64),
}

/// Δ, its class-mix part and its conditional part from (count, loss) of each class on both sides.
fn split(sums: &[f64], classes: usize) -> [f64; 3] {
    let (target, reference) = sums.split_at(2 * classes);
    let size = |s: &[f64]| (0..classes).map(|c| s[2 * c]).sum::<f64>();
    let risk = |s: &[f64], n: f64| (0..classes).map(|c| s[2 * c + 1]).sum::<f64>() / n;
    let (n_t, n_r) = (size(target), size(reference));
    if n_t <= 0.0 || n_r <= 0.0 {
        return [f64::NAN; 3];
    }
    let total = risk(target, n_t) - risk(reference, n_r);
    let (mut mass, mut gap) = (0.0, 0.0);
    for c in 0..classes {
        let (in_t, in_r) = (target[2 * c], reference[2 * c]);
        if in_t > 0.0 && in_r > 0.0 {
            let (q, p) = (in_t / n_t, in_r / n_r);
            let s = p * q / (p + q);
            mass += s;
            gap += s * (target[2 * c + 1] / in_t - reference[2 * c + 1] / in_r);
        }
    }
    if mass <= 0.0 {
        return [total, f64::NAN, f64::NAN];
    }
    let conditional = gap / mass;
    [total, total - conditional, conditional]
}

/// Splits Δ risk into class mix and conditional parts over the shared distribution (Cai, Namkoong, Yadlowsky 2023) with
/// the true class y as the variable. With p(y) and q(y) the shares of the class in reference and target and R_p(y), R_q(y)
/// the mean losses within it: s(y) ∝ p(y)q(y)/(p(y)+q(y)); conditional = Σ s(y)(R_q(y) − R_p(y)); class mix = the rest,
/// which is (Σ sR_p − Σ pR_p) + (Σ qR_q − Σ sR_q). `None` when no class is shared: nothing tells mix from appearance.
///
/// Intervals resample the groups of both sides, all three parts from the same draws; see
/// [`crate::difference_of_means`]. [`Settings::range`] is that of a difference, such as (−1, 1) for error rates.
///
/// # Errors
/// `T701` for empty sides, lengths that differ, losses that are not finite.
pub fn class_mix(
    target: (&[u32], &[f64]),
    target_units: &Units,
    reference: (&[u32], &[f64]),
    reference_units: &Units,
    settings: &Settings,
) -> Result<Option<MixSplit>> {
    for (name, side, units) in [
        ("target", target, target_units),
        ("reference", reference, reference_units),
    ] {
        finite(name, side.1)?;
        same_length("classes", side.0.len(), "losses", side.1.len())?;
        same_length("losses", side.1.len(), "units", units.rows())?;
    }
    let mut number: BTreeMap<u32, (usize, u64, u64)> = BTreeMap::new();
    for &class in target.0 {
        number.entry(class).or_default().1 += 1;
    }
    for &class in reference.0 {
        number.entry(class).or_default().2 += 1;
    }
    for (index, entry) in number.values_mut().enumerate() {
        entry.0 = index;
    }
    let classes = number.len();
    let only = |target_side: bool| -> Vec<u32> {
        number
            .iter()
            .filter(|(_, (_, t, r))| if target_side { *r == 0 } else { *t == 0 })
            .map(|(&class, _)| class)
            .collect()
    };
    let (mut in_t, mut in_r) = (0, 0);
    for (_, t, r) in number.values() {
        if *t > 0 && *r > 0 {
            in_t += t;
            in_r += r;
        }
    }
    if in_t == 0 {
        return Ok(None);
    }
    let (t, r) = (settle(target_units), settle(reference_units));
    let sums = |side: (&[u32], &[f64]), units: &Units| {
        Sums::new(units, 2 * classes, |row, out| {
            let c = number.get(&side.0[row]).map_or(0, |entry| entry.0);
            out[2 * c] += 1.0;
            out[2 * c + 1] += side.1[row];
        })
    };
    let (sums_t, sums_r) = (sums(target, &t.units), sums(reference, &r.units));
    let sides = [
        Given {
            original: target_units,
            settled: &t,
        },
        Given {
            original: reference_units,
            settled: &r,
        },
    ];
    let made = replicate(&sides, 4 * classes, settings, &mut |counts, out| {
        sums_t.total(&counts[0], &mut out[..2 * classes]);
        sums_r.total(&counts[1], &mut out[2 * classes..]);
    })?;
    let part = |index: usize| made.estimate(settings, &move |s| split(s, classes)[index]);
    Ok(Some(MixSplit {
        total: part(0)?,
        class_mix: part(1)?,
        conditional: part(2)?,
        only_target: only(true),
        only_reference: only(false),
        shared: (
            in_t as f64 / target.0.len() as f64,
            in_r as f64 / reference.0.len() as f64,
        ),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(counts: &[(u32, usize, usize)]) -> (Vec<u32>, Vec<f64>) {
        let mut classes = Vec::new();
        let mut losses = Vec::new();
        for &(class, wrong, right) in counts {
            classes.extend(std::iter::repeat_n(class, wrong + right));
            losses.extend(std::iter::repeat_n(1.0, wrong));
            losses.extend(std::iter::repeat_n(0.0, right));
        }
        (classes, losses)
    }

    fn of(t: &(Vec<u32>, Vec<f64>), r: &(Vec<u32>, Vec<f64>)) -> Option<MixSplit> {
        let settings = Settings::new(1, "mix");
        let units = |x: &(Vec<u32>, Vec<f64>)| Units::independent(x.0.len());
        class_mix((&t.0, &t.1), &units(t), (&r.0, &r.1), &units(r), &settings).unwrap()
    }

    #[test]
    fn a_pure_change_of_mix_has_no_conditional_part() {
        // Class 0 is wrong in 10%, class 1 in 50%, on both sides; only the shares differ.
        let made = of(
            &rows(&[(0, 2, 18), (1, 30, 30)]),
            &rows(&[(0, 6, 54), (1, 10, 10)]),
        )
        .unwrap();
        assert!(made.conditional.estimate.abs() < 1e-12);
        assert!((made.class_mix.estimate - (0.4 - 0.2)).abs() < 1e-12);
    }

    #[test]
    fn a_pure_change_of_risk_has_no_mix_part() {
        let made = of(
            &rows(&[(0, 10, 30), (1, 20, 20)]),
            &rows(&[(0, 4, 36), (1, 12, 28)]),
        )
        .unwrap();
        assert!(made.class_mix.estimate.abs() < 1e-12);
        assert!((made.conditional.estimate - 0.5 * (0.15 + 0.2)).abs() < 1e-12);
    }

    #[test]
    fn classes_of_one_side_count_as_mix() {
        let made = of(
            &rows(&[(0, 10, 10), (2, 20, 0)]),
            &rows(&[(0, 10, 10), (1, 0, 20)]),
        )
        .unwrap();
        assert!(made.conditional.estimate.abs() < 1e-12);
        assert_eq!(
            (made.only_target.as_slice(), made.only_reference.as_slice()),
            (&[2][..], &[1][..])
        );
        assert_eq!(made.shared, (0.5, 0.5));
        assert!((made.class_mix.estimate - 0.5).abs() < 1e-12);
        assert!(of(&rows(&[(0, 1, 1)]), &rows(&[(1, 1, 1)])).is_none());
    }
}
