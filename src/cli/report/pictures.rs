//! The pictures of one run: mistakes, filters, feature maps.

use burn_pooling::explain::Maps;
use burn_pooling::explain::drawing::{Colours, Sheet, photograph};
use burn_pooling::explain::panels::{Panel, panels};
use burn_pooling::mnist::ImageDataset;
use burn_pooling::run::DataConfig;
use image::RgbImage;
use maud::{Markup, html};

use super::gathered::{Answer, Example, Gathered};
use crate::cli::data_uri::data_uri;

/// Number of mistakes, and of right answers, that are shown.
const SHOWN: usize = 16;
/// Maps side by side.
const COLUMNS: usize = 8;

/// The mistakes that the network is most sure of, and the right answers that it is least sure of.
pub fn answers(run: &Gathered, test: &ImageDataset) -> anyhow::Result<Markup> {
    let (answers, data) = (&run.answers, &run.config.data);
    let mut wrong: Vec<Answer> = answers.iter().copied().filter(|answer| !answer.is_right()).collect();
    let mut right: Vec<Answer> = answers.iter().copied().filter(Answer::is_right).collect();
    wrong.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
    right.sort_by(|one, other| one.confidence.total_cmp(&other.confidence));
    wrong.truncate(SHOWN);
    right.truncate(SHOWN);
    Ok(html! {
        h4 { "The most confident mistakes" }
        p { "What the network says, with its probability, and what is true." }
        (gallery(&wrong, test, data)?)
        h4 { "The least confident right answers" }
        (gallery(&right, test, data)?)
    })
}

fn gallery(answers: &[Answer], test: &ImageDataset, data: &DataConfig) -> anyhow::Result<Markup> {
    let mut items = Vec::new();
    for answer in answers {
        let said = format!("{} ({:.2})", data.class_title(answer.class), answer.confidence);
        let truth = if answer.is_right() { String::new() } else { format!(", is {}", data.class_title(answer.label)) };
        let alt = format!("test image {}: the network says {said}{truth}", answer.image);
        items.push(
            html! { li { (img(&photograph(&image_of(test, answer.image), 1), 56, &alt)?) span { (said) (truth) } } },
        );
    }
    Ok(html! { @if items.is_empty() { p { "None." } } @else { ul.gallery { @for item in &items { (item) } } } })
}

fn image_of(images: &ImageDataset, index: usize) -> Maps {
    let values = images.pixels(index).iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    Maps { channels: images.channels(), size: images.image_size(), values }
}

/// The weights of the first convolution.
pub fn filters(run: &Gathered) -> anyhow::Result<Markup> {
    let filters = &run.filters;
    let most = filters.values.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let columns = COLUMNS * run.config.model.channels.max(1);
    let colours = Colours::signed(filters);
    let picture = Sheet { maps: filters, colours, winners: None, columns, scale: 8 }.draw();
    let alt = format!("{} kernels of {}x{} weights", filters.channels, filters.size[0], filters.size[1]);
    Ok(html! {
        p { "Orange weights are positive, blue ones negative; the strongest colour stands for ±" (format!("{most:.3}")) "." }
        (img(&picture, picture.width() * 3 / 2, &alt)?)
    })
}

/// Feature maps before and after every pooling.
pub fn examples(run: &Gathered) -> anyhow::Result<Markup> {
    let items = run.examples.iter().map(|one| example(one, &run.config.data)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(html! {
        p { "Each picture shows all maps of a stage, the brighter the larger the value, on one scale before and after pooling; \
             what a maximum comes from is orange. The last two pictures show what speaks for the answer (orange) and against it (blue): places of the last \
             stage's maps, and pixels (gradient times input)." }
        @for item in &items { (item) }
    })
}

fn example(example: &Example, data: &DataConfig) -> anyhow::Result<Markup> {
    let Example { label, explanation } = example;
    let [label_title, said] = [*label, explanation.class].map(|class| data.class_title(class));
    let mut figures = Vec::new();
    for Panel { caption, picture, .. } in panels(explanation) {
        figures.push(html! { figure { (img(&picture, picture.width(), &caption)?) figcaption { (caption) } } });
    }
    let probability = explanation.probabilities.get(explanation.class).copied().unwrap_or(f32::NAN);
    Ok(html! {
        details open[*label < 2] {
            summary { "A " (label_title) ": the network says " (said) " (" (format!("{probability:.3}")) ")" }
            div.stages { @for figure in &figures { (figure) } }
        }
    })
}

fn img(picture: &RgbImage, width: u32, alt: &str) -> anyhow::Result<Markup> {
    let address = data_uri(picture)?;
    let height = (width * picture.height()).div_ceil(picture.width().max(1));
    Ok(html! { img src=(address) alt=(alt) width=(width) height=(height); })
}
