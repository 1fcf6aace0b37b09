//! A model that runs.

use transect_core::codes::model as codes;
use transect_core::{Dtype, Error, Image, Prediction, Result};

use crate::decode::decode;
use crate::dense::{Dense, Reader};
use crate::engine::EngineSession;
use crate::model::Model;
use crate::options::Normalise;
use crate::process::apply;
use crate::resize::resize;
use crate::spec::{
    AntiAlias, Axis, AxisKind, Resize, ResizeMethod, Size, Spec, TensorSpec, Values, model_channel,
};
use crate::tensor::{Block, Tensor};
use crate::tile::{self, Plan};

/// What a model made of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// The prediction, at the size of the image.
    pub prediction: Prediction,
    /// Embeddings by the graph's names; averaged over positions, and over tiles.
    pub embeddings: Vec<(String, Vec<f32>)>,
    /// Seconds within the engine, by the clock of the options.
    pub inference_s: f64,
    /// Forward passes.
    pub passes: u64,
    /// The tensor that was fed, of the first tile; only where the options ask for it.
    pub fed: Option<Tensor>,
    /// What the decoder makes of the pixels that were asked for; `None` where none were, and where the model has no
    /// [`Model::dense_layer`].
    pub dense: Option<Dense>,
}

/// A model with an engine's session of its own. Each worker has one.
pub struct Session {
    model: Model,
    engine: Box<dyn EngineSession>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("model", &self.model.name())
            .finish_non_exhaustive()
    }
}

/// What came out of the network for one image, stitched, before postprocessing.
pub(crate) struct Raw {
    pub(crate) output: Block,
    embeddings: Vec<(String, Vec<f32>)>,
    inference_s: f64,
    passes: u64,
    fed: Option<Tensor>,
    dense: Option<Dense>,
}

/// What is wanted beside the output.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Embeddings.
    pub(crate) embeddings: bool,
    /// The tensor that was fed.
    pub(crate) fed: bool,
    /// Pixels of the image (row, column) at which the decoder's last features are read, and the image's size.
    pub(crate) pixels: Option<(&'a [[usize; 2]], [usize; 2])>,
}

