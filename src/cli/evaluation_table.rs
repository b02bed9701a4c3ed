//! The final figures as text.

use std::fmt::Write;

use burn_pooling::evaluation::Evaluation;

/// Accuracy with its interval, accuracy of each class, confusion matrix.
pub fn evaluation_table(test: &Evaluation) -> String {
    let [lower, upper] = test.interval95;
    let mut text = format!(
        "test accuracy {:.4}  (95 % interval {lower:.4} to {upper:.4}; {} of {})  loss {:.4}\n\n",
        test.accuracy, test.correct, test.count, test.loss
    );
    let width = 1 + test.count.to_string().len().max(4);
    let cell = |text: &str| format!("{text:>width$}");
    let classes = 0..test.confusion.len();
    let header: String = classes.map(|class| cell(&class.to_string())).collect();
    let _ = writeln!(text, "true \\ predicted{header}  accuracy");
    for (class, (row, accuracy)) in test.confusion.iter().zip(&test.per_class_accuracy).enumerate() {
        let shown = |&count: &usize| if count == 0 { cell(".") } else { cell(&count.to_string()) };
        let counts: String = row.iter().map(shown).collect();
        let accuracy = accuracy.map_or("-".to_owned(), |accuracy| format!("{accuracy:.4}"));
        let _ = writeln!(text, "{class:>16}{counts}  {accuracy:>8}");
    }
    text
}
