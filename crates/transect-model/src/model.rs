//! A loaded model.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use transect_core::codes::model as codes;
use transect_core::{Digest, Error, Errors, PixelSize, Result, Task};

use crate::engine::{Embedded, Engine};
use crate::head::Head;
use crate::onnx::{Graph, MAX_BYTES};
use crate::options::{EngineChoice, Options};
use crate::session::Session;
use crate::spec::{AxisKind, Spec, read_rdf, read_toml, resolve};
use crate::test_tensors::{self, TestOutcome};
use crate::tile;

/// Largest specification that is read, bytes.
const MAX_SPEC_BYTES: u64 = 4 * 1024 * 1024;
/// File names of a bioimage.io description, in the order in which they are looked for.
const RDF_NAMES: [&str; 4] = ["rdf.yaml", "bioimageio.yaml", "rdf.yml", "bioimageio.yml"];

/// A model with its specification, ready to be run. Cloning is cheap; clones share the weights.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) spec: Spec,
    pub(crate) engine: Arc<dyn Engine>,
    /// The graph with its weights, before taps: variants are made of it.
    pub(crate) graph: Arc<Graph>,
    pub(crate) options: Options,
    /// The copy with other weights that was made last: all workers are at the same one, but for the moment of change.
    pub(crate) copy: Mutex<Option<Model>>,
    /// The part behind the embedding, found when it is first asked for.
    pub(crate) head: OnceLock<Option<Head>>,
    pub(crate) embeddings: Vec<String>,
    /// The tensor that feeds the last convolution, for maps.
    pub(crate) dense: Option<String>,
    pub(crate) keep_fed: bool,
    pub(crate) clock: fn() -> f64,
    sha256: Digest,
    fingerprint: Digest,
    notes: Vec<String>,
    operators: Vec<String>,
    path: PathBuf,
}

impl Model {
    /// Loads a model: its graph with all weights, its specification, and the engine.
    ///
    /// `options.path` is an ONNX file with `model.toml` (or `NAME.toml`) beside it, a bioimage.io description (YAML), a
    /// `model.toml`, or a folder that holds one of them.
    ///
    /// # Errors
    /// Everything that is wrong with the files, the specification and the options (`T301` to `T322`), all at once as far as
    /// one does not hide another.
    pub fn load(options: &Options) -> std::result::Result<Self, Errors> {
        let found = locate(&options.path)?;
        let (draft, mut graph, bytes_hash, folder) = match found {
            Found::Rdf(path) => {
                let tree = read_yaml(&path)?;
                let draft = read_rdf(&tree, &path)?;
                let folder = draft.folder();
                let Some(name) = draft.onnx.clone() else {
                    return Err(draft.errors);
                };
                let (graph, hash) = read_graph(&crate::onnx::inside(&folder, &name)?)?;
                (draft, graph, hash, folder)
            }
            Found::Toml { toml, onnx } => {
                let tree = read_toml_file(&toml)?;
                let first = read_toml(&tree, &toml, None);
                let folder = first.folder();
                let onnx = match (onnx, &first.onnx) {
                    (Some(path), _) => path,
                    (None, Some(name)) => crate::onnx::inside(&folder, name)?,
                    (None, None) => only_onnx(&folder, &toml)?,
                };
                let (graph, hash) = read_graph(&onnx)?;
                let draft = read_toml(&tree, &toml, Some(&graph));
                let folder = onnx.parent().map_or(folder, Path::to_path_buf);
                (draft, graph, hash, folder)
            }
        };
        let mut draft = draft;
        if let Some(expected) = draft.sha256
            && expected != bytes_hash
        {
            let error = Error::new(
                &codes::WEIGHTS_HASH,
                format!("the ONNX file has SHA-256 {bytes_hash}, the description names {expected}"),
            );
            draft.errors.push(
                error
                    .at(&draft.path)
                    .field(if draft.config_field.is_empty() { "sha256" } else { "weights.onnx.sha256" })
                    .help("download the package again, or mend the hash if the weights were changed on purpose"),
            );
        }
        graph.resolve(&folder)?;
        let spec = resolve(&draft, options, &graph)?;
        Self::assemble(options, spec, graph, bytes_hash)
    }

