//! Which part of a file is meant.

use transect_core::codes::image as codes;
use transect_core::{Error, Result};

/// A rectangle of pixels, row first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First row.
    pub row: u32,
    /// First column.
    pub column: u32,
    /// Number of rows, at least 1.
    pub rows: u32,
    /// Number of columns, at least 1.
    pub columns: u32,
}

/// What the pages of a TIFF are that does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageAxis {
    /// Each page is a channel (several, where pages have several samples for each pixel).
    Channel,
    /// Each page is a plane of a stack.
    Plane,
    /// Each page is a point in time.
    Time,
}

/// Which part of a file is meant. The default is the whole image of a file that holds one.
///
/// A manifest says it in `page` and in the columns of [`COLUMNS`]; everything counts from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// A directory of a TIFF, as it stands: what the file says of channels, planes and time is left aside.
    pub page: Option<u32>,
    /// One of several images in a file or store.
    pub series: Option<u32>,
    /// A step of a pyramid; 0, the default, is the full size.
    pub level: Option<u32>,
    /// A point in time. A file with several has no default.
    pub time: Option<u32>,
    /// One plane of a stack, which then is an image of one plane. Without it all planes are read.
    pub plane: Option<u32>,
    /// A named array of an NPZ file; a path within a Zarr store.
    pub member: Option<String>,
    /// A rectangle. Limits are on its size, not on that of the whole, so fields of large images can be read.
    pub region: Option<Region>,
    /// What the pages of a TIFF are that says nothing of it.
    pub pages: Option<PageAxis>,
    /// Whether the chunks that a Zarr store does not have are to be taken for its fill value. Otherwise they are an error: an
    /// empty field and an unfinished copy look alike.
    pub absent_is_fill: bool,
}

/// The columns of a manifest that [`Selector::from_columns`] reads, and what they hold.
pub const COLUMNS: [(&str, &str); 8] = [
    ("image_series", "which of several images of a file, from 0"),
    ("image_level", "the step of a pyramid, 0 is the full size"),
    ("image_time", "the point in time, from 0"),
    ("image_plane", "the plane of a stack, from 0"),
    (
        "image_member",
        "the array of an NPZ file, or the path within a Zarr store",
    ),
    (
        "image_region",
        "first row, first column, rows, columns, in pixels: `0 512 256 256`",
    ),
    (
        "image_pages",
        "what the pages of a TIFF are that does not say it: `channels`, `planes` or `times`",
    ),
    (
        "image_absent",
        "`fill` where chunks that a Zarr store lacks hold its fill value",
    ),
];

impl Selector {
    /// The page of a manifest's column `page`, and nothing else.
    pub fn page(page: Option<u32>) -> Self {
        Self {
            page,
            ..Self::default()
        }
    }

    /// Reads the cells of a row. `cell` gives the text in a column of [`COLUMNS`]; empty text counts as none.
    ///
    /// # Errors
    /// `T114` for a cell that does not say what its column asks for.
    pub fn from_columns<'a>(
        page: Option<u32>,
        cell: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self> {
        let text = |name: &str| cell(name).map(str::trim).filter(|t| !t.is_empty());
        let wrong = |name: &str, text: &str| {
            let what = COLUMNS.iter().find(|c| c.0 == name).map_or("", |c| c.1);
            Error::new(
                &codes::IMAGE_SELECTION,
                format!("`{name}` is {text:?}; it is {what}"),
            )
        };
        let number = |name: &str| {
            text(name)
                .map(|t| t.parse::<u32>().map_err(|_| wrong(name, t)))
                .transpose()
        };
        let region = text("image_region")
            .map(|t| {
                let numbers: Option<Vec<u32>> = t
                    .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'))
                    .filter(|n| !n.is_empty())
                    .map(|n| n.parse().ok())
                    .collect();
                match numbers.as_deref() {
                    Some(&[row, column, rows, columns]) if rows > 0 && columns > 0 => Ok(Region {
                        row,
                        column,
                        rows,
                        columns,
                    }),
                    _ => Err(wrong("image_region", t)),
                }
            })
            .transpose()?;
        let pages = text("image_pages")
            .map(|t| match t {
                "channels" => Ok(PageAxis::Channel),
                "planes" => Ok(PageAxis::Plane),
                "times" => Ok(PageAxis::Time),
                _ => Err(wrong("image_pages", t)),
            })
            .transpose()?;
        let absent_is_fill = match text("image_absent") {
            None => false,
            Some("fill") => true,
            Some(t) => return Err(wrong("image_absent", t)),
        };
        Ok(Self {
            page,
            series: number("image_series")?,
            level: number("image_level")?,
            time: number("image_time")?,
            plane: number("image_plane")?,
            member: text("image_member").map(str::to_owned),
            region,
            pages,
            absent_is_fill,
        })
    }

