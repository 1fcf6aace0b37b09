//! GeoJSON as QuPath and its like write it: polygons in pixels, x before y.

use serde::Deserialize;
use transect_core::Error;
use transect_core::codes::manifest as codes;

use super::{MOST_OUTLINES, Outline, Ring, Shape, broken, check_ring};
use crate::bounded;

/// A collection, or a feature alone.
#[derive(Deserialize)]
struct Top {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    features: Option<Vec<Feature>>,
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    geometry: Option<Geometry>,
    #[serde(default)]
    properties: Option<Properties>,
}

#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    geometry: Option<Geometry>,
    #[serde(default)]
    properties: Option<Properties>,
}

#[derive(Deserialize)]
struct Properties {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    classification: Option<Classification>,
}

/// QuPath: an object with a name, or with names; its older files and others: a plain text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Classification {
    Plain(String),
    Named {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        names: Option<Vec<String>>,
    },
}

#[derive(Deserialize)]
struct Geometry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    coordinates: serde_json::Value,
    #[serde(default)]
    plane: Option<Plane>,
}

/// QuPath's place in a stack.
#[derive(Deserialize)]
struct Plane {
    #[serde(default)]
    z: i64,
    #[serde(default)]
    t: i64,
}

/// The outlines of a GeoJSON file: each polygon (with its holes) or group of polygons is one object, named by its place, its
/// `id` and its `name`; its class is `properties.classification`.
///
/// # Errors
/// `T022` for what is not GeoJSON, `T023` for more than four million objects, `T024` for points, lines, several planes or a
/// broken polygon.
pub fn geojson(bytes: &[u8]) -> Result<Vec<Outline>, Error> {
    let what = "GeoJSON of features";
    let list = bytes.iter().find(|b| b.is_ascii_punctuation()) == Some(&b'[');
    let features: Vec<Feature> = if list {
        bounded::parse(bytes, what)?
    } else {
        let top: Top = bounded::parse(bytes, what)?;
        match top.kind.as_str() {
            "FeatureCollection" => top.features.unwrap_or_default(),
            "Feature" => vec![Feature {
                id: top.id,
                geometry: top.geometry,
                properties: top.properties,
            }],
            other => {
                return Err(Error::new(
                    &codes::ANNOTATIONS,
                    format!("this is not {what}: its type is `{}`", other.escape_debug()),
                )
                .help("export the objects as a FeatureCollection"));
            }
        }
    };
    if features.len() > MOST_OUTLINES {
        return Err(Error::new(
            &codes::ANNOTATION_LIMITS,
            format!(
                "the file has {} objects; at most {MOST_OUTLINES} are read",
                features.len()
            ),
        ));
    }
    let mut plane = None;
    features
        .into_iter()
        .enumerate()
        .map(|(index, feature)| {
            let mut name = format!("feature {}", index + 1);
            match &feature.id {
                Some(serde_json::Value::String(id)) => name = format!("{name} ({id})"),
                Some(serde_json::Value::Number(id)) => name = format!("{name} ({id})"),
                _ => {}
            }
            let properties = feature.properties.unwrap_or(Properties {
                name: None,
                classification: None,
            });
            if let Some(own) = properties.name.filter(|n| !n.is_empty()) {
                name = format!("{name} `{}`", own.escape_debug());
            }
            let in_place = |e: Error| {
                let message = format!("{name}: {}", e.message);
                Error { message, ..e }
            };
            let geometry = feature
                .geometry
                .ok_or_else(|| in_place(broken("it has no geometry")))?;
            let here = geometry.plane.as_ref().map_or((0, 0), |p| (p.z, p.t));
            if *plane.get_or_insert(here) != here {
                return Err(
                    in_place(broken("it lies in another plane than those before it"))
                        .help("export one file for each plane"),
                );
            }
            let groups = groups(&geometry).map_err(in_place)?;
            let class = properties.classification.and_then(|c| match c {
                Classification::Plain(name) => Some(name),
                Classification::Named { name, names } => {
                    name.or_else(|| names.map(|n| n.join(": ")))
                }
            });
            Ok(Outline {
                name,
                class: class.filter(|c| !c.is_empty()),
                shape: Shape::Rings(groups),
            })
        })
        .collect()
}

fn groups(geometry: &Geometry) -> Result<Vec<Vec<Ring>>, Error> {
    let list = |value: &serde_json::Value| {
        value
            .as_array()
            .cloned()
            .ok_or_else(|| broken("its coordinates are not the lists of a polygon"))
    };
    let polygon = |value: &serde_json::Value| -> Result<Vec<Ring>, Error> {
        list(value)?.iter().map(ring).collect()
    };
    match geometry.kind.as_str() {
        "Polygon" => Ok(vec![polygon(&geometry.coordinates)?]),
        "MultiPolygon" => list(&geometry.coordinates)?.iter().map(polygon).collect(),
        other => Err(broken(format!(
            "it is a {}, which has no inside",
            other.escape_debug()
        ))
        .help("export polygons alone")),
    }
}

fn ring(value: &serde_json::Value) -> Result<Ring, Error> {
    let wrong = || broken("its coordinates are not the lists of a polygon");
    let points = value.as_array().ok_or_else(wrong)?;
    let ring: Ring = points
        .iter()
        .map(|point| {
            let x = point.get(0).and_then(serde_json::Value::as_f64);
            let y = point.get(1).and_then(serde_json::Value::as_f64);
            Some([y?, x?])
        })
        .collect::<Option<Ring>>()
        .ok_or_else(wrong)?;
    check_ring(&ring)?;
    Ok(ring)
}
