//! From maps to predictions.

mod components;
mod distance;
mod watershed;

use transect_core::codes::model as codes;
use transect_core::{Classes, Error, Instances, LabelImage, Prediction, Result, Semantic, Task};

pub use components::{Connectivity, components};
pub use distance::distance_squared;
pub use watershed::watershed;

use crate::options::Decode;
use crate::spec::Spec;
use crate::tensor::Block;

/// Decodes the output of a model, after its postprocessing and at the size of the image.
///
/// # Errors
/// `T333` for NaN or infinite values, `T334` where probabilities are needed and are not there, `T335` for a shape that does
/// not fit.
pub fn decode(spec: &Spec, output: &Block) -> Result<Prediction> {
    if let Some(bad) = output.not_finite() {
        let count = output.data.iter().filter(|v| !v.is_finite()).count();
        return Err(Error::new(
            &codes::OUTPUT_NOT_FINITE,
            format!(
                "{count} of {} output values are {bad} or the like",
                output.data.len()
            ),
        ));
    }
    match spec.task {
        Task::Classification => classes(spec, output),
        Task::Semantic => semantic(spec, output).map(Prediction::Semantic),
        Task::Instance => instances(spec, output).map(Prediction::Instances),
    }
}

fn not_probabilities(spec: &Spec, what: &str, activation: &str) -> Error {
    Error::new(&codes::NOT_PROBABILITIES, what)
        .field(format!("output `{}`", spec.output.id))
        .help(format!("declare postprocessing: [{{id: {activation}{}}}] for this output, or activation = \"{activation}\" in model.toml", if activation == "softmax" { ", kwargs: {axis: channel}" } else { "" }))
}

fn classes(spec: &Spec, output: &Block) -> Result<Prediction> {
    let wanted = spec.classes.len();
    let values = &output.data;
    let probabilities = if values.len() == 1 && wanted == 2 {
        vec![1.0 - values[0], values[0]]
    } else if values.len() == wanted {
        values.clone()
    } else {
        return Err(Error::new(
            &codes::OUTPUT_SHAPE,
            format!("{} values for {wanted} classes", values.len()),
        )
        .help("declare the output's axes as batch and channel, with one channel for each class"));
    };
    let sum: f64 = probabilities.iter().map(|&p| f64::from(p)).sum();
    let outside = probabilities
        .iter()
        .any(|p| !(-1e-3..=1.0 + 1e-3).contains(p));
    if outside || (sum - 1.0).abs() > 1e-3 {
        return Err(not_probabilities(
            spec,
            &format!(
                "the outputs sum to {sum:.4} and are {}",
                list(&probabilities)
            ),
            if values.len() == 1 {
                "sigmoid"
            } else {
                "softmax"
            },
        ));
    }
    Ok(Prediction::Classes(Classes { probabilities }))
}

fn list(values: &[f32]) -> String {
    let words: Vec<String> = values.iter().take(6).map(|v| format!("{v:.3}")).collect();
    if values.len() > 6 {
        format!("{}, …", words.join(", "))
    } else {
        words.join(", ")
    }
}

/// Whether every value of a map lies in 0 to 1.
fn check_map(spec: &Spec, map: &[f32], name: &str) -> Result<()> {
    match map.iter().find(|v| !(-1e-3..=1.001).contains(*v)) {
        None => Ok(()),
        Some(value) => Err(not_probabilities(
            spec,
            &format!("the {name} map has the value {value:.4}"),
            "sigmoid",
        )),
    }
}

fn plane(output: &Block, channel: usize) -> Result<&[f32]> {
    if output.shape[1] != 1 || channel >= output.shape[0] {
        return Err(Error::new(
            &codes::OUTPUT_SHAPE,
            format!(
                "the output has shape (channel, plane, row, column) = {:?}",
                output.shape
            ),
        ));
    }
    Ok(output.plane(channel, 0))
}

