//! Whether we kept to the specification ourselves: a request that must succeed has to be one.

use crevasse_core::check::Observation;
use crevasse_core::model::Expectation;
use crevasse_core::scenario::Tweak;
use crevasse_core::spec::{Location, Operation, Parameter, Spec};
use crevasse_core::wire::Request;

/// What is wrong with requests that the model expects to succeed and nobody twisted: mistakes of ours, not of the target.
pub(crate) fn mistakes(observations: &[Observation]) -> Vec<String> {
    let plain = |seen: &&Observation| {
        seen.expectation == Expectation::Accept && seen.record.tweak == Tweak::default()
    };
    observations
        .iter()
        .filter(plain)
        .flat_map(wrong_parameters)
        .collect()
}

fn wrong_parameters(seen: &Observation) -> Vec<String> {
    let Some(operation) = seen
        .operation
        .and_then(|name| Spec::builtin().operations.get(&name))
    else {
        return Vec::new();
    };
    let request = &seen.exchange().request;
    let wrong = |parameter: &Parameter| {
        let said = match value(operation, parameter, request) {
            Some(value) => {
                let violation = parameter
                    .schema
                    .text_violations(&value)
                    .into_iter()
                    .next()?;
                format!("{} where {} belongs", violation.actual, violation.expected)
            }
            None if parameter.required => "it is missing".to_owned(),
            None => return None,
        };
        Some(format!(
            "record {}: {} of {}: {said}",
            seen.index, parameter.name, operation.name
        ))
    };
    operation.parameters.iter().filter_map(wrong).collect()
}

fn value(operation: &Operation, parameter: &Parameter, request: &Request) -> Option<String> {
    match parameter.location {
        Location::Header => request.headers.value(&parameter.name).map(str::to_owned),
        Location::Path => operation
            .uri
            .matches(&request.path, &request.query)?
            .get(&parameter.name)
            .cloned(),
        Location::Query => {
            let pairs = request
                .query
                .split('&')
                .filter_map(|pair| pair.split_once('='));
            let mut found = pairs.filter(|(name, _)| *name == parameter.name);
            // Values the schema binds need no percent-encoding; a marker is bound by nothing.
            found.next().map(|(_, value)| value.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crevasse_core::spec::OperationName;
    use crevasse_core::wire::{Body, Framing, Headers};

    fn list_vaults(limit: &str) -> Request {
        let mut headers = Headers::default();
        headers.push("x-amz-glacier-version", "2012-06-01");
        Request {
            method: "GET".to_owned(),
            path: "/-/vaults".to_owned(),
            query: format!("limit={limit}"),
            headers,
            body: Body::Empty,
            framing: Framing::Plain,
        }
    }

    #[test]
    fn a_limit_out_of_bounds_is_told_from_one_within() {
        let operation = &Spec::builtin().operations[&OperationName::ListVaults];
        let limit = operation.parameter(Location::Query, "limit").unwrap();
        let violations = |text: &str| {
            let value = value(operation, limit, &list_vaults(text)).unwrap();
            limit.schema.text_violations(&value).len()
        };
        assert_eq!((violations("5"), violations("0")), (0, 1));
    }
}
