//! PNG.

use std::io::Cursor;

use png::{BitDepth, ColorType, DecodingError, Transformations};
use transect_core::Result;

use crate::raw::{Colour, Raw, Values};
use crate::{Limits, damaged, unsupported};

pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Raw> {
    let memory = usize::try_from(limits.max_decoded_bytes).unwrap_or(usize::MAX);
    let mut decoder =
        png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: memory });
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let (width, height, channels) = {
        let info = decoder.read_header_info().map_err(explain)?;
        (info.width, info.height, info.color_type.samples())
    };
    limits.check([channels as u64, 1, u64::from(height), u64::from(width)])?;
    let mut reader = decoder.read_info().map_err(explain)?;
    if reader.info().is_animated() {
        return Err(unsupported("an animated PNG").help("save each frame as a file"));
    }
    let length = reader
        .output_buffer_size()
        .ok_or_else(|| damaged("the size of the PNG overflows"))?;
    // Deflate gives at most 1,032 bytes for one.
    if length / 1100 > bytes.len() {
        return Err(damaged(format!(
            "the PNG has {} bytes, too few for the {length} of its pixels",
            bytes.len()
        )));
    }
    let mut buffer = vec![0; length];
    let frame = reader.next_frame(&mut buffer).map_err(explain)?;
    let (rows, columns) = (height as usize, width as usize);
    if frame.width != width || frame.height != height {
        return Err(unsupported("a PNG whose frame is not the whole image"));
    }
    let bits = frame.bit_depth as u32;
    let size = rows * columns;
    let values = match frame.bit_depth {
        BitDepth::Sixteen => {
            let mut values = vec![0_u16; channels * size];
            for (at, pixel) in buffer.chunks_exact(2 * channels).take(size).enumerate() {
                for (channel, sample) in pixel.chunks_exact(2).enumerate() {
                    values[channel * size + at] = u16::from_be_bytes([sample[0], sample[1]]);
                }
            }
            Values::U16(values)
        }
        BitDepth::Eight if channels == 1 => {
            buffer.truncate(size);
            Values::U8(buffer)
        }
        BitDepth::Eight => {
            let mut values = vec![0_u8; channels * size];
            for (at, pixel) in buffer.chunks_exact(channels).take(size).enumerate() {
                for (channel, &sample) in pixel.iter().enumerate() {
                    values[channel * size + at] = sample;
                }
            }
            Values::U8(values)
        }
        // Only grey and palette have fewer than eight bits: one channel.
        BitDepth::One | BitDepth::Two | BitDepth::Four => {
            let mut values = Vec::with_capacity(size);
            let mask = (1_u16 << bits) as u8 - 1;
            let per_byte = 8 / bits as usize;
            for row in buffer.chunks_exact(frame.line_size).take(rows) {
                for column in 0..columns {
                    let shift = 8 - bits as usize * (column % per_byte + 1);
                    values.push(row[column / per_byte] >> shift & mask);
                }
            }
            Values::U8(values)
        }
    };
    let info = reader.info();
    let transparency = info.trns.as_deref();
    let mut raw = Raw {
        shape: [channels, 1, rows, columns],
        values,
        bits,
        colour: Colour::Plain,
        alpha: None,
        pixel_size: None,
        channel_names: Vec::new(),
        wavelengths: None,
    };
    match frame.color_type {
        ColorType::Grayscale => {}
        ColorType::GrayscaleAlpha => raw.alpha = Some(1),
        ColorType::Rgb => raw.colour = Colour::Rgb,
        ColorType::Rgba => {
            raw.colour = Colour::Rgb;
            raw.alpha = Some(3);
        }
        ColorType::Indexed => {
            let colours = info
                .palette
                .as_deref()
                .ok_or_else(|| damaged("the PNG has indices but no palette"))?;
            raw.colour = Colour::Palette(
                colours
                    .chunks_exact(3)
                    .enumerate()
                    .map(|(i, c)| {
                        [
                            c[0],
                            c[1],
                            c[2],
                            transparency.and_then(|t| t.get(i).copied()).unwrap_or(255),
                        ]
                    })
                    .collect(),
            );
        }
    }
    // Grey and colour images may declare one value to be transparent.
    if matches!(frame.color_type, ColorType::Grayscale | ColorType::Rgb)
        && let Some(key) = transparency
    {
        // Two bytes for each channel in the file; the reader keeps only the low ones for up to eight bits.
        let key: Vec<u16> = if key.len() == channels {
            key.iter().map(|k| u16::from(*k)).collect()
        } else {
            key.chunks_exact(2)
                .map(|k| u16::from_be_bytes([k[0], k[1]]))
                .collect()
        };
        let matches = (0..size).filter(|at| {
            key.len() == channels
                && key
                    .iter()
                    .enumerate()
                    .all(|(channel, &k)| match &raw.values {
                        Values::U8(v) => u16::from(v[channel * size + at]) == k,
                        Values::U16(v) => v[channel * size + at] == k,
                        _ => false,
                    })
        });
        let clear = matches.count();
        if clear > 0 {
            return Err(transect_core::Error::new(
                &transect_core::codes::image::IMAGE_ALPHA,
                format!(
                    "{clear} of {size} pixels have the value that the file declares transparent"
                ),
            )
            .help("save the image without transparency, on the background that you mean"));
        }
    }
    Ok(raw)
}

fn explain(error: DecodingError) -> transect_core::Error {
    match error {
        DecodingError::LimitsExceeded => transect_core::Error::new(
            &transect_core::codes::image::IMAGE_LIMITS,
            "the PNG would take more memory than the limit",
        ),
        DecodingError::IoError(_) => damaged("the PNG is cut short"),
        DecodingError::Format(what) => damaged(format!("the PNG cannot be decoded: {what}")),
        DecodingError::Parameter(what) => damaged(format!("the PNG cannot be decoded: {what}")),
    }
}
