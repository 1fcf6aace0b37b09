//! Models, specifications, engines: T300 to T399.
use super::codes;
codes! {
    /// The model file cannot be read.
    MODEL_UNREADABLE = "T301", Io, "model cannot be read",
        "The model given by --model does not exist or cannot be opened. Give an ONNX file with a model.toml beside it, or a folder or file of a bioimage.io package (rdf.yaml or bioimageio.yaml).";
    /// Not ONNX.
    MODEL_FORMAT = "T302", Format, "not a valid ONNX model",
        "The bytes are not an ONNX model: they do not decode as the protobuf message of ONNX, there is no graph in them, or a tensor in them has a shape that its data do not fill. An ONNX file that Git LFS stores as a pointer, or a page that a server sent in its place, looks like this too. Export the model again or download it again.";
    /// A limit on the size of the model is passed.
    MODEL_LIMITS = "T303", Limits, "model is too large",
        "A model may be at most 2 GiB with all of its weights, which is what ONNX allows in one message, with at most 200,000 operators. An operator may not be told by a constant to make a tensor of more than 2^31 values. The limits stand so that a damaged or hostile file cannot take the machine's memory.";
    /// External data are not there.
    EXTERNAL_DATA_MISSING = "T304", Io, "external data missing",
        "The ONNX file keeps weights in another file, which must lie beside it under the name that the model gives. Copy that file into the model's folder. A file that is shorter than the model says is refused too.";
    /// External data lie outside the model's folder.
    EXTERNAL_DATA_OUTSIDE = "T305", Unsupported, "external data outside the model's folder",
        "A model may name files only inside its own folder: no absolute path, no `..`, no link that leads outside. Otherwise a model from somewhere else could read any file of this machine. Copy the weights into the model's folder and export the model with a plain file name.";
    /// There is no specification.
    SPEC_MISSING = "T306", Usage, "no specification",
        "An ONNX file does not say how an image becomes its input and what its output means. That is declared in a bioimage.io description (rdf.yaml or bioimageio.yaml) or in a model.toml beside the ONNX file. The page `Models` of the documentation has a model.toml to start from.";
    /// The specification is not YAML or TOML.
    SPEC_FORMAT = "T307", Format, "specification cannot be read",
        "The specification is not valid YAML or TOML, or is larger than 4 MiB, or does not have the fields that its format requires. The error names the place.";
    /// Something that changes a result is not declared.
    SPEC_FIELD_MISSING = "T308", Usage, "specification says too little",
        "Something that changes a result is not declared. It is never guessed: the error shows what to write and where, or which option to give. What a bioimage.io description has no field for stands under `config.transect`: task, decode, thresholds, classes, resize, values, maps, channels.";
    /// A field has a value that it cannot have.
    SPEC_FIELD_INVALID = "T309", Value, "invalid field in the specification",
        "A field of the specification has a value that it cannot have: an axis that does not exist, a negative size, a percentile above 100, two tensors of one name. The error names the field and what is allowed.";
    /// The specification asks for something that transect does not do.
    SPEC_UNSUPPORTED = "T310", Unsupported, "specification asks for something unsupported",
        "The specification is valid, but uses something that transect does not do: Python code (`custom`), decoders of other programs, statistics over a whole data set, several input tensors. It is never approximated in silence. Where the program that made the model can write its predictions to files, audit those with --predictions.";
    /// The package has no ONNX weights.
    NO_ONNX_WEIGHTS = "T311", Unsupported, "no ONNX weights",
        "The package describes a model, but its weights are in other formats only. transect runs ONNX. Export the model to ONNX (the page `Models` of the documentation walks through it for PyTorch), or make predictions with the program that runs it and audit them with --predictions.";
    /// The weights are not the ones that the package names.
    WEIGHTS_HASH = "T312", Value, "weights differ from the package's hash",
        "The SHA-256 of the ONNX file is not the one that the description names, so it is not the model that was described and tested. Download the package again, or mend the hash if you changed the weights on purpose.";
    /// The specification and the graph disagree.
    GRAPH_MISMATCH = "T313", Shape, "specification and graph disagree",
        "The specification names a tensor that the ONNX graph does not have, or declares another number of axes, another size or more tensors than the graph has. The error lists what the graph has.";
    /// ONNX Runtime is not there.
    ENGINE_ABSENT = "T320", Usage, "ONNX Runtime not found",
        "The engine `onnxruntime` is loaded while transect runs, from the library that you have: `pip install onnxruntime` and give its folder with --onnxruntime (such as .venv/lib/python3.11/site-packages/onnxruntime), or set ORT_DYLIB_PATH to the library file. The engine `embedded` needs nothing. ONNX Runtime 1.20 or later is needed.";
    /// Operators that the engine does not have.
    OPERATORS_UNSUPPORTED = "T321", Unsupported, "operators not supported by the engine",
        "The model uses operators that the embedded engine does not have, or not with these attributes. All of them are listed. ONNX Runtime has every standard operator: install it and give --engine onnxruntime.";
    /// The engine refused the model.
    ENGINE_REFUSED = "T322", Format, "engine refused the model",
        "The engine could not load the model. The message is the engine's own. An invalid graph, an operator set newer than the engine or a custom operator are the usual causes.";
    /// The engine failed while it ran.
    ENGINE_FAILED = "T323", Value, "engine failed on an image",
        "The engine stopped while it ran the model on one image. The message is the engine's own; a size that the graph cannot take is the usual cause. The row is kept with the status `failed`.";
    /// The weights cannot be drawn anew.
    REINIT_UNSUPPORTED = "T324", Unsupported, "weights cannot be drawn anew",
        "Copies of the model with random weights (`reinit:<k>`) are what it must beat. They need to know what in the graph is a weight: kernels of Conv and ConvTranspose, constant factors of Gemm and MatMul, biases, scales and shifts of normalisation. Quantised and recurrent models, and graphs in which a constant may be a weight and may be none, are refused, because a copy that keeps trained weights in silence would be no copy. The page `Models` of the documentation lists the rules. Export the model in floating point, without custom operators, to have such copies.";
    /// Channels of the image do not fit.
    CHANNELS_MISMATCH = "T330", Shape, "channels do not fit the model",
        "The image has another number of channels than the model takes, and nothing says which is which. Give --channels MODEL=IMAGE for each channel of the model, where IMAGE is a channel's name, its index from 0, `luma` (0.299 red + 0.587 green + 0.114 blue) or `mean`.";
    /// The size of the image does not fit.
    SIZE_MISMATCH = "T331", Shape, "size does not fit the model",
        "The model takes one size and the image has another, and nothing is declared that would change it. A model that gives maps is tiled, so any size fits it; a classifier needs `resize` in config.transect or in model.toml, because how an image is resized changes the result.";
    /// Pixel values do not fit.
    VALUE_RANGE = "T332", Value, "pixel values do not fit the model",
        "The specification declares a range of values that pixels of this type do not have, and does not say how one becomes the other. Declare `values: raw` (pixel values as they are) or `values: full-scale` (divided by the largest value of the image's integer type) in config.transect or in model.toml.";
    /// The output has NaN or infinite values.
    OUTPUT_NOT_FINITE = "T333", Value, "model gave values that are not numbers",
        "The model's output has NaN or infinite values for this image, so there is no prediction. The row is kept with the status `failed`. A constant image under a normalisation without eps, or a network that overflows, does this.";
    /// The output is not a set of probabilities.
    NOT_PROBABILITIES = "T334", Value, "outputs are not probabilities",
        "The outputs of a classifier must be probabilities that sum to 1 (within 1e-3), and those of a map must lie between 0 and 1. They do not, so they are probably logits. Declare `softmax` or `sigmoid` under `postprocessing` of the output (or `activation` in model.toml).";
    /// The output has a shape that was not declared.
    OUTPUT_SHAPE = "T335", Shape, "output has an undeclared shape",
        "The model gave a tensor of another shape than the specification declares for this input. Declare the output's axes and sizes as the network gives them.";
    /// Test tensors cannot be used.
    TEST_TENSORS = "T340", Format, "test tensors cannot be used",
        "The specification names test tensors, but they are missing, cannot be read, or do not have the declared shape. Without them nobody can tell whether the model works here at all. Download the package again, or remove the entry if there are none.";
}
