//! The cells of what the further modes stand on: bounds that hold together, ranks, agreement, decodability, strata.

use transect_core::{Result, Stream};
use transect_stats::{
    Matrix, Settings, Simultaneous, Units, decodability, hidden_strata, kappa, rank_estimates,
    simultaneous_means, subgroups_against_rest,
};

use super::cells::{cell, interval, seeded, settings};
use super::draw::{hits, sizes, units, values};
use super::{Band, Cell, Outcome};

/// Adds them.
pub(super) fn add(cells: &mut Vec<Cell>) {
    means(cells);
    subgroups(cells);
    ranks(cells);
    agreement(cells);
    domains(cells);
    strata(cells);
}

/// Whether all intervals hold 0: the joint interval ends where the first one fails.
fn together(made: &Simultaneous) -> Outcome {
    Outcome::Interval {
        estimate: 0.0,
        low: made
            .intervals
            .iter()
            .fold(f64::NEG_INFINITY, |a, i| a.max(i.0)),
        high: made.intervals.iter().fold(f64::INFINITY, |a, i| a.min(i.1)),
        truth: Some(0.0),
    }
}

fn band(groups: usize) -> Band {
    if groups < 40 {
        Band::Elsewhere
    } else {
        Band::Approximate
    }
}

/// Columns of mean 0 that share part of their values.
fn columns(stream: &mut Stream, sizes: &[usize], m: usize, shared: f64, icc: f64) -> Vec<Vec<f64>> {
    let common = values(stream, sizes, icc, false);
    (0..m)
        .map(|_| {
            values(stream, sizes, icc, false)
                .iter()
                .zip(&common)
                .map(|(own, common)| shared.sqrt() * common + (1.0 - shared).sqrt() * own)
                .collect()
        })
        .collect()
}

fn means(cells: &mut Vec<Cell>) {
    for (n, groups, icc) in [
        (100, 100, 0.0),
        (200, 40, 0.3),
        (200, 20, 0.3),
        (200, 10, 0.3),
    ] {
        for shared in [0.0, 0.7] {
            let label = format!("10 means n={n} groups={groups} icc={icc} shared={shared}");
            let (s, u) = (sizes(n, groups, false), units(&sizes(n, groups, false)));
            let (s2, u2) = (s.clone(), u.clone());
            cell(
                cells,
                format!("joint/{label}"),
                band(groups),
                move |stream| {
                    let of = columns(stream, &s, 10, shared, icc);
                    Ok(together(&simultaneous_means(&of, &u, &settings())?))
                },
            );
            cell(
                cells,
                format!("test/joint (any over 0) {label}"),
                Band::TypeOne,
                move |stream| {
                    let of = columns(stream, &s2, 10, shared, icc);
                    let made = simultaneous_means(&of, &u2, &settings())?;
                    Ok(Outcome::Rejected(
                        (0..10).any(|j| made.p_above(j, 0.0) <= 0.05),
                    ))
                },
            );
        }
    }
}

fn subgroups(cells: &mut Vec<Cell>) {
    for (n, groups, icc, rate) in [
        (200, 200, 0.0, Some(0.2)),
        (200, 200, 0.0, None),
        (400, 40, 0.2, None),
        (400, 40, 0.2, Some(0.3)),
        (200, 20, 0.2, None),
    ] {
        let sizes = sizes(n, groups, false);
        let units = units(&sizes);
        let kind = rate.map_or("means".to_owned(), |p| format!("rates p={p}"));
        let id = format!("joint/8 subgroups against rest, {kind} n={n} groups={groups} icc={icc}");
        // Where groups lie on both sides, and for rates of few errors, the bounds are wide by intent.
        let band = if icc > 0.0 {
            Band::Elsewhere
        } else if rate.is_some() {
            Band::Exact
        } else {
            band(groups)
        };
        cell(cells, id, band, move |stream| {
            let of: Vec<f64> = match rate {
                Some(p) => hits(stream, &sizes, p, icc)
                    .into_iter()
                    .map(|h| f64::from(u8::from(h)))
                    .collect(),
                None => values(stream, &sizes, icc, false),
            };
            // Overlapping subgroups of a fifth of the rows, which cut through groups.
            let inside: Vec<Vec<bool>> = (0..8)
                .map(|_| (0..n).map(|_| stream.uniform() < 0.2).collect())
                .collect();
            Ok(together(&subgroups_against_rest(
                &of,
                &inside,
                &units,
                &settings(),
            )?))
        });
    }
}

