//! From what was written, what the user said and what the graph is, to a specification in which nothing is missing.

use std::path::{Path, PathBuf};

use serde_json::Value;
use transect_core::codes::model as codes;
use transect_core::{Digest, Error, Errors, PixelSize, Task};

use super::meaning::{self, RUNNER};
use super::operation::{Dialect, Place, Side, read_operations};
use super::reader::{Reader, join};
use super::{
    AntiAlias, Axis, AxisKind, Maps, Operation, Resize, ResizeMethod, Size, Spec, TensorSpec,
    Values,
};
use crate::onnx::{Dim, Graph, Port};
use crate::options::{Decode, Normalise, Options, RdfMeaning, Thresholds};

/// Keys of `config.transect`, and of the top of model.toml.
pub(crate) const CONFIG_KEYS: [&str; 15] = [
    "task",
    "decode",
    "thresholds",
    "classes",
    "resize",
    "values",
    "maps",
    "channels",
    "colour_to_grey",
    "normalise",
    "halo",
    "tile",
    "split_distance_px",
    "output_tensor",
    "pixel_size_um",
];

/// A tensor as written.
#[derive(Debug, Clone)]
pub(crate) struct DraftTensor {
    pub(crate) id: String,
    pub(crate) graph_name: Option<String>,
    pub(crate) axes: Vec<Axis>,
    pub(crate) dtype: String,
    pub(crate) range: [f64; 2],
    pub(crate) operations: Value,
    pub(crate) operations_field: String,
    pub(crate) test: Option<(String, Option<Digest>)>,
    pub(crate) optional: bool,
    pub(crate) field: String,
}

/// A specification as written.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) path: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) onnx: Option<String>,
    pub(crate) sha256: Option<Digest>,
    pub(crate) inputs: Vec<DraftTensor>,
    pub(crate) outputs: Vec<DraftTensor>,
    pub(crate) config: Value,
    pub(crate) config_field: String,
    pub(crate) dialect: Dialect,
    pub(crate) notes: Vec<String>,
    /// What was wrong so far; `resolve` adds the rest.
    pub(crate) errors: Errors,
}

impl Draft {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            name: None,
            onnx: None,
            sha256: None,
            inputs: Vec::new(),
            outputs: Vec::new(),
            config: Value::Null,
            config_field: String::new(),
            dialect: Dialect::V05,
            notes: Vec::new(),
            errors: Errors::new(),
        }
    }

    /// The folder of the description.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        }
    }
}

