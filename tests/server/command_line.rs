//! The command line.

use std::process::Command;

use test_support::content::noise;
use test_support::server::Server;

use crate::process::Process;
use crate::{SLIPWAY, binary, push};

fn output(server: &Server, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = server.command(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

#[test]
fn repositories_and_tags_are_listed_shown_and_removed_beside_the_server_and_without_it() {
    let mut server = Server::start(binary());
    let digest = push::image(&server, "team/app", "1", &noise(1, 1000));
    push::image(&server, "team/app", "2", &noise(1, 1000));
    push::image(&server, "web", "latest", &noise(2, 1000));
    for is_running in [true, false] {
        assert_eq!(output(&server, &["repo", "ls"]), "team/app\nweb\n", "running: {is_running}");
        assert!(output(&server, &["tag", "ls", "team/app"]).starts_with("1\n"));
        assert!(output(&server, &["inspect", "team/app:1"]).contains(&digest));
        let raw = output(&server, &["inspect", "--raw", "team/app:1"]);
        assert_eq!(test_support::content::sha256(raw.as_bytes()), digest);
        server.stop();
    }
    server.restart();
    assert_eq!(output(&server, &["rm", "team/app:1"]), "deleted team/app:1\n");
    assert_eq!(output(&server, &["tag", "ls", "team/app"]), "2\n");
    server.stop();
    let (code, _, why) = server.command(&["rm", "web"]);
    assert!(code != 0 && why.contains("`slipway repo rm web`"), "{why}");
    assert_eq!(output(&server, &["tag", "ls", "web"]), "latest\n");
    output(&server, &["rm", &format!("team/app@{digest}")]);
    assert_eq!(output(&server, &["tag", "ls", "team/app"]), "");
}

#[test]
fn more_than_a_page_is_listed_whole() {
    let server = Server::start(binary());
    let digest = push::image(&server, "many", "0000", &noise(1, 100));
    let manifest = push::get(&server, "/v2/many/manifests/0000").unwrap();
    let tags: Vec<String> = (0..1100).map(|number| format!("tag={number:04}")).collect();
    for some in tags.chunks(16) {
        push::tags(&server, &format!("/v2/many/manifests/{digest}?{}", some.join("&")), &manifest);
    }
    let tags = output(&server, &["tag", "ls", "many"]);
    assert_eq!(tags.lines().count(), 1100);
    assert_eq!(tags.lines().last(), Some("1099"));
}

#[test]
fn what_is_not_there_is_an_error_that_names_it() {
    let server = Server::start(binary());
    for arguments in [&["tag", "ls", "nothing"][..], &["inspect", "nothing:1"], &["rm", "nothing:1"]] {
        let (code, _, stderr) = server.command(arguments);
        assert_ne!(code, 0);
        assert!(stderr.contains("nothing"), "{stderr}");
    }
}

#[test]
fn what_works_on_a_data_folder_is_refused_while_the_environment_names_a_registry() {
    let (home, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        command
            .env_remove("SLIPWAY_DATA")
            .env("HOME", home.path())
            .env("SLIPWAY_REGISTRY", "registry.example.com");
        let output = command.args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for arguments in [&["fsck"][..], &["repair", "--dry-run"], &["gc", "--dry-run"], &["key", "rotate"]] {
        let (is_done, message) = run(arguments);
        assert!(
            !is_done && message.contains("SLIPWAY_REGISTRY names a registry"),
            "{arguments:?}: {message}"
        );
        let named = [&["--data", data.path().to_str().unwrap()], arguments].concat();
        let (_, message) = run(&named);
        assert!(!message.contains("SLIPWAY_REGISTRY"), "{named:?}: {message}");
    }
}

#[test]
fn fsck_names_a_damaged_and_a_missing_blob_and_fails() {
    let mut server = Server::start(binary());
    let digests = [1, 2].map(|seed| {
        let layer = noise(seed, 10_000);
        push::image(&server, "team/app", &seed.to_string(), &layer);
        test_support::content::sha256(&layer)
    });
    assert!(server.stop());
    assert_eq!(server.command(&["fsck", "--deep"]).0, 0);

    let objects = std::fs::read_dir(server.data().join("data")).unwrap();
    let mut layers: Vec<_> = objects
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.metadata().unwrap().len() == 10_000)
        .collect();
    let damaged = layers.pop().unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    bytes[5_000] ^= 1;
    std::fs::write(damaged, bytes).unwrap();
    assert_eq!(server.command(&["fsck"]).0, 0, "only --deep reads the bytes");
    std::fs::remove_file(layers.pop().unwrap()).unwrap();

    let (code, report, _) = server.command(&["fsck", "--deep"]);
    assert_eq!(code, 1);
    assert!(digests.iter().all(|digest| report.contains(digest)), "{report}");
    assert!(report.contains("is missing") && report.contains("its bytes have digest"), "{report}");
}

#[test]
fn a_misspelt_folder_is_refused_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("misspelt");
    for arguments in [&["fsck"][..], &["repo", "ls"]] {
        for data in [missing.as_path(), folder.path()] {
            let output = Command::new(SLIPWAY).args(arguments).arg("--data").arg(data).output().unwrap();
            assert!(!output.status.success());
            assert!(String::from_utf8_lossy(&output.stderr).contains("there is no registry in"));
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_keeps_a_folder_from_being_opened_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let [file, circle] = ["file", "circle"].map(|name| folder.path().join(name));
    std::fs::write(&file, "").unwrap();
    // Stands for a folder of somebody else's, which the administrator could open.
    std::os::unix::fs::symlink(&circle, &circle).unwrap();
    for (data, reason) in [(&file, "is not a folder"), (&circle, "symbolic links")] {
        for arguments in [&["fsck"][..], &["repo", "ls"], &["gc"]] {
            let output = Command::new(SLIPWAY).args(arguments).arg("--data").arg(data).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(reason) && said.contains(data.to_str().unwrap()), "{arguments:?}: {said}");
            assert!(!said.contains("there is no registry"), "{arguments:?}: {said}");
        }
    }
    let refused = Process::refusal(&file, &[]);
    assert!(refused.contains("is not a folder"), "{refused}");
}

#[test]
fn fsck_of_a_running_registry_says_what_to_do() {
    let server = Server::start(binary());
    let (code, _, stderr) = server.command(&["fsck"]);
    assert_ne!(code, 0);
    assert!(stderr.contains("stopped"), "{stderr}");
}

#[test]
fn help_and_completions_name_every_command() {
    let run = |arguments: &[&str]| {
        String::from_utf8(Command::new(SLIPWAY).args(arguments).output().unwrap().stdout).unwrap()
    };
    let (help, completions) = (run(&["--help"]), run(&["completions", "bash"]));
    for command in
        ["serve", "fsck", "repair", "export", "import", "repo", "tag", "inspect", "rm", "completions"]
    {
        assert!(help.contains(command) && completions.contains(command), "{command}");
    }
    assert!(help.contains("SLIPWAY_DATA"));
}
