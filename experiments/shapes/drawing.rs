//! Images whose class is known by construction.

use burn_pooling::mnist::{ImageDataset, Images};
use rand::seq::index::sample;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Height and width of every image.
pub const SIZE: usize = 28;
/// Distance of neighbouring dots: no kernel of 3x3 sees two.
const SPACING: usize = 3;
/// Dots of the two densities.
const DOTS: [usize; 2] = [20, 40];

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// One of four shapes: in the left half to learn, in the right half to be tested.
    Place,
    /// Few or many dots, none near another: local patterns are the same in both classes, only the mean differs.
    Mean,
    /// Dots, and among them a small cross or none.
    Presence,
}

/// Whether images are for training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For training.
    Train,
    /// For testing.
    Test,
}

/// 5x5 pixels: a cross, an oblique cross, a square, a triangle.
const SHAPES: [[&str; 5]; 4] = [
    ["..#..", "..#..", "#####", "..#..", "..#.."],
    ["#...#", ".#.#.", "..#..", ".#.#.", "#...#"],
    ["#####", "#...#", "#...#", "#...#", "#####"],
    ["..#..", "..#..", ".#.#.", ".#.#.", "#####"],
];
/// 3x3 pixels.
const CROSS: [&str; 3] = [".#.", "###", ".#."];

impl Task {
    /// All tasks.
    pub const ALL: [Self; 3] = [Self::Place, Self::Mean, Self::Presence];

    /// The task in a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Mean => "mean",
            Self::Presence => "presence",
        }
    }

    /// The number of classes.
    pub fn classes(self) -> usize {
        match self {
            Self::Place => SHAPES.len(),
            Self::Mean | Self::Presence => 2,
        }
    }

    /// Draws `count` images of every class in turn; the seed decides places.
    ///
    /// # Errors
    /// If the library refuses the images.
    pub fn draw(self, count: usize, purpose: Purpose, seed: u64) -> anyhow::Result<ImageDataset> {
        let stream = 2 * seed + u64::from(purpose == Purpose::Test);
        let mut generator = ChaCha8Rng::seed_from_u64(stream);
        let labels: Vec<u8> = (0..count).map(|index| (index % self.classes()) as u8).collect();
        let pixels = labels.iter().flat_map(|&label| self.image(usize::from(label), purpose, &mut generator));
        let images = Images { channels: 1, size: [SIZE; 2], pixels: pixels.collect() };
        Ok(ImageDataset::new(images, labels)?)
    }

    fn image(self, class: usize, purpose: Purpose, generator: &mut impl Rng) -> Vec<u8> {
        let mut image = vec![0; SIZE * SIZE];
        match self {
            Self::Place => {
                // Far enough from the edges for every pixel to be seen by every place of a kernel.
                let (left, right) = (2..SIZE / 2 - 5, SIZE / 2..SIZE - 7);
                let column = generator.random_range(if purpose == Purpose::Train { left } else { right });
                stamp(&mut image, &SHAPES[class], [generator.random_range(2..SIZE - 7), column]);
            }
            Self::Mean => dots(&mut image, DOTS[class], generator),
            Self::Presence => {
                dots(&mut image, DOTS[1], generator);
                if class == 1 {
                    stamp(&mut image, &CROSS, [0, 0].map(|_: usize| generator.random_range(2..SIZE - 5)));
                }
            }
        }
        image
    }
}

fn stamp(image: &mut [u8], shape: &[&str], [top, left]: [usize; 2]) {
    for (row, line) in shape.iter().enumerate() {
        for (column, _) in line.bytes().enumerate().filter(|(_, letter)| *letter == b'#') {
            image[(top + row) * SIZE + left + column] = 255;
        }
    }
}

/// Dots on a lattice: in every class, a kernel of 3x3 sees none or one, and one at each of its nine places.
fn dots(image: &mut [u8], count: usize, generator: &mut impl Rng) {
    let across = SIZE / SPACING;
    for place in sample(generator, across * across, count) {
        image[(place / across * SPACING + 1) * SIZE + place % across * SPACING + 1] = 255;
    }
}
