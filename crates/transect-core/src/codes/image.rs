//! Images: T100 to T199.
use super::codes;
codes! {
    /// The file cannot be read.
    IMAGE_UNREADABLE = "T101", Io, "image cannot be read",
        "The file named by the manifest does not exist or the operating system refused to read it. The row is kept with the status `failed`; the run goes on.";
    /// Shape and samples do not agree.
    IMAGE_SHAPE = "T102", Shape, "samples do not fit the shape",
        "An image has (channel, plane, row, column) samples, each dimension at least 1. A file that says otherwise is damaged.";
}
