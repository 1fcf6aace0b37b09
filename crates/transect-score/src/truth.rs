//! What is true of one image.

use transect_core::LabelImage;

/// What is true of one image, in the terms of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// Index of the image's class among the model's classes.
    Class(u32),
    /// Objects: 0 is background, each other value is one object. Values need not be consecutive; an object may be in
    /// several pieces.
    Labels(LabelImage),
    /// Class index of every pixel.
    Mask {
        /// Class indices.
        mask: LabelImage,
        /// Pixels of this value are left out of every count, in truth and in prediction.
        ignore: Option<u32>,
    },
}

/// Index of the class of this name; `None` where the model lacks it. Names are compared exactly, letter by letter.
///
/// ```
/// let classes = ["monocyte".to_owned(), "basophil".to_owned()];
/// assert_eq!(transect_score::class_index("basophil", &classes), Some(1));
/// assert_eq!(transect_score::class_index("Basophil", &classes), None);
/// ```
pub fn class_index(name: &str, classes: &[String]) -> Option<u32> {
    classes
        .iter()
        .position(|class| class == name)
        .and_then(|index| u32::try_from(index).ok())
}