    fn assemble(
        options: &Options,
        spec: Spec,
        mut graph: Graph,
        file_hash: Digest,
    ) -> std::result::Result<Self, Errors> {
        let mut notes = spec.notes.clone();
        let operators = graph.operators();
        let embeddings = if options.embeddings.is_empty() {
            let default = graph.default_embedding(spec.task, &spec.output.graph_name);
            if default.is_none() {
                notes.push("the graph has no tensor that is an embedding by default; name one with --embedding".to_owned());
            }
            default.into_iter().collect()
        } else {
            options.embeddings.clone()
        };
        // The weights with all external data: what the engine gets, before taps.
        let sha256 = if graph.had_external() {
            Digest::of(&graph.encode())
        } else {
            file_hash
        };
        let mut errors = Errors::new();
        let untapped = Arc::new(graph.clone());
        let dense = crate::dense::layer(&spec, &graph);
        for name in embeddings.iter().chain(&dense) {
            if let Err(error) = graph.tap(name) {
                errors.push(error);
            }
        }
        let engine: Arc<dyn Engine> = match choose(options, &graph) {
            Ok((engine, note)) => {
                notes.extend(note);
                Arc::from(engine)
            }
            Err(error) => {
                errors.push(error);
                return Err(errors);
            }
        };
        let described = serde_json::to_vec(&spec).unwrap_or_default();
        let names = embeddings.join("\n");
        let fingerprint = Digest::of_parts([
            sha256.0.as_slice(),
            &described,
            names.as_bytes(),
            engine.name().as_bytes(),
        ]);
        let inner = Inner {
            spec,
            engine,
            graph: untapped,
            options: options.clone(),
            copy: Mutex::new(None),
            head: OnceLock::new(),
            embeddings,
            dense,
            keep_fed: options.keep_fed,
            clock: options.clock,
            sha256,
            fingerprint,
            notes,
            operators,
            path: options.path.clone(),
        };
        errors.or(Self {
            inner: Arc::new(inner),
        })
    }

    /// What the model does.
    pub fn task(&self) -> Task {
        self.inner.spec.task
    }

    /// Names of the classes in the order of the outputs; empty for instances.
    pub fn classes(&self) -> &[String] {
        &self.inner.spec.classes
    }

    /// The model's name, as its specification says.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// SHA-256 of the ONNX file; where weights lie in other files, of the graph with all of them inside.
    pub fn sha256(&self) -> Digest {
        self.inner.sha256
    }

    /// SHA-256 over everything that decides a number: weights, specification with the options, embeddings, engine.
    pub fn fingerprint(&self) -> Digest {
        self.inner.fingerprint
    }

    /// Name and version of the engine.
    pub fn engine(&self) -> &str {
        self.inner.engine.name()
    }

    /// What a reader should know: every choice that the specification implies without saying it.
    pub fn notes(&self) -> &[String] {
        &self.inner.notes
    }

    /// The specification with the options, in which nothing is missing.
    pub fn spec(&self) -> &Spec {
        &self.inner.spec
    }

    /// Operators of the graph, sorted.
    pub fn operators(&self) -> &[String] {
        &self.inner.operators
    }

    /// Names of the embeddings that [`Session::predict`] gives.
    pub fn embeddings(&self) -> &[String] {
        &self.inner.embeddings
    }

    /// For maps, the tensor from which the last convolution makes the output: what [`Session::predict_with_pixels`] gives values
    /// of. Found by going up from the output through activations, resizes and the like to the first `Conv` or `ConvTranspose`.
    /// `None` for classes, where there is no such tensor, where several ways up end in different ones, and where it is the
    /// image itself.
    pub fn dense_layer(&self) -> Option<&str> {
        self.inner.dense.as_deref()
    }

