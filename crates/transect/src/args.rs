//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use transect_core::Task;
use transect_core::context::PlanLevel;

/// Finds out when, how and why a deep vision model fails on scientific images, before anyone trusts it.
#[derive(Debug, Parser)]
#[command(name = "transect", version, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Audit a model on your images: how well does it do, do they differ from the reference, how far does it bend.
    Audit(Box<AuditArgs>),
    /// Look at images and their truth alone, without a model: duplicates, leaks, hidden strata, what a lazy learner reaches.
    Inspect(InspectArgs),
    /// Put the shards of one audit together.
    Gather(GatherArgs),
    /// Run a model on images and write what it says, without judging it.
    Predict(PredictArgs),
    /// Write a manifest from a folder of images, or from annotations in the formats of others.
    Manifest(ManifestArgs),
    /// Make images of two simulated laboratories and audit the demo model on them.
    Demo(DemoArgs),
    /// Tell more about an error code, or list the failure modes and corruptions.
    Explain(ExplainArgs),
    /// Write shell completions.
    Completions(CompletionsArgs),
}

/// What a model does.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TaskArg {
    /// One class for each image.
    Classification,
    /// One class for each pixel.
    Semantic,
    /// Objects.
    Instance,
}

impl From<TaskArg> for Task {
    fn from(task: TaskArg) -> Self {
        match task {
            TaskArg::Classification => Self::Classification,
            TaskArg::Semantic => Self::Semantic,
            TaskArg::Instance => Self::Instance,
        }
    }
}

/// What made the images.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ModalityArg {
    /// Light emitted by the specimen on a dark background.
    Fluorescence,
    /// Light absorbed by a stained specimen on a bright background.
    Brightfield,
    /// Phase contrast or differential interference contrast.
    Phase,
    /// Many channels, each a band of a spectrum.
    Spectral,
    /// A photograph.
    Photo,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PlanArg {
    /// The images, and three severities of each corruption.
    Quick,
    /// Five severities; swaps with one donor.
    Standard,
    /// Five severities, random ones three times; swaps with three donors.
    Full,
}

impl From<PlanArg> for PlanLevel {
    fn from(plan: PlanArg) -> Self {
        match plan {
            PlanArg::Quick => Self::Quick,
            PlanArg::Standard => Self::Standard,
            PlanArg::Full => Self::Full,
        }
    }
}

/// What runs the model.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EngineArg {
    /// The engine inside this program.
    Embedded,
    /// ONNX Runtime, from your own Python package or system library.
    Onnxruntime,
    /// ONNX Runtime where it is found, the embedded engine otherwise.
    Auto,
}

/// How outputs become objects.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DecodeArg {
    /// The class with the highest value at each pixel.
    Argmax,
    /// One foreground probability: threshold, connected components.
    Foreground,
    /// Interior and boundary probabilities: interiors, grown by watershed.
    InteriorBoundary,
    /// The output is a label image.
    Labels,
}

/// Which images.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Images")]
pub(crate) struct DataArgs {
    /// Manifest of your images: CSV, TSV or JSON lines with a column `image`.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: PathBuf,
    /// Column that holds the truth: a class, or the path of a label image or mask.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) truth: Option<String>,
    /// Column that holds a second annotator's truth, of the same kind: how far two people agree is the ceiling.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) second_truth: Option<String>,
    /// Which rows, such as "domain = 'D1' and split = 'test'".
    #[arg(long = "where", value_name = "EXPR")]
    pub(crate) where_expr: Option<String>,
    /// Manifest of the images that the claim was made on.
    #[arg(long, value_name = "FILE")]
    pub(crate) reference: Option<PathBuf>,
    /// Which rows of the reference; without --reference, rows of --data.
    #[arg(long, value_name = "EXPR")]
    pub(crate) reference_where: Option<String>,
    /// Column with the known source of acquisition: site, scanner, stain.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) domain: Option<String>,
    /// Column with what was sampled (patient, slide, plate): intervals resample it.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Column with what was fixed (modality, kind of acquisition): intervals resample within it.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) stratum: Option<String>,
    /// Column that names the same field in two modalities.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) pair: Option<String>,
    /// File with `from,to` for classes that the manifest names otherwise than the model.
    #[arg(long, value_name = "FILE")]
    pub(crate) class_map: Option<PathBuf>,
    /// What the values of a mask mean: `nonzero`, or `0=background,255=nucleus,128=ignore`.
    #[arg(long, value_name = "MEANING")]
    pub(crate) mask_values: Option<String>,
    /// What made the images: selects the corruptions that apply.
    #[arg(long, value_enum)]
    pub(crate) modality: Option<ModalityArg>,
    /// Pixel size in the specimen, micrometres, where files and manifest do not say.
    #[arg(long, value_name = "UM", allow_negative_numbers = true)]
    pub(crate) pixel_size_um: Option<f64>,
    /// Numerical aperture of the objective.
    #[arg(long, value_name = "NA", allow_negative_numbers = true)]
    pub(crate) na: Option<f64>,
    /// Wavelength, micrometres.
    #[arg(long, value_name = "UM", allow_negative_numbers = true)]
    pub(crate) wavelength_um: Option<f64>,
    /// Refractive index of the medium.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) refractive_index: Option<f64>,
    /// Largest file that is read, megabytes.
    #[arg(long, value_name = "MB", default_value_t = 1024)]
    pub(crate) max_file_mb: u64,
}

