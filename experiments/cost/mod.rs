//! The same two convolutions without pooling, with strides, and with each pooling: what they compute, keep and take.

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::costs::Costs;
use burn_pooling_experiments::networks::{
    HEADS, all_convolutional, strided, two_convolutions_strided, without_pooling,
};
use burn_pooling_experiments::plot::Dots;
use burn_pooling_experiments::protocol::fitted;
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::Setting;
use burn_pooling_experiments::speed::{Speed, in_turns};
use burn_pooling_experiments::statistics::{Interval, median};
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::BATCH_SIZE;
use serde::{Deserialize, Serialize};

/// Bytes of a parameter in inference.
const PARAMETER_BYTES: usize = 4;
/// Bytes of a parameter in training: itself, its gradient, and Adam's two moments.
const TRAINED_PARAMETER_BYTES: usize = 16;

/// How speed is measured: every network in turns, on one thread.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Measurement {
    networks: Vec<PoolingCnnConfig>,
    /// How often each is measured.
    repeats: usize,
    /// Batches of 128 images in each measurement.
    batches: usize,
}

/// A network, what it costs by counting, and how fast it was.
struct Costed {
    name: String,
    costs: Costs,
    speed: Speed,
}

/// Counts and measures every network.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let networks: Vec<PoolingCnnConfig> = networks().iter().map(|network| fitted(network, study.data)).collect();
    let choose = |full, quick| study.options.choose(full, quick);
    let measurement = Measurement { networks: networks.clone(), repeats: choose(11, 2), batches: choose(10, 1) };
    let setting = Setting { label: "speed".to_owned(), settings: measurement, cost: 0 };
    let measure = |measurement: &Measurement, _| {
        let Measurement { networks, repeats, batches } = measurement;
        in_turns(networks, &study.data.sets.test, *repeats, *batches)
    };
    // Time is measured once, whatever the seeds are.
    let Some(runs) = study.runs(vec![setting], &[0], measure)? else { return Ok(None) };
    let seeds = runs.seeds;
    let speeds = runs.all.into_iter().flat_map(|runs| runs.runs).flatten();
    let costed = networks
        .iter()
        .zip(speeds)
        .map(|(network, speed)| Ok(Costed { name: network.name.clone(), costs: Costs::of(network)?, speed }));
    let found = Found(costed.collect::<anyhow::Result<_>>()?);
    let mut report = Report::new(study, &seeds, serde_json::json!({ "batch_size": BATCH_SIZE }))?;
    report.draw(
        "cost.svg",
        &found.shares(),
        "Computation, memory and time of each network as shares of those of none",
    )?;
    report.claims = found.claims();
    report.tables = vec![found.counted(), found.measured()];
    Ok(Some(report))
}

/// The first is that without pooling, which all are compared with.
fn networks() -> Vec<PoolingCnnConfig> {
    let [max, average, ..] = Variant::ALL.map(PoolingCnnConfig::new);
    let mut networks = vec![without_pooling(), strided(), all_convolutional(), max, average];
    networks.extend(HEADS.map(two_convolutions_strided));
    networks
}

impl Costed {
    /// Bytes that a batch takes: the most that is needed at one moment, and the weights.
    fn inference_bytes(&self) -> f64 {
        let Costs { peak_activation_bytes, parameters, .. } = self.costs;
        (BATCH_SIZE * peak_activation_bytes + PARAMETER_BYTES * parameters) as f64
    }

    /// Bytes that training with a batch takes: what is kept for the backward pass, and the weights with what belongs to
    /// them.
    fn training_bytes(&self) -> f64 {
        let Costs { kept_bytes, parameters, .. } = self.costs;
        (BATCH_SIZE * kept_bytes + TRAINED_PARAMETER_BYTES * parameters) as f64
    }
}

struct Found(Vec<Costed>);