fn semantic(spec: &Spec, output: &Block) -> Result<Semantic> {
    let [channels, _, rows, columns] = output.shape;
    match spec.decode {
        Decode::Argmax => {
            let mut best = vec![0_u32; rows * columns];
            let mut top = plane(output, 0)?.to_vec();
            let mut sums = plane(output, 0)?
                .iter()
                .map(|&v| f64::from(v))
                .collect::<Vec<_>>();
            let mut probabilities =
                channels > 1 && output.data.iter().all(|v| (-1e-3..=1.001).contains(v));
            for channel in 1..channels {
                for (((label, top), sum), &value) in best
                    .iter_mut()
                    .zip(&mut top)
                    .zip(&mut sums)
                    .zip(plane(output, channel)?)
                {
                    *sum += f64::from(value);
                    if value > *top {
                        *top = value;
                        *label = channel as u32;
                    }
                }
            }
            probabilities &= sums.iter().all(|s| (s - 1.0).abs() <= 2e-3);
            let confidence = probabilities.then(|| mean(&top));
            if !probabilities {
                top.clear();
            }
            Ok(Semantic {
                mask: LabelImage::new(rows, columns, best)?,
                confidence,
                confidences: top,
            })
        }
        Decode::Foreground => {
            let map = plane(output, spec.maps.foreground.unwrap_or(0))?;
            check_map(spec, map, "foreground")?;
            let threshold = spec.thresholds.foreground.unwrap_or(0.5);
            let mask: Vec<u32> = map.iter().map(|&p| u32::from(p > threshold)).collect();
            let own: Vec<f32> = map
                .iter()
                .map(|&p| if p > threshold { p } else { 1.0 - p })
                .collect();
            Ok(Semantic {
                mask: LabelImage::new(rows, columns, mask)?,
                confidence: Some(mean(&own)),
                confidences: own,
            })
        }
        _ => {
            let mask = labels(plane(output, spec.maps.foreground.unwrap_or(0))?)?;
            let classes = spec.classes.len() as u32;
            if let Some(&value) = mask.iter().find(|&&v| v >= classes) {
                return Err(Error::new(
                    &codes::OUTPUT_SHAPE,
                    format!(
                        "the label image has the value {value}, and {classes} classes are declared"
                    ),
                )
                .help("name every value in `classes`, value 0 first"));
            }
            Ok(Semantic {
                mask: LabelImage::new(rows, columns, mask)?,
                confidence: None,
                confidences: Vec::new(),
            })
        }
    }
}

fn mean(values: &[f32]) -> f32 {
    (values.iter().map(|&v| f64::from(v)).sum::<f64>() / values.len().max(1) as f64) as f32
}

fn labels(map: &[f32]) -> Result<Vec<u32>> {
    map.iter()
        .map(|&v| {
            if v >= 0.0 && v.fract() == 0.0 && v <= 16_777_216.0 {
                Ok(v as u32)
            } else {
                Err(Error::new(&codes::OUTPUT_SHAPE, format!("the label image has the value {v}, which is no label"))
                    .help("decode `labels` is for outputs of whole numbers; for maps declare foreground or interior-boundary"))
            }
        })
        .collect()
}

fn instances(spec: &Spec, output: &Block) -> Result<Instances> {
    let [_, _, rows, columns] = output.shape;
    let shape = [rows, columns];
    let (raw, foreground) = match spec.decode {
        Decode::InteriorBoundary => {
            let interior = plane(output, spec.maps.interior.unwrap_or(0))?;
            check_map(spec, interior, "interior")?;
            let foreground: Vec<f32> = match (
                spec.maps.background,
                spec.maps.foreground,
                spec.maps.boundary,
            ) {
                (Some(background), _, _) => {
                    plane(output, background)?.iter().map(|p| 1.0 - p).collect()
                }
                (None, Some(foreground), _) => plane(output, foreground)?.to_vec(),
                (None, None, boundary) => {
                    let boundary = plane(output, boundary.unwrap_or(0))?;
                    interior.iter().zip(boundary).map(|(i, b)| i + b).collect()
                }
            };
            check_map(spec, &foreground, "foreground")?;
            let (ti, tf) = (
                spec.thresholds.interior.unwrap_or(0.5),
                spec.thresholds.foreground.unwrap_or(0.5),
            );
            let seeds: Vec<bool> = interior.iter().map(|&p| p > ti).collect();
            let markers = components(&seeds, shape, Connectivity::Four);
            let mask: Vec<bool> = foreground.iter().map(|&p| p > tf).collect();
            let height: Vec<f32> = foreground.iter().map(|p| -p).collect();
            (watershed(&height, &markers, &mask, shape), Some(foreground))
        }
        Decode::Foreground => {
            let map = plane(output, spec.maps.foreground.unwrap_or(0))?;
            check_map(spec, map, "foreground")?;
            let tf = spec.thresholds.foreground.unwrap_or(0.5);
            let mask: Vec<bool> = map.iter().map(|&p| p > tf).collect();
            let labels = match spec.split_distance_px {
                None => components(&mask, shape, Connectivity::Four),
                Some(depth) => split(&mask, shape, depth),
            };
            (labels, Some(map.to_vec()))
        }
        _ => (
            labels(plane(output, spec.maps.foreground.unwrap_or(0))?)?,
            None,
        ),
    };
    finish(spec, raw, foreground.as_deref(), shape)
}

