//! The content of items about accounts, credentials and what happened to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::access::{AccountName, Limits, NameInvalid, RobotName, Role, Scope, TeamName, Via, matches};
use crate::ports::{Item, Timestamp};

/// Who may pull from a repository without having been given a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Anybody.
    Public,
    /// Nobody.
    #[default]
    Private,
}

/// Whether an account can be used. A deleted one keeps its name, so that nobody inherits what it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It can.
    #[default]
    Active,
    /// Not until an administrator enables it again.
    Disabled,
    /// Never again.
    Deleted,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserRecord {
    /// Whether the account can be used.
    pub state: AccountState,
    /// The argon2id hash in PHC form; none if the user logs in with tokens alone.
    pub password: Option<String>,
    /// Since when the password is this one: what was made by an older login is void.
    pub password_since: Timestamp,
    /// Whether the user may do everything in this registry.
    pub is_administrator: bool,
    /// What new repositories of the namespace are.
    pub default_visibility: Visibility,
    /// When it was made.
    pub created: Timestamp,
    /// How many organisations the user has made who was no administrator, deleted ones too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub organisations_made: u32,
    /// Whether somebody is deleting it. That hides nothing; what begins in it takes the flag off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// An organisation: a namespace that several users share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganisationRecord {
    /// Whether the account can be used.
    pub state: AccountState,
    /// What new repositories of the namespace are.
    pub default_visibility: Visibility,
    /// Its teams.
    pub teams: BTreeMap<TeamName, TeamRecord>,
    /// When it was made.
    pub created: Timestamp,
    /// Whether somebody is deleting it. That hides nothing; what begins in it takes the flag off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}

/// A team of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TeamRecord {
    /// What it is for.
    pub description: String,
    /// Whether somebody is deleting it, so that it gets nothing more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}

/// What a member is in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationRole {
    /// Has what its teams and the repositories give it.
    Member,
    /// Is admin of every repository, and manages members and teams.
    Owner,
}

/// A user is a member of an organisation; the key says who of which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// What it is there.
    pub role: OrganisationRole,
    /// The teams that it is in.
    pub teams: BTreeSet<TeamName>,
    /// Since when.
    pub since: Timestamp,
    /// Whether another owner made it one, to which it has not agreed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unasked: bool,
}

impl MemberRecord {
    /// Returns a plain member, in no team.
    pub fn new(since: Timestamp) -> Self {
        Self { role: OrganisationRole::Member, teams: BTreeSet::new(), since, is_unasked: false }
    }

    /// Returns whether it is an owner by its own will: one that the organisation can be left to.
    pub fn is_willing_owner(&self) -> bool {
        self.role == OrganisationRole::Owner && !self.is_unasked
    }
}

/// Who was given a role in a repository: a user, or a team of the organisation whose namespace it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Grantee {
    /// `user:<name>`
    User(AccountName),
    /// `team:<name>`
    Team(TeamName),
}

impl fmt::Display for Grantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "user:{name}"),
            Self::Team(name) => write!(f, "team:{name}"),
        }
    }
}

impl FromStr for Grantee {
    type Err = NameInvalid;

    fn from_str(text: &str) -> Result<Self, NameInvalid> {
        match text.split_once(':') {
            Some(("user", name)) => Ok(Self::User(name.parse()?)),
            Some(("team", name)) => Ok(Self::Team(name.parse()?)),
            _ => Err(NameInvalid::of(text)),
        }
    }
}

impl TryFrom<String> for Grantee {
    type Error = NameInvalid;

    fn try_from(text: String) -> Result<Self, NameInvalid> {
        text.parse()
    }
}

impl From<Grantee> for String {
    fn from(grantee: Grantee) -> Self {
        grantee.to_string()
    }
}

/// Which tags stay where they are once they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImmutableTags {
    /// Patterns of tags that can be neither moved nor deleted; `*` alone is every tag.
    pub patterns: Vec<String>,
    /// Patterns of tags that can be all the same.
    pub except: Vec<String>,
}

impl ImmutableTags {
    /// Returns those of the repository: none once somebody is deleting it.
    pub(crate) fn of(repository: Option<&Item>) -> Self {
        let record = repository.and_then(|item| item.record.as_repository());
        record
            .filter(|record| !record.is_ending)
            .map(|record| record.immutable_tags.clone())
            .unwrap_or_default()
    }

    /// Returns whether no tag is immutable.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.except.is_empty()
    }

    /// Returns whether the tag can be neither moved nor deleted.
    pub fn covers(&self, tag: &oci::Tag) -> bool {
        let is_in = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, tag.as_str()));
        is_in(&self.patterns) && !is_in(&self.except)
    }
}

/// What a stored credential is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A user's own token.
    Personal,
    /// A robot of the owner's namespace.
    Robot(RobotName),
    /// What a login left, so that the password need not be kept. It is void when what it was made with is.
    Refresh {
        /// The credential of that login: none if it was the password.
        made_with: Option<Via>,
        /// The robot that logged in, if it was one.
        robot: Option<RobotName>,
    },
}

impl TokenKind {
    /// Returns whether it is what a client keeps of a login.
    pub(crate) fn is_login(&self) -> bool {
        matches!(self, Self::Refresh { .. })
    }

    /// Returns what it is void without.
    pub(crate) fn made_with(&self) -> Option<&Via> {
        match self {
            Self::Refresh { made_with, .. } => made_with.as_ref(),
            Self::Personal | Self::Robot(_) => None,
        }
    }
}

/// A credential that can be stored, and revoked by deleting it; its key is the public part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What it is.
    pub kind: TokenKind,
    /// The user it acts for, or the namespace of the robot.
    pub owner: AccountName,
    /// What it is for, in its maker's words.
    pub label: String,
    /// The SHA-256 of the whole token, in hex.
    pub sha256: String,
    /// How far it reaches.
    pub limits: Limits,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Until when it can be used.
    pub expires: Option<Timestamp>,
    /// When it was used last, to the hour.
    pub last_used: Option<Timestamp>,
}

/// Lets those whom an OIDC issuer vouches for act as a robot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrustRecord {
    /// The issuer, exactly as in `iss`.
    pub issuer: String,
    /// What has to be in `aud`.
    pub audience: String,
    /// What other claims have to be; `*` and `?` as in patterns.
    pub claims: BTreeMap<String, String>,
    /// The namespace of the robot.
    pub owner: AccountName,
    /// The robot.
    pub robot: RobotName,
    /// What it may do, in its namespace.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// How many more attempts somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BucketRecord {
    /// As many thousandths of an attempt were left.
    pub left_thousandths: u64,
    /// When.
    pub at: Timestamp,
    /// Whether it has been noted that it is empty.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_noted: bool,
}

/// An identity token was used; the key is its hash.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsedRecord {
    /// Until when that has to be remembered.
    pub until: Timestamp,
}

/// Something that somebody did or tried, for those who have to answer for it. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// When.
    pub at: Timestamp,
    /// Who, as far as was known.
    pub actor: String,
    /// From where, as far as is known.
    pub address: String,
    /// What, for example `login` or `grant.put`.
    pub action: String,
    /// To what.
    pub target: String,
    /// Whether it was done.
    pub outcome: AuditOutcome,
    /// More about it.
    pub detail: String,
}

/// Whether something was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was.
    Done,
    /// It was not allowed.
    Refused,
    /// It was begun, and takes a while; another line says when it was done.
    Begun,
}

/// The roles given in a repository.
pub type Grants = BTreeMap<Grantee, Role>;
