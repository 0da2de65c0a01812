//! Vaults and lists: names, regions, counters, orders and pages.

use crevasse_core::model::{Life, Refusal as R};
use crevasse_core::scenario::{Action, Marker, Naming, Page, Ref};
use crevasse_core::spec::OperationName as O;
use serde_json::{Value, json};

use super::means::{
    asks, done, every_text, fault, items, refuse, refuse_parameter, refused_for, say, segment,
    text, vault, vaults,
};
use super::{Decision, Fault, Hook, Seam};
use crate::page::{self, Entry};
use crate::render::{Draft, Told};
use crate::service::Asked;

fn page_mut(action: &mut Action) -> Option<&mut Page> {
    match action {
        Action::ListVaults { page }
        | Action::ListParts { page, .. }
        | Action::ListMultipartUploads { page, .. }
        | Action::ListJobs { page, .. } => Some(page),
        _ => None,
    }
}

/// The limit that was asked for, as a number.
fn asked_limit(asked: &Asked) -> Option<usize> {
    page::page_of(&asked.action)?.limit.as_ref()?.parse().ok()
}

/// Whether a list was continued by a marker.
fn continued(told: &Told<'_>) -> bool {
    page::page_of(&told.asked.action)
        .and_then(page::marker)
        .is_some()
}

fn set_marker(draft: &mut Draft, marker: Value) {
    if let Some(known) = draft.member("/Marker") {
        *known = marker;
    }
}

/// Gives a page that is full a marker, whatever follows.
fn promise_more(draft: &mut Draft, told: &Told<'_>) {
    let Some(page) = told.page else { return };
    let full = asked_limit(told.asked).is_some_and(|limit| page.entries.len() == limit);
    if let Some(last) = page.entries.last().filter(|_| full) {
        let marker = page::marker_for(&last.key, &told.asked.action, told.place);
        set_marker(draft, marker.into());
    }
}

/// The name of the vault in the action, however it is there.
fn rename(asked: &mut Asked, name: String) {
    asked
        .route
        .path
        .insert("vaultName".to_owned(), name.clone());
    let operation = asked.action.operation();
    if let Some(operation) = operation.filter(|_| asked.action.vault().is_some()) {
        let received = match asked.action.json_body() {
            Some(body) => crate::receive::Received::Text(
                body.document().map_or_else(String::new, |d| d.to_string()),
            ),
            None => return rename_only(asked, name),
        };
        asked.action = crate::route::action(operation, &asked.route, &asked.head, &received);
    }
}

/// Actions without a JSON body are renamed where the name matters.
fn rename_only(asked: &mut Asked, name: String) {
    match &mut asked.action {
        Action::CreateVault {
            vault,
            name: naming,
        } => {
            *naming = Some(Naming::Raw(name.clone()));
            *vault = Ref::Handle(name);
        }
        Action::DescribeVault { vault }
        | Action::DeleteVault { vault }
        | Action::ListTagsForVault { vault } => *vault = Ref::Handle(name),
        _ => {}
    }
}

fn sort_by_name(entries: &mut [Entry], key: fn(&str) -> String) {
    entries.sort_by_key(|entry| key(&entry.key));
}

