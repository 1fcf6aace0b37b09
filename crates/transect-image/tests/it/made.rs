//! Files made here: what goes in comes out.

use insta::assert_snapshot;
use proptest::prelude::*;
use transect_core::{Dtype, Image, Kind, LabelImage, PixelSize};
use transect_image::{
    Format, Limits, decode, decode_labels, encode_labels, encode_png, encode_png_rgb, name_note,
    non_finite, npy, pages, stack,
};

/// A TIFF of one page from tags and pixels: little or big endian, one strip unless the tags say otherwise.
pub(crate) struct Tiff {
    pub(crate) little: bool,
    /// (tag, field type, values); types 3 (16 bit), 4 (32 bit), 2 (text), 5 (pairs of 32 bit).
    pub(crate) tags: Vec<(u16, u16, Vec<u32>)>,
    /// One entry for each strip or tile, already packed.
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) tiled: bool,
}

impl Tiff {
    pub(crate) fn new(columns: u32, rows: u32, bits: u32, photometric: u32) -> Self {
        Self {
            little: true,
            tags: vec![
                (256, 4, vec![columns]),
                (257, 4, vec![rows]),
                (258, 3, vec![bits]),
                (259, 3, vec![1]),
                (262, 3, vec![photometric]),
            ],
            chunks: Vec::new(),
            tiled: false,
        }
    }

    pub(crate) fn tag(mut self, tag: u16, kind: u16, values: &[u32]) -> Self {
        self.tags.retain(|t| t.0 != tag);
        self.tags.push((tag, kind, values.to_vec()));
        self
    }

    pub(crate) fn text(self, tag: u16, text: &str) -> Self {
        let values: Vec<u32> = text.bytes().chain([0]).map(u32::from).collect();
        self.tag(tag, 2, &values)
    }

    pub(crate) fn chunk(mut self, bytes: &[u8]) -> Self {
        self.chunks.push(bytes.to_vec());
        self
    }

    pub(crate) fn clone_of(&self) -> Self {
        Self {
            little: self.little,
            tags: self.tags.clone(),
            chunks: self.chunks.clone(),
            tiled: self.tiled,
        }
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut out = if self.little {
            b"II*\0".to_vec()
        } else {
            b"MM\0*".to_vec()
        };
        out.extend([0; 4]);
        self.append(&mut out, 4);
        out
    }

    /// Adds the directory, points to it from `link`, and gives the place where the next one is to be pointed to.
    fn append(&self, out: &mut Vec<u8>, link: usize) -> usize {
        let u16s = |v: u32| {
            if self.little {
                (v as u16).to_le_bytes().to_vec()
            } else {
                (v as u16).to_be_bytes().to_vec()
            }
        };
        let u32s = |v: u32| {
            if self.little {
                v.to_le_bytes().to_vec()
            } else {
                v.to_be_bytes().to_vec()
            }
        };
        let mut offsets = Vec::new();
        let mut lengths = Vec::new();
        for chunk in &self.chunks {
            offsets.push(out.len() as u32);
            lengths.push(chunk.len() as u32);
            out.extend(chunk);
        }
        let mut tags = self.tags.clone();
        let (at, length) = if self.tiled { (324, 325) } else { (273, 279) };
        for (tag, values) in [(at, offsets), (length, lengths)] {
            if !tags.iter().any(|t| t.0 == tag) {
                tags.push((tag, 4, values));
            }
        }
        tags.sort_by_key(|t| t.0);
        let mut entries = Vec::new();
        for (tag, kind, values) in &tags {
            let bytes: Vec<u8> = match kind {
                2 => values.iter().map(|v| *v as u8).collect(),
                3 => values.iter().flat_map(|v| u16s(*v)).collect(),
                _ => values.iter().flat_map(|v| u32s(*v)).collect(),
            };
            let count = if *kind == 5 {
                values.len() / 2
            } else {
                values.len()
            };
            entries.extend(u16s(u32::from(*tag)));
            entries.extend(u16s(u32::from(*kind)));
            entries.extend(u32s(count as u32));
            if bytes.len() <= 4 {
                let mut inline = bytes;
                inline.resize(4, 0);
                entries.extend(inline);
            } else {
                entries.extend(u32s(out.len() as u32));
                out.extend(bytes);
            }
        }
        let directory = u32s(out.len() as u32);
        out[link..link + 4].copy_from_slice(&directory);
        out.extend(u16s(tags.len() as u32));
        out.extend(entries);
        out.extend(u32s(0));
        out.len() - 4
    }
}

