//! A repository with very many tags, a registry with very many repositories: put, walked, started upon.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use slipway_bench::Result;
use slipway_bench::stats::Latencies;

use crate::content::{INDEX_TYPE, MANIFEST_TYPE, config, empty_index};
use crate::figures::Side;
use crate::peer::Peer;
use crate::registry::{mount, put_manifest, walk};
use crate::requests::{HOT, push_small_image};
use crate::session::{Session, in_parallel};

const CONNECTIONS: usize = 8;
const PAGE: usize = 1000;
/// A walk is repeated for so long, because one may take a few milliseconds.
const WALK_AT_LEAST: Duration = Duration::from_millis(500);

/// Measures.
pub(crate) fn run(session: &mut Session) -> Result<()> {
    let mut peers = session.start_registries()?;
    for (side, peer) in &peers {
        push_small_image(session, peer, HOT)?;
        put_repositories(session, peer)?;
        eprintln!("  {} repositories in {}", session.sizes.repositories, side.name());
    }
    for round in 0..session.sizes.rounds {
        for (side, peer) in &peers {
            put_tags(session, *side, peer, &format!("bench/tags-{round}"))?;
        }
    }
    for _ in 0..session.sizes.rounds {
        for (side, peer) in &peers {
            walk_all(session, *side, peer)?;
        }
    }
    for round in 0..session.sizes.rounds {
        for (side, peer) in &peers {
            mount_blobs(session, *side, peer, round)?;
        }
    }
    for _ in 0..session.sizes.rounds {
        for (side, peer) in &mut peers {
            restart(session, *side, peer)?;
        }
    }
    peers.into_iter().try_for_each(|(side, peer)| session.finish(side, peer))
}

fn put_repositories(session: &Session, peer: &Peer) -> Result<()> {
    let (index, blob) = (empty_index(), config(1).digest);
    in_parallel(CONNECTIONS, session.sizes.repositories, |jobs| {
        let mut client = peer.connect()?;
        for job in jobs {
            let repository = format!("many/app-{job:05}");
            // docker-registry lists only repositories that have a blob.
            mount(&mut client, &blob, HOT, &repository)?;
            put_manifest(&mut client, &repository, "latest", &index, INDEX_TYPE)?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Puts one image under every tag and notes when each was there.
fn put_tags(session: &mut Session, side: Side, peer: &Peer, repository: &str) -> Result<()> {
    let image = push_small_image(session, peer, repository)?.1;
    let tags = session.sizes.tags;
    session.settle_disk()?;
    let begin = Instant::now();
    let threads = in_parallel(CONNECTIONS, tags, |jobs| {
        let mut client = peer.connect()?;
        let mut moments = Vec::new();
        for job in jobs {
            put_manifest(&mut client, repository, &format!("tag-{job:05}"), &image, MANIFEST_TYPE)?;
            moments.push(begin.elapsed());
        }
        Ok(moments)
    })?;
    let mut moments = threads.concat();
    moments.sort_unstable();
    let tenth = tags / 10;
    let first = moments[tenth - 1].as_secs_f64();
    let last = (moments[tags - 1] - moments[tags - tenth - 1]).as_secs_f64();
    session.figures.add("tags_put_per_s", side, tags as f64 / moments[tags - 1].as_secs_f64());
    session.figures.add("tags_first_s", side, first);
    session.figures.add("tags_last_s", side, last);
    session.figures.add("tags_last_by_first", side, first / last);
    Ok(())
}

fn walk_all(session: &mut Session, side: Side, peer: &Peer) -> Result<()> {
    let tags = format!("/v2/bench/tags-0/tags/list?n={PAGE}");
    let catalog = format!("/v2/_catalog?n={PAGE}");
    let lists = [
        ("tags_walk_per_s", tags, "tags", session.sizes.tags),
        ("catalog_walk_per_s", catalog, "repositories", session.sizes.repositories),
    ];
    for (figure, path, field, least) in lists {
        let mut client = peer.connect()?;
        let begin = Instant::now();
        let mut names = 0;
        while begin.elapsed() < WALK_AT_LEAST {
            let walked = walk(&mut client, &path, field)?;
            if walked < least {
                return Err(format!("{} listed {walked} of {least} {field}", side.name()).into());
            }
            names += walked;
        }
        session.figures.add(figure, side, names as f64 / begin.elapsed().as_secs_f64());
    }
    Ok(())
}

fn mount_blobs(session: &mut Session, side: Side, peer: &Peer, round: u32) -> Result<()> {
    let digest = config(1).digest;
    let mut client = peer.connect()?;
    let mut latencies = Latencies::default();
    for number in 0..session.sizes.mounts {
        let begin = Instant::now();
        mount(&mut client, &digest, HOT, &format!("bench/mount-{round}-{number}"))?;
        latencies.push(begin.elapsed());
    }
    session.figures.add("mount_p50_ms", side, latencies.percentile_ms(50.0));
    Ok(())
}

fn restart(session: &mut Session, side: Side, peer: &mut Peer) -> Result<()> {
    let first_question = "/v2/bench/tags-0/manifests/tag-00000";
    let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
    peer.end(Signal::TERM)?;
    session.figures.add("start_ms", side, milliseconds(peer.launch(first_question)?));
    peer.end(Signal::KILL)?;
    session.figures.add("start_killed_ms", side, milliseconds(peer.launch(first_question)?));
    Ok(())
}