fn without_regard_to_case(name: &str) -> String {
    name.to_lowercase()
}

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "vault-wiped-when-made-again",
        "B095",
        Seam::Model,
        &["CV-IDEM-002"],
        "making a vault that exists makes it anew, and empty",
        &[Hook::Before(|realm, asked, _| {
            if asks(asked, O::CreateVault)
                && let Some(vault) = vault(realm, asked)
            {
                vault.life = Life::Gone;
            }
        })],
    ),
    fault(
        "vault-date-renewed-when-made-again",
        "own",
        Seam::Model,
        &["CV-IDEM-002", "DSV-BODY-003"],
        "making a vault that exists moves its CreationDate",
        &[Hook::After(|realm, asked, effect, _| {
            if asks(asked, O::CreateVault)
                && let Some(vault) = vault(realm, asked)
            {
                vault.created = (effect.now, effect.now);
            }
        })],
    ),
    fault(
        "vault-made-again-refused",
        "own",
        Seam::Model,
        &["CV-IDEM-001"],
        "making a vault that exists is refused",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::CreateVault) && model.live_vault(asked.vault()).is_some() {
                refuse(decision, 409, "ResourceInUseException");
            }
        })],
    ),
    fault(
        "vault-name-unchecked",
        "B100",
        Seam::Model,
        &["CV-NAME-003", "CV-NAME-005"],
        "vaults may have any name",
        &[Hook::Accepts(&[O::CreateVault], &[R::VaultNameInvalid])],
    ),
    fault(
        "vault-name-length-unchecked",
        "own",
        Seam::Model,
        &["CV-NAME-003"],
        "vault names may have any length",
        &[Hook::Decides(|decision, asked, _, _| {
            let name = asked.vault();
            let legal = name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            let invalid = refused_for(decision, R::VaultNameInvalid);
            if invalid && legal && name.len() > 255 {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "vault-name-of-255-refused",
        "own",
        Seam::Model,
        &["CV-NAME-002"],
        "a vault name must be shorter than 255 characters",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::CreateVault) && asked.vault().len() == 255 {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "vault-name-of-one-refused",
        "own",
        Seam::Model,
        &["CV-NAME-001"],
        "a vault name must have two characters",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::CreateVault) && asked.vault().len() == 1 {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "vault-name-with-period-refused",
        "own",
        Seam::Model,
        &["CV-NAME-004"],
        "a vault name must have no period",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::CreateVault) && asked.vault().contains('.') {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "vault-name-must-begin-with-a-letter-or-digit",
        "own",
        Seam::Model,
        &["CV-NAME-004"],
        "a vault name must not begin with a period, a hyphen or an underscore",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::CreateVault) && asked.vault().starts_with(['.', '-', '_']) {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "vault-name-with-a-line-feed-accepted",
        "own",
        Seam::Model,
        &["CV-NAME-005"],
        "a vault name may end with a line feed, as a pattern that ends with a dollar sign has it",
        &[Hook::Decides(|decision, asked, _, _| {
            if asks(asked, O::CreateVault) && asked.vault().ends_with('\n') {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "vault-name-with-period-not-routed",
        "own",
        Seam::Model,
        &["SURF-URI-001"],
        "what follows a period in a name is taken for the kind of a file, and no route is found",
        &[
            Hook::Decides(|decision, asked, _, _| {
                if segment(asked, 2).contains('.') {
                    refuse(decision, 404, "ResourceNotFoundException");
                }
            }),
            Hook::Replies(|draft, told, _| {
                if segment(told.asked, 2).contains('.') {
                    say(draft, 404, "text/html", "<h1>Not Found</h1>");
                }
            }),
        ],
    ),
    fault(
        "vault-names-without-case",
        "own",
        Seam::Model,
        &["CV-NAME-006", "DSV-BODY-002"],
        "vault names are lower-cased",
        &[Hook::Request(|asked, _| {
            let name = asked.vault().to_lowercase();
            rename(asked, name);
        })],
    ),
    fault(
        "vault-name-not-decoded",
        "own",
        Seam::Model,
        &["SURF-URI-003"],
        "vault names are taken from the path without decoding",
        &[Hook::Request(|asked, _| {
            if asked.action.vault().is_some() {
                let name = segment(asked, 2);
                rename(asked, name);
            }
        })],
    ),
    fault(
        "regions-shared",
        "B101",
        Seam::Model,
        &["CV-NAME-007", "LV-SCOPE-001"],
        "all regions are us-east-1",
        &[Hook::Request(|asked, _| {
            "us-east-1".clone_into(&mut asked.region);
        })],
    ),
    fault(
        "partition-always-aws",
        "B103",
        Seam::Reply,
        &["COM-ACC-005"],
        "ARNs of all regions begin with arn:aws:",
        &[Hook::Replies(|draft, _, _| {
            if let Some(document) = draft.document() {
                every_text(document, &mut |value| {
                    if let Some(rest) = value.as_str().and_then(|text| {
                        text.strip_prefix("arn:aws-cn:")
                            .or_else(|| text.strip_prefix("arn:aws-us-gov:"))
                    }) {
                        *value = format!("arn:aws:{rest}").into();
                    }
                });
            }
        })],
    ),
    fault(
        "arn-with-hyphen-account",
        "own",
        Seam::Reply,
        &["COM-ACC-005"],
        "ARNs name the account as the request did, by a hyphen",
        &[Hook::Replies(|draft, told, _| {
            let account = format!(":{}:vaults/", told.place.account);
            if let Some(document) = draft.document() {
                every_text(document, &mut |value| {
                    if let Some(text) = value.as_str().filter(|text| text.contains(&account)) {
                        *value = text.replace(&account, ":-:vaults/").into();
                    }
                });
            }
        })],
    ),
    fault(
        "full-vault-deleted",
        "own",
        Seam::Model,
        &["DV-NONEMPTY-001"],
        "a vault that holds archives is deleted",
        &[Hook::Accepts(&[O::DeleteVault], &[R::VaultNotEmpty])],
    ),
    fault(
        "full-vault-conflicts",
        "B040",
        Seam::Model,
        &["DV-NONEMPTY-002"],
        "deleting a vault that holds archives is answered 409 ConflictException",
        &[Hook::Says(&[R::VaultNotEmpty], 409, "ConflictException")],
    ),
    fault(
        "missing-vault-deletion-crashes",
        "B097",
        Seam::Model,
        &["DV-IDEM-001"],
        "deleting a vault that is not there is answered 500",
        &[Hook::Decides(|decision, asked, model, _| {
            if asks(asked, O::DeleteVault) && model.live_vault(asked.vault()).is_none() {
                refuse(decision, 500, "InternalFailure");
            }
        })],
    ),
    fault(
        "access-policy-survives-its-vault",
        "own",
        Seam::Model,
        &["DV-POLICY-001"],
        "a vault of the same name inherits the access policy of a deleted one",
        &[Hook::After(|realm, asked, _, memory| match &asked.action {
            Action::SetVaultAccessPolicy { .. } => {
                let policy = vault(realm, asked).and_then(|vault| vault.access_policy.clone());
                memory.keep(asked.vault(), json!(policy));
            }
            Action::DeleteVaultAccessPolicy { .. } => {
                memory.take(asked.vault());
            }
            Action::CreateVault { .. } => {
                if let Some(Value::String(policy)) = memory.kept(asked.vault()).cloned()
                    && let Some(vault) = vault(realm, asked)
                {
                    vault.access_policy.get_or_insert(policy);
                }
            }
            _ => {}
        })],
    ),
    fault(
        "tags-survive-their-vault",
        "own",
        Seam::Model,
        &["DV-POLICY-002"],
        "a vault of the same name inherits the tags of a deleted one",
        &[
            Hook::Before(|realm, asked, memory| {
                if asks(asked, O::DeleteVault) {
                    let tags = vault(realm, asked).map(|vault| json!(vault.tags));
                    memory.keep(asked.vault(), tags.unwrap_or_default());
                }
            }),
            Hook::After(|realm, asked, _, memory| {
                if asks(asked, O::CreateVault) {
                    let tags = memory.take(asked.vault()).unwrap_or_default();
                    let Some(vault) = vault(realm, asked) else {
                        return;
                    };
                    for (key, value) in tags.as_object().into_iter().flatten() {
                        vault
                            .tags
                            .insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
                    }
                }
            }),
        ],
    ),
    fault(
        "vault-description-without-arn",
        "own",
        Seam::Reply,
        &["DSV-BODY-001"],
        "DescribeVault tells no VaultARN",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::DescribeVault)
                && let Some(document) = draft.document().and_then(Value::as_object_mut)
            {
                document.shift_remove("VaultARN");
            }
        })],
    ),
    fault(
        "missing-vault-described",
        "own",
        Seam::Reply,
        &["DSV-404-001"],
        "DescribeVault describes vaults that are not there",
        &[Hook::Replies(|draft, told, _| {
            if told.refusal == Some(R::VaultUnknown)
                && told.asked.action.operation() == Some(O::DescribeVault)
            {
                let name = told.vault();
                let document = json!({"CreationDate": told.now.iso(), "LastInventoryDate": null, "NumberOfArchives": 0, "SizeInBytes": 0, "VaultARN": told.place.arn(name), "VaultName": name});
                let headers = std::mem::take(&mut draft.headers);
                *draft = Draft::json(200, document);
                draft.headers = headers;
            }
        })],
    ),
    fault(
        "vault-counters-as-text",
        "B044",
        Seam::Reply,
        &["DSV-INV-004"],
        "NumberOfArchives and SizeInBytes are strings",
        &[Hook::Replies(|draft, told, _| {
            for vault in vaults(draft, told) {
                for name in ["NumberOfArchives", "SizeInBytes"] {
                    vault[name] = vault[name].to_string().into();
                }
            }
        })],
    ),
    fault(
        "last-inventory-date-never-told",
        "B080",
        Seam::Reply,
        &["INV-DATE-001"],
        "LastInventoryDate stays null",
        &[Hook::Replies(|draft, told, _| {
            vaults(draft, told)
                .into_iter()
                .for_each(|vault| vault["LastInventoryDate"] = Value::Null);
        })],
    ),
    fault(
        "vault-counters-live",
        "B082",
        Seam::Model,
        &["DSV-INV-002", "DSV-INV-003"],
        "NumberOfArchives and SizeInBytes follow every upload, inventory or not",
        &[
            Hook::After(|_, asked, _, memory| match &asked.action {
                Action::UploadArchive { .. } | Action::CompleteMultipartUpload { .. } => {
                    memory.count(asked.vault());
                }
                _ => {}
            }),
            Hook::Replies(|draft, told, memory| {
                for vault in vaults(draft, told) {
                    let count = memory.counted(text(vault, "VaultName"));
                    if vault["LastInventoryDate"].is_null() && count > 0 {
                        vault["NumberOfArchives"] = count.into();
                        vault["SizeInBytes"] = (count * 32_768).into();
                    }
                }
            }),
        ],
    ),
    fault(
        "vault-size-never-drops",
        "own",
        Seam::Reply,
        &["DSV-INV-007"],
        "SizeInBytes stays what it was at most, while NumberOfArchives drops",
        &[Hook::Replies(|draft, told, memory| {
            for vault in vaults(draft, told) {
                let key = format!("size of {}", text(vault, "VaultARN"));
                let known = memory.kept(&key).and_then(Value::as_u64);
                let most = json!(vault["SizeInBytes"].as_u64().max(known));
                vault["SizeInBytes"] = most.clone();
                memory.keep(&key, most);
            }
        })],
    ),
    fault(
        "vault-counters-never-drop",
        "own",
        Seam::Reply,
        &["DSV-INV-007"],
        "NumberOfArchives and SizeInBytes never become smaller",
        &[Hook::Replies(|draft, told, memory| {
            for vault in vaults(draft, told) {
                for name in ["NumberOfArchives", "SizeInBytes"] {
                    let key = format!("{}/{name}", text(vault, "VaultARN"));
                    let most = memory
                        .kept(&key)
                        .and_then(Value::as_u64)
                        .max(vault[name].as_u64());
                    vault[name] = json!(most);
                    memory.keep(&key, json!(most));
                }
            }
        })],
    ),
    fault(
        "vault-size-in-kibibytes",
        "own",
        Seam::Reply,
        &["DSV-INV-005"],
        "SizeInBytes counts kibibytes",
        &[Hook::Replies(|draft, told, _| {
            for vault in vaults(draft, told) {
                vault["SizeInBytes"] = json!(vault["SizeInBytes"].as_u64().map(|size| size / 1024));
            }
        })],
    ),
    fault(
        "listed-vaults-lose-their-inventory",
        "own",
        Seam::Reply,
        &["LV-BODY-001"],
        "ListVaults tells null where DescribeVault tells what the last inventory found",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListVaults) {
                for vault in items(draft).into_iter().flatten() {
                    vault["LastInventoryDate"] = Value::Null;
                    vault["NumberOfArchives"] = Value::Null;
                    vault["SizeInBytes"] = Value::Null;
                }
            }
        })],
    ),
    fault(
        "listed-vault-dates-cut",
        "own",
        Seam::Reply,
        &["LV-BODY-001"],
        "ListVaults tells CreationDate in whole seconds, DescribeVault in milliseconds",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListVaults) {
                for vault in items(draft).into_iter().flatten() {
                    let date = text(vault, "CreationDate")
                        .split('.')
                        .next()
                        .unwrap_or_default()
                        .to_owned()
                        + "Z";
                    vault["CreationDate"] = date.into();
                }
            }
        })],
    ),
    fault(
        "deleted-vault-still-listed",
        "own",
        Seam::Reply,
        &["LV-FRESH-001"],
        "deleted vaults stay in ListVaults",
        &[Hook::Lists(|entries, asked, model, _| {
            if asks(asked, O::ListVaults) {
                let gone = model
                    .vaults
                    .iter()
                    .filter(|(_, vault)| vault.life == Life::Gone);
                entries.extend(gone.map(|(id, vault)| Entry {
                    key: vault.name.clone(),
                    id: id.clone(),
                }));
                entries.sort_by(|a, b| a.key.cmp(&b.key));
            }
        })],
    ),
    fault(
        "vaults-listed-as-made",
        "own",
        Seam::Reply,
        &["LV-ORDER-001"],
        "ListVaults lists vaults in the order of their making",
        &[Hook::Lists(|entries, asked, model, _| {
            if asks(asked, O::ListVaults) {
                entries.sort_by_key(|entry| model.vaults.get_index_of(&entry.id));
            }
        })],
    ),
    fault(
        "vaults-listed-without-case",
        "own",
        Seam::Reply,
        &["LV-ORDER-001"],
        "ListVaults sorts without regard to case",
        &[Hook::Lists(|entries, asked, _, _| {
            if asks(asked, O::ListVaults) {
                sort_by_name(entries, without_regard_to_case);
            }
        })],
    ),
    fault(
        "vault-marker-is-a-name",
        "own",
        Seam::Reply,
        &["LV-MARKER-001"],
        "the Marker of ListVaults is a name, and so it is when it comes back",
        &[
            Hook::Request(|asked, _| {
                if let Action::ListVaults { page } = &mut asked.action
                    && let Some(Marker::Literal(name)) = &mut page.marker
                    && !name.is_empty()
                    && !name.starts_with("arn:")
                {
                    *name = format!(
                        "arn:aws:glacier:{}:123456789012:vaults/{name}",
                        asked.region
                    );
                }
            }),
            Hook::Replies(|draft, told, _| {
                if done(told, O::ListVaults) {
                    let name = draft
                        .member("/Marker")
                        .and_then(|marker| marker.as_str()?.rsplit('/').next().map(str::to_owned));
                    if let Some(name) = name {
                        set_marker(draft, name.into());
                    }
                }
            }),
        ],
    ),
    fault(
        "no-default-page",
        "B136",
        Seam::Model,
        &["LV-LIMIT-001", "LJ-LIMIT-001"],
        "a list without limit is whole",
        &[Hook::Request(|asked, _| {
            if page::page_of(&asked.action).is_some_and(|page| page.limit.is_none()) {
                asked.largest_page = Some(usize::MAX);
            }
        })],
    ),
    fault(
        "limit-unchecked",
        "B137",
        Seam::Model,
        &["COM-PAGE-005"],
        "a limit below 1, or that is no number, is accepted",
        &[Hook::Accepts(&[], &[R::LimitInvalid])],
    ),
    fault(
        "large-limit-honoured",
        "own",
        Seam::Model,
        &["COM-PAGE-006"],
        "a limit above the maximum gives so many items",
        &[Hook::Request(|asked, _| {
            if let Some(limit) = asked_limit(asked) {
                asked.largest_page = Some(limit.max(1));
            }
        })],
    ),
    fault(
        "all-vaults-on-one-page",
        "B140",
        Seam::Model,
        &["LV-LIMIT-001", "LV-LIMIT-002", "COM-PAGE-004"],
        "ListVaults lists all vaults, whatever the limit",
        &[Hook::Request(|asked, _| {
            if let Action::ListVaults { page } = &mut asked.action {
                page.limit = None;
                asked.largest_page = Some(usize::MAX);
            }
        })],
    ),
    fault(
        "one-item-too-many",
        "own",
        Seam::Model,
        &["COM-PAGE-004"],
        "a page has one item more than its limit",
        &[Hook::Request(|asked, _| {
            if let Some(limit) = asked_limit(asked)
                && let Some(page) = page_mut(&mut asked.action)
            {
                page.limit = Some((limit + 1).to_string());
            }
        })],
    ),
    fault(
        "job-marker-ignored",
        "B141",
        Seam::Model,
        &["COM-PAGE-002", "COM-PAGE-003"],
        "ListJobs always gives the first page",
        &[Hook::Request(|asked, _| {
            if let Action::ListJobs { page, .. } = &mut asked.action {
                page.marker = None;
            }
        })],
    ),
    fault(
        "empty-marker-refused",
        "B139",
        Seam::Model,
        &["LV-MARKER-003"],
        "an empty marker is refused",
        &[Hook::Decides(|decision, asked, _, _| {
            let marker = page::page_of(&asked.action).and_then(|page| page.marker.as_ref());
            if marker == Some(&Marker::Literal(String::new())) {
                refuse_parameter(decision);
            }
        })],
    ),
    fault(
        "full-last-page-promises-more",
        "own",
        Seam::Reply,
        &["COM-PAGE-009"],
        "a page that is full has a Marker, also when nothing follows",
        &[Hook::Replies(|draft, told, _| promise_more(draft, told))],
    ),
    fault(
        "full-last-page-of-vaults-promises-more",
        "own",
        Seam::Reply,
        &["COM-PAGE-009"],
        "a page of vaults that is full has a Marker, also when nothing follows",
        &[Hook::Replies(|draft, told, _| {
            if done(told, O::ListVaults) {
                promise_more(draft, told);
            }
        })],
    ),
    fault(
        "last-marker-empty",
        "own",
        Seam::Reply,
        &["COM-PAGE-001"],
        "the Marker of the last page is an empty string",
        &[Hook::Replies(|draft, told, _| {
            if told.page.is_some_and(|page| page.next.is_none()) {
                set_marker(draft, "".into());
            }
        })],
    ),
    fault(
        "last-of-several-vault-pages-marked",
        "own",
        Seam::Reply,
        &["COM-PAGE-001"],
        "the Marker of the last page of vaults is an empty string, but for a list that is one page",
        &[Hook::Replies(|draft, told, _| {
            let last = told.page.is_some_and(|page| page.next.is_none());
            if last && continued(told) && done(told, O::ListVaults) {
                set_marker(draft, "".into());
            }
        })],
    ),
    fault(
        "filters-unread-without-jobs",
        "own",
        Seam::Model,
        &["LJ-FILTER-002"],
        "a statuscode is looked at only where there are jobs to compare it with",
        &[Hook::Decides(|decision, asked, model, _| {
            let vault = model.vaults.get(asked.vault());
            let idle = vault.is_some_and(|vault| vault.jobs.is_empty());
            if idle && refused_for(decision, R::StatusCodeUnknown) {
                *decision = Decision::Accept;
            }
        })],
    ),
    fault(
        "item-lost-between-pages",
        "own",
        Seam::Reply,
        &["COM-PAGE-003"],
        "the first item of every page but the first is left out",
        &[Hook::Replies(|draft, told, _| {
            if continued(told)
                && let Some(items) = items(draft).filter(|items| !items.is_empty())
            {
                items.remove(0);
            }
        })],
    ),
    fault(
        "item-on-both-pages",
        "own",
        Seam::Reply,
        &["COM-PAGE-003", "LV-MARKER-002"],
        "a page begins with the item that its marker names",
        &[Hook::Lists(|entries, asked, _, _| {
            let marker = page::page_of(&asked.action)
                .and_then(page::marker)
                .map(str::to_owned);
            let named = |entry: &&mut Entry| {
                marker
                    .as_ref()
                    .is_some_and(|marker| marker.ends_with(entry.key.as_str()))
            };
            if let Some(entry) = entries.iter_mut().find(named) {
                entry.key.push('~');
            }
        })],
    ),
    fault(
        "last-item-lost-on-a-full-page",
        "own",
        Seam::Reply,
        &["COM-PAGE-003"],
        "a page that is cut off by its limit loses its last item",
        &[Hook::Replies(|draft, told, _| {
            if told
                .page
                .is_some_and(|page| page.next.is_some() && page.entries.len() > 1)
                && let Some(items) = items(draft)
            {
                items.pop();
            }
        })],
    ),
    fault(
        "small-pages-without-marker",
        "own",
        Seam::Reply,
        &["COM-PAGE-002", "COM-PAGE-010"],
        "pages of one item have no Marker",
        &[Hook::Replies(|draft, told, _| {
            if asked_limit(told.asked) == Some(1) {
                set_marker(draft, Value::Null);
            }
        })],
    ),
    fault(
        "empty-list-null",
        "own",
        Seam::Reply,
        &["COM-PAGE-008"],
        "a list without items is null",
        &[Hook::Replies(|draft, told, _| {
            if told.page.is_some_and(|page| page.entries.is_empty()) {
                for name in ["/VaultList", "/JobList", "/UploadsList", "/Parts"] {
                    if let Some(list) = draft.member(name) {
                        *list = Value::Null;
                    }
                }
            }
        })],
    ),
    fault(
        "refused-deletion-deletes",
        "own",
        Seam::Model,
        &["DV-NONEMPTY-001"],
        "the deletion of a vault that is not empty is refused, and done",
        &[
            Hook::Decides(|decision, asked, _, memory| {
                let full = refused_for(decision, R::VaultNotEmpty);
                if asks(asked, O::DeleteVault) && full {
                    memory.keep(&asked.region, asked.vault().into());
                }
            }),
            Hook::Before(|realm, asked, memory| {
                let deleted = memory.take(&asked.region);
                let name = deleted.as_ref().and_then(Value::as_str);
                if let Some(vault) = name.and_then(|name| realm.model.vaults.get_mut(name)) {
                    vault.life = Life::Gone;
                }
            }),
        ],
    ),
];
