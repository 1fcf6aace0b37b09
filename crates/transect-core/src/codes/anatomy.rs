//! Statistics and findings: T700 to T799.
use super::codes;
codes! {
    /// A statistic got input that it has no value for.
    STATISTIC_INPUT = "T701", Value, "a statistic has no value for this input",
        "An array was empty, held a value that is not finite, or two arrays that must be of one length were not. Every statistic's documentation says what it takes.";
}
