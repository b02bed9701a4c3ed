//! The summary of published architectures and of Burn's layers: each layer, function and sum stands in the module whose
//! source runs it. The golden tables were compared with the sources line by line.

#[path = "summary/golden.rs"]
mod golden;
#[path = "summary/names.rs"]
mod names;
#[path = "summary/places.rs"]
mod places;
#[path = "summary/published.rs"]
mod published;

use burn::module::{Module, Param};
use burn::nn::activation::{Activation, ActivationConfig};
use burn::nn::conv::Conv2dConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::transformer::{
    TransformerDecoderConfig, TransformerDecoderInput, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{
    BiGruConfig, BiLstmConfig, BiRnnConfig, Embedding, EmbeddingConfig, GroupNormConfig, Linear, LinearConfig,
    LstmConfig, PaddingConfig2d, PositionalEncodingConfig, Relu, RotaryEncodingConfig, Shrink, ShrinkConfig,
    Unfold4dConfig,
};
use burn::tensor::Tensor;
use burn::tensor::activation::{relu, tanh};
use burn::tensor::backend::Backend;
use burn_pooling::summary::{
    Column, Optimizer, Role, Style, Summary, SummaryError, Trace, TraceDevice, TraceGrad, named, tokens, unbatched,
};
use golden::golden;
use published::Albert;

/// Compares a summary with its golden table, every row of it.
fn table(name: &str, summary: &Summary) {
    let columns = [Column::Output, Column::Parameters, Column::MultiplyAdds];
    let table = summary.styled(Style::Wide).all().columns(columns).width(200).to_string();
    golden(&format!("{name}.txt"), &table);
}

fn published(name: &str) -> Summary {
    let all = published::all();
    all.into_iter().find(|(known, _)| *known == name).map(|(_, summary)| summary).unwrap()
}

#[test]
fn every_row_of_published_architectures_is_where_the_source_runs_it() {
    for (name, summary) in published::all() {
        table(name, &summary);
    }
}

/// The rows as `path: type [output]`; an operation without a path as `type [output]`.
fn rows(summary: &Summary) -> Vec<String> {
    let row = |row: &burn_pooling::summary::Row| {
        let name = if row.path.is_empty() { String::new() } else { format!("{}: ", row.path) };
        let output = row.output.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{name}{} {output}", row.kind)
    };
    summary.rows.iter().map(row).collect()
}

#[test]
fn an_activation_that_a_residual_block_uses_twice_stays_in_the_block() {
    let resnet = published("resnet");
    let uses = resnet.rows.iter().filter(|row| row.path == "layer1.0.relu").count();
    assert_eq!(uses, 2);
    let stage: Vec<_> = resnet.rows.iter().filter(|row| row.path == "layer1").collect();
    // Two blocks: two convolutions of 3x3 from 8 to 8 channels each, on 16x16 positions of two images.
    assert_eq!((stage.len(), stage[0].multiply_adds), (1, 2 * 2 * 2 * 16 * 16 * 9 * 8 * 8));
    let collapsed = resnet.styled(Style::Markdown).depth(1).to_string();
    assert_eq!(collapsed.matches("layer1").count(), 1, "{collapsed}");
}

#[test]
fn a_shared_layer_is_one_row_and_a_tied_decoder_a_product_with_the_embedding() {
    let albert = published("albert");
    let encoder = albert.rows.iter().find(|row| row.path == "encoder").unwrap();
    assert_eq!(encoder.output.as_ref().unwrap().to_string(), "[N, 5, 16]");
    assert_eq!(rows(&albert).last().unwrap(), "embeddings.word.weight: Matmul [N, 5, 100]");
    // The length is free as well.
    let free = Summary::of(Albert::<Trace>::new, named("NT", tokens([2, 5])), Albert::forward).unwrap();
    assert_eq!(free.outputs[0].to_string(), "[N, T, 100]");
    assert!(rows(&free).iter().any(|row| row == "Softmax [N, 4, T, T]"), "{:?}", rows(&free));
}

#[test]
fn a_rotary_encoding_that_is_handed_to_the_blocks_runs_in_them() {
    let llama = published("llama");
    // Equal neighbours are one row, and the cost of all.
    let folded = llama.to_string();
    assert!(folded.contains("0-2: LlamaBlock x3") && !folded.contains("1: LlamaBlock"), "{folded}");
    let depth = llama.styled(Style::Wide).depth(2).to_string();
    assert!(depth.lines().any(|line| line.contains("0-2: LlamaBlock x3") && line.contains("7,776")), "{depth}");
}

#[test]
fn burns_transformers_have_their_dropouts_and_sums_beside_their_parts() {
    let encoder =
        |device: &_| TransformerEncoderConfig::new(16, 32, 4, 2).with_norm_first(true).init::<TraceGrad>(device);
    let run = |input| TransformerEncoderInput::new(input);
    table("prenorm", &Summary::of(encoder, [2, 5, 16], |encoder, x| encoder.forward(run(x))).unwrap());
    let inputs = ([2, 5, 16], [2, 6, 16]);
    let config = TransformerDecoderConfig::new(16, 32, 4, 2);
    for (name, config) in
        [("transformer-decoder", config.clone()), ("prenorm-decoder", config.clone().with_norm_first(true))]
    {
        let decoder = Summary::of(
            |device| config.init::<TraceGrad>(device),
            inputs,
            |decoder, (x, memory)| decoder.forward(TransformerDecoderInput::new(x, memory)),
        );
        table(name, &decoder.unwrap());
    }
    let inference = Summary::of(
        |device| config.init::<Trace>(device),
        inputs,
        |decoder, (x, memory)| decoder.forward(TransformerDecoderInput::new(x, memory)),
    );
    table("transformer-decoder-inference", &inference.unwrap());
}

#[test]
fn layers_of_several_operations_are_one_row() {
    type B = TraceGrad;
    let row = |summary: Result<Summary, SummaryError>| rows(&summary.unwrap()).join("; ");
    let lstm = |device: &_| BiLstmConfig::new(8, 16, true).init::<B>(device);
    assert_eq!(row(Summary::of(lstm, [2, 7, 8], |lstm, x| lstm.forward(x, None).0)), "BiLstm [N, 7, 32]");
    let gru = |device: &_| BiGruConfig::new(8, 16, true).init::<B>(device);
    assert_eq!(row(Summary::of(gru, [2, 7, 8], |gru, x| gru.forward(x, None).0)), "BiGru [N, 7, 32]");
    let rnn = |device: &_| BiRnnConfig::new(8, 16, true).init::<B>(device);
    assert_eq!(row(Summary::of(rnn, [2, 7, 8], |rnn, x| rnn.forward(x, None).0)), "BiRnn [N, 7, 32]");
    let position = |device: &_| PositionalEncodingConfig::new(8).init::<B>(device);
    assert_eq!(row(Summary::of(position, [2, 5, 8], |layer, x| layer.forward(x))), "PositionalEncoding [N, 5, 8]");
    let rotary = |device: &_| RotaryEncodingConfig::new(16, 8).init::<B>(device);
    assert_eq!(row(Summary::of(rotary, [2, 2, 5, 8], |layer, x| layer.forward(x))), "RotaryEncoding [N, 2, 5, 8]");
    let norm = |device: &_| GroupNormConfig::new(2, 8).with_affine(false).init::<B>(device);
    assert_eq!(row(Summary::of(norm, [2, 8, 4, 8], |norm, x| norm.forward(x))), "GroupNorm [N, 8, 4, 8]");
    // With parameters too: the norm without them is its beginning.
    let norm = |device: &_| GroupNormConfig::new(2, 8).init::<B>(device);
    let summary = Summary::of(norm, [2, 8, 4, 8], |norm, x| norm.forward(x.exp())).unwrap();
    assert_eq!(rows(&summary), ["Exp [N, 8, 4, 8]", "GroupNorm [N, 8, 4, 8]"]);
    assert_eq!(summary.rows[1].input, summary.rows[1].output);
    let unfold = |_: &_| Unfold4dConfig::new([2, 2]).init();
    assert_eq!(
        row(Summary::of::<B, _, _, _>(unfold, [2, 3, 8, 8], |layer, x| layer.forward(x))),
        "Unfold4d [N, 12, 49]"
    );
}

#[test]
fn a_root_without_parameters_is_its_type() {
    let pool = |_: &TraceDevice| MaxPool2dConfig::new([2, 2]).init();
    let summary = Summary::of::<Trace, _, _, _>(pool, [2, 3, 8, 8], |pool, x| pool.forward(x)).unwrap();
    assert_eq!(summary.model, "MaxPool2d");
}

/// By hand: 4 positions see 4 pixels; after another convolution of 3, 6.
#[test]
fn uneven_padding_is_the_convolutions() {
    for padding in [PaddingConfig2d::Same, PaddingConfig2d::Explicit(1, 1, 2, 2)] {
        let summary = Summary::of(
            |device| {
                let first = Conv2dConfig::new([3, 4], [4, 4]).with_padding(padding.clone()).init::<TraceGrad>(device);
                (first, Conv2dConfig::new([4, 4], [3, 3]).init(device))
            },
            [2, 3, 8, 8],
            |(first, second), x| second.forward(first.forward(x)),
        )
        .unwrap();
        assert_eq!(rows(&summary), ["0: Conv2d [N, 4, 8, 8]", "1: Conv2d [N, 4, 6, 6]"]);
        assert_eq!(summary.rows[0].input.as_ref().unwrap().to_string(), "[N, 3, 8, 8]");
        let fields: Vec<_> = summary.rows.iter().map(|row| row.receptive_field.clone()).collect();
        assert_eq!(fields, [Some(vec![4, 4]), Some(vec![6, 6])]);
    }
}

#[derive(Module, Debug)]
struct Activations<B: Backend> {
    first: Linear<B>,
    list: Vec<Activation<B>>,
    shrink: Shrink,
    second: Linear<B>,
    one: Relu,
    other: Relu,
}

#[test]
fn activations_in_lists_have_paths_and_those_that_could_be_several_are_marked() {
    let summary = Summary::of(
        |device| Activations::<TraceGrad> {
            first: LinearConfig::new(8, 8).init(device),
            list: vec![ActivationConfig::Relu.init(device), ActivationConfig::Gelu.init(device)],
            shrink: ShrinkConfig::new().init(),
            second: LinearConfig::new(8, 8).init(device),
            one: Relu::new(),
            other: Relu::new(),
        },
        [2, 8],
        |model, x| {
            let x = model.list.iter().fold(model.first.forward(x), |x, activation| activation.forward(x));
            let x = model.second.forward(model.shrink.forward(x));
            model.one.forward(model.other.forward(x))
        },
    )
    .unwrap();
    let expected = ["first: Linear", "list.0: Relu", "list.1: Gelu", "shrink: Shrink", "second: Linear"];
    let found = rows(&summary);
    assert!(expected.iter().zip(&found).all(|(expected, found)| found.starts_with(expected)), "{found:?}");
    let last: Vec<_> = summary.rows[5..].iter().map(|row| (row.kind.as_str(), row.is_certain)).collect();
    assert_eq!(last, [("Relu", false), ("Relu", false)]);
    assert!(summary.to_string().contains("one?: Relu"));
}

#[test]
fn a_loop_over_cells_is_one_run_of_each_with_the_cost_of_all() {
    let summary = Summary::of(
        |device| -> Vec<Linear<TraceGrad>> { (0..2).map(|_| LinearConfig::new(8, 8).init(device)).collect() },
        [2, 8],
        |cells, x| (0..10).fold(x, |x, _| cells.iter().fold(x, |x, cell| tanh(cell.forward(x)))),
    )
    .unwrap();
    let runs: Vec<_> = summary.rows.iter().map(|row| (row.path.as_str(), row.kind.as_str(), row.repeats)).collect();
    assert_eq!(runs, [("0", "Linear", 10), ("", "Tanh", 10), ("1", "Linear", 10), ("", "Tanh", 10)]);
    assert_eq!(summary.rows[0].multiply_adds, 10 * 2 * 8 * 8);
}

#[derive(Module, Debug)]
struct Recurrent<B: Backend> {
    pair: (Linear<B>, Relu),
    output: Linear<B>,
}

/// Each step begins by taking its part of the sequence.
#[test]
fn a_loop_that_begins_with_operations_is_whole() {
    let summary = Summary::of(
        |device| {
            let linear = || LinearConfig::new(8, 8).init(device);
            Recurrent::<TraceGrad> { pair: (linear(), Relu::new()), output: linear() }
        },
        [2, 6, 8],
        |model, x| {
            let mut state = x.clone().narrow(1, 0, 1).squeeze_dim::<2>(1).exp();
            for step in x.iter_dim(1) {
                state = model.pair.1.forward(model.pair.0.forward(state.sin() + step.squeeze_dim::<2>(1).exp()));
            }
            model.output.forward(state)
        },
    )
    .unwrap();
    let found: Vec<_> = summary.rows.iter().map(|row| (row.kind.as_str(), row.repeats)).collect();
    let runs: Vec<_> = found.iter().copied().filter(|(_, repeats)| *repeats == 6).collect();
    let names: Vec<_> = runs.iter().map(|(name, _)| *name).collect();
    for name in ["Sin", "Exp", "Add", "Linear", "Relu"] {
        assert!(names.contains(&name), "{name} in {found:?}");
    }
    assert_eq!(found.last(), Some(&("Linear", 1)));
    // An activation in a tuple stands in the tuple.
    let relu = summary.rows.iter().find(|row| row.kind == "Relu").unwrap();
    assert_eq!((relu.path.as_str(), relu.depth), ("pair.1", 1));
}

#[test]
fn a_model_that_takes_even_batches_alone_has_its_batch_found() {
    let even = |layer: &Linear<Trace>, x: burn::tensor::Tensor<Trace, 2>| {
        let [batch, _] = x.dims();
        assert!(batch.is_multiple_of(2), "pairs");
        // Not first, where a size that equals the batch's would be taken for it.
        layer.forward(x).swap_dims(0, 1)
    };
    let linear = |device: &_| LinearConfig::new(8, 2).init::<Trace>(device);
    let summary = Summary::of(linear, [2, 8], even).unwrap();
    assert_eq!(summary.outputs[0].to_string(), "[2, N]");
    // Without any batch, too.
    let alone = Summary::of(linear, unbatched([3, 8]), |layer, x| layer.forward(x)).unwrap();
    assert_eq!((alone.outputs[0].to_string(), alone.batch_size), ("[3, 2]".to_owned(), 1));
}

#[test]
fn a_batch_that_is_no_first_dimension_is_found() {
    let lstm = |device: &_| LstmConfig::new(8, 4, true).with_batch_first(false).init::<Trace>(device);
    let summary = Summary::of(lstm, named("_N", [7, 3, 8]), |lstm, x| lstm.forward(x, None).0).unwrap();
    assert_eq!((summary.inputs[0].to_string(), summary.batch_size), ("[7, N, 8]".to_owned(), 3));
    assert_eq!(summary.outputs[0].to_string(), "[7, N, 4]");
}

#[test]
fn inference_knows_which_parameters_are_trained() {
    let init = |device: &_| {
        let frozen = LinearConfig::new(8, 8).with_bias(false).init::<TraceGrad>(device).no_grad();
        let norm = burn::nn::BatchNormConfig::new(8).init(device);
        (frozen, norm, burn::nn::DropoutConfig::new(0.5).init())
    };
    let summary = Summary::inference(init, [2, 8], |(linear, norm, dropout), x| {
        dropout.forward(norm.forward::<2>(linear.forward(x)))
    })
    .unwrap();
    // Weight and bias of the normalisation are trained; its statistics and the frozen layer are not.
    let parameters = summary.totals.parameters;
    assert_eq!((parameters.trainable, parameters.non_trainable), (16, 16 + 64));
    assert!(summary.rows.iter().all(|row| row.kind != "Dropout"), "{:?}", rows(&summary));
}

#[test]
fn why_there_is_no_backward_pass_is_told() {
    let linear = |device: &_| LinearConfig::new(8, 2).init::<TraceGrad>(device);
    let summary = Summary::of(linear, [2, 8], |layer, x| layer.forward(x).argmax(1)).unwrap();
    assert!(summary.totals.training.is_none());
    assert_eq!(summary.totals.no_training.as_deref(), Some("the model returns no float tensor"));
    assert!(summary.to_string().contains("not known, as the backward pass fails: the model returns no float"));
}

#[derive(Module, Debug)]
struct Tied<B: Backend> {
    embedding: Embedding<B>,
    linear: Linear<B>,
}

#[test]
fn graphs_show_every_tensor_between_rows_with_its_shape() {
    let resnet = published("resnet");
    golden("resnet.mermaid", &resnet.styled(Style::Mermaid).to_string());
    golden("resnet.dot", &resnet.styled(Style::Dot).depth(2).to_string());
    let svg = resnet.styled(Style::Svg).depth(1).to_string();
    for text in ["<svg", "stem: Conv2d", "layer1", "[N, 8, 16, 16]", "[N, 10]"] {
        assert!(svg.contains(text), "{text} in {svg}");
    }
    // A sum has two edges: what the block made, and what went into it.
    let sum = resnet.rows.iter().position(|row| row.kind == "Add").unwrap();
    assert_eq!(resnet.edges.iter().filter(|edge| edge.to == Some(sum)).count(), 2);
    let init = |device: &_| Tied::<Trace> {
        embedding: EmbeddingConfig::new(20, 8).init(device),
        linear: LinearConfig::new(8, 8).init(device),
    };
    let tied = Summary::of(init, tokens([2, 5]), |model, x| {
        let x = model.linear.forward(model.embedding.forward(x));
        x.matmul(model.embedding.weight.val().transpose().unsqueeze())
    })
    .unwrap();
    let ends: Vec<_> = tied.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    assert_eq!(ends, [(None, Some(0)), (Some(0), Some(1)), (Some(1), Some(2)), (Some(2), None)]);
    assert_eq!(tied.rows[2].role, Role::Layer);
}

#[test]
fn free_dimensions_are_whole_multiples_or_numbers() {
    let wide = |device: &_| LinearConfig::new(16, 4).init::<Trace>(device);
    let merged = Summary::of(wide, named("NT", [2, 4, 8]), |layer, x| layer.forward(x.reshape([-1, 16]))).unwrap();
    // Half of N times T: no whole multiple.
    assert_eq!(merged.outputs[0].to_string(), "[4, 4]");
    let narrow = |device: &_| LinearConfig::new(8, 4).init::<Trace>(device);
    let flat = Summary::of(narrow, named("NT", [2, 4, 8]), |layer, x| layer.forward(x.reshape([-1, 8]))).unwrap();
    assert_eq!(flat.outputs[0].to_string(), "[NT, 4]");
    let pairs = Summary::of(wide, [4, 8], |layer, x| layer.forward(x.reshape([-1, 16]))).unwrap();
    assert_eq!((pairs.inputs[0].to_string(), pairs.outputs[0].to_string()), ("[N, 8]".into(), "[N/2, 4]".into()));
    let one = Summary::of(narrow, unbatched([1, 8]), |layer, x| layer.forward(x)).unwrap();
    assert_eq!(one.outputs[0].to_string(), "[1, 4]");
}

/// A layer between others that run once is no loop; an activation before a loop is not the loop's.
#[test]
fn a_layer_that_is_shared_keeps_its_place() {
    let linears = |device: &TraceDevice| -> Vec<Linear<TraceGrad>> {
        (0..4).map(|_| LinearConfig::new(8, 8).init(device)).collect()
    };
    let between = Summary::of(linears, [2, 8], |layers, x| {
        layers[1..].iter().fold(x, |x, layer| layers[0].forward(layer.forward(x)))
    })
    .unwrap();
    let order: Vec<_> = between.rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(order, ["1", "0", "2", "0", "3", "0"]);
    let cell = Summary::of(linears, [2, 8], |layers, x| {
        (0..3).fold(relu(layers[0].forward(x)), |x, _| relu(layers[1].forward(x)))
    })
    .unwrap();
    let runs: Vec<_> = cell.rows[..4].iter().map(|row| (row.kind.as_str(), row.repeats)).collect();
    assert_eq!(runs, [("Linear", 1), ("Relu", 1), ("Linear", 3), ("Relu", 3)]);
}

#[test]
fn a_depth_has_the_edges_of_its_rows() {
    let resnet = published("resnet");
    let json: serde_json::Value = serde_json::from_str(&resnet.styled(Style::Json).depth(1).to_string()).unwrap();
    let rows = json["rows"].as_array().unwrap().len();
    let ends = json["edges"].as_array().unwrap().iter().flat_map(|edge| [edge["from"].as_u64(), edge["to"].as_u64()]);
    assert_eq!(ends.flatten().max(), Some(rows as u64 - 1));
}

/// Of twelve layers with two sums each, a walk of all paths would not end.
#[test]
fn a_deep_graph_and_an_empty_one_have_a_picture() {
    let deep = Summary::of(
        |device| TransformerEncoderConfig::new(16, 32, 4, 12).init::<Trace>(device),
        [2, 5, 16],
        |encoder, x| encoder.forward(TransformerEncoderInput::new(x)),
    )
    .unwrap();
    assert!(deep.styled(Style::Svg).to_string().contains("layers.11.norm_2"));
    let nothing = |_: &TraceDevice| Relu::new();
    let empty = Summary::of::<Trace, _, _, _>(nothing, [2, 8], |_, x| Tensor::<Trace, 2>::zeros(x.dims(), &x.device()))
        .unwrap();
    assert!(empty.styled(Style::Svg).to_string().starts_with("<svg"));
}

#[derive(Module, Debug)]
struct Lora<B: Backend> {
    base: Linear<B>,
    a: Param<Tensor<B, 2>>,
    b: Param<Tensor<B, 2>>,
}

/// The product of LoRA's two factors, 64x4x32 multiply-adds, has no row; that of its result counts it.
#[test]
fn multiply_adds_of_parameters_alone_count_where_their_result_is_used() {
    let init = |device: &_| Lora::<TraceGrad> {
        base: LinearConfig::new(64, 32).init(device),
        a: Param::from_tensor(Tensor::zeros([64, 4], device)),
        b: Param::from_tensor(Tensor::zeros([4, 32], device)),
    };
    let summary = Summary::of(init, [8, 64], |model, x| {
        model.base.forward(x.clone()) + x.matmul(model.a.val().matmul(model.b.val()))
    })
    .unwrap();
    let multiply_adds: Vec<_> = summary.rows.iter().map(|row| row.multiply_adds).collect();
    assert_eq!(multiply_adds, [8 * 64 * 32, 8 * 64 * 32 + 64 * 4 * 32, 0]);
    assert_eq!(multiply_adds.iter().sum::<u64>(), summary.totals.forward_multiply_adds);
}

/// An inception block sees what its widest branch sees; a normalisation's statistics do not count.
#[test]
fn the_receptive_field_goes_through_concatenations_and_normalisations() {
    let conv = |size, device: &_| Conv2dConfig::new([4, 4], [size; 2]).with_padding(PaddingConfig2d::Same).init(device);
    let init = |device: &_| {
        let norm = GroupNormConfig::new(2, 8).init::<Trace>(device);
        (conv(1, device), conv(3, device), norm, Conv2dConfig::new([8, 4], [3, 3]).init(device))
    };
    let summary = Summary::of(init, [1, 4, 9, 9], |(one, three, norm, last), x| {
        last.forward(norm.forward(Tensor::cat(vec![one.forward(x.clone()), three.forward(x)], 1)))
    })
    .unwrap();
    let fields: Vec<_> = summary.rows.iter().map(|row| row.receptive_field.as_deref().unwrap()).collect();
    assert_eq!(fields, [[1, 1], [3, 3], [3, 3], [3, 3], [5, 5]]);
}

#[derive(Module, Debug)]
struct Positioned<B: Backend> {
    layer: Linear<B>,
    #[module(skip)]
    positions: Tensor<B, 2>,
}

/// What a summary says of memory: a linear layer of 8 to 4 with bias is 36 numbers, a buffer of 8 comes on top.
#[test]
fn memory_is_estimated_for_optimizers_and_number_formats() {
    let init = |device: &TraceDevice| Positioned::<TraceGrad> {
        layer: LinearConfig::new(8, 4).init(device),
        positions: Tensor::zeros([1, 8], device),
    };
    let summary = Summary::of(init, [2, 8], |model, x| model.layer.forward(x + model.positions.clone())).unwrap();
    let totals = &summary.totals;
    assert_eq!((totals.parameter_bytes(), totals.buffer_bytes), (36 * 4, 8 * 4));
    let bytes = |optimizer| totals.training_bytes(optimizer).unwrap();
    let without = bytes(Optimizer::Sgd);
    let states = [Optimizer::Momentum, Optimizer::AdaGrad, Optimizer::RmsProp, Optimizer::Adam, Optimizer::AdamW];
    assert_eq!(states.map(|optimizer| (bytes(optimizer) - without) / (36 * 4)), [1, 1, 2, 2, 2]);
    let text = summary.styled(Style::Wide).optimizer(Optimizer::Sgd).to_string();
    for line in
        ["Buffers                32 B", "and 72 B of parameters", "and 36 B of parameters", "Training with SGD "]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
}

/// Columns stand in the order asked for, and say what torchinfo's say.
#[test]
fn columns_are_those_asked_for() {
    let summary = published("resnet");
    let table = summary.styled(Style::Wide).width(200).columns([Column::Trainable, Column::Weights]).to_string();
    let heading: Vec<_> = table.lines().nth(2).unwrap().split('│').map(str::trim).collect();
    assert_eq!(heading, ["", "Layer", "Trainable", "Weights", ""]);
    assert!(table.contains("yes") && table.contains("weight [8, 3, 3, 3]"), "{table}");
    assert!(table.contains("partly"), "the statistics of a normalisation are not trained: {table}");
}

/// Between a flattened map and a linear layer that is reshaped to a map, the linear layer's result is a vector.
#[test]
fn a_linear_layer_between_reshapes_has_the_shape_of_its_result() {
    let summary = Summary::of(
        |device| LinearConfig::new(32, 48).init::<Trace>(device),
        [2, 2, 4, 4],
        |layer, x: Tensor<_, 4>| layer.forward(x.flatten::<2>(1, 3)).reshape([-1, 3, 4, 4]),
    )
    .unwrap();
    assert_eq!(rows(&summary), ["Flatten [N, 32]", "Linear [N, 48]"]);
}

#[test]
fn normalisations_without_parameters_are_known_for_every_image_size() {
    for size in [4, 5, 8] {
        let init = |device: &_| {
            let norm = burn::nn::InstanceNormConfig::new(8).with_affine(false).init::<Trace>(device);
            (norm, Conv2dConfig::new([8, 8], [1, 1]).init(device))
        };
        let summary = Summary::of(init, [2, 8, size, size], |(norm, conv), x| conv.forward(norm.forward(x))).unwrap();
        assert_eq!(rows(&summary)[0], format!("0: InstanceNorm [N, 8, {size}, {size}]"));
    }
}

#[test]
fn a_sum_of_two_inputs_has_two_edges() {
    let inputs = ([2, 8], [2, 8]);
    let linear = |device: &_| LinearConfig::new(8, 8).init::<Trace>(device);
    let sum = Summary::of(linear, inputs, |layer, (a, b): (Tensor<_, 2>, Tensor<_, 2>)| layer.forward(a + b)).unwrap();
    assert_eq!(sum.edges.iter().filter(|edge| (edge.from, edge.to) == (None, Some(0))).count(), 2);
}
