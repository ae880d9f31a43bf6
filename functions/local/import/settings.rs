//! What a layout says of its repository beside its content.

use anyhow::{Context, Result};
use http::Method;
use oci::RepositoryName;
use serde_json::{Value, json};

use crate::api::segment;
use crate::copying::Tally;
use crate::distribution::Distribution;
use crate::layout::Layout;

const FIELDS: [&str; 3] = ["visibility", "description", "immutable_tags"];

/// Settings that a repository is to have.
pub(super) struct Wanted<'a> {
    target: &'a Distribution,
    name: &'a RepositoryName,
    tally: &'a Tally,
    settings: Value,
    /// The repository as it was before, if it was there.
    before: Option<Value>,
}

impl<'a> Wanted<'a> {
    /// Reads the settings of the layout, if they are to be taken over.
    ///
    /// Whoever wrote the layout says there what is public and who is admin. Of themselves that counts only for a repository
    /// that is not there yet, and that they were exported from; `anyway` for every one.
    pub(super) async fn read(
        layout: &Layout,
        anyway: bool,
        target: &'a Distribution,
        name: &'a RepositoryName,
        tally: &'a Tally,
    ) -> Result<Option<Self>> {
        let Some(settings) = layout.settings()?.filter(|_| target.has_management) else { return Ok(None) };
        let mut wanted = Self { target, name, tally, settings, before: None };
        wanted.before = wanted.now().await?;
        let is_own = wanted.settings["name"] == json!(name);
        match wanted.before.is_some() {
            _ if anyway => return Ok(Some(wanted)),
            false if is_own => return Ok(Some(wanted)),
            false => tally.remark(name, "the layout has the settings of another; --settings takes them over"),
            true if wanted.changes_something().await? => {
                tally.remark(name, "was there, and keeps its settings; --settings takes over the layout's");
            }
            true => {}
        }
        Ok(None)
    }

    async fn changes_something(&self) -> Result<bool> {
        let before = self.before.as_ref();
        let is_same = |field: &&str| before.is_some_and(|before| before[*field] == self.settings[*field]);
        Ok(!FIELDS.iter().all(is_same) || !self.missing_grants().await?.is_empty())
    }

    /// Makes the repository beforehand, so that nobody sees in it what is not for them. Settings of one that is there
    /// are its admins' to change, and content can be pushed without.
    pub(super) async fn make(&self) -> Result<()> {
        let [visibility, description] = ["visibility", "description"].map(|field| &self.settings[field]);
        let mut wanted = json!({ "visibility": visibility, "description": description });
        match &self.before {
            None => {
                wanted["name"] = json!(self.name);
                let made = self.target.manage(Method::POST, "/repositories", &wanted).await;
                made.context("its settings")?;
                self.tell(visibility);
            }
            Some(before) if before["visibility"] == *visibility && before["description"] == *description => {}
            Some(_) => self.change(&wanted).await,
        }
        Ok(())
    }

    /// Sets what would have been in the way, and who may do what.
    pub(super) async fn complete(&self) -> Result<()> {
        let (now, immutable) = (self.now().await?.unwrap_or_default(), &self.settings["immutable_tags"]);
        if !immutable.is_null() && now["immutable_tags"] != *immutable {
            self.change(&json!({ "immutable_tags": immutable })).await;
        }
        for grant in self.missing_grants().await? {
            self.grant(grant).await;
        }
        Ok(())
    }

    /// Returns the roles that the repository does not have; those that one may not read count as missing.
    async fn missing_grants(&self) -> Result<Vec<&Value>> {
        let wanted = self.settings["grants"].as_array().map(Vec::as_slice).unwrap_or_default();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let there = self.target.managed_list(&format!("{}/grants", self.path())).await?.unwrap_or_default();
        Ok(wanted.iter().filter(|grant| !there.contains(grant)).collect())
    }

    async fn grant(&self, grant: &Value) {
        let grantee = grant["grantee"].as_str().unwrap_or_default();
        let path = format!("{}/grants/{}", self.path(), segment(grantee));
        match self.target.manage(Method::PUT, &path, &json!({ "role": grant["role"] })).await {
            Ok(()) => self.tell(grant),
            Err(error) => self.tally.failed(self.name, &format!("the role of {grantee}"), &error),
        }
    }

    async fn change(&self, wanted: &Value) {
        match self.target.manage(Method::PATCH, &self.path(), wanted).await {
            Ok(()) => self.tell(wanted),
            Err(error) => self.tally.failed(self.name, "its settings", &error),
        }
    }

    async fn now(&self) -> Result<Option<Value>> {
        self.target.json(&format!("{}{}", management::PREFIX, self.path())).await
    }

    fn path(&self) -> String {
        format!("/repositories/{}", segment(self.name.as_str()))
    }

    fn tell(&self, setting: &Value) {
        self.tally.remark(self.name, &format!("set as in the layout: {setting}"));
    }
}
