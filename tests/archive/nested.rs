//! Indexes of indexes.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::content::sha256;
use test_support::server::Server;

use crate::binary;
use crate::client::{INDEX, Image, MANIFEST, descriptor, does, get, manifest, push, slipway};

/// With as many rungs there are a million times a million ways down.
const RUNGS: usize = 40;

const LINKS: usize = 10_000;

fn index(name: &str, children: &[Value]) -> Vec<u8> {
    let annotations = json!({ "name": name });
    let index =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": children, "annotations": annotations });
    index.to_string().into_bytes()
}

/// Two indexes a rung, of which each lists both of the rung below.
fn ladder(image: &Image) -> Vec<Vec<u8>> {
    let (mut all, mut below) = (Vec::new(), vec![descriptor(MANIFEST, &image.manifest)]);
    for _ in 0..RUNGS {
        let rung = ["left", "right"].map(|name| index(name, &below));
        below = rung.iter().map(|index| descriptor(INDEX, index)).collect();
        all.extend(rung);
    }
    all
}

#[test]
fn a_ladder_of_indexes_is_copied_there_and_back() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    let image = Image::new(1, 1000);
    push(&source, "team", "1", &image);
    let ladder = ladder(&image);
    for index in &ladder {
        manifest(&source, "team", &sha256(index), INDEX, index);
    }
    manifest(&source, "team", "top", INDEX, ladder.last().unwrap());
    let folder = archive.path().to_str().unwrap();
    does(home.path(), &["export", "--to", folder, "--registry", source.address()]);
    does(home.path(), &["import", "--from", folder, "--registry", target.address()]);
    for index in &ladder {
        let copied = get(&target, &format!("/v2/team/manifests/{}", sha256(index)));
        assert_eq!(copied.as_ref(), Ok(index));
    }
    assert_eq!(get(&target, "/v2/team/manifests/top").as_ref(), Ok(ladder.last().unwrap()));
}

#[test]
fn a_long_chain_of_indexes_is_followed_to_its_end() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let blobs = archive.path().join("team/blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let mut below = descriptor(MANIFEST, b"not in the layout");
    for _ in 0..LINKS {
        let bytes = index("link", &[below]);
        below = descriptor(INDEX, &bytes);
        fs::write(blobs.join(&sha256(&bytes)["sha256:".len()..]), bytes).unwrap();
    }
    let listed = json!({ "schemaVersion": 2, "manifests": [below] });
    fs::write(archive.path().join("team/oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    fs::write(archive.path().join("team/index.json"), listed.to_string()).unwrap();
    let target = Server::start(binary());
    let folder = archive.path().to_str().unwrap();
    let said = slipway(home.path(), &["import", "--from", folder, "--registry", target.address()]);
    let all = format!("; {} failed", LINKS + 1);
    assert!(said.code == 1 && said.text.contains(&all), "{}", said.text.lines().last().unwrap());
}
