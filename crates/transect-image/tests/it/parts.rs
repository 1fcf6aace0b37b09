//! Parts of files: pages, series, times, planes, regions; and files that say one thing and hold another.

use transect_core::{Image, Result};
use transect_image::{Limits, Region, Selector, decode_at};

use crate::formats::{Folder, folder};
use crate::made::Tiff;

fn at(name: &str, selector: &Selector) -> Result<Image> {
    decode_at(
        &Folder(folder().join("files")),
        name,
        selector,
        &Limits::default(),
    )
}

fn code(name: &str, selector: &Selector) -> &'static str {
    match at(name, selector) {
        Ok(image) => panic!("{name} gave {:?}", image.shape()),
        Err(e) => e.code.id,
    }
}

fn two_pages(xml: &str) -> Vec<u8> {
    // One directory of our own maker, and a second one behind it.
    let one = |text: Option<&str>| {
        let tiff = Tiff::new(3, 2, 8, 1).chunk(&[1, 2, 3, 4, 5, 6]);
        text.map_or_else(|| tiff.clone_of(), |t| tiff.clone_of().text(270, t))
    };
    crate::made::chain(&[one(Some(xml)), one(None)])
}

fn ome(attributes: &str, inside: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" {attributes}>{inside}</Pixels></Image></OME>"#
    )
}

const GOOD: &str = r#"Type="uint8" SizeX="3" SizeY="2" SizeZ="2" SizeC="1" SizeT="1""#;

fn refusal(xml: &str) -> String {
    let bytes = two_pages(xml);
    transect_image::decode(&bytes, "a.ome.tif", None, &Limits::default())
        .expect_err("the XML lies")
        .to_string()
}

