//! Truth and scores: T200 to T299.
use super::codes;
codes! {
    /// The truth's size is not the image's.
    TRUTH_SHAPE = "T201", Shape, "truth does not fit the image",
        "A label image or mask must have as many rows and columns as its image. The row is kept with the status `failed`; the run goes on.";
    /// The truth names a class that the model does not have.
    TRUTH_CLASS = "T202", Value, "truth outside the model's classes",
        "The truth of this row is a class, or a mask holds a value, that the model does not have. Such rows are counted and reported apart; they are never dropped in silence and never scored as wrong. If it is another name for a class of the model, give --class-map. What the values of a mask mean is said by --mask-values: `0=background,128=cytoplasm,255=nucleus`, `nonzero` for masks of one foreground, `255=ignore` for pixels that are left out; without it they are the classes' indices, from 0. Images that do not belong to the question are left out with --where.";
    /// The sort of truth does not fit the task.
    TRUTH_KIND = "T203", Usage, "truth does not fit the task",
        "Classification needs a class for each image, semantic segmentation a mask of class indices (for one foreground class a label image will do: every label is foreground), instance segmentation a label image with one label for each object. Choose the truth's column with --truth; classes and paths are told apart by its cells.";
    /// The prediction cannot be scored.
    PREDICTION_UNUSABLE = "T204", Value, "prediction cannot be scored",
        "The decoded prediction does not fit the model's classes or holds numbers that are no probabilities (not finite, below 0 or above 1). A score of such output would be a wrong number. Check the declared output, its activation and the class list of the model.";
    /// Scores do not fit the columns.
    SCORE_COLUMNS = "T205", Shape, "scores do not fit the score columns",
        "A measurement carries another number of scores than its task and classes have columns. The tables were made by another version or for another task; measure again.";
}
