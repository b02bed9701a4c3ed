//! The page: what all runs have in common, then each run by itself.

use burn_pooling::mnist::ImageDataset;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::figures::{calibration, classes, confusion, layers, settings};
use super::gathered::Gathered;
use super::pictures::{answers, examples, filters};
use super::plots::{Line, Titles, lines};

/// The page's colours and layout.
const STYLE: &str = include_str!("style.css");

/// Writes the whole page.
pub fn page(runs: &[Gathered], test: &ImageDataset) -> anyhow::Result<Markup> {
    let title = match runs {
        [run] => format!("{} ({})", run.name, run.config.model.name),
        _ => format!("{} runs", runs.len()),
    };
    let sections = runs.iter().enumerate().map(|(index, run)| section(index, run, test));
    let sections = sections.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    p { "Tested on " (test.len()) " test images. Intervals are Wilson's, at 95 %." }
                    @if runs.len() > 1 { nav aria-label="Runs" { ul { @for (index, run) in runs.iter().enumerate() {
                        li { a href={ "#run" (index) } { (run.name) } }
                    } } } }
                }
                main {
                    section aria-labelledby="compared" {
                        h2 id="compared" { "At a glance" }
                        (compared(runs))
                    }
                    section aria-labelledby="curves" {
                        h2 id="curves" { "Learning curves" }
                        (curves(runs))
                    }
                    div.runs { @for section in &sections { (section) } }
                }
            }
        }
    })
}

fn compared(runs: &[Gathered]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs compared" {
            table {
                thead { tr {
                    th scope="col" { "run" } th scope="col" { "network" }
                    th.number scope="col" { "test accuracy" } th.number scope="col" { "95 % interval" }
                    th.number scope="col" { "loss" } th.number scope="col" { "calibration error" }
                    th.number scope="col" { "parameters" } th.number scope="col" { "multiply-adds" }
                    th.number scope="col" { "epochs" }
                } }
                tbody { @for run in runs {
                    @let test = &run.evaluation;
                    tr {
                        th scope="row" { (run.name) } td { (run.config.model.name) }
                        td.number { (format!("{:.4}", test.accuracy)) }
                        td.number { (format!("{:.4} to {:.4}", test.interval95[0], test.interval95[1])) }
                        td.number { (format!("{:.4}", test.loss)) }
                        td.number { (format!("{:.4}", run.calibration.expected_error)) }
                        td.number { (run.summary.totals.parameters.total()) }
                        td.number { (run.summary.totals.forward_multiply_adds) }
                        td.number { (run.metrics.len()) }
                    }
                } }
            }
        }
    }
}

fn curves(runs: &[Gathered]) -> Markup {
    let curve = |train: fn(&_) -> f64, valid: fn(&_) -> Option<f64>| -> Vec<Line> {
        let of_run = |(colour, run): (usize, &Gathered)| {
            let name =
                |what: &str| if runs.len() > 1 { format!("{} {what}", run.config.model.name) } else { what.to_owned() };
            let at = |epoch: usize| epoch as f64;
            let valid: Vec<_> = run.metrics.iter().filter_map(|epoch| Some((at(epoch.epoch), valid(epoch)?))).collect();
            let train = run.metrics.iter().map(|epoch| (at(epoch.epoch), train(epoch))).collect();
            [
                Line { name: name("training"), colour, is_dashed: true, points: train },
                Line { name: name("validation"), colour, is_dashed: false, points: valid },
            ]
        };
        runs.iter().enumerate().flat_map(of_run).filter(|line| !line.points.is_empty()).collect()
    };
    let titles = |title, y| Titles { title, x: "epoch", y };
    html! {
        p { "Training figures (dashed) are means over an epoch, while the weights change; validation figures (solid) are taken \
             after it. A training curve that goes on improving while the validation curve gets worse shows overfitting." }
        div.pair {
            (lines(&titles("Loss", "loss, nats"), &curve(|epoch| epoch.train_loss, |epoch| epoch.valid_loss)))
            (lines(&titles("Accuracy", "accuracy"), &curve(|epoch| epoch.train_accuracy, |epoch| epoch.valid_accuracy)))
        }
    }
}

fn section(index: usize, run: &Gathered, test: &ImageDataset) -> anyhow::Result<Markup> {
    let id = format!("run{index}");
    Ok(html! {
        article id=(id) aria-labelledby={ (id) "-name" } {
            h2 id={ (id) "-name" } { (run.name) }
            h3 { "Configuration" } (settings(&run.config))
            h3 { "Layers" } (layers(&run.summary))
            h3 { "Which class is taken for which" } (confusion(&run.evaluation, &run.config.data))
            h3 { "Classes" } (classes(&run.evaluation, &run.config.data))
            h3 { "Calibration" } (calibration(&run.calibration))
            h3 { "Mistakes and doubts" } (answers(run, test)?)
            h3 { "Filters of the first convolution" } (filters(run)?)
            h3 { "One image of each class on its way through the network" } (examples(run)?)
        }
    })
}
