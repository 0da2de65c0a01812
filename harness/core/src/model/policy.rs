//! Policy documents: whether a text is one, whether two say the same, and whether one denies a request.
//! Knows of IAM what a vault's policies need: no variables, no sessions, no other services.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Refusal, Vault};
use crate::amz_date::Timestamp;
use crate::glob::matches as like;

/// The most bytes of a policy document: "20 KB", read as large as it can be read.
pub(super) const LARGEST: usize = 20 * 1024;

const LISTS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

/// Says whether a text is a policy document that a vault can have: an object whose statements have effect, principal and
/// action. A statement without resource can only be about the vault it is set on.
///
/// # Errors
/// [`Refusal::PolicyInvalid`] when it is not, [`Refusal::PolicyTooLarge`] above 20 KB.
pub(super) fn valid_policy(text: &str) -> Result<(), Refusal> {
    if text.len() > LARGEST {
        return Err(Refusal::PolicyTooLarge);
    }
    let document: Option<Value> = serde_json::from_str(text).ok();
    let valid = document.is_some_and(|document| {
        let statements = statements(&document);
        known_version(&document) && !statements.is_empty() && statements.into_iter().all(complete)
    });
    valid.then_some(()).ok_or(Refusal::PolicyInvalid)
}

/// Says whether two policy documents mean the same: after a scalar for a list of one, an account id for its root ARN, `*` for any principal, and
/// whatever order of members, list items and statements. Texts that are no JSON mean the same when they are the same.
///
/// ```
/// use crevasse_core::model::equivalent_policies;
/// let one = r#"{"Statement": {"Effect": "Deny", "Action": "glacier:*", "Principal": {"AWS": "012345678901"}}}"#;
/// let other = r#"{"Statement": [{"Principal": {"AWS": ["arn:aws:iam::012345678901:root"]}, "Action": ["glacier:*"], "Effect": "Deny"}]}"#;
/// assert!(equivalent_policies(one, other));
/// assert!(!equivalent_policies(one, &other.replace("Deny", "Allow")));
/// ```
pub fn equivalent_policies(a: &str, b: &str) -> bool {
    match (serde_json::from_str(a), serde_json::from_str(b)) {
        (Ok(a), Ok(b)) => canonical_document(&a) == canonical_document(&b),
        _ => a == b,
    }
}

fn known_version(document: &Value) -> bool {
    document
        .get("Version")
        .is_none_or(|version| matches!(version.as_str(), Some("2012-10-17" | "2008-10-17")))
}

fn statements(document: &Value) -> Vec<&Value> {
    match document.get("Statement") {
        Some(Value::Array(several)) => several.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn complete(statement: &Value) -> bool {
    let effect = statement.get("Effect").and_then(Value::as_str);
    let principal = ["Principal", "NotPrincipal"].map(|name| statement.get(name));
    let principal = principal
        .into_iter()
        .flatten()
        .any(|principal| principal == "*" || principal.is_object());
    matches!(effect, Some("Allow" | "Deny"))
        && principal
        && any_texts(statement, ["Action", "NotAction"])
}

fn any_texts(statement: &Value, names: [&str; 2]) -> bool {
    let mut present = names.into_iter().filter_map(|name| statement.get(name));
    present.any(|value| !texts(value).is_empty())
}

/// A text, or a list of texts, as a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(several) => several.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Bool(flag) => vec![flag.to_string()],
        Value::Null | Value::Object(_) => Vec::new(),
    }
}

fn sorted(value: &Value) -> Value {
    let mut list = texts(value);
    list.sort_unstable();
    list.dedup();
    list.into()
}

fn canonical_document(document: &Value) -> Value {
    let mut statements: Vec<Value> = statements(document)
        .into_iter()
        .map(canonical_statement)
        .collect();
    statements.sort_by_key(Value::to_string);
    members(document, |name, value| match name {
        "Statement" => statements.clone().into(),
        _ => canonical(value),
    })
}

fn canonical_statement(statement: &Value) -> Value {
    members(statement, |name, value| match name {
        "Principal" | "NotPrincipal" => canonical_principal(value),
        "Condition" => members(value, |_, keys| members(keys, |_, values| sorted(values))),
        name if LISTS.contains(&name) => sorted(value),
        _ => canonical(value),
    })
}

