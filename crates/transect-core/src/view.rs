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
    /// Something taken away from the image (its object, its border, fine or coarse structure, channels); the truth stays.
    /// Stage 1, but for `channels_kept`.
    Ablation,
    /// An image without objects, made from this one; the truth is that there is nothing. Stage 1.
    Surrogate,
    /// The image itself, with a part of its embedding exchanged for a donor's inside the model. Stage 2.
    Subspace,
    /// The worst view that a seeded search finds within a stated reach and number of forward passes. Stage 2.
    Search,
}

impl ViewKind {
    /// As written in tables and ids: `identity`, `corruption`, `swap`, ….
    pub fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Corruption => "corruption",
            Self::Swap => "swap",
            Self::Ablation => "ablation",
            Self::Surrogate => "surrogate",
            Self::Subspace => "subspace",
            Self::Search => "search",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Identity,
            Self::Corruption,
            Self::Swap,
            Self::Ablation,
            Self::Surrogate,
            Self::Subspace,
            Self::Search,
        ]
        .into_iter()
        .find(|kind| kind.word() == word)
    }
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

/// Swaps that measure what a swap does by itself or what a model reads; no trait of acquisition, so no part of a harm.
pub const CONTROLS: &[(&str, &str)] = &[
    (
        "style_random",
        "mean and spread of each channel moved as far as the donor of the pool would move them, in a random direction",
    ),
    (
        "channels",
        "mean and spread of the channels of one group (`value`) moved to those of the donor; see [`channel_group`]",
    ),
];

/// What an ablation takes away, and what it leaves.
pub const ABLATIONS: &[(&str, &str)] = &[
    (
        "object_filled",
        "objects of the truth filled from their surroundings",
    ),
    (
        "object_only",
        "everything but the objects of the truth set to the mean around them",
    ),
    (
        "border_only",
        "the inner part, three quarters of the area, set to the mean of the rest",
    ),
    (
        "centre_only",
        "the outer part, three quarters of the area, set to its mean",
    ),
    (
        "low_pass",
        "fine structure blurred away; the value is the blur's standard deviation in px",
    ),
    (
        "high_pass",
        "coarse structure taken away, the mean kept; the value is the blur's standard deviation in px",
    ),
    (
        "phase_scrambled",
        "the phases of the Fourier transform drawn at random, one draw for all channels; the power spectrum stays",
    ),
    (
        "patch_shuffled",
        "squares put in random order; the value is the number of squares a side",
    ),
    (
        "pixel_shuffled",
        "pixels put in random order, the same for all channels: spectra stay, space goes",
    ),
    (
        "channel_shuffled",
        "channels put in random order, the same for the whole run: space stays, spectra go",
    ),
    (
        "channels_mean",
        "the channels of one group (the value) set to their own means; see [`channel_group`]",
    ),
    (
        "channels_kept",
        "all groups of channels but the most used ones (the value says how many) set to their own means; stage 2",
    ),
    ("blank", "every channel set to its own mean"),
];

/// Images without objects, and what each keeps of the image.
pub const SURROGATES: &[(&str, &str)] = &[
    (
        "empty_field",
        "the background level and its unevenness, with noise as the camera makes it there",
    ),
    (
        "noise_only",
        "the mean level with noise as the camera makes it",
    ),
    ("phase_scrambled", "the power spectrum, with random phases"),
    (
        "defocused_blank",
        "the image far out of focus, with noise as the camera makes it",
    ),
];

/// Searches for the worst case, and within what each moves.
pub const SEARCHES: &[(&str, &str)] = &[
    (
        "natural",
        "gain, offset, focus, noise and colour, within the value in standard deviations of the reference's own variation",
    ),
    (
        "natural_random",
        "the control of `natural`: the worst of as many random draws from the same box",
    ),
    (
        "patch",
        "one mark over at most the value as a share of the area; where and how it looks are searched",
    ),
    (
        "linf",
        "every sample by at most the value, as a share of full scale (Square attack)",
    ),
    (
        "linf_random",
        "the control of `linf`: the worst of as many draws of random noise of the same size",
    ),
];

/// Most groups that channels are put in.
pub const CHANNEL_GROUPS: u32 = 8;

/// The channels of one group: channels are cut into [`CHANNEL_GROUPS`] runs of neighbours, as equal as they come; with fewer
/// channels than that each is a group of its own. Empty beyond the last group.
pub fn channel_group(channels: u32, group: u32) -> std::ops::Range<u32> {
    let groups = channels.min(CHANNEL_GROUPS);
    if group >= groups {
        return 0..0;
    }
    group * channels / groups..(group + 1) * channels / groups
}

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
    /// Forward passes that a search may make; 1 for all other views.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub budget: u32,
}

fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_one(budget: &u32) -> bool {
    *budget == 1
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
            budget: 1,
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

    /// A view of this kind and name, with nothing else said.
    pub fn of(kind: ViewKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            ..Self::identity()
        }
    }

    /// The same with a physical parameter.
    #[must_use]
    pub fn with(mut self, parameter: &str, value: f64, unit: &str) -> Self {
        parameter.clone_into(&mut self.parameter);
        self.value = value;
        unit.clone_into(&mut self.unit);
        self
    }

    /// The key of the view in every table: `identity`, `defocus:3`, `swap:style:target:0`, `swap:channels=2:target:0`,
    /// `ablation:blank`, `ablation:patch_shuffled=4`, `search:linf=0.01`; with the replicate behind where there are several.
    pub fn id(&self) -> String {
        match self.kind {
            ViewKind::Identity => "identity".to_owned(),
            ViewKind::Corruption if self.replicate == 0 => {
                format!("{}:{}", self.name, self.severity.get())
            }
            ViewKind::Corruption => {
                format!("{}:{}:{}", self.name, self.severity.get(), self.replicate)
            }
            ViewKind::Swap | ViewKind::Subspace => {
                format!(
                    "{}:{}{}:{}:{}",
                    self.kind.word(),
                    self.name,
                    self.value_words(),
                    self.pool.as_deref().unwrap_or_default(),
                    self.replicate
                )
            }
            ViewKind::Ablation | ViewKind::Surrogate | ViewKind::Search => {
                let replicate = match self.replicate {
                    0 => String::new(),
                    n => format!(":{n}"),
                };
                format!(
                    "{}:{}{}{replicate}",
                    self.kind.word(),
                    self.name,
                    self.value_words()
                )
            }
        }
    }

    /// `=4` where the view has a parameter, else nothing.
    fn value_words(&self) -> String {
        if self.parameter.is_empty() {
            String::new()
        } else {
            format!("={}", self.value)
        }
    }
}
