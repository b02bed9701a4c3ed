//! Means over many values keep their digits, fused and composed. The reference is the mean in f64.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use burn::module::Param;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use burn_pooling::pooling::{ConvPool2dConfig, GlobalAvgPool2d, Pool2dConfig};

const TOLERANCE: f64 = 1e-6;

/// A value everywhere, or values in 0.5..1.5 that a formula makes.
fn image(side: usize, value: Option<f32>) -> Vec<f32> {
    let formula = |i: usize| (i.wrapping_mul(0x9e37_79b9) >> 8 & 0xffff) as f32 / 65536.0 + 0.5;
    (0..side * side).map(|i| value.unwrap_or_else(|| formula(i))).collect()
}

fn is_near(found: f32, values: &[f32], what: &str) {
    let expected = values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64;
    let error = (f64::from(found) / expected - 1.0).abs();
    assert!(error < TOLERANCE, "{what}: {found} for {expected}, relative error {error:e}");
}

fn means_of_large_images<B: Backend>() {
    for (side, value) in [(28, Some(0.1)), (224, Some(0.1)), (224, None), (1500, Some(1.0)), (1501, None)] {
        let values = image(side, value);
        let input = Tensor::<B, 4>::from_data(TensorData::new(values.clone(), [1, 1, side, side]), &Default::default());
        let alone = GlobalAvgPool2d::new().forward(input.clone());
        is_near(alone.into_data().to_vec::<f32>().unwrap()[0], &values, &format!("alone, {side}"));
        for pool in [Pool2dConfig::GlobalAverage, Pool2dConfig::Average { kernel_size: [side; 2], stride: [1, 1] }] {
            let mut block = ConvPool2dConfig::new(3, [1, 1]).with_pool(Some(pool)).init::<B>(1, &Default::default());
            block.conv.weight = Param::from_tensor(Tensor::ones([3, 1, 1, 1], &Default::default()));
            for fused in [true, false] {
                block.fused = fused;
                assert_eq!(block.is_fused_for(&input), fused);
                let found = block.forward(input.clone()).into_data().to_vec::<f32>().unwrap();
                found.iter().for_each(|&found| is_near(found, &values, &format!("{pool:?}, fused {fused}, {side}")));
            }
        }
    }
}

#[cfg(feature = "flex")]
#[test]
fn means_of_large_images_keep_their_digits_on_flex() {
    means_of_large_images::<burn_flex::Flex>();
}

#[cfg(feature = "ndarray")]
#[test]
fn means_of_large_images_keep_their_digits_on_ndarray() {
    means_of_large_images::<burn_ndarray::NdArray>();
}
