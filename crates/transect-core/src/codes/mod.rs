//! The register of error codes. `transect explain T012` prints what stands here.
//!
//! | range | room |
//! |---|---|
//! | T000 to T099 | manifest, columns, expressions, class maps |
//! | T100 to T199 | images |
//! | T200 to T299 | truth and scores |
//! | T300 to T399 | models, specifications, engines |
//! | T500 to T599 | views: corruptions, attributes |
//! | T600 to T699 | plan, run, tables |
//! | T700 to T799 | statistics and findings |
//! | T800 to T899 | program and report |

use crate::error::Kind;

pub mod anatomy;
pub mod image;
pub mod manifest;
pub mod measure;
pub mod model;
pub mod optics;
pub mod program;
pub mod truth;

/// A registered error code.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `T012`.
    pub id: &'static str,
    /// The sort of error.
    pub kind: Kind,
    /// A few words.
    pub title: &'static str,
    /// What it means, why it is refused, and what to do, in a paragraph or two.
    pub explain: &'static str,
}

/// Every registered code, in order.
pub fn all() -> impl Iterator<Item = &'static Code> {
    [
        manifest::ALL,
        image::ALL,
        truth::ALL,
        model::ALL,
        optics::ALL,
        measure::ALL,
        anatomy::ALL,
        program::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The code with this id, whatever the case of its letters.
pub fn find(id: &str) -> Option<&'static Code> {
    all().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Declares the codes of one room and their list.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $kind:ident, $title:literal, $explain:literal;)*) => {
        $($(#[$doc])* pub static $name: $crate::codes::Code = $crate::codes::Code {
            id: $id, kind: $crate::error::Kind::$kind, title: $title, explain: $explain,
        };)*
        /// Every code of this room, in order.
        pub static ALL: &[&$crate::codes::Code] = &[$(&$name),*];
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    #[test]
    fn ids_are_unique_ordered_and_explained() {
        let all: Vec<_> = super::all().collect();
        for pair in all.windows(2) {
            assert!(
                pair[0].id < pair[1].id,
                "{} before {}",
                pair[0].id,
                pair[1].id
            );
        }
        for code in all {
            assert!(
                code.id.len() == 4 && code.id.starts_with('T'),
                "{}",
                code.id
            );
            assert!(code.explain.len() > 40, "{} is not explained", code.id);
        }
    }
}
