//! What the machine can do: disk, hash, loopback.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;

use sha2::{Digest, Sha256};
use slipway_bench::Result;

use crate::figures::Side;
use crate::session::Session;

const BUFFER_BYTES: usize = 256 << 10;

/// Measures with the bytes of `file`.
pub(crate) fn run(session: &mut Session, file: &Path) -> Result<()> {
    let megabytes = file.metadata()?.len() as f64 / 1e6;
    session.settle_disk()?;
    let copy = megabytes / seconds(|| copy(file))?;
    let hash = megabytes / seconds(|| hash(file))?;
    let loopback = megabytes / seconds(|| loopback(file.metadata()?.len()))?;
    let figures = &mut session.figures;
    figures.add("copy_mbps", Side::Limit, copy);
    figures.add("sha256_mbps", Side::Limit, hash);
    figures.add("hash_or_disk_mbps", Side::Limit, copy.min(hash));
    figures.add("loopback_mbps", Side::Limit, loopback);
    Ok(())
}

fn seconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begin = Instant::now();
    work()?;
    Ok(begin.elapsed().as_secs_f64())
}

fn copy(file: &Path) -> Result<()> {
    let target = file.with_extension("copy");
    fs::copy(file, &target)?;
    File::open(&target)?.sync_all()?;
    fs::remove_file(target)?;
    Ok(())
}

/// Reads from the page cache, so that the hash is what takes the time.
fn hash(file: &Path) -> Result<()> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hash.update(&buffer[..read]),
        }
    }
    std::hint::black_box(hash.finalize());
    Ok(())
}

fn loopback(bytes: u64) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let sender = thread::spawn(move || -> std::io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        let buffer = vec![0; BUFFER_BYTES];
        for _ in 0..bytes / BUFFER_BYTES as u64 {
            stream.write_all(&buffer)?;
        }
        Ok(())
    });
    let mut stream = listener.accept()?.0;
    let mut buffer = vec![0; BUFFER_BYTES];
    while stream.read(&mut buffer)? > 0 {}
    sender.join().map_err(|_| "the sender panicked")??;
    Ok(())
}