    /// What stands in [`Selector`] beyond the page, as one line that is the same for the same selection and empty for none.
    pub fn text(&self) -> String {
        let Self {
            page: _,
            series,
            level,
            time,
            plane,
            member,
            region,
            pages,
            absent_is_fill,
        } = self;
        let mut parts = Vec::new();
        for (name, value) in [
            ("series", series),
            ("level", level),
            ("time", time),
            ("plane", plane),
        ] {
            parts.extend(value.map(|v| format!("{name} {v}")));
        }
        parts.extend(member.as_ref().map(|m| format!("member {m:?}")));
        parts.extend(
            region.map(|r| format!("region {} {} {} {}", r.row, r.column, r.rows, r.columns)),
        );
        parts.extend(pages.map(|p| {
            match p {
                PageAxis::Channel => "pages channels",
                PageAxis::Plane => "pages planes",
                PageAxis::Time => "pages times",
            }
            .to_owned()
        }));
        parts.extend(absent_is_fill.then(|| "absent fill".to_owned()));
        parts.join(", ")
    }

    /// An error where something is selected that this sort of file cannot have.
    pub(crate) fn only(&self, format: &str, allowed: &[&str]) -> Result<()> {
        let given = [
            ("page", self.page.is_some_and(|p| p > 0)),
            ("series", self.series.is_some_and(|s| s > 0)),
            ("level", self.level.is_some_and(|l| l > 0)),
            ("time", self.time.is_some_and(|t| t > 0)),
            ("plane", self.plane.is_some()),
            ("member", self.member.is_some()),
            ("pages", self.pages.is_some()),
            ("absent", self.absent_is_fill),
        ];
        for (what, there) in given {
            if there && !allowed.contains(&what) {
                if what == "page" {
                    return Err(crate::no_page(self.page.unwrap_or(0), 1));
                }
                return Err(Error::new(
                    &codes::IMAGE_SELECTION,
                    format!("a {what} is selected, and {format} has none"),
                ));
            }
        }
        Ok(())
    }
}

impl Region {
    /// The region within an image of this size, or all of it.
    pub(crate) fn within(region: Option<Self>, rows: u64, columns: u64) -> Result<[u64; 4]> {
        let Some(region) = region else {
            return Ok([0, 0, rows, columns]);
        };
        let [row, column, height, width] =
            [region.row, region.column, region.rows, region.columns].map(u64::from);
        if height == 0 || width == 0 || row + height > rows || column + width > columns {
            return Err(Error::new(
                &codes::IMAGE_SELECTION,
                format!(
                    "the region of {height} rows and {width} columns from row {row} and column {column} is not within the image of {rows} rows and {columns} columns"
                ),
            ));
        }
        Ok([row, column, height, width])
    }
}

/// One of `count` things along an axis: what is selected, or the only one there is.
pub(crate) fn one_of(what: &str, selected: Option<u32>, count: usize) -> Result<usize> {
    match selected {
        Some(index) if (index as usize) < count => Ok(index as usize),
        Some(index) => Err(Error::new(
            &codes::IMAGE_SELECTION,
            format!("the {what} {index} is selected; there are {count}, counted from 0"),
        )),
        None if count == 1 => Ok(0),
        None => Err(Error::new(
            &codes::IMAGE_SEVERAL,
            format!(
                "the file holds {count} of what an image has one of ({what}), and none is selected"
            ),
        )
        .help(format!(
            "give one row for each and say which in a column `image_{what}`, from 0 to {}",
            count - 1
        ))),
    }
}
