//! Seconds of the costly statistics: `cargo run --release -p proving --example speed`.

use std::io::Write as _;
use std::time::Instant;

use transect_core::{Result, Stream};
use transect_stats::{Matrix, Settings, Units, classifier_two_sample, mean, mmd_aggregated};

fn main() -> Result<()> {
    let mut out = std::io::stdout();
    for (n, d) in [(500, 40), (500, 512), (5_000, 40), (20_000, 40)] {
        let mut stream = Stream::new(1, "speed", &[]);
        let x = Matrix::new(n, d, (0..n * d).map(|_| stream.normal()).collect())?;
        let target: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
        let (units, settings) = (Units::independent(n), Settings::new(1, "speed").tails());
        let start = Instant::now();
        let classifier = classifier_two_sample(&x, &target, &units, 1_999, &settings)?;
        let after = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let kernel = mmd_aggregated(&x, &target, &units, 1_999, &settings)?;
        let last = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let first: Vec<f64> = (0..n).map(|i| x.row(i)[0]).collect();
        let average = mean(&first, &units, &settings)?;
        let bca = start.elapsed().as_secs_f64();
        let _ = writeln!(
            out,
            "n={n} d={d}: classifier {after:.2} s (p {:.3}), MMD {last:.2} s (p {:.3}), BCa mean {bca:.2} s ({:.3})",
            classifier.p, kernel.p, average.estimate
        );
    }
    Ok(())
}
