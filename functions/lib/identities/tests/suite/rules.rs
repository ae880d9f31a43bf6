//! What a trust has to say of those whom it lets in: the claims of GitHub, GitLab and AWS.

use serde_json::{Value, json};

use crate::world::World;

/// Makes one trust, and asks who is let in.
async fn assert_rule(rule: &[(&str, &str)], cases: &[(Value, bool)]) {
    let world = World::new().await;
    world.trust(rule).await.unwrap();
    for (number, (claims, is_let_in)) in cases.iter().enumerate() {
        let mut claims = claims.clone();
        claims["jti"] = json!(number.to_string());
        let reply = world.login(&world.identity_token(&claims)).await;
        assert_eq!(reply.status.is_success(), *is_let_in, "{rule:?}, {claims}: {reply:?}");
    }
}

/// Returns the claims with others in their place.
fn but(claims: &Value, others: Value) -> Value {
    let mut changed = claims.clone();
    let Value::Object(others) = others else { panic!("claims are an object: {others}") };
    changed.as_object_mut().unwrap().extend(others);
    changed
}

#[tokio::test]
async fn github_is_known_by_ids_that_nobody_can_take_over() {
    let job = json!({
        "sub": "repo:acme@123456/app@456789:environment:production",
        "repository": "acme/app", "repository_id": "456789",
        "repository_owner": "acme", "repository_owner_id": "123456",
        "ref": "refs/heads/main", "ref_type": "branch", "environment": "production", "event_name": "push",
    });
    let rule = [
        ("repository_id", "456789"),
        ("repository_owner_id", "123456"),
        ("ref", "refs/heads/main"),
        ("environment", "production"),
    ];
    let cases = [
        (job.clone(), true),
        (but(&job, json!({"repository": "renamed/app"})), true),
        (but(&job, json!({"repository_id": "456780"})), false),
        (but(&job, json!({"repository_id": 456_789})), true),
        (but(&job, json!({"repository_owner_id": "1"})), false),
        (but(&job, json!({"ref": "refs/heads/main2"})), false),
        (but(&job, json!({"ref": "refs/pull/1/merge"})), false),
        (but(&job, json!({"ref": "REFS/heads/main"})), false),
        (but(&job, json!({"environment": "staging"})), false),
        (but(&job, json!({"environment": null})), false),
        (but(&job, json!({"environment": ["production"]})), false),
        (json!({"repository_id": "456789"}), false),
    ];
    assert_rule(&rule, &cases).await;
}

#[tokio::test]
async fn gitlab_is_known_by_its_project_and_protected_branches() {
    let job = json!({
        "sub": "project_path:group/app:ref_type:branch:ref:main",
        "project_id": "28", "project_path": "group/app", "namespace_id": "1",
        "ref": "main", "ref_type": "branch", "ref_protected": "true",
    });
    let cases = [
        (job.clone(), true),
        (but(&job, json!({"ref_protected": true})), true),
        (but(&job, json!({"ref_protected": "false"})), false),
        (but(&job, json!({"ref_protected": false})), false),
        (but(&job, json!({"project_id": 28})), true),
        (but(&job, json!({"project_id": "280"})), false),
        (but(&job, json!({"project_id": 280})), false),
    ];
    assert_rule(&[("project_id", "28"), ("ref_protected", "true")], &cases).await;
}

#[tokio::test]
async fn aws_is_known_by_the_role() {
    let role = json!({
        "sub": "arn:aws:iam::123456789012:role/Deploy",
        "https://sts.amazonaws.com/": {"aws_account": "123456789012", "principal_tags": {"team": "a"}},
    });
    let cases = [
        (role.clone(), true),
        (but(&role, json!({"sub": "arn:aws:iam::123456789012:role/Deploy2"})), false),
        (but(&role, json!({"sub": "arn:aws:iam::210987654321:role/Deploy"})), false),
        (but(&role, json!({"sub": null})), false),
    ];
    assert_rule(&[("sub", "arn:aws:iam::123456789012:role/Deploy")], &cases).await;
}

#[tokio::test]
async fn patterns_stand_for_the_whole_claim() {
    let cases = [
        (json!({"sub": "arn:aws:iam::123456789012:role/ci-a"}), true),
        (json!({"sub": "arn:aws:iam::123456789012:role/ci-"}), true),
        (json!({"sub": "arn:aws:iam::123456789012:role/other"}), false),
        (json!({"sub": "x arn:aws:iam::123456789012:role/ci-a"}), false),
    ];
    assert_rule(&[("sub", "arn:aws:iam::123456789012:role/ci-*")], &cases).await;
}

#[tokio::test]
async fn a_trust_without_a_claim_that_means_something_cannot_be_made() {
    let world = World::new().await;
    for claims in [&[][..], &[("sub", "*")], &[("sub", "**")], &[("sub", "?*"), ("ref", "*")], &[("sub", "")]]
    {
        assert!(world.trust(claims).await.is_err(), "{claims:?}");
    }
}
