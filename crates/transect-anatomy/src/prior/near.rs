//! Near-duplicates: thumbnails that correlate more than pictures of different things do.

use std::collections::BTreeMap;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use transect_core::Result;
use transect_table::Tables;

/// Side of a thumbnail in the tables.
const THUMBNAIL: usize = 64;
/// Side of the greys that are compared.
pub(super) const SIDE: usize = 24;
/// Samples of a grey.
pub(super) const SAMPLES: usize = SIDE * SIDE;
/// Spread of grey levels under which a thumbnail shows nothing that could be compared.
const FLAT: f64 = 1.0;
/// Images multiplied at once.
const BLOCK: usize = 128;
/// Bins of the correlation from −1 to 1.
const BINS: usize = 20_000;
/// Tail shares between which the null is fitted: far enough from the largest correlations, where duplicates are.
const TAIL: (f64, f64) = (0.01, 0.10);
/// Fewest pairs that a null is fitted to.
const FEWEST: u64 = 200;
/// Expected number of false pairs in a data set. At 0.355 there is at most one in 95 of 100 sets (Poisson).
pub(super) const EXPECTED: f64 = 0.355;
/// Correlation under which two pictures are alike rather than the same, whatever the null allows.
pub(super) const FLOOR: f64 = 0.85;
/// Pairs that are held before the lower half is let go.
const HELD: usize = 1 << 20;
/// Sources beyond which pairs are only told apart by whether they are of one source.
const SOURCES: usize = 12;

/// The eight flips and turns: `TURNS[t](r, c)` is where the turned picture takes its sample from.
pub(super) fn turned(turn: usize, r: usize, c: usize) -> usize {
    let last = SIDE - 1;
    let (r, c) = match turn {
        0 => (r, c),
        1 => (c, last - r),
        2 => (last - r, last - c),
        3 => (last - c, r),
        4 => (r, last - c),
        5 => (last - r, c),
        6 => (c, r),
        _ => (last - c, last - r),
    };
    r * SIDE + c
}

/// Greys of 24 × 24 samples, centred and of length 1.
#[derive(Debug, Clone, Default)]
pub(super) struct Greys {
    /// Rows of the run.
    pub(super) rows: Vec<usize>,
    /// Rows whose thumbnail is flat.
    pub(super) flat: Vec<usize>,
    values: Vec<f32>,
}

impl Greys {
    /// From the thumbnails of the rows that `wanted` says.
    pub(super) fn new(tables: &dyn Tables, wanted: &[bool]) -> Result<Self> {
        let weights = weights();
        let mut greys = Self::default();
        tables.scan_thumbnails(&mut |row, thumbnail| {
            let row = row as usize;
            if wanted.get(row) == Some(&true) && thumbnail.len() == THUMBNAIL * THUMBNAIL * 3 {
                match unit(&shrunk(thumbnail, &weights)) {
                    Some(values) => {
                        greys.rows.push(row);
                        greys.values.extend(values);
                    }
                    None => greys.flat.push(row),
                }
            }
            Ok(())
        })?;
        Ok(greys)
    }

    fn of(&self, image: usize) -> &[f32] {
        &self.values[image * SAMPLES..(image + 1) * SAMPLES]
    }
}

/// For each of the 24 cells of a side, the thumbnail's samples that it covers and how much of each.
fn weights() -> Vec<Vec<(usize, f64)>> {
    let step = THUMBNAIL as f64 / SIDE as f64;
    (0..SIDE)
        .map(|cell| {
            let (from, to) = (cell as f64 * step, (cell + 1) as f64 * step);
            (from.floor() as usize..THUMBNAIL.min(to.ceil() as usize))
                .map(|at| {
                    let covered = (to.min(at as f64 + 1.0) - from.max(at as f64)) / step;
                    (at, covered)
                })
                .filter(|(_, w)| *w > 1e-9)
                .collect()
        })
        .collect()
}

/// Mean grey of each cell.
fn shrunk(thumbnail: &[u8], weights: &[Vec<(usize, f64)>]) -> Vec<f64> {
    let grey: Vec<f64> = thumbnail
        .as_chunks::<3>()
        .0
        .iter()
        .map(|[r, g, b]| (f64::from(*r) + f64::from(*g) + f64::from(*b)) / 3.0)
        .collect();
    let mut cells = Vec::with_capacity(SAMPLES);
    for rows in weights {
        for columns in weights {
            let mut sum = 0.0;
            for (r, of_row) in rows {
                for (c, of_column) in columns {
                    sum += of_row * of_column * grey[r * THUMBNAIL + c];
                }
            }
            cells.push(sum);
        }
    }
    cells
}