/// A cost: what it is called, and what it is of a network relative to another.
type Cost = (&'static str, fn(&Costed, &Costed) -> Interval);

/// What was counted.
const COUNTED: [Cost; 4] = [
    ("multiply-adds of inference", |one, none| counted(one, none, |costed| costed.costs.multiply_adds as f64)),
    ("multiply-adds of training", |one, none| counted(one, none, |costed| costed.costs.training_multiply_adds as f64)),
    ("memory of inference", |one, none| counted(one, none, Costed::inference_bytes)),
    ("memory of training", |one, none| counted(one, none, Costed::training_bytes)),
];

/// What was measured.
const MEASURED: [Cost; 2] = [
    ("time of inference", |one, none| measured(&one.speed.inference, &none.speed.inference)),
    ("time of training", |one, none| measured(&one.speed.training, &none.speed.training)),
];

/// A share in percent that is known without error.
fn counted(one: &Costed, none: &Costed, cost: impl Fn(&Costed) -> f64) -> Interval {
    Interval::exact(100.0 * cost(one) / cost(none))
}

/// The share of time in percent, turn by turn.
fn measured(speeds: &[f64], of_none: &[f64]) -> Interval {
    let shares: Vec<f64> = speeds.iter().zip(of_none).map(|(speed, none)| 100.0 * none / speed).collect();
    Interval::of(&shares)
}

impl Found {
    /// The first network, and those that pool.
    fn none(&self) -> &Costed {
        &self.0[0]
    }

    fn pooled(&self) -> impl Iterator<Item = &Costed> {
        self.0.iter().filter(|costed| !["none", "strided", "all conv"].contains(&costed.name.as_str()))
    }

    fn claims(&self) -> Vec<Claim> {
        let all = COUNTED.iter().chain(&MEASURED);
        let claims = all.map(|(cost, share)| {
            let comparisons: Vec<Comparison> = (self.pooled())
                .map(|costed| {
                    let share = share(costed, self.none());
                    let sentence =
                        format!("`{}` takes {} % of the {cost} that `none` takes.", costed.name, share.text(1));
                    Comparison::below(share, 100.0, sentence)
                })
                .collect();
            Claim::new(&format!("Pooling cuts the {cost}"), comparisons)
        });
        claims.chain([self.strides()]).collect()
    }

    fn strides(&self) -> Claim {
        let named = |name: &str| self.0.iter().find(|costed| costed.name == name);
        let comparisons = named("strided").zip(named("max")).map(|(strided, max)| {
            let share = counted(strided, max, |costed| costed.costs.training_multiply_adds as f64);
            let sentence =
                format!("`strided` takes {} % of the multiply-adds of training that `max` takes.", share.text(1));
            Comparison::below(share, 100.0, sentence)
        });
        Claim::new("A stride in the convolution saves more than pooling after it", Vec::from_iter(comparisons))
    }

    fn counted(&self) -> Table {
        let caption = "Counted by the library's summary, layer by layer, as most frameworks run it. For one image: \
                       multiply-adds of a forward pass, and of a forward and a backward pass. For a batch of 128, in \
                       bytes: inference takes the most activations that are needed at one moment, and 4 for each \
                       parameter; training what it keeps for the backward pass, and 16 for each parameter (itself, its \
                       gradient, Adam's two moments).";
        let columns = ["network", "parameters", "multiply-adds", "in training", "inference, bytes", "training, bytes"];
        let mut table = Table::new(caption, &columns.map(|title| (title, 0)));
        for costed in &self.0 {
            table.push([
                Cell::from(costed.name.as_str()),
                costed.costs.parameters.into(),
                (costed.costs.multiply_adds as f64).into(),
                (costed.costs.training_multiply_adds as f64).into(),
                costed.inference_bytes().into(),
                costed.training_bytes().into(),
            ]);
        }
        table
    }

    fn measured(&self) -> Table {
        let caption = "Images per second on one thread, with the library's fused kernels: medians of measurements in \
                       turns. What the kernels do for one network more than for another is in it.";
        let mut table = Table::new(caption, &["network", "training", "inference"].map(|title| (title, 0)));
        for Costed { name, speed, .. } in &self.0 {
            table.push([Cell::from(name.as_str()), median(&speed.training).into(), median(&speed.inference).into()]);
        }
        table
    }

    fn shares(&self) -> Dots {
        let all = || COUNTED.iter().chain(&MEASURED);
        let others = || self.0.iter().skip(1);
        let row = |(cost, share): &Cost| {
            let shares = others().map(|costed| share(costed, self.none()));
            ((*cost).to_owned(), shares.collect())
        };
        Dots {
            title: "Costs as shares of those without pooling".to_owned(),
            x_label: "share of the cost of none, percent (logarithmic)".to_owned(),
            logarithmic: true,
            series: others().map(|costed| costed.name.clone()).collect(),
            rows: all().map(row).collect(),
        }
    }
}
