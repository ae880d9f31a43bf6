//! Routes, and which of them a request takes.

use std::collections::BTreeMap;

use crate::{HeaderMapping, MappingError};

/// A route of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET` and so on, or `ANY`; of no meaning for `$default`.
    pub method: String,
    /// `/v2/{proxy+}`, for example, or `$default`.
    pub path: String,
    /// The name of the function that answers.
    pub function: String,
    /// What is changed in the headers of an answer, by its status code.
    pub response_headers: BTreeMap<u16, Vec<HeaderMapping>>,
}

impl Route {
    /// Returns a route without response mappings.
    pub fn new(method: &str, path: &str, function: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            function: function.to_owned(),
            response_headers: BTreeMap::new(),
        }
    }

    /// Adds a mapping in the words of a template: `overwrite:header.www-authenticate` and its value.
    pub fn with_mapping(mut self, status: u16, key: &str, value: &str) -> Result<Self, MappingError> {
        self.response_headers.entry(status).or_default().push(HeaderMapping::parse(key, value)?);
        Ok(self)
    }

    /// Returns the key of the route: `GET /v2/{proxy+}` or `$default`.
    pub fn key(&self) -> String {
        if self.is_default() { self.path.clone() } else { format!("{} {}", self.method, self.path) }
    }

    /// Returns what the variables of the path hold for `path`, or `None` when the path is not of this route.
    pub(crate) fn variables(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        if self.is_default() {
            return Some(variables);
        }
        let mut rest = path;
        for segment in self.segments() {
            rest = rest.strip_prefix('/')?;
            let end = if segment.is_greedy() { rest.len() } else { rest.find('/').unwrap_or(rest.len()) };
            let (value, after) = rest.split_at(end);
            rest = after;
            match segment {
                Segment::Fixed(fixed) if fixed == value => {}
                Segment::Variable(name) | Segment::Greedy(name) if !value.is_empty() => {
                    variables.insert(name.to_owned(), value.to_owned());
                }
                _ => return None,
            }
        }
        rest.is_empty().then_some(variables)
    }

    fn takes(&self, method: &str) -> bool {
        self.is_default() || self.method == "ANY" || self.method == method
    }

    fn is_default(&self) -> bool {
        self.path == "$default"
    }

    fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.path.split('/').skip(1).map(Segment::parse)
    }

    /// Orders routes: the most specific first, `$default` last, and a named method before `ANY`.
    fn rank(&self) -> (bool, bool, Vec<u8>, bool) {
        let is_greedy = self.segments().any(|segment| segment.is_greedy());
        let kinds = self.segments().map(|segment| segment.rank()).collect();
        (self.is_default(), is_greedy, kinds, self.method == "ANY")
    }
}

/// Returns the route that a request takes, with what the variables of its path hold.
///
/// As AWS documents it: the most specific path among the routes that take the method, a full match before a greedy
/// variable, `$default` when nothing else fits.
pub(crate) fn choose<'r>(
    routes: &'r [Route],
    method: &str,
    path: &str,
) -> Option<(&'r Route, BTreeMap<String, String>)> {
    routes
        .iter()
        .filter(|route| route.takes(method))
        .filter_map(|route| Some((route, route.variables(path)?)))
        .min_by_key(|(route, _)| route.rank())
}

enum Segment<'p> {
    Fixed(&'p str),
    Variable(&'p str),
    Greedy(&'p str),
}

impl<'p> Segment<'p> {
    fn parse(text: &'p str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Self::Fixed(text),
            Some(name) => name.strip_suffix('+').map_or(Self::Variable(name), Self::Greedy),
        }
    }

    fn is_greedy(&self) -> bool {
        matches!(self, Self::Greedy(_))
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Fixed(_) => 0,
            Self::Variable(_) => 1,
            Self::Greedy(_) => 2,
        }
    }
}
