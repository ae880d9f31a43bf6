//! The cells of the matrix, and what each of them should be answered.

use super::deeds::{Deed, Session, Source, UploadDeed};
use super::table::{Place, Role, State, Way};

/// One combination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Who asks.
    pub role: Role,
    /// How that is shown.
    pub way: Way,
    /// In which repository; none for what is about none.
    pub place: Option<Place>,
    /// For what.
    pub deed: Deed,
}

/// What a cell should be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is allowed, and one of these is the answer.
    Allowed(&'static [u16]),
    /// 401, with this error word in the challenge.
    Unauthorized(Option<&'static str>),
    /// 403.
    Denied,
}

/// Returns every cell that makes sense.
pub fn all_cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for role in Role::all() {
        for &way in role.ways() {
            for deed in Deed::all().into_iter().filter(|deed| is_worth_it(way, *deed)) {
                let places: Vec<Option<Place>> = match deed.permission() {
                    None => vec![None],
                    Some(_) => Place::ALL
                        .into_iter()
                        .filter(|place| role.words(*place).is_some())
                        .map(Some)
                        .collect(),
                };
                cells.extend(places.into_iter().map(|place| Cell { role, way, place, deed }));
            }
        }
    }
    cells.retain(Cell::is_possible);
    cells
}

/// A password costs a slow hash each time: one deed for each permission tells all.
fn is_worth_it(way: Way, deed: Deed) -> bool {
    let few = [Deed::Ping, Deed::ManifestGetByTag, Deed::UploadBegin];
    way != Way::Password || few.contains(&deed)
}

impl Cell {
    fn is_possible(&self) -> bool {
        let (Some(place), Deed::Upload(_, session)) = (self.place, self.deed) else { return true };
        // Where somebody may push nowhere else, there is no session of elsewhere.
        session != Session::OfElsewhere || self.other_place(place).is_some() || !self.expected().is_allowed()
    }

    /// Returns another place in which the role may begin an upload.
    pub fn other_place(&self, place: Place) -> Option<Place> {
        Place::ALL.into_iter().find(|other| *other != place && self.role.may(*other, "push"))
    }

    /// Returns what the answer should be.
    pub fn expected(&self) -> Expected {
        let (is_granted, permission) = match (self.deed, self.place, self.deed.permission()) {
            (Deed::Ping, ..) => (self.role != Role::Anonymous || self.way == Way::Bearer, "pull"),
            (_, Some(place), Some(permission)) => (self.role.may(place, permission), permission),
            // Everybody who is known gets a list of what they may pull from.
            _ => (self.role != Role::Anonymous, "pull"),
        };
        let allowed = Expected::Allowed(self.outcome());
        match (self.way, self.role.state()) {
            (Way::Nothing, _) if is_granted => allowed,
            (Way::Nothing, _) => Expected::Unauthorized(None),
            (Way::Basic | Way::Password, State::Live) if is_granted => allowed,
            (Way::Basic | Way::Password, State::Live) => Expected::Denied,
            (Way::Basic | Way::Password, _) => Expected::Unauthorized(Some("invalid_token")),
            (Way::Bearer, State::Expired) if !self.deed.goes_on() => {
                Expected::Unauthorized(Some("invalid_token"))
            }
            (Way::Bearer, _) if !is_granted => Expected::Unauthorized(Some("insufficient_scope")),
            // Reading is what an access token is good for until its end.
            (Way::Bearer, State::Void) if permission != "pull" => Expected::Denied,
            (Way::Bearer, _) => allowed,
        }
    }

    /// Returns what the answer is when it is allowed.
    fn outcome(&self) -> &'static [u16] {
        let is_there = self.place.is_none_or(Place::exists);
        match self.deed {
            // A repository that is not there refers to nothing.
            Deed::ReferrerList => &[200],
            _ if !is_there && self.deed.permission() != Some("push") => &[404],
            Deed::BlobGet => &[200, 307],
            Deed::BlobRange => &[206, 307],
            Deed::ManifestPutByNewTag
            | Deed::ManifestPutByOldTag
            | Deed::ManifestPutByDigest
            | Deed::PostWhole => &[201],
            Deed::UploadBegin | Deed::TagDelete | Deed::ManifestDelete | Deed::BlobDelete => &[202],
            Deed::Mount(source) if self.role.reads(source) => &[201],
            Deed::Mount(_) => &[202],
            Deed::Upload(_, Session::Others | Session::OfElsewhere) => &[404],
            Deed::Upload(UploadDeed::Status | UploadDeed::Cancel, Session::Own) => &[204],
            Deed::Upload(UploadDeed::Append, Session::Own) => &[202],
            Deed::Upload(UploadDeed::Finish, Session::Own) => &[201],
            _ => &[200],
        }
    }
}

impl Role {
    fn reads(self, source: Source) -> bool {
        match source.place() {
            Some(place) => self.may(place, "pull"),
            None => false,
        }
    }
}

impl Source {
    /// Returns the place that has the blob; none for what nobody has.
    pub fn place(self) -> Option<Place> {
        match self {
            Self::Opened => Some(Place::Opened),
            Self::Hidden | Self::Anywhere => Some(Place::Hidden),
            Self::Board => Some(Place::Board),
            Self::Nowhere => None,
        }
    }
}

impl Expected {
    /// Returns whether the cell is allowed.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}
