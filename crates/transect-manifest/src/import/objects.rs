//! Images with objects: label images, boxes and counts beside the manifest.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use transect_core::codes::manifest as codes;
use transect_core::{Error, Errors};

use super::{Draw, ImportOptions, Imported, Sheet, Sink, counts, some};
use crate::outline::{Outline, draw};
use crate::rows::count;

/// A box, in pixels from the upper left corner of the image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Boxed {
    pub(super) class: String,
    /// Upper, left, lower, right edge.
    pub(super) edges: [f64; 4],
    /// A detector's confidence.
    pub(super) score: Option<f64>,
}

/// An image and what is in it.
#[derive(Debug)]
pub(super) struct Picture {
    /// Path from the manifest.
    pub(super) image: String,
    /// Rows and columns.
    pub(super) size: [usize; 2],
    /// The class of each object.
    pub(super) objects: Vec<String>,
    /// The class of each object that has no outline.
    pub(super) without_outline: Vec<String>,
    pub(super) outlines: Vec<Outline>,
    pub(super) boxes: Vec<Boxed>,
    /// Regions of many objects that are not told apart.
    pub(super) crowds: Vec<Outline>,
    /// Cells of the further columns.
    pub(super) cells: Vec<String>,
}

impl Picture {
    /// An image in which nothing was found yet.
    pub(super) fn empty(image: String, size: [usize; 2]) -> Self {
        Self {
            image,
            size,
            objects: Vec::new(),
            without_outline: Vec::new(),
            outlines: Vec::new(),
            boxes: Vec::new(),
            crowds: Vec::new(),
            cells: Vec::new(),
        }
    }
}

/// All images of an import.
pub(super) struct Pictures<'a> {
    pub(super) all: Vec<Picture>,
    /// Names of the classes, in the order of the format.
    pub(super) classes: Vec<String>,
    /// Names of the further columns.
    pub(super) columns: Vec<&'a str>,
    /// Whether this is truth, and not what a detector found.
    pub(super) is_truth: bool,
    pub(super) notes: Vec<String>,
}

/// Most classes that get a column with their counts.
const MOST_COUNTED: usize = 30;

/// An error for classes asked for that the annotations do not have.
pub(super) fn check_classes(
    source: &Path,
    asked: &[String],
    classes: &[String],
) -> Result<(), Errors> {
    let mut errors = Errors::new();
    for name in asked.iter().filter(|a| !classes.contains(a)) {
        let near = classes
            .iter()
            .map(|c| {
                (
                    strsim::osa_distance(&c.to_lowercase(), &name.to_lowercase()),
                    c,
                )
            })
            .min()
            .filter(|(distance, _)| *distance <= 2.max(name.chars().count() / 3));
        let mut error = Error::new(&codes::IMPORT_LAYOUT, format!("there is no class `{name}`"))
            .at(source)
            .field("--class")
            .note(format!("classes here: {}", classes.join(", ")));
        if let Some((_, near)) = near {
            error = error.help(format!("did you mean `{near}`?"));
        }
        errors.push(error);
    }
    errors.or(())
}

/// The path of a file beside the manifest for an image; two images that differ by their extension alone get different ones.
fn beside(
    options: &ImportOptions,
    what: &str,
    image: &str,
    extension: &str,
    twice: bool,
) -> String {
    let stem = match image.rsplit_once('.') {
        Some((stem, after)) if !twice && !after.contains('/') => stem,
        _ => image,
    };
    format!("{}_{what}/{stem}.{extension}", options.name)
}

