//! `slipway export` and `slipway import`, between registries on this machine.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::images::Layout;
use test_support::require;
use test_support::server::Server;

use crate::between::{self, Fate};
use crate::binary;
use crate::client::{Image, assert_pulls, blob, descriptor, does, get, manifest, slipway};
use crate::folder;
use crate::stock::Stock;

const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_is_exported_is_imported_whole_whichever_way_the_registries_are_reached() {
    let (stock, home) = (Stock::new(), TempDir::new().unwrap());
    let mut source = Server::start(binary());
    stock.fill(&source);
    for way in ["remote", "socket", "stopped"] {
        let archive = TempDir::new().unwrap();
        let (to, mut target) = (text(archive.path()), Server::start(binary()));
        let source_data = text(source.data()).to_owned();
        let target_data = text(target.data()).to_owned();
        let (source_address, target_address) = (source.address().to_owned(), target.address().to_owned());
        let ends = |server: [&'static str; 2], address: &str, data: &str| match way {
            "remote" => [server[0].to_owned(), address.to_owned()],
            _ => [server[1].to_owned(), data.to_owned()],
        };
        let words = ["--registry", "--data"];
        let [option, from] = ends(words, &source_address, &source_data);
        if way == "stopped" {
            assert!(source.stop() && target.stop());
        }
        let first = does(home.path(), &["export", "--to", to, &option, &from]);
        assert!(first.contains("; 0 were") || first.contains("0 failed"), "{way}: {first}");
        let again = does(home.path(), &["export", "--to", to, &option, &from]);
        assert!(again.contains("exported 0 blobs, 0 B;"), "{way}: {again}");

        let [option, into] = ends(words, &target_address, &target_data);
        let first = does(home.path(), &["import", "--from", to, &option, &into]);
        let again = does(home.path(), &["import", "--from", to, &option, &into]);
        assert!(!first.contains("imported 0 blobs"), "{way}: {first}");
        assert!(again.contains("imported 0 blobs, 0 B;"), "{way}: {again}");
        if way == "stopped" {
            target.restart();
        }
        stock.assert_in(&target);
        assert!(target.stop());
        let (code, report, _) = target.command(&["fsck", "--deep"]);
        assert_eq!(code, 0, "{way}: {report}");
    }
}

