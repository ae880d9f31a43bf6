//! Exports that do not get everything, into a folder that has an earlier one.

use std::collections::HashSet;

use reqwest::blocking::Client;
use tempfile::TempDir;
use test_support::server::Server;

use crate::between::{self, Fate};
use crate::binary;
use crate::client::{Said, assert_pulls, does, get, push, slipway};
use crate::folder;
use crate::stock::Stock;

/// A list of tags that goes on.
const FIRST_PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 31\r\nconnection: close\r\n\
    link: </v2/team/tags/list?last=1>; rel=\"next\"\r\n\r\n{\"name\": \"team\", \"tags\": [\"1\"]}";

/// A registry, and a whole export of it.
struct Archived {
    stock: Stock,
    source: Server,
    home: TempDir,
    archive: TempDir,
}

impl Archived {
    fn new() -> Self {
        let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let (stock, source) = (Stock::with_layers_of(5000), Server::start(binary()));
        stock.fill(&source);
        let archived = Self { stock, source, home, archive };
        let said = archived.export_from(archived.source.address());
        assert_eq!(said.code, 0, "{}", said.text);
        archived
    }

    fn to(&self) -> &str {
        self.archive.path().to_str().unwrap()
    }

    /// Exports once more, into the same folder.
    fn export_from(&self, address: &str) -> Said {
        slipway(self.home.path(), &["export", "team", "--to", self.to(), "--registry", address])
    }

    /// The same, while requests meet their fate.
    fn export_while(&self, fate: impl FnMut(&str) -> Fate + Send + 'static) -> Said {
        self.export_from(&between::start(&self.source, fate))
    }

    fn index(&self) -> Vec<u8> {
        std::fs::read(self.archive.path().join("team/index.json")).unwrap()
    }

    /// Imports into an empty registry.
    fn imported(&self) -> Server {
        let target = Server::start(binary());
        does(self.home.path(), &["import", "--from", self.to(), "--registry", target.address()]);
        target
    }

    fn delete(&self, reference: &str) {
        let url = self.source.url(&format!("/v2/team/manifests/{reference}"));
        assert_eq!(Client::new().delete(url).send().unwrap().status(), 202);
    }

    /// Loses the bytes of a blob, and lets the registry notice.
    fn lose(&mut self, digest: &str) {
        assert!(self.source.stop());
        std::fs::remove_file(folder::object(self.source.data(), digest)).unwrap();
        assert_eq!(self.source.command(&["repair"]).0, 1);
        self.source.restart();
    }
}

fn kept(tag: &str) -> String {
    format!("team: {tag} is kept from the export before")
}

#[test]
fn tags_that_cannot_be_asked_for_stay_in_the_archive_and_those_that_are_gone_go() {
    let archived = Archived::new();
    archived.delete("1.0");
    for fate in [Fate::Answered(500), Fate::Answered(404)] {
        let said = archived.export_while(move |line| match line.starts_with("HEAD /v2/team/manifests/") {
            true => fate,
            false => Fate::Forwarded,
        });
        assert_eq!(said.code, 1, "{}", said.text);
        for tag in ["1", "two", "multi"] {
            assert!(said.text.contains(&kept(tag)), "{tag}: {}", said.text);
        }
        let (target, stock) = (archived.imported(), &archived.stock);
        assert_pulls(&target, "team", "1", &stock.images[0]);
        assert_pulls(&target, "team", "two", &stock.images[1]);
        assert!(get(&target, "/v2/team/manifests/multi").is_ok());
        assert_eq!(get(&target, "/v2/team/manifests/1.0"), Err(404));
    }
}

#[test]
fn an_archive_stays_as_it_is_when_the_registry_does_not_know_the_repository() {
    let archived = Archived::new();
    let index = archived.index();
    for first in [Fate::Answered(404), Fate::Said(FIRST_PAGE)] {
        let said = archived.export_while(move |line| match line {
            _ if line.contains("/api/v1/") => Fate::Answered(404),
            "GET /v2/team/tags/list HTTP/1.1" => first,
            _ if line.contains("/tags/list") => Fate::Answered(404),
            _ => Fate::Forwarded,
        });
        assert!(said.code == 1 && said.text.contains("FAILED  team the repository"), "{}", said.text);
        assert!(archived.index() == index, "{}", said.text);
    }
    archived.stock.assert_team_in(&archived.imported());
}