/// Checks everything and fills in what may be filled in.
///
/// # Errors
/// Every field that is missing or wrong.
pub(crate) fn resolve(draft: &Draft, options: &Options, graph: &Graph) -> Result<Spec, Errors> {
    let mut reader = Reader::new(&draft.path);
    reader.notes.clone_from(&draft.notes);
    reader.errors = draft.errors.clone();
    let config = &draft.config;
    let cf = draft.config_field.as_str();
    reader.only(config, cf, &CONFIG_KEYS);

    let toml = cf.is_empty();
    let example = |key: &str, value: &str| {
        if toml {
            format!("write {key} = {value} in {}", file_name(&draft.path))
        } else {
            format!(
                "write config: {{transect: {{{key}: {value}}}}} in {}",
                file_name(&draft.path)
            )
        }
    };

    // What the model does.
    let task = options.task.or_else(|| {
        let text = reader.text(config, "task", cf)?;
        let task = match text {
            "classification" => Some(Task::Classification),
            "semantic" => Some(Task::Semantic),
            "instance" => Some(Task::Instance),
            _ => None,
        };
        if task.is_none() {
            reader.invalid(
                &join(cf, "task"),
                format!("unknown task `{text}`"),
                "the tasks are classification, semantic and instance",
            );
        }
        task
    });
    if task.is_none() && config.get("task").is_none() {
        reader.missing(
            &join(cf, "task"),
            "what the model does is not declared",
            format!(
                "{}, or give --task classification|semantic|instance",
                example("task", if toml { "\"instance\"" } else { "instance" })
            ),
        );
    }

    let decode = options.decode.or_else(|| {
        let text = reader.text(config, "decode", cf)?;
        let decode = Decode::parse(text);
        if decode.is_none() {
            reader.unsupported(&join(cf, "decode"), format!("unknown decode `{text}`"), "the ways are probabilities, argmax, foreground, interior-boundary and labels; audit what another program decodes with --predictions");
        }
        decode
    });
    let decode = match (task, decode) {
        (Some(Task::Classification), None) => Some(Decode::Probabilities),
        (Some(task), Some(decode)) => {
            let fits = match task {
                Task::Classification => decode == Decode::Probabilities,
                Task::Semantic => {
                    matches!(decode, Decode::Argmax | Decode::Foreground | Decode::Labels)
                }
                Task::Instance => matches!(
                    decode,
                    Decode::Foreground | Decode::InteriorBoundary | Decode::Labels
                ),
            };
            if !fits {
                let ways = match task {
                    Task::Classification => "probabilities",
                    Task::Semantic => "argmax, foreground, labels",
                    Task::Instance => "foreground, interior-boundary, labels",
                };
                reader.invalid(
                    &join(cf, "decode"),
                    format!("decode `{}` does not fit the task", decode.name()),
                    format!("for this task: {ways}"),
                );
            }
            Some(decode)
        }
        (Some(task), None) if config.get("decode").is_none() => {
            let ways = if task == Task::Semantic {
                "argmax|foreground|labels"
            } else {
                "foreground|interior-boundary|labels"
            };
            let word = if task == Task::Semantic {
                "argmax"
            } else {
                "interior-boundary"
            };
            reader.missing(
                &join(cf, "decode"),
                "how the output becomes a prediction is not declared",
                format!(
                    "{}, or give --decode {ways}",
                    example(
                        "decode",
                        &if toml {
                            format!("\"{word}\"")
                        } else {
                            word.to_owned()
                        }
                    )
                ),
            );
            None
        }
        (_, decode) => decode,
    };

    // Tensors.
    let required: Vec<&DraftTensor> = draft.inputs.iter().filter(|t| !t.optional).collect();
    if required.len() > 1 {
        let names: Vec<&str> = required.iter().map(|t| t.id.as_str()).collect();
        reader.unsupported(
            "inputs",
            format!(
                "the model takes {} tensors: {}",
                names.len(),
                names.join(", ")
            ),
            "models with one image as input are run; audit others with --predictions",
        );
    }
    let Some(input_draft) = required.first().copied().or(draft.inputs.first()) else {
        if reader.errors.0.is_empty() {
            reader.missing("inputs", "the model has no input", "declare one");
        }
        return Err(reader.errors);
    };
    let wanted = reader.text(config, "output_tensor", cf).map(str::to_owned);
    let output_draft = match (&wanted, draft.outputs.as_slice()) {
        (_, []) => {
            if reader.errors.0.is_empty() {
                reader.missing("outputs", "the model has no output", "declare one");
            }
            return Err(reader.errors);
        }
        (Some(id), outputs) => {
            let Some(output) = outputs.iter().find(|t| t.id == *id) else {
                let names: Vec<&str> = outputs.iter().map(|t| t.id.as_str()).collect();
                reader.invalid(
                    &join(cf, "output_tensor"),
                    format!("there is no output `{id}`"),
                    format!("the outputs are {}", names.join(", ")),
                );
                return Err(reader.errors);
            };
            output
        }
        (None, [one]) => one,
        (None, outputs) => {
            let names: Vec<&str> = outputs.iter().map(|t| t.id.as_str()).collect();
            reader.missing(&join(cf, "output_tensor"), format!("the model has {} outputs ({}), and which one is the prediction is not declared", names.len(), names.join(", ")), example("output_tensor", names[0]));
            &outputs[0]
        }
    };
    let lists = Lists {
        draft,
        input: input_draft,
        output: output_draft,
    };
    if toml && options.rdf_meaning == RdfMeaning::CoreCompatible {
        reader.invalid(
            "",
            "--rdf-meaning is about bioimage.io descriptions, and this is a model.toml",
            "leave it out: a model.toml has one meaning",
        );
    }
    let (before, after, runner) = lists.read(&mut reader, options.rdf_meaning);

    let folder = draft.folder();
    let input = tensor_spec(
        &mut reader,
        input_draft,
        before,
        &draft.inputs,
        &graph.inputs(),
        &folder,
    );
    let mut output = tensor_spec(
        &mut reader,
        output_draft,
        after,
        &draft.outputs,
        &graph.outputs(),
        &folder,
    );
    for axis in &mut output.axes {
        if let Size::Follows { factor, .. } = &mut axis.size
            && factor.is_nan()
        {
            *factor = if let Some(from) = input.axis(axis.kind) {
                from.scale / axis.scale
            } else {
                reader.invalid(
                    &output_draft.field,
                    "an axis follows an axis that the input does not have",
                    "declare its size as a number",
                );
                1.0
            };
        }
    }
    check_axes(&mut reader, input_draft, &input, true, task);
    check_axes(&mut reader, output_draft, &output, false, task);
    // A halo from the user replaces the specification's, in rows and columns.
    let halo = options.halo.or_else(|| reader.count(config, "halo", cf));
    if let Some(halo) = halo {
        for axis in output
            .axes
            .iter_mut()
            .filter(|a| matches!(a.kind, AxisKind::Y | AxisKind::X))
        {
            axis.halo = halo;
        }
    }
    for axis in &output.axes {
        let (Some(from), Size::Follows { factor, offset }) = (input.axis(axis.kind), &axis.size)
        else {
            continue;
        };
        if axis.kind.place().is_none_or(|p| p == 0) {
            continue;
        }
        let largest = match from.size {
            Size::Fixed(n) => Some(n),
            Size::Step { max, .. } => max,
            Size::Follows { .. } => None,
        };
        if let Some(n) = largest
            && (n as f64 * factor).floor() as i64 + offset <= 2 * axis.halo as i64
        {
            reader.invalid(
                &format!("{}.halo", output_draft.field),
                format!("a halo of {} leaves nothing of an input of {n}", axis.halo),
                "give a smaller halo",
            );
        }
    }

    // Classes.
    let channels = match output.axis(AxisKind::Channel) {
        Some(Axis {
            size: Size::Fixed(n),
            ..
        }) => *n,
        _ => 1,
    };
    let mut classes = if options.classes.is_empty() {
        reader.texts(config, "classes", cf).unwrap_or_default()
    } else {
        options.classes.clone()
    };
    match (task, decode) {
        (Some(Task::Classification), _) | (Some(Task::Semantic), Some(Decode::Argmax)) => {
            if classes.is_empty() {
                classes = output.channels().to_vec();
            }
            let binary = task == Some(Task::Classification) && channels == 1 && classes.len() == 2;
            if classes.is_empty() || (classes.len() != channels && !binary) {
                let got = if classes.is_empty() {
                    "the classes have no names".to_owned()
                } else {
                    format!(
                        "{} classes are named, the output has {channels} channels",
                        classes.len()
                    )
                };
                let list = if toml {
                    "[\"first\", \"second\"]"
                } else {
                    "[first, second]"
                };
                reader.missing(
                    &join(cf, "classes"),
                    got,
                    format!(
                        "{}, in the order of the output's channels, or give --classes first,second",
                        example("classes", list)
                    ),
                );
            }
        }
        (Some(Task::Semantic), Some(Decode::Foreground)) => {
            if classes.is_empty() {
                classes = vec!["background".to_owned(), "foreground".to_owned()];
            } else if classes.len() != 2 {
                reader.invalid(
                    &join(cf, "classes"),
                    format!("{} classes for one foreground map", classes.len()),
                    "name two: background first",
                );
            }
        }
        (Some(Task::Semantic), Some(Decode::Labels)) if classes.is_empty() => {
            reader.missing(
                &join(cf, "classes"),
                "the values of the label image have no names",
                format!(
                    "{}: value 0 first",
                    example(
                        "classes",
                        if toml {
                            "[\"background\", \"nucleus\"]"
                        } else {
                            "[background, nucleus]"
                        }
                    )
                ),
            );
        }
        _ => {}
    }
    let mut sorted = classes.clone();
    sorted.sort();
    sorted.dedup();
    if sorted.len() != classes.len() {
        reader.invalid(
            &join(cf, "classes"),
            "two classes have one name",
            "every class needs a name of its own",
        );
    }

    // Maps and thresholds.
    let tree = config.get("thresholds").cloned().unwrap_or(Value::Null);
    let tf = join(cf, "thresholds");
    reader.only(&tree, &tf, &["interior", "foreground", "probability"]);
    let given = &options.thresholds;
    let mut threshold = |from: Option<f32>, key: &str| {
        let value = from.or_else(|| reader.number(&tree, key, &tf).map(|v| v as f32));
        if value.is_some_and(|v| !(0.0..=1.0).contains(&v)) {
            reader.invalid(
                &join(&tf, key),
                format!("the threshold is {value:?}"),
                "it lies between 0 and 1",
            );
        }
        value
    };
    let thresholds = Thresholds {
        interior: threshold(given.interior, "interior"),
        foreground: threshold(given.foreground, "foreground"),
        probability: threshold(given.probability, "probability"),
    };
    let needs_foreground = matches!(decode, Some(Decode::Foreground | Decode::InteriorBoundary));
    if needs_foreground && thresholds.foreground.is_none() {
        reader.missing(
            &join(&tf, "foreground"),
            "the threshold of the foreground map is not declared",
            format!(
                "{}, or give --threshold foreground=0.5",
                example(
                    "thresholds",
                    if toml {
                        "{foreground = 0.5}"
                    } else {
                        "{foreground: 0.5}"
                    }
                )
            ),
        );
    }
    if decode == Some(Decode::InteriorBoundary) && thresholds.interior.is_none() {
        reader.missing(
            &join(&tf, "interior"),
            "the threshold of the interior map is not declared",
            format!(
                "{}, or give --threshold interior=0.5",
                example(
                    "thresholds",
                    if toml {
                        "{interior = 0.5, foreground = 0.5}"
                    } else {
                        "{interior: 0.5, foreground: 0.5}"
                    }
                )
            ),
        );
    }
    let maps = read_maps(&mut reader, config, cf, decode, &output, channels, &example);

    // Pixels.
    let resize = read_resize(&mut reader, config, cf);
    if let (Some(resize), Some(y), Some(x)) =
        (&resize, input.axis(AxisKind::Y), input.axis(AxisKind::X))
    {
        for (axis, n) in [(y, resize.size[0]), (x, resize.size[1])] {
            if task == Some(Task::Classification) && !allows(&axis.size, n) {
                reader.invalid(
                    &join(cf, "resize.size"),
                    format!("{n} pixels, which the input does not take"),
                    "give the input's size: (rows, columns)",
                );
            }
        }
    }
    let values = match reader.text(config, "values", cf) {
        None => Values::ByRange,
        Some("raw") => Values::Raw,
        Some("full-scale") => Values::FullScale,
        Some(other) => {
            reader.invalid(&join(cf, "values"), format!("unknown way `{other}`"), "write raw (pixel values as they are) or full-scale (divided by the largest value of the image's integer type)");
            Values::Raw
        }
    };
    if values == Values::ByRange && input.range == [0.0, 1.0] && input.dtype.starts_with("float") {
        reader.notes.push("the input's range is declared as 0 to 1, so pixels of integer images are divided by the largest value of their type (255 or 65,535) and floating images are fed as they are".to_owned());
    } else if values == Values::ByRange && input.range.iter().all(|v| v.is_infinite()) {
        reader.notes.push("the input declares no range, so pixel values are fed as they are in the file, before the declared preprocessing".to_owned());
    }
    let normalise = options
        .normalise
        .or_else(|| match reader.text(config, "normalise", cf) {
            None => None,
            Some("whole") => Some(Normalise::Whole),
            Some("tile") => Some(Normalise::Tile),
            Some(other) => {
                reader.invalid(
                    &join(cf, "normalise"),
                    format!("unknown way `{other}`"),
                    "write whole or tile",
                );
                None
            }
        });
    let normalise = normalise.unwrap_or_default();
    if normalise == Normalise::Tile && options.rdf_meaning == RdfMeaning::CoreCompatible {
        reader.invalid(
            &join(cf, "normalise"),
            format!("{RUNNER} takes statistics over the whole image, not over tiles"),
            "leave out one of --normalise tile and --rdf-meaning core-compatible",
        );
    }
    if normalise == Normalise::Tile {
        reader.notes.push("statistics of preprocessing are taken over each tile with its padding, so predictions depend on the tiling".to_owned());
    }
    let mut pairs = options.channels.clone();
    if pairs.is_empty() {
        pairs = read_channels(&mut reader, config, cf, &input);
    }
    check_channels(&mut reader, &pairs, &input);
    let tile = options
        .tile
        .or_else(|| reader.count(config, "tile", cf))
        .unwrap_or(1024);
    if !(16..=65_536).contains(&tile) {
        reader.invalid(
            &join(cf, "tile"),
            format!("tiles of {tile} pixels"),
            "between 16 and 65,536",
        );
    }
    let split = reader.number(config, "split_distance_px", cf);
    if split.is_some_and(|d| d <= 0.0) {
        reader.invalid(
            &join(cf, "split_distance_px"),
            "the distance is not above 0",
            "give pixels, such as 4",
        );
    }
    if split.is_some() && (task, decode) != (Some(Task::Instance), Some(Decode::Foreground)) {
        reader.invalid(
            &join(cf, "split_distance_px"),
            "only instances from a foreground map are split",
            "leave it out",
        );
    }
    let pixel_size = reader
        .number(config, "pixel_size_um", cf)
        .map(PixelSize::square)
        .or_else(|| physical(&input));

    if !reader.errors.0.is_empty() {
        return Err(reader.errors);
    }
    let (Some(task), Some(decode)) = (task, decode) else {
        return Err(Error::new(
            &codes::SPEC_FIELD_MISSING,
            "task and decode are not declared",
        )
        .at(&draft.path)
        .into());
    };
    let everywhere = graph.looks_everywhere();
    if task != Task::Classification && !everywhere.is_empty() {
        reader.notes.push(format!("the graph has {}, which look at all positions at once: a tile sees less than the whole image would", everywhere.join(", ")));
    }
    let stem = draft
        .path
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    Ok(Spec {
        name: draft.name.clone().unwrap_or(stem),
        task,
        decode,
        thresholds,
        classes: if task == Task::Instance {
            Vec::new()
        } else {
            classes
        },
        maps,
        split_distance_px: split,
        input,
        output,
        values,
        resize,
        normalise,
        channels: pairs,
        tile,
        pixel_size,
        notes: reader.notes,
        runner,
    })
}

