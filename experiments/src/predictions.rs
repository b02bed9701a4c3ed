//! The classes that a network gives images, and the true ones.

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

    /// Share of images that both give the same class, right or wrong, 0 to 1; NaN without images.
    pub fn consistency(&self, other: &Self) -> f64 {
        share((self.classes.iter().zip(&other.classes)).map(|(one, another)| one == another))
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
}
