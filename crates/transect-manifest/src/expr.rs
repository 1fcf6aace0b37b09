//! Expressions that choose rows: `domain = 'D1' and split = 'test' and class_name != 'basophil'`.
//!
//! ```text
//! any        = all { "or" all }
//! all        = one { "and" one }
//! one        = "not" one | "(" any ")" | column compare value | column [ "not" ] "in" "(" value { "," value } ")"
//! compare    = "=" | "!=" | "<" | "<=" | ">" | ">="
//! column     = word | "\"" text "\""
//! value      = number | "'" text "'"
//! ```
//!
//! Words are case-insensitive where they are keywords, case-sensitive where they name columns. A quote within quotes is
//! doubled. Two numbers are compared as numbers (`007 = 7`), anything else as text. `<`, `<=`, `>`, `>=` are false for an
//! empty cell and for a cell of text against a plain number.

use std::fmt;

use transect_core::codes::manifest as codes;
use transect_core::{Error, Result};

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A column against a value.
    Compare {
        /// The column.
        column: Column,
        /// How.
        op: Op,
        /// The value.
        value: Value,
    },
    /// A column against a list of values.
    In {
        /// The column.
        column: Column,
        /// At least one value.
        values: Vec<Value>,
    },
    /// Not so.
    Not(Box<Expr>),
    /// All of at least two.
    And(Vec<Expr>),
    /// Any of at least two.
    Or(Vec<Expr>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Op {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A column's name and where it stands in the text; two are equal when their names are.
#[derive(Debug, Clone)]
pub struct Column {
    /// The name.
    pub name: String,
    /// One-based character of the text.
    pub at: usize,
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Without quotes.
    pub text: String,
    /// Whether it stood in quotes; otherwise it is a number.
    pub quoted: bool,
}

/// Deepest nesting of parentheses and `not`.
const DEEPEST: usize = 100;

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// `T013` with the one-based character where it cannot be understood.
    pub fn parse(text: &str) -> Result<Self> {
        let tokens = tokens(text)?;
        let mut parser = Parser {
            text,
            tokens,
            next: 0,
        };
        let expr = parser.any(0)?;
        match parser.peek() {
            Token::End => Ok(expr),
            _ => Err(parser.expected("`and`, `or` or the end")),
        }
    }

    /// Whether a row fits; `value` gives the cell of a column. A column that is not there counts as an empty cell: check
    /// [`Expr::columns`] first.
    pub fn matches<'v>(&self, value: &dyn Fn(&str) -> Option<&'v str>) -> bool {
        let cell = |column: &Column| value(&column.name).unwrap_or("");
        match self {
            Self::Compare { column, op, value } => compare(cell(column), *op, value),
            Self::In { column, values } => {
                values.iter().any(|v| compare(cell(column), Op::Equal, v))
            }
            Self::Not(inner) => !inner.matches(value),
            Self::And(all) => all.iter().all(|e| e.matches(value)),
            Self::Or(any) => any.iter().any(|e| e.matches(value)),
        }
    }

    /// The columns named, in the order of the text.
    pub fn columns(&self) -> Vec<&Column> {
        match self {
            Self::Compare { column, .. } | Self::In { column, .. } => vec![column],
            Self::Not(inner) => inner.columns(),
            Self::And(all) | Self::Or(all) => all.iter().flat_map(Self::columns).collect(),
        }
    }
}

/// A finite decimal number, without surrounding space.
pub(crate) fn number(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    text.parse::<f64>().ok().filter(|v| plain && v.is_finite())
}

fn compare(cell: &str, op: Op, value: &Value) -> bool {
    use std::cmp::Ordering;
    let order: Option<Ordering> = match (number(cell), number(&value.text)) {
        (Some(a), Some(b)) => a.partial_cmp(&b),
        // Text has no place among numbers, and an empty cell has none at all.
        _ if (cell.is_empty() || !value.quoted) && !matches!(op, Op::Equal | Op::NotEqual) => None,
        _ => Some(cell.cmp(value.text.as_str())),
    };
    match op {
        Op::Equal => order == Some(Ordering::Equal),
        Op::NotEqual => order != Some(Ordering::Equal),
        Op::Less => order == Some(Ordering::Less),
        Op::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Op::Greater => order == Some(Ordering::Greater),
        Op::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A bare word, perhaps a keyword.
    Word(String),
    /// In double quotes.
    Name(String),
    /// In single quotes.
    Text(String),
    Number(String),
    Op(Op),
    Open,
    Close,
    Comma,
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Name(name) => write!(f, "the column \"{name}\""),
            Self::Text(text) => write!(f, "the text '{text}'"),
            Self::Number(number) => write!(f, "the number {number}"),
            Self::Op(op) => write!(f, "`{}`", op.sign()),
            Self::Open => write!(f, "`(`"),
            Self::Close => write!(f, "`)`"),
            Self::Comma => write!(f, "`,`"),
            Self::End => write!(f, "the end"),
        }
    }
}

