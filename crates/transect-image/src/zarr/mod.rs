//! Zarr 2 and 3, plain arrays and OME-Zarr 0.4 and 0.5: a folder in which every chunk of an array is a file.
//!
//! Read here and not through a general crate: what an image needs of Zarr is small (regular chunks, the usual compressors,
//! shards), and the crates for it bring more than a hundred packages.

mod array;
mod blosc;
mod codec;
mod ome;

use serde_json::Value;
use transect_core::codes::image as codes;
use transect_core::{Error, PixelSize, Result};

use self::array::{Array, Window};
use crate::files::{Files, below};
use crate::raw::Raw;
use crate::selector::{Region, Selector, one_of};
use crate::{Limits, damaged, limits_exceeded, unsupported};

/// Longest file of metadata, bytes.
const LONGEST: usize = 64 << 20;

/// What lies at a path of a store.
enum Node {
    Array(Box<Array>),
    /// A group with its attributes.
    Group(Value),
}

fn json(files: &dyn Files, folder: &str, name: &str) -> Result<Option<Value>> {
    let path = below(folder, name).ok_or_else(|| damaged(format!("{name:?} is no path")))?;
    let Some(bytes) = files.read(&path)? else {
        return Ok(None);
    };
    if bytes.len() > LONGEST {
        return Err(limits_exceeded(format!(
            "{path} has {} bytes; at most {LONGEST} are read",
            bytes.len()
        )));
    }
    if let Some(found) = crate::recipe::recipe(&bytes, "") {
        return Err(Error::new(
            &codes::IMAGE_UNKNOWN_FORMAT,
            format!("{path} looks like {}", found.format),
        )
        .help(found.help));
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|e| damaged(format!("{path} is not JSON: {e}")))
}

fn node(files: &dyn Files, folder: &str) -> Result<Option<Node>> {
    if let Some(meta) = json(files, folder, "zarr.json")? {
        let attributes = meta.get("attributes").cloned().unwrap_or_default();
        return match meta.get("node_type").and_then(Value::as_str) {
            Some("array") => Array::v3(folder, &meta).map(|a| Some(Node::Array(Box::new(a)))),
            Some("group") => Ok(Some(Node::Group(
                attributes.get("ome").cloned().unwrap_or(attributes),
            ))),
            _ => Err(damaged("zarr.json says neither array nor group")),
        };
    }
    if let Some(meta) = json(files, folder, ".zarray")? {
        return Array::v2(folder, &meta).map(|a| Some(Node::Array(Box::new(a))));
    }
    if let Some(attributes) = json(files, folder, ".zattrs")? {
        return Ok(Some(Node::Group(attributes)));
    }
    Ok(json(files, folder, ".zgroup")?.map(|_| Node::Group(Value::Null)))
}

/// Whether there is a store of this name. Asked where there is no file of it.
pub(crate) fn read(
    files: &dyn Files,
    path: &str,
    selector: &Selector,
    limits: &Limits,
) -> Result<Option<Raw>> {
    let path = path.trim_end_matches('/');
    let folder = match &selector.member {
        None => path.to_owned(),
        Some(member) => below(path, member.trim_matches('/')).ok_or_else(|| {
            Error::new(
                &codes::IMAGE_SELECTION,
                format!("the member {member:?} is not a path within the store"),
            )
        })?,
    };
    let Some(found) = node(files, &folder)? else {
        if selector.member.is_some() && node(files, path)?.is_some() {
            return Err(Error::new(
                &codes::IMAGE_SELECTION,
                format!("the store has nothing at {folder}"),
            ));
        }
        return Ok(None);
    };
    selector.only(
        "a Zarr store",
        &["series", "level", "time", "plane", "member", "absent"],
    )?;
    match found {
        Node::Array(array) => {
            if selector.level.is_some_and(|l| l > 0) || selector.series.is_some_and(|s| s > 0) {
                return Err(Error::new(
                    &codes::IMAGE_SELECTION,
                    "a level or a series is selected, and the member is a single array",
                ));
            }
            let axes = array.axes()?;
            window(files, &array, &axes, selector, limits).map(Some)
        }
        Node::Group(attributes) => group(files, &folder, &attributes, selector, limits).map(Some),
    }
}

fn group(
    files: &dyn Files,
    folder: &str,
    attributes: &Value,
    selector: &Selector,
    limits: &Limits,
) -> Result<Raw> {
    let several = |what: String, help: &str| Error::new(&codes::IMAGE_SEVERAL, what).help(help);
    if let Some(wells) = attributes.pointer("/plate/wells").and_then(Value::as_array) {
        return Err(several(
            format!("the store is a plate of {} wells", wells.len()),
            "give a row for each field and name it in `image_member`, such as A/1/0",
        ));
    }
    if attributes.get("well").is_some() {
        return Err(several(
            "the member is a well, which holds fields".to_owned(),
            "name a field in `image_member`, such as A/1/0",
        ));
    }
    if attributes.get("multiscales").is_none()
        && attributes
            .get("bioformats2raw.layout")
            .is_some_and(|l| l.as_u64() == Some(3))
    {
        let second = below(folder, "1").map(|f| node(files, &f)).transpose()?;
        if selector.series.is_none() && second.flatten().is_some() {
            return Err(several(
                "the store holds several images".to_owned(),
                "give a row for each and say which in a column `image_series`, from 0",
            ));
        }
        let inner = selector.series.unwrap_or(0);
        let path = below(folder, &inner.to_string()).unwrap_or_default();
        let found = node(files, &path)?;
        let Some(Node::Group(attributes)) = found else {
            return Err(Error::new(
                &codes::IMAGE_SELECTION,
                format!("the store has no image {inner}"),
            ));
        };
        let rest = Selector {
            series: None,
            ..selector.clone()
        };
        return image(files, &path, &attributes, &rest, limits);
    }
    if attributes.get("multiscales").is_none() {
        return Err(several(
            "the store is a group without OME-Zarr's `multiscales`: which array is meant is not said".to_owned(),
            "name the array in a column `image_member`, by its path within the store",
        ));
    }
    image(files, folder, attributes, selector, limits)
}

