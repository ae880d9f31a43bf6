//! Who may do what.
//!
//! - `names`, `permission`: the words.
//! - `credentials`, `passwords`, `signing`: what clients show, and how it is checked.
//! - `login`: who shows it. `kept_logins`: what clients keep of that. `throttle`: how often somebody may be wrong.
//! - `policy`: what that one may do in a repository, one pure function; `rights`: the facts for it.
//! - `gate`: the only way from a request to the registry's content; `permit`: what it gives out.
//! - `users`, `organisations`, `tokens`, `trusts`, `repositories`: the management of all that. `audit`: the trace of it.

mod account_delete;
mod account_list;
mod accounts;
mod audit;
mod audit_list;
mod caller;
mod credentials;
mod error;
mod gate;
mod grants;
mod identities;
mod kept_logins;
mod login;
mod managers;
mod members;
mod names;
mod organisations;
mod passwords;
mod permission;
mod permit;
mod policy;
mod refusals;
mod repositories;
mod repository_delete;
mod rights;
mod sealing;
mod signing;
mod throttle;
mod token_lines;
mod tokens;
mod trust_rules;
mod trusts;
mod users;

pub use accounts::{Access, AccessOptions, Account};
pub use audit_list::{AuditEntry, AuditFilter, AuditPage};
pub(crate) use caller::Party;
pub use caller::{Address, Caller, Via, Who};
pub use credentials::{Credential, Secret};
pub use error::AccessError;
pub use gate::{Denied, Gate, Lack, Shown};
pub use grants::{Grant, GrantedScope, ScopeWanted, TOKEN_LIFE};
pub use identities::{Identities, Identity, IdentityInvalid};
pub use names::{AccountName, NAME_MAX_CHARS, NameInvalid, RobotName, TeamName};
pub use passwords::check_strength as check_password;
pub use permission::{Limits, Permission, Permissions, Role, Scope, matches};
pub(crate) use permission::{may_not, may_not_begin};
pub use permit::{Delete, Permit, Pull, Push, Right};
pub use repositories::{RepositoryChange, RepositoryEntry};
pub use signing::{Claims, KeyRing, TokenInvalid};
pub use tokens::{Token, TokenState, TokenWanted};
pub use trusts::{Trust, TrustWanted};
pub use users::UserChange;
