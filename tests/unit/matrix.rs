//! Products of matrices write every place of their target and read none.

use super::*;

/// What was in the places does not come through, whichever of gemm's ways a size takes.
#[test]
fn every_place_is_written_and_none_is_read() {
    let sizes = [[1, 0, 1], [3, 0, 4], [1, 1, 1], [3, 2, 5], [1, 7, 4], [5, 3, 1], [17, 1, 33], [128, 300, 70]];
    for [rows, inner, columns] in sizes {
        let values = |count: usize| -> Vec<f32> { (0..count).map(|i| (i % 7) as f32 - 3.0).collect() };
        let (left, right) = (values(rows * inner), values(inner * columns));
        let mut product = vec![MaybeUninit::new(f32::NAN); rows * columns];
        // SAFETY: every place holds a value.
        unsafe {
            let left = Matrix::new(&left, [rows, inner]);
            left.write_product(Matrix::new(&right, [inner, columns]), &mut product, false);
        }
        for (i, place) in product.iter().enumerate() {
            let terms = (0..inner).map(|k| left[i / columns * inner + k] * right[k * columns + i % columns]);
            // SAFETY: as above.
            assert_eq!(unsafe { place.assume_init() }, terms.sum::<f32>(), "{rows}x{inner}x{columns}");
        }
    }
}