/// Which model.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    /// ONNX file with a model.toml beside it, or a bioimage.io package (folder or rdf.yaml).
    #[arg(long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
    /// What the model does, where its specification does not say.
    #[arg(long, value_enum)]
    pub(crate) task: Option<TaskArg>,
    /// How outputs become objects, where the specification does not say.
    #[arg(long, value_enum)]
    pub(crate) decode: Option<DecodeArg>,
    /// Threshold of a decoder, such as `interior=0.5`; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) threshold: Vec<String>,
    /// Names of the classes, in the order of the outputs, where the specification does not say.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub(crate) classes: Vec<String>,
    /// Which channel of the image feeds which of the model, such as `intensity=luma`; may be given several times.
    #[arg(long, value_name = "MODEL=IMAGE")]
    pub(crate) channels: Vec<String>,
    /// Over what statistics of the normalisation are taken, where they are taken from the image.
    #[arg(long, value_parser = ["whole", "tile"])]
    pub(crate) normalise: Option<String>,
    /// Whose reading of a bioimage.io description is run, where the two differ: the specification's (where not said), or what
    /// bioimageio.core 0.11.0 does.
    #[arg(long, value_parser = ["specification", "core-compatible"])]
    pub(crate) rdf_meaning: Option<String>,
    /// Side of a tile in pixels, where the specification leaves it open.
    #[arg(long, value_name = "PX")]
    pub(crate) tile: Option<usize>,
    /// Pixels of each tile's border that are not used, in place of what the specification says.
    #[arg(long, value_name = "PX")]
    pub(crate) halo: Option<usize>,
    /// Layer whose output is the embedding; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) embedding: Vec<String>,
    /// What runs the model; the engine inside this program where not said.
    #[arg(long, value_enum)]
    pub(crate) engine: Option<EngineArg>,
    /// ONNX Runtime's library, or a folder to look for it in (such as a Python environment).
    #[arg(long, value_name = "PATH")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// Go on although the model does not reproduce its own test tensors.
    #[arg(long)]
    pub(crate) skip_model_test: bool,
}

/// Everything that decides what is measured; kept in the run's folder, so that `gather` can make the pictures again.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct JobArgs {
    #[command(flatten)]
    pub(crate) images: DataArgs,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Predictions made elsewhere: a folder of label images, or a CSV or JSON file of classes.
    #[arg(long, value_name = "PATH", help_heading = "Model")]
    pub(crate) predictions: Option<PathBuf>,
    /// A claimed value, such as `accuracy=0.97`; may be given several times.
    #[arg(long, value_name = "METRIC=VALUE", help_heading = "Measuring")]
    pub(crate) claim: Vec<String>,
    /// Images a day that you need.
    #[arg(
        long,
        value_name = "N",
        help_heading = "Measuring",
        allow_negative_numbers = true
    )]
    pub(crate) throughput: Option<f64>,
    /// How far apart two outlines may be and still count as one, such as `2px` or `1um`; 2 px where not said.
    #[arg(long, value_name = "LENGTH", help_heading = "Measuring")]
    pub(crate) surface_tolerance: Option<String>,
    /// How much is measured.
    #[arg(long, value_enum, default_value_t = PlanArg::Standard, help_heading = "Measuring")]
    pub(crate) plan: PlanArg,
    /// Time that measuring may take, such as `90s`, `5m`, `2h`: the plan is cut to fit before it starts.
    #[arg(long, value_name = "TIME", help_heading = "Measuring")]
    pub(crate) budget: Option<String>,
    /// Seed of everything random: the same seed gives the same bytes.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Measuring"
    )]
    pub(crate) seed: u64,
    /// Whether the images and their truth alone are looked at; said by the command.
    #[arg(skip)]
    #[serde(default)]
    pub(crate) images_alone: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) job: JobArgs,
    /// Folder for tables, findings and report.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Threads; all cores where not said.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Measure only every n-th block, beginning with i (from 0), such as 0/4; then `transect gather`.
    #[arg(long, value_name = "I/N")]
    pub(crate) shard: Option<String>,
    #[command(flatten)]
    pub(crate) end: EndArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) images: DataArgs,
    /// Seed of everything random: the same seed gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Folder for tables, findings and report.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Threads; all cores where not said.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    #[command(flatten)]
    pub(crate) end: EndArgs,
}

