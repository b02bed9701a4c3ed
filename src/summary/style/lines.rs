//! The lines around the wide and the Markdown table: the title, the totals.

use super::super::optimizer::{Optimizer, Precision};
use super::super::row::ParameterCount;
use super::super::shape::Dimensions;
use super::super::summarise::Summary;
use super::number::{bytes, grouped, short};

/// Returns the totals, as pairs of a label and its value.
pub(super) fn totals(summary: &Summary, optimizer: Optimizer) -> Vec<(String, String)> {
    let totals = &summary.totals;
    let ParameterCount { trainable, non_trainable } = totals.parameters;
    let size = |size: usize| bytes(size as u64);
    let count = |count: usize, bytes| format!("{} ({})", grouped(count as u64), size(bytes));
    let mut lines: Vec<(&str, String)> = vec![
        ("Parameters", count(totals.parameters.total(), totals.parameter_bytes())),
        ("  trainable", count(trainable, totals.trainable_bytes)),
    ];
    if non_trainable > 0 {
        lines.push(("  fixed", count(non_trainable, totals.non_trainable_bytes)));
    }
    if totals.unused_parameters > 0 {
        let unused = grouped(totals.unused_parameters as u64);
        lines.push(("  unused", format!("{unused}, in no forward pass")));
    }
    let types: Vec<_> =
        totals.types.iter().map(|it| format!("{} {}", it.kind, grouped(it.parameters as u64))).collect();
    if types.len() > 1 {
        lines.push(("  by type", types.join(", ")));
    }
    if totals.buffer_bytes > 0 {
        lines.push(("Buffers", size(totals.buffer_bytes)));
    }
    lines.push(("Multiply-adds", short(totals.forward_multiply_adds)));
    if let Some(training) = &totals.training {
        lines.push(("  with backward pass", short(training.multiply_adds)));
    }
    let (peak, all) = (size(totals.peak_activation_bytes), size(totals.activation_bytes));
    let input = size(totals.input_bytes);
    lines.push(("Activations", format!("{peak} at peak, {all} in all, {input} input")));
    for (label, precision) in [("  in f16 or bf16", Precision::Bf16), ("  in int8", Precision::Int8)] {
        let [parameters, peak] =
            [totals.parameter_bytes(), totals.peak_activation_bytes].map(|all| size(precision.bytes(all)));
        lines.push((label, format!("{peak} at peak, and {parameters} of parameters")));
    }
    let mut lines: Vec<_> = lines.into_iter().map(|(label, value)| (label.to_owned(), value)).collect();
    if let (Some(training), Some(all)) = (&totals.training, totals.training_bytes(optimizer)) {
        lines.push(("  kept for training".to_owned(), size(training.kept_bytes)));
        let parts = [
            ("parameters", totals.parameter_bytes() + totals.buffer_bytes),
            ("gradients", training.gradient_bytes),
            ("states", optimizer.states() * training.gradient_bytes),
            ("activations", training.kept_bytes),
        ];
        let parts = parts.into_iter().filter(|(_, bytes)| *bytes > 0);
        let parts: Vec<_> = parts.map(|(name, bytes)| format!("{name} {}", size(bytes))).collect();
        lines.push((format!("Training with {optimizer}"), format!("{}: {}", size(all), parts.join(", "))));
    }
    if let Some(reason) = &totals.no_training {
        lines.push(("Training".to_owned(), format!("not known, as the backward pass fails: {reason}")));
    }
    lines
}

/// Returns the line above the table: the model, its input and output shapes, the batch size.
pub(super) fn title(summary: &Summary) -> String {
    let list = |shapes: &[Dimensions]| {
        let shapes: Vec<_> = shapes.iter().map(ToString::to_string).collect();
        shapes.join(", ")
    };
    let Summary { model, batch_size, length, inputs, outputs, .. } = summary;
    let length = length.map_or(String::new(), |length| format!(", T = {length}"));
    format!("{model}: {} -> {}, N = {batch_size}{length}", list(inputs), list(outputs))
}
