//! Small answers under load: one hot tag, one small blob.

use slipway_bench::Result;

use crate::content::{Document, MANIFEST_TYPE, config, manifest};
use crate::figures::Side;
use crate::load::{Load, generate};
use crate::peer::Peer;
use crate::registry::{Style, push_document, push_layer, put_manifest};
use crate::session::Session;

/// The repository that the small tests use.
pub(crate) const HOT: &str = "bench/hot";

/// Measures.
pub(crate) fn run(session: &mut Session) -> Result<()> {
    let peers = session.start_registries()?;
    let mut config = None;
    for (_, peer) in &peers {
        config = Some(push_small_image(session, peer, HOT)?.0);
    }
    let blob = format!("/v2/{HOT}/blobs/{}", config.ok_or("no registry to measure")?.digest);
    for _ in 0..session.sizes.rounds {
        for (side, peer) in &peers {
            let manifests = generate(peer, &format!("/v2/{HOT}/manifests/latest"), session.sizes.seconds)?;
            add(session, "manifest", *side, &manifests);
            let blobs = generate(peer, &blob, session.sizes.seconds)?;
            add(session, "blob", *side, &blobs);
        }
    }
    peers.into_iter().try_for_each(|(side, peer)| session.finish(side, peer))
}

/// Pushes a small image as `<repository>:latest` and returns its configuration and manifest.
pub(crate) fn push_small_image(
    session: &mut Session,
    peer: &Peer,
    repository: &str,
) -> Result<(Document, Document)> {
    let mut client = peer.connect()?;
    let (config, layer) = (config(1), session.new_layer(64 << 10));
    let manifest = manifest(&config, std::slice::from_ref(&layer));
    push_layer(&mut client, repository, &layer, Style::Put)?;
    push_document(&mut client, repository, &config)?;
    put_manifest(&mut client, repository, "latest", &manifest, MANIFEST_TYPE)?;
    Ok((config, manifest))
}

fn add(session: &mut Session, what: &str, side: Side, load: &Load) {
    let figures = &mut session.figures;
    figures.add(&format!("{what}_rps"), side, load.per_second);
    figures.add(&format!("{what}_p50_ms"), side, load.p50_ms);
    figures.add(&format!("{what}_p99_ms"), side, load.p99_ms);
    figures.add(&format!("{what}_cpu_us"), side, load.cpu_us);
}
