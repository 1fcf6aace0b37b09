//! Light before the microscope, at several times the camera's resolution.

use transect_core::{LabelImage, Stream};

use super::laboratory::Laboratory;
use super::specimen::{Cell, Outline, Specimen, Texture};

/// Fine pixels along each side of a pixel.
pub(super) const FINE: usize = 3;

/// Light on a fine grid that reaches over the field on every side.
pub(super) struct Canvas {
    pub(super) light: Vec<f32>,
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Fine pixels around the field.
    pub(super) margin: usize,
}

/// Where the fine pixels are, µm from the middle of the field.
struct Grid {
    rows: usize,
    columns: usize,
    margin: usize,
    step: f64,
    /// Height and width of the field, µm.
    field: (f64, f64),
}

impl Grid {
    fn fine(laboratory: &Laboratory) -> Self {
        let step = laboratory.pixel_size_um / FINE as f64;
        let margin = (4.0 * laboratory.blur_um / step).ceil() as usize + FINE;
        Self::new(laboratory, FINE, margin)
    }

    fn new(laboratory: &Laboratory, fine: usize, margin: usize) -> Self {
        Self {
            rows: laboratory.rows * fine + 2 * margin,
            columns: laboratory.columns * fine + 2 * margin,
            margin,
            step: laboratory.pixel_size_um / fine as f64,
            field: (
                laboratory.pixel_size_um * laboratory.rows as f64,
                laboratory.pixel_size_um * laboratory.columns as f64,
            ),
        }
    }

    fn y(&self, row: usize) -> f64 {
        (row as f64 + 0.5) * self.step - 0.5 * self.rows as f64 * self.step
    }

    fn x(&self, column: usize) -> f64 {
        (column as f64 + 0.5) * self.step - 0.5 * self.columns as f64 * self.step
    }

    /// Calls `each(index, y, x)` for the pixels whose centres are within `reach` of a place.
    fn near(&self, y: f64, x: f64, reach: f64, mut each: impl FnMut(usize, f64, f64)) {
        let span = |at: f64, n: usize| {
            let middle = at / self.step + 0.5 * n as f64;
            let (low, high) = (
                middle - reach / self.step - 1.0,
                middle + reach / self.step + 1.0,
            );
            (low.max(0.0) as usize).min(n)..(high.max(0.0) as usize).min(n)
        };
        for row in span(y, self.rows) {
            let py = self.y(row);
            for column in span(x, self.columns) {
                let px = self.x(column);
                if (py - y).hypot(px - x) <= reach {
                    each(row * self.columns + column, py, px);
                }
            }
        }
    }

    fn outline(&self, outline: &Outline, mut each: impl FnMut(usize, f64, f64, f64)) {
        self.near(outline.y, outline.x, outline.reach(), |at, y, x| {
            let t = outline.at(y, x);
            if t < 1.0 {
                each(at, y, x, t);
            }
        });
    }

    fn canvas(&self, light: Vec<f32>) -> Canvas {
        Canvas {
            light,
            rows: self.rows,
            columns: self.columns,
            margin: self.margin,
        }
    }

    /// Multiplies by 1 − falloff × (distance/corner)², the brightest place a little off the middle.
    fn shade(&self, laboratory: &Laboratory, light: &mut [f32]) {
        let corner = (0.25 * (self.field.0.powi(2) + self.field.1.powi(2))).sqrt() * 1.15;
        let (oy, ox) = (0.08 * self.field.0, -0.1 * self.field.1);
        for (row, line) in light.chunks_exact_mut(self.columns).enumerate() {
            let dy = self.y(row) - oy;
            for (column, v) in line.iter_mut().enumerate() {
                let dx = self.x(column) - ox;
                let r2 = (dy * dy + dx * dx) / (corner * corner);
                *v = (f64::from(*v) * (1.0 - laboratory.falloff * r2).max(0.0)) as f32;
            }
        }
    }
}

/// Labels of nuclei and of cells, numbered by first pixel.
pub(super) fn truth(specimen: &Specimen, laboratory: &Laboratory) -> (LabelImage, LabelImage) {
    let grid = Grid::new(laboratory, 1, 0);
    let draw = |outlines: &dyn Fn(&Cell) -> Vec<Outline>| -> LabelImage {
        let mut depth = vec![1.0_f64; grid.rows * grid.columns];
        let mut labels = vec![0_u32; depth.len()];
        for (cell, label) in specimen.cells.iter().zip(1_u32..) {
            for outline in outlines(cell) {
                grid.outline(&outline, |at, _, _, t| {
                    if t < depth[at] {
                        depth[at] = t;
                        labels[at] = label;
                    }
                });
            }
        }
        let mut numbers = vec![0_u32; specimen.cells.len() + 1];
        let mut next = 1;
        for label in &mut labels {
            if *label != 0 {
                let number = &mut numbers[*label as usize];
                if *number == 0 {
                    *number = next;
                    next += 1;
                }
                *label = *number;
            }
        }
        match LabelImage::new(grid.rows, grid.columns, labels) {
            Ok(labels) => labels,
            Err(error) => panic!("a laboratory has pixels: {error}"),
        }
    };
    (
        draw(&|cell| cell.nucleus.clone()),
        draw(&|cell| {
            std::iter::once(cell.body.clone())
                .chain(cell.nucleus.iter().cloned())
                .collect()
        }),
    )
}

