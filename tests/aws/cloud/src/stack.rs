//! What the template says: routes, functions and their environment.

use std::time::Duration;

use anyhow::{Context, Result};
use gateway_standin::{Function, FunctionOptions, Route};
use infra_tests::Template;

use crate::deployment::Deployment;
use crate::programs::{Programs, root};

/// What functions have that do not say more: the template's `Globals`.
const MEMORY_MB: u64 = 512;

/// The parsed template.
pub(crate) struct Stack {
    template: Template,
}

impl Stack {
    pub(crate) fn load() -> Result<Self> {
        let path = root().join("infra/template.yaml");
        Ok(Self { template: Template::load(&path)? })
    }

    /// Returns the routes with their mappings.
    pub(crate) fn routes(&self) -> Result<Vec<Route>> {
        self.template.routes()?.into_iter().map(route).collect()
    }

    /// Starts the program of a function, with the environment that the template gives it.
    pub(crate) fn function(
        &self,
        name: &str,
        program: &str,
        programs: &Programs,
        deployment: &Deployment,
        instances: usize,
    ) -> Result<Function> {
        let resolver = |name: &str| deployment.values.get(name).cloned();
        let mut environment = self.template.environment(name, &resolver)?;
        environment.extend(deployment.credentials.clone());
        let properties = self.template.properties(name);
        let timeout = properties["Timeout"].as_u64().context("a function has a timeout")?;
        let memory_mb = properties["MemorySize"].as_u64().unwrap_or(MEMORY_MB);
        Ok(Function::start(FunctionOptions {
            name: name.to_owned(),
            emulator: programs.emulator.clone(),
            binary: programs.functions.join(program),
            environment,
            memory_mb: memory_mb.try_into()?,
            timeout: Duration::from_secs(timeout),
            instances,
        })?)
    }
}

fn route(route: infra_tests::Route) -> Result<Route> {
    let mut made = Route::new(&route.method, &route.path, &route.function);
    for (status, mappings) in route.response_headers {
        for mapping in mappings {
            let key = format!("{}:header.{}", mapping.action, mapping.header);
            made = made.with_mapping(status, &key, &mapping.source)?;
        }
    }
    Ok(made)
}
