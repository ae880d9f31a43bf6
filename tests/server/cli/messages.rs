//! What people are told who are new here.

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

use super::{PASSWORD, Person, closed, finish, push_image, refusal, said};
use crate::process::Process;
use crate::tls_client::write_pair;

#[test]
fn a_missing_right_is_not_told_as_a_wrong_login() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    for user in ["alice", "bob"] {
        admin.does_with(&["user", "add", user], PASSWORD);
    }
    let alice = Person::logged_in(&server, "alice", PASSWORD);
    alice.does(&["repo", "add", "alice/app"]);
    alice.does(&["repo", "grant", "alice/app", "user:bob", "pull"]);
    let bob = Person::logged_in(&server, "bob", PASSWORD);
    for (arguments, expected) in [
        (&["rm", "alice/app:1"][..], "you may not delete in alice/app: that takes the role admin\n"),
        (&["tag", "restore", "alice/app:1"], "bob may not push to alice/app: that takes the role push\n"),
        (&["tag", "ls", "alice/none"], "you may not pull from alice/none, or there is no such repository\n"),
        (&["repo", "create", "app"], "app is neither you nor an organisation that you own\n"),
    ] {
        let refused = bob.is_refused(arguments);
        assert!(refused.ends_with(expected), "{arguments:?}: {refused}");
    }
}

#[test]
fn the_history_of_tags_is_for_whoever_is_logged_in() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::start(folder.path(), &[]);
    push_image(&server, "alice/app", "1");
    let open = Person::new(&["--registry", &server.address]);
    open.does_with(&["user", "add", "alice"], PASSWORD);
    let alice = Person::logged_in(&server, "alice", PASSWORD);
    alice.does(&["tag", "rm", "alice/app", "1"]);
    assert!(alice.does(&["tag", "log", "alice/app:1"]).contains("deleted"));
    assert!(alice.does(&["tag", "restore", "alice/app:1"]).starts_with("alice/app:1 points to sha256:"));
    assert_eq!(alice.does(&["tag", "ls", "alice/app"]), "1\n");
}

#[test]
fn a_robot_reaches_nothing_outside_of_its_account() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    admin.does(&["org", "add", "team"]);
    let robot = ["token", "create", "--account", "team", "--robot", "ci", "--scope", "other/*:pull"];
    let refused = admin.is_refused(&robot);
    assert!(refused.contains("\"other/*\" is outside of team"), "{refused}");
    let trust = ["trust", "add", "--account", "team", "--robot", "ci", "--scope", "other/*:pull"];
    let whom = ["--issuer", "https://ci.example", "--audience", "a", "--claim", "sub=x"];
    assert!(admin.is_refused(&[&trust[..], &whom].concat()).contains("outside of team"));
}

#[test]
fn a_token_that_opens_nothing_any_more_is_listed_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (server, password) = closed(folder.path());
    let admin = Person::logged_in(&server, "admin", &password);
    admin.does_with(&["user", "add", "alice"], PASSWORD);
    let alice = Person::logged_in(&server, "alice", PASSWORD);
    assert!(alice.does(&["token", "ls"]).trim_end().ends_with("good"));
    admin.does_with(&["user", "passwd", "alice"], "another horse battery");
    assert!(admin.does(&["token", "ls", "--account", "alice"]).trim_end().ends_with("revoked"));
    admin.does(&["user", "disable", "alice"]);
    assert!(admin.does(&["token", "ls", "--account", "alice"]).trim_end().ends_with("disabled"));
}

#[test]
fn what_is_written_wrongly_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let who = Person::new(&["--data", folder.path().to_str().unwrap()]);
    let grant = finish(&mut who.command(&["repo", "grant", "team/app", "alice", "pull"]), "");
    assert!(grant.stderr.contains("it is user:NAME, or team:NAME"), "{}", grant.stderr);
    who.does_with(&["user", "add", "alice"], PASSWORD);
    let whose = who.is_refused(&["token", "ls"]);
    assert!(whose.ends_with("whose it is has to be said: --account NAME\n"), "{whose}");
    let missing = folder.path().join("missing");
    let fsck =
        refusal(finish(&mut Person::new(&["--data", missing.to_str().unwrap()]).command(&["fsck"]), ""));
    assert!(fsck.contains("there is no registry in") && !fsck.contains("stopped"), "{fsck}");
}

#[test]
fn a_wrong_scheme_is_told_with_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = closed(&folder.path().join("plain"));
    let refused =
        Person::new(&["--registry", &format!("https://{}", server.address)]).is_refused(&["repo", "ls"]);
    assert!(
        refused
            .contains(&format!("speaks no TLS; if that is how it shall be, write http://{}", server.address))
    );
    write_pair(folder.path());
    let server = by_https(folder.path());
    let refused = Person::new(&["--registry", &server.address]).is_refused(&["repo", "ls"]);
    assert!(refused.contains(&format!("write https://{}", server.address)), "{refused}");
}

fn by_https(folder: &std::path::Path) -> Process {
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    let options = ["--auth", "--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    Process::start(&folder.join("data"), &options)
}

/// What `openssl req -x509` makes: a certificate authority that signs itself, and is shown by the server.
#[test]
fn a_certificate_that_signs_itself_is_believed_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = CertificateParams::new(["localhost".to_owned()]).unwrap();
    wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let cert = folder.path().join("cert.pem");
    std::fs::write(&cert, wanted.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(folder.path().join("key.pem"), key.serialize_pem()).unwrap();
    let server = by_https(folder.path());
    let port = server.address.rsplit_once(':').unwrap().1;
    let registry = format!("https://localhost:{port}");
    let mut who = Person::new(&["--registry", &registry]);
    let refused = who.is_refused(&["repo", "ls"]);
    assert!(refused.contains("SSL_CERT_FILE can name a file with the certificate"), "{refused}");
    who.environment.push(("SSL_CERT_FILE", cert.to_str().unwrap().to_owned()));
    let login = ["login", &registry, "-u", "admin", "--password-stdin"];
    said(finish(&mut who.bare(&login), server.password().unwrap()));
    assert!(who.does(&["user", "ls"]).contains("admin"));
    // The name has to be right all the same.
    let by_address =
        Person { target: vec!["--registry".to_owned(), format!("https://127.0.0.1:{port}")], ..who };
    by_address.is_refused(&["user", "ls"]);
}
