//! Scenes: exact truth, known physics, the same bits.

use transect_core::{Dtype, Modality};
use transect_optics::scene::{Laboratory, render};

use crate::moments;

fn all() -> [Laboratory; 6] {
    [
        Laboratory::a(),
        Laboratory::b(),
        Laboratory::tissue_a(),
        Laboratory::tissue_b(),
        Laboratory::smear_a(),
        Laboratory::smear_b(),
    ]
}

#[test]
fn scenes_are_the_same_each_time_and_differ_by_index_and_seed() {
    let laboratory = Laboratory {
        rows: 64,
        columns: 80,
        ..Laboratory::a()
    };
    let first = render(&laboratory, 1, 0);
    assert_eq!(first, render(&laboratory, 1, 0));
    assert_ne!(first.image, render(&laboratory, 1, 1).image);
    assert_ne!(first.image, render(&laboratory, 2, 0).image);
    assert_eq!(first.image.shape(), [1, 1, 64, 80]);
}

#[test]
fn every_laboratory_shows_cells_with_their_truth() {
    for laboratory in all() {
        let laboratory = Laboratory {
            rows: 128,
            columns: 128,
            ..laboratory
        };
        let mut nuclei = 0;
        for index in 0..3 {
            let scene = render(&laboratory, 5, index);
            assert_eq!((scene.labels.rows(), scene.labels.columns()), (128, 128));
            assert_eq!((scene.cells.rows(), scene.cells.columns()), (128, 128));
            let largest = scene.labels.labels().iter().max().copied().unwrap();
            let mut present = vec![false; largest as usize + 1];
            for &label in scene.labels.labels() {
                present[label as usize] = true;
            }
            assert!(
                present[1..].iter().all(|&p| p),
                "labels of {} have a gap",
                laboratory.name
            );
            nuclei += largest;
            // Every nucleus lies in a cell.
            for (n, c) in scene.labels.labels().iter().zip(scene.cells.labels()) {
                assert!(*n == 0 || *c != 0);
            }
            assert_eq!(
                scene.image.rgb,
                laboratory.modality() == Modality::Brightfield
            );
            assert_eq!(
                scene.image.pixel_size.unwrap().row_um,
                laboratory.pixel_size_um
            );
            assert_eq!(scene.expected.len(), scene.image.samples().len());
        }
        assert!(nuclei > 0, "{}", laboratory.name);
        assert_eq!(
            Laboratory::named(&laboratory.name.to_uppercase())
                .unwrap()
                .name,
            laboratory.name
        );
    }
}

/// Away from the edges of the range, what the camera wrote less what was expected has the variance of its photons, its
/// read noise and its rounding.
#[test]
fn the_camera_counts_photons() {
    let laboratory = Laboratory {
        photons: 100.0,
        read_noise_electrons: 4.0,
        background: 0.3,
        black_level: 0.1,
        bits: 16,
        ..Laboratory::a()
    };
    let scene = render(&laboratory, 9, 0);
    assert_eq!(scene.image.dtype, Dtype::Uint16);
    let gain = laboratory.levels_per_photon();
    let black = 0.1 * 65_535.0;
    let scores: Vec<f32> = scene
        .image
        .samples()
        .iter()
        .zip(&scene.expected)
        .map(|(&v, e)| {
            let variance = gain * (e - black) + (4.0 * gain).powi(2) + 1.0 / 12.0;
            ((f64::from(v) - e) / variance.sqrt()) as f32
        })
        .collect();
    let (mean, variance) = moments(&scores);
    let n = scores.len() as f64;
    assert!(mean.abs() < 5.0 / n.sqrt(), "{mean}");
    assert!(
        (variance - 1.0).abs() < 5.0 * (2.2 / n).sqrt(),
        "{variance}"
    );
}

/// Nuclei are bright in fluorescence and dark in bright field, by more than their noise.
#[test]
fn nuclei_stand_out() {
    for laboratory in all() {
        let scene = render(&laboratory, 5, 1);
        let mean_where = |inside: bool| {
            let plane = scene.image.plane(0, 0);
            let values: Vec<f32> = plane
                .iter()
                .zip(scene.labels.labels())
                .filter(|(_, l)| (**l != 0) == inside)
                .map(|(&v, _)| v)
                .collect();
            moments(&values).0
        };
        let (nucleus, around) = (mean_where(true), mean_where(false));
        match laboratory.modality() {
            Modality::Fluorescence => assert!(nucleus > 1.3 * around, "{nucleus} on {around}"),
            _ => assert!(nucleus < 0.8 * around, "{nucleus} on {around}"),
        }
    }
}

/// A and B look at the same specimen: nuclei have the same diameter in micrometres.
#[test]
fn two_laboratories_see_the_same_nuclei_at_their_own_scale() {
    let diameter = |laboratory: &Laboratory| {
        let scene = render(laboratory, 4, 2);
        let described =
            transect_optics::describe(&scene.image, Some(&scene.labels), laboratory.modality());
        crate::attribute(&described, "object_diameter_px").unwrap() * laboratory.pixel_size_um
    };
    let (a, b) = (diameter(&Laboratory::a()), diameter(&Laboratory::b()));
    assert!((a / b - 1.0).abs() < 0.12, "{a} and {b} µm");
}

#[test]
fn a_camera_site_keeps_its_background_and_animals_come_and_go() {
    use transect_optics::scene::site::{Site, visit};
    let site = Site::default();
    assert_eq!(visit(&site, 1, 4), visit(&site, 1, 4));
    let visits: Vec<_> = (0..40).map(|index| visit(&site, 1, index)).collect();
    let empty: Vec<_> = visits.iter().filter(|v| v.animals.is_empty()).collect();
    // 30% of 40, five standard deviations around.
    assert!((1..=26).contains(&empty.len()), "{}", empty.len());
    for visit in &visits {
        let most = visit.labels.labels().iter().copied().max().unwrap_or(0);
        assert!(most as usize <= visit.animals.len());
        assert!(
            visit.animals.windows(2).all(|w| w[0] == w[1]),
            "a herd is of one species"
        );
        let seen = visit.labels.labels().iter().filter(|&&l| l > 0).count();
        assert!(visit.animals.is_empty() == (seen == 0) || most == 0);
    }
    // Pictures of one site go together whatever the light, those of another do not.
    let green = |image: &transect_core::Image| -> Vec<f64> {
        image.plane(1, 0).iter().map(|&v| f64::from(v)).collect()
    };
    let together = |a: &[f64], b: &[f64]| {
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum()
        };
        sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
    };
    let (a, b) = (green(&empty[0].image), green(&empty[1].image));
    let other = Site {
        number: 1,
        empty: 1.0,
        ..site
    };
    let c = green(&visit(&other, 1, 0).image);
    assert!(together(&a, &b) > 0.95, "{}", together(&a, &b));
    assert!(
        together(&a, &c) < together(&a, &b) - 0.05,
        "{}",
        together(&a, &c)
    );
}
