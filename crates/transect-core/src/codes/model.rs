//! Models, specifications, engines: T300 to T399.
use super::codes;
codes! {
    /// The model file cannot be read.
    MODEL_UNREADABLE = "T301", Io, "model cannot be read",
        "The model given by --model does not exist or cannot be opened. Give an ONNX file with a model.toml beside it, or a folder or file of a bioimage.io package (rdf.yaml or bioimageio.yaml).";
}
