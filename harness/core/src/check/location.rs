//! The `Location` and the identifiers that creations answer with.

use percent_encoding::percent_decode_str;

use super::subject::header;
use super::{Judgements, Observation, Symptom};

/// Judges that `Location` is `/<account>` and then `tail`; whether it is relative and how the account is written is for others to say.
pub(super) fn judge_location(
    requirement: &'static str,
    now: &Observation,
    tail: &str,
    out: &mut Judgements,
) {
    let operation = operation(now);
    let expected = format!("Location: /<account>{tail}");
    match header(now, "location") {
        None => {
            let symptom = Symptom::new(
                "location-missing",
                format!("{operation} answers without Location"),
            )
            .about(operation);
            out.violated(requirement, symptom, expected, "no Location header");
        }
        Some(location) => out.judge(
            requirement,
            leads_to(location, tail),
            || wrong(operation, location, tail),
            expected,
            || format!("Location: {location}"),
        ),
    }
}

/// The symptom of a Location that does not lead to what was made. One that lacks only the account lacks it everywhere.
fn wrong(operation: String, location: &str, tail: &str) -> Symptom {
    let tail_alone = percent_decode_str(location)
        .decode_utf8_lossy()
        .ends_with(tail);
    let of_the_account = super::common::location_fault(location).filter(|_| tail_alone);
    of_the_account.unwrap_or_else(|| {
        Symptom::new(
            "location-wrong",
            format!("the Location of {operation} does not name what was made"),
        )
        .about(operation)
    })
}

/// Judges an identifier header together with the `Location` that must end with it.
pub(super) fn judge_made(
    requirement: &'static str,
    now: &Observation,
    name: &str,
    collection: &str,
    out: &mut Judgements,
) {
    let Some(id) = identifier(now, name) else {
        return out.violated(
            requirement,
            identifier_missing(now, name),
            format!("a non-empty {name}"),
            "none",
        );
    };
    if let Some(vault) = super::subject::vault_name(now) {
        judge_location(
            requirement,
            now,
            &format!("/vaults/{vault}/{collection}/{id}"),
            out,
        );
    }
}

/// An identifier header that is not empty.
pub(super) fn identifier<'a>(now: &'a Observation, name: &str) -> Option<&'a str> {
    header(now, name).filter(|id| !id.is_empty())
}

/// The symptom of a creation that does not say what it made.
pub(super) fn identifier_missing(now: &Observation, name: &str) -> Symptom {
    let operation = operation(now);
    Symptom::new(
        "identifier-missing",
        format!("{operation} answers without {name}"),
    )
    .about(operation)
}

fn operation(now: &Observation) -> String {
    now.operation
        .map_or_else(String::new, |name| name.to_string())
}

fn leads_to(location: &str, tail: &str) -> bool {
    let path = match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => location,
    };
    let path = percent_decode_str(path).decode_utf8_lossy();
    let account = path
        .strip_suffix(tail)
        .and_then(|head| head.strip_prefix('/'));
    account.is_some_and(|account| !account.is_empty() && !account.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_names_account_and_resource() {
        let tail = "/vaults/examplevault/archives/abc";
        assert!(leads_to(
            "/111122223333/vaults/examplevault/archives/abc",
            tail
        ));
        assert!(leads_to(
            "http://127.0.0.1:5000/111122223333/vaults/examplevault/archives/abc",
            tail
        ));
        assert!(!leads_to("/vaults/examplevault/archives/abc", tail));
        assert!(!leads_to("/111122223333/vaults/other/archives/abc", tail));
        assert!(!leads_to(
            "/x/111122223333/vaults/examplevault/archives/abc",
            tail
        ));
        assert!(!leads_to(
            "/111122223333/vaults/examplevault/archives/",
            tail
        ));
    }
}
