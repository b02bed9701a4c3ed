//! A training loop for any [`Classifier`](crate::model::Classifier), with any Burn optimizer and scheduler: the same seed
//! gives the same weights, and an interrupted training resumes as if it had not been interrupted.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::optim::{SgdConfig, momentum::MomentumConfig};
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::mnist::{ImageDataset, Images};
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//! use burn_pooling::training::{Control, Learner, Schedule, ScheduleKind, Training, TrainingConfig, fit};
//!
//! // Four grey images of 8x8 pixels: dark ones of class 0, bright ones of class 1.
//! let pixels = (0..4).flat_map(|image| vec![200 * (image % 2) as u8; 8 * 8]).collect();
//! let data = ImageDataset::new(Images { channels: 1, size: [8, 8], pixels }, vec![0, 1, 0, 1])?;
//!
//! let device = Default::default();
//! let model = PoolingCnnConfig::new(Variant::GlobalAverage).init::<Autodiff<Flex>>(&device)?;
//! let optimizer = SgdConfig::new().with_momentum(Some(MomentumConfig::new())).init();
//! let mut learner = Learner::with_optimizer(model, optimizer);
//! let config = TrainingConfig { epochs: 3, batch_size: 2, valid_size: 0, ..Default::default() };
//! let training = Training::new(config).with_scheduler(Schedule::new(ScheduleKind::Cosine, 0.1, 3 * 2));
//! fit(&mut learner, &data, &training, &device, |_| Ok(Control::Continue))?;
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
mod record;
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
