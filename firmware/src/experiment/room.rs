//! What of a board's RAM is the stack's, and what its target says of its core. The build script compiles this same file.

/// Bytes of RAM below which a board has little.
pub const LITTLE: usize = 64 << 10;

/// Bytes of stack: twice the deepest that `cargo xtask sizes` has measured; on a board with little RAM a twelfth more than
/// was measured there, 6,192.
pub const fn stack(ram: usize) -> usize {
    if ram < LITTLE { 6_720 } else { 24 << 10 }
}

/// Whether a core of this target computes floats by itself: Arm's hard-float targets, RISC-V's with the extension F.
pub fn has_fpu(target: &str) -> bool {
    let core = target.split('-').next().unwrap_or_default();
    core.strip_prefix("riscv32").map_or(target.ends_with("hf"), |extensions| extensions.contains('f'))
}
