//! Models that are not ours, against what PyTorch says of the same networks.
//!
//! `reference/torchinfo_figures.json` was made by `reference/torchinfo_figures.py`.

#[path = "summary/networks.rs"]
mod networks;
#[path = "summary/published.rs"]
mod published;
#[path = "summary/torch.rs"]
mod torch;

use burn_pooling::summary::{Role, Row, Summary};
use torch::Figures;

fn each(check: impl Fn(&str, &Summary, &Figures)) {
    let figures = torch::load();
    let summaries = [networks::all(), published::all()].concat();
    assert_eq!(summaries.len(), figures.len());
    for (name, summary) in &summaries {
        check(name, summary, &figures[*name]);
    }
}

/// The layers' rows. Of a loop, ours is one row and torchinfo's are as many as there are runs; a tied decoder is no layer
/// of torchinfo.
fn layers<'a>(summary: &'a Summary, torch: &'a Figures) -> Vec<(&'a Row, &'a torch::Layer)> {
    let rows: Vec<_> = summary.rows.iter().filter(|row| row.role == Role::Layer && row.kind != "Matmul").collect();
    let in_loop = |path: &str| rows.iter().any(|row| row.path == path && row.repeats > 1);
    let layers = torch.layers.iter().filter(|layer| layer.params > 0);
    let layers: Vec<_> = layers.filter(|layer| !(layer.recursive && in_loop(&layer.path))).collect();
    let in_order = |paths: Vec<&str>| paths.join(" ");
    assert_eq!(
        in_order(rows.iter().map(|row| row.path.as_str()).collect()),
        in_order(layers.iter().map(|layer| layer.path.as_str()).collect()),
    );
    rows.into_iter().zip(layers).collect()
}

#[test]
fn parameters_agree_with_torchinfo() {
    each(|name, summary, torch| {
        // torchinfo leaves batch normalisation's running statistics out; here they are parameters
        // that are not trained.
        let parameters = summary.totals.parameters;
        assert_eq!(parameters.trainable, torch.trainable_params, "{name}");
        let statistics: usize =
            torch.layers.iter().filter(|layer| layer.class == "BatchNorm2d").map(|layer| layer.params).sum();
        assert_eq!(parameters.non_trainable, statistics, "{name}");
    });
}

#[test]
fn every_layer_of_torchinfo_is_a_row_with_its_parameters_and_shape() {
    each(|name, summary, torch| {
        for (row, layer) in layers(summary, torch) {
            let expected = if layer.recursive { 0 } else { layer.params };
            assert_eq!(row.parameters.trainable, expected, "{name} {}", row.path);
            assert_eq!(row.shared, layer.recursive, "{name} {}", row.path);
            let sizes: Vec<usize> = row
                .output
                .iter()
                .flat_map(|shape| &shape.0)
                .map(|dimension| dimension.size(summary.batch_size, 1).unwrap())
                .collect();
            assert_eq!(sizes, layer.output, "{name} {}", row.path);
        }
    });
}

#[test]
fn multiply_adds_agree_with_torchinfo_but_for_its_conventions() {
    each(|name, summary, torch| {
        for (row, layer) in layers(summary, torch) {
            let runs = row.repeats as u64;
            assert_eq!(row.multiply_adds, runs * layer.multiply_adds_in_our_convention(), "{name} {}", row.path);
        }
    });
}

#[test]
fn multiply_adds_of_both_passes_agree_with_pytorch() {
    each(|name, summary, torch| {
        let totals = &summary.totals;
        // Burn's rotary encoding is a product with a matrix of signs, [positions, 2] by [2, 4]: of queries and of keys,
        // in three blocks, for 2 * 4 * 5 positions of pairs. PyTorch's network has none.
        let rotary = if name == "llama" { 3 * 2 * (2 * 4 * 5 * 2) * 2 * 4 } else { 0 };
        assert_eq!(2 * (totals.forward_multiply_adds - rotary), torch.flops.forward, "{name}");
        let training = totals.training.as_ref().expect("these can be differentiated");
        let backward = training.multiply_adds - totals.forward_multiply_adds;
        let expected = match name {
            // PyTorch's counter takes the weight gradient of a grouped convolution for that of a
            // full one. By hand: the stem's weight 16*16 * 16*27, the depthwise input and weight
            // 16*16 * 16*9 each, the pointwise ones 16*16 * 32*16 each; two images.
            "depthwise" => 2 * 256 * (16 * 27 + 2 * 16 * 9 + 2 * 32 * 16),
            // Here too: every layer twice, but for the first, whose input needs no gradient, 16*16 * 8*27 of two images.
            "mobilenet" => torch.flops.forward - 2 * 256 * 8 * 27,
            _ => torch.flops.backward / 2 + rotary,
        };
        assert_eq!(backward, expected, "{name}");
    });
}

#[test]
fn the_parameter_column_adds_up_to_the_total() {
    each(|name, summary, _| {
        let rows = summary.rows.iter().filter(|row| row.role != Role::Container);
        let column: usize = rows.map(|row| row.parameters.total()).sum();
        assert_eq!(column, summary.totals.parameters.total(), "{name}");
    });
}

#[test]
fn the_multiply_add_column_adds_up_to_the_total() {
    each(|name, summary, _| {
        let rows = summary.rows.iter().filter(|row| row.role != Role::Container);
        let column: u64 = rows.map(|row| row.multiply_adds).sum();
        assert_eq!(column, summary.totals.forward_multiply_adds, "{name}");
    });
}

#[test]
fn a_container_holds_the_sum_of_its_rows() {
    each(|name, summary, _| {
        for (index, container) in summary.rows.iter().enumerate() {
            if container.role != Role::Container {
                continue;
            }
            let inside: Vec<_> = summary.rows[index + 1..]
                .iter()
                .take_while(|row| row.depth > container.depth)
                .filter(|row| row.role != Role::Container)
                .collect();
            assert!(!inside.is_empty(), "{name} {}", container.path);
            let parameters: usize = inside.iter().map(|row| row.parameters.total()).sum();
            assert_eq!(container.parameters.total(), parameters, "{name} {}", container.path);
            let multiply_adds: u64 = inside.iter().map(|row| row.multiply_adds).sum();
            assert_eq!(container.multiply_adds, multiply_adds, "{name} {}", container.path);
            assert_eq!(container.output, inside[inside.len() - 1].output);
        }
    });
}
