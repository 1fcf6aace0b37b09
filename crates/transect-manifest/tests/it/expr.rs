//! Expressions.

use insta::assert_snapshot;
use proptest::prelude::*;
use transect_manifest::expr::{Column, Expr, Op, Value};

fn fits(expression: &str, row: &[(&str, &str)]) -> bool {
    let expr = Expr::parse(expression).unwrap_or_else(|e| panic!("{e}"));
    expr.matches(&|name| row.iter().find(|(n, _)| *n == name).map(|(_, v)| *v))
}

fn refusal(expression: &str) -> String {
    Expr::parse(expression)
        .expect_err("this must be refused")
        .to_string()
}

#[test]
fn the_example_of_the_documentation_chooses_as_it_says() {
    let text = "domain = 'D1' and split = 'test' and class_name != 'basophil'";
    assert!(fits(
        text,
        &[
            ("domain", "D1"),
            ("split", "test"),
            ("class_name", "monocyte")
        ]
    ));
    assert!(!fits(
        text,
        &[
            ("domain", "D1"),
            ("split", "test"),
            ("class_name", "basophil")
        ]
    ));
    assert!(!fits(
        text,
        &[
            ("domain", "D2"),
            ("split", "test"),
            ("class_name", "monocyte")
        ]
    ));
}

#[test]
fn and_binds_closer_than_or_and_not_closest() {
    assert!(fits("a = 1 or a = 2 and b = 9", &[("a", "1"), ("b", "0")]));
    assert!(!fits(
        "(a = 1 or a = 2) and b = 9",
        &[("a", "1"), ("b", "0")]
    ));
    assert!(fits("not a = 1 and b = 0", &[("a", "2"), ("b", "0")]));
    assert!(!fits("NOT (a = 2 OR b = 9)", &[("a", "2"), ("b", "0")]));
}

#[test]
fn numbers_are_compared_as_numbers_and_everything_else_as_text() {
    let row = [("n", "10"), ("id", "007"), ("t", "b"), ("empty", "")];
    assert!(fits("n > 9", &row) && fits("n > '9'", &row) && fits("n <= 1e1", &row));
    assert!(fits("id = 7", &row) && fits("id = '7'", &row));
    assert!(fits("t > 'a'", &row) && fits("t < 'c'", &row) && fits("t >= 'b'", &row));
    // Text has no order among numbers; an empty cell has none at all.
    assert!(!fits("t > 1", &row) && !fits("t < 1", &row));
    assert!(!fits("empty < 1", &row) && !fits("empty < 'a'", &row) && !fits("empty >= ''", &row));
    assert!(fits("empty = ''", &row) && fits("empty != 'x'", &row) && fits("t != 1", &row));
    // Words that a number parser knows are text here.
    assert!(!fits("t < 'inf'", &[("t", "z")]) && fits("t = 'nan'", &[("t", "nan")]));
}

#[test]
fn lists_and_quotes() {
    let row = [("cell type", "T'cell"), ("split", "test")];
    assert!(fits("split in ('train', 'test')", &row));
    assert!(fits("split not in ('train')", &row));
    assert!(fits("\"cell type\" = 'T''cell'", &row));
    assert!(fits("n in (1, 2.0)", &[("n", "2")]));
}

