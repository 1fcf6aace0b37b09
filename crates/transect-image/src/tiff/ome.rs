//! OME-XML: which page is which channel, plane and point in time, as the first directory of an OME-TIFF says it.
//!
//! Of the XML only sizes, orders, channel names and physical sizes are taken. Names of people, instruments and dates are never
//! read.

use roxmltree::{Document, Node};
use transect_core::codes::image as codes;
use transect_core::{Error, PixelSize, Result};

use super::directory::{Directory, File};
use super::meta::micrometres;
use super::stack::{Facts, Page, Stack};
use crate::limits_exceeded;

/// Whether a description is OME-XML.
pub(super) fn is(description: &str) -> bool {
    description.contains("<OME") || description.contains(":OME ")
}

fn disagree(what: impl Into<String>) -> Error {
    Error::new(&codes::IMAGE_OME, what).help(
        "save the file again with the program that wrote it, or name single pages by `page`, which leaves OME-XML aside",
    )
}

fn parse(xml: &str) -> Result<Document<'_>> {
    Document::parse(xml.trim_start_matches('\u{feff}').trim())
        .map_err(|e| disagree(format!("the OME-XML cannot be read: {e}")))
}

/// Children of this name, whatever the version of the schema.
fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children()
        .filter(move |n| n.is_element() && n.tag_name().name() == name)
}

fn whole(node: Node, name: &str) -> Result<Option<u64>> {
    node.attribute(name)
        .map(|text| {
            text.trim().parse().map_err(|_| {
                disagree(format!(
                    "the OME-XML says {name} = {text:?}, which is not a whole number"
                ))
            })
        })
        .transpose()
}

/// `PhysicalSizeX`, `Y` and `Z` of an element; micrometres where no unit is given, as the schema says.
fn physical(pixels: Node) -> Option<PixelSize> {
    let size = |axis: &str| -> Option<f64> {
        let value: f64 = pixels
            .attribute(format!("PhysicalSize{axis}").as_str())?
            .trim()
            .parse()
            .ok()?;
        let unit = match pixels.attribute(format!("PhysicalSize{axis}Unit").as_str()) {
            Some(unit) => micrometres(unit)?,
            None => 1.0,
        };
        Some(value * unit).filter(|v| v.is_finite() && *v > 0.0)
    };
    Some(PixelSize {
        row_um: size("Y")?,
        column_um: size("X")?,
        plane_um: size("Z"),
    })
}

fn pixels_of<'a, 'i>(document: &'a Document<'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    children(document.root_element(), "Image").filter_map(|image| children(image, "Pixels").next())
}

/// The physical size of a pixel of the first image.
pub(super) fn pixel_size(xml: &str) -> Option<PixelSize> {
    let document = parse(xml).ok()?;
    let first = pixels_of(&document).next()?;
    physical(first)
}

/// The images that the XML describes, each with its pages.
pub(super) fn stacks(
    xml: &str,
    name: &str,
    file: &File,
    directories: &[Directory],
) -> Result<Vec<Stack>> {
    let document = parse(xml)?;
    let root = document.root_element();
    if let Some(other) = children(root, "BinaryOnly").next() {
        return Err(several_files(&[other
            .attribute("MetadataFile")
            .unwrap_or("a file that it does not name")]));
    }
    let own = root.attribute("UUID");
    let mut used = vec![false; directories.len()];
    let mut stacks = Vec::new();
    for pixels in pixels_of(&document) {
        stacks.push(one(pixels, own, name, file, directories, &mut used)?);
    }
    if stacks.is_empty() {
        return Err(disagree("the OME-XML describes no image"));
    }
    if let Some(unknown) = used.iter().position(|u| !u) {
        return Err(disagree(format!(
            "the file has {} pages, and the OME-XML does not say what page {unknown} is",
            directories.len()
        )));
    }
    Ok(stacks)
}

