//! What every client goes through.

use std::sync::Arc;

use crate::accounts::place::{Login, Place};
use crate::tool::Failure;

/// A client that can log in. What it pushes is small, and its own choice.
pub(super) trait Account: Sized {
    /// What people call it.
    const NAME: &str;

    /// How it logs in, for the page.
    const LOGIN: &str;

    /// Returns the client without any credential; prints that `test` is skipped where it is not installed.
    fn start(test: &str) -> Option<Self>;

    /// Logs in. A client that only notes who is to log in later does that.
    fn log_in(&mut self, host: &str, user: &str, secret: &str) -> Result<(), Failure>;

    /// Logs out, or forgets.
    fn log_out(&mut self, host: &str);

    /// Pushes to `<host>/<repository>:<tag>`.
    fn push(&self, reference: &str) -> Result<(), Failure>;

    /// Pulls into storage that has nothing of it.
    fn pull(&self, reference: &str) -> Result<(), Failure>;
}

/// How clients tell a person that the registry does not let them. Each has its own words, or the registry's.
const REFUSALS: [&str; 10] = [
    "unauthorized",
    "not authorized",
    "denied",
    "authentication required",
    "authorization failed",
    "requires a token",
    "invalid username/password",
    "credentials are wrong",
    "may not",
    // containerd, where it was still about to send the manifest.
    "closed pipe",
];

pub(super) fn may_do_what_the_accounts_say<C: Account>(test: &str, place: fn(&str) -> Option<Arc<Place>>) {
    let Some(place) = place(test) else { return };
    let Some(client) = C::start(test) else { return };
    let [alice, bob] = ["alice", "bob"].map(|name| place.user(name));
    let mut story = Story { host: place.address(), client };
    let [app, built] = ["app", "ci-app"].map(|name| format!("{}/{}/{name}:1.0.0", story.host, alice.name));

    let wrong = Login { secret: "a wrong password".to_owned(), ..alice.clone() };
    story.is_refused("a wrong password", |story| {
        story.log_in(&wrong)?;
        story.client.push(&app)
    });
    for login in [&alice, &place.personal_token(&alice)] {
        story.logged_in(login, |client| {
            client.push(&app).unwrap();
            client.pull(&app).unwrap();
        });
        story.is_refused("a push after the logout", |story| story.client.push(&app));
        story.is_refused("a pull after the logout", |story| story.client.pull(&app));
    }
    story.logged_in(&bob, |client| {
        refused("a private repository, for another user", client.pull(&app));
        refused("a push to another user's", client.push(&app));
    });
    let robot = place.robot(&alice, "ci", &format!("{}/ci-*", alice.name));
    story.logged_in(&robot, |client| {
        client.push(&built).unwrap();
        client.pull(&built).unwrap();
        refused("a push past a robot's scope", client.push(&app));
        refused("a pull past a robot's scope", client.pull(&app));
    });

    place.make_public(&format!("{}/app", alice.name));
    // Under a new tag: clients that may look see that the other is there already, and send nothing.
    let next = app.replace(":1.0.0", ":2.0.0");
    story.client.pull(&app).unwrap();
    story.is_refused("a push by nobody to what is public", |story| story.client.push(&next));
    story.logged_in(&bob, |client| {
        client.pull(&app).unwrap();
        refused("a push to what is public and another user's", client.push(&next));
    });
    story.client.pull(&next).unwrap_err();
    place.assert_sound();
}

struct Story<C> {
    host: String,
    client: C,
}

impl<C: Account> Story<C> {
    fn log_in(&mut self, login: &Login) -> Result<(), Failure> {
        self.client.log_in(&self.host, &login.name, &login.secret)
    }

    /// Does something logged in.
    fn logged_in(&mut self, login: &Login, act: impl FnOnce(&C)) {
        self.log_in(login).unwrap();
        act(&self.client);
        self.client.log_out(&self.host);
    }

    /// Does what must not be done; nobody is logged in afterwards.
    fn is_refused(&mut self, what: &str, act: impl FnOnce(&mut Self) -> Result<(), Failure>) {
        let outcome = act(self);
        refused(what, outcome);
        self.client.log_out(&self.host);
    }
}

/// Refused, and in words; not in those of a crash.
fn refused(what: &str, outcome: Result<(), Failure>) {
    let Err(Failure(said)) = outcome else { panic!("{what} is let through") };
    let lower = said.to_lowercase();
    assert!(REFUSALS.iter().any(|refusal| lower.contains(refusal)), "{what}: {said}");
}
