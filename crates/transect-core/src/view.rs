//! Views: what is shown to the model instead of, or beside, the image itself.

use serde::{Deserialize, Serialize};

/// How strong a corruption is: 0 is the identity to the bit, 1 to 5 grow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(try_from = "u8", into = "u8")]
pub struct Severity(u8);

impl Severity {
    /// The identity.
    pub const ZERO: Self = Self(0);

    /// The severities that change something, from weak to strong.
    pub const LADDER: [Self; 5] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// 0 to 5; `None` beyond.
    pub fn new(level: u8) -> Option<Self> {
        (level <= 5).then_some(Self(level))
    }

    /// 0 to 5.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Severity {
    type Error = String;
    fn try_from(level: u8) -> Result<Self, String> {
        Self::new(level).ok_or_else(|| format!("severity is 0 to 5, got {level}"))
    }
}

impl From<Severity> for u8 {
    fn from(severity: Severity) -> Self {
        severity.0
    }
}

/// What sort of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum ViewKind {
    /// The image itself.
    Identity,
    /// A seeded corruption with a physical parameter. Stage 1.
    Corruption,
    /// Some traits of the image moved to those of a donor from a pool. Stage 2.
    Swap,
}

/// The traits that a swap can move, and what each moves.
pub const TRAITS: &[(&str, &str)] = &[
    (
        "style",
        "mean and spread of each channel (stain, colour, brightness, contrast)",
    ),
    ("focus", "blur, by convolution; an image is never sharpened"),
    ("noise", "noise, by adding it; none is ever removed"),
    (
        "illumination",
        "slow variation of brightness over the field",
    ),
    ("magnification", "scale, by resampling"),
    (
        "all",
        "all of the above, in the order magnification, focus, illumination, style, noise",
    ),
];

/// A view, in full: everything that makes it again, but for the image, the run's seed and the fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// What sort.
    pub kind: ViewKind,
    /// Corruption (`defocus`) or trait (`style`); empty for the identity.
    pub name: String,
    /// Step on the corruption's ladder.
    pub severity: Severity,
    /// Physical parameter, such as `defocus`.
    pub parameter: String,
    /// Its value.
    pub value: f64,
    /// Its unit, such as `um`.
    pub unit: String,
    /// The pool of donors, for swaps.
    pub pool: Option<String>,
    /// Which repetition, for views with a random part or several donors.
    pub replicate: u32,
}

impl View {
    /// The image itself.
    pub fn identity() -> Self {
        Self {
            kind: ViewKind::Identity,
            name: String::new(),
            severity: Severity::ZERO,
            parameter: String::new(),
            value: 0.0,
            unit: String::new(),
            pool: None,
            replicate: 0,
        }
    }

    /// A corruption.
    pub fn corruption(
        name: &str,
        severity: Severity,
        parameter: &str,
        value: f64,
        unit: &str,
    ) -> Self {
        Self {
            kind: ViewKind::Corruption,
            name: name.to_owned(),
            severity,
            parameter: parameter.to_owned(),
            value,
            unit: unit.to_owned(),
            ..Self::identity()
        }
    }

    /// A trait moved to that of a donor from a pool.
    pub fn swap(trait_name: &str, pool: &str, replicate: u32) -> Self {
        Self {
            kind: ViewKind::Swap,
            name: trait_name.to_owned(),
            pool: Some(pool.to_owned()),
            replicate,
            ..Self::identity()
        }
    }

    /// The key of the view in every table: `identity`, `defocus:3`, `swap:style:target:0`.
    pub fn id(&self) -> String {
        match self.kind {
            ViewKind::Identity => "identity".to_owned(),
            ViewKind::Corruption if self.replicate == 0 => {
                format!("{}:{}", self.name, self.severity.get())
            }
            ViewKind::Corruption => {
                format!("{}:{}:{}", self.name, self.severity.get(), self.replicate)
            }
            ViewKind::Swap => {
                format!(
                    "swap:{}:{}:{}",
                    self.name,
                    self.pool.as_deref().unwrap_or_default(),
                    self.replicate
                )
            }
        }
    }
}