fn several_files(others: &[&str]) -> Error {
    let shown: Vec<&str> = others.iter().copied().take(4).collect();
    crate::unsupported(format!(
        "an OME-TIFF whose planes lie in several files (also {}{})",
        shown.join(", "),
        if others.len() > shown.len() {
            ", …"
        } else {
            ""
        }
    ))
    .help("join them to one file with Bio-Formats: bfconvert IN joined.ome.tif")
}

fn one(
    pixels: Node,
    own: Option<&str>,
    name: &str,
    file: &File,
    directories: &[Directory],
    used: &mut [bool],
) -> Result<Stack> {
    let size = |axis: &str| -> Result<usize> {
        whole(pixels, axis)?
            .filter(|n| *n > 0)
            .and_then(|n| usize::try_from(n).ok())
            .ok_or_else(|| disagree(format!("the OME-XML has no {axis}")))
    };
    let (columns, rows) = (size("SizeX")?, size("SizeY")?);
    let (depth, channels, times) = (size("SizeZ")?, size("SizeC")?, size("SizeT")?);
    let order = pixels.attribute("DimensionOrder").unwrap_or("XYZCT");
    let axes: Vec<usize> = order
        .bytes()
        .skip(2)
        .filter_map(|b| b"CZT".iter().position(|a| *a == b))
        .collect();
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if !order.starts_with("XY") || sorted != [0, 1, 2] {
        return Err(disagree(format!(
            "the OME-XML has the DimensionOrder {order:?}"
        )));
    }

    // Channels may have several samples in one page.
    let mut names = Vec::new();
    let mut samples = Vec::new();
    for channel in children(pixels, "Channel") {
        let n = whole(channel, "SamplesPerPixel")?
            .unwrap_or(1)
            .clamp(1, 1 << 16) as usize;
        samples.push(n);
        let label = channel.attribute("Name").unwrap_or_default().trim();
        names.push((label.to_owned(), n));
    }
    let described: usize = samples.iter().sum();
    let per_page = match samples.first() {
        Some(_) if described != channels => {
            return Err(disagree(format!(
                "the OME-XML says SizeC = {channels} and describes {described} channels"
            )));
        }
        Some(&n) if samples.iter().all(|s| *s == n) => n,
        Some(_) => {
            return Err(crate::unsupported(
                "an OME-TIFF whose channels have different numbers of samples",
            )
            .help("split the channels into files"));
        }
        None => {
            let first = directories
                .first()
                .map(|d| Facts::of(file, d))
                .transpose()?;
            let n = first.map_or(1, |f| f.channels);
            if n == 0 || !channels.is_multiple_of(n) {
                1
            } else {
                n
            }
        }
    };
    let sizes = [channels / per_page, depth, times];
    let count = sizes
        .iter()
        .try_fold(1_usize, |n, s| n.checked_mul(*s))
        .filter(|n| *n <= 1 << 24)
        .ok_or_else(|| {
            limits_exceeded(format!(
                "the OME-XML speaks of {sizes:?} channels, planes and times"
            ))
        })?;

    let place = |[c, z, t]: [usize; 3]| c + sizes[0] * (z + sizes[1] * t);
    let mut pages: Vec<Option<u32>> = vec![None; count.min(directories.len() * 2 + 1)];
    if count > directories.len() {
        return Err(disagree(format!(
            "the OME-XML speaks of {count} planes ({} channels, {depth} planes, {times} points in time), and the file has {} pages",
            sizes[0],
            directories.len()
        )));
    }
    let mut others = Vec::new();
    let mut blocks = 0;
    for data in children(pixels, "TiffData") {
        blocks += 1;
        if let Some(uuid) = children(data, "UUID").next() {
            let other = uuid.attribute("FileName");
            let elsewhere = match (own, uuid.text().map(str::trim)) {
                (Some(own), Some(text)) => own.trim() != text,
                _ => other.is_some_and(|o| Some(o) != name.rsplit(['/', '\\']).next()),
            };
            if elsewhere {
                others.push(other.unwrap_or("a file that it does not name"));
                continue;
            }
        }
        let ifd = whole(data, "IFD")?;
        let most = match (ifd, whole(data, "PlaneCount")?) {
            (_, Some(n)) => n,
            (Some(_), None) => 1,
            (None, None) => count as u64,
        };
        let first = |axis: &str| Ok::<_, Error>(whole(data, axis)?.unwrap_or(0));
        let mut at = [first("FirstC")?, first("FirstZ")?, first("FirstT")?];
        let start = ifd.unwrap_or(0);
        for step in 0..most {
            let inside = at.iter().zip(sizes).all(|(a, s)| *a < s as u64);
            if !inside {
                if step > 0 && ifd.is_none() {
                    break;
                }
                return Err(disagree(format!(
                    "the OME-XML speaks of channel {}, plane {}, time {} of {} × {depth} × {times}",
                    at[0], at[1], at[2], sizes[0]
                )));
            }
            let page = start
                .checked_add(step)
                .filter(|p| *p < directories.len() as u64)
                .ok_or_else(|| {
                    disagree(format!(
                        "the OME-XML speaks of page {}, and the file has {}, counted from 0",
                        start.saturating_add(step),
                        directories.len()
                    ))
                })?;
            let index = place(at.map(|a| a as usize));
            if pages[index].is_some_and(|p| u64::from(p) != page) {
                return Err(disagree(format!(
                    "the OME-XML names two pages for channel {}, plane {}, time {}",
                    at[0], at[1], at[2]
                )));
            }
            pages[index] = Some(page as u32);
            // The next one in the stated order.
            for &axis in &axes {
                at[axis] += 1;
                if at[axis] < sizes[axis] as u64 || axis == axes[2] {
                    break;
                }
                at[axis] = 0;
            }
        }
    }
    if !others.is_empty() {
        others.dedup();
        return Err(several_files(&others));
    }
    if blocks == 0 {
        // Without a word on it, pages follow one another in the stated order.
        for (page, slot) in (0..count).zip(0_u32..) {
            let mut rest = page;
            let mut at = [0; 3];
            for &axis in &axes {
                at[axis] = rest % sizes[axis];
                rest /= sizes[axis];
            }
            pages[place(at)] = Some(slot);
        }
    }
    let wanted = pixels.attribute("Type");
    let mut found = Vec::with_capacity(count);
    for (index, page) in pages.iter().take(count).enumerate() {
        let Some(page) = page else {
            let (c, rest) = (index % sizes[0], index / sizes[0]);
            return Err(disagree(format!(
                "the OME-XML does not say where channel {c}, plane {}, time {} is",
                rest % sizes[1],
                rest / sizes[1]
            )));
        };
        used[*page as usize] = true;
        let facts = Facts::of(file, &directories[*page as usize])?;
        if (facts.rows, facts.columns, facts.channels) != (rows, columns, per_page) {
            return Err(disagree(format!(
                "the OME-XML says {rows} rows, {columns} columns and {per_page} samples for each pixel; page {page} has {}, {} and {}",
                facts.rows, facts.columns, facts.channels
            )));
        }
        if let Some(wanted) = wanted
            && !facts.is_ome_type(wanted)
        {
            return Err(disagree(format!(
                "the OME-XML says the type {wanted}; page {page} has {}",
                facts.type_name()
            )));
        }
        found.push(Page {
            directory: *page as usize,
            shift: 0,
        });
    }
    // A name is kept where every channel has one of its own.
    let mut labels: Vec<String> = Vec::new();
    for (label, n) in &names {
        if *n == 1 {
            labels.push(label.clone());
        }
    }
    let mut unique = labels.clone();
    unique.sort();
    unique.dedup();
    if labels.iter().any(String::is_empty) || labels.len() != channels || unique.len() != channels {
        labels.clear();
    }
    Ok(Stack {
        pages: found,
        channels: sizes[0],
        planes: depth,
        times,
        names: labels,
        pixel_size: physical(pixels),
        size_is_settled: true,
    })
}
