//! Annotations of others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use tempfile::TempDir;
use transect_core::LabelImage;
use transect_image::Limits;
use transect_manifest::{Draw, Format, ImportOptions, Imported, Request, import, load};

/// A folder with grey images of 8 rows and 10 columns and other files of text.
fn place(images: &[&str], texts: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    };
    let grey = transect_image::encode_png_rgb(8, 10, &[90; 240]);
    for name in images {
        write(name, &grey);
    }
    for (name, text) in texts {
        write(name, text.as_bytes());
    }
    dir
}

fn options(dir: &Path, format: Format) -> ImportOptions {
    ImportOptions {
        format,
        images: None,
        root: dir.to_owned(),
        name: "manifest".to_owned(),
        classes: Vec::new(),
        draw: Draw::Objects,
        limits: Limits::default(),
    }
}

/// What an import gives: the manifest, the files, and what `load` makes of it.
struct Outcome {
    imported: Imported,
    files: BTreeMap<String, Vec<u8>>,
}

impl Outcome {
    fn told(&self) -> String {
        format!(
            "{}--\n{}\n--\n{}",
            self.imported.csv,
            self.imported.notes.join("\n"),
            self.imported.audit.join(" ")
        )
    }

    fn labels(&self, path: &str) -> String {
        let labels: LabelImage =
            transect_image::decode_labels(&self.files[path], path, None, &Limits::default())
                .unwrap();
        let rows: Vec<String> = labels
            .labels()
            .chunks(labels.columns())
            .map(|row| {
                row.iter()
                    .map(|l| char::from(b".123456789"[*l as usize]))
                    .collect()
            })
            .collect();
        rows.join("\n")
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(self.files[path].clone()).unwrap()
    }
}

fn run(source: &Path, options: &ImportOptions) -> Result<Outcome, String> {
    let mut files = BTreeMap::new();
    let imported = import(source, options, &mut |path: &str, bytes: &[u8]| {
        assert!(
            files.insert(path.to_owned(), bytes.to_vec()).is_none(),
            "{path} is written twice"
        );
        Ok(())
    });
    match imported {
        Ok(imported) => {
            // What is written can be read.
            let data = options.root.join("manifest.csv");
            for (path, bytes) in &files {
                let path = options.root.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            std::fs::write(&data, &imported.csv).unwrap();
            let truth = imported
                .audit
                .iter()
                .find_map(|a| a.strip_prefix("--truth "))
                .map(str::to_owned);
            let request = Request {
                data: data.clone(),
                truth,
                ..Request::default()
            };
            let loaded = load(&request);
            std::fs::remove_file(data).unwrap();
            loaded.map_err(|e| format!("not read again: {e}"))?;
            Ok(Outcome { imported, files })
        }
        Err(errors) => Err(errors
            .to_string()
            .replace(&options.root.display().to_string(), "DIR")),
    }
}

const COCO: &str = r#"{
 "info": {"contributor": "A. Person", "url": "http://somewhere"},
 "licenses": [{"id": 1, "name": "CC"}],
 "images": [
  {"id": 1, "file_name": "a.png", "width": 10, "height": 8, "coco_url": "http://somewhere/a.png"},
  {"id": 2, "file_name": "sub/b.png", "width": 10, "height": 8},
  {"id": 3, "file_name": "gone.png", "width": 10, "height": 8}],
 "categories": [{"id": 7, "name": "cell", "supercategory": "x"}, {"id": 9, "name": "debris"}],
 "annotations": [
  {"id": 11, "image_id": 1, "category_id": 7, "iscrowd": 0, "area": 12, "bbox": [1, 2, 4, 3], "segmentation": [[1, 2, 5, 2, 5, 5, 1, 5]]},
  {"id": 12, "image_id": 1, "category_id": 9, "iscrowd": 0, "bbox": [7, 0, 2, 2], "segmentation": {"size": [8, 10], "counts": [56, 2, 6, 2, 14]}},
  {"id": 13, "image_id": 1, "category_id": 7, "iscrowd": 1, "bbox": [0, 6, 10, 2], "segmentation": {"size": [8, 10], "counts": [6, 2, 72]}},
  {"id": 14, "image_id": 3, "category_id": 7, "iscrowd": 0, "bbox": [0, 0, 2, 2]}]
}"#;