    /// Pixel size that the model was made for, where it is declared.
    pub fn pixel_size(&self) -> Option<PixelSize> {
        self.inner.spec.pixel_size
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Forward passes for one image of (channel, plane, row, column): the number of tiles. 0 where the image does not fit.
    pub fn passes(&self, shape: &[usize; 4]) -> u64 {
        let spec = &self.inner.spec;
        let [rows, columns] = match (&spec.resize, spec.task) {
            (Some(resize), _) => resize.size,
            (None, _) => [shape[2], shape[3]],
        };
        tile::plan(spec, rows, columns).map_or(0, |plan| tile::tiles(&plan) as u64)
    }

    /// Runs the model on its own test tensors, as the specification says.
    ///
    /// # Errors
    /// `T340` when test tensors are named but cannot be used; the engine's errors.
    pub fn test(&self) -> Result<TestOutcome> {
        test_tensors::run(self)
    }

    /// A session: one for each worker.
    ///
    /// # Errors
    /// `T322` when the engine cannot make one.
    pub fn session(&self) -> Result<Session> {
        Session::new(self.clone())
    }

    /// The same model with another specification, graph (and the engine that runs it) or list of embeddings; `what` tells it
    /// apart.
    pub(crate) fn derived(
        &self,
        spec: Spec,
        (graph, engine): (Arc<Graph>, Arc<dyn Engine>),
        embeddings: Vec<String>,
        what: &[&[u8]],
    ) -> Self {
        let inner = &self.inner;
        Self {
            inner: Arc::new(Inner {
                spec,
                engine,
                graph,
                options: inner.options.clone(),
                copy: Mutex::new(None),
                head: OnceLock::new(),
                embeddings,
                dense: inner.dense.clone(),
                keep_fed: inner.keep_fed,
                clock: inner.clock,
                sha256: inner.sha256,
                fingerprint: Digest::of_parts(
                    std::iter::once(&inner.fingerprint.0[..]).chain(what.iter().copied()),
                ),
                notes: inner.notes.clone(),
                operators: inner.operators.clone(),
                path: inner.path.clone(),
            }),
        }
    }

    pub(crate) fn input_channels(&self) -> usize {
        crate::session::fixed(self.inner.spec.input.axis(AxisKind::Channel)).unwrap_or(1)
    }
}

pub(crate) fn choose(
    options: &Options,
    graph: &Graph,
) -> Result<(Box<dyn Engine>, Option<String>)> {
    match options.engine {
        EngineChoice::Embedded => Ok((Box::new(Embedded::load(graph)?), None)),
        EngineChoice::OnnxRuntime => Ok((onnxruntime(options, graph)?, None)),
        EngineChoice::Auto => match onnxruntime(options, graph) {
            Ok(engine) => Ok((engine, None)),
            // A library that was named and does not work is an error, one that nobody named is not.
            Err(error) if options.onnxruntime.is_some() => Err(error),
            Err(error) if error.code == &codes::ENGINE_ABSENT => {
                Ok((Box::new(Embedded::load(graph)?), None))
            }
            Err(error) => {
                let note = format!("ONNX Runtime was found but not used: {}", error.message);
                Ok((Box::new(Embedded::load(graph)?), Some(note)))
            }
        },
    }
}

#[cfg(feature = "onnxruntime")]
fn onnxruntime(options: &Options, graph: &Graph) -> Result<Box<dyn Engine>> {
    Ok(Box::new(crate::engine::OnnxRuntime::load(
        graph,
        options.onnxruntime.as_deref(),
    )?))
}

#[cfg(not(feature = "onnxruntime"))]
fn onnxruntime(_: &Options, _: &Graph) -> Result<Box<dyn Engine>> {
    Err(Error::new(
        &codes::ENGINE_ABSENT,
        "this build of transect has no support for ONNX Runtime",
    )
    .help("build it with the feature `onnxruntime`, or give --engine embedded"))
}

enum Found {
    Rdf(PathBuf),
    Toml {
        toml: PathBuf,
        onnx: Option<PathBuf>,
    },
}

fn unreadable(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(&codes::MODEL_UNREADABLE, format!("{why}")).at(path)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| extensions.iter().any(|x| e.eq_ignore_ascii_case(x)))
}

