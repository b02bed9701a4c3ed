//! Predictions and labels of logits.

use super::*;

#[test]
fn ties_go_to_the_first_class() {
    assert_eq!(argmax(&[0.0, 2.0, 2.0]), 1);
}

#[test]
fn labels_of_a_model_without_classes_are_refused() {
    let logits = Logits { values: Vec::new(), shape: [1, 0] };
    assert_eq!(logits.check_labels(&[0]), Err(LabelError::Class { label: 0, classes: 0 }));
    assert_eq!(logits.check_labels(&[0, 0]), Err(LabelError::Count { labels: 2, samples: 1 }));
}