fn ranks(cells: &mut Vec<Cell>) {
    for (n, groups, d, icc) in [(60, 60, 12, 0.0), (100, 100, 64, 0.0), (200, 20, 12, 0.3)] {
        for which in [
            "effective rank",
            "participation ratio",
            "top share",
            "RankMe",
        ] {
            let sizes = sizes(n, groups, false);
            let units = units(&sizes);
            let id = format!("rank/{which} n={n} groups={groups} d={d} icc={icc}");
            cell(cells, id, Band::Elsewhere, move |stream| {
                let of: Vec<Vec<f64>> =
                    (0..d).map(|_| values(stream, &sizes, icc, false)).collect();
                let data = (0..n * d)
                    .map(|i| of[i % d][i / d] / ((i % d + 1) as f64).sqrt())
                    .collect();
                let made = rank_estimates(&Matrix::new(n, d, data)?, &units, &settings())?;
                let Some(made) = made else {
                    return Ok(Outcome::Rejected(false));
                };
                let one = match which {
                    "effective rank" => &made.effective_rank,
                    "participation ratio" => &made.participation_ratio,
                    "top share" => &made.top_share,
                    _ => &made.rank_me,
                };
                Ok(interval(one, None))
            });
        }
    }
}

fn agreement(cells: &mut Vec<Cell>) {
    for (n, groups, icc) in [(100, 100, 0.0), (200, 200, 0.0), (200, 20, 0.2)] {
        let sizes = sizes(n, groups, false);
        let units = units(&sizes);
        let id = format!("statistic/kappa n={n} groups={groups} icc={icc}");
        cell(cells, id, band(groups), move |stream| {
            // Three classes; 70% agree by themselves, the others are drawn at random.
            let same = hits(stream, &sizes, 0.7, icc);
            let draw = |stream: &mut Stream| (3.0 * stream.uniform()) as u32;
            let a: Vec<u32> = (0..n).map(|_| draw(stream)).collect();
            let b: Vec<u32> = same
                .iter()
                .zip(&a)
                .map(|(&same, &a)| if same { a } else { draw(stream) })
                .collect();
            match kappa(&a, &b, 3, &units, &settings())? {
                Some(made) => Ok(interval(&made, Some(0.7))),
                None => Ok(Outcome::Rejected(false)),
            }
        });
    }
}

/// Features of groups that are alike within, the first moved by the domain.
fn features(
    stream: &mut Stream,
    sizes: &[usize],
    units: &Units,
    domains: u32,
    d: usize,
    icc: f64,
    shift: f64,
) -> Result<(Matrix, Vec<u32>)> {
    let of: Vec<Vec<f64>> = (0..d).map(|_| values(stream, sizes, icc, false)).collect();
    let domain: Vec<u32> = units.group_of().iter().map(|g| g % domains).collect();
    let n = domain.len();
    let data = (0..n * d)
        .map(|i| {
            let moved = if i % d == 0 {
                f64::from(domain[i / d])
            } else {
                0.0
            };
            of[i % d][i / d] + shift * moved
        })
        .collect();
    Ok((Matrix::new(n, d, data)?, domain))
}

fn domains(cells: &mut Vec<Cell>) {
    for (n, groups, domains, icc) in [(60, 60, 2, 0.0), (120, 30, 3, 0.4), (120, 12, 2, 0.4)] {
        let sizes = sizes(n, groups, false);
        let units = units(&sizes);
        let (s, u) = (sizes.clone(), units.clone());
        let label = format!("n={n} groups={groups} domains={domains} icc={icc}");
        cell(
            cells,
            format!("test/decodability {label}"),
            Band::TypeOne,
            move |stream| {
                let (x, domain) = features(stream, &s, &u, domains, 5, icc, 0.0)?;
                let k = domains as usize;
                let made = decodability(&x, &domain, k, &u, 199, &seeded(stream))?;
                Ok(Outcome::Rejected(made.p <= 0.05))
            },
        );
        for shift in [0.0, 1.0] {
            let (sizes, units) = (sizes.clone(), units.clone());
            cell(
                cells,
                format!("rank/balanced accuracy of a domain {label} shift={shift}"),
                Band::Elsewhere,
                move |stream| {
                    let (x, domain) = features(stream, &sizes, &units, domains, 5, icc, shift)?;
                    let k = domains as usize;
                    let made = decodability(&x, &domain, k, &units, 1, &settings())?;
                    Ok(interval(&made.balanced_accuracy, None))
                },
            );
        }
    }
}

fn strata(cells: &mut Vec<Cell>) {
    for n in [60, 200] {
        cell(
            cells,
            format!("test/hidden strata (any of 20 attributes) n={n}"),
            Band::TypeOne,
            move |stream| {
                let columns: Vec<Vec<Option<f64>>> = (0..20)
                    .map(|kind| {
                        (0..n)
                            .map(|_| {
                                let z = stream.normal();
                                Some(match kind % 4 {
                                    0 => z,
                                    1 => z.exp(),
                                    2 => stream.uniform(),
                                    _ => (3.0 * z).round(),
                                })
                            })
                            .collect()
                    })
                    .collect();
                let found = hidden_strata(&columns, &Settings::new(1, "calibrate"))?;
                Ok(Outcome::Rejected(!found.is_empty()))
            },
        );
    }
}