/// Centred and of length 1; `None` where there is next to no contrast.
fn unit(cells: &[f64]) -> Option<Vec<f32>> {
    let n = cells.len() as f64;
    let mean = cells.iter().sum::<f64>() / n;
    let length = cells.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt();
    (length / n.sqrt() >= FLAT)
        .then(|| cells.iter().map(|v| ((v - mean) / length) as f32).collect())
}

/// Two images and how alike they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// Row of the first, the lower one.
    pub(super) first: usize,
    /// Row of the second.
    pub(super) second: usize,
    /// Correlation, the largest over the flips and turns of the second.
    pub(super) correlation: f64,
    /// That flip or turn; see [`turned`].
    pub(super) turn: usize,
}

/// What comparing all pairs came to.
#[derive(Debug, Clone)]
pub(super) struct Near {
    /// Pairs above the threshold, the most alike first.
    pub(super) pairs: Vec<Pair>,
    /// The threshold; `None` where the pairs are too few for a null.
    pub(super) threshold: Option<f64>,
    /// Pairs that were compared.
    pub(super) compared: u64,
    /// Kinds of pairs (source against source) that have a null of their own.
    pub(super) kinds: usize,
}

/// Counts of correlations of one kind of pair.
struct Kind {
    counts: Vec<u32>,
    n: u64,
}

/// Share of null pairs with a distance 1 − r under u: exp(level + power · ln u).
#[derive(Debug, Clone, Copy)]
struct Null {
    level: f64,
    power: f64,
    n: u64,
}

impl Null {
    /// Expected number of pairs under a distance.
    fn expected(&self, log_u: f64) -> f64 {
        self.n as f64 * (self.level + self.power * log_u).exp().min(1.0)
    }
}

impl Kind {
    fn new() -> Self {
        Self {
            counts: vec![0; BINS],
            n: 0,
        }
    }

    /// The law of small distances, P(1 − r < u) = c·u^k, fitted by least squares to the logs at ten shares of the tail.
    /// Duplicates play no part as long as they are fewer than the smaller share.
    fn null(&self) -> Option<Null> {
        if self.n < FEWEST {
            return None;
        }
        let mut points = Vec::new();
        let (mut seen, mut bin) = (0_u64, BINS);
        for step in 0..10 {
            let share = TAIL.0 * (TAIL.1 / TAIL.0).powf(f64::from(step) / 9.0);
            let wanted = share * self.n as f64;
            while bin > 0 && (seen as f64) < wanted {
                bin -= 1;
                seen += u64::from(self.counts[bin]);
            }
            // Within the bin, as if its pairs were spread evenly.
            let over = (seen as f64 - wanted) / f64::from(self.counts[bin].max(1));
            let u = 2.0 - 2.0 * (bin as f64 + over) / BINS as f64;
            points.push((u.ln(), share.ln()));
        }
        let n = points.len() as f64;
        let (mx, my) = points
            .iter()
            .fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
        let xy: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
        let xx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
        let power = xy / xx;
        (xx > 1e-12 && power.is_finite() && power > 0.0).then_some(Null {
            level: my - power * mx,
            power,
            n: self.n,
        })
    }
}

/// The correlation at which so many false pairs are expected over all kinds of pairs.
fn threshold(nulls: &[Null]) -> f64 {
    let (mut low, mut high) = (-40.0_f64, 0.0_f64);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        let expected: f64 = nulls.iter().map(|null| null.expected(middle)).sum();
        if expected > EXPECTED {
            high = middle;
        } else {
            low = middle;
        }
    }
    (1.0 - low.exp()).max(FLOOR)
}