/// A TIFF of several pages.
pub(crate) fn chain(pages: &[Tiff]) -> Vec<u8> {
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for page in pages {
        link = page.append(&mut out, link);
    }
    out
}

fn read(bytes: &[u8]) -> Image {
    decode(bytes, "made", None, &Limits::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn refusal(bytes: &[u8]) -> String {
    decode(bytes, "made", None, &Limits::default())
        .expect_err("this must be refused")
        .to_string()
}

pub(crate) fn png_file(
    columns: u32,
    rows: u32,
    colour: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
    palette: Option<(&[u8], &[u8])>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, columns, rows);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if let Some((palette, alpha)) = palette {
        if !palette.is_empty() {
            encoder.set_palette(palette.to_vec());
        }
        if !alpha.is_empty() {
            encoder.set_trns(alpha.to_vec());
        }
    }
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(bytes).expect("pixels");
    writer.finish().expect("an end");
    out
}

#[test]
fn packed_grey_pngs_are_spread_over_a_byte_as_images_and_kept_as_labels() {
    // 5 columns, so that rows end within a byte.
    let one = png_file(
        5,
        2,
        png::ColorType::Grayscale,
        png::BitDepth::One,
        &[0b1011_0000, 0b0100_1000],
        None,
    );
    assert_eq!(
        read(&one).samples(),
        [255.0, 0.0, 255.0, 255.0, 0.0, 0.0, 255.0, 0.0, 0.0, 255.0]
    );
    let labels = decode_labels(&one, "made", None, &Limits::default()).expect("labels");
    assert_eq!(labels.labels(), [1, 0, 1, 1, 0, 0, 1, 0, 0, 1]);
    let two = png_file(
        3,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::Two,
        &[0b0001_1100],
        None,
    );
    assert_eq!(read(&two).samples(), [0.0, 85.0, 255.0]);
    let four = png_file(
        3,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::Four,
        &[0x1f, 0x70],
        None,
    );
    assert_eq!(read(&four).samples(), [17.0, 255.0, 119.0]);
    assert_eq!(read(&four).dtype, Dtype::Uint8);
}

/// Two files written by hand (rows of the seven passes, zlib) and read back with Pillow before they were put here.
#[test]
fn interlaced_pngs_are_put_in_order() {
    let wide = read(include_bytes!("interlaced16.png"));
    assert_eq!(wide.shape(), [1, 1, 5, 7]);
    let expected: Vec<f32> = (0..35_u16).map(|i| f32::from(i * 1871)).collect();
    assert_eq!(wide.samples(), expected);
    let labels = decode_labels(
        include_bytes!("interlaced1.png"),
        "made",
        None,
        &Limits::default(),
    )
    .expect("labels");
    let expected: Vec<u32> = (0..99).map(|i| u32::from(i % 3 == 0)).collect();
    assert_eq!(
        (labels.rows(), labels.columns(), labels.labels()),
        (9, 11, expected.as_slice())
    );
}

#[test]
fn sixteen_bit_pngs_keep_their_range() {
    let png = png_file(
        2,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::Sixteen,
        &[0x01, 0x02, 0xff, 0xff],
        None,
    );
    let image = read(&png);
    assert_eq!(image.samples(), [258.0, 65_535.0]);
    assert_eq!((image.dtype, image.rgb), (Dtype::Uint16, false));
}

#[test]
fn palettes_become_colours_as_images_and_indices_as_labels() {
    let palette = [0, 0, 0, 10, 20, 30, 40, 50, 60];
    let png = png_file(
        3,
        1,
        png::ColorType::Indexed,
        png::BitDepth::Eight,
        &[2, 0, 1],
        Some((&palette, &[])),
    );
    let image = read(&png);
    assert_eq!(image.shape(), [3, 1, 1, 3]);
    assert_eq!(
        image.samples(),
        [40.0, 0.0, 10.0, 50.0, 0.0, 20.0, 60.0, 0.0, 30.0]
    );
    assert!(image.rgb);
    assert_eq!(
        decode_labels(&png, "made", None, &Limits::default())
            .expect("labels")
            .labels(),
        [2, 0, 1]
    );
}

#[test]
fn alpha_is_dropped_where_opaque_and_refused_elsewhere() {
    let opaque = png_file(
        2,
        1,
        png::ColorType::Rgba,
        png::BitDepth::Eight,
        &[1, 2, 3, 255, 4, 5, 6, 255],
        None,
    );
    assert_eq!(read(&opaque).samples(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let grey = png_file(
        1,
        1,
        png::ColorType::GrayscaleAlpha,
        png::BitDepth::Sixteen,
        &[1, 0, 255, 255],
        None,
    );
    assert_eq!(read(&grey).samples(), [256.0]);
    let clear = png_file(
        2,
        1,
        png::ColorType::Rgba,
        png::BitDepth::Eight,
        &[1, 2, 3, 255, 4, 5, 6, 254],
        None,
    );
    assert_snapshot!(refusal(&clear), @r"
    error[T108]: 1 of 2 pixels are not opaque
      --> image made
      = help: save the image without transparency, on the background that you mean
    ");
    let keyed = png_file(
        2,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
        &[7, 8],
        Some((&[], &[0, 8])),
    );
    assert_snapshot!(refusal(&keyed), @r"
    error[T108]: 1 of 2 pixels have the value that the file declares transparent
      --> image made
      = help: save the image without transparency, on the background that you mean
    ");
    let other = png_file(
        2,
        1,
        png::ColorType::Grayscale,
        png::BitDepth::Eight,
        &[7, 9],
        Some((&[], &[0, 8])),
    );
    assert_eq!(read(&other).samples(), [7.0, 9.0]);
    let palette = png_file(
        2,
        1,
        png::ColorType::Indexed,
        png::BitDepth::Eight,
        &[0, 1],
        Some((&[0, 0, 0, 9, 9, 9], &[255, 0])),
    );
    assert!(refusal(&palette).starts_with("error[T108]"));
}

#[test]
fn tiff_samples_of_every_width_and_byte_order() {
    for little in [true, false] {
        let two = |v: u16| {
            if little {
                v.to_le_bytes()
            } else {
                v.to_be_bytes()
            }
        };
        let four = |v: u32| {
            if little {
                v.to_le_bytes()
            } else {
                v.to_be_bytes()
            }
        };
        let make = |bits, format, bytes: &[u8]| {
            let mut tiff = Tiff::new(2, 1, bits, 1).tag(339, 3, &[format]).chunk(bytes);
            tiff.little = little;
            read(&tiff.build())
        };
        assert_eq!(
            make(16, 1, &[two(40_000), two(1)].concat()).samples(),
            [40_000.0, 1.0]
        );
        assert_eq!(
            make(16, 2, &[two(0xffff), two(1)].concat()).samples(),
            [-1.0, 1.0]
        );
        assert_eq!(
            make(32, 1, &[four(16_777_216), four(1)].concat()).samples(),
            [16_777_216.0, 1.0]
        );
        assert_eq!(
            make(32, 2, &[four(0xffff_fff0), four(1)].concat()).samples(),
            [-16.0, 1.0]
        );
        assert_eq!(
            make(
                32,
                3,
                &[four(1.5_f32.to_bits()), four(f32::NAN.to_bits())].concat()
            )
            .samples()[0],
            1.5
        );
        assert_eq!(
            make(16, 3, &[two(0x3c00), two(0xc500)].concat()).samples(),
            [1.0, -5.0]
        );
        assert_eq!(make(8, 2, &[255, 127]).samples(), [-1.0, 127.0]);
        // Other widths are packed, the highest bit first, without regard to byte order.
        assert_eq!(make(12, 1, &[0xab, 0xc1, 0x23]).samples(), [2748.0, 291.0]);
        assert_eq!(
            make(20, 1, &[0x00, 0x01, 0x10, 0x00, 0x02]).samples(),
            [17.0, 2.0]
        );
    }
}

#[test]
fn integers_beyond_single_precision_are_refused_as_images_and_exact_as_labels() {
    let bytes: Vec<u8> = [16_777_217_u32, u32::MAX]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let tiff = Tiff::new(2, 1, 32, 1).chunk(&bytes).build();
    assert_snapshot!(refusal(&tiff), @r"
    error[T109]: the image holds the integer 4294967295; beyond 16777216 single precision is not exact
      --> image made
      = help: save it as 16 bit, or as float; if these are labels, give the file as truth
    ");
    let labels = decode_labels(&tiff, "made", None, &Limits::default()).expect("labels");
    assert_eq!(labels.labels(), [16_777_217, u32::MAX]);
}

#[test]
fn zero_as_white_is_turned_round_for_unsigned_images_only() {
    let tiff = Tiff::new(3, 1, 8, 0).chunk(&[0, 200, 255]).build();
    assert_eq!(read(&tiff).samples(), [255.0, 55.0, 0.0]);
    assert_eq!(
        decode_labels(&tiff, "made", None, &Limits::default())
            .expect("labels")
            .labels(),
        [0, 200, 255]
    );
    let float = Tiff::new(1, 1, 32, 0)
        .tag(339, 3, &[3])
        .chunk(&1.0_f32.to_le_bytes())
        .build();
    assert_snapshot!(refusal(&float), @r"
    error[T104]: 0 is white, in a type that has no largest value: what black is, is not said
      --> image made
      = help: save the image with 0 as black (PhotometricInterpretation = 1)
    ");
}

#[test]
fn tiles_larger_than_the_image_and_planar_strips_fall_into_place() {
    // A 3 × 3 image in tiles of 2 × 2.
    let mut tiff = Tiff::new(3, 3, 8, 1).tag(322, 3, &[2]).tag(323, 3, &[2]);
    tiff.tiled = true;
    for chunk in [[1, 2, 4, 5], [3, 0, 6, 0], [7, 8, 0, 0], [9, 0, 0, 0]] {
        tiff = tiff.chunk(&chunk);
    }
    assert_eq!(
        read(&tiff.build()).samples(),
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    );
    let planar = Tiff::new(2, 2, 8, 2)
        .tag(258, 3, &[8, 8, 8])
        .tag(277, 3, &[3])
        .tag(278, 3, &[1])
        .tag(284, 3, &[2]);
    let planar = (0..6_u8).fold(planar, |t, i| t.chunk(&[2 * i, 2 * i + 1]));
    let image = read(&planar.build());
    assert_eq!(
        image.samples(),
        (0..12_u8).map(f32::from).collect::<Vec<f32>>()
    );
    assert!(image.rgb);
}

#[test]
fn samples_per_pixel_become_channels_and_alpha_goes_only_where_declared() {
    let five = Tiff::new(1, 1, 8, 1)
        .tag(277, 3, &[5])
        .tag(338, 3, &[0, 0, 0, 0])
        .chunk(&[1, 2, 3, 4, 5])
        .build();
    assert_eq!(read(&five).shape(), [5, 1, 1, 1]);
    assert_eq!(read(&five).samples(), [1.0, 2.0, 3.0, 4.0, 5.0]);
    let rgba = Tiff::new(1, 1, 8, 2).tag(277, 3, &[4]).tag(338, 3, &[2]);
    assert_eq!(
        read(&rgba.tag(0, 3, &[]).chunk(&[1, 2, 3, 255]).build()).samples(),
        [1.0, 2.0, 3.0]
    );
    let undeclared = Tiff::new(1, 1, 8, 2)
        .tag(277, 3, &[4])
        .tag(338, 3, &[0])
        .chunk(&[1, 2, 3, 255])
        .build();
    assert_eq!(read(&undeclared).channels(), 4);
    assert!(!read(&undeclared).rgb);
    // Differences run over all samples of a pixel, extra ones included.
    let mut packed = Vec::new();
    let mut encoder = flate2::Compress::new(flate2::Compression::default(), true);
    packed.resize(100, 0);
    encoder
        .compress(
            &[1, 2, 3, 255, 1, 1, 1, 0],
            &mut packed,
            flate2::FlushCompress::Finish,
        )
        .expect("packs");
    let differences = Tiff::new(2, 1, 8, 2)
        .tag(277, 3, &[4])
        .tag(338, 3, &[2])
        .tag(259, 3, &[8])
        .tag(317, 3, &[2])
        .chunk(&packed)
        .build();
    assert_eq!(read(&differences).samples(), [1.0, 2.0, 2.0, 3.0, 3.0, 4.0]);
}

#[test]
fn pixel_size_is_taken_where_it_is_stated_with_a_unit() {
    let size = |tiff: Tiff| read(&tiff.chunk(&[0]).build()).pixel_size;
    let plain = || Tiff::new(1, 1, 8, 1);
    assert_eq!(size(plain()), None);
    // 72 dots an inch is a printer's.
    assert_eq!(
        size(
            plain()
                .tag(282, 5, &[72, 1])
                .tag(283, 5, &[72, 1])
                .tag(296, 3, &[2])
        ),
        None
    );
    // No unit.
    assert_eq!(
        size(
            plain()
                .tag(282, 5, &[20_000, 1])
                .tag(283, 5, &[20_000, 1])
                .tag(296, 3, &[1])
        ),
        None
    );
    let cm = size(
        plain()
            .tag(282, 5, &[20_000, 1])
            .tag(283, 5, &[40_000, 1])
            .tag(296, 3, &[3]),
    )
    .expect("a size");
    assert_eq!((cm.column_um, cm.row_um), (0.5, 0.25));
    let imagej = "ImageJ=1.53t\nunit=micron\nspacing=2.0\nloop=false\n";
    let imagej = size(
        plain()
            .tag(282, 5, &[4, 1])
            .tag(283, 5, &[4, 1])
            .tag(296, 3, &[1])
            .text(270, imagej),
    );
    assert_eq!(
        imagej,
        Some(PixelSize {
            row_um: 0.25,
            column_um: 0.25,
            plane_um: Some(2.0)
        })
    );
    let pixels = size(
        plain()
            .tag(282, 5, &[4, 1])
            .tag(283, 5, &[4, 1])
            .text(270, "ImageJ=1.53t\nunit=pixel\n"),
    );
    assert_eq!(pixels, None);
    let ome = r#"<?xml version="1.0"?><OME><Image><Pixels BigEndian="false" PhysicalSizeX="325" PhysicalSizeXUnit="nm" PhysicalSizeY="0.325" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="1" DimensionOrder="XYZCT" Type="uint8"><TiffData/></Pixels></Image></OME>"#;
    let ome = size(plain().text(270, ome)).expect("a size");
    assert_eq!(
        (ome.column_um, ome.row_um, ome.plane_um),
        (0.325, 0.325, None)
    );
}

#[test]
fn what_is_not_supported_says_what_to_do() {
    let unknown = refusal(b"BMxxxxxxxxxxxx");
    assert_snapshot!(unknown, @r"
    error[T107]: the file looks like BMP
      --> image made
      = help: convert it with Pillow to PNG
    ");
    assert_snapshot!(refusal(b""), @r"
    error[T107]: the file is empty
      --> image made
      = help: copy it again
    ");
    let jpeg = Tiff::new(1, 1, 12, 1).tag(259, 3, &[7]).chunk(&[0]).build();
    assert_snapshot!(refusal(&jpeg), @r"
    error[T104]: a TIFF with JPEG compression of 12 bits
      --> image made
      = help: save it without compression, or with LZW or Deflate
    ");
    let wide = Tiff::new(1, 1, 24, 1).chunk(&[1, 2, 3]).build();
    assert_snapshot!(refusal(&wide), @r"
    error[T104]: a TIFF of unsigned integers with 24 bits
      --> image made
      = help: save it with 8, 16 or 32 bits per sample
    ");
    let cmyk = Tiff::new(1, 1, 8, 5)
        .tag(277, 3, &[4])
        .chunk(&[0; 4])
        .build();
    assert_snapshot!(refusal(&cmyk), @r"
    error[T104]: a TIFF with CMYK colours
      --> image made
      = help: save it as RGB
    ");
    let short = Tiff::new(4, 4, 8, 1)
        .tag(259, 3, &[32_773])
        .chunk(&[3, 1, 2, 3, 4])
        .build();
    assert_snapshot!(refusal(&short), @r"
    error[T103]: strip or tile 0 of the TIFF holds 4 bytes, 16 are needed
      --> image made
    ");
    let page = decode(
        &encode_png_rgb(1, 1, &[0; 3]),
        "a.png",
        Some(2),
        &Limits::default(),
    )
    .expect_err("one page");
    assert_snapshot!(page, @r"
    error[T106]: page 2 was asked for; the file has 1, counted from 0
      --> image a.png
    ");
}

#[test]
fn files_that_are_not_labels_are_refused_as_labels() {
    let labels = |bytes: &[u8]| {
        decode_labels(bytes, "truth.png", None, &Limits::default())
            .expect_err("not labels")
            .to_string()
    };
    assert_snapshot!(labels(&encode_png_rgb(1, 1, &[1, 2, 3])), @r"
    error[T110]: the file holds colours, not labels
      --> image truth.png
      = help: save one number per object or class: 0 for background, as grey PNG of 16 bits or as TIFF of integers
    ");
    let fraction = npy::write(&npy::Tensor {
        shape: vec![1, 1],
        data: vec![0.5],
    });
    assert_snapshot!(labels(&fraction), @r"
    error[T110]: the value 0.5 is not a whole number from 0 to 4294967295
      --> image truth.png
      = truth.png is named as PNG but is NPY; it is read as what it is
      = help: a probability map is not a label image: threshold and label it first
    ");
    let negative = Tiff::new(1, 1, 16, 1)
        .tag(339, 3, &[2])
        .chunk(&(-1_i16).to_le_bytes())
        .build();
    assert_snapshot!(labels(&negative), @r"
    error[T110]: the label -1 is negative or above 4294967295
      --> image truth.png
      = truth.png is named as PNG but is TIFF; it is read as what it is
      = help: renumber the labels; declare an ignored value as a positive number
    ");
    let stacked = npy::write(&npy::Tensor {
        shape: vec![2, 1, 1],
        data: vec![1.0, 2.0],
    });
    assert!(
        labels(&stacked).starts_with(
            "error[T110]: labels have one channel and one plane, the file has 2 and 1"
        )
    );
    let whole = npy::write(&npy::Tensor {
        shape: vec![1, 2],
        data: vec![7.0, 0.0],
    });
    assert_eq!(
        decode_labels(&whole, "x", None, &Limits::default())
            .expect("whole floats")
            .labels(),
        [7, 0]
    );
}

#[test]
fn limits_hold_before_memory_is_taken() {
    let small = Limits {
        max_file_bytes: 1 << 20,
        max_decoded_bytes: 1 << 16,
        max_side: 1000,
    };
    let tiff = Tiff::new(4_000_000_000, 4_000_000_000, 8, 1)
        .chunk(&[0])
        .build();
    assert_snapshot!(decode(&tiff, "huge.tif", None, &small).expect_err("too large"), @r"
    error[T105]: the image is 4000000000 × 4000000000 pixels (columns × rows); a side may have at most 1000
      --> image huge.tif
      = help: cut the image into fields
    ");
    let wide = Tiff::new(900, 900, 8, 1).chunk(&[0]).build();
    assert_eq!(
        decode(&wide, "x", None, &small)
            .expect_err("too large")
            .kind(),
        Kind::Limits
    );
    let channels = Tiff::new(10, 10, 8, 1)
        .tag(277, 3, &[60_000])
        .chunk(&[0])
        .build();
    assert_eq!(
        decode(&channels, "x", None, &small)
            .expect_err("too large")
            .kind(),
        Kind::Limits
    );
    let png = encode_png_rgb(500, 500, &vec![0; 750_000]);
    assert_eq!(
        decode(&png, "x", None, &small)
            .expect_err("too large")
            .kind(),
        Kind::Limits
    );
    let tiny = Limits {
        max_file_bytes: 10,
        ..small
    };
    assert_eq!(
        decode(&png, "x", None, &tiny)
            .expect_err("too large")
            .kind(),
        Kind::Limits
    );
    let header = b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 9), }      \n";
    assert_eq!(
        npy::read(header, "x", &small)
            .expect_err("too large")
            .kind(),
        Kind::Limits
    );
}

#[test]
fn small_files_that_promise_large_images_are_refused_at_once() {
    for compression in [1, 5, 8, 32_773] {
        let tiff = Tiff::new(20_000, 20_000, 8, 1)
            .tag(259, 3, &[compression])
            .chunk(&[1, 2, 3])
            .build();
        assert_eq!(
            decode(&tiff, "x", None, &Limits::default())
                .expect_err("too little")
                .code
                .id,
            "T103"
        );
        let mut tiles = Tiff::new(1, 1, 8, 1)
            .tag(259, 3, &[compression])
            .tag(322, 4, &[1 << 16])
            .tag(323, 4, &[1 << 15]);
        tiles.tiled = true;
        let tiles = tiles.chunk(&[1, 2, 3]).build();
        assert_eq!(
            decode(&tiles, "x", None, &Limits::default())
                .expect_err("too little")
                .code
                .id,
            "T103"
        );
    }
    let mut png = encode_png_rgb(1, 1, &[0; 3]);
    png[18] = 0x40;
    png[22] = 0x40;
    assert_eq!(
        decode(&png, "x", None, &Limits::default())
            .expect_err("too little")
            .code
            .id,
        "T103"
    );
}

#[test]
fn fortran_arrays_and_all_number_types_are_read_in_c_order() {
    // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]], dtype='>i2')
    let mut bytes = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
    let header = format!(
        "{:<69}\n",
        "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }"
    );
    bytes.extend(header.as_bytes());
    for v in [1_i16, 4, 2, 5, 3, 6] {
        bytes.extend(v.to_be_bytes());
    }
    let tensor = npy::read(&bytes, "x", &Limits::default()).expect("an array");
    assert_eq!(
        tensor,
        npy::Tensor {
            shape: vec![2, 3],
            data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        }
    );
    let image = read(&bytes);
    assert_eq!((image.shape(), image.dtype), ([1, 1, 2, 3], Dtype::Int16));
    assert_eq!(image.samples(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

#[test]
fn large_whole_numbers_in_an_array_are_not_rounded_in_silence() {
    let mut bytes = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
    bytes.extend(
        format!(
            "{:<69}\n",
            "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 1), }"
        )
        .as_bytes(),
    );
    bytes.extend(16_777_217_i64.to_le_bytes());
    assert_eq!(
        npy::read(&bytes, "x", &Limits::default())
            .expect_err("not exact")
            .code
            .id,
        "T109"
    );
    assert_eq!(
        decode_labels(&bytes, "x", None, &Limits::default())
            .expect("labels")
            .labels(),
        [16_777_217]
    );
    assert_eq!(
        decode(&bytes, "x", None, &Limits::default())
            .expect_err("64 bits")
            .code
            .id,
        "T109"
    );
}

#[test]
fn stacking_joins_channels_and_refuses_what_does_not_fit() {
    let one = |value: f32, rows, dtype| {
        Image::new([1, 1, rows, 1], vec![value; rows], dtype).expect("an image")
    };
    let stacked =
        stack(vec![one(1.0, 2, Dtype::Uint8), one(2.0, 2, Dtype::Uint8)]).expect("they fit");
    assert_eq!(stacked.shape(), [2, 1, 2, 1]);
    assert_eq!(stacked.samples(), [1.0, 1.0, 2.0, 2.0]);
    let error = |images| stack(images).expect_err("they do not fit").to_string();
    assert_snapshot!(error(vec![one(1.0, 2, Dtype::Uint8), one(2.0, 3, Dtype::Uint8)]), @"error[T111]: file 2 has (plane, row, column) = [1, 3, 1], file 1 has [1, 2, 1]");
    assert_snapshot!(error(vec![one(1.0, 2, Dtype::Uint8), one(2.0, 2, Dtype::Uint16)]), @"error[T111]: file 2 holds uint16, file 1 holds uint8");
    assert_snapshot!(error(vec![]), @"error[T111]: there is no image to stack");
}

#[test]
fn not_finite_samples_are_kept_and_counted() {
    let bytes = npy::write(&npy::Tensor {
        shape: vec![1, 3],
        data: vec![f32::NAN, 1.0, f32::INFINITY],
    });
    assert_eq!(non_finite(&read(&bytes)), 2);
}

#[test]
fn the_name_is_not_believed_but_the_difference_is_said() {
    let png = encode_png_rgb(1, 1, &[1, 2, 3]);
    assert_eq!(
        decode(&png, "picture.tif", None, &Limits::default())
            .expect("a PNG")
            .channels(),
        3
    );
    assert_snapshot!(name_note(&png, "picture.tif").expect("a note"), @"picture.tif is named as TIFF but is PNG; it is read as what it is");
    assert_eq!(name_note(&png, "picture.PNG"), None);
    assert_eq!(Format::of(&png), Some(Format::Png));
}

#[test]
fn jpegs_of_grey_and_colour_are_read() {
    let mut grey = Vec::new();
    jpeg_encoder::Encoder::new(&mut grey, 95)
        .encode(&[128; 64], 8, 8, jpeg_encoder::ColorType::Luma)
        .expect("a JPEG");
    let image = read(&grey);
    assert_eq!((image.shape(), image.rgb), ([1, 1, 8, 8], false));
    assert!(image.samples().iter().all(|s| (s - 128.0).abs() <= 1.0));
    let mut colour = Vec::new();
    let pixels: Vec<u8> = [200, 100, 50].repeat(64);
    jpeg_encoder::Encoder::new(&mut colour, 100)
        .encode(&pixels, 8, 8, jpeg_encoder::ColorType::Rgb)
        .expect("a JPEG");
    let image = read(&colour);
    assert_eq!(image.shape(), [3, 1, 8, 8]);
    for (channel, value) in [200.0, 100.0, 50.0].into_iter().enumerate() {
        assert!(
            image
                .plane(channel, 0)
                .iter()
                .all(|s| (s - value).abs() <= 2.0),
            "channel {channel}"
        );
    }
    assert_eq!(
        decode_labels(&grey, "x.jpg", None, &Limits::default())
            .expect_err("no labels")
            .code
            .id,
        "T110"
    );
    grey.truncate(grey.len() - 12);
    assert_eq!(
        decode(&grey, "x.jpg", None, &Limits::default())
            .expect_err("cut short")
            .kind(),
        Kind::Format
    );
}

#[test]
fn pages_are_counted_and_chosen() {
    // Two directories by another writer.
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = tiff::encoder::TiffEncoder::new(&mut bytes).expect("a writer");
    for value in [7_u8, 9] {
        writer
            .write_image::<tiff::encoder::colortype::Gray8>(2, 1, &[value, value])
            .expect("a page");
    }
    let bytes = bytes.into_inner();
    assert_eq!(pages(&bytes, "x").expect("pages"), 2);
    assert_eq!(read(&bytes).samples(), [7.0, 7.0]);
    assert_eq!(
        decode(&bytes, "x", Some(1), &Limits::default())
            .expect("a page")
            .samples(),
        [9.0, 9.0]
    );
    assert_snapshot!(decode(&bytes, "x", Some(2), &Limits::default()).expect_err("no page"), @r"
    error[T106]: page 2 was asked for; the file has 2, counted from 0
      --> image x
    ");
}

fn any_image() -> impl Strategy<Value = Image> {
    (
        prop::sample::select(vec![1_usize, 3]),
        1_usize..9,
        1_usize..9,
        any::<bool>(),
    )
        .prop_flat_map(|(c, r, k, wide)| {
            let most = if wide { 65_535_u32 } else { 255 };
            prop::collection::vec(0..=most, c * r * k).prop_map(move |v| {
                let dtype = if wide { Dtype::Uint16 } else { Dtype::Uint8 };
                Image::new(
                    [c, 1, r, k],
                    v.into_iter().map(|v| v as f32).collect(),
                    dtype,
                )
                .expect("an image")
            })
        })
}

proptest! {
    #[test]
    fn a_written_png_reads_back_the_same(image in any_image()) {
        let back = read(&encode_png(&image).expect("it can be written"));
        prop_assert_eq!(back.samples(), image.samples());
        prop_assert_eq!((back.shape(), back.dtype, back.rgb), (image.shape(), image.dtype, image.channels() == 3));
    }

    #[test]
    fn written_labels_read_back_the_same(rows in 1_usize..9, columns in 1_usize..9, wide in any::<bool>(), seed in any::<u32>()) {
        let most = if wide { u32::MAX } else { 65_535 };
        let labels: Vec<u32> = (0..rows * columns).map(|i| seed.wrapping_mul(2_654_435_761).wrapping_add(i as u32 * 40_503) % most).collect();
        let labels = LabelImage::new(rows, columns, labels).expect("labels");
        let back = decode_labels(&encode_labels(&labels), "x", None, &Limits::default()).expect("they can be read");
        prop_assert_eq!(back, labels);
    }

    #[test]
    fn a_written_array_reads_back_the_same(shape in prop::collection::vec(0_usize..4, 0..5), value in any::<f32>()) {
        let count = shape.iter().product();
        let tensor = npy::Tensor { shape, data: (0..count).map(|i| if value.is_nan() { 0.5 } else { value * i as f32 }).collect() };
        let back = npy::read(&npy::write(&tensor), "x", &Limits::default()).expect("it can be read");
        prop_assert_eq!(back.shape, tensor.shape);
        let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
        prop_assert_eq!(bits(&back.data), bits(&tensor.data));
    }

    /// Strips, tiles, compressions and differences as another writer has them.
    #[test]
    fn tiffs_of_another_writer_are_read(columns in 1_u32..40, rows in 1_u32..40, method in 0..4, differences in any::<bool>(), strip in 1_u32..9, seed in any::<u16>()) {
        use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, colortype::{Gray16, RGB8}};
        let compression = match method {
            0 => Compression::Uncompressed,
            1 => Compression::Lzw,
            2 => Compression::Deflate(DeflateLevel::default()),
            _ => Compression::Packbits,
        };
        let differences = differences && matches!(method, 1 | 2);
        let predictor = if differences { Predictor::Horizontal } else { Predictor::None };
        let count = (columns * rows) as usize;
        let greys: Vec<u16> = (0..count).map(|i| seed.wrapping_mul(31).wrapping_add((i * i / 3) as u16)).collect();
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = TiffEncoder::new(&mut bytes).expect("a writer").with_compression(compression).with_predictor(predictor);
        let mut image = writer.new_image::<Gray16>(columns, rows).expect("a page");
        image.rows_per_strip(strip).expect("strips");
        image.write_data(&greys).expect("pixels");
        let bytes = bytes.into_inner();
        prop_assert_eq!(read(&bytes).samples().to_vec(), greys.iter().map(|v| f32::from(*v)).collect::<Vec<f32>>());

        let colours: Vec<u8> = (0..count * 3).map(|i| (seed as usize + i * i / 7) as u8).collect();
        let mut bytes = std::io::Cursor::new(Vec::new());
        let mut writer = TiffEncoder::new_big(&mut bytes).expect("a writer").with_compression(compression).with_predictor(predictor);
        writer.write_image::<RGB8>(columns, rows, &colours).expect("a page");
        let image = read(&bytes.into_inner());
        for channel in 0..3 {
            let expected: Vec<f32> = colours.iter().skip(channel).step_by(3).map(|v| f32::from(*v)).collect();
            prop_assert_eq!(image.plane(channel, 0), expected.as_slice());
        }
    }
}