impl Session {
    pub(crate) fn new(model: Model) -> Result<Self> {
        let engine = model.inner.engine.session()?;
        Ok(Self { model, engine })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Predicts one image.
    ///
    /// One image at a time: no number can depend on what else is in a batch.
    ///
    /// # Errors
    /// `T330` and `T331` where channels or size do not fit, `T113` and `T332` for pixel values, `T323` when the engine fails,
    /// `T333` to `T335` for outputs that cannot be decoded.
    pub fn predict(&mut self, image: &Image, want_embeddings: bool) -> Result<Output> {
        self.predict_with_pixels(image, want_embeddings, &[])
    }

    /// Predicts one image, and gives what the decoder makes of some of its pixels (row, column): the values of
    /// [`Model::dense_layer`] at the place that is nearest, through resize, tiles and steps of the network. The tensor itself
    /// is held for one tile at a time. The prediction is that of [`Session::predict`].
    ///
    /// # Errors
    /// As [`Session::predict`].
    pub fn predict_with_pixels(
        &mut self,
        image: &Image,
        want_embeddings: bool,
        pixels: &[[usize; 2]],
    ) -> Result<Output> {
        let block = prepare(&self.model, image)?;
        let inner = std::sync::Arc::clone(&self.model.inner);
        let wanted = Wanted {
            embeddings: want_embeddings,
            fed: inner.keep_fed,
            pixels: (!pixels.is_empty()).then_some((pixels, [image.rows(), image.columns()])),
        };
        let raw = self.forward(&block, wanted)?;
        let Raw {
            output,
            embeddings,
            inference_s,
            passes,
            fed,
            dense,
        } = raw;
        let prediction = finish(&inner.spec, output, &block, [image.rows(), image.columns()])?;
        Ok(Output {
            prediction,
            embeddings,
            inference_s,
            passes,
            fed,
            dense,
        })
    }

    /// Feeds a block that has the model's channels and values through preprocessing, tiles and the network.
    pub(crate) fn forward(&mut self, block: &Block, wanted: Wanted<'_>) -> Result<Raw> {
        let inner = std::sync::Arc::clone(&self.model.inner);
        let spec = &inner.spec;
        let plan = tile::plan(spec, block.shape[2], block.shape[3])?;
        let count = tile::tiles(&plan);
        let maps = spec.task != transect_core::Task::Classification;
        if !maps
            && plan
                .iter()
                .any(|cut| cut.count > 1 || cut.tile != cut.length)
        {
            return Err(Error::new(
                &codes::SIZE_MISMATCH,
                format!("the model takes {} × {} pixels (rows × columns), the image has {} × {}", plan[0].tile, plan[1].tile, plan[0].length, plan[1].length),
            )
            .help(format!("declare how images are resized: config: {{transect: {{resize: {{method: bilinear, anti_alias: gaussian, size: [{}, {}]}}}}}}, as it was done in training", plan[0].tile, plan[1].tile)));
        }
        if count > 1 && spec.decode == crate::options::Decode::Labels {
            return Err(Error::new(
                &codes::SIZE_MISMATCH,
                format!(
                    "the image needs {count} tiles, and label images of tiles cannot be joined"
                ),
            )
            .help("give a larger --tile if the network takes it, or smaller images"));
        }
        let whole = if spec.normalise == Normalise::Whole {
            let mut whole = block.clone();
            apply(&mut whole, &spec.input.operations, Some(block))?;
            Some(whole)
        } else {
            None
        };
        let mut reader = wanted
            .pixels
            .zip(inner.dense.as_deref())
            .map(|((pixels, size), layer)| Reader::new(layer, pixels, size));
        let mut names = vec![spec.output.graph_name.clone()];
        if wanted.embeddings {
            names.extend(
                inner
                    .embeddings
                    .iter()
                    .filter(|n| **n != spec.output.graph_name)
                    .cloned(),
            );
        }
        if let Some(reader) = &reader
            && !names.iter().any(|n| n == reader.layer())
        {
            names.push(reader.layer().to_owned());
        }
        let mut stitched: Option<Block> = None;
        let mut sums: Vec<Vec<f64>> = Vec::new();
        let (mut fed, mut inference_s) = (None, 0.0);
        for index in 0..count {
            let (row, column) = (index / plan[1].count, index % plan[1].count);
            let mut tile = tile::extract(whole.as_ref().unwrap_or(block), &plan, row, column);
            if whole.is_none() {
                apply(&mut tile, &spec.input.operations, None)?;
            }
            if let Some(bad) = tile.not_finite() {
                return Err(Error::new(&codes::OUTPUT_NOT_FINITE, format!("preprocessing gives {bad}"))
                    .help("a constant image under a normalisation with eps 0 does this; declare a larger eps"));
            }
            let tensor = to_tensor(tile, &spec.input);
            if wanted.fed && index == 0 {
                fed = Some(tensor.clone());
            }
            let start = (inner.clock)();
            let mut results = self
                .engine
                .run(vec![(spec.input.graph_name.clone(), tensor)], &names)?;
            inference_s += (inner.clock)() - start;
            let position = |name: &str| names.iter().position(|n| n == name);
            if wanted.embeddings {
                for (at, name) in inner.embeddings.iter().enumerate() {
                    let tensor = position(name).and_then(|p| results.get(p));
                    let pooled = tensor.map(pool).unwrap_or_default();
                    if sums.len() <= at {
                        sums.push(vec![0.0; pooled.len()]);
                    }
                    for (sum, value) in sums[at].iter_mut().zip(pooled) {
                        *sum += value;
                    }
                }
            }
            // The output stays at the front: what feeds a convolution is not its output.
            let features = reader
                .as_ref()
                .and_then(|r| position(r.layer()))
                .filter(|&p| p > 0 && p < results.len())
                .map(|p| results.swap_remove(p));
            let output = results
                .into_iter()
                .next()
                .ok_or_else(|| Error::new(&codes::ENGINE_FAILED, "the engine gave no output"))?;
            let output = from_tensor(output, &spec.output)?;
            if maps {
                let cores = cores(spec, output.shape, &plan)?;
                if let (Some(reader), Some(features)) = (&mut reader, &features) {
                    reader.read(
                        features,
                        &cores,
                        [row, column],
                        [plan[0].count, plan[1].count],
                    );
                }
                put(&mut stitched, &output, &cores, [row, column]);
            } else {
                stitched = Some(output);
            }
        }
        let embeddings = inner
            .embeddings
            .iter()
            .cloned()
            .zip(
                sums.into_iter()
                    .map(|sum| sum.into_iter().map(|s| (s / count as f64) as f32).collect()),
            )
            .collect();
        let output =
            stitched.ok_or_else(|| Error::new(&codes::ENGINE_FAILED, "no tile was run"))?;
        Ok(Raw {
            output,
            embeddings,
            inference_s,
            passes: count as u64,
            fed,
            dense: reader.and_then(Reader::finish),
        })
    }

    /// Runs the network on a tensor as it is.
    pub(crate) fn run_tensor(&mut self, tensor: Tensor) -> Result<Tensor> {
        let spec = &self.model.inner.spec;
        let results = self.engine.run(
            vec![(spec.input.graph_name.clone(), tensor)],
            std::slice::from_ref(&spec.output.graph_name),
        )?;
        results
            .into_iter()
            .next()
            .ok_or_else(|| Error::new(&codes::ENGINE_FAILED, "the engine gave no output"))
    }
}

/// What the network gave for an image, after its tiles were put together, as a prediction at the size of the image.
pub(crate) fn finish(
    spec: &Spec,
    mut output: Block,
    input: &Block,
    [rows, columns]: [usize; 2],
) -> Result<Prediction> {
    if let Some(bad) = output.not_finite() {
        let count = output.data.iter().filter(|v| !v.is_finite()).count();
        return Err(Error::new(
            &codes::OUTPUT_NOT_FINITE,
            format!(
                "{count} of {} output values are {bad} or the like",
                output.data.len()
            ),
        ));
    }
    apply(&mut output, &spec.output.operations, Some(input))?;
    if spec.task != transect_core::Task::Classification
        && [rows, columns] != [output.shape[2], output.shape[3]]
    {
        output = to_image(spec, &output, rows, columns);
    }
    decode(spec, &output)
}

/// The length of an axis that has one.
pub(crate) fn fixed(axis: Option<&Axis>) -> Option<usize> {
    match axis?.size {
        Size::Fixed(n) => Some(n),
        _ => None,
    }
}

/// From an image to the block that preprocessing starts from: channels chosen, resized, values scaled.
pub(crate) fn prepare(model: &Model, image: &Image) -> Result<Block> {
    let spec = &model.inner.spec;
    let planes = fixed(spec.input.axis(AxisKind::Z));
    let deep = spec.input.axis(AxisKind::Z).is_some();
    if !deep && image.planes() != 1 || planes.is_some_and(|n| n != image.planes()) {
        return Err(Error::new(
            &codes::SIZE_MISMATCH,
            format!(
                "the image has {} planes, the model takes {}",
                image.planes(),
                planes.unwrap_or(1)
            ),
        )
        .help("name one page for each row in the manifest's column `page`"));
    }
    let block = choose_channels(model, image)?;
    if let Some(bad) = block.not_finite() {
        let count = block.data.iter().filter(|v| !v.is_finite()).count();
        return Err(Error::new(
            &transect_core::codes::image::IMAGE_NOT_FINITE,
            format!(
                "{count} of {} pixel values are {bad} or the like",
                block.data.len()
            ),
        ));
    }
    let block = match &spec.resize {
        Some(how) if how.size != [block.shape[2], block.shape[3]] => resize(&block, how),
        _ => block,
    };
    scale_values(spec, block, image.dtype)
}

/// Which channel of the image is which of the model's, where both have as many. Where both name the same channels, the names
/// rule, also red, green and blue of a colour image; one channel is itself whatever its name; channels without names are taken
/// in order.
fn same_number_of_channels(names: &[String], image: &Image) -> Result<Vec<usize>> {
    let have = image.channels();
    let in_order: Vec<usize> = (0..have).collect();
    let whole = |order: &Vec<usize>| {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted == in_order
    };
    let by_name: Option<Vec<usize>> = names
        .iter()
        .map(|name| image.channel_names.iter().position(|other| other == name))
        .collect();
    if let Some(order) = by_name.filter(whole) {
        return Ok(order);
    }
    if image.rgb {
        let colour = |name: &String| match name.to_ascii_lowercase().as_str() {
            "r" | "red" => Some(0),
            "g" | "green" => Some(1),
            "b" | "blue" => Some(2),
            _ => None,
        };
        let order: Option<Vec<usize>> = names.iter().map(colour).collect();
        return Ok(order.filter(whole).unwrap_or(in_order));
    }
    if have == 1 || names.is_empty() || image.channel_names.is_empty() {
        return Ok(in_order);
    }
    let pairs: Vec<String> = names
        .iter()
        .zip(&image.channel_names)
        .map(|(model, image)| format!("--channels {model}={image}"))
        .collect();
    Err(Error::new(
        &codes::CHANNELS_MISMATCH,
        format!(
            "the image's channels are {}, the model's {}",
            image.channel_names.join(", "),
            names.join(", ")
        ),
    )
    .help(format!(
        "say which is which, for example {}",
        pairs.join(" ")
    )))
}

fn choose_channels(model: &Model, image: &Image) -> Result<Block> {
    let spec = &model.inner.spec;
    let wanted = model.input_channels();
    let names = spec.input.channels();
    let have = image.channels();
    let [_, planes, rows, columns] = image.shape();
    let size = planes * rows * columns;
    let channel = |index: usize| &image.samples()[index * size..(index + 1) * size];
    if spec.channels.is_empty() {
        if have == wanted {
            let order = same_number_of_channels(names, image)?;
            let mut data = Vec::with_capacity(have * size);
            for index in order {
                data.extend_from_slice(channel(index));
            }
            return Ok(Block {
                shape: [have, planes, rows, columns],
                data,
            });
        }
        let model_names: Vec<String> = (0..wanted)
            .map(|i| names.get(i).cloned().unwrap_or_else(|| i.to_string()))
            .collect();
        let image_names = if image.rgb {
            "red, green, blue".to_owned()
        } else if image.channel_names.is_empty() {
            format!("0 to {}", have - 1)
        } else {
            image.channel_names.join(", ")
        };
        let from = if image.rgb && wanted == 1 {
            "luma"
        } else {
            "0"
        };
        let pairs: Vec<String> = model_names
            .iter()
            .map(|n| format!("--channels {n}={from}"))
            .collect();
        let mut error = Error::new(
            &codes::CHANNELS_MISMATCH,
            format!(
                "the image has {have} channels ({image_names}), the model takes {wanted} ({})",
                model_names.join(", ")
            ),
        );
        if image.rgb && wanted == 1 {
            error = error.note("`luma` is 0.299 red + 0.587 green + 0.114 blue; `mean` is their mean; an index takes one of them");
        }
        return Err(error.help(format!(
            "say which is which, for example {}",
            pairs.join(" ")
        )));
    }
    let mut block = Block::zeros([wanted, planes, rows, columns]);
    for (to, from) in &spec.channels {
        let Some(target) = model_channel(to, names, wanted) else {
            continue;
        };
        let out = &mut block.data[target * size..(target + 1) * size];
        let by_name = image.channel_names.iter().position(|n| n == from);
        let letter = if image.rgb {
            ["red", "green", "blue"].iter().position(|n| n == from)
        } else {
            None
        };
        let index = by_name
            .or(letter)
            .or_else(|| from.parse().ok().filter(|&i: &usize| i < have));
        match (index, from.as_str()) {
            (Some(index), _) => out.copy_from_slice(channel(index)),
            // Grey has one channel already: its luma and its mean are itself.
            (None, "luma" | "mean") if have == 1 => out.copy_from_slice(channel(0)),
            (None, "luma") if have == 3 => {
                let (r, g, b) = (channel(0), channel(1), channel(2));
                for (((o, r), g), b) in out.iter_mut().zip(r).zip(g).zip(b) {
                    *o = (0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b))
                        as f32;
                }
            }
            (None, "mean") => {
                for (i, o) in out.iter_mut().enumerate() {
                    *o = ((0..have).map(|c| f64::from(channel(c)[i])).sum::<f64>() / have as f64)
                        as f32;
                }
            }
            (None, _) => {
                let names = if image.channel_names.is_empty() {
                    format!("0 to {}", have - 1)
                } else {
                    image.channel_names.join(", ")
                };
                return Err(Error::new(
                    &codes::CHANNELS_MISMATCH,
                    format!(
                        "the image has no channel `{from}`, which is given as the model's `{to}`"
                    ),
                )
                .note(format!("channels of the image: {names}"))
                .help("name a channel, an index from 0, `luma` (of three channels) or `mean`"));
            }
        }
    }
    Ok(block)
}

