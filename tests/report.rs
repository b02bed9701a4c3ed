//! The page that `report` writes: whole, self-contained, and true to the run.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs;

use common::place::Place;

fn page(place: &Place) -> String {
    fs::read_to_string(place.path("report.html")).unwrap()
}

/// How often `what` stands in `text`.
fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn a_page_shows_runs_side_by_side_with_the_figures_of_their_reports() {
    let place = Place::new(120, 70); // every class among the test images
    place.train("--quiet --variant max --epochs 2 --out first");
    place.train("--quiet --variant gap --epochs 3 --out second");
    let printed = place.succeed("report first second");
    assert!(printed.contains("report: report.html"), "{printed}");
    let page = page(&place);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    for run in ["first", "second"] {
        let test = place.report(run).test;
        assert!(page.contains(&format!("<h2 id=\"run{}-name\">{run}</h2>", usize::from(run == "second"))), "{run}");
        assert!(page.contains(&format!("<td class=\"number\">{:.4}</td>", test.accuracy)), "{run}: {}", test.accuracy);
        assert!(page.contains(&format!("{:.4} to {:.4}", test.interval95[0], test.interval95[1])), "{run}");
    }
    // Two curves, and a reliability diagram for each run.
    assert_eq!(count(&page, "<svg"), 2 + 2);
    assert_eq!(count(&page, "<polyline"), 2 * 2 * 2, "training and validation, loss and accuracy, of both runs");
    // For an image of each of the ten classes: the image, places and pixels, and of each stage two sheets.
    assert_eq!(count(&page, "<figcaption>image</figcaption>"), 2 * 10);
    assert_eq!(
        count(&page, "stage 2 after pooling: 32 maps of 5x5</figcaption>"),
        10,
        "max has a second stage, gap has none"
    );
}

#[test]
fn a_page_needs_nothing_from_elsewhere_and_every_picture_has_a_text() {
    let place = Place::new(60, 20);
    place.train("--quiet --variant gmp --epochs 1 --out run");
    place.succeed("report run --out page.html");
    let page = fs::read_to_string(place.path("page.html")).unwrap();
    for address in ["href=\"", "src=\""].iter().flat_map(|attribute| page.split(attribute).skip(1)) {
        assert!(address.starts_with('#') || address.starts_with("data:image/png;base64,"), "{:.60}", address);
    }
    for element in ["<script", "<link", "@import", "url("] {
        assert_eq!(count(&page, element), 0, "{element}");
    }
    assert!(count(&page, "<img") > 30);
    assert_eq!(count(&page, "<img"), count(&page, " alt=\""));
    assert_eq!(count(&page, "alt=\"\""), 0);
}

#[test]
fn names_are_shown_as_text() {
    let place = Place::new(60, 20);
    place.train("--quiet --variant gmp --epochs 1 --out <b>&\"run");
    place.succeed("report <b>&\"run");
    let page = page(&place);
    assert!(page.contains("&lt;b&gt;&amp;") && !page.contains("<b>"));
}

#[test]
fn what_is_no_run_is_refused_and_nothing_is_written() {
    let place = Place::new(60, 20);
    place.train("--quiet --variant gmp --epochs 1 --out run");
    place.fail("report", 2, "<RUN>");
    place.fail("report run nowhere", 1, "nowhere");
    place.fail("report run data", 1, "data");
    place.fail("report run --out nowhere/report.html", 1, "nowhere");
    assert!(!place.path("report.html").exists());
    fs::write(place.path("run/metrics.jsonl"), "{}\n").unwrap();
    place.fail("report run", 1, "--unverified");
    place.fail("report run --unverified", 1, "metrics of an epoch");
}
