//! An explanation as pictures, step by step.
//!
//! ```
//! # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::explain::{explain, panels::panels};
//! use burn_pooling::mnist::ImageSets;
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//!
//! let device = Default::default();
//! let network = PoolingCnnConfig::new(Variant::Max).init::<Autodiff<Flex>>(&device)?;
//! let image = ImageSets::load(None)?.test.images::<Flex>(&[0], &device);
//! let panels = panels(&explain(&network, image, None)?);
//! assert_eq!(panels[1].name, "stage1-before");
//! assert_eq!(panels[1].caption, "stage 1 before pooling: 32 maps of 26x26");
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use image::RgbImage;

use super::drawing::{Colours, Sheet, photograph};
use super::maps::Maps;
use super::{Explanation, StageMaps};

/// A picture of one step of an explanation.
#[derive(Clone, Debug)]
pub struct Panel {
    /// A short name, such as `stage1-before`, for a file.
    pub name: String,
    /// What is shown, in words.
    pub caption: String,
    /// The picture.
    pub picture: RgbImage,
}

/// Side of a map, in pixels, if it can be had.
const SIDE: usize = 52;
/// Side of the square of a single number, in pixels.
const SINGLE: usize = 12;
/// Maps side by side.
const COLUMNS: usize = 8;

/// Draws an explanation step by step: the image, all maps of each stage before and after pooling, the places of the last
/// stage that speak for the class, and the pixels.
///
/// Maps are the brighter the larger their values, on one scale before and after a pooling; orange is where a maximum comes
/// from. What speaks for the class is orange as well, what speaks against it blue.
pub fn panels(explanation: &Explanation) -> Vec<Panel> {
    let panel = |name: &str, caption: String, picture| Panel { name: name.to_owned(), caption, picture };
    let signed =
        |maps: &Maps, scale| Sheet { maps, colours: Colours::signed(maps), winners: None, columns: 1, scale }.draw();
    let mut panels = vec![panel("image", "image".to_owned(), photograph(&explanation.image, 4))];
    panels.extend(explanation.stages.iter().enumerate().flat_map(|(index, stage)| stage_panels(index + 1, stage)));
    let class = explanation.class;
    let places = format!("places that speak for {class} (orange) and against it (blue)");
    panels.push(panel("places", places, signed(&explanation.relevance, 4)));
    let pixels = format!("pixels that speak for {class} and against it: gradient times input");
    panels.push(panel("pixels", pixels, signed(&explanation.gradient_times_input, 4)));
    panels
}

fn stage_panels(number: usize, stage: &StageMaps) -> Vec<Panel> {
    let colours = Colours::grey(&stage.activation);
    let panel = |when: &str, maps: &Maps, winners| {
        let [height, width] = maps.size;
        let scale = (SIDE / height.max(width).max(1)).clamp(1, SINGLE);
        Panel {
            name: format!("stage{number}-{when}"),
            caption: format!("stage {number} {when} pooling: {} maps of {height}x{width}", maps.channels),
            picture: Sheet { maps, colours, winners, columns: COLUMNS, scale }.draw(),
        }
    };
    let before = panel("before", &stage.activation, stage.winners.as_deref());
    match stage.pooled == stage.activation {
        true => vec![before],
        false => vec![before, panel("after", &stage.pooled, None)],
    }
}
