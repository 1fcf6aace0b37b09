//! Plan, run, tables: T600 to T699.
use super::codes;
codes! {
    /// Something else writes to the folder.
    RUN_LOCKED = "T601", Usage, "another run is writing to this folder",
        "Two runs may not write to one folder at a time. Wait for the other to end, or choose another --out. The lock is the operating system's own, so a killed run leaves none behind.";
    /// The folder holds another run.
    RUN_OTHER = "T602", Usage, "the folder holds another run",
        "The folder given by --out holds parts of a run with other images, another model, another plan, another seed, or another option that decides what is measured or judged: --claim, --group and --stratum too. Parts of two runs are never mixed. Choose another --out, or delete the folder if its run is not needed. The same command in the same folder goes on where it stopped.";
    /// A table cannot be opened.
    TABLE_UNREADABLE = "T603", Io, "a table of the run cannot be opened",
        "A run's folder holds run.json, items.parquet and measurements.parquet. One of them is missing: the run has not finished, or the folder is another one. Run the same command again to finish it, or `transect gather` where it ran in shards.";
    /// A table cannot be written.
    TABLE_UNWRITTEN = "T604", Io, "the run's folder cannot be written",
        "The operating system refused to write into the folder given by --out: no space is left, or the folder is read-only. Everything that was finished before is kept; free some space or make the folder writable and run the same command again to go on.";
    /// A table is damaged.
    TABLE_DAMAGED = "T605", Format, "a table of the run is damaged",
        "A Parquet or JSON file in the run's folder is not what this version writes. Files are written under a temporary name and renamed when whole, so a kill does not cause this. Delete the named file and run the same command again, or use the version that wrote it.";
    /// The time budget is too small.
    BUDGET_TOO_SMALL = "T606", Usage, "the budget is too small for any plan",
        "--budget bounds the time that measuring takes. Even the images themselves, without any corruption, would take longer. Give more time, fewer images with --where, or a faster engine with --engine onnxruntime.";
    /// Shards of another plan.
    SHARD_OTHER = "T607", Usage, "the folders are not shards of one plan",
        "`transect gather` puts together the parts that shards of one plan wrote. A folder has another plan (other images, model, options, version or seed), or a block is missing: run that shard again with the same options.";
    /// Nothing to measure.
    NOTHING_TO_MEASURE = "T608", Usage, "there is nothing to measure",
        "After --where and --reference-where no image is left that the model could be run on. Check the expressions; `transect manifest` and the error's notes say how many rows there were.";
    /// Predictions do not fit.
    PREDICTIONS = "T609", Usage, "the predictions cannot be used",
        "--predictions takes a folder with one label image for each image (the same relative path, or the same stem, with .png, .tif, .tiff or .npy), or a CSV or JSON file with a column `image` and, for classification, either one column per class named `p_<class>` or a column `class`. An image without a prediction is kept as a row with the status `skipped`.";
    /// No model of this name.
    UNKNOWN_MODEL = "T610", Usage, "there is no such model in a run",
        "A run measures the model that was given and variants of it: `reinit:<k>` (the same graph with new weights), `threshold:<value>`, `builtin:otsu` and `annotator` (the second truth). The run's plan names another one, so it was written by another version.";
    /// A view that this model cannot be shown.
    VIEW_OF_MODEL = "T611", Unsupported, "this model cannot be shown this view",
        "Some views reach into the model: a part of its embedding is exchanged for another image's. Models of which the part behind the embedding cannot be run by itself, and predictions made elsewhere, cannot be shown them. The row is kept with the status `skipped`.";
    /// Nothing to lose in a search.
    NOTHING_TO_LOSE = "T612", Unsupported, "the image is wrong before the search begins",
        "A search looks for the smallest change that makes a right prediction wrong, or halves a score. The image itself is predicted wrongly, has a score under 0.1, or has no truth, so there is nothing to lose. The row is kept with the status `skipped` and counts in no share.";
    /// Something panicked.
    PANICKED = "T617", Unsupported, "an internal error on this view",
        "A part of transect, or the engine that runs the model, failed in a way that it should not have. The row is kept with the status `failed` and the run goes on. Please report it with the image and the model, if you may share them.";
    /// The run was stopped.
    INTERRUPTED = "T620", Interrupted, "the run was stopped",
        "Everything that was finished is kept. The same command in the same folder goes on where it stopped.";
    /// The model changed its mind about its own tests.
    MODEL_TEST_FAILED = "T621", Value, "the model does not reproduce its own test",
        "The specification brings test tensors, and this engine does not reproduce them within 1e-3 + 1e-3·|expected| for at most 100 of a million elements. So nothing that the model says here may be believed: the weights, the specification or the engine are not what its author had. Try --engine onnxruntime, check the download, or pass --skip-model-test if you know why they differ; the report then says so.";
    /// The folder holds what is not ours.
    FOLDER_FOREIGN = "T622", Usage, "the folder holds other files",
        "The folder given by --out holds files that transect did not write. It writes only into a folder that is new, empty, or of the same run, so that nothing of yours is written over. Name a folder that is not there yet; it is made.";
    /// The disk is too full.
    NO_SPACE = "T623", Limits, "the disk has too little room",
        "The tables of this run will probably take more room than the disk of --out has left. The estimate is made before anything is measured, from the number of images and views. Free some space, give an --out on another disk, or measure less: --plan quick, fewer images with --where.";
}
