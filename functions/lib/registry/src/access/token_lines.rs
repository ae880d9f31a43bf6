//! The list of an account's tokens and logins: a line for each, which ends with it.

use crate::access::accounts::Access;
use crate::access::{AccessError, AccountName};
use crate::jobs::expiry;
use crate::ports::{Condition, Query, Write};
use crate::records::{Record, TokenRecord, keys};

/// How many lines are read at once.
pub(super) const LINES_READ: usize = 1000;

/// How many lines whose tokens are gone are taken away at once.
const LINES_ENDED: usize = 4000;

/// A line of the list.
pub(super) struct Line {
    /// The token's public part.
    pub(super) id: String,
    /// Whether its time is over: whatever takes away what has ended has not come yet.
    is_over: bool,
}

/// Returns the line of a token. DynamoDB takes away each item for itself, so that the line has to say when.
pub(super) fn line(token: &Record) -> Record {
    expiry::ends(token).map_or(Record::Listed, Record::ListedUntil)
}

impl Access {
    /// Returns the account's tokens and logins if there are as many, and otherwise none: hardly any account is worth a
    /// second look.
    pub(super) async fn tokens_if_many(
        &self,
        owner: &AccountName,
        many: usize,
    ) -> Result<Vec<(String, TokenRecord)>, AccessError> {
        let ids = self.tokens_all_listed(owner).await?;
        if ids.len() < many {
            return Ok(Vec::new());
        }
        let mut found = self.read(ids.iter().map(|id| keys::token(id)).collect()).await?;
        let (mut tokens, mut gone) = (Vec::new(), Vec::new());
        for id in ids {
            match found.remove(&keys::token(&id)).map(|item| item.record) {
                Some(Record::Token(token)) => tokens.push((id, *token)),
                _ => gone.push(id),
            }
        }
        // Lines of before, which do not end by themselves.
        gone.truncate(LINES_ENDED);
        self.tokens_end(owner, &gone).await?;
        Ok(tokens)
    }

    async fn tokens_all_listed(&self, owner: &AccountName) -> Result<Vec<String>, AccessError> {
        let (mut ids, mut next) = self.tokens_listed(owner, None, LINES_READ).await?;
        while let Some(after) = next {
            let more;
            (more, next) = self.tokens_listed(owner, Some(&after), LINES_READ).await?;
            ids.extend(more);
        }
        Ok(ids)
    }

    /// Returns a page of the list, and where the next one begins.
    pub(super) async fn tokens_listed(
        &self,
        owner: &AccountName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<String>, Option<String>), AccessError> {
        let lines = self.token_lines(owner, after, limit).await?;
        let next = lines.last().filter(|_| lines.len() == limit).map(|line| line.id.clone());
        Ok((lines.into_iter().filter(|line| !line.is_over).map(|line| line.id).collect(), next))
    }

    pub(super) async fn token_lines(
        &self,
        owner: &AccountName,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Line>, AccessError> {
        let query = Query {
            pk: keys::account_partition(owner),
            prefix: keys::TOKENS.to_owned(),
            after: after.map(|id| format!("{}{id}", keys::TOKENS)),
            limit,
            ..Query::default()
        };
        let now = self.registry.now();
        let listed = self.registry.stores.items.query(query).await?;
        let line = |item: &crate::ports::Item| {
            let id = item.key.sk.strip_prefix(keys::TOKENS)?.to_owned();
            Some(Line { id, is_over: expiry::ends(&item.record).is_some_and(|end| end <= now) })
        };
        Ok(listed.iter().filter_map(line).collect())
    }

    /// Takes tokens and logins away, with their lines.
    pub(super) async fn tokens_end(&self, owner: &AccountName, ids: &[String]) -> Result<(), AccessError> {
        for ids in ids.chunks(40) {
            let deletion = |id: &String| {
                let listed = Write::Delete(keys::token_listed(owner, id), Condition::Always);
                [Write::Delete(keys::token(id), Condition::Always), listed]
            };
            self.registry.transact(ids.iter().flat_map(deletion).collect()).await?;
        }
        Ok(())
    }
}
