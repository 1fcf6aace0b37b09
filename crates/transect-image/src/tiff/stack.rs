//! Several pages that together are one image.

use transect_core::codes::image as codes;
use transect_core::{Error, PixelSize, Result};

use super::directory::{Directory, File};
use super::{Header, SampleKind, tag};
use crate::raw::{Colour, Raw, Values, each};
use crate::selector::{PageAxis, Region, Selector, one_of};
use crate::{Limits, damaged, unsupported};

/// What a page holds, as far as another place may say it too.
pub(super) struct Facts {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) channels: usize,
    kind: Option<SampleKind>,
    bits: u64,
}

impl Facts {
    pub(super) fn of(file: &File, directory: &Directory) -> Result<Self> {
        let number = |tag, default| {
            directory
                .one(file, tag)
                .map(|v| v.unwrap_or(default))
                .and_then(|v| {
                    usize::try_from(v).map_err(|_| damaged("a size of the TIFF overflows"))
                })
        };
        Ok(Self {
            rows: number(tag::LENGTH, 0)?,
            columns: number(tag::WIDTH, 0)?,
            channels: number(tag::SAMPLES, 1)?,
            kind: match number(tag::SAMPLE_FORMAT, 1)? {
                1 | 4 => Some(SampleKind::Unsigned),
                2 => Some(SampleKind::Signed),
                3 => Some(SampleKind::Float),
                _ => None,
            },
            bits: number(tag::BITS, 1)? as u64,
        })
    }

    /// Whether the name of a type in OME-XML is that of the samples. Fewer bits than 8 and 16 are allowed for.
    pub(super) fn is_ome_type(&self, name: &str) -> bool {
        match name {
            "bit" | "uint8" => self.kind == Some(SampleKind::Unsigned) && self.bits <= 8,
            "uint16" => self.kind == Some(SampleKind::Unsigned) && (9..=16).contains(&self.bits),
            "uint32" => self.kind == Some(SampleKind::Unsigned) && (17..=32).contains(&self.bits),
            "int8" => self.kind == Some(SampleKind::Signed) && self.bits == 8,
            "int16" => self.kind == Some(SampleKind::Signed) && self.bits == 16,
            "int32" => self.kind == Some(SampleKind::Signed) && self.bits == 32,
            "float" => self.kind == Some(SampleKind::Float) && self.bits <= 32,
            "double" => self.kind == Some(SampleKind::Float) && self.bits == 64,
            // What is not read is refused by its page.
            _ => true,
        }
    }

    pub(super) fn type_name(&self) -> String {
        let kind = match self.kind {
            Some(SampleKind::Unsigned) => "unsigned integers",
            Some(SampleKind::Signed) => "signed integers",
            Some(SampleKind::Float) => "floats",
            None => "other numbers",
        };
        format!("{kind} of {} bits", self.bits)
    }
}

/// A page: its directory, and how far behind that directory's pixels its own lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    pub(super) directory: usize,
    pub(super) shift: u64,
}

/// One image: the pages, channels fastest, then planes, then times.
pub(super) struct Stack {
    pub(super) pages: Vec<Page>,
    /// Pages for each plane and time; a page may hold several samples.
    pub(super) channels: usize,
    pub(super) planes: usize,
    pub(super) times: usize,
    /// One for each channel of the image, or none.
    pub(super) names: Vec<String>,
    pub(super) pixel_size: Option<PixelSize>,
    /// Whether that is all there is to know of the size, and tags do not count.
    pub(super) size_is_settled: bool,
}

fn disagree(who: &str, said: usize, pages: usize) -> Error {
    damaged(format!("{who} says {said} pages, and the file has {pages}"))
        .help("name single pages by `page`, or save the file again")
}

