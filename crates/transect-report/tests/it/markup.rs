//! A small reader of the page's markup: enough to check nesting, attributes and text. It is strict: what it cannot read
//! is an error.

/// One piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Open {
        name: String,
        attributes: Vec<(String, String)>,
    },
    Close(String),
    Text(String),
}

/// Elements of HTML that have no end.
const VOID: [&str; 5] = ["meta", "img", "input", "br", "link"];

/// The pieces of a document.
pub(crate) fn read(page: &str) -> Vec<Piece> {
    let mut rest = page
        .strip_prefix("<!DOCTYPE html>")
        .expect("a document type");
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let Some(tail) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            pieces.push(Piece::Text(decode(&rest[..end])));
            rest = &rest[end..];
            continue;
        };
        let end = tail.find('>').expect("an end of the tag");
        let tag = &tail[..end];
        rest = &tail[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert!(
                name.chars().all(|c| c.is_ascii_alphanumeric()),
                "odd end tag {name:?}"
            );
            pieces.push(Piece::Close(name.to_owned()));
            continue;
        }
        let (name, attributes) = opening(tag);
        let raw = (name == "style" || name == "script").then(|| format!("</{name}>"));
        pieces.push(Piece::Open { name, attributes });
        if let Some(end) = raw {
            let at = rest.find(&end).expect("an end of the raw text");
            pieces.push(Piece::Text(rest[..at].to_owned()));
            rest = &rest[at..];
        }
    }
    pieces
}

fn opening(tag: &str) -> (String, Vec<(String, String)>) {
    let end = tag.find(' ').unwrap_or(tag.len());
    let name = tag[..end].to_owned();
    assert!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()),
        "odd tag {tag:?}"
    );
    let mut rest = tag[end..].trim_start();
    let mut attributes = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        assert!(
            key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            "odd attribute {key:?} in {tag:?}"
        );
        rest = &rest[end..];
        let value = if let Some(tail) = rest.strip_prefix("=\"") {
            let end = tail.find('"').expect("a closing quote");
            rest = &tail[end + 1..];
            decode(&tail[..end])
        } else {
            String::new()
        };
        assert!(
            rest.is_empty() || rest.starts_with(' '),
            "no room between attributes in {tag:?}"
        );
        rest = rest.trim_start();
        attributes.push((key, value));
    }
    (name, attributes)
}

fn decode(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

/// Panics unless every element is closed where it was opened.
pub(crate) fn assert_balanced(pieces: &[Piece]) {
    let mut open: Vec<&str> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Open { name, .. } if VOID.contains(&name.as_str()) => {}
            Piece::Open { name, .. } => open.push(name),
            Piece::Close(name) => assert_eq!(open.pop(), Some(name.as_str()), "inside {open:?}"),
            Piece::Text(_) => {}
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

/// Every attribute of this name.
pub(crate) fn attributes<'a>(pieces: &'a [Piece], wanted: &str) -> Vec<&'a str> {
    pieces
        .iter()
        .filter_map(|p| match p {
            Piece::Open { attributes, .. } => Some(attributes),
            _ => None,
        })
        .flatten()
        .filter(|(key, _)| key == wanted)
        .map(|(_, value)| value.as_str())
        .collect()
}

/// Number of elements of this name.
pub(crate) fn elements(pieces: &[Piece], wanted: &str) -> usize {
    pieces
        .iter()
        .filter(|p| matches!(p, Piece::Open { name, .. } if name == wanted))
        .count()
}

/// All text that is read: neither style nor script.
pub(crate) fn text(pieces: &[Piece]) -> String {
    let mut words = String::new();
    let mut raw = false;
    for piece in pieces {
        match piece {
            Piece::Open { name, .. } => raw = name == "style" || name == "script",
            Piece::Close(_) => raw = false,
            Piece::Text(text) if !raw => {
                words.push_str(text);
                words.push(' ');
            }
            Piece::Text(_) => {}
        }
    }
    words
}

#[test]
#[should_panic(expected = "inside")]
fn crossed_elements_are_found() {
    assert_balanced(&read("<!DOCTYPE html><p><b></p></b>"));
}

#[test]
fn texts_and_attributes_are_read() {
    let pieces = read(
        "<!DOCTYPE html><p class=\"a &amp; b\" hidden>1 &lt; 2<img src=\"x\"></p><script>a<b</script>",
    );
    assert_balanced(&pieces);
    assert_eq!(attributes(&pieces, "class"), ["a & b"]);
    assert_eq!(text(&pieces), "1 < 2 ");
}
