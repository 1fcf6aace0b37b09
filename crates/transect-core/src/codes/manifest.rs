//! Manifest, columns, expressions, class maps: T000 to T099.
use super::codes;
codes! {
    /// The manifest cannot be read.
    MANIFEST_UNREADABLE = "T001", Io, "manifest cannot be read",
        "The manifest given by --data or --reference does not exist or cannot be opened. It is a CSV, TSV or JSON-lines file with one row for each image and a column `image` with paths relative to the manifest. `transect manifest DIR` writes one from a folder.";
    /// The text is not a table.
    MANIFEST_FORMAT = "T002", Format, "manifest is not a table",
        "A manifest is UTF-8 text: comma-separated (.csv), tab-separated (.tsv) or one JSON object for each line (.jsonl). Save a spreadsheet as \"CSV UTF-8\".";
    /// No row.
    MANIFEST_EMPTY = "T003", Usage, "manifest has no rows",
        "The first line names the columns, each further line is one image. A file with a header only has no images.";
    /// The header cannot be used.
    MANIFEST_HEADER = "T004", Format, "header of the manifest cannot be used",
        "Each column needs a name of its own. The column `image` holds the path of each image; where channels are in separate files there is instead one column `image:NAME` for each channel.";
    /// Rows of different lengths.
    MANIFEST_RAGGED = "T005", Format, "rows with another number of cells than the header",
        "Every row has as many cells as the header. A cell that holds a comma needs quotes around it.";
    /// A cell that must not be empty.
    EMPTY_CELL = "T006", Format, "empty cell in a column that must be filled",
        "Every row needs a path in `image`, or in each of its `image:NAME` columns. Remove rows without an image.";
    /// A path that leaves the manifest's folder.
    PATH_REFUSED = "T007", Usage, "path is not allowed in a manifest",
        "Paths are relative to the manifest and stay inside its folder: no absolute path, no `..`, no link that leads outside, no URL. So a manifest and its folder can be moved, shared and hashed as one, and a manifest from a stranger cannot name your other files. Put the manifest above the images, or link nothing.";
    /// Files that are not there.
    MISSING_FILES = "T008", Io, "files named by the manifest are missing",
        "Paths are relative to the folder of the manifest and case-sensitive. All missing files are counted, the first twenty shown.";
    /// A cell that cannot be understood.
    BAD_CELL = "T009", Format, "cell cannot be understood",
        "`page` is a whole number counted from 0, and so are `image_series`, `image_level`, `image_time`, `image_plane`; `image_region` is first row, first column, rows, columns; `role` is `reference` or `target`; `pixel_size_um` is a positive number of micrometres. Empty cells are allowed in all of them.";
    /// The same image twice.
    DUPLICATE_ROWS = "T010", Usage, "rows name the same image twice",
        "The same image (page, part of a file) may stand once on each side. A copy would be counted as a second, independent image and make intervals too narrow. Remove one of the rows; where an image has two truths, choose one.";
    /// A row on both sides.
    BOTH_SIDES = "T011", Usage, "images are in reference and target",
        "An image cannot be both what the claim was made on and what it is tested on. Make --where and --reference-where exclude each other, or take the images out of one of the manifests.";
    /// A column that is not there.
    UNKNOWN_COLUMN = "T012", Usage, "unknown column",
        "An option names a column that the manifest does not have. Column names are case-sensitive. The error lists the columns that there are and the nearest one.";
    /// An expression that cannot be understood.
    EXPRESSION = "T013", Usage, "expression cannot be understood",
        "An expression compares columns with values: `domain = 'D1' and split = 'test' and class_name != 'basophil'`. Comparisons are = != < <= > >= and `in ('a', 'b')`; they join by and, or, not and parentheses. Text stands in single quotes (a quote within is doubled); numbers stand plain. A column whose name is not a plain word stands in double quotes. Two numbers are compared as numbers, anything else as text; an order with an empty cell, or of text with a number, is never true.";
    /// An expression that keeps nothing.
    NO_ROWS = "T014", Usage, "no rows are left",
        "The expression, or the class map, leaves no row on a side. The error shows the values that the columns named have.";
    /// Roles that contradict.
    ROLE_CONFLICT = "T015", Usage, "role is stated twice and differently",
        "A row's side comes from the column `role`, or from --reference and --reference-where. Where both speak, they must agree.";
    /// Classes and paths in one column.
    TRUTH_MIXED = "T016", Usage, "truth mixes classes and label images",
        "One run has one task, so the truth column holds class names in every row, or paths of label images in every row. Select the rows of one task with --where, or name another column.";
    /// Truth in a form that is not read.
    TRUTH_FORMAT = "T017", Unsupported, "truth is in files that are not read",
        "Truth is a label image (PNG, TIFF, NPY and what else is read as an image), outlines (a .roi file of ImageJ, a ZIP archive of them, GeoJSON), or a folder with a mask for each object, named with `/` at its end. Boxes and point lists are not read by this version. `transect manifest --format` draws the polygons of COCO and YOLO as label images.";
    /// The class map cannot be used.
    CLASS_MAP = "T018", Format, "class map cannot be used",
        "A class map is a CSV file with the columns `from` and `to`, or a TOML file with lines such as `neutrophil = \"NEU\"`. `to` may be empty (such rows are left out and counted) or `*` (the class keeps its name); `from` may be `*` (every class that is not named).";
    /// A class that the map lacks.
    CLASS_NOT_MAPPED = "T019", Usage, "classes are not in the class map",
        "Every class of the truth needs a line in the class map, so that none is lost unseen. `*,*` keeps the others as they are, `*,` leaves their rows out.";
    /// A folder whose order cannot be told.
    FOLDER_LAYOUT = "T020", Usage, "layout of the folder is not clear",
        "Understood are: a folder for each class; `images` with `labels`, `masks` or `truth` beside it and the same file names; label images next to their images with `_mask`, `_label`, `_labels` or `_seg` at the end of the name; a folder for each image with `images` and `masks` in it; images only. A folder must be one of them. Otherwise give --pattern, or write the manifest by hand.";
    /// A pattern that cannot be used.
    PATTERN = "T021", Usage, "pattern cannot be used",
        "--pattern is a regular expression on the path below the folder, with `/` between its parts. Each named capture, such as `(?P<well>[A-H]\\d\\d)`, becomes a column; a capture named `channel` joins the files that agree in all others into one image.";
    /// An annotation file that cannot be read.
    ANNOTATIONS = "T022", Format, "annotation file cannot be read",
        "The file is not what its format asks for, or is damaged. COCO is a JSON object with `images`, `annotations` and `categories`; YOLO is a folder with `data.yaml` or `classes.txt`, `images` and `labels`; a .roi file is written by ImageJ's ROI manager, GeoJSON by QuPath and others. `transect manifest --help` lists the formats.";
    /// An annotation file past a limit.
    ANNOTATION_LIMITS = "T023", Limits, "annotation file passes a limit",
        "Files of others are read up to a size, a depth and a number of objects, so that a damaged or hostile one ends in this error and not in a full memory. --max-file-mb raises the size; JSON may be nested 128 deep; an image may have four million objects.";
    /// An outline that is no area.
    OUTLINE = "T024", Format, "outline cannot be drawn",
        "An outline is a closed line around an area: a polygon of three points at least, with finite coordinates, an ellipse, or runs of pixels that add up to the image. Points, lines and texts have no inside. All outlines of a file belong to one plane.";
    /// An outline that misses its image.
    OUTLINE_OUTSIDE = "T025", Value, "outline lies outside of its image",
        "An outline that leaves the image in part is cut at its border. One that misses it altogether belongs to another image, to another size of it, has its coordinates in micrometres, or has row and column exchanged. The outlines are named.";
    /// A folder or file that is not of the format said.
    IMPORT_LAYOUT = "T026", Usage, "annotations do not fit their format",
        "--format says what is read, and the folder or file has not what that format asks for; or images lie outside of the folder of the manifest, where no path leads. The error names what was looked for.";
    /// A plate map that cannot be joined.
    JOIN = "T027", Usage, "plate map cannot be joined",
        "--join adds the columns of a plate map to the rows of its wells. The manifest needs a column `well` (and `plate`, where the map has one), every well of the manifest stands in the map once, and no column is there already. A1 and A01 are the same well. Maps are CSV: a column `well` and one row for each well, or the plate as it lies, with 1, 2, 3 … above and A, B, C … at the left.";
}
