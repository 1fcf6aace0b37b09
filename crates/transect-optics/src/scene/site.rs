//! Camera sites: photographs from one place again and again, with animals that come and go.
//!
//! What a site looks like (horizon, trees, grass, its colours) depends on the site alone; light, animals and the camera's noise on the
//! visit. A model that knows the site knows the background, not the animal.

use transect_core::{Dtype, Image, LabelImage, Stream};

use crate::blur::gaussian;

/// What walks past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Species {
    /// Tall, brown, long neck and legs.
    Deer,
    /// Low, dark, short legs, a long snout.
    Boar,
    /// Small, grey-brown, upright ears.
    Hare,
}

impl Species {
    /// Every species; a class number is the place in this list.
    pub const ALL: [Self; 3] = [Self::Deer, Self::Boar, Self::Hare];
}

/// A camera at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Site {
    /// Which site: its background is drawn from this and the seed.
    pub number: u64,
    /// Height of an image, pixels.
    pub rows: usize,
    /// Width of an image, pixels.
    pub columns: usize,
    /// Animals in a picture with animals, on average over 1.
    pub more: f64,
    /// Share of pictures without any animal.
    pub empty: f64,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            number: 0,
            rows: 144,
            columns: 192,
            more: 0.5,
            empty: 0.3,
        }
    }
}

/// One picture and its truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Visit {
    /// Red, green and blue, 8 bits.
    pub image: Image,
    /// Visible pixels of each animal, 1, 2, … in the order of [`Visit::animals`]; one that is wholly hidden has none.
    pub labels: LabelImage,
    /// The species of each animal.
    pub animals: Vec<Species>,
}

/// Light in red, green and blue, row by row, with labels.
struct Canvas {
    rows: usize,
    columns: usize,
    light: [Vec<f32>; 3],
    labels: Vec<u32>,
}

impl Canvas {
    /// Covers the pixels where `inside` (in pixels, over 0 within) is over −½ with a colour, by the share that is covered; `texture`
    /// is multiplied in.
    fn cover(
        &mut self,
        (top, left, bottom, right): (f64, f64, f64, f64),
        colour: [f32; 3],
        texture: &[f32],
        label: u32,
        inside: impl Fn(f64, f64) -> f64,
    ) {
        let span = |low: f64, high: f64, n: usize| {
            let low = (low - 1.0).max(0.0) as usize;
            low.min(n)..((high + 2.0).max(0.0) as usize).min(n)
        };
        for row in span(top, bottom, self.rows) {
            for column in span(left, right, self.columns) {
                let share = (inside(row as f64, column as f64) + 0.5).clamp(0.0, 1.0) as f32;
                if share <= 0.0 {
                    continue;
                }
                let at = row * self.columns + column;
                for (plane, colour) in self.light.iter_mut().zip(colour) {
                    plane[at] += share * (colour * texture[at] - plane[at]);
                }
                if share >= 0.5 {
                    self.labels[at] = label;
                }
            }
        }
    }

    /// An ellipse at (row, column) with half axes, turned by an angle.
    fn ellipse(
        &mut self,
        (row, column): (f64, f64),
        (along, across): (f64, f64),
        turn: f64,
        colour: [f32; 3],
        texture: &[f32],
        label: u32,
    ) {
        let reach = along.max(across);
        let (sin, cos) = turn.sin_cos();
        self.cover(
            (row - reach, column - reach, row + reach, column + reach),
            colour,
            texture,
            label,
            |r, c| {
                let (y, x) = (r - row, c - column);
                let (u, v) = (x * cos + y * sin, y * cos - x * sin);
                (1.0 - (u / along).hypot(v / across)) * along.min(across)
            },
        );
    }
}

/// Correlated noise with mean 1 and this spread, by (rows, columns) of correlation.
fn texture(
    stream: &mut Stream,
    rows: usize,
    columns: usize,
    sigma: (f64, f64),
    spread: f64,
) -> Vec<f32> {
    let mut plane: Vec<f32> = (0..rows * columns)
        .map(|_| stream.normal() as f32)
        .collect();
    gaussian(&mut plane, rows, columns, sigma.0, sigma.1);
    let n = plane.len() as f32;
    let sd = (plane.iter().map(|v| v * v).sum::<f32>() / n)
        .sqrt()
        .max(1e-6);
    plane
        .iter()
        .map(|v| (1.0 + spread as f32 * v / sd).max(0.2))
        .collect()
}

/// Something that stands on the ground.
enum Standing {
    Trunk {
        column: f64,
        width: f64,
        lean: f64,
    },
    Animal {
        species: Species,
        column: f64,
        faces: f64,
        label: u32,
    },
}