/// Amount of chromatin at a place of a nucleus: dome, texture, nucleoli.
fn chromatin(cell: &Cell, y: f64, x: f64, t: f64, contrast: f64) -> f64 {
    let dome = (1.0 - t.powi(6)).max(0.0).sqrt();
    let texture = (contrast * cell.chromatin.at(y, x)).exp();
    let holes = cell.nucleoli.iter().fold(1.0, |rest, &(ny, nx, r)| {
        let d2 = ((y - ny).powi(2) + (x - nx).powi(2)) / (r * r);
        rest * (1.0 - 0.55 * (-0.5 * d2).exp())
    });
    cell.amount * dome * texture * holes
}

/// Nuclei that glow, a faint glow of the cells about them, debris, background.
pub(super) fn fluorescence(
    specimen: &Specimen,
    laboratory: &Laboratory,
    seed: u64,
    index: u64,
) -> Vec<Canvas> {
    let grid = Grid::fine(laboratory);
    let key = index.to_le_bytes();
    let mut stream = Stream::new(seed, "optics/scene/background", &[&key]);
    let drift = Texture::new(6, 120.0, 400.0, &mut stream);
    let mut light = vec![0.0_f32; grid.rows * grid.columns];
    let mut drifts = vec![0.0; grid.columns];
    for (row, line) in light.chunks_exact_mut(grid.columns).enumerate() {
        drift.line(grid.y(row), grid.x(0), grid.step, &mut drifts);
        for (v, d) in line.iter_mut().zip(&drifts) {
            *v = (laboratory.background * (1.0 + 0.05 * d)) as f32;
        }
    }
    for cell in &specimen.cells {
        grid.outline(&cell.body, |at, _, _, t| {
            light[at] += (0.05 * cell.amount * (1.0 - t * t)) as f32;
        });
        for piece in &cell.nucleus {
            grid.outline(piece, |at, y, x, t| {
                light[at] += chromatin(cell, y, x, t, 0.22) as f32;
            });
        }
    }
    for speck in &specimen.debris {
        grid.near(speck.y, speck.x, 4.0 * speck.size, |at, y, x| {
            let d2 = ((y - speck.y).powi(2) + (x - speck.x).powi(2)) / (speck.size * speck.size);
            light[at] += (speck.amount * (-0.5 * d2).exp()) as f32;
        });
    }
    grid.shade(laboratory, &mut light);
    vec![grid.canvas(light)]
}

/// Unit vectors of optical density (red, green, blue) of a blue-purple nuclear stain and of a pink counterstain, turned in
/// hue as the laboratory's are.
fn stains(laboratory: &Laboratory, nuclear: [f64; 3], counter: [f64; 3]) -> [[f64; 3]; 2] {
    let (sin, cos) = laboratory.stain_hue_deg.to_radians().sin_cos();
    let (same, part) = (cos + (1.0 - cos) / 3.0, (1.0 - cos) / 3.0);
    let (next, last) = (part - sin / 3.0_f64.sqrt(), part + sin / 3.0_f64.sqrt());
    [nuclear, counter].map(|v| {
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        let [r, g, b] = v.map(|x| x / length);
        [
            same * r + next * g + last * b,
            last * r + same * g + next * b,
            next * r + last * g + same * b,
        ]
    })
}

/// Light through two stains, by Beer and Lambert.
fn absorb(
    grid: &Grid,
    laboratory: &Laboratory,
    vectors: &[[f64; 3]; 2],
    nuclear: &[f32],
    counter: &[f32],
) -> Vec<Canvas> {
    (0..3)
        .map(|channel| {
            let mut light: Vec<f32> = nuclear
                .iter()
                .zip(counter)
                .map(|(&n, &c)| {
                    let density =
                        f64::from(n) * vectors[0][channel] + f64::from(c) * vectors[1][channel];
                    (-laboratory.stain_strength * density).exp() as f32
                })
                .collect();
            grid.shade(laboratory, &mut light);
            grid.canvas(light)
        })
        .collect()
}

/// Dark specks and soft shadows, in both stains.
fn dirt(grid: &Grid, specimen: &Specimen, nuclear: &mut [f32], counter: &mut [f32]) {
    for speck in &specimen.debris {
        grid.near(speck.y, speck.x, 4.0 * speck.size, |at, y, x| {
            let d2 = ((y - speck.y).powi(2) + (x - speck.x).powi(2)) / (speck.size * speck.size);
            let amount = speck.amount * (-0.5 * d2).exp();
            nuclear[at] += (0.6 * amount) as f32;
            counter[at] += (0.4 * amount) as f32;
        });
    }
}

