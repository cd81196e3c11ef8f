//! How the kernel of a network moves while it is in the kernel regime, u its mean margin and m its width:
//!
//! ```text
//! max|K_t - K_0| = A u/sqrt(m) + B u²/m + ...,    A = 0 without kinks
//! ```
//!
//! The second term is that of any activation: units move by u/sqrt(m), and the changes that are linear in their movement add up
//! to no more than those that are quadratic, because their signs are random. The first is that of kinks: a share u/sqrt(m) of the
//! units has one within reach, and a unit that crosses it enters the sum of phi'², or leaves it. A sample moves only the units that
//! are active on it, so those that leave do not balance those that enter. One case is known in closed form: the part "kinks" of the
//! study "divergence".
//!
//! So d ln(drift)/d ln(m) tends to -1/2 with kinks, and is near -1 where the second term is still the larger. Where both have one
//! sign it lies between. Kinks take from the kernel to which the second term adds: there the two act against each other, and it lies a
//! little above -1/2 on the side of the first and below -1 on that of the second.

use super::claim::Theory;
use super::net::Net;

/// Why an exponent in the width may be off.
pub const OF_SLOPES: &str =
    "the next order, c (u/√m)^{3}, at relative drifts up to 0.3, and that kinks may act against the other term";

/// d ln(drift)/d ln(m) at one margin, but for what [`OF_SLOPES`] says.
pub fn in_width(net: &Net) -> Theory {
    if net.activation.has_kink() {
        Theory::between(-1.0, order_in_width(net)).said("−1 to −1/2 (kinks)")
    } else {
        Theory::number(order_in_width(net)).said("−1")
    }
}

/// The same in the limit of large widths.
pub fn order_in_width(net: &Net) -> f64 {
    if net.activation.has_kink() { -0.5 } else { -1.0 }
}