fn canonical_principal(principal: &Value) -> Value {
    let kinds: BTreeMap<String, Value> = if principal == "*" {
        [("AWS".to_owned(), principal.clone())].into()
    } else {
        principal
            .as_object()
            .into_iter()
            .flatten()
            .map(|(kind, value)| (kind.clone(), value.clone()))
            .collect()
    };
    let named = kinds.into_iter().map(|(kind, value)| {
        let roots: Vec<String> = texts(&value).iter().map(|text| as_root(text)).collect();
        (kind, sorted(&roots.into()))
    });
    Value::Object(named.collect())
}

/// An account id as the ARN of its root.
fn as_root(principal: &str) -> String {
    let digits = principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        format!("arn:aws:iam::{principal}:root")
    } else {
        principal.to_owned()
    }
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::Object(_) => members(value, |_, value| canonical(value)),
        other => other.clone(),
    }
}

/// An object with each member changed, in the order of names; anything that is no object as it stands.
fn members(value: &Value, mut change: impl FnMut(&str, &Value) -> Value) -> Value {
    let Value::Object(object) = value else {
        return value.clone();
    };
    let sorted: BTreeMap<&String, &Value> = object.iter().collect();
    let changed = sorted
        .into_iter()
        .map(|(name, value)| (name.clone(), change(name, value)));
    Value::Object(changed.collect())
}

/// Whether a policy denies something, as far as can be known from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Denial {
    /// It does not.
    No,
    /// That depends on what is not known here.
    Perhaps,
    /// It does.
    Yes,
}

impl From<bool> for Denial {
    fn from(denied: bool) -> Self {
        if denied { Self::Yes } else { Self::No }
    }
}

/// What is asked of a vault, as a policy sees it.
pub(super) struct Asked<'a> {
    /// The operation, as in `glacier:DeleteArchive`.
    pub(super) action: &'a str,
    /// The vault's handle.
    pub(super) handle: &'a str,
    /// The vault.
    pub(super) vault: &'a Vault,
    /// The account that asks, if known.
    pub(super) account: Option<&'a str>,
    /// Days since the archive asked for was made, when one is.
    pub(super) days: Option<f64>,
}