fn scale_values(spec: &Spec, mut block: Block, dtype: Dtype) -> Result<Block> {
    let full = dtype.range().map(|(_, high)| f64::from(high));
    let declared = spec.input.range;
    let scale = match spec.values {
        Values::Raw => None,
        Values::FullScale => full,
        Values::ByRange if declared.iter().all(|v| v.is_infinite()) => {
            let own = match spec.input.dtype.as_str() {
                "uint8" => Some(255.0),
                "uint16" => Some(65_535.0),
                _ => None,
            };
            if let (Some(own), Some(full)) = (own, full)
                && full > own
            {
                return Err(range_error(
                    spec,
                    dtype,
                    &format!("the input is declared as {}", spec.input.dtype),
                ));
            }
            None
        }
        Values::ByRange => match full {
            None => None,
            Some(_) if declared == [0.0, 1.0] && spec.input.dtype.starts_with("float") => full,
            Some(full) if declared[1] == full || declared[1].is_infinite() => None,
            Some(_) => {
                return Err(range_error(
                    spec,
                    dtype,
                    &format!(
                        "the input's range is declared as {} to {}",
                        declared[0], declared[1]
                    ),
                ));
            }
        },
    };
    if let Some(scale) = scale {
        for value in &mut block.data {
            *value = (f64::from(*value) / scale) as f32;
        }
    }
    Ok(block)
}