/// The tensors whose operations are read.
struct Lists<'a> {
    draft: &'a Draft,
    input: &'a DraftTensor,
    output: &'a DraftTensor,
}

impl Lists<'_> {
    /// Operations before and after the model as they are run, and those before it as bioimageio.core would run them, where
    /// these are others.
    fn read(
        &self,
        reader: &mut Reader,
        wanted: RdfMeaning,
    ) -> (Vec<Operation>, Vec<Operation>, Option<Vec<Operation>>) {
        let (input, output) = (self.input, self.output);
        let places = [
            (Side::Before, input, &input.axes),
            (Side::After, output, &output.axes),
        ]
        .map(|(side, own, axes)| Place {
            dialect: self.draft.dialect,
            side,
            axes,
            input: &input.id,
            own: &own.id,
        });
        let wrong = reader.errors.0.len();
        let ours = [(input, &places[0]), (output, &places[1])].map(|(tensor, place)| {
            read_operations(reader, &tensor.operations, &tensor.operations_field, place)
        });
        let [before, after] = ours;
        if reader.errors.0.len() > wrong || self.draft.config_field.is_empty() {
            return (before, after, None);
        }
        let mut scratch = Reader::new(&self.draft.path);
        let mut runner = |tensor: &DraftTensor, place: &Place<'_>, operations: &[Operation]| {
            let (list, field) = (&tensor.operations, &tensor.operations_field);
            meaning::as_runner(&mut scratch, list, field, place, operations)
        };
        let its_before = runner(input, &places[0], &before);
        let its_after = runner(output, &places[1], &after);
        let mut words = meaning::differences(&input.operations_field, &before, &its_before);
        let same_before = words.is_empty();
        words.extend(meaning::differences(
            &output.operations_field,
            &after,
            &its_after,
        ));
        if wanted == RdfMeaning::CoreCompatible {
            reader.notes.push(if words.is_empty() {
                format!("the description is read as {RUNNER} does, which here is what the specification says")
            } else {
                format!("the description is read as {RUNNER} does, which is not what the specification says: {}", words.join("; "))
            });
            reader.errors.0.extend(scratch.errors.0);
            return (its_before, its_after, None);
        }
        for error in &scratch.errors.0 {
            let place = error.location.field.clone().unwrap_or_default();
            reader.notes.push(format!(
                "{place}: the specification's meaning is run, each image by itself; {}",
                error.message
            ));
        }
        let told = scratch.errors.0.is_empty();
        if !words.is_empty() {
            reader.notes.push(format!(
                "the specification's meaning is run; {RUNNER} deviates from it for this model: {}{}",
                words.join("; "),
                if told {
                    " (--rdf-meaning core-compatible runs that)"
                } else {
                    ""
                }
            ));
        }
        let runner = (told && !same_before).then_some(its_before);
        (before, after, runner)
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}