/// How a command ends.
#[derive(Debug, Clone, Args)]
pub(crate) struct EndArgs {
    /// Exit with 1 when a finding has one of these verdicts.
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', value_parser = ["fail", "warn", "undecided"])]
    pub(crate) fail_on: Vec<String>,
    /// Print the findings as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct GatherArgs {
    /// Folders of the shards.
    #[arg(required = true, value_name = "DIR")]
    pub(crate) shards: Vec<PathBuf>,
    /// Folder for tables, findings and report.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) end: EndArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PredictArgs {
    /// Manifest of your images: CSV, TSV or JSON lines with a column `image`.
    #[arg(long, value_name = "FILE", help_heading = "Images")]
    pub(crate) data: PathBuf,
    /// Which rows, such as "domain = 'D1' and split = 'test'".
    #[arg(long = "where", value_name = "EXPR", help_heading = "Images")]
    pub(crate) where_expr: Option<String>,
    /// Largest file that is read, megabytes.
    #[arg(
        long,
        value_name = "MB",
        default_value_t = 1024,
        help_heading = "Images"
    )]
    pub(crate) max_file_mb: u64,
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    /// Folder for predictions.csv and, for masks, one label image for each image.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Threads; all cores where not said.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Also write the tensor that was really fed, as NPY.
    #[arg(long)]
    pub(crate) fed: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ManifestArgs {
    /// Folder of images: class subfolders, or images with label images beside them; with --format, a folder or file of
    /// annotations.
    #[arg(value_name = "PATH")]
    pub(crate) source: PathBuf,
    /// Regular expression on the relative path, with named groups that become columns, such as
    /// `(?<plate>P\d+)_(?<well>[A-H]\d+)_(?<channel>ch\d)\.tif`; files that differ only in `channel` are stacked.
    #[arg(long, value_name = "REGEX", conflicts_with = "format")]
    pub(crate) pattern: Option<String>,
    /// Format of the annotations.
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// Folder that the annotations' names of images start from, where it is not that of the annotations.
    #[arg(long, value_name = "DIR", requires = "format")]
    pub(crate) images: Option<PathBuf>,
    /// Class whose objects are kept, of several; all where not said. May be given several times.
    #[arg(long = "class", value_name = "NAME", requires = "format")]
    pub(crate) classes: Vec<String>,
    /// What the numbers of label images mean that are drawn from outlines.
    #[arg(long, value_enum, default_value_t = DrawArg::Objects, requires = "format")]
    pub(crate) draw: DrawArg,
    /// Plate map whose columns are joined by `well`; may be given several times. CSV with a column `well`, or as the plate
    /// lies: 1, 2, 3 … above, A, B, C … at the left.
    #[arg(long, value_name = "FILE")]
    pub(crate) join: Vec<PathBuf>,
    /// Add columns with time and camera from the EXIF of the images.
    #[arg(long)]
    pub(crate) exif: bool,
    /// Add columns with the position from the EXIF of the images, which is never copied otherwise.
    #[arg(long, requires = "exif")]
    pub(crate) gps: bool,
    /// Largest file that is read, megabytes.
    #[arg(long, value_name = "MB", default_value_t = 512)]
    pub(crate) max_file_mb: u64,
    /// File to write; stdout where not said. Paths in it are relative to its folder: keep it inside the folder of the images,
    /// or above it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// A format of annotations.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum FormatArg {
    /// COCO JSON: boxes, polygons, masks of runs.
    Coco,
    /// YOLO folder: data.yaml or classes.txt, images, labels.
    Yolo,
    /// Cell Tracking Challenge folder: 01, 01_GT/SEG, 01_GT/TRA.
    Ctc,
    /// COCO Camera Traps JSON: species, places, sequences.
    CameraTraps,
    /// MegaDetector JSON: a detector's boxes, which are no truth.
    Megadetector,
    /// Camtrap DP folder: deployments.csv, media.csv, observations.csv.
    CamtrapDp,
    /// Hugging Face folder: metadata.csv or metadata.jsonl, splits, classes.
    HuggingFace,
    /// bioimage.io folder: rdf.yaml of a data set or a model.
    Bioimageio,
}

/// What numbers in drawn label images mean.
#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum DrawArg {
    /// One number for each object.
    Objects,
    /// One number for each class.
    Classes,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// Folder for images, tables, findings and report.
    #[arg(long, value_name = "DIR", default_value = "transect-demo")]
    pub(crate) out: PathBuf,
    /// Images of each laboratory.
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub(crate) images: u32,
    /// Seed.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Threads; all cores where not said.
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ExplainArgs {
    /// A code such as T012, a finding such as `shift.harm`, a mode, corruption, trait or attribute by its name; or a list:
    /// `codes`, `modes`, `findings`, `corruptions`, `attributes`, `traits`.
    pub(crate) what: String,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell.
    pub(crate) shell: clap_complete::Shell,
}
