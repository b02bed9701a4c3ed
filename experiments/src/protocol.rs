//! How each network is trained where a claim is about how it classifies: on all images of a data set, until more epochs
//! bring nothing, with the learning rate that is best on validation images.
//!
//! The learning rates are those that the experiment *tuning* finds best, and a test compares the two once its runs are
//! there. Whether the epochs are enough, *variants* shows, by training again for twice as many.

use burn_pooling::model::PoolingCnnConfig;

use crate::data::DataSet;
use crate::training::Plan;

/// Learning rate and number of epochs of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// The learning rate.
    pub learning_rate: f64,
    /// Number of epochs.
    pub epochs: usize,
}

/// A network's name, and what is used for it on MNIST and on other large sets, and on the small set of digits.
const TUNED: [(&str, Tuned, Tuned); 13] = [
    ("max", tuned(3e-3, 12), tuned(1e-2, 60)),
    ("average", tuned(1e-2, 12), tuned(3e-2, 60)),
    ("none", tuned(3e-3, 6), tuned(3e-3, 30)),
    ("strided", tuned(3e-3, 12), tuned(3e-3, 60)),
    ("all conv", tuned(3e-3, 12), tuned(1e-2, 120)),
    ("gmp", tuned(3e-3, 100), tuned(3e-3, 800)),
    ("gap", tuned(1e-2, 150), tuned(1e-2, 2400)),
    ("gmp 2 conv stride 2", tuned(1e-2, 24), tuned(3e-3, 200)),
    ("gap 2 conv stride 2", tuned(1e-2, 24), tuned(1e-2, 200)),
    ("gmp 2 conv", tuned(3e-3, 24), tuned(1e-2, 100)),
    ("gap 2 conv", tuned(1e-2, 24), tuned(1e-2, 200)),
    ("gmp wide", tuned(3e-3, 42), tuned(3e-3, 250)),
    ("gap wide", tuned(1e-2, 42), tuned(1e-2, 500)),
];

const fn tuned(learning_rate: f64, epochs: usize) -> Tuned {
    Tuned { learning_rate, epochs }
}

/// Whether a set with so many training images is small: its networks are trained for more epochs.
pub fn is_small(images: usize) -> bool {
    images < 10_000
}

impl Tuned {
    /// So many times the epochs: with fewer images, an epoch is shorter.
    pub fn times(self, factor: usize) -> Self {
        Self { epochs: self.epochs * factor, ..self }
    }

    /// The network, trained on so many images and validated on so many others.
    pub fn plan(self, network: PoolingCnnConfig, [train_images, valid_images]: [usize; 2]) -> Plan {
        let Self { learning_rate, epochs } = self;
        Plan { network, train_images, valid_images, epochs, learning_rate, augmentation: None, dropout: None }
    }
}

/// Learning rate and epochs for a network called `name` on a set of so many training images; networks that were not
/// tuned are trained as `max` is. For a quick run, one epoch.
pub fn tuned_for(name: &str, images: usize, quick: bool) -> Tuned {
    let (_, large, small) = TUNED.iter().find(|(known, ..)| *known == name).unwrap_or(&TUNED[0]);
    let tuned = if is_small(images) { *small } else { *large };
    if quick { Tuned { epochs: 1, ..tuned } } else { tuned }
}

/// The network for the images of a data set, trained on all of them but for a twelfth, which validates; for a quick run, on
/// some.
pub fn plan(network: &PoolingCnnConfig, data: &DataSet, quick: bool) -> Plan {
    let network = fitted(network, data);
    let images = data.sets.train.len();
    let valid_images = if quick { 100 } else { (images / 12).max(1) };
    let train_images = if quick { 400 } else { images - valid_images };
    tuned_for(&network.name, images, quick).plan(network, [train_images, valid_images])
}

/// The network for the images of a data set.
pub fn fitted(network: &PoolingCnnConfig, data: &DataSet) -> PoolingCnnConfig {
    let sets = &data.sets;
    (network.clone()).with_channels(sets.channels()).with_image_size(sets.image_size()).with_classes(sets.classes())
}