#[test]
fn a_registry_that_knows_no_referrers_is_exported_and_so_is_a_repository_without_tags() {
    let archived = Archived::new();
    let said =
        archived.export_while(|line| match line.contains("/api/v1/") || line.contains("/referrers/") {
            true => Fate::Answered(404),
            false => Fate::Forwarded,
        });
    assert_eq!(said.code, 0, "{}", said.text);
    let address = archived.source.address();
    does(archived.home.path(), &["repo", "create", "empty", "--registry", address]);
    does(archived.home.path(), &["export", "empty", "--to", archived.to(), "--registry", address]);
}

#[test]
fn what_repair_hides_is_in_the_archive_when_it_is_needed() {
    let mut archived = Archived::new();
    archived.lose(&archived.stock.images[0].layer_digest());
    assert_eq!(get(&archived.source, "/v2/team/manifests/1"), Err(404));
    let said = archived.export_from(archived.source.address());
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains(&kept("1")) && !said.text.contains(&kept("two")), "{}", said.text);
    let again = archived.export_from(archived.source.address());
    assert_eq!(again.text, said.text, "and so it stays");
    let target = archived.imported();
    archived.stock.assert_team_in(&target);
}

#[test]
fn a_tag_whose_new_image_cannot_be_had_keeps_the_old_one() {
    let archived = Archived::new();
    let (old, new) = (&archived.stock.images[1], &archived.stock.images[3]);
    push(&archived.source, "team", "two", new);
    std::fs::remove_file(folder::object(archived.source.data(), &new.layer_digest())).unwrap();
    let said = archived.export_from(archived.source.address());
    assert!(said.code == 1 && said.text.contains(&kept("two")), "{}", said.text);
    assert_pulls(&archived.imported(), "team", "two", old);
}

#[test]
fn what_the_archive_has_not_whole_is_not_kept() {
    let mut archived = Archived::new();
    // No index leads to this one.
    push(&archived.source, "team", "alone", &archived.stock.images[3]);
    assert_eq!(archived.export_from(archived.source.address()).code, 0);
    let lost = archived.stock.images[3].layer_digest();
    archived.lose(&lost);
    let blob = archived.archive.path().join("team/blobs").join(lost.replace(':', "/"));
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[50] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    let said = archived.export_from(archived.source.address());
    assert!(said.code == 1 && !said.text.contains("is kept from"), "{}", said.text);
    let target = archived.imported();
    assert_eq!(get(&target, "/v2/team/manifests/alone"), Err(404));
    assert_pulls(&target, "team", "two", &archived.stock.images[1]);
}

#[test]
fn a_manifest_that_is_there_stays_when_nobody_says_what_refers_to_it() {
    let archived = Archived::new();
    let said = archived.export_while(|line| match line.contains("/referrers/") {
        true => Fate::Answered(500),
        false => Fate::Forwarded,
    });
    assert_eq!(said.code, 1, "{}", said.text);
    archived.stock.assert_team_in(&archived.imported());
}

#[test]
fn what_only_lists_lead_to_stays_until_a_whole_export_does_not_find_it() {
    let archived = Archived::new();
    let note = archived.stock.note_digest();
    let of_others = |fails: bool| {
        move |line: &str| match line {
            _ if line.contains("/api/v1/") => Fate::Answered(404),
            _ if fails && line.contains("/referrers/") => Fate::Answered(500),
            _ => Fate::Forwarded,
        }
    };
    assert_eq!(archived.export_while(of_others(true)).code, 1);
    assert!(get(&archived.imported(), &format!("/v2/team/manifests/{note}")).is_ok());
    archived.delete(&note);
    assert_eq!(archived.export_while(of_others(false)).code, 0);
    assert_eq!(get(&archived.imported(), &format!("/v2/team/manifests/{note}")), Err(404));
}

#[test]
fn a_connection_that_fails_once_fails_nothing() {
    let archived = Archived::new();
    let empty = TempDir::new().unwrap();
    let mut met = HashSet::new();
    let layer = archived.stock.images[1].layer_digest();
    let address = between::start(&archived.source, move |line| {
        let fate = match line {
            _ if line.contains("/tags/list") || line.starts_with("HEAD /v2/team/manifests/two") => {
                Fate::CutOff
            }
            _ if line.contains(&layer) => Fate::CutShort,
            _ => Fate::Forwarded,
        };
        if met.insert(line.to_owned()) { fate } else { Fate::Forwarded }
    });
    let to = empty.path().to_str().unwrap();
    let said = slipway(archived.home.path(), &["export", "team", "--to", to, "--registry", &address]);
    assert_eq!(said.code, 0, "{}", said.text);
    let target = Server::start(binary());
    does(archived.home.path(), &["import", "--from", to, "--registry", target.address()]);
    archived.stock.assert_team_in(&target);
}
