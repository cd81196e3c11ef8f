//! What the page calls. Everything lies in one static place, as on a microcontroller: there is one thread and no allocator.

use ntkscope_core::Error;
use ntkscope_core::loss::Loss;

use crate::device;
use crate::run::{self, LEN};
use crate::settings::{self, Settings};
use crate::table::{ROW, Table};

#[link(wasm_import_module = "page")]
unsafe extern "C" {
    /// The table has a row more: where the row of the limit begins, after which the others follow; how many there are, and
    /// how many of them are the command line's.
    fn observed(table: *const Table, rows: usize, recorded: usize);
    /// A text, of a length in bytes: the layout of a row, or what went wrong.
    fn said(text: *const u8, length: usize);
}

struct Space {
    buffer: [f32; LEN],
    table: Table,
}

static mut SPACE: Space = Space { buffer: [0.0; LEN], table: Table::new() };

/// The space, for one call at a time.
fn space() -> &'static mut Space {
    let place = &raw mut SPACE;
    // SAFETY: the module has one thread, and no function that is imported calls back into it, so that the reference of the last
    // call has ended.
    unsafe { &mut *place }
}

/// Hands a text to the page.
fn say(text: &str) {
    // SAFETY: the page reads so many bytes from there on, before it returns.
    unsafe { said(text.as_ptr(), text.len()) }
}

/// Numbers of a row; the names of what they are by [`said`].
#[unsafe(no_mangle)]
pub extern "C" fn layout() -> usize {
    say(&Table::layout());
    ROW
}

/// What the controls offer, by [`said`].
#[unsafe(no_mangle)]
pub extern "C" fn offers() {
    say(&settings::offers());
}

/// The settings of the controls.
fn settings(width: usize, depth: usize, mirrored: bool, cross_entropy: bool, seed: u32) -> Settings {
    let loss = if cross_entropy { Loss::CrossEntropy } else { Loss::SquaredError };
    Settings { width, depth, mirrored, loss, seed: seed.into() }
}

/// The command line of the same run, by [`said`].
#[unsafe(no_mangle)]
pub extern "C" fn command(width: usize, depth: usize, mirrored: bool, cross_entropy: bool, seed: u32) {
    say(&settings(width, depth, mirrored, cross_entropy, seed).command());
}

/// Trains; the rows by [`observed`]. The digest, or 0 and what went wrong by [`said`].
#[unsafe(no_mangle)]
pub extern "C" fn train(width: usize, depth: usize, mirrored: bool, cross_entropy: bool, seed: u32) -> u64 {
    let settings = settings(width, depth, mirrored, cross_entropy, seed);
    let Space { buffer, table } = space();
    let mut observe = |table: &Table| {
        // SAFETY: the page reads the table before it returns.
        unsafe { observed(table, table.rows().len(), table.recorded()) }
    };
    match run::run(&settings, buffer, table, &mut observe) {
        Ok(()) => table.digest().value(),
        Err(error) => {
            say(told(&error));
            0
        }
    }
}

/// What went wrong. Without the numbers of core's own texts, which would bring a printer of decimals along.
fn told(error: &Error) -> &'static str {
    match error {
        Error::OutOfRange { .. } => "these settings are not offered",
        Error::NonFinite { .. } | Error::Diverged { .. } => "the numbers have left the range of f32",
        Error::StepUnderflow { .. } => "no step is short enough for the path to be followed",
        Error::LostInRounding { .. } => "the steps are below the rounding of the parameters; scale the samples",
        _ => "the engine has refused its own buffers",
    }
}

/// The digest of the microcontroller's experiment `divergence` at this width, or 0 and what went wrong by [`said`].
#[unsafe(no_mangle)]
pub extern "C" fn device(width: usize) -> u64 {
    match device::digest(width, &mut space().buffer) {
        Ok(digest) => digest.value(),
        Err(error) => {
            say(told(&error));
            0
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
