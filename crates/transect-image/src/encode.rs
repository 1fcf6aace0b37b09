//! Images and labels to bytes.

use transect_core::codes::image as codes;
use transect_core::{Dtype, Error, Image, LabelImage, Result};

/// A PNG of an image of 8- or 16-bit unsigned integers with one (grey) or three (red, green, blue) channels.
///
/// Samples are rounded to the nearest integer and clipped to the type's range; [`crate::decode`] gives back what
/// [`Image::quantise`] leaves.
///
/// # Errors
/// `T112` for other types, other numbers of channels, several planes, or NaN.
pub fn encode_png(image: &Image) -> Result<Vec<u8>> {
    let [channels, planes, rows, columns] = image.shape();
    let refuse = |what: String| Error::new(&codes::IMAGE_ENCODE, what).help("write it as NPY");
    let colour = match channels {
        1 => png::ColorType::Grayscale,
        3 => png::ColorType::Rgb,
        other => return Err(refuse(format!("an image of {other} channels"))),
    };
    if planes != 1 {
        return Err(refuse(format!("an image of {planes} planes")));
    }
    if image.samples().iter().any(|s| s.is_nan()) {
        return Err(refuse("an image with NaN".to_owned()));
    }
    let (depth, most) = match image.dtype {
        Dtype::Uint8 => (png::BitDepth::Eight, 255.0),
        Dtype::Uint16 => (png::BitDepth::Sixteen, 65_535.0),
        other => return Err(refuse(format!("an image of {}", other.name()))),
    };
    let size = rows * columns;
    let mut bytes = Vec::with_capacity(size * channels * 2);
    for at in 0..size {
        for channel in 0..channels {
            let sample = image.samples()[channel * size + at]
                .round_ties_even()
                .clamp(0.0, most) as u16;
            if depth == png::BitDepth::Sixteen {
                bytes.extend(sample.to_be_bytes());
            } else {
                bytes.push(sample as u8);
            }
        }
    }
    write_png(rows, columns, colour, depth, &bytes)
        .ok_or_else(|| refuse(format!("an image of {columns} × {rows} pixels")))
}

/// A PNG of `rows × columns` pixels of red, green, blue bytes, row by row.
///
/// # Panics
/// When there is no pixel, when a side passes 2³¹ − 1, or when `rgb` does not hold three bytes for each pixel.
pub fn encode_png_rgb(rows: usize, columns: usize, rgb: &[u8]) -> Vec<u8> {
    assert_eq!(
        rgb.len(),
        rows * columns * 3,
        "{columns} × {rows} pixels need three bytes each"
    );
    let png = write_png(
        rows,
        columns,
        png::ColorType::Rgb,
        png::BitDepth::Eight,
        rgb,
    );
    assert!(png.is_some(), "a PNG cannot have {columns} × {rows} pixels");
    png.unwrap_or_default()
}

/// A label image as a file: a grey PNG of 16 bits where every label is at most 65,535, otherwise a TIFF of 32-bit
/// unsigned integers. [`crate::decode_labels`] gives back the same labels.
pub fn encode_labels(labels: &LabelImage) -> Vec<u8> {
    if labels.labels().iter().all(|l| u16::try_from(*l).is_ok()) {
        let bytes: Vec<u8> = labels
            .labels()
            .iter()
            .flat_map(|l| (*l as u16).to_be_bytes())
            .collect();
        let png = write_png(
            labels.rows(),
            labels.columns(),
            png::ColorType::Grayscale,
            png::BitDepth::Sixteen,
            &bytes,
        );
        if let Some(png) = png {
            return png;
        }
    }
    tiff_labels(labels)
}

fn write_png(
    rows: usize,
    columns: usize,
    colour: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(
        &mut out,
        u32::try_from(columns).ok()?,
        u32::try_from(rows).ok()?,
    );
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(bytes).ok()?;
    writer.finish().ok()?;
    Some(out)
}

/// One strip, no compression, little endian; BigTIFF so that size is no question.
fn tiff_labels(labels: &LabelImage) -> Vec<u8> {
    let length = labels.labels().len() as u64 * 4;
    // (tag, field type, value): 4 is a 32-bit, 3 a 16-bit, 16 a 64-bit unsigned integer.
    let entries: [(u16, u16, u64); 10] = [
        (256, 4, labels.columns() as u64),
        (257, 4, labels.rows() as u64),
        (258, 3, 32),
        (259, 3, 1),
        (262, 3, 1),
        (273, 16, 16 + 8 + 10 * 20 + 8),
        (277, 3, 1),
        (278, 4, labels.rows() as u64),
        (279, 16, length),
        (339, 3, 1),
    ];
    let mut out = b"II+\0\x08\0\0\0".to_vec();
    out.extend(16_u64.to_le_bytes());
    out.extend((entries.len() as u64).to_le_bytes());
    for (tag, kind, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(1_u64.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend(0_u64.to_le_bytes());
    for label in labels.labels() {
        out.extend(label.to_le_bytes());
    }
    out
}
