//! A large layer out: right after its push, and beside a static file server that serves the very same file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{Advice, fadvise};
use sha2::{Digest, Sha256};
use slipway_bench::Result;

use crate::client::Client;
use crate::content::Layer;
use crate::figures::Side;
use crate::peer::Peer;
use crate::session::Session;

/// Pulls as a client would that waited for the push, and again.
pub(crate) fn after_push(
    session: &mut Session,
    side: Side,
    peer: &Peer,
    path: &str,
    layer: &Layer,
) -> Result<()> {
    session.settle_disk()?;
    let mut client = peer.connect()?;
    let first = mbps(&mut client, path, |_| ())?;
    let again = mbps(&mut client, path, |_| ())?;
    let hashed = hashed_mbps(&mut client, side, path, layer)?;
    session.figures.add("pull_mbps", side, first);
    session.figures.add("pull_again_mbps", side, again);
    session.figures.add("pull_hashed_mbps", side, hashed);
    Ok(())
}

/// Pulls from Slipway and from nginx, whose file is another name of Slipway's: from the disk, then from memory.
///
/// Reading a disk takes longer the less of the machine's memory was used of late, so each goes first as often as the
/// other.
pub(crate) fn beside_file_server(
    session: &mut Session,
    slipway: &Peer,
    path: &str,
    layer: &Layer,
) -> Result<()> {
    let Some(nginx) = session.nginx.clone() else { return Ok(()) };
    let nginx = Peer::start(&nginx, &session.work)?;
    let file = nginx.folder().join("layer");
    fs::hard_link(largest_below(slipway.folder())?, &file)?;
    let sides = [(Side::Slipway, slipway, path), (Side::Nginx, &nginx, "/layer")];
    for (side, peer, path) in sides.into_iter().chain(sides.into_iter().rev()) {
        session.settle_disk()?;
        fadvise(File::open(&file)?, 0, None, Advice::DontNeed)?;
        let mut client = peer.connect()?;
        session.figures.add("file_from_disk_mbps", side, mbps(&mut client, path, |_| ())?);
        session.figures.add("file_from_memory_mbps", side, mbps(&mut client, path, |_| ())?);
        session.figures.add("file_hashed_mbps", side, hashed_mbps(&mut client, side, path, layer)?);
    }
    Ok(())
}

fn mbps(client: &mut Client, path: &str, sink: impl FnMut(&[u8])) -> Result<f64> {
    let begin = Instant::now();
    let size = client.download(path, sink)?;
    Ok(size as f64 / 1e6 / begin.elapsed().as_secs_f64())
}

/// The client hashes what it gets, and so finds out whether that is the layer.
fn hashed_mbps(client: &mut Client, side: Side, path: &str, layer: &Layer) -> Result<f64> {
    let mut hash = Sha256::new();
    let hashed = mbps(client, path, |piece| hash.update(piece))?;
    if format!("sha256:{}", hex::encode(hash.finalize())) != layer.digest {
        return Err(format!("{} served other bytes than were pushed", side.name()).into());
    }
    Ok(hashed)
}

/// Returns the newest of the largest files: the layer that was pushed last.
fn largest_below(folder: &Path) -> Result<PathBuf> {
    let (mut folders, mut found) = (vec![folder.to_owned()], None);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let data = entry.metadata()?;
            if data.is_dir() {
                folders.push(entry.path());
            } else {
                found = found.max(Some((data.len(), data.modified()?, entry.path())));
            }
        }
    }
    Ok(found.ok_or("the server has no files")?.2)
}
