//! Scopes as people write them: `team/*:pull,push`.

use registry::access::{Permission, Scope};
use serde_json::{Value, json};

/// Reads a pattern of repositories' names, a colon, and what may be done there.
pub(crate) fn scope(text: &str) -> Result<Scope, String> {
    let (repositories, words) =
        text.rsplit_once(':').ok_or("it is REPOSITORIES:PERMISSIONS, for example 'team/*:pull,push'")?;
    if repositories.is_empty() {
        return Err("it names no repositories; '*' is all of them".to_owned());
    }
    let permissions = words.split(',').map(permission).collect::<Result<_, _>>()?;
    Ok(Scope { repositories: repositories.to_owned(), permissions })
}

fn permission(word: &str) -> Result<Permission, String> {
    let found = Permission::ALL.into_iter().find(|permission| permission.as_str() == word);
    found.ok_or_else(|| format!("{word:?} is none of pull, push, delete"))
}

/// Returns scopes as the management API reads them.
pub(crate) fn body(scopes: &[Scope]) -> Vec<Value> {
    let body =
        |scope: &Scope| json!({ "repositories": scope.repositories, "permissions": scope.permissions });
    scopes.iter().map(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_a_pattern_and_what_may_be_done_there() {
        let read = scope("team/*:pull,push").unwrap();
        assert_eq!(read.repositories, "team/*");
        assert_eq!(body(&[read]), [json!({ "repositories": "team/*", "permissions": ["pull", "push"] })]);
        for bad in ["", "team/*", ":pull", "team/*:", "team/*:pull,", "team/*:admin", "team/*:pull push"] {
            assert!(scope(bad).is_err(), "{bad:?}");
        }
    }
}
