//! JPEG, baseline and progressive, grey and colour.

use std::io::Cursor;

use transect_core::Result;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::raw::{Colour, Raw, Values};
use crate::{Limits, damaged, unsupported};

/// Rows, columns, channels and the bytes of a JPEG, pixel by pixel.
pub(crate) struct Decoded {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) channels: usize,
    pub(crate) bytes: Vec<u8>,
}

/// Decodes a stream. Colours become red, green, blue, or stay `as_stored` where a file around the stream says what they are.
pub(crate) fn decode(bytes: &[u8], as_stored: bool, limits: &Limits) -> Result<Decoded> {
    let side = limits.max_side as usize;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(side)
        .set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(explain)?;
    let info = decoder
        .info()
        .ok_or_else(|| damaged("the JPEG has no header"))?;
    let (rows, columns) = (usize::from(info.height), usize::from(info.width));
    let (channels, space) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (1, ColorSpace::Luma),
        Some(stored @ (ColorSpace::YCbCr | ColorSpace::RGB)) if as_stored => (3, stored),
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => (3, ColorSpace::RGB),
        other => {
            return Err(unsupported(format!("a JPEG with the colours {other:?}"))
                .help("save it as grey or as RGB"));
        }
    };
    limits.check([channels as u64, 1, rows as u64, columns as u64])?;
    // Every block takes at least one bit, so a byte cannot give more than some thousand samples.
    if channels * rows * columns / 4096 > bytes.len() {
        return Err(damaged(format!(
            "the JPEG has {} bytes, too few for {columns} × {rows} pixels",
            bytes.len()
        )));
    }
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let bytes = decoder.decode().map_err(explain)?;
    if bytes.len() != channels * rows * columns {
        return Err(damaged(
            "the JPEG holds another number of samples than its header says",
        ));
    }
    Ok(Decoded {
        rows,
        columns,
        channels,
        bytes,
    })
}

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    let Decoded {
        rows,
        columns,
        channels,
        bytes: buffer,
    } = decode(bytes, false, limits)?;
    let size = rows * columns;
    let values = if channels == 1 {
        buffer
    } else {
        let mut values = vec![0; channels * size];
        for (at, pixel) in buffer.chunks_exact(channels).enumerate() {
            for (channel, &sample) in pixel.iter().enumerate() {
                values[channel * size + at] = sample;
            }
        }
        values
    };
    Ok(Raw {
        shape: [channels, 1, rows, columns],
        values: Values::U8(values),
        bits: 8,
        colour: if channels == 3 {
            Colour::Rgb
        } else {
            Colour::Plain
        },
        alpha: None,
        pixel_size: None,
        channel_names: Vec::new(),
        wavelengths: None,
    })
}

fn explain(error: DecodeErrors) -> transect_core::Error {
    match error {
        DecodeErrors::Unsupported(what) => unsupported(format!("the JPEG uses {what:?}"))
            .help("save it as a baseline JPEG or as PNG"),
        DecodeErrors::LargeDimensions(side) => transect_core::Error::new(
            &transect_core::codes::image::IMAGE_LIMITS,
            format!("a side of the JPEG has {side} pixels"),
        ),
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => damaged("the JPEG is cut short"),
        other => damaged(format!("the JPEG cannot be decoded: {other:?}")),
    }
}