fn locate(path: &Path) -> Result<Found> {
    let meta = std::fs::metadata(path).map_err(|error| {
        unreadable(path, format!("the model cannot be opened: {error}"))
            .help("give an ONNX file, a description, or the folder of a model package")
    })?;
    if meta.is_dir() {
        for name in RDF_NAMES {
            let file = path.join(name);
            if file.is_file() {
                return Ok(Found::Rdf(file));
            }
        }
        let toml = path.join("model.toml");
        if toml.is_file() {
            return Ok(Found::Toml { toml, onnx: None });
        }
        let yaml: Vec<PathBuf> = listing(path)
            .into_iter()
            .filter(|f| has_extension(f, &["yaml", "yml"]))
            .collect();
        if let [one] = yaml.as_slice() {
            return Ok(Found::Rdf(one.clone()));
        }
        let mut error =
            Error::new(&codes::SPEC_MISSING, "the folder has no specification").at(path);
        if !yaml.is_empty() {
            let names: Vec<String> = yaml
                .iter()
                .filter_map(|f| f.file_name())
                .map(|n| n.to_string_lossy().into_owned())
                .collect();
            error = error.note(format!("YAML files here: {}", names.join(", ")));
        }
        return Err(error.help("put rdf.yaml, bioimageio.yaml or model.toml there, or give one of several YAML files itself"));
    }
    if has_extension(path, &["yaml", "yml"]) {
        return Ok(Found::Rdf(path.to_path_buf()));
    }
    if has_extension(path, &["toml"]) {
        return Ok(Found::Toml {
            toml: path.to_path_buf(),
            onnx: None,
        });
    }
    let own = path.with_extension("toml");
    let shared = path.with_file_name("model.toml");
    for toml in [own, shared] {
        if toml.is_file() {
            return Ok(Found::Toml {
                toml,
                onnx: Some(path.to_path_buf()),
            });
        }
    }
    // What is wrong with the file itself is more use than what is missing beside it.
    let (graph, _) = read_graph(path)?;
    let mut error = Error::new(
        &codes::SPEC_MISSING,
        "there is no specification beside the ONNX file",
    )
    .at(path);
    let words = |ports: Vec<crate::onnx::Port>| {
        ports
            .into_iter()
            .map(|p| format!("{} {:?}", p.name, p.shape))
            .collect::<Vec<_>>()
            .join("; ")
    };
    error = error
        .note(format!("inputs of the graph: {}", words(graph.inputs())))
        .note(format!("outputs of the graph: {}", words(graph.outputs())));
    let rdf = RDF_NAMES
        .iter()
        .map(|name| path.with_file_name(name))
        .find(|p| p.is_file());
    Err(match rdf {
        Some(rdf) => error.help(format!("give the description itself: --model {}", rdf.display())),
        None => error.help("write a model.toml beside it, such as:\ntask = \"classification\"\nvalues = \"full-scale\"\n[input]\naxes = \"bcyx\"\nchannels = [\"red\", \"green\", \"blue\"]\n[output]\naxes = \"bc\"\nchannels = [\"healthy\", \"infected\"]\nactivation = \"softmax\""),
    })
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

fn only_onnx(folder: &Path, toml: &Path) -> Result<PathBuf> {
    let files: Vec<PathBuf> = listing(folder)
        .into_iter()
        .filter(|f| has_extension(f, &["onnx"]))
        .collect();
    match files.as_slice() {
        [one] => Ok(one.clone()),
        _ => Err(Error::new(
            &codes::SPEC_FIELD_MISSING,
            format!(
                "the folder has {} ONNX files, and none is named",
                files.len()
            ),
        )
        .at(toml)
        .field("onnx")
        .help("write onnx = \"weights.onnx\"")),
    }
}

/// A whole file, if it is not larger than the limit.
pub(crate) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let meta = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if meta.len() > limit {
        return Err(Error::new(
            &codes::MODEL_LIMITS,
            format!(
                "the file has {} bytes; at most {limit} are read",
                meta.len()
            ),
        )
        .at(path));
    }
    std::fs::read(path).map_err(|error| unreadable(path, error))
}

fn read_graph(path: &Path) -> Result<(Graph, Digest)> {
    let bytes = read_limited(path, MAX_BYTES)?;
    let graph = Graph::read(&bytes).map_err(|error| error.at(path))?;
    Ok((graph, Digest::of(&bytes)))
}

fn spec_text(path: &Path) -> Result<String> {
    let bytes = read_limited(path, MAX_SPEC_BYTES)?;
    String::from_utf8(bytes).map_err(|_| {
        Error::new(&codes::SPEC_FORMAT, "the specification is not UTF-8 text").at(path)
    })
}

fn read_yaml(path: &Path) -> Result<Value> {
    let text = spec_text(path)?;
    let mut options = serde_saphyr::Options::default();
    options.strict_booleans = true;
    // `-.inf` stands for no bound; as text it is no number, and `range` reads that as no bound.
    options.non_finite_float_policy = serde_saphyr::NonFiniteFloatPolicy::AsString;
    if let Some(budget) = &mut options.budget {
        budget.max_events = 100_000;
        budget.max_aliases = 1_000;
        budget.max_recorded_anchor_events = 100_000;
    }
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| {
        Error::new(
            &codes::SPEC_FORMAT,
            format!("this is not valid YAML: {}", first_line(&error.to_string())),
        )
        .at(path)
    })
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn read_toml_file(path: &Path) -> Result<Value> {
    let text = spec_text(path)?;
    toml::from_str(&text).map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map(|span| text[..span.start.min(text.len())].lines().count().max(1));
        let made = Error::new(
            &codes::SPEC_FORMAT,
            format!("this is not valid TOML: {}", error.message()),
        )
        .at(path);
        match line {
            Some(line) => made.line(line),
            None => made,
        }
    })
}
