//! What lies on the slide, in micrometres: the same for every laboratory that prepares it alike.

use std::f64::consts::{PI, TAU};

use transect_core::Stream;

use super::laboratory::{Laboratory, Staining};

/// A closed outline about a centre: an ellipse with waves on its edge.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(super) y: f64,
    pub(super) x: f64,
    /// Half axes.
    long: f64,
    short: f64,
    sin: f64,
    cos: f64,
    /// Amplitude and phase of the waves with 2, 3, 4, … periods.
    waves: Vec<(f64, f64)>,
}

impl Outline {
    fn new(
        y: f64,
        x: f64,
        radius: f64,
        elongation: f64,
        roughness: f64,
        stream: &mut Stream,
    ) -> Self {
        let (sin, cos) = (PI * stream.uniform()).sin_cos();
        let waves = (2..6)
            .map(|k| {
                (
                    roughness * stream.normal() / f64::from(k),
                    TAU * stream.uniform(),
                )
            })
            .collect();
        let stretch = elongation.sqrt();
        Self {
            y,
            x,
            long: radius * stretch,
            short: radius / stretch,
            sin,
            cos,
            waves,
        }
    }

    /// Distance from the centre as a share of the distance of the edge in that direction: under 1 is inside.
    pub(super) fn at(&self, y: f64, x: f64) -> f64 {
        let (dy, dx) = (y - self.y, x - self.x);
        let u = (self.cos * dx + self.sin * dy) / self.long;
        let v = (self.cos * dy - self.sin * dx) / self.short;
        let angle = v.atan2(u);
        let edge = self
            .waves
            .iter()
            .zip(2_u8..)
            .fold(1.0, |edge, (&(amplitude, phase), k)| {
                edge + amplitude * (f64::from(k) * angle + phase).cos()
            });
        u.hypot(v) / edge.max(0.3)
    }

    /// No point of it is further from the centre.
    pub(super) fn reach(&self) -> f64 {
        self.long.max(self.short) * (1.0 + self.waves.iter().map(|w| w.0.abs()).sum::<f64>())
    }
}

/// A texture: a sum of plane waves, of variance 1.
#[derive(Debug, Clone)]
pub(super) struct Texture {
    waves: Vec<(f64, f64, f64)>,
    scale: f64,
}

impl Texture {
    /// With wavelengths between `fine` and `coarse` µm.
    pub(super) fn new(count: usize, fine: f64, coarse: f64, stream: &mut Stream) -> Self {
        let waves = (0..count)
            .map(|_| {
                let frequency = TAU / (fine * (coarse / fine).powf(stream.uniform()));
                let (sin, cos) = (TAU * stream.uniform()).sin_cos();
                (frequency * sin, frequency * cos, TAU * stream.uniform())
            })
            .collect();
        Self {
            waves,
            scale: (2.0 / count as f64).sqrt(),
        }
    }

    /// Writes its values along a line of equal steps in x. One cosine for each wave, then rotations.
    pub(super) fn line(&self, y: f64, x: f64, step: f64, out: &mut [f64]) {
        out.fill(0.0);
        for &(ky, kx, phase) in &self.waves {
            let (mut sin, mut cos) = (ky * y + kx * x + phase).sin_cos();
            let (turn_sin, turn_cos) = (kx * step).sin_cos();
            for value in out.iter_mut() {
                *value += self.scale * cos;
                (sin, cos) = (
                    sin * turn_cos + cos * turn_sin,
                    cos * turn_cos - sin * turn_sin,
                );
            }
        }
    }

    pub(super) fn at(&self, y: f64, x: f64) -> f64 {
        self.scale
            * self
                .waves
                .iter()
                .map(|&(ky, kx, phase)| (ky * y + kx * x + phase).cos())
                .sum::<f64>()
    }
}

