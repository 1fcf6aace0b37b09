//! `findings.json` and its schema.

use serde_json::{Value, json};
use transect_core::{Finding, Threshold, Verdict};
use transect_report::findings_json;

use crate::fixture::{empty, realistic};

fn schema() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/schema/findings.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).expect("the published schema"))
        .expect("JSON")
}

/// Checks a value against the part of JSON Schema that ours uses; any other keyword is an error. Keys that the schema
/// does not name are errors too: the schema is open to later fields, this test is not.
fn check(root: &Value, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
    let mut fail = |what: String| errors.push(format!("{at}: {what}"));
    let rules = schema.as_object().expect("a schema is an object");
    for (key, rule) in rules {
        match key.as_str() {
            "$schema"
            | "title"
            | "description"
            | "$defs"
            | "additionalProperties"
            | "required"
            | "properties"
            | "items"
            | "$ref" => {}
            "type" => {
                let names: Vec<&str> = rule.as_str().map_or_else(
                    || {
                        rule.as_array()
                            .expect("names")
                            .iter()
                            .map(|n| n.as_str().expect("a name"))
                            .collect()
                    },
                    |one| vec![one],
                );
                let fits = names.iter().any(|name| match *name {
                    "null" => value.is_null(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("unknown type {other}"),
                });
                if !fits {
                    fail(format!("{value} is not of type {rule}"));
                }
            }
            "const" => {
                if value != rule {
                    fail(format!("{value} is not {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().expect("values").contains(value) {
                    fail(format!("{value} is none of {rule}"));
                }
            }
            "pattern" => {
                let pattern =
                    regex::Regex::new(rule.as_str().expect("a pattern")).expect("a pattern");
                if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    fail(format!("{value} does not match {rule}"));
                }
            }
            "minimum" | "maximum" => {
                let bound = rule.as_f64().expect("a number");
                if value.as_f64().is_some_and(|v| {
                    if key == "minimum" {
                        v < bound
                    } else {
                        v > bound
                    }
                }) {
                    fail(format!("{value} is beyond the {key} {rule}"));
                }
            }
            "minItems" | "maxItems" => {
                let bound = rule.as_u64().expect("a number") as usize;
                if value.as_array().is_some_and(|v| {
                    if key == "minItems" {
                        v.len() < bound
                    } else {
                        v.len() > bound
                    }
                }) {
                    fail(format!("{key} {rule}"));
                }
            }
            other => panic!("the schema uses {other}, which this test does not check"),
        }
    }
    if let Some(target) = rules.get("$ref") {
        let path = target
            .as_str()
            .and_then(|t| t.strip_prefix('#'))
            .expect("a local reference");
        check(
            root,
            root.pointer(path).expect("its target"),
            value,
            at,
            errors,
        );
    }
    if let Some(object) = value
        .as_object()
        .filter(|_| rules.contains_key("properties"))
    {
        let properties = rules["properties"].as_object().expect("properties");
        for name in rules
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if !object.contains_key(name.as_str().expect("a name")) {
                errors.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, inner) in object {
            match properties.get(name) {
                Some(rule) => check(root, rule, inner, &format!("{at}/{name}"), errors),
                None => errors.push(format!("{at}: {name} is not in the schema")),
            }
        }
    }
    if let (Some(items), Some(rule)) = (value.as_array(), rules.get("items")) {
        for (i, item) in items.iter().enumerate() {
            check(root, rule, item, &format!("{at}/{i}"), errors);
        }
    }
}

fn errors(value: &Value) -> Vec<String> {
    let schema = schema();
    let mut errors = Vec::new();
    check(&schema, &schema, value, "", &mut errors);
    errors
}

#[test]
fn what_is_written_follows_the_published_schema() {
    for report in [realistic(), empty()] {
        let value: Value = serde_json::from_str(&findings_json(&report)).expect("JSON");
        assert_eq!(errors(&value), Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_what_is_wrong() {
    let good: Value = serde_json::from_str(&findings_json(&realistic())).expect("JSON");
    let spoil = |path: &str, with: Option<Value>| {
        let mut bad = good.clone();
        let (parent, key) = path.rsplit_once('/').expect("a path");
        let parent = bad.pointer_mut(parent).expect("the place");
        match (parent, with) {
            (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
            (Value::Object(map), None) => drop(map.remove(key)),
            _ => panic!("{path}"),
        }
        errors(&bad)
    };
    for (path, with) in [
        ("/schema", Some(json!("transect/findings/2"))),
        ("/findings/0/verdict", Some(json!("passed"))),
        ("/findings/0/estimate", Some(json!("0.4"))),
        ("/findings/0/interval", Some(json!([0.1]))),
        ("/findings/0/p", Some(json!(1.5))),
        ("/findings/0/n", Some(json!(-1))),
        ("/findings/0/id", None),
        ("/findings/0/extra", Some(json!(1))),
        ("/data/sha256", Some(json!("xyz"))),
        ("/data/images", None),
        ("/headline/works/verdict", Some(json!(null))),
        ("/model", Some(json!([]))),
    ] {
        assert_eq!(spoil(path, with.clone()).len(), 1, "{path} {with:?}");
    }
}

#[test]
fn the_schema_names_every_verdict() {
    let all = [
        Verdict::Pass,
        Verdict::Warn,
        Verdict::Fail,
        Verdict::Undecided,
        Verdict::NotAssessable,
        Verdict::Described,
    ];
    let named = schema()
        .pointer("/$defs/verdict/enum")
        .cloned()
        .expect("the verdicts");
    assert_eq!(named, serde_json::to_value(all).expect("names"));
}

#[test]
fn findings_read_back_to_the_bit() {
    let report = realistic();
    let value: Value = serde_json::from_str(&findings_json(&report)).expect("JSON");
    let back: Vec<Finding> = report
        .findings
        .iter()
        .zip(value["findings"].as_array().expect("findings"))
        .filter(|(f, _)| f.interval.is_none_or(|i| i.iter().all(|v| v.is_finite())))
        .map(|(f, v)| {
            let back: Finding = serde_json::from_value(v.clone()).expect("a finding");
            assert_eq!(&back, f);
            back
        })
        .collect();
    assert!(back.len() + 1 >= report.findings.len());
    assert_eq!(value["data"]["images"], 135);
    assert_eq!(value["data"]["outside_classes"], 3);
}

#[test]
fn no_number_is_written_that_is_none() {
    let mut report = empty();
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    report.findings = odd
        .iter()
        .map(|&v| Finding {
            estimate: Some(v),
            interval: Some([v, 1.0]),
            groups: Some(v),
            threshold: Some(Threshold { warn: v, fail: 1.0 }),
            p: Some(v),
            p_adjusted: Some(v),
            ..Finding::new("performance.accuracy")
        })
        .collect();
    let text = findings_json(&report);
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(errors(&value), Vec::<String>::new());
    for finding in value["findings"].as_array().expect("findings") {
        assert_eq!(finding["estimate"], Value::Null);
        assert_eq!(finding["interval"], json!([null, 1.0]));
        assert_eq!(finding["threshold"], Value::Null);
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let (a, b) = (findings_json(&realistic()), findings_json(&realistic()));
    assert_eq!(a, b);
    assert!(a.ends_with("}\n"));
}
