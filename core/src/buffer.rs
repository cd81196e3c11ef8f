//! The caller's one buffer, whose length is counted before it is cut into parts.

/// The first `len` elements of `buffer`, which keeps the rest: one buffer of the caller becomes many.
pub(crate) fn take_front<'a, T>(buffer: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (head, tail) = core::mem::take(buffer).split_at_mut(len);
    *buffer = tail;
    head
}

/// Length of a buffer for several matrices: the sum of the products. One that overflows is `usize::MAX`, which no
/// buffer has, so that it is refused like any that is too long.
pub(crate) const fn buffer_len(products: &[&[usize]]) -> usize {
    let (mut sum, mut i) = (0_usize, 0);
    while i < products.len() {
        let (mut product, mut zero, mut k) = (1_usize, false, 0);
        while k < products[i].len() {
            product = product.saturating_mul(products[i][k]);
            zero |= products[i][k] == 0;
            k += 1;
        }
        sum = sum.saturating_add(if zero { 0 } else { product });
        i += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::buffer_len;

    #[test]
    fn lengths_that_overflow_fit_no_buffer() {
        assert_eq!(buffer_len(&[&[2, 3, 4], &[5], &[]]), 30);
        assert_eq!(buffer_len(&[&[usize::MAX, 2], &[1]]), usize::MAX);
        assert_eq!(buffer_len(&[&[usize::MAX / 2 + 1], &[usize::MAX / 2 + 1]]), usize::MAX);
        assert_eq!(buffer_len(&[&[usize::MAX, usize::MAX, 0], &[1]]), 1);
    }
}
