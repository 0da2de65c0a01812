//! Policy documents: when one is valid, when two say the same, and what one denies.
//! Refuses to be an IAM evaluator: it knows Deny, `*`, and the conditions that the guide uses for vault locks.

use serde_json::{Map, Value};

use super::{Refusal, Vault};
use crate::amz_date::Timestamp;

/// The largest policy, in bytes: 20 KB.
const LARGEST: usize = 20 * 1024;

/// Whether a text is a policy document that a vault takes.
///
/// # Errors
/// The reason for which it is refused.
pub(super) fn valid_policy(text: &str) -> Result<(), Refusal> {
    if text.len() > LARGEST {
        return Err(Refusal::PolicyTooLarge);
    }
    let document: Value = serde_json::from_str(text).map_err(|_| Refusal::PolicyInvalid)?;
    let statements = statements(&document);
    let sound = |statement: &&Map<String, Value>| {
        let effect = statement.get("Effect").and_then(Value::as_str);
        let has =
            |name: &str, other: &str| statement.contains_key(name) || statement.contains_key(other);
        matches!(effect, Some("Allow" | "Deny"))
            && has("Principal", "NotPrincipal")
            && has("Action", "NotAction")
    };
    let valid = !statements.is_empty() && statements.iter().all(sound);
    if valid {
        Ok(())
    } else {
        Err(Refusal::PolicyInvalid)
    }
}

fn statements(document: &Value) -> Vec<&Map<String, Value>> {
    match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(statement)) => vec![statement],
        _ => Vec::new(),
    }
}

/// Whether two texts are policies that say the same after IAM's usual canonical forms: a scalar or a list of one element, a principal by account id or root ARN,
/// the order of keys.
pub fn equivalent_policies(a: &str, b: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().map(canonical);
    matches!((read(a), read(b)), (Some(a), Some(b)) if a == b)
}

fn canonical(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .into_iter()
                .map(|(name, value)| (name, canonical(value)))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) if items.len() == 1 => {
            canonical(items.into_iter().next().unwrap_or_default())
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(canonical).collect();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        Value::String(text) => Value::String(account_of_root(&text).unwrap_or(text)),
        other => other,
    }
}

/// `arn:aws:iam::123456789012:root` is another way to write the account.
fn account_of_root(text: &str) -> Option<String> {
    let account = text
        .strip_prefix("arn:aws")?
        .split_once(":iam::")?
        .1
        .strip_suffix(":root")?;
    (account.len() == 12).then(|| account.to_owned())
}

impl Vault {
    /// Whether the lock (in progress or not) or the access policy denies an action to everybody. `created` is that of the archive it is about.
    pub fn denies(&self, action: &str, created: Option<Timestamp>, now: Timestamp) -> bool {
        let lock = self.lock_at(now).map(|lock| lock.policy.as_str());
        let days =
            created.map(|created| (now.0 - created.0) as f64 / super::expect::DAY_MILLIS as f64);
        lock.into_iter()
            .chain(self.access_policy.as_deref())
            .any(|text| denied(text, action, days, self))
    }
}

fn denied(text: &str, action: &str, days: Option<f64>, vault: &Vault) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    statements(&document).into_iter().any(|statement| {
        statement.get("Effect").and_then(Value::as_str) == Some("Deny")
            && statement.get("Principal").is_some_and(is_everybody)
            && statement
                .get("Action")
                .is_some_and(|actions| names(actions, action))
            && statement
                .get("Condition")
                .is_none_or(|condition| holds(condition, days, vault))
    })
}

fn is_everybody(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Object(kinds) => kinds.get("AWS").is_some_and(is_everybody),
        Value::Array(items) => items.iter().any(is_everybody),
        _ => false,
    }
}

fn names(actions: &Value, action: &str) -> bool {
    match actions {
        Value::String(text) => {
            text == "*" || text == "glacier:*" || text.eq_ignore_ascii_case(action)
        }
        Value::Array(items) => items.iter().any(|item| names(item, action)),
        _ => false,
    }
}

/// All conditions hold; one that is not known does not, so that nothing is denied by guess.
fn holds(condition: &Value, days: Option<f64>, vault: &Vault) -> bool {
    let Some(operators) = condition.as_object() else {
        return false;
    };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object();
        keys.is_some_and(|keys| {
            keys.iter()
                .all(|(key, wanted)| compare(operator, key, wanted, days, vault))
        })
    })
}

fn compare(operator: &str, key: &str, wanted: &Value, days: Option<f64>, vault: &Vault) -> bool {
    if key.eq_ignore_ascii_case("glacier:ArchiveAgeInDays") {
        let wanted = wanted
            .as_f64()
            .or_else(|| wanted.as_str().and_then(|text| text.parse().ok()));
        let (Some(days), Some(wanted)) = (days, wanted) else {
            return false;
        };
        return match operator {
            "NumericLessThan" => days < wanted,
            "NumericLessThanEquals" => days <= wanted,
            "NumericGreaterThan" => days > wanted,
            "NumericGreaterThanEquals" => days >= wanted,
            _ => false,
        };
    }
    let tag = key
        .strip_prefix("glacier:ResourceTag/")
        .and_then(|tag| vault.tags.get(tag));
    matches!(operator, "StringEquals" | "StringLike")
        && tag.is_some_and(|tag| wanted.as_str() == Some(tag) || names(wanted, tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"d","Principal":"*","Effect":"Deny","Action":"glacier:DeleteArchive",
        "Resource":["arn:aws:glacier:us-west-2:123456789012:vaults/examplevault"],"Condition":{"NumericLessThan":{"glacier:ArchiveAgeInDays":"365"}}}]}"#;

    #[test]
    fn the_guides_lock_policy_denies_deletion_for_a_year() {
        let vault = Vault {
            access_policy: Some(LOCK.to_owned()),
            ..Vault::default()
        };
        let now = Timestamp(super::super::expect::DAY_MILLIS * 400);
        assert!(vault.denies("glacier:DeleteArchive", Some(now), now));
        assert!(!vault.denies("glacier:DeleteArchive", Some(Timestamp(0)), now));
        assert!(!vault.denies("glacier:UploadArchive", Some(now), now));
    }

    #[test]
    fn a_policy_needs_statements_with_effect_principal_and_action() {
        assert_eq!(valid_policy(LOCK), Ok(()));
        for text in [
            "not json",
            "{}",
            r#"{"Statement":[{"Effect":"Deny","Action":"*"}]}"#,
        ] {
            assert_eq!(valid_policy(text), Err(Refusal::PolicyInvalid), "{text}");
        }
        assert_eq!(
            valid_policy(&" ".repeat(20_481)),
            Err(Refusal::PolicyTooLarge)
        );
    }

    #[test]
    fn scalars_lists_of_one_and_root_arns_are_equivalent() {
        let a = r#"{"Statement":[{"Principal":{"AWS":["arn:aws:iam::123456789012:root"]},"Action":"x"}]}"#;
        let b = r#"{"Statement":{"Action":["x"],"Principal":{"AWS":"123456789012"}}}"#;
        assert!(equivalent_policies(a, b));
        assert!(!equivalent_policies(
            a,
            r#"{"Statement":{"Action":["y"],"Principal":{"AWS":"123456789012"}}}"#
        ));
    }
}
