//! Databases whose bytes are not what was written.

use std::path::Path;

use reqwest::blocking::Client;
use test_support::content::{noise, sha256};
use test_support::server::Server;

use crate::process::Process;
use crate::{binary, push};

const IMAGES: u64 = 6;

const PAGE_BYTES: usize = 4096;

/// A stopped registry, and the bytes of its database.
struct Stock {
    server: Server,
    whole: Vec<u8>,
    digests: Vec<String>,
}

impl Stock {
    fn new() -> Self {
        let mut server = Server::start(binary());
        let push = |seed| push::image(&server, &format!("team/{seed}"), "1", &noise(seed, 2_000));
        let digests = (0..IMAGES).map(push).collect();
        assert!(server.stop());
        let whole = std::fs::read(server.data().join("items.redb")).unwrap();
        Self { server, whole, digests }
    }

    fn hurt(&self, bytes: &[u8]) -> &Path {
        std::fs::write(self.server.data().join("items.redb"), bytes).unwrap();
        self.server.data()
    }

    fn flipped(&self, at: usize) -> Vec<u8> {
        let mut bytes = self.whole.clone();
        bytes[at..at + 64].iter_mut().for_each(|byte| *byte ^= 0xff);
        bytes
    }

    /// Returns where the pages begin that hold something.
    fn pages(&self) -> Vec<usize> {
        let pages = self.whole.chunks(PAGE_BYTES).enumerate().skip(1);
        let used = pages.filter(|(_, page)| page.len() == PAGE_BYTES && page[..64] != [0; 64]);
        used.map(|(number, _)| number * PAGE_BYTES).collect()
    }

    /// Checks the folder; returns whether it is whole. That it is not is told, and by no death of the program.
    fn fsck(&self, harm: &str) -> bool {
        let (code, stdout, stderr) = self.server.command(&["fsck"]);
        assert!(code == 0 || code == 1, "{harm}: {code}: {stdout}{stderr}");
        let data = self.server.data().display();
        assert!(
            code == 0 || stderr.contains(&format!("slipway: data folder {data}: the database ")),
            "{harm}: {stderr}"
        );
        code == 0
    }

    /// Pulls everything; returns whether it was all there. What is there is what was pushed.
    fn pulls(&self, server: &Process, harm: &str) -> bool {
        let pull = |(seed, digest): (usize, &String)| {
            let answer =
                Client::new().get(server.url(&format!("/v2/team/{seed}/manifests/1"))).send().unwrap();
            let status = answer.status().as_u16();
            let is_there = status == 200;
            assert!(!is_there || sha256(&answer.bytes().unwrap()) == *digest, "{harm}: other bytes");
            assert!(is_there || status == 500, "{harm}: {status}: what cannot be read is not missing");
            is_there
        };
        // Each is asked for, however many are missing.
        self.digests.iter().enumerate().map(pull).filter(|is_there| !is_there).count() == 0
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_told_and_nothing_is_made_in_its_place() {
    let stock = Stock::new();
    let length = stock.whole.len();
    let mut harms: Vec<(String, Vec<u8>)> =
        [0, 1, 9, 64, 320, PAGE_BYTES, length / 4, length / 2, length - PAGE_BYTES, length - 1]
            .map(|kept| (format!("{kept} of {length} bytes are left"), stock.whole[..kept].to_vec()))
            .into();
    harms.extend([0, 64, 192].map(|at| (format!("64 bytes at {at} are others"), stock.flipped(at))));
    harms.push(("something else".into(), noise(1, length)));
    for (harm, bytes) in harms {
        let data = stock.hurt(&bytes);
        assert!(!stock.fsck(&harm), "{harm}");
        let refused = Process::refusal(data, &[]);
        assert!(refused.contains("the database cannot be opened: "), "{harm}: {refused}");
        assert!(!refused.contains("panicked"), "{harm}: {refused}");
        assert!(std::fs::read(data.join("items.redb")).unwrap() == bytes, "{harm}: it stays as it is");
    }
    let data = stock.hurt(&stock.whole);
    assert!(stock.fsck("none") && stock.pulls(&Process::start(data, &[]), "none"));
}

#[test]
fn fsck_finds_every_page_that_is_damaged_and_the_server_does_not_die_of_it() {
    let stock = Stock::new();
    let pages = stock.pages();
    let mut found = 0;
    for at in &pages {
        let harm = format!("64 bytes at {at} are others");
        stock.hurt(&stock.flipped(*at));
        let is_whole = stock.fsck(&harm);
        found += usize::from(!is_whole);
        let data = stock.hurt(&stock.flipped(*at));
        match Process::try_start(data, &[]) {
            Ok(server) => {
                assert!(stock.pulls(&server, &harm) || !is_whole, "{harm}");
                for _ in 0..3 {
                    let url = server.url("/v2/team/new/blobs/uploads/");
                    let status = Client::new().post(url).send().unwrap().status().as_u16();
                    assert!(status == 202 || (status == 500 && !is_whole), "{harm}: {status}");
                }
            }
            Err(said) => {
                assert!(!is_whole && said.contains("slipway: data folder "), "{harm}: {said}");
            }
        }
    }
    assert!(found * 2 > pages.len(), "{found} of {} pages are in use", pages.len());
}

#[test]
fn what_fsck_does_not_find_does_no_harm() {
    let stock = Stock::new();
    let mut found = 0;
    for at in stock.pages().into_iter().map(|page| page + 1_000) {
        let harm = format!("64 bytes at {at} are others");
        let bytes = stock.flipped(at);
        stock.hurt(&bytes);
        match stock.fsck(&harm) {
            true => assert!(stock.pulls(&Process::start(stock.hurt(&bytes), &[]), &harm), "{harm}"),
            false => found += 1,
        }
    }
    assert!(found > 0, "no page had anything there: this showed nothing");
}
