//! A training loop for any [`Classifier`](crate::model::Classifier), with any Burn optimizer and scheduler: the same seed
//! gives the same weights, and an interrupted training resumes as if it had not been interrupted.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::optim::{SgdConfig, momentum::MomentumConfig};
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::mnist::{ImageDataset, Images};
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//! use burn_pooling::training::{
//!     Control, Event, ImageAugmentation, Learner, Schedule, ScheduleKind, Training, TrainingConfig, fit,
//! };
//!
//! // Eight colour images of 8x8 pixels: dark ones of class 0, bright ones of class 1.
//! let pixels = (0..8).flat_map(|image| vec![200 * (image % 2) as u8; 3 * 8 * 8]).collect();
//! let images = Images { channels: 3, size: [8, 8], pixels };
//! let data = ImageDataset::new(images, vec![0, 1, 0, 1, 0, 1, 0, 1])?;
//!
//! let device = Default::default();
//! let model = PoolingCnnConfig::new(Variant::GlobalAverage)
//!     .with_channels(3)
//!     .with_image_size([8, 8])
//!     .with_classes(2)
//!     .init::<Autodiff<Flex>>(&device)?;
//! let optimizer = SgdConfig::new().with_momentum(Some(MomentumConfig::new())).init();
//! let mut learner = Learner::with_optimizer(model, optimizer);
//!
//! let config = TrainingConfig { epochs: 3, batch_size: 4, valid_size: 0, ..Default::default() };
//! let training = Training::new(config)
//!     .with_scheduler(Schedule::new(ScheduleKind::Cosine, 0.1, 3 * 2))
//!     .with_augmentation(ImageAugmentation { shift: 1.0, ..Default::default() });
//! fit(&mut learner, &data, &training, &device, |event| {
//!     if let Event::Epoch { metrics, .. } = event {
//!         println!("epoch {}: loss {:.4}", metrics.epoch, metrics.train_loss);
//!     }
//!     Ok(Control::Continue)
//! })?;
//! assert_eq!(learner.history().len(), 3);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod adam;
mod augment;
mod checkpoint;
mod config;
mod event;
mod fit;
mod initialize;
mod learner;
mod order;
mod schedule;

pub use crate::random::Random;
pub use adam::{Adam, AdamConfig, AdamState};
pub use augment::{Augment, AugmentationError, ImageAugmentation, Unchanged};
pub use checkpoint::CheckpointError;
pub use config::{BestBy, ConfigError, TrainingConfig};
pub use event::{CallbackResult, Control, EpochMetrics, Event, Step};
pub use fit::{Outcome, Training, TrainingError, fit};
pub use initialize::glorot_uniform;
pub use learner::Learner;
pub use order::Split;
pub use schedule::{Schedule, ScheduleKind};