/// Visit `index` of a site under a seed. The same arguments give the same bits.
///
/// # Panics
/// When the site has no pixels.
pub fn visit(site: &Site, seed: u64, index: u64) -> Visit {
    let (rows, columns) = (site.rows, site.columns);
    let (height, width) = (rows as f64, columns as f64);
    let number = site.number.to_le_bytes();
    let mut place = Stream::new(seed, "optics/site/place", &[&number]);
    let mut moment = Stream::new(seed, "optics/site/visit", &[&number, &index.to_le_bytes()]);

    let horizon = height * (0.28 + 0.14 * place.uniform());
    let (green, dry) = (0.8 + 0.4 * place.uniform(), 0.4 * place.uniform());
    let fine = texture(&mut place, rows, columns, (0.9, 0.6), 0.16);
    let broad = texture(&mut place, rows, columns, (3.0, 9.0), 0.14);
    let bark = texture(&mut place, rows, columns, (6.0, 0.7), 0.2);
    let crowns = texture(&mut place, rows, columns, (2.5, 3.0), 0.3);
    let mut canvas = Canvas {
        rows,
        columns,
        light: std::array::from_fn(|_| vec![0.0; rows * columns]),
        labels: vec![0; rows * columns],
    };
    // Sky, the far wood, and grass that gets coarser towards the camera.
    let edge: Vec<f64> = (0..columns)
        .map(|c| horizon * (0.45 + 0.35 * f64::from(crowns[c] - 1.0)))
        .collect();
    for row in 0..rows {
        let down = row as f64;
        for (column, &edge) in edge.iter().enumerate() {
            let at = row * columns + column;
            let colour: [f64; 3] = if down < edge {
                let t = down / horizon;
                [0.62 + 0.2 * t, 0.72 + 0.14 * t, 0.86 + 0.06 * t]
            } else if down < horizon {
                let leaf = f64::from(crowns[at]);
                [0.16 * leaf, 0.26 * green * leaf, 0.13 * leaf]
            } else {
                let near = (down - horizon) / (height - horizon);
                let blade = f64::from(fine[at]).powf(0.5 + near) * f64::from(broad[at]);
                [
                    (0.30 + 0.3 * dry) * blade,
                    (0.40 * green) * blade,
                    (0.17 + 0.1 * dry) * blade,
                ]
            };
            for (plane, value) in canvas.light.iter_mut().zip(colour) {
                plane[at] = value as f32;
            }
        }
    }
    // Trees belong to the place, animals to the moment; what stands nearer covers what stands farther.
    let mut standing: Vec<(f64, Standing)> = Vec::new();
    for _ in 0..2 + place.below(3) {
        let near = 0.05 + 0.75 * place.uniform();
        let trunk = Standing::Trunk {
            column: width * place.uniform(),
            width: width * (0.012 + 0.045 * near) * (0.8 + 0.5 * place.uniform()),
            lean: 0.12 * (place.uniform() - 0.5),
        };
        standing.push((near, trunk));
    }
    let mut animals = Vec::new();
    if moment.uniform() >= site.empty {
        let count = 1 + moment.poisson(site.more) as usize;
        // A herd is of one species.
        let species = Species::ALL[moment.below(Species::ALL.len())];
        for label in 1..=count.min(8) as u32 {
            let animal = Standing::Animal {
                species,
                column: width * (0.1 + 0.8 * moment.uniform()),
                faces: if moment.uniform() < 0.5 { 1.0 } else { -1.0 },
                label,
            };
            standing.push((0.15 + 0.7 * moment.uniform(), animal));
            animals.push(species);
        }
    }
    standing.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (near, what) in &standing {
        let ground = horizon + near * (height - horizon);
        match *what {
            Standing::Trunk {
                column,
                width,
                lean,
            } => {
                let reach = width + lean.abs() * ground;
                canvas.cover(
                    (0.0, column - reach, ground, column + reach),
                    [0.24, 0.19, 0.15],
                    &bark,
                    0,
                    |r, c| {
                        let flare = 1.0 + 0.5 * (-(ground - r) / (0.05 * height)).exp();
                        let aside = (c - column - lean * (ground - r)).abs();
                        (0.5 * width * flare - aside).min(ground - r)
                    },
                );
            }
            Standing::Animal {
                species,
                column,
                faces,
                label,
            } => {
                let size = height * (0.10 + 0.30 * near);
                draw(
                    &mut canvas,
                    species,
                    (ground, column),
                    size,
                    faces,
                    &fine,
                    label,
                );
            }
        }
    }
    Visit {
        image: photograph(canvas.light, rows, columns, &mut moment),
        labels: match LabelImage::new(rows, columns, canvas.labels) {
            Ok(labels) => labels,
            Err(error) => panic!("a site has pixels: {error}"),
        },
        animals,
    }
}