/// Draws and writes everything and makes the manifest.
pub(super) fn write(
    source: &Path,
    mut given: Pictures,
    options: &ImportOptions,
    sink: &mut Sink,
) -> Result<Imported, Errors> {
    check_classes(source, &options.classes, &given.classes)?;
    let wanted =
        |class: &str| options.classes.is_empty() || options.classes.iter().any(|c| c == class);
    for picture in &mut given.all {
        picture
            .outlines
            .retain(|o| wanted(o.class.as_deref().unwrap_or_default()));
        picture
            .crowds
            .retain(|o| wanted(o.class.as_deref().unwrap_or_default()));
        picture.boxes.retain(|b| wanted(&b.class));
        picture.objects.retain(|c| wanted(c));
        picture.without_outline.retain(|c| wanted(c));
    }
    let classes: Vec<&String> = given.classes.iter().filter(|c| wanted(c)).collect();
    let outlined = given.all.iter().any(|p| !to_draw(p, options).is_empty());
    let boxed = given.all.iter().any(|p| !p.boxes.is_empty());
    let mut stems: BTreeMap<&str, usize> = BTreeMap::new();
    for picture in &given.all {
        let stem = picture.image.rsplit_once('.').map_or("", |(stem, _)| stem);
        *stems.entry(stem).or_default() += 1;
    }
    // First everything is looked at, so that nothing is written where one outline is wrong.
    let mut errors = Errors::new();
    for picture in &given.all {
        if outlined && let Err(e) = check(picture, options) {
            if errors.0.len() == 20 {
                break;
            }
            errors.push(e.at(source).image(&picture.image));
        }
    }
    errors.or(())?;

    let counted = classes.len() > 1 && classes.len() <= MOST_COUNTED;
    let mut headers = vec!["image".to_owned()];
    headers.extend(outlined.then(|| "labels".to_owned()));
    headers.extend(boxed.then(|| "boxes".to_owned()));
    let one_class = given.all.iter().all(|p| classes_of(p).len() <= 1) && classes.len() > 1;
    headers.extend(one_class.then(|| "class_name".to_owned()));
    headers.push("n_objects".to_owned());
    if counted {
        headers.extend(classes.iter().map(|c| format!("n_{c}")));
    }
    let crowds: usize = given.all.iter().map(|p| p.crowds.len()).sum();
    headers.extend((crowds > 0).then(|| "n_crowds".to_owned()));
    headers.extend(given.columns.iter().map(|c| (*c).to_owned()));
    let mut sheet = Sheet {
        headers,
        rows: Vec::new(),
    };

    let mut seen = Seen::default();
    for picture in &given.all {
        let stem = picture.image.rsplit_once('.').map_or("", |(stem, _)| stem);
        let twice = stems.get(stem).copied().unwrap_or_default() > 1;
        let mut row = vec![picture.image.clone()];
        if outlined && !picture.without_outline.is_empty() {
            // Its label image would lack objects.
            row.push(String::new());
        } else if outlined {
            let [rows, columns] = picture.size;
            let outlines = to_draw(picture, options);
            let mut drawn = draw(&outlines, rows, columns)?;
            seen.add(&picture.image, &outlines, &drawn);
            if options.draw == Draw::Classes {
                let values: Vec<u32> = outlines
                    .iter()
                    .map(|o| {
                        let class = o.class.as_deref().unwrap_or_default();
                        given.classes.iter().position(|c| c == class).unwrap_or(0) as u32 + 1
                    })
                    .collect();
                for label in drawn.labels.labels_mut().iter_mut().filter(|l| **l > 0) {
                    *label = values[*label as usize - 1];
                }
            }
            let bytes = transect_image::encode_labels(&drawn.labels);
            let extension = if bytes.starts_with(b"\x89PNG") {
                "png"
            } else {
                "tif"
            };
            let path = beside(options, "labels", &picture.image, extension, twice);
            sink(&path, &bytes)?;
            row.push(path);
        }
        if boxed {
            row.push(keep_boxes(
                options,
                &picture.image,
                &picture.boxes,
                twice,
                sink,
            )?);
        }
        let tally = tally(picture);
        if one_class {
            row.push(
                classes_of(picture)
                    .into_iter()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        row.push(tally.values().sum::<usize>().to_string());
        if counted {
            row.extend(
                classes
                    .iter()
                    .map(|c| tally.get(c.as_str()).copied().unwrap_or(0).to_string()),
            );
        }
        if crowds > 0 {
            row.push(picture.crowds.len().to_string());
        }
        row.extend(picture.cells.iter().cloned());
        sheet.rows.push(row);
    }
    sheet.without_empty(&given.columns);

    let mut notes = vec![
        counts(&[
            (given.all.len(), "image"),
            (given.all.iter().map(|p| p.outlines.len()).sum(), "outline"),
            (given.all.iter().map(|p| p.boxes.len()).sum(), "box"),
        ])
        .replace(" boxs", " boxes"),
    ];
    notes.append(&mut given.notes);
    seen.tell(&mut notes);
    if crowds > 0 && options.draw == Draw::Objects {
        notes.push(format!(
            "{crowds} regions of many objects (crowds) are not drawn: what a model finds there would count as wrong; leave such images out with --where \"n_crowds = 0\""
        ));
    }
    let empty = given
        .all
        .iter()
        .filter(|p| p.objects.is_empty() && p.crowds.is_empty())
        .count();
    if empty > 0 && given.is_truth && (outlined || boxed) {
        notes.push(format!(
            "{} no object: counted as empty; where they were not annotated, leave them out with --where \"n_objects > 0\"",
            if empty == 1 { "1 image has".to_owned() } else { format!("{empty} images have") }
        ));
    }
    let lacking: Vec<String> = given
        .all
        .iter()
        .filter(|p| outlined && !p.without_outline.is_empty())
        .map(|p| p.image.clone())
        .collect();
    some(
        &mut notes,
        "images with objects that have a box and no outline: they get no label image, which would lack these objects",
        &lacking,
    );
    if outlined && classes.len() > 1 && options.draw == Draw::Objects {
        notes.push(format!(
            "objects of {} classes are drawn alike; --class NAME keeps one, --draw classes makes masks of classes",
            classes.len()
        ));
    }
    if boxed {
        notes.push(if outlined {
            "boxes are kept in the column `boxes`".to_owned()
        } else {
            "there are boxes and no outlines: they are kept in the column `boxes`; counts of objects are in columns of their own".to_owned()
        });
    }
    let mut audit = Vec::new();
    if outlined {
        audit.push("--truth labels".to_owned());
        if options.draw == Draw::Classes {
            let values: Vec<String> = given
                .classes
                .iter()
                .enumerate()
                .map(|(i, c)| format!("{}={c}", i + 1))
                .collect();
            audit.push("--task semantic".to_owned());
            audit.push(format!(
                "--mask-values \"0=background,{}\"",
                values.join(",")
            ));
        } else {
            audit.push("--task instance".to_owned());
        }
    } else if one_class && given.is_truth {
        audit.push("--truth class_name".to_owned());
    }
    Ok(Imported {
        csv: sheet.csv(),
        notes,
        audit,
    })
}

/// Whether the outlines of an image can be drawn.
fn check(picture: &Picture, options: &ImportOptions) -> Result<(), Error> {
    let [rows, columns] = picture.size;
    draw(&to_draw(picture, options), rows, columns).map(drop)
}

/// What a label image shows: a crowd has a class, but is no object.
fn to_draw<'p>(picture: &'p Picture, options: &ImportOptions) -> Cow<'p, [Outline]> {
    if options.draw == Draw::Objects || picture.crowds.is_empty() {
        Cow::Borrowed(&picture.outlines)
    } else {
        Cow::Owned([picture.outlines.as_slice(), &picture.crowds].concat())
    }
}