/// Touching objects come apart where they are narrower than twice the depth: the components of what is deeper than that are
/// grown back by watershed on the distance. A component that is nowhere so deep stays whole.
fn split(mask: &[bool], shape: [usize; 2], depth: f64) -> Vec<u32> {
    let whole = components(mask, shape, Connectivity::Four);
    let squared = distance_squared(mask, shape);
    let deep: Vec<bool> = squared.iter().map(|&d| d > depth * depth).collect();
    let mut markers = components(&deep, shape, Connectivity::Four);
    let mut next = markers.iter().copied().max().unwrap_or(0);
    let count = whole.iter().copied().max().unwrap_or(0) as usize;
    let mut has_marker = vec![false; count + 1];
    for (&object, &marker) in whole.iter().zip(&markers) {
        if marker > 0 {
            has_marker[object as usize] = true;
        }
    }
    let mut given = vec![0_u32; count + 1];
    for (&object, marker) in whole.iter().zip(&mut markers) {
        if object > 0 && !has_marker[object as usize] {
            let label = &mut given[object as usize];
            if *label == 0 {
                next += 1;
                *label = next;
            }
            *marker = *label;
        }
    }
    let height: Vec<f32> = squared.iter().map(|&d| -(d.sqrt() as f32)).collect();
    watershed(&height, &markers, mask, shape)
}

/// Drops objects of low confidence, and numbers the rest 1 to n in the order in which their first pixel comes.
fn finish(
    spec: &Spec,
    mut raw: Vec<u32>,
    foreground: Option<&[f32]>,
    shape: [usize; 2],
) -> Result<Instances> {
    let mut numbers: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    let mut sums: Vec<(f64, usize)> = Vec::new();
    let mut last = (0, 0);
    for (index, label) in raw.iter_mut().enumerate() {
        if *label == 0 {
            continue;
        }
        let number = if last.0 == *label {
            last.1
        } else {
            let next = numbers.len();
            *numbers.entry(*label).or_insert(next)
        };
        last = (*label, number);
        if number == sums.len() {
            sums.push((0.0, 0));
        }
        sums[number].0 += foreground.map_or(0.0, |map| f64::from(map[index]));
        sums[number].1 += 1;
        *label = number as u32 + 1;
    }
    let means: Vec<f32> = sums
        .iter()
        .map(|(sum, n)| (sum / (*n).max(1) as f64) as f32)
        .collect();
    let floor = if foreground.is_some() {
        spec.thresholds.probability
    } else {
        None
    };
    let mut kept = Vec::new();
    let mut renumber = vec![0_u32; means.len() + 1];
    for (index, &mean) in means.iter().enumerate() {
        if floor.is_none_or(|floor| mean >= floor) {
            kept.push(mean);
            renumber[index + 1] = kept.len() as u32;
        }
    }
    for label in &mut raw {
        *label = renumber[*label as usize];
    }
    let confidences = if foreground.is_some() {
        kept
    } else {
        Vec::new()
    };
    Ok(Instances {
        labels: LabelImage::new(shape[0], shape[1], raw)?,
        confidences,
    })
}
