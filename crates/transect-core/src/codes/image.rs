//! Images: T100 to T199.
use super::codes;
codes! {
    /// The file cannot be read.
    IMAGE_UNREADABLE = "T101", Io, "image cannot be read",
        "The file named by the manifest does not exist or the operating system refused to read it. The row is kept with the status `failed`; the run goes on.";
    /// Shape and samples do not agree.
    IMAGE_SHAPE = "T102", Shape, "samples do not fit the shape",
        "An image has (channel, plane, row, column) samples, each dimension at least 1. A file that says otherwise is damaged.";
    /// The bytes do not follow their format.
    IMAGE_DAMAGED = "T103", Format, "image file is damaged",
        "The bytes do not follow the format that they begin with: the file is cut short, was written wrongly, or was changed. Nothing is guessed for the missing part. Fetch the file again, or open it in the program that wrote it and save it again.";
    /// A feature of the format that transect does not have.
    IMAGE_UNSUPPORTED = "T104", Unsupported, "image uses a feature that is not supported",
        "The file is valid, but holds something that transect does not read, such as CMYK colours, complex numbers or JPEG 2000. It is never read approximately. Save it as PNG, as TIFF without compression or with LZW or Deflate, or as NPY.";
    /// Too large.
    IMAGE_LIMITS = "T105", Limits, "image passes a limit on its size",
        "The file, a side of the image, or its decoded samples (four bytes each) would pass a limit. Limits are checked before memory is taken, so that a small damaged file cannot ask for all of it. Cut large images into fields first; raise the limit on files with --max-file-mb if you trust them.";
    /// No such page.
    IMAGE_PAGE = "T106", Usage, "no such page",
        "The column `page` counts from 0. Only a TIFF has pages, as many as it has directories; every other file has the single page 0.";
    /// Not a format that is read.
    IMAGE_UNKNOWN_FORMAT = "T107", Unsupported, "not an image format that is read",
        "The format is taken from the first bytes of a file, never from its name. Read are PNG, JPEG, TIFF (also BigTIFF, OME-TIFF and ImageJ's stacks), NPY, NPZ, ENVI, Zarr and DICOM. Where it is known what the file is, the error says how it is converted.";
    /// Transparent pixels.
    IMAGE_ALPHA = "T108", Unsupported, "image has transparent pixels",
        "An alpha channel is dropped where every pixel is opaque. Where some are not, what the image shows depends on a background that the file does not hold. Save the image without transparency, on the background that you mean.";
    /// Integers that single precision cannot hold.
    IMAGE_INTEGER_RANGE = "T109", Unsupported, "integers too large to be exact",
        "Pixels are kept in single precision, which holds every integer up to 16,777,216 exactly. This image has larger ones. Divide them by a constant and save as 16 bit, or convert to float and accept the rounding yourself. Label images are read exactly up to 4,294,967,295.";
    /// Not labels.
    LABELS_UNSUPPORTED = "T110", Unsupported, "not a label image",
        "A label image has one whole number from 0 to 4,294,967,295 for each pixel: a grey PNG of 8 or 16 bits, a palette PNG (its indices are the labels), a TIFF or NPY of integers, or of floats that are all whole. Colours, fractions and negative numbers are refused: which label they mean is not said. JPEG is refused because it changes values.";
    /// Images that cannot be stacked.
    IMAGE_STACK = "T111", Shape, "images cannot be stacked",
        "Files with one channel each are stacked into one image. They must agree in rows, columns, planes and sample type.";
    /// Cannot be written.
    IMAGE_ENCODE = "T112", Usage, "image cannot be written as PNG",
        "PNG holds one (grey) or three (red, green, blue) channels of whole numbers in 8 or 16 bits, in one plane. Write anything else as NPY.";
    /// NaN or infinite pixels.
    IMAGE_NOT_FINITE = "T113", Value, "image has pixels that are not finite",
        "The image holds NaN or infinite values. No model is defined on them, so the row is kept with the status `failed`. Replace them by a value that means something for your data, and say so where you report.";
    /// A selection that the file does not have.
    IMAGE_SELECTION = "T114", Usage, "no such part of the image",
        "A row may name a page, or a series, level, time, plane, member or region of its file. Everything counts from 0, and a region lies wholly within its image. A page is a TIFF's directory as it stands, so it goes with a region and with nothing else.";
    /// Several images where one is needed.
    IMAGE_SEVERAL = "T115", Usage, "file holds several images",
        "The file holds several images, points in time or arrays, and a row is one image. Nothing is chosen for you: give a row for each that you mean and say which in `image_series`, `image_time` or `image_member`.";
    /// OME-XML and the pages of the file say different things.
    IMAGE_OME = "T116", Format, "OME-XML and the file disagree",
        "An OME-TIFF says in OME-XML which page is which channel, plane and point in time. Here it speaks of pages that are not there, forgets some, or gives them another size or sample type. Which of the two is right is not said, so nothing is read. Save the file again with the program that wrote it, or name single pages by `page`, which leaves OME-XML aside.";
    /// A store lacks chunks.
    IMAGE_CHUNKS_MISSING = "T117", Format, "Zarr store lacks chunks",
        "The store's folder has no file for some chunks of the image. By the standard they hold the fill value, and many writers leave out chunks that are all fill; but a copy that was broken off looks the same. If the store is whole, say so with `image_absent` = `fill`; otherwise copy it again.";
}
