//! Augmentation of images and learning rate schedules: what they do, and that nothing but the seed decides it.

#![cfg(feature = "flex")]

use burn::lr_scheduler::LrScheduler;
use burn::tensor::Tensor;
use burn_pooling::backend::Flex;
use burn_pooling::data::Batch;
use burn_pooling::training::{Augment, ImageAugmentation, Random, Schedule, ScheduleKind};
use proptest::prelude::*;

/// Images with one bright pixel each, at the same place in every channel: `[images, 2, height, width]`.
fn bright_pixels(images: usize, [height, width]: [usize; 2], at: [usize; 2]) -> Batch<Tensor<Flex, 4>> {
    let mut image = vec![0.0f32; height * width];
    image[at[0] * width + at[1]] = 1.0;
    let inputs = Tensor::<Flex, 1>::from_floats(image.repeat(2 * images).as_slice(), &Default::default());
    Batch { inputs: inputs.reshape([images, 2, height, width]), labels: (0..images).collect() }
}

fn augmented(augmentation: ImageAugmentation, batch: &Batch<Tensor<Flex, 4>>, step: usize) -> Vec<f32> {
    let batch = augmentation.augment(batch.clone(), &mut Random::of_step(1, 0, step));
    assert_eq!(batch.labels, (0..batch.labels.len()).collect::<Vec<_>>());
    batch.inputs.into_data().to_vec().unwrap()
}

const ALL: ImageAugmentation = ImageAugmentation { shift: 2.0, rotate: 15.0, scale: 0.2, noise: 0.1 };

#[test]
fn the_numbers_of_a_step_decide_it_on_any_number_of_threads() {
    let batch = bright_pixels(40, [12, 10], [5, 5]);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| augmented(ALL, &batch, 7))
    };
    assert_eq!(on(1), on(3));
    assert_ne!(on(1), augmented(ALL, &batch, 8));
    let images: Vec<_> = on(1).chunks(2 * 12 * 10).map(<[f32]>::to_vec).collect();
    assert_ne!(images[0], images[1], "each image has random numbers of its own");
}

/// Where the mass of each image's first channel lies, relative to the bright pixel.
fn moves(values: &[f32], [height, width]: [usize; 2], at: [usize; 2]) -> Vec<[f32; 2]> {
    let of_image = |image: &[f32]| {
        let mut moved = [0.0; 2];
        for (i, value) in image[..height * width].iter().enumerate() {
            moved[0] += value * ((i / width) as f32 - at[0] as f32);
            moved[1] += value * ((i % width) as f32 - at[1] as f32);
        }
        moved
    };
    values.chunks(2 * height * width).map(of_image).collect()
}

