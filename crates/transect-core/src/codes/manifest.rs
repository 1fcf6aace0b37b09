//! Manifest, columns, expressions, class maps: T000 to T099.
use super::codes;
codes! {
    /// The manifest cannot be read.
    MANIFEST_UNREADABLE = "T001", Io, "manifest cannot be read",
        "The manifest given by --data or --reference does not exist or cannot be opened. It is a CSV, TSV or JSON-lines file with one row for each image and a column `image` with paths relative to the manifest. `transect manifest DIR` writes one from a folder.";
    /// A column that is not there.
    UNKNOWN_COLUMN = "T012", Usage, "unknown column",
        "An option names a column that the manifest does not have. Column names are case-sensitive. The error lists the columns that there are and the nearest one.";
}
