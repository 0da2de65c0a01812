//! Crevasse judges servers that claim to speak the Amazon Glacier vault API (2012-06-01).
//!
//! Most people want one of two things:
//!
//! - the command, `crevasse run --endpoint URL`: see the README;
//! - a test target in the crate of an emulator, one test per requirement: see [`conformance`], and begin there.
//!
//! The rest of the library is what both are made of, from the outside in:
//!
//! | room | knows |
//! |---|---|
//! | [`run`] | a run from what is asked for to its report |
//! | [`campaign`] | a run from probe to clean-up, told as [`event`]s |
//! | [`execute`] | the hand that renders, signs and sends; the only sockets, clocks and keys |
//! | [`generate`], [`scenarios`], [`shrink`] | cases drawn from a seed, cases written down, cases made smaller |
//! | [`found`], [`journal`] | events added up; what happened, line by line, for after a crash |
//! | [`report`] | the report document and what is rendered from it |
//! | [`prove`] | whether the checks bite |
//!
//! Protocol, model, checks and findings are pure and live in `crevasse-core`; the reference server is `crevasse-reference`.
//!
//! # Features
//!
//! `cli` (default) is what the command needs: argument parser, progress line, templates. `tls` (default) is https. A test target needs neither.
//!
//! # A run by hand
//!
//! ```
//! use std::collections::BTreeSet;
//!
//! use crevasse::campaign::Stop;
//! use crevasse::execute::{Target, credentials, transport::Arm};
//! use crevasse::journal::Journal;
//! use crevasse::run::{Effort, Run, Wanted};
//! use crevasse_core::{filter::Verdicts, scenario::Profile, spec::Spec};
//! use crevasse_reference::{Options, Service};
//!
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! let filter = "op(DescribeVault) & level(must)".parse().unwrap();
//! let spec = Spec::builtin().clone().into();
//! let wanted = Wanted::choose(spec, &filter, None, &Verdicts::new()).expect("some are selected");
//! let mut target = Target::new("http://localhost").unwrap();
//! target.credentials = credentials(target.is_loopback());
//! let effort = Effort { examples: 0, ..Effort::of(Profile::Quick) };
//! let run = Run::new(wanted, effort, target, BTreeSet::new());
//!
//! let service = Service::new(Options::default());
//! let arm = Arm::in_process(move |request| service.exchange(request));
//! let mut judged = run.judge(arm, Journal::discarding(), &Stop::default(), &mut |_| {}).await.unwrap();
//! let report = judged.report();
//! assert_eq!(report.summary.verdict, "conforms");
//! # });
//! ```

pub mod campaign;
pub mod conformance;
pub mod event;
pub mod execute;
pub mod exit;
pub mod found;
pub mod fuzz;
pub mod generate;
pub mod journal;
#[cfg(any(test, feature = "properties"))]
pub mod properties;
pub mod prove;
pub mod replay;
pub mod report;
pub mod run;
pub mod scenarios;
pub mod shard;
pub mod shrink;
