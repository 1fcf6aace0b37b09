//! Views: T500 to T599.
use super::codes;
codes! {
    /// A view that no corruption of this name can make.
    UNKNOWN_VIEW = "T501", Usage, "unknown corruption",
        "A plan names a corruption that this version does not have. `transect explain corruptions` lists them.";
}
