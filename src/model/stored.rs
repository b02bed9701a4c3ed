//! The configuration as files hold it: as it is now, or as earlier versions wrote it.

use serde::Deserialize;

use super::variant::Variant;
use crate::pooling::{ConvPool2dConfig, Pool2dConfig};

/// A network by its stages, or by the variant and its sizes.
#[derive(Deserialize)]
pub(super) struct Stored {
    name: Option<String>,
    stages: Option<Vec<ConvPool2dConfig>>,
    pub channels: usize,
    pub image_size: [usize; 2],
    pub hidden_units: usize,
    pub classes: usize,
    variant: Option<Variant>,
    filters: Option<usize>,
    pool_window: Option<[usize; 2]>,
    pool_stride: Option<[usize; 2]>,
}

impl Stored {
    /// Returns the network's name and stages.
    pub fn network(self) -> Result<(String, Vec<ConvPool2dConfig>), String> {
        match (self.name, self.stages, self.variant) {
            (Some(name), Some(stages), _) => Ok((name, stages)),
            (_, None, Some(variant)) => {
                let sizes = self.filters.zip(self.pool_window).zip(self.pool_stride);
                let ((filters, kernel_size), stride) =
                    sizes.ok_or("expected `filters`, `pool_window` and `pool_stride`")?;
                let (pool, count) = match variant {
                    Variant::Max => (Pool2dConfig::Max { kernel_size, stride }, 2),
                    Variant::Average => (Pool2dConfig::Average { kernel_size, stride }, 2),
                    Variant::GlobalMax => (Pool2dConfig::GlobalMax, 1),
                    Variant::GlobalAverage => (Pool2dConfig::GlobalAverage, 1),
                    Variant::Head(head) => (Pool2dConfig::Head(head), 1),
                };
                let stage = ConvPool2dConfig::new(filters, [3, 3]).with_pool(Some(pool));
                Ok((variant.name().to_owned(), vec![stage; count]))
            }
            _ => Err("expected `name` and `stages`, or the `variant` of an earlier version".into()),
        }
    }
}
