//! Sums and products of floats on a core that multiplies 32 bits into 32: four multiplications of 12 bits in place of the 64-bit
//! one that the compiler's library calls, and the cases in an order that suits this arithmetic.
//!
//! The bits are IEEE 754's, round to nearest, ties to even. Here is what 0 and normal numbers give where the result
//! is one of these; all else, subnormal numbers, infinities, NaN, overflow and underflow, is left to the library. The task runner compiles this
//! same file for the host, where it is held against the processor's own results.

/// Bits of a mantissa without the leading one.
const MANTISSA: u32 = 23;
const LEADING: u32 = 1 << MANTISSA;
const SIGN: u32 = 31;
/// Bits below a mantissa that a sum is rounded by.
const GUARD: u32 = 7;
/// Of the exponent.
const BIAS: u32 = 127;
const LARGEST: u32 = 0xff;
/// A mantissa in two halves.
const HALF: u32 = 12;
const LOW: u32 = (1 << HALF) - 1;

/// The bits of `a b`, from theirs; `None` where a factor or the product is neither 0 nor normal.
#[inline(always)]
pub(crate) fn product(a: u32, b: u32) -> Option<u32> {
    let sign = (a ^ b) >> SIGN << SIGN;
    let (a_exponent, b_exponent) = (a << 1 >> (MANTISSA + 1), b << 1 >> (MANTISSA + 1));
    if a_exponent == LARGEST || b_exponent == LARGEST {
        return None;
    }
    if a_exponent == 0 || b_exponent == 0 {
        // what units that are off send on is 0, a third of all factors
        return (a << 1 == 0 || b << 1 == 0).then_some(sign);
    }
    let (a_mantissa, b_mantissa) = (a & (LEADING - 1) | LEADING, b & (LEADING - 1) | LEADING);
    let (a_high, a_low) = (a_mantissa >> HALF, a_mantissa & LOW);
    let (b_high, b_low) = (b_mantissa >> HALF, b_mantissa & LOW);
    // 48 bits: `high` counts 2^24, `low` is below that
    let middle = a_high * b_low + a_low * b_high;
    let low = (middle << (32 - HALF) >> (32 - 2 * HALF)) + a_low * b_low;
    let high = a_high * b_high + (middle >> HALF) + (low >> (2 * HALF));
    let (mut mantissa, mut rest) = (high, low << (32 - 2 * HALF));
    let mut exponent = a_exponent + b_exponent;
    if mantissa < LEADING {
        mantissa = mantissa << 1 | rest >> 31;
        rest <<= 1;
        exponent -= 1;
    }
    // its own, less one, which the leading one of the mantissa brings
    let exponent = exponent.wrapping_sub(BIAS);
    if exponent >= LARGEST - 2 {
        return None;
    }
    // the carry of the rest and half of the last place, less one where that place is even
    let (_, up) = rest.overflowing_add((1 << 31) - 1 + (mantissa & 1));
    Some(sign | ((exponent << MANTISSA) + mantissa + u32::from(up)))
}

/// The bits of `a + b`, from theirs; `None` where a term or the sum is neither 0 nor normal.
#[inline(always)]
pub(crate) fn sum(a: u32, b: u32) -> Option<u32> {
    // the larger first
    let (a, b) = if a << 1 < b << 1 { (b, a) } else { (a, b) };
    let (a_exponent, b_exponent) = (a << 1 >> (MANTISSA + 1), b << 1 >> (MANTISSA + 1));
    if a_exponent == LARGEST || a_exponent == 0 {
        return None;
    }
    if b_exponent == 0 {
        return (b << 1 == 0).then_some(a);
    }
    let (a_mantissa, b_mantissa) = ((a & (LEADING - 1) | LEADING) << GUARD, (b & (LEADING - 1) | LEADING) << GUARD);
    let (shift, mut exponent) = (a_exponent - b_exponent, a_exponent);
    if shift > MANTISSA + 2 {
        // less than a quarter of the last place of what may be half of `a`
        return Some(a);
    }
    // whatever falls off the end counts as something, in the last guard bit
    let lost = u32::from(b_mantissa << (u32::BITS - 1 - shift) << 1 != 0);
    let b_mantissa = b_mantissa >> shift | lost;
    let mut mantissa;
    if (a ^ b) >> SIGN == 0 {
        mantissa = a_mantissa + b_mantissa;
        if mantissa >= LEADING << (GUARD + 1) {
            mantissa = mantissa >> 1 | mantissa & 1;
            exponent += 1;
        }
    } else {
        mantissa = a_mantissa - b_mantissa;
        if mantissa == 0 {
            return Some(0);
        }
        while mantissa < LEADING << GUARD {
            mantissa <<= 1;
            exponent = exponent.wrapping_sub(1);
        }
    }
    let exponent = exponent.wrapping_sub(1);
    if exponent >= LARGEST - 2 {
        return None;
    }
    let last = mantissa >> GUARD & 1;
    let rounded = (mantissa + (1 << (GUARD - 1)) - 1 + last) >> GUARD;
    Some(a >> SIGN << SIGN | ((exponent << MANTISSA) + rounded))
}

/// The sum and the product that the compiler calls for on a core without an FPU.
#[cfg(all(target_arch = "arm", target_os = "none"))]
mod called {
    // SAFETY: compiler_builtins defines it with this signature, a product without conditions.
    unsafe extern "aapcs" {
        safe fn __addsf3(a: f32, b: f32) -> f32;
        safe fn __mulsf3(a: f32, b: f32) -> f32;
    }

    /// `a b`
    // SAFETY: the run-time ABI of Arm gives this name to the product of floats, which is what it computes; the compiler's own
    // definition is weak.
    #[unsafe(no_mangle)]
    extern "aapcs" fn __aeabi_fmul(a: f32, b: f32) -> f32 {
        super::product(a.to_bits(), b.to_bits()).map_or_else(|| __mulsf3(a, b), f32::from_bits)
    }

    /// `a + b`
    // SAFETY: as of the product.
    #[unsafe(no_mangle)]
    extern "aapcs" fn __aeabi_fadd(a: f32, b: f32) -> f32 {
        super::sum(a.to_bits(), b.to_bits()).map_or_else(|| __addsf3(a, b), f32::from_bits)
    }

    /// `a - b`
    // SAFETY: as of the product.
    #[unsafe(no_mangle)]
    extern "aapcs" fn __aeabi_fsub(a: f32, b: f32) -> f32 {
        __aeabi_fadd(a, -b)
    }
}