/// Whether an axis may have a length.
pub(crate) fn allows(size: &Size, n: usize) -> bool {
    match size {
        Size::Fixed(m) => n == *m,
        Size::Step { min, step, max } => {
            n >= *min && (n - min).is_multiple_of(*step) && max.is_none_or(|m| n <= m)
        }
        Size::Follows { .. } => true,
    }
}

fn physical(input: &TensorSpec) -> Option<PixelSize> {
    let um = |axis: &Axis| {
        let factor = match axis.unit.as_deref()? {
            "micrometer" | "µm" | "um" => 1.0,
            "nanometer" | "nm" => 1e-3,
            "millimeter" | "mm" => 1e3,
            _ => return None,
        };
        Some(axis.scale * factor)
    };
    Some(PixelSize {
        row_um: um(input.axis(AxisKind::Y)?)?,
        column_um: um(input.axis(AxisKind::X)?)?,
        plane_um: input.axis(AxisKind::Z).and_then(um),
    })
}

fn tensor_spec(
    reader: &mut Reader,
    draft: &DraftTensor,
    operations: Vec<Operation>,
    all: &[DraftTensor],
    ports: &[Port],
    folder: &Path,
) -> TensorSpec {
    let by_name = all.iter().all(|t| ports.iter().any(|p| p.name == t.id));
    let index = all.iter().position(|t| t.id == draft.id).unwrap_or(0);
    let wanted = draft.graph_name.as_deref();
    let port = match wanted {
        Some(name) => ports.iter().find(|p| p.name == name),
        None if by_name => ports.iter().find(|p| p.name == draft.id),
        None => ports.get(index),
    };
    if ports.len() < all.len() || port.is_none() {
        let names: Vec<&str> = ports.iter().map(|p| p.name.as_str()).collect();
        reader.error(
            &codes::GRAPH_MISMATCH,
            &draft.field,
            format!(
                "the specification has {} tensors here, the graph has {}: {}",
                all.len(),
                ports.len(),
                names.join(", ")
            ),
            "declare the tensors that the graph has, in the graph's order",
        );
    }
    let mut axes = draft.axes.clone();
    if let Some(shape) = port.and_then(|p| p.shape.as_ref()) {
        if shape.len() == axes.len() {
            for (axis, dim) in axes.iter_mut().zip(shape) {
                let Dim::Fixed(n) = dim else { continue };
                let n = *n;
                let clash = match (&axis.size, axis.kind) {
                    (_, AxisKind::Batch) => n != 1,
                    (Size::Fixed(m), _) => *m != n,
                    (size @ Size::Step { .. }, _) => !allows(size, n),
                    (Size::Follows { .. }, _) => false,
                };
                if clash {
                    reader.error(&codes::GRAPH_MISMATCH, &draft.field, format!("axis {:?} is declared as {:?}, the graph has {n}", axis.kind, axis.size), "declare the size that the graph has; export with a batch of 1 or a free batch axis");
                } else if matches!(axis.size, Size::Step { .. }) {
                    axis.size = Size::Fixed(n);
                }
            }
        } else {
            reader.error(
                &codes::GRAPH_MISMATCH,
                &join(&draft.field, "axes"),
                format!(
                    "{} axes are declared, the graph's tensor has {}",
                    axes.len(),
                    shape.len()
                ),
                "declare one axis for each dimension of the graph's tensor",
            );
        }
    }
    let test = draft
        .test
        .as_ref()
        .and_then(|(name, hash)| test_path(reader, draft, folder, name, *hash));
    TensorSpec {
        id: draft.id.clone(),
        graph_name: port.map_or_else(String::new, |p| p.name.clone()),
        axes,
        dtype: draft.dtype.clone(),
        range: draft.range,
        operations,
        test,
    }
}