/// Gives every pair of images, the first before the second, with its largest correlation over the eight flips and turns of the
/// second, and which of them that is. All turns of a block of images against a block before them are one matrix product.
fn all_pairs(greys: &Greys, each: &mut dyn FnMut(usize, usize, f32, usize)) {
    let n = greys.rows.len();
    let images = Mat::from_fn(SAMPLES, n, |s, i| greys.of(i)[s]);
    for from in (0..n).step_by(BLOCK) {
        let width = BLOCK.min(n - from);
        // Column 8·j + t: image from + j, turned.
        let turns = Mat::from_fn(SAMPLES, 8 * width, |s, column| {
            greys.of(from + column / 8)[turned(column % 8, s / SIDE, s % SIDE)]
        });
        for other in (0..from + width).step_by(BLOCK) {
            let height = BLOCK.min(from + width - other);
            let mut products = Mat::<f32>::zeros(height, 8 * width);
            matmul(
                products.as_mut(),
                Accum::Replace,
                images.subcols(other, height).transpose(),
                turns.as_ref(),
                1.0_f32,
                Par::Seq,
            );
            for j in 0..width {
                for i in (0..height).take_while(|i| other + i < from + j) {
                    let (mut best, mut turn) = (f32::NEG_INFINITY, 0);
                    for t in 0..8 {
                        let r = products[(i, 8 * j + t)];
                        if r > best {
                            (best, turn) = (r, t);
                        }
                    }
                    each(other + i, from + j, best, turn);
                }
            }
        }
    }
}

/// Compares all pairs under the eight flips and turns. `source` says where each row of the run comes from: pairs of one pair
/// of sources have one null. No label or truth is looked at.
pub(super) fn compare(greys: &Greys, source: &dyn Fn(usize) -> Option<usize>) -> Near {
    let of: Vec<usize> = greys
        .rows
        .iter()
        .map(|&row| source(row).map_or(0, |s| s + 1))
        .collect();
    let sources = {
        let mut all = of.clone();
        all.sort_unstable();
        all.dedup();
        all.len()
    };
    let kind = |a: usize, b: usize| match (of[a], of[b]) {
        _ if sources == 1 => (0, 0),
        (a, b) if sources > SOURCES => (usize::from(a == b), 0),
        (a, b) => (a.min(b), a.max(b)),
    };
    let mut kinds: BTreeMap<(usize, usize), Kind> = BTreeMap::new();
    let mut held: Vec<(f32, u32, u32, u8)> = Vec::new();
    let mut lowest = FLOOR as f32;
    let mut compared = 0_u64;
    all_pairs(greys, &mut |a, b, best, turn| {
        compared += 1;
        let counts = kinds.entry(kind(a, b)).or_insert_with(Kind::new);
        let bin = (f64::from(best + 1.0) * 0.5 * BINS as f64) as usize;
        counts.counts[bin.min(BINS - 1)] += 1;
        counts.n += 1;
        if best >= lowest {
            held.push((best, a as u32, b as u32, turn as u8));
        }
        if held.len() > HELD {
            held.sort_unstable_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
            held.truncate(HELD / 2);
            lowest = held[HELD / 2 - 1].0;
        }
    });
    // Kinds of few pairs share a null. One that is full of duplicates has none of its own: it is taken for as bad as the worst
    // of the others.
    let mut few = Kind::new();
    let (mut nulls, mut without) = (Vec::new(), Vec::new());
    for counts in kinds.values() {
        if counts.n >= FEWEST {
            match counts.null() {
                Some(null) => nulls.push(null),
                None => without.push(counts.n),
            }
        } else {
            few.n += counts.n;
            for (sum, c) in few.counts.iter_mut().zip(&counts.counts) {
                *sum += c;
            }
        }
    }
    match few.null() {
        Some(null) => nulls.push(null),
        None if few.n > 0 => without.push(few.n),
        None => {}
    }
    let fitted = nulls.len();
    let at = 0.05_f64.ln();
    let share = |null: &Null| null.expected(at) / null.n as f64;
    let worst = nulls
        .iter()
        .copied()
        .max_by(|a, b| share(a).total_cmp(&share(b)));
    nulls.extend(
        without
            .into_iter()
            .filter_map(|n| worst.map(|null| Null { n, ..null })),
    );
    let threshold = (fitted > 0).then(|| threshold(&nulls));
    let mut pairs: Vec<Pair> = held
        .into_iter()
        .filter(|h| threshold.is_some_and(|t| f64::from(h.0) >= t))
        .map(|(r, a, b, turn)| {
            let (a, b) = (greys.rows[a as usize], greys.rows[b as usize]);
            Pair {
                first: a.min(b),
                second: a.max(b),
                correlation: f64::from(r).min(1.0),
                turn: turn as usize,
            }
        })
        .collect();
    pairs.sort_by(|x, y| {
        y.correlation
            .total_cmp(&x.correlation)
            .then((x.first, x.second).cmp(&(y.first, y.second)))
    });
    Near {
        pairs,
        threshold,
        compared,
        kinds: fitted,
    }
}

