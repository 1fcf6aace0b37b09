//! Surrogates: images without objects, made from an image; the truth is that there is nothing.

use transect_core::view::SURROGATES;
use transect_core::{Error, Image, LabelImage, Result, View, codes};

use crate::view::{Made, MakeContext};

/// Makes the surrogate that the view names.
///
/// # Errors
/// `T501` for a name that there is not.
pub(crate) fn make(
    _image: &Image,
    _truth: Option<&LabelImage>,
    view: &View,
    _context: &MakeContext<'_>,
) -> Result<Made> {
    let names: Vec<_> = SURROGATES.iter().map(|(name, _)| *name).collect();
    Err(Error::new(
        &codes::optics::UNKNOWN_VIEW,
        format!("unknown surrogate `{}`", view.name),
    )
    .note(format!("surrogates: {}", names.join(", "))))
}