/// A cell with its nucleus.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Pieces of the nucleus: one, or the lobes of a granulocyte; none for a red cell.
    pub(super) nucleus: Vec<Outline>,
    pub(super) body: Outline,
    /// Brightness or amount of stain; 1 is typical.
    pub(super) amount: f64,
    pub(super) chromatin: Texture,
    /// Places and radii of nucleoli.
    pub(super) nucleoli: Vec<(f64, f64, f64)>,
}

impl Cell {
    /// As [`Outline::at`], of the nearest piece of the nucleus; infinite where there is none.
    pub(super) fn nucleus_at(&self, y: f64, x: f64) -> f64 {
        self.nucleus
            .iter()
            .map(|piece| piece.at(y, x))
            .fold(f64::INFINITY, f64::min)
    }
}

/// What is not a cell.
#[derive(Debug, Clone)]
pub(super) struct Debris {
    pub(super) y: f64,
    pub(super) x: f64,
    /// Standard deviation of its blob, µm.
    pub(super) size: f64,
    pub(super) amount: f64,
}

/// A piece of the slide about (0, 0).
#[derive(Debug, Clone)]
pub(super) struct Specimen {
    pub(super) cells: Vec<Cell>,
    pub(super) debris: Vec<Debris>,
}

impl Specimen {
    /// Lays out the specimen of (seed, index).
    pub(super) fn new(laboratory: &Laboratory, seed: u64, index: u64) -> Self {
        let key = index.to_le_bytes();
        let mut stream = Stream::new(seed, "optics/scene/specimen", &[&key]);
        // A square that holds the field, in steps, so that laboratories with nearly the same field see the same cells.
        let field = laboratory.pixel_size_um * laboratory.rows.max(laboratory.columns) as f64;
        let side = ((field + 30.0) / 100.0).ceil() * 100.0;
        let area_mm2 = side * side * 1e-6;
        let crowding = (0.45 * stream.normal()).exp().clamp(0.35, 2.2);
        let wanted = stream.poisson(laboratory.nuclei_per_mm2 * area_mm2 * crowding) as usize;
        let mut cells: Vec<Cell> = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            for _attempt in 0..40 {
                let radius =
                    0.5 * laboratory.nucleus_um * (0.16 * stream.normal()).exp().clamp(0.6, 1.6);
                let beside = !cells.is_empty() && stream.uniform() < laboratory.touching;
                let (y, x) = if beside {
                    let other = &cells[stream.below(cells.len())].nucleus[0];
                    let apart = (radius + (other.long * other.short).sqrt())
                        * (0.86 + 0.12 * stream.uniform());
                    let (sin, cos) = (TAU * stream.uniform()).sin_cos();
                    (other.y + apart * sin, other.x + apart * cos)
                } else {
                    (
                        side * (stream.uniform() - 0.5),
                        side * (stream.uniform() - 0.5),
                    )
                };
                let room = match laboratory.staining {
                    Staining::Smear => 2.2,
                    _ if beside => 0.82,
                    _ => 1.15,
                };
                let free = cells.iter().all(|cell| {
                    let n = &cell.nucleus[0];
                    (n.y - y).hypot(n.x - x) >= room * (radius + (n.long * n.short).sqrt())
                });
                if free {
                    cells.push(cell(laboratory.staining, y, x, radius, &mut stream));
                    break;
                }
            }
        }
        if laboratory.staining == Staining::Smear {
            red_cells(&mut cells, side, &mut stream);
        }
        let specks = stream.poisson(laboratory.debris_per_mm2 * area_mm2) as usize;
        let debris = (0..specks)
            .map(|_| {
                let soft = stream.uniform() < 0.5;
                let size = if soft {
                    3.0 + 4.0 * stream.uniform()
                } else {
                    0.3 + 0.5 * stream.uniform()
                };
                let amount = if soft {
                    0.08 + 0.2 * stream.uniform()
                } else {
                    0.4 + 0.8 * stream.uniform()
                };
                Debris {
                    y: side * (stream.uniform() - 0.5),
                    x: side * (stream.uniform() - 0.5),
                    size,
                    amount,
                }
            })
            .collect();
        Self { cells, debris }
    }
}

