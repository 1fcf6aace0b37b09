//! Regions of interest of ImageJ: a `.roi` file, or several in a ZIP archive.

use transect_core::Error;
use transect_core::codes::manifest as codes;

use super::{Outline, Ring, Shape, broken, check_ring, zip};

/// Most regions of an archive.
const MOST_REGIONS: usize = 65_534;

/// A region that was read.
struct Region {
    outline: Outline,
    /// Its place in a stack, as far as it says one: 0 is none.
    position: u32,
}

/// The outline of a `.roi` file. `name` is what it is called where the file does not say.
///
/// # Errors
/// `T022` for what is not such a file or is damaged, `T024` for points, lines, angles and texts, which have no inside.
pub fn roi(bytes: &[u8], name: &str) -> Result<Outline, Error> {
    read(bytes, name).map(|region| region.outline)
}

/// The outlines of a ZIP archive of `.roi` files, in the order of its directory. Files of other kinds are passed over.
///
/// # Errors
/// As [`roi`], with the file named; `T023` for too many or too large files; `T024` where regions are of several planes.
pub fn roi_zip(bytes: &[u8]) -> Result<Vec<Outline>, Error> {
    let mut outlines = Vec::new();
    let mut place: Option<(u32, String)> = None;
    zip::each(bytes, MOST_REGIONS, &mut |name, file| {
        if !name.to_ascii_lowercase().ends_with(".roi") {
            return Ok(());
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        let region = read(file, &name[..name.len() - 4])?;
        let (position, first) =
            place.get_or_insert_with(|| (region.position, region.outline.name.clone()));
        if *position != region.position {
            return Err(broken(format!(
                "{} is of plane {}, {first} of plane {position}",
                region.outline.name, region.position
            ))
            .help("save the regions of each plane in an archive of their own"));
        }
        outlines.push(region.outline);
        Ok(())
    })?;
    if outlines.is_empty() {
        return Err(Error::new(
            &codes::ANNOTATIONS,
            "the ZIP archive holds no .roi file",
        ));
    }
    Ok(outlines)
}

/// The numbers of a file, the highest byte first.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u8(&self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    fn i16(&self, at: usize) -> Option<i16> {
        Some(i16::from_be_bytes(
            self.0.get(at..at.checked_add(2)?)?.try_into().ok()?,
        ))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(
            self.0.get(at..at.checked_add(4)?)?.try_into().ok()?,
        ))
    }

    fn f32(&self, at: usize) -> Option<f64> {
        self.u32(at).map(|bits| f64::from(f32::from_bits(bits)))
    }
}

fn read(bytes: &[u8], name: &str) -> Result<Region, Error> {
    let fields = Fields(bytes);
    let damaged = || {
        Error::new(
            &codes::ANNOTATIONS,
            format!("{}: the .roi file is cut off", name.escape_debug()),
        )
    };
    if !bytes.starts_with(b"Iout") {
        return Err(Error::new(
            &codes::ANNOTATIONS,
            format!("{}: this is not a .roi file of ImageJ", name.escape_debug()),
        ));
    }
    let name = long_name(&fields).unwrap_or_else(|| name.escape_debug().to_string());
    let region = (|| {
        let version = fields.i16(4)?;
        let kind = fields.u8(6)?;
        // Places past 32,767 are written as negative numbers.
        let side = |at: usize| {
            let value = fields.i16(at)?;
            Some(f64::from(value) + if value < -5000 { 65_536.0 } else { 0.0 })
        };
        let (top, left, bottom, right) = (side(8)?, side(10)?, side(12)?, side(14)?);
        let options = fields.i16(50)?;
        let fine = options & 128 != 0;
        let position = place(&fields);
        let composite = fields.u32(36)? as usize;
        let bounds = if fine && version >= 223 && kind <= 2 {
            let (x, y) = (fields.f32(18)?, fields.f32(22)?);
            let (width, height) = (fields.f32(26)?, fields.f32(30)?);
            [y, x, y + height, x + width]
        } else {
            [top, left, bottom, right]
        };
        let [row0, column0, row1, column1] = bounds;
        let shape = match kind {
            1 if composite > 0 => path(&fields, composite)?,
            1 if matches!(fields.i16(48)?, 1 | 4) => Err(broken(
                "the region is a text or a picture: it has no inside",
            )),
            1 if fields.i16(54)? > 0 => Err(broken("a rectangle with rounded corners")),
            1 => Ok(Shape::Rings(vec![vec![vec![
                [row0, column0],
                [row0, column1],
                [row1, column1],
                [row1, column0],
            ]]])),
            2 => Ok(Shape::Ellipse {
                row0,
                column0,
                row1,
                column1,
            }),
            0 | 7 | 8 => {
                let ring = points(&fields, fine && version >= 222, top, left)?;
                check_ring(&ring).map(|()| Shape::Rings(vec![vec![ring]]))
            }
            other => {
                let what = match other {
                    3..=5 => "a line",
                    6 => "nothing",
                    9 => "an angle",
                    10 => "points",
                    _ => "of an unknown type",
                };
                Err(broken(format!("the region is {what}: it has no inside"))
                    .help("delete it from the ROI manager, or draw an area"))
            }
        };
        Some(shape.map(|shape| (shape, position)))
    })();
    match region {
        None => Err(damaged()),
        Some(Err(e)) => {
            let message = format!("{name}: {}", e.message);
            Err(Error { message, ..e })
        }
        Some(Ok((shape, position))) => Ok(Region {
            outline: Outline {
                name,
                class: None,
                shape,
            },
            position,
        }),
    }
}

