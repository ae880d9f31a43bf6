//! Who is let in after which start.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use test_support::content::noise;
use test_support::server::Server;

use crate::logins::{ask_token, challenge, status_with_token, token};
use crate::process::{Process, command};
use crate::{binary, push};

fn status(server: &Process) -> u16 {
    reqwest::blocking::get(server.url("/v2/")).unwrap().status().as_u16()
}

/// Returns the files that hold this text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files_with(&entry.path(), text));
        } else if let Ok(bytes) = std::fs::read(entry.path()) {
            let has_it = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            found.extend(has_it.then(|| entry.path().display().to_string()));
        }
    }
    found
}

#[test]
fn without_accounts_this_machine_is_let_in_and_told_how_to_close_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    assert_eq!(status(&server), 200);
    let line = server.greeting.lines().find(|line| line.contains("access")).unwrap();
    assert!(["open", "slipway user add", "--auth"].iter().all(|word| line.contains(word)), "{line}");
    assert_eq!(server.password(), None);
}

#[test]
fn a_load_balancer_is_told_that_somebody_answers_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth"]);
    let answer = reqwest::blocking::get(server.url("/healthz")).unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().unwrap().as_str()), (200, "ok\n"));
    let client = reqwest::blocking::Client::new();
    assert_eq!(client.head(server.url("/healthz")).send().unwrap().status(), 200);
}

#[test]
fn what_is_to_be_tried_is_possible_and_each_request_has_its_line_in_the_debug_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth", "--log", "debug"]);
    assert!(server.greeting.contains("/admin/hello && docker push"), "{}", server.greeting);
    for path in ["/v2/", "/api/v1/me", "/api/v1/users?limit=7"] {
        reqwest::blocking::get(server.url(path)).unwrap();
    }
    server.wait_for_word("answered method=GET path=\"/v2/\" status=401");
    server.wait_for_word("answered method=GET path=\"/api/v1/me\" status=200");
    server.wait_for_word("answered method=GET path=\"/api/v1/users\" status=401");
    let server = Process::start(&folder.path().join("open"), &[]);
    assert!(server.greeting.contains("docker push localhost:") && !server.greeting.contains("/admin/hello"));
}

#[test]
fn the_first_administrator_gets_a_password_that_is_shown_once_and_kept_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &["--auth", "--log", "trace"]);
    let password = server.password().unwrap().to_owned();
    assert!(password.len() >= 32 && password.bytes().all(|byte| byte.is_ascii_hexdigit()), "128 bits");
    challenge(&reqwest::blocking::get(server.url("/v2/")).unwrap());
    assert_eq!(status_with_token(&server, &token(&server, &password, &[])), 200);
    assert_eq!(server.greeting.matches(&password).count(), 1);
    assert!(!server.said().contains(&password));
    server.stop();
    assert_eq!(files_with(folder.path(), &password), Vec::<String>::new());

    for arguments in [&["--auth"][..], &[]] {
        let server = Process::start(folder.path(), arguments);
        assert_eq!(server.password(), None, "{}", server.greeting);
        assert_eq!(status(&server), 401);
        assert_eq!(ask_token(&server, &password, &[]).status(), 200);
    }
}

#[test]
fn a_page_whose_name_leads_here_gets_nothing_from_an_open_registry() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    let client = reqwest::blocking::Client::new();
    let ask = |method: &str, path: &str, host: &str| {
        let request = client.request(method.parse().unwrap(), server.url(path)).header("host", host);
        request
            .json(&serde_json::json!({"name": "mallory", "password": "correct horse battery"}))
            .send()
            .unwrap()
    };
    for (method, path) in [
        ("GET", "/v2/"),
        ("GET", "/v2/_catalog"),
        ("POST", "/v2/a/blobs/uploads/"),
        ("POST", "/api/v1/users"),
        ("GET", "/token"),
    ] {
        let refused = ask(method, path, "evil.example:5000");
        assert_eq!(refused.status(), 403, "{method} {path}");
        assert!(refused.text().unwrap().contains("DENIED"), "{method} {path}");
    }
    assert_eq!(ask("POST", "/v2/a/blobs/uploads/", "localhost:5000").status(), 202);
    // Once there are accounts, a name opens nothing.
    assert_eq!(ask("POST", "/api/v1/users", "localhost").status(), 201);
    assert_eq!(ask("GET", "/v2/", "registry.example").status(), 401);
}

