//! The tables of one run.

use burn_pooling::evaluation::{Calibration, Evaluation};
use burn_pooling::run::{DataConfig, RunConfig};
use burn_pooling::statistics::wilson95;
use burn_pooling::summary::Summary;
use maud::{Markup, html};
use serde_json::Value;

use super::plots::{Titles, reliability};

/// Every setting of the run: its path in `config.json`, and its value.
pub fn settings(config: &RunConfig) -> Markup {
    let mut settings = Vec::new();
    flatten(String::new(), &serde_json::to_value(config).unwrap_or_default(), &mut settings);
    html! {
        details {
            summary { (settings.len()) " settings" }
            dl { @for (name, value) in &settings { div { dt { (name) } dd { (value) } } } }
        }
    }
}

fn flatten(path: String, value: &Value, settings: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(below(name), value, settings)),
        Value::Array(values) if values.iter().any(|value| value.is_object()) => {
            let numbered = values.iter().enumerate();
            numbered.for_each(|(index, value)| flatten(below(&(index + 1).to_string()), value, settings));
        }
        Value::Null => settings.push((path, "none".to_owned())),
        Value::String(text) => settings.push((path, text.clone())),
        other => settings.push((path, other.to_string())),
    }
}

/// The summary: layers in the order in which they run.
pub fn layers(summary: &Summary) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Layers" {
            table {
                thead { tr {
                    th scope="col" { "layer" } th scope="col" { "kind" } th scope="col" { "output" }
                    th.number scope="col" { "parameters" } th.number scope="col" { "multiply-adds" }
                } }
                tbody { @for row in summary.rows.iter().filter(|row| row.runs()) { tr {
                    th scope="row" { (row.path) } td { (row.kind) }
                    td { @if let Some(output) = &row.output { (output) } }
                    td.number { (row.parameters.total()) } td.number { (row.multiply_adds) }
                } } }
                tfoot { tr {
                    th scope="row" { "all" } td {} td {}
                    td.number { (summary.totals.parameters.total()) } td.number { (summary.totals.forward_multiply_adds) }
                } }
            }
        }
    }
}

/// The confusion matrix as a heat map.
pub fn confusion(evaluation: &Evaluation, data: &DataConfig) -> Markup {
    let classes = 0..evaluation.confusion.len();
    html! {
        p { "Rows are true classes, columns what the network says. The darker, the larger the share of the row; blue is right, \
             orange wrong." }
        div.scroll tabindex="0" role="region" aria-label="Confusion matrix" {
            table.confusion {
                thead { tr { th scope="col" { "true \\ predicted" } @for class in classes { th.number scope="col" { (class) } } } }
                tbody { @for (class, row) in evaluation.confusion.iter().enumerate() { tr {
                    th.number scope="row" { (data.class_title(class)) }
                    @for (predicted, &count) in row.iter().enumerate() {
                        td.number.right[class == predicted].wrong[class != predicted && count > 0]
                            style={ "--share:" (strength(count, row)) "%" } { (count) }
                    }
                } } }
            }
        }
    }
}

/// How strong a cell's colour is, in percent: the root of its share, so that rare mistakes are seen.
fn strength(count: usize, row: &[usize]) -> u32 {
    let all = row.iter().sum::<usize>().max(1);
    (100.0 * (count as f64 / all as f64).sqrt()).round() as u32
}

/// What is found of each class, and what is true of each answer.
pub fn classes(evaluation: &Evaluation, data: &DataConfig) -> Markup {
    let matrix = &evaluation.confusion;
    let share = |correct: usize, count: usize| {
        let [lower, upper] = wilson95(correct, count);
        html! {
            td.number { @if count > 0 { (format!("{:.4}", correct as f64 / count as f64)) } @else { "none" } }
            td.number { @if count > 0 { (format!("{lower:.4} to {upper:.4}")) } }
        }
    };
    html! {
        p { "Recall: the share of a class's images that is recognised. Precision: the share of the answers with this class that \
             is right." }
        div.scroll tabindex="0" role="region" aria-label="Classes" {
            table {
                thead { tr {
                    th.number scope="col" { "class" } th.number scope="col" { "images" }
                    th.number scope="col" { "recall" } th.number scope="col" { "95 % interval" }
                    th.number scope="col" { "precision" } th.number scope="col" { "95 % interval" }
                } }
                tbody { @for (class, row) in matrix.iter().enumerate() {
                    @let (images, answers) = (row.iter().sum(), matrix.iter().map(|row| row[class]).sum());
                    tr { th.number scope="row" { (data.class_title(class)) } td.number { (images) } (share(row[class], images)) (share(row[class], answers)) }
                } }
            }
        }
    }
}

/// The reliability diagram, with the numbers.
pub fn calibration(calibration: &Calibration) -> Markup {
    let width = 1.0 / calibration.bins.len() as f64;
    let bounds = |bin: usize| (bin as f64 * width, (bin + 1) as f64 * width);
    let bars: Vec<_> = calibration
        .bins
        .iter()
        .enumerate()
        .map(|(index, bin)| (bounds(index).0, bounds(index).1, bin.accuracy()))
        .collect();
    let titles = Titles {
        title: "Reliability diagram",
        x: "confidence: probability of the predicted class",
        y: "share of right answers",
    };
    html! {
        p { "If probabilities mean what they say, bars end on the line. The expected calibration error, the mean distance \
             weighted by the number of images, is " (format!("{:.4}", calibration.expected_error)) "." }
        figure {
            figcaption { (titles.title) }
            (reliability(&titles, &bars))
            details {
                summary { "Numbers" }
                table {
                    thead { tr {
                        th scope="col" { "confidence" } th.number scope="col" { "images" }
                        th.number scope="col" { "mean confidence" } th.number scope="col" { "right" }
                    } }
                    tbody { @for (index, bin) in calibration.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) { tr {
                        th scope="row" { (format!("{:.1} to {:.1}", bounds(index).0, bounds(index).1)) }
                        td.number { (bin.count) }
                        td.number { (bin.confidence().map_or_else(String::new, |share| format!("{share:.4}"))) }
                        td.number { (bin.accuracy().map_or_else(String::new, |share| format!("{share:.4}"))) }
                    } } }
                }
            }
        }
    }
}
