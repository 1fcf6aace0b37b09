//! Operations before and after the model, on (channel, plane, row, column). Sums are `f64`, results `f32`.

use transect_core::codes::model as codes;
use transect_core::{Error, Result};

use crate::spec::{AxisSet, Bound, Cast, Operation};
use crate::tensor::Block;

/// Applies operations in order. `input` is the model's input before its preprocessing, for operations that refer to it.
///
/// # Errors
/// `T332` when a cast to integers meets a value out of range; `T309` when a list of values does not fit the axis.
pub fn apply(block: &mut Block, operations: &[Operation], input: Option<&Block>) -> Result<()> {
    for operation in operations {
        apply_one(block, operation, input)?;
    }
    Ok(())
}

fn apply_one(block: &mut Block, operation: &Operation, input: Option<&Block>) -> Result<()> {
    match operation {
        Operation::EnsureDtype { to } => return cast(block, *to),
        Operation::Binarize { threshold, axis } => {
            let values = along(block.shape, *axis, [threshold])?;
            each(block, *axis, |i| {
                let threshold = values(0, i);
                move |x| f64::from(u8::from(x > threshold))
            });
        }
        Operation::Clip {
            min,
            max,
            axes,
            of_input,
        } => {
            let reference = if *of_input { input } else { None };
            let sources = matching(block.shape, reference, *axes)?;
            for (index, group) in groups(block.shape, *axes).into_iter().enumerate() {
                let needs = |b: &Option<Bound>| matches!(b, Some(Bound::Percentile(_)));
                let mut ranked = match (&sources, reference) {
                    _ if !needs(min) && !needs(max) => Ranked(Vec::new()),
                    (Some(source), Some(reference)) => source[index].ranked(&reference.data),
                    _ => group.ranked(&block.data),
                };
                let mut value = |bound: &Option<Bound>| match bound {
                    None => None,
                    Some(Bound::Value(v)) => Some(*v as f32),
                    Some(Bound::Percentile(p)) => Some(ranked.inverted_cdf(*p)),
                };
                let (low, high) = (value(min), value(max));
                group.each(&mut block.data, |x| {
                    let x = low.map_or(x, |low| x.max(low));
                    high.map_or(x, |high| x.min(high))
                });
            }
        }
        Operation::ScaleLinear { gain, offset, axis } => {
            let values = along(block.shape, *axis, [gain, offset])?;
            each(block, *axis, |i| {
                let (gain, offset) = (values(0, i), values(1, i));
                move |x| x * gain + offset
            });
        }
        Operation::Sigmoid => each(block, None, |_| |x: f64| 1.0 / (1.0 + (-x).exp())),
        Operation::Softmax { axis } => softmax(block, *axis),
        Operation::FixedZeroMeanUnitVariance { mean, std, axis } => {
            let values = along(block.shape, *axis, [mean, std])?;
            each(block, *axis, |i| {
                let (mean, deviation) = (values(0, i), values(1, i));
                move |x| (x - mean) / deviation
            });
        }
        Operation::ZeroMeanUnitVariance {
            axes,
            eps,
            of_input,
        } => {
            let reference = if *of_input { input } else { None };
            let sources = matching(block.shape, reference, *axes)?;
            for (index, group) in groups(block.shape, *axes).into_iter().enumerate() {
                let (mean, deviation) = match (&sources, reference) {
                    (Some(source), Some(reference)) => source[index].moments(&reference.data),
                    _ => group.moments(&block.data),
                };
                let scale = deviation + eps;
                group.each(&mut block.data, |x| ((f64::from(x) - mean) / scale) as f32);
            }
        }
        Operation::ScaleRange {
            axes,
            min_percentile,
            max_percentile,
            eps,
            of_input,
        } => {
            let reference = if *of_input { input } else { None };
            let sources = matching(block.shape, reference, *axes)?;
            for (index, group) in groups(block.shape, *axes).into_iter().enumerate() {
                let mut ranked = match (&sources, reference) {
                    (Some(source), Some(reference)) => source[index].ranked(&reference.data),
                    _ => group.ranked(&block.data),
                };
                let low = ranked.linear(*min_percentile);
                let high = ranked.linear(*max_percentile);
                let scale = high - low + eps;
                group.each(&mut block.data, |x| ((f64::from(x) - low) / scale) as f32);
            }
        }
        Operation::ScaleMeanVariance { axes, eps } => {
            let Some(reference) = input else {
                return Ok(());
            };
            let sources = matching(block.shape, Some(reference), *axes)?.unwrap_or_default();
            for (group, source) in groups(block.shape, *axes).into_iter().zip(sources) {
                let (mean, deviation) = group.moments(&block.data);
                let (to_mean, to_deviation) = source.moments(&reference.data);
                let factor = (to_deviation + eps) / (deviation + eps);
                group.each(&mut block.data, |x| {
                    ((f64::from(x) - mean) * factor + to_mean) as f32
                });
            }
        }
    }
    Ok(())
}