fn range_error(spec: &Spec, dtype: Dtype, what: &str) -> Error {
    Error::new(&codes::VALUE_RANGE, format!("{what}, pixels are {}, and how one becomes the other is not declared", dtype.name()))
        .field(format!("input `{}`", spec.input.id))
        .help("write config: {transect: {values: raw}} to feed pixel values as they are, or values: full-scale to divide them by the largest value of their type")
}

/// From (channel, plane, row, column) to the model's order of axes.
pub(crate) fn to_tensor(block: Block, spec: &TensorSpec) -> Tensor {
    let shape: Vec<usize> = spec
        .axes
        .iter()
        .map(|axis| axis.kind.place().map_or(1, |p| block.shape[p]))
        .collect();
    let places: Vec<usize> = spec
        .axes
        .iter()
        .filter_map(|axis| axis.kind.place())
        .collect();
    if places.is_sorted() {
        return Tensor {
            shape,
            data: block.data,
        };
    }
    let strides = [
        block.shape[1] * block.shape[2] * block.shape[3],
        block.shape[2] * block.shape[3],
        block.shape[3],
        1,
    ];
    let lengths: Vec<usize> = places.iter().map(|&p| block.shape[p]).collect();
    let steps: Vec<usize> = places.iter().map(|&p| strides[p]).collect();
    let data = gather(&block.data, &lengths, &steps);
    Tensor { shape, data }
}