/// ImageJ's description: pages are channels, then slices, then frames.
pub(super) fn imagej(
    description: &str,
    pages: usize,
    one_piece: Option<u64>,
) -> Result<Option<Stack>> {
    let field = |name: &str| -> Option<usize> {
        description
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix('='))
            .and_then(|v| v.trim().parse().ok())
    };
    let images = field("images").unwrap_or(1);
    let (channels, frames) = (field("channels").unwrap_or(1), field("frames").unwrap_or(1));
    let slices = field("slices").unwrap_or(if channels == 1 && frames == 1 {
        images
    } else {
        1
    });
    if images == 1 && pages == 1 {
        return Ok(None);
    }
    let product = channels
        .checked_mul(slices)
        .and_then(|n| n.checked_mul(frames));
    if product != Some(images) {
        return Err(damaged(format!(
            "ImageJ's description says {images} images and {channels} channels × {slices} slices × {frames} frames"
        ))
        .help("name single pages by `page`, or save the file again"));
    }
    let pages = match one_piece {
        // Large stacks have one directory and all pixels behind it.
        Some(bytes) if pages == 1 && images <= 1 << 24 => (0..images as u64)
            .map(|i| Page {
                directory: 0,
                shift: i.saturating_mul(bytes),
            })
            .collect(),
        _ if pages == images => in_order(images),
        _ => return Err(disagree("ImageJ's description", images, pages)),
    };
    Ok(Some(Stack {
        pages,
        channels,
        planes: slices,
        times: frames,
        names: Vec::new(),
        pixel_size: None,
        size_is_settled: false,
    }))
}

fn in_order(count: usize) -> Vec<Page> {
    (0..count)
        .map(|directory| Page {
            directory,
            shift: 0,
        })
        .collect()
}

/// Tifffile's description in JSON, where it names the axes: `{"shape": [5, 64, 64], "axes": "CYX"}`.
pub(super) fn shaped(description: &str, facts: &Facts, pages: usize) -> Result<Option<Stack>> {
    let Ok(serde_json::Value::Object(said)) = serde_json::from_str(description) else {
        return Ok(None);
    };
    let (Some(shape), Some(axes)) = (
        said.get("shape").and_then(|s| s.as_array()),
        said.get("axes").and_then(|a| a.as_str()),
    ) else {
        return Ok(None);
    };
    let lengths: Vec<usize> = shape
        .iter()
        .filter_map(serde_json::Value::as_u64)
        .map(|n| n as usize)
        .collect();
    let mut sizes = [1_usize; 3];
    let mut order = Vec::new();
    for (axis, &length) in axes.bytes().zip(&lengths) {
        match b"CZT".iter().position(|a| *a == axis) {
            Some(at) => {
                sizes[at] = length;
                order.push(at);
            }
            None if matches!(axis, b'Y' | b'X' | b'S') => {}
            None => return Ok(None),
        }
    }
    let within = facts.channels > 1 && sizes[0] == facts.channels && sizes[1..] == [1, 1];
    if lengths.len() != axes.len() || within || pages == 1 {
        return Ok(None);
    }
    let count = sizes.iter().try_fold(1_usize, |n, s| n.checked_mul(*s));
    if count != Some(pages) {
        return Err(disagree(
            "the description",
            count.unwrap_or(usize::MAX),
            pages,
        ));
    }
    let mut places = in_order(pages);
    for page in 0..pages {
        // The last axis is the fastest.
        let (mut rest, mut at) = (page, [0; 3]);
        for &axis in order.iter().rev() {
            at[axis] = rest % sizes[axis];
            rest /= sizes[axis];
        }
        places[at[0] + sizes[0] * (at[1] + sizes[1] * at[2])].directory = page;
    }
    Ok(Some(Stack {
        pages: places,
        channels: sizes[0],
        planes: sizes[1],
        times: sizes[2],
        names: Vec::new(),
        pixel_size: None,
        size_is_settled: false,
    }))
}

/// Pages that are what the row says.
pub(super) fn said(axis: PageAxis, pages: usize) -> Stack {
    let one = |this| if axis == this { pages } else { 1 };
    Stack {
        pages: in_order(pages),
        channels: one(PageAxis::Channel),
        planes: one(PageAxis::Plane),
        times: one(PageAxis::Time),
        names: Vec::new(),
        pixel_size: None,
        size_is_settled: false,
    }
}

