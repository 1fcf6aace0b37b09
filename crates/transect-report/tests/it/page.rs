//! The page as a whole.

use std::collections::BTreeSet;

use transect_core::{Better, Finding, Verdict};
use transect_report::{Failure, Report, html};

use crate::fixture::{empty, large, realistic};
use crate::markup::{Piece, assert_balanced, attributes, elements, read, text};

const VERDICTS: [Verdict; 6] = [
    Verdict::Pass,
    Verdict::Warn,
    Verdict::Fail,
    Verdict::Undecided,
    Verdict::NotAssessable,
    Verdict::Described,
];

#[test]
fn elements_are_nested_and_identifiers_are_unique() {
    for report in [realistic(), empty(), large(40, 60, 12)] {
        let pieces = read(&html(&report));
        assert_balanced(&pieces);
        let ids = attributes(&pieces, "id");
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len(), "{ids:?}");
        for target in attributes(&pieces, "href") {
            let id = target
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{target} leads away from the page"));
            assert!(unique.contains(id), "nothing is at {target}");
        }
        for labels in attributes(&pieces, "aria-labelledby") {
            assert!(labels.split(' ').all(|id| unique.contains(id)), "{labels}");
        }
    }
}

#[test]
fn nothing_is_asked_of_a_network() {
    let page = html(&realistic());
    let pieces = read(&page);
    for source in attributes(&pieces, "src") {
        assert!(source.starts_with("data:image/png;base64,"), "{source}");
    }
    for name in [
        "link", "iframe", "object", "embed", "form", "base", "video", "audio", "image",
    ] {
        assert_eq!(elements(&pieces, name), 0, "{name}");
    }
    for word in [
        "http://",
        "https://",
        "//cdn",
        "url(",
        "@import",
        "@font-face",
        "fetch(",
        "XMLHttpRequest",
        "eval(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    for key in [
        "style",
        "onclick",
        "onload",
        "onerror",
        "srcset",
        "action",
        "xlink:href",
    ] {
        assert!(attributes(&pieces, key).is_empty(), "{key}");
    }
}

