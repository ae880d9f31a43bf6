//! One item of each kind about accounts.

use registry::access::{Limits, Role, Scope, Via};
use registry::records::{
    AccountState, AuditOutcome, AuditRecord, BucketRecord, Grantee, Grants, ImmutableTags, MemberRecord,
    OrganisationRecord, OrganisationRole, Record, RepositoryRecord, TeamRecord, TokenKind, TokenRecord,
    TrustRecord, UsedRecord, UserRecord, Visibility,
};

use crate::formats::TIME;

pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    vec![
        ("repository_granted", Record::Repository(repository())),
        ("user", Record::User(user())),
        ("user_deleted", Record::User(UserRecord { state: AccountState::Deleted, password: None, ..user() })),
        ("user_maker", Record::User(UserRecord { organisations_made: 3, ..user() })),
        ("user_ending", Record::User(UserRecord { is_ending: true, ..user() })),
        ("organisation", Record::Organisation(organisation())),
        ("organisation_ending", Record::Organisation(organisation_ending())),
        ("listed", Record::Listed),
        ("listed_until", Record::ListedUntil(TIME)),
        ("member", Record::Member(member(OrganisationRole::Member))),
        ("owner", Record::Member(member(OrganisationRole::Owner))),
        (
            "owner_unasked",
            Record::Member(MemberRecord { is_unasked: true, ..member(OrganisationRole::Owner) }),
        ),
        ("token_personal", token(TokenKind::Personal, Limits::None)),
        ("token_robot", token(TokenKind::Robot("ci".parse().unwrap()), Limits::Scopes(vec![scope()]))),
        ("token_refresh", token(refresh(), Limits::None)),
        ("trust", Record::Trust(Box::new(trust()))),
        ("bucket", Record::Bucket(bucket())),
        ("bucket_noted", Record::Bucket(BucketRecord { is_noted: true, ..bucket() })),
        ("used", Record::Used(UsedRecord { until: TIME })),
        ("audit_done", audit(AuditOutcome::Done)),
        ("audit_refused", audit(AuditOutcome::Refused)),
        ("audit_begun", audit(AuditOutcome::Begun)),
    ]
}

fn repository() -> RepositoryRecord {
    let mut record = RepositoryRecord::new(TIME, Visibility::Private);
    record.description = "An app".to_owned();
    record.grants = Grants::from([
        (Grantee::User("alice".parse().unwrap()), Role::Push),
        (Grantee::Team("devs".parse().unwrap()), Role::Pull),
    ]);
    record.immutable_tags =
        ImmutableTags { patterns: vec!["v*".to_owned()], except: vec!["latest".to_owned()] };
    record
}

fn user() -> UserRecord {
    UserRecord {
        state: AccountState::Active,
        password: Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned()),
        password_since: TIME,
        is_administrator: true,
        default_visibility: Visibility::Public,
        created: TIME,
        organisations_made: 0,
        is_ending: false,
    }
}

fn organisation() -> OrganisationRecord {
    let team = TeamRecord { description: "Those who build".to_owned(), is_ending: false };
    OrganisationRecord {
        state: AccountState::Disabled,
        default_visibility: Visibility::Private,
        teams: [("devs".parse().unwrap(), team)].into(),
        created: TIME,
        is_ending: false,
    }
}

fn organisation_ending() -> OrganisationRecord {
    let mut record = OrganisationRecord { is_ending: true, ..organisation() };
    record.teams.values_mut().for_each(|team| team.is_ending = true);
    record
}

fn bucket() -> BucketRecord {
    BucketRecord { left_thousandths: 19_500, at: TIME, is_noted: false }
}

fn member(role: OrganisationRole) -> MemberRecord {
    MemberRecord { role, teams: ["devs".parse().unwrap()].into(), ..MemberRecord::new(TIME) }
}

fn scope() -> Scope {
    Scope { repositories: "team/*".to_owned(), permissions: Role::Push.permissions() }
}

fn refresh() -> TokenKind {
    let made_with: Via = serde_json::from_str("\"token:0123456789abcdef\"").unwrap();
    TokenKind::Refresh { made_with: Some(made_with), robot: Some("ci".parse().unwrap()) }
}

fn token(kind: TokenKind, limits: Limits) -> Record {
    Record::Token(Box::new(TokenRecord {
        kind,
        owner: "team".parse().unwrap(),
        label: "laptop".to_owned(),
        sha256: "ab".repeat(32),
        limits,
        created: TIME,
        created_by: "alice".to_owned(),
        expires: Some(TIME),
        last_used: None,
    }))
}

fn trust() -> TrustRecord {
    TrustRecord {
        issuer: "https://token.actions.githubusercontent.com".to_owned(),
        audience: "registry.example.com".to_owned(),
        claims: [("repository_id".to_owned(), "1234".to_owned())].into(),
        owner: "team".parse().unwrap(),
        robot: "ci".parse().unwrap(),
        scopes: vec![scope()],
        created: TIME,
        created_by: "admin".to_owned(),
    }
}

fn audit(outcome: AuditOutcome) -> Record {
    Record::Audit(Box::new(AuditRecord {
        at: TIME,
        actor: "alice".to_owned(),
        address: "192.0.2.1".to_owned(),
        action: "login".to_owned(),
        target: "team/app".to_owned(),
        outcome,
        detail: "docker".to_owned(),
    }))
}
