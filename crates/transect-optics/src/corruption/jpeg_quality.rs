//! JPEG: a copy that was saved as one.

use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};
use transect_core::{Dtype, Error, Image, LabelImage, Modality, Result, View};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Corruption, as_declared};
use crate::view::{Made, MakeContext, unsupported};

pub(super) const CORRUPTION: Corruption = Corruption {
    name: "jpeg_quality",
    words: "JPEG compression",
    parameter: "JPEG quality",
    unit: "quality",
    identity: 100.0,
    ladder: [80.0, 60.0, 40.0, 20.0, 10.0],
    range: (1.0, 100.0),
    modalities: &[
        Modality::Fluorescence,
        Modality::Brightfield,
        Modality::Phase,
        Modality::Photo,
        Modality::Unknown,
    ],
    standard: &[
        Modality::Fluorescence,
        Modality::Brightfield,
        Modality::Phase,
        Modality::Photo,
        Modality::Unknown,
    ],
    random: false,
    moves_geometry: false,
    note: "baseline JPEG with the standard tables, colour at half resolution; 100 stands for the image as it is; only for 8-bit images with one or three channels",
    in_units: as_declared,
    run,
};

fn run(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    _: &MakeContext<'_>,
) -> Result<Made> {
    let [channels, planes, rows, columns] = image.shape();
    if image.dtype != Dtype::Uint8 || !matches!(channels, 1 | 3) {
        return Err(unsupported(format!(
            "`jpeg_quality` needs an 8-bit image with one or three channels, got {} with {channels}",
            image.dtype.name()
        )));
    }
    let (Ok(height), Ok(width)) = (u16::try_from(rows), u16::try_from(columns)) else {
        return Err(unsupported(format!(
            "a JPEG has at most 65535 rows and columns, the image {rows} × {columns}"
        )));
    };
    let quality = view.value.round() as u8;
    let size = rows * columns;
    let mut result = image.clone();
    for plane in 0..planes {
        let mut bytes = vec![0_u8; size * channels];
        for channel in 0..channels {
            for (out, &sample) in bytes[channel..]
                .iter_mut()
                .step_by(channels)
                .zip(image.plane(channel, plane))
            {
                *out = sample as u8;
            }
        }
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, quality);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
        let colour = if channels == 3 {
            ColorType::Rgb
        } else {
            ColorType::Luma
        };
        encoder
            .encode(&bytes, width, height, colour)
            .map_err(|e| failed(&e.to_string()))?;
        let space = if channels == 3 {
            ColorSpace::RGB
        } else {
            ColorSpace::Luma
        };
        let options = DecoderOptions::default()
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_out_colorspace(space);
        let pixels = JpegDecoder::new_with_options(ZCursor::new(&file), options)
            .decode()
            .map_err(|e| failed(&e.to_string()))?;
        if pixels.len() != bytes.len() {
            return Err(failed("the decoder gave another number of samples"));
        }
        for channel in 0..channels {
            for (out, &level) in result
                .plane_mut(channel, plane)
                .iter_mut()
                .zip(pixels[channel..].iter().step_by(channels))
            {
                *out = f32::from(level);
            }
        }
    }
    Ok(Made {
        image: result,
        truth: truth.cloned(),
        donor_row: None,
    })
}

fn failed(cause: &str) -> Error {
    unsupported(format!(
        "the image cannot be saved as JPEG and read back: {cause}"
    ))
}
