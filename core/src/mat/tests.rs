use super::*;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec::Vec;

/// Numbers below a bound, from a seed.
struct Draws(Xoshiro256PlusPlus);

impl Draws {
    fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }
    /// A range within `0..len`, now and then an empty one.
    fn range(&mut self, len: usize) -> Range<usize> {
        let (a, b) = (self.below(len + 1), self.below(len + 1));
        a.min(b)..a.max(b)
    }
}

fn refused<R>(what: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(what)).is_err()
}

/// A view, and where each of its elements lies in the slice that it was cut from.
struct Known<'a> {
    view: MatRef<'a, usize>,
    places: Vec<Vec<usize>>,
}

impl Known<'_> {
    fn check(&self) {
        let (rows, cols) = (self.view.rows(), self.view.cols());
        assert_eq!(rows, self.places.len());
        for (i, places) in self.places.iter().enumerate() {
            assert_eq!(cols, places.len());
            // the slice holds its own places
            assert!(self.view.entries(i).eq(places.iter().copied()));
            assert!((0..cols).all(|j| self.view.at(i, j) == places[j] && self.view.entry(i, j) == places[j]));
            if self.view.has_adjacent_columns() {
                assert_eq!(self.view.row(i), places);
            } else {
                assert!(refused(|| self.view.row(i)), "a row of columns that are not adjacent");
            }
        }
        for beyond in [rows, rows + 7, usize::MAX] {
            assert!(refused(|| self.view.row(beyond)) && refused(|| self.view.entries(beyond)));
            assert!(refused(|| self.view.at(beyond, 0)));
            assert!(refused(|| self.view.block(0..beyond.saturating_add(1), 0..cols)));
        }
        for beyond in [cols, cols + 7, usize::MAX] {
            assert!(refused(|| self.view.at(0, beyond)));
            assert!(refused(|| self.view.block(0..rows, 0..beyond.saturating_add(1))));
        }
        #[expect(clippy::reversed_empty_ranges)]
        let reversed = 1..0;
        assert!(refused(|| self.view.block(reversed.clone(), 0..0)) && refused(|| self.view.block(0..0, reversed)));
    }
}

/// Blocks of blocks of every layout, transposed now and then, have the elements of what they were cut from.
#[test]
fn elements_of_nested_blocks_are_those_of_the_whole() {
    let mut draws = Draws::new(1);
    let numbers: Vec<usize> = (0..400).collect();
    for _ in 0..200 {
        let (rows, cols) = (draws.below(9), draws.below(9));
        let (row_stride, col_stride) = (draws.below(20), draws.below(20));
        let dense = draws.below(2) == 0;
        let (row_stride, col_stride) = if dense { (cols, 1) } else { (row_stride, col_stride) };
        let mut known = Known {
            view: MatRef::strided(&numbers, rows, cols, row_stride, col_stride).unwrap(),
            places: (0..rows).map(|i| (0..cols).map(|j| i * row_stride + j * col_stride).collect()).collect(),
        };
        for _ in 0..4 {
            known.check();
            if draws.below(3) == 0 {
                let (rows, cols) = (known.view.rows(), known.view.cols());
                known.view = known.view.t();
                known.places = (0..cols).map(|j| (0..rows).map(|i| known.places[i][j]).collect()).collect();
                continue;
            }
            let (rows, cols) = (draws.range(known.view.rows()), draws.range(known.view.cols()));
            known.view = known.view.block(rows.clone(), cols.clone());
            known.places = known.places[rows].iter().map(|row| row[cols.clone()].to_vec()).collect();
        }
    }
}

/// What is written through a block of a block, or through a half, is there and nowhere else.
#[test]
fn writing_through_a_block_touches_that_block_alone() {
    let mut draws = Draws::new(2);
    for _ in 0..300 {
        let (rows, cols) = (draws.below(9), draws.below(9));
        let mut numbers: Vec<usize> = (0..rows * cols).collect();
        let mut places: Vec<Vec<usize>> = (0..rows).map(|i| (i * cols..(i + 1) * cols).collect()).collect();
        let mut view = MatMut::new(&mut numbers, rows, cols).unwrap();
        for _ in 0..3 {
            let (rows, cols) = (draws.range(view.rows()), draws.range(view.cols()));
            view = view.block(rows.clone(), cols.clone());
            places = places[rows].iter().map(|row| row[cols.clone()].to_vec()).collect();
            assert!(view.cols() <= view.row_stride() || view.rows() == 0, "rows overlap");
        }
        let cut = draws.below(view.rows() + 1);
        let (mut above, mut below) = view.split_at_row(cut);
        assert_eq!((above.rows(), above.rows() + below.rows()), (cut, places.len()));
        for (i, places) in places[..cut].iter().enumerate() {
            assert_eq!(above.row_mut(i), *places);
            above.row_mut(i).fill(1000);
        }
        for (i, places) in places[cut..].iter().enumerate() {
            assert_eq!(below.row_mut(i), *places);
            for (j, place) in places.iter().enumerate() {
                assert_eq!(below.at(i, j), *place);
                *below.at_mut(i, j) = 2000;
            }
        }
        for (at, number) in numbers.iter().enumerate() {
            let row = places.iter().position(|row| row.contains(&at));
            assert_eq!(*number, row.map_or(at, |row| if row < cut { 1000 } else { 2000 }), "element {at}");
        }
    }
}