#[test]
fn the_policy_admits_only_the_style_and_the_script_of_the_page() {
    let pieces = read(&html(&realistic()));
    let policy = attributes(&pieces, "content")[0].to_owned();
    assert!(
        policy.starts_with("default-src 'none'; img-src data:; style-src 'sha256-"),
        "{policy}"
    );
    assert!(
        !policy.contains("unsafe") && !policy.contains('*'),
        "{policy}"
    );
    let raw: Vec<&String> = pieces
        .windows(2)
        .filter_map(|w| match w {
            [Piece::Open { name, .. }, Piece::Text(raw)] if name == "style" || name == "script" => {
                Some(raw)
            }
            _ => None,
        })
        .collect();
    assert_eq!(raw.len(), 2);
    for raw in raw {
        // The hash of the policy, read back from base 64.
        let digest = transect_core::Digest::of(raw.as_bytes()).0;
        let found = policy
            .split('\'')
            .filter_map(|p| p.strip_prefix("sha256-"))
            .any(|h| unbase64(h) == digest);
        assert!(found, "{policy}");
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut held = 0;
    let mut bytes = Vec::new();
    for c in text.trim_end_matches('=').chars() {
        bits = (bits << 6) | alphabet.find(c).expect("base 64") as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

/// A report in which every text is hostile.
fn hostile(text: &str) -> Report {
    let evil = || text.to_owned();
    let mut report = realistic();
    let finding = Finding {
        verdict: Verdict::NotAssessable,
        mode: evil(),
        claim: evil(),
        estimate: Some(0.5),
        interval_method: Some(evil()),
        interval: Some([0.1, 0.9]),
        unit: evil(),
        images: vec![evil(); 9],
        caveats: vec![evil()],
        missing: Some(evil()),
        remedy: Some(evil()),
        ..Finding::new(format!("performance.x[{text}]"))
    };
    let mut with_evidence = finding.clone();
    with_evidence.evidence.model = Some(evil());
    with_evidence.evidence.view = Some(evil());
    with_evidence.evidence.rows = Some(evil());
    with_evidence.evidence.sql = Some(evil());
    report.findings = vec![finding; 8];
    report.findings.push(with_evidence);
    report.findings[0].primary = true;
    for answer in [
        &mut report.headline.works,
        &mut report.headline.wrong,
        &mut report.headline.label,
    ] {
        answer.text = evil();
        answer.findings = vec![evil(), format!("performance.x[{text}]")];
    }
    report.title = evil();
    report.generated_by = evil();
    report.run.model_name = evil();
    report.run.engine = evil();
    report.run.model_test = evil();
    report.run.notes = vec![evil()];
    report.run.context.classes = vec![evil()];
    report.run.context.domain = Some(evil());
    report.run.context.claims = std::iter::once((evil(), 0.5)).collect();
    for ladder in &mut report.run.context.ladders {
        ladder.words = evil();
        ladder.note = evil();
        ladder.unit = evil();
    }
    for request in &mut report.run.requests {
        request.mode = evil();
    }
    for picture in &mut report.gallery {
        picture.title = evil();
        picture.caption = evil();
        picture.image = evil();
        picture.note = evil();
        picture.alt = evil();
    }
    report.failures = vec![
        Failure {
            image: evil(),
            code: evil(),
            message: evil()
        };
        30
    ];
    for figure in &mut report.figures {
        use transect_core::figure::Drawing;
        figure.id = evil();
        figure.mode = evil();
        figure.title = evil();
        figure.caption = evil();
        match &mut figure.drawing {
            Drawing::Forest { x, rows, marks } => {
                *x = evil();
                for m in marks {
                    m.1 = evil();
                }
                for row in rows {
                    row.label = evil();
                    row.note = evil();
                }
            }
            Drawing::Bars { x, rows } => {
                *x = evil();
                for r in rows {
                    r.label = evil();
                }
            }
            Drawing::Curve {
                x,
                y,
                series,
                x_marks,
                y_marks,
                ..
            } => {
                *x = evil();
                *y = evil();
                for s in series {
                    s.label = evil();
                }
                x_marks.iter_mut().chain(y_marks).for_each(|m| m.1 = evil());
            }
            Drawing::Distribution { x, series } => {
                *x = evil();
                for s in series {
                    s.0 = evil();
                }
            }
            Drawing::Confusion { classes, .. } => classes.iter_mut().for_each(|c| *c = evil()),
        }
    }
    report
}

#[test]
fn texts_of_strangers_stay_texts() {
    let clean = read(&html(&hostile("name")));
    for evil in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title></style></svg><b>",
        "&lt;i&gt; &amp;#60;",
        "javascript:alert(1)",
    ] {
        let page = html(&hostile(evil));
        let pieces = read(&page);
        assert_balanced(&pieces);
        for name in ["script", "style", "img", "b", "i", "title"] {
            assert_eq!(
                elements(&pieces, name),
                elements(&clean, name),
                "{name} with {evil}"
            );
        }
        for key in ["onerror", "onmouseover"] {
            assert!(attributes(&pieces, key).is_empty(), "{key} with {evil}");
        }
        assert!(
            attributes(&pieces, "href")
                .iter()
                .all(|h| h.starts_with('#')),
            "{evil}"
        );
        assert!(text(&pieces).contains(evil), "{evil} is not shown as it is");
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(html(&realistic()), html(&realistic()));
    assert_eq!(html(&large(50, 60, 3)), html(&large(50, 60, 3)));
}

#[test]
fn no_number_is_written_that_is_none() {
    for report in [realistic(), broken_numbers()] {
        let pieces = read(&html(&report));
        for key in [
            "x",
            "y",
            "x1",
            "x2",
            "y1",
            "y2",
            "cx",
            "cy",
            "r",
            "width",
            "height",
            "d",
            "viewBox",
            "transform",
            "fill-opacity",
        ] {
            for value in attributes(&pieces, key) {
                assert!(
                    !value.contains("NaN") && !value.contains("inf"),
                    "{key}={value}"
                );
            }
        }
        for key in ["width", "height"] {
            for value in attributes(&pieces, key) {
                assert!(!value.starts_with('-'), "{key}={value}");
            }
        }
        let words = text(&pieces);
        assert!(
            !words.contains("NaN") && !words.contains(" inf"),
            "a number that is none is written"
        );
    }
}

fn broken_numbers() -> Report {
    let mut report = realistic();
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        1e300,
        -1e300,
        5e-324,
        1.0,
    ];
    for (i, finding) in report.findings.iter_mut().enumerate() {
        finding.estimate = Some(odd[i % odd.len()]);
        finding.interval = Some([odd[(i + 1) % odd.len()], odd[(i + 2) % odd.len()]]);
        finding.groups = Some(odd[(i + 3) % odd.len()]);
        finding.p = Some(odd[i % odd.len()]);
        if let Some(t) = &mut finding.threshold {
            t.warn = odd[(i + 4) % odd.len()];
            t.fail = odd[(i + 5) % odd.len()];
        }
    }
    report
}

#[test]
fn every_verdict_is_drawn_differently_and_has_its_word() {
    let mut report = empty();
    report.findings = VERDICTS
        .iter()
        .enumerate()
        .map(|(i, &verdict)| Finding {
            verdict,
            claim: "the same claim".to_owned(),
            estimate: Some(0.5),
            better: Better::Higher,
            ..Finding::new(format!("performance.metric_{i}"))
        })
        .collect();
    let page = html(&report);
    let mut icons = BTreeSet::new();
    let mut words = BTreeSet::new();
    let mut classes = BTreeSet::new();
    for i in 0..VERDICTS.len() {
        let start = page
            .find(&format!("id=\"finding-{i}\""))
            .expect("the finding is there");
        let start = page[..start].rfind("<article").expect("its element");
        let article = &page[start..start + page[start..].find("</article>").expect("its end")];
        let between = |a: &str, b: &str| {
            let from = article
                .find(a)
                .unwrap_or_else(|| panic!("no {a} in {article}"))
                + a.len();
            article[from..from + article[from..].find(b).expect("an end")].to_owned()
        };
        icons.insert(between("href=\"#icon-", "\""));
        classes.insert(between("<article class=\"", "\""));
        words.insert(between("</use></svg>", "</span>"));
    }
    assert_eq!(
        (icons.len(), words.len(), classes.len()),
        (6, 6, 6),
        "{icons:?} {words:?} {classes:?}"
    );
    // The six symbols differ in shape, not in colour alone.
    let shapes: BTreeSet<String> = icons
        .iter()
        .map(|id| {
            let start = page
                .find(&format!("<symbol id=\"icon-{id}\""))
                .expect("the symbol");
            let symbol = &page[start..start + page[start..].find("</symbol>").expect("its end")];
            let colours =
                regex::Regex::new("(fill|stroke)=\"[^\"]*\"|id=\"[^\"]*\"").expect("a pattern");
            colours.replace_all(symbol, "").into_owned()
        })
        .collect();
    assert_eq!(shapes.len(), 6);
}

#[test]
fn what_was_not_assessed_stands_beside_what_failed() {
    let page = html(&realistic());
    let words = text(&read(&page));
    let place = |needle: &str| {
        words
            .find(needle)
            .unwrap_or_else(|| panic!("{needle} is missing"))
    };
    let answers = place("Does it work on my images?");
    let strip = place("Primary findings");
    let failed = place("What failed or gives a warning");
    let missing = place("What was not assessed");
    let evidence = place("How well the predictions agree");
    let pictures = place("Choose a picture");
    let list = place("Images that could not be measured");
    let method = place("How it was measured");
    assert!(
        answers < strip && strip < failed && failed < missing && missing < evidence,
        "order of the first parts"
    );
    // The name of the last part is in the navigation too, so only the first parts are compared with it.
    assert!(
        evidence < pictures && pictures < list && method < answers,
        "order of the last parts"
    );
    assert_eq!(page.matches("class=\"panel\"").count(), 2);
    assert!(
        words.contains("at least 5 groups on each side"),
        "what would have to be supplied"
    );
    assert!(
        words.contains("about 240 independent images or groups"),
        "what would settle it"
    );
}

#[test]
fn an_empty_report_says_that_it_is_empty() {
    let words = text(&read(&html(&empty())));
    for said in [
        "There was nothing to judge.",
        "No finding was declared primary before this run",
        "No finding failed and none gives a warning.",
        "Every question that was put could be answered.",
        "There are no findings and no figures in this report.",
        "No pictures were made for this report.",
        "Every image that was tried was measured.",
    ] {
        assert!(words.contains(said), "{said}");
    }
}

#[test]
fn every_finding_figure_picture_and_failure_is_on_the_page() {
    let report = large(30, 90, 20);
    let words = text(&read(&html(&report)));
    for finding in &report.findings {
        assert!(words.contains(&finding.claim), "{}", finding.id);
        assert!(words.contains(&finding.id), "{}", finding.id);
    }
    for figure in &report.figures {
        assert!(
            words.contains(&figure.title) && words.contains(&figure.caption),
            "{}",
            figure.id
        );
    }
    for picture in &report.gallery {
        assert!(
            words.contains(&picture.title) && words.contains(&picture.caption),
            "{}",
            picture.image
        );
    }
    for failure in &report.failures {
        assert!(
            words.contains(&failure.image) && words.contains(&failure.message),
            "{}",
            failure.image
        );
    }
    for note in &report.run.notes {
        assert!(words.contains(note), "{note}");
    }
    // Every line of the forest, folded away or not.
    for i in 0..90 {
        assert!(
            words.contains(&format!("a site with a rather long name, number {i}: ")),
            "{i}"
        );
    }
}

#[test]
fn a_page_without_pictures_is_small_and_a_large_one_is_folded() {
    let mut report = realistic();
    report.gallery.clear();
    let size = html(&report).len();
    assert!(size < 250_000, "{size} bytes");

    let page = html(&large(5000, 200, 30));
    assert!(page.len() < 12_000_000, "{} bytes", page.len());
    // Outside of what is folded away there is little.
    let mut depth = 0_i32;
    let mut open = 0_usize;
    let mut name = "";
    let pieces = read(&page);
    for piece in &pieces {
        match piece {
            Piece::Open {
                name: n,
                attributes,
            } if n == "details" => {
                depth += i32::from(!attributes.iter().any(|a| a.0 == "open")) + 100;
            }
            Piece::Close(n) if n == "details" => depth = depth.max(100) - 100,
            Piece::Open { name: n, .. } => name = n,
            _ => {}
        }
        if depth == 0
            && name == "article"
            && matches!(piece, Piece::Open { name, .. } if name == "article")
        {
            open += 1;
        }
    }
    assert!(open < 60, "{open} findings lie open");
}

#[test]
fn every_drawing_has_a_role_and_words() {
    let pieces = read(&html(&realistic()));
    for piece in &pieces {
        if let Piece::Open { name, attributes } = piece {
            if name == "svg" {
                let get = |k: &str| attributes.iter().find(|a| a.0 == k).map(|a| a.1.as_str());
                let hidden = get("aria-hidden") == Some("true");
                let named = get("aria-label")
                    .or(get("aria-labelledby"))
                    .is_some_and(|l| !l.is_empty());
                assert!(
                    hidden || (get("role") == Some("img") && named),
                    "{attributes:?}"
                );
            }
            if name == "img" {
                assert!(
                    attributes.iter().any(|a| a.0 == "alt" && !a.1.is_empty()),
                    "{attributes:?}"
                );
            }
        }
    }
}

#[test]
fn a_finding_reads_like_this() {
    let mut report = empty();
    report.findings = vec![realistic().findings[0].clone()];
    let page = html(&report);
    let start = page.find("<article class=\"finding").expect("the finding");
    let end = start + page[start..].find("</article>").expect("its end");
    let words = text(&read(&format!(
        "<!DOCTYPE html>{}</article>",
        &page[start..end]
    )));
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!(words, @"Fail accuracy primary On the 82 target images the accuracy is 41.5% (95% interval 31–53%), 53 points below the claim of 95%. What to do: Do not use the model on these images as they are. Look first at magnification and stain: see the shift below. Images assumed independent: no column was given as --group. Seen best in images/d2_017.png , images/d2_044.png , images/d2_003.png . How this was found Id performance.accuracy Estimate 41% 95% interval 31% to 53%, BCa over 82 images Thresholds warning at 95%, fail at 90% Better higher p < 0.0001 p, adjusted < 0.0001 (Holm over 4 primary findings) Model given View identity Rows role = 'target' SELECT avg(correct) FROM 'measurements.parquet' JOIN 'items.parquet' USING (row) WHERE view_id = 'identity' AND role = 'target' AND status = 'ok' 0% 100% warn fail 41% [31, 53] n = 82, 82 groups");
}