#[test]
fn coco() {
    let dir = place(&["a.png", "sub/b.png"], &[("instances.json", COCO)]);
    let options = options(dir.path(), Format::Coco);
    let outcome = run(&dir.path().join("instances.json"), &options).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,labels,boxes,n_objects,n_cell,n_debris,n_crowds
    a.png,manifest_labels/a.png,manifest_boxes/a.csv,2,1,1,1
    sub/b.png,manifest_labels/sub/b.png,manifest_boxes/sub/b.csv,0,0,0,0
    --
    2 images, 2 outlines, 2 boxes
    images that are not there, left out: 1 (gone.png)
    1 regions of many objects (crowds) are not drawn: what a model finds there would count as wrong; leave such images out with --where "n_crowds = 0"
    1 image has no object: counted as empty; where they were not annotated, leave them out with --where "n_objects > 0"
    objects of 2 classes are drawn alike; --class NAME keeps one, --draw classes makes masks of classes
    boxes are kept in the column `boxes`
    --
    --truth labels --task instance
    "#);
    assert_snapshot!(outcome.labels("manifest_labels/a.png"), @r"
    .......22.
    .......22.
    .1111.....
    .1111.....
    .1111.....
    ..........
    ..........
    ..........
    ");
    assert_snapshot!(outcome.text("manifest_boxes/a.csv"), @r"
    class,row0_px,column0_px,row1_px,column1_px
    cell,2,1,5,5
    debris,0,7,2,9
    ");
    assert!(!outcome.told().contains("Person") && !outcome.told().contains("http"));
}

#[test]
fn coco_of_one_class_and_as_classes() {
    let dir = place(&["a.png", "sub/b.png"], &[("instances.json", COCO)]);
    let mut options = options(dir.path(), Format::Coco);
    options.classes = vec!["debris".to_owned()];
    let outcome = run(&dir.path().join("instances.json"), &options).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,labels,boxes,n_objects
    a.png,manifest_labels/a.png,manifest_boxes/a.csv,1
    sub/b.png,manifest_labels/sub/b.png,manifest_boxes/sub/b.csv,0
    --
    2 images, 1 outline, 1 box
    images that are not there, left out: 1 (gone.png)
    1 image has no object: counted as empty; where they were not annotated, leave them out with --where "n_objects > 0"
    boxes are kept in the column `boxes`
    --
    --truth labels --task instance
    "#);
    options.classes = vec!["debrs".to_owned()];
    assert_snapshot!(run(&dir.path().join("instances.json"), &options).err().unwrap(), @r"
    error[T026]: there is no class `debrs`
      --> DIR/instances.json, field `--class`
      = classes here: cell, debris
      = help: did you mean `debris`?
    ");
    options.classes = Vec::new();
    options.draw = Draw::Classes;
    let outcome = run(&dir.path().join("instances.json"), &options).unwrap();
    assert_snapshot!(outcome.labels("manifest_labels/a.png"), @r"
    .......22.
    .......22.
    .1111.....
    .1111.....
    .1111.....
    ..........
    1.........
    1.........
    ");
    assert_snapshot!(outcome.imported.audit.join(" "), @r#"--truth labels --task semantic --mask-values "0=background,1=cell,2=debris""#);
}

fn refused(text: &str) -> String {
    let dir = place(&["a.png"], &[("a.json", text)]);
    run(
        &dir.path().join("a.json"),
        &options(dir.path(), Format::Coco),
    )
    .err()
    .unwrap()
}

#[test]
fn coco_that_is_refused_says_why() {
    assert_snapshot!(refused("[]"), @r"
    error[T022]: this is not COCO (an object with the lists `images`, `annotations` and `categories`): invalid length 0, expected struct File with 3 elements
      --> DIR/a.json:1, column 2
    ");
    assert_snapshot!(refused(r#"{"images": [], "annotations": []}"#), @r"
    error[T022]: this is not COCO (an object with the lists `images`, `annotations` and `categories`): missing field `categories`
      --> DIR/a.json:1, column 33
    ");
    assert_snapshot!(refused("{\"images\": [\n oops"), @r"
    error[T022]: this is not JSON: expected value
      --> DIR/a.json:2, column 2
    ");
    assert_snapshot!(refused(&format!("{{\"images\": {}", "[".repeat(100_000))), @r"
    error[T023]: lists and objects are nested deeper than 128
      --> DIR/a.json:1, column 138
    ");
    assert_snapshot!(refused(r#"{"images": [{"id": 1, "file_name": "b.png"}], "annotations": [], "categories": []}"#), @r"
    error[T008]: none of 1 image is there
      --> DIR/a.json
      = such as b.png
      = help: say with --images in which folder they are
    ");
    assert_snapshot!(refused(r#"{"images": [{"id": 1, "file_name": "/etc/a.png"}, {"id": 2, "file_name": "../a.png"}], "annotations": [], "categories": []}"#), @r"
    error[T007]: 2 paths of images are not allowed in a manifest
      --> DIR/a.json
      = `/etc/a.png` is not relative to the manifest
      = `../a.png` leads upwards with `..`
      = help: write names relative to the folder of the images, and give that folder by --images
    ");
    assert_snapshot!(refused(r#"{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cell"}], "annotations": [
        {"id": 5, "image_id": 8, "category_id": 1, "bbox": [0, 0, 1, 1]},
        {"id": 6, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1]},
        {"id": 7, "image_id": 1, "category_id": 1, "bbox": [0, 0, 1]},
        {"id": 8, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1]]},
        {"id": 9, "image_id": 1, "category_id": 1, "segmentation": {"size": [8, 10], "counts": "zz"}}]}"#), @r"
    error[T022]: 1 annotation of images that are not in `images`
      --> DIR/a.json
      = annotation 5: image_id 8

    error[T022]: 1 annotation of categories that are not in `categories`
      --> DIR/a.json
      = annotation 6: category_id 3

    error[T022]: 1 annotation whose `bbox` is not x, y, width, height
      --> DIR/a.json
      = annotation 7

    error[T022]: 2 annotations whose `segmentation` cannot be drawn
      --> DIR/a.json
      = annotation 8: a polygon of 3 coordinates: they come in pairs x, y
      = annotation 9: character 1 of the compressed runs is none of theirs
    ");
    assert_snapshot!(refused(r#"{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "cell"}], "annotations": [
        {"id": 5, "image_id": 1, "category_id": 1, "segmentation": [[100, 100, 120, 100, 120, 120]]},
        {"id": 6, "image_id": 1, "category_id": 1, "segmentation": {"size": [80, 100], "counts": [8000]}}]}"#), @r"
    error[T024]: annotation 6: the runs are of 80 rows and 100 columns, the image has 8 and 10
      --> DIR/a.json, image a.png
    ");
}

#[test]
fn a_file_past_the_limit_is_not_read() {
    let dir = place(&["a.png"], &[]);
    let path = dir.path().join("large.json");
    // A file of one gigabyte that takes no room on the disk.
    std::fs::File::create(&path)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let mut options = options(dir.path(), Format::Coco);
    options.limits.max_file_bytes = 512 << 20;
    let started = std::time::Instant::now();
    assert_snapshot!(run(&path, &options).err().unwrap(), @r"
    error[T023]: the file has 1073741824 bytes; at most 536870912 are read
      --> DIR/large.json
      = help: split it into files of fewer images, or raise --max-file-mb
    ");
    assert!(started.elapsed().as_secs() < 2);
}

#[test]
fn yolo() {
    let dir = place(
        &[
            "train/images/a.png",
            "train/images/b.png",
            "valid/images/c.png",
        ],
        &[
            (
                "data.yaml",
                "train: ../train/images\nval: valid/images\nnc: 2\nnames: ['WBC', 'RBC']\nroboflow:\n  url: http://somewhere\n",
            ),
            (
                "train/labels/a.txt",
                "0 0.5 0.5 0.2 0.25\n1 0.1 0.125 0.2 0.25\n\n",
            ),
            ("valid/labels/c.txt", "1 0.0 0.0 0.4 0.0 0.4 0.5 0.0 0.5\n"),
        ],
    );
    let outcome = run(dir.path(), &options(dir.path(), Format::Yolo)).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,labels,boxes,n_objects,n_WBC,n_RBC,split
    train/images/a.png,,manifest_boxes/train/images/a.csv,2,1,1,train
    train/images/b.png,manifest_labels/train/images/b.png,manifest_boxes/train/images/b.csv,0,0,0,train
    valid/images/c.png,manifest_labels/valid/images/c.png,manifest_boxes/valid/images/c.csv,1,0,1,val
    --
    3 images, 1 outline, 2 boxes
    1 image without a text of labels: YOLO takes such images for empty
    1 image has no object: counted as empty; where they were not annotated, leave them out with --where "n_objects > 0"
    images with objects that have a box and no outline: they get no label image, which would lack these objects: 1 (train/images/a.png)
    objects of 2 classes are drawn alike; --class NAME keeps one, --draw classes makes masks of classes
    boxes are kept in the column `boxes`
    --
    --truth labels --task instance
    "#);
    assert_snapshot!(outcome.text("manifest_boxes/train/images/a.csv"), @r"
    class,row0_px,column0_px,row1_px,column1_px
    WBC,3,4,5,6
    RBC,0,0,2,2
    ");
    assert_snapshot!(outcome.labels("manifest_labels/valid/images/c.png"), @r"
    1111......
    1111......
    1111......
    1111......
    ..........
    ..........
    ..........
    ..........
    ");
}

#[test]
fn yolo_without_yaml() {
    let dir = place(
        &["images/a.png"],
        &[
            ("classes.txt", "WBC\r\nRBC\r\n"),
            ("labels/a.txt", "1 0.5 0.5 1 1"),
        ],
    );
    let outcome = run(dir.path(), &options(dir.path(), Format::Yolo)).unwrap();
    assert_snapshot!(outcome.told(), @r"
    image,boxes,class_name,n_objects,n_WBC,n_RBC
    images/a.png,manifest_boxes/images/a.csv,RBC,1,0,1
    --
    1 image, 0 outlines, 1 box
    there are boxes and no outlines: they are kept in the column `boxes`; counts of objects are in columns of their own
    --
    --truth class_name
    ");
    assert_snapshot!(outcome.text("manifest_boxes/images/a.csv"), @r"
    class,row0_px,column0_px,row1_px,column1_px
    RBC,0,0,8,10
    ");
}

#[test]
fn yolo_that_is_refused_says_why() {
    let refused = |texts: &[(&str, &str)]| {
        let dir = place(&["images/a.png"], texts);
        run(dir.path(), &options(dir.path(), Format::Yolo))
            .err()
            .unwrap()
    };
    assert_snapshot!(refused(&[]), @r"
    error[T026]: there is neither data.yaml nor classes.txt
      --> DIR
      = help: give the folder that holds data.yaml, or write the names of the classes, one on each line, into classes.txt
    ");
    assert_snapshot!(refused(&[("data.yaml", "train: nowhere\nnames: [a]")]), @r"
    error[T026]: the folder `nowhere` of `train` is not there
      --> DIR/data.yaml
    ");
    assert_snapshot!(refused(&[("data.yaml", "train: images\nnames: [a]\nkpt_shape: [17, 3]")]), @r"
    error[T026]: the labels are key points (`kpt_shape`), which are not read
      --> DIR/data.yaml
    ");
    assert_snapshot!(refused(&[("data.yaml", "train: [images")]), @r"
    error[T022]: this is not the YAML of a YOLO data set: error: line 1 column 8: unclosed bracket '['
      --> DIR/data.yaml
    ");
    assert_snapshot!(refused(&[
        ("classes.txt", "cell"),
        ("labels/a.txt", "0 0.5 0.5 0.1\n1 0.5 0.5 0.1 0.1\nx\n0 120 40 30 30\n0 nan 0 0 0"),
    ]), @r"
    error[T022]: 5 lines cannot be understood
      --> DIR
      = a.txt:1: 3 numbers behind the class
      = a.txt:2: class 1; there are 1 (0 to 0)
      = a.txt:3: a cell is not a number
      = a.txt:4: a value is not a part of the image (0 to 1)
      = a.txt:5: a cell is not a number
      = help: a line is `class cx cy width height` or `class x y x y x y …`, in parts of the image's width and height
    ");
}

#[expect(clippy::print_stdout, reason = "says why a test saw nothing")]
fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn boxes_of_blood_cells() {
    let Some(source) = shared("txl_pbc") else {
        return;
    };
    let mut files = 0_usize;
    let options = options(&source, Format::Yolo);
    let imported = import(&source, &options, &mut |_: &str, _: &[u8]| {
        files += 1;
        Ok(())
    })
    .unwrap();
    let theirs = std::fs::read_to_string(source.join("manifest.csv")).unwrap();
    let count = |csv: &str, image: &str, names: [&str; 3]| -> Vec<u32> {
        let mut lines = csv.lines();
        let header: Vec<&str> = lines.next().unwrap().split(',').collect();
        let line = lines.find(|l| l.starts_with(image)).unwrap();
        let cells: Vec<&str> = line.split(',').collect();
        names
            .iter()
            .map(|n| {
                cells[header.iter().position(|h| h == n).unwrap()]
                    .parse()
                    .unwrap()
            })
            .collect()
    };
    let mut compared = 0;
    for line in theirs.lines().skip(1).step_by(10) {
        let image = line.split(',').next().unwrap();
        assert_eq!(
            count(&imported.csv, image, ["n_WBC", "n_RBC", "n_Platelets"]),
            count(&theirs, image, ["n_wbc", "n_rbc", "n_platelet"]),
            "{image}"
        );
        compared += 1;
    }
    assert!(compared > 100);
    assert_eq!(files, 1224, "a table of boxes for each image");
}

fn ctc_place(tracks: &str) -> TempDir {
    let dir = place(&[], &[("01_GT/TRA/man_track.txt", tracks)]);
    let write = |name: String, labels: &[u32]| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let labels = LabelImage::new(1, labels.len(), labels.to_vec()).unwrap();
        std::fs::write(path, transect_image::encode_labels(&labels)).unwrap();
    };
    for frame in 0..3 {
        write(format!("01/t{frame:03}.tif"), &[5, 6, 7, 8]);
        write(format!("01_GT/TRA/man_track{frame:03}.tif"), &[1, 0, 2, 3]);
    }
    write("01_GT/SEG/man_seg000.tif".to_owned(), &[0, 1, 1, 4]);
    write("01_GT/SEG/man_seg002.tif".to_owned(), &[0, 1, 1, 1]);
    dir
}

#[test]
fn sequences_of_the_cell_tracking_challenge() {
    let dir = ctc_place("1 0 1 0\n2 2 2 1\n3 2 2 1\n4 0 2 0\n");
    let outcome = run(dir.path(), &options(dir.path(), Format::Ctc)).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,labels,tracks,sequence,frame,n_tracked,n_outlined,complete
    01/t000.tif,01_GT/SEG/man_seg000.tif,01_GT/TRA/man_track000.tif,01,0,2,2,yes
    01/t001.tif,,01_GT/TRA/man_track001.tif,01,1,2,,
    01/t002.tif,01_GT/SEG/man_seg002.tif,01_GT/TRA/man_track002.tif,01,2,3,1,no
    --
    sequence 01: 3 frames, outlines in 2, tracks in 3
    1 frame has fewer objects outlined than tracked: what a model finds beyond them would count as wrong; choose --where "complete = 'yes'"
    frames of one sequence are not independent: --group sequence; one sequence alone gives no interval
    --
    --truth labels --task instance --group sequence
    "#);
    let dir = ctc_place("1 0 3 0\n2 2 2 1\n1 2 2 9\n4 0\n0 1 1 0\n");
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::Ctc)).err().unwrap(), @r"
    error[T022]: 5 tracks cannot be understood
      --> DIR/01_GT/TRA/man_track.txt:3
      = line 3: track 1 a second time
      = line 4: not four whole numbers
      = line 5: track 0 from frame 1 to 1
      = line 2: track 2 begins in frame 2, its parent 1 ends in 2
      = line 3: track 1 has the parent 9, which is not there
      = help: a line is `L B E P`: label, first frame, last frame, parent (0 for none), and a parent ends before its daughters begin
    ");
    let dir = place(&["a.png"], &[]);
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::Ctc)).err().unwrap(), @r"
    error[T026]: there is no sequence: no folder named `01`, `01_GT` or so
      --> DIR
      = help: give the folder of the data set, which holds `01` and `01_GT`
    ");
}

#[test]
fn tracked_sequences_on_shared_data() {
    let Some(source) = shared("tracking/t98g_phase") else {
        return;
    };
    let error = import(
        &source,
        &options(&source, Format::Ctc),
        &mut |_: &str, _: &[u8]| Ok(()),
    );
    let imported = error.unwrap();
    assert_eq!(imported.csv.lines().count(), 32, "31 frames");
    let Some(source) = shared("tracking/epidermis_paw") else {
        return;
    };
    let error = import(
        &source,
        &options(&source, Format::Ctc),
        &mut |_: &str, _: &[u8]| Ok(()),
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("no sequence has images")
    );
}

const TRAPS: &str = r#"{
 "info": {"contributor": "A. Person"},
 "images": [
  {"id": "i1", "file_name": "A/1.png", "location": 12, "seq_id": "s1", "frame_num": 1, "seq_num_frames": 2, "datetime": "2019-05-01 06:00:00", "rights_holder": "A. Person"},
  {"id": "i2", "file_name": "A/2.png", "location": 12, "seq_id": "s1", "frame_num": 2, "datetime": "2019-05-01 06:00:01"},
  {"id": "i3", "file_name": "B/3.png", "location": "B", "seq_id": "s2", "frame_num": 1},
  {"id": "i4", "file_name": "B/4.png", "location": "B", "corrupt": true},
  {"id": "i5", "file_name": "B/5.png", "location": "B"}],
 "categories": [{"id": 0, "name": "empty"}, {"id": 3, "name": "deer"}, {"id": 4, "name": "fox"}],
 "annotations": [
  {"id": "a", "image_id": "i1", "category_id": 3, "sequence_level_annotation": true},
  {"id": "b", "image_id": "i2", "category_id": 3, "bbox": [1, 1, 3, 3]},
  {"id": "c", "image_id": "i2", "category_id": 4},
  {"id": "d", "image_id": "i3", "category_id": 0}]
}"#;

#[test]
fn camera_traps() {
    let dir = place(
        &["A/1.png", "A/2.png", "B/3.png", "B/4.png", "B/5.png"],
        &[("traps.json", TRAPS)],
    );
    let source = dir.path().join("traps.json");
    let outcome = run(&source, &options(dir.path(), Format::CameraTraps)).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,class_name,classes,boxes,location,sequence,frame,datetime,label_of
    A/1.png,deer,deer,,12,s1,1,2019-05-01 06:00:00,sequence
    A/2.png,,deer|fox,manifest_boxes/A/2.png.csv,12,s1,2,2019-05-01 06:00:01,image
    B/3.png,empty,empty,,B,s2,1,,image
    B/5.png,,,,B,,,,
    --
    4 images
    images that the file calls corrupt, left out: 1
    images without a class, empty in `class_name`: 1
    images of several classes, empty in `class_name`, all in `classes`: 1
    images labelled with their sequence as a whole (the animal need not be in each; leave them out with --where "label_of = 'image'"): 1
    --
    --truth class_name --domain location --group sequence
    "#);
    assert!(!outcome.told().contains("Person"));
    std::fs::write(
        &source,
        TRAPS.replace("\"i3\", \"category_id\"", "\"i9\", \"category_id\""),
    )
    .unwrap();
    assert_snapshot!(run(&source, &options(dir.path(), Format::CameraTraps)).err().unwrap(), @r"
    error[T022]: 1 annotation of an image or a category that is not there
      --> DIR/traps.json
      = image_id i9, category_id 0
    ");
}

#[test]
fn megadetector_gives_no_truth() {
    let text = r#"{"info": {"format_version": "1.4"}, "detection_categories": {"1": "animal", "2": "person"},
        "images": [
          {"file": "a.png", "detections": [{"category": "1", "conf": 0.91, "bbox": [0.1, 0.25, 0.3, 0.5]}, {"category": "2", "conf": 0.2, "bbox": [0, 0, 0.1, 0.125]}]},
          {"file": "b.png", "detections": []},
          {"file": "c.png", "detections": null, "failure": "Failure image access"}]}"#;
    let dir = place(&["a.png", "b.png"], &[("md.json", text)]);
    let source = dir.path().join("md.json");
    let outcome = run(&source, &options(dir.path(), Format::Megadetector)).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,boxes,n_objects,n_animal,n_person,max_score
    a.png,manifest_boxes/a.csv,2,1,1,0.91
    b.png,manifest_boxes/b.csv,0,0,0,0
    --
    2 images, 0 outlines, 2 boxes
    boxes and scores are a detector's, not truth: they choose images (--where "max_score >= 0.8"), and no --truth is named
    images that the detector could not read, left out: 1 (c.png)
    there are boxes and no outlines: they are kept in the column `boxes`; counts of objects are in columns of their own
    --
    "#);
    assert_snapshot!(outcome.text("manifest_boxes/a.csv"), @r"
    class,row0_px,column0_px,row1_px,column1_px,score
    animal,2,1,6,4,0.91
    person,0,0,1,1,0.2
    ");
    std::fs::write(&source, text.replace("0.91", "91")).unwrap();
    assert_snapshot!(run(&source, &options(dir.path(), Format::Megadetector)).err().unwrap(), @r"
    error[T022]: 1 detection cannot be understood
      --> DIR/md.json
      = a.png: category 1, score 91, box [0.1, 0.25, 0.3, 0.5]
      = help: boxes are x, y, width, height in parts of the image, scores lie between 0 and 1, categories stand in `detection_categories`
    ");
}

const DEPLOYMENTS: &str = "deploymentID,locationID,locationName,latitude,longitude,cameraModel,setupBy\n\
    d1,L1,creek,51.4961,4.7739,Reconyx-PC800,A. Person\nd2,,mill,51.0,4.0,,\n";
const MEDIA: &str = "mediaID,deploymentID,captureMethod,timestamp,filePath,filePublic,fileName,fileMediatype\n\
    m1,d1,activityDetection,2020-05-30T04:57:37+02:00,1.png,true,1.png,image/png\n\
    m2,d1,activityDetection,2020-05-30T04:57:38+0200,2.png,true,2.png,image/png\n\
    m3,d2,activityDetection,2020-05-30T05:00:00Z,3.png,true,3.png,image/png\n\
    m4,d2,activityDetection,2020-05-30T06:00:00Z,https://somewhere/4.png,true,4.png,image/png\n\
    m5,d2,activityDetection,2020-05-30T06:00:00Z,5.mp4,true,5.mp4,video/mp4\n";
const OBSERVATIONS: &str = "observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,observationType,scientificName,count,classificationMethod,classifiedBy,bboxX,bboxY,bboxWidth,bboxHeight\n\
    o1,d1,,e1,2020-05-30T02:57:30Z,2020-05-30T03:00:00Z,event,animal,Anas platyrhynchos,5,human,A. Person,,,,\n\
    o2,d1,m2,e1,2020-05-30T02:57:30Z,2020-05-30T03:00:00Z,media,animal,Ardea cinerea,1,human,A. Person,0.1,0.25,0.5,0.5\n\
    o3,d2,m3,e2,2020-05-30T05:00:00Z,2020-05-30T05:00:00Z,media,blank,,,human,A. Person,,,,\n\
    o4,d2,m3,e2,2020-05-30T05:00:00Z,2020-05-30T05:00:00Z,media,animal,Vulpes vulpes,1,machine,MegaDetector,0.1,0.1,0.1,0.1\n";

#[test]
fn camtrap_dp() {
    let texts = [
        ("deployments.csv", DEPLOYMENTS),
        ("media.csv", MEDIA),
        ("observations.csv", OBSERVATIONS),
    ];
    let dir = place(&["1.png", "2.png", "3.png"], &texts);
    let outcome = run(dir.path(), &options(dir.path(), Format::CamtrapDp)).unwrap();
    assert_snapshot!(outcome.told(), @r#"
    image,class_name,classes,n_animals,boxes,location,deployment,sequence,datetime,camera_model,label_of
    1.png,Anas platyrhynchos,Anas platyrhynchos,5,,L1,d1,e1,2020-05-30T04:57:37+02:00,Reconyx-PC800,sequence
    2.png,Ardea cinerea,Ardea cinerea,1,manifest_boxes/2.png.csv,L1,d1,e1,2020-05-30T04:57:38+0200,Reconyx-PC800,image
    3.png,blank,blank,,,mill,d2,e2,2020-05-30T05:00:00Z,,image
    --
    3 images
    media that are not images that are read, left out: 1
    media on the web and not here, left out: 1
    observations made by a machine, which are no truth, left out: 1
    images labelled with their burst as a whole (the animal need not be in each; leave them out with --where "label_of = 'image'"): 1
    --
    --truth class_name --domain location --group sequence
    "#);
    for secret in ["Person", "51.4961", "4.7739"] {
        assert!(!outcome.told().contains(secret), "{secret}");
    }
    std::fs::write(
        dir.path().join("media.csv"),
        MEDIA.replace("2020-05-30T04:57:38+0200", "30.5.2020"),
    )
    .unwrap();
    std::fs::remove_file(dir.path().join("deployments.csv")).unwrap();
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::CamtrapDp)).err().unwrap(), @r"
    error[T022]: the file cannot be read: there is no such file
      --> DIR/deployments.csv
    ");
    std::fs::write(dir.path().join("deployments.csv"), DEPLOYMENTS).unwrap();
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::CamtrapDp)).err().unwrap(), @r"
    error[T022]: 1 cell is not a moment as ISO 8601 has them
      --> DIR
      = media.csv:3: 30.5.2020
      = help: write 2024-05-17T06:31:09Z or 2024-05-17T06:31:09+0200
    ");
    std::fs::write(
        dir.path().join("media.csv"),
        "mediaID,deploymentID\nm1,d1\n",
    )
    .unwrap();
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::CamtrapDp)).err().unwrap(), @r"
    error[T022]: the table has no column `timestamp`, `filePath`
      --> DIR/media.csv
      = columns here: mediaID, deploymentID
    ");
}

#[test]
fn hugging_face_folders() {
    let csv = "file_name,label,mask_file_name,image\n1.png,cat,masks/1.png,x\n2.png,dog,,y\n";
    let dir = place(
        &[
            "train/1.png",
            "train/2.png",
            "train/masks/1.png",
            "test/3.png",
        ],
        &[
            ("train/metadata.csv", csv),
            ("test/metadata.csv", "file_name,label\n3.png,cat\n"),
        ],
    );
    let outcome = run(dir.path(), &options(dir.path(), Format::HuggingFace)).unwrap();
    assert_snapshot!(outcome.told(), @r"
    image,label,mask,metadata_image,split
    test/3.png,cat,,,test
    train/1.png,cat,train/masks/1.png,x,train
    train/2.png,dog,,y,train
    --
    3 images; tables of metadata: 2
    --
    --truth label
    ");
    let lines = "{\"file_name\": \"1.png\", \"objects\": {\"bbox\": [[1, 2, 3, 4]], \"categories\": [\"cell\"]}, \"tags\": [1]}\n";
    let dir = place(&["1.png"], &[("metadata.jsonl", lines)]);
    let outcome = run(dir.path(), &options(dir.path(), Format::HuggingFace)).unwrap();
    assert_snapshot!(outcome.told(), @r"
    image,boxes,n_objects
    1.png,manifest_boxes/1.csv,1
    --
    1 image, 0 outlines, 1 box
    columns of lists and objects, left out: 1 (tags)
    there are boxes and no outlines: they are kept in the column `boxes`; counts of objects are in columns of their own
    --
    ");
    assert_snapshot!(outcome.text("manifest_boxes/1.csv"), @r"
    class,row0_px,column0_px,row1_px,column1_px
    cell,2,1,6,4
    ");
    let dir = place(&["data/train/cat/1.png", "data/validation/dog/2.png"], &[]);
    let outcome = run(dir.path(), &options(dir.path(), Format::HuggingFace)).unwrap();
    assert_snapshot!(outcome.told(), @r"
    image,class_name,split
    data/train/cat/1.png,cat,train
    data/validation/dog/2.png,dog,val
    --
    2 images
    --
    --truth class_name
    ");
    let dir = place(
        &["1.png"],
        &[("metadata.jsonl", "{\"objects\": {\"bbox\": [[1]]}}\n[")],
    );
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::HuggingFace)).err().unwrap(), @r"
    error[T022]: 3 lines cannot be understood
      --> DIR/metadata.jsonl:1
      = line 1: `objects` is not boxes x, y, width, height with one category each
      = line 1: no `file_name`
      = line 2: this is not an object: invalid type: sequence, expected a map
    ");
    let dir = place(&["1.png"], &[("metadata.parquet", "PAR1")]);
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::HuggingFace)).err().unwrap(), @r#"
    error[T026]: metadata in Parquet is not read
      --> DIR/metadata.parquet
      = help: save it as metadata.csv: python -c "import pandas; pandas.read_parquet('metadata.parquet').to_csv('metadata.csv', index=False)"
    "#);
}

#[test]
fn bioimageio_folders() {
    let rdf = "type: dataset\nname: Nuclei\nlicense: CC0-1.0\nauthors: [{name: A. Person}]\ncovers: [cover.png]\n";
    let dir = place(
        &["cover.png", "images/1.png", "masks/1.png"],
        &[("rdf.yaml", rdf)],
    );
    let outcome = run(dir.path(), &options(dir.path(), Format::Bioimageio)).unwrap();
    assert_snapshot!(outcome.told(), @r"
    image,truth
    images/1.png,masks/1.png
    --
    1 file is not an image that is read, passed over
    1 image in images/, 1 label image in masks/
    licence of the data set: CC0-1.0
    --
    --truth truth
    ");
    assert!(!outcome.told().contains("Person"));
    let rdf = "type: model\ninputs: [{id: raw, test_tensor: {source: in.npy}, sample_tensor: {source: in.png}}]\n";
    let dir = place(&["in.png"], &[("rdf.yaml", rdf)]);
    let outcome = run(dir.path(), &options(dir.path(), Format::Bioimageio)).unwrap();
    assert_snapshot!(outcome.told(), @r"
    image
    in.png
    --
    images are the model's own samples; its sample outputs are predictions, not truth
    --
    ");
    let dir = place(&["in.png"], &[("rdf.yaml", "type: notebook")]);
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::Bioimageio)).err().unwrap(), @r"
    error[T026]: the description is of a notebook, which has no images
      --> DIR/rdf.yaml
    ");
    let dir = place(&["in.png"], &[]);
    assert_snapshot!(run(dir.path(), &options(dir.path(), Format::Bioimageio)).err().unwrap(), @r"
    error[T026]: there is no rdf.yaml in the folder
      --> DIR
      = help: give the folder that a package of bioimage.io was unpacked into
    ");
}

#[test]
fn nuclei_come_back_from_coco_to_the_pixel() {
    let Some(source) = shared("dsb2018") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let manifest = std::fs::read_to_string(source.join("manifest.csv")).unwrap();
    let header: Vec<&str> = manifest.lines().next().unwrap().split(',').collect();
    let place = |name: &str| header.iter().position(|h| *h == name).unwrap();
    let (image_at, truth_at) = (place("image"), place("label"));
    let (mut images, mut annotations, mut truths) = (Vec::new(), Vec::new(), Vec::new());
    for (index, line) in manifest.lines().skip(1).step_by(40).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let read = |name: &str| std::fs::read(source.join(name)).unwrap();
        let name = format!("{index}.png");
        std::fs::write(dir.path().join(&name), read(cells[image_at])).unwrap();
        let truth = transect_image::decode_labels(
            &read(cells[truth_at]),
            cells[truth_at],
            None,
            &Limits::default(),
        )
        .unwrap();
        let (rows, columns) = (truth.rows(), truth.columns());
        images.push(
            serde_json::json!({"id": index, "file_name": name, "width": columns, "height": rows}),
        );
        let mut numbers: Vec<u32> = truth.labels().iter().copied().filter(|l| *l > 0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut renumbered = vec![0; rows * columns];
        for (place, number) in numbers.iter().enumerate() {
            let (mut counts, mut state) = (vec![0_u32], false);
            for column in 0..columns {
                for row in 0..rows {
                    let inside = truth.labels()[row * columns + column] == *number;
                    if inside != state {
                        counts.push(0);
                        state = inside;
                    }
                    *counts.last_mut().unwrap() += 1;
                    if inside {
                        renumbered[row * columns + column] = place as u32 + 1;
                    }
                }
            }
            annotations.push(serde_json::json!({"image_id": index, "category_id": 1,
                "segmentation": {"size": [rows, columns], "counts": counts}}));
        }
        truths.push(renumbered);
    }
    let coco = serde_json::json!({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "nucleus"}]});
    std::fs::write(dir.path().join("coco.json"), coco.to_string()).unwrap();
    let outcome = run(
        &dir.path().join("coco.json"),
        &options(dir.path(), Format::Coco),
    )
    .unwrap();
    assert!(annotations.len() > 100 && truths.len() > 5);
    for (index, truth) in truths.iter().enumerate() {
        let path = format!("manifest_labels/{index}.png");
        let file = &outcome.files[&path];
        let drawn = transect_image::decode_labels(file, &path, None, &Limits::default()).unwrap();
        assert_eq!(drawn.labels(), truth, "{path}");
    }
}
