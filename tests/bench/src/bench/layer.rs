//! One large layer in and out: speed, memory, commit, and what the machine itself can do.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use slipway_bench::Result;

use crate::content::Layer;
use crate::figures::Side;
use crate::limits;
use crate::peer::Peer;
use crate::pull;
use crate::registry::{Style, push_layer};
use crate::sampler::Sampler;
use crate::session::Session;

const REPOSITORY: &str = "bench/large";

/// Measures, with fresh servers each round so that the disk does not fill.
pub(crate) fn run(session: &mut Session) -> Result<()> {
    for _ in 0..session.sizes.rounds {
        let size_bytes = session.sizes.large_layer_bytes;
        let layers = Style::BOTH.map(|style| (style, session.new_layer(size_bytes)));
        let last = &layers[1].1;
        for program in session.registries.clone() {
            let peer = Peer::start(&program, &session.work)?;
            for (style, layer) in &layers {
                push(session, program.side, &peer, *style, layer)?;
            }
            pull::after_push(session, program.side, &peer, &blob_path(last), last)?;
            if program.side == Side::Slipway {
                pull::beside_file_server(session, &peer, &blob_path(last), last)?;
            }
            session.finish(program.side, peer)?;
        }
        measure_limits(session, last)?;
    }
    Ok(())
}

fn blob_path(layer: &Layer) -> String {
    format!("/v2/{REPOSITORY}/blobs/{}", layer.digest)
}

fn push(session: &mut Session, side: Side, peer: &Peer, style: Style, layer: &Layer) -> Result<()> {
    session.settle_disk()?;
    let mut client = peer.connect()?;
    let sampler = Sampler::start(peer.pid())?;
    let begin = Instant::now();
    let commit = push_layer(&mut client, REPOSITORY, layer, style)?;
    let mbps = layer.size_bytes as f64 / 1e6 / begin.elapsed().as_secs_f64();
    let rise_mib = sampler.rise_bytes()? as f64 / f64::from(1 << 20);
    let (figures, style_name) = (&mut session.figures, style.name());
    figures.add(&format!("layer_{style_name}_mbps"), side, mbps);
    figures.add(&format!("layer_{style_name}_rise_mib"), side, rise_mib);
    if style == Style::Patch {
        figures.add("commit_ms", side, commit.as_secs_f64() * 1e3);
    }
    Ok(())
}

fn measure_limits(session: &mut Session, layer: &Layer) -> Result<()> {
    let file = session.work.join("layer");
    write(&file, layer)?;
    limits::run(session, &file)?;
    std::fs::remove_file(&file)?;
    Ok(())
}

fn write(file: &Path, layer: &Layer) -> Result<()> {
    let mut file = File::create(file)?;
    for (header, noise) in layer.pieces() {
        file.write_all(&header)?;
        file.write_all(noise)?;
    }
    file.sync_all()?;
    Ok(())
}