/// The file of a test tensor, if it is there and is the one that was named.
fn test_path(
    reader: &mut Reader,
    draft: &DraftTensor,
    folder: &Path,
    name: &str,
    hash: Option<Digest>,
) -> Option<PathBuf> {
    if name.contains("://") {
        reader.notes.push(format!(
            "the test tensor {name} is not in the package's folder, so it was not used"
        ));
        return None;
    }
    let field = join(&draft.field, "test_tensor");
    let limit = transect_image::Limits::default().max_file_bytes;
    let read = crate::onnx::inside(folder, name).and_then(|path| match hash {
        None => Ok((path, None)),
        Some(_) => {
            crate::model::read_limited(&path, limit).map(|bytes| (path, Some(Digest::of(&bytes))))
        }
    });
    match read {
        Ok((path, got)) if got == hash => Some(path),
        Ok((path, _)) => {
            let error = Error::new(
                &codes::TEST_TENSORS,
                format!(
                    "the test tensor `{name}` is not the file that the description names: its SHA-256 differs"
                ),
            );
            reader.errors.push(
                error
                    .at(path)
                    .field(field)
                    .help("download the package again"),
            );
            None
        }
        Err(mut error) => {
            error.code = &codes::TEST_TENSORS;
            reader.errors.push(error.field(field));
            None
        }
    }
}