#[test]
fn ome_xml_that_lies_about_its_planes_is_an_error_that_says_so() {
    let honest = ome(GOOD, "<Channel/><TiffData/>");
    let image = transect_image::decode(&two_pages(&honest), "a", None, &Limits::default())
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(image.shape(), [1, 2, 2, 3]);
    let cases = [
        (
            GOOD.replace("SizeZ=\"2\"", "SizeZ=\"3\""),
            "<TiffData/>",
            "speaks of 3 planes",
        ),
        (
            GOOD.replace("SizeZ=\"2\"", "SizeZ=\"1\""),
            "<TiffData/>",
            "does not say what page 1 is",
        ),
        (
            GOOD.replace("SizeX=\"3\"", "SizeX=\"4\""),
            "<TiffData/>",
            "4 columns",
        ),
        (
            GOOD.replace("uint8", "uint16"),
            "<TiffData/>",
            "the type uint16",
        ),
        (
            GOOD.replace("SizeZ=\"2\"", "SizeZ=\"two\""),
            "<TiffData/>",
            "not a whole number",
        ),
        (
            GOOD.to_owned(),
            r#"<TiffData IFD="0"/>"#,
            "does not say where channel 0, plane 1",
        ),
        (
            GOOD.to_owned(),
            r#"<TiffData IFD="0" PlaneCount="2"/><TiffData FirstZ="1" IFD="0"/>"#,
            "names two pages",
        ),
        (
            GOOD.to_owned(),
            r#"<TiffData IFD="1" PlaneCount="2"/>"#,
            "page 2",
        ),
        (
            GOOD.to_owned(),
            r#"<TiffData IFD="0" FirstC="1"/>"#,
            "channel 1",
        ),
        (
            GOOD.to_owned(),
            "<Channel/><Channel/><TiffData/>",
            "describes 2 channels",
        ),
        (
            GOOD.replace("SizeC=\"1\"", "SizeC=\"18446744073709551615\""),
            "<TiffData/>",
            "channels, planes and times",
        ),
    ];
    for (attributes, inside, says) in cases {
        let text = refusal(&ome(&attributes, inside));
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(refusal("<OME><Image>").contains("cannot be read"));
    assert!(refusal("<OME></OME>").contains("describes no image"));
}

#[test]
fn an_ome_tiff_in_several_files_is_named() {
    let other = ome(
        GOOD,
        r#"<TiffData IFD="0"><UUID FileName="a.ome.tif">urn:uuid:1</UUID></TiffData><TiffData FirstZ="1" IFD="0"><UUID FileName="b.ome.tif">urn:uuid:2</UUID></TiffData>"#,
    );
    let text = refusal(&other);
    assert!(
        text.contains("several files") && text.contains("b.ome.tif"),
        "{text}"
    );
    assert!(text.contains("bfconvert"), "{text}");
    let companion =
        r#"<OME><BinaryOnly MetadataFile="all.companion.ome" UUID="urn:uuid:3"/></OME>"#;
    assert!(refusal(companion).contains("all.companion.ome"));
}

#[test]
fn entities_in_ome_xml_do_not_grow() {
    let bomb = r#"<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]><OME>&y;</OME>"#;
    assert!(refusal(bomb).contains("cannot be read"));
}

#[test]
fn several_times_or_series_are_not_chosen_from_in_silence() {
    let text = at("hyperstack.tif", &Selector::default())
        .expect_err("two times")
        .to_string();
    assert!(text.contains("image_time"), "{text}");
    assert_eq!(code("ome_series.ome.tif", &Selector::default()), "T115");
    let some = |n| Selector {
        series: Some(n),
        ..Selector::default()
    };
    assert_eq!(code("ome_series.ome.tif", &some(2)), "T114");
    assert_eq!(
        code(
            "hyperstack.tif",
            &Selector {
                time: Some(2),
                ..Selector::default()
            }
        ),
        "T114"
    );
    assert_eq!(
        code(
            "hyperstack.tif",
            &Selector {
                page: Some(0),
                time: Some(1),
                ..Selector::default()
            }
        ),
        "T114"
    );
    assert_eq!(
        code(
            "ome_pyramid.ome.tif",
            &Selector {
                level: Some(2),
                ..Selector::default()
            }
        ),
        "T114"
    );
}

#[test]
fn a_region_lies_within_its_image() {
    for (row, column, rows, columns) in [
        (0, 0, 0, 1),
        (20, 0, 2, 1),
        (0, 18, 1, 1),
        (u32::MAX, 0, u32::MAX, 1),
    ] {
        let region = Some(Region {
            row,
            column,
            rows,
            columns,
        });
        for file in ["lzw_uint8.tif", "planar_zstd.tif"] {
            let selector = Selector {
                region,
                ..Selector::default()
            };
            if (file, row, column) == ("planar_zstd.tif", 0, 18) {
                continue;
            }
            assert_eq!(code(file, &selector), "T114", "{file} {region:?}");
        }
    }
}

#[test]
fn limits_are_on_the_region_and_not_on_the_whole() {
    let limits = Limits {
        max_decoded_bytes: 4 * 5 * 6 * 5,
        max_side: 6,
        ..Limits::default()
    };
    let files = Folder(folder().join("files"));
    let whole = decode_at(&files, "planar_tiles.tif", &Selector::default(), &limits);
    assert_eq!(whole.expect_err("too large").code.id, "T105");
    let region = Selector {
        region: Some(Region {
            row: 15,
            column: 15,
            rows: 5,
            columns: 6,
        }),
        ..Selector::default()
    };
    let limits = Limits {
        max_decoded_bytes: 5 * 5 * 6 * 4,
        ..limits
    };
    let part = decode_at(&files, "planar_tiles.tif", &region, &limits);
    assert_eq!(part.unwrap_or_else(|e| panic!("{e}")).shape(), [5, 1, 5, 6]);
}

#[test]
fn cells_that_select_are_read_and_wrong_ones_are_named() {
    let cells = |name: &str, text: &'static str| {
        Selector::from_columns(None, move |column| (column == name).then_some(text))
    };
    let region = cells("image_region", "1, 2, 3, 4")
        .expect("a region")
        .region;
    assert_eq!(
        region,
        Some(Region {
            row: 1,
            column: 2,
            rows: 3,
            columns: 4
        })
    );
    assert_eq!(cells("image_time", " ").expect("none"), Selector::default());
    for (name, text) in [
        ("image_region", "1 2 3"),
        ("image_region", "1 2 0 4"),
        ("image_time", "first"),
        ("image_plane", "-1"),
        ("image_pages", "channel"),
        ("image_absent", "yes"),
    ] {
        let error = cells(name, text).expect_err("not a selection").to_string();
        assert!(error.contains(name), "{error}");
    }
    let all = Selector::from_columns(Some(0), |column| {
        Some(match column {
            "image_region" => "0 1 2 3",
            "image_pages" => "planes",
            "image_absent" => "fill",
            _ => "7",
        })
    })
    .expect("all of them");
    assert_eq!(
        all.text(),
        "series 7, level 7, time 7, plane 7, member \"7\", region 0 1 2 3, pages planes, absent fill"
    );
    assert_eq!(Selector::page(Some(3)).text(), "");
}
