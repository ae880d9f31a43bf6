//! `slipway repair`, on data folders that were really damaged.

use std::path::Path;

use test_support::server::Server;

use crate::binary;
use crate::client::{INDEX, Image, assert_pulls, get, index_of, manifest, push};
use crate::folder;

/// How a file comes to harm.
type Harm = (&'static str, fn(&Path));

const HARMS: [Harm; 3] = [
    ("gone", |path| std::fs::remove_file(path).unwrap()),
    ("short", |path| std::fs::File::options().write(true).open(path).unwrap().set_len(10).unwrap()),
    ("rotten", |path| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[50] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }),
];

#[test]
fn a_file_that_came_to_harm_is_named_and_a_push_heals_everything() {
    for (harm, hurt) in HARMS {
        let mut server = Server::start(binary());
        let (image, other) = (Image::new(1, 100_000), Image::new(2, 50_000));
        push(&server, "team/app", "1", &image);
        push(&server, "team/app", "2", &other);
        push(&server, "web", "1", &image);
        let index = index_of(&[&image, &other]);
        manifest(&server, "team/app", "multi", INDEX, &index);
        assert!(server.stop());
        let file = folder::object(server.data(), &image.layer_digest());
        hurt(&file);

        let (code, report, _) = server.command(&["fsck", "--deep"]);
        assert!(code == 1 && report.contains(&image.layer_digest()), "{harm}: {report}");
        let foreseen = server.command(&["repair", "--dry-run"]);
        assert_eq!(server.command(&["fsck", "--deep"]).1, report, "{harm}: it was only said");
        assert_eq!(file.exists(), harm != "gone");
        let (code, repaired, stderr) = server.command(&["repair"]);
        assert_eq!(code, 1, "{harm}: {repaired}{stderr}");
        assert_eq!(foreseen.1.replace("would mend", "mended"), repaired, "{harm}");
        for named in [&image.layer_digest(), "team/app:1", "web:1", "team/app:multi", "push it again"] {
            assert!(repaired.contains(named), "{harm}: {named}: {repaired}");
        }
        assert!(!repaired.contains("team/app:2"), "{harm}: {repaired}");
        let kept = folder::quarantined(server.data());
        assert_eq!(kept.len(), usize::from(harm != "gone"), "{harm}: {kept:?}");

        server.restart();
        assert_eq!(get(&server, "/v2/web/manifests/1"), Err(404));
        assert_pulls(&server, "team/app", "2", &other);
        push(&server, "team/app", "1", &image);
        push(&server, "web", "1", &image);
        assert_pulls(&server, "team/app", "1", &image);
        assert_pulls(&server, "web", "1", &image);
        assert_eq!(get(&server, "/v2/team/app/manifests/multi"), Ok(index));
        assert!(server.stop());
        let (code, report, _) = server.command(&["fsck", "--deep"]);
        assert_eq!(code, 0, "{harm}: {report}");
        assert_eq!(server.command(&["repair"]).0, 0, "{harm}");
        assert_eq!(folder::quarantined(server.data()), kept, "{harm}: what was kept stays");
    }
}

#[test]
fn every_row_that_cannot_be_read_is_named_and_most_are_written_again() {
    let mut server = Server::start(binary());
    let image = Image::new(1, 1000);
    push(&server, "team/app", "1", &image);
    push(&server, "web", "1", &image);
    let note = image.about("a note");
    push(&server, "team/app", &note.digest(), &note);
    assert!(server.stop());
    let rows = folder::rows(server.data());
    let (mut mended, mut lost) = (0, Vec::new());
    for (row, _) in &rows {
        folder::spoil(server.data(), row);
        let (code, report, stderr) = server.command(&["fsck"]);
        assert!(code == 1 && report.contains(row), "{row} is missed: {report}{stderr}");
        let (code, repaired, stderr) = server.command(&["repair"]);
        assert!(repaired.contains(row), "{row}: {repaired}{stderr}");
        match code {
            0 => mended += 1,
            _ => lost.push(row.clone()),
        }
        if code != 0 {
            server.restart();
            push(&server, "team/app", "1", &image);
            push(&server, "web", "1", &image);
            push(&server, "team/app", &note.digest(), &note);
            assert!(server.stop());
        }
        let (code, report, _) = server.command(&["fsck", "--deep"]);
        assert_eq!(code, 0, "{row}: {report}");
    }
    assert!(mended >= 20, "{mended} of {}: {lost:#?}", rows.len());
    // Only what no other row knows is lost: settings, and manifests that no other repository has.
    assert!(lost.iter().all(|row| row.ends_with("/META") || row.contains("#M/")), "{lost:#?}");
    server.restart();
    assert_pulls(&server, "team/app", "1", &image);
    assert_pulls(&server, "team/app", &note.digest(), &note);
    assert_pulls(&server, "web", "1", &image);
}

#[test]
fn the_last_account_is_not_forgotten_for_that_would_open_the_registry() {
    let mut server = Server::start_with(binary(), &["--auth"]);
    assert!(server.stop());
    folder::spoil(server.data(), "A#admin/ACCOUNT");
    let (code, report, _) = server.command(&["repair"]);
    assert!(code == 1 && report.contains("A#admin/ACCOUNT"), "{report}");
    server.restart();
    assert_eq!(get(&server, "/v2/"), Err(401));
}

#[test]
fn a_running_registry_is_not_repaired() {
    let server = Server::start(binary());
    let (code, _, stderr) = server.command(&["repair"]);
    assert!(code == 1 && stderr.contains("stopped"), "{stderr}");
}