fn check_axes(
    reader: &mut Reader,
    draft: &DraftTensor,
    tensor: &TensorSpec,
    input: bool,
    task: Option<Task>,
) {
    let field = join(&draft.field, "axes");
    for kind in [
        AxisKind::Batch,
        AxisKind::Channel,
        AxisKind::Z,
        AxisKind::Y,
        AxisKind::X,
    ] {
        if tensor.axes.iter().filter(|a| a.kind == kind).count() > 1 {
            reader.invalid(
                &field,
                format!("two axes are {kind:?}"),
                "each axis stands once",
            );
        }
    }
    for axis in &tensor.axes {
        if axis.kind == AxisKind::Other && axis.size != Size::Fixed(1) && !allows(&axis.size, 1) {
            reader.unsupported(
                &field,
                "a time or index axis longer than 1",
                "models of single images are run; audit others with --predictions",
            );
        }
    }
    let space = tensor.axis(AxisKind::Y).is_some() && tensor.axis(AxisKind::X).is_some();
    if (input || matches!(task, Some(Task::Semantic | Task::Instance))) && !space {
        reader.invalid(&field, "the tensor has no axes y and x", if input { "the input of a model of images has both" } else { "the output of this task is a map; for one class an image give --task classification" });
    }
    if !input && task == Some(Task::Classification) && tensor.axis(AxisKind::Channel).is_none() {
        reader.invalid(
            &field,
            "the output has no channel axis",
            "declare the classes as its channels",
        );
    }
    if !input
        && matches!(task, Some(Task::Semantic | Task::Instance))
        && tensor
            .axis(AxisKind::Z)
            .is_some_and(|z| z.size != Size::Fixed(1))
    {
        reader.unsupported(
            &field,
            "maps of several planes",
            "maps of one plane are decoded; audit volumes with --predictions",
        );
    }
}

