//! Everything that is counted.

use anyhow::Result;

use crate::assumptions::{Assumptions, ImageSize};
use crate::image::Image;
use crate::scenes::{Lane, afterwards, pull, push, scheduled, table_bytes};
use crate::usage::Usage;
use crate::world::World;

/// The lanes in the order of the page.
const LANES: [Lane; 3] = [Lane::Direct, Lane::Inline, Lane::Relay];

/// What was counted.
pub(crate) struct Report {
    pub(crate) images: Vec<ImageReport>,
    /// An hour of the schedules that find nothing.
    pub(crate) scheduled: Usage,
}

/// What was counted of one image.
pub(crate) struct ImageReport {
    pub(crate) size: ImageSize,
    /// A push by each lane, with what the schedules do about it.
    pub(crate) pushes: Vec<(Lane, Usage)>,
    /// A pull.
    pub(crate) pull: Usage,
    /// What a push leaves in the table.
    pub(crate) item_bytes: f64,
}

impl Report {
    /// Counts.
    pub(crate) async fn count(assumptions: &Assumptions) -> Result<Self> {
        let idle = afterwards(&mut World::new().await?, assumptions.upload_days).await?;
        let mut images = Vec::new();
        for size in &assumptions.images {
            images.push(ImageReport::count(size, assumptions, &idle).await?);
        }
        let scheduled = scheduled(&mut World::new().await?).await?;
        Ok(Self { images, scheduled })
    }
}

impl ImageReport {
    async fn count(size: &ImageSize, assumptions: &Assumptions, idle: &Usage) -> Result<Self> {
        let image = Image::new(size);
        let (mut pushes, mut pulled, mut item_bytes) = (Vec::new(), Usage::default(), 0.0);
        for lane in LANES {
            let mut world = World::new().await?;
            let mut usage = push(&mut world, &image, lane, assumptions.chunk_bytes).await?;
            if lane == Lane::Direct {
                pulled = pull(&mut world, &image).await?;
                item_bytes = table_bytes(&mut world).await?;
            }
            usage.add_beyond(&afterwards(&mut world, assumptions.upload_days).await?, idle);
            pushes.push((lane, usage));
        }
        Ok(Self { size: size.clone(), pushes, pull: pulled, item_bytes })
    }
}

#[cfg(test)]
mod tests;