#[test]
fn the_first_password_may_come_from_a_file_and_counts_for_the_first_start_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("password"));
    let options = ["--auth", "--admin-password-file", file.to_str().unwrap()];
    std::fs::write(&file, "admin\n").unwrap();
    assert!(Process::refusal(&data, &options).contains(file.to_str().unwrap()));

    std::fs::write(&file, "correct horse battery\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let server = Process::start(&data, &options);
    assert_eq!(server.password(), None);
    server.wait_for_word("can read the administrator's password");
    assert_eq!(ask_token(&server, "correct horse battery", &[]).status(), 200);
    assert!(!server.greeting.contains("horse") && !server.said().contains("horse"));
    server.stop();
    std::fs::write(&file, "another horse battery\n").unwrap();
    let server = Process::start(&data, &options);
    assert_eq!(ask_token(&server, "another horse battery", &[]).status(), 401);
    assert_eq!(ask_token(&server, "correct horse battery", &[]).status(), 200);
}

#[test]
fn others_are_not_let_in_by_accident_and_the_refusal_names_the_ways_out() {
    let folder = tempfile::tempdir().unwrap();
    let public = ["--url", "https://registry.example.com"];
    for options in [&["--trust-proxy"][..], &public, &["--listen", "0.0.0.0:0"]] {
        let refused = Process::refusal(folder.path(), options);
        for word in ["--auth", "slipway user add", "--open", "everybody"] {
            assert!(refused.contains(word), "{options:?}: {refused}");
        }
    }

    let server = Process::start(folder.path(), &["--trust-proxy", "--open"]);
    assert_eq!(status(&server), 200);
    assert!(server.greeting.contains("OPEN: everybody who can reach it"), "{}", server.greeting);
    server.stop();
    assert_eq!(status(&Process::start(folder.path(), &["--trust-proxy", "--auth"])), 401);
}

#[test]
fn nothing_opens_a_registry_that_has_accounts() {
    let folder = tempfile::tempdir().unwrap();
    Process::start(folder.path(), &["--auth"]).stop();
    let server = Process::start(folder.path(), &["--open"]);
    assert_eq!(status(&server), 401);
    server.wait_for_word("--open has no effect");
    assert!(server.greeting.contains("by account"), "{}", server.greeting);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (options, word) in [
        (&["--auth", "--open"][..], "cannot be used with"),
        (&["--admin-password-file", "/p"], "--auth"),
        (&["--tls-cert", "/c"], "--tls-key"),
    ] {
        let refused = Process::refusal(folder.path(), options);
        assert!(refused.contains(word), "{options:?}: {refused}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn commands_reach_a_closed_registry_while_it_runs() {
    let mut open = Server::start(binary());
    push::image(&open, "team/app", "1", &noise(1, 1000));
    assert!(open.stop());
    let server = Process::start(open.data(), &["--auth"]);
    assert_eq!(status(&server), 401);
    assert_eq!(command(open.data(), &["repo", "ls"]), "team/app\n");
    assert_eq!(command(open.data(), &["rm", "team/app:1"]), "deleted team/app:1\n");
    server.stop();
    assert_eq!(command(open.data(), &["tag", "ls", "team/app"]), "");
}

#[test]
fn a_folder_too_deep_for_a_socket_is_served_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep".repeat(40));
    let server = Process::start(&data, &[]);
    server.wait_for_word("have to wait until the registry stops");
    assert_eq!(status(&server), 200);
    server.stop();
    assert_eq!(command(&data, &["repo", "ls"]), "");
}
