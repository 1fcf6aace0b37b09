//! Quantiles of samples.

/// Where counting begins to be faster than selecting.
const MANY: usize = 4096;

/// The quantile `q` in [0, 1] by linear interpolation between order statistics (type 7, NumPy's default). Values that are
/// not finite are left out; `None` where none is finite. `values` is reordered.
pub(crate) fn quantile_in_place(values: &mut Vec<f32>, q: f64) -> Option<f64> {
    if values.len() >= MANY {
        return Ranks::of(values).quantile(q);
    }
    values.retain(|v| v.is_finite());
    if values.is_empty() {
        return None;
    }
    let position = q.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let below = position.floor() as usize;
    let share = position - below as f64;
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f32::total_cmp);
    let low = f64::from(low);
    if share == 0.0 {
        return Some(low);
    }
    let high = above
        .iter()
        .copied()
        .min_by(f32::total_cmp)
        .map_or(low, f64::from);
    Some(low + share * (high - low))
}

/// The quantile of samples that stay as they are.
pub(crate) fn quantile(values: &[f32], q: f64) -> Option<f64> {
    if values.len() >= MANY {
        return Ranks::of(values).quantile(q);
    }
    quantile_in_place(&mut values.to_vec(), q)
}

/// Finite values by their ranks, found by counting: values are told apart by the upper half of their bits first, and those
/// of one such bin by the lower half.
pub(crate) struct Ranks<'a> {
    values: &'a [f32],
    /// Number of values in each bin of the upper half.
    bins: Vec<u32>,
    /// Number of finite values.
    finite: usize,
    /// Whether the lower half is 0 in all of them.
    short: bool,
    /// Numbers of the whole numbers of eight bits, where all values are such; the bins are empty then.
    levels: Option<Box<[u32; 256]>>,
}

impl<'a> Ranks<'a> {
    /// The bins of finite values; those of infinite ones and of NaN lie outside.
    const FINITE: std::ops::Range<usize> = 0x0080..0xff80;

    /// Counts the values.
    pub(crate) fn of(values: &'a [f32]) -> Self {
        if let Some(levels) = levels(values) {
            return Self {
                values,
                bins: Vec::new(),
                finite: values.len(),
                short: true,
                levels: Some(levels),
            };
        }
        let mut bins = vec![0_u32; 1 << 16];
        let mut lower = 0;
        for &value in values {
            lower |= value.to_bits();
            bins[(key(value) >> 16) as usize] += 1;
        }
        let finite = bins[Self::FINITE].iter().map(|&n| n as usize).sum();
        Self {
            values,
            bins,
            finite,
            short: lower.trailing_zeros() >= 16,
            levels: None,
        }
    }

    /// The quantile, as [`quantile_in_place`].
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        self.quantiles([q]).map(|[q]| q)
    }

    /// Several quantiles, the values looked at once for all of them.
    pub(crate) fn quantiles<const N: usize>(&self, q: [f64; N]) -> Option<[f64; N]> {
        const { assert!(N < 128, "a byte tells the lists of values apart") };
        if self.finite == 0 {
            return None;
        }
        let places = q.map(|q| {
            let position = q.clamp(0.0, 1.0) * (self.finite - 1) as f64;
            let below = position.floor() as usize;
            (below, position - below as f64)
        });
        // The ranks on either side of each, in their order, each once.
        let mut ranks: Vec<usize> = places
            .iter()
            .flat_map(|&(below, share)| [below, below + usize::from(share > 0.0)])
            .collect();
        ranks.sort_unstable();
        ranks.dedup();
        let values = self.values_of(&ranks);
        let at = |rank: usize| f64::from(values[ranks.partition_point(|&r| r < rank)]);
        Some(places.map(|(below, share)| {
            let low = at(below);
            if share == 0.0 {
                low
            } else {
                low + share * (at(below + 1) - low)
            }
        }))
    }

    /// The values of some ranks from 0, which rise.
    fn values_of(&self, ranks: &[usize]) -> Vec<f32> {
        if let Some(levels) = &self.levels {
            let level = |&rank: &usize| walk(&levels[..], rank).0 as f32;
            return ranks.iter().map(level).collect();
        }
        let mut places = Vec::with_capacity(ranks.len());
        let (mut from, mut before) = (Self::FINITE.start, 0);
        for &rank in ranks {
            let (bin, less) = walk(&self.bins[from..Self::FINITE.end], rank - before);
            from += bin;
            before += less;
            places.push((from, rank - before));
        }
        if self.short {
            // The lower half of the key of a negative value is inverted too.
            let only = |&(bin, _): &(usize, usize)| {
                let lower = if bin < 0x8000 { 0xffff } else { 0 };
                value((bin as u32) << 16 | lower)
            };
            return places.iter().map(only).collect();
        }
        // The lower halves of the keys in each bin that is asked for.
        let mut halves: Vec<(usize, Vec<u16>)> = Vec::with_capacity(places.len());
        let mut list_of = vec![0_u8; 1 << 16];
        for &(bin, _) in &places {
            if list_of[bin] == 0 {
                halves.push((bin, Vec::with_capacity(self.bins[bin] as usize)));
                list_of[bin] = halves.len() as u8;
            }
        }
        for &value in self.values {
            let key = key(value);
            let list = list_of[(key >> 16) as usize];
            if list > 0 {
                halves[usize::from(list) - 1].1.push(key as u16);
            }
        }
        places
            .iter()
            .map(|&(bin, place)| {
                let list = usize::from(list_of[bin]).saturating_sub(1);
                let (_, &mut lower, _) = halves[list].1.select_nth_unstable(place);
                value((bin as u32) << 16 | u32::from(lower))
            })
            .collect()
    }
}

