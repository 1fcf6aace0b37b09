//! Names of the files of a run.

/// File of the embeddings of a model's layer, from the run's folder: `embeddings/<model>/<layer>.parquet`. Bytes of the names
/// other than letters, digits, `-`, `_` and inner dots are written as `%` and two hexadecimal digits, so that two layers
/// never share a file.
pub fn embedding_file(model: &str, layer: &str) -> String {
    format!("embeddings/{}/{}", escape(model), layer_file(layer))
}

/// File name of a layer's embeddings: two layers never share one, and whatever a stranger named a layer, it is one name.
pub fn layer_file(layer: &str) -> String {
    format!("{}.parquet", escape(layer))
}

/// The layer that [`layer_file`] made a file name of; `None` for other files.
pub fn layer_of_file(name: &str) -> Option<String> {
    unescape(name.strip_suffix(".parquet")?)
}

fn escape(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (place, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && place > 0) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_with_any_name_keep_a_file_of_their_own() {
        let names = ["a/b", "a_b", "..", "features.3", "größe", "%61", ""];
        for name in names {
            let text = escape(name);
            assert!(!text.contains('/') && !text.starts_with('.'), "{text}");
            assert_eq!(unescape(&text).as_deref(), Some(name));
        }
    }

    #[test]
    fn embeddings_of_any_model_lie_in_the_folder() {
        assert_eq!(
            embedding_file("given", "/head/Relu.1"),
            "embeddings/given/%2fhead%2fRelu.1.parquet"
        );
        assert_eq!(
            embedding_file("reinit:0", "head"),
            "embeddings/reinit%3a0/head.parquet"
        );
    }
}
