//! Which learning rate is best for which network, by the loss on validation images.

use burn_pooling_experiments::networks;
use burn_pooling_experiments::protocol::{is_small, plan, tuned_for};
use burn_pooling_experiments::report::{Cell, Report, Table};
use burn_pooling_experiments::runs::{Runs, Seeded, Setting};
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{History, Plan, train};

/// The learning rates that are tried.
const RATES: [f64; 6] = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];
/// Seeds of its own: what they decide is not used again. A learning rate at which one of them fails to learn is out.
///
/// The third is for small sets only: with fewer steps, seeds differ more.
const SEEDS: [u64; 3] = [101, 102, 103];
/// Training takes a third of the epochs of the final figures.
const PART: usize = 3;

/// Trains every network with every learning rate.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let rates = study.options.choose(&RATES[..], &RATES[1..3]);
    let mut settings = Vec::new();
    for network in networks::all() {
        let plan = plan(&network, study.data, study.options.quick);
        for &learning_rate in rates {
            let plan = Plan { learning_rate, epochs: plan.epochs.div_ceil(PART), ..plan.clone() };
            let label = label(&network.name, learning_rate);
            settings.push(Setting { label, cost: plan.multiply_adds()?, settings: plan });
        }
    }
    let seeds = if is_small(study.data.sets.train.len()) { &SEEDS[..] } else { &SEEDS[..2] };
    let runs = study.runs(settings, seeds, |plan, seed| Ok(train(plan, &study.data.sets.train, seed)?.history))?;
    let Some(runs) = runs else { return Ok(None) };
    let mut report = Report::new(study, &runs.seeds, serde_json::json!({ "part_of_the_epochs": PART }))?;
    report.tables = vec![losses(study, &runs, rates)?];
    Ok(Some(report))
}

fn label(network: &str, learning_rate: f64) -> String {
    format!("{network} at {learning_rate}")
}

fn losses(study: &Study, runs: &Runs<Plan, History>, rates: &[f64]) -> anyhow::Result<Table> {
    let caption = "Loss on the validation images after the last epoch by learning rate, mean of the seeds. Best: the learning rate of the \
                   lowest loss. Used: by the other experiments.";
    let titles: Vec<String> = rates.iter().map(f64::to_string).collect();
    let mut columns = vec![("network", 0), ("epochs", 0)];
    columns.extend(titles.iter().map(|title| (title.as_str(), 4)));
    columns.extend([("best", 4), ("used", 4)]);
    let mut table = Table::new(caption, &columns);
    for network in networks::all() {
        let tried: Vec<(f64, &Seeded<Plan, History>)> =
            rates.iter().filter_map(|&rate| Some((rate, runs.get(&label(&network.name, rate)).ok()?))).collect();
        let loss = |runs: &Seeded<Plan, History>| runs.mean(History::final_valid_loss).mean;
        let best = tried.iter().min_by(|(_, one), (_, other)| loss(one).total_cmp(&loss(other)));
        let of_rate = |rate| tried.iter().find(|(tried, _)| *tried == rate).map(|(_, runs)| loss(runs));
        let mut row =
            vec![Cell::from(network.name.as_str()), tried.first().map(|(_, runs)| runs.settings.epochs).into()];
        row.extend(rates.iter().map(|&rate| Cell::from(of_rate(rate))));
        row.push(best.map(|(rate, _)| *rate).into());
        row.push(tuned_for(&network.name, study.data.sets.train.len(), study.options.quick).learning_rate.into());
        table.push(row);
    }
    Ok(table)
}
