//! Program and report: T800 to T899.
use super::codes;
codes! {
    /// An option's value cannot be used.
    BAD_OPTION = "T801", Usage, "an option cannot be used",
        "An option of the command line has a value that cannot be used, or two options exclude each other. The error names the option, what it got and what it takes.";
}
