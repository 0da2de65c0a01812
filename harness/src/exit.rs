//! Exit codes of the command: a contract that scripts rely on.
//!
//! Where several apply, the first of [`INTERRUPTED`], [`OUR_FAULT`], [`USAGE`], [`UNREACHABLE`], [`DEVIATES`], [`INCOMPLETE`],
//! [`NOTHING_VERIFIED`], [`AS_EXPECTED`] wins.

/// Everything that was judged is as expected.
pub const AS_EXPECTED: u8 = 0;
/// A deviation that fails the run, or a stale baseline under `--strict`.
pub const DEVIATES: u8 = 1;
/// Wrong usage, configuration, specification or input file, or output that cannot be written.
pub const USAGE: u8 = 2;
/// A fault of Crevasse itself; a panic too.
pub const OUR_FAULT: u8 = 3;
/// Nothing was verified.
pub const NOTHING_VERIFIED: u8 = 4;
/// Not everything was settled: time box, budget, jobs that did not complete, or a demand that was seen broken and not each time again.
pub const INCOMPLETE: u8 = 5;
/// The target could not be reached, or does not speak HTTP.
pub const UNREACHABLE: u8 = 6;
/// Interrupted by the user.
pub const INTERRUPTED: u8 = 130;

const BY_WEIGHT: [u8; 8] = [
    INTERRUPTED,
    OUR_FAULT,
    USAGE,
    UNREACHABLE,
    DEVIATES,
    INCOMPLETE,
    NOTHING_VERIFIED,
    AS_EXPECTED,
];

/// The code that wins among several.
///
/// ```
/// use crevasse::exit::{DEVIATES, INCOMPLETE, weightiest};
/// assert_eq!(weightiest([INCOMPLETE, DEVIATES]), DEVIATES);
/// ```
pub fn weightiest(codes: impl IntoIterator<Item = u8>) -> u8 {
    let place = |code: &u8| BY_WEIGHT.iter().position(|known| known == code);
    codes.into_iter().min_by_key(place).unwrap_or(AS_EXPECTED)
}
