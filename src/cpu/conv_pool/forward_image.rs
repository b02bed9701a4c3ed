//! The forward pass of one image.

use super::{
    convolution::{Convolution, Epilogue},
    global::{Largest, Sum, first_equal},
    problem::Geometry,
    sums::{MOST_ADDITIONS, add_exactly, exact},
    window::{Windows, active, max_two_by_two},
};
use crate::cpu::{
    buffer::Buffer,
    reduce::{Maps, Parameters, Reduction, reduce_maps},
    simd::{Lanes, fill},
    transpose::{Place, transpose},
};

/// Tiles of an image whose sums may be added one after the other: as many as one of 28x28 has in vectors of sixteen.
/// Its mean is then the same, bit by bit, as that of versions before there were blocks.
const FEW_TILES: usize = 78;

/// One image, and the filters that are laid on it.
pub(super) struct Image<'a, S: Lanes> {
    pub geometry: &'a Geometry,
    pub convolution: &'a Convolution<'a, S>,
    /// The image within its padding; what follows it is arbitrary.
    pub planes: &'a [f32],
    /// Whether no sum can overflow or be NaN.
    pub finite: bool,
    /// Its sums `[row, column, vector]`, if they are known.
    pub known: &'a [S::f32s],
}

/// Keeps a row of sums.
struct Store<'a, S: Lanes> {
    sums: &'a mut [S::f32s],
    vectors: usize,
}

impl<S: Lanes> Epilogue<S> for Store<'_, S> {
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(&mut self, _: S, column: usize, vector: usize, sums: &[[S::f32s; V]; P]) {
        let row = &mut self.sums[column * self.vectors + vector..];
        for p in 0..P {
            let row = &mut row[p * self.vectors..][..V];
            for v in 0..V {
                row[v] = sums[p][v];
            }
        }
    }
}

/// Keeps the activations of a row, and the gates if there is room for them.
struct Activate<'a, S: Lanes> {
    /// `[vector, position]`
    maps: &'a mut [S::f32s],
    gates: &'a mut [u16],
    vectors: usize,
    /// Number of the row's first position.
    first: usize,
}

impl<S: Lanes> Epilogue<S> for Activate<'_, S> {
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(
        &mut self, simd: S, column: usize, vector: usize, sums: &[[S::f32s; V]; P],
    ) {
        let (first, positions) = (self.first + column, self.maps.len() / self.vectors);
        for v in 0..V {
            let map = &mut self.maps[(vector + v) * positions + first..][..P];
            for p in 0..P {
                map[p] = simd.relu(sums[p][v]);
            }
        }
        if !self.gates.is_empty() {
            let gates = &mut self.gates[first * self.vectors + vector..];
            for p in 0..P {
                for v in 0..V {
                    gates[p * self.vectors + v] = active(simd, sums[p][v]);
                }
            }
        }
    }
}

