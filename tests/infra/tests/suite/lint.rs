//! What AWS's own tools say about the templates.

use std::process::Command;

/// The script skips, with a reason, where the tools are not installed.
#[test]
fn cfn_lint_and_sam_validate_find_nothing() {
    let script = format!("{}/lint.sh", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(script).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(reason) = said.lines().find_map(|line| line.strip_prefix("SKIPPED ")) {
        test_support::require::skip("cfn_lint_and_sam_validate_find_nothing", "sam", reason);
        return;
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