/// Reads data in another order of axes: the last of `lengths` fastest.
fn gather(data: &[f32], lengths: &[usize], steps: &[usize]) -> Vec<f32> {
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0_usize; lengths.len()];
    let total: usize = lengths.iter().product();
    let mut offset = 0;
    for _ in 0..total {
        out.push(data[offset]);
        for axis in (0..lengths.len()).rev() {
            index[axis] += 1;
            offset += steps[axis];
            if index[axis] < lengths[axis] {
                break;
            }
            offset -= steps[axis] * lengths[axis];
            index[axis] = 0;
        }
    }
    out
}

/// From the model's order of axes to (channel, plane, row, column).
pub(crate) fn from_tensor(tensor: Tensor, spec: &TensorSpec) -> Result<Block> {
    let wrong = |why: &str| {
        Error::new(
            &codes::OUTPUT_SHAPE,
            format!(
                "the tensor `{}` has shape {:?}: {why}",
                spec.id, tensor.shape
            ),
        )
        .field(format!("`{}`.axes", spec.id))
        .help("declare one axis for each dimension, with the sizes that the network gives")
    };
    if tensor.shape.len() != spec.axes.len() {
        return Err(wrong(&format!("{} axes are declared", spec.axes.len())));
    }
    let mut shape = [1_usize; 4];
    let mut strides = [0_usize; 4];
    let mut stride = 1;
    for (axis, &length) in spec.axes.iter().zip(&tensor.shape).rev() {
        match axis.kind.place() {
            Some(place) => {
                shape[place] = length;
                strides[place] = stride;
            }
            None if length != 1 => {
                return Err(wrong("a batch, time or index axis is longer than 1"));
            }
            None => {}
        }
        if let Size::Fixed(n) = axis.size
            && axis.kind.place().is_some()
            && n != length
        {
            return Err(wrong(&format!("axis {:?} is declared as {n}", axis.kind)));
        }
        stride *= length;
    }
    if shape.contains(&0) {
        return Err(wrong("a dimension is 0"));
    }
    let places: Vec<usize> = spec.axes.iter().filter_map(|a| a.kind.place()).collect();
    let data = if places.is_sorted() {
        tensor.data
    } else {
        gather(&tensor.data, &shape, &strides)
    };
    Ok(Block { shape, data })
}