#[cfg(test)]
mod tests {
    use transect_core::Stream;

    use super::*;

    /// Pictures as smooth noise: values on a coarse grid, between which is interpolated.
    fn pictures(n: usize, grid: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut stream = Stream::new(seed, "test", &[]);
        (0..n)
            .map(|_| {
                let knots: Vec<f64> = (0..grid * grid).map(|_| stream.normal()).collect();
                (0..SAMPLES)
                    .map(|s| {
                        let at = |k: usize| (k as f64 / (SIDE - 1) as f64) * (grid - 1) as f64;
                        let (y, x) = (at(s / SIDE), at(s % SIDE));
                        let (r, c) = ((y as usize).min(grid - 2), (x as usize).min(grid - 2));
                        let (fy, fx) = (y - r as f64, x - c as f64);
                        let knot = |r: usize, c: usize| knots[r * grid + c];
                        128.0
                            + 30.0
                                * ((1.0 - fy) * ((1.0 - fx) * knot(r, c) + fx * knot(r, c + 1))
                                    + fy * ((1.0 - fx) * knot(r + 1, c) + fx * knot(r + 1, c + 1)))
                    })
                    .collect()
            })
            .collect()
    }

    fn greys(pictures: &[Vec<f64>]) -> Greys {
        let mut greys = Greys::default();
        for (row, picture) in pictures.iter().enumerate() {
            greys.rows.push(row);
            greys.values.extend(unit(picture).unwrap());
        }
        greys
    }

    #[test]
    fn the_eight_turns_are_a_group_of_permutations() {
        let mut all = std::collections::BTreeSet::new();
        for t in 0..8 {
            let places: Vec<usize> = (0..SAMPLES)
                .map(|s| turned(t, s / SIDE, s % SIDE))
                .collect();
            let mut sorted = places.clone();
            sorted.sort_unstable();
            assert!(sorted.iter().copied().eq(0..SAMPLES));
            all.insert(places);
        }
        assert_eq!(all.len(), 8);
        for a in &all {
            for b in &all {
                let both: Vec<usize> = b.iter().map(|&s| a[s]).collect();
                assert!(all.contains(&both));
            }
        }
    }

