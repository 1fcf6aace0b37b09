//! Truth that is no label image: outlines, and a mask for each object.

use std::path::Path;

use transect_core::{Error, Image, Item, LabelImage, Result, Task, codes};
use transect_image::Region;
use transect_manifest::outline::{self, Outline};

use crate::job::Job;
use crate::load::read;

/// Truth from outlines.
pub(crate) struct FromOutlines {
    pub(crate) labels: LabelImage,
    /// Whether the numbers are already the model's classes.
    pub(crate) of_classes: bool,
}

/// Draws the truth at this path at the size of its image, where it is a file of outlines or a folder of masks.
///
/// # Errors
/// `T022` to `T025` for outlines that cannot be read or drawn, `T201` for masks of another size, `T202` for a class that the
/// model lacks.
pub(crate) fn from_outlines(
    job: &Job,
    item: &Item,
    path: &str,
    image: &Image,
    region: Option<Region>,
) -> Result<Option<FromOutlines>> {
    let mut outlines = if path.ends_with('/') {
        masks(job, item, path)?
    } else if outline::is_outlines(path) {
        outline::read(&read(job, item, path)?, path)?
    } else {
        return Ok(None);
    };
    if let Some(region) = region {
        outlines = outline::within(
            outlines,
            [region.row, region.column, region.rows, region.columns],
        );
    }
    let mut labels = outline::draw(&outlines, image.rows(), image.columns())?.labels;
    let of_classes =
        job.context.task == Task::Semantic && outlines.iter().any(|o| o.class.is_some());
    if of_classes {
        let classes: Vec<u32> = outlines
            .iter()
            .map(|o| class_of(o, &job.context.classes))
            .collect::<Result<_>>()?;
        for label in labels.labels_mut().iter_mut().filter(|l| **l > 0) {
            *label = classes[*label as usize - 1];
        }
    }
    Ok(Some(FromOutlines { labels, of_classes }))
}

fn class_of(outline: &Outline, classes: &[String]) -> Result<u32> {
    let name = outline.class.as_deref().unwrap_or_default();
    let found = classes.iter().position(|c| c == name);
    found.map(|c| c as u32).ok_or_else(|| {
        let what = if name.is_empty() {
            format!("{} has no class", outline.name)
        } else {
            format!(
                "{} is of the class `{}`, which the model lacks",
                outline.name,
                name.escape_debug()
            )
        };
        Error::new(&codes::truth::TRUTH_CLASS, what)
            .note(format!("classes of the model: {}", classes.join(", ")))
            .help("name the classes in the outlines as the model does")
    })
}

/// The masks in a folder, in the order of their names: each an object, where its value is not 0.
fn masks(job: &Job, item: &Item, folder: &str) -> Result<Vec<Outline>> {
    let root = &job.dataset.roots[item.manifest as usize];
    let full = root.join(folder);
    let unreadable = |what: String| Error::new(&codes::image::IMAGE_UNREADABLE, what).at(folder);
    let entries = std::fs::read_dir(&full)
        .map_err(|e| unreadable(format!("the folder of masks cannot be read: {e}")))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|kind| kind.is_file()))
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|name| {
            let extension = Path::new(name).extension().unwrap_or_default();
            ["png", "tif", "tiff", "npy"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(unreadable("the folder holds no mask".to_owned())
            .help("for an image without objects, give a label image of zeros"));
    }
    names
        .into_iter()
        .map(|name| {
            let path = format!("{}/{name}", folder.trim_end_matches('/'));
            let bytes = read(job, item, &path)?;
            let mask = transect_image::decode_labels(&bytes, &path, None, &job.limits)?;
            outline::of_mask(&mask, &name).map_err(|e| e.at(&path))
        })
        .collect()
}
