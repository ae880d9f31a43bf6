//! The ways in: a gateway and an edge before the functions. A stack has one; tests open others, with something wrong.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use anyhow::{Result, ensure};
use gateway_standin::{Function, Gateway, GatewayOptions, Manners, Route};
use serde_json::{Value, json};

use crate::deployment::{BUCKET, Deployment, Hosts};
use crate::edge::{Edge, Terms};
use crate::programs::{Programs, root};

/// In what a way in differs from the templates.
#[derive(Clone, Default)]
pub struct Changes {
    /// In what the gateway differs from AWS's.
    pub manners: Manners,
    /// What becomes of the routes.
    pub routes: Option<fn(&mut Vec<Route>)>,
    /// Functions in place of the stack's.
    pub functions: BTreeMap<&'static str, Function>,
    /// Whether the edge leaves the relay out, where there is one.
    pub leaves_relay_out: bool,
    /// Whether the edge authorises uploads by capabilities: `Uploads=capability`.
    pub has_capability: bool,
    /// Pieces of the edge's function, and what stands in their places.
    pub edge_code: Vec<(String, String)>,
    /// The same for its template.
    pub edge_template: Vec<(String, String)>,
    /// Values of the settings of the edge's function.
    pub edge_settings: Vec<(&'static str, Value)>,
    /// More flags of the edge's stand-in.
    pub edge_flags: Vec<&'static str>,
}

/// What every way in leads to, and what it takes to open one.
pub(crate) struct Entry {
    pub(crate) programs: Programs,
    pub(crate) folder: PathBuf,
    pub(crate) routes: Vec<Route>,
    pub(crate) functions: HashMap<String, Function>,
    pub(crate) deployment: Deployment,
    /// Empty where there is no relay.
    pub(crate) relay_host: String,
    /// What `Authorization` is of a request that has none.
    pub(crate) authorization: Option<String>,
}

/// A way in; it closes when it is dropped.
pub struct Way {
    pub(crate) edge: Option<Edge>,
    pub(crate) gateway: Gateway,
}

impl Way {
    /// Returns host and port that clients use: the edge, where there is one.
    pub fn address(&self) -> String {
        match &self.edge {
            Some(edge) => edge.url.trim_start_matches("http://").to_owned(),
            None => self.gateway.address().to_string(),
        }
    }
}

impl Entry {
    /// Opens a way in, with an edge or without one.
    pub(crate) async fn open(&self, changes: &Changes, has_edge: bool) -> Result<Way> {
        let gateway = Gateway::start(self.gateway_options(changes)).await?;
        let edge = if has_edge { Some(self.edge(&gateway, changes)?) } else { None };
        Ok(Way { edge, gateway })
    }

    fn gateway_options(&self, changes: &Changes) -> GatewayOptions {
        let (mut routes, mut functions) = (self.routes.clone(), self.functions.clone());
        if let Some(change) = changes.routes {
            change(&mut routes);
        }
        functions.extend(changes.functions.iter().map(|(name, other)| ((*name).to_owned(), other.clone())));
        GatewayOptions {
            manners: changes.manners,
            authorization: self.authorization.clone(),
            ..GatewayOptions::new(routes, functions)
        }
    }

    fn edge(&self, gateway: &Gateway, changes: &Changes) -> Result<Edge> {
        let folder = tempfile::Builder::new().prefix("edge-").tempdir_in(&self.folder)?.keep();
        let relay = if changes.leaves_relay_out { "" } else { &self.relay_host };
        let hosts = Hosts { api: gateway.address().to_string(), relay: relay.to_owned() };
        let deployment = match changes.has_capability {
            true => self.deployment.with(&[("Uploads", "capability")]),
            false => self.deployment.clone(),
        };
        let template = std::fs::read_to_string(root().join("infra/edge.yaml"))?;
        let changed_template = folder.join("edge.yaml");
        std::fs::write(&changed_template, edited(&template, &changes.edge_template)?)?;
        let mut stack = deployment.edge_stack(&changed_template, hosts)?;
        let code = &mut stack["EdgeFunction"]["FunctionCode"];
        *code = edited(code.as_str().unwrap_or_default(), &changes.edge_code)?.into();
        // A bucket that is named in the path is no template's.
        let mut settings = json!({ "uploadsPath": format!("/{BUCKET}/uploads/") });
        for (name, value) in &changes.edge_settings {
            settings[name] = value.clone();
        }
        let access_control = deployment.access_control();
        let (authorization, flags) = (self.authorization.clone(), changes.edge_flags.clone());
        Edge::start(&self.programs, &folder, &Terms { stack, settings, access_control, authorization, flags })
    }
}

/// Returns the text with other pieces, each of which must have been there.
fn edited(text: &str, edits: &[(String, String)]) -> Result<String> {
    let mut text = text.to_owned();
    for (old, new) in edits {
        ensure!(text.contains(old), "the edge has no {old:?}");
        text = text.replace(old, new);
    }
    Ok(text)
}
