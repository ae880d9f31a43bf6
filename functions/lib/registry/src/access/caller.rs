//! Who asks, and with what right.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv6Addr;
use std::sync::Arc;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::Principal;
use crate::access::{AccountName, Claims, Permission, RobotName};
use crate::ports::Key;
use crate::records::keys;

/// Where a request comes from, as far as that is known: it counts failed logins, and stands in the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address(Arc<str>);

impl Address {
    /// Returns the address with this text, cut to what an address can be.
    pub fn new(text: &str) -> Self {
        let is_of_address = |c: &char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        Self(text.chars().filter(is_of_address).take(45).collect::<String>().into())
    }

    /// Returns the text; empty if nothing is known.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns what one client has: the address, or the 2^64 addresses of IPv6 around it.
    #[must_use]
    pub fn network(&self) -> Self {
        match self.0.parse::<Ipv6Addr>() {
            Ok(ip) => Self(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).to_string().into()),
            Err(_) => self.clone(),
        }
    }
}

impl Default for Address {
    fn default() -> Self {
        Self("".into())
    }
}

/// For whom requests count that only so many may send at once: an account, or without one, a network.
pub(crate) type Party = (Who, Address);

/// Whom a request speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Nobody in particular.
    Anonymous,
    /// Anybody, in a registry that is open.
    Everybody,
    /// A user.
    User(AccountName),
    /// A robot of a namespace.
    Robot(AccountName, RobotName),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous | Self::Everybody => f.write_str("anonymous"),
            Self::User(name) => name.fmt(f),
            Self::Robot(namespace, name) => write!(f, "{namespace}+{name}"),
        }
    }
}

impl Who {
    /// Reads what [`Who`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once('+') {
            _ if text == "anonymous" || text.is_empty() => Some(Self::Anonymous),
            Some((namespace, robot)) => Some(Self::Robot(namespace.parse().ok()?, robot.parse().ok()?)),
            None => Some(Self::User(text.parse().ok()?)),
        }
    }
}

/// What a right rests on beside the account: the place of a stored credential, or of a trust in an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Via(String);

impl Via {
    pub(crate) fn token(id: &str) -> Self {
        Self(format!("token:{id}"))
    }

    pub(crate) fn trust(issuer: &str, id: &str) -> Self {
        Self(format!("trust:{issuer}:{id}"))
    }

    pub(crate) fn is_trust(&self) -> bool {
        self.0.starts_with("trust:")
    }

    /// Returns where it is stored.
    pub(crate) fn key(&self) -> Option<Key> {
        let mut words = self.0.split(':');
        match (words.next()?, words.next()?, words.next()) {
            ("token", id, None) => Some(keys::token(id)),
            ("trust", issuer, Some(id)) => Some(keys::trust(issuer, id)),
            _ => None,
        }
    }
}

/// Somebody who asks, known by what they showed.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(crate) who: Who,
    /// The stored credentials that were shown, or that the token was made with: all have to be there still.
    pub(crate) via: Vec<Via>,
    /// What the access token says, if one was shown.
    pub(crate) token: Option<Arc<Claims>>,
    /// Whether that token's time is over; an upload may go on with it.
    pub(crate) is_expired: bool,
    /// Whether an access token without scopes speaks for all of the account, as it does where accounts are managed.
    pub(crate) is_whole: bool,
    pub(crate) address: Address,
}

impl Caller {
    pub(crate) fn new(who: Who, address: Address) -> Self {
        Self { who, via: Vec::new(), token: None, is_expired: false, is_whole: false, address }
    }

    /// Returns somebody who showed nothing.
    pub fn anonymous(address: Address) -> Self {
        Self::new(Who::Anonymous, address)
    }

    /// Returns anybody, for a registry that is open.
    pub fn everybody(address: Address) -> Self {
        Self::new(Who::Everybody, address)
    }

    /// Returns whom the request speaks for.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Returns the name that records carry.
    pub fn principal(&self) -> Principal {
        Principal::new(&self.who.to_string())
    }

    /// Returns for whom the request counts.
    pub(crate) fn party(&self) -> Party {
        let address = match self.who {
            Who::Anonymous | Who::Everybody => self.address.network(),
            Who::User(_) | Who::Robot(..) => Address::default(),
        };
        (self.who.clone(), address)
    }

    /// Returns where it is written what the caller is.
    pub(crate) fn keys(&self) -> BTreeSet<Key> {
        self.user().map(keys::account).into_iter().chain(self.via.iter().filter_map(Via::key)).collect()
    }

    /// Returns whether nothing was shown.
    pub fn is_anonymous(&self) -> bool {
        self.who == Who::Anonymous && self.token.is_none()
    }

    /// Returns whether an access token was shown.
    pub(crate) fn is_bearer(&self) -> bool {
        self.token.is_some()
    }

    /// Returns whether the access token that was shown is for particular scopes, and nothing else.
    pub fn is_for_scopes(&self) -> bool {
        self.token.as_ref().is_some_and(|claims| !claims.access.is_empty())
    }

    /// Returns the same, for management: there an access token that is for no repository stands for its account.
    #[must_use]
    pub fn managing(self) -> Self {
        Self { is_whole: !self.is_for_scopes(), ..self }
    }

    /// Returns the user's name, if it is one.
    pub fn user(&self) -> Option<&AccountName> {
        match &self.who {
            Who::User(name) => Some(name),
            _ => None,
        }
    }

    /// Returns whether the access token allows this; `None` if the account decides alone.
    pub(crate) fn token_allows(&self, repository: &RepositoryName, permission: Permission) -> Option<bool> {
        let claims = self.token.as_ref().filter(|_| !self.is_whole)?;
        Some(claims.access.iter().any(|scope| scope.allows(repository, permission)))
    }

    /// Returns whether the access token is about the repository, whatever it allows there.
    pub(crate) fn token_names(&self, repository: &RepositoryName) -> bool {
        self.token.as_ref().is_some_and(|claims| claims.access.iter().any(|scope| scope.is_of(repository)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_subscriber_count_as_one() {
        let network = |text| Address::new(text).network().as_str().to_owned();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2:ffff::1"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
    }
}
