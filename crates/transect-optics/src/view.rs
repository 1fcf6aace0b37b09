//! One view of one image.

use transect_core::context::Optics;
use transect_core::{
    Digest, Error, Fits, Image, LabelImage, Modality, Profile, Result, Severity, Stream, View,
    ViewKind, codes,
};

use crate::ablation;
use crate::corruption;
use crate::describe::Cameras;
use crate::surrogate;
use crate::swap;

/// What a view may depend on beside the image and the view itself.
#[derive(Debug, Clone, Copy)]
pub struct MakeContext<'a> {
    /// What made the images.
    pub modality: Modality,
    /// What is known of the microscope.
    pub optics: Optics,
    /// The run's seed.
    pub seed: u64,
    /// Content hash of the image: the key of its random streams and of the choice of its donor.
    pub image_sha256: Digest,
    /// Pools of donors, for swaps.
    pub fits: &'a Fits,
    /// The image's own profile, where it is known already; `None`: it is estimated from the image.
    pub profile: Option<&'a Profile>,
    /// What makes noise in the image's channels, where it is known already; `None`: it is estimated from the image.
    pub cameras: Option<&'a Cameras>,
}

/// A view, made.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// What is shown to the model.
    pub image: Image,
    /// The truth, moved with the geometry; as given where the geometry stays.
    pub truth: Option<LabelImage>,
    /// The manifest row of the donor, for swaps.
    pub donor_row: Option<u32>,
}

/// Makes a view of an image.
///
/// The identity, a corruption at severity 0 and a corruption at its identity value give the image to the bit. Otherwise a
/// corruption takes its strength from `view.value` in the unit `view.unit`; the severity is only a name for it. The result
/// has the image's sample type: it is rounded to integers (ties to even) and clipped to the type's range, floats stay.
/// Labels follow the geometry by nearest neighbour.
///
/// Random views draw from `Stream::new(seed, "optics/<name>", [image hash, view id])`.
///
/// # Errors
/// `T201` the truth's size is not the image's; `T501` no corruption or trait has this name; `T502` the value is outside the
/// parameter's range; `T503` the view does not apply to this image; `T504` defocus in µm without optics or pixel size;
/// `T505` no donor; `T506` a trait could not be estimated; `T507` the result would be too large.
pub fn make_view(
    image: &Image,
    truth: Option<&LabelImage>,
    view: &View,
    context: &MakeContext<'_>,
) -> Result<Made> {
    if let Some(labels) = truth
        && (labels.rows() != image.rows() || labels.columns() != image.columns())
    {
        return Err(Error::new(
            &codes::truth::TRUTH_SHAPE,
            format!(
                "truth has {} × {} pixels (rows × columns), its image {} × {}",
                labels.rows(),
                labels.columns(),
                image.rows(),
                image.columns()
            ),
        ));
    }
    match view.kind {
        ViewKind::Identity => Ok(unchanged(image, truth)),
        ViewKind::Corruption => {
            let corruption = corruption::find(&view.name)?;
            if view.severity == Severity::ZERO {
                return Ok(unchanged(image, truth));
            }
            corruption.check(view.value)?;
            if view.value == corruption.identity {
                return Ok(unchanged(image, truth));
            }
            corruption.run(image, truth, view, context)
        }
        ViewKind::Swap => swap::make(image, truth, view, context),
        ViewKind::Ablation => ablation::make(image, truth, view, context),
        ViewKind::Surrogate => surrogate::make(image, truth, view, context),
        ViewKind::Subspace | ViewKind::Search => Err(unsupported(format!(
            "a view of kind {} is made with the model, not of the image alone",
            view.kind.word()
        ))),
    }
}

/// The image and its truth as they are.
pub(crate) fn unchanged(image: &Image, truth: Option<&LabelImage>) -> Made {
    Made {
        image: image.clone(),
        truth: truth.cloned(),
        donor_row: None,
    }
}

/// The random stream of a view of an image.
pub(crate) fn stream(purpose: &str, view: &View, context: &MakeContext<'_>) -> Stream {
    let purpose = format!("optics/{purpose}");
    Stream::new(
        context.seed,
        &purpose,
        &[&context.image_sha256.0, view.id().as_bytes()],
    )
}

/// An error that this view does not apply to this image.
pub(crate) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(&codes::optics::VIEW_UNSUPPORTED, message)
}

/// An error that there is no such name among those of its sort.
pub(crate) fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> Error {
    Error::new(
        &codes::optics::UNKNOWN_VIEW,
        format!("unknown {what} `{name}`"),
    )
    .note(format!("{what}s: {}", known.collect::<Vec<_>>().join(", ")))
}