#[test]
fn errors_name_the_character_and_the_mending() {
    assert_snapshot!(refusal("domain = D1"), @r"
    error[T013]: expected a value, found `D1`
      --> column 10
      = domain = D1
      =          ^
      = help: text stands in single quotes: 'D1'
    ");
    assert_snapshot!(refusal("domain == 'D1'"), @r"
    error[T013]: `==` is not a comparison
      --> column 8
      = domain == 'D1'
      =        ^
      = help: write a single `=`
    ");
    assert_snapshot!(refusal("a <> 1"), @r"
    error[T013]: `<>` is not a comparison
      --> column 3
      = a <> 1
      =   ^
      = help: write `!=`
    ");
    assert_snapshot!(refusal("domain = 'D1"), @r"
    error[T013]: this ' is not closed
      --> column 10
      = domain = 'D1
      =          ^
    ");
    assert_snapshot!(refusal("(a = 1 and b = 2"), @r"
    error[T013]: expected `)`, `and` or `or`, found the end
      --> column 17
      = (a = 1 and b = 2
      =                 ^
    ");
    assert_snapshot!(refusal("a = 1 b = 2"), @r"
    error[T013]: expected `and`, `or` or the end, found `b`
      --> column 7
      = a = 1 b = 2
      =       ^
    ");
    assert_snapshot!(refusal("'a' = 1"), @r#"
    error[T013]: expected a column, found the text 'a'
      --> column 1
      = 'a' = 1
      = ^
      = help: a column in quotes takes double ones: "a"
    "#);
    assert_snapshot!(refusal("a in 'x'"), @r"
    error[T013]: expected `(` and a list of values, found the text 'x'
      --> column 6
      = a in 'x'
      =      ^
    ");
    assert_snapshot!(refusal("a = 2024-01-05"), @r"
    error[T013]: `2024-01-05` is not a number
      --> column 5
      = a = 2024-01-05
      =     ^
      = help: text stands in single quotes: '2024-01-05'
    ");
    assert_snapshot!(refusal("a & b"), @r"
    error[T013]: `&` has no meaning here
      --> column 3
      = a & b
      =   ^
    ");
    assert_snapshot!(refusal(""), @r"
    error[T013]: expected a column, found the end
      --> column 1
      = 
      = ^
    ");
    assert!(refusal(&"(".repeat(100_000)).contains("nested deeper than 100"));
    assert!(refusal(&"not ".repeat(100_000)).contains("nested deeper than 100"));
}

fn any_column() -> impl Strategy<Value = Column> {
    prop_oneof![
        "[a-zA-Zäß_][a-z0-9_.:]{0,6}",
        "[ -~äß]{0,6}",
        Just("in".to_owned()),
        Just("Not".to_owned())
    ]
    .prop_map(|name| Column { name, at: 0 })
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ -~ä]{0,6}".prop_map(|text| Value { text, quoted: true }),
        any::<i32>().prop_map(|n| Value {
            text: n.to_string(),
            quoted: false
        }),
        (-1e9_f64..1e9).prop_map(|n| Value {
            text: format!("{n:?}"),
            quoted: false
        }),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![
        Op::Equal,
        Op::NotEqual,
        Op::Less,
        Op::LessOrEqual,
        Op::Greater,
        Op::GreaterOrEqual,
    ])
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        (any_column(), any_op(), any_value()).prop_map(|(column, op, value)| Expr::Compare {
            column,
            op,
            value
        }),
        (any_column(), prop::collection::vec(any_value(), 1..4))
            .prop_map(|(column, values)| Expr::In { column, values }),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| Expr::Not(Box::new(e))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner, 2..4).prop_map(Expr::Or),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Expr::parse(&text);
    }

    #[test]
    fn any_text_of_the_language_is_read_or_refused(text in "([a-c]|and|or|not|in|=|!=|<|<=|[(),'\" ]|-?[0-9]){0,30}") {
        if let Ok(expr) = Expr::parse(&text) {
            prop_assert_eq!(Expr::parse(&expr.to_string()).expect("its own form"), expr);
        }
    }

    #[test]
    fn the_displayed_form_reads_as_the_same_expression(expr in any_expr()) {
        let shown = expr.to_string();
        prop_assert_eq!(Expr::parse(&shown).unwrap_or_else(|e| panic!("{e}")), expr, "{}", shown);
    }

    #[test]
    fn a_row_fits_an_expression_or_its_negation(expr in any_expr(), cell in "[ -~]{0,4}") {
        let not = Expr::Not(Box::new(expr.clone()));
        prop_assert_ne!(expr.matches(&|_| Some(cell.as_str())), not.matches(&|_| Some(cell.as_str())));
    }
}