/// An animal whose feet are at (row, column), a deer `size` pixels high at the shoulder.
fn draw(
    canvas: &mut Canvas,
    species: Species,
    (ground, column): (f64, f64),
    size: f64,
    faces: f64,
    coat: &[f32],
    label: u32,
) {
    // In shares of the size: length and depth of the body, legs, the head's place from the middle of the body and its size, colour.
    let (long, deep, legs, head, skull, colour) = match species {
        Species::Deer => (
            0.52,
            0.20,
            0.55,
            (0.62, 0.52),
            (0.16, 0.085),
            [0.46, 0.30, 0.17],
        ),
        Species::Boar => (
            0.46,
            0.24,
            0.22,
            (0.52, 0.02),
            (0.23, 0.12),
            [0.17, 0.14, 0.12],
        ),
        Species::Hare => (
            0.22,
            0.13,
            0.08,
            (0.22, 0.16),
            (0.10, 0.08),
            [0.42, 0.36, 0.28],
        ),
    };
    let back = ground - size * (legs + deep);
    let dark = colour.map(|c| 0.75 * c);
    let at = |x: f64, up: f64| (back - size * up, column + faces * size * x);
    for (x, shade) in [(-0.75, dark), (-0.6, colour), (0.6, dark), (0.75, colour)] {
        let foot = column + faces * size * long * x;
        let half = (0.028 * size * (0.5 + deep * 2.0)).max(0.5);
        canvas.cover(
            (back, foot - half, ground, foot + half),
            shade,
            coat,
            label,
            |r, c| (half - (c - foot).abs()).min(ground - r).min(r - back),
        );
    }
    canvas.ellipse(
        at(0.0, 0.0),
        (size * long, size * deep),
        0.0,
        colour,
        coat,
        label,
    );
    // The neck reaches from the shoulder to the head.
    let shoulder = (0.7 * long, 0.3 * deep);
    let (dx, dy) = (head.0 - shoulder.0, head.1 - shoulder.1);
    canvas.ellipse(
        at(0.5 * (head.0 + shoulder.0), 0.5 * (head.1 + shoulder.1)),
        (size * (0.55 * dx.hypot(dy) + 0.04), size * 0.45 * deep),
        -(faces * dy).atan2(faces * dx * faces),
        colour,
        coat,
        label,
    );
    let nose = (head.0 + 0.5 * skull.0, head.1 - 0.2 * skull.1);
    canvas.ellipse(
        at(nose.0, nose.1),
        (size * skull.0, size * skull.1),
        faces * 0.35,
        colour,
        coat,
        label,
    );
    let ear = match species {
        Species::Hare => (0.13, 0.03, 1.35),
        Species::Deer => (0.09, 0.03, 0.8),
        Species::Boar => (0.07, 0.035, 1.0),
    };
    for side in [-0.25, 0.25] {
        let turn: f64 = ear.2 + side;
        canvas.ellipse(
            at(
                head.0 - 0.2 * skull.0 - ear.0 * turn.cos() * 0.7,
                head.1 + skull.1 * 0.7 + ear.0 * turn.sin() * 0.7,
            ),
            (size * ear.0, (size * ear.1).max(0.5)),
            faces * turn,
            dark,
            coat,
            label,
        );
    }
}

/// Daylight of the moment, the lens and the camera.
fn photograph(light: [Vec<f32>; 3], rows: usize, columns: usize, moment: &mut Stream) -> Image {
    const PHOTONS: f64 = 4000.0;
    const READ: f64 = 4.0;
    let brightness = 0.85 + 0.35 * moment.uniform();
    let warm = 0.06 * moment.normal();
    let tint = [
        brightness * warm.exp(),
        brightness,
        brightness * (-warm).exp(),
    ];
    let mut samples = Vec::with_capacity(3 * rows * columns);
    for (mut plane, tint) in light.into_iter().zip(tint) {
        gaussian(&mut plane, rows, columns, 0.55, 0.55);
        samples.extend(plane.iter().map(|&v| {
            let photons = PHOTONS * tint * f64::from(v);
            let seen = (moment.poisson(photons) + READ * moment.normal()) / PHOTONS;
            // A camera's tone curve.
            (255.0 * seen.max(0.0).powf(1.0 / 1.8))
                .round_ties_even()
                .min(255.0) as f32
        }));
    }
    let mut image = match Image::new([3, 1, rows, columns], samples, Dtype::Uint8) {
        Ok(image) => image,
        Err(error) => panic!("a site has pixels: {error}"),
    };
    image.rgb = true;
    image
}
