//! The embedded engine: rten.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use rten::{LoadErrorKind, ModelOptions, RunOptions, ThreadPool, Value, ValueOrView, ValueType};
use rten_tensor::Layout as _;
use rten_tensor::prelude::*;
use transect_core::codes::model as codes;
use transect_core::{Error, Result};

use super::{Engine, EngineSession};
use crate::onnx::Graph;
use crate::tensor::Tensor;

/// Name and version as this crate is built.
const NAME: &str = "rten 0.27";

/// A graph in the embedded engine. Sessions share its weights.
pub struct Embedded {
    model: Arc<rten::Model>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(NAME)
    }
}

impl Embedded {
    /// Loads a graph.
    ///
    /// # Errors
    /// `T321` with all operators that the engine lacks; `T322` when it refuses the graph for another reason.
    pub fn load(graph: &Graph) -> Result<Self> {
        let unfaithful = graph.unfaithful();
        if !unfaithful.is_empty() {
            return Err(lacking(unfaithful));
        }
        let graph = graph.explicit();
        match load(graph.encode()) {
            Ok(model) => Ok(Self {
                model: Arc::new(model),
            }),
            Err((_, message)) => {
                let mut missing = Vec::new();
                for (operator, bytes) in graph.probes() {
                    if let Err((LoadErrorKind::OperatorInvalid, why)) = load(bytes) {
                        missing.push(format!("{operator}: {why}"));
                    }
                }
                missing.sort();
                missing.dedup();
                if missing.is_empty() {
                    return Err(Error::new(
                        &codes::ENGINE_REFUSED,
                        format!("the embedded engine ({NAME}) refused the model: {message}"),
                    )
                    .help("check the model with `onnx.checker`, or give --engine onnxruntime"));
                }
                Err(lacking(missing))
            }
        }
    }
}

/// The error for operators that are not there.
fn lacking(operators: Vec<String>) -> Error {
    let mut error = Error::new(
        &codes::OPERATORS_UNSUPPORTED,
        format!(
            "the embedded engine ({NAME}) lacks {} of the model's operators",
            operators.len()
        ),
    );
    error.notes = operators;
    error.help("`pip install onnxruntime`, then --engine onnxruntime --onnxruntime FOLDER, where FOLDER is what `pip show onnxruntime` names as Location")
}

fn load(bytes: Vec<u8>) -> std::result::Result<rten::Model, (LoadErrorKind, String)> {
    let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| {
        ModelOptions::with_all_ops().load(bytes)
    }));
    match attempt {
        Ok(Ok(model)) => Ok(model),
        Ok(Err(error)) => Err((error.kind(), error.to_string())),
        Err(_) => Err((
            LoadErrorKind::GraphError,
            "the engine stopped while it read the model".to_owned(),
        )),
    }
}

impl Engine for Embedded {
    fn name(&self) -> &str {
        NAME
    }

    fn session(&self) -> Result<Box<dyn EngineSession>> {
        let (jobs, inbox) = channel::<Job>();
        let model = Arc::clone(&self.model);
        // A thread of its own, and the caller blocks on a channel: had the caller entered the engine's pool from a
        // worker of another pool, that worker would have begun a second image while it waited for the first.
        let thread = std::thread::Builder::new()
            .name("transect-engine".to_owned())
            .spawn(move || {
                let pool = Arc::new(ThreadPool::with_num_threads(1));
                for job in inbox {
                    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
                        run(&model, &pool, job.inputs, &job.outputs)
                    }));
                    let result = result.unwrap_or_else(|_| {
                        Err(failed("the engine stopped in the middle (a panic)"))
                    });
                    if job.reply.send(result).is_err() {
                        break;
                    }
                }
            })
            .map_err(|error| {
                Error::new(
                    &codes::ENGINE_REFUSED,
                    format!("no thread for the engine: {error}"),
                )
            })?;
        Ok(Box::new(Session {
            jobs: Some(jobs),
            thread: Some(thread),
        }))
    }
}

struct Job {
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<String>,
    reply: Sender<Result<Vec<Tensor>>>,
}

struct Session {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl EngineSession for Session {
    fn run(&mut self, inputs: Vec<(String, Tensor)>, outputs: &[String]) -> Result<Vec<Tensor>> {
        let (reply, answer) = channel();
        let job = Job {
            inputs,
            outputs: outputs.to_vec(),
            reply,
        };
        let gone = || failed("its thread is gone");
        self.jobs
            .as_ref()
            .ok_or_else(gone)?
            .send(job)
            .map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

fn failed(why: impl std::fmt::Display) -> Error {
    Error::new(
        &codes::ENGINE_FAILED,
        format!("the embedded engine ({NAME}) failed: {why}"),
    )
}

fn run(
    model: &rten::Model,
    pool: &Arc<ThreadPool>,
    inputs: Vec<(String, Tensor)>,
    outputs: &[String],
) -> Result<Vec<Tensor>> {
    let mut values: Vec<(rten::NodeId, ValueOrView)> = Vec::with_capacity(inputs.len());
    for (name, tensor) in inputs {
        let id = model.node_id(&name).map_err(failed)?;
        let dtype = model.node_info(id).and_then(|info| info.dtype());
        values.push((id, value(tensor, dtype)?.into()));
    }
    let ids = outputs
        .iter()
        .map(|name| model.node_id(name).map_err(failed))
        .collect::<Result<Vec<_>>>()?;
    let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
    let results = model.run(values, &ids, Some(options)).map_err(failed)?;
    results
        .into_iter()
        .zip(outputs)
        .map(|(value, name)| tensor(value, name))
        .collect()
}

fn value(tensor: Tensor, dtype: Option<ValueType>) -> Result<Value> {
    use rten::DataType;
    let Tensor { shape, data } = tensor;
    Ok(match dtype {
        None | Some(ValueType::Tensor(DataType::Float)) => {
            rten_tensor::Tensor::from_data(&shape, data).into()
        }
        Some(ValueType::Tensor(DataType::Int32)) => rten_tensor::Tensor::from_data(
            &shape,
            data.iter().map(|&v| v as i32).collect::<Vec<_>>(),
        )
        .into(),
        Some(ValueType::Tensor(DataType::UInt8)) => rten_tensor::Tensor::from_data(
            &shape,
            data.iter().map(|&v| v as u8).collect::<Vec<_>>(),
        )
        .into(),
        Some(ValueType::Tensor(DataType::Int8)) => rten_tensor::Tensor::from_data(
            &shape,
            data.iter().map(|&v| v as i8).collect::<Vec<_>>(),
        )
        .into(),
        Some(other) => return Err(failed(format!("it cannot take an input of type {other:?}"))),
    })
}

fn tensor(value: Value, name: &str) -> Result<Tensor> {
    Ok(match value {
        Value::FloatTensor(t) => Tensor {
            shape: t.shape().to_vec(),
            data: t.to_vec(),
        },
        Value::Int32Tensor(t) => Tensor {
            shape: t.shape().to_vec(),
            data: t.iter().map(|&v| v as f32).collect(),
        },
        Value::UInt8Tensor(t) => Tensor {
            shape: t.shape().to_vec(),
            data: t.iter().map(|&v| f32::from(v)).collect(),
        },
        Value::Int8Tensor(t) => Tensor {
            shape: t.shape().to_vec(),
            data: t.iter().map(|&v| f32::from(v)).collect(),
        },
        other => {
            return Err(failed(format!(
                "output `{name}` has the type {:?}",
                other.dtype()
            )));
        }
    })
}
