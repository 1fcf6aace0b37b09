//! One error for the whole program: a code, a place, a cause, a remedy.

use std::fmt;
use std::path::PathBuf;

use crate::codes::Code;

/// `Result` with transect's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong; callers match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The bytes do not follow the format that they claim.
    Format,
    /// A valid input uses a feature that transect does not have; it is never approximated in silence.
    Unsupported,
    /// A limit on size, memory or time would be passed.
    Limits,
    /// The operating system refused to read or write.
    Io,
    /// The caller asked for something that does not exist or does not fit.
    Usage,
    /// Two shapes that must agree do not.
    Shape,
    /// A number is missing, not finite or out of its range.
    Value,
    /// The user stopped the run.
    Interrupted,
}

/// Where an error is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub path: Option<PathBuf>,
    /// One-based line of a text file.
    pub line: Option<usize>,
    /// One-based column of a table, or character of an expression.
    pub column: Option<usize>,
    /// The image, as the manifest names it.
    pub image: Option<String>,
    /// Field of a specification or of a configuration, such as `inputs[0].axes`.
    pub field: Option<String>,
    /// Stage of the run.
    pub stage: Option<&'static str>,
}

/// An error that a user can act on.
#[derive(Debug, Clone)]
pub struct Error {
    /// The registered code; `transect explain` tells more about it.
    pub code: &'static Code,
    /// One line: what is wrong, with the values.
    pub message: String,
    /// Where it is.
    pub location: Box<Location>,
    /// Further facts, such as the columns that there are.
    pub notes: Vec<String>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Error {
    /// An error with a code and a message, nowhere in particular.
    pub fn new(code: &'static Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            location: Box::default(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        self.code.kind
    }

    /// The error without its code and place, on one line: what a table or a page keeps of it.
    pub fn sentence(&self) -> String {
        let mut text = self.message.clone();
        for part in self.notes.iter().chain(&self.help) {
            text.push_str("; ");
            text.push_str(part);
        }
        text
    }

    /// Adds the file, unless a file is already named.
    #[must_use]
    pub fn at(mut self, path: impl Into<PathBuf>) -> Self {
        if self.location.path.is_none() {
            self.location.path = Some(path.into());
        }
        self
    }

    /// Adds the one-based line, unless a line is already named.
    #[must_use]
    pub fn line(mut self, line: usize) -> Self {
        self.location.line.get_or_insert(line);
        self
    }

    /// Adds the one-based column, unless a column is already named.
    #[must_use]
    pub fn column(mut self, column: usize) -> Self {
        self.location.column.get_or_insert(column);
        self
    }

    /// Adds the image, unless an image is already named.
    #[must_use]
    pub fn image(mut self, image: impl Into<String>) -> Self {
        if self.location.image.is_none() {
            self.location.image = Some(image.into());
        }
        self
    }

    /// Adds the field, unless a field is already named.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        if self.location.field.is_none() {
            self.location.field = Some(field.into());
        }
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Error {
    /// The form that users see:
    ///
    /// ```text
    /// error[T012]: unknown column `scaner` given as --domain
    ///   --> manifest.csv:1, column 4
    ///   = columns here: image, mask, scanner, site
    ///   = help: did you mean `scanner`?
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code.id, self.message)?;
        let place = &self.location;
        let mut parts: Vec<String> = Vec::new();
        match (&place.path, place.line) {
            (Some(path), Some(line)) => parts.push(format!("{}:{line}", path.display())),
            (Some(path), None) => parts.push(path.display().to_string()),
            (None, Some(line)) => parts.push(format!("line {line}")),
            (None, None) => {}
        }
        if let Some(column) = place.column {
            parts.push(format!("column {column}"));
        }
        if let Some(field) = &place.field {
            parts.push(format!("field `{field}`"));
        }
        if let Some(image) = &place.image {
            parts.push(format!("image {image}"));
        }
        if let Some(stage) = place.stage {
            parts.push(format!("stage {stage}"));
        }
        if !parts.is_empty() {
            write!(f, "\n  --> {}", parts.join(", "))?;
        }
        for note in &self.notes {
            write!(f, "\n  = {note}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// All errors that a check found; a bad manifest, configuration or model lists them all before the first image.
#[derive(Debug, Clone, Default)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// No error yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// `Ok(value)` where nothing was wrong.
    ///
    /// # Errors
    /// Everything that was pushed.
    pub fn or<T>(self, value: T) -> std::result::Result<T, Self> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                write!(f, "\n\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