#[test]
fn parts_beyond_a_writable_view_are_refused() {
    let mut numbers = [0.0; 8];
    let mut whole = MatMut::new(&mut numbers, 2, 4).unwrap();
    assert!(refused(|| whole.reborrow().block(0..4, 0..4).rows()), "4 rows of 2");
    assert!(refused(|| whole.reborrow().block(0..2, 1..5).rows()), "a column of the next row");
    assert!(refused(|| whole.reborrow().split_at_row(3).0.rows()));
    assert!(refused(|| whole.reborrow().row_mut(2).len()));
    assert!(refused(|| *whole.at_mut(0, 4)));
    assert!(refused(|| *whole.at_mut(2, 0)));
    assert!(refused(|| whole.reborrow().at(0, 4)));
}

#[test]
fn slices_that_do_not_cover_the_shape_are_refused() {
    for (rows, cols, len) in [(2, 2, 3), (2, 2, 5), (0, 3, 1), (usize::MAX, 2, 4), (usize::MAX, usize::MAX, 1)] {
        let mut numbers = std::vec![0.0; len];
        assert!(MatRef::new(&numbers, rows, cols).is_err(), "{rows} x {cols} over {len}");
        assert!(refused(|| MatRef::dense(&numbers, rows, cols)), "{rows} x {cols} over {len}");
        assert!(MatMut::new(&mut numbers, rows, cols).is_err(), "{rows} x {cols} over {len}");
        assert!(refused(|| MatMut::dense(&mut numbers, rows, cols).rows()), "{rows} x {cols} over {len}");
    }
    let numbers = [0.0; 8];
    assert!(MatRef::strided(&numbers, 2, 4, 4, 1).is_ok() && MatRef::strided(&numbers, 8, 100, 1, 0).is_ok());
    for (row_stride, col_stride) in [(5, 1), (4, 2), (usize::MAX, 1), (1, usize::MAX)] {
        assert!(MatRef::strided(&numbers, 2, 4, row_stride, col_stride).is_err(), "{row_stride}, {col_stride}");
    }
    // no element, no place
    assert!(MatRef::strided(&numbers[..0], 0, 4, 5, 9).is_ok() && MatRef::strided(&numbers[..0], 7, 0, 5, 9).is_ok());
}

#[test]
fn rows_that_follow_one_another_are_stacked() {
    let numbers: Vec<usize> = (0..12).collect();
    let whole = MatRef::new(&numbers, 3, 4).unwrap();
    assert!(whole.stacked().unwrap().entries(7).eq([7]));
    assert!(whole.block(0..1, 1..3).stacked().unwrap().entries(1).eq([2]));
    assert!(whole.block(0..2, 1..3).stacked().is_err());
    assert!(whole.t().stacked().is_err());
}

#[test]
fn transposes_in_place_and_by_copy() {
    let mut numbers: Vec<usize> = (0..16).collect();
    let before = numbers.clone();
    let before = MatRef::new(&before, 4, 4).unwrap();
    MatMut::new(&mut numbers, 4, 4).unwrap().transpose();
    assert!((0..4).all(|i| before.t().entries(i).eq(numbers[4 * i..4 * i + 4].iter().copied())));
    let mut wide = [0; 12];
    MatMut::new(&mut wide, 4, 3).unwrap().copy_transpose(before.block(1..4, 0..4));
    assert!((0..4).all(|j| wide[3 * j..3 * j + 3] == [4 + j, 8 + j, 12 + j]));
    assert!(refused(|| MatMut::new(&mut wide, 3, 4).unwrap().copy_transpose(before.block(1..4, 0..4))));
    assert!(refused(|| MatMut::new(&mut wide, 4, 3).unwrap().copy_transpose(before.t().block(1..4, 0..4))));
}