/// How many objects of each class an image has.
fn tally(picture: &Picture) -> BTreeMap<&str, usize> {
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for class in &picture.objects {
        *tally.entry(class).or_default() += 1;
    }
    tally
}

fn classes_of(picture: &Picture) -> BTreeSet<&str> {
    picture.objects.iter().map(String::as_str).collect()
}

/// Writes the boxes of an image beside the manifest and gives their path.
pub(super) fn keep_boxes(
    options: &ImportOptions,
    image: &str,
    boxes: &[Boxed],
    twice: bool,
    sink: &mut Sink,
) -> Result<String, Error> {
    let path = beside(options, "boxes", image, "csv", twice);
    sink(&path, table(boxes).as_bytes())?;
    Ok(path)
}

/// Boxes as a table. Edges to a thousandth of a pixel.
fn table(boxes: &[Boxed]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let scored = boxes.iter().any(|b| b.score.is_some());
    let mut header = vec!["class", "row0_px", "column0_px", "row1_px", "column1_px"];
    header.extend(scored.then_some("score"));
    let _ = writer.write_record(&header);
    for boxed in boxes {
        let mut row = vec![boxed.class.clone()];
        row.extend(boxed.edges.iter().map(|e| {
            let rounded = (e * 1000.0).round() / 1000.0;
            // No negative zero.
            (rounded + 0.0).to_string()
        }));
        if scored {
            row.push(boxed.score.map_or_else(String::new, |s| s.to_string()));
        }
        let _ = writer.write_record(&row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// What was seen in drawing.
#[derive(Default)]
struct Seen {
    overlap: u64,
    overlapped: usize,
    thin: Vec<String>,
    hidden: Vec<String>,
}

impl Seen {
    fn add(&mut self, image: &str, outlines: &[Outline], drawn: &crate::outline::Drawn) {
        self.overlap += drawn.overlap;
        self.overlapped += usize::from(drawn.overlap > 0);
        let name = |i: &usize| format!("{} in {image}", outlines[*i].name);
        self.thin.extend(drawn.without_pixels.iter().map(name));
        self.hidden.extend(drawn.hidden.iter().map(name));
    }

    fn tell(&self, notes: &mut Vec<String>) {
        if self.overlap > 0 {
            notes.push(format!(
                "{} in {} belong to more than one object: each went to the smallest of them",
                count(self.overlap as usize, "pixel"),
                count(self.overlapped, "image")
            ));
        }
        some(
            notes,
            "outlines too small to hold the centre of a pixel, not drawn",
            &self.thin,
        );
        some(
            notes,
            "outlines wholly covered by smaller ones, not to be seen",
            &self.hidden,
        );
    }
}