fn cast(block: &mut Block, to: Cast) -> Result<()> {
    match to {
        Cast::Float => {}
        Cast::Bool => block
            .data
            .iter_mut()
            .for_each(|x| *x = f32::from(u8::from(*x != 0.0))),
        Cast::Integer { min, max } => {
            for x in &mut block.data {
                let whole = x.trunc();
                if !(f64::from(whole) >= min as f64 && f64::from(whole) <= max as f64) {
                    return Err(Error::new(
                        &codes::VALUE_RANGE,
                        format!(
                            "`ensure_dtype` meets {x}, which the type ({min} to {max}) does not hold"
                        ),
                    ));
                }
                *x = whole;
            }
        }
    }
    Ok(())
}

/// Values along an axis: `(list, position)`; a list of one holds everywhere.
fn along<const N: usize>(
    shape: [usize; 4],
    axis: Option<usize>,
    lists: [&[f64]; N],
) -> Result<impl Fn(usize, usize) -> f64> {
    let length = axis.map_or(1, |a| shape[a]);
    for list in lists {
        if list.len() != 1 && list.len() != length {
            return Err(Error::new(
                &codes::SPEC_FIELD_INVALID,
                format!(
                    "an operation has {} values for an axis of {length}",
                    list.len()
                ),
            ));
        }
    }
    Ok(move |list: usize, position: usize| {
        let list = lists[list];
        if list.len() == 1 {
            list[0]
        } else {
            list[position]
        }
    })
}

/// Applies to each value the function for its position along an axis.
fn each<F: Fn(f64) -> f64>(block: &mut Block, axis: Option<usize>, f: impl Fn(usize) -> F) {
    let (inner, length) = axis.map_or((block.data.len(), 1), |a| {
        (
            block.shape[a + 1..].iter().product::<usize>(),
            block.shape[a],
        )
    });
    for (index, run) in block.data.chunks_mut(inner.max(1)).enumerate() {
        let f = f(index % length);
        for x in run {
            *x = f(f64::from(*x)) as f32;
        }
    }
}

fn softmax(block: &mut Block, axis: usize) {
    let inner: usize = block.shape[axis + 1..].iter().product();
    let length = block.shape[axis];
    let mut buffer = vec![0.0_f64; length];
    for outer in block.data.chunks_mut(length * inner) {
        for i in 0..inner {
            let mut top = f64::NEG_INFINITY;
            for k in 0..length {
                top = top.max(f64::from(outer[k * inner + i]));
            }
            let mut sum = 0.0;
            for (k, slot) in buffer.iter_mut().enumerate() {
                *slot = (f64::from(outer[k * inner + i]) - top).exp();
                sum += *slot;
            }
            for (k, slot) in buffer.iter().enumerate() {
                outer[k * inner + i] = (slot / sum) as f32;
            }
        }
    }
}

/// Samples that share a statistic: those with one position along the axes that are not joint.
struct Group {
    /// First sample of every contiguous run, and the length of a run.
    starts: Vec<usize>,
    run: usize,
}

