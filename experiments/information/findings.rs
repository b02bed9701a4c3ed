//! Claims, plots and table from the runs.

use burn_pooling_experiments::networks::{HEADS, two_convolutions_strided};
use burn_pooling_experiments::plot::{Dots, LineSeries, Lines};
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Table};
use burn_pooling_experiments::runs::{Runs, Seeded};
use burn_pooling_experiments::statistics::Interval;

use super::trial::{BASELINES, COMPONENTS, KINDS, Run, Trial, WINDOWS, name};

/// What is recovered from all features, in decibels.
pub fn psnr(run: &Run) -> f64 {
    run.all.as_ref().map_or(f64::NAN, |decoded| decoded.psnr)
}

/// What is recovered from as many components as global pooling keeps numbers, in decibels.
fn of_components(run: &Run) -> f64 {
    run.components.as_ref().map_or(f64::NAN, |decoded| decoded.psnr)
}

/// How far noise moves the features, in percent of the distance of two images.
pub fn change(run: &Run) -> f64 {
    run.noise.as_ref().map_or(f64::NAN, |noise| 100.0 * noise.change)
}

fn baseline(index: usize) -> impl Fn(&Run) -> f64 {
    move |run| run.baselines.map_or(f64::NAN, |baselines| baselines[index])
}

/// What is decoded: the label of its runs, what it is called, and the figure.
type Source<'a> = (&'a str, &'a str, &'a dyn Fn(&Run) -> f64);

/// The runs.
pub struct Found(pub Runs<Trial, Run>);

impl Found {
    fn get(&self, name: &str) -> anyhow::Result<&Seeded<Trial, Run>> {
        self.0.get(name)
    }

    /// That more is recovered of one than of the other; the figures may be of different kinds.
    fn more(&self, one: Source, other: Source) -> anyhow::Result<Comparison> {
        let [first, second] = [self.get(one.0)?.values(one.2), self.get(other.0)?.values(other.2)];
        let difference = Interval::of_differences(&first, &second);
        let sentence = format!(
            "From {}, a linear decoder recovers {} than from {} ({:.1} against {:.1} dB).",
            one.1,
            difference.in_words("dB", 2, ["more", "less"]),
            other.1,
            Interval::of(&first).mean,
            Interval::of(&second).mean,
        );
        Ok(Comparison::above(difference, 0.0, sentence))
    }

    fn features(&self, one: &str, other: &str) -> anyhow::Result<Comparison> {
        self.more((one, &format!("the features of `{one}`"), &psnr), (other, &format!("those of `{other}`"), &psnr))
    }

    fn steadier(&self, one: &str, other: &str) -> anyhow::Result<Comparison> {
        let [first, second] = [self.get(one)?, self.get(other)?];
        let difference = first.minus(second, change);
        let sentence = format!(
            "Noise moves the features of `{one}` by {} of the distance of two images than those of `{other}` ({:.1} \
             against {:.1} %).",
            difference.in_words("points", 1, ["more", "less"]),
            first.mean(change).mean,
            second.mean(change).mean,
        );
        Ok(Comparison::below(difference, 0.0, sentence))
    }

