//! The allocator: blocks in sizes of powers of two; a freed one waits in the list of its size for the next request of it.
//!
//! What a page allocates is small and short-lived, so this serves it in a few hundred bytes of code. Nothing is given back to the
//! browser, and nothing grows without bound either: of each size there are never more blocks than were in use at one time.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

/// Smallest block, as a power of two: 16 bytes, which fits every alignment that is asked for.
const SMALLEST: usize = 4;
/// Size of a page of WebAssembly's memory, as a power of two.
const PAGE: usize = 16;

/// The source of memory, in pages. Each growth lies right behind the one before. Returns its address; None if there is
/// no more memory.
pub(crate) trait Memory {
    /// Adds so many pages.
    fn grow(&self, pages: usize) -> Option<usize>;
}

/// The allocator over a memory.
pub(crate) struct Blocks<M> {
    memory: M,
    state: UnsafeCell<State>,
}

struct State {
    /// By size, the first free block, which holds the address of the next; 0 for none.
    free: [usize; usize::BITS as usize],
    /// Memory that was never in use.
    fresh: usize,
    end: usize,
}

// SAFETY: a page's WebAssembly runs on one thread; this module shares no memory with workers.
unsafe impl<M> Sync for Blocks<M> {}

impl<M> Blocks<M> {
    /// An allocator that has nothing yet.
    pub(crate) const fn new(memory: M) -> Self {
        let state = State { free: [0; usize::BITS as usize], fresh: 0, end: 0 };
        Self { memory, state: UnsafeCell::new(state) }
    }
}

/// The size of block that a request takes, as a power of two.
fn class(layout: Layout) -> usize {
    let most = layout.size().max(1 << SMALLEST) - 1;
    (usize::BITS - most.leading_zeros()) as usize
}

// SAFETY: a block is as large as its class says, is given out once until it comes back, and starts at a multiple of 16.
unsafe impl<M: Memory> GlobalAlloc for Blocks<M> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and nothing in here allocates.
        let state = unsafe { &mut *self.state.get() };
        let class = class(layout);
        let Some(free) = state.free.get_mut(class) else { return null_mut() };
        if *free != 0 {
            let block = *free;
            // SAFETY: a block in the list is ours, at least 16 bytes long and aligned to them, and begins with an address.
            *free = unsafe { *(block as *const usize) };
            return block as *mut u8;
        }
        let size = 1 << class;
        if state.end - state.fresh < size {
            let pages = (size + (1 << PAGE) - 1) >> PAGE;
            let Some(at) = self.memory.grow(pages) else { return null_mut() };
            if state.fresh == 0 {
                state.fresh = at;
            }
            state.end = at + (pages << PAGE);
        }
        let block = state.fresh;
        state.fresh += size;
        block as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the caller gives back what `alloc` gave out for this layout.
        unsafe {
            if let Some(free) = (*self.state.get()).free.get_mut(class(layout)) {
                *block.cast::<usize>() = *free;
                *free = block as usize;
            }
        }
    }
}

/// The memory of the module that this is compiled into.
#[cfg(target_arch = "wasm32")]
pub(crate) struct OfModule;

#[cfg(target_arch = "wasm32")]
impl Memory for OfModule {
    fn grow(&self, pages: usize) -> Option<usize> {
        let before = core::arch::wasm32::memory_grow(0, pages);
        (before != usize::MAX).then_some(before << PAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::alloc::alloc_zeroed;
    use std::cell::Cell;

    const PAGES: usize = 64;

    /// Memory of so many pages, and how many of them were asked for.
    struct Arena {
        start: usize,
        given: Cell<usize>,
    }

    impl Arena {
        fn new() -> Self {
            let layout = Layout::from_size_align(PAGES << PAGE, 1 << PAGE).unwrap();
            // SAFETY: the size is not 0. It is never given back: a test is short.
            let start = unsafe { alloc_zeroed(layout) } as usize;
            Self { start, given: Cell::new(0) }
        }
    }

    impl Memory for Arena {
        fn grow(&self, pages: usize) -> Option<usize> {
            let before = self.given.get();
            (before + pages <= PAGES).then(|| {
                self.given.set(before + pages);
                self.start + (before << PAGE)
            })
        }
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    /// Numbers without a pattern that matters here (Knuth's linear congruential generator).
    fn numbers() -> impl FnMut(usize) -> usize {
        let mut state = 1_u64;
        move |below| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        }
    }

    #[test]
    fn no_two_blocks_overlap_and_each_keeps_what_was_written() {
        let blocks = Blocks::new(Arena::new());
        let mut number = numbers();
        let mut held: Vec<(*mut u8, usize, u8)> = Vec::new();
        for turn in 0..20_000 {
            if held.len() > 100 || (turn % 3 == 0 && !held.is_empty()) {
                let (block, size, mark) = held.swap_remove(number(held.len()));
                // SAFETY: the block has this size and was not given back yet.
                unsafe {
                    assert!(core::slice::from_raw_parts(block, size).iter().all(|byte| *byte == mark));
                    blocks.dealloc(block, layout(size));
                }
            } else {
                let (size, mark) = (1 + number(2000), number(256) as u8);
                // SAFETY: the size is not 0, and what comes back has it.
                let block = unsafe { blocks.alloc(layout(size)) };
                assert!(!block.is_null() && block.align_offset(16) == 0);
                // SAFETY: as above.
                unsafe { block.write_bytes(mark, size) };
                held.push((block, size, mark));
            }
        }
    }

    #[test]
    fn a_page_that_lives_long_needs_no_more_memory_than_at_its_busiest() {
        let blocks = Blocks::new(Arena::new());
        let mut number = numbers();
        let mut round = || {
            let sizes: Vec<usize> = (0..200).map(|_| 1 + number(4000)).collect();
            // SAFETY: the sizes are not 0, and each block is given back once.
            unsafe {
                let taken: Vec<_> = sizes.iter().map(|size| blocks.alloc(layout(*size))).collect();
                assert!(taken.iter().all(|block| !block.is_null()));
                taken.into_iter().zip(sizes).for_each(|(block, size)| blocks.dealloc(block, layout(size)));
            }
            blocks.memory.given.get()
        };
        // 200 blocks of up to 4096 bytes at once, in nine sizes that can each be at their busiest in another round.
        let most = (200 * 2 * 4096) >> PAGE;
        assert!((0..5_000).all(|_| round() <= most));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let blocks = Blocks::new(Arena::new());
        // SAFETY: the size is not 0; nothing is written.
        assert!(unsafe { blocks.alloc(layout((PAGES << PAGE) + 1)) }.is_null());
    }
}
