//! Triangular factors of large symmetric matrices, a block at a time, so that nearly all the work is products of
//! matrices, which candle does with all the processor has (Golub and Van Loan, *Matrix Computations*, 4th ed., §4.2.9).

use candle_core::{Device, Result, Tensor};

/// Rows and columns of a block: the part that is done number by number stays small.
const BLOCK: usize = 128;
/// Columns of the inverse that are made at once, a multiple of [`BLOCK`]: what is known to be 0 is left out in steps
/// of these.
const WIDE: usize = 1_024;
/// No pivot is smaller: rounding must not make a matrix indefinite that is not.
const PIVOT_MIN: f32 = 1e-6;

/// `L` of `A = L Lᵀ`, with `A` of shape `size × size`.
pub struct Cholesky {
    size: usize,
    /// Of each block of rows, what stands left of the diagonal block: `height × start`. None for the first.
    left: Vec<Option<Tensor>>,
    /// The inverse of each diagonal block, lower triangular.
    inverses: Vec<Tensor>,
}

impl Cholesky {
    /// Factors a positive definite matrix; of one that isn't quite, a near one that is.
    ///
    /// # Errors
    /// When `matrix` isn't square and of `f32`.
    pub fn of(matrix: &Tensor) -> Result<Self> {
        let (size, _) = matrix.dims2()?;
        let mut factor = Self { size, left: Vec::new(), inverses: Vec::new() };
        for start in (0..size).step_by(BLOCK) {
            let height = BLOCK.min(size - start);
            let rows = matrix.narrow(0, start, height)?;
            let left = match start {
                0 => None,
                _ => Some(factor.solve_rows(&rows.narrow(1, 0, start)?.contiguous()?)?),
            };
            let mut diagonal = rows.narrow(1, start, height)?.contiguous()?;
            if let Some(left) = &left {
                diagonal = (diagonal - left.matmul(&left.t()?)?)?;
            }
            let lower = lower(diagonal.flatten_all()?.to_vec1()?, height);
            let inverse = inverse(&lower, height);
            factor.inverses.push(Tensor::from_vec(inverse, (height, height), &Device::Cpu)?);
            factor.left.push(left);
        }
        Ok(factor)
    }

    /// `X` of `X Lᵀ = B`, row by row of `B` (any number of rows). Only as many columns as `B` has are used of `L`.
    ///
    /// # Errors
    /// When `B` has more columns than have been factored.
    fn solve_rows(&self, b: &Tensor) -> Result<Tensor> {
        let (_, columns) = b.dims2()?;
        let mut done: Option<Tensor> = None;
        for (at, start) in (0..columns).step_by(BLOCK).enumerate() {
            let width = BLOCK.min(columns - start);
            let mut part = b.narrow(1, start, width)?.contiguous()?;
            if let (Some(done), Some(left)) = (&done, &self.left[at]) {
                part = (part - done.matmul(&left.t()?)?)?;
            }
            let part = part.matmul(&self.inverses[at].t()?)?;
            done = Some(match done {
                Some(done) => Tensor::cat(&[&done, &part], 1)?,
                None => part,
            });
        }
        done.map_or_else(|| b.copy(), Ok)
    }

    /// The inverse of `L`, lower triangular.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn inverse(&self) -> Result<Tensor> {
        let mut rows: Vec<Tensor> = Vec::new();
        for (at, inverse) in self.inverses.iter().enumerate() {
            let (height, start) = (inverse.dim(0)?, at * BLOCK);
            let mut row = inverse.pad_with_zeros(1, 0, self.size - start - height)?;
            if let Some(left) = &self.left[at] {
                // Above the diagonal all is 0: of the rows so far, each block is short.
                let mut parts = Vec::new();
                for column in (0..start).step_by(WIDE) {
                    let width = WIDE.min(start - column);
                    let below =
                        rows[column / BLOCK..].iter().map(|row| row.narrow(1, column, width));
                    let below = Tensor::cat(&below.collect::<Result<Vec<_>>>()?, 0)?;
                    let left = left.narrow(1, column, start - column)?.contiguous()?;
                    parts.push(left.matmul(&below)?);
                }
                let product = inverse.matmul(&Tensor::cat(&parts, 1)?)?.neg()?;
                let own = row.narrow(1, 0, self.size - start)?;
                row = Tensor::cat(&[&product, &own], 1)?;
            }
            rows.push(row);
        }
        Tensor::cat(&rows, 0)
    }
}

/// The lower factor of one block, `height × height` by rows.
fn lower(mut block: Vec<f32>, height: usize) -> Vec<f32> {
    for row in 0..height {
        for column in 0..=row {
            let sum: f32 =
                (0..column).map(|at| block[row * height + at] * block[column * height + at]).sum();
            let left = block[row * height + column] - sum;
            block[row * height + column] = if row == column {
                left.max(PIVOT_MIN).sqrt()
            } else {
                left / block[column * height + column]
            };
        }
        block[row * height + row + 1..(row + 1) * height].fill(0.0);
    }
    block
}

/// The inverse of a lower triangular block.
fn inverse(lower: &[f32], height: usize) -> Vec<f32> {
    let mut inverse = vec![0.0; height * height];
    for column in 0..height {
        for row in column..height {
            let unit = f32::from(u8::from(row == column));
            let sum: f32 = (column..row)
                .map(|at| lower[row * height + at] * inverse[at * height + column])
                .sum();
            inverse[row * height + column] = (unit - sum) / lower[row * height + row];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A positive definite matrix larger than a block, from a few lines of arithmetic.
    fn matrix(size: usize) -> Tensor {
        let mut values = vec![0.0f32; size * size];
        for row in 0..size {
            for column in 0..size {
                let apart = row.abs_diff(column) as f32;
                values[row * size + column] = (-apart / 7.0).exp();
            }
            values[row * size + row] += 0.5;
        }
        Tensor::from_vec(values, (size, size), &Device::Cpu).unwrap()
    }

    fn furthest(a: &Tensor, b: &Tensor) -> f32 {
        let apart = (a - b).unwrap().abs().unwrap().flatten_all().unwrap();
        apart.to_vec1::<f32>().unwrap().into_iter().fold(0.0, f32::max)
    }

    #[test]
    fn solving_undoes_multiplying() {
        for size in [1, 5, BLOCK, BLOCK + 1, 2 * BLOCK + 37, WIDE + BLOCK + 3] {
            let a = matrix(size);
            let factor = Cholesky::of(&a).unwrap();
            let x: Vec<f32> = (0..size * 3).map(|at| (at as f32 * 0.7).sin()).collect();
            let x = Tensor::from_vec(x, (size, 3), &Device::Cpu).unwrap();
            // A x = b, hence x = (L⁻¹)ᵀ (L⁻¹ b).
            let inverse = factor.inverse().unwrap();
            let b = inverse.matmul(&a.matmul(&x).unwrap()).unwrap();
            let again = inverse.t().unwrap().matmul(&b).unwrap();
            assert!(furthest(&again, &x) < 1e-3, "size {size}: {}", furthest(&again, &x));
        }
    }

    #[test]
    fn a_matrix_that_is_not_quite_definite_gives_numbers() {
        let ones = Tensor::ones((3, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let solved = Cholesky::of(&ones).unwrap().inverse().unwrap();
        assert!(
            solved.flatten_all().unwrap().to_vec1::<f32>().unwrap().iter().all(|x| x.is_finite())
        );
    }
}