#[test]
fn a_layer_of_several_repositories_is_sent_once() {
    let (stock, home, archive) = (Stock::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    stock.fill(&source);
    does(home.path(), &["export", "--to", text(archive.path()), "--registry", source.address()]);
    let said = does(home.path(), &["import", "--from", text(archive.path()), "--registry", target.address()]);
    // Three layers of 300,000 bytes, and two that are small.
    assert!(said.contains("878.91 KiB"), "{said}");
}

#[test]
fn only_what_is_named_is_copied() {
    let (stock, home, archive) = (Stock::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    stock.fill(&source);
    let (to, from) = (text(archive.path()), source.address());
    does(home.path(), &["export", "team/blobs", "team", "--to", to, "--registry", from]);
    assert!(!archive.path().join("team+blobs+sha256").exists());
    does(home.path(), &["import", "team/blobs", "--from", to, "--registry", target.address()]);
    assert_pulls(&target, "team/blobs", "1", &stock.images[0]);
    assert_eq!(get(&target, "/v2/team/manifests/1"), Err(404));
    let said = slipway(home.path(), &["import", "nothing", "--from", to, "--registry", target.address()]);
    assert!(said.code == 1 && said.text.contains("nothing"), "{}", said.text);
}

/// Returns the stock, a home, and a folder with the layout of `team/blobs`.
fn exported_blobs() -> (Stock, TempDir, TempDir) {
    let (stock, home, archive) = (Stock::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = Server::start(binary());
    stock.fill(&source);
    let to = ["--to", text(archive.path()), "--registry", source.address()];
    does(home.path(), &[&["export", "team/blobs"][..], &to].concat());
    (stock, home, archive)
}

#[test]
fn one_layout_becomes_the_one_repository_that_is_named() {
    let (stock, home, archive) = exported_blobs();
    let target = Server::start(binary());
    let layout = archive.path().join("team+blobs");
    let from = ["--from", text(&layout), "--registry", target.address()];
    for names in [&[][..], &["web", "other"]] {
        let said = slipway(home.path(), &[&["import"], names, &from].concat());
        assert!(said.code == 1 && said.text.contains("is one layout"), "{names:?}: {}", said.text);
    }
    does(home.path(), &[&["import", "web"][..], &from].concat());
    assert_pulls(&target, "web", "1", &stock.images[0]);
    assert_eq!(get(&target, "/v2/team/blobs/manifests/1"), Err(404));
}

#[test]
fn names_that_are_no_tags_fail_alone() {
    let (stock, home, archive) = exported_blobs();
    let target = Server::start(binary());
    let path = archive.path().join("team+blobs/index.json");
    let mut index: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let entries = index["manifests"].as_array_mut().unwrap();
    let mut named = entries[0].clone();
    named["annotations"]["org.opencontainers.image.ref.name"] = "docker.io/library/alpine".into();
    entries.push(named);
    std::fs::write(&path, index.to_string()).unwrap();
    let said =
        slipway(home.path(), &["import", "--from", text(archive.path()), "--registry", target.address()]);
    assert!(
        said.code == 1 && said.text.contains("FAILED  team/blobs docker.io/library/alpine"),
        "{}",
        said.text
    );
    assert!(said.text.contains("; 1 failed"), "{}", said.text);
    assert_pulls(&target, "team/blobs", "1", &stock.images[0]);
}

#[test]
fn a_layer_that_must_not_be_distributed_is_copied_if_it_is_there() {
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    let (there, elsewhere) = (b"a base of Windows".as_slice(), b"a base that its maker keeps".as_slice());
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let config = b"{}".as_slice();
    blob(&source, "windows", config);
    blob(&source, "windows", there);
    let layers = [descriptor(foreign, there), descriptor(foreign, elsewhere)];
    let config_type = "application/vnd.docker.container.image.v1+json";
    let image = json!({
        "schemaVersion": 2, "mediaType": DOCKER_IMAGE, "config": descriptor(config_type, config), "layers": layers,
    });
    manifest(&source, "windows", "1", DOCKER_IMAGE, image.to_string().as_bytes());
    does(home.path(), &["export", "--to", text(archive.path()), "--registry", source.address()]);
    does(home.path(), &["import", "--from", text(archive.path()), "--registry", target.address()]);
    let path = |content: &[u8]| format!("/v2/windows/blobs/{}", test_support::content::sha256(content));
    assert_eq!(get(&target, &path(there)).unwrap(), there);
    assert_eq!(get(&target, &path(elsewhere)), Err(404));
}

#[test]
fn a_second_export_fetches_what_is_missing_or_damaged_and_nothing_else() {
    let (stock, home, archive) = (Stock::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = Server::start(binary());
    stock.fill(&source);
    let (to, from) = (text(archive.path()), source.address());
    does(home.path(), &["export", "team", "--to", to, "--registry", from]);
    let blobs = archive.path().join("team/blobs");
    let file = |image: &Image| blobs.join(image.layer_digest().replace(':', "/"));
    std::fs::remove_file(file(&stock.images[0])).unwrap();
    std::fs::write(file(&stock.images[1]), "short").unwrap();
    std::fs::write(blobs.join("sha256/.killed.part"), "half").unwrap();
    let said = does(home.path(), &["export", "team", "--to", to, "--registry", from]);
    assert!(said.contains("exported 2 blobs, 585.94 KiB"), "{said}");
    for image in &stock.images[..2] {
        assert!(std::fs::read(file(image)).unwrap() == image.layer);
    }
    assert!(!blobs.join("sha256/.killed.part").exists(), "what a killed export left goes");
}

#[test]
fn of_two_exports_into_one_layout_the_second_is_refused() {
    let (stock, home, archive) = (Stock::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, (heard, said)) = (Server::start(binary()), std::sync::mpsc::channel());
    stock.fill(&source);
    let command =
        |from: &str| ["export", "team", "--to", text(archive.path()), "--registry", from].map(str::to_owned);
    let (second, at_home) = (command(source.address()), home.path().to_owned());
    let mut is_first = true;
    let address = between::start(&source, move |line| {
        if line.contains("/blobs/") && std::mem::take(&mut is_first) {
            heard.send(slipway(&at_home, &second.each_ref().map(String::as_str))).unwrap();
        }
        Fate::Forwarded
    });
    let first = command(&address);
    does(home.path(), &first.each_ref().map(String::as_str));
    let second = said.recv().unwrap();
    assert!(second.code == 1 && second.text.contains("another export is at work"), "{}", second.text);
    let target = Server::start(binary());
    does(home.path(), &["import", "--from", text(archive.path()), "--registry", target.address()]);
    stock.assert_team_in(&target);
    does(home.path(), &command(source.address()).each_ref().map(String::as_str));
}

#[test]
fn what_cannot_be_had_is_named_and_the_rest_is_copied() {
    let (stock, home, archive) = (Stock::new(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    stock.fill(&source);
    let lost = stock.images[1].layer_digest();
    std::fs::remove_file(folder::object(source.data(), &lost)).unwrap();
    let (to, from) = (text(archive.path()), source.address());
    let said = slipway(home.path(), &["export", "--to", to, "--registry", from]);
    assert!(said.code == 1 && said.text.contains(&lost), "{}", said.text);
    does(home.path(), &["import", "--from", to, "--registry", target.address()]);
    assert_pulls(&target, "team", "1", &stock.images[0]);
    assert_pulls(&target, "team", &stock.images[2].digest(), &stock.images[2]);
    assert_eq!(get(&target, "/v2/team/manifests/two"), Err(404), "an archive has nothing that is not whole");
    assert_eq!(get(&target, "/v2/team/manifests/multi"), Err(404));

    // And the other way: a layout that came to harm.
    let blob = archive.path().join("team/blobs").join(stock.images[2].layer_digest().replace(':', "/"));
    std::fs::write(blob, "rotten").unwrap();
    let other = Server::start(binary());
    let said = slipway(home.path(), &["import", "--from", to, "--registry", other.address()]);
    assert!(said.code == 1 && said.text.contains(&stock.images[2].layer_digest()), "{}", said.text);
    assert_pulls(&other, "team", "1", &stock.images[0]);
    assert_eq!(get(&other, &format!("/v2/team/manifests/{}", stock.images[2].digest())), Err(404));
}

#[test]
fn skopeo_reads_an_archive_and_what_skopeo_wrote_is_imported() {
    let Some(skopeo) = require::tool("copies::skopeo", "skopeo") else { return };
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    let pictures = TempDir::new().unwrap();
    let mut layout = Layout::create(pictures.path());
    layout.add_image("small", "amd64", &[1000, 2000]);
    let copy = |from: String, to: String| {
        let arguments = ["--insecure-policy", "copy", "--preserve-digests", "--src-tls-verify=false"];
        let mut command = Command::new(&skopeo);
        command.args(arguments).args(["--dest-tls-verify=false", &from, &to]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{from} {to}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let written = format!("oci:{}:small", pictures.path().display());
    copy(written, format!("docker://{}/team/app:1", source.address()));
    does(home.path(), &["export", "--to", text(archive.path()), "--registry", source.address()]);
    let copied = TempDir::new().unwrap();
    copy(
        format!("oci:{}/team+app:1", archive.path().display()),
        format!("oci:{}/web:copied", copied.path().display()),
    );
    let digest = layout.digest("small");
    assert_eq!(Layout::open(&copied.path().join("web")).digest("copied"), digest);

    // A layout without settings is one, too.
    does(home.path(), &["import", "--from", text(copied.path()), "--registry", target.address()]);
    let pulled = get(&target, "/v2/web/manifests/copied").unwrap();
    assert_eq!(test_support::content::sha256(&pulled), digest);
}

#[test]
fn an_export_says_which_images_are_in_dockers_own_format_and_an_import_brings_them_back() {
    let Some(skopeo) = require::tool("copies::dockers_format", "skopeo") else { return };
    let (home, archive) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (source, target) = (Server::start(binary()), Server::start(binary()));
    let pictures = TempDir::new().unwrap();
    let mut layout = Layout::create(pictures.path());
    layout.add_image("small", "amd64", &[1000]);
    for (format, name) in [("v2s2", "team/dockers"), ("oci", "team/ocis")] {
        let from = format!("oci:{}:small", pictures.path().display());
        let to = format!("docker://{}/{name}:1", source.address());
        let mut command = Command::new(&skopeo);
        command.args([
            "--insecure-policy",
            "copy",
            "--format",
            format,
            "--dest-tls-verify=false",
            &from,
            &to,
        ]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let said = does(home.path(), &["export", "--to", text(archive.path()), "--registry", source.address()]);
    assert!(said.contains("team/dockers: 1 tags are images in docker's own format"), "{said}");
    assert!(!said.contains("team/ocis: 1 tags are"), "{said}");
    does(home.path(), &["import", "--from", text(archive.path()), "--registry", target.address()]);
    let path = "/v2/team/dockers/manifests/1";
    assert_eq!(get(&target, path), get(&source, path));
}
