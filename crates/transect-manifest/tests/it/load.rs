//! Manifests from the disk and from text.

use std::path::Path;

use insta::assert_snapshot;
use proptest::prelude::*;
use tempfile::TempDir;
use transect_core::{PixelSize, Role, TruthRef};
use transect_manifest::{Dataset, Request, Syntax, TruthKind, load, parse, parse_with};

/// A folder with files of these names (empty but for manifests) and a manifest.
fn place(files: &[&str], manifest: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for file in files {
        put(dir.path(), file, "");
    }
    put(dir.path(), "m.csv", manifest);
    dir
}

fn put(dir: &Path, file: &str, text: &str) {
    let path = dir.join(file);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

fn request(dir: &TempDir) -> Request {
    Request {
        data: dir.path().join("m.csv"),
        ..Request::default()
    }
}

/// Errors with the folder's name taken out.
fn refusal(dir: &TempDir, request: &Request) -> String {
    let text = load(request).expect_err("this must be refused").to_string();
    text.replace(&format!("{}/", dir.path().display()), "")
        .replace(&dir.path().display().to_string(), "DIR")
}

#[expect(clippy::unnecessary_wraps, reason = "it fills optional fields")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn images(data: &Dataset) -> Vec<(&str, Role)> {
    data.items
        .iter()
        .map(|i| (i.image.as_str(), i.role))
        .collect()
}

#[test]
fn a_row_becomes_an_item_with_all_that_is_known() {
    let dir = place(
        &["a.png", "b.png"],
        "image,page,pixel_size_um,class,site,patient,lab,field,note\na.png,2,0.325,x,S1,P1,L1,F1,\"hello, you\"\nb.png,,,,,,,,\n",
    );
    let data = load(&Request {
        truth: some("class"),
        domain: some("site"),
        group: some("patient"),
        stratum: some("lab"),
        pair: some("field"),
        ..request(&dir)
    })
    .unwrap_or_else(|e| panic!("{e}"));
    let item = &data.items[0];
    assert_eq!(
        (item.row, item.manifest, item.line, item.role),
        (0, 0, 2, Role::Target)
    );
    assert_eq!(
        (item.image.as_str(), item.page, item.pixel_size),
        ("a.png", Some(2), Some(PixelSize::square(0.325)))
    );
    assert_eq!(item.truth, TruthRef::Class("x".to_owned()));
    let text = |v: &Option<String>| v.clone().unwrap_or_default();
    assert_eq!(
        [
            text(&item.domain),
            text(&item.group),
            text(&item.stratum),
            text(&item.pair_id)
        ],
        ["S1", "P1", "L1", "F1"]
    );
    assert_eq!(
        item.columns
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect::<Vec<_>>(),
        [("note", "hello, you")]
    );
    let empty = &data.items[1];
    assert_eq!(
        (empty.row, empty.line, &empty.truth, &empty.group),
        (1, 3, &TruthRef::None, &None)
    );
    assert_eq!(data.roots, [dir.path()]);
    assert_snapshot!(data.notes.join("\n"), @r"
    truth `class` is read as 1 class (no value ends like an image file)
    1 row without truth
    1 row without a value in `patient` (--group)
    1 row without a value in `site` (--domain)
    1 row without a value in `lab` (--stratum)
    1 row without a value in `field` (--pair)
    ");
}

#[test]
fn marks_line_ends_tabs_and_json_lines_change_nothing() {
    let plain = "image,class\na.png,x\nb.png,y\n";
    let exists = |p: &str| p == "a.png" || p == "b.png";
    let read = |text: &str, syntax| {
        parse_with(
            text,
            syntax,
            &exists,
            &Request {
                truth: some("class"),
                ..Request::default()
            },
            None,
        )
        .unwrap_or_else(|e| panic!("{e}"))
    };
    let first = read(plain, Syntax::Csv);
    for (text, syntax) in [
        ("\u{feff}image,class\r\na.png,x\r\nb.png,y", Syntax::Csv),
        ("image,class\r\na.png,x\r\nb.png,y\r\n\r\n", Syntax::Csv),
        (
            " image , class \n a.png , x \n\"b.png\",\"y\"\n",
            Syntax::Csv,
        ),
        ("image\tclass\na.png\tx\nb.png\ty\n", Syntax::Tsv),
        (
            "{\"image\": \"a.png\", \"class\": \"x\"}\n{\"class\": \"y\", \"image\": \"b.png\"}\n",
            Syntax::JsonLines,
        ),
    ] {
        let mut other = read(text, syntax);
        for item in &mut other.items {
            // JSON lines have no header.
            item.line += u32::from(syntax == Syntax::JsonLines);
        }
        assert_eq!(
            (&other.items, other.sha256),
            (&first.items, first.sha256),
            "{text:?}"
        );
    }
    assert_ne!(
        read("image,class\na.png,x\nb.png,z\n", Syntax::Csv).sha256,
        first.sha256
    );
    assert_ne!(
        read(
            "image,class\na.pngx,\nb.png,y\n"
                .replace(",\n", "\n")
                .replace("a.pngx", "a.png,z")
                .as_str(),
            Syntax::Csv
        )
        .sha256,
        first.sha256
    );
}

#[test]
fn lines_are_counted_over_empty_lines_and_cells_of_several_lines() {
    let text = "image,note\r\n\r\na.png,\"two\r\nlines\"\r\nb.png,x\r\n\r\n\r\nc.png,y";
    for text in [text.to_owned(), text.replace('\r', "")] {
        let data = parse(&text, Syntax::Csv, &|_| true).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            data.items.iter().map(|i| i.line).collect::<Vec<_>>(),
            [3, 5, 8]
        );
    }
}

