//! Single pixels of images with outlines: which are looked at, and what is kept of each.
//!
//! At most 64 pixels of an image are drawn, the same for every model. Rows of their tables
//! (`embeddings/features/pixel_<family>.parquet`, `embeddings/<model>/pixels%3a<layer>.parquet`) begin with the number of pixels
//! kept; then the numbers of each pixel follow, in the order of the draw. Where each has more than 32 numbers, fewer
//! pixels are kept, the first of the draw: about 2,048 numbers (8 kB) a row, and 16 pixels at least.

mod surroundings;

use transect_core::{Digest, Image, Stream};
use transect_score::Truth;

/// Pixels drawn in an image, at most.
const DRAWN: usize = 64;
/// Pixels kept of those drawn, at least.
const FEWEST: usize = 16;
/// Numbers kept of an image and a family, about.
const NUMBERS: usize = 2048;
/// No mask has more classes.
const CLASSES: usize = 1 << 16;

/// Pixels drawn in one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Drawn {
    /// Row and column of each.
    pub(crate) places: Vec<[usize; 2]>,
    /// What is true of each: the class; of objects, whether it lies in one.
    pub(crate) truth: Vec<u32>,
}

/// Draws pixels by a stream that hangs on the run's seed and the image: as many of each class that the truth holds, class by
/// class in turn, so that the first pixels of the draw are balanced as well. Of objects the classes are background and
/// foreground. A class with fewer pixels than its share gives all; ignored pixels are never drawn. None without outlines.
pub(crate) fn draw(truth: Option<&Truth>, seed: u64, image: Digest) -> Drawn {
    let (labels, class): (_, &dyn Fn(u32) -> Option<usize>) = match truth {
        Some(Truth::Labels(labels)) => (labels, &|label| Some(usize::from(label > 0))),
        Some(Truth::Mask { mask, ignore }) => (mask, &|label| {
            (Some(label) != *ignore)
                .then_some(label as usize)
                .filter(|&c| c < CLASSES)
        }),
        Some(Truth::Class(_)) | None => return Drawn::default(),
    };
    let mut counts: Vec<usize> = Vec::new();
    for class in labels.labels().iter().filter_map(|&label| class(label)) {
        if class >= counts.len() {
            counts.resize(class + 1, 0);
        }
        counts[class] += 1;
    }
    let shares = shares(&counts);
    // Which pixels of each class, counted from the top left, and at which place of the draw.
    let mut wanted: Vec<Vec<(usize, usize)>> = Vec::with_capacity(counts.len());
    for (class, (&count, &share)) in counts.iter().zip(&shares).enumerate() {
        let key = (class as u64).to_le_bytes();
        let mut stream = Stream::new(seed, "measure/pixels", &[&image.0, &key]);
        let mut some: Vec<(usize, usize)> = distinct(&mut stream, count, share)
            .into_iter()
            .enumerate()
            .map(|(turn, which)| (which, turn))
            .collect();
        some.sort_unstable();
        wanted.push(some);
    }
    let columns = labels.columns().max(1);
    let mut drawn: Vec<(usize, usize, [usize; 2])> = Vec::with_capacity(DRAWN);
    let mut seen = vec![(0_usize, 0_usize); counts.len()];
    for (at, &label) in labels.labels().iter().enumerate() {
        let Some(class) = class(label) else { continue };
        let (count, next) = &mut seen[class];
        if let Some(&(which, turn)) = wanted[class].get(*next)
            && which == *count
        {
            drawn.push((turn, class, [at / columns, at % columns]));
            *next += 1;
        }
        *count += 1;
    }
    drawn.sort_unstable();
    Drawn {
        places: drawn.iter().map(|(_, _, place)| *place).collect(),
        truth: drawn.iter().map(|(_, class, _)| *class as u32).collect(),
    }
}

/// How many pixels of each class are drawn: one of each in turn, while there are some.
fn shares(counts: &[usize]) -> Vec<usize> {
    let mut shares = vec![0; counts.len()];
    let mut left = DRAWN.min(counts.iter().sum());
    while left > 0 {
        for (share, &count) in shares.iter_mut().zip(counts) {
            if *share < count && left > 0 {
                *share += 1;
                left -= 1;
            }
        }
    }
    shares
}

/// So many different numbers under `count`, at random and in random order.
fn distinct(stream: &mut Stream, count: usize, wanted: usize) -> Vec<usize> {
    if count <= 4 * wanted {
        let mut all: Vec<usize> = (0..count).collect();
        stream.shuffle(&mut all);
        all.truncate(wanted);
        return all;
    }
    let mut some: Vec<usize> = Vec::with_capacity(wanted);
    while some.len() < wanted {
        let next = stream.below(count);
        if !some.contains(&next) {
            some.push(next);
        }
    }
    some
}

/// The row of a table from the numbers of all pixels drawn: the number of pixels kept, and theirs.
pub(crate) fn kept(drawn: usize, values: &[f32]) -> Vec<f32> {
    let width = values.len() / drawn.max(1);
    let some = drawn.min((NUMBERS / width.max(1)).clamp(FEWEST, DRAWN));
    let mut row = Vec::with_capacity(1 + some * width);
    row.push(some as f32);
    row.extend_from_slice(&values[..some * width]);
    row
}

