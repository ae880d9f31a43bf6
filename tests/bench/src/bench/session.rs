//! One run: its sizes, the programs in it, and what was found.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::thread;

use rustix::fs::syncfs;
use rustix::process::Signal;
use slipway_bench::Result;

use crate::content::Layer;
use crate::figures::{Figures, Side};
use crate::peer::{Peer, Program};

/// How much is pushed, put and asked for.
pub(crate) struct Sizes {
    pub(crate) rounds: u32,
    pub(crate) seconds: u64,
    pub(crate) images: u64,
    pub(crate) image_layers: u64,
    pub(crate) image_layer_bytes: u64,
    pub(crate) large_layer_bytes: u64,
    pub(crate) tags: usize,
    pub(crate) repositories: usize,
    pub(crate) mounts: usize,
}

impl Sizes {
    /// The sizes that the goals are about.
    pub(crate) const FULL: Self = Self {
        rounds: 3,
        seconds: 5,
        images: 8,
        image_layers: 4,
        image_layer_bytes: 8 << 20,
        large_layer_bytes: 2 << 30,
        tags: 10_000,
        repositories: 5_000,
        mounts: 500,
    };
    /// Sizes to see that everything runs.
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        seconds: 1,
        images: 4,
        image_layers: 2,
        image_layer_bytes: 1 << 20,
        large_layer_bytes: 96 << 20,
        tags: 500,
        repositories: 200,
        mounts: 50,
    };

    /// Returns the sizes in a sentence.
    pub(crate) fn describe(&self) -> String {
        format!(
            "large layer {} MiB; {} images of {} × {} MiB, 4 at once; {} tags; {} repositories; rounds: {} (median)",
            self.large_layer_bytes >> 20,
            self.images,
            self.image_layers,
            self.image_layer_bytes >> 20,
            self.tags,
            self.repositories,
            self.rounds,
        )
    }
}

/// The run.
pub(crate) struct Session {
    pub(crate) sizes: Sizes,
    pub(crate) work: PathBuf,
    /// The registries, measured in turn.
    pub(crate) registries: Vec<Program>,
    /// The static file server, where there is one.
    pub(crate) nginx: Option<Program>,
    pub(crate) figures: Figures,
    peak_bytes: BTreeMap<Side, u64>,
    seed: u64,
}

impl Session {
    /// Begins with no figures.
    pub(crate) fn new(sizes: Sizes, work: PathBuf, registries: Vec<Program>, nginx: Option<Program>) -> Self {
        let (figures, peak_bytes) = Default::default();
        Self { sizes, work, registries, nginx, figures, peak_bytes, seed: 0 }
    }

    /// Starts every registry with an empty folder.
    pub(crate) fn start_registries(&self) -> Result<Vec<(Side, Peer)>> {
        let start = |program: &Program| Ok((program.side, Peer::start(program, &self.work)?));
        self.registries.iter().map(start).collect()
    }

    /// Ends a server, remembers its memory and removes its folder.
    pub(crate) fn finish(&mut self, side: Side, mut peer: Peer) -> Result<()> {
        peer.end(Signal::TERM)?;
        let most = self.peak_bytes.entry(side).or_default();
        *most = peer.peak_bytes.max(*most);
        Ok(())
    }

    /// Adds the figures that belong to the whole run.
    pub(crate) fn conclude(&mut self) -> Result<()> {
        for (side, bytes) in &self.peak_bytes {
            self.figures.add("peak_mib", *side, *bytes as f64 / f64::from(1 << 20));
        }
        for program in &self.registries {
            self.figures.add("binary_mb", program.side, program.binary.metadata()?.len() as f64 / 1e6);
        }
        Ok(())
    }

    /// Returns a layer that no registry of this run has seen.
    pub(crate) fn new_layer(&mut self, size_bytes: u64) -> Layer {
        Layer::new(self.next_seed(), size_bytes)
    }

    /// Returns a number that this run has not used.
    pub(crate) fn next_seed(&mut self) -> u64 {
        self.seed += 1;
        self.seed
    }

    /// Waits until the disk has nothing left to write, so that nobody pays for what another wrote.
    pub(crate) fn settle_disk(&self) -> Result<()> {
        syncfs(File::open(&self.work)?)?;
        Ok(())
    }
}

/// Does `jobs` numbered from 0 on `threads` threads, each taking the next one, and returns their results.
pub(crate) fn in_parallel<T: Send>(
    threads: usize,
    jobs: usize,
    worker: impl Fn(&mut dyn Iterator<Item = usize>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let take = || {
        let job = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (job < jobs).then_some(job)
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|_| scope.spawn(|| worker(&mut std::iter::from_fn(take)))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?).collect()
    })
}
