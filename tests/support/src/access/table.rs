//! The table: who may do what where.

use std::fmt;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table below says what each one is")]
pub enum Role {
    Anonymous,
    Stranger,
    Member,
    Puller,
    Pusher,
    Admin,
    Owner,
    Administrator,
    Robot,
    Limited,
    Expired,
    Revoked,
    Deleted,
    Disabled,
}

/// A repository, by what it is to those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A public one of the organisation `team`.
    Opened,
    /// A private one of the organisation `team`.
    Hidden,
    /// A private one of another organisation.
    Board,
    /// One of `team` that does not exist.
    Absent,
    /// One that does not exist in a namespace of nobody.
    Elsewhere,
    /// One that does not exist in the own namespace.
    Own,
}

/// What the credentials of a role are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything that the table says.
    Live,
    /// Its time is over: the table says what its access token was given.
    Expired,
    /// What it was made with is void: the table says what its access token, not five minutes old, was given.
    Void,
}

/// How a credential is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// Not at all.
    Nothing,
    /// A stored token, as the password of Basic authentication.
    Basic,
    /// The password.
    Password,
    /// An access token of `/token`.
    Bearer,
}

const NONE: &str = "";
const R: &str = "pull";
const RW: &str = "pull push";
const RWD: &str = "pull push delete";
/// There is no such place for this role.
const X: &str = "-";

/// What each role may do in each place.
#[rustfmt::skip]
const TABLE: [(Role, [&str; 6]); 14] = [
    //                    Opened Hidden Board Absent Elsewhere Own
    (Role::Anonymous,     [R,    NONE,  NONE, NONE,  NONE,     X]),
    // A user who has nothing to do with `team`.
    (Role::Stranger,      [R,    NONE,  NONE, NONE,  NONE,     RWD]),
    // A member of `team`, in no team that was given anything.
    (Role::Member,        [R,    NONE,  NONE, NONE,  NONE,     RWD]),
    // A stranger who was given `pull` in both repositories.
    (Role::Puller,        [R,    R,     NONE, NONE,  NONE,     RWD]),
    // A member in the team `devs`, which was given `push` in both.
    (Role::Pusher,        [RW,   RW,    NONE, NONE,  NONE,     RWD]),
    // A stranger who was given `admin` in both.
    (Role::Admin,         [RWD,  RWD,   NONE, NONE,  NONE,     RWD]),
    // An owner of `team`.
    (Role::Owner,         [RWD,  RWD,   NONE, RWD,   NONE,     RWD]),
    // An administrator of the registry.
    (Role::Administrator, [RWD,  RWD,   RWD,  RWD,   RWD,      RWD]),
    // A robot of `team`, with `pull,push` in `team/*`.
    (Role::Robot,         [RW,   RW,    NONE, RW,    NONE,     X]),
    // A token of the role `Admin`, with `pull` in the private repository alone.
    (Role::Limited,       [R,    R,     NONE, NONE,  NONE,     NONE]),
    // Four in the team `devs`: an access token after its end, a token that was revoked, a user who was deleted, one
    // who was disabled.
    (Role::Expired,       [RW,   RW,    NONE, NONE,  NONE,     RWD]),
    (Role::Revoked,       [RW,   RW,    NONE, NONE,  NONE,     RWD]),
    (Role::Deleted,       [RW,   RW,    NONE, NONE,  NONE,     RWD]),
    (Role::Disabled,      [RW,   RW,    NONE, NONE,  NONE,     RWD]),
];

impl Role {
    /// Returns every role.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(role, _)| *role)
    }

    /// Returns the words of the table for the place; `None` if there is no such place.
    pub fn words(self, place: Place) -> Option<&'static str> {
        let row = TABLE.iter().find(|(role, _)| *role == self).map(|(_, row)| row);
        row.map(|row| row[place as usize]).filter(|words| *words != X)
    }

    /// Returns whether the table has the word for the place.
    pub fn may(self, place: Place, permission: &str) -> bool {
        self.words(place).is_some_and(|words| words.split(' ').any(|word| word == permission))
    }

    /// Returns what the credentials are worth.
    pub fn state(self) -> State {
        match self {
            Self::Expired => State::Expired,
            Self::Revoked | Self::Deleted | Self::Disabled => State::Void,
            _ => State::Live,
        }
    }

    /// Returns the ways in which the role shows its credentials.
    pub fn ways(self) -> &'static [Way] {
        match self {
            Self::Anonymous => &[Way::Nothing, Way::Bearer],
            // Their users' passwords are as good as any.
            Self::Robot | Self::Limited | Self::Expired | Self::Revoked => &[Way::Basic, Way::Bearer],
            _ => &[Way::Basic, Way::Password, Way::Bearer],
        }
    }

    /// Returns the name of the user, or the user name of the robot; that of nobody is never used.
    pub fn user(self) -> String {
        match self {
            Self::Robot => "team+ci".to_owned(),
            Self::Limited => Self::Admin.user(),
            role => format!("the-{role:?}").to_lowercase(),
        }
    }
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 6] =
        [Self::Opened, Self::Hidden, Self::Board, Self::Absent, Self::Elsewhere, Self::Own];

    /// Returns whether the repository exists.
    pub fn exists(self) -> bool {
        matches!(self, Self::Opened | Self::Hidden | Self::Board)
    }

    /// Returns the repository's name, as long as any other of these, so that answers can be compared byte for byte.
    pub fn name(self, role: Role) -> String {
        match self {
            Self::Opened => "team/opened".to_owned(),
            Self::Hidden => "team/hidden".to_owned(),
            Self::Board => "other/board".to_owned(),
            Self::Absent => "team/absent".to_owned(),
            Self::Elsewhere => "nobody/gone".to_owned(),
            Self::Own => format!("{}/own", role.user()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
