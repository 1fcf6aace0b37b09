//! Plate maps and EXIF.

use std::path::PathBuf;

use insta::assert_snapshot;
use tempfile::TempDir;
use transect_manifest::{Joined, exif, join};

const ROWS: &str = "image,plate,well\n1.png,P1,A01\n2.png,P1,B2\n3.png,P2,a1\n";

fn joined(csv: &str, maps: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let paths: Vec<PathBuf> = maps
        .iter()
        .map(|(name, text)| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        })
        .collect();
    let text = match join(csv, &paths) {
        Ok(Joined { csv, notes }) => format!("{csv}--\n{}", notes.join("\n")),
        Err(e) => e.to_string(),
    };
    text.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn a_long_map_is_joined_by_well() {
    let map = "Well,drug,dose_um\nA1,DMSO,0\nB02,taxol,0.5\nC03,taxol,1\n";
    assert_snapshot!(joined(ROWS, &[("map.csv", map)]), @r"
    image,plate,well,drug,dose_um
    1.png,P1,A01,DMSO,0
    2.png,P1,B2,taxol,0.5
    3.png,P2,a1,DMSO,0
    --
    DIR/map.csv: drug, dose_um joined by well
    1 well of the map without an image
    the map tells no plates apart: it is taken for each of 2 plates
    ");
}

#[test]
fn a_map_with_plates_is_joined_by_both() {
    let map = "plate\twell\tdrug\nP1\tA1\tDMSO\nP1\tB2\ttaxol\nP2\tA1\tcolchicine\n";
    assert_snapshot!(joined(ROWS, &[("map.tsv", map)]), @r"
    image,plate,well,drug
    1.png,P1,A01,DMSO
    2.png,P1,B2,taxol
    3.png,P2,a1,colchicine
    --
    DIR/map.tsv: drug joined by well and plate
    ");
}

#[test]
fn maps_that_lie_as_the_plate() {
    let drug = "drug,1,2,3\nA,DMSO,DMSO,\nB,taxol,taxol,taxol\n";
    let dose = "\u{feff};1;2\r\nA;0;0\r\nB;1;10\r\n";
    assert_snapshot!(joined(ROWS, &[("drugs.csv", drug), ("dose.csv", dose)]), @r"
    image,plate,well,drug,dose
    1.png,P1,A01,DMSO,0
    2.png,P1,B2,taxol,10
    3.png,P2,a1,DMSO,0
    --
    DIR/drugs.csv: drug joined by well
    4 wells of the map without an image
    the map tells no plates apart: it is taken for each of 2 plates
    DIR/dose.csv: dose joined by well
    2 wells of the map without an image
    the map tells no plates apart: it is taken for each of 2 plates
    ");
}

#[test]
fn maps_that_are_refused_say_why() {
    assert_snapshot!(joined(ROWS, &[("map.csv", "well,drug\nA1,DMSO\n")]), @r"
    error[T027]: wells of the manifest that the plate map lacks: 1
      --> DIR/map.csv
      = B2 (1 row)
      = help: add them to the map; a well without content has a row with empty cells
    ");
    assert_snapshot!(joined(ROWS, &[("map.csv", "well,plate,drug\nA1,P1,DMSO\nB2,P1,DMSO\n")]), @r"
    error[T027]: wells of the manifest that the plate map lacks: 1
      --> DIR/map.csv
      = P2 a1 (1 row)
      = help: add them to the map; a well without content has a row with empty cells
    ");
    assert_snapshot!(joined(ROWS, &[("map.csv", "well,drug\nA1,DMSO\nA01,taxol\nQQ7,x\n")]), @r"
    error[T027]: 2 rows of the plate map cannot be used
      --> DIR/map.csv:3
      = line 3: A01 a second time
      = line 4: `QQ7` is no well
    ");
    assert_snapshot!(joined(ROWS, &[("map.csv", "well,Image\nA1,x\nB2,x\n")]), @r"
    error[T027]: the manifest has a column `Image` already
      --> DIR/map.csv
      = help: rename the column of the plate map
    ");
    assert_snapshot!(joined(ROWS, &[("map.csv", "position,drug\nA1,x\n")]), @r"
    error[T027]: the plate map is in neither of the two forms
      --> DIR/map.csv
      = its first row: position, drug
      = help: long: a column `well` and one row for each well; as the plate: 1, 2, 3 … in the first row and A, B, C … in the first column
    ");
    assert_snapshot!(joined("image\n1.png\n", &[("map.csv", "well,drug\nA1,x\n")]), @r"
    error[T027]: the manifest has no column `well`
      --> field `--join`
      = columns of the manifest: image
      = help: take it from the names of the files: --pattern with a capture (?<well>[A-P]\d+)
    ");
    assert_snapshot!(joined("image,well\n1.png,A1\n", &[("map.csv", "well,plate,drug\nA1,P1,x\n")]), @r"
    error[T027]: the plate map tells plates apart, and the manifest has no column `plate`
      --> DIR/map.csv
      = help: take it from the names of the files: --pattern with a capture (?<plate>[^/]+)
    ");
    assert_snapshot!(joined(ROWS, &[("map.csv", "")]), @r"
    error[T027]: the plate map is empty
      --> DIR/map.csv
    ");
}

/// A JPEG of nothing but EXIF: entries of the first directory, of EXIF's, of GPS's.
fn jpeg() -> Vec<u8> {
    type Entry = (u16, u16, Vec<u8>);
    let ascii = |tag: u16, text: &str| -> Entry { (tag, 2, [text.as_bytes(), b"\0"].concat()) };
    let rational = |tag: u16, parts: [u32; 3]| -> Entry {
        let bytes = parts
            .iter()
            .flat_map(|p| [p.to_be_bytes(), 100_u32.to_be_bytes()].concat());
        (tag, 5, bytes.collect())
    };
    let first = vec![
        ascii(0x010f, "Reconyx"),
        ascii(0x0110, "HP2X"),
        (0x0112, 3, 6_u16.to_be_bytes().to_vec()),
        ascii(0x013b, "A. Person"),
        (0x8769, 4, Vec::new()),
        (0x8825, 4, Vec::new()),
    ];
    let second = vec![
        ascii(0x9003, "2019:05:01 06:31:09"),
        ascii(0x9011, "+02:00"),
        ascii(0xa430, "A. Person"),
    ];
    let third = vec![
        ascii(0x0001, "N"),
        rational(0x0002, [5100, 2900, 4596]),
        ascii(0x0003, "W"),
        rational(0x0004, [400, 4600, 2604]),
    ];
    let size = |entries: &[Entry]| 6 + 12 * entries.len();
    let starts = [8, 8 + size(&first), 8 + size(&first) + size(&second)];
    let mut data_at = starts[2] + size(&third);
    let (mut heads, mut data) = (Vec::new(), Vec::new());
    for entries in [&first, &second, &third] {
        heads.extend((entries.len() as u16).to_be_bytes());
        for (tag, kind, bytes) in entries {
            let each = [0, 1, 1, 2, 4, 8][*kind as usize];
            let (count, value) = match tag {
                0x8769 => (1, (starts[1] as u32).to_be_bytes().to_vec()),
                0x8825 => (1, (starts[2] as u32).to_be_bytes().to_vec()),
                _ => (bytes.len() / each, bytes.clone()),
            };
            heads.extend(tag.to_be_bytes());
            heads.extend(kind.to_be_bytes());
            heads.extend((count as u32).to_be_bytes());
            if value.len() <= 4 {
                heads.extend(value.iter().copied().chain([0; 4]).take(4));
            } else {
                heads.extend((data_at as u32).to_be_bytes());
                data_at += value.len();
                data.extend(value);
            }
        }
        heads.extend([0; 4]);
    }
    let tiff = [b"MM\0*\0\0\0\x08".to_vec(), heads, data].concat();
    let segment = [b"Exif\0\0".to_vec(), tiff].concat();
    let length = (segment.len() + 2) as u16;
    [
        b"\xff\xd8\xff\xe1".to_vec(),
        length.to_be_bytes().to_vec(),
        segment,
        b"\xff\xd9".to_vec(),
    ]
    .concat()
}

fn with_exif(position: bool) -> String {
    let dir: TempDir = tempfile::tempdir().expect("a folder");
    let write =
        |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).expect("a file");
    write("1.jpg", &jpeg());
    write("2.png", &transect_image::encode_png_rgb(2, 2, &[9; 12]));
    write("3.jpg", b"\xff\xd8\xff\xe1\xff\xffExif\0\0");
    let csv = "image,well\n1.jpg,A1\n2.png,A2\n3.jpg,A3\n";
    let limits = transect_image::Limits::default();
    match exif(csv, dir.path(), position, &limits) {
        Ok(Joined { csv, notes }) => format!("{csv}--\n{}", notes.join("\n")),
        Err(e) => e.to_string(),
    }
}

#[test]
fn exif_gives_time_and_camera_and_neither_place_nor_name() {
    let told = with_exif(false);
    assert_snapshot!(told, @r"
    image,well,exif_time,exif_camera,exif_orientation
    1.jpg,A1,2019-05-01T06:31:09+02:00,Reconyx HP2X,6
    2.png,A2,,,
    3.jpg,A3,,,
    --
    EXIF in 1 of 3 images
    positions in the EXIF of images, not copied (--gps copies them): 1
    names of persons in the EXIF of images, not copied: 1
    images that EXIF says are to be turned before they are shown: 1. They are read as they lie; outlines and boxes that were drawn on the turned image do not fit
    ");
    assert!(!told.contains("Person") && !told.contains("51."));
}

#[test]
fn exif_gives_the_place_where_it_is_asked_for_and_never_a_name() {
    let told = with_exif(true);
    assert_snapshot!(told, @r"
    image,well,exif_time,exif_camera,exif_orientation,exif_latitude,exif_longitude
    1.jpg,A1,2019-05-01T06:31:09+02:00,Reconyx HP2X,6,51.496100,-4.773900
    2.png,A2,,,,,
    3.jpg,A3,,,,,
    --
    EXIF in 1 of 3 images
    names of persons in the EXIF of images, not copied: 1
    images that EXIF says are to be turned before they are shown: 1. They are read as they lie; outlines and boxes that were drawn on the turned image do not fit
    ");
    assert!(!told.contains("Person"));
}
