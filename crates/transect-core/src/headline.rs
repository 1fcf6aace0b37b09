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

/// The questions that the three answers are to, of a model or of images alone.
pub const fn questions(images_alone: bool) -> [&'static str; 3] {
    if images_alone {
        [
            "Can these images be relied on?",
            "Which of them need a look?",
            "What else would have to be known?",
        ]
    } else {
        [
            "Does it work on my images?",
            "Which will it get wrong?",
            "How many must I label to be sure?",
        ]
    }
}

/// Three answers to [`questions`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// To the first: does it work on my images?
    pub works: Answer,
    /// To the second: which will it get wrong?
    pub wrong: Answer,
    /// To the third: how many must I label to be sure?
    pub label: Answer,
}
