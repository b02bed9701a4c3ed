//! The classes that a network gives images, and the true ones.

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The class that a network gives each image of a set, beside the true one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predictions {
    /// The network's classes, image by image.
    pub classes: Vec<u8>,
    /// The true classes.
    pub labels: Vec<u8>,
}

impl Predictions {
    /// Image by image, whether the class is right.
    pub fn correct(&self) -> Vec<bool> {
        (self.classes.iter().zip(&self.labels)).map(|(class, label)| class == label).collect()
    }

    /// Share of right classes, 0 to 1; NaN without images.
    pub fn accuracy(&self) -> f64 {
        share(self.correct().into_iter())
    }

    /// The same in few letters.
    pub fn errors(&self) -> Errors {
        let pairs = self.classes.iter().zip(&self.labels).enumerate();
        let wrong = pairs.filter(|(_, (class, label))| class != label);
        Errors(wrong.map(|(index, (class, _))| format!("{index}:{class}")).collect::<Vec<_>>().join(" "))
    }

    /// Share of images that both give the same class, right or wrong, 0 to 1; NaN without images.
    pub fn consistency(&self, other: &Self) -> f64 {
        share((self.classes.iter().zip(&other.classes)).map(|(one, another)| one == another))
    }
}

/// Predictions as they are kept: the images that are classified wrongly, with their wrong classes, as in `8:5 33:4`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors(String);

impl Errors {
    /// How many images are classified wrongly.
    pub fn count(&self) -> usize {
        self.0.split_whitespace().count()
    }

    /// The predictions for images of these true classes.
    ///
    /// # Errors
    /// If the text is no such list, or an index is too large.
    pub fn predictions(&self, labels: &[u8]) -> anyhow::Result<Predictions> {
        let mut classes = labels.to_vec();
        for error in self.0.split_whitespace() {
            let parsed = error.split_once(':').and_then(|(index, class)| {
                let class: u8 = class.parse().ok()?;
                *classes.get_mut(index.parse::<usize>().ok()?)? = class;
                Some(())
            });
            parsed.with_context(|| {
                format!("expected INDEX:CLASS with an index below {}, found '{error}'", labels.len())
            })?;
        }
        Ok(Predictions { classes, labels: labels.to_vec() })
    }
}

fn share(hits: impl ExactSizeIterator<Item = bool>) -> f64 {
    let count = hits.len();
    hits.filter(|&hit| hit).count() as f64 / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consistency_ignores_the_truth() {
        let predictions = |classes: [u8; 4]| Predictions { classes: classes.to_vec(), labels: vec![1, 1, 1, 1] };
        let (one, another) = (predictions([1, 2, 3, 1]), predictions([1, 2, 1, 4]));
        assert_eq!(one.accuracy(), 0.5);
        assert_eq!(one.consistency(&another), 0.5);
    }

    #[test]
    fn predictions_are_kept_by_their_errors() {
        let predictions = Predictions { classes: vec![7, 1, 3, 4], labels: vec![7, 2, 3, 1] };
        assert_eq!(predictions.errors(), Errors("1:1 3:4".to_owned()));
        assert_eq!(predictions.errors().predictions(&predictions.labels).unwrap(), predictions);
        for broken in ["4:1", "1", "1:300", "x:1"] {
            assert!(Errors(broken.to_owned()).predictions(&predictions.labels).is_err(), "{broken}");
        }
    }
}
