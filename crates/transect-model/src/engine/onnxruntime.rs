//! ONNX Runtime, from a library that the user has.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use ort::environment::Environment;
use transect_core::codes::model as codes;
use transect_core::{Error, Result};

use super::{Engine, EngineSession};
use crate::onnx::Graph;
use crate::tensor::Tensor;

/// A graph in ONNX Runtime.
pub struct OnnxRuntime {
    bytes: Vec<u8>,
    name: String,
    environment: Environment,
    /// Element type of each input.
    elements: Vec<(String, String)>,
}

impl std::fmt::Debug for OnnxRuntime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// The library and its environment: one for each process, as ONNX Runtime wants it.
static RUNTIME: OnceLock<(PathBuf, Environment)> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

fn absent(why: impl Into<String>) -> Error {
    Error::new(&codes::ENGINE_ABSENT, why)
        .help("`pip install onnxruntime`, then --onnxruntime FOLDER (the site-packages folder, or a virtual environment), or give --engine embedded")
}

/// The library of ONNX Runtime: `given` (a library, or a folder in which to look), or else what `ORT_DYLIB_PATH` names.
///
/// A folder is searched as it is, as `onnxruntime/capi` inside it, and as a Python environment
/// (`lib/python*/site-packages`). Of several versions the last by name is taken. No program is run.
///
/// # Errors
/// `T320` when nothing is given, or nothing is there.
pub fn find_library(given: Option<&Path>) -> Result<PathBuf> {
    let from_variable = std::env::var_os("ORT_DYLIB_PATH")
        .filter(|v| !v.is_empty())
        .map(PathBuf::from);
    let Some(path) = given.map(Path::to_path_buf).or(from_variable) else {
        return Err(absent(
            "no library of ONNX Runtime is given (--onnxruntime, or ORT_DYLIB_PATH)",
        ));
    };
    if path.is_file() {
        return Ok(path);
    }
    if !path.is_dir() {
        return Err(absent(format!(
            "there is no ONNX Runtime at {}",
            path.display()
        )));
    }
    let mut folders = vec![
        path.clone(),
        path.join("capi"),
        path.join("onnxruntime/capi"),
        path.join("lib"),
    ];
    for entry in listing(&path.join("lib")) {
        folders.push(entry.join("site-packages/onnxruntime/capi"));
    }
    folders.push(path.join("Lib/site-packages/onnxruntime/capi"));
    for folder in &folders {
        let found = listing(folder).into_iter().rfind(|file| {
            file.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(is_library)
        });
        if let Some(file) = found {
            return Ok(file);
        }
    }
    Err(absent(format!("there is no ONNX Runtime in {}", path.display())).note("looked for libonnxruntime.so*, libonnxruntime*.dylib and onnxruntime.dll there, in onnxruntime/capi, in lib and in lib/python*/site-packages"))
}

fn is_library(name: &str) -> bool {
    name == "onnxruntime.dll"
        || name == "libonnxruntime.so"
        || name.starts_with("libonnxruntime.so.")
        || (name.starts_with("libonnxruntime.")
            && Path::new(name).extension().is_some_and(|e| e == "dylib"))
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    entries.sort();
    entries
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::new(
        &codes::ENGINE_REFUSED,
        format!("ONNX Runtime refused the model: {error}"),
    )
    .help("check the model with `onnx.checker`; a newer operator set needs a newer ONNX Runtime")
}

impl OnnxRuntime {
    /// Loads the library, if that has not been done, and a graph.
    ///
    /// # Errors
    /// `T320` when the library is not there or cannot be loaded; `T322` when it refuses the graph.
    pub fn load(graph: &Graph, given: Option<&Path>) -> Result<Self> {
        let library = find_library(given)?;
        let guard = LOADING
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (loaded, environment) = if let Some(loaded) = RUNTIME.get() {
            loaded
        } else {
            let builder = ort::init_from(&library).map_err(|error| {
                absent(format!("{} cannot be loaded: {error}", library.display()))
            })?;
            let environment = builder
                .with_name("transect")
                .with_telemetry(false)
                .build()
                .map_err(|error| {
                    absent(format!("{} does not start: {error}", library.display()))
                })?;
            RUNTIME.get_or_init(|| (library.clone(), environment))
        };
        drop(guard);
        let engine = Self {
            bytes: graph.encode(),
            name: format!("ONNX Runtime {}", version(loaded)),
            environment: environment.clone(),
            elements: graph
                .inputs()
                .into_iter()
                .map(|port| (port.name, port.element))
                .collect(),
        };
        // Whether it takes the graph is known now, and not at the first image.
        engine.open()?;
        Ok(engine)
    }

