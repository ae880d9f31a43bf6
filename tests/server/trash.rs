//! Garbage, by the commands: what would go, what goes, and how it comes back.

use test_support::content::{noise, sha256};
use test_support::server::Server;

use crate::process::wait_until;
use crate::{binary, push};

const LAYER_PATH: &str = "/v2/team/app/blobs";

/// A server that keeps what nobody needs for a second, and collects when it is asked.
fn start() -> Server {
    Server::start_with(binary(), &["--lease", "1s", "--gc-every", "off"])
}

fn output(server: &Server, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = server.command(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

fn blob(server: &Server, digest: &str) -> Result<Vec<u8>, u16> {
    push::get(server, &format!("{LAYER_PATH}/{digest}"))
}

/// Pushes two images of one layer each, deletes the manifest of the first, and returns it.
fn push_two(server: &Server, layers: [&[u8]; 2]) -> Vec<u8> {
    let [deleted, _] =
        [("1", layers[0]), ("2", layers[1])].map(|(tag, layer)| push::image(server, "team/app", tag, layer));
    let path = format!("/v2/team/app/manifests/{deleted}");
    let manifest = push::get(server, &path).unwrap();
    let response = reqwest::blocking::Client::new().delete(server.url(&path)).send().unwrap();
    assert_eq!(response.status(), 202);
    manifest
}

#[test]
fn a_dry_run_beside_the_server_says_what_would_go_and_why_and_nothing_goes() {
    let mut server = start();
    let layers = [1, 2].map(|seed| noise(seed, 100_000));
    let [deleted, kept] = [0, 1].map(|number| sha256(&layers[number]));
    push_two(&server, [&layers[0], &layers[1]]);
    // How much is looked at again later is the clock's.
    let told = |arguments: &[&str]| output(&server, arguments).rsplit_once(" (").unwrap().0.to_owned();
    let dry_run = || told(&["gc", "--dry-run"]);
    wait_until("something would go", || dry_run().contains("would go"));
    let said = dry_run();
    for line in [
        format!("link        team/app@{deleted}: no manifest of the repository needs it\n"),
        format!("blob        {deleted}, 97.66 KiB: no repository has it\n"),
        "would go: 1 link, 1 blob, 97.66 KiB".to_owned(),
    ] {
        assert!(said.contains(&line), "{line}{said}");
    }
    assert!(!said.contains(&kept), "{said}");
    assert_eq!(dry_run(), said);
    assert!(blob(&server, &deleted).unwrap() == layers[0], "it was only said");

    assert_eq!(told(&["gc"]), said.replace("would go: ", "gone: "), "what was said is what goes");
    assert_eq!(blob(&server, &deleted), Err(404));
    assert!(blob(&server, &kept).unwrap() == layers[1]);
    assert!(server.stop());
    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 0, "{report}");
}

#[test]
fn what_was_collected_comes_back_beside_the_server_and_without_it() {
    let mut server = start();
    let layers = [1, 2].map(|seed| noise(seed, 100_000));
    let digest = sha256(&layers[0]);
    for is_running in [true, false] {
        let manifest = push_two(&server, [&layers[0], &layers[1]]);
        let (code, _, stderr) = server.command(&["undelete", "team/app", &sha256(b"never pushed")]);
        assert!(code != 0 && stderr.contains("is not in the trash"), "{stderr}");
        wait_until("it was collected", || {
            output(&server, &["gc"]).contains("left the disk or went to the trash")
        });
        assert_eq!(blob(&server, &digest), Err(404));
        if !is_running {
            assert!(server.stop());
        }
        let said = output(&server, &["undelete", "team/app", &digest]);
        assert_eq!(said, format!("team/app@{digest} is back, 97.66 KiB\n"), "running: {is_running}");
        if !is_running {
            server.restart();
        }
        assert!(blob(&server, &digest).unwrap() == layers[0]);
        push::tags(&server, "/v2/team/app/manifests/1", &manifest);
        assert!(push::get(&server, "/v2/team/app/manifests/1").unwrap() == manifest);
    }
    assert!(server.stop());
    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 0, "{report}");
}
