//! Pushes of many images at once, none of whose layers anybody has.

use std::time::Instant;

use slipway_bench::Result;

use crate::content::{Document, Layer, MANIFEST_TYPE, config, manifest};
use crate::peer::Peer;
use crate::registry::{Style, push_document, push_layer, put_manifest};
use crate::session::{Session, in_parallel};

const AT_ONCE: usize = 4;

struct Image {
    repository: String,
    layers: Vec<Layer>,
    config: Document,
    manifest: Document,
}

/// Measures.
pub(crate) fn run(session: &mut Session) -> Result<()> {
    let peers = session.start_registries()?;
    for round in 0..session.sizes.rounds {
        for style in Style::BOTH {
            let images: Vec<_> = (0..session.sizes.images)
                .map(|number| new_image(session, format!("bench/image-{}-{round}-{number}", style.name())))
                .collect();
            let bytes =
                images.iter().flat_map(|image| &image.layers).map(|layer| layer.size_bytes).sum::<u64>();
            for (side, peer) in &peers {
                session.settle_disk()?;
                let begin = Instant::now();
                push_all(peer, &images, style)?;
                let mbps = bytes as f64 / 1e6 / begin.elapsed().as_secs_f64();
                session.figures.add(&format!("images_{}_mbps", style.name()), *side, mbps);
            }
        }
    }
    peers.into_iter().try_for_each(|(side, peer)| session.finish(side, peer))
}

fn new_image(session: &mut Session, repository: String) -> Image {
    let size_bytes = session.sizes.image_layer_bytes;
    let layers: Vec<_> = (0..session.sizes.image_layers).map(|_| session.new_layer(size_bytes)).collect();
    let config = config(session.next_seed());
    let manifest = manifest(&config, &layers);
    Image { repository, layers, config, manifest }
}

fn push_all(peer: &Peer, images: &[Image], style: Style) -> Result<()> {
    in_parallel(AT_ONCE, images.len(), |jobs| {
        let mut client = peer.connect()?;
        for job in jobs {
            let image = &images[job];
            for layer in &image.layers {
                push_layer(&mut client, &image.repository, layer, style)?;
            }
            push_document(&mut client, &image.repository, &image.config)?;
            put_manifest(&mut client, &image.repository, "latest", &image.manifest, MANIFEST_TYPE)?;
        }
        Ok(())
    })?;
    Ok(())
}