/// Which part of a tile's output is used along one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Core {
    /// First pixel of the tile's output that is used.
    pub(crate) first: usize,
    /// Pixels that are used of each tile.
    pub(crate) length: usize,
    /// Pixels that a tile's output has.
    pub(crate) of: usize,
    /// Pixels of the output of the whole image.
    pub(crate) whole: usize,
}

/// Rows and columns of a tile's output that are used.
fn cores(spec: &Spec, shape: [usize; 4], plan: &Plan) -> Result<[Core; 2]> {
    let mut cores = [Core {
        first: 0,
        length: 0,
        of: 0,
        whole: 0,
    }; 2];
    for (axis, kind) in [AxisKind::Y, AxisKind::X].into_iter().enumerate() {
        let got = shape[axis + 2];
        let cut = plan[axis];
        let (factor, offset, halo) = match spec.output.axis(kind) {
            Some(Axis {
                size: Size::Follows { factor, offset },
                halo,
                ..
            }) => (*factor, *offset, *halo),
            Some(axis) => (got as f64 / cut.tile as f64, 0, axis.halo),
            None => (1.0, 0, 0),
        };
        let expected = (cut.tile as f64 * factor).floor() as i64 + offset;
        let misfit = |why: String| {
            Error::new(&codes::OUTPUT_SHAPE, why).field(format!("output `{}`", spec.output.id)).help("declare the size, scale, offset and halo of the output's axes as the network gives them")
        };
        if expected != got as i64 {
            return Err(misfit(format!(
                "an input of {} gives an output of {got} along {kind:?}; {expected} is declared",
                cut.tile
            )));
        }
        // First output pixel of the tile's core, pixels of the core, and pixels of the whole.
        let core = cut.core as f64 * factor;
        let first = (cut.margin as f64 * factor) as i64 + offset.div_euclid(2);
        let whole = cut.length as f64 * factor;
        if core.fract() != 0.0 && cut.count > 1
            || first < 0
            || first as usize + core as usize > got
            || (first as usize) < halo && cut.margin > 0
        {
            return Err(misfit(format!(
                "an output of {got} for an input of {} cannot be cut into tiles with a halo of {halo}",
                cut.tile
            )));
        }
        cores[axis] = Core {
            first: first as usize,
            length: core as usize,
            of: got,
            whole: (whole.floor() as usize).max(1),
        };
    }
    Ok(cores)
}

