//! Tissue sections: one tissue in two pictures; what varies most is not what tells the classes apart.

use transect_optics::scene::section::{BANDS, Section, Sectioning, section, wavenumbers};

fn sections(how: &Sectioning, n: u64) -> Vec<Section> {
    (0..n).map(|i| section(how, 5, i)).collect()
}

fn mean_spectrum(s: &Section) -> Vec<f64> {
    (0..BANDS)
        .map(|c| {
            let plane = s.cube.plane(c, 0);
            plane.iter().map(|&v| f64::from(v)).sum::<f64>() / plane.len() as f64
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(usize) -> f64| (0..a.len()).map(f).sum::<f64>();
    sum(&|i| (a[i] - ma) * (b[i] - mb))
        / (sum(&|i| (a[i] - ma).powi(2)) * sum(&|i| (b[i] - mb).powi(2))).sqrt()
}

#[test]
fn a_section_is_the_same_each_time_and_has_two_pictures() {
    let how = Sectioning::default();
    let once = section(&how, 5, 3);
    assert_eq!(once, section(&how, 5, 3));
    assert_ne!(once.cube, section(&how, 6, 3).cube);
    assert_eq!(once.stained.shape(), [3, 1, 64, 64]);
    assert_eq!(once.cube.shape(), [40, 1, 64, 64]);
    assert!(once.stained.rgb && once.cube.samples().iter().all(|v| v.is_finite()));
}

#[test]
fn thickness_and_scatter_dominate_the_spectra() {
    let all = sections(&Sectioning::default(), 60);
    let spectra: Vec<Vec<f64>> = all.iter().map(mean_spectrum).collect();
    // Scatter adds to the same band, so the correlation is not 1.
    let total = |c: usize| spectra.iter().map(|s| s[c]).collect::<Vec<f64>>();
    let thickness: Vec<f64> = all.iter().map(|s| s.thickness).collect();
    let amide = total(34);
    assert!(
        correlation(&amide, &thickness) > 0.5,
        "{}",
        correlation(&amide, &thickness)
    );
}

#[test]
fn without_association_thickness_does_not_tell_the_class() {
    for (association, low, high) in [(0.0, -0.3, 0.3), (2.0, 0.5, 1.0), (-2.0, -1.0, -0.5)] {
        let all = sections(
            &Sectioning {
                association,
                ..Sectioning::default()
            },
            120,
        );
        let class: Vec<f64> = all.iter().map(|s| f64::from(s.class)).collect();
        let thickness: Vec<f64> = all.iter().map(|s| s.thickness.ln()).collect();
        let r = correlation(&class, &thickness);
        assert!((low..high).contains(&r), "{association}: {r}");
    }
}

#[test]
fn the_altered_class_has_less_glycogen_for_its_protein() {
    let all = sections(&Sectioning::default(), 80);
    let at = |w: f64| {
        wavenumbers()
            .iter()
            .enumerate()
            .min_by(|a, b| (a.1 - w).abs().total_cmp(&(b.1 - w).abs()))
            .map_or(0, |(i, _)| i)
    };
    // A second difference takes the smooth scatter away.
    let ratio = |s: &Section| {
        let m = mean_spectrum(s);
        let peak = |w: f64| m[at(w)] - 0.5 * (m[at(w) - 2] + m[at(w) + 2]);
        peak(1030.0) / peak(1655.0)
    };
    let of =
        |class: u32| -> Vec<f64> { all.iter().filter(|s| s.class == class).map(ratio).collect() };
    let (normal, altered) = (of(0), of(1));
    assert!(
        mean(&normal) > mean(&altered),
        "{} {}",
        mean(&normal),
        mean(&altered)
    );
    // Without contrast there is nothing to tell.
    let same = sections(
        &Sectioning {
            contrast: 0.0,
            ..Sectioning::default()
        },
        80,
    );
    let of = |class: u32| -> Vec<f64> {
        same.iter()
            .filter(|s| s.class == class)
            .map(ratio)
            .collect()
    };
    let gap = (mean(&of(0)) - mean(&of(1))).abs();
    assert!(gap < 0.5 * (mean(&normal) - mean(&altered)), "{gap}");
}
