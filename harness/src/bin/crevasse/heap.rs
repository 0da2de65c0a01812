//! Memory as the GNU C library hands it out: each thread from an arena of its own, where each long answer leaves its hole.

/// Arenas for all threads: half of what a hostile target then takes is saved, and one alone costs a sixth more time.
const ARENAS: libc::c_int = 2;

/// Lets all threads share a few arenas; to be called before there is another thread.
#[allow(unsafe_code, reason = "the C library offers this in no other way")]
pub(crate) fn share() {
    // SAFETY: takes two numbers and touches no memory of ours. Where it is refused, more memory is used.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, ARENAS) };
}