    fn open(&self) -> Result<ort::session::Session> {
        let builder = ort::session::Session::builder(&self.environment).map_err(refused)?;
        let builder = builder.with_intra_threads(1).map_err(refused)?;
        let mut builder = builder.with_inter_threads(1).map_err(refused)?;
        builder.commit_from_memory(&self.bytes).map_err(refused)
    }
}

/// The version, from the library's name or from what it says of its build.
fn version(library: &Path) -> String {
    let real = library
        .canonicalize()
        .unwrap_or_else(|_| library.to_path_buf());
    let name = real
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default()
        .to_owned();
    let digits = name
        .trim_start_matches(|c: char| !c.is_ascii_digit())
        .trim_end_matches(".dylib");
    if digits.contains('.') {
        return digits.to_owned();
    }
    let info = ort::info();
    info.split("git-branch=")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .unwrap_or("of unknown version")
        .trim()
        .to_owned()
}

impl Engine for OnnxRuntime {
    fn name(&self) -> &str {
        &self.name
    }

    fn session(&self) -> Result<Box<dyn EngineSession>> {
        Ok(Box::new(Session {
            session: self.open()?,
            elements: self.elements.clone(),
        }))
    }
}

struct Session {
    session: ort::session::Session,
    elements: Vec<(String, String)>,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(
        &codes::ENGINE_FAILED,
        format!("ONNX Runtime failed: {error}"),
    )
}

impl EngineSession for Session {
    fn run(&mut self, inputs: Vec<(String, Tensor)>, outputs: &[String]) -> Result<Vec<Tensor>> {
        let mut values: Vec<(String, ort::value::DynValue)> = Vec::with_capacity(inputs.len());
        for (name, tensor) in inputs {
            let element = self
                .elements
                .iter()
                .find(|(n, _)| *n == name)
                .map_or("float", |(_, e)| e.as_str());
            let Tensor { shape, data } = tensor;
            let value = match element {
                "float" => ort::value::Tensor::from_array((shape, data))
                    .map_err(failed)?
                    .into_dyn(),
                "uint8" => ort::value::Tensor::from_array((
                    shape,
                    data.iter().map(|&v| v as u8).collect::<Vec<_>>(),
                ))
                .map_err(failed)?
                .into_dyn(),
                "uint16" => ort::value::Tensor::from_array((
                    shape,
                    data.iter().map(|&v| v as u16).collect::<Vec<_>>(),
                ))
                .map_err(failed)?
                .into_dyn(),
                "int32" => ort::value::Tensor::from_array((
                    shape,
                    data.iter().map(|&v| v as i32).collect::<Vec<_>>(),
                ))
                .map_err(failed)?
                .into_dyn(),
                "int64" => ort::value::Tensor::from_array((
                    shape,
                    data.iter().map(|&v| v as i64).collect::<Vec<_>>(),
                ))
                .map_err(failed)?
                .into_dyn(),
                other => return Err(failed(format!("an input of type {other} is not supported"))),
            };
            values.push((name, value));
        }
        let results = self.session.run(values).map_err(failed)?;
        outputs
            .iter()
            .map(|name| {
                let value = results
                    .get(name)
                    .ok_or_else(|| failed(format!("there is no output `{name}`")))?;
                extract(value, name)
            })
            .collect()
    }
}

fn extract(value: &ort::value::DynValue, name: &str) -> Result<Tensor> {
    fn shaped(shape: &ort::value::Shape, data: Vec<f32>) -> Tensor {
        Tensor {
            shape: shape.iter().map(|&d| d.max(0) as usize).collect(),
            data,
        }
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<f32>() {
        return Ok(shaped(shape, data.to_vec()));
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<u8>() {
        return Ok(shaped(shape, data.iter().map(|&v| f32::from(v)).collect()));
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<u16>() {
        return Ok(shaped(shape, data.iter().map(|&v| f32::from(v)).collect()));
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<i32>() {
        return Ok(shaped(shape, data.iter().map(|&v| v as f32).collect()));
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<i64>() {
        return Ok(shaped(shape, data.iter().map(|&v| v as f32).collect()));
    }
    if let Ok((shape, data)) = value.try_extract_tensor::<f64>() {
        return Ok(shaped(shape, data.iter().map(|&v| v as f32).collect()));
    }
    Err(failed(format!(
        "output `{name}` is of a type that is not supported"
    )))
}
