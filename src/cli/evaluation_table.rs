//! The final figures as text.

use std::fmt::Write;

use burn_pooling::evaluation::Evaluation;
use burn_pooling::run::DataConfig;

/// What stands over the rows and beside the columns.
const CORNER: &str = "true \\ predicted";

/// Accuracy with its interval, accuracy of each class of the run's data, confusion matrix.
pub fn evaluation_table(test: &Evaluation, data: &DataConfig) -> String {
    let [lower, upper] = test.interval95;
    let mut text = format!(
        "test accuracy {:.4}  (95 % interval {lower:.4} to {upper:.4}; {} of {})  loss {:.4}\n\n",
        test.accuracy, test.correct, test.count, test.loss
    );
    let width = 1 + test.count.to_string().len().max(4);
    let cell = |text: &str| format!("{text:>width$}");
    let header: String = (0..test.confusion.len()).map(|class| cell(&class.to_string())).collect();
    let titles: Vec<String> = (0..test.confusion.len()).map(|class| data.class_title(class)).collect();
    let margin = titles.iter().map(|title| title.chars().count()).fold(CORNER.len(), usize::max);
    let _ = writeln!(text, "{CORNER:>margin$}{header}  accuracy");
    for ((title, row), accuracy) in titles.iter().zip(&test.confusion).zip(&test.per_class_accuracy) {
        let shown = |&count: &usize| if count == 0 { cell(".") } else { cell(&count.to_string()) };
        let counts: String = row.iter().map(shown).collect();
        let accuracy = accuracy.map_or("-".to_owned(), |accuracy| format!("{accuracy:.4}"));
        let _ = writeln!(text, "{title:>margin$}{counts}  {accuracy:>8}");
    }
    text
}
