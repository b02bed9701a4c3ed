//! A network for colour images, trained with stochastic gradient descent, momentum, a cosine schedule, a loss of its own
//! and augmentation; interrupted, resumed to the same bits, and summarised.
//!
//! ```text
//! cargo run --release --example colour
//! ```

use burn::module::Module;
use burn::optim::{SgdConfig, momentum::MomentumConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, backend::Backend};
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::loss::{Loss, targets};
use burn_pooling::mnist::{ImageDataset, Images};
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::run::save_weights;
use burn_pooling::summary::{Summary, TraceGrad};
use burn_pooling::training::{
    Control, Event, ImageAugmentation, Learner, Random, Schedule, ScheduleKind, Training, TrainingConfig, fit,
    glorot_uniform,
};

/// The focal loss: samples that are classified well count less.
///
/// Lin et al.: *Focal loss for dense object detection* (2017), equation 4 with gamma 2.
struct FocalLoss;

impl<B: Backend> Loss<B> for FocalLoss {
    fn forward(&self, logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1> {
        let labels = targets::<B>(labels, &logits.device()).unsqueeze_dim(1); // [batch, 1]
        let log_probability = log_softmax(logits, 1).gather(1, labels); // [batch, 1]
        let missing = log_probability.clone().exp().neg().add_scalar(1.0);
        (missing.square() * log_probability).mean().neg()
    }
}

/// Images of 16x16 pixels whose brightest channel is their class, with much noise.
fn colour_images(count: usize) -> anyhow::Result<ImageDataset> {
    let mut random = Random::of_step(7, 0, 0);
    let labels: Vec<u8> = (0..count).map(|_| random.below(3) as u8).collect();
    let mut pixels = Vec::new();
    for &label in &labels {
        for channel in 0..3 {
            let mean = if channel == label { 150.0 } else { 110.0 };
            pixels.extend((0..16 * 16).map(|_| (mean + 40.0 * random.normal()) as u8));
        }
    }
    Ok(ImageDataset::new(Images { channels: 3, size: [16, 16], pixels }, labels)?)
}

fn main() -> anyhow::Result<()> {
    let (device, seed) = (Default::default(), 3);
    let data = colour_images(600)?;
    let config = PoolingCnnConfig::new(Variant::Average).with_channels(3).with_image_size([16, 16]).with_classes(3);
    let model = config.init::<Autodiff<Flex>>(&device)?;
    let fresh = || {
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
        let optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
        Learner::with_optimizer(glorot_uniform(model.clone(), seed), optimizer)
    };
    let hyperparameters = TrainingConfig { epochs: 4, batch_size: 50, valid_size: 100, seed, ..Default::default() };
    let training = Training::new(hyperparameters)
        .with_scheduler(Schedule::new(ScheduleKind::Cosine, 0.05, 4 * 10))
        .with_loss(FocalLoss)
        .with_augmentation(ImageAugmentation { shift: 2.0, rotate: 15.0, ..Default::default() });

    let mut whole = fresh();
    fit(&mut whole, &data, &training, &device, |event| {
        if let Event::Epoch { metrics, .. } = event {
            println!("{metrics:?}");
        }
        Ok(Control::Continue)
    })?;

    // Stops after 13 of 40 steps, and resumes from the bytes of the checkpoint.
    let (mut steps, mut checkpoint, mut stopped) = (0, Vec::new(), fresh());
    fit(&mut stopped, &data, &training, &device, |event| {
        match event {
            Event::Step(_) => steps += 1,
            Event::Checkpoint(learner) => checkpoint = learner.checkpoint(),
            Event::Epoch { .. } => {}
        }
        Ok(if steps == 13 { Control::Stop } else { Control::Continue })
    })?;
    let mut resumed = fresh().restore(checkpoint, &device)?;
    fit(&mut resumed, &data, &training, &device, |_| Ok(Control::Continue))?;
    let same = save_weights(resumed.model()) == save_weights(whole.model());
    println!("the same bits after resuming: {same}");

    let summary = Summary::try_of(
        |device| config.init::<TraceGrad>(device),
        [8, 3, 16, 16],
        |model: &PoolingCnn<_>, images| model.forward(images),
    )?;
    println!("{} parameters\n{summary}", whole.best().num_params());
    Ok(())
}
