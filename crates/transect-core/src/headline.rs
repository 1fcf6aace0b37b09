//! The first screen of a report: three questions and their answers in plain words.

use serde::{Deserialize, Serialize};

use crate::finding::Verdict;

/// An answer in plain words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// Its colour.
    pub verdict: Verdict,
    /// One or two sentences.
    pub text: String,
    /// Ids of the findings that it rests on.
    pub findings: Vec<String>,
}

/// Three answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// Does it work on my images?
    pub works: Answer,
    /// Which will it get wrong?
    pub wrong: Answer,
    /// How many must I label to be sure?
    pub label: Answer,
}
