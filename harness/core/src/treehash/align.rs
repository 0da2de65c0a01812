//! Which ranges of an archive lie on mebibyte boundaries, and which are the bytes of one tree node.
//!
//! Decided by structure, never by comparing hashes: in repeated content unaligned ranges collide with nodes.

use super::MIB;
use crate::range::ByteRange;

/// Says whether a range starts on a mebibyte boundary of an archive of `size` bytes, and ends on one or
/// with the archive (developer guide, InitiateJob, RetrievalByteRange).
pub fn megabyte_aligned(range: ByteRange, size: u64) -> bool {
    on_megabytes(range, size) && range.end <= size
}

/// Says whether a range begins on a MiB and ends on one or with the archive, be it within the archive or beyond it.
pub(crate) fn on_megabytes(range: ByteRange, size: u64) -> bool {
    range.start.is_multiple_of(MIB) && (range.end.is_multiple_of(MIB) || range.end == size)
}

/// Says whether a range holds exactly the bytes under one node of the tree of an archive of `size` bytes.
///
/// The guide's prose ("the root of the tree over the range is a node of the archive's tree") is the
/// definition; the closed formula printed beside it has lost its exponents and is not used.
pub fn tree_hash_aligned(range: ByteRange, size: u64) -> bool {
    range.end <= size && nodes_at(range.start, size).any(|end| end == range.end)
}

/// Lists where the nodes end that start at `start`, lowest first.
fn nodes_at(start: u64, size: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(MIB), move |width| {
        (*width < size).then(|| width.saturating_mul(2))
    })
    .take_while(move |width| start.is_multiple_of(*width))
    .map(move |width| start.saturating_add(width).min(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(start: u64, end: u64, size: u64) -> (bool, bool) {
        let range = ByteRange::new(start, end).unwrap();
        (
            megabyte_aligned(range, size),
            tree_hash_aligned(range, size),
        )
    }

    #[test]
    fn a_range_beyond_the_end_is_not_aligned() {
        assert_eq!(aligned(0, 7 * MIB, 6 * MIB + 1), (false, false));
        assert_eq!(aligned(8 * MIB, 9 * MIB, 8 * MIB), (false, false));
        assert_eq!(aligned(0, 1, 0), (false, false));
    }

    #[test]
    fn the_largest_sizes_have_nodes_too() {
        let size = u64::MAX;
        assert_eq!(aligned(0, size, size), (true, true));
        assert_eq!(aligned(1 << 63, size, size), (true, true));
        assert_eq!(aligned(0, 1 << 63, size), (true, true));
        assert_eq!(aligned(1 << 62, size, size), (true, false));
        assert_eq!(aligned(size - MIB, size, size), (false, false));
    }
}
