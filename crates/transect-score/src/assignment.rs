//! The best one-to-one assignment where few pairs are possible.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What stands at the end of a path of improvements.
#[derive(Debug, Clone, Copy)]
enum End {
    /// A free column.
    Column(usize),
    /// This row stays alone.
    Alone(usize),
}

/// For each row the column that it is given, so that the sum of the gains is as large as can be and no column is given twice.
/// `gains` has, for each row, the columns that it may be given, with a gain above 0; a row may stay alone, which gains nothing.
///
/// Shortest augmenting paths (Jonker and Volgenant 1987) over the pairs that there are: time grows with rows × pairs × log pairs in
/// the worst case, memory with pairs. Among assignments of equal sum it is one and always the same.
pub(crate) fn assign(gains: &[Vec<(usize, i64)>], columns: usize) -> Vec<Option<usize>> {
    let mut row_of: Vec<Option<usize>> = vec![None; columns];
    let mut column_of: Vec<Option<usize>> = vec![None; gains.len()];
    // Prices: what a row, and what a column, is worth. Every pair's gain is at most the sum of the two.
    let mut of_row: Vec<i64> = vec![0; gains.len()];
    let mut of_column: Vec<i64> = vec![0; columns];
    let mut distance = vec![i64::MAX; columns];
    let mut from = vec![usize::MAX; columns];
    let mut done = vec![false; columns];
    for row in 0..gains.len() {
        of_row[row] = gains[row]
            .iter()
            .map(|&(column, gain)| gain - of_column[column])
            .fold(0, i64::max);
        let mut heap: BinaryHeap<Reverse<(i64, usize)>> = BinaryHeap::new();
        let mut touched: Vec<usize> = Vec::new();
        let (mut current, mut so_far) = (row, 0);
        // Staying alone loses what the row is worth.
        let (mut alone, mut loss) = (row, of_row[row]);
        let (end, length) = loop {
            if so_far + of_row[current] < loss {
                (alone, loss) = (current, so_far + of_row[current]);
            }
            for &(column, gain) in &gains[current] {
                let next = so_far + of_row[current] + of_column[column] - gain;
                if !done[column] && next < distance[column] {
                    if distance[column] == i64::MAX {
                        touched.push(column);
                    }
                    distance[column] = next;
                    from[column] = current;
                    heap.push(Reverse((next, column)));
                }
            }
            let nearest = loop {
                match heap.pop() {
                    Some(Reverse((d, column))) if done[column] || d > distance[column] => {}
                    Some(Reverse(found)) => break Some(found),
                    None => break None,
                }
            };
            match nearest {
                Some((d, column)) if d < loss => {
                    done[column] = true;
                    match row_of[column] {
                        None => break (End::Column(column), d),
                        Some(owner) => (current, so_far) = (owner, d),
                    }
                }
                _ => break (End::Alone(alone), loss),
            }
        };
        of_row[row] -= length;
        for &column in touched.iter().filter(|&&column| done[column]) {
            let short = length - distance[column];
            if let (Some(owner), true) = (row_of[column], short > 0) {
                of_row[owner] -= short;
                of_column[column] += short;
            }
        }
        // Along the path each row gives its column to the one before it.
        let mut free = match end {
            End::Column(column) => Some(column),
            End::Alone(alone) => column_of[alone].take(),
        };
        while let Some(column) = free {
            let owner = from[column];
            free = column_of[owner].replace(column);
            row_of[column] = Some(owner);
            if owner == row {
                break;
            }
        }
        for column in touched {
            (distance[column], from[column], done[column]) = (i64::MAX, usize::MAX, false);
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries every assignment.
    fn best(gains: &[Vec<(usize, i64)>], taken: &mut Vec<usize>) -> i64 {
        let Some((row, rest)) = gains.split_first() else {
            return 0;
        };
        let mut most = best(rest, taken);
        for &(column, gain) in row {
            if !taken.contains(&column) {
                taken.push(column);
                most = most.max(gain + best(rest, taken));
                taken.pop();
            }
        }
        most
    }

    #[test]
    fn the_sum_is_that_of_trying_all() {
        let mut stream = transect_core::Stream::new(7, "assignment", &[]);
        for case in 0..2000 {
            let (rows, columns) = (stream.below(7), 1 + stream.below(6));
            let most = if case % 2 == 0 { 4.0 } else { 1000.0 };
            let mut gains: Vec<Vec<(usize, i64)>> = vec![Vec::new(); rows];
            for row in &mut gains {
                for column in 0..columns {
                    if stream.uniform() < 0.6 {
                        row.push((column, 1 + (stream.uniform() * most) as i64));
                    }
                }
            }
            let found = assign(&gains, columns);
            let mut used: Vec<usize> = found.iter().flatten().copied().collect();
            used.sort_unstable();
            assert!(used.windows(2).all(|w| w[0] != w[1]), "{gains:?} {found:?}");
            let sum: i64 = found
                .iter()
                .zip(&gains)
                .filter_map(|(column, row)| {
                    let column = (*column)?;
                    Some(row.iter().find(|g| g.0 == column).unwrap().1)
                })
                .sum();
            assert_eq!(sum, best(&gains, &mut Vec::new()), "{gains:?} {found:?}");
        }
    }
}