fn read_maps(
    reader: &mut Reader,
    config: &Value,
    cf: &str,
    decode: Option<Decode>,
    output: &TensorSpec,
    channels: usize,
    example: &dyn Fn(&str, &str) -> String,
) -> Maps {
    let field = join(cf, "maps");
    let tree = config.get("maps").cloned().unwrap_or(Value::Null);
    reader.only(
        &tree,
        &field,
        &["interior", "boundary", "background", "foreground"],
    );
    let names = output.channels().to_vec();
    let mut find = |key: &str| -> Option<usize> {
        let wanted = match tree.get(key) {
            Some(Value::String(name)) => names
                .iter()
                .position(|n| n == name)
                .or_else(|| name.parse().ok().filter(|&i: &usize| i < channels)),
            Some(Value::Number(number)) => number
                .as_u64()
                .map(|i| i as usize)
                .filter(|&i| i < channels),
            Some(_) => None,
            None => return names.iter().position(|n| n.eq_ignore_ascii_case(key)),
        };
        if wanted.is_none() {
            reader.invalid(
                &join(&field, key),
                "there is no such channel",
                format!(
                    "the output's channels are {}",
                    if names.is_empty() {
                        format!("0 to {}", channels - 1)
                    } else {
                        names.join(", ")
                    }
                ),
            );
        }
        wanted
    };
    let mut maps = Maps {
        interior: find("interior"),
        boundary: find("boundary"),
        background: find("background"),
        foreground: find("foreground"),
    };
    match decode {
        Some(Decode::Foreground | Decode::Labels) if channels == 1 => maps.foreground = Some(0),
        Some(Decode::Foreground) if maps.foreground.is_none() => {
            reader.missing(
                &join(&field, "foreground"),
                format!(
                    "which of the {channels} output channels is the foreground is not declared"
                ),
                example("maps", "{foreground: 1}"),
            );
        }
        Some(Decode::InteriorBoundary) => {
            if maps.interior.is_none() {
                reader.missing(
                    &join(&field, "interior"),
                    "which output channel is the interior is not declared",
                    example("maps", "{background: 0, interior: 1, boundary: 2}"),
                );
            }
            if maps.background.is_none() && maps.foreground.is_none() && maps.boundary.is_none() {
                reader.missing(&join(&field, "background"), "which output channel is the background (or the foreground, or the boundary) is not declared", example("maps", "{background: 0, interior: 1, boundary: 2}"));
            }
        }
        _ => {}
    }
    maps
}

