//! Plots, table and verdicts from the runs.

use burn_pooling::mnist::ImageDataset;
use burn_pooling_experiments::images::grey;
use burn_pooling_experiments::matrix::Matrix;
use burn_pooling_experiments::networks::variants;
use burn_pooling_experiments::plot::{BarSeries, Bars, Gallery, LineSeries, Lines, Picture};
use burn_pooling_experiments::report::{Cell, Claim, Parts, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs};
use burn_pooling_experiments::statistics::Interval;

use crate::{KINDS, Run, Settings, WINDOWS, name};

fn psnr(run: &Run) -> f64 {
    run.decoded.psnr
}

fn change(run: &Run) -> f64 {
    run.noise.change
}

/// What is recovered of each variant.
pub fn bars(runs: &Runs<Run>) -> anyhow::Result<Bars> {
    let names: Vec<_> = variants().into_iter().map(|network| network.name).collect();
    let heights = names.iter().map(|name| Ok(runs.of(name)?.mean(psnr)));
    Ok(Bars {
        title: "What a linear decoder recovers of test images".to_owned(),
        x_label: "variant (mean of the seeds, 95 % intervals)".to_owned(),
        y_label: "peak signal-to-noise ratio (dB)".to_owned(),
        from_zero: true,
        series: vec![BarSeries { name: "decoded".to_owned(), heights: heights.collect::<anyhow::Result<_>>()? }],
        categories: names,
    })
}

/// What is recovered over the windows.
pub fn decoded_lines(runs: &Runs<Run>) -> anyhow::Result<Lines> {
    Ok(Lines {
        title: "The larger the window, the less is recovered?".to_owned(),
        y_label: "peak signal-to-noise ratio (dB)".to_owned(),
        ..over_windows(runs, psnr)?
    })
}

/// What noise does over the windows.
pub fn noise_lines(runs: &Runs<Run>) -> anyhow::Result<Lines> {
    Ok(Lines {
        title: "Noise: how far two noisy copies of an image are apart in the features".to_owned(),
        y_label: "distance, as a share of that of two images".to_owned(),
        ..over_windows(runs, change)?
    })
}

fn over_windows(runs: &Runs<Run>, figure: fn(&Run) -> f64) -> anyhow::Result<Lines> {
    let series = KINDS.map(|kind| {
        let point = |window| Ok((window as f64, runs.of(&name(kind, window))?.mean(figure)));
        Ok(LineSeries { name: kind.to_owned(), points: WINDOWS.map(point).collect::<anyhow::Result<_>>()? })
    });
    Ok(Lines {
        title: String::new(),
        x_label: "window and stride (pixels; mean of the seeds, 95 % intervals)".to_owned(),
        y_label: String::new(),
        logarithmic: false,
        bands: false,
        series: series.into_iter().collect::<anyhow::Result<_>>()?,
    })
}

/// The pictures that were decoded.
pub fn gallery(runs: &Runs<Run>, shown: &ImageDataset) -> Gallery {
    let pictures = |matrix: &Matrix| {
        let rows = matrix.rows();
        rows.map(|row| Picture::ink(row, shown.image_size())).collect::<Vec<_>>()
    };
    let even = |runs: &&NetworkRuns<Run>| {
        let odd = |&window: &usize| window > 1 && window % 2 == 1;
        let name_of = |window| KINDS.map(|kind| name(kind, window));
        !(WINDOWS.filter(odd)).any(|window| name_of(window).contains(&runs.network.name))
    };
    let decoded = runs.0.iter().filter(even).filter_map(|runs| {
        let decoded = runs.runs.first()?.pictures.as_ref()?;
        Some((runs.network.name.clone(), pictures(decoded)))
    });
    Gallery {
        title: "Ten test images, and what a linear decoder recovers of them".to_owned(),
        columns: shown.labels().iter().map(u8::to_string).collect(),
        rows: [("image".to_owned(), pictures(&grey(shown)))].into_iter().chain(decoded).collect(),
    }
}

/// Every figure of every network.
pub fn table(settings: &Settings, runs: &Runs<Run>) -> Table {
    let caption = "Peak signal-to-noise ratio (PSNR) of test images decoded from all features, and from their first \
                   principal components; of how many seeds the penalty is at the grid's edge; distance of two noisy \
                   copies of an image in the features as a share of the distance of two images, and share of images \
                   with the same class in both: means and 95 % intervals over the seeds.";
    let reduced = format!("PSNR of {} components, dB", settings.components);
    let columns = [
        ("network", 0),
        ("features", 0),
        ("PSNR, dB", 2),
        (reduced.as_str(), 2),
        ("runs at the grid's edge", 0),
        ("distance by noise, percent", 1),
        ("same class, percent", 1),
    ];
    let edges = [settings.penalties.first(), settings.penalties.last()];
    let mut table = Table::new(caption, &columns);
    for network in &runs.0 {
        let at_edge = |run: &&Run| edges.contains(&Some(&run.decoded.penalty));
        table.push([
            Cell::from(network.network.name.as_str()),
            network.runs.first().map(|run| run.features).into(),
            network.mean(psnr).into(),
            reduced_psnr(network).map(|values| Interval::of(&values)).into(),
            network.runs.iter().filter(at_edge).count().into(),
            network.mean(|run| 100.0 * change(run)).into(),
            network.mean(|run| 100.0 * run.noise.consistency).into(),
        ]);
    }
    table
}

