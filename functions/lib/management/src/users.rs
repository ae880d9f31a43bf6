//! `/users`: those who log in with a name and a password.

use axum::Json;
use http::{StatusCode, header};
use registry::access::{Access, AccessError, Account, AccountName, UserChange};
use registry::records::{AccountState, UserRecord, Visibility};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Hidden, Input, Time};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::{PREFIX, words};

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new()
        .routes(routes!(user_list, user_create))
        .routes(routes!(user_get, user_change, user_delete))
        .routes(routes!(user_organisation_list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct UserPath {
    /// The user.
    #[param(value_type = words::Name, inline)]
    user: AccountName,
}

/// A user.
#[derive(Serialize, ToSchema)]
struct User {
    #[schema(value_type = words::Name)]
    name: AccountName,
    /// Whether the user may do everything in this registry.
    is_administrator: bool,
    /// Whether the account cannot be used now.
    is_disabled: bool,
    /// What new repositories of the user's namespace are.
    #[schema(value_type = words::Visibility)]
    default_visibility: Visibility,
    #[schema(value_type = words::Time)]
    created: Time,
}

impl User {
    fn of(name: AccountName, record: &UserRecord) -> Self {
        Self {
            name,
            is_administrator: record.is_administrator,
            is_disabled: record.state == AccountState::Disabled,
            default_visibility: record.default_visibility,
            created: record.created.into(),
        }
    }
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserNew {
    #[schema(value_type = words::Name)]
    name: AccountName,
    #[schema(value_type = words::Password)]
    password: Hidden,
    /// Whether the user may do everything in this registry. The first user of an open registry may anyway.
    #[serde(default)]
    is_administrator: bool,
}

/// What shall be different about a user; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserPatch {
    /// A new password.
    #[schema(value_type = Option<words::Password>)]
    password: Option<Hidden>,
    /// The old password, which somebody who changes their own has to know.
    #[schema(value_type = Option<words::Password>)]
    old_password: Option<Hidden>,
    /// For administrators alone.
    is_administrator: Option<bool>,
    /// For administrators alone.
    is_disabled: Option<bool>,
    #[schema(value_type = Option<words::Visibility>)]
    default_visibility: Option<Visibility>,
}

/// Lists the users, for administrators.
#[utoipa::path(get, path = "/users", tag = "users", params(Paging),
    responses((status = OK, description = "A page of users.", body = Page<User>)))]
async fn user_list(asking: Asking, Asked(paging): Asked<Paging>) -> Result<Json<Page<User>>, Problem> {
    let page = accounts(&asking, &paging, |name, account| match account {
        Account::User(record) => Some(User::of(name, &record)),
        Account::Organisation(_) => None,
    });
    Ok(Json(page.await?))
}

/// Returns the accounts of one kind; users and organisations are in one list.
pub(crate) async fn accounts<T>(
    Asking { access, caller }: &Asking,
    paging: &Paging,
    of_kind: impl Fn(AccountName, Account) -> Option<T>,
) -> Result<Page<T>, AccessError> {
    let limit = paging.limit.0;
    let mut after = paging.after.as_deref().map(str::to_owned);
    let mut items = Vec::new();
    loop {
        let listed = access.account_list(caller, after.as_deref(), limit).await?;
        let is_last = listed.len() < limit;
        for (name, account) in listed {
            if items.len() == limit {
                return Ok(Page::of_small(items, after));
            }
            after = Some(name.to_string());
            items.extend(of_kind(name, account));
        }
        if is_last {
            return Ok(Page::of_small(items, None));
        }
    }
}

/// Makes a user, for administrators. The first user of an open registry is an administrator, and closes it.
#[utoipa::path(post, path = "/users", tag = "users", request_body = UserNew, responses(
    (status = CREATED, description = "The user.", body = User),
    (status = CONFLICT, description = "The name is taken, or was once.")))]
async fn user_create(
    Asking { access, caller }: Asking,
    Input(new): Input<UserNew>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<User>), Problem> {
    let user = access.user_create(&caller, &new.name, &new.password.0, new.is_administrator).await?;
    let location = format!("{PREFIX}/users/{}", new.name);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(User::of(new.name, &user))))
}

/// Describes a user, to itself and to administrators.
#[utoipa::path(get, path = "/users/{user}", tag = "users", params(UserPath),
    responses((status = OK, description = "The user.", body = User)))]
async fn user_get(asking: Asking, At(UserPath { user }): At<UserPath>) -> Result<Json<User>, Problem> {
    Ok(Json(user_of(&asking, user).await?))
}

async fn user_of(Asking { access, caller }: &Asking, name: AccountName) -> Result<User, AccessError> {
    match access.account_get(caller, &name).await? {
        Account::User(record) => Ok(User::of(name, &record)),
        Account::Organisation(_) => Err(AccessError::Unknown(format!("user {name}"))),
    }
}

/// Changes a user: oneself, or anybody for administrators. A new password ends all logins with the old one.
#[utoipa::path(patch, path = "/users/{user}", tag = "users", params(UserPath), request_body = UserPatch, responses(
    (status = NO_CONTENT, description = "It is done."),
    (status = CONFLICT, description = "Nobody makes themselves less than an administrator, or disabled.")))]
async fn user_change(
    Asking { access, caller }: Asking,
    At(UserPath { user }): At<UserPath>,
    Input(patch): Input<UserPatch>,
) -> Result<StatusCode, Problem> {
    let change = UserChange {
        password: patch.password.map(|hidden| hidden.0),
        old_password: patch.old_password.map(|hidden| hidden.0),
        is_administrator: patch.is_administrator,
        is_disabled: patch.is_disabled,
        default_visibility: patch.default_visibility,
    };
    access.user_change(&caller, &user, &change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a user that has no repositories, for administrators. The name stays taken.
#[utoipa::path(delete, path = "/users/{user}", tag = "users", params(UserPath), responses(
    (status = NO_CONTENT, description = "It is done."),
    (status = CONFLICT, description = "The user has repositories, or is the one who asks.")))]
async fn user_delete(asking: Asking, At(UserPath { user }): At<UserPath>) -> Result<StatusCode, Problem> {
    asking.access.account_deletion_end(&asking.caller, &user).await?;
    let user = user_of(&asking, user).await?;
    asking.access.account_delete(&asking.caller, &user.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the organisations that a user is in, to itself and to administrators.
#[utoipa::path(get, path = "/users/{user}/organisations", tag = "users", params(UserPath, Paging),
    responses((status = OK, description = "A page of names.", body = Page<words::Name>)))]
async fn user_organisation_list(
    Asking { access, caller }: Asking,
    At(UserPath { user }): At<UserPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<AccountName>>, Problem> {
    let organisations = access.membership_list(&caller, &user).await?;
    Ok(Json(Page::of(organisations, &paging, AccountName::to_string)))
}