fn cell(staining: Staining, y: f64, x: f64, radius: f64, stream: &mut Stream) -> Cell {
    // Some nuclei in tissue are spindles.
    let spindle = staining == Staining::Tissue && stream.uniform() < 0.25;
    let elongation = if spindle {
        2.0 + stream.uniform()
    } else {
        1.0 + 0.45 * stream.uniform()
    };
    // One in twenty is condensed: small and bright, as a dividing or dying cell.
    let condensed = stream.uniform() < 0.05;
    let (radius, amount) = if condensed {
        (0.7 * radius, 1.7)
    } else {
        (radius, (0.25 * stream.normal()).exp().clamp(0.45, 1.7))
    };
    let nucleus = if staining == Staining::Smear {
        lobes(y, x, radius, stream)
    } else {
        vec![Outline::new(y, x, radius, elongation, 0.05, stream)]
    };
    let body_radius = match staining {
        Staining::Smear => radius * (1.45 + 0.15 * stream.uniform()),
        _ => radius * (1.7 + 0.7 * stream.uniform()),
    };
    let roughness = if staining == Staining::Smear {
        0.03
    } else {
        0.1
    };
    let body = Outline::new(y, x, body_radius, elongation.sqrt(), roughness, stream);
    let chromatin = Texture::new(20, 1.3, 5.0, stream);
    let nucleoli = (0..stream.below(4))
        .map(|_| {
            let (sin, cos) = (TAU * stream.uniform()).sin_cos();
            let away = 0.6 * radius * stream.uniform().sqrt();
            (
                y + away * sin,
                x + away * cos,
                0.12 * radius * (1.0 + stream.uniform()),
            )
        })
        .collect();
    Cell {
        nucleus,
        body,
        amount,
        chromatin,
        nucleoli,
    }
}

/// The nucleus of a white cell: round, or two to four lobes in an arc.
fn lobes(y: f64, x: f64, radius: f64, stream: &mut Stream) -> Vec<Outline> {
    if stream.uniform() < 0.35 {
        return vec![Outline::new(y, x, radius, 1.1, 0.04, stream)];
    }
    let count = 2 + stream.below(3);
    let start = TAU * stream.uniform();
    let arc = 1.15;
    (0..count)
        .map(|i| {
            let (sin, cos) = (start + arc * i as f64).sin_cos();
            let away = 0.55 * radius;
            let elongation = 1.1 + 0.3 * stream.uniform();
            Outline::new(
                y + away * sin,
                x + away * cos,
                0.5 * radius,
                elongation,
                0.05,
                stream,
            )
        })
        .collect()
}

/// Fills the free places with red cells.
fn red_cells(cells: &mut Vec<Cell>, side: f64, stream: &mut Stream) {
    let wanted = (side * side / 95.0) as usize;
    for _ in 0..wanted {
        let radius = 3.7 * (0.05 * stream.normal()).exp();
        let (y, x) = (
            side * (stream.uniform() - 0.5),
            side * (stream.uniform() - 0.5),
        );
        let free = cells.iter().all(|cell| {
            let other = (cell.body.long * cell.body.short).sqrt();
            (cell.body.y - y).hypot(cell.body.x - x) >= 0.97 * (radius + other)
        });
        if free {
            let body = Outline::new(y, x, radius, 1.0 + 0.12 * stream.uniform(), 0.02, stream);
            let amount = (0.12 * stream.normal()).exp();
            let chromatin = Texture {
                waves: Vec::new(),
                scale: 0.0,
            };
            cells.push(Cell {
                nucleus: Vec::new(),
                body,
                amount,
                chromatin,
                nucleoli: Vec::new(),
            });
        }
    }
}
