//! Where global heads look: class activation maps of the average, arg-max maps of the maximum, and whether what they
//! mark is what decides.

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::{erased, grey};
use burn_pooling_experiments::plot::{Dots, Gallery, Picture};
use burn_pooling_experiments::protocol::plan;
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Seeded, Setting};
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{Plan, Trained};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

mod maps;
use maps::{Maps, on_digit, over_image};

/// Pixels that are erased.
const ERASED: usize = 20;
/// Seeds of which the gallery shows the maps: two, so that chance can be told from what all networks do.
const SHOWN: [u64; 2] = [1, 2];
/// The networks.
const HEADS: [Variant; 2] = [Variant::GlobalAverage, Variant::GlobalMax];

/// A network, and how many pixels are erased.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    plan: Plan,
    erased_pixels: usize,
}

/// The figures of one network with one seed.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    /// Mean share of a map's weight on the digit's ink: of each digit, and last of all images.
    on_ink: Vec<f64>,
    /// The same of a map that knows nothing.
    by_chance: Vec<f64>,
    /// Share of images whose class changes when the ink with the most weight is erased.
    changed: f64,
    /// When as much ink is erased that is drawn by chance.
    changed_by_chance: f64,
    /// The maps of the first image of each digit, of some seeds.
    maps: Option<Vec<Vec<u8>>>,
}

/// Maps every network.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let settings = HEADS.map(|head| {
        let plan = plan(&PoolingCnnConfig::new(head), study.data, study.options.quick);
        let (label, cost) = (plan.network.name.clone(), plan.multiply_adds()?);
        Ok(Setting { label, cost, settings: Trial { plan, erased_pixels: ERASED } })
    });
    let test = &study.data.sets.test;
    let settings = settings.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let work = |trial: &Trial, seed| run(&study.trained(&trial.plan, seed)?, test, trial.erased_pixels, seed);
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found { runs, classes: study.data.sets.classes() };
    let mut report = Report::new(study, &found.runs.seeds, serde_json::json!({ "erased_pixels": ERASED }))?;
    report.draw("maps.svg", &found.gallery(test), "A digit of each class, and over it the maps of both heads")?;
    report.draw("ink.svg", &found.dots(), "Share of the maps' weight on the digit's ink, by digit, and by chance")?;
    report.claims = found.claims()?;
    report.tables = vec![found.erasures(), found.on_ink()];
    Ok(Some(report))
}

fn run(trained: &Trained, test: &ImageDataset, count: usize, seed: u64) -> anyhow::Result<Run> {
    let before = trained.predict(test)?;
    let maps = Maps::of(trained, test, &before.classes)?;
    let changed = |images: ImageDataset| anyhow::Ok(1.0 - trained.predict(&images)?.consistency(&before));
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let pixels = test.pixels(0).len();
    let mut chance = |_| (0..pixels).map(|_| generator.random()).collect();
    let on_ink = on_digit(test);
    Ok(Run {
        on_ink: means_by_class(test, &maps.shares_on(&on_ink)),
        by_chance: means_by_class(test, &Maps::uniform(test).shares_on(&on_ink)),
        changed: changed(erased(test, count, |index| maps.of_pixels(index))?)?,
        changed_by_chance: changed(erased(test, count, &mut chance)?)?,
        maps: SHOWN.contains(&seed).then(|| shown(test).iter().map(|&index| maps.map(index)).collect()),
    })
}

/// The first image of each class.
fn shown(images: &ImageDataset) -> Vec<usize> {
    let first = |class| images.labels().iter().position(|&label| usize::from(label) == class);
    (0..images.classes()).filter_map(first).collect()
}