impl Stack {
    /// The image at one time: every channel of one plane or of all.
    pub(super) fn read(
        &self,
        file: &File,
        directories: &[Directory],
        selector: &Selector,
        limits: &Limits,
    ) -> Result<Raw> {
        let time = one_of("time", selector.time, self.times)?;
        let planes = if selector.plane.is_some() {
            let plane = one_of("plane", selector.plane, self.planes)?;
            plane..plane + 1
        } else {
            0..self.planes
        };
        let directory_of = |page: Page| -> Result<std::borrow::Cow<'_, Directory>> {
            let directory = directories
                .get(page.directory)
                .ok_or_else(|| damaged("a page is not there"))?;
            super::level(file, directory, selector.level)
        };
        let page_of = |c: usize, z: usize| {
            self.pages
                .get(c + self.channels * (z + self.planes * time))
                .copied()
                .ok_or_else(|| damaged("a page is not there"))
        };
        let first = directory_of(page_of(0, planes.start)?)?;
        let head = Header::of(file, &first)?;
        let [_, _, rows, columns] = Region::within(selector.region, head.rows, head.columns)?;
        let depth = planes.len();
        let channels = (self.channels as u64).saturating_mul(head.channels);
        let count = limits.check([channels, depth as u64, rows, columns])?;
        if self.channels > 1 && head.alpha.is_some() {
            return Err(unsupported("a stack of several channels with transparency")
                .help("save it without alpha"));
        }
        let size = (rows * columns) as usize;
        let samples = head.channels as usize;
        let mut values: Values = super::zeros(head.kind, head.bits as u32, count);
        for c in 0..self.channels {
            for (to, z) in planes.clone().enumerate() {
                let page = page_of(c, z)?;
                let directory = directory_of(page)?;
                let here = Header::of(file, &directory)?;
                if !here.alike(&head) {
                    return Err(Error::new(
                        &codes::IMAGE_STACK,
                        format!(
                            "page {} of the TIFF differs from page {} in size, type or colours",
                            page.directory,
                            page_of(0, planes.start)?.directory
                        ),
                    )
                    .help("name single pages by `page`"));
                }
                let part = here.values(file, &directory, selector.region, page.shift, limits)?;
                put(&mut values, &part, samples, size, |s| {
                    ((c * samples + s) * depth + to) * size
                })?;
            }
        }
        let colour = match head.colour.clone() {
            Colour::Rgb if self.channels > 1 => Colour::Plain,
            other => other,
        };
        let full = directories
            .get(self.pages[0].directory)
            .ok_or_else(|| damaged("a page is not there"))?;
        let pixel_size = self.pixel_size.or_else(|| {
            let tags = || super::meta::pixel_size(file, full, &directories[0]);
            if self.size_is_settled { None } else { tags() }
        });
        Ok(Raw {
            colour,
            alpha: head.alpha,
            pixel_size: super::scaled(pixel_size, &head, file, full),
            channel_names: self.names.clone(),
            ..Raw::plain(
                [channels as usize, depth, rows as usize, columns as usize],
                values,
                head.bits as u32,
            )
        })
    }
}

/// Copies the samples of a page to their places in the stack.
fn put(
    all: &mut Values,
    part: &Values,
    samples: usize,
    size: usize,
    start: impl Fn(usize) -> usize,
) -> Result<()> {
    trait Same: Sized {
        fn of(values: &Values) -> Option<&Vec<Self>>;
    }
    macro_rules! same {
        ($($kind:ident $type:ty),*) => { $(impl Same for $type {
            fn of(values: &Values) -> Option<&Vec<Self>> {
                match values { Values::$kind(v) => Some(v), _ => None }
            }
        })* };
    }
    same!(U8 u8, U16 u16, U32 u32, U64 u64, I8 i8, I16 i16, I32 i32, I64 i64, F64 f64);
    impl Same for f32 {
        fn of(values: &Values) -> Option<&Vec<Self>> {
            match values {
                Values::F16(v) | Values::F32(v) => Some(v),
                _ => None,
            }
        }
    }
    fn copy<T: Same + Copy>(
        all: &mut [T],
        part: &Values,
        samples: usize,
        size: usize,
        start: impl Fn(usize) -> usize,
    ) -> Option<()> {
        let part = T::of(part)?;
        for s in 0..samples {
            let to = start(s);
            all.get_mut(to..to + size)?
                .copy_from_slice(part.get(s * size..(s + 1) * size)?);
        }
        Some(())
    }
    each!(all, v => copy(v, part, samples, size, start))
        .ok_or_else(|| damaged("the pages of the TIFF have different types"))
}