impl Asked<'_> {
    /// Says whether the lock, in progress or not, or the access policy denies this.
    pub(super) fn denied_at(&self, now: Timestamp) -> Denial {
        let vault = self.vault;
        let lock = vault.lock_at(now).map(|lock| lock.policy.as_str());
        let doubtful = vault.doubtful_policies.iter().map(String::as_str);
        let all = lock.into_iter().chain(vault.access_policy.as_deref());
        match all
            .chain(doubtful)
            .map(|policy| self.denied_by(policy))
            .max()
        {
            Some(Denial::Yes | Denial::Perhaps) if vault.doubtful => Denial::Perhaps,
            denial => denial.unwrap_or(Denial::No),
        }
    }

    fn denied_by(&self, policy: &str) -> Denial {
        let document: Value = serde_json::from_str(policy).unwrap_or_default();
        let denying = statements(&document)
            .into_iter()
            .filter(|statement| statement["Effect"] == "Deny");
        denying
            .map(|statement| self.met(statement))
            .max()
            .unwrap_or(Denial::No)
    }

    /// Whether a statement is about this: all of its parts are.
    fn met(&self, statement: &Value) -> Denial {
        let parts = [
            self.principal(statement),
            self.action(statement),
            self.resource(statement),
            self.conditions(statement),
        ];
        parts.into_iter().min().unwrap_or(Denial::No)
    }

    fn principal(&self, statement: &Value) -> Denial {
        match statement.get("Principal") {
            None => Denial::Perhaps,
            Some(Value::Object(kinds)) => {
                let named = kinds.get("AWS").map(texts).unwrap_or_default();
                named
                    .iter()
                    .map(|principal| self.is(principal))
                    .max()
                    .unwrap_or(Denial::No)
            }
            Some(anybody) => (anybody == "*").into(),
        }
    }

    fn is(&self, principal: &str) -> Denial {
        let root = as_root(&principal.replace("${account}", self.account.unwrap_or("${account}")));
        let own = self
            .account
            .map_or("arn:aws:iam::${account}:root".to_owned(), as_root);
        match (
            root == "*" || root == own || root == "${account}",
            root.ends_with(":root") && self.account.is_some(),
        ) {
            (true, _) => Denial::Yes,
            (false, true) => Denial::No,
            (false, false) => Denial::Perhaps,
        }
    }

    fn action(&self, statement: &Value) -> Denial {
        let names = |value| {
            texts(value)
                .iter()
                .any(|pattern| like(&pattern.to_lowercase(), &self.action.to_lowercase()))
        };
        match (statement.get("Action"), statement.get("NotAction")) {
            (Some(actions), _) => names(actions).into(),
            (None, Some(others)) => (!names(others)).into(),
            (None, None) => Denial::No,
        }
    }

    fn resource(&self, statement: &Value) -> Denial {
        let names = |value| texts(value).iter().any(|pattern| self.is_named_by(pattern));
        match (statement.get("Resource"), statement.get("NotResource")) {
            (Some(resources), _) => names(resources).into(),
            (None, Some(others)) => (!names(others)).into(),
            (None, None) => Denial::Yes,
        }
    }

    /// Whether an ARN pattern means the vault. Account and region are those of the request.
    fn is_named_by(&self, pattern: &str) -> bool {
        let vault = pattern
            .rsplit_once(":vaults/")
            .map_or(pattern, |(_, name)| name);
        vault == format!("${{arn:{}}}", self.handle)
            || vault == format!("${{vault:{}}}", self.handle)
            || like(vault, &self.vault.name)
    }

    fn conditions(&self, statement: &Value) -> Denial {
        let operators = statement.get("Condition").and_then(Value::as_object);
        let tests = operators
            .into_iter()
            .flatten()
            .flat_map(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.map(move |(key, values)| self.condition(operator, key, &texts(values)))
            });
        tests.min().unwrap_or(Denial::Yes)
    }

    fn condition(&self, operator: &str, key: &str, values: &[String]) -> Denial {
        let lower = key.to_lowercase();
        // The guide spells the key `ArchiveAgeinDays` too (AMB-55).
        if lower == "glacier:archiveageindays" {
            return self
                .days
                .map_or(Denial::No, |days| numeric(operator, days, values));
        }
        let prefix = "glacier:resourcetag/";
        if lower.starts_with(prefix) {
            let tag = self.vault.tags.get(&key[prefix.len()..]);
            return tag.map_or(Denial::No, |tag| textual(operator, tag, values));
        }
        Denial::Perhaps
    }
}

/// Compares an age with bounds. Whether days count whole or in fractions no page says: where that decides, nothing is known.
fn numeric(operator: &str, days: f64, values: &[String]) -> Denial {
    let holds: fn(f64, f64) -> bool = match operator {
        "NumericLessThan" => |age, bound| age < bound,
        "NumericLessThanEquals" => |age, bound| age <= bound,
        "NumericGreaterThan" => |age, bound| age > bound,
        "NumericGreaterThanEquals" => |age, bound| age >= bound,
        _ => return Denial::Perhaps,
    };
    let Ok(bounds) = values
        .iter()
        .map(|value| value.parse())
        .collect::<Result<Vec<f64>, _>>()
    else {
        return Denial::Perhaps;
    };
    let any = |age: f64| bounds.iter().any(|bound| holds(age, *bound));
    match (any(days), any(days.floor())) {
        (true, true) => Denial::Yes,
        (false, false) => Denial::No,
        _ => Denial::Perhaps,
    }
}

fn textual(operator: &str, tag: &str, values: &[String]) -> Denial {
    match operator {
        "StringEquals" => values.iter().any(|value| value == tag).into(),
        "StringNotEquals" => values.iter().all(|value| value != tag).into(),
        "StringLike" => values.iter().any(|value| like(value, tag)).into(),
        "StringNotLike" => values.iter().all(|value| !like(value, tag)).into(),
        _ => Denial::Perhaps,
    }
}
