//! Manifests from folders.

use insta::assert_snapshot;
use tempfile::TempDir;
use transect_manifest::{FolderOptions, Request, folder, list, load};

fn place(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = dir.path().join(file);
        if file.ends_with('/') {
            std::fs::create_dir_all(path).expect("a folder");
        } else {
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
    }
    dir
}

fn read(files: &[&str], pattern: Option<&str>) -> String {
    let dir = place(files);
    let options = FolderOptions {
        pattern: pattern.map(str::to_owned),
    };
    match list(dir.path(), &options) {
        Ok(listing) => {
            assert_eq!(
                folder(dir.path(), &options).unwrap_or_default(),
                listing.csv
            );
            let path = dir.path().join("manifest.csv");
            std::fs::write(&path, &listing.csv).expect("a file");
            let request = Request {
                data: path,
                ..Request::default()
            };
            assert!(
                load(&request).inspect_err(|e| panic!("{e}")).is_ok(),
                "what is written can be read"
            );
            format!("{}--\n{}", listing.csv, listing.notes.join("\n"))
        }
        Err(errors) => errors
            .to_string()
            .replace(&dir.path().display().to_string(), "DIR"),
    }
}

#[test]
fn class_folders() {
    assert_snapshot!(read(&["cat/1.png", "cat/deep/2.JPG", "dog/1.tif", "dog/notes.txt", "empty/", ".hidden/x.png", "readme.md"], None), @r"
    image,class_name
    cat/1.png,cat
    cat/deep/2.JPG,cat
    dog/1.tif,dog
    --
    2 files are not an image that is read, passed over
    class folders without images: empty
    a folder for each of 2 classes: cat (2), dog (1)
    ");
}

#[test]
fn images_and_labels_side_by_side() {
    assert_snapshot!(read(&["images/a.png", "images/b.png", "masks/a.tif", "masks/c.tif"], None), @r"
    image,truth
    images/a.png,masks/a.tif
    images/b.png,
    --
    2 images in images/, 2 label images in masks/
    images without a label image: 1 (images/b.png)
    label images without an image, left out: 1 (masks/c.tif)
    ");
    assert_snapshot!(read(&["images/a.png", "masks/a.tif", "masks/a.png"], None), @r"
    error[T020]: label images of the same name
      = masks/a.png and masks/a.tif
      = help: keep one label image for each image
    ");
}

#[test]
fn labels_by_suffix() {
    assert_snapshot!(read(&["a.png", "a_mask.png", "b.png", "b_labels.tif", "c_seg.png", "d.png"], None), @r"
    image,truth
    a.png,a_mask.png
    b.png,b_labels.tif
    d.png,
    --
    3 images with label images beside them
    images without a label image: 1 (d.png)
    label images without an image, left out: 1 (c_seg.png)
    ");
}

#[test]
fn a_manifest_in_the_folder_is_no_file_of_the_data() {
    let dir = place(&["a.png", "manifest.csv", "notes.txt"]);
    let listing = list(dir.path(), &FolderOptions::default()).expect("a listing");
    let notes = listing.notes.join("\n");
    assert!(notes.contains("1 file is not an image"), "{notes}");
}

#[test]
fn images_only() {
    assert_snapshot!(read(&["a.png", "b.png"], None), @r"
    image
    a.png
    b.png
    --
    2 images, no truth
    ");
}

#[test]
fn layouts_that_are_not_clear_are_refused_with_what_was_seen() {
    assert_snapshot!(read(&["a.png", "cat/1.png", "dog/1.png"], None), @r"
    error[T020]: the folder has images of its own, and folders with images as for classes
      --> DIR
      = 1 image in the folder itself
      = 1 image in cat/
      = 1 image in dog/
      = help: give --pattern with named captures, or sort the files
    ");
    assert_snapshot!(read(&["images/a.png", "masks/a.png", "other/a.png"], None), @r"
    error[T020]: the folder has images or labels in folders of their own, and something else beside them
      --> DIR
      = 1 image in images/
      = 1 image in masks/
      = 1 image in other/
      = help: give --pattern with named captures, or sort the files
    ");
    assert_snapshot!(read(&["cat/1.png", "cat/1_mask.png", "dog/1.png"], None), @r"
    error[T020]: the folder has folders as for classes, and in them label images
      --> DIR
      = 2 images in cat/
      = 1 image in dog/
      = help: give --pattern with named captures, or sort the files
    ");
    assert_snapshot!(read(&["notes.txt"], None), @r"
    error[T020]: there is no image in the folder
      --> DIR
      = help: read are PNG, JPEG, TIFF, NPY, NPZ, DICOM, ENVI (its .hdr) and Zarr (its .zarr)
    ");
    let gone = list(
        std::path::Path::new("no/such/folder"),
        &FolderOptions::default(),
    )
    .expect_err("no folder");
    assert_snapshot!(gone, @r"
    error[T001]: the folder cannot be read: there is no such file
      --> no/such/folder
    ");
}

const PLATE: &[&str] = &[
    "P1/A01_f1_DAPI.tif",
    "P1/A01_f1_GFP.tif",
    "P1/A01_f2_DAPI.tif",
    "P1/B02_f1_DAPI.tif",
    "P1/B02_f1_GFP.tif",
    "P1/thumb.png",
];

#[test]
fn patterns_make_columns_and_stack_channels() {
    let pattern = r"^(?P<plate>[^/]+)/(?P<well>[A-H]\d\d)_f(?P<field>\d+)_(?P<channel>\w+)\.tif$";
    assert_snapshot!(read(PLATE, Some(pattern)), @r"
    image:DAPI,image:GFP,plate,well,field
    P1/A01_f1_DAPI.tif,P1/A01_f1_GFP.tif,P1,A01,1
    P1/B02_f1_DAPI.tif,P1/B02_f1_GFP.tif,P1,B02,1
    --
    images that do not fit the pattern, left out: 1 (P1/thumb.png)
    left out: plate = P1, well = A01, field = 2 lacks channel GFP
    2 fields of 2 channels: DAPI, GFP
    ");
    assert_snapshot!(read(PLATE, Some(r"(?P<well>[A-H]\d\d)_f(?P<field>\d+)")), @r"
    image,well,field
    P1/A01_f1_DAPI.tif,A01,1
    P1/A01_f1_GFP.tif,A01,1
    P1/A01_f2_DAPI.tif,A01,2
    P1/B02_f1_DAPI.tif,B02,1
    P1/B02_f1_GFP.tif,B02,1
    --
    images that do not fit the pattern, left out: 1 (P1/thumb.png)
    ");
}

#[test]
fn patterns_that_cannot_be_used_are_refused() {
    assert_snapshot!(read(PLATE, Some("(?P<well>")), @r"
    error[T021]: the pattern is not a regular expression: unclosed group
      --> field `--pattern`
      = (?P<well>
    ");
    assert_snapshot!(read(PLATE, Some("A01")), @r"
    error[T021]: the pattern has no named capture
      --> field `--pattern`
      = A01
      = help: name what becomes a column: (?P<well>[A-H][0-9]{2})
    ");
    assert_snapshot!(read(PLATE, Some("(?P<image>A01)")), @r"
    error[T021]: a capture is named `image`, which is the column of the path
      --> field `--pattern`
      = (?P<image>A01)
      = help: choose another name
    ");
    assert_snapshot!(read(PLATE, Some("(?P<well>Z99)")), @r"
    error[T021]: the pattern fits none of 6 images
      --> DIR, field `--pattern`
      = (?P<well>Z99)
      = such as P1/A01_f1_DAPI.tif
      = such as P1/A01_f1_GFP.tif
      = such as P1/A01_f2_DAPI.tif
      = help: the pattern is matched against the path below the folder
    ");
    assert_snapshot!(read(PLATE, Some(r"(?P<well>[A-H]\d\d)_f\d+_(?P<channel>\w+)")), @r"
    error[T021]: the pattern does not tell files apart
      --> field `--pattern`
      = P1/A01_f1_DAPI.tif and P1/A01_f2_DAPI.tif are the same channel of the same field
      = (?P<well>[A-H]\d\d)_f\d+_(?P<channel>\w+)
      = help: capture what differs between them, such as field or time
    ");
    assert_snapshot!(read(&["a_1.png", "b_2.png"], Some(r"(?P<well>[ab])_(?P<channel>\d)")), @r"
    error[T021]: no field has all of the channels 1, 2
      --> field `--pattern`
      = (?P<well>[ab])_(?P<channel>\d)
      = help: check what the pattern takes for a channel
    ");
}

#[test]
fn annotations_of_others_are_pointed_out() {
    let told = read(&["images/a.png", "labels/a.txt", "classes.txt"], None);
    assert!(
        told.contains("the folder has classes.txt: --format yolo reads its annotations"),
        "{told}"
    );
    let refused = read(&["01/t000.tif", "01_GT/SEG/man_seg000.tif", "a.tif"], None);
    assert!(refused.contains("--format ctc"), "{refused}");
}

#[test]
fn a_mask_for_each_object() {
    let files = [
        "stage1/a1/images/a1.png",
        "stage1/a1/masks/x.png",
        "stage1/a1/masks/y.png",
        "stage1/b2/images/b2.png",
    ];
    assert_snapshot!(read(&files, None), @r"
    image,truth
    stage1/a1/images/a1.png,stage1/a1/masks/
    stage1/b2/images/b2.png,
    --
    2 images, 2 masks of one object each
    images without a mask: 1 (stage1/b2/images/b2.png)
    ");
}