/// The name in the second header, in UTF-16.
fn long_name(fields: &Fields) -> Option<String> {
    let second = fields.u32(60)? as usize;
    if second == 0 {
        return None;
    }
    let at = fields.u32(second.checked_add(16)?)? as usize;
    let length = fields.u32(second.checked_add(20)?)? as usize;
    let bytes = fields
        .0
        .get(at..at.checked_add(length.checked_mul(2)?)?)
        .filter(|b| !b.is_empty())?;
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    Some(String::from_utf16_lossy(&units).escape_debug().to_string())
}

/// The slice that a region belongs to: the plane and the time of the second header, or the position of the first.
fn place(fields: &Fields) -> u32 {
    let second = fields.u32(60).unwrap_or(0) as usize;
    let of = |at: usize| {
        (second > 0)
            .then(|| fields.u32(second.checked_add(at)?))
            .flatten()
            .unwrap_or(0)
    };
    let (slice, frame) = (of(8), of(12));
    if slice > 0 || frame > 0 {
        slice.saturating_add(frame.saturating_mul(1 << 16))
    } else {
        fields.u32(56).unwrap_or(0)
    }
}

/// Corners: whole numbers from the upper left of the bounds, or fractions behind them.
fn points(fields: &Fields, fine: bool, top: f64, left: f64) -> Option<Ring> {
    let short = fields.i16(16)? as u16;
    let n = if short == 0 {
        fields.u32(18)? as usize
    } else {
        usize::from(short)
    };
    // Each point takes four bytes at least: nothing is taken that the file does not hold.
    if n.checked_mul(4)? > fields.0.len() {
        return None;
    }
    (0..n)
        .map(|i| {
            if fine {
                let at = 64 + 4 * n;
                Some([fields.f32(at + 4 * n + 4 * i)?, fields.f32(at + 4 * i)?])
            } else {
                let (x, y) = (fields.i16(64 + 2 * i)?, fields.i16(64 + 2 * n + 2 * i)?);
                let whole = |v: i16| f64::from(v as u16);
                Some([top + whole(y), left + whole(x)])
            }
        })
        .collect()
}

/// A composite of straight lines: pixels within an odd number of its rings.
fn path(fields: &Fields, count: usize) -> Option<Result<Shape, Error>> {
    if count.checked_mul(4)? > fields.0.len() {
        return None;
    }
    let value = |i: usize| fields.f32(64 + 4 * i);
    let mut rings: Vec<Ring> = Vec::new();
    let mut ring: Ring = Vec::new();
    let mut i = 0;
    while i < count {
        let kind = value(i)?;
        match kind as i64 {
            0 | 1 => {
                if kind == 0.0 && !ring.is_empty() {
                    rings.push(std::mem::take(&mut ring));
                }
                ring.push([value(i + 2)?, value(i + 1)?]);
                i += 3;
            }
            4 => {
                rings.push(std::mem::take(&mut ring));
                i += 1;
            }
            _ => {
                return Some(Err(broken("a composite region with curved lines").help(
                    "convert it in ImageJ: Edit > Selection > Create Mask, and save the mask",
                )));
            }
        }
    }
    if !ring.is_empty() {
        rings.push(ring);
    }
    rings.retain(|r| !r.is_empty());
    if rings.is_empty() {
        return Some(Err(broken("a composite region without lines")));
    }
    Some(
        rings
            .iter()
            .try_for_each(check_ring)
            .map(|()| Shape::Rings(vec![rings])),
    )
}
