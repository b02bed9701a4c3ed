//! Plots, tables and verdicts from counts, speeds and runs.

use burn_pooling::statistics::Spread;
use burn_pooling_experiments::costs::Costs;
use burn_pooling_experiments::plot::{BarSeries, Bars, LineSeries, Lines};
use burn_pooling_experiments::report::{Cell, Claim, Parts, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs};
use burn_pooling_experiments::speed::Speed;
use burn_pooling_experiments::statistics::{Interval, mean_curve};

use crate::{MARGIN, NONE, PARAMETER_BYTES, POOLED, Run, Settings};

/// What was counted, timed and trained.
pub struct Found<'a> {
    settings: &'a Settings,
    runs: &'a Runs<Run>,
    /// The first is that without pooling, which all are compared with.
    networks: Vec<(&'a NetworkRuns<Run>, &'a Speed)>,
}

impl<'a> Found<'a> {
    /// Brings runs and speeds of each network together.
    pub fn new(settings: &'a Settings, runs: &'a Runs<Run>, speeds: &'a [Speed]) -> Self {
        let networks = runs.0.iter().zip(speeds).collect();
        Self { settings, runs, networks }
    }

    fn none(&self) -> (&NetworkRuns<Run>, &Speed) {
        self.networks[0]
    }

    fn pooled(&self) -> impl Iterator<Item = &(&'a NetworkRuns<Run>, &'a Speed)> {
        (self.networks.iter()).filter(|(runs, _)| POOLED.contains(&runs.network.name.as_str()))
    }

    /// Bytes that training a batch takes: what is kept of each image, and the parameters with what belongs to them.
    fn training_bytes(&self, costs: &Costs) -> usize {
        self.settings.schedule.batch_size * costs.kept_bytes + PARAMETER_BYTES * costs.parameters
    }

    /// What the summary counts.
    pub fn counted(&self) -> Table {
        let caption = "Counted by the library's summary, for one image: multiply-adds of a forward pass, and of a \
                       forward and a backward pass; bytes of all layers' results, the most of them that are needed \
                       at one moment of inference, and what training keeps for the backward pass. Of a batch, \
                       the bytes that training takes: what it keeps of each image, and 16 for each parameter (itself, \
                       its gradient, Adam's two moments).";
        let batch = format!("training, batch of {}, bytes", self.settings.schedule.batch_size);
        let columns = [
            "network",
            "parameters",
            "multiply-adds",
            "in training",
            "results, bytes",
            "at one moment, bytes",
            "kept in training, bytes",
            &batch,
        ];
        let mut table = Table::new(caption, &columns.map(|title| (title, 0)));
        for (NetworkRuns { network, costs, .. }, _) in &self.networks {
            table.push([
                Cell::from(network.name.as_str()),
                costs.parameters.into(),
                (costs.multiply_adds as f64).into(),
                (costs.training_multiply_adds as f64).into(),
                costs.activation_bytes.into(),
                costs.peak_activation_bytes.into(),
                costs.kept_bytes.into(),
                self.training_bytes(costs).into(),
            ]);
        }
        table
    }

    /// Speed and accuracy.
    pub fn measured(&self) -> Table {
        let caption = "Images a second on one thread (medians, in turns; the library's fused kernels), and test \
                       accuracy in percent: mean and 95 % interval over the seeds; ahead of none in points, paired \
                       by seed.";
        let columns = [
            ("network", 0),
            ("training", 0),
            ("inference", 0),
            ("accuracy", 2),
            ("ahead of none", 2),
            ("best epoch", 1),
        ];
        let mut table = Table::new(caption, &columns);
        for (runs, speed) in &self.networks {
            let ahead = runs.ahead_of(self.none().0, |run| run.accuracy);
            table.push([
                Cell::from(runs.network.name.as_str()),
                speed.training.median.into(),
                speed.inference.median.into(),
                runs.mean(|run| 100.0 * run.accuracy).into(),
                (runs.network.name != NONE).then(|| ahead.scaled(100.0)).into(),
                runs.mean(|run| run.best_epoch as f64).into(),
            ]);
        }
        table
    }

    /// Every cost as a share of that without pooling.
    pub fn relative_costs(&self) -> Bars {
        let none = self.none();
        let counted = |name: &str, cost: &dyn Fn(&Costs) -> f64| BarSeries {
            name: name.to_owned(),
            heights: (self.networks.iter())
                .map(|(runs, _)| Interval::exact(cost(&runs.costs) / cost(&none.0.costs)))
                .collect(),
        };
        let timed = |name: &str, speed: fn(&Speed) -> Spread| BarSeries {
            name: name.to_owned(),
            heights: (self.networks.iter()).map(|(_, other)| time_share(speed(none.1), speed(other))).collect(),
        };
        Bars {
            title: "What an image takes, as a share of what it takes without pooling".to_owned(),
            x_label: "network (lines at the times: quartiles)".to_owned(),
            y_label: "share of the network none (1 = as much)".to_owned(),
            from_zero: true,
            categories: (self.networks.iter()).map(|(runs, _)| runs.network.name.clone()).collect(),
            series: vec![
                counted("multiply-adds", &|costs| costs.multiply_adds as f64),
                counted("peak bytes", &|costs| costs.peak_activation_bytes as f64),
                counted("training bytes", &|costs| self.training_bytes(costs) as f64),
                timed("training time", |speed| speed.training),
                timed("inference time", |speed| speed.inference),
            ],
        }
    }