/// An error at a one-based character, with the text and a mark under it.
fn wrong(text: &str, at: usize, message: impl Into<String>) -> Error {
    mark(Error::new(&codes::EXPRESSION, message), text, at)
}

/// Puts an error at a one-based character of an expression, with the text and a mark under it.
pub(crate) fn mark(error: Error, text: &str, at: usize) -> Error {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    error
        .column(at)
        .note(shown)
        .note(format!("{}^", " ".repeat(at - 1)))
}

fn word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn word_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | ':')
}

fn tokens(text: &str) -> Result<Vec<(Token, usize)>> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(&c) = characters.get(i) {
        let at = i + 1;
        let following = characters.get(i + 1).copied();
        let (token, length) = match c {
            c if c.is_whitespace() => {
                i += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '=' if following == Some('=') => {
                return Err(wrong(text, at, "`==` is not a comparison").help("write a single `=`"));
            }
            '=' => (Token::Op(Op::Equal), 1),
            '!' if following == Some('=') => (Token::Op(Op::NotEqual), 2),
            '<' if following == Some('>') => {
                return Err(wrong(text, at, "`<>` is not a comparison").help("write `!=`"));
            }
            '<' if following == Some('=') => (Token::Op(Op::LessOrEqual), 2),
            '<' => (Token::Op(Op::Less), 1),
            '>' if following == Some('=') => (Token::Op(Op::GreaterOrEqual), 2),
            '>' => (Token::Op(Op::Greater), 1),
            '\'' | '"' => {
                let mut inner = String::new();
                let mut end = i + 1;
                loop {
                    match (characters.get(end), characters.get(end + 1)) {
                        (None, _) => {
                            return Err(wrong(text, at, format!("this {c} is not closed")));
                        }
                        (Some(q), Some(r)) if *q == c && *r == c => {
                            inner.push(c);
                            end += 2;
                        }
                        (Some(q), _) if *q == c => break,
                        (Some(other), _) => {
                            inner.push(*other);
                            end += 1;
                        }
                    }
                }
                let token = if c == '"' {
                    Token::Name(inner)
                } else {
                    Token::Text(inner)
                };
                (token, end + 1 - i)
            }
            c if word_start(c) => {
                let length = characters[i..]
                    .iter()
                    .take_while(|c| word_part(**c))
                    .count();
                (
                    Token::Word(characters[i..i + length].iter().collect()),
                    length,
                )
            }
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => {
                let length = 1 + characters[i + 1..]
                    .iter()
                    .take_while(|c| word_part(**c) || matches!(c, '-' | '+'))
                    .count();
                let written: String = characters[i..i + length].iter().collect();
                if number(&written).is_none() {
                    return Err(wrong(text, at, format!("`{written}` is not a number"))
                        .help(format!("text stands in single quotes: '{written}'")));
                }
                (Token::Number(written), length)
            }
            other => {
                return Err(wrong(
                    text,
                    at,
                    format!("`{}` has no meaning here", other.escape_debug()),
                ));
            }
        };
        found.push((token, at));
        i += length;
    }
    found.push((Token::End, characters.len() + 1));
    Ok(found)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token, usize)>,
    next: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens.get(self.next).map_or(&Token::End, |t| &t.0)
    }

    fn at(&self) -> usize {
        self.tokens
            .get(self.next)
            .or(self.tokens.last())
            .map_or(1, |t| t.1)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn expected(&self, what: &str) -> Error {
        wrong(
            self.text,
            self.at(),
            format!("expected {what}, found {}", self.peek()),
        )
    }

    /// Takes a keyword, if it is next.
    fn keyword(&mut self, keyword: &str) -> bool {
        let here = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(here);
        here
    }

    fn any(&mut self, depth: usize) -> Result<Expr> {
        let mut all = vec![self.all(depth)?];
        while self.keyword("or") {
            all.push(self.all(depth)?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Expr::Or(all)
        })
    }

    fn all(&mut self, depth: usize) -> Result<Expr> {
        let mut all = vec![self.one(depth)?];
        while self.keyword("and") {
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Expr::And(all)
        })
    }

    fn one(&mut self, depth: usize) -> Result<Expr> {
        if depth > DEEPEST {
            return Err(wrong(
                self.text,
                self.at(),
                format!("parentheses are nested deeper than {DEEPEST}"),
            ));
        }
        if self.keyword("not") {
            return Ok(Expr::Not(Box::new(self.one(depth + 1)?)));
        }
        if *self.peek() == Token::Open {
            self.take();
            let inner = self.any(depth + 1)?;
            return if self.take_close() {
                Ok(inner)
            } else {
                Err(self.expected("`)`, `and` or `or`"))
            };
        }
        let at = self.at();
        let name = match self.peek() {
            Token::Word(word) if !reserved(word) => word.clone(),
            Token::Name(name) => name.clone(),
            Token::Text(text) => {
                return Err(self
                    .expected("a column")
                    .help(format!("a column in quotes takes double ones: \"{text}\"")));
            }
            _ => return Err(self.expected("a column")),
        };
        self.next += 1;
        let column = Column { name, at };
        if self.keyword("not") {
            return if self.keyword("in") {
                Ok(Expr::Not(Box::new(Expr::In {
                    column,
                    values: self.list()?,
                })))
            } else {
                Err(self.expected("`in`"))
            };
        }
        if self.keyword("in") {
            return Ok(Expr::In {
                column,
                values: self.list()?,
            });
        }
        let Token::Op(op) = *self.peek() else {
            return Err(self.expected("a comparison (= != < <= > >= in)"));
        };
        self.next += 1;
        Ok(Expr::Compare {
            column,
            op,
            value: self.value()?,
        })
    }

    fn take_close(&mut self) -> bool {
        let here = *self.peek() == Token::Close;
        self.next += usize::from(here);
        here
    }

    fn list(&mut self) -> Result<Vec<Value>> {
        if *self.peek() != Token::Open {
            return Err(self.expected("`(` and a list of values"));
        }
        self.take();
        let mut values = vec![self.value()?];
        while *self.peek() == Token::Comma {
            self.take();
            values.push(self.value()?);
        }
        if self.take_close() {
            Ok(values)
        } else {
            Err(self.expected("`,` or `)`"))
        }
    }

    fn value(&mut self) -> Result<Value> {
        let value = match self.peek() {
            Token::Text(text) => Value {
                text: text.clone(),
                quoted: true,
            },
            Token::Number(text) => Value {
                text: text.clone(),
                quoted: false,
            },
            Token::Word(text) | Token::Name(text) => {
                let help = format!(
                    "text stands in single quotes: '{}'",
                    text.replace('\'', "''")
                );
                return Err(self.expected("a value").help(help));
            }
            _ => return Err(self.expected("a value")),
        };
        self.next += 1;
        Ok(value)
    }
}

fn reserved(word: &str) -> bool {
    ["and", "or", "not", "in"]
        .iter()
        .any(|k| word.eq_ignore_ascii_case(k))
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.name.starts_with(word_start)
            && self.name.chars().all(word_part)
            && !reserved(&self.name);
        if plain {
            f.write_str(&self.name)
        } else {
            write!(f, "\"{}\"", self.name.replace('"', "\"\""))
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            write!(f, "'{}'", self.text.replace('\'', "''"))
        } else {
            f.write_str(&self.text)
        }
    }
}

impl fmt::Display for Expr {
    /// The expression in a form that [`Expr::parse`] reads as the same one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, all: &[Self], word: &str| {
            for (i, inner) in all.iter().enumerate() {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                match inner {
                    Self::And(_) | Self::Or(_) => write!(f, "({inner})")?,
                    _ => write!(f, "{inner}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::Compare { column, op, value } => write!(f, "{column} {} {value}", op.sign()),
            Self::In { column, values } => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "{column} in ({})", values.join(", "))
            }
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::And(all) => join(f, all, "and"),
            Self::Or(all) => join(f, all, "or"),
        }
    }
}