    /// What is claimed, and what the figures say.
    pub fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for kind in KINDS {
            let steps = WINDOWS.windows(2).map(|step| self.features(&name(kind, step[0]), &name(kind, step[1])));
            let claim = format!("The larger the window, the more {kind} pooling loses of an image");
            claims.push(Claim::new(&claim, steps.collect::<anyhow::Result<Vec<_>>>()?));
        }
        for (head, local) in HEADS.into_iter().zip(KINDS) {
            let global = two_convolutions_strided(head).name;
            let comparison = self.more(
                (local, &format!("{COMPONENTS} principal components of the features of `{local}`"), &of_components),
                (&global, &format!("the {COMPONENTS} features of `{global}`"), &psnr),
            )?;
            let claim = format!("As deep and number for number, global {local} pooling loses more than local");
            claims.push(Claim::new(&claim, [comparison]));
        }
        for head in HEADS {
            let name = head.name();
            let comparison = self.more(
                (name, &format!("the {COMPONENTS} features of `{name}`"), &psnr),
                (BASELINES, &format!("{COMPONENTS} random pixels"), &baseline(1)),
            )?;
            let claim = format!("`{name}` tells more of an image than as many of its pixels, drawn by chance, do");
            claims.push(Claim::new(&claim, [comparison]));
        }
        let windows = || WINDOWS.into_iter().filter(|&window| window > 1);
        let recovered = windows().map(|window| self.features(&name("average", window), &name("max", window)));
        let claim = "A linear decoder recovers more from average pooling than from max pooling";
        claims.push(Claim::new(claim, recovered.collect::<anyhow::Result<Vec<_>>>()?));
        for (other, what) in [("max", "max pooling"), ("none", "no pooling")] {
            let compared = windows().map(|window| {
                let other = if other == "max" { name("max", window) } else { name("max", 1) };
                self.steadier(&name("average", window), &other)
            });
            let claim = format!("Average pooling smooths noise more than {what}");
            claims.push(Claim::new(&claim, compared.collect::<anyhow::Result<Vec<_>>>()?));
        }
        Ok(claims)
    }

    /// A figure over the windows.
    pub fn over_windows(&self, title: &str, y_label: &str, figure: fn(&Run) -> f64) -> anyhow::Result<Lines> {
        let line = |kind: &str| -> anyhow::Result<LineSeries> {
            let points = WINDOWS.map(|window| Ok((window as f64, self.get(&name(kind, window))?.mean(figure))));
            Ok(LineSeries { name: kind.to_owned(), points: points.into_iter().collect::<anyhow::Result<_>>()? })
        };
        Ok(Lines {
            title: format!("{title}: mean of the seeds and 95 % interval"),
            x_label: "window and stride, positions".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: [false, false],
            marks: true,
            series: KINDS.into_iter().map(line).collect::<anyhow::Result<_>>()?,
        })
    }

    /// What is recovered of each network, and without one.
    pub fn dots(&self) -> anyhow::Result<Dots> {
        let baselines = self.get(BASELINES)?;
        let names = ["mean image", "32 random pixels", "32 components of the pixels"];
        let without =
            names.iter().enumerate().map(|(index, name)| ((*name).to_owned(), vec![baselines.mean(baseline(index))]));
        let networks = self.0.all.iter().filter(|runs| runs.label != BASELINES);
        let with = networks.map(|runs| (runs.label.clone(), vec![runs.mean(psnr)]));
        Ok(Dots {
            title: "What a linear decoder recovers of test images: mean of the seeds and 95 % interval".to_owned(),
            x_label: "peak signal-to-noise ratio, dB".to_owned(),
            logarithmic: false,
            series: vec!["all features".to_owned()],
            rows: without.chain(with).collect(),
        })
    }

    /// Every figure of every network.
    pub fn table(&self) -> anyhow::Result<Table> {
        let caption = "Peak signal-to-noise ratio (PSNR) of test images decoded from all features, and from 32 principal \
                       components of them; in how many seeds the penalty of the first is the smallest or largest tried; \
                       distance of two noisy copies of an image in the features, as a share of the distance of two images, \
                       and share of images with the same class in both: means and 95 % intervals over the seeds.";
        let columns = [
            ("decoded from", 0),
            ("numbers", 0),
            ("PSNR, dB", 2),
            ("of 32 components, dB", 2),
            ("at the edge", 0),
            ("distance by noise, percent", 1),
            ("same class, percent", 1),
        ];
        let mut table = Table::new(caption, &columns);
        let baselines = self.get(BASELINES)?;
        for (index, (what, numbers)) in
            [("mean image", 0), ("random pixels", COMPONENTS), ("components of the pixels", COMPONENTS)]
                .into_iter()
                .enumerate()
        {
            let mut row = vec![Cell::from(what), numbers.into(), baselines.mean(baseline(index)).into()];
            row.extend((0..4).map(|_| Cell::Empty));
            table.push(row);
        }
        for runs in self.0.all.iter().filter(|runs| runs.label != BASELINES) {
            let all = runs.runs.iter().filter_map(|run| run.all.as_ref());
            let reduced = runs.runs.iter().all(|run| run.components.is_some());
            table.push([
                Cell::from(runs.label.as_str()),
                all.clone().next().map(|decoded| decoded.numbers).into(),
                runs.mean(psnr).into(),
                reduced.then(|| runs.mean(of_components)).into(),
                all.filter(|decoded| decoded.at_edge).count().into(),
                runs.mean(change).into(),
                runs.mean(|run| run.noise.as_ref().map_or(f64::NAN, |noise| 100.0 * noise.consistency)).into(),
            ]);
        }
        Ok(table)
    }
}
