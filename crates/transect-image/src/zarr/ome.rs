//! OME-Zarr's metadata: axes, levels of a pyramid, lengths of steps, names of channels. Nothing else of it is read.

use serde_json::Value;
use transect_core::{PixelSize, Result};

use super::{Axis, Role, pixel_size};
use crate::{damaged, unsupported};

/// One step of a pyramid.
pub(super) struct Level {
    pub(super) path: String,
    /// The length of a step along each axis, in its unit.
    scale: Vec<f64>,
}

impl Level {
    pub(super) fn pixel_size(&self, axes: &[Axis]) -> Option<PixelSize> {
        pixel_size(axes, &self.scale)
    }
}

/// One image.
pub(super) struct Pyramid {
    pub(super) axes: Vec<Axis>,
    pub(super) levels: Vec<Level>,
    pub(super) names: Vec<String>,
}

fn micrometres(unit: &str) -> Option<f64> {
    match unit {
        "angstrom" => Some(1e-4),
        "picometer" => Some(1e-6),
        "nanometer" => Some(1e-3),
        "micrometer" => Some(1.0),
        "millimeter" => Some(1e3),
        "centimeter" => Some(1e4),
        "meter" => Some(1e6),
        "inch" => Some(25_400.0),
        _ => None,
    }
}

/// The role of an axis by its name.
pub(super) fn role(name: &str) -> Option<Role> {
    match name {
        "t" => Some(Role::Time),
        "c" => Some(Role::Channel),
        "z" => Some(Role::Plane),
        "y" => Some(Role::Row),
        "x" => Some(Role::Column),
        _ => None,
    }
}

fn axis(value: &Value) -> Result<Axis> {
    let name = value
        .as_str()
        .or_else(|| value.get("name").and_then(Value::as_str))
        .unwrap_or_default();
    let kind = value.get("type").and_then(Value::as_str);
    let role = match (kind, role(name)) {
        (Some("time"), _) => Some(Role::Time),
        (Some("channel"), _) => Some(Role::Channel),
        (Some("space"), Some(role @ (Role::Plane | Role::Row | Role::Column))) => Some(role),
        (None, role) => role,
        _ => None,
    };
    let role = role.ok_or_else(|| {
        unsupported(format!("an OME-Zarr image with the axis {name:?}"))
            .help("save it with the axes t, c, z, y, x")
    })?;
    Ok(Axis {
        role,
        micrometres: value
            .get("unit")
            .and_then(Value::as_str)
            .and_then(micrometres),
    })
}

/// The product of the scales among transformations.
fn scale(holder: &Value, axes: usize) -> Option<Vec<f64>> {
    let mut all = None;
    for step in holder
        .get("coordinateTransformations")
        .and_then(Value::as_array)?
    {
        if step.get("type").and_then(Value::as_str) != Some("scale") {
            continue;
        }
        let values: Vec<f64> = step
            .get("scale")?
            .as_array()?
            .iter()
            .filter_map(Value::as_f64)
            .collect();
        if values.len() != axes {
            return None;
        }
        let before = all.unwrap_or_else(|| vec![1.0; axes]);
        all = Some(before.iter().zip(values).map(|(a, b)| a * b).collect());
    }
    all
}

/// The images of a group.
pub(super) fn images(attributes: &Value) -> Result<Vec<Pyramid>> {
    let list = attributes
        .get("multiscales")
        .and_then(Value::as_array)
        .filter(|l| !l.is_empty())
        .ok_or_else(|| damaged("OME-Zarr's `multiscales` names no image"))?;
    let labels: Vec<String> = attributes
        .pointer("/omero/channels")
        .and_then(Value::as_array)
        .map(|channels| {
            channels
                .iter()
                .map(|c| {
                    let label = c.get("label").and_then(Value::as_str);
                    label.unwrap_or_default().trim().to_owned()
                })
                .collect()
        })
        .unwrap_or_default();
    let mut unique = labels.clone();
    unique.sort();
    unique.dedup();
    let named = unique.len() == labels.len() && !labels.iter().any(String::is_empty);
    list.iter()
        .map(|image| {
            let version = image.get("version").and_then(Value::as_str);
            let axes: Vec<Axis> = match image.get("axes").and_then(Value::as_array) {
                Some(axes) => axes.iter().map(axis).collect::<Result<_>>()?,
                // Before there were axes, there were always these.
                None if matches!(version, Some("0.1" | "0.2")) => ["t", "c", "z", "y", "x"]
                    .iter()
                    .filter_map(|n| role(n))
                    .map(Axis::plain)
                    .collect(),
                None => return Err(damaged("the OME-Zarr image does not name its axes")),
            };
            let whole = scale(image, axes.len());
            let levels: Vec<Level> = image
                .get("datasets")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|d| {
                    let own = scale(d, axes.len());
                    let scale = match (own, &whole) {
                        (Some(own), Some(whole)) => {
                            own.iter().zip(whole).map(|(a, b)| a * b).collect()
                        }
                        (Some(own), None) => own,
                        // Without a step of its own a level's size is not known.
                        (None, _) => Vec::new(),
                    };
                    Some(Level {
                        path: d.get("path")?.as_str()?.trim_matches('/').to_owned(),
                        scale,
                    })
                })
                .collect();
            if levels.is_empty() {
                return Err(damaged("the OME-Zarr image names no array"));
            }
            Ok(Pyramid {
                axes,
                levels,
                names: if named { labels.clone() } else { Vec::new() },
            })
        })
        .collect()
}
