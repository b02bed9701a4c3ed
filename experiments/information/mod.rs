//! What pooled features still hold of an image, decoded back into pixels, and what noise does to them.

mod decoding;
mod findings;
mod trial;

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::networks::{HEADS, convolution, of_stages, two_convolutions_strided};
use burn_pooling_experiments::protocol::{fitted, plan, tuned_for};
use burn_pooling_experiments::report::Report;
use burn_pooling_experiments::runs::Setting;
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::Plan;

use decoding::{baselines, decoded};
use findings::Found;
use trial::{BASELINES, COMPONENTS, KINDS, Run, Trial, WINDOWS, name};

/// Filters of those networks: few, so that the features of window 1 can be decoded as well.
const FILTERS: usize = 8;
/// Noise of up to so many grey levels, darker or brighter.
const NOISE: u8 = 64;
/// Decodes every network.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let plans = plans(study);
    // What global pooling keeps as numbers, as components of what the same network keeps with local pooling.
    let is_compared = |plan: &Plan| KINDS.contains(&plan.network.name.as_str());
    let trial = |plan: Option<Plan>| Trial {
        components: plan.as_ref().is_none_or(is_compared).then_some(COMPONENTS),
        plan,
        images: study.options.choose([4_000, 1_000, 2_000], [100, 40, 40]),
        penalties: (-9..=2).collect(),
        noise: NOISE,
    };
    let mut settings = vec![Setting { label: BASELINES.to_owned(), cost: 0, settings: trial(None) }];
    for plan in plans {
        let (label, cost) = (plan.network.name.clone(), plan.multiply_adds()?);
        settings.push(Setting { label, cost, settings: trial(Some(plan)) });
    }
    let work = |trial: &Trial, seed| run(study, trial, seed);
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({}))?;
    let windows =
        found.over_windows("What a linear decoder recovers", "peak signal-to-noise ratio, dB", findings::psnr);
    report.draw("windows.svg", &windows?, "Peak signal-to-noise ratio of decoded digits over the pooling window")?;
    let noise = found.over_windows(
        "How far noise moves the features",
        "share of the distance of two images, percent",
        findings::change,
    );
    report.draw("noise.svg", &noise?, "How far noise moves the features, over the pooling window")?;
    report.draw(
        "variants.svg",
        &found.dots()?,
        "Peak signal-to-noise ratio of digits decoded from each network's features, and of baselines",
    )?;
    report.claims = found.claims()?;
    report.tables = vec![found.table()?];
    Ok(Some(report))
}

/// The variants and their kin as they are trained everywhere; the networks of one stage on some of the images.
fn plans(study: &Study) -> Vec<Plan> {
    let mut networks = Variant::ALL.map(PoolingCnnConfig::new).to_vec();
    networks.extend(HEADS.map(two_convolutions_strided));
    let mut plans: Vec<Plan> = networks.iter().map(|network| plan(network, study.data, study.options.quick)).collect();
    let images: &ImageDataset = &study.data.sets.train;
    for (kind, window) in KINDS.into_iter().flat_map(|kind| WINDOWS.map(|window| (kind, window))) {
        if window == 1 && kind != KINDS[0] {
            continue;
        }
        let stage = match kind {
            "max" => convolution().max_pool(window),
            _ => convolution().average_pool(window),
        };
        let network = fitted(&of_stages(name(kind, window), [stage]).with_filters(FILTERS), study.data);
        let tuned = tuned_for("max", images.len(), study.options.quick);
        plans.push(tuned.times(2).plan(network, study.options.choose([10_000, 1_000], [200, 50])));
    }
    plans
}

fn run(study: &Study, trial: &Trial, seed: u64) -> anyhow::Result<Run> {
    match &trial.plan {
        Some(plan) => decoded(&study.trained(plan, seed)?, &study.data.sets, trial, seed),
        None => baselines(&study.data.sets, trial, seed),
    }
}
