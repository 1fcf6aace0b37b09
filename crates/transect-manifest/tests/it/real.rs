//! The manifests of the shared reference data.

use std::path::PathBuf;

use transect_core::{Role, TruthRef};
use transect_manifest::{Request, load};

#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
fn shared(path: &str) -> Option<PathBuf> {
    let full = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    if full.exists() {
        Some(full)
    } else {
        eprintln!("SKIPPED: ../shared/data/{path} is not here");
        None
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it fills optional fields")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn wbc2domain_loads_with_domains_as_sides() {
    let Some(data) = shared("wbc2domain/manifest.csv") else {
        return;
    };
    let request = Request {
        data: data.clone(),
        truth: some("class_name"),
        domain: some("domain"),
        where_expr: some("domain = 'D2' and split = 'test' and class_name != 'basophil'"),
        reference_where: some("domain = 'D1' and split = 'test' and class_name != 'basophil'"),
        ..Request::default()
    };
    let dataset = load(&request).unwrap_or_else(|e| panic!("{e}"));
    let count = |role| dataset.items.iter().filter(|i| i.role == role).count();
    // The numbers of images that the issue names for the two test sides.
    assert_eq!((count(Role::Reference), count(Role::Target)), (51, 17));
    assert!(dataset.items.iter().all(|i| matches!(&i.truth, TruthRef::Class(_)) && i.columns.contains_key("background")));
    let all = load(&Request {
        where_expr: some("domain = 'D2' and class_name != 'basophil'"),
        reference_where: None,
        ..request.clone()
    });
    assert_eq!(all.map(|d| d.items.len()).unwrap_or_default(), 82);
    let masks = load(&Request {
        truth: some("mask"),
        where_expr: None,
        reference_where: None,
        ..request
    })
    .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(masks.items.len(), 340);
    assert!(
        masks
            .items
            .iter()
            .all(|i| matches!(&i.truth, TruthRef::Path(_)))
    );
}

#[test]
fn dsb2018_loads_with_label_images() {
    let Some(data) = shared("dsb2018/manifest.csv") else {
        return;
    };
    let request = Request {
        data,
        truth: some("label"),
        group: some("group"),
        stratum: some("modality"),
        where_expr: some("split = 'test'"),
        ..Request::default()
    };
    let dataset = load(&request).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(dataset.items.len(), 112);
    let fluorescence = dataset
        .items
        .iter()
        .filter(|i| i.stratum.as_deref() == Some("fluorescence"))
        .count();
    assert_eq!(fluorescence, 91);
}

#[test]
fn txl_pbc_loads_without_truth_and_says_why_its_boxes_are_not_read() {
    let Some(data) = shared("txl_pbc/manifest.csv") else {
        return;
    };
    let request = Request {
        data,
        domain: some("source"),
        ..Request::default()
    };
    let dataset = load(&request).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(dataset.items.len(), 1224);
    let errors = load(&Request {
        truth: some("labels"),
        ..request
    })
    .expect_err("boxes are not read")
    .0;
    assert_eq!(
        errors.iter().map(|e| e.code.id).collect::<Vec<_>>(),
        ["T017"]
    );
}
