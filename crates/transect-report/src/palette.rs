//! Colours: one table for both themes, so that contrast can be tested.
//!
//! The hues are those of Okabe and Ito, which stay apart for readers with any common colour blindness; texts on tints
//! are darker (or, in the dark, lighter) shades of them with a contrast of at least 4.5 to 1.

/// Name of a CSS variable, its colour in the light, its colour in the dark.
pub(crate) const COLOURS: &[(&str, &str, &str)] = &[
    ("page", "#f6f7f5", "#121518"),
    ("surface", "#ffffff", "#1b1f24"),
    ("raised", "#f0f2f1", "#242a30"),
    ("ink", "#1a2025", "#e9ecee"),
    ("muted", "#54606a", "#a9b4be"),
    ("rule", "#d5dbdf", "#38414a"),
    ("grid", "#e6eaec", "#2b3239"),
    ("link", "#00598c", "#7cc4f2"),
    ("focus", "#d55e00", "#f0a868"),
    ("pass-ink", "#00583f", "#6fdcb8"),
    ("pass-tint", "#e0f3ec", "#0f3028"),
    ("pass-solid", "#009e73", "#1fb88c"),
    ("warn-ink", "#6b4700", "#ffd27a"),
    ("warn-tint", "#fdf2d8", "#3a2d0c"),
    ("warn-solid", "#e69f00", "#f0b429"),
    ("fail-ink", "#963800", "#ffb38a"),
    ("fail-tint", "#fce5d9", "#432012"),
    ("fail-solid", "#d55e00", "#f07a2b"),
    ("undecided-ink", "#7d2c5c", "#f0b5d6"),
    ("undecided-tint", "#f8e8f1", "#3a1d2f"),
    ("undecided-solid", "#b8538c", "#d989b5"),
    ("missing-ink", "#3f484f", "#ced6dd"),
    ("missing-tint", "#e9ecee", "#2a3138"),
    ("missing-solid", "#6d7880", "#8e9aa4"),
    ("described-ink", "#1f4e6e", "#a9d3ee"),
    ("described-tint", "#e6f0f7", "#1a2e3d"),
    ("described-solid", "#4a87ad", "#6cabd1"),
    ("series-1", "#0072b2", "#56b4e9"),
    ("series-2", "#d55e00", "#f08a4b"),
    ("series-3", "#009e73", "#2fc79c"),
    ("series-4", "#b8538c", "#dd97bf"),
    ("series-5", "#9a7200", "#e6b93e"),
    ("series-6", "#54606a", "#a9b4be"),
];

/// Pairs of text and ground that are read, and so need a contrast of 4.5 to 1.
#[cfg(test)]
const READ: &[(&str, &str)] = &[
    ("ink", "page"),
    ("ink", "surface"),
    ("ink", "raised"),
    ("muted", "page"),
    ("muted", "surface"),
    ("muted", "raised"),
    ("link", "page"),
    ("link", "surface"),
    ("link", "raised"),
    ("pass-ink", "pass-tint"),
    ("warn-ink", "warn-tint"),
    ("fail-ink", "fail-tint"),
    ("undecided-ink", "undecided-tint"),
    ("missing-ink", "missing-tint"),
    ("described-ink", "described-tint"),
    ("ink", "pass-tint"),
    ("ink", "warn-tint"),
    ("ink", "fail-tint"),
    ("ink", "undecided-tint"),
    ("ink", "missing-tint"),
    ("ink", "described-tint"),
    ("link", "pass-tint"),
    ("link", "warn-tint"),
    ("link", "fail-tint"),
    ("link", "undecided-tint"),
    ("link", "missing-tint"),
    ("link", "described-tint"),
];

/// The variables as CSS declarations.
pub(crate) fn declarations(dark: bool) -> String {
    let mut css = String::new();
    for (name, light_colour, dark_colour) in COLOURS {
        css.push_str("--");
        css.push_str(name);
        css.push(':');
        css.push_str(if dark { dark_colour } else { light_colour });
        css.push(';');
    }
    css.push_str(if dark {
        "color-scheme:dark;"
    } else {
        "color-scheme:light;"
    });
    css
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(name: &str, dark: bool) -> [f64; 3] {
        let (_, light_colour, dark_colour) = COLOURS.iter().find(|c| c.0 == name).expect(name);
        let text = if dark { dark_colour } else { light_colour };
        [1, 3, 5].map(|i| f64::from(u8::from_str_radix(&text[i..i + 2], 16).expect("hex")) / 255.0)
    }

    /// Relative luminance and contrast of WCAG 2.
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let luminance = |c: [f64; 3]| {
            let [r, g, b] = c.map(|v| {
                if v <= 0.040_45 {
                    v / 12.92
                } else {
                    ((v + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (x, y) = (luminance(a), luminance(b));
        (x.max(y) + 0.05) / (x.min(y) + 0.05)
    }

    #[test]
    fn black_on_white_is_21_to_1() {
        assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_read_has_contrast() {
        for dark in [false, true] {
            for (ink, ground) in READ {
                let ratio = contrast(colour(ink, dark), colour(ground, dark));
                assert!(ratio >= 4.5, "{ink} on {ground}, dark {dark}: {ratio:.2}");
            }
        }
    }

    #[test]
    fn what_is_seen_has_contrast() {
        // Marks and lines that carry meaning: 3 to 1 (WCAG 1.4.11), the yellow of a warning aside, which never stands
        // without an outline, a shape and a word.
        for dark in [false, true] {
            for name in COLOURS
                .iter()
                .map(|c| c.0)
                .filter(|n| n.starts_with("series") || n.ends_with("solid"))
            {
                if name != "warn-solid" {
                    let ratio = contrast(colour(name, dark), colour("surface", dark));
                    assert!(ratio >= 3.0, "{name}, dark {dark}: {ratio:.2}");
                }
            }
        }
    }
}