    #[test]
    fn cells_are_means_over_the_thumbnail() {
        let mut thumbnail = vec![0_u8; THUMBNAIL * THUMBNAIL * 3];
        for (i, pixel) in thumbnail.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            // Rises along the columns by two levels a pixel.
            pixel.fill(2 * (i % THUMBNAIL) as u8);
        }
        let cells = shrunk(&thumbnail, &weights());
        // A cell spans 64/24 pixels: their mean level is 2·(centre − ½).
        for (s, v) in cells.iter().enumerate() {
            let centre = (s % SIDE) as f64 * 64.0 / 24.0 + 32.0 / 24.0;
            let edge = s % SIDE == 0 || s % SIDE == SIDE - 1;
            assert!(edge || (v - 2.0 * (centre - 0.5)).abs() < 0.5, "{s} {v}");
        }
        assert!((cells.iter().sum::<f64>() / SAMPLES as f64 - 63.0).abs() < 1e-9);
        assert!(unit(&vec![7.0; SAMPLES]).is_none());
    }

    #[test]
    fn correlations_are_those_of_an_independent_program() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../../golden/prior/values.json")).unwrap();
        let mut made = Greys::default();
        for (row, picture) in golden["pictures"].as_array().unwrap().iter().enumerate() {
            let k: Vec<i64> = (0..5).map(|i| picture[i].as_i64().unwrap()).collect();
            let side = i64::try_from(THUMBNAIL).unwrap();
            let thumbnail: Vec<u8> = (0..side * side)
                .flat_map(|at| {
                    let (r, c) = (at / side, at % side);
                    let level = k[0] * r * r + k[1] * c * c + k[2] * r * c + k[3] * r + k[4] * c;
                    [0, 9, 31].map(|shift| (level.div_euclid(64) + shift).rem_euclid(256) as u8)
                })
                .collect();
            let cells = shrunk(&thumbnail, &weights());
            let corner = golden["corner"][row].as_f64().unwrap();
            assert!((cells[0] - corner).abs() < 1e-9, "{row}: {}", cells[0]);
            made.rows.push(row);
            made.values.extend(unit(&cells).unwrap());
        }
        let pairs = golden["pairs"].as_array().unwrap();
        let mut seen = 0;
        all_pairs(&made, &mut |a, b, r, _| {
            let of = |p: &&serde_json::Value| {
                p[0].as_u64() == Some(a as u64) && p[1].as_u64() == Some(b as u64)
            };
            let expected = pairs.iter().find(of).unwrap()[2].as_f64().unwrap();
            assert!((f64::from(r) - expected).abs() < 1e-5, "{a} {b}: {r}");
            seen += 1;
        });
        assert_eq!(seen, pairs.len());
    }

    #[test]
    fn turned_and_noisy_copies_are_found_and_nothing_else() {
        let mut all = pictures(200, 7, 1);
        let mut stream = Stream::new(2, "test", &[]);
        for t in 0..8 {
            let of = all[10 + t].clone();
            all.push(
                (0..SAMPLES)
                    .map(|s| of[turned(t, s / SIDE, s % SIDE)] + 2.0 * stream.normal())
                    .collect(),
            );
        }
        let near = compare(&greys(&all), &|_| None);
        let threshold = near.threshold.unwrap();
        assert!((FLOOR..1.0).contains(&threshold), "{threshold}");
        let mut found: Vec<(usize, usize)> =
            near.pairs.iter().map(|p| (p.first, p.second)).collect();
        found.sort_unstable();
        assert_eq!(found, (0..8).map(|t| (10 + t, 200 + t)).collect::<Vec<_>>());
        assert_eq!(near.compared, 208 * 207 / 2);
        // The turn that is told brings the second back onto the first.
        for p in &near.pairs {
            let r: f64 = (0..SAMPLES)
                .map(|s| {
                    (all[p.first][s] - 128.0)
                        * (all[p.second][turned(p.turn, s / SIDE, s % SIDE)] - 128.0)
                })
                .sum();
            let n = |a: &[f64]| a.iter().map(|v| (v - 128.0).powi(2)).sum::<f64>().sqrt();
            assert!(r / (n(&all[p.first]) * n(&all[p.second])) > 0.9);
        }
    }

    #[test]
    fn without_duplicates_false_pairs_stay_within_what_is_allowed() {
        // Smooth pictures are more alike by chance than detailed ones: coarse grids have few degrees of freedom.
        let (mut sets, mut too_many, mut pairs) = (0, 0, 0);
        for grid in [3, 5, 8] {
            for seed in 0..10 {
                let mut all = pictures(60, grid, seed);
                // A second, more uniform source.
                all.extend(pictures(60, grid + 2, 100 + seed));
                for sources in [false, true] {
                    let near = compare(&greys(&all), &|row| {
                        sources.then_some(usize::from(row < 60))
                    });
                    sets += 1;
                    pairs += near.pairs.len();
                    too_many += usize::from(near.pairs.len() > 1);
                }
            }
        }
        // At most one false pair in 95 of 100 sets: of 60, more than 7 beyond it have a chance under 1 in 50.
        assert!(too_many <= 7, "{too_many} of {sets} sets, {pairs} pairs");
    }

    #[test]
    fn too_few_images_have_no_null() {
        let near = compare(&greys(&pictures(12, 5, 3)), &|_| None);
        assert_eq!(near.threshold, None);
        assert!(near.pairs.is_empty());
    }

    #[test]
    fn a_source_full_of_copies_does_not_hide_the_others() {
        let mut all = pictures(60, 6, 5);
        // 40 copies of one picture: a null of their own would be worthless.
        let one = pictures(1, 6, 77).remove(0);
        all.extend(std::iter::repeat_n(one, 40));
        all.push(all[3].clone());
        let near = compare(&greys(&all), &|row| {
            Some(usize::from((60..100).contains(&row)))
        });
        assert!(near.pairs.iter().any(|p| (p.first, p.second) == (3, 100)));
        assert_eq!(near.pairs.len(), 1 + 40 * 39 / 2);
    }
}