/// Nuclei in fibrous pink tissue with pale gaps.
pub(super) fn tissue(
    specimen: &Specimen,
    laboratory: &Laboratory,
    seed: u64,
    index: u64,
) -> Vec<Canvas> {
    let grid = Grid::fine(laboratory);
    let key = index.to_le_bytes();
    let mut stream = Stream::new(seed, "optics/scene/background", &[&key]);
    let bend = Texture::new(6, 40.0, 120.0, &mut stream);
    let gaps = Texture::new(10, 35.0, 110.0, &mut stream);
    let grain = Texture::new(16, 1.5, 6.0, &mut stream);
    let (sin, cos) = (std::f64::consts::TAU * stream.uniform()).sin_cos();
    let mut nuclear = vec![0.0_f32; grid.rows * grid.columns];
    let mut counter = nuclear.clone();
    let [mut bends, mut holes, mut grains] = [(); 3].map(|()| vec![0.0; grid.columns]);
    for row in 0..grid.rows {
        let y = grid.y(row);
        bend.line(y, grid.x(0), grid.step, &mut bends);
        gaps.line(y, grid.x(0), grid.step, &mut holes);
        grain.line(y, grid.x(0), grid.step, &mut grains);
        for column in 0..grid.columns {
            let x = grid.x(column);
            let across = sin * y + cos * x + 6.0 * bends[column];
            let fibre = (across / 0.9).sin() * 0.5 + (across / 2.3 + 1.0).sin() * 0.5;
            let full = 1.0 / (1.0 + (8.0 * (holes[column] - 1.15)).exp());
            let at = row * grid.columns + column;
            counter[at] = (full * (0.42 + 0.09 * fibre + 0.04 * grains[column]).max(0.05)) as f32;
            nuclear[at] = (full * 0.05) as f32;
        }
    }
    for cell in &specimen.cells {
        // A cell that a gap would lay bare keeps its own cytoplasm.
        grid.outline(&cell.body, |at, _, _, t| {
            let own = 0.4 * (1.0 - t.powi(6)).max(0.0).sqrt();
            counter[at] = counter[at].max(own as f32) + (0.14 * cell.amount * (1.0 - t * t)) as f32;
        });
        for piece in &cell.nucleus {
            grid.outline(piece, |at, y, x, t| {
                let rim = 0.35 * (-((t - 0.9) / 0.1).powi(2)).exp();
                nuclear[at] += ((0.95 + rim) * chromatin(cell, y, x, t, 0.2)) as f32;
            });
        }
    }
    dirt(&grid, specimen, &mut nuclear, &mut counter);
    let vectors = stains(laboratory, [0.65, 0.70, 0.29], [0.07, 0.99, 0.11]);
    absorb(&grid, laboratory, &vectors, &nuclear, &counter)
}

/// White cells with lobed purple nuclei among pale red cells.
pub(super) fn smear(
    specimen: &Specimen,
    laboratory: &Laboratory,
    _seed: u64,
    _index: u64,
) -> Vec<Canvas> {
    let grid = Grid::fine(laboratory);
    let mut nuclear = vec![0.02_f32; grid.rows * grid.columns];
    let mut counter = vec![0.05_f32; grid.rows * grid.columns];
    for cell in &specimen.cells {
        let red = cell.nucleus.is_empty();
        grid.outline(&cell.body, |at, y, x, t| {
            let edge = (1.0 - t.powi(8)).max(0.0).sqrt();
            if red {
                // Thin in the middle.
                counter[at] += (cell.amount * edge * (0.28 + 0.4 * t * t)) as f32;
            } else {
                nuclear[at] += (0.16 * edge) as f32;
                let granules = (1.2 * cell.chromatin.at(2.0 * y, 2.0 * x)).exp().min(4.0);
                counter[at] += (0.07 * edge * granules) as f32;
            }
        });
        let mut reach = 0.0_f64;
        for piece in &cell.nucleus {
            reach = reach.max((piece.y - cell.body.y).hypot(piece.x - cell.body.x) + piece.reach());
        }
        grid.near(cell.body.y, cell.body.x, reach, |at, y, x| {
            let t = cell.nucleus_at(y, x);
            if t < 1.0 {
                nuclear[at] += (1.5 * chromatin(cell, y, x, t, 0.18)) as f32;
            }
        });
    }
    dirt(&grid, specimen, &mut nuclear, &mut counter);
    let vectors = stains(laboratory, [0.58, 0.75, 0.32], [0.12, 0.78, 0.62]);
    absorb(&grid, laboratory, &vectors, &nuclear, &counter)
}
