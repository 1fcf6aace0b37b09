//! Truth and scores: T200 to T299.
use super::codes;
codes! {
    /// The truth's size is not the image's.
    TRUTH_SHAPE = "T201", Shape, "truth does not fit the image",
        "A label image or mask must have as many rows and columns as its image. The row is kept with the status `failed`; the run goes on.";
}