impl Group {
    fn each(&self, data: &mut [f32], f: impl Fn(f32) -> f32) {
        for &start in &self.starts {
            data[start..start + self.run]
                .iter_mut()
                .for_each(|x| *x = f(*x));
        }
    }

    fn values<'a>(&'a self, data: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        self.starts
            .iter()
            .flat_map(move |&start| data[start..start + self.run].iter().copied())
    }

    fn ranked(&self, data: &[f32]) -> Ranked {
        Ranked(self.values(data).collect())
    }

    /// Mean and population standard deviation, in two passes.
    fn moments(&self, data: &[f32]) -> (f64, f64) {
        let n = (self.starts.len() * self.run) as f64;
        let mean = self.values(data).map(f64::from).sum::<f64>() / n;
        let variance = self
            .values(data)
            .map(|x| (f64::from(x) - mean).powi(2))
            .sum::<f64>()
            / n;
        (mean, variance.sqrt())
    }
}

/// The groups of a block, in the order of the positions along the axes that are not joint.
fn groups(shape: [usize; 4], joint: AxisSet) -> Vec<Group> {
    let strides = [
        shape[1] * shape[2] * shape[3],
        shape[2] * shape[3],
        shape[3],
        1,
    ];
    // The trailing joint axes are one contiguous run.
    let mut first = 4;
    while first > 0 && joint[first - 1] {
        first -= 1;
    }
    let run: usize = shape[first..].iter().product();
    let walk = |axes: &[usize]| {
        let mut offsets = vec![0_usize];
        for &axis in axes {
            offsets = offsets
                .iter()
                .flat_map(|o| (0..shape[axis]).map(move |i| o + i * strides[axis]))
                .collect();
        }
        offsets
    };
    let separate: Vec<usize> = (0..first).filter(|&a| !joint[a]).collect();
    let together: Vec<usize> = (0..first).filter(|&a| joint[a]).collect();
    let inside = walk(&together);
    walk(&separate)
        .into_iter()
        .map(|base| Group {
            starts: inside.iter().map(|o| base + o).collect(),
            run,
        })
        .collect()
}

/// The groups of the reference tensor that belong to those of the block: the same positions, or one for all.
fn matching(
    shape: [usize; 4],
    reference: Option<&Block>,
    joint: AxisSet,
) -> Result<Option<Vec<Group>>> {
    let Some(reference) = reference else {
        return Ok(None);
    };
    for axis in 0..4 {
        if !joint[axis] && shape[axis] != reference.shape[axis] {
            return Err(Error::new(
                &codes::SPEC_FIELD_INVALID,
                format!(
                    "an operation takes statistics for each position of an axis that has {} positions in the output and {} in the input",
                    shape[axis], reference.shape[axis]
                ),
            ));
        }
    }
    Ok(Some(groups(reference.shape, joint)))
}

/// Values of which some ranks are looked up.
struct Ranked(Vec<f32>);

impl Ranked {
    /// The value at a rank from 0, and the next; 0 where there are no values.
    fn pair(&mut self, rank: usize) -> (f32, f32) {
        if self.0.is_empty() {
            return (0.0, 0.0);
        }
        let rank = rank.min(self.0.len() - 1);
        let (_, &mut value, above) = self.0.select_nth_unstable_by(rank, f32::total_cmp);
        let next = above.iter().copied().min_by(f32::total_cmp);
        (value, next.unwrap_or(value))
    }

    /// Percentile by linear interpolation: at rank p/100 · (n − 1).
    fn linear(&mut self, percentile: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let rank = percentile / 100.0 * last as f64;
        let below = (rank.floor() as usize).min(last);
        let (a, b) = self.pair(below);
        let (a, b) = (f64::from(a), f64::from(b));
        a + (b - a) * (rank - below as f64)
    }

    /// Percentile as the inverse of the distribution function: the smallest value with at least that share at or below it.
    fn inverted_cdf(&mut self, percentile: f64) -> f32 {
        let rank = (percentile / 100.0 * self.0.len() as f64).ceil() as usize;
        self.pair(rank.saturating_sub(1)).0
    }
}
