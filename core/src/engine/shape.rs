//! Shape arithmetic shared by the engines: what comes out of an operation, and clear words when it cannot.

use super::ConvGeometry;

/// Most dimensions a tensor may have.
pub const MAX_DIMS: usize = 6;

/// NumPy's broadcasting of two shapes.
///
/// # Panics
/// When a dimension differs and neither side is 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Vec<usize> {
    let dims = a.len().max(b.len());
    let at = |s: &[usize], i: usize| if i + s.len() < dims { 1 } else { s[i + s.len() - dims] };
    (0..dims)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => panic!("shapes {a:?} and {b:?} do not broadcast"),
        })
        .collect()
}

/// Row-major strides of a shape, in elements.
pub fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (0..shape.len().saturating_sub(1)).rev() {
        strides[i] = strides[i + 1] * shape[i + 1];
    }
    strides
}

/// Strides that read `shape` as if broadcast to `target`: 0 along the repeated dimensions.
pub fn broadcast_strides(shape: &[usize], target: &[usize]) -> Vec<usize> {
    let own = strides(shape);
    let missing = target.len() - shape.len();
    (0..target.len()).map(|i| if i < missing || shape[i - missing] == 1 { 0 } else { own[i - missing] }).collect()
}

/// (N, Cout, H', W') of a convolution.
///
/// # Panics
/// When channels differ or the padded image is smaller than the kernel.
pub fn conv2d(x: &[usize], weight: &[usize], geometry: ConvGeometry) -> [usize; 4] {
    let (&[n, channels, h, w], &[out, inner, kh, kw]) = (x, weight) else {
        panic!("conv2d takes (N, C, H, W) and (O, C, Kh, Kw), found {x:?} and {weight:?}");
    };
    assert_eq!(channels, inner, "conv2d of {x:?} with a weight of {weight:?}: channels differ");
    let p = geometry.padding;
    let (h, w) = (h + p.top + p.bottom, w + p.left + p.right);
    assert!(h >= kh && w >= kw, "conv2d of {x:?} with a weight of {weight:?}: the padded image is smaller than the kernel");
    [n, out, (h - kh) / geometry.stride + 1, (w - kw) / geometry.stride + 1]
}

/// (rows, ..) of rows taken from the first dimension.
///
/// # Panics
/// When there is no such row.
pub fn gather_rows(x: &[usize], rows: &[usize]) -> Vec<usize> {
    assert!(!x.is_empty() && rows.iter().all(|&row| row < x[0]), "gather_rows of {x:?}: row {:?}", rows.iter().max());
    [&[rows.len()], &x[1..]].concat()
}

/// (.., M, N) of a product of matrices.
///
/// # Panics
/// When the inner dimensions differ, or the leading ones do and `b` has any.
pub fn matmul(a: &[usize], b: &[usize]) -> Vec<usize> {
    let fits = a.len() >= 2 && b.len() >= 2 && a[a.len() - 1] == b[b.len() - 2] && (b.len() == 2 || a[..a.len() - 2] == b[..b.len() - 2]);
    assert!(fits, "matmul of {a:?} and {b:?}");
    let mut shape = a.to_vec();
    shape[a.len() - 1] = b[b.len() - 1];
    shape
}