impl<S: Lanes> Image<'_, S> {
    /// Computes the sums of a row of positions.
    #[inline(always)]
    fn row(&self, simd: S, row: usize, epilogue: &mut impl Epilogue<S>) {
        let image = &self.planes[row * self.geometry.padded[1]..];
        let columns = self.geometry.positions[1];
        self.convolution.row(simd, image, columns, epilogue);
    }

    /// Writes the maximum, or otherwise the mean, of every window. Without room for gates, none are written.
    #[inline(always)]
    pub fn windows<P: Place>(&self, simd: S, max: bool, output: &mut [P], gates: &mut [u16]) {
        let Geometry { window, pooled: [down, across], positions: [all_rows, columns], .. } = *self.geometry;
        let vectors = self.convolution.start.len();
        let row_len = columns * vectors;
        let (rows, kept) = if self.known.is_empty() { (window.size[0], window.size[0]) } else { (all_rows, 0) };
        let (mut kept, mut pooled) = (Buffer::new(kept * row_len), Buffer::new(down * across * vectors));
        let pooled: &mut [S::f32s] = &mut pooled;
        let gates_len = gates.len() / down;
        let mut next = 0;
        for (i, pooled) in pooled.chunks_exact_mut(across * vectors).enumerate() {
            let windows = Windows {
                size: window.size,
                stride: window.stride[1],
                vectors,
                row_len,
                first_row: i * window.stride[0],
                rows,
            };
            // Rows that windows share are still there.
            let end = windows.first_row + window.size[0];
            if self.known.is_empty() {
                for row in next.max(windows.first_row)..end {
                    let sums = &mut kept[windows.place(row)..][..row_len];
                    self.row(simd, row, &mut Store { sums, vectors });
                }
                next = end;
            }
            let sums: &[S::f32s] = if self.known.is_empty() { &kept } else { self.known };
            let gates = &mut gates[i * gates_len..][..gates_len];
            if !max {
                windows.average(simd, sums, pooled, gates);
            } else if self.finite && window.size == [2, 2] && window.stride[1] == 2 {
                let top = &sums[windows.place(windows.first_row)..][..row_len];
                let bottom = &sums[windows.place(windows.first_row + 1)..][..row_len];
                max_two_by_two(simd, vectors, [top, bottom], pooled, gates);
            } else {
                windows.max(simd, sums, pooled, gates);
            }
        }
        let count = down * across;
        let size = [count, output.len() / count];
        let pooled = bytemuck::cast_slice(pooled);
        transpose(simd, size, pooled, vectors * S::LANES, output, count);
    }

    /// Writes what the activations of each filter are reduced to. Without room for gates and maps, none are written.
    #[inline(always)]
    pub fn reduced<P: Place, M: Place>(
        &self, simd: S, (reduction, parameters): (Reduction, Parameters<'_>), output: &mut [P], gates: &mut [u16],
        maps: &mut [M],
    ) {
        let [rows, columns] = self.geometry.positions;
        let vectors = self.convolution.start.len();
        let mut activations = Buffer::<S::f32s>::new(vectors * rows * columns);
        let mut activate = Activate::<S> { maps: &mut activations, gates, vectors, first: 0 };
        for row in 0..rows {
            activate.first = row * columns;
            if self.known.is_empty() {
                self.row(simd, row, &mut activate);
                continue;
            }
            let known = &self.known[row * columns * vectors..][..columns * vectors];
            for i in 0..known.len() {
                activate.tile(simd, i / vectors, i % vectors, &[[known[i]]]);
            }
        }
        let values: &[f32] = bytemuck::cast_slice(&activations);
        for i in 0..maps.len() {
            maps[i] = M::of(values[i]);
        }
        for v in 0..vectors {
            let map: &[S::f32s] = &activations[v * rows * columns..][..rows * columns];
            let maps = Maps { reduction, values: map, parameter: parameters.of_vector(simd, v) };
            let reduced = reduce_maps(simd, maps);
            let reduced: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&reduced));
            let first = v * S::LANES;
            let output = &mut output[first..];
            for lane in 0..output.len().min(S::LANES) {
                output[lane] = P::of(reduced[lane]);
            }
        }
    }

    /// Writes the mean of each filter over the image. Without room for gates, none are written.
    ///
    /// `room` holds at least three vectors for each vector of filters.
    #[inline(always)]
    pub fn mean<P: Place>(&self, simd: S, room: &mut [S::f32s], output: &mut [P], gates: &mut [u16]) {
        let [rows, columns] = self.geometry.positions;
        let vectors = self.convolution.start.len();
        let (sums, rest) = room.split_at_mut(vectors);
        let (total, lost) = rest.split_at_mut(vectors);
        self.sums(simd, [&mut *sums, total, &mut lost[..vectors]], gates);
        let scale = 1.0 / (rows * columns) as f32;
        let sums: &[f32] = bytemuck::cast_slice(sums);
        for (filter, output) in output.iter_mut().enumerate() {
            *output = P::of(sums[filter] * scale);
        }
    }

    /// Sums the activations, a block of tiles after the other.
    #[inline(always)]
    fn sums(&self, simd: S, [sums, total, lost]: [&mut [S::f32s]; 3], gates: &mut [u16]) {
        let [rows, columns] = self.geometry.positions;
        let gates_len = gates.len() / (rows * columns);
        // What is known comes one position after the other.
        let pixels = if self.known.is_empty() { S::PIXELS } else { 1 };
        let few = rows * columns.div_ceil(pixels) <= FEW_TILES;
        let most = if few { FEW_TILES } else { MOST_ADDITIONS };
        for each in [&mut *sums, &mut *total, &mut *lost] {
            fill(each, simd.splat_f32s(0.0));
        }
        let mut additions = 0;
        for row in 0..rows {
            for first in (0..columns).step_by(most * pixels) {
                let count = (columns - first).min(most * pixels);
                let tiles = count.div_ceil(pixels);
                if additions + tiles > most {
                    for v in 0..sums.len() {
                        add_exactly(simd, &mut total[v], &mut lost[v], sums[v]);
                    }
                    fill(sums, simd.splat_f32s(0.0));
                    additions = 0;
                }
                additions += tiles;
                let gates = &mut gates[(row * columns + first) * gates_len..][..count * gates_len];
                let mut sum = Sum { sums, gates };
                if self.known.is_empty() {
                    let image = &self.planes[row * self.geometry.padded[1] + first..];
                    self.convolution.row(simd, image, count, &mut sum);
                    continue;
                }
                let vectors = self.convolution.start.len();
                let known = &self.known[(row * columns + first) * vectors..][..count * vectors];
                for i in 0..known.len() {
                    sum.tile(simd, i / vectors, i % vectors, &[[known[i]]]);
                }
            }
        }
        for v in 0..sums.len() {
            add_exactly(simd, &mut total[v], &mut lost[v], sums[v]);
            sums[v] = exact(simd, total[v], lost[v]);
        }
    }

    /// Writes the maximum of each filter over the image, and where it is active its position, if there is room
    /// for that.
    ///
    /// `room` holds at least two vectors for each vector of filters.
    #[inline(always)]
    pub fn largest<P: Place>(
        &self, simd: S, (weight, bias): (&[f32], &[f32]), room: &mut [S::f32s], output: &mut [P], winners: &mut [u32],
    ) {
        let vectors = self.convolution.start.len();
        let (best, tiles) = room.split_at_mut(vectors);
        let tiles: &mut [S::u32s] = bytemuck::cast_slice_mut(tiles);
        if self.finite {
            self.largest_tiles::<false>(simd, best, tiles);
        } else {
            self.largest_tiles::<true>(simd, best, tiles);
        }
        let (best, tiles): (&[f32], &[u32]) = (bytemuck::cast_slice(best), bytemuck::cast_slice(tiles));
        for (filter, output) in output.iter_mut().enumerate() {
            *output = P::of(if best[filter] < 0.0 { 0.0 } else { best[filter] });
        }
        let taps = self.convolution.taps.len();
        for (filter, winner) in winners.iter_mut().enumerate() {
            if best[filter] > 0.0 {
                let image = &self.planes[self.geometry.pixel(tiles[filter] as usize)..];
                let weight = &weight[filter * taps..][..taps];
                let (bias, best) = (bias[filter], best[filter]);
                let offset = first_equal(simd, self.convolution, image, weight, bias, best);
                *winner = tiles[filter] + offset as u32;
            }
        }
    }

    /// Finds the maximum of each filter, and the first position of the tile that it was found in.
    #[inline(always)]
    fn largest_tiles<const ANY: bool>(&self, simd: S, best: &mut [S::f32s], tiles: &mut [S::u32s]) {
        let [rows, columns] = self.geometry.positions;
        fill(best, simd.splat_f32s(f32::NEG_INFINITY));
        fill(tiles, simd.splat_u32s(0));
        for row in 0..rows {
            let mut largest = Largest::<S, ANY> { best, tile: tiles, row: row * columns };
            self.row(simd, row, &mut largest);
        }
    }
}