/// What is known of the pixels of an image without any model: their truth (`pixel_truth`), their intensities
/// (`pixel_intensity`) and their surroundings (`pixel_surroundings`). None without outlines, or for images with several
/// planes.
pub(crate) fn families(
    image: &Image,
    truth: Option<&Truth>,
    seed: u64,
    sha256: Digest,
) -> Vec<(String, Vec<f32>)> {
    let drawn = draw(truth, seed, sha256);
    let inside = |&[r, c]: &[usize; 2]| r < image.rows() && c < image.columns();
    if drawn.places.is_empty() || image.planes() != 1 || !drawn.places.iter().all(inside) {
        return Vec::new();
    }
    let n = drawn.places.len();
    let truth: Vec<f32> = drawn.truth.iter().map(|&class| class as f32).collect();
    let (intensity, around) = surroundings::of(image, &drawn.places);
    [
        ("pixel_truth", truth),
        ("pixel_intensity", intensity),
        ("pixel_surroundings", around),
    ]
    .map(|(family, values)| (family.to_owned(), kept(n, &values)))
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use transect_core::LabelImage;

    fn mask(classes: Vec<u32>, ignore: Option<u32>) -> Truth {
        let rows = classes.len() / 20;
        Truth::Mask {
            mask: LabelImage::new(rows, 20, classes).unwrap(),
            ignore,
        }
    }

    #[test]
    fn every_class_gives_as_many_pixels_and_none_is_drawn_twice() {
        // 380 of class 0, 12 of class 1, 5 of class 3, 3 ignored.
        let mut classes = vec![0; 400];
        for (at, class) in classes.iter_mut().enumerate().take(20) {
            *class = match at {
                0..12 => 1,
                12..17 => 3,
                _ => u32::MAX,
            };
        }
        let truth = mask(classes.clone(), Some(u32::MAX));
        let drawn = draw(Some(&truth), 5, Digest::of(b"image"));
        assert_eq!(drawn.places.len(), 64);
        let of = |class: u32| drawn.truth.iter().filter(|&&t| t == class).count();
        assert_eq!((of(0), of(1), of(3)), (47, 12, 5));
        let mut places = drawn.places.clone();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 64);
        for (&[r, c], &t) in drawn.places.iter().zip(&drawn.truth) {
            assert_eq!(classes[r * 20 + c], t);
        }
        // The first of the draw are as balanced as can be.
        assert_eq!(drawn.truth[..15], [0, 1, 3].repeat(5));
        // The same again; another seed or image draws others.
        assert_eq!(drawn, draw(Some(&truth), 5, Digest::of(b"image")));
        assert_ne!(drawn, draw(Some(&truth), 6, Digest::of(b"image")));
        assert_ne!(drawn, draw(Some(&truth), 5, Digest::of(b"other")));
    }

    #[test]
    fn objects_are_one_foreground_and_small_images_give_what_they_have() {
        let labels: Vec<u32> = (0..40)
            .map(|i| if i % 8 == 0 { i + 1 } else { 0 })
            .collect();
        let truth = Truth::Labels(LabelImage::new(2, 20, labels).unwrap());
        let drawn = draw(Some(&truth), 1, Digest::of(b"i"));
        assert_eq!(drawn.places.len(), 40);
        assert_eq!(drawn.truth.iter().filter(|&&t| t == 1).count(), 5);
        assert_eq!(
            draw(Some(&Truth::Class(1)), 1, Digest::of(b"i")),
            Drawn::default()
        );
        assert_eq!(draw(None, 1, Digest::of(b"i")), Drawn::default());
        let all = mask(vec![9; 40], Some(9));
        assert_eq!(draw(Some(&all), 1, Digest::of(b"i")), Drawn::default());
    }

    #[test]
    fn pixels_of_a_class_are_drawn_evenly() {
        let truth = mask(vec![0; 400], None);
        let mut hits = vec![0_u32; 400];
        for image in 0..500_u32 {
            for [r, c] in draw(Some(&truth), 1, Digest::of(&image.to_le_bytes())).places {
                hits[r * 20 + c] += 1;
            }
        }
        // Expected 80 each, standard deviation 8.2.
        assert!(hits.iter().all(|&h| (40..=120).contains(&h)), "{hits:?}");
    }

    #[test]
    fn rows_say_how_many_pixels_they_hold_and_stay_small() {
        let row = kept(64, &vec![1.0; 64 * 10]);
        assert_eq!((row[0], row.len()), (64.0, 641));
        let row = kept(64, &vec![1.0; 64 * 100]);
        assert_eq!((row[0], row.len()), (20.0, 2001));
        let row = kept(64, &vec![1.0; 64 * 1000]);
        assert_eq!((row[0], row.len()), (16.0, 16_001));
        let row = kept(7, &vec![1.0; 7 * 1000]);
        assert_eq!((row[0], row.len()), (7.0, 7001));
    }
}