/// Bilinear interpolation keeps mass and its centre, so these tell the shift, up to its range in both directions.
#[test]
fn a_shift_moves_all_channels_of_an_image_by_up_to_its_range() {
    let (size, at) = ([15, 15], [7, 7]);
    let shift = ImageAugmentation { shift: 3.0, ..Default::default() };
    let values = augmented(shift, &bright_pixels(200, size, at), 0);
    for image in values.chunks(2 * 225) {
        assert!((image[..225].iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert_eq!(image[..225], image[225..]);
    }
    for axis in [0, 1] {
        let moved: Vec<f32> = moves(&values, size, at).iter().map(|moved| moved[axis]).collect();
        assert!(moved.iter().all(|moved| moved.abs() <= 3.001), "{moved:?}");
        assert!(moved.iter().any(|&moved| moved > 2.5) && moved.iter().any(|&moved| moved < -2.5));
    }
}

/// A pixel six to the right of the centre: rotated by 90 degrees at most, it stays on a circle of radius 6.
#[test]
fn a_rotation_keeps_the_distance_from_the_centre() {
    let (size, at) = ([17, 17], [8, 14]);
    let rotate = ImageAugmentation { rotate: 90.0, ..Default::default() };
    let values = augmented(rotate, &bright_pixels(200, size, at), 0);
    let mut highest = 0.0f32;
    for moved in moves(&values, size, at) {
        let [y, x] = [moved[0], moved[1] + 6.0];
        // Interpolation spreads the pixel: its centre of mass moves by less than a pixel.
        assert!(((y * y + x * x).sqrt() - 6.0).abs() < 1.0, "{moved:?}");
        highest = highest.max(y.abs());
    }
    assert!(highest > 5.0);
}

#[test]
fn noise_has_its_standard_deviation_and_no_augmentation_changes_nothing() {
    let batch = bright_pixels(50, [10, 10], [3, 4]);
    let clean = batch.inputs.clone().into_data().to_vec::<f32>().unwrap();
    assert_eq!(augmented(ImageAugmentation::default(), &batch, 0), clean);
    let noisy = augmented(ImageAugmentation { noise: 0.5, ..Default::default() }, &batch, 0);
    let square = |(noisy, clean): (&f32, &f32)| f64::from(noisy - clean).powi(2);
    let variance = noisy.iter().zip(&clean).map(square).sum::<f64>() / clean.len() as f64;
    // 10,000 values: the standard error of the variance is 0.25 * sqrt(2 / 10,000).
    assert!((variance - 0.25).abs() < 5.0 * 0.0036, "{variance}");
}

#[test]
fn augmentations_are_read_or_refused() {
    let read = |text: &str| text.parse::<ImageAugmentation>();
    assert_eq!(read("shift=2,rotate=15,scale=0.2,noise=0.1"), Ok(ALL));
    for text in ["", "shift", "shift=", "tilt=1", "shift=two", "shift=-1", "noise=inf", "scale=1"] {
        assert!(read(text).is_err(), "{text}");
    }
}

/// `torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=10)` of PyTorch 2.15.
#[test]
fn one_cycle_is_that_of_pytorch() {
    let expected = [
        0.020_000_000_000_000_018,
        0.26,
        0.5,
        0.475_242_316_006_736_83,
        0.405_872_826_974_881_53,
        0.305_631_010_968_144_64,
        0.194_370_989_031_855_37,
        0.094_129_173_025_118_49,
        0.024_759_683_993_263_143,
        2e-6,
    ];
    let mut schedule = Schedule::new(ScheduleKind::OneCycle, 0.5, 10);
    for expected in expected {
        let found = schedule.step();
        assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
    }
}

/// By hand, from the definitions.
#[test]
fn other_schedules_are_as_defined() {
    let rates = |schedule: Schedule, steps: usize| -> Vec<f64> {
        (0..steps).map(|step| (schedule.at(step) * 1e9).round() / 1e9).collect()
    };
    let of = |kind| Schedule::new(kind, 1.0, 8);
    assert_eq!(rates(Schedule::constant(0.5).with_warmup(2), 4), [0.25, 0.5, 0.5, 0.5]);
    let steps = [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01, 0.01];
    assert_eq!(rates(of(ScheduleKind::Step), 9), steps);
    let cosine = rates(of(ScheduleKind::Cosine), 8);
    assert_eq!([cosine[0], cosine[4], cosine[2]], [1.0, 0.5, 0.853_553_391]); // (1 + cos(pi / 4)) / 2
    let warm = rates(of(ScheduleKind::Cosine).with_warmup(4), 8);
    assert_eq!([warm[0], warm[3], warm[4], warm[6]], [0.25, 1.0, 1.0, 0.5]);
}

proptest! {
    /// No rate leaves the range from 0 to the learning rate, for any kind, length and warm-up.
    #[test]
    fn rates_stay_in_their_range(kind in 0usize..4, steps in 0usize..50, warmup in 0usize..60, at in 0usize..200) {
        use ScheduleKind::{Constant, Cosine, OneCycle, Step};
        let kind = [Constant, Cosine, Step, OneCycle][kind];
        let rate = Schedule::new(kind, 0.3, steps).with_warmup(warmup).at(at);
        prop_assert!((0.0..=0.3).contains(&rate), "{}", rate);
    }
}