fn image(
    files: &dyn Files,
    folder: &str,
    attributes: &Value,
    selector: &Selector,
    limits: &Limits,
) -> Result<Raw> {
    let images = ome::images(attributes)?;
    let series = one_of("series", selector.series, images.len())?;
    let image = &images[series];
    let level = one_of(
        "level",
        Some(selector.level.unwrap_or(0)),
        image.levels.len(),
    )?;
    let level = &image.levels[level];
    let path = below(folder, &level.path).ok_or_else(|| {
        damaged(format!(
            "the store names the path {:?}, which leads out of it",
            level.path
        ))
    })?;
    let Some(Node::Array(array)) = node(files, &path)? else {
        return Err(damaged(format!(
            "the store names the array {:?}, and there is none",
            level.path
        )));
    };
    if image.axes.len() != array.shape.len() {
        return Err(damaged(format!(
            "OME-Zarr says {} axes, the array has {}",
            image.axes.len(),
            array.shape.len()
        )));
    }
    let mut raw = window(files, &array, &image.axes, selector, limits)?;
    raw.pixel_size = level.pixel_size(&image.axes);
    if image.names.len() == raw.shape[0] {
        raw.channel_names.clone_from(&image.names);
    }
    Ok(raw)
}

/// What an axis of an array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Time,
    Channel,
    Plane,
    Row,
    Column,
}

/// An axis, and the micrometres of its unit where it is one of space and has one.
#[derive(Debug, Clone, Copy)]
struct Axis {
    role: Role,
    micrometres: Option<f64>,
}

impl Axis {
    fn plain(role: Role) -> Self {
        Self {
            role,
            micrometres: None,
        }
    }
}

/// Reads the selected box of an array, as (channel, plane, row, column).
fn window(
    files: &dyn Files,
    array: &Array,
    axes: &[Axis],
    selector: &Selector,
    limits: &Limits,
) -> Result<Raw> {
    let place = |role| axes.iter().position(|a| a.role == role);
    let length = |role| place(role).map_or(1, |at| array.shape[at]);
    let index = |what, role, selected: Option<u32>| {
        let count = usize::try_from(length(role)).map_err(|_| damaged("an axis is too long"))?;
        one_of(what, selected, count).map(|i| i as u64)
    };
    if place(Role::Row).is_none() || place(Role::Column).is_none() {
        return Err(unsupported("a Zarr array without rows and columns"));
    }
    for (at, axis) in axes.iter().enumerate() {
        if axes[..at].iter().any(|a| a.role == axis.role) {
            return Err(damaged("two axes of the Zarr array are the same"));
        }
    }
    if array.shape.contains(&0) {
        return Err(damaged("the Zarr array is empty"));
    }
    let time = index("time", Role::Time, selector.time)?;
    let planes = match selector.plane {
        None => [0, length(Role::Plane)],
        some => [index("plane", Role::Plane, some)?, 1],
    };
    let [row, column, rows, columns] =
        Region::within(selector.region, length(Role::Row), length(Role::Column))?;
    let channels = length(Role::Channel);
    let shape = [channels, planes[1], rows, columns];
    let count = limits.check(shape)?;
    // Where a step along an axis leads in the result.
    let steps = [planes[1] * rows * columns, rows * columns, columns, 1];
    let parts: Vec<Window> = axes
        .iter()
        .map(|axis| match axis.role {
            Role::Time => Window {
                start: time,
                length: 1,
                step: 0,
            },
            Role::Channel => Window {
                start: 0,
                length: channels,
                step: steps[0],
            },
            Role::Plane => Window {
                start: planes[0],
                length: planes[1],
                step: steps[1],
            },
            Role::Row => Window {
                start: row,
                length: rows,
                step: steps[2],
            },
            Role::Column => Window {
                start: column,
                length: columns,
                step: steps[3],
            },
        })
        .collect();
    let (values, bits) = array.read(files, &parts, count, selector.absent_is_fill, limits)?;
    Ok(Raw::plain(shape.map(|s| s as usize), values, bits))
}

/// The size of a pixel from the length of a step along each axis of space, where its unit is known.
fn pixel_size(axes: &[Axis], scale: &[f64]) -> Option<PixelSize> {
    let of = |role| {
        let at = axes.iter().position(|a| a.role == role)?;
        let value = scale.get(at)? * axes[at].micrometres?;
        (value.is_finite() && value > 0.0).then_some(value)
    };
    Some(PixelSize {
        row_um: of(Role::Row)?,
        column_um: of(Role::Column)?,
        plane_um: of(Role::Plane),
    })
}
