//! One large layer in and out: speed, memory, commit, and what the machine itself can do.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use rustix::fs::{Advice, fadvise};
use sha2::{Digest, Sha256};
use slipway_bench::Result;

use crate::client::Client;
use crate::content::Layer;
use crate::figures::Side;
use crate::limits;
use crate::peer::Peer;
use crate::registry::{Style, push_layer};
use crate::sampler::Sampler;
use crate::session::Session;

const REPOSITORY: &str = "bench/large";

/// Measures, with fresh servers each round so that the disk does not fill.
pub(crate) fn run(session: &mut Session) -> Result<()> {
    for _ in 0..session.sizes.rounds {
        let size_bytes = session.sizes.large_layer_bytes;
        let layers = Style::BOTH.map(|style| (style, session.new_layer(size_bytes)));
        for program in session.registries.clone() {
            let peer = Peer::start(&program, &session.work)?;
            for (style, layer) in &layers {
                push(session, program.side, &peer, *style, layer)?;
            }
            let path = format!("/v2/{REPOSITORY}/blobs/{}", layers[1].1.digest);
            pull(session, program.side, &peer, &path, &layers[1].1.digest)?;
            session.finish(program.side, peer)?;
        }
        pull_from_nginx(session, &layers[1].1)?;
    }
    Ok(())
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

fn pull(session: &mut Session, side: Side, peer: &Peer, path: &str, digest: &str) -> Result<()> {
    session.settle_disk()?;
    let mut client = peer.connect()?;
    let first = mbps(&mut client, path, |_| ())?;
    let again = mbps(&mut client, path, |_| ())?;
    let mut hash = Sha256::new();
    let hashed = mbps(&mut client, path, |piece| hash.update(piece))?;
    if format!("sha256:{}", hex::encode(hash.finalize())) != digest {
        return Err(format!("{} served other bytes than were pushed", side.name()).into());
    }
    session.figures.add("pull_mbps", side, first);
    session.figures.add("pull_again_mbps", side, again);
    session.figures.add("pull_hashed_mbps", side, hashed);
    Ok(())
}

fn mbps(client: &mut Client, path: &str, sink: impl FnMut(&[u8])) -> Result<f64> {
    let begin = Instant::now();
    let size = client.download(path, sink)?;
    Ok(size as f64 / 1e6 / begin.elapsed().as_secs_f64())
}

/// The file server's layer is not in the page cache at its first pull, as Slipway's is not.
fn pull_from_nginx(session: &mut Session, layer: &Layer) -> Result<()> {
    let file = session.work.join("layer");
    write(&file, layer)?;
    limits::run(session, &file)?;
    if let Some(nginx) = session.nginx.clone() {
        let peer = Peer::start(&nginx, &session.work)?;
        std::fs::rename(&file, peer.folder().join("layer"))?;
        fadvise(File::open(peer.folder().join("layer"))?, 0, None, Advice::DontNeed)?;
        pull(session, Side::Nginx, &peer, "/layer", &layer.digest)?;
    } else {
        std::fs::remove_file(&file)?;
    }
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
