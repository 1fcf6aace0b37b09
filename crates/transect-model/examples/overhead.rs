//! What transect's session costs beside the bare embedded engine, one thread, run by run in turn on the same tensor.
//!
//! `cargo run -p transect-model --release --example overhead -- MODEL WEIGHTS.onnx IMAGE… [CHANNEL=FROM…]` prints CSV: image, shape fed,
//! milliseconds (the least of 31 runs) of the bare engine on the ready tensor, of the engine within
//! [`Session::predict`](transect_model::Session::predict), and of all of `predict`; then the sums and what the session adds
//! in per cent. Images that need several tiles are left out. `MODEL` must say what it is in its own folder, as `wbc_cnn_d1`
//! does.

use std::io::Write as _;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use rten::{RunOptions, ThreadPool};
use transect_model::{EngineChoice, Model, Options, Tensor};

type Anything<T> = Result<T, Box<dyn std::error::Error>>;

/// Runs of each.
const RUNS: usize = 31;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn clock() -> f64 {
    START.elapsed().as_secs_f64()
}

fn main() -> Anything<()> {
    let (pairs, arguments): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|a| a.contains('='));
    let channels = pairs.iter().filter_map(|a| a.split_once('='));
    let [model, weights, images @ ..] = arguments.as_slice() else {
        return Err("MODEL WEIGHTS.onnx IMAGE… [CHANNEL=FROM…]".into());
    };
    let options = Options {
        engine: EngineChoice::Embedded,
        channels: channels
            .map(|(to, from)| (to.to_owned(), from.to_owned()))
            .collect(),
        keep_fed: true,
        clock,
        ..Options::new(model)
    };
    let model = Model::load(&options)?;
    let mut session = model.session()?;
    let mut bare = bare(weights)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "image,fed,bare_ms,engine_ms,predict_ms")?;
    let mut sums = [0.0; 3];
    for path in images {
        let bytes = std::fs::read(path)?;
        let image = transect_image::decode(&bytes, path, None, &transect_image::Limits::default())?;
        let first = session.predict(&image, false)?;
        let (Some(fed), 1) = (first.fed, first.passes) else {
            continue;
        };
        let mut least = [f64::INFINITY; 3];
        bare(fed.clone())?;
        for _ in 0..RUNS {
            let ready = fed.clone();
            let start = clock();
            bare(ready)?;
            let alone = clock() - start;
            let start = clock();
            let within = session.predict(&image, false)?.inference_s;
            let all = clock() - start;
            for (least, time) in least.iter_mut().zip([alone, within, all]) {
                *least = least.min(time * 1e3);
            }
        }
        let [b, e, p] = least;
        writeln!(out, "{path},{:?},{b:.4},{e:.4},{p:.4}", fed.shape)?;
        for (sum, time) in sums.iter_mut().zip(least) {
            *sum += time;
        }
    }
    let [b, e, p] = sums;
    writeln!(out, "sum,,{b:.3},{e:.3},{p:.3}")?;
    writeln!(out, "the session adds {:.1} %", 100.0 * (e / b - 1.0))?;
    Ok(())
}

/// A run of a bare engine on one tensor.
type Bare = Box<dyn FnMut(Tensor) -> Anything<()>>;

fn bare(weights: &str) -> Anything<Bare> {
    let model = rten::ModelOptions::with_all_ops().load_file(weights)?;
    let pool = Arc::new(ThreadPool::with_num_threads(1));
    Ok(Box::new(move |fed| {
        let input = rten_tensor::Tensor::from_data(&fed.shape, fed.data);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&pool)));
        let (from, to) = (model.input_ids()[0], model.output_ids()[0]);
        std::hint::black_box(model.run(vec![(from, input.into())], &[to], Some(options))?);
        Ok(())
    }))
}