/// Puts the core of a tile's output into the whole.
fn put(
    stitched: &mut Option<Block>,
    output: &Block,
    [down, across]: &[Core; 2],
    [row, column]: [usize; 2],
) {
    let [channels, planes, height, width] = output.shape;
    let whole =
        stitched.get_or_insert_with(|| Block::zeros([channels, planes, down.whole, across.whole]));
    let [_, _, rows, columns] = whole.shape;
    let (top, left) = (row * down.length, column * across.length);
    let copy_rows = down.length.min(rows.saturating_sub(top));
    let copy_columns = across.length.min(columns.saturating_sub(left));
    for plane in 0..channels * planes {
        let from = &output.data[plane * height * width..(plane + 1) * height * width];
        let to = &mut whole.data[plane * rows * columns..(plane + 1) * rows * columns];
        for r in 0..copy_rows {
            let source = (down.first + r) * width + across.first;
            let target = (top + r) * columns + left;
            to[target..target + copy_columns].copy_from_slice(&from[source..source + copy_columns]);
        }
    }
}

/// Maps at the size of the network, brought to the size of the image.
fn to_image(spec: &Spec, output: &Block, rows: usize, columns: usize) -> Block {
    let method = if spec.decode == crate::options::Decode::Labels {
        ResizeMethod::Nearest
    } else {
        ResizeMethod::Bilinear
    };
    resize(
        output,
        &Resize {
            method,
            anti_alias: AntiAlias::None,
            size: [rows, columns],
        },
    )
}

/// An embedding from a tensor: the mean over positions of (1, features, …); a tensor of (1, tokens, features) is averaged over
/// its tokens.
fn pool(tensor: &Tensor) -> Vec<f64> {
    let shape: &[usize] = match tensor.shape.as_slice() {
        [1, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    };
    match shape {
        [] | [_] => tensor.data.iter().map(|&v| f64::from(v)).collect(),
        [tokens, features] => {
            let mut sums = vec![0.0; *features];
            for row in tensor.data.chunks((*features).max(1)) {
                for (sum, &value) in sums.iter_mut().zip(row) {
                    *sum += f64::from(value);
                }
            }
            sums.into_iter()
                .map(|s| s / (*tokens).max(1) as f64)
                .collect()
        }
        [features, ..] => {
            let size = (tensor.data.len() / (*features).max(1)).max(1);
            tensor
                .data
                .chunks(size)
                .map(|c| c.iter().map(|&v| f64::from(v)).sum::<f64>() / size as f64)
                .collect()
        }
    }
}