fn reduced_psnr(runs: &NetworkRuns<Run>) -> Option<Vec<f64>> {
    let psnr = |run: &Run| Some(run.reduced.as_ref()?.psnr);
    runs.runs.iter().map(psnr).collect()
}

/// What is claimed, and whether it holds.
pub fn claims(settings: &Settings, runs: &Runs<Run>) -> anyhow::Result<Vec<Claim>> {
    let windows = || WINDOWS.skip(1);
    let ahead = |pairs: Vec<(String, String)>, figure: fn(&Run) -> f64| {
        let ahead = |(one, other): &(String, String)| Ok(runs.of(one)?.ahead_of(runs.of(other)?, figure));
        pairs.iter().map(ahead).collect::<anyhow::Result<Vec<_>>>()
    };
    let between = |one: &str, other: &str, figure: fn(&Run) -> f64| -> anyhow::Result<Interval> {
        Ok(runs.of(one)?.ahead_of(runs.of(other)?, figure))
    };
    let steps = |kind| windows().map(move |window| (name(kind, window - 1), name(kind, window)));
    let smaller_window = ahead(KINDS.into_iter().flat_map(steps).collect(), psnr)?;
    let mut number_for_number = Vec::new();
    for local in KINDS {
        let reduced = reduced_psnr(runs.of(local)?).unwrap_or_default();
        for global in ["gmp", "gap"] {
            let global = runs.of(global)?.values(psnr);
            number_for_number.push(Interval::of_differences(&reduced, &global));
        }
    }
    let mut average_and_max = vec![("average".to_owned(), "max".to_owned()), ("gap".to_owned(), "gmp".to_owned())];
    average_and_max.extend(windows().map(|window| (name("average", window), name("max", window))));
    let recovered = ahead(average_and_max, psnr)?;
    let less_noise = windows()
        .flat_map(|window| [name("max", window), name("max", 1)].map(|other| (other, name("average", window))));
    let less_noise = ahead(less_noise.collect(), change)?;

    let (smallest, largest) = (*WINDOWS.start(), *WINDOWS.end());
    let rule = |what: &str| {
        format!("{what}; a part holds if its paired interval, widened for the number of parts, is above 0.")
    };
    Ok(vec![
        Claim::decided(
            "Pooling loses information, the more the larger the window",
            Parts::above(&smaller_window, 0.0),
            &format!(
                "Max pooling with window {smallest} is {} dB ahead of window {largest}",
                plain(&between(&name("max", smallest), &name("max", largest), psnr)?),
            ),
            &rule("The parts are the steps from each window to the next larger one, for max and average pooling"),
        ),
        Claim::decided(
            "Global pooling loses more than local pooling, number for number",
            Parts::above(&number_for_number, 0.0),
            &format!(
                "From {} numbers each, max is {} dB ahead of gmp",
                settings.components,
                plain(&number_for_number[0])
            ),
            &rule(
                "Max and average, reduced to as many principal components of their features as gmp and gap keep \
                 numbers, are each compared with both",
            ),
        ),
        Claim::decided(
            "A linear decoder recovers more from average pooling than from max pooling",
            Parts::above(&recovered, 0.0),
            &format!(
                "At window 2, average is {} dB ahead",
                plain(&between(&name("average", 2), &name("max", 2), psnr)?)
            ),
            &rule("Average is compared with max, gap with gmp, and the two at every window from 2"),
        ),
        Claim::decided(
            "Average pooling smooths: noise moves its features less",
            Parts::above(&less_noise, 0.0),
            &format!(
                "At window 2, noise moves the features of max by {} points more",
                between(&name("max", 2), &name("average", 2), change)?.percent()
            ),
            &rule(
                "At every window from 2, average is compared with max and with no pooling (window 1), by the \
                 distance of two noisy copies of an image as a share of the distance of two images",
            ),
        ),
    ])
}

fn plain(interval: &Interval) -> String {
    format!("{:.2} ± {:.2}", interval.mean, interval.half_width())
}
