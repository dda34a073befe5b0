// Rows of numbers of one length.

/** Numbers as they lie in memory. */
export type Numbers = Float32Array | Int8Array | Uint8Array;

/** A table of numbers: `dims` says how many rows, and how long each is. Iterating gives the rows. */
export class Tensor<T extends Numbers = Numbers> {
  readonly dims: readonly [rows: number, columns: number];
  readonly data: T;

  constructor(data: T, rows: number) {
    this.data = data;
    this.dims = [rows, rows === 0 ? 0 : data.length / rows];
  }

  /** Rows, one behind the other. */
  static of<T extends Numbers>(rows: readonly T[]): Tensor<T> {
    const [first] = rows;
    // One row alone is not copied.
    if (first && rows.length === 1) return new Tensor(first, 1);
    const kind = (first?.constructor ?? Float32Array) as new (length: number) => T;
    const data = new kind(rows.reduce((sum, row) => sum + row.length, 0));
    let at = 0;
    for (const row of rows) {
      data.set(row, at);
      at += row.length;
    }
    return new Tensor(data, rows.length);
  }

  /** One row, not copied. */
  row(index: number): T {
    const [rows, columns] = this.dims;
    if (!Number.isInteger(index) || index < 0 || index >= rows) {
      throw new RangeError(`row ${index} of ${rows}`);
    }
    return this.data.subarray(index * columns, (index + 1) * columns) as T;
  }

  /** The rows as arrays of JavaScript's own. */
  tolist(): number[][] {
    return Array.from(this, (row) => Array.from(row));
  }

  *[Symbol.iterator](): Generator<T> {
    for (let row = 0; row < this.dims[0]; row++) yield this.row(row);
  }
}