fn read_resize(reader: &mut Reader, config: &Value, cf: &str) -> Option<Resize> {
    let field = join(cf, "resize");
    let tree = config.get("resize").filter(|v| !v.is_null())?;
    reader.only(tree, &field, &["method", "anti_alias", "size"]);
    let method = match reader.text(tree, "method", &field) {
        Some("bilinear") => Some(ResizeMethod::Bilinear),
        Some("area") => Some(ResizeMethod::Area),
        Some("nearest") => Some(ResizeMethod::Nearest),
        Some(other) => {
            reader.invalid(
                &join(&field, "method"),
                format!("unknown method `{other}`"),
                "the methods are bilinear, area and nearest",
            );
            None
        }
        None => {
            reader.missing(
                &join(&field, "method"),
                "how images are resized is not declared",
                "write method: bilinear, area or nearest",
            );
            None
        }
    };
    let anti_alias = match (reader.text(tree, "anti_alias", &field), method) {
        (Some("gaussian"), Some(ResizeMethod::Bilinear)) => Some(AntiAlias::Gaussian),
        (Some("none"), _) | (None, Some(ResizeMethod::Area | ResizeMethod::Nearest)) => {
            Some(AntiAlias::None)
        }
        (None, _) => {
            reader.missing(
                &join(&field, "anti_alias"),
                "whether images are smoothed before they shrink is not declared",
                "write anti_alias: gaussian or anti_alias: none",
            );
            None
        }
        (Some("gaussian"), _) => {
            reader.invalid(
                &join(&field, "anti_alias"),
                "only a bilinear resize is smoothed first",
                "write anti_alias: none",
            );
            None
        }
        (Some(other), _) => {
            reader.invalid(
                &join(&field, "anti_alias"),
                format!("unknown way `{other}`"),
                "the ways are gaussian and none",
            );
            None
        }
    };
    let size = reader
        .numbers(tree, "size", &field)
        .and_then(|list| match list.as_slice() {
            [rows, columns]
                if [rows, columns]
                    .iter()
                    .all(|n| (1.0..=16_384.0).contains(*n) && n.fract() == 0.0) =>
            {
                Some([*rows as usize, *columns as usize])
            }
            _ => None,
        });
    if size.is_none() {
        reader.missing(
            &join(&field, "size"),
            "the size to which images are resized is not declared",
            "write size: [96, 96]: rows, columns",
        );
    }
    Some(Resize {
        method: method?,
        anti_alias: anti_alias?,
        size: size?,
    })
}

fn read_channels(
    reader: &mut Reader,
    config: &Value,
    cf: &str,
    input: &TensorSpec,
) -> Vec<(String, String)> {
    let field = join(cf, "channels");
    let mut pairs = Vec::new();
    match config.get("channels") {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => {
            for (model, image) in map {
                match image {
                    Value::String(image) => pairs.push((model.clone(), image.clone())),
                    Value::Number(image) => pairs.push((model.clone(), image.to_string())),
                    other => reader.invalid(
                        &join(&field, model),
                        format!("expected a channel of the image, got {other}"),
                        "write a name, an index from 0, luma or mean",
                    ),
                }
            }
        }
        Some(other) => reader.invalid(
            &field,
            format!("expected pairs, got {other}"),
            "write {grey: luma}: the model's channel, then the image's",
        ),
    }
    if let Some(way) = reader.text(config, "colour_to_grey", cf) {
        if !matches!(way, "luma" | "mean") {
            reader.invalid(
                &join(cf, "colour_to_grey"),
                format!("unknown way `{way}`"),
                "write luma (0.299, 0.587, 0.114) or mean",
            );
        } else if pairs.is_empty() {
            let name = input
                .channels()
                .first()
                .cloned()
                .unwrap_or_else(|| "0".to_owned());
            pairs.push((name, way.to_owned()));
        } else {
            reader.invalid(
                &join(cf, "colour_to_grey"),
                "both `channels` and `colour_to_grey` are given",
                "give one of them",
            );
        }
    }
    pairs
}

fn check_channels(reader: &mut Reader, pairs: &[(String, String)], input: &TensorSpec) {
    if pairs.is_empty() {
        return;
    }
    let count = match input.axis(AxisKind::Channel) {
        Some(Axis {
            size: Size::Fixed(n),
            ..
        }) => *n,
        _ => 1,
    };
    let names = input.channels();
    let mut covered = vec![false; count];
    for (model, _) in pairs {
        let index = model_channel(model, names, count);
        match index {
            Some(index) if !covered[index] => covered[index] = true,
            Some(_) => reader.invalid(
                "channels",
                format!("the model's channel `{model}` is given twice"),
                "give each once",
            ),
            None => reader.invalid(
                "channels",
                format!("the model has no channel `{model}`"),
                format!(
                    "its channels are {}",
                    if names.is_empty() {
                        format!("0 to {}", count - 1)
                    } else {
                        names.join(", ")
                    }
                ),
            ),
        }
    }
    if covered.contains(&false) && reader.errors.0.is_empty() {
        let left: Vec<String> = covered
            .iter()
            .enumerate()
            .filter(|(_, c)| !**c)
            .map(|(i, _)| names.get(i).cloned().unwrap_or_else(|| i.to_string()))
            .collect();
        reader.missing(
            "channels",
            format!(
                "no channel of the image is given for the model's {}",
                left.join(", ")
            ),
            "give --channels MODEL=IMAGE for each channel of the model",
        );
    }
}

/// The index of a channel of the model by name or number; the only channel of a model has any name that it is given.
pub(crate) fn model_channel(name: &str, names: &[String], count: usize) -> Option<usize> {
    names
        .iter()
        .position(|n| n == name)
        .or_else(|| name.parse().ok().filter(|&i: &usize| i < count))
        .or((count == 1 && matches!(name, "grey" | "gray")).then_some(0))
}
