//! The book and the pages at the root: every link leads somewhere, every page is in the book, and every page that the
//! program or an error names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

const AT_THE_ROOT: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a folder with an extension, relative to the root of the repository, sorted.
fn below(folder: &str, extension: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                files.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Lines outside of blocks of code, with their one-based numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    text.lines()
        .enumerate()
        .filter(move |(_, line)| {
            let fence = line.trim_start().starts_with("```");
            code ^= fence;
            !code && !fence
        })
        .map(|(index, line)| (index + 1, line))
}

/// A line with what stands in backticks blanked out.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("` `")
}

/// Targets of links and images, with the line: `](target)`, `](target "title")`, `[name]: target`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let line = without_code(line);
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or("");
            found.push((number, target.trim_matches(['<', '>']).to_owned()));
        }
        if let Some((_, target)) = line
            .strip_prefix('[')
            .and_then(|l| l.split_once("]:"))
            .filter(|(name, _)| !name.contains(']'))
        {
            found.push((number, target.trim().to_owned()));
        }
    }
    found
}

/// The names under which headings can be linked to, as mdBook and forges make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let name: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let times = seen.entry(name.clone()).or_default();
        names.insert(if *times == 0 {
            name
        } else {
            format!("{name}-{times}")
        });
        *times += 1;
    }
    names
}

/// A path without `.` and `..`; `None` where it leaves the repository.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => parts.pop().then_some(())?,
            Component::CurDir => {}
            Component::Normal(name) => parts.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts)
}

/// What is wrong with a link; `from` is the page, relative to the root.
fn broken(from: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let page = if path.is_empty() {
        PathBuf::from(from)
    } else {
        let folder = Path::new(from).parent().unwrap();
        match normal(&folder.join(path)) {
            Some(page) => page,
            None => return Some("leaves the repository".to_owned()),
        }
    };
    // The book holds what lies in its folder and nothing else.
    if from.starts_with("docs/src") && !page.starts_with("docs/src") {
        return Some("leaves the book".to_owned());
    }
    let full = root().join(&page);
    if !full.exists() {
        return Some("there is no such file".to_owned());
    }
    if !anchor.is_empty() && !anchors(&fs::read_to_string(full).unwrap()).contains(anchor) {
        return Some(format!("the page has no heading `{anchor}`"));
    }
    None
}

fn pages() -> Vec<String> {
    let mut pages = below("docs/src", "md");
    pages.extend(AT_THE_ROOT.map(str::to_owned));
    pages
}

#[test]
fn every_link_and_image_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        for (line, target) in links(&read(&page)) {
            count += 1;
            if let Some(why) = broken(&page, &target) {
                wrong.push(format!("{page}:{line}: {target}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 40, "only {count} links were found");
}

#[test]
fn broken_links_are_seen() {
    let text = "[a](models.md) ![b](none.png) `[c](code.md)`\n```\n[d](block.md)\n```\n[e]: manifest.md#nowhere\n[f](../../README.md)\n[g](#here)\n## Here\n";
    let found: Vec<String> = links(text).into_iter().map(|(_, target)| target).collect();
    assert_eq!(
        found,
        [
            "models.md",
            "none.png",
            "manifest.md#nowhere",
            "../../README.md",
            "#here"
        ]
        .map(str::to_owned)
    );
    let page = "docs/src/introduction.md";
    assert_eq!(broken(page, "models.md"), None);
    assert_eq!(broken(page, "https://example.org/none.md"), None);
    assert!(broken(page, "none.png").unwrap().contains("no such file"));
    assert!(
        broken(page, "manifest.md#nowhere")
            .unwrap()
            .contains("no heading")
    );
    assert!(
        broken(page, "../../README.md")
            .unwrap()
            .contains("leaves the book")
    );
    assert!(
        broken("README.md", "../up.md")
            .unwrap()
            .contains("leaves the repository")
    );
    assert!(anchors(text).contains("here"));
    assert!(anchors("# A `b`: c, d\n## Again\n## Again\n").contains("a-b-c-d"));
    assert!(anchors("## Again\n## Again\n").contains("again-1"));
}

#[test]
fn every_page_is_in_the_summary_once() {
    let mut listed: Vec<String> = links(&read("docs/src/SUMMARY.md"))
        .into_iter()
        .map(|(_, target)| format!("docs/src/{target}"))
        .collect();
    listed.sort();
    let mut pages = below("docs/src", "md");
    pages.retain(|page| page != "docs/src/SUMMARY.md");
    assert_eq!(listed, pages);
}

#[test]
fn every_mode_has_its_page_and_every_corruption_its_heading() {
    let findings = read("docs/src/findings.md");
    for mode in transect_anatomy::modes() {
        let page = format!("modes/{}.md", mode.name);
        assert!(
            root().join("docs/src").join(&page).is_file(),
            "there is no docs/src/{page}"
        );
        assert!(
            findings.contains(&format!("({page})")),
            "docs/src/findings.md does not link to {page}"
        );
    }
    let headings = anchors(&read("docs/src/corruptions/index.md"));
    for corruption in transect_optics::corruptions() {
        assert!(
            headings.contains(corruption.name),
            "the page of corruptions has no heading {}",
            corruption.name
        );
    }
}

/// Errors and help that a user reads name pages of the book by their titles in the summary.
#[test]
fn every_page_that_the_program_names_is_there() {
    let summary = read("docs/src/SUMMARY.md");
    let titles: BTreeSet<&str> = summary
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split("](").next())
        .collect();
    let mut named = 0;
    for file in below("crates", "rs") {
        if file.contains("/tests/") {
            continue;
        }
        let text = read(&file);
        for rest in text.split("page `").skip(1) {
            let Some((title, _)) = rest.split_once('`') else {
                continue;
            };
            if title.starts_with(char::is_uppercase) {
                named += 1;
                assert!(
                    titles.contains(title),
                    "{file} names a page `{title}` that is not in the book"
                );
            }
        }
        for rest in text.split("docs/src/").skip(1) {
            let path: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || matches!(c, '/' | '_' | '-' | '.'))
                .collect();
            let path = path.trim_end_matches('.');
            if Path::new(path).extension().is_some_and(|e| e == "md") {
                named += 1;
                assert!(
                    root().join("docs/src").join(path).is_file(),
                    "{file} names docs/src/{path}, which is not there"
                );
            }
        }
    }
    assert!(named >= 5, "only {named} pages were named");
}

#[test]
fn paths_that_the_pages_at_the_root_name_are_there() {
    let mut named = 0;
    for page in AT_THE_ROOT {
        let text = read(page);
        for (line, text) in prose(&text) {
            for name in text.split('`').skip(1).step_by(2) {
                let path = name.split(['*', '<', '{', ' ']).next().unwrap_or("");
                let ours = [
                    "crates/",
                    "docs/",
                    "golden/",
                    "benches/",
                    "training/",
                    "fuzz/",
                    ".ci/",
                ];
                if ours.iter().any(|folder| path.starts_with(folder)) {
                    named += 1;
                    // A pattern's folder, where the name is one.
                    let whole = path.len() == name.split(' ').next().unwrap_or("").len();
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    let path = if whole { path } else { folder };
                    assert!(
                        root().join(path).exists(),
                        "{page}:{line} names {name}, and {path} is not there"
                    );
                }
            }
        }
    }
    assert!(named >= 5, "only {named} paths were named");
}
