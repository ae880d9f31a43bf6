//! What is not one fault and one check.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;

use crate::accounts::Accounts;
use crate::checks::{
    ADOPTED, CHALLENGE, GET, LARGE, LEADS_BACK, LETS_IN, OTHER, PUSH, REALM, SIX, SLOW, STRANGER, TOKEN,
};
use crate::deployed;
use crate::fault::Fault;
use crate::login_faults::renamed_challenge;
use crate::message::Reply;
use crate::pull_faults::redirect;
use crate::rows::all_rows;
use crate::run::Run;
use crate::site::Site;

/// A story and its name.
pub(crate) type Story = (&'static str, fn(&Site));

pub(crate) const STORIES: &[Story] = &[
    ("every check has a fault that it finds, and a line in the document", every_check_has_a_fault),
    ("nothing is wrong with the server itself", server_is_sound),
    ("a closed registry fails, and nothing else is checked", closed_registry_fails),
    ("a challenge without a token server is told", challenge_is_told),
    ("a challenge that was renamed lets nobody log in", renamed_challenge_lets_nobody_in),
    ("a realm where nobody is breaks every login", dead_realm_breaks),
    ("a wrong password lets nobody in", wrong_password_lets_nobody_in),
    ("a user without a password is an error", user_needs_password),
    ("without a login only that is checked which needs none", stranger_checks_little),
    ("with a login everything is checked, behind an edge too", login_checks_all),
    ("a token that has ended is renewed", token_is_renewed),
    ("a Location on a dead host breaks the push", dead_location_breaks),
    ("a Location of 2000 characters is followed", long_location_is_followed),
    ("a refusal in words that comes before the body is read", early_refusal_is_read),
    ("429 is repeated until the manifest is taken", throttled_manifest_is_repeated),
    ("429 for longer than clients wait breaks the push", long_throttling_breaks),
    ("a large layer is timed", large_layer_is_timed),
    ("a slow layer takes its time", slow_layer_takes_its_time),
    ("what holds is told to a person", report_is_readable),
    ("nobody at the endpoint is a failure, not a crash", silence_fails),
    ("nothing stays in the repository", nothing_stays),
];

/// What a sound registry is asked is what an unreachable one is not, and what the document explains.
fn every_check_has_a_fault(site: &Site) {
    let found: BTreeSet<&str> = all_rows()
        .map(|row| row.check)
        .chain(deployed::all_rows().flat_map(|row| row.checks.iter().copied()))
        .collect();
    let run = site.run(Fault::none().asking().direct(), &["--user", "admin"]);
    let made = names(&run);
    assert_eq!(
        made.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        found,
        "checks and what faults show"
    );
    assert_eq!(names(&Run::of("http://127.0.0.1:1", &["--json"], &[])), made);
    let document = include_str!("../../../docs/smoke.md");
    for check in run.checks() {
        let name = check["name"].as_str().unwrap();
        let told = if check["essential"] == true { format!("| **{name}** |") } else { format!("| {name} |") };
        assert!(document.contains(&told), "docs/smoke.md has no {told}");
    }
}

fn names(run: &Run) -> Vec<String> {
    run.checks().iter().map(|check| check["name"].as_str().unwrap().to_owned()).collect()
}

fn server_is_sound(site: &Site) {
    let run = site.run(Fault::none(), &[]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new(), "{}", run.stdout);
    assert!(run.passes);
    let unchecked = run.names("not checked");
    assert!(unchecked.iter().all(|name| name.contains("direct") || is_expected(name)), "{unchecked:?}");
}

/// What an open registry cannot show, and what nobody asked for.
fn is_expected(name: &str) -> bool {
    [CHALLENGE, REALM, TOKEN, STRANGER, OTHER, LARGE, SLOW].contains(&name) || name.contains("upload URL")
}

fn closed_registry_fails(site: &Site) {
    let run = site.run(Fault::answer(Reply::oci(403, "DENIED"), |_| true), &[]);
    assert_eq!(run.names("does not hold"), [LETS_IN]);
    assert_eq!(run.names("holds"), Vec::<String>::new());
    assert!(run.fact(LETS_IN).contains("403 by the registry"), "{}", run.fact(LETS_IN));
    assert!(!run.passes);
}

fn challenge_is_told(site: &Site) {
    let challenge = "Basic realm=\"registry\"";
    let refusal = Reply::oci(401, "UNAUTHORIZED").with("www-authenticate", challenge);
    let run = site.run(Fault::answer(refusal, |_| true), &[]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new());
    assert_eq!(run.fact(CHALLENGE), format!("holds: {challenge}"));
    assert_eq!(run.fact(TOKEN), format!("not checked: the challenge has no token server: {challenge}"));
}

fn renamed_challenge_lets_nobody_in(site: &Site) {
    let run = site.run(renamed_challenge().asking(), &["--user", "admin"]);
    assert_eq!(run.names("does not hold"), [LETS_IN, CHALLENGE]);
    assert!(!run.passes);
}

fn dead_realm_breaks(site: &Site) {
    let fault = Fault::after(|_, reply| {
        if reply.status == 401 {
            reply.set("www-authenticate", "Bearer realm=\"http://127.0.0.1:1/token\",service=\"registry\"");
        }
    });
    let run = site.run(fault.asking(), &[]);
    assert_eq!(run.names("does not hold"), [REALM, TOKEN]);
    assert!(run.fact(REALM).contains("http://127.0.0.1:1/token"));
    assert!(!run.passes);
}

fn wrong_password_lets_nobody_in(site: &Site) {
    let url = site.serve(Fault::none().asking());
    let wrong = [("SLIPWAY_SMOKE_PASSWORD", "wrong")];
    let run = Run::of(&url, &["--json", "--user", "admin"], &wrong);
    assert_eq!(run.names("does not hold"), [LETS_IN, TOKEN]);
    assert!(run.fact(LETS_IN).contains("GET /token was answered 401"), "{}", run.fact(LETS_IN));
    assert!(!run.passes);
}

fn user_needs_password(site: &Site) {
    let url = site.serve(Fault::none().asking());
    for arguments in [&["--user", "admin"][..], &["--user", "admin", "--password-stdin"]] {
        let run = Run::of(&url, arguments, &[]);
        assert!(run.stderr.contains("no password for admin"), "{}", run.stderr);
        assert!(!run.passes);
    }
}

fn stranger_checks_little(site: &Site) {
    let url = site.serve(Fault::none().asking());
    let run = Run::of(&url, &["--json"], &[]);
    assert_eq!(run.names("holds"), [CHALLENGE, REALM, TOKEN, STRANGER]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new());
    assert!(run.fact(GET).starts_with("not checked: it takes a login"), "{}", run.fact(GET));
    assert_eq!(run.code, Some(3), "nothing was pushed, so that nobody knows");
    let told = Run::of(&url, &[], &[]);
    assert!(
        told.stdout.contains("more checks were not made\n                  it takes a login"),
        "{}",
        told.stdout
    );
    assert!(told.stdout.lines().count() < 30, "{}", told.stdout);
    assert!(told.stdout.ends_with(": WHETHER PUSHES AND PULLS WORK IS NOT KNOWN\n"), "{}", told.stdout);
}

fn login_checks_all(site: &Site) {
    let fault = Fault::none().asking().direct();
    let run = site.run(fault, &["--user", "admin"]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new(), "{}", run.stdout);
    assert_eq!(run.names("not checked"), [LARGE, SLOW]);
    assert!(run.passes);
}

fn token_is_renewed(site: &Site) {
    let accounts = Accounts { is_brief: true, ..Accounts::default() };
    let run = site.run(Fault { accounts: Some(accounts), ..Fault::none() }, &["--user", "admin"]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new(), "{}", run.stdout);
    assert!(run.names("not checked").iter().all(|name| name.contains("direct") || is_expected(name)));
}

fn dead_location_breaks(site: &Site) {
    let fault = Fault::after(|request, reply| {
        if request.method == Method::POST {
            reply.set("location", "http://127.0.0.1:1/v2/x/blobs/uploads/1");
        }
    });
    let run = site.run(fault, &[]);
    assert!(run.fact(LEADS_BACK).contains("127.0.0.1:1"));
    assert!(!run.passes);
}

fn long_location_is_followed(site: &Site) {
    let run = site.run(redirect(), &[]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new());
    assert!(run.fact(GET).contains("307 with a Location of 21"), "{}", run.fact(GET));
}

fn early_refusal_is_read(site: &Site) {
    // A client that stops at the first failed write misses the answer in some of these.
    for _ in 0..3 {
        let fault = Fault::early(Reply::oci(413, "UNSUPPORTED"), |request| {
            request.headers.get("content-length").is_some_and(|length| length == "6291456")
        });
        let run = site.run(fault, &[]);
        assert_eq!(run.names("does not hold"), Vec::<String>::new());
        assert!(run.fact(SIX).starts_with("holds: refused:"), "{}", run.fact(SIX));
        assert!(run.fact(SIX).contains("UNSUPPORTED"), "{}", run.fact(SIX));
    }
}

fn throttled(times: u32) -> Fault {
    let left = AtomicU32::new(times);
    let fault = Fault::before(move |request| {
        let is_throttled = request.is(&Method::PUT, "/manifests/smoke-adopted")
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        is_throttled.then(|| Reply::oci(429, "TOOMANYREQUESTS"))
    });
    fault.direct()
}

fn throttled_manifest_is_repeated(site: &Site) {
    let run = site.run(throttled(2), &[]);
    assert_eq!(run.names("does not hold"), Vec::<String>::new());
    assert!(run.fact(ADOPTED).ends_with("2 answers 429"), "{}", run.fact(ADOPTED));
}

fn long_throttling_breaks(site: &Site) {
    let run = site.run(throttled(5), &[]);
    assert_eq!(run.names("does not hold"), [ADOPTED]);
    assert!(run.fact(ADOPTED).contains("containerd gives up"), "{}", run.fact(ADOPTED));
    assert!(!run.passes);
}

fn large_layer_is_timed(site: &Site) {
    let run = site.run(Fault::none().direct(), &["--large", "3MiB"]);
    assert!(run.fact(LARGE).starts_with("holds: 3145728 bytes in"), "{}", run.fact(LARGE));
}

fn slow_layer_takes_its_time(site: &Site) {
    let run = site.run(Fault::none().direct(), &["--slow", "1s"]);
    assert!(run.fact(SLOW).starts_with("holds: 1048577 bytes in"), "{}", run.fact(SLOW));
}

fn report_is_readable(site: &Site) {
    let url = site.serve(Fault::answer(Reply::new(417), |request| request.headers.contains_key("expect")));
    let run = Run::of(&url, &[], &[]);
    let wanted = "DOES NOT HOLD   Expect: 100-continue does not stop an upload\n";
    assert!(run.stdout.contains(wanted), "{}", run.stdout);
    assert!(run.stdout.contains("not essential: tell users"), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("holds           {PUSH}\n")));
    assert!(run.stdout.contains("1 do not hold, "), "{}", run.stdout);
    assert!(run.stdout.ends_with(" nothing essential breaks\n"), "{}", run.stdout);
    assert!(run.passes);
}

fn silence_fails(_: &Site) {
    let run = Run::of("http://127.0.0.1:1", &["--json"], &[]);
    assert_eq!(run.names("does not hold"), [LETS_IN], "one alarm is enough");
    assert_eq!(run.names("holds"), Vec::<String>::new());
    assert!(run.fact(LETS_IN).contains("connect to 127.0.0.1:1"), "{}", run.fact(LETS_IN));
    assert!(!run.passes);
}

fn nothing_stays(site: &Site) {
    let url = site.serve(Fault::none());
    let run = Run::of(&url, &["--json"], &[]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let repository = report["repository"].as_str().unwrap();
    let tags = site.get(&format!("/v2/{repository}/tags/list"));
    assert!(!tags.contains("smoke-"), "{tags}");
}