/// How often each whole number of eight bits occurs; `None` where another value does, or none at all.
fn levels(values: &[f32]) -> Option<Box<[u32; 256]>> {
    // Neighbours are often equal: each of four is counted apart.
    let mut counts = Box::new([[0_u32; 256]; 4]);
    for some in values.chunks(4096) {
        let mut whole = true;
        for (i, &value) in some.iter().enumerate() {
            let level = value as u8;
            whole &= f32::from(level).to_bits() == value.to_bits();
            counts[i % 4][usize::from(level)] += 1;
        }
        if !whole {
            return None;
        }
    }
    let levels = std::array::from_fn(|l| counts.iter().map(|c| c[l]).sum());
    (!values.is_empty()).then(|| Box::new(levels))
}

/// Bits in the order of the values.
pub(crate) fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    bits ^ ((bits.cast_signed() >> 31).cast_unsigned() | 0x8000_0000)
}

/// The value of a key.
fn value(key: u32) -> f32 {
    f32::from_bits(if key & 0x8000_0000 == 0 {
        !key
    } else {
        key & 0x7fff_ffff
    })
}

/// The entry that holds a rank, and what lies before it.
fn walk(counts: &[u32], rank: usize) -> (usize, usize) {
    const STEP: usize = 256;
    let mut before = 0;
    let mut from = 0;
    for block in counts.chunks(STEP) {
        let here = block.iter().map(|&n| n as usize).sum::<usize>();
        if before + here > rank {
            break;
        }
        before += here;
        from += block.len();
    }
    for (i, &n) in counts[from..].iter().enumerate() {
        if before + n as usize > rank {
            return (from + i, before);
        }
        before += n as usize;
    }
    (counts.len() - 1, before)
}

/// The median of 64-bit values; `None` where none is finite.
pub(crate) fn median(values: &mut Vec<f64>) -> Option<f64> {
    values.retain(|v| v.is_finite());
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    Some(if n % 2 == 1 {
        values[n / 2]
    } else {
        0.5 * (values[n / 2 - 1] + values[n / 2])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_leave_out_what_is_not_finite() {
        let values = [4.0, f32::NAN, 1.0, 3.0, f32::INFINITY, 2.0];
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 0.5), Some(2.5));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&[f32::NAN], 0.5), None);
        assert_eq!(median(&mut vec![3.0, 1.0, f64::NAN, 2.0]), Some(2.0));
    }
    #[test]
    fn counting_gives_what_sorting_gives() {
        let mut stream = transect_core::Stream::new(1, "ranks", &[]);
        let mut wide = || (stream.normal() * 10_f64.powf(stream.normal() * 5.0)) as f32;
        let mut sets: Vec<Vec<f32>> = vec![
            (0..9000).map(|_| wide()).collect(),
            (0..9000).map(|i| (i % 256) as f32).collect(),
            (0..9000).map(|i| (i * 7 % 4096) as f32 - 2048.0).collect(),
            (0..9000).map(|i| -((i % 5) as f32)).collect(),
            (0..9000).map(|i| (i * 37 % 251) as f32).collect(),
            vec![0.1; 9000],
            vec![f32::NAN; 9000],
        ];
        sets.push(sets[0].iter().map(|v| v.signum() * 0.0).collect());
        sets[0][17] = f32::NAN;
        sets[0][18] = f32::NEG_INFINITY;
        sets[1][4000] = f32::INFINITY;
        for values in sets {
            let mut sorted: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
            sorted.sort_unstable_by(f32::total_cmp);
            let ranks = Ranks::of(&values);
            assert_eq!(ranks.finite, sorted.len());
            for i in 0..=1000 {
                let q = f64::from(i) / 1000.0;
                let expected = sorted.len().checked_sub(1).map(|last| {
                    let position = q * last as f64;
                    let below = position.floor() as usize;
                    let (low, high) = (
                        f64::from(sorted[below]),
                        f64::from(sorted[(below + 1).min(last)]),
                    );
                    let share = position - below as f64;
                    if share == 0.0 {
                        low
                    } else {
                        low + share * (high - low)
                    }
                });
                assert_eq!(
                    ranks.quantile(q).map(f64::to_bits),
                    expected.map(f64::to_bits),
                    "{q}"
                );
            }
        }
    }
}