/// The mean of what each image has (if it has), of each class and then of all; NaN if no image has any.
fn means_by_class(images: &ImageDataset, values: &[Option<f64>]) -> Vec<f64> {
    let mean = |of: &dyn Fn(usize) -> bool| {
        let values = images.labels().iter().zip(values);
        let values: Vec<f64> = values.filter_map(|(&label, value)| value.filter(|_| of(usize::from(label)))).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let classes = (0..images.classes()).map(|class| mean(&|label| label == class));
    classes.chain([mean(&|_| true)]).collect()
}

/// A name, runs, and of each a share for each digit.
type Row<'a> = (&'a str, &'a Seeded<Trial, Run>, fn(&Run) -> &[f64]);

struct Found {
    runs: Runs<Trial, Run>,
    classes: usize,
}

impl Found {
    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let [gap, gmp] = [self.runs.get("gap")?, self.runs.get("gmp")?];
        let gain = |run: &Run| 100.0 * (run.changed - run.changed_by_chance);
        let of_head = |runs: &Seeded<Trial, Run>| {
            let sentence = format!(
                "Erasing the {ERASED} pixels of ink that the maps of `{}` mark changes {} answers than erasing {ERASED} \
                 drawn by chance ({:.1} against {:.1} %).",
                runs.label,
                runs.mean(gain).in_words("points", 1, ["more", "fewer"]),
                runs.mean(|run| 100.0 * run.changed).mean,
                runs.mean(|run| 100.0 * run.changed_by_chance).mean,
            );
            [Comparison::above(runs.mean(gain), 0.0, sentence)]
        };
        let on_ink = |runs: &Seeded<Trial, Run>| {
            let more = runs.mean(|run| 100.0 * (run.on_ink[self.classes] - run.by_chance[self.classes]));
            let sentence = format!(
                "The maps of `{}` have {} of their weight on ink than maps that know nothing.",
                runs.label,
                more.in_words("points", 1, ["more", "less"]),
            );
            [Comparison::above(more, 0.0, sentence)]
        };
        let difference = gmp.minus(gap, gain);
        let sharper = format!(
            "What the maps mark, beyond chance, changes {} answers of `gmp` than of `gap`.",
            difference.in_words("points", 1, ["more", "fewer"]),
        );
        Ok(vec![
            Claim::new("The class activation maps of global average pooling mark what decides", of_head(gap)),
            Claim::new("The positions of the maxima of global max pooling mark what decides", of_head(gmp)),
            Claim::new(
                "In the deletion test, the positions of the maxima do better than class activation maps",
                [Comparison::above(difference, 0.0, sharper)],
            ),
            Claim::new("Global average pooling looks at the digit rather than at the background", on_ink(gap)),
            Claim::new("Global max pooling looks at the digit rather than at the background", on_ink(gmp)),
        ])
    }

    fn erasures(&self) -> Table {
        let caption = format!(
            "Share of answers that change when {ERASED} pixels of ink are made black, those with the most weight in the \
             map or as many drawn by chance, in percent: mean and 95 % interval over the seeds."
        );
        let mut table = Table::new(&caption, &[("network", 0), ("marked by the map", 1), ("by chance", 1)]);
        for runs in &self.runs.all {
            let percent = |figure: fn(&Run) -> f64| Cell::from(runs.mean(|run| 100.0 * figure(run)));
            let (marked, chance) = (percent(|run| run.changed), percent(|run| run.changed_by_chance));
            table.push([Cell::from(runs.label.as_str()), marked, chance]);
        }
        table
    }

    /// The names of the classes, and that of all.
    fn digits(&self) -> Vec<String> {
        (0..self.classes).map(|class| class.to_string()).chain(["all".to_owned()]).collect()
    }

    /// What the weight on ink is of, with the figures of the first network for chance, which is the same for all.
    fn rows(&self) -> Vec<Row<'_>> {
        let of_maps: fn(&Run) -> &[f64] = |run| &run.on_ink;
        let of_chance: fn(&Run) -> &[f64] = |run| &run.by_chance;
        let maps = self.runs.all.iter().map(|runs| (runs.label.as_str(), runs, of_maps));
        let chance = self.runs.all.iter().take(1).map(|runs| ("chance", runs, of_chance));
        maps.chain(chance).collect()
    }

    fn on_ink(&self) -> Table {
        let caption = "Share of a map's weight on the digit's ink, in percent, by digit: mean and 95 % interval over the \
                       seeds. Chance: of a map that knows nothing, the share of places that see ink.";
        let digits = self.digits();
        let mut columns = vec![("network", 0)];
        columns.extend(digits.iter().map(|digit| (digit.as_str(), 1)));
        let mut table = Table::new(caption, &columns);
        for (name, runs, shares) in self.rows() {
            let mut row = vec![Cell::from(name)];
            row.extend((0..digits.len()).map(|digit| Cell::from(runs.mean(|run| 100.0 * shares(run)[digit]))));
            table.push(row);
        }
        table
    }

    fn dots(&self) -> Dots {
        let rows = self.digits().into_iter().enumerate().map(|(digit, name)| {
            let values = self.rows().into_iter().map(|(_, runs, shares)| runs.mean(|run| 100.0 * shares(run)[digit]));
            (name, values.collect())
        });
        Dots {
            title: "Weight of the maps on the digit's ink: mean of the seeds and 95 % interval".to_owned(),
            x_label: "share of the weight, percent".to_owned(),
            logarithmic: false,
            series: self.rows().iter().map(|(name, ..)| (*name).to_owned()).collect(),
            rows: rows.collect(),
        }
    }

    fn gallery(&self, test: &ImageDataset) -> Gallery {
        let shown = test.select(&shown(test));
        let (ink, size) = (grey(&shown), test.image_size());
        let pale = |image: &[f32]| image.iter().map(|ink| 0.4 * ink).collect::<Vec<_>>();
        let images = ink.rows().map(|image| Picture::ink(image, size)).collect();
        let of_runs = |runs: &Seeded<Trial, Run>| {
            let maps = self.runs.seeds.iter().zip(&runs.runs).filter_map(|(seed, run)| {
                let pictures = run.maps.as_ref()?.iter().zip(ink.rows());
                let pictures = pictures.map(|(map, image)| Picture::heat(&pale(image), &over_image(map, size), size));
                Some((format!("{}, seed {seed}", runs.label), pictures.collect()))
            });
            maps.collect::<Vec<_>>()
        };
        Gallery {
            title: "What speaks for the predicted class (orange: most): class activation maps of gap, maxima of gmp"
                .to_owned(),
            columns: shown.labels().iter().map(u8::to_string).collect(),
            rows: [("image".to_owned(), images)].into_iter().chain(self.runs.all.iter().flat_map(of_runs)).collect(),
        }
    }
}
