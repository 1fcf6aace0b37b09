//! Weights that lie beside the ONNX file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use transect_core::codes::model as codes;
use transect_core::{Error, Result};

use super::proto::tensor_proto::{DataLocation, DataType};
use super::proto::{AttributeProto, GraphProto, TensorProto};
use super::{MAX_BYTES, count, element_size};

/// Reads all external tensors of a graph, and of the graphs within it, into the graph; gives the bytes read.
pub(super) fn resolve(graph: &mut GraphProto, folder: &Path) -> Result<u64> {
    let mut total = 0_u64;
    resolve_graph(graph, folder, &mut total)?;
    Ok(total)
}

fn resolve_graph(graph: &mut GraphProto, folder: &Path, total: &mut u64) -> Result<()> {
    for tensor in &mut graph.initializer {
        resolve_tensor(tensor, folder, total)?;
    }
    for node in &mut graph.node {
        for AttributeProto {
            t,
            g,
            tensors,
            graphs,
            ..
        } in &mut node.attribute
        {
            for tensor in t.iter_mut().chain(tensors) {
                resolve_tensor(tensor, folder, total)?;
            }
            for inner in g.iter_mut().chain(graphs) {
                resolve_graph(inner, folder, total)?;
            }
        }
    }
    Ok(())
}

fn resolve_tensor(tensor: &mut TensorProto, folder: &Path, total: &mut u64) -> Result<()> {
    if tensor.data_location() != DataLocation::External {
        return Ok(());
    }
    let name = tensor.name().to_owned();
    let entry = |key: &str| {
        tensor
            .external_data
            .iter()
            .find(|e| e.key() == key)
            .map(|e| e.value().to_owned())
    };
    let Some(location) = entry("location") else {
        return Err(Error::new(
            &codes::MODEL_FORMAT,
            format!("tensor `{name}` is external but names no file"),
        ));
    };
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Error::new(
                &codes::MODEL_FORMAT,
                format!("tensor `{name}`: {key} of its external data is not a number: {text:?}"),
            )
        }),
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    let values = count(tensor, &name)?;
    let Some(size) = DataType::try_from(tensor.data_type())
        .ok()
        .and_then(element_size)
    else {
        return Err(Error::new(
            &codes::MODEL_FORMAT,
            format!("tensor `{name}` has a type that cannot be external"),
        ));
    };
    let needed = (values as u64).saturating_mul(size as u64);
    if length.is_some_and(|length| length != needed) {
        return Err(Error::new(
            &codes::MODEL_FORMAT,
            format!("tensor `{name}` needs {needed} bytes, its external data name {length:?}"),
        ));
    }
    *total = total.saturating_add(needed);
    if *total > MAX_BYTES {
        return Err(Error::new(
            &codes::MODEL_LIMITS,
            format!("the external data have more than {MAX_BYTES} bytes"),
        ));
    }
    let path = inside(folder, &location)?;
    let unreadable = |why: String| {
        Error::new(
            &codes::EXTERNAL_DATA_MISSING,
            format!("tensor `{name}` lies in `{location}`: {why}"),
        )
        .at(&path)
        .help(format!(
            "copy `{location}` into the folder of the ONNX file"
        ))
    };
    let mut file = File::open(&path).map_err(|error| unreadable(error.to_string()))?;
    let have = file
        .metadata()
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if offset.saturating_add(needed) > have {
        return Err(unreadable(format!(
            "bytes {offset} to {} are needed, the file has {have}",
            offset.saturating_add(needed)
        )));
    }
    let mut data = vec![0; needed as usize];
    file.seek(SeekFrom::Start(offset))
        .map_err(|error| unreadable(error.to_string()))?;
    file.read_exact(&mut data)
        .map_err(|error| unreadable(error.to_string()))?;
    tensor.raw_data = Some(data);
    tensor.external_data.clear();
    tensor.data_location = None;
    Ok(())
}

/// The path of a file that a package names, proven to lie inside the package's folder.
///
/// # Errors
/// `T305` for an absolute path, `..`, or a link that leads outside; `T304` when there is no such file.
pub(crate) fn inside(folder: &Path, name: &str) -> Result<PathBuf> {
    let outside = || {
        Error::new(
            &codes::EXTERNAL_DATA_OUTSIDE,
            format!(
                "`{name}` leads outside the model's folder {}",
                folder.display()
            ),
        )
        .help("copy the file into the model's folder and name it plainly")
    };
    let relative = Path::new(name);
    let plain = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !plain || name.is_empty() || name.contains('\\') {
        return Err(outside());
    }
    let path = folder.join(relative);
    let missing = |error: std::io::Error| {
        Error::new(
            &codes::EXTERNAL_DATA_MISSING,
            format!("`{name}` cannot be read: {error}"),
        )
        .at(&path)
        .help(format!("copy `{name}` into the model's folder"))
    };
    let real = path.canonicalize().map_err(missing)?;
    let root = folder.canonicalize().map_err(missing)?;
    if real.starts_with(&root) {
        Ok(real)
    } else {
        Err(outside())
    }
}