#[test]
fn the_hash_is_of_the_content_wherever_it_lies() {
    let (one, two) = (
        place(&["a.png"], "image\na.png\n"),
        place(&["a.png"], "image\r\na.png"),
    );
    let hash = |dir: &TempDir| load(&request(dir)).unwrap_or_else(|e| panic!("{e}")).sha256;
    assert_eq!(hash(&one), hash(&two));
}

#[test]
fn a_manifest_that_is_not_one_is_refused() {
    let text = |manifest: &str| {
        let dir = place(&["a.png"], manifest);
        refusal(&dir, &request(&dir))
    };
    assert_snapshot!(text(""), @r"
    error[T003]: the manifest is empty
      --> m.csv
    ");
    assert_snapshot!(text("image,class\n"), @r"
    error[T003]: the manifest has a header and no rows
      --> m.csv
    ");
    assert_snapshot!(text("file,class\na.png,x\n"), @r"
    error[T004]: the manifest has no column `image`
      --> m.csv:1
      = columns here: file, class
      = help: rename `file` to `image`
    ");
    assert_snapshot!(text("image;class\na.png;x\n"), @r"
    error[T004]: the manifest has no column `image`
      --> m.csv:1
      = columns here: image;class
      = help: this file is separated by semicolons: export it with commas, or with tabs as .tsv
    ");
    assert_snapshot!(text("image,class,class,\na.png,x,y,\n"), @r"
    error[T004]: columns 2 and 3 are both named `class`
      --> m.csv:1, column 3

    error[T004]: column 4 has no name
      --> m.csv:1, column 4
      = help: name it, or take the comma out
    ");
    assert_snapshot!(text("image,class\na.png\na.png,x,y\na.png,x\n"), @r"
    error[T005]: 2 rows with another number of cells than the header, which has 2
      --> m.csv:2
      = line 2 has 1 cell
      = line 3 has 3 cells
      = help: put cells that hold the separator in double quotes; fill missing cells with nothing between separators
    ");
    assert_snapshot!(text("image,image:DAPI\na.png,a.png\n"), @r"
    error[T004]: the manifest has both `image` and `image:NAME` columns
      --> m.csv:1
      = help: keep `image` for images in one file, or one `image:NAME` column for each channel
    ");
    let dir = place(&[], "");
    std::fs::write(dir.path().join("m.csv"), b"image,class\na.png,\xe4\n").expect("a file");
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T002]: the manifest is not UTF-8 text
      --> m.csv:2
      = help: save it as UTF-8
    ");
    std::fs::write(dir.path().join("m.csv"), b"\xff\xfei\0m\0").expect("a file");
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T002]: the manifest is UTF-16 text
      --> m.csv
      = help: save it as UTF-8
    ");
    assert_snapshot!(refusal(&dir, &Request { data: dir.path().join("none.csv"), reference: Some(dir.path().to_owned()), ..Request::default() }), @r"
    error[T001]: the manifest cannot be read: there is no such file
      --> none.csv

    error[T001]: the manifest is a folder
      --> DIR
      = help: write a manifest from it: transect manifest DIR
    ");
    let json = parse(
        "[1]\n{\"image\": \"a.png\"}\n{\"image\": [1]}\n{\"im\n",
        Syntax::JsonLines,
        &|_| true,
    )
    .expect_err("not JSON lines");
    assert_snapshot!(json, @r"
    error[T002]: this line is not a JSON object
      --> manifest:1
      = help: write one object in braces for each image

    error[T002]: `image` is a list or an object, not a value
      --> manifest:3
      = help: write plain values

    error[T002]: this line is not JSON: EOF while parsing a string at line 1 column 4
      --> manifest:4
    ");
}

#[test]
fn a_spreadsheet_says_how_to_save_it() {
    for name in ["a.xlsx", "b.XLS", "c.ods"] {
        let dir = place(&[], "image\n");
        put(dir.path(), name, "PK\u{3}\u{4}");
        let request = Request {
            data: dir.path().join(name),
            ..Request::default()
        };
        let text = refusal(&dir, &request);
        assert!(
            text.contains("T002") && text.contains("CSV UTF-8"),
            "{text}"
        );
    }
}

#[test]
fn unknown_columns_are_named_with_the_nearest() {
    let dir = place(&["a.png"], "image,mask,scanner,site\na.png,m.png,S,T\n");
    let refused = refusal(
        &dir,
        &Request {
            domain: some("scaner"),
            truth: some("zebra"),
            where_expr: some("Site = 'T' and sit in (1)"),
            reference_where: some("scanner ="),
            ..request(&dir)
        },
    );
    assert_snapshot!(refused, @r"
    error[T013]: expected a value, found the end
      --> column 10, field `--reference-where`
      = scanner =
      =          ^

    error[T012]: unknown column `Site` in --where
      --> column 1, field `--where`
      = Site = 'T' and sit in (1)
      = ^
      = columns of m.csv: image, mask, scanner, site
      = help: did you mean `site`?

    error[T012]: unknown column `sit` in --where
      --> column 16, field `--where`
      = Site = 'T' and sit in (1)
      =                ^
      = columns of m.csv: image, mask, scanner, site
      = help: did you mean `site`?

    error[T012]: unknown column `zebra` given as --truth
      --> m.csv:1
      = columns here: image, mask, scanner, site

    error[T012]: unknown column `scaner` given as --domain
      --> m.csv:1, column 3
      = columns here: image, mask, scanner, site
      = help: did you mean `scanner`?
    ");
}

#[test]
fn every_wrong_cell_and_missing_file_is_reported_at_once() {
    let dir = place(
        &["a.png", "sub/b.png"],
        "image,page,pixel_size_um,role,truth\na.png,first,0,,a.png\n,,,,\n../a.png,,,,\n/etc/passwd,,,,\nhttps://x.org/a.png,,,,\nC:\\a.png,,,,\nno.png,,,,gone.png\nsub/b.png,-1,0.5um,reference,\n",
    );
    let refused = refusal(
        &dir,
        &Request {
            truth: some("truth"),
            ..request(&dir)
        },
    );
    assert_snapshot!(refused, @r"
    error[T006]: 1 cell without an image
      --> m.csv:3
      = line 3: `image`
      = help: remove the rows, or fill the cells

    error[T007]: 4 paths are not allowed in a manifest
      --> m.csv:4
      = line 4: image `../a.png` leads upwards with `..`
      = line 5: image `/etc/passwd` is not relative to the manifest
      = line 6: image `https://x.org/a.png` is a URL
      = line 7: image `C:\\a.png` is not relative to the manifest
      = help: put the manifest into a folder above its images and write paths from there

    error[T008]: 1 image is missing
      --> m.csv:8
      = line 8: no.png
      = help: paths are relative to the folder of the manifest; upper and lower case differ; parts are joined by `/`

    error[T008]: 1 label image is missing
      --> m.csv:8
      = line 8: gone.png
      = help: paths are relative to the folder of the manifest; upper and lower case differ; parts are joined by `/`

    error[T009]: 2 cells in `page` are not whole numbers
      --> m.csv:2
      = line 2: `first`
      = line 9: `-1`
      = help: pages count from 0

    error[T009]: 2 cells in `pixel_size_um` are not positive numbers
      --> m.csv:2
      = line 2: `0`
      = line 9: `0.5um`
      = help: give micrometres, with a point: 0.325
    ");
    let rows: Vec<String> = (0..25)
        .map(|i| format!("i{i}.png,{}", if i == 3 { "train" } else { "" }))
        .collect();
    let dir = place(&[], &format!("image,role\n{}\n", rows.join("\n")));
    let refused = refusal(&dir, &request(&dir));
    assert!(
        refused.contains("error[T008]: 24 images are missing") && refused.contains("= and 4 more"),
        "{refused}"
    );
    assert!(
        refused
            .contains("error[T009]: 1 row with a `role` that is neither `reference` nor `target`"),
        "{refused}"
    );
}

#[cfg(unix)]
#[test]
fn links_that_lead_outside_are_refused_and_others_followed() {
    let outside = place(&["secret.png"], "");
    let dir = place(&["a.png"], "image\nout.png\nfolder/secret.png\nin.png\n");
    std::os::unix::fs::symlink(
        outside.path().join("secret.png"),
        dir.path().join("out.png"),
    )
    .expect("a link");
    std::os::unix::fs::symlink(outside.path(), dir.path().join("folder")).expect("a link");
    std::os::unix::fs::symlink(dir.path().join("a.png"), dir.path().join("in.png"))
        .expect("a link");
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T007]: 2 paths are not allowed in a manifest
      --> m.csv:2
      = line 2: image `out.png` leads outside by a link
      = line 3: image `folder/secret.png` leads outside by a link
      = help: put the manifest into a folder above its images and write paths from there
    ");
    put(dir.path(), "m.csv", "image\na.png\nin.png\n");
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T010]: 1 row repeats the image and page of a row before it
      --> m.csv:3
      = line 3 and line 2: in.png
      = help: remove one of each two
    ");
}

#[test]
fn the_same_image_may_stand_once_on_each_page_and_on_one_side() {
    let dir = place(
        &["a.tif", "b.tif"],
        "image,page,role\na.tif,0,target\na.tif,1,target\n./a.tif,1,target\na.tif,,target\nb.tif,,reference\nb.tif,0,target\n",
    );
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T010]: 2 rows repeat the image and page of a row before them
      --> m.csv:4
      = line 4 and line 3: ./a.tif, page 1
      = line 5 and line 2: a.tif
      = help: remove one of each two

    error[T011]: 1 image is in reference and target
      --> m.csv:7
      = line 7 and line 6: b.tif, page 0
      = help: an image can be on one side only
    ");
}

const SIDES: &str = "image,d,split\na.png,1,train\nb.png,1,test\nc.png,2,test\n";

#[test]
fn sides_come_from_expressions_files_or_roles() {
    let dir = place(&["a.png", "b.png", "c.png"], SIDES);
    let read = |r: &Request| load(r).unwrap_or_else(|e| panic!("{e}"));
    let both = read(&Request {
        where_expr: some("d = 2"),
        reference_where: some("d = 1 and split = 'test'"),
        ..request(&dir)
    });
    assert_eq!(
        images(&both),
        [("b.png", Role::Reference), ("c.png", Role::Target)]
    );
    assert_eq!(
        both.items
            .iter()
            .map(|i| (i.row, i.line))
            .collect::<Vec<_>>(),
        [(0, 3), (1, 4)]
    );
    assert_snapshot!(both.notes.join("\n"), @"2 of 3 rows in the manifests are used");
    let rest = read(&Request {
        reference_where: some("d = 1"),
        ..request(&dir)
    });
    assert_eq!(
        images(&rest),
        [
            ("a.png", Role::Reference),
            ("b.png", Role::Reference),
            ("c.png", Role::Target)
        ]
    );
    assert_snapshot!(rest.notes.join("\n"), @"the target is every row that --reference-where does not choose");
    put(
        dir.path(),
        "other/r.csv",
        "image,d,split,role\nx.png,7,test,reference\ny.png,8,test,\n",
    );
    put(dir.path(), "other/x.png", "");
    put(dir.path(), "other/y.png", "");
    let two = read(&Request {
        reference: Some(dir.path().join("other/r.csv")),
        reference_where: some("d < 8"),
        where_expr: some("split = 'test'"),
        ..request(&dir)
    });
    assert_eq!(
        images(&two),
        [
            ("b.png", Role::Target),
            ("c.png", Role::Target),
            ("x.png", Role::Reference)
        ]
    );
    assert_eq!(two.items[2].manifest, 1);
    assert_eq!(two.roots[1], dir.path().join("other"));
}

#[test]
fn sides_that_overlap_contradict_or_are_empty_are_refused() {
    let dir = place(&["a.png", "b.png", "c.png"], SIDES);
    assert_snapshot!(refusal(&dir, &Request { where_expr: some("split = 'test'"), reference_where: some("d = 1"), ..request(&dir) }), @r"
    error[T011]: 1 row chosen by both --where and --reference-where
      --> m.csv:3
      = line 3: b.png
      = help: make the two expressions exclude each other
    ");
    assert_snapshot!(refusal(&dir, &Request { where_expr: some("split = 'Test'"), ..request(&dir) }), @r"
    error[T014]: no row is left as target
      --> m.csv
      = --where: split = 'Test'
      = `split` has 'test', 'train'
    ");
    assert_snapshot!(refusal(&dir, &Request { reference: Some(dir.path().join("m.csv")), ..request(&dir) }), @r"
    error[T011]: 3 images are in reference and target
      --> m.csv:2
      = line 2 and m.csv:2: a.png
      = line 3 and m.csv:3: b.png
      = line 4 and m.csv:4: c.png
      = help: an image can be on one side only
    ");
    let dir = place(
        &["a.png", "b.png"],
        "image,role\na.png,reference\nb.png,target\n",
    );
    assert_snapshot!(refusal(&dir, &Request { reference_where: some("image = 'b.png'"), ..request(&dir) }), @r"
    error[T015]: 2 rows whose `role` contradicts --reference or --reference-where
      --> m.csv:2
      = line 2: `role` says reference, the options make it target
      = line 3: `role` says target, the options make it reference
      = help: remove the column `role`, or the options
    ");
}

#[test]
fn truth_is_told_from_its_values_or_refused() {
    let dir = place(
        &["a.png", "b.png", "t/a.png"],
        "image,truth,boxes,mixed\na.png,t/a.png,t/a.txt,t/a.png\nb.png,,t/b.txt,cell\n",
    );
    let data = load(&Request {
        truth: some("truth"),
        ..request(&dir)
    })
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(data.items[0].truth, TruthRef::Path("t/a.png".to_owned()));
    assert_snapshot!(data.notes.join("\n"), @r"
    truth `truth` is read as label images (every value ends like an image file)
    1 row without truth
    ");
    assert_snapshot!(refusal(&dir, &Request { truth: some("boxes"), ..request(&dir) }), @r"
    error[T017]: 2 names in `boxes` of files that are not read as truth
      --> m.csv:2, field `--truth`
      = line 2: t/a.txt
      = line 3: t/b.txt
      = help: truth is a class name, a label image (PNG, TIFF, NPY), outlines (.roi, .zip of ImageJ, .geojson), or a folder of masks with `/` at its end; `transect manifest --format` reads COCO and YOLO
    ");
    assert_snapshot!(refusal(&dir, &Request { truth: some("mixed"), ..request(&dir) }), @r"
    error[T016]: `mixed` holds 1 class name and 1 path; the paths of images are:
      --> m.csv:2, field `--truth`
      = m.csv:2: `t/a.png`
      = help: choose the rows of one kind with --where, or name another column
    ");
    let data = load(&Request {
        truth: some("mixed"),
        truth_kind: Some(TruthKind::Class),
        ..request(&dir)
    })
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(data.items[0].truth, TruthRef::Class("t/a.png".to_owned()));
}

#[test]
fn class_maps_rename_drop_and_miss_nothing_unseen() {
    let manifest = "image,c\na.png,neutrophil\nb.png,basophil\nc.png,mono\n";
    let dir = place(&["a.png", "b.png", "c.png"], manifest);
    let with = |name: &str, text: &str| {
        put(dir.path(), name, text);
        Request {
            truth: some("c"),
            class_map: Some(dir.path().join(name)),
            ..request(&dir)
        }
    };
    let classes = |r: &Request| {
        let data = load(r).unwrap_or_else(|e| panic!("{e}"));
        let names: Vec<String> = data
            .items
            .iter()
            .map(|i| format!("{:?}", i.truth))
            .collect();
        format!("{}\n{}", names.join(" "), data.notes.join("\n"))
    };
    assert_snapshot!(classes(&with("map.csv", "from,to\nneutrophil,NEU\nbasophil,\nmono,*\nblast,B\n")), @r#"
    Class("NEU") Class("mono")
    truth `c` is read as 3 classes (no value ends like an image file)
    the class map leaves out 1 row: `basophil` (1)
    the class map names classes that no row has: `blast`
    "#);
    assert_snapshot!(classes(&with("map.toml", "neutrophil = \"NEU\"\n\"*\" = \"other\"\n")), @r#"
    Class("NEU") Class("other") Class("other")
    truth `c` is read as 3 classes (no value ends like an image file)
    "#);
    assert_snapshot!(refusal(&dir, &with("map.csv", "from,to\nNeutrophil,NEU\nbasophil,B\n")), @r"
    error[T019]: the class `mono` of 1 row is not in the class map
      --> m.csv:4, field `--class-map`
      = line 4
      = help: add a line `mono,NAME`, or `mono,` to leave its rows out

    error[T019]: the class `neutrophil` of 1 row is not in the class map
      --> m.csv:2, field `--class-map`
      = line 2
      = help: the map has `Neutrophil`: letters must agree in case
    ");
    assert_snapshot!(refusal(&dir, &with("map.csv", "old,new\na,b\n")), @r"
    error[T018]: the class map does not have the columns `from` and `to`
      --> map.csv:1
      = columns here: old, new
      = help: begin it with the line `from,to`
    ");
    assert_snapshot!(refusal(&dir, &with("map.csv", "from,to\na,b\na,c\n,d\n")), @r"
    error[T018]: the class `a` is mapped twice
      --> map.csv:3

    error[T018]: a class in `from` is empty
      --> map.csv:4
    ");
    assert_snapshot!(refusal(&dir, &with("map.csv", "from,to\n")), @r"
    error[T018]: the class map has a header and no rows
      --> map.csv
    ");
    assert_snapshot!(refusal(&dir, &with("map.toml", "a = 1\n")), @r"
    error[T018]: `a` is mapped to integer, not to a text
      --> map.toml
    ");
    assert_snapshot!(refusal(&dir, &with("map.toml", "\n= 1\n")), @r"
    error[T018]: the class map is not TOML: unquoted keys cannot be empty, expected letters, numbers, `-`, `_`
      --> map.toml:2
    ");
    assert_snapshot!(refusal(&dir, &with("map.csv", "from,to\n*,\n")), @r"
    error[T014]: the class map leaves out every row
      --> field `--class-map`
    ");
    assert_snapshot!(refusal(&dir, &Request { truth: None, ..with("map.csv", "from,to\n*,*\n") }), @r"
    error[T018]: a class map is given, but the truth has no class names
      --> field `--class-map`
      = help: name the column with the classes: --truth COLUMN
    ");
    assert_snapshot!(refusal(&dir, &Request { class_map: Some(dir.path().join("gone.csv")), ..with("map.csv", "") }), @r"
    error[T001]: the class map cannot be read: there is no such file
      --> gone.csv
    ");
}

#[test]
fn channels_in_separate_files_are_stacked_in_the_order_of_the_header() {
    let dir = place(
        &["d.tif", "g.tif"],
        "well,image:GFP,image:DAPI\nA01,g.tif,d.tif\n",
    );
    let data = load(&request(&dir)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        (data.items[0].image.as_str(), data.items[0].channels.clone()),
        ("g.tif", vec!["d.tif".to_owned()])
    );
    assert_eq!(data.channel_names, [["GFP", "DAPI"]]);
    put(dir.path(), "m.csv", "well,image:GFP,image:\nA01,g.tif,\n");
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T004]: a column `image:` does not name its channel
      --> m.csv:1, column 3
    ");
    put(
        dir.path(),
        "m.csv",
        "well,image:GFP,image:DAPI\nA01,g.tif,\n",
    );
    assert_snapshot!(refusal(&dir, &request(&dir)), @r"
    error[T006]: 1 cell without an image
      --> m.csv:2
      = line 2: `image:DAPI`
      = help: remove the rows, or fill the cells
    ");
}

#[test]
fn columns_that_look_like_groups_are_pointed_out() {
    let data = parse("image,patient,scanner\na.png,1,2\n", Syntax::Csv, &|_| true)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_snapshot!(data.notes.join("\n"), @r"
    --group is not given; the manifest has `patient`
    --domain is not given; the manifest has `scanner`
    ");
}

#[test]
fn a_hundred_thousand_rows_are_read() {
    many_rows(100_000);
}

#[test]
#[ignore = "ten seconds without optimisation"]
fn a_million_rows_are_read() {
    many_rows(1_000_000);
}

fn many_rows(rows: u32) {
    let mut text = String::from("image,class\n");
    for i in 0..rows {
        use std::fmt::Write as _;
        let _ = writeln!(text, "i/{i}.png,{}", i % 5);
    }
    let data = parse_with(
        &text,
        Syntax::Csv,
        &|_| true,
        &Request {
            truth: some("class"),
            where_expr: some("class < 3"),
            ..Request::default()
        },
        None,
    )
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(data.items.len() as u32, rows / 5 * 3);
    assert_eq!(
        data.items.last().map(|i| (i.row, i.line)),
        Some((rows / 5 * 3 - 1, rows - 1))
    );
}

proptest! {
    #[test]
    fn any_text_is_a_manifest_or_an_error(text in any::<String>(), which in 0..3) {
        let syntax = [Syntax::Csv, Syntax::Tsv, Syntax::JsonLines][which as usize];
        let _ = parse(&text, syntax, &|_| true);
        let _ = parse(&format!("image,page,role\n{text}"), syntax, &|_| true);
    }

    #[test]
    fn only_paths_inside_the_folder_are_looked_up(path in "[a-z./\\\\:~]{1,12}") {
        let asked = std::cell::RefCell::new(Vec::new());
        let _ = parse(&format!("image\n{path}\n"), Syntax::Csv, &|p| { asked.borrow_mut().push(p.to_owned()); true });
        for p in asked.into_inner() {
            prop_assert!(!p.starts_with(['/', '\\', '~']) && p.split(['/', '\\']).all(|part| part != ".."), "{}", p);
        }
    }
}

#[test]
fn parts_of_one_file_are_rows_of_their_own() {
    let dir = place(
        &["a.tif"],
        "image,image_plane,image_region\na.tif,0,\na.tif,1,\na.tif,1,0 512 256 256\n",
    );
    let data = load(&request(&dir)).expect("three rows");
    assert_eq!(data.items.len(), 3);
    assert_eq!(data.items[2].columns["image_region"], "0 512 256 256");
    let dir = place(
        &["a.tif"],
        "image,image_plane,image_region,image_series\na.tif,1,0 0 8 8,\na.tif,1,\"0, 0, 8, 8\",\na.tif,x,,\na.tif,1,4 4,\n",
    );
    assert_snapshot!(refusal(&dir, &request(&dir)), @r#"
    error[T009]: 2 rows do not say which part of their file they mean
      --> m.csv:4
      = line 4: `image_plane` is "x"; it is the plane of a stack, from 0
      = line 5: `image_region` is "4 4"; it is first row, first column, rows, columns, in pixels: `0 512 256 256`
      = help: `image_series`, `image_level`, `image_time` and `image_plane` count from 0; `image_region` is first row, first column, rows, columns

    error[T010]: 1 row repeats the image and page of a row before it
      --> m.csv:3
      = line 3 and line 2: a.tif, plane 1, region 0 0 8 8
      = help: remove one of each two
    "#);
}

#[test]
fn outlines_and_folders_of_masks_are_truth() {
    let dir = place(
        &["a.tif", "b.tif", "c.tif", "a.zip", "b.geojson", "c/1.png"],
        "image,truth\na.tif,a.zip\nb.tif,b.geojson\nc.tif,c/\n",
    );
    let mut request = request(&dir);
    request.truth = some("truth");
    let data = load(&request).expect("three rows");
    assert!(data.notes[0].ends_with("folders of masks, in 3 rows and as label images in 0"));
    assert_eq!(
        data.items[2].truth,
        transect_core::TruthRef::Path("c/".to_owned())
    );
    // A folder is no image, unless it is a Zarr store.
    let dir = place(&["c/1.png", "d.zarr/.zgroup"], "image\nc\nd.zarr\n");
    assert_snapshot!(refusal(&dir, &self::request(&dir)), @r"
    error[T008]: 1 image is missing
      --> m.csv:2
      = line 2: c (a folder)
      = help: paths are relative to the folder of the manifest; upper and lower case differ; parts are joined by `/`
    ");
}