    /// Accuracy over the multiply-adds of training.
    pub fn accuracy_over_work(&self) -> Lines {
        let images = self.settings.train_images - self.settings.schedule.valid_size;
        let line = |(runs, _): &(&NetworkRuns<Run>, &Speed)| {
            let curves: Vec<_> = (runs.runs.iter()).map(|run| run.valid_accuracy.clone()).collect();
            let epoch = images as f64 * runs.costs.training_multiply_adds as f64 / 1e9;
            let points = mean_curve(&curves).into_iter().enumerate();
            LineSeries {
                name: runs.network.name.clone(),
                points: points.map(|(index, accuracy)| ((index + 1) as f64 * epoch, accuracy)).collect(),
            }
        };
        Lines {
            title: "Accuracy over the work of training: a point an epoch, mean and 95 % interval".to_owned(),
            x_label: "multiply-adds of training (billions)".to_owned(),
            y_label: "validation accuracy (0 to 1)".to_owned(),
            logarithmic: true,
            bands: false,
            series: self.networks.iter().map(line).collect(),
        }
    }

    /// What is claimed, and whether it holds.
    pub fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let (none, none_speed) = self.none();
        let share = |cost: &dyn Fn(&Costs) -> f64| {
            let percent = |name| anyhow::Ok(100.0 * cost(&self.runs.of(name)?.costs) / cost(&none.costs));
            anyhow::Ok(format!("{:.1} % of those of none (strided: {:.1} %)", percent("max")?, percent("strided")?))
        };
        let computation = self.pooled().flat_map(|(runs, speed)| {
            [
                fewer(runs.costs.multiply_adds, none.costs.multiply_adds),
                faster(speed.training, none_speed.training),
                faster(speed.inference, none_speed.inference),
            ]
        });
        let memory = self.pooled().flat_map(|(runs, _)| {
            [
                fewer(runs.costs.peak_activation_bytes, none.costs.peak_activation_bytes),
                fewer(self.training_bytes(&runs.costs), self.training_bytes(&none.costs)),
            ]
        });
        let ahead = |runs: &NetworkRuns<Run>| runs.ahead_of(none, |run| run.accuracy);
        let accuracy: Vec<_> = self.pooled().map(|(runs, _)| ahead(runs)).collect();
        Ok(vec![
            Claim::decided(
                "Pooling cuts computation",
                Parts::known(&computation.collect::<Vec<_>>()),
                &format!("The multiply-adds of max are {}", share(&|costs| costs.multiply_adds as f64)?),
                "The parts are, for each of the four pooled networks, fewer multiply-adds than none, and a lower \
                 quartile of its speed above the upper one of none, in training and in inference.",
            ),
            Claim::decided(
                "Pooling cuts memory",
                Parts::known(&memory.collect::<Vec<_>>()),
                &format!(
                    "The bytes that training max takes are {}",
                    share(&|costs| self.training_bytes(costs) as f64)?
                ),
                "The parts are, for each of the four pooled networks, fewer bytes than none at one moment of \
                 inference, and fewer to train a batch.",
            ),
            Claim::decided(
                "What pooling saves costs no accuracy, epoch for epoch",
                Parts::above(&accuracy, -MARGIN),
                &format!(
                    "After as many epochs, max is {} points ahead of none (strided: {})",
                    ahead(self.runs.of("max")?).percent(),
                    ahead(self.runs.of("strided")?).percent()
                ),
                "A part is a pooled network; it holds if the paired interval of its accuracy less that of none, \
                 widened for the number of parts, is above -1 point.",
            ),
        ])
    }
}

/// The time of an image as a share of the time of `none`: median, and the quartiles as interval.
fn time_share(none: Spread, other: Spread) -> Interval {
    Interval {
        mean: none.median / other.median,
        lower: none.median / other.upper_quartile,
        upper: none.median / other.lower_quartile,
        ..Interval::exact(1.0)
    }
}

/// Whether one is less than the other; nothing if they are equal.
fn fewer<T: Ord>(one: T, other: T) -> Option<bool> {
    (one != other).then(|| one < other)
}

/// Whether the quartiles of one lie above those of the other; nothing if they overlap.
fn faster(one: Spread, other: Spread) -> Option<bool> {
    let above = |one: Spread, other: Spread| one.lower_quartile > other.upper_quartile;
    (above(one, other) || above(other, one)).then(|| above(one, other))
}
