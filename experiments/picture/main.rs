//! A digit on its way through the first stage of each of the four networks, drawn into `pooling.svg`.

mod drawing;

use burn::tensor::Tensor;
use burn_flex::Flex;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::data::DataSet;
use burn_pooling_experiments::options::project;
use burn_pooling_experiments::protocol::plan;
use burn_pooling_experiments::training::{Plan, train};

use drawing::{Drawing, Map, Row};

/// The seed of every network.
const SEED: u64 = 1;
/// The test image.
const DIGIT: usize = 127;
/// How many of a network's maps are shown.
const SHOWN: usize = 4;
/// They are chosen among as many that vary most.
const CANDIDATES: usize = 14;

fn main() -> anyhow::Result<()> {
    let data = DataSet::mnist()?;
    let digit = data.sets.test.select(&[DIGIT]);
    let rows = Variant::ALL.map(|variant| row(variant, &data, &digit));
    let drawing = Drawing {
        image: Map::of(digit.images::<Flex>(&[0], &Default::default())),
        rows: rows.into_iter().collect::<anyhow::Result<_>>()?,
    };
    std::fs::write(project()?.join("picture/pooling.svg"), drawing.svg())?;
    Ok(())
}

fn row(variant: Variant, data: &DataSet, digit: &ImageDataset) -> anyhow::Result<Row> {
    let plan = plan(&PoolingCnnConfig::new(variant), data, false);
    // Enough for a picture.
    let plan = Plan { epochs: plan.epochs.div_ceil(4), ..plan };
    let trained = train(&plan, &data.sets.train, SEED)?;
    let class = trained.predict(digit)?.classes[0];
    eprintln!("{variant}: classifies the {} as {class}", digit.labels()[0]);
    let stages = trained.network.stage_outputs(digit.images(&[0], &Default::default()));
    let before = channels(&stages[0].activation);
    let after = channels(&stages[0].pooled);
    let chosen = chosen(&before);
    let choose = |maps: &[Map]| chosen.iter().map(|&index| maps[index].clone()).collect();
    Ok(Row { name: variant.name(), pooling: pooling(variant), before: choose(&before), after: choose(&after) })
}

fn pooling(variant: Variant) -> &'static str {
    match variant {
        Variant::Max => "max pooling 2x2: 13x13",
        Variant::Average => "average pooling 2x2: 13x13",
        Variant::GlobalMax => "global max pooling: one number per map",
        Variant::GlobalAverage => "global average pooling: one number per map",
        Variant::Head(_) => "global pooling: one number per map",
    }
}

fn channels(maps: &Tensor<Flex, 4>) -> Vec<Map> {
    let count = maps.dims()[1];
    (0..count).map(|channel| Map::of(maps.clone().narrow(1, channel, 1))).collect()
}

/// Maps that vary much and differ from each other: first the one that varies most, then again and again the one that is
/// the least like any chosen so far.
fn chosen(maps: &[Map]) -> Vec<usize> {
    let mut candidates: Vec<usize> = (0..maps.len()).collect();
    candidates.sort_by(|&one, &other| variation(&maps[other]).total_cmp(&variation(&maps[one])));
    candidates.truncate(CANDIDATES);
    let mut chosen = vec![candidates[0]];
    while chosen.len() < SHOWN {
        let likeness = |&index: &usize| {
            let to = |&other: &usize| correlation(&maps[index], &maps[other]);
            chosen.iter().map(to).fold(f32::NEG_INFINITY, f32::max)
        };
        let next = candidates.iter().filter(|index| !chosen.contains(index));
        let Some(&next) = next.min_by(|one, other| likeness(one).total_cmp(&likeness(other))) else {
            break;
        };
        chosen.push(next);
    }
    chosen
}

fn variation(map: &Map) -> f32 {
    covariance(map, map)
}

fn correlation(one: &Map, other: &Map) -> f32 {
    covariance(one, other) / (variation(one) * variation(other)).sqrt().max(f32::MIN_POSITIVE)
}

fn covariance(one: &Map, other: &Map) -> f32 {
    let mean = |map: &Map| map.values.iter().sum::<f32>() / map.values.len() as f32;
    let means = [mean(one), mean(other)];
    let pairs = one.values.iter().zip(&other.values);
    pairs.map(|(one, other)| (one - means[0]) * (other - means[1])).sum()
}
