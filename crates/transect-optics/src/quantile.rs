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
    /// Whether the lower half is 0 in all of them, as in whole numbers of eight bits.
    short: bool,
}

impl<'a> Ranks<'a> {
    /// The bins of finite values; those of infinite ones and of NaN lie outside.
    const FINITE: std::ops::Range<usize> = 0x0080..0xff80;

    /// Counts the values.
    pub(crate) fn of(values: &'a [f32]) -> Self {
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
        }
    }

    /// The quantile, as [`quantile_in_place`].
    pub(crate) fn quantile(&self, q: f64) -> Option<f64> {
        if self.finite == 0 {
            return None;
        }
        let position = q.clamp(0.0, 1.0) * (self.finite - 1) as f64;
        let below = position.floor() as usize;
        let share = position - below as f64;
        let (low, high) = self.pair(below);
        Some(if share == 0.0 {
            low
        } else {
            low + share * (high - low)
        })
    }

    /// The value of a rank from 0, and the next; the last twice.
    fn pair(&self, rank: usize) -> (f64, f64) {
        let (bin, before) = walk(&self.bins[Self::FINITE], rank);
        let bin = bin + Self::FINITE.start;
        let last = rank - before + 1 == self.bins[bin] as usize;
        let next_bin = if last {
            self.bins[bin + 1..Self::FINITE.end]
                .iter()
                .position(|&n| n > 0)
                .map(|step| bin + 1 + step)
        } else {
            Some(bin)
        };
        if self.short {
            // The lower half of the key of a negative value is inverted too.
            let only = |bin: usize| {
                let lower = if bin < 0x8000 { 0xffff } else { 0 };
                f64::from(value((bin as u32) << 16 | lower))
            };
            return (only(bin), only(next_bin.unwrap_or(bin)));
        }
        let within = self.within(bin);
        let (low, before_low) = walk(&within, rank - before);
        let at = |bin: usize, lower: usize| f64::from(value((bin as u32) << 16 | lower as u32));
        let first = |within: &[u32]| within.iter().position(|&n| n > 0).unwrap_or(0);
        let high = match next_bin {
            None => low,
            Some(next) if next != bin => {
                return (at(bin, low), at(next, first(&self.within(next))));
            }
            Some(_) if rank - before - before_low + 1 < within[low] as usize => low,
            Some(_) => low + 1 + first(&within[low + 1..]),
        };
        (at(bin, low), at(bin, high))
    }

    /// Counts of the lower halves in one bin.
    fn within(&self, bin: usize) -> Vec<u32> {
        let mut counts = vec![0_u32; 1 << 16];
        for &value in self.values {
            let key = key(value);
            if key >> 16 == bin as u32 {
                counts[(key & 0xffff) as usize] += 1;
            }
        }
        counts
    }
}

/// Bits in the order of the values.
fn key(value: f32) -> u32 {
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
